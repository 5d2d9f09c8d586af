"""What Health says of conduct: complaints and rule breaches by month, and a rise that goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import polars as pl
import streamlit as st

import ui
from analytics.changes import Change, latest_change
from analytics.cusum import Signal
from figures.choices import of_the_book
from figures.complaints import overview
from figures.vetoes import vetoes
from queries import collector_conduct, complaint_marts
from queries.filters import Filter

HISTORY = 25
PER = 1_000


@dataclass(frozen=True)
class Conduct:
    """By name (`complaints`, `breaches`): month, value (per 1,000 attempts), and the change.

    `signal` of all the book's complaints; None where the reader looks at an earlier month.
    `vetoed`: how many collectors' scores are set aside, of the whole book; None without complaints.
    """

    rates: Mapping[str, pl.DataFrame]
    changes: Mapping[str, Change]
    signal: Signal | None
    vetoed: int | None


def conduct(view: ui.View) -> Conduct | None:
    """None where the book lacks contacts, or its marts are older than these figures."""
    if not view.book.table_rows.get("contacts") or not complaint_marts.is_there(view.marts):
        return None
    chosen = view.chosen
    view = replace(view, chosen=replace(chosen, basis="days", window=HISTORY, grades=()))
    return _conduct(f"{view.version} {view.chosen!r}", view)


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def _conduct(key: str, _view: ui.View) -> Conduct:
    view, rates = _view, {}
    if view.book.table_rows.get("complaints"):
        rates["complaints"] = _rate(ui.load(view, collector_conduct.complaint_months))
    rates["breaches"] = _rate(ui.load(view, collector_conduct.breach_months))
    known = {name: one.drop_nulls() for name, one in rates.items()}
    return Conduct(
        rates={name: rates[name] for name, one in known.items() if one.height},
        changes={name: latest_change(one) for name, one in known.items() if one.height},
        signal=_signal(view) if "complaints" in rates else None,
        vetoed=vetoes(view).in_force.height if "complaints" in rates else None,
    )


def _rate(months: pl.DataFrame) -> pl.DataFrame:
    there = pl.col("attempts") > 0
    rate = pl.when(there).then(pl.col("events") / pl.col("attempts") * PER)
    return months.sort("month").select("month", value=rate)


def _signal(view: ui.View) -> Signal | None:
    """Of the whole book, so once for all choices."""
    if view.chosen.as_of != view.book.as_of:
        return None
    book = replace(of_the_book(view), chosen=Filter(as_of=view.book.as_of, window=12))
    return overview(f"{book.version} {book.chosen!r}", "attempts", book).course.signal
