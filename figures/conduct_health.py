"""What Health says of conduct: complaints and rule breaches by month, and a rise that goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import polars as pl
import streamlit as st

import ui
from analytics.breach_rates import BreachTrend, breach_trend
from analytics.changes import Change, latest_change
from analytics.cusum import Signal
from figures.complaints import overview
from figures.contact_rules import TREND_MONTHS
from figures.vetoes import vetoes
from queries import collector_conduct, complaint_marts

HISTORY = TREND_MONTHS + 1
WINDOW = 12  # months of a conduct page, as it opens
PER = 1_000


@dataclass(frozen=True)
class Conduct:
    """By name (`complaints`, `breaches`): month, value (per 1,000 attempts), and the change.

    A change is beyond noise where the page that explains it says so: complaints by their weekly
    `signal`, breaches by the limits of their months.  `vetoed`: how many collectors' scores are
    set aside, of the whole book.  None without complaints.
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
    view, rates, signal = _view, {}, None
    if view.book.table_rows.get("complaints"):
        rates["complaints"] = _rate(ui.load(view, collector_conduct.complaint_months))
        signal = _signal(view)
    broken = ui.load(view, collector_conduct.breach_months)
    rates["breaches"] = _rate(broken)
    known = {name: one.drop_nulls() for name, one in rates.items()}
    changes = {name: latest_change(one) for name, one in known.items() if one.height}
    if signal is not None and "complaints" in changes:
        changes["complaints"] = by_signal(changes["complaints"], signal)
    if "breaches" in changes:
        changes["breaches"] = by_limits(changes["breaches"], _trend(broken))
    return Conduct(
        rates={name: rates[name] for name in changes},
        changes=changes,
        signal=signal,
        vetoed=vetoes(view).in_force.height if "complaints" in rates else None,
    )


def by_signal(change: Change, signal: Signal) -> Change:
    """The month's change of complaints, judged as the Complaints page judges their weeks."""
    verdict = None
    if signal.reason is None and change.difference is not None:
        verdict = bool(signal.signals["is_current"].any()) and change.difference > 0
    return replace(change, p=None, is_beyond_noise=verdict)


def by_limits(change: Change, trend: BreachTrend) -> Change:
    """The month's change of breaches, judged as the Contact rules page judges their months."""
    verdict = None
    if trend.reason is None and change.difference is not None:
        row = trend.points.filter(month=change.month).row(0, named=True)
        is_rise = change.difference > 0
        verdict = row["is_outside"] and (row["rate"] > row["high"]) == is_rise
    return replace(change, p=None, is_beyond_noise=verdict)


def _trend(months: pl.DataFrame) -> BreachTrend:
    """The months with their limits, as the Contact rules page draws them."""
    last = months.sort("month").tail(TREND_MONTHS)
    broken = last.select("month", pl.col("events").alias("contacts"))
    return breach_trend(broken, last.select("month", "attempts"))


def _rate(months: pl.DataFrame) -> pl.DataFrame:
    there = pl.col("attempts") > 0
    rate = pl.when(there).then(pl.col("events") / pl.col("attempts") * PER)
    return months.sort("month").select("month", value=rate)


def _signal(view: ui.View) -> Signal:
    """Of the same choice."""
    same = replace(view, chosen=replace(view.chosen, window=WINDOW))
    return overview(f"{same.key} attempts", "attempts", same).course.signal
