"""What a page needs of the book, and what it says where that is missing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NoReturn

import streamlit as st

from charts import format as words
from queries.filters import months_before
from ui.page import View


def require(view: View, needs: Sequence[str], *, shows: str, is_there: bool) -> None:
    """Stop with an explanation where the book lacks one of the tables, or the marts are older
    than the page.  `shows`: what the page would show, to follow "With them this page shows"."""
    missing = [name for name in needs if not view.book.table_rows.get(name)]
    if missing:
        _explain_missing(missing, shows)
    if not is_there:
        st.info(
            "The published marts are older than this page. Run `python -m warehouse refresh`.",
            icon=":material/update:",
        )
        st.stop()


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


def book_begins(view: View) -> str:
    """That the book begins within the window, where it does; with a space before."""
    chosen = view.chosen
    first: date = view.book.months[0]
    if months_before(chosen.as_of, chosen.window - 1) >= first:
        return ""
    return f" The book begins in {words.month(first)}."
