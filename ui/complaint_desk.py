"""Following a complaint up: a form for its owner, its next step and notes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import streamlit as st

from appdata.complaint_history import Entry, history, owners
from appdata.complaint_input import EntryRefused, Plan
from appdata.complaints import ComplaintChanged, follow_up
from appdata.database import AppDatabaseUnavailable
from appdata.retention import Erasure, erased
from charts import format as words
from ui.complaint_history import show_entry, show_history
from ui.complaint_queue import erase_notes
from ui.targets import LOCAL, signed_in
from warehouse.settings import app_database_url

_FIELDS = ("owner", "next_step", "next_due")


@dataclass
class _Desk:
    """What one reader's form was filled from, and what he is to be told."""

    seen: int
    plan: Plan
    names: list[str]
    newer: list[tuple[Entry, Plan]] = field(default_factory=list)
    said: str = ""
    refused: str = ""


@st.fragment
def follow_up_complaint(complaint_id: str) -> None:
    """A form for one complaint's owner, next step and notes; below it all that was done so far.

    What is saved is kept with who and when, and nothing of it can be changed.
    """
    st.subheader("What is done about it", anchor=False)
    by = signed_in()
    if by is None:
        st.info("Sign in to see what is done about it, and to add to it.", icon=":material/lock:")
        return
    if said := erase_notes(app_database_url(), by):
        st.warning(said, icon=":material/database_off:")
    entries: list[Entry] | None = None
    gone: list[Erasure] = []
    try:
        entries, gone = history(complaint_id), erased(complaint_id)
        if _key("note", complaint_id) not in st.session_state:
            _open(complaint_id, by, entries)
    except AppDatabaseUnavailable as error:
        st.warning(
            f"{error} What is done about this complaint is not shown; its figures stay right.",
            icon=":material/database_off:",
        )
    above: list[int] = []
    if _key("note", complaint_id) in st.session_state:  # what was typed stays, whatever happens
        above = _form(complaint_id, by)
    if entries is not None:
        show_history(entries, gone, above=above)


def _key(name: str, complaint_id: str) -> str:
    return f"desk_{name} {complaint_id}"


def _open(complaint_id: str, by: str, entries: list[Entry]) -> None:
    """Fill the form from how the complaint stands now."""
    seen, plan = (entries[0].version, entries[0].plan) if entries else (0, Plan())
    names = dict.fromkeys([plan.owner or "", "" if by == LOCAL else by, *owners()])
    desk = st.session_state.get(_key("desk", complaint_id))
    said = desk.said if desk else ""
    st.session_state[_key("desk", complaint_id)] = _Desk(
        seen, plan, [name for name in names if name], said=said
    )
    for name in _FIELDS:
        st.session_state[_key(name, complaint_id)] = getattr(plan, name)
    st.session_state[_key("note", complaint_id)] = ""


def _form(complaint_id: str, by: str) -> list[int]:
    """Draw the form, and above it what the reader is to be told: those versions."""
    desk: _Desk = st.session_state[_key("desk", complaint_id)]
    _tell(desk)
    with st.form(_key("form", complaint_id), enter_to_submit=False):
        left, middle, right = st.columns([3, 5, 2])
        with left:
            st.selectbox(
                "Owner",
                desk.names,
                index=None,
                placeholder="Nobody yet; choose or type",
                accept_new_options=True,
                key=_key("owner", complaint_id),
            )
        with middle:
            st.text_input(
                "Next step", key=_key("next_step", complaint_id), placeholder="None",
                autocomplete="off",
            )  # fmt: skip
        with right:
            st.date_input(
                "Due", value=None, key=_key("next_due", complaint_id), format="YYYY-MM-DD"
            )
        st.text_area(
            "Note",
            key=_key("note", complaint_id),
            placeholder="What was done. It cannot be changed afterwards.",
        )
        st.form_submit_button(
            "Save", key=_key("save", complaint_id),
            on_click=_save, args=(complaint_id, by),
        )  # fmt: skip
    return [one.version for one, _ in desk.newer]


def _tell(desk: _Desk) -> None:
    """What became of the last click, once; what somebody else wrote, until it is answered."""
    if desk.said:
        st.success(desk.said, icon=":material/check:")
    if desk.refused:
        st.error(f"{desk.refused} Nothing was saved.", icon=":material/error:")
    desk.said = desk.refused = ""
    if not desk.newer:
        return
    names = words.listing(list(dict.fromkeys(words.plain(one.written_by) for one, _ in desk.newer)))
    with st.container(key="desk_newer"):
        st.warning(
            f"Nothing was saved: {names} wrote about this complaint since you opened it. What you"
            " typed is still in the form, and what you had not changed is as it stands now. Read"
            " this, then save again.",
            icon=":material/group:",
        )
        for entry, before in desk.newer:
            show_entry(entry, before)


def _save(complaint_id: str, by: str) -> None:
    """Keep what is in the form; runs before the page is drawn again."""
    desk: _Desk = st.session_state[_key("desk", complaint_id)]
    plan = Plan(*(st.session_state[_key(name, complaint_id)] or None for name in _FIELDS))
    note = st.session_state[_key("note", complaint_id)]
    try:
        follow_up(complaint_id, desk.seen, plan, note if note.strip() else None, by=by)
    except (EntryRefused, AppDatabaseUnavailable) as error:
        desk.refused = str(error)
    except ComplaintChanged as changed:
        _take_over(complaint_id, desk, changed)
    else:
        desk.said = f"Saved by {words.plain(by)}, {words.moment(_now())} UTC."
        for name in (*_FIELDS, "note"):  # the form is filled anew
            del st.session_state[_key(name, complaint_id)]


def _take_over(complaint_id: str, desk: _Desk, changed: ComplaintChanged) -> None:
    """Go on from what somebody else wrote, in the fields that the reader had not changed."""
    newest = changed.newest.plan if changed.newest else Plan()
    for name in _FIELDS:
        key = _key(name, complaint_id)
        if (st.session_state[key] or None) == getattr(desk.plan, name):
            st.session_state[key] = getattr(newest, name)
    before = [desk.plan, *(one.plan for one in changed.newer)]
    desk.newer += zip(changed.newer, before, strict=False)
    desk.seen, desk.plan = (changed.newest.version if changed.newest else 0), newest
    desk.names = list(dict.fromkeys([*([newest.owner] if newest.owner else []), *desk.names]))
    if not changed.newer:
        desk.refused = f"{changed} It was put back to an earlier copy."


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
