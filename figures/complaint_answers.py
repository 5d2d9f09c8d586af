"""Complaints answered: how soon, within their deadlines, and what waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
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
from queries import complaint_marts as marts
from queries.loan_states import month_open

CURVE_DAYS = 90


@dataclass(frozen=True)
class Answers:
    """Times to each step, deadlines of the pack, and the open queue of the one chosen.

    `until`: the last day on which anything is known.  `met`: a row for each deadline of the pack.
    `queue`: bands of age; `waiting`: the open complaints, the one due first on top.
    """

    until: date
    times: Mapping[str, Times]
    curve: pl.DataFrame
    met: pl.DataFrame
    trend: pl.DataFrame
    queue: pl.DataFrame
    waiting: pl.DataFrame
    unknown_class: int


def deadlines(pack: Any) -> tuple[Deadline, ...]:
    return deadlines_of(pack.deadlines, pack.default_class)


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def answers(key: str, digest: str, place: int, _view: ui.View, _pack: Any) -> Answers:
    """Cached by the view's key, the pack's digest and which of its deadlines is looked at."""
    view, chosen = _view, _view.chosen
    until, every = known_until(view), every_complaint(view)
    rows = marts.in_window(every, chosen)
    times: dict[str, Times] = {
        event: complaint_times(rows, event=event, as_of=until) for event in EVENTS
    }
    period = (month_open(chosen.months()[0]), chosen.as_of)
    made = deadlines(_pack)
    dated = {one.name: due_dates(every, one, as_of=until) for one in made}
    met = [
        within_deadline(dated[one.name], period=period, as_of=until).select(
            pl.lit(one.name).alias("name"), pl.lit(one.step).alias("step"), pl.all()
        )
        for one in made
    ]
    looked_at = dated[made[place].name]
    by_month = looked_at.with_columns(month=pl.col("due_on").dt.month_end())
    waits = pl.col("state").is_in(["open", "overdue", "no_deadline"])
    return Answers(
        until=until,
        times=times,
        curve=_curves(times),
        met=pl.concat(met),
        trend=within_deadline(
            by_month.drop_nulls("month"), period=period, as_of=until, by=["month"]
        ),
        queue=open_queue(looked_at, as_of=until),
        waiting=looked_at.filter(waits).sort("due_on", "complaint_id", nulls_last=True),
        unknown_class=marts.in_window(looked_at, chosen).filter("class_unknown").height,
    )


def _curves(times: Mapping[str, Times]) -> pl.DataFrame:
    """Shares done by day for each step; `is_named`: the first day by which half are, else the
    last."""
    parts = []
    for event, one in times.items():
        if one.curve.is_empty():
            continue
        rows = one.curve.filter(pl.col("day") <= CURVE_DAYS)
        day = pl.col("day")
        half = day.filter(pl.col("incidence") >= 0.5).min()
        parts.append(
            rows.select(
                "day", "low", "high", "at_risk", series=pl.lit(event), value="incidence",
                is_named=day == pl.coalesce(half, day.max()),
            )
        )  # fmt: skip
    return pl.concat(parts) if parts else pl.DataFrame()
