"""Selling old debt at once: its price now, against what it would have brought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analytics.simulation import Draws, Floats, Plan, Simulation, simulate
from analytics.simulation_kernel import CASH, LOST
from analytics.simulation_states import ON_BOOK
from analytics.strategies import Operations

OLDEST = ON_BOOK.index("181+")


def with_sales(
    sim: Simulation,
    draws: Draws,
    theta: Floats,
    plans: Sequence[Plan],
    operations: Sequence[Operations],
    *,
    discount_rate: float,
) -> Simulation:
    """What if a share of the debt over 180 days late is sold today, at a price of its balance?

    Money moves in proportion to what there is, so the sold part's cash, costs and moves, from a
    simulation of it alone, are taken away draw by draw; its price comes with the first month's
    cash and its balance counts as lost.  Without a sale nothing is changed.
    Misleads: the buyer is thought to take an average share; the best of it is worth more.
    """
    if not any(one.sale_share > 0 for one in operations):
        return sim
    oldest = np.zeros_like(draws.stock)
    oldest[:, OLDEST] = draws.stock[:, OLDEST]
    alone = replace(draws, stock=oldest, entering=np.zeros_like(draws.entering))
    part = simulate(alone, theta, plans, discount_rate=discount_rate)
    totals, nets = sim.totals.copy(), sim.segment_net.copy()
    for place, means in enumerate(operations):
        share, balance = means.sale_share, oldest[:, OLDEST].astype(np.float64)
        totals[place] -= (share * part.totals[place]).astype(np.float32)
        nets[place] -= (share * part.segment_net[place]).astype(np.float32)
        totals[place, 0, CASH] += np.float32(share * means.sale_price * balance.sum())
        totals[place, 0, LOST] += np.float32(share * balance.sum())
        first = sim.discount[0] * share * means.sale_price
        nets[place] += (first * balance).astype(np.float32)[:, None]
    return replace(sim, totals=totals, segment_net=nets)
