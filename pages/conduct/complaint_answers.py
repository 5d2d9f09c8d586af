"""Complaints: answered in time, and what waits."""

from typing import Any

import polars as pl
import streamlit as st

import ui
from analytics.complaint_deadlines import due_dates, open_queue, within_deadline
from analytics.complaint_times import complaint_times
from charts import complaint_answer_sentences as sentences
from charts import complaint_words as names
from charts import curves, queues, waits
from charts import format as words
from charts.palette import CATEGORIES, SERIES
from figures import complaint_tables as tables
from figures.complaint_answers import Answers, answers, deadlines
from figures.working_days import calendar_words
from pages.conduct import one_complaint

SHADES = dict(zip(names.STEPS, CATEGORIES, strict=False))
MOST_WAITING = 200
ROWS_IN_SIGHT = 7


def last_deadline(view: ui.View) -> dict[str, Any]:
    """How many of those due were closed in time, by the pack's last deadline."""
    return _found(view)[0].met.row(-1, named=True)


def waiting(view: ui.View) -> int:
    """How many complaints are open."""
    return _found(view)[0].waiting.height


def _found(view: ui.View, place: int = -1) -> tuple[Answers, Any, str | None]:
    pack, refusal = ui.deadline_pack(view)
    made = deadlines(pack)
    place = place % len(made)
    return answers(f"{view.key}", pack.digest, place, view, pack), pack, refusal


def show(view: ui.View) -> None:
    """Deadlines, the open queue, and how long answers take."""
    found, pack, refusal = _found(view)
    if refusal:
        st.warning(words.plain(refusal), icon=":material/rule:")
    made = deadlines(pack)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _deadlines(view, found, pack)
    with right:
        if len(made) > 1:
            labels = {_named(one.name): place for place, one in enumerate(made)}
            label = ui.pick("Waiting for", tuple(reversed(labels)), key="deadline")
            found, _, _ = _found(view, labels[label])
        _queue(found)
    _waiting(found)
    _times(found)


def _named(name: str) -> str:
    return names.STEPS.get(name, name.capitalize())


def _deadlines(view: ui.View, found: Answers, pack: Any) -> None:
    row, queue = found.met.row(-1, named=True), _sums(found.queue)
    ui.heading(
        "Answered in time?",
        f"Of the complaints that fell due in these months, not of those received. Deadlines:"
        f" {words.plain(pack.title)}, {words.plain(pack.jurisdiction)}. {calendar_words(view)} Not"
        " legal advice.",
    )
    window, as_of = view.chosen.window, view.chosen.as_of
    st.markdown(
        " ".join(
            [
                *sentences.deadline_sentences(row, queue, window=window, as_of=as_of),
                sentences.unknown_class_words(found.unknown_class),
            ]
        )
    )
    trend = found.trend.filter(pl.col("share").is_not_null())
    if trend.height > 1:
        course = trend.select("month", "low", "high", series=pl.lit("share"), value="share")
        ui.chart(
            course,
            curves.lines(
                course,
                {"share": SERIES},
                alt="Share closed in time by the month in which they fell due.",
                labels={"share": "In time"},
                with_band=True,
                height=220,
            ),
            key="in_time",
        )
    ui.evidence("deadlines", found.met, within_deadline)
    with st.expander("The deadlines in words", icon=":material/gavel:"):
        for one in pack.deadlines:
            st.markdown(f"- {words.plain(one.sentence)} ({words.plain(one.source)})")


def _sums(queue: pl.DataFrame) -> dict[str, Any]:
    return queue.select(pl.col("open", "overdue", "due_soon").sum()).row(0, named=True)


def _queue(found: Answers) -> None:
    ui.heading(
        "What waits, by age",
        f"Open on {words.day(found.until)}, by days since receipt, and when they are due.",
    )
    if not found.queue["open"].sum():
        st.caption("No complaint is open.")
        return
    labels = {
        row["band"]: f"{row['band'].replace('-', '–')} days"
        for row in found.queue.iter_rows(named=True)
    }
    frame = found.queue.select(
        pl.col("band").replace(labels).alias("name"), "overdue", "due_soon", "later"
    ).unpivot(("overdue", "due_soon", "later"), index="name", variable_name="state")
    ui.chart(
        frame, queues.by_age(list(labels.values()), alt="Open complaints by age."), key="queue"
    )
    ui.evidence("open_complaints", found.queue, open_queue, due_dates)


def _waiting(found: Answers) -> None:
    ui.heading("Open complaints", "The one due first on top. Choose a row to follow it.")
    if found.waiting.is_empty():
        st.caption("Nothing waits.")
        return
    shown = found.waiting.head(MOST_WAITING)
    shown = shown.join(ui.queue_columns(shown["complaint_id"]), on="complaint_id", how="left",
                       maintain_order="left")  # fmt: skip
    event = st.dataframe(
        shown.select(
            pl.col("complaint_id").alias("Complaint"),
            pl.col("due_on").alias("Due"),
            pl.col("days_left").alias("Days left"),
            pl.col("owner").alias("Owner"),
            pl.col("next_step").alias("Next step"),
            pl.col("next_due").alias("By"),
            pl.col("grade").alias("Grade"),
            pl.col("category").replace_strict(names.CATEGORIES, default=None).alias("Category"),
            pl.col("team").alias("Team"),
            pl.col("received_on").alias("Received"),
        ),
        hide_index=True,
        placeholder=words.MISSING,
        alt="Open complaints, due first on top",
        height=300 if shown.height > ROWS_IN_SIGHT else "content",
        on_select="rerun",
        selection_mode="single-row",
        key=one_complaint.fresh("waiting"),
        column_config={
            name: st.column_config.DateColumn(name, format="D MMM YYYY")
            for name in ("Due", "By", "Received")
        },
    )
    if found.waiting.height > shown.height:
        st.caption(f"The first {MOST_WAITING} of {words.number(found.waiting.height)}.")
    if event.selection.rows:
        one_complaint.go_to(shown["complaint_id"][event.selection.rows[0]])


def _times(found: Answers) -> None:
    rows = [
        (names.STEPS[event], one.summary.row(0, named=True))
        for event, one in found.times.items()
        if one.summary.height
    ]
    ui.heading(
        "How long until the answer",
        "Share of complaints received in these months acknowledged, responded to and resolved by"
        " days since receipt, %, with 95 % interval. Open ones count for as long as they wait.",
    )
    if found.curve.is_empty() or not rows:
        st.caption("There is no complaint in these months to follow.")
        return
    st.markdown(
        f"{sentences.times_sentence(rows)}"
        f" {sentences.excluded_words(max(row['excluded'] for _, row in rows))}"
    )
    ui.chart(
        found.curve,
        waits.done_by_day(
            {one: SHADES[one] for one in names.STEPS},
            names.STEPS,
            alt="Share of complaints acknowledged, responded to and resolved by day.",
            title="Days since receipt",
        ),
        key="times",
    )
    summary = pl.concat(
        [one.summary.select(pl.lit(event).alias("step"), pl.all())
         for event, one in found.times.items()]
    )  # fmt: skip
    ui.evidence(
        "complaint_times", tables.shares_within(tables.ends(summary, "median")), complaint_times
    )
