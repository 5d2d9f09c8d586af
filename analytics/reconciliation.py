"""Does the book add up, month by month, in loans and in money?"""

from __future__ import annotations

import polars as pl

from analytics.cells import check_cells
from analytics.delinquency import months_before, share_of
from analytics.states import CHARGED_OFF, ENTRIES, PAID_OFF, SOLD, TERMINAL, UNMATCHED

UNMATCHED_TOLERANCE = 0.001
LEDGER_TOLERANCE = 0.0001
ROBUST_LIMIT = 5.0
FEWEST_MONTHS = 6
_MAD_TO_SD, _MEAN_DEVIATION_TO_SD = 1.4826, 1.2533

_was_open = ~pl.col("from_state").is_in(ENTRIES)
_left = (PAID_OFF, CHARGED_OFF, SOLD)
_is_open = ~pl.col("to_state").is_in((*TERMINAL, UNMATCHED))


def loan_flow(
    transitions: pl.DataFrame,
    stocks: pl.DataFrame | None = None,
    *,
    tolerance: float = UNMATCHED_TOLERANCE,
) -> pl.DataFrame:
    """Do the loans of each month close: opening + new - those that left = closing?

    opening + new + appeared - paid off - charged off - sold - unmatched = closing.  Both sides
    come from the same rows, so they are held against a count made apart: the stocks of the
    month if given, else the opening of the month after.

    In: transitions (month, from_state, to_state, loans); stocks (month, loans).  Out: one row
    per month: `opening`, `new`, `appeared`, `paid_off`, `charged_off`, `sold`, `unmatched`,
    `closing`, `difference` (closing - the count made apart), `continuity` (opening of the month
    after - closing), `unmatched_share` = (unmatched + appeared) / open loans (opening, or
    closing if that is more), `passes`: every difference that can be taken is 0 and the share
    is at most `tolerance`.
    Null: `difference` and `continuity` where there is nothing to compare with (the last month,
    and one before a missing month).  A month that the given stocks lack fails.
    """
    check_cells(transitions, ["month", "from_state", "to_state", "loans"])
    ways = (*_left, UNMATCHED)
    months = transitions.group_by("month").agg(
        _sum("loans", _was_open, "opening"),
        *[_sum("loans", pl.col("from_state") == entry, entry) for entry in ENTRIES],
        *[_sum("loans", pl.col("to_state") == way, way) for way in ways],
    )
    months = months.with_columns(
        closing=pl.sum_horizontal("opening", *ENTRIES) - pl.sum_horizontal(*ways)
    )
    following = months.select(month=months_before(pl.lit(1)), following="opening")
    months = months.join(following, on="month", how="left").sort("month")
    counted = pl.col("following")
    if stocks is not None:
        check_cells(stocks, ["month", "loans"])
        apart = stocks.group_by("month").agg(pl.col("loans").sum().alias("counted"))
        months = months.join(apart, on="month", how="left", maintain_order="left")
        counted = pl.col("counted").fill_null(0)
    size = pl.max_horizontal("opening", "closing")
    return (
        months.with_columns(
            difference=pl.col("closing") - counted,
            continuity=pl.col("following") - pl.col("closing"),
            unmatched_share=share_of(pl.col(UNMATCHED) + pl.col("appeared"), size),
        )
        .with_columns(
            passes=(pl.col("difference").fill_null(0) == 0)
            & (pl.col("continuity").fill_null(0) == 0)
            & (pl.col("unmatched_share").fill_null(0) <= tolerance)
        )
        .drop("following", "counted", strict=False)
    )


def money_flow(
    transitions: pl.DataFrame,
    cash: pl.DataFrame | None = None,
    *,
    limit: float = ROBUST_LIMIT,
) -> pl.DataFrame:
    """Does the money of each month close, and is what is left over plausible?

    opening + new + appeared + residual - payments - charged off - sold - unmatched = closing,
    where closing is the balance of open rows (below zero included) and the residual is
    interest, fees and drawings: nothing records it, so it is judged by its own history.
    `residual_rate` = residual / opening; `is_outlier` where it is further than `limit` robust
    standard deviations from the median of all months.

    In: transitions (month, from_state, to_state, loans, opening_balance_cents,
    closing_balance_cents; a charged-off or sold row closes with the amount that left, a
    paid-off one with 0); cash (month, payments_cents, paid_cents; payments are preferred, and
    `paid` stands in for a month without them).
    Out: by month `opening_cents`, `new_cents`, `appeared_cents`, `payments_cents`,
    `charged_off_cents`, `sold_cents`, `unmatched_cents`, `closing_cents`, `continuity_cents`
    (opening of the month after - closing: other than 0, a balance was restated), `residual_cents`,
    `residual_rate`, `is_outlier`.
    Null: amounts of a counted book; the residual without payments; `is_outlier` in the first
    month, which has no opening, and with fewer than 6 months.
    Misleads: a loan's first balance is after its first month's payments, so those are in the
    residual; what an unmatched loan owed leaves with it.
    """
    amounts = ("opening_balance_cents", "closing_balance_cents")
    check_cells(transitions, ["month", "from_state", "to_state", "loans", *amounts])
    opening, closing = amounts
    months = transitions.group_by("month").agg(
        _money(opening, _was_open, "opening_cents"),
        *[_money(closing, pl.col("from_state") == way, f"{way}_cents") for way in ENTRIES],
        *[_money(closing, pl.col("to_state") == way, f"{way}_cents") for way in _left[1:]],
        _money(opening, _was_open & (pl.col("to_state") == UNMATCHED), "unmatched_cents"),
        _money(closing, _is_open, "closing_cents"),
    )
    following = months.select(month=months_before(pl.lit(1)), following="opening_cents")
    entered = pl.col("opening_cents") + pl.col("new_cents") + pl.col("appeared_cents")
    left = pl.col("charged_off_cents") + pl.col("sold_cents") + pl.col("unmatched_cents")
    flow = (
        months.join(_payments(cash), on="month", how="left")
        .join(following, on="month", how="left")
        .sort("month")
        .with_columns(
            continuity_cents=pl.col("following") - pl.col("closing_cents"),
            residual_cents=pl.col("closing_cents") - entered + left + pl.col("payments_cents"),
        )
        .with_columns(residual_rate=share_of(pl.col("residual_cents"), pl.col("opening_cents")))
        .drop("following")
    )
    return flow.with_columns(is_outlier=outlier_flags(flow["residual_rate"], limit=limit))


def _payments(cash: pl.DataFrame | None) -> pl.DataFrame:
    """Payments by month on loans that are on book: those on departed loans move no balance."""
    if cash is None:
        return pl.DataFrame(schema={"month": pl.Date, "payments_cents": pl.Int64})
    months = _cash_by_month(cash, ("payments_cents", "departed_cents", "paid_cents"))
    on_book = pl.col("payments_cents") - pl.col("departed_cents").fill_null(0)
    return months.select("month", payments_cents=pl.coalesce(on_book, "paid_cents"))


def payment_differences(cash: pl.DataFrame) -> pl.DataFrame:
    """Do the payments of each month add up to what the loans say was paid?

    difference = payments - payments on departed loans - the amounts paid on loan rows.  A
    departed loan (charged off, say) has no row in the month, so nothing to agree with.
    In: cash (month, payments_cents, departed_cents, paid_cents, differing_loans).  Out: by
    month, in cents, `payments_cents`, `departed_cents`, `paid_cents`, `difference_cents`,
    `differing_loans`, `is_finding`.
    Null: one of the two is not recorded, and there is nothing to find.
    """
    sums = ("payments_cents", "departed_cents", "paid_cents", "differing_loans")
    on_book = pl.col("payments_cents") - pl.col("departed_cents").fill_null(0)
    return (
        _cash_by_month(cash, sums)
        .sort("month")
        .with_columns(difference_cents=on_book - pl.col("paid_cents"))
        .with_columns(
            is_finding=(pl.col("difference_cents") != 0)
            | (pl.col("differing_loans").fill_null(0) > 0)
        )
    )


def _cash_by_month(cash: pl.DataFrame, names: tuple[str, ...]) -> pl.DataFrame:
    """Sums by month, null where nothing is recorded; a column that is not there is all null."""
    absent = [pl.lit(None, pl.Int64).alias(name) for name in names if name not in cash.columns]
    return (
        cash.with_columns(absent)
        .group_by("month")
        .agg(
            pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum()).alias(name)
            for name in names
        )
    )


def ledger_differences(
    ledger: pl.DataFrame, *, tolerance: float = LEDGER_TOLERANCE
) -> pl.DataFrame:
    """Does the book agree with the general ledger?

    difference_rate = (book - ledger) / ledger; it passes within `tolerance` (0.01 % a month).
    In: month, product, measure, ledger_cents, book_cents.  Out: the same rows with
    `difference_cents`, `difference_rate`, `passes`.
    Null: `passes` where the book does not record the measure; the rate over a ledger of 0,
    which only a book of 0 passes.
    """
    difference = pl.col("book_cents") - pl.col("ledger_cents")
    return ledger.with_columns(
        difference_cents=difference,
        difference_rate=share_of(difference, pl.col("ledger_cents")),
        passes=difference.abs() <= tolerance * pl.col("ledger_cents").abs(),
    )


def robust_outliers(
    series: pl.DataFrame, *, limit: float = ROBUST_LIMIT, fewest: int = FEWEST_MONTHS
) -> pl.DataFrame:
    """Which months leave the series' usual range: over `limit` robust sd from its median?

    In: `month` and `value`.  Out: the rows that do, in order; none where fewer than `fewest`
    values are known.
    """
    return series.filter(outlier_flags(series["value"], limit=limit, fewest=fewest))


def outlier_flags(
    values: pl.Series, *, limit: float = ROBUST_LIMIT, fewest: int = FEWEST_MONTHS
) -> pl.Series:
    """Whether each value is further than `limit` robust standard deviations from the median.

    sd = 1.4826 x the median distance from the median; where more than half of the values are
    equal that is 0, and 1.2533 x the mean distance stands in.  Null: a missing value, or fewer
    than `fewest` known.

    >>> outlier_flags(pl.Series([1.0, 1.1, 0.9, 1.0, 1.05, 9.0])).to_list()
    [False, False, False, False, False, True]
    """
    known = values.cast(pl.Float64).fill_nan(None)
    if known.drop_nulls().len() < fewest:
        return pl.Series([None] * known.len(), dtype=pl.Boolean)
    distance = (known - known.median()).abs()
    spread = _MAD_TO_SD * float(distance.median() or 0)  # type: ignore[arg-type]
    spread = spread or _MEAN_DEVIATION_TO_SD * float(distance.mean() or 0)  # type: ignore[arg-type]
    return distance > limit * spread


def _sum(column: str, where: pl.Expr, name: str) -> pl.Expr:
    return pl.col(column).filter(where).sum().alias(name)


def _money(column: str, where: pl.Expr, name: str) -> pl.Expr:
    """A sum over some rows, null where one of them is not recorded."""
    missing = (where & pl.col(column).is_null()).any()
    return pl.when(~missing).then(pl.col(column).filter(where).sum()).alias(name)
