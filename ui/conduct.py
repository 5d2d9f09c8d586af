"""Opening a page of conduct, and the complaint deadlines in use."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import streamlit as st

from charts import format as words
from charts.sentences import plural
from ui import page
from ui.filters import choose_periods
from ui.needs import book_begins, require
from ui.page import View
from warehouse import complaint_marts, conduct_marts
from warehouse.packs import COMPLAINTS, Pack, PackRefused, chosen_packs, parse_pack, read_packs
from warehouse.settings import complaint_pack, rule_packs


def open_conduct_page(
    title: str, question: str, *, shows: str, needs: Sequence[str] = ("complaints",)
) -> View:
    """Start a page of conduct: its question, its filters and which months it is about.

    Stops with an explanation where the book lacks one of the tables it `needs`; `shows` says what
    the page would show, to follow "With them this page shows".
    """
    view = page.open_page(title, question, choose=choose_periods)
    require(view, needs, shows=shows, is_there=view.marts.holds(complaint_marts.complaints))
    st.caption(period_words(view))
    return view


def period_words(view: View) -> str:
    """Which months the page is about."""
    chosen = view.chosen
    line = f"What happened in the {plural(chosen.window, 'month')} to {words.month(chosen.as_of)}."
    return line + book_begins(view)


def deadline_pack(view: View) -> tuple[Pack, str | None]:
    """The complaint deadlines in use, as they were at the refresh; and what was refused since."""
    kept = _kept(view)
    try:
        return kept or chosen_packs(COMPLAINTS, [complaint_pack()], rule_packs())[0], None
    except PackRefused as refusal:
        return read_packs(COMPLAINTS)["cn"], str(refusal)


def _kept(view: View) -> Pack | None:
    if not view.marts.holds(conduct_marts.rule_packs):
        return None
    rows = view.marts.part("rule_packs").with_columns(pl.col("subject").cast(pl.String))
    rows = rows.filter(pl.col("subject") == COMPLAINTS)
    if rows.is_empty():
        return None
    return parse_pack(COMPLAINTS, str(rows["text"][0]), str(rows["file"][0]))
