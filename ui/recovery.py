"""Opening a page of recovery, which is about cases by the month in which they were opened."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from charts import format as words
from charts.sentences import plural
from queries import recovery
from ui import page
from ui.filters import choose_cohorts
from ui.needs import book_begins, require
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
    require(view, needs, shows=shows, is_there=recovery.is_there(view.marts))
    st.caption(cohort_words(view))
    return view


def cohort_words(view: View) -> str:
    """Which cases the page is about: Cases opened in the 12 months to June 2026, ..."""
    chosen = view.chosen
    line = (
        f"Cases opened in the {plural(chosen.window, 'month')} to {words.month(chosen.as_of)},"
        f" followed to {words.day(view.book.as_of)}."
    )
    return line + book_begins(view)
