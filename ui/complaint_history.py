"""What was done about a complaint, as it was typed: characters, never Markdown or HTML."""

from __future__ import annotations

from collections.abc import Container, Sequence

import streamlit as st

from appdata.complaint_history import Entry
from appdata.complaint_input import Plan
from appdata.retention import Erasure
from charts import format as words
from charts.sentences import plural

IN_SIGHT = 10  # entries shown before one asks for the others
LONG = 1500  # characters of a note that would fill the screen


def show_history(
    entries: Sequence[Entry], erasures: Sequence[Erasure], *, above: Container[int] = ()
) -> None:
    """Every entry, newest first, but for versions shown `above`; and what was erased since."""
    if not entries:
        st.caption("Nobody has done anything about it here yet.")
    before = [*(one.plan for one in entries), Plan()][1:]
    rows = [
        (entry, plan)
        for entry, plan in zip(entries, before, strict=True)
        if entry.version not in above
    ]
    for entry, plan in rows[:IN_SIGHT]:
        show_entry(entry, plan)
    if rows[IN_SIGHT:]:
        box = st.expander(
            f"{words.number(len(rows) - IN_SIGHT)} earlier",
            key=f"desk_earlier {entries[0].complaint_id}",
            on_change="rerun",
            icon=":material/history:",
        )
        if box.open:
            with box:
                for entry, plan in rows[IN_SIGHT:]:
                    show_entry(entry, plan)
    for one in erasures:
        st.caption(words.plain(erasure_words(one)))


def show_entry(entry: Entry, before: Plan) -> None:
    """One entry: who, when, what he changed of the plan before it, and his note."""
    with st.container(border=True):
        st.caption(f"{words.plain(entry.written_by)}, {words.moment(entry.written_at)} UTC")
        if changes := _changes(entry, before):
            st.markdown(" · ".join(changes))
        if entry.note is not None:
            long = len(entry.note) > LONG
            with st.container(height=300 if long else "content", border=False):
                st.text(entry.note)
        elif entry.has_note:
            st.caption("Its note is kept no longer.")


def _changes(entry: Entry, before: Plan) -> list[str]:
    """What an entry changed of the plan before it."""
    plan, found = entry.plan, []
    if plan.owner != before.owner:
        found.append(f"**Owner** {words.plain(plan.owner) if plan.owner else 'nobody'}")
    if entry.step_version == entry.version:
        step = words.plain(plan.next_step) if plan.next_step else "kept no longer"
        found.append(f"**Next step** {step}")
    elif entry.step_version is None and before.next_step:
        found.append("**Next step** none")
    if plan.next_due != before.next_due:
        found.append(f"**Due** {words.day(plan.next_due) if plan.next_due else 'no day'}")
    return found


def erasure_words(one: Erasure) -> str:
    """What was erased, when, and by whose doing.

    >>> import datetime as dt
    >>> erasure_words(Erasure("G1", 2, 1, 730, "ana", dt.datetime(2026, 7, 1, 12)))
    '2 notes and 1 next step, older than 730 days, erased 1 July 2026, 12:00 UTC (ana).'
    """
    parts = [
        plural(count, noun)
        for count, noun in ((one.notes, "note"), (one.next_steps, "next step"))
        if count
    ]
    return (
        f"{words.listing(parts)}, older than {one.kept_days} days, erased"
        f" {words.moment(one.erased_at)} UTC ({one.erased_by})."
    )
