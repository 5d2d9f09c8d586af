"""Simulator: what a benefit comes from and hangs on, and how right forecasts were; kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import streamlit as st

from analytics.backtest import backtest
from analytics.simulation_levers import break_even, waterfall
from analytics.strategy_fields import CHANNELS
from analytics.strategy_hours import hours_scale
from figures import simulator
from figures.simulator import HORIZON, Ground, Outcome

LEVER_OF = {
    "call": "calls",
    "sms": "messages",
    "app_push": "messages",
    "messenger": "messages",
    "email": "messages",
    "letter": "letters",
    "visit": "visits",
    "mediation": "visits",
    "voice_bot": "voice_bot",
    "first_contact": "first_contact",
    "cadence": "cadence",
    "agency": "agency",
    "agency_curve": "agency",
    "suit_curve": "suit",
    "plan": "offers",
    "settlement": "offers",
    "suit": "suit",
}


def steps(found: Outcome, ground: Ground, plan: int = 1) -> pl.DataFrame:
    """The waterfall of a strategy: cash by lever, then costs, and what a sale of debt changes."""
    return _steps(f"{found.key} {plan}", found, ground, plan)


@st.cache_resource(max_entries=16, ttl=3600, show_spinner=False)
def _steps(key: str, _found: Outcome, _ground: Ground, plan: int) -> pl.DataFrame:
    levers: dict[str, list[int]] = {}
    for place, row in enumerate(_found.effects.iter_rows(named=True)):
        if abs(_found.planned[plan].plan.x[..., place]).max() > 0:
            levers.setdefault(LEVER_OF[row["channel"] or row["kind"]], []).append(place)
    chosen = [place for places in levers.values() for place in places]
    base, mine = (_found.planned[one].plan for one in (0, plan))
    has_levers = bool(chosen)
    if not has_levers:  # only costs differ: any effect will do, as it is not used
        levers, chosen = {"calls": [0]}, [0]
    keep = np.array(chosen)
    places = {place: new for new, place in enumerate(chosen)}
    named = {name: [places[place] for place in group] for name, group in levers.items()}
    rows = waterfall(
        _ground.draws(_found.simulation.n),
        np.ascontiguousarray(_found.theta[:, keep]),
        replace(base, x=base.x[..., keep]),
        replace(mine, x=mine.x[..., keep]),
        named,
        discount_rate=_found.discount_rate,
    )
    if not has_levers:
        rows = rows.filter(pl.col("kind") != "lever")
    rest = float(_found.simulation.benefit[plan].mean()) - float(rows["mean"].sum())
    if _found.strategies[plan].operations.sale_share > 0:
        nothing = dict.fromkeys(("low", "middle", "high"), None)
        sale = {"step": "sale", "kind": "lever", "mean": rest, **nothing}
        rows = pl.concat([rows, pl.DataFrame([sale])], how="diagonal_relaxed")
    return rows


def minutes(ground: Ground) -> dict[str, float]:
    """Minutes that an attempt takes of a person, by channel, as the baseline's hours allow."""
    scale = hours_scale(ground.baseline, ground.workload)
    each = zip(CHANNELS, ground.workload.minutes * scale, strict=True)
    return {channel: float(value) for channel, value in each if value > 0}


def even_at(found: Outcome, ground: Ground, effect: int, plan: int = 1) -> float | None:
    """The value of an effect, in log odds, at which a strategy is worth as much as the baseline."""
    return _even_at(f"{found.key} {effect} {plan}", found, ground, effect, plan)


@st.cache_resource(max_entries=64, ttl=3600, show_spinner=False)
def _even_at(key: str, _found: Outcome, _ground: Ground, effect: int, plan: int) -> float | None:
    return break_even(
        _ground.draws(simulator.FIRST_DRAWS),
        _found.theta[: simulator.FIRST_DRAWS],
        (_found.planned[0].plan, _found.planned[plan].plan),
        effect,
        discount_rate=_found.discount_rate,
    )


def tested(ground: Ground) -> pl.DataFrame:
    """The baseline projected from each of the last twelve months, against what happened."""
    return _tested(ground.key, ground)


@st.cache_resource(max_entries=4, ttl=3600, show_spinner="Looking back over the last months")
def _tested(key: str, _ground: Ground) -> pl.DataFrame:
    return backtest(_ground.book, horizon=HORIZON)
