"""Complaints: is it getting worse, and whose is it?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import polars as pl
import streamlit as st

import ui
from analytics.complaint_rates import complaint_rates, weekly_series
from analytics.cusum import (
    FEWEST_WEEKS,
    JUDGED_WEEKS,
    Signal,
    SignalsBy,
    complaint_signal,
    signals_by,
)
from analytics.gamma_poisson import ShrunkRates, shrink_rates
from analytics.laney import LaneyChart, laney_chart
from charts import complaint_words as names
from charts.agency_sentences import agency_names
from figures.choices import of_the_book
from queries import agencies
from queries import complaint_marts as marts

Measure = Literal["attempts", "open_cases"]
CHART_WEEKS = 104
LIMIT_WEEKS, LIMIT_COMPLAINTS = 12, 5  # with fewer nothing is said of where weeks usually lie
NAME = "name"
# What the exposure is kept by, too; others are measured by the attempts (or cases) of all.
_KEPT = {
    "attempts": ("team", "channel", "agency_id", "region", "product"),
    "open_cases": ("team", "agency_id", "region", "product"),
}


@dataclass(frozen=True)
class Course:
    """Complaints week by week: the chart with its limits, and the signal."""

    chart: LaneyChart
    signal: Signal


@dataclass(frozen=True)
class Overview:
    """All complaints of a choice: rows of the window, rates, and their course.

    `now`, `before`: one row each, the window and the window before it (None outside the book).
    """

    rows: pl.DataFrame
    now: dict[Measure, dict[str, float | None]]
    before: dict[str, float | None] | None
    course: Course


@dataclass(frozen=True)
class Whose:
    """Rates, weeks and signals by one dimension.  `is_kept`: measured by its own attempts (or
    cases)."""

    rates: pl.DataFrame
    weeks: pl.DataFrame
    found: SignalsBy
    is_kept: bool
    nobodys: int


def every_complaint(view: ui.View) -> pl.DataFrame:
    """All complaints of the segments, to the last day on which anything is known of them: a
    hundred thousand are half a second's work, so a choice reads them once."""
    return _every(view.key, view)


@st.cache_resource(max_entries=6, ttl=3600, show_spinner=False)
def _every(key: str, _view: ui.View) -> pl.DataFrame:
    return ui.load(_view, marts.complaints, until=known_until(_view))


def known_until(view: ui.View) -> date:
    """The last day on which complaints are known."""
    return ui.load(view, marts.known_until, as_of=view.book.as_of)["until"][0]


def to_the_month(view: ui.View) -> pl.DataFrame:
    """Those received by the end of the chosen month."""
    return every_complaint(view).filter(pl.col("received_on") <= view.chosen.as_of)


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def overview(key: str, measure: Measure, _view: ui.View) -> Overview:
    view = _view
    every = to_the_month(view)
    rows = marts.in_window(every, view.chosen)
    return Overview(
        rows=rows,
        now={name: _rate(view, rows, name) for name in ("attempts", "open_cases")},
        before=_rate_before(view, every, measure),
        course=_course(_weekly(view, every, measure)),
    )


def _course(weeks: pl.DataFrame) -> Course:
    signal = complaint_signal(weeks, judged_weeks=_judged(weeks))
    until = None
    if signal.reason is None and signal.judged_from is not None:
        until = signal.judged_from - timedelta(days=7)
    chart = laney_chart(
        weeks.tail(CHART_WEEKS),
        baseline_until=until,
        fewest_weeks=LIMIT_WEEKS,
        fewest_complaints=LIMIT_COMPLAINTS,
    )
    return Course(chart, signal)


@st.cache_resource(max_entries=256, ttl=3600, show_spinner=False)
def course_of(key: str, name: str, _found: Whose) -> Course:
    """The course of one team, channel and so on, by its name."""
    return _course(_found.weeks.filter(pl.col(NAME) == name).drop(NAME))


def _exposure(view: ui.View, measure: Measure, by: list[str], back: int = 0) -> pl.DataFrame:
    query = marts.attempts if measure == "attempts" else marts.open_cases
    return ui.load(view, query, by=by, back=back)


def _rate(
    view: ui.View, rows: pl.DataFrame, measure: Measure, back: int = 0
) -> dict[str, float | None]:
    exposure = _exposure(view, measure, [], back)
    return complaint_rates(rows, exposure, measure=measure).row(0, named=True)


def _rate_before(
    view: ui.View, every: pl.DataFrame, measure: Measure
) -> dict[str, float | None] | None:
    """The window before this one, where the book reaches back so far."""
    whole = 2 * view.chosen.window
    if view.book.months.index(view.chosen.as_of) + 1 < whole:
        return None
    return _rate(view, marts.in_window(every, view.chosen, back=1), measure, back=1)


def _weekly(view: ui.View, every: pl.DataFrame, measure: Measure) -> pl.DataFrame:
    """The weeks of the book that are over, with every complaint and what it is measured by."""
    query = marts.weekly_attempts if measure == "attempts" else marts.weekly_cases
    exposure = ui.load(view, query)
    first = _first_week(view)
    return weekly_series(
        every.filter(pl.col("week") >= first),
        exposure.filter(pl.col("week") >= first),
        measure=measure,
        until=view.chosen.as_of,
    )


def _judged(weeks: pl.DataFrame) -> int:
    """Half a year is judged, or what a shorter book leaves after its year of baseline."""
    return min(max(weeks["week"].n_unique() - FEWEST_WEEKS, 1), JUDGED_WEEKS)


def _first_week(view: ui.View) -> date:
    """The first whole week of the book: half a week is no week."""
    first = view.book.months[0].replace(day=1)
    return first + timedelta(days=-first.weekday() % 7)


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def whose(key: str, by: str, measure: Measure, _view: ui.View) -> Whose:
    """Rates of the window and signals, by team, channel and so on."""
    view = _view
    every = to_the_month(view)
    if by in ("team", "channel", "agency_id"):
        nobodys = marts.in_window(every.filter(attributed_by="nobody"), view.chosen).height
        every = every.filter(pl.col("attributed_by") != "nobody")
    else:
        nobodys = 0
    is_kept = by in _KEPT[measure]
    query = marts.weekly_attempts if measure == "attempts" else marts.weekly_cases
    keys = [by] if is_kept else []
    exposure, weekly = _exposure(view, measure, keys), ui.load(view, query, by=keys)
    known = [frame[by].unique() for frame in (every, weekly) if by in frame.columns]
    labels = names.labels(
        by, pl.concat(known).unique().sort(nulls_last=True).to_list(), _agency_names(view)
    )
    every = _named(every, by, labels)

    def spread(frame: pl.DataFrame) -> pl.DataFrame:
        if is_kept:
            return _named(frame, by, labels)
        return frame.join(every.select(NAME).unique(), how="cross")

    rates = complaint_rates(
        marts.in_window(every, view.chosen),
        spread(exposure),
        by=[NAME],
        measure=measure,
    )
    first = pl.col("week") >= _first_week(view)
    weeks = weekly_series(
        every.filter(first),
        spread(weekly.filter(first)),
        measure=measure,
        by=[NAME],
        until=view.chosen.as_of,
    )
    order = pl.col("rate")
    return Whose(
        rates=rates.filter(pl.col("complaints") + pl.col("exposure") > 0).sort(
            order, NAME, descending=[True, False], nulls_last=True
        ),
        weeks=weeks,
        found=signals_by(weeks, by=[NAME], judged_weeks=_judged(weeks)),
        is_kept=is_kept,
        nobodys=nobodys,
    )


def _named(frame: pl.DataFrame, by: str, labels: Mapping[object, str]) -> pl.DataFrame:
    """A column with each value's name."""
    known = pl.DataFrame(
        {by: list(labels), NAME: list(labels.values())},
        schema={by: frame.schema[by], NAME: pl.String},
    )
    return frame.join(known, on=by, how="left", nulls_equal=True)


def _agency_names(view: ui.View) -> dict[str, str]:
    if not view.book.table_rows.get("agencies"):
        return {}
    partners = ui.load(of_the_book(view), agencies.partners)
    return agency_names(partners, partners["agency_id"].to_list())


@dataclass(frozen=True)
class People:
    """Collectors' rates with chance taken out; `unattributed` complaints by why."""

    shrunk: ShrunkRates
    unattributed: int
    automated: int


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def people(key: str, _view: ui.View) -> People:
    view = _view
    rows = marts.in_window(to_the_month(view), view.chosen)
    done = ui.load(view, marts.collectors).drop_nulls("collector_id")
    counts = rows.drop_nulls("collector_id").group_by("collector_id").agg(complaints=pl.len())
    owners = done.join(counts, on="collector_id", how="full", coalesce=True).with_columns(
        pl.col("attempts").fill_null(0), pl.col("complaints").fill_null(0).cast(pl.Int64)
    )
    nobodys = pl.col("attributed_by") == "nobody"
    return People(
        shrunk=shrink_rates(owners.sort("collector_id"), owner="collector_id"),
        unattributed=rows.filter(nobodys).height,
        automated=rows.filter(~nobodys, pl.col("collector_id").is_null()).height,
    )
