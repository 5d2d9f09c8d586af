"""What pages ask of the models of owners, and of the people themselves; whatever was chosen.

An owner is a collector, a team or an agency (`kind`).
"""

from __future__ import annotations

import polars as pl
import sqlalchemy as sa

from queries.filters import Filter
from queries.marts import Marts, as_text
from queries.owner_cells import Kind
from warehouse import recovery_marts as tables


def effects(marts: Marts, chosen: Filter, *, kind: Kind) -> pl.DataFrame:
    """Each owner's effect on all its cases, and its error, by outcome."""
    return _of_kind(marts, tables.owner_effects, kind)


def models(marts: Marts, chosen: Filter, *, kind: Kind) -> pl.DataFrame:
    """What the models of an owner kind were fitted on, or why there is none."""
    return _of_kind(marts, tables.owner_models, kind).sort("outcome")


def coefficients(marts: Marts, chosen: Filter, *, kind: Kind, outcome: str) -> pl.DataFrame:
    """What each kind of case does to the outcome, the owner apart."""
    names = ("term", "level", "cases", "coefficient", "se", "reason")
    rows = _of_kind(marts, tables.owner_coefficients, kind).filter(pl.col("outcome") == outcome)
    return rows.select(names).sort("term", "level", nulls_last=True)


def curve(marts: Marts, chosen: Filter, *, kind: Kind) -> pl.DataFrame:
    """What share of all the book's cases an owner with an effect would resolve."""
    return _of_kind(marts, tables.standard_curves, kind).select("effect", "share").sort("effect")


def owners(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Every collector: team, agency, hired when, cost and hours by month."""
    return as_text(marts.part(tables.owners.name)).sort("collector_id")


def trainings(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Trainings of collectors up to the as-of month."""
    rows = as_text(marts.part(tables.people_events.name))
    known = pl.col("collector_id").is_not_null() & (pl.col("occurred_on") <= chosen.as_of)
    trained = rows.filter(pl.col("kind") == "training", known)
    return trained.select("collector_id", "occurred_on", "is_passed")


def _of_kind(marts: Marts, table: sa.Table, kind: Kind) -> pl.DataFrame:
    rows = marts.part(table.name)
    return as_text(rows.filter(pl.col("owner_kind").cast(pl.String) == kind)).drop("owner_kind")
