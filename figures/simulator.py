"""Simulator: what the book gives, and what strategies would bring; each made once and kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl
import streamlit as st

import ui
from analytics.attempt_doses import Dose, doses
from analytics.baseline_strategy import baseline_strategy
from analytics.monthly_odds import months_at_risk
from analytics.placement_curves import Curves, placement_curves
from analytics.simulation import Draws, Effects, Floats, Simulation, posterior, simulate
from analytics.simulation_book import roll_book
from analytics.simulation_counts import dispersion, rate_factors, with_complaint_rates
from analytics.simulation_states import STAGE_OF_STATE, RollBook
from analytics.strategies import Strategy
from analytics.strategy_effects import effect_table, with_assumptions
from analytics.strategy_fields import CHANNELS, STAGES
from analytics.strategy_files import to_text
from analytics.strategy_hours import Cap
from analytics.strategy_plans import Planned, planned
from analytics.strategy_presets import risk_classes
from analytics.strategy_sales import with_sales
from analytics.treated_cases import Treated, durations
from analytics.workload import Workload, workload
from queries import strategy as queries

Array = npt.NDArray[np.float64]
DRAWS, FIRST_DRAWS, HORIZON = 10_000, 1_000, 12
BY = ("product", "grade")


@dataclass(frozen=True)
class Ground:
    """All that strategies of a choice stand on: the book, its baseline, what is known of effects.

    `missing`: tables that the book lacks, in codes.
    """

    key: str
    book: RollBook
    baseline: Strategy
    workload: Workload
    effects: pl.DataFrame
    curves: Curves
    doses: Mapping[str, Dose]
    caps: tuple[Cap, ...]
    risk: Mapping[str, str]
    breach_rate: Array  # for an attempt, by channel
    breach_shape: Array  # breaches that it is known from, over their dispersion

    @cached_property
    def draws(self) -> Draws:
        return posterior(self.book, draws=DRAWS, horizon=HORIZON)

    @property
    def weights(self) -> dict[tuple[str, str], float]:
        """Cases by segment and stage."""
        return {
            (segment, stage): float(self.workload.cases[s, t])
            for s, segment in enumerate(self.workload.segments)
            for t, stage in enumerate(STAGES)
        }


@dataclass(frozen=True)
class Outcome:
    """What came of some strategies, the baseline first.

    `effects`: the effects that any of them touches, with the analyst's own ranges; `theta` their
    draws.
    """

    key: str
    strategies: tuple[Strategy, ...]
    planned: tuple[Planned, ...]
    effects: pl.DataFrame
    inputs: Effects
    theta: Floats
    simulation: Simulation
    discount_rate: float


@st.cache_resource(max_entries=2, ttl=3600, show_spinner=False)  # its draws are large
def ground(key: str, _view: ui.View) -> Ground:
    """What a choice of months and segments gives; raises ValueError where nothing moved."""
    chosen = _view.chosen
    book = roll_book(
        ui.load(_view, queries.moves),
        ui.load(_view, queries.stock),
        by=BY,
        buckets=_view.book.buckets,
        as_of=chosen.as_of,
        window=chosen.window,
    )
    treated = _treated(_view, min(chosen.window, len(book.months)))
    loans, balance = by_stage(book.loans, book), by_stage(book.opening, book)
    influence = ui.load(_view, queries.influence)
    months = months_at_risk(influence, durations(treated))
    caps = queries.contact_caps(_view.marts)
    rate, shape = _breach_rates(ui.load(_view, queries.breach_counts), treated)
    curves = placement_curves(ui.load(_view, queries.curve_windows))
    agencies = ui.load(_view, queries.agency_effects)
    load = workload(treated, book.segment_keys, loans, balance)
    return Ground(
        key=key,
        book=book,
        baseline=baseline_strategy(treated, book.segment_keys, loans),
        workload=replace(load, lasting=curves.lasting),
        effects=effect_table(influence, agencies, months, curves.steps),
        curves=curves,
        doses=doses(influence, months),
        caps=tuple(Cap(rule, tuple(channels), *most) for rule, channels, *most in caps.iter_rows()),
        risk=risk_classes(book),
        breach_rate=rate,
        breach_shape=shape,
    )


def _treated(view: ui.View, count: int) -> Treated:
    names = ("work", "cases", "first_days", "placed", "partners", "people", "spending",
             "complaint_counts", "complaints", "intensity", "gaps")  # fmt: skip
    parts = {name: ui.load(view, getattr(queries, name)) for name in names}
    return Treated(months=view.chosen.months(), count=count, offers=_offers(view), **parts)


def _offers(view: ui.View) -> pl.DataFrame:
    """Plans, settlements and suits; null what the book has no table of."""
    rows = ui.load(view, queries.offers)
    rows = rows.with_columns(plans=pl.sum_horizontal(queries.PLANS))
    has = view.book.table_rows
    lacking = [] if has.get("plans") else ["plans", "settlements", "settled_cents",
                                           "settled_base_cents"]  # fmt: skip
    lacking += [] if has.get("legal_actions") else ["filings", "legal_cents"]
    return rows.with_columns(pl.lit(None, pl.Int64).alias(name) for name in lacking)


def _breach_rates(broken: pl.DataFrame, treated: Treated) -> tuple[Array, Array]:
    """Breaches for an attempt by channel, and how many they are known from."""
    tried = dict(treated.work.group_by("channel").agg(pl.col("attempts").sum()).iter_rows())
    counts = dict(broken.group_by("channel").agg(pl.col("contacts").sum()).iter_rows())
    found = np.array([float(counts.get(one) or 0) for one in CHANNELS])
    attempts = np.array([float(tried.get(one) or 0) for one in CHANNELS])
    rate = np.divide(found, attempts, out=np.zeros_like(found), where=attempts > 0)
    months = np.zeros(max(treated.count, 1))  # a month without a breach has no row
    monthly = broken.group_by("month").agg(pl.col("contacts").sum())["contacts"].to_numpy()
    months[: len(monthly)] = monthly[: len(months)]
    return rate, found / dispersion(months, np.full(len(months), months.mean()))


def by_stage(values: Array, book: RollBook) -> Array:
    """Openings of the window's months by segment and stage, added up.

    The book's first month has no opening: it counts as the mean of the others.
    """
    window = values[-book.window :]
    known = int((window.sum(axis=(1, 2, 3)) > 0).sum())
    opened = window.sum(axis=(0, 3)) * (len(window) / max(known, 1))
    found = np.zeros((len(book.segments), len(STAGES)))
    for state, stage in enumerate(STAGE_OF_STATE):
        found[:, stage] += opened[:, state]
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
    return _key(ground, strategies, assumptions, is_spread, DRAWS) in _known


def _key(
    ground: Ground,
    strategies: Sequence[Strategy],
    assumptions: Mapping[str, tuple[float, float]],
    is_spread: bool,
    draws: int,
) -> str:
    said = [*(to_text(one) for one in strategies), repr(sorted(assumptions.items()))]
    digest = hashlib.sha256("\n".join(said).encode()).hexdigest()
    return f"{ground.key} {digest} {is_spread} {draws}"


def outcome(
    ground: Ground,
    strategies: Sequence[Strategy],
    assumptions: Mapping[str, tuple[float, float]],
    *,
    is_spread: bool = False,
    draws: int = DRAWS,
) -> Outcome:
    """What comes of these strategies beside the baseline."""
    key = _key(ground, strategies, assumptions, is_spread, draws)
    _known.setdefault(key, None)
    for old in list(_known)[:-6]:
        _known.pop(old, None)
    return _outcome(key, ground, tuple(strategies), dict(assumptions), is_spread, draws)


@st.cache_resource(max_entries=6, ttl=3600, show_spinner=False)  # 10 to 30 MB each
def _outcome(
    key: str,
    _ground: Ground,
    _strategies: tuple[Strategy, ...],
    _assumptions: dict[str, tuple[float, float]],
    _is_spread: bool,
    _draws: int,
) -> Outcome:
    effects = with_assumptions(_ground.effects, _assumptions)
    everybody = tuple(apart([_ground.baseline, *_strategies]))
    plans = [
        planned(
            one, _ground.baseline, effects, _ground.doses, _ground.workload, caps=_ground.caps,
            horizon=HORIZON, is_spread=_is_spread,
        )
        for one in everybody
    ]  # fmt: skip
    used = np.any(
        [np.abs(one.plan.x).reshape(-1, effects.height).max(axis=0) > 0 for one in plans], axis=0
    )
    if not used.any():
        used[0] = True
    plans = [one.only(used) for one in plans]
    kept = effects.filter(pl.Series(used))
    inputs = Effects(
        tuple(kept["code"]), kept["mean"].to_numpy(), kept["sd"].to_numpy(), tuple(kept["evidence"])
    )
    rolls = _ground.draws if _draws >= DRAWS else _ground.draws.first(_draws)
    theta = inputs.draws(rolls.n)
    rate = everybody[1 if len(everybody) > 1 else 0].operations.discount_rate
    carried = [one.plan for one in plans]
    simulation = simulate(rolls, theta, carried, discount_rate=rate)
    operations = [one.operations for one in everybody]
    simulation = with_sales(simulation, rolls, theta, carried, operations, discount_rate=rate)
    known = _ground.workload.complaints
    simulation = with_complaint_rates(
        simulation,
        np.stack([one.complaints for one in plans]),
        rate_factors(STAGES, known.by_stage, rolls.n),
        rate_factors(CHANNELS, known.by_channel, rolls.n),
    )
    return Outcome(key, everybody, tuple(plans), kept, inputs, theta, simulation, rate)


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
