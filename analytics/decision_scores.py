"""How right decisions were: one by one, and all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl
from scipy import stats

from analytics.intervals import wilson

CONFIDENCE = 0.95
RARE = 0.05


def score_decisions(
    months: pl.DataFrame, *, by: Sequence[str] = ("decision",), level: float = 0.8
) -> pl.DataFrame:
    """Was a decision's forecast right so far?

    bias = sum of (actual - forecast) / sum of forecast, over the months scored.  Too high (or too
    low), where so many months lie below (or above) their intervals as chance brings at most once
    in 20, each month by itself being there with probability (1 - level) / 2; else in line.

    In: `score_months` with the columns of `by`.  Out: by decision `months` (scored), `inside`,
    `below`, `above`, `ahead`, `bias`, `brier`, `first`, `last` (scored month), `better` (months
    above the baseline), `verdict` (`waiting`, `in_line`, `too_high`, `too_low`, `too_narrow`).
    Null: bias and Brier score where no month is scored, or the forecast's sum is 0.
    Misleads: the months of one decision move together, so that two months outside may be one
    surprise.
    Reference: Brier 1950 (the score: mean of (p - outcome)^2, half of his own sum).
    """
    scored = pl.col("is_scored")
    places = [
        (pl.col("place") == name).sum().cast(pl.Int64).alias(name)
        for name in ("inside", "below", "above", "ahead")
    ]
    total = pl.col("mean").filter(scored).sum()
    missed = (pl.col("p_above") - pl.col("is_above").cast(pl.Float64)) ** 2
    table = months.group_by(by, maintain_order=True).agg(
        scored.sum().cast(pl.Int64).alias("months"),
        *places,
        bias=pl.when(total != 0).then(pl.col("error").filter(scored).sum() / total.abs()),
        brier=missed.filter(scored).mean(),
        better=pl.col("is_above").filter(scored).sum().cast(pl.Int64),
        first=pl.col("month").filter(scored).min(),
        last=pl.col("month").filter(scored).max(),
    )
    return table.with_columns(verdict=pl.Series(_verdicts(table, level), dtype=pl.String))


def _verdicts(table: pl.DataFrame, level: float) -> list[str]:
    """Whether more months lie outside than chance brings."""

    def rare(count: int, months: int, chance: float) -> bool:
        return bool(stats.binom.sf(count - 1, months, chance) <= RARE)

    found = []
    for row in table.iter_rows(named=True):
        below, above, months = row["below"], row["above"], row["months"]
        tail = (1 - level) / 2
        if not months:
            found.append("waiting")
        elif below > above and rare(below, months, tail):
            found.append("too_high")
        elif above > below and rare(above, months, tail):
            found.append("too_low")
        elif rare(below + above, months, 1 - level):
            found.append("too_narrow")
        else:
            found.append("in_line")
    return found


@dataclass(frozen=True)
class Score:
    """All decisions together; see `score_all`."""

    decisions: int
    months: int
    apart: int
    coverage: float | None
    low: float | None
    high: float | None
    brier: float | None
    bias: float | None


def score_all(
    months: pl.DataFrame, *, by: str = "decision", confidence: float = CONFIDENCE
) -> Score:
    """Are our forecasts as sure as they should be?

    coverage = months inside / months scored; of right intervals it is their level.  Its interval
    is Wilson's with as many trials as there are decisions apart: the most decisions of which no
    two were scored in one month, since months of one decision, and decisions on the same months,
    share one surprise.  Brier score = mean of (p - outcome)^2 of "the month lies above the
    baseline's mean": 0 is perfect, 0.25 is what always saying one half brings.

    In: `score_months` of one measure with the decision.  Out: `decisions` and `months` scored,
    `apart`, `coverage`, `low`, `high`, `brier`, `bias` (mean of the decisions' own).
    Null: all but the counts where no month is scored.
    Misleads: few decisions say little, whatever their months; decisions that were not made here
    are not counted, and those that were are not drawn at random.
    Reference: Brier 1950, Monthly Weather Review 78:1; Wilson 1927.
    """
    scored = months.filter("is_scored")
    if scored.is_empty():
        return Score(0, 0, 0, None, None, None, None, None)
    one_by_one = score_decisions(scored, by=[by])
    apart = decisions_apart(one_by_one)
    inside = int(one_by_one["inside"].sum())
    coverage = inside / scored.height
    low, high = wilson([coverage], [apart], confidence)
    means = scored.select(
        brier=((pl.col("p_above") - pl.col("is_above").cast(pl.Float64)) ** 2).mean()
    ).with_columns(bias=pl.lit(one_by_one["bias"].mean(), pl.Float64))
    brier, bias = means.row(0)
    return Score(
        decisions=one_by_one.height,
        months=scored.height,
        apart=apart,
        coverage=coverage,
        low=float(low[0]),
        high=float(high[0]),
        brier=brier,
        bias=bias,
    )


def decisions_apart(decisions: pl.DataFrame) -> int:
    """How many decisions tell of months of their own?

    The most decisions that can be taken so that no two have a month in common: always the one
    that ends first among those that begin after the last one taken.

    In: `first` and `last` scored month of each.

    >>> year = [date(2025, month, 28) for month in range(1, 13)]
    >>> decisions_apart(pl.DataFrame({"first": [year[0], year[1], year[4]],
    ...                               "last": [year[3], year[2], year[6]]}))
    2
    """
    taken, end = 0, date.min
    for row in decisions.drop_nulls(["first", "last"]).sort("last").iter_rows(named=True):
        if row["first"] > end:
            taken, end = taken + 1, row["last"]
    return taken
