"""Channels: what works, for whom, at what price?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import polars as pl
import streamlit as st

import ui
from analytics.channel_costs import channel_costs
from analytics.effect_sums import effects
from analytics.raw_and_adjusted import left_alone, raw_and_adjusted
from analytics.suitability import suitability, suited_shares
from analytics.timeline import resolved_after, timeline_adherence
from figures import channel_work as activity
from queries import channels

STAGES = ("early", "middle", "late")
LONG_DAYS = 90  # suitability: a debt overdue for longer is long overdue


@dataclass(frozen=True)
class Effects:
    """What the models say of the chosen segments, whatever the months."""

    compared: pl.DataFrame  # by question, outcome, stage, arm
    alone: pl.DataFrame
    histogram: pl.DataFrame
    balance: pl.DataFrame
    models: pl.DataFrame
    first_month: date | None
    last_month: date | None
    landmark_cases: int


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def _effects(key: str, _view: ui.View) -> Effects:
    influence = ui.load(_view, channels.influence)
    compared = raw_and_adjusted(effects(influence, over=("question", "stage", "arm")))
    fitted = ui.load(_view, channels.fitted_period).row(0, named=True)
    return Effects(
        compared=compared,
        alone=left_alone(influence.filter(pl.col("question") == "dose")).sort(
            pl.col("stage").replace_strict(STAGES, range(len(STAGES)), default=9)
        ),
        histogram=ui.load(_view, channels.histogram),
        balance=ui.load(_view, channels.balance),
        models=ui.load(_view, channels.models),
        first_month=fitted["first_month"],
        last_month=fitted["last_month"],
        landmark_cases=int(fitted["cases"] or 0),
    )


class Figures:
    """Everything on the page, each made when a part of the page first shows it."""

    def __init__(self, view: ui.View) -> None:
        self._view = view

    @cached_property
    def effects(self) -> Effects:
        return _effects(f"{self._view.version} {self._view.chosen.segments()!r}", self._view)

    @cached_property
    def work(self) -> pl.DataFrame:
        return ui.load(self._view, channels.work)

    @cached_property
    def funnel(self) -> pl.DataFrame:
        return activity.funnel(self.work, ("channel",))

    @cached_property
    def concentration(self) -> pl.DataFrame:
        return activity.concentration(self.work)

    @cached_property
    def preferences(self) -> pl.DataFrame:
        return activity.preferences(self.work)

    @cached_property
    def _cash(self) -> pl.DataFrame:
        return ui.load(self._view, channels.cash)

    @cached_property
    def stage_cash(self) -> pl.DataFrame:
        """Cash by rule, channel and stage."""
        return self._cash

    @cached_property
    def cash(self) -> pl.DataFrame:
        return activity.by_rule(self._cash)

    @cached_property
    def totals(self) -> pl.DataFrame:
        return activity.totals(self._cash)

    @cached_property
    def costs(self) -> pl.DataFrame:
        return _costs(self._view, self.effects.compared, self.work)

    @cached_property
    def suited(self) -> Suited:
        return _suited(self._view)

    @cached_property
    def steps(self) -> pl.DataFrame:
        """The timeline, all stages together."""
        return timeline_adherence(self._steps)

    @cached_property
    def after_steps(self) -> pl.DataFrame:
        """What became of the cases in time and of those that skipped a step."""
        return resolved_after(self.steps)

    @cached_property
    def stage_steps(self) -> pl.DataFrame:
        return timeline_adherence(self._steps, over=("stage",))

    @cached_property
    def _steps(self) -> pl.DataFrame:
        return ui.load(self._view, channels.timeline)


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def figures(key: str, _view: ui.View) -> Figures:
    """The figures of a choice."""
    return Figures(_view)


@dataclass(frozen=True)
class Suited:
    """Attempts by lateness and amount against the rules of suitability.

    `unplaced`: attempts without an amount or a bucket, left out; `bounds`: of the amount bands.
    """

    cells: pl.DataFrame
    shares: pl.DataFrame
    unplaced: int
    bounds: tuple[float, ...]


def _suited(view: ui.View) -> Suited:
    late = {bucket for bucket in view.book.buckets[1:] if _lower_days(bucket) > LONG_DAYS}
    cells = ui.load(view, channels.fit).rename({"amount_band": "amount"})
    known = cells.filter(pl.col("amount").is_not_null(), pl.col("bucket").is_not_null())
    found = suitability(known, long_buckets=sorted(late))
    return Suited(
        cells=found,
        shares=suited_shares(found),
        unplaced=int(cells["attempts"].sum()) - int(known["attempts"].sum()),
        bounds=_amount_bounds(ui.load(view, channels.settings)),
    )


def _amount_bounds(settings: pl.DataFrame) -> tuple[float, ...]:
    """Where the bands of placed amounts begin, from the refresh."""
    found = settings.filter(pl.col("name") == "amount_bounds")["value"]
    return tuple(json.loads(found[0]) or ()) if len(found) else ()


def _lower_days(bucket: str) -> int:
    return int(bucket.rstrip("+").split("-")[0])


def _costs(view: ui.View, compared: pl.DataFrame, work: pl.DataFrame) -> pl.DataFrame:
    """What an attempt, a resolved case and a unit of cash cost, by stage and channel."""
    of_channels = compared.filter(pl.col("question") == "channel")
    keys = ["stage", "arm"]
    more = of_channels.filter(pl.col("outcome") == "resolved")
    money = of_channels.filter(pl.col("outcome") == "cash")
    spent = (
        work.filter(pl.col("stage").is_in(STAGES))
        .group_by("stage", arm="channel")
        .agg(
            all_attempts=pl.col("attempts").sum(),
            attempts=pl.col("costed_attempts").fill_null(0).sum(),
            cost_cents=pl.when(pl.col("costed_attempts").sum() > 0).then(
                pl.col("cost_cents").sum()
            ),
        )
    )
    treated = ui.load(view, channels.costs).with_columns(is_treated=pl.lit(value=True))
    nobody = pl.col("is_treated").is_null() & (pl.col("attempts") > 0)
    rows = (
        spent.filter(pl.col("all_attempts") > 0)
        .join(
            more.select(*keys, "effect", "low", "high", "is_small", "overlap"), on=keys, how="left"
        )
        .join(
            money.select(*keys, cash_effect="effect", cash_low="low", cash_high="high"),
            on=keys,
            how="left",
        )
        .join(treated, on=keys, how="left")
        .with_columns(
            pl.col("treated_cases").fill_null(0),
            treated_cost_cents=pl.when(nobody).then(0).otherwise(pl.col("treated_cost_cents")),
        )
        .sort(pl.col("stage").replace_strict(STAGES, range(len(STAGES)), default=9), "arm")
    )
    return channel_costs(rows)
