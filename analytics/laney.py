"""Laney's u' chart: which weeks are unlike the others, once weeks are allowed to differ?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.stats import nbinom, norm, poisson

Array = npt.NDArray[np.float64]
PER = 1_000.0
SIGMAS = 3.0
RUN = 8  # points in a row on one side of the centre
MOVING_RANGE = 1.128  # mean range of two normal values
FEW = 5  # expected in a week: with fewer the normal limits raise false alarms
CHANCE = 1.001  # weeks that vary so many times as chance, or less, are Poisson


@dataclass(frozen=True)
class LaneyChart:
    """A weekly chart's points and limits.

    `points`: week, complaints, exposure, rate, z, low, high, is_outside, is_few (the limits are
    those of a count), is_baseline, is_run (null unless runs are asked for).  `centre`: the
    baseline's rate; `sigma_z`: how many times chance weeks vary (1: chance alone).  `reason`: why
    there are no limits (`few_weeks` with exposure, `no_complaints` or `few_complaints` in the
    baseline), else null.
    """

    points: pl.DataFrame
    centre: float | None
    sigma_z: float | None
    reason: str | None


def laney_chart(
    weeks: pl.DataFrame,
    *,
    baseline_until: date | None = None,
    per: float = PER,
    sigmas: float = SIGMAS,
    runs_rules: bool = False,
    fewest_weeks: int = 2,
    fewest_complaints: int = 1,
) -> LaneyChart:
    """Is a week's complaint rate unusual, or do weeks simply differ that much?

    Centre u = complaints over exposure of the baseline.  z of a week = (rate - u) / sqrt(u / n).
    sigma_z = mean distance between neighbouring z / 1.128.  Limits of a week with exposure n:
    u -+ 3 sqrt(u / n) sigma_z, at least 0.  With sigma_z = 1 it is the ordinary u chart, whose
    limits are too narrow wherever good and bad weeks exist.  Where fewer than five complaints are
    expected in a week, its limits are those of a count with the same mean and spread (negative
    binomial; Poisson where weeks differ no more than by chance), exceeded as rarely as three
    sigmas are: with 0.13 %.  One complaint alone never lies above them.

    In: `week`, `complaints`, `exposure` of one series.  `baseline_until`: the last week that
    counts towards centre and sigma_z; without it all weeks do.  `runs_rules`: mark eight weeks in
    a row on one side of the centre (off: a rule more is a false alarm more).  `fewest_weeks`,
    `fewest_complaints`: what limits must rest on.
    Out: by week complaints, exposure, rate, z, the limits (low, high), whether the week is outside
    them, whether they are those of a count, whether the week counts for centre and sigma_z, and
    whether it ends a run; rates and limits per 1,000.
    Null: rate and limits of a week without exposure; limits of a baseline of fewer weeks or
    complaints than asked for (two weeks, one complaint).
    Refuses: missing or negative counts, a week twice.
    Misleads: it is the picture, not the alarm: where weeks really differ, 4 to 5 % of points may
    be outside by chance, and a rise that lasts shows later here than in the dated signals.
    Reference: Laney 2002, Improved control charts for attributes, Quality Engineering 14:531-537.
    """
    weeks = weeks.sort("week")
    _check(weeks)
    n, t = (weeks[name].cast(pl.Float64).to_numpy() for name in ("complaints", "exposure"))
    base = np.ones(len(n), bool)
    if baseline_until is not None:
        base = (weeks["week"] <= baseline_until).to_numpy()
    there = t > 0
    use = base & there
    total = float(n[use].sum())
    reason = _reason(int(use.sum()), total, max(fewest_weeks, 2), max(fewest_complaints, 1))
    centre = total / float(t[use].sum()) if reason is None else np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(there, n / t, np.nan)
        chance = np.where(there, np.sqrt(centre / t), np.nan)
    z = (rate - centre) / chance
    sigma_z = float(np.abs(np.diff(z[use])).mean() / MOVING_RANGE) if reason is None else np.nan
    reach = sigmas * chance * sigma_z
    low, high = np.maximum(centre - reach, 0.0), centre + reach
    few = there & (centre * t < FEW)
    if few.any():
        ends = _count_limits(centre * t[few], sigma_z, float(norm.sf(sigmas)))
        low[few], high[few] = (end / t[few] for end in ends)
    outside = np.where(np.isfinite(high), (rate < low) | (rate > high), False)
    values = {"rate": rate * per, "z": z, "low": low * per, "high": high * per}
    runs = pl.Series("is_run", _runs(rate - centre) if runs_rules else [None] * len(n), pl.Boolean)
    points = (
        weeks.select("week", "complaints", "exposure")
        .hstack(pl.DataFrame(values, nan_to_null=True))
        .with_columns(is_outside=pl.Series(outside), is_few=pl.Series(few))
        .with_columns(is_baseline=pl.Series(base))
        .with_columns(runs)
    )
    if reason is not None:
        return LaneyChart(points, None, None, reason)
    return LaneyChart(points, centre * per, sigma_z, None)


def _reason(weeks: int, complaints: float, fewest_weeks: int, fewest: int) -> str | None:
    """Why a baseline gives no limits, or null where it does."""
    if weeks < fewest_weeks:
        return "few_weeks"
    if complaints == 0:
        return "no_complaints"
    return "few_complaints" if complaints < fewest else None


def _count_limits(expected: Array, spread: float, tail: float) -> tuple[Array, Array]:
    """The least and the most complaints that are still usual; beyond each at most `tail`."""
    if spread <= CHANCE:
        counts = poisson(expected)
    else:  # variance: expected times spread squared
        counts = nbinom(expected / (spread**2 - 1), 1 / spread**2)
    return counts.ppf(tail), np.maximum(counts.isf(tail), 1.0)


def _runs(apart: Array) -> list[bool]:
    """Weeks that end a run of eight or more on one side; weeks without a rate are passed over."""
    marks, length, side = [], 0, 0.0
    for value in apart:
        if np.isfinite(value):
            here = float(np.sign(value))
            length = length + 1 if here == side and here != 0 else int(here != 0)
            side = here
        marks.append(bool(np.isfinite(value) and length >= RUN))
    return marks


def _check(weeks: pl.DataFrame) -> None:
    if missing := {"week", "complaints", "exposure"} - set(weeks.columns):
        raise ValueError(f"weeks lack {', '.join(sorted(missing))}")
    numbers = weeks.select("week", "complaints", "exposure")
    if sum(numbers.null_count().row(0)):
        raise ValueError("a week, a count or an exposure is missing")
    if (weeks["complaints"] < 0).any() or (weeks["exposure"] < 0).any():
        raise ValueError("a count or an exposure is negative")
    if weeks["week"].n_unique() < weeks.height:
        raise ValueError("a week is there twice: one series at a time")
