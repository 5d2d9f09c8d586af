"""Complaint rates: how many complaints for so many attempts, or for so many open cases?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from analytics.intervals import divide
from analytics.poisson_rates import CONFIDENCE, poisson_interval

PER = 1_000.0
MINIMUM = 30  # complaints below which a comparison is hollow


def complaint_rates(
    complaints: pl.DataFrame,
    exposure: pl.DataFrame,
    *,
    by: Sequence[str] = (),
    measure: str = "attempts",
    per: float = PER,
    confidence: float = CONFIDENCE,
    minimum: int = MINIMUM,
) -> pl.DataFrame:
    """How many complaints come for every thousand attempts, or every thousand open cases?

    Complaints received in the period over the attempts made in it (or the cases open at its
    month-ends, added up: case-months), times 1,000, with the exact Poisson interval.

    In: complaints as rows, or counted in a column `complaints`; `exposure` with `measure`; both
    already of the period, both with every column of `by` (a null is a group of its own: what
    could not be attributed).  Out: `by`, `complaints`, `exposure`, `rate`, `low`, `high`,
    `is_small` (fewer complaints than `minimum`), in order of `by`.
    Null: rate and interval where there was no exposure; its complaints are still counted.
    Refuses: columns that are not there, missing or negative exposures.
    Misleads: complaints follow attempts by some days, so a rate is too high just after contact
    work fell, and too low after it rose; rates of very few complaints differ by chance alone.
    Reference: Garwood 1936 (interval).

    >>> rows = pl.DataFrame({"team": ["A"] * 12})
    >>> done = pl.DataFrame({"team": ["A", "B"], "attempts": [8_400, 2_000]})
    >>> complaint_rates(rows, done, by=["team"]).select(
    ...     "team", "complaints", pl.col("rate", "low", "high").round(2)).rows()
    [('A', 12, 1.43, 0.74, 2.5), ('B', 0, 0.0, 0.0, 1.84)]
    """
    table = _joined(complaints, exposure, by, measure)
    n, t = table["complaints"].to_numpy(), table["exposure"].to_numpy()
    low, high = poisson_interval(n, t, per=per, confidence=confidence)
    ends = {"rate": divide(n, t) * per, "low": low, "high": high}
    return (
        table.hstack(pl.DataFrame(ends, nan_to_null=True))
        .with_columns(is_small=pl.col("complaints") < minimum)
        .sort(list(by) or "complaints", nulls_last=True)
    )


def weekly_series(
    complaints: pl.DataFrame,
    exposure: pl.DataFrame,
    *,
    measure: str = "attempts",
    by: Sequence[str] = (),
    until: date | None = None,
) -> pl.DataFrame:
    """Complaints and exposure week by week, without holes.

    Every group has every week from the first to the last in which anything at all happened; a
    week without complaints has 0, one without exposure 0.  `until`, the last day of the data: a
    week that is not over by then is left out, since half a week looks like an improvement.

    In: `week` (its Monday) and `by` in both.  Out: `by`, `week`, `complaints`, `exposure`.
    Null: nothing.  Refuses: as the rates; a missing week.
    Misleads: a group that began or ended within the span has weeks of 0 there.
    """
    keys = [*by, "week"]
    table = _joined(complaints, exposure, keys, measure)
    if table["week"].null_count():
        raise ValueError("a complaint or an exposure has no week")
    if until is not None:
        table = table.filter(pl.col("week") <= until - timedelta(days=6))
    if table.is_empty():
        return table.select(*keys, "complaints", "exposure")
    weeks = table.select(week=pl.date_range(pl.min("week"), pl.max("week"), interval="1w"))
    grid = table.select(by).unique(maintain_order=True).join(weeks, how="cross") if by else weeks
    return (
        grid.join(table, on=keys, how="left", nulls_equal=True)
        .select(*keys, pl.col("complaints").fill_null(0), pl.col("exposure").fill_null(0.0))
        .sort(keys, nulls_last=True)
    )


def counted(complaints: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """`by` and `complaints`: rows counted, or the column `complaints` added up."""
    if missing := set(by) - set(complaints.columns):
        raise ValueError(f"complaints lack {', '.join(sorted(missing))}")
    number = pl.col("complaints").sum() if "complaints" in complaints.columns else pl.len()
    number = number.cast(pl.Int64).alias("complaints")
    if not by:
        return complaints.select(number)
    return complaints.group_by(list(by), maintain_order=True).agg(number)


def exposed(exposure: pl.DataFrame, by: Sequence[str], measure: str) -> pl.DataFrame:
    """`by` and `exposure`: the measure added up."""
    if missing := {*by, measure} - set(exposure.columns):
        raise ValueError(f"the exposure lacks {', '.join(sorted(missing))}")
    if exposure[measure].null_count() or (exposure[measure] < 0).any():
        raise ValueError(f"{measure} are missing or negative")
    total = pl.col(measure).sum().cast(pl.Float64).alias("exposure")
    if not by:
        return exposure.select(total)
    return exposure.group_by(list(by), maintain_order=True).agg(total)


def _joined(
    complaints: pl.DataFrame, exposure: pl.DataFrame, by: Sequence[str], measure: str
) -> pl.DataFrame:
    """Counts beside exposures; what is on one side only is kept."""
    counts, done = counted(complaints, by), exposed(exposure, by, measure)
    if not by:
        return counts.hstack(done)
    return counts.join(
        done, on=list(by), how="full", coalesce=True, nulls_equal=True, maintain_order="left_right"
    ).with_columns(pl.col("complaints").fill_null(0), pl.col("exposure").fill_null(0.0))
