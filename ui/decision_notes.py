"""Around a decision: the notes that are added later, and the ways to and from it."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st
from streamlit.errors import StreamlitPageNotFoundError

from appdata.database import AppDatabaseUnavailable
from appdata.decisions import DecisionGone, DecisionRefused, Note, annotate, notes_of
from charts import format as words
from ui.targets import signed_in

DECISIONS, SIMULATOR = "decisions", "simulator"
LONG = 1500  # characters of a note that would fill the screen


def may_see(what: str) -> bool:
    """Whether somebody is signed in, where the server has a login; else a sentence says so."""
    if signed_in() is None:
        st.info(f"Sign in to see {what}.", icon=":material/lock:")
        return False
    return True


def open_simulator(strategy_id: str) -> None:
    """The way from a decision to its strategy."""
    link(SIMULATOR, "Open it in the simulator", strategy=strategy_id)


def link(page: str, label: str, **query: str) -> None:
    """A link to a page of this app, or to its address where it runs by itself."""
    try:
        st.page_link(
            f"pages/strategy/{page}.py", label=label, icon=":material/arrow_forward:",
            query_params=query,
        )  # fmt: skip
    except StreamlitPageNotFoundError:
        st.markdown(f"[{label}]({page}?{urlencode(query)})")


@st.fragment
def decision_notes(decision_id: str) -> None:
    """The notes of a decision, newest first, and a form to add one."""
    by = signed_in()
    if by is None:
        st.info("Sign in to read notes and to add one.", icon=":material/lock:")
        return
    key, told = f"decision_note {decision_id}", f"decision_told {decision_id}"
    with st.form(f"decision_form {decision_id}", enter_to_submit=False):
        st.text_area("Note", key=key, placeholder="It cannot be changed afterwards.", height=80)
        if said := st.session_state.pop(told, None):
            st.error(f"{said} Nothing was saved.", icon=":material/error:")
        st.form_submit_button(
            "Add the note", key=f"decision_add {decision_id}",
            on_click=_add_note, args=(decision_id, by, key, told),
        )  # fmt: skip
    try:
        kept = notes_of(decision_id)
    except AppDatabaseUnavailable as error:
        st.warning(f"{error} Notes are not shown.", icon=":material/database_off:")
        return
    if not kept:
        st.caption("Nobody has added a note yet.")
    for note in kept:
        _show_note(note)


def _add_note(decision_id: str, by: str, key: str, told: str) -> None:
    try:
        annotate(decision_id, st.session_state[key], by=by)
    except (DecisionRefused, DecisionGone, AppDatabaseUnavailable) as error:
        st.session_state[told] = str(error)
    else:
        st.session_state[key] = ""


def _show_note(note: Note) -> None:
    with st.container(border=True):
        st.caption(f"{words.plain(note.written_by)}, {words.moment(note.written_at)} UTC")
        with st.container(height=300 if len(note.words) > LONG else "content", border=False):
            st.text(note.words)  # neither Markdown nor HTML
