"""Whose score is set aside: of the whole book, whatever segments were chosen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

import ui
from analytics.vetoes import veto_ledger, vetoed
from queries import collector_conduct


@dataclass(frozen=True)
class Vetoes:
    """`ledger`: every complaint received by `on` that ever set a score aside; `in_force`: those in
    force on that day, one row a collector."""

    ledger: pl.DataFrame
    in_force: pl.DataFrame
    on: date


def vetoes(view: ui.View) -> Vetoes:
    """As of the last day of the chosen month."""
    ledger = veto_ledger(ui.load(view, collector_conduct.gravest_complaints))
    return Vetoes(ledger, vetoed(ledger, on=view.chosen.as_of), view.chosen.as_of)
