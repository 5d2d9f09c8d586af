"""How much of what is late comes in, and how long it stays late, in a simulation."""

from __future__ import annotations

import numpy as np
import polars as pl

from analytics.intervals import Array
from analytics.simulation_result import Simulation
from analytics.simulation_spreads import CONFIDENCE, spread_of

DAYS_A_MONTH = 365.25 / 12
MORE_RECOVERY, SHORTER_PERIOD = 0.15, -0.20


def recovery(sim: Simulation, *, confidence: float = CONFIDENCE) -> pl.DataFrame:
    """How much of what is late comes in, and how long does it stay late, against the baseline?

    Recovery = cash of late loans over late money there was (late at the start, or became late
    since).  Period = Little's law: late balance-months (mean of a month's start and end) over
    money that became late, in days.  Out: one row a plan and measure (`recovery` as a share,
    `period` in days): `mean`, `low`, `middle`, `high`; against the baseline `relative` and
    `difference` (points as a share, or days), each with `_low` and `_high`; `goal` (+15 % and
    -20 %, relative) and `p_goal` (share of draws that reach it).
    Null: of the baseline, everything against itself; a period where nothing becomes late.
    Misleads: Little's law holds for a book in balance; where late money grows or falls through
    the months, the period leans that way, in every strategy alike.
    Reference: Little 1961, A proof for the queuing formula L = lambda W.
    """
    late_cash, entered, late = (
        np.moveaxis(part, 0, -1).astype(np.float64)
        for part in (sim.late_cash, sim.entered_late, sim.late_balance)
    )
    came = entered.sum(axis=1)
    start = np.concatenate([np.full_like(late[:, :1], sim.late_stock), late[:, :-1]], axis=1)
    there = ((start + late) / 2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = late_cash.sum(axis=1) / (sim.late_stock + came)
        period = there / came * DAYS_A_MONTH
    frames = [
        _against(sim, "recovery", share, MORE_RECOVERY, confidence),
        _against(sim, "period", period, SHORTER_PERIOD, confidence),
    ]
    return pl.concat(frames)


def _against(
    sim: Simulation, measure: str, values: Array, goal: float, confidence: float
) -> pl.DataFrame:
    """A measure [plan, draw] by itself and against the first plan."""
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = values / values[:1] - 1
    difference = values - values[:1]
    own, more = spread_of(values, confidence), spread_of(relative, confidence)
    points = spread_of(difference, confidence)
    reached = (relative >= goal if goal > 0 else relative <= goal).mean(axis=-1)
    columns = {
        **own,
        "relative": more["mean"],
        "relative_low": more["low"],
        "relative_high": more["high"],
        "difference": points["mean"],
        "difference_low": points["low"],
        "difference_high": points["high"],
        "p_goal": reached,
    }
    rows = pl.DataFrame({"plan": list(sim.names), **columns}).fill_nan(None)
    against = ["relative", "difference", "p_goal"]
    own_only = [name for name in rows.columns if name.startswith(tuple(against))]
    is_baseline = pl.int_range(pl.len()) == 0
    return rows.with_columns(
        pl.when(is_baseline).then(None).otherwise(pl.col(name)).alias(name) for name in own_only
    ).select(
        "plan",
        pl.lit(measure).alias("measure"),
        *own,
        *own_only[:-1],
        pl.lit(goal).alias("goal"),
        "p_goal",
    )
