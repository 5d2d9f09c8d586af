"""Simulator: what the book gives to stand on, made once for a choice and kept."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl
import streamlit as st

import ui
from analytics.attempt_doses import Dose, doses
from analytics.baseline_strategy import baseline_strategy
from analytics.monthly_odds import months_at_risk
from analytics.placement_curves import Curves, placement_curves
from analytics.simulation_book import roll_book
from analytics.simulation_counts import rates_in_force
from analytics.simulation_draws import Basis, Draws, basis_of, posterior
from analytics.simulation_states import STAGE_OF_STATE, RollBook
from analytics.strategies import Strategy
from analytics.strategy_effects import effect_table
from analytics.strategy_fields import CHANNELS, STAGES
from analytics.strategy_hours import Cap
from analytics.strategy_presets import risk_classes
from analytics.treated_cases import Treated, durations
from analytics.workload import Workload, workload
from figures.contact_rules import rules_in_use
from queries import conduct
from queries import strategy as queries

Array = npt.NDArray[np.float64]
Made = TypeVar("Made")
HORIZON = 12
BY = ("product", "grade")


@dataclass(frozen=True)
class Ground:
    """What strategies of a choice stand on: the book, its baseline, what is known of effects."""

    key: str
    book: RollBook
    baseline: Strategy
    workload: Workload
    effects: pl.DataFrame
    curves: Curves
    doses: Mapping[str, Dose]
    caps: tuple[Cap, ...]
    risk: Mapping[str, str]
    # for an attempt, by channel, and the breaches it is known from, over their dispersion
    breach_rates: tuple[Array, Array] | None
    _made: dict[int, Draws] = field(default_factory=dict, repr=False, compare=False)
    _kept: dict[Hashable, Any] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def _basis(self) -> Basis:
        return basis_of(self.book, horizon=HORIZON)

    def draws(self, count: int) -> Draws:
        """So many draws of the book's rolls: the first of more, where more were made already."""
        more = max(self._made, default=0)
        if count < more:
            return self._made[more].first(count)
        if count not in self._made:
            made = posterior(self.book, draws=count, horizon=HORIZON, basis=self._basis)
            self._made[count] = made
        return self._made[count]

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` gives, made once for this ground."""
        if key not in self._kept:
            self._kept[key] = make()
        found: Made = self._kept[key]
        return found

    @cached_property
    def weights(self) -> dict[tuple[str, str], float]:
        """Cases by segment and stage."""
        return {
            (segment, stage): float(self.workload.cases[s, t])
            for s, segment in enumerate(self.workload.segments)
            for t, stage in enumerate(STAGES)
        }


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
    moving = _moving(_view, book)
    treated = _treated(moving)
    loans, balance = by_stage(book.loans, book), by_stage(book.opening, book)
    lasting = _lasting(f"{_view.version} {chosen.segments()!r} {chosen.basis}", _view)
    influence, curves = lasting.influence, lasting.curves
    months = months_at_risk(influence, durations(treated))
    load = workload(treated, book.segment_keys, loans, balance)
    return Ground(
        key=key,
        book=book,
        baseline=baseline_strategy(treated, book.segment_keys, loans),
        workload=replace(load, lasting=curves.lasting),
        effects=effect_table(influence, lasting.agencies, months, curves.steps),
        curves=curves,
        doses=doses(influence, months),
        caps=lasting.caps,
        risk=risk_classes(book),
        breach_rates=_breach_rates(moving),
    )


@dataclass(frozen=True)
class _Lasting:
    """What a choice of segments gives whatever the months are."""

    influence: pl.DataFrame
    agencies: pl.DataFrame
    curves: Curves
    caps: tuple[Cap, ...]


@st.cache_resource(max_entries=8, ttl=3600, show_spinner=False)
def _lasting(key: str, _view: ui.View) -> _Lasting:
    caps = queries.contact_caps(_view.marts)
    return _Lasting(
        influence=ui.load(_view, queries.influence),
        agencies=ui.load(_view, queries.agency_effects),
        curves=placement_curves(ui.load(_view, queries.curve_windows)),
        caps=tuple(Cap(rule, tuple(channels), *most) for rule, channels, *most in caps.iter_rows()),
    )


def _moving(view: ui.View, book: RollBook) -> ui.View:
    """The months of the choice in which loans could move: what was done counts over the same."""
    window = min(view.chosen.window, len(book.months))
    return replace(view, chosen=replace(view.chosen, window=window))


def _treated(view: ui.View) -> Treated:
    names = ("work", "cases", "first_days", "placed", "partners", "people", "spending",
             "complaint_counts", "complaints", "intensity", "gaps")  # fmt: skip
    parts = {name: ui.load(view, getattr(queries, name)) for name in names}
    return Treated(
        months=view.chosen.months(), count=view.chosen.window, offers=_offers(view), **parts
    )


def _offers(view: ui.View) -> pl.DataFrame:
    """Plans, settlements and suits; null what the book has no table of."""
    rows = ui.load(view, queries.offers)
    rows = rows.with_columns(plans=pl.sum_horizontal(queries.PLANS))
    has = view.book.table_rows
    lacking = [] if has.get("plans") else ["plans", "settlements", "settled_cents",
                                           "settled_base_cents"]  # fmt: skip
    lacking += [] if has.get("legal_actions") else ["filings", "legal_cents"]
    return rows.with_columns(pl.lit(None, pl.Int64).alias(name) for name in lacking)


def _breach_rates(view: ui.View) -> tuple[Array, Array] | None:
    """Breaches for an attempt by channel, as the Contact rules page counts them, and how many they
    are known from; None where no attempt was made while a rule was in force."""
    if not conduct.is_there(view.marts):
        return None
    keys = ("month", "channel")
    _, rules = rules_in_use(view)
    own = pl.DataFrame(
        [(f"{rule.pack} {rule.id}", rule.valid_from) for rule in rules],
        schema={"rule": pl.String, "from": pl.Date},
        orient="row",
    )
    done = ui.load(view, conduct.attempts, by=[*keys, "since"])
    exposed = own.join(done, how="cross").filter(pl.col("since") >= pl.col("from"))
    broken = ui.load(view, conduct.breaches, by=[*keys, "pack", "rule"]).select(
        *keys, "contacts", rule=pl.col("pack") + " " + pl.col("rule")
    )
    exposed = exposed.group_by(*keys, "rule").agg(pl.col("attempts").sum())
    return rates_in_force(CHANNELS, broken, exposed)


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
