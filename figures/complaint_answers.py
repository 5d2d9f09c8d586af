"""Complaints answered: how soon, within their deadlines, and what waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import polars as pl
import streamlit as st

import ui
from analytics.complaint_deadlines import (
    Deadline,
    deadlines_of,
    due_dates,
    open_queue,
    within_deadline,
)
from analytics.complaint_times import EVENTS, Times, complaint_times
from figures.complaints import every_complaint, known_until
from figures.working_days import working_days
from queries import complaint_marts as marts
from queries.loan_states import month_open

CURVE_DAYS = 90


@dataclass(frozen=True)
class Answers:
    """Deadlines of the pack, and of the one chosen the open queue; times to each step.

    `until`: the last day on which anything is known.  `rows`: the complaints of the window.
    `met`: a row for each deadline of the pack.  `dated`: every complaint by the deadline chosen.
    What only one part of the page shows is worked out when it is first shown.
    """

    until: date
    period: tuple[date, date]
    rows: pl.DataFrame
    met: pl.DataFrame
    dated: pl.DataFrame
    unknown_class: int

    @cached_property
    def times(self) -> Mapping[str, Times]:
        return {
            event: complaint_times(self.rows, event=event, as_of=self.until) for event in EVENTS
        }

    @cached_property
    def curve(self) -> pl.DataFrame:
        return _curves(self.times)

    @cached_property
    def trend(self) -> pl.DataFrame:
        by_month = self.dated.with_columns(month=pl.col("due_on").dt.month_end())
        return within_deadline(
            by_month.drop_nulls("month"), period=self.period, as_of=self.until, by=["month"]
        )

    @cached_property
    def queue(self) -> pl.DataFrame:
        """Bands of age."""
        return open_queue(self.dated, as_of=self.until)

    @cached_property
    def waiting(self) -> pl.DataFrame:
        """The open complaints, the one due first on top."""
        waits = pl.col("state").is_in(["open", "overdue", "no_deadline"])
        return self.dated.filter(waits).sort("due_on", "complaint_id", nulls_last=True)


def deadlines(pack: Any) -> tuple[Deadline, ...]:
    return deadlines_of(pack.deadlines, pack.default_class)


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def answers(key: str, digest: str, place: int, _view: ui.View, _pack: Any) -> Answers:
    """Cached by the view's key, the pack's digest and which of its deadlines is looked at."""
    view, chosen = _view, _view.chosen
    until, every = known_until(view), every_complaint(view)
    period = (month_open(chosen.months()[0]), chosen.as_of)
    made, calendar = deadlines(_pack), working_days(view)
    dated = {one.name: due_dates(every, one, as_of=until, calendar=calendar) for one in made}
    met = [
        within_deadline(dated[one.name], period=period, as_of=until).select(
            pl.lit(one.name).alias("name"), pl.lit(one.step).alias("step"), pl.all()
        )
        for one in made
    ]
    looked_at = dated[made[place].name]
    return Answers(
        until=until,
        period=period,
        rows=marts.in_window(every, chosen),
        met=pl.concat(met),
        dated=looked_at,
        unknown_class=marts.in_window(looked_at, chosen).filter("class_unknown").height,
    )


def _curves(times: Mapping[str, Times]) -> pl.DataFrame:
    """Shares done by day for each step."""
    parts = []
    for event, one in times.items():
        if one.curve.is_empty():
            continue
        rows = one.curve.filter(pl.col("day") <= CURVE_DAYS)
        parts.append(
            rows.select("day", "low", "high", "at_risk", series=pl.lit(event), value="incidence")
        )
    return pl.concat(parts) if parts else pl.DataFrame()
