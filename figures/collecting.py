"""What Health says of collecting: cash, recovery against targets, cost to collect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
import streamlit as st

import ui
from analytics.changes import Change, latest_change
from analytics.money import cost_to_collect
from analytics.recovery import cohort_recovery
from analytics.targets import target_attainment
from appdata.targets import Targets
from figures.choices import of_all_segments
from figures.late_placements import with_late_placements
from queries import recovery
from queries.filters import months_before

HISTORY = 25
PERIOD = 12  # months of opening that a target is judged on


@dataclass(frozen=True)
class Collecting:
    """Cash by month; recovery by month of opening, with what the targets' cases attained; cost.

    `late_by_case`: late placements stand in for late spells of lateness, of which there are none.
    """

    cash: pl.DataFrame
    recovery: Mapping[str, pl.DataFrame]
    attained: Mapping[str, Mapping[str, Any]]
    late_by_case: bool
    cost: pl.DataFrame
    changes: Mapping[str, Change]


def collecting(view: ui.View, targets: Targets) -> Collecting | None:
    """None where the book lacks cases or payments, or its marts are older than these figures."""
    if not all(view.book.table_rows.get(name) for name in ("cases", "payments")):
        return None
    if not recovery.is_there(view.marts):
        return None
    # cases have neither a basis nor a weight: a change of these finds what is there
    view = replace(view, chosen=replace(view.chosen, basis="days", window=HISTORY))
    return _collecting(f"{view.version} {view.chosen!r} {targets!r}", view, targets)


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def _collecting(key: str, _view: ui.View, _targets: Targets) -> Collecting:
    view, chosen = _view, _view.chosen
    months = ui.load(view, recovery.collections_months)
    before = months_before(chosen.as_of, PERIOD)
    every = ui.load(view, recovery.target_cohorts)
    cells, by_case = with_late_placements(view, every, after=before)
    period = cells.filter(pl.col("opened_month") > before)
    attained, rates = {}, cohort_recovery(period, by=["stage"])
    for metric, (stage, _) in recovery.TARGETED.items():
        own = period.filter(stage=stage)
        if own.height:
            target = _targets.for_book(metric)
            row = target_attainment(own, target=target).row(0, named=True)
            rate = rates.row(by_predicate=pl.col("stage") == stage, named=True)
            attained[metric] = {**row, "target": target, "rate": rate["rate"]}
    cash = months.select("month", value="owner_cents").sort("month")
    cost = _cost(f"{view.version} {chosen.as_of}", view)
    series = {
        "collected": cash.filter(pl.col("value") > 0).with_columns(pl.col("value").log()),
        "cost": cost.select("month", value="rate").drop_nulls() if cost.height else cost,
    }
    courses = cohort_recovery(cells, by=["stage", "opened_month"], cash="clipped")
    courses = courses.sort("opened_month")  # as the targets count it
    return Collecting(
        cash=cash,
        recovery={
            metric: courses.filter(stage=stage).select(month="opened_month", value="rate")
            for metric, (stage, _) in recovery.TARGETED.items()
        },
        attained=attained,
        late_by_case=by_case,
        cost=cost,
        changes={name: latest_change(one) for name, one in series.items() if one.height},
    )


@st.cache_resource(max_entries=64, ttl=3600, show_spinner=False)
def _cost(key: str, _view: ui.View) -> pl.DataFrame:
    """Cost to collect by month; costs know no segments, so it is of the whole book."""
    if not _view.book.table_rows.get("costs"):
        return pl.DataFrame()
    book = of_all_segments(_view)
    cash = ui.load(book, recovery.collections_months).select("month", cash_cents="owner_cents")
    return cost_to_collect(ui.load(book, recovery.spending), cash)
