"""The signal: has the complaint rate risen, since when, and is that more than chance?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from analytics.cusum_limits import ALARMS, alarm_limit, allowance, learn_baseline, weeks_to_find

Array = npt.NDArray[np.float64]
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
    ratio: float = 2.0,
    alarms: float = ALARMS,
    seed: int = 0,
) -> Signal:
    """Has the complaint rate risen for good, or is it one of those weeks?

    A tabular CUSUM: the excess grows by what a week has beyond k = expected x (r - 1) / ln r and
    never falls below 0; r = 2, a doubling, is what it looks for.  Above h it raises a signal and
    starts anew.  Expected is the baseline's rate times the week's exposure.  The baseline: at
    least 52, at most 104 weeks before those judged.  h is simulated (seeded) so that a series
    whose rate did not change raises a signal in 0.55 % of weeks, weeks differing as much as in the
    baseline and the baseline itself being uncertain.

    In: `week`, `complaints`, `exposure` of one series, without holes; the last 26 weeks are judged
    (or those from `judged_from` on).  Out: see `Signal`.
    Null: nothing is judged with fewer than 52 baseline weeks with exposure (`short_baseline`) or
    no complaint in them (`no_complaints`).  Weeks without exposure are passed over.
    Refuses: missing or negative counts, a week twice.
    Misleads: the ratio is of a rise that was chosen for being large, so it is too high; `since`
    is a guess of a few weeks; twenty series raise a false signal every nine weeks between them;
    a bad baseline year hides a bad year after it; a season looks like a rise.
    Reference: Lucas 1985, Counted data CUSUMs, Technometrics 27:129-144; Hawkins and Olwell 1998.
    """
    weeks = weeks.sort("week").select(
        "week", pl.col("complaints").cast(pl.Int64), pl.col("exposure").cast(pl.Float64)
    )
    _check(weeks)
    if judged_weeks < 1:
        raise ValueError("judge at least one week")
    nobody = pl.DataFrame(schema=_EPISODES)
    if weeks.is_empty():
        return Signal(_unjudged(weeks), nobody, "nothing_to_judge")
    first = judged_from or weeks["week"][-1] - timedelta(weeks=judged_weeks - 1)
    there = pl.col("exposure") > 0
    judged = weeks.filter(pl.col("week") >= first, there)
    past = weeks.filter(pl.col("week") < first).tail(baseline_at_most).filter(there)
    passed_over = weeks.filter(pl.col("week") >= first, ~there).height
    about = _about(past, first) | {"passed_over": passed_over}
    if reason := _reason(past, judged):
        return Signal(_unjudged(judged), nobody, reason, **about)
    counts, exposure = judged["complaints"].to_numpy().astype(float), judged["exposure"].to_numpy()
    baseline = learn_baseline(past["complaints"].to_numpy(), past["exposure"].to_numpy())
    limit = alarm_limit(baseline, exposure, ratio=ratio, alarms=alarms, seed=seed)
    expected = baseline.rate * exposure
    steps = counts - allowance(ratio) * expected
    excess, crossed, starts = running_excess(steps, limit)
    points = judged.with_columns(
        expected=pl.Series(expected),
        cusum=pl.Series(excess),
        limit=pl.lit(limit),
        is_signal=pl.Series(crossed),
    )
    return Signal(
        points,
        _episodes(points, crossed, starts),
        None,
        rate=baseline.rate,
        expected=float(expected.mean()),
        dispersion=baseline.dispersion,
        limit=limit,
        weeks_to_find=weeks_to_find(
            float(expected.mean()), baseline.dispersion, ratio=ratio, alarms=alarms,
            baseline_weeks=min(past.height, FEWEST_WEEKS),
        ),
        **about,
    )  # fmt: skip


def _reason(past: pl.DataFrame, judged: pl.DataFrame) -> str | None:
    if judged.is_empty():
        return "nothing_to_judge"
    if past.height < FEWEST_WEEKS:
        return "short_baseline"
    return None if past["complaints"].sum() else "no_complaints"


def _unjudged(weeks: pl.DataFrame) -> pl.DataFrame:
    """The weeks as they are, where nothing can be said of them."""
    numbers = {name: pl.lit(None, pl.Float64) for name in ("expected", "cusum", "limit")}
    return weeks.with_columns(**numbers, is_signal=pl.lit(None, pl.Boolean))


def _about(past: pl.DataFrame, first: date) -> dict[str, Any]:
    """What the baseline is, in words of a signal."""
    about: dict[str, Any] = {"judged_from": first, "baseline_weeks": past.height}
    if past.height:
        about |= {"baseline_from": past["week"][0], "baseline_to": past["week"][-1]}
    return about


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


def _episodes(
    points: pl.DataFrame, crossed: npt.NDArray[np.bool_], starts: npt.NDArray[np.int64]
) -> pl.DataFrame:
    """Crossings of the same rise are one row."""
    if not crossed.any():
        return pl.DataFrame(schema=_EPISODES)
    placed = points.with_row_index("place").with_columns(start=pl.Series(starts))
    found = placed.filter(pl.col("is_signal")).group_by("start", maintain_order=True)
    rows = found.agg(
        pl.col("week").first(),
        last_week=pl.col("week").last(),
        crossings=pl.len().cast(pl.Int64),
        end=pl.col("place").last(),
    )
    made = [
        {
            **row,
            "since": points["week"][row["start"]],
            "complaints": int(points["complaints"][row["start"] : row["end"] + 1].sum()),
            "expected": float(points["expected"][row["start"] : row["end"] + 1].sum()),
            "is_current": bool(starts[-1] == row["start"]),
        }
        for row in rows.iter_rows(named=True)
    ]
    ratio = pl.col("complaints") / pl.col("expected")
    return pl.DataFrame(made).with_columns(ratio=ratio).select(*_EPISODES).cast(_EPISODES)  # type: ignore[arg-type]


def _check(weeks: pl.DataFrame) -> None:
    if sum(weeks.null_count().row(0)) if weeks.height else 0:
        raise ValueError("a week, a count or an exposure is missing")
    if (weeks["complaints"] < 0).any() or (weeks["exposure"] < 0).any():
        raise ValueError("a count or an exposure is negative")
    if weeks["week"].n_unique() < weeks.height:
        raise ValueError("a week is there twice: one series at a time")


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
    ratio: float = 2.0,
    alarms: float = ALARMS,
    seed: int = 0,
) -> SignalsBy:
    """Whose complaint rate has risen?  The signal of every group, each against its own past.

    In: `by`, `week`, `complaints`, `exposure`.  Out: see `SignalsBy`, newest signal first.
    Null: as the signal of one series.  Refuses: as the signal of one series.
    Misleads: more series, more false alarms: set the number found beside the number expected.
    Reference: as the signal.
    """
    span = weeks["week"].max() if weeks.height else None
    if judged_from is None and isinstance(span, date):
        judged_from = span - timedelta(weeks=judged_weeks - 1)
    found, rows = [], []
    keys = weeks.select(by).unique(maintain_order=True)
    for key in keys.iter_rows(named=True):
        same = [pl.col(name).eq_missing(pl.lit(value)) for name, value in key.items()]
        one = complaint_signal(
            weeks.filter(same), judged_from=judged_from, baseline_at_most=baseline_at_most,
            ratio=ratio, alarms=alarms, seed=seed,
        )  # fmt: skip
        kept = {name: pl.lit(value, weeks.schema[name]) for name, value in key.items()}
        found.append(one.signals.select(**kept, **{name: pl.col(name) for name in _EPISODES}))
        judged = one.points.height if one.reason is None else 0
        facts = {name: getattr(one, name) for name in _FACTS}
        rows.append({**key, **facts, "judged_weeks": judged, "signals": one.signals.height})
    kinds = {name: weeks.schema[name] for name in by}
    series = pl.DataFrame(rows, schema={**kinds, **_SERIES})
    none = pl.DataFrame(schema={**kinds, **_EPISODES})
    signals = pl.concat([none, *found]).sort("week", descending=True)
    return SignalsBy(signals, series, alarms * sum(row["judged_weeks"] for row in rows))


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
_FACTS = tuple(_SERIES)[:-2]
