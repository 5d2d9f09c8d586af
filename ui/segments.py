"""Opening the Segments page: loans by month-end, and cases by the month in which they opened."""

from __future__ import annotations

import streamlit as st

from charts import format as words
from charts.sentences import plural
from queries import segments
from ui import page
from ui.filters import choose_cohorts
from ui.needs import book_begins, require
from ui.page import View


def open_segment_page(title: str, question: str) -> View:
    """Start the page: its question, its filters, and which loans and cases it is about."""
    view = page.open_page(title, question, choose=choose_cohorts)
    require(view, (), shows="", is_there=segments.is_there(view.marts))
    chosen = view.chosen
    st.caption(
        f"Loans at the end of {words.month(chosen.as_of)}; moves, and cases opened, in the"
        f" {plural(chosen.window, 'month')} to it. Cases are followed to"
        f" {words.day(view.book.as_of)}." + book_begins(view)
    )
    return view
