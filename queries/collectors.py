"""Marts: owners against what their cases would have given anybody, and what they did.

An owner is a collector, a team or an agency (`kind`); `stage` narrows the cases to early, middle
or late ones.
"""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa

from queries.filters import Filter
from queries.recovery import sums
from warehouse import recovery_marts as marts

Kind = Literal["collector", "team", "agency"]
OWNER_COLUMNS = {"collector": "collector_id", "team": "team", "agency": "agency_id"}
IN_HOUSE = "in-house"
EXPECTED = (
    "cases",
    "observed",
    "expected",
    "variance",
    "average_expected",
    "average_variance",
)
PLACED = ("opened_cases", "cases", "placed_cents", "cash_cents", "immature_cases", "resolved",
          "transferred")  # fmt: skip
WORK = ("open_cases", "worked_cases", "attempts", "reached", "right_party", "promises", "matured",
        "kept", "matured_cents", "kept_cents", "cash_cents")  # fmt: skip


def has_recovery(chosen: Filter) -> sa.Select:
    """One row: whether this version of the marts has those of recovery (older ones have not)."""
    known = sa.table("tables", sa.column("table_name"), schema="information_schema")
    return sa.select(sa.func.count().label("tables")).where(known.c.table_name == "owner_cases")


def expected_of_all(chosen: Filter, *, kind: Kind, outcome: str) -> sa.Select:
    """The same over all that the models were fitted on, whatever the choice."""
    table = marts.owner_expected
    return (
        sa.select(table.c.owner, *sums(table, EXPECTED))
        .where(table.c.owner_kind == kind, table.c.outcome == outcome)
        .group_by(table.c.owner)
    )


def effects(chosen: Filter, *, kind: Kind) -> sa.Select:
    """Each owner's effect on all its cases, and its error, by outcome."""
    table = marts.owner_effects
    return sa.select(table).where(table.c.owner_kind == kind)


def models(chosen: Filter, *, kind: Kind) -> sa.Select:
    """What the models of an owner kind were fitted on, or why there is none."""
    table = marts.owner_models
    return sa.select(table).where(table.c.owner_kind == kind)


def coefficients(chosen: Filter, *, kind: Kind, outcome: str) -> sa.Select:
    """What each kind of case does to the outcome, the owner apart."""
    table = marts.owner_coefficients
    names = ("term", "level", "cases", "coefficient", "se", "reason")
    return (
        sa.select(*[table.c[name] for name in names])
        .where(table.c.owner_kind == kind, table.c.outcome == outcome)
        .order_by(table.c.term, table.c.level)
    )


def curve(chosen: Filter, *, kind: Kind) -> sa.Select:
    """What share of all the book's cases an owner with an effect would resolve."""
    table = marts.standard_curves
    return (
        sa.select(table.c.effect, table.c.share)
        .where(table.c.owner_kind == kind)
        .order_by(table.c.effect)
    )


def owners(chosen: Filter) -> sa.Select:
    """Every collector: team, agency, hired when, cost and hours by month."""
    return sa.select(marts.owners).order_by(marts.owners.c.collector_id)


def trainings(chosen: Filter) -> sa.Select:
    """Trainings of collectors up to the as-of month."""
    table = marts.people_events
    return sa.select(table.c.collector_id, table.c.occurred_on, table.c.is_passed).where(
        table.c.kind == "training",
        table.c.collector_id.is_not(None),
        table.c.occurred_on <= chosen.as_of,
    )


def owner_of(table: sa.Table, kind: Kind) -> Any:
    """The owner of a row; of agencies, in-house is one."""
    column = table.c[OWNER_COLUMNS[kind]]
    return sa.func.coalesce(column, IN_HOUSE) if kind == "agency" else column


def known(table: sa.Table, kind: Kind) -> list[Any]:
    """Cases that have such an owner: automated queues have none."""
    if kind == "agency":
        return [sa.or_(table.c.agency_id.is_not(None), table.c.collector_id.is_not(None))]
    return [table.c[OWNER_COLUMNS[kind]].is_not(None)]
