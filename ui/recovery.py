"""Opening a page of recovery, which is about cases by the month in which they were opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import streamlit as st

from charts import format as words
from charts.sentences import plural
from queries import recovery
from queries.filters import months_before
from ui import page
from ui.filters import choose_cohorts
from ui.page import View


def open_recovery_page(
    title: str, question: str, *, shows: str, needs: Sequence[str] = ("cases",)
) -> View:
    """Start a page of recovery: its question, its filters and which cases it is about.

    The view's filter has the opening months: `chosen.months()`.  Stops with an explanation where
    the book lacks one of the tables it `needs`; `shows` says what the page would show, to follow
    "With them this page shows".
    """
    view = page.open_page(title, question, choose=choose_cohorts)
    missing = [name for name in needs if not view.book.table_rows.get(name)]
    if missing:
        _explain_missing(missing, shows)
    if not recovery.is_there(view.marts):
        st.info(
            "The published marts are older than this page. Run `python -m warehouse refresh`.",
            icon=":material/update:",
        )
        st.stop()
    st.caption(cohort_words(view))
    return view


def cohort_words(view: View) -> str:
    """Which cases the page is about: Cases opened in the 12 months to June 2026, ..."""
    chosen = view.chosen
    line = (
        f"Cases opened in the {plural(chosen.window, 'month')} to {words.month(chosen.as_of)},"
        f" followed to {words.day(view.book.as_of)}."
    )
    first = view.book.months[0]
    if months_before(chosen.as_of, chosen.window - 1) < first:
        line += f" The book begins in {words.month(first)}."
    return line


def _explain_missing(missing: Sequence[str], shows: str) -> NoReturn:
    tables = words.listing([f"`{name}`" for name in missing])
    one = len(missing) == 1
    st.info(
        f"This page needs the table{'' if one else 's'} {tables}, and the book has no rows of"
        f" {'it' if one else 'them'}. With {'it' if one else 'them'} this page shows {shows}."
        " Load the files into this book, then refresh.",
        icon=":material/database:",
    )
    st.stop()
