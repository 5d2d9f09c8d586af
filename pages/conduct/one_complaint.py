"""One complaint followed from receipt to closure: its timeline, its case, the contacts around."""

from datetime import date, datetime
from typing import Any, NoReturn

import polars as pl
import streamlit as st

import ui
from analytics.complaint_deadlines import due_dates
from analytics.working_days import WorkingDays
from charts import channel_words
from charts import complaint_answer_sentences as sentences
from charts import complaint_words as names
from charts import format as words
from charts.rule_record_sentences import OUTCOMES
from charts.segment_words import planned
from figures.complaint_answers import deadlines
from figures.complaints import known_until
from figures.working_days import working_days
from queries import complaint_marts
from queries.complaint_contacts import DAYS_AFTER, DAYS_BEFORE, MOST, case_of, contacts_around

KEY, NEXT, _VISITS = "complaint", "next_complaint", "complaints_visited"
_STEPS = (
    ("contact_at", "Contact"),
    ("received_at", "Received"),
    ("acknowledged_at", "Acknowledged"),
    ("responded_at", "Responded to"),
    ("resolved_at", "Resolved"),
    ("appealed_at", "Appealed"),
)


def go_to(complaint_id: str) -> NoReturn:
    """Follow a complaint."""
    st.session_state[NEXT] = complaint_id
    st.session_state[_VISITS] = st.session_state.get(_VISITS, 0) + 1
    st.rerun()


def fresh(key: str) -> str:
    """A key that changes with every visit: a table one comes back to must not repeat the click."""
    return f"{key}_{st.session_state.get(_VISITS, 0)}"


def chosen_complaint(view: ui.View) -> dict[str, Any] | None:
    """The complaint of the address, of a click or of the field, if there is such a one."""
    if NEXT in st.session_state:
        st.session_state[KEY] = st.session_state.pop(NEXT)
    elif KEY in st.session_state:
        st.session_state[KEY] = st.session_state[KEY]
    with st.sidebar:
        asked = st.text_input(
            "One complaint",
            key=KEY,
            placeholder="All; type an id",
            max_chars=200,
            bind="query-params",
            persist_state="session",
        )
    asked = (asked or "").strip()
    if not asked:
        return None
    found = complaint_marts.one_complaint(view.marts, asked)
    if found is None:
        st.warning(
            f"There is no complaint {words.plain(asked)} in this book: you see all.",
            icon=":material/link_off:",
        )
    return found


def _all_complaints() -> None:
    st.session_state[KEY] = ""


def show(view: ui.View, row: dict[str, Any]) -> None:
    """Draw one complaint, with the way back."""
    st.button(
        "All complaints", icon=":material/arrow_back:", on_click=_all_complaints, type="tertiary",
        key="all_complaints",
    )  # fmt: skip
    st.header(f"Complaint {words.plain(row['complaint_id'])}", anchor=False)
    st.caption(words.plain(_what(row)))
    left, right = st.columns([2, 3], gap="large")
    with left:
        _timeline(view, row)
    with right:
        _owner(row)
        _case(row)
    _contacts(row)
    ui.follow_up_complaint(row["complaint_id"])


def _what(row: dict[str, Any]) -> str:
    parts = [
        f"Grade {names.GRADES.get(row['grade'], row['grade'])}",
        names.CATEGORIES.get(row["category"], row["category"]),
        names.INTAKES.get(row["intake"], row["intake"]),
        row["product"],
        row["region"],
    ]
    return " · ".join(str(one) for one in parts if one)


def _timeline(view: ui.View, row: dict[str, Any]) -> None:
    st.subheader("Timeline", anchor=False)
    steps = [(row[name], label) for name, label in _STEPS if row[name] is not None]
    pack, _ = ui.deadline_pack(view)
    due = complaint_due(row, pack, working_days(view))
    lines = [(at, f"**{label}** {words.moment(at)}") for at, label in steps]
    lines += [(at, _due_line(row, step, at, known_until(view))) for step, at in due]
    for _, line in sorted(lines, key=lambda one: one[0]):
        st.markdown(line)
    if row["outcome"]:
        st.markdown(f"**Outcome** {names.OUTCOMES.get(row['outcome'], row['outcome'])}")
    elif row["resolved_at"] is None:
        st.markdown("**Open**")
    if row["appeal_outcome"]:
        st.markdown(f"**Appeal** {words.plain(row['appeal_outcome']).capitalize()}")
    if row["compensation_cents"] is not None:
        st.markdown(f"**Compensation** {words.money(row['compensation_cents'], exact=True)}")
    if row["resolved_at"] is not None and row["resolved_at"] < row["received_at"]:
        st.caption("It is recorded as resolved before it was received: its times are not counted.")


def _due_line(row: dict[str, Any], step: str, at: datetime, known: date) -> str:
    """When a step falls due, and how long it is overdue on the last day that is known."""
    line = f"**Due to be {names.STEPS[step].lower()}** {words.day(at.date())}"
    if row[f"{step}_at"] is not None or row["resolved_at"] is not None:
        return line
    late = sentences.overdue_words((known - at.date()).days)
    return f"{line}: {late} on {words.day(known)}" if late else line


def complaint_due(
    row: dict[str, Any], pack: Any, calendar: WorkingDays
) -> list[tuple[str, datetime]]:
    """When each step falls due by the pack in use."""
    times = ("received_at", "acknowledged_at", "responded_at", "resolved_at")
    frame = pl.DataFrame(
        {**{name: [row[name]] for name in times}, "deadline_class": [row["deadline_class"]]},
        schema={**{name: pl.Datetime("us") for name in times}, "deadline_class": pl.String},
    )
    found = []
    for one in deadlines(pack):
        received = row["received_at"].date()
        due_on = due_dates(frame, one, as_of=received, calendar=calendar)["due_on"][0]
        if due_on is not None:
            found.append((one.step, datetime.combine(due_on, datetime.max.time())))
    return found


def _owner(row: dict[str, Any]) -> None:
    st.subheader("Whose it is", anchor=False)
    st.markdown(sentences.attributed_words(row["attributed_by"]))
    parts = {
        "Collector": row["collector_id"],
        "Team": row["team"],
        "Agency": row["agency_id"],
        "Channel": channel_words.CHANNELS.get(row["channel"], row["channel"]),
        "Contact": row["contact_id"],
        "Loan": row["loan_id"],
        "Borrower": row["customer_id"],
    }
    lines = [f"**{name}** {words.plain(value)}" for name, value in parts.items() if value]
    st.markdown(" · ".join(lines) or "It names no contact, case or borrower.")


def _case(row: dict[str, Any]) -> None:
    if row["case_id"] is None:
        st.caption("It is about no case.")
        return
    st.subheader(f"Case {words.plain(row['case_id'])}", anchor=False)
    found = ui.drill(case_of(row["case_id"]))
    if found is None:
        return
    if found.is_empty():
        st.caption("The warehouse has no such case.")
        return
    case = found.row(0, named=True)
    parts = {
        "Opened": words.day(case["opened_on"]),
        "Days late then": words.number(case["opening_days_past_due"]),
        "Owner": case["collector_id"],
        "Team": case["team"],
        "Agency": case["agency_id"],
        "Planned": planned(case["strategy"]) if case["strategy"] else None,
        "Closed": words.day(case["closed_on"]) if case["closed_on"] else "open",
        "As": (case["close_reason"] or "").replace("_", " "),
        "Attempts on it in the month": words.number(row["case_attempts"]),
    }
    st.markdown(" · ".join(f"**{name}** {words.plain(one)}" for name, one in parts.items() if one))


def _contacts(row: dict[str, Any]) -> None:
    ui.heading(
        "Contacts around it",
        f"On the same loan, from {DAYS_BEFORE} days before the receipt to {DAYS_AFTER} after.",
    )
    if row["loan_id"] is None:
        st.caption("It is about no loan that is known, so there are no contacts to show.")
        return
    found = ui.drill(contacts_around(row["loan_id"], row["received_at"]))
    if found is None:
        return
    if found.is_empty():
        st.caption("No contact was made then.")
        return
    named = pl.col("contact_id") == pl.lit(row["contact_id"], pl.String)
    st.dataframe(
        found.select(
            pl.col("contacted_at").alias("When"),
            pl.when(named).then(pl.lit("named in the complaint")).alias("Note"),
            pl.col("direction").str.to_titlecase().alias("Direction"),
            pl.col("channel").replace(channel_words.CHANNELS).alias("Channel"),
            pl.col("outcome").replace(OUTCOMES).alias("Outcome"),
            pl.col("collector_id").alias("Collector"),
            pl.col("contact_id").alias("Contact"),
            pl.col("case_id").alias("Case"),
        ),
        hide_index=True,
        placeholder=words.MISSING,
        alt="Contacts around the complaint",
        column_config={
            "When": st.column_config.DatetimeColumn("When", format="D MMM YYYY, HH:mm"),
            "Note": st.column_config.TextColumn("Note", width=165),
        },
    )
    if found.height == MOST:
        st.caption(f"The first {MOST}.")
