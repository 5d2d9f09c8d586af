"""Is the latest move of a monthly figure more than its usual one?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from scipy import stats

FEWEST_DIFFERENCES = 6


@dataclass(frozen=True)
class Change:
    """The latest value of a monthly figure and how it moved; None is not known."""

    month: date
    value: float | None
    previous: float | None
    difference: float | None
    usual_difference: float | None  # root mean square of the moves before
    p: float | None
    is_beyond_noise: bool | None
    months: int  # moves before the latest


def latest_change(
    series: pl.DataFrame,
    *,
    history: int = 24,
    alpha: float = 0.05,
    fewest: int = FEWEST_DIFFERENCES,
) -> Change:
    """Did the figure move this month by more than it usually moves from month to month?

    t = (latest - previous) / root mean square of up to `history` month-on-month differences
    before it, with as many degrees of freedom.  Differences, not levels: the level of a book
    drifts, and its distance from an old mean says little about this month.  About zero, not
    about their mean: a steady drift is then usual, not news, however smooth.

    In: `month` (month-ends, each once) and `value`; the last month is judged.  A difference
    needs both neighbouring months: over a gap there is none.
    Null: `previous` and all after it where the month before is not there; `p` and
    `is_beyond_noise` where there are fewer than `fewest` differences before, or none but 0.
    Refuses: an empty series, a month twice.
    Misleads: seasons count as usual moves, so an unseasonal one may hide among them; of ten
    unchanged figures, one is beyond noise in four months out of ten at alpha = 5 %.
    """
    if not series.height or series["month"].n_unique() != series.height:
        raise ValueError("the series must have at least one month, and each month once")
    # NaN is how plain arrays write a missing value.
    values = series["value"].cast(pl.Float64).fill_nan(None).to_list()
    by_month = dict(sorted(zip(series["month"].to_list(), values, strict=True)))
    moves = [_move(by_month, month) for month in by_month]
    month, value = next(reversed(by_month.items()))
    previous, difference = by_month.get(_month_before(month)), moves[-1]
    before = np.array([move for move in moves[:-1][-history:] if move is not None])
    usual = float(np.sqrt(np.mean(np.square(before)))) if before.size else None
    p = None
    if difference is not None and usual and before.size >= fewest:
        p = float(2 * stats.t.sf(abs(difference) / usual, before.size))
    beyond = None if p is None else p <= alpha
    return Change(month, value, previous, difference, usual, p, beyond, int(before.size))


def _move(by_month: dict[date, float | None], month: date) -> float | None:
    """The difference from the month before; None over a gap."""
    value, previous = by_month[month], by_month.get(_month_before(month))
    return None if value is None or previous is None else value - previous


def _month_before(month: date) -> date:
    return month.replace(day=1) - timedelta(days=1)
