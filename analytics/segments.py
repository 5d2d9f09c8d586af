"""What each class of loans is, becomes, brings back and costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import polars as pl
from scipy.stats import t as student
from statsmodels.stats.proportion import proportion_confint

from analytics.recovery import cohort_recovery, resolved_share

Weight = Literal["balance", "loans"]
CLASSES = {
    "grade": ("normal", "light", "medium", "heavy"),
    "risk": ("current", "low", "medium", "high", "unknown"),
    "rfm": ("current", "low", "medium", "high", "unknown"),
}
NOT_LATE = ("normal", "current")
ENDS = ("paid_off", "charged_off", "sold")
CONFIDENCE = 0.95
MINIMUM = 30
_MEASURES = {"balance": "cents", "loans": "loans"}


def late_classes(scheme: str, found: Sequence[str]) -> list[str]:
    """The classes of late loans that occur, from the least to the most troubled."""
    return [one for one in CLASSES[scheme] if one in found and one not in NOT_LATE]


def class_sizes(months: pl.DataFrame, scheme: str) -> pl.DataFrame:
    """How large is each class, and what share of the late balance does it hold?

    share = the class's late balance (loans) over that of all classes, at the last month given.

    In: `month`, `class`, `loans`, `weight_cents`, `late_loans`, `late_cents`, `paid_cents`.
    Out: class (in order), loans, balance_cents, late_loans, late_cents, share (of the late
    balance; null where there are no balances), loans_share (of the late loans), paid_cents.
    """
    last = months.filter(pl.col("month") == pl.col("month").max())
    late, owed = pl.col("late_loans"), pl.col("late_cents")
    return _in_order(
        last.select(
            "class",
            "loans",
            "late_loans",
            "late_cents",
            "paid_cents",
            balance_cents="weight_cents",
            share=_over(owed, owed.sum()),
            loans_share=_over(late, late.sum()),
        ),
        scheme,
    )


def class_rolls(moves: pl.DataFrame, scheme: str, *, weight: Weight = "balance") -> pl.DataFrame:
    """Of what was in a class, how much got worse within a month, and how much was cured?

    forward = opening balance (or loans) later than a month before, charged off or sold, over all
    of the class that was found again; cured = not late any more, or paid off.  Months are pooled
    (sum over sum).

    In: `month`, `from_class`, `to_class`, `loans`, `opening_cents`, `forward_*`, `cured_*`.
    Out: class, months, loans, forward_share, forward_low, forward_high, cured_share, cured_low,
    cured_high, is_small (under 30 loan-months).
    Interval: 95 %, over months (loans repeat in a window, so the month is the unit): Student's t
    on the months' residuals.  Null with fewer than three months.
    Misleads: `forward` is about lateness, not about the class: a loan may get later within it.
    Reference: Cochran 1977, chapter 6 (ratio estimator), with months as clusters.
    """
    unit = _MEASURES[weight]
    base = "opening_cents" if unit == "cents" else "loans"
    known = moves.filter(
        pl.col("to_class") != "unmatched", ~pl.col("from_class").is_in(["new", *NOT_LATE])
    )
    by_month = known.group_by("from_class", "month").agg(
        pl.col("loans").sum(),
        pl.col(base).sum().alias("base"),
        *[pl.col(f"{way}_{unit}").sum().alias(way) for way in ("forward", "cured")],
    )
    rows = []
    for (name,), part in by_month.partition_by("from_class", as_dict=True).items():
        row = {"class": name, "months": part.height, "loans": part["loans"].sum()}
        for way in ("forward", "cured"):
            share, low, high = _pooled(part[way], part["base"])
            row |= {f"{way}_share": share, f"{way}_low": low, f"{way}_high": high}
        rows.append(row)
    found = pl.DataFrame(rows, schema=_ROLLS)
    return _in_order(found.with_columns(is_small=pl.col("loans") < MINIMUM), scheme)


_ROLLS = {"class": pl.String, "months": pl.Int64, "loans": pl.Int64} | dict.fromkeys(
    [f"{way}_{end}" for way in ("forward", "cured") for end in ("share", "low", "high")],
    pl.Float64,
)


def _pooled(part: pl.Series, base: pl.Series) -> tuple[float | None, float | None, float | None]:
    """Sum over sum, with the spread of the months around it."""
    whole = float(base.sum() or 0)
    if not whole:
        return None, None, None
    share = float(part.sum() or 0) / whole
    count = base.len()
    if count < 3:
        return share, None, None
    residuals = part - share * base
    se = (count / (count - 1) * float((residuals**2).sum())) ** 0.5 / whole
    reach = float(student.ppf((1 + CONFIDENCE) / 2, count - 1)) * se
    return share, max(0.0, share - reach), min(1.0, share + reach)


def class_migration(
    moves: pl.DataFrame, scheme: str, *, weight: Weight = "balance"
) -> pl.DataFrame:
    """From which class to which do loans move within a month?

    share = opening balance (or loans) that went from class to class / all of the first class that
    was found again; a row sums to 1.  Months are pooled.

    Out: from_class, to_class, share, low, high (95 %, over months), loans, from_loans, is_small;
    rows in the order of the classes.  Loans that came new are left out, and so are those that
    were not found again.
    Misleads: the class `current` holds nearly all loans: its row is mostly loans that were never
    late.
    """
    unit = "opening_cents" if weight == "balance" else "loans"
    known = moves.filter(pl.col("to_class") != "unmatched", pl.col("from_class") != "new")
    months = known.group_by("from_class", "month").agg(
        pl.col(unit).sum().alias("base"), pl.col("loans").sum().alias("from_loans")
    )
    pairs = known.group_by("from_class", "to_class", "month").agg(
        pl.col(unit).sum().alias("part"), pl.col("loans").sum()
    )
    kinds = pairs.select("from_class", "to_class").unique()
    every = months.join(kinds, on="from_class").join(
        pairs, on=["from_class", "to_class", "month"], how="left"
    )
    every = every.with_columns(pl.col("part", "loans").fill_null(0))
    rows = []
    for (start, end), part in every.partition_by(["from_class", "to_class"], as_dict=True).items():
        share, low, high = _pooled(part["part"], part["base"])
        rows.append((start, end, share, low, high, part["loans"].sum(), part["from_loans"].sum()))
    found = pl.DataFrame(rows, schema=_MIGRATION, orient="row")
    order = [*CLASSES[scheme], *ENDS]
    return (
        found.with_columns(is_small=pl.col("from_loans") < MINIMUM)
        .with_columns(
            pl.col(name).cast(pl.Enum(order)).alias(name) for name in ("from_class", "to_class")
        )
        .sort("from_class", "to_class")
        .with_columns(pl.col("from_class", "to_class").cast(pl.String))
    )


_MIGRATION = {
    "from_class": pl.String,
    "to_class": pl.String,
    "share": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "loans": pl.Int64,
    "from_loans": pl.Int64,
}


def class_recovery(cases: pl.DataFrame, scheme: str) -> pl.DataFrame:
    """What does each class bring back within 90 days, and what does it cost to ask?

    A case here is the first of its spell of lateness in each stage (up to 30 days late, up to
    90, beyond), followed for 90 days whoever holds it; its class is the one known at the opening.
    resolved_share = cases whose spell was cured, paid off or settled within 90 days / cases 90
    days old; rate = cash within 90 days / arrears at opening; attempts = attempts in 90 days /
    cases; cost = recorded cost of these attempts; cost_per_100 = that cost per 100 of cash.

    In: by `class` the sums of `queries.segments.segment_cases`.
    Out: class, cases, immature_cases, resolved_share with low and high (Wilson), rate with its
    low and high (ratio estimator, the case is the unit), attempts_per_case, cost_cents,
    case_cost_cents, cost_per_100, costed_share (of the attempts, those with a cost), is_small.
    Null: cost where no attempt has one recorded; shares without a case that is 90 days old.
    Misleads: a class that brings back much may do so by itself: what treatment adds is another
    question.  Costs are those of contacts only.  A spell that enters a later stage within 90 days
    counts in both.
    Reference: Wilson 1927; Cochran 1977, chapter 6.
    """
    resolved = resolved_share(cases, by=["class"])
    money = cohort_recovery(cases, by=["class"])
    costed = "costed_attempts"
    asked = pl.sum_horizontal(
        name for name in cases.columns if name.endswith("_attempts") and name != costed
    )
    known = pl.col(costed) > 0
    costs = cases.select(
        "class",
        attempts_per_case=_over(asked, pl.col("cases")),
        costed_share=_over(pl.col(costed), asked),
        cost_cents=pl.when(known).then("cost_cents"),
        case_cost_cents=pl.when(known).then(_over(pl.col("cost_cents"), pl.col("cases"))),
        cost_per_100=pl.when(known & (pl.col("cash_cents") > 0)).then(
            pl.col("cost_cents") * 100 / pl.col("cash_cents")
        ),
    )
    found = (
        money.select(
            "class",
            "cases",
            "immature_cases",
            "placed_cents",
            "cash_cents",
            "rate",
            rate_low="low",
            rate_high="high",
        )
        .join(
            resolved.select("class", "is_small", resolved_share="share", low="low", high="high"),
            on="class",
        )
        .join(costs, on="class")
    )
    return _in_order(found, scheme)


def planned_and_actual(treatments: pl.DataFrame, scheme: str) -> pl.DataFrame:
    """Was done what was planned, class by class?

    share = cases of a class and plan whose gravest step within 90 days, while the case was held,
    was this one / all of that class and plan; resolved_share = those of them that resolved, as
    this case, within 90 days (95 % Wilson).  Every case counts, also one handed on in its stage.

    In: `class`, `planned` (null: none recorded), `actual`, `cases`, `resolved`.
    Out: the same with share, planned_cases, resolved_share, low, high.
    Misleads: what was done follows how a case went: a case that pays at once needs no suit, so
    the resolved shares of two treatments are not their effects.
    """
    rows = treatments.group_by("class", "planned", "actual").agg(pl.col("cases", "resolved").sum())
    rows = rows.filter(pl.col("cases") > 0)
    low, high = proportion_confint(
        rows["resolved"].to_numpy(), rows["cases"].to_numpy(), method="wilson"
    )
    found = rows.with_columns(
        planned_cases=pl.col("cases").sum().over("class", "planned"),
        resolved_share=pl.col("resolved") / pl.col("cases"),
        low=pl.Series(low, dtype=pl.Float64),
        high=pl.Series(high, dtype=pl.Float64),
    ).with_columns(share=pl.col("cases") / pl.col("planned_cases"))
    return _in_order(found, scheme, "planned", "actual")


def _over(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    return pl.when(whole != 0).then(part / whole)


def _in_order(rows: pl.DataFrame, scheme: str, *then: str) -> pl.DataFrame:
    """Rows in the order of the scheme's classes."""
    place = {name: place for place, name in enumerate(CLASSES[scheme])}
    rank = pl.col("class").replace_strict(place, default=len(place), return_dtype=pl.Int64)
    return rows.sort(rank, *then)
