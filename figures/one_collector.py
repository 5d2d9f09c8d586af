"""What a collector's own view shows: strengths by segment, months, the team beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import streamlit as st

from analytics.owners import average_effect, choice_effects, in_points, segment_strengths
from analytics.work import days_to_contact, work_rates
from figures.choices import loaded_of_the_book
from figures.collectors import Choice, Comparison, Levels
from queries import collectors as queries
from queries import owner_cells
from queries.owner_cells import Kind
from ui import View, load

_SUMS = ("observed", "expected", "variance")
SEGMENTS = {"Stage": "stage", "Product": "product", "Region": "region"}


@dataclass(frozen=True)
class Own:
    """One collector in a choice.

    `row` of the comparison (None: not in it), `team` its team's row; `strengths`: segment, level,
    cases, interaction with its interval, and level, low, high in points (or as a share of cash)
    above the average; `months`: opened_month, series (the collector or its team), value, low,
    high; `person`: who it is, as the contract has it; `is_alone`: its team has no other cases, so
    there is no team to set beside it (each comparison has its own average, so that the two would
    have different numbers of the same cases).
    """

    row: dict[str, Any] | None
    team: dict[str, Any] | None
    strengths: pl.DataFrame
    months: pl.DataFrame
    person: dict[str, Any] | None
    is_alone: bool


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def own(
    key: str,
    collector_id: str,
    choice: Choice,
    _view: View,
    _found: Comparison,
    _teams: Levels,
) -> Own:
    """Cached by the view's key, the collector and the choice."""
    view = _view
    rows = _found.owners.filter(owner=collector_id)
    row = rows.row(0, named=True) if rows.height else None
    people = loaded_of_the_book(view, queries.owners).filter(collector_id=collector_id)
    person = people.row(0, named=True) if people.height else None
    team = person["team"] if person else None
    teams = _teams.owners.filter(owner=team)
    beside = teams.row(0, named=True) if teams.height else None
    is_alone = row is not None and beside is not None and row["cases"] == beside["cases"]
    curve = None if choice.is_money else loaded_of_the_book(view, queries.curve, kind="collector")
    return Own(
        row=row,
        team=None if is_alone else beside,
        strengths=_strengths(view, collector_id, choice, _found, curve, row),
        months=_months(view, collector_id, None if is_alone else team, choice, _found, _teams),
        person=person,
        is_alone=is_alone,
    )


def _strengths(
    view: View,
    collector_id: str,
    choice: Choice,
    found: Comparison,
    curve: pl.DataFrame | None,
    row: dict[str, Any] | None,
) -> pl.DataFrame:
    """Every segment's levels of the collector, on the scale of the comparison."""
    if row is None or row["shrunk"] is None:
        return pl.DataFrame()
    parts = []
    for label, name in SEGMENTS.items():
        sums = load(
            view,
            owner_cells.expected,
            kind="collector",
            outcome=choice.outcome,
            stage=choice.stage,
            by=(name,),
            names=("cases", *_SUMS),
        ).filter(pl.col("cases") > 0)
        every = segment_strengths(sums, owner="owner", level=name, is_money=choice.is_money)
        mine = every.filter(pl.col("owner") == collector_id, pl.col("shrunk").is_not_null())
        if mine.height > 1:
            level = pl.col(name).cast(pl.String).fill_null("not recorded")
            parts.append(
                mine.drop(name, "owner").with_columns(
                    segment=pl.lit(label), level=mine.select(level).to_series()
                )
            )
    return (
        _scaled(pl.concat(parts), row, average_effect(found.compared), curve)
        if parts
        else pl.DataFrame()
    )


def _scaled(
    strengths: pl.DataFrame, row: dict[str, Any], centre: float, curve: pl.DataFrame | None
) -> pl.DataFrame:
    """The strengths on the scale of the comparison, each segment's levels in their order."""
    own = (strengths["high"] - strengths["low"]).to_numpy() / 3.92
    reach = 1.96 * np.sqrt(own**2 + ((row["high"] - row["low"]) / 3.92) ** 2)
    middle = strengths["shrunk"].to_numpy() + row["shrunk"]
    ends = {"value": middle, "value_low": middle - reach, "value_high": middle + reach}
    points = {name: in_points(pl.Series(one), centre, curve) for name, one in ends.items()}
    ranks = {"early": 0, "middle": 1, "late": 2}
    order = pl.col("level").replace_strict(ranks, default=9, return_dtype=pl.Int64)
    place = pl.col("segment").replace_strict(
        {name: at for at, name in enumerate(SEGMENTS)}, return_dtype=pl.Int64
    )
    return strengths.with_columns(**points).sort(place, order, "level")


def _months(
    view: View,
    collector_id: str,
    team: str | None,
    choice: Choice,
    found: Comparison,
    teams: Levels,
) -> pl.DataFrame:
    """The collector's and its team's level, month by month; unshrunk, so with wide intervals."""
    parts = []
    for series, kind, owner, whole in (
        (collector_id, "collector", collector_id, found),
        (f"Team {team}", "team", team, teams),
    ):
        if owner is None or whole.compared.is_empty():
            continue
        sums = load(
            view,
            owner_cells.expected,
            kind=kind,
            outcome=choice.outcome,
            stage=choice.stage,
            by=("opened_month",),
            owner=owner,
        ).filter(pl.col("cases") > 0)
        effects = loaded_of_the_book(view, queries.effects, kind=kind).filter(
            pl.col("outcome") == choice.outcome, pl.col("owner") == owner
        )
        # what the model does not know of the owner is the same in every month: left out here
        monthly = choice_effects(
            sums, sums.head(0), effects, owner="owner", is_money=choice.is_money
        )
        curve = None if choice.is_money else loaded_of_the_book(view, queries.curve, kind=kind)
        centre = average_effect(whole.compared)
        known = monthly.filter(pl.col("effect").is_not_null())
        ends = {
            "value": known["effect"],
            "low": known["effect"] - 1.96 * known["se"],
            "high": known["effect"] + 1.96 * known["se"],
        }
        points = {name: in_points(values, centre, curve) for name, values in ends.items()}
        parts.append(
            known.select(
                "cases", "is_small", month="opened_month", series=pl.lit(series)
            ).with_columns(**points)
        )
    return pl.concat(parts).sort("series", "month") if parts else pl.DataFrame()


@dataclass(frozen=True)
class OwnWork:
    """What was done on whose cases: the collector's, its team's, everybody's.

    `rates` and `days` (to the first attempt) by whose it is: `own`, `team` (where there is one)
    and `all`, one row each, or none where nothing was done.
    """

    rates: dict[str, pl.DataFrame]
    days: dict[str, pl.DataFrame]


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def own_work(
    key: str, collector_id: str, team: str | None, stage: str | None, _view: View
) -> OwnWork:
    """Cached by the view's key, the collector and its team, and the stage."""
    owners: dict[str, tuple[Kind | None, str | None]] = {"own": ("collector", collector_id)}
    if team is not None:
        owners["team"] = ("team", team)
    rates, days = {}, {}
    whole = load(_view, owner_cells.work, kind=None)
    for whose, (kind, owner) in {**owners, "all": (None, None)}.items():
        sums = whole if kind is None else load(_view, owner_cells.work, kind=kind, owner=owner)
        rates[whose] = _among(sums, whole) if whose == "own" else work_rates(sums)
        counts = load(_view, owner_cells.contact_days, kind=kind, owner=owner, stage=stage)
        days[whose] = days_to_contact(counts.filter(contact="attempt"))
    return OwnWork(rates, days)


def _among(sums: pl.DataFrame, whole: pl.DataFrame) -> pl.DataFrame:
    """One owner's rates with errors that draw on everybody's, as if all owners were there."""
    if sums.is_empty():
        return work_rates(sums)
    names = whole.columns
    others = whole - sums.select(names)
    return work_rates(
        pl.concat([sums, others.with_columns(owner=pl.lit(None, pl.String)).select(sums.columns)])
    ).head(1)
