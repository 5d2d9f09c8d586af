"""The odds ratios of strategies, tile by tile of the draws of the effects."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analytics import simulation_kernel as kernel
from analytics.simulation_draws import Draws
from analytics.simulation_kernel import TILE
from analytics.simulation_plans import Floats, Plan
from analytics.simulation_states import STAGES

MOST_LOG_ODDS = 10.0  # beyond it an odds ratio says nothing more


class Odds:
    """OR - 1 by plan, segment and stage; for `reminder` 1 / OR - 1.

    Exactly 0 where x or theta is.  Where a plan's x changes by month, `slot` [plan, segment,
    stage] says in which row of the monthly odds its own are; elsewhere it is -1.
    """

    def __init__(self, plans: Sequence[Plan], theta: Floats, draws: Draws) -> None:
        x = np.stack([plan.monthly_x(draws.horizon) for plan in plans])  # [plan, month, ...]
        changes = (x != x[:, :1]).any(axis=(1, 4))
        self.slot = np.full(changes.shape, -1, np.int32)
        self.slot[changes] = np.arange(int(changes.sum()), dtype=np.int32)
        usual = x[:, 0].copy()
        usual[changes] = 0
        self._usual = usual.reshape(-1, theta.shape[1])
        rows = np.moveaxis(x, 1, 3)[changes]  # [row, month, effect]
        self._later = np.ascontiguousarray(rows).reshape(-1, theta.shape[1])
        self._is_reminder = np.repeat(np.nonzero(changes)[2] == 0, draws.horizon)
        self._shape = (len(plans), len(draws.segments), len(STAGES), TILE)
        self._months = draws.horizon
        padded = np.zeros((draws.padded, theta.shape[1]), np.float32)
        padded[: draws.n] = theta
        self._theta = np.moveaxis(padded.reshape(-1, TILE, theta.shape[1]), 1, 2).copy()

    def of(self, tile: int) -> tuple[Floats, Floats]:
        """A tile's odds [plan, segment, stage, lane], and those by month [row, month, lane]."""
        usual = self._less_one(self._usual, tile, slice(None, None, len(STAGES)))
        later = self._less_one(self._later, tile, self._is_reminder)
        return usual.reshape(self._shape), later.reshape(-1, self._months, TILE)

    def _less_one(self, x: Floats, tile: int, reminders: slice | Floats) -> Floats:
        found = np.empty((len(x), TILE), np.float32)
        kernel.log_odds(x, self._theta[tile], found)
        np.clip(found, -MOST_LOG_ODDS, MOST_LOG_ODDS, out=found)
        found[reminders] *= -1
        np.exp(found, out=found)
        found -= np.float32(1)
        return found
