"""Simulator: the best mix of treatments under limits, and what it brings when simulated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import polars as pl
import streamlit as st

from analytics.optimiser import Infeasible, Mix, best_mix, frontier
from analytics.simulation import Effects
from analytics.strategies import Operations, Strategy
from analytics.strategy_effects import with_assumptions
from analytics.treatment_mix import LIMITS, Choices, choices, mixed
from analytics.workload import PRODUCTIVE
from figures import simulator
from figures.simulator import Ground
from figures.simulator_frames import told

POINTS = 12
NAME = "Best under limits"


@dataclass(frozen=True)
class Best:
    """The best mix (or the limits that cannot be kept), the frontier, and it as a strategy.

    `collector`: what one whole collector more would bring over the months simulated, before pay;
    None where hours are no limit.
    """

    choices: Choices
    mix: Mix | Infeasible
    frontier: pl.DataFrame
    strategy: Strategy | None
    collector: float | None = None


def now(ground: Ground) -> dict[str, float]:
    """What the baseline uses of each limit, a month (see `choices`)."""
    found = offered(ground, ground.baseline)
    return {name: float(found.usage[name][:, 0].sum()) for name in LIMITS}


def offered(ground: Ground, strategy: Strategy) -> Choices:
    """The treatments to choose from with the strategy's assumptions."""
    said = repr(sorted(strategy.assumptions.items()))
    rate = strategy.operations.discount_rate
    return _offered(f"{ground.key} {said} {rate}", ground, dict(strategy.assumptions), rate)


@st.cache_resource(max_entries=8, ttl=3600, show_spinner=False)
def _offered(
    key: str, _ground: Ground, _assumptions: Mapping[str, tuple[float, float]], rate: float
) -> Choices:
    effects = with_assumptions(_ground.effects, _assumptions)
    inputs = Effects(tuple(effects["code"]), effects["mean"].to_numpy(), effects["sd"].to_numpy(),
                     tuple(effects["evidence"]))  # fmt: skip
    draws = _ground.draws(simulator.FIRST_DRAWS)
    return choices(
        _ground.baseline,
        effects,
        _ground.doses,
        _ground.workload,
        draws,
        inputs.draws(draws.n),
        caps=_ground.caps,
        discount_rate=rate,
    )


def best(ground: Ground, strategy: Strategy, limits: Mapping[str, float], people: float) -> Best:
    """The best mix under these limits, as a strategy with so many collectors."""
    said = repr((sorted(strategy.assumptions.items()), sorted(limits.items()), people))
    key = f"{ground.key} {said} {strategy.operations!r}"
    return _best(key, ground, strategy, dict(limits), people)


@st.cache_resource(max_entries=16, ttl=3600, show_spinner=False)
def _best(
    key: str, _ground: Ground, _strategy: Strategy, _limits: dict[str, float], _people: float
) -> Best:
    found = offered(_ground, _strategy)
    mix = best_mix(found.value, found.usage, _limits, allowed=found.allowed)
    line = frontier(found.value, found.usage, _limits, "complaints", allowed=found.allowed,
                    points=POINTS)  # fmt: skip
    if isinstance(mix, Infeasible):
        return Best(found, mix, line, None)
    made = mixed(_ground.baseline, found, mix.shares, NAME)
    operations = replace(_strategy.operations, collectors=_people)
    made = replace(made, operations=operations, assumptions=_strategy.assumptions)
    return Best(found, mix, line, made, _one_more(found, mix, _limits, operations))


def _one_more(
    found: Choices, mix: Mix, limits: Mapping[str, float], operations: Operations
) -> float | None:
    """What the hours of one more collector bring: solved again, as a price holds for an hour."""
    if "hours" not in limits:
        return None
    more = {**limits, "hours": limits["hours"] + operations.hours_per_month * PRODUCTIVE}
    other = best_mix(found.value, found.usage, more, allowed=found.allowed)
    assert isinstance(other, Mix)  # what kept fewer hours keeps more
    return other.value - mix.value


UNITS = {"hours": "hours a month", "budget": "currency a month", "complaints": "a month"}


def prices(mix: Mix) -> pl.DataFrame:
    """The limits with their unit; a price is what one more a month brings over the months
    simulated."""
    rows = mix.limits.with_columns(unit=pl.col("limit").replace_strict(UNITS))
    return rows.select("limit", "unit", "at_most", "used", "binds", price_amount="price")


def shares(best: Best) -> pl.DataFrame:
    """Who gets what: segments by stage and treatment, with the share of cells' cases."""
    assert isinstance(best.mix, Mix)
    rows = []
    stages = ("early", "middle", "late")
    for cell, row in enumerate(best.mix.shares):
        segment, stage = told(best.choices.segments[cell // 3]), stages[cell % 3]
        rows += [
            (segment, stage, best.choices.options[place].name, float(share))
            for place, share in enumerate(row)
            if share > 1e-6
        ]
    schema = {"segment": pl.String, "stage": pl.String, "treatment": pl.String,
              "share": pl.Float64}  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")
