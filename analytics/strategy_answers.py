"""What follows from a simulation of strategies that the engine's own summaries do not say."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import polars as pl

from analytics.simulation import Simulation
from analytics.simulation_answers import CONFIDENCE, spread_of


def benefit_so_far(sim: Simulation, *, confidence: float = CONFIDENCE) -> pl.DataFrame:
    """By each month's end, how much better than the baseline has a strategy been?

    Discounted cash less cost against the baseline's, added up month by month, draw by draw.  Out:
    `plan`, `month` (0 is today, 1 the first to come), `mean`, `low`, `middle`, `high`; the last
    month is the benefit.
    Misleads: months are not independent: a band's end is no sum of the months' ends.
    """
    cash = np.moveaxis(sim.cash, 0, -1).astype(np.float64)
    spent = sim.variable_cost
    fixed = sim.fixed.sum(axis=-1)
    flow = (cash - cash[:1]) - (spent - spent[:1]) - (fixed - fixed[:1])[:, :, None]
    so_far = np.cumsum(flow * sim.discount[:, None], axis=1)
    luck = sim.luck.sum(axis=1, dtype=np.float64)
    part = np.sqrt(np.arange(1, sim.horizon + 1) / sim.horizon)  # its variance grows month by month
    so_far += luck[:, None] * part[:, None]
    start = np.zeros((so_far.shape[0], 1, so_far.shape[2]))
    found = spread_of(np.concatenate([start, so_far], axis=1), confidence)
    months = sim.horizon + 1
    return pl.DataFrame(
        {
            "plan": [name for name in sim.names for _ in range(months)],
            "month": list(range(months)) * len(sim.names),
            **{name: values.ravel() for name, values in found.items()},
        }
    )


def rest_of_segments(
    sim: Simulation, plan: int, shown: Collection[str], *, confidence: float = CONFIDENCE
) -> dict[str, float] | None:
    """What do the segments that are not `shown` bring together?  As `by_segment`, added up draw by
    draw: `mean`, `low`, `high`, `p_better`.  None where all are shown."""
    rest = np.array([one not in shown for one in sim.segments])
    if not rest.any():
        return None
    net = sim.segment_net[:, rest].astype(np.float64)
    gain = (net[plan] - net[0] + sim.luck[plan, rest]).sum(axis=0)
    ends = spread_of(gain, confidence)
    found = {name: float(ends[name]) for name in ("mean", "low", "high")}
    return found | {"p_better": float((gain > 0).mean())}


def totals(sim: Simulation, *, confidence: float = CONFIDENCE) -> pl.DataFrame:
    """Over all months: cash, cost, complaints and losses of each strategy, and against the first.

    Not discounted.  Out: `plan`, `measure` (`cash`, `late_cash`, `cost`, `complaints`,
    `charged_off`), `mean`, `low`, `high`, and the difference from the first plan, draw by draw:
    `more`, `more_low`, `more_high` (null of the first plan itself).
    """
    cost = sim.variable_cost.sum(axis=1) + sim.fixed.sum(axis=(1, 2))[:, None]
    complaints = np.moveaxis(sim.meters[..., 2].sum(axis=2, dtype=np.float64), 0, -1)
    measures = {
        "cash": np.moveaxis(sim.cash.sum(axis=2, dtype=np.float64), 0, -1),
        "late_cash": np.moveaxis(sim.late_cash.sum(axis=2, dtype=np.float64), 0, -1),
        "cost": cost,
        "complaints": complaints,
        "charged_off": np.moveaxis(sim.charged_off.sum(axis=2, dtype=np.float64), 0, -1),
    }
    rows = []
    for measure, values in measures.items():
        own = spread_of(values, confidence)
        more = spread_of(values - values[:1], confidence)
        for place, name in enumerate(sim.names):
            against = [float(more[key][place]) for key in ("mean", "low", "high")]
            ends = [float(own[key][place]) for key in ("mean", "low", "high")]
            rows.append((name, measure, *ends, *(against if place else [None] * 3)))
    names = ["plan", "measure", "mean", "low", "high", "more", "more_low", "more_high"]
    kinds = [pl.String, pl.String, *[pl.Float64] * 6]
    return pl.DataFrame(rows, schema=dict(zip(names, kinds, strict=True)), orient="row")
