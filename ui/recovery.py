"""Opening a page of recovery, and asking its marts, which stay in their file.

A recovery page is about cases by the month in which they were opened.  Its marts go by owner:
a million rows for 500 collectors.  So they are asked by statement, not kept in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NoReturn

import duckdb
import polars as pl
import sqlalchemy as sa
import streamlit as st

from charts import format as words
from charts.sentences import plural
from queries import collectors
from queries.filters import Filter, months_before
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
    whole = replace(view, chosen=Filter(as_of=view.book.as_of))
    if not ask(whole, collectors.has_recovery)["tables"][0]:
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


def ask(view: View, query: Callable[..., sa.Select], **options: Any) -> pl.DataFrame:
    """The rows of `query(view.chosen, **options)`, a Select on the published marts.

    Cached by version, query, filter and options; the frame is shared, so it is never changed in
    place.
    """
    asked = f"{query.__module__}.{query.__name__} {sorted(options.items())!r}"
    key = f"{view.version} {asked} {view.chosen!r}"
    try:
        return _asked(key, view, lambda: query(view.chosen, **options))
    except duckdb.Error:
        st.error(
            "These figures cannot be read just now. Reload the page in a moment.",
            icon=":material/error:",
        )
        st.stop()


@st.cache_resource(max_entries=512, ttl=3600, show_spinner=False)
def _asked(key: str, _view: View, _select: Callable[[], sa.Select]) -> pl.DataFrame:
    return _view.marts.fetch(_select())


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
