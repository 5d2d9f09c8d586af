"""What of a strategy contact rules and the people's hours allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from analytics.intervals import Array
from analytics.strategies import Strategy
from analytics.strategy_fields import CHANNELS, STAGES
from analytics.strategy_treatments import Treatment
from analytics.workload import PRODUCTIVE, Workload

ATTEMPTS = "attempts"
CAPPED = pl.Schema({"what": pl.String, "rule": pl.String, "segment": pl.String,
                    "stage": pl.String, "wanted": pl.Float64, "allowed": pl.Float64})  # fmt: skip


@dataclass(frozen=True)
class Cap:
    """At most so many attempts by these channels on a loan in a month, by a rule in force.

    `least_gap`: attempts so many days apart keep it on any days (0: they always do).
    """

    rule: str
    channels: tuple[str, ...]
    per_month: float
    least_gap: float = 0.0


def capacity_of(strategy: Strategy) -> float:
    """Productive hours of all collectors in a month."""
    return strategy.operations.collectors * strategy.operations.hours_per_month * PRODUCTIVE


def hours_scale(baseline: Strategy, workload: Workload) -> float:
    """What minutes are multiplied by so that what was done fits into the hours there were.

    1 where it fits; less where the baseline would need more hours than its people had.
    """
    capacity = capacity_of(baseline)
    done = Treatment(baseline, workload.segments)
    asked = float(hours_of(done.attempts, workload.minutes, done, workload).sum())
    return min(1.0, capacity / asked) if asked > 0 and capacity > 0 else 1.0


def hours_of(attempts: Array, minutes: Array, treatment: Treatment, workload: Workload) -> Array:
    """Hours a month of in-house people [segment, stage]."""
    own = 1 - treatment.placed()
    return np.asarray(attempts @ minutes / 60 * workload.cases * own)


def worked(
    attempts: Array, minutes: Array, mine: Treatment, workload: Workload, capacity: float
) -> tuple[Array, float, Array]:
    """Attempts that the hours allow, the hours asked for, and the share served by cell."""
    asked = hours_of(attempts, minutes, mine, workload)
    order = np.argsort(_rank(mine.strategy.operations.priority, workload).ravel(), kind="stable")
    need = asked.ravel()[order]
    left = capacity - (np.cumsum(need) - need)
    share = np.ones(need.size)
    short = need > np.maximum(left, 0.0) + 1e-9
    share[short] = np.maximum(left[short], 0.0) / need[short]
    flat = np.ones(asked.size)
    flat[order] = share
    served = flat.reshape(asked.shape)
    by_people = minutes > 0
    return np.where(by_people, attempts * served[..., None], attempts), float(asked.sum()), served


def _rank(priority: str, workload: Workload) -> Array:
    """What comes first: a stage and, within it, the larger amounts."""
    each = np.divide(workload.balance, workload.cases, out=np.zeros_like(workload.cases),
                     where=workload.cases > 0)  # fmt: skip
    small = -each / (each.max() + 1.0)
    if priority == "amount_first":
        return small
    stages = ("late", "middle", "early", "reminder")
    if priority == "early_first":
        stages = ("early", "middle", "late", "reminder")
    return small + np.array([2.0 * stages.index(stage) for stage in STAGES])


def within_rules(
    wanted: Array, before: Array, caps: Sequence[Cap], segments: Sequence[str]
) -> tuple[Array, pl.DataFrame]:
    """Attempts within the contact rules, and where they were cut."""
    allowed = wanted.copy()
    rows = []
    for cap in caps:
        of = [CHANNELS.index(one) for one in cap.channels or CHANNELS]
        asked, done = allowed[..., of].sum(axis=-1), before[..., of].sum(axis=-1)
        most = np.maximum(cap.per_month, done)
        over = asked > most + 1e-9
        factor = np.where(over, most / np.where(asked > 0, asked, 1.0), 1.0)
        allowed[..., of] *= factor[..., None]
        rows += [
            (ATTEMPTS, cap.rule, segments[s], STAGES[t], float(asked[s, t]), float(most[s, t]))
            for s, t in np.argwhere(over)
        ]
    return allowed, pl.DataFrame(rows, schema=CAPPED, orient="row")
