"""Complaints: is it getting worse, and whose is it?"""

import polars as pl
import streamlit as st

import ui
from analytics.complaint_rates import weekly_series
from analytics.cusum import complaint_signal, signals_by
from analytics.laney import laney_chart
from charts import complaint_sentences as sentences
from charts import complaint_words as names
from charts import control
from charts import format as words
from figures import complaint_tables as tables
from figures.complaint_causes import upheld
from figures.complaints import (
    Course,
    Measure,
    Overview,
    Whose,
    course_of,
    overview,
    whose,
)
from pages.conduct import complaint_answers, complaint_causes, complaint_owners, one_complaint
from queries import complaint_marts

MEASURES: dict[str, Measure] = {"1,000 attempts": "attempts", "1,000 open cases": "open_cases"}
PARTS = ("Week by week", "Whose", "Answered in time", "What about")
ALL = "All together"


def _weekly_chart(course: Course, measure: Measure, of: str) -> None:
    noun = "attempts" if measure == "attempts" else "open cases"
    points, signal = course.chart.points, course.signal
    ui.heading(
        (f"{words.plain(of)}: " if of != ALL else "") + sentences.weeks_title(course.chart),
        f"Complaints per 1,000 {noun} by week. {sentences.limits_words(course.chart)}"
        + (" Dashed: a signal." if signal.signals.height else ""),
    )
    if points.is_empty():
        st.caption("No whole week lies in the book yet.")
        return
    alarms = signal.signals.select("week", signal=pl.lit("Signal"))
    frame = points.join(alarms, on="week", how="left").with_columns(
        centre=pl.lit(course.chart.centre, pl.Float64)
    )
    columns = ("week", "rate", "low", "high", "centre", "is_outside", "complaints", "exposure")
    outside = points.filter("is_outside").height
    ui.chart(
        frame.select(*columns, "signal"),
        control.weekly(alt=f"Complaints per 1,000 {noun} by week; {outside} outside the limits."),
        key="weekly",
    )
    if power := sentences.power_sentence(signal):
        st.caption(power)


def _excess(course: Course) -> None:
    """On request: the running excess that raises the signal."""
    signal = course.signal
    if signal.reason is not None or not st.toggle("Show what raises a signal", key="excess"):
        return
    st.caption(
        "Complaints beyond what was expected, added up week by week and never below 0: above the"
        f" line ({words.number(signal.limit, decimals=1)}) it raises a signal and starts anew."
    )
    ui.chart(
        signal.points.select("week", "cusum", "limit", "complaints", "expected", "is_signal"),
        control.excess(alt="Running excess of complaints by week, and the limit of the signal."),
        key="excess_chart",
    )


def _tiles(found: Overview) -> None:
    now = found.now
    met = complaint_answers.last_deadline(view)
    held = upheld(view.key, view)
    figures = (
        ("Complaints", words.number(found.rows.height), "received", "In these months."),
        (
            "Per 1,000 attempts",
            words.number(now["attempts"]["rate"], decimals=2),
            f"{words.number(now['attempts']['low'], decimals=2)} to"
            f" {words.number(now['attempts']['high'], decimals=2)}",
            "Complaints over the attempts of these months, with the exact 95 % interval.",
        ),
        (
            "Per 1,000 open cases",
            words.number(now["open_cases"]["rate"], decimals=2),
            "a month",
            "Complaints over the cases open at the end of each week, as case-months.",
        ),
        (
            "In time",
            words.percent(met["share"]) if met["due"] else words.MISSING,
            f"of {words.number(met['due'])} due",
            "Of the complaints that fell due in these months, those closed in time.",
        ),
        ("Overdue", words.number(met["overdue_stock"]), "open", "Open past their due day."),
        (
            "Upheld",
            words.percent(held["share"]),
            f"of {words.number(held['resolved'])} resolved",
            "Upheld wholly or in part, of those received in these months and resolved.",
        ),
    )
    with st.container(horizontal=True, key="tiles"):
        for label, value, note, help in figures:
            st.metric(
                label, words.plain(value), None, delta_description=words.plain(note), border=True,
                width=170, help=help,
            )  # fmt: skip


def _signals(found: Whose, label: str) -> None:
    signals, series = found.found.signals, found.found.series
    judged = series.filter(pl.col("judged_weeks") > 0).height
    ui.heading(
        f"Signals by {label.lower()}",
        sentences.alarms_words(
            found.found.expected_false_alarms,
            signals.height,
            judged=judged,
        )
        + (
            " Each is held against its own past, so a fault of many years gives none."
            if judged
            else ""
        ),
    )
    if not judged:
        return
    rows = series.join(
        signals.group_by("name").agg(pl.col("since").max(), pl.col("week").max()),
        on="name",
        how="left",
    ).sort("week", "expected", descending=True, nulls_last=True)
    shown = rows.select(
        pl.col("name").alias(label),
        pl.col("expected").alias("Usual a week"),
        pl.col("weeks_to_find").alias("Doubling seen in"),
        pl.col("since").alias("Rising since"),
        pl.col("week").alias("Signalled"),
    )
    st.dataframe(
        shown if signals.height else shown.drop("Rising since", "Signalled"),
        hide_index=True,
        placeholder=words.MISSING,
        alt=f"Signals by {label.lower()}",
        column_config={
            label: st.column_config.TextColumn(width=125),
            "Usual a week": st.column_config.NumberColumn(format="%.1f", width=85),
            "Doubling seen in": st.column_config.NumberColumn(format="%d weeks", width=110),
            "Rising since": st.column_config.DateColumn(format="D MMM YYYY", width=95),
            "Signalled": st.column_config.DateColumn(format="D MMM YYYY", width=95),
        },
    )


def _weeks() -> None:
    """The weekly chart, headline figures, and signals by the chosen dimension."""
    left, right = st.columns([3, 2], gap="medium")
    with left:
        of = ui.pick("Weeks of", (ALL, *part.weeks["name"].unique().sort()), key="weeks_of")
        course = found.course if of == ALL else course_of(f"{view.key} {by} {measure}", of, part)
        _weekly_chart(course, measure, of)
    with right:
        _tiles(found)
    weekly = tables.rates(course.chart.points)
    ui.evidence("weekly_complaints", weekly, laney_chart, weekly_series, of="weekly complaints")
    _excess(course)
    ui.evidence("complaint_signal", course.signal.points, complaint_signal, of="signal")
    _signals(part, label)
    series = tables.series(part.found.series)
    ui.evidence("signals_by", series, signals_by, of=f"signals by {label.lower()}")


view = ui.open_conduct_page(
    "Complaints",
    "Is it getting worse, and whose is it?",
    shows="whether complaints rise, whose they are, and whether they are answered in time",
)
picked = one_complaint.chosen_complaint(view)
if picked is not None:
    one_complaint.show(view, picked)
    st.stop()

with st.container(horizontal=True, key="complaint_choices"):
    label = ui.pick("By", tuple(names.DIMENSIONS), key="complaints_by")
    measure = MEASURES[ui.segmented("Per", tuple(MEASURES), key="per")]
by = names.DIMENSIONS[label]
found = overview(f"{view.key} {measure}", measure, view)
is_empty = not found.rows.height and not found.course.chart.points["complaints"].sum()
if is_empty and not complaint_answers.waiting(view):  # what waits may have come since
    ui.nothing_to_show(
        view,
        "No complaint was received in these months. Choose more months.",
        of=complaint_marts.counted,
        counts=("complaints",),
    )
part = whose(f"{view.key} {by} {measure}", by, measure, view)

ui.say(
    [
        sentences.rate_sentence(
            found.now[measure], found.before, measure=measure, window=view.chosen.window,
            as_of=view.chosen.as_of,
        ),
        *sentences.signal_sentences(
            found.course.signal, part.found.signals, judged=found.course.signal.judged_from,
            by_chance=part.found.expected_false_alarms,
        ),
    ]
)  # fmt: skip
tabs = dict(zip(PARTS, ui.tabs(PARTS, key="complaints_part"), strict=True))
with tabs["Week by week"] as tab:
    if tab.open:
        _weeks()
with tabs["Whose"] as tab:
    if tab.open:
        complaint_owners.show(view, part, label, measure, found.now[measure]["rate"])
with tabs["Answered in time"] as tab:
    if tab.open:
        complaint_answers.show(view)
with tabs["What about"] as tab:
    if tab.open:
        complaint_causes.show(view, found)
