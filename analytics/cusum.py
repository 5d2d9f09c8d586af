"""The signal: has the complaint rate risen, since when, and is that more than chance?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from analytics.alarm_simulation import ALARMS, allowance
from analytics.complaint_baselines import Baseline, learn_baseline
from analytics.cusum_limits import alarm_limit, weeks_to_find

Array = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]
JUDGED_WEEKS = 26
FEWEST_WEEKS = 52
BASELINE_AT_MOST = 104
_EPISODES = {
    "week": pl.Date,
    "since": pl.Date,
    "last_week": pl.Date,
    "crossings": pl.Int64,
    "complaints": pl.Int64,
    "expected": pl.Float64,
    "ratio": pl.Float64,
    "is_current": pl.Boolean,
}
_IN = ("week", "complaints", "exposure")


@dataclass(frozen=True)
class Signal:
    """The running excess of one series, and the rises it found.

    `points`: by judged week complaints, exposure, `expected`, `cusum` (the excess), `limit`,
    `is_signal`.  `signals`, one row a rise: `week` of the alarm, `since` (the first week of the
    excess that led to it), `last_week` and number of `crossings` while it went on, complaints and
    expected ones from `since` to `last_week`, their `ratio`, `is_current`: still above 0 in the
    last week.  `reason`: why nothing can be said (`short_baseline`, `no_complaints`,
    `nothing_to_judge`), else null.
    """

    points: pl.DataFrame
    signals: pl.DataFrame
    reason: str | None
    rate: float | None = None
    expected: float | None = None
    dispersion: float | None = None
    limit: float | None = None
    baseline_from: date | None = None
    baseline_to: date | None = None
    baseline_weeks: int = 0
    judged_from: date | None = None
    weeks_to_find: int | None = None
    passed_over: int = 0  # judged weeks without exposure


def complaint_signal(
    weeks: pl.DataFrame,
    *,
    judged_weeks: int = JUDGED_WEEKS,
    judged_from: date | None = None,
    baseline_at_most: int = BASELINE_AT_MOST,
) -> Signal:
    """Has the complaint rate risen for good, or is it one of those weeks?

    A tabular CUSUM: the excess grows by what a week has beyond k = expected x (r - 1) / ln r and
    never falls below 0; r = 2, a doubling, is what it looks for.  Above h it raises a signal and
    starts anew.  Expected is the baseline's rate times the week's exposure.  The baseline: at
    least 52, at most 104 weeks before those judged.  h comes from a table of simulated limits, so
    made that a series whose rate did not change raises a signal in 0.55 % of weeks, weeks
    differing as much as in the baseline and the baseline itself being uncertain.

    In: `week`, `complaints`, `exposure` of one series, without holes; the last 26 weeks are judged
    (or those from `judged_from` on).
    Out: by judged week complaints, exposure, what was expected, the running excess (cusum), the
    limit, and whether it raised a signal; each rise with its weeks, complaints and ratio.
    Null: nothing is judged with fewer than 52 baseline weeks with exposure (`short_baseline`) or
    no complaint in them (`no_complaints`).  Weeks without exposure are passed over.
    Refuses: missing or negative counts, a week twice.
    Misleads: the ratio is of a rise that was chosen for being large, so it is too high; `since`
    is a guess of a few weeks; twenty series raise a false signal every nine weeks between them;
    a bad baseline year hides a bad year after it; a season looks like a rise.
    Reference: Lucas 1985, Counted data CUSUMs, Technometrics 27:129-144; Hawkins and Olwell 1998.
    """
    weeks = _checked(weeks, [])
    first = _first(weeks, judged_weeks, judged_from)
    if first is None:
        return Signal(_unjudged(weeks), pl.DataFrame(schema=_EPISODES), "nothing_to_judge")
    series = _series(weeks, first, baseline_at_most)
    shown = weeks.filter(pl.col("week") >= first, pl.col("exposure") > 0)
    if series.reason == "nothing_to_judge" or series.baseline is None:
        points = _unjudged(shown)
    else:
        points = shown.with_columns(
            expected=pl.Series(series.expected),
            cusum=pl.Series(series.excess),
            limit=pl.lit(series.limit),
            is_signal=pl.Series(series.crossed),
        )
    signals = pl.DataFrame(_episodes(series), schema=_EPISODES)
    return Signal(points, signals, **_facts(series), passed_over=series.passed_over)


@dataclass(frozen=True)
class _Series:
    """One series: its judged weeks, what they were judged by, and the running excess."""

    reason: str | None
    days: Days
    counts: Array
    first: date
    past: Days
    passed_over: int
    baseline: Baseline | None = None
    limit: float | None = None
    expected: Array = field(default_factory=lambda: np.zeros(0))
    excess: Array = field(default_factory=lambda: np.zeros(0))
    crossed: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    starts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))


def _series(weeks: pl.DataFrame, first: date, at_most: int) -> _Series:
    """Judge the weeks (in order) from `first` on by those before."""
    days, counts, exposure = (weeks[name].to_numpy() for name in _IN)
    begin = int(np.searchsorted(days, np.datetime64(first)))
    there = exposure > 0
    past, judged = there.copy(), there.copy()
    past[begin:], past[: max(begin - at_most, 0)], judged[:begin] = False, False, False
    reason = _reason(counts[past], judged)
    about: dict[str, Any] = {
        "days": days[judged],
        "counts": counts[judged].astype(float),
        "first": first,
        "past": days[past],
        "passed_over": int((~there[begin:]).sum()),
    }
    if reason is not None:
        return _Series(reason, **about)
    baseline = learn_baseline(counts[past], exposure[past])
    limit = alarm_limit(baseline, exposure[judged])
    expected = baseline.rate * exposure[judged]
    run = running_excess(about["counts"] - allowance() * expected, limit)
    return _Series(None, **about, baseline=baseline, expected=expected, limit=limit,
                   excess=run[0], crossed=run[1], starts=run[2])  # fmt: skip


def _reason(past: Array, judged: npt.NDArray[np.bool_]) -> str | None:
    if not judged.any():
        return "nothing_to_judge"
    if past.size < FEWEST_WEEKS:
        return "short_baseline"
    return None if past.sum() else "no_complaints"


def _facts(series: _Series) -> dict[str, Any]:
    """What a series was judged by, in words of a signal."""
    past, baseline = series.past, series.baseline
    facts: dict[str, Any] = {
        "reason": series.reason,
        "judged_from": series.first,
        "baseline_weeks": past.size,
        "baseline_from": past[0].astype(object) if past.size else None,
        "baseline_to": past[-1].astype(object) if past.size else None,
    }
    if baseline is None:
        return facts
    expected = float(series.expected.mean())
    return facts | {
        "rate": baseline.rate,
        "expected": expected,
        "dispersion": baseline.dispersion,
        "limit": series.limit,
        "weeks_to_find": weeks_to_find(
            expected, baseline.dispersion, baseline_weeks=baseline.weeks
        ),
    }


def _unjudged(weeks: pl.DataFrame) -> pl.DataFrame:
    """The weeks as they are, where nothing can be said of them."""
    numbers = {name: pl.lit(None, pl.Float64) for name in ("expected", "cusum", "limit")}
    return weeks.with_columns(**numbers, is_signal=pl.lit(None, pl.Boolean))


def running_excess(
    steps: Array, limit: float
) -> tuple[Array, npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """The excess after each step, whether it passes the limit, and where it last was 0.

    After a crossing it starts anew.  The third: the place of the first step of the present rise,
    which goes on through a crossing as long as the excess stays above 0; -1 while it is 0.

    >>> running_excess(np.array([1.0, -2.0, 3.0, 3.0, 1.0, -4.0]), 5.0)[0].tolist()
    [1.0, 0.0, 3.0, 6.0, 1.0, 0.0]
    """
    excess, crossed = np.zeros(steps.size), np.zeros(steps.size, bool)
    starts, level, start = np.full(steps.size, -1), 0.0, -1
    for place, step in enumerate(steps):
        level = max(level + step, 0.0)
        start = -1 if level == 0 else (place if start < 0 else start)
        excess[place], crossed[place], starts[place] = level, level > limit, start
        if level > limit:
            level = 0.0
    return excess, crossed, starts


def _episodes(series: _Series) -> list[dict[str, Any]]:
    """Crossings of the same rise are one row."""
    places, rows = np.flatnonzero(series.crossed), []
    for start in dict.fromkeys(series.starts[places].tolist()):
        own = places[series.starts[places] == start]
        whole = slice(start, int(own[-1]) + 1)
        complaints, expected = series.counts[whole].sum(), float(series.expected[whole].sum())
        rows.append(
            {
                "week": series.days[own[0]].astype(object),
                "since": series.days[start].astype(object),
                "last_week": series.days[own[-1]].astype(object),
                "crossings": own.size,
                "complaints": int(complaints),
                "expected": expected,
                "ratio": float(complaints) / expected,
                "is_current": bool(series.starts[-1] == start),
            }
        )
    return rows


def _checked(weeks: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """The weeks in order, if they are what they should be."""
    day, complaints, exposure = (pl.col(name) for name in _IN)
    kept = weeks.sort("week").select(*by, day, complaints.cast(pl.Int64), exposure.cast(pl.Float64))
    if kept.height and sum(kept.select(_IN).null_count().row(0)):
        raise ValueError("a week, a count or an exposure is missing")
    if (kept["complaints"] < 0).any() or (kept["exposure"] < 0).any():
        raise ValueError("a count or an exposure is negative")
    if kept.select(*by, "week").is_duplicated().any():
        raise ValueError("a week is there twice: one series at a time")
    return kept


def _first(weeks: pl.DataFrame, judged_weeks: int, judged_from: date | None) -> date | None:
    """The first day of those judged; None without weeks."""
    if judged_weeks < 1:
        raise ValueError("judge at least one week")
    last = weeks["week"].max() if weeks.height else None
    if not isinstance(last, date):
        return None
    return judged_from or last - timedelta(weeks=judged_weeks - 1)


@dataclass(frozen=True)
class SignalsBy:
    """Signals of many series.

    `signals`: the groups' columns and those of a signal.  `series`, one row a group: `reason`,
    `rate`, `expected` a week, `dispersion`, `limit`, `baseline_from`, `baseline_to`,
    `baseline_weeks`, `judged_from`, `judged_weeks`, `weeks_to_find`, `signals`.
    `expected_false_alarms`: how many signals chance alone would raise in all these weeks.
    """

    signals: pl.DataFrame
    series: pl.DataFrame
    expected_false_alarms: float


def signals_by(
    weeks: pl.DataFrame,
    *,
    by: Sequence[str],
    judged_weeks: int = JUDGED_WEEKS,
    judged_from: date | None = None,
    baseline_at_most: int = BASELINE_AT_MOST,
) -> SignalsBy:
    """Whose complaint rate has risen?  The signal of every group, each against its own past.

    In: `by`, `week`, `complaints`, `exposure`.
    Out: each rise, the newest first, as that of one series; of each group what it was judged by
    (rate, expected complaints a week, limit, weeks), how soon a doubling would be seen, and its
    number of signals.
    Null: as the signal of one series.  Refuses: as the signal of one series.
    Misleads: more series, more false alarms: set the number found beside the number expected.
    Reference: as the signal.
    """
    own = {name: weeks.schema[name] for name in by}
    known = _checked(weeks, by)
    first = _first(known, judged_weeks, judged_from)
    found, rows = [], []
    groups = known.partition_by(by, as_dict=True) if first else {}
    for values in weeks.select(by).unique(maintain_order=True).iter_rows():
        assert first is not None  # there are weeks
        key, series = (
            dict(zip(by, values, strict=True)),
            _series(groups[values], first, baseline_at_most),
        )
        signals = _episodes(series)
        found += [{**key, **one} for one in signals]
        judged = series.days.size if series.reason is None else 0
        rows.append({**key, **_facts(series), "judged_weeks": judged, "signals": len(signals)})
    return SignalsBy(
        pl.DataFrame(found, schema={**own, **_EPISODES}).sort("week", descending=True),
        pl.DataFrame(rows, schema={**own, **_SERIES}),
        ALARMS * sum(row["judged_weeks"] for row in rows),
    )


_SERIES = {
    "reason": pl.String,
    "rate": pl.Float64,
    "expected": pl.Float64,
    "dispersion": pl.Float64,
    "limit": pl.Float64,
    "baseline_from": pl.Date,
    "baseline_to": pl.Date,
    "baseline_weeks": pl.Int64,
    "judged_from": pl.Date,
    "weeks_to_find": pl.Int64,
    "judged_weeks": pl.Int64,
    "signals": pl.Int64,
}
