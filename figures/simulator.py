"""Simulator: what strategies would bring, made once and kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
import streamlit as st

from analytics.simulation import Effects, Floats, Simulation, simulate
from analytics.simulation_counts import rate_factors, with_complaint_rates
from analytics.strategies import Strategy
from analytics.strategy_differences import differences
from analytics.strategy_effects import with_assumptions
from analytics.strategy_fields import CHANNELS, STAGES
from analytics.strategy_plans import Planned, planned
from analytics.strategy_sales import with_sales
from figures.simulator_ground import HORIZON, Ground, Made, by_stage, ground

DRAWS, FIRST_DRAWS = 10_000, 1_000

__all__ = ["DRAWS", "FIRST_DRAWS", "HORIZON", "Asked", "Ground", "Outcome", "apart", "by_stage",
           "ground", "is_kept", "outcome"]  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """Some strategies, the baseline first, as they can be carried out; whatever the draws are.

    `effects`: the effects that any of them touches, with the analyst's own ranges; `differences`:
    where the first after the baseline differs from it.
    """

    strategies: tuple[Strategy, ...]
    planned: tuple[Planned, ...]
    effects: pl.DataFrame
    inputs: Effects
    discount_rate: float
    differences: pl.DataFrame


@dataclass(frozen=True)
class Outcome:
    """What came of some strategies; `theta`: the draws of the effects that they touch."""

    key: str
    asked: Asked
    theta: Floats
    simulation: Simulation
    _kept: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def strategies(self) -> tuple[Strategy, ...]:
        return self.asked.strategies

    @property
    def planned(self) -> tuple[Planned, ...]:
        return self.asked.planned

    @property
    def effects(self) -> pl.DataFrame:
        return self.asked.effects

    @property
    def inputs(self) -> Effects:
        return self.asked.inputs

    @property
    def discount_rate(self) -> float:
        return self.asked.discount_rate

    def said(self, summary: Callable[..., Made], *options: Hashable) -> Made:
        """A summary of the simulation, made once."""
        return self.once((summary, *options), lambda: summary(self.simulation, *options))

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` gives, made once for this outcome."""
        if key not in self._kept:
            self._kept[key] = make()
        found: Made = self._kept[key]
        return found


_known: dict[str, None] = {}  # outcomes that were made of late, so that a first answer is spared


def is_kept(
    ground: Ground,
    strategies: Sequence[Strategy],
    assumptions: Mapping[str, tuple[float, float]],
    *,
    is_spread: bool = False,
) -> bool:
    """Whether the full answer is at hand."""
    return f"{_key(ground, strategies, assumptions, is_spread)} {DRAWS}" in _known


def _key(
    ground: Ground,
    strategies: Sequence[Strategy],
    assumptions: Mapping[str, tuple[float, float]],
    is_spread: bool,
) -> str:
    digest = hashlib.sha256(repr(sorted(assumptions.items())).encode())
    for one in strategies:
        digest.update(repr((one.name, one.operations, one.assumptions, one.measured)).encode())
        digest.update(one.treatments.hash_rows().to_numpy().tobytes())
    return f"{ground.key} {digest.hexdigest()} {is_spread}"


def outcome(
    ground: Ground,
    strategies: Sequence[Strategy],
    assumptions: Mapping[str, tuple[float, float]],
    *,
    is_spread: bool = False,
    draws: int = DRAWS,
) -> Outcome:
    """What comes of these strategies beside the baseline."""
    asked = _key(ground, strategies, assumptions, is_spread)
    key = f"{asked} {draws}"
    _known.setdefault(key, None)
    for old in list(_known)[:-6]:
        _known.pop(old, None)
    return _outcome(key, ground, draws, asked, tuple(strategies), dict(assumptions), is_spread)


@st.cache_resource(max_entries=6, ttl=3600, show_spinner=False)  # 10 to 30 MB each
def _outcome(
    key: str,
    _ground: Ground,
    _draws: int,
    _asked_key: str,
    _strategies: tuple[Strategy, ...],
    _assumptions: dict[str, tuple[float, float]],
    _is_spread: bool,
) -> Outcome:
    asked = _asked(_asked_key, _ground, _strategies, _assumptions, _is_spread)
    rolls = _ground.draws(_draws)
    theta = asked.inputs.draws(rolls.n)
    carried, rate = [one.plan for one in asked.planned], asked.discount_rate
    simulation = simulate(rolls, theta, carried, discount_rate=rate)
    operations = [one.operations for one in asked.strategies]
    simulation = with_sales(simulation, rolls, theta, carried, operations, discount_rate=rate)
    known = _ground.workload.complaints
    simulation = with_complaint_rates(
        simulation,
        np.stack([one.complaints for one in asked.planned]),
        rate_factors(STAGES, known.by_stage, rolls.n),
        rate_factors(CHANNELS, known.by_channel, rolls.n),
    )
    return Outcome(key, asked, theta, simulation)


@st.cache_resource(max_entries=16, ttl=3600, show_spinner=False)
def _asked(
    key: str,
    _ground: Ground,
    _strategies: tuple[Strategy, ...],
    _assumptions: dict[str, tuple[float, float]],
    _is_spread: bool,
) -> Asked:
    effects = with_assumptions(_ground.effects, _assumptions)

    def carried(one: Strategy) -> Planned:
        return planned(
            one, _ground.baseline, effects, _ground.doses, _ground.workload, caps=_ground.caps,
            horizon=HORIZON, is_spread=_is_spread,
        )  # fmt: skip

    base = (repr(sorted(_assumptions.items())), _is_spread)
    plans = [_ground.once(base, lambda: carried(_ground.baseline))]
    everybody = tuple(apart([_ground.baseline, *_strategies]))
    plans += [carried(one) for one in everybody[1:]]
    used = np.any(
        [np.abs(one.plan.x).reshape(-1, effects.height).max(axis=0) > 0 for one in plans], axis=0
    )
    if not used.any():
        used[0] = True
    kept = effects.filter(pl.Series(used))
    inputs = Effects(
        tuple(kept["code"]), kept["mean"].to_numpy(), kept["sd"].to_numpy(), tuple(kept["evidence"])
    )
    first = everybody[1 if len(everybody) > 1 else 0]
    differ = differences(
        first,
        _ground.baseline,
        _ground.book.segment_keys,
        weights=_ground.weights,
        risk=_ground.risk,
    )
    carried_out = tuple(one.only(used) for one in plans)
    return Asked(everybody, carried_out, kept, inputs, first.operations.discount_rate, differ)


def apart(strategies: Sequence[Strategy]) -> list[Strategy]:
    """The strategies under names that differ."""
    seen: set[str] = set()
    found = []
    for one in strategies:
        name, count = one.name, 2
        while name in seen:
            name, count = f"{one.name} ({count})", count + 1
        seen.add(name)
        found.append(one if name == one.name else one.named(name))
    return found
