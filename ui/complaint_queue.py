"""Who has each of a list of complaints and what comes next; and notes whose days are over."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl
import streamlit as st

from appdata.complaint_history import standings
from appdata.database import AppDatabaseUnavailable
from appdata.retention import erase_old_notes
from ui.targets import signed_in
from warehouse.settings import app_database_url

QUEUE = {
    "complaint_id": pl.String,
    "owner": pl.String,
    "next_step": pl.String,
    "next_due": pl.Date,
    "notes": pl.Int64,
}
_MINUTES_BETWEEN_ERASURES = 10


@st.cache_data(ttl=60 * _MINUTES_BETWEEN_ERASURES, show_spinner=False)
def erase_notes(url: str, _by: str) -> str:
    """Erase notes whose days are over; a sentence where that must wait."""
    try:
        erase_old_notes(by=_by)
    except AppDatabaseUnavailable as error:
        return f"{error} Old notes are not shown, but they are not erased yet."
    return ""


def queue_columns(complaint_ids: Iterable[str]) -> pl.DataFrame:
    """Who has each of these complaints and what comes next, in the order given.

    Columns: complaint_id, owner, next_step, next_due, notes (how many are kept).  Null where nobody
    has done anything, where nobody is signed in and, with a sentence, where it cannot be read.
    """
    wanted = list(complaint_ids)
    found = {}
    if by := signed_in():
        try:
            erase_notes(app_database_url(), by)
            found = standings(wanted)
        except AppDatabaseUnavailable as error:
            st.warning(
                f"{error} Owners and next steps are not shown; the figures stay right.",
                icon=":material/database_off:",
            )
    rows = [
        (one.complaint_id, one.plan.owner, one.plan.next_step, one.plan.next_due, one.notes)
        for one in found.values()
    ]
    known = pl.DataFrame(rows, schema=QUEUE, orient="row")
    listed = pl.DataFrame({"complaint_id": wanted}, schema={"complaint_id": pl.String})
    return listed.join(known, on="complaint_id", how="left", maintain_order="left")
