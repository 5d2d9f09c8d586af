"""Breaches of contact rules for every thousand attempts, and their course."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from analytics.intervals import divide
from analytics.laney import laney_chart
from analytics.poisson_rates import CONFIDENCE, poisson_interval

PER = 1_000.0
MINIMUM = 30  # attempts below which a rate is hollow


@dataclass(frozen=True)
class BreachTrend:
    """`points`: month, breaches, attempts, rate, low, high (the limits), is_outside, is_few (the
    limits are those of a count); `centre`: the rate of all months; `reason`: why there are no
    limits, else null."""

    points: pl.DataFrame
    centre: float | None
    reason: str | None


def breach_rates(
    breaches: pl.DataFrame,
    attempts: pl.DataFrame,
    *,
    by: Sequence[str] = (),
    per: float = PER,
    confidence: float = CONFIDENCE,
    minimum: int = MINIMUM,
    rules: int | None = None,
) -> pl.DataFrame:
    """How many attempts of a thousand break a rule?

    Contacts that break a rule over all attempts on the days on which it was in force, times
    1,000, with the exact Poisson interval.

    In: `by` and `contacts`; `by` and `attempts`; of how many `rules`: the interval ends where every
    attempt breaks all of them.
    Out: `by`, `breaches`, `attempts`, `rate`, `low`, `high`, `is_small` (fewer attempts than
    `minimum`), in order of `by`.  A contact counts once for each rule that it breaks, so that a
    rate of several rules can pass 1,000.
    Null: rate and interval where there was no attempt.
    Refuses: columns that are not there.
    Misleads: breaches come in bursts (one evening, one list of numbers), so that they vary more
    than the interval says; and a few attempts with one breach make a high rate by chance alone.
    Reference: Garwood 1936 (interval).

    >>> broken = pl.DataFrame({"team": ["A"], "contacts": [12]})
    >>> done = pl.DataFrame({"team": ["A", "B"], "attempts": [8_400, 2_000]})
    >>> breach_rates(broken, done, by=["team"]).select(
    ...     "team", "breaches", pl.col("rate", "low", "high").round(2)).rows()
    [('A', 12, 1.43, 0.74, 2.5), ('B', 0, 0.0, 0.0, 1.84)]
    """
    keys = list(by)
    for name, frame, column in (("breaches", breaches, "contacts"), ("attempts", attempts, "")):
        if missing := {*keys, column or "attempts"} - set(frame.columns):
            raise ValueError(f"{name} lack {', '.join(sorted(missing))}")
    table = _joined(breaches, attempts, keys).with_columns(
        pl.col("breaches", "attempts").fill_null(0).cast(pl.Int64)
    )
    n, t = table["breaches"].to_numpy(), table["attempts"].to_numpy().astype(float)
    low, high = poisson_interval(n, t, per=per, confidence=confidence)
    if rules is not None:
        high = np.minimum(high, rules * per)
    ends = {"rate": divide(n, t) * per, "low": low, "high": high}
    return (
        table.hstack(pl.DataFrame(ends, nan_to_null=True))
        .with_columns(is_small=pl.col("attempts") < minimum)
        .sort(keys or "breaches", nulls_last=True)
    )


def _joined(breaches: pl.DataFrame, attempts: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    broken, done = pl.col("contacts").sum().alias("breaches"), pl.col("attempts").sum()
    if not keys:
        return breaches.select(broken).hstack(attempts.select(done))
    left = breaches.group_by(keys).agg(broken)
    right = attempts.group_by(keys).agg(done)
    return left.join(right, on=keys, how="full", coalesce=True, nulls_equal=True)


def breach_trend(breaches: pl.DataFrame, attempts: pl.DataFrame) -> BreachTrend:
    """Is a month's breach rate unusual, or do months simply differ that much?

    Breaches per 1,000 attempts by month with Laney's u' limits: three standard errors of chance,
    widened by as much as neighbouring months differ beyond it.  Where fewer than five breaches are
    expected in a month, its limits are those of a count with that mean and spread, and one breach
    alone never lies above them.

    In: `month` and `contacts`; `month` and `attempts`.  Out: by month breaches, attempts, rate,
    the limits (low, high), whether the month is outside them, and whether they are those of a
    count; per 1,000.
    Null: rate and limits of a month without attempts; limits without two months or a breach.
    Refuses: columns that are not there.
    Misleads: with few months the limits are rough; a rule that everybody breaks alike all the
    time stays within them.
    Reference: Laney 2002, Improved control charts for attributes, Quality Engineering 14:531-537.
    """
    table = breach_rates(breaches, attempts, by=["month"])
    found = laney_chart(
        table.select("month", "breaches", exposure=pl.col("attempts").cast(pl.Float64)).rename(
            {"month": "week", "breaches": "complaints"}
        )
    )
    points = found.points.select(
        pl.col("week").alias("month"),
        pl.col("complaints").alias("breaches"),
        pl.col("exposure").cast(pl.Int64).alias("attempts"),
        *("rate", "low", "high", "is_outside", "is_few"),
    )
    return BreachTrend(points, found.centre, found.reason)
