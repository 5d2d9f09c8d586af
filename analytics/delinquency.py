"""Delinquency: how much of the book is late, how late, and in how few hands?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from analytics.cells import Weight, check_cells, refuse_unweighed, weighed_stocks
from analytics.intervals import effective_size, wilson
from analytics.states import CHARGED_OFF, ENTRIES, beyond

THRESHOLDS = (30, 60, 90)


def delinquency_rates(
    stocks: pl.DataFrame,
    *,
    buckets: Sequence[str],
    weight: Weight,
    thresholds: Sequence[int] = THRESHOLDS,
    by: Sequence[str] = (),
    confidence: float = 0.95,
    minimum: int = 30,
) -> pl.DataFrame:
    """What share of the open book is 30, 60 or 90 and more days late, at the same month-end?

    rate = loans (or balance) in buckets beyond the one that ends at 30 (60, 90; or 29, 59, 89)
    / all open loans (or their balance).  Money below zero counts as zero.

    In: stocks of open loans.  Out: one row per month x threshold (x `by`): `numerator`,
    `denominator` (loans or cents), `rate`, `low`, `high` (Wilson; for money on the effective
    number of loans), `loans` (late), `open_loans`, `is_small`.
    Null: no open loans, or no balance.  Refuses: a threshold that no bucket ends at, unknown
    buckets, both bases, money in a counted book.
    Misleads: growth flatters it, since new loans are not yet late: see the lagged rates.
    """
    frame, amount, squares = weighed_stocks(stocks, buckets, weight, by)
    ranks = {days: beyond(buckets, days) for days in thresholds}
    keys = ["month", "threshold", *by]
    late = pl.col("rank") >= pl.col("first_late")
    cells = (
        frame.join(
            pl.DataFrame({"threshold": list(ranks), "first_late": list(ranks.values())}),
            how="cross",
        )
        .group_by(keys)
        .agg(
            pl.col(amount).filter(late).sum().alias("numerator"),
            pl.col(amount).sum().alias("denominator"),
            pl.col("loans").filter(late).sum().alias("loans"),
            pl.col("loans").sum().alias("open_loans"),
            pl.col(squares).filter(late).sum().alias("late_squares"),
            pl.col(squares).sum().alias("all_squares"),
        )
        .sort(keys, nulls_last=True)
    )
    return _with_interval(cells, weight, confidence).with_columns(
        is_small=pl.col("open_loans") < minimum
    )


def highest_segment(
    stocks: pl.DataFrame,
    *,
    buckets: Sequence[str],
    weight: Weight,
    segment: str,
    threshold: int = 30,
    confidence: float = 0.95,
    minimum: int = 30,
) -> pl.DataFrame:
    """Which segment has the highest delinquency rate, and is it more than chance?

    One of several segments is the highest even where all are alike.  So the interval of the
    highest of k is taken at the level 1 - 0.05 / k (Bonferroni), and it stands out where even
    the low end of that lies above the rate of all segments together.

    In: stocks of one month.  Out: one row, of the highest segment with at least `minimum` open
    loans: `rate`, `low`, `high` (at that level), `whole` (the rate of all), `segments` (k),
    `stands_out`; no row where fewer than two segments have so many.
    Misleads: the segment is part of the whole it is held against, so a very large one hardly
    stands out; the whole's own chance is not counted.
    Reference: Bonferroni's inequality; Dunn 1961.
    """
    options: dict[str, Any] = {"buckets": buckets, "weight": weight, "thresholds": (threshold,)}
    whole = delinquency_rates(stocks, **options)["rate"]
    if whole.len() > 1:
        raise ValueError("the highest segment is one month's")
    options |= {"by": (segment,), "minimum": minimum}
    judged = ~pl.col("is_small") & pl.col("rate").is_not_null()
    count = delinquency_rates(stocks, **options).filter(judged).height
    level = 1 - (1 - confidence) / max(count, 1)
    rates = delinquency_rates(stocks, **options, confidence=level)
    return (
        rates.filter(judged, count > 1)
        .sort("rate", descending=True, maintain_order=True)
        .head(1)
        .with_columns(whole=pl.lit(whole.first(), pl.Float64), segments=pl.lit(count))
        .with_columns(stands_out=pl.col("low") > pl.col("whole"))
    )


def _with_interval(cells: pl.DataFrame, weight: Weight, confidence: float) -> pl.DataFrame:
    rate = share_of(pl.col("numerator"), pl.col("denominator"))
    scale = 1e4 if weight == "balance" else 1.0  # squares are in currency squared, sums in cents
    part, whole, late_squares, all_squares = (
        cells[name].cast(pl.Float64).to_numpy()
        for name in ("numerator", "denominator", "late_squares", "all_squares")
    )
    size = effective_size(part, whole, late_squares * scale, all_squares * scale)
    rated = cells.with_columns(rate=rate).drop("late_squares", "all_squares")
    low, high = wilson(rated["rate"].fill_null(float("nan")).to_numpy(), size, confidence)
    return rated.with_columns(
        low=pl.Series(low, nan_to_null=True), high=pl.Series(high, nan_to_null=True)
    )


def lagged_delinquency_rates(
    stocks: pl.DataFrame, *, buckets: Sequence[str], weight: Weight
) -> pl.DataFrame:
    """Of the book from which today's late loans came, what share is in each bucket now?

    rate = bucket k at t / all open loans at t minus k months, k being the bucket's rank (1-30
    is 1, 31-60 is 2, ...).  It is not flattered by growth since then.

    Out: one row per month x late bucket: `lag_months`, `numerator`, `denominator`, `rate`.
    Null: that earlier month is not in the data, or was empty.
    Misleads: buckets wider than a month (181-270 and later) hold loans of several ages, for
    which one lag is a convention; loans that had left by t are in the denominator.
    """
    frame, amount, _ = weighed_stocks(stocks, buckets, weight)
    months = frame.group_by("month").agg(pl.col(amount).sum().alias("denominator"))
    now = frame.group_by("month", "bucket").agg(pl.col(amount).sum().alias("numerator"))
    ranks = pl.DataFrame({"bucket": list(buckets), "lag_months": range(len(buckets))})[1:]
    return (
        months.select("month")
        .join(ranks, how="cross")
        .join(now, on=["month", "bucket"], how="left")
        .with_columns(pl.col("numerator").fill_null(0), then=months_before(pl.col("lag_months")))
        .join(months.rename({"month": "then"}), on="then", how="left")
        .sort("month", "lag_months")
        .select("month", "bucket", "lag_months", "numerator", "denominator")
        .with_columns(rate=share_of(pl.col("numerator"), pl.col("denominator")))
    )


def bucket_shares(
    stocks: pl.DataFrame,
    *,
    buckets: Sequence[str],
    weight: Weight,
    by: Sequence[str] = (),
) -> pl.DataFrame:
    """How is the open book spread over the buckets?

    share = loans (or balance) in the bucket / all open loans (or balance) of that month (and
    `by`).  Out: one row per month (x `by`) x bucket, in order: `loans`, `amount` (loans or
    cents), `share`.  An empty bucket of an observed month is 0; with nothing open, null.
    """
    frame, amount, _ = weighed_stocks(stocks, buckets, weight, by)
    keys = ["month", *by]
    ranks = pl.DataFrame({"bucket": list(buckets), "rank": range(len(buckets))})
    cells = frame.group_by(*keys, "bucket").agg(
        pl.col("loans").sum().alias("counted"), pl.col(amount).sum().alias("amount")
    )
    whole = pl.col("amount").sum().over(keys)
    return (
        frame.select(keys)
        .unique()
        .join(ranks, how="cross")
        .join(cells, on=[*keys, "bucket"], how="left", nulls_equal=True)
        .rename({"counted": "loans"})
        .with_columns(pl.col("loans", "amount").fill_null(0))
        .sort(*keys, "rank", nulls_last=True)
        .select(*keys, "bucket", "loans", "amount", share=share_of(pl.col("amount"), whole))
    )


def charge_off_rates(transitions: pl.DataFrame, *, weight: Weight) -> pl.DataFrame:
    """What share of the month's opening book was charged off, before recoveries?

    rate = balance charged off in the month / open balance at the month before (or loans over
    loans); `annualised_rate` = 12 x rate.  Out: one row per month: `numerator`, `denominator`
    (loans or cents), `rate`, `annualised_rate`.
    Null: the first month, which has no opening book.  Misleads: interest added before the
    charge-off is in the numerator only; loans charged off in their first month are in it too.
    """
    charged, opening = (
        ("loans", "loans") if weight == "loans" else ("closing_cents", "opening_cents")
    )
    check_cells(transitions, ["month", "from_state", "to_state", "loans", charged, opening])
    is_charged = pl.col("to_state") == CHARGED_OFF
    was_open = ~pl.col("from_state").is_in(ENTRIES)
    if weight == "balance":
        refuse_unweighed(transitions.filter(is_charged), [charged])
        refuse_unweighed(transitions.filter(was_open), [opening])
    return (
        transitions.group_by("month")
        .agg(
            pl.col(charged).filter(is_charged).sum().alias("numerator"),
            pl.col(opening).filter(was_open).sum().alias("denominator"),
        )
        .sort("month")
        .with_columns(rate=share_of(pl.col("numerator"), pl.col("denominator")))
        .with_columns(annualised_rate=12 * pl.col("rate"))
    )


def herfindahl(values: Sequence[float] | pl.Series) -> float | None:
    """How concentrated is a total? The sum of squared shares: 1 in one hand, 1/n in n equal ones.

    One over it is the number of equal ones that would be as concentrated.
    Null for no total.  Refuses negative values, which have no share.
    Reference: Rhoades 1993, The Herfindahl-Hirschman index, Federal Reserve Bulletin 79:188-189.

    >>> round(herfindahl([50, 30, 20]), 4)
    0.38
    """
    amounts = pl.Series(values, dtype=pl.Float64, strict=False).drop_nulls()
    if (amounts < 0).any():
        raise ValueError("a negative amount has no share of a total")
    whole = amounts.sum()
    return float(((amounts / whole) ** 2).sum()) if whole else None


def concentration(units: pl.DataFrame) -> pl.DataFrame:
    """How much of the open balance is owed by the largest borrowers?

    In: one row per month x unit with `largest_cents`, `largest_ten_cents`, `total_cents`,
    `herfindahl`.  Out: the same rows with `largest_share`, `largest_ten_share` and
    `equal_units` = 1 / Herfindahl, the number of equal borrowers as concentrated as these.
    Null: no balance.
    """
    return units.with_columns(
        largest_share=share_of(pl.col("largest_cents"), pl.col("total_cents")),
        largest_ten_share=share_of(pl.col("largest_ten_cents"), pl.col("total_cents")),
        equal_units=pl.when(pl.col("herfindahl") > 0).then(1 / pl.col("herfindahl")),
    )


def share_of(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """part / whole, null where the whole is zero or missing."""
    return pl.when(whole != 0).then(part / whole)


def months_before(count: pl.Expr) -> pl.Expr:
    """The month-end that lies `count` months before `month`."""
    back = pl.format("-{}mo", count)
    return pl.col("month").dt.month_start().dt.offset_by(back).dt.month_end()
