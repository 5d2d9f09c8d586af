"""What the Collectors page shows of conduct: complaints, rule breaches, and the veto."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
import streamlit as st

import ui
from analytics.gamma_poisson import ShrunkRates, shrink_rates
from figures.vetoes import vetoes
from queries import collector_conduct, complaint_marts


@dataclass(frozen=True)
class Conduct:
    """Complaints and breaches by collector (`owner`), chance taken out; None: not recorded.

    `ledger`: every complaint that ever set a score aside; `aside`: those in force on the last day
    of the chosen month, one row a collector.
    """

    complaints: ShrunkRates | None
    breaches: ShrunkRates | None
    ledger: pl.DataFrame
    aside: pl.DataFrame


@st.cache_resource(max_entries=64, ttl=3600, show_spinner=False)
def conduct(key: str, _view: ui.View) -> Conduct:
    """Cached by the view's key; of all stages, and of all risk grades."""
    view = _view
    there = complaint_marts.is_there(view.marts)
    rows = view.book.table_rows
    has = {name: there and bool(rows.get(name)) for name in ("complaints", "contacts")}
    vetoed = vetoes(view) if has["complaints"] else None
    return Conduct(
        complaints=_complaints(view) if all(has.values()) else None,
        breaches=_breaches(view) if has["contacts"] else None,
        ledger=vetoed.ledger if vetoed else pl.DataFrame(),
        aside=vetoed.in_force if vetoed else pl.DataFrame(),
    )


def _complaints(view: ui.View) -> ShrunkRates:
    """Complaints of the window by the collector they are attributed to."""
    rows = ui.load(view, collector_conduct.complaints)
    return shrink_rates(rows.rename({"collector_id": "owner"}).sort("owner"), owner="owner")


def _breaches(view: ui.View) -> ShrunkRates:
    """Breaches in force of the window, in place of complaints."""
    rows = ui.load(view, collector_conduct.breaches)
    owners = rows.select("attempts", owner="collector_id", complaints="breaches")
    return shrink_rates(owners.sort("owner"), owner="owner")
