"""What the Collectors page shows: owners compared on the same cases."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl
import streamlit as st

from analytics.funnels import Funnel, funnel
from analytics.owners import above_average, average_effect, choice_effects, in_points, rank_moves
from analytics.shrinkage import Shrunk, shrink
from analytics.tenure import tenure_effects, training_effect
from figures.choices import loaded_of_the_book
from queries import collectors as queries
from queries import owner_cells
from queries.owner_cells import Kind
from ui import View, load

OUTCOMES = {"Resolved share": "resolved", "Cash": "cash"}
KINDS: dict[str, Kind] = {
    "Collectors": "collector",
    "Teams": "team",
    "In-house and agencies": "agency",
}


@dataclass(frozen=True)
class Choice:
    """What is compared, by what, on which cases."""

    kind: Kind = "collector"
    outcome: str = "resolved"
    stage: str | None = None

    @property
    def is_money(self) -> bool:
        return self.outcome != "resolved"


@dataclass(frozen=True)
class Comparison:
    """Owners on the same cases.

    `owners`, best first: owner, team, agency_id, cases, observed, expected and ratio (against the
    average owner; money in cents), raw (share resolved, or cash over what was placed),
    expected_share, the columns of `Shrunk.owners`, advantage with its interval, rank; for cash
    is_fragile.  `funnel`, `moves` and `correlation` are worked out when they are first shown.
    `spread_low` and `spread_high`: one standard deviation between owners below and
    above the average, as an advantage.  `reason` says why nothing is compared.
    """

    owners: pl.DataFrame
    choice: Choice
    found: Shrunk | None
    model: dict[str, Any]
    aliased: tuple[str, ...]
    opened: dict[str, int]
    reason: str | None
    spread_low: float | None = None
    spread_high: float | None = None

    @property
    def compared(self) -> pl.DataFrame:
        return self.owners.filter(pl.col("shrunk").is_not_null())

    @property
    def reach(self) -> tuple[float | None, float | None]:
        """The ends of all intervals of the advantage together."""
        ends = self.compared.select(
            pl.col("advantage_low").min(), pl.col("advantage_high").max()
        ).row(0)
        return ends[0], ends[1]

    @cached_property
    def funnel(self) -> Funnel | None:
        return _funnel(self.owners, self.choice)

    @cached_property
    def _ranked(self) -> tuple[pl.DataFrame, float | None]:
        return rank_moves(self.owners, owner="owner")

    @property
    def moves(self) -> pl.DataFrame:
        return self._ranked[0]

    @property
    def correlation(self) -> float | None:
        return self._ranked[1]


@dataclass(frozen=True)
class Levels:
    """Where owners stand on the same cases, and no more: `owners` with the columns of
    `Shrunk.owners` and the advantage with its interval; `reason` says why nothing is compared."""

    owners: pl.DataFrame
    found: Shrunk | None
    model: dict[str, Any]
    reason: str | None

    @property
    def compared(self) -> pl.DataFrame:
        return self.owners.filter(pl.col("shrunk").is_not_null())


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def levels(key: str, choice: Choice, _view: View) -> Levels:
    """Cached by the view's key and the choice."""
    models = loaded_of_the_book(_view, queries.models, kind=choice.kind)
    rows = models.filter(outcome=choice.outcome)
    model: dict[str, Any] = rows.row(0, named=True) if rows.height else {}
    measured = _effects(_view, choice, choice.outcome)
    if not measured.height:
        return Levels(_empty(measured), None, model, model.get("reason") or "no_cases")
    found = shrink(measured)
    owners = above_average(found.owners, curve_of(_view, choice))
    return Levels(owners, found, model, model.get("reason") or found.reason)


def curve_of(view: View, choice: Choice) -> pl.DataFrame | None:
    """What share of all cases an owner with an effect would resolve; None of cash."""
    return None if choice.is_money else loaded_of_the_book(view, queries.curve, kind=choice.kind)


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def comparison(key: str, choice: Choice, _view: View) -> Comparison:
    """Cached by the view's key and the choice."""
    view, kind, outcome = _view, choice.kind, choice.outcome
    level = levels(key, choice, view)
    kinds = loaded_of_the_book(view, queries.coefficients, kind=kind, outcome=outcome)
    spread: tuple[float | None, float | None] = (None, None)
    if level.found is not None:
        spread = _spread(level.found, level.owners, curve_of(view, choice))
    return Comparison(
        owners=_described(view, choice, level.owners),
        choice=choice,
        found=level.found,
        model=level.model,
        aliased=tuple(kinds.filter(reason="aliased")["level"].to_list()),
        opened=load(view, owner_cells.opened).row(0, named=True),
        reason=level.reason,
        spread_low=spread[0],
        spread_high=spread[1],
    )


def _spread(
    found: Shrunk, owners: pl.DataFrame, curve: pl.DataFrame | None
) -> tuple[float | None, float | None]:
    """One standard deviation between owners below and above the average."""
    if not found.spread:
        return None, None
    centre = average_effect(owners)
    ends = pl.Series([centre - found.spread, centre + found.spread])
    low, high = in_points(ends, centre, curve)
    return low, high


def _effects(view: View, choice: Choice, outcome: str) -> pl.DataFrame:
    """Each owner's effect on the chosen cases, with what was observed and expected."""
    kind = choice.kind
    cells = {"kind": kind, "outcome": outcome, "stage": choice.stage}
    sums = load(view, owner_cells.expected, **cells)
    whole = loaded_of_the_book(view, owner_cells.expected_of_all, kind=kind, outcome=outcome)
    effects = loaded_of_the_book(view, queries.effects, kind=kind).filter(outcome=outcome)
    chosen = sums.filter(pl.col("cases") > 0).sort("owner")
    return choice_effects(chosen, whole, effects, owner="owner", is_money=choice.is_money)


def _described(view: View, choice: Choice, owners: pl.DataFrame) -> pl.DataFrame:
    """The owners with their teams, raw rates and ranks, best first."""
    people = loaded_of_the_book(view, queries.owners)
    placed = load(view, owner_cells.placed, kind=choice.kind, stage=choice.stage)
    joined = owners.join(
        placed.select("owner", "placed_cents", "transferred", "immature_cases", "opened_cases"),
        on="owner",
        how="left",
    )
    if choice.kind == "collector":
        names = people.select("team", "agency_id", "hired_on", owner="collector_id")
        joined = joined.join(names, on="owner", how="left")
    if choice.is_money:
        joined = _fragile(view, choice, joined)
    raw = pl.col("placed_cents") if choice.is_money else pl.col("cases")
    there = raw > 0
    apart = (pl.col("advantage_low") > 0) | (pl.col("advantage_high") < 0)
    flagged = pl.col("is_different") & apart  # the flag and the drawn interval never disagree
    return (
        joined.with_columns(
            ratio=pl.when(pl.col("average_expected") > 0).then(
                pl.col("observed") / pl.col("average_expected")
            ),
            raw=pl.when(there).then(pl.col("observed") / raw),
            expected_share=pl.when(there).then(pl.col("average_expected") / raw),
            rank=pl.col("shrunk").rank("min", descending=True).cast(pl.Int64),
        )
        .sort("shrunk", "owner", descending=[True, False], nulls_last=True)
        .with_columns(is_different=flagged.fill_null(value=False))
    )


def _fragile(view: View, choice: Choice, owners: pl.DataFrame) -> pl.DataFrame:
    """Owners whose cash hangs on a few large payments: over all their cases, their effect moves
    by more than its error when each case counts at most what was placed on it."""
    effects = loaded_of_the_book(view, queries.effects, kind=choice.kind)
    net, clipped = (
        effects.filter(outcome=name).select("owner", "effect", "se") for name in ("cash", "clipped")
    )
    apart = pl.col("effect") - pl.col("effect_clipped")
    both = net.join(clipped, on="owner", suffix="_clipped").with_columns(moved=apart)
    moved = pl.col("moved") - pl.col("moved").median()
    fragile = both.select("owner", is_fragile=moved.abs() > pl.col("se_clipped"))
    return owners.join(fragile, on="owner", how="left").with_columns(
        pl.col("is_fragile").fill_null(value=False)
    )


def _funnel(owners: pl.DataFrame, choice: Choice) -> Funnel | None:
    scale = 100.0 if choice.is_money else 1.0
    there = owners.select(
        "owner",
        observed=pl.col("observed") / scale,
        expected=pl.col("average_expected") / scale,
        variance="average_variance",
    )
    return funnel(there, owner="owner") if there.height else None


def _empty(measured: pl.DataFrame) -> pl.DataFrame:
    """The columns of a comparison, without owners."""
    numbers = ("reliability", "shrunk", "low", "high", "p_better", "p_value")
    points = ("advantage", "advantage_low", "advantage_high")
    return measured.with_columns(
        *[pl.lit(None, pl.Float64).alias(name) for name in (*numbers, *points)],
        is_different=pl.lit(None, pl.Boolean),
    )


@dataclass(frozen=True)
class Learning:
    """Effects by tenure, and what training changed; empty where days are not recorded."""

    tenure: pl.DataFrame
    training: dict[str, float | int | None]
    trained: int
    collectors: int


@st.cache_resource(max_entries=64, ttl=3600, show_spinner=False)
def learning(key: str, choice: Choice, _view: View) -> Learning:
    """Collectors by how long they have been here, and before and after their training."""
    view = _view
    months = load(
        view,
        owner_cells.expected,
        kind=choice.kind,
        outcome=choice.outcome,
        stage=choice.stage,
        by=("opened_month",),
    )
    sums = months.filter(pl.col("cases") > 0).rename({"owner": "collector_id"})
    people = loaded_of_the_book(view, queries.owners)
    known = pl.col("occurred_on") <= view.chosen.as_of
    trainings = loaded_of_the_book(view, queries.trainings).filter(known)
    first = view.chosen.months()[0].replace(day=1)
    there = people.join(sums, on="collector_id", how="semi")
    recent = trainings.filter(pl.col("occurred_on") >= first)
    curve = None if choice.is_money else loaded_of_the_book(view, queries.curve, kind="collector")
    shared: dict[str, Any] = {"owner": "collector_id", "is_money": choice.is_money}
    tenure = tenure_effects(sums, people, **shared)
    training = training_effect(sums, trainings, **shared)
    ends = ("difference", "low", "high")
    changes = in_points(pl.Series([training[name] for name in ends], dtype=pl.Float64), 0.0, curve)
    return Learning(
        tenure=tenure.with_columns(
            in_points(tenure[name], 0.0, curve).alias(name) for name in ("effect", "low", "high")
        ),
        training=training | dict(zip(ends, changes, strict=True)),
        trained=there.join(recent, on="collector_id", how="semi").height,
        collectors=there.height,
    )
