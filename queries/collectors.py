"""Marts: owners against what their cases would have given anybody, and what they did.

An owner is a collector, a team or an agency (`kind`); `stage` narrows the cases to early, middle
or late ones.
"""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa

from queries.filters import Filter
from queries.recovery import conditions, grouped, sums
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


def expected(
    chosen: Filter,
    *,
    kind: Kind,
    outcome: str,
    stage: str | None = None,
    by: tuple[str, ...] = (),
    owner: str | None = None,
) -> sa.Select:
    """Observed and expected by owner (and more), over the choice."""
    table = marts.owner_expected
    found = grouped(chosen, table, "opened_month", ("owner", *by), EXPECTED)
    return found.where(
        table.c.owner_kind == kind,
        table.c.outcome == outcome,
        *_stage(table, stage),
        *([table.c.owner == owner] if owner is not None else []),
    )


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


def placed(
    chosen: Filter, *, kind: Kind, stage: str | None = None, by: tuple[str, ...] = ()
) -> sa.Select:
    """Cases and their cash by owner, mature and not, without any model.

    Of agencies, cases with a collector and no agency are in-house.
    """
    table = marts.owner_cases
    owner = _owner(table, kind)
    groups = [table.c[name] for name in by]
    return (
        sa.select(owner.label("owner"), *groups, *sums(table, PLACED))
        .where(
            table.c.opened_month.between(*chosen.months()),
            *_known(table, kind),
            *_stage(table, stage),
            *conditions(chosen, table),
        )
        .group_by(owner, *groups)
    )


def opened(chosen: Filter) -> sa.Select:
    """One row: how many cases were opened in the choice, and how many of them have a collector."""
    table = marts.owner_cases
    there = table.c.opened_cases
    with_collector = sa.case((table.c.collector_id.is_not(None), there), else_=0)
    immature = sa.case((table.c.collector_id.is_not(None), table.c.immature_cases), else_=0)
    parts = {"opened_cases": there, "with_collector": with_collector, "immature_cases": immature}
    return sa.select(
        *[
            sa.cast(sa.func.coalesce(sa.func.sum(part), 0), sa.BigInteger).label(name)
            for name, part in parts.items()
        ]
    ).where(table.c.opened_month.between(*chosen.months()), *conditions(chosen, table))


def work(chosen: Filter, *, kind: Kind, by: tuple[str, ...] = ()) -> sa.Select:
    """What owners did in the months of the window, on all their cases."""
    table = marts.owner_work
    owner = _owner(table, kind)
    groups = [table.c[name] for name in by]
    return (
        sa.select(owner.label("owner"), *groups, *sums(table, WORK))
        .where(
            table.c.month.between(*chosen.months()),
            *_known(table, kind),
            *conditions(chosen, table),
        )
        .group_by(owner, *groups)
    )


def contact_days(chosen: Filter, *, kind: Kind, stage: str | None = None) -> sa.Select:
    """Cases by owner and working days to the first attempt and to the first right-party contact.

    `contact` says which of the two.  Not recorded by region or grade: only the product of the
    choice is used.
    """
    table = marts.first_contacts
    owner = _owner(table, kind)
    only = Filter(as_of=chosen.as_of, window=chosen.window, products=chosen.products)
    contact = table.c.kind.label("contact")
    return (
        sa.select(
            contact,
            owner.label("owner"),
            table.c.working_day,
            *sums(table, ("contacted", "closed", "open")),
        )
        .where(
            table.c.opened_month.between(*chosen.months()),
            *_known(table, kind),
            *_stage(table, stage),
            *conditions(only, table),
        )
        .group_by(contact, owner, table.c.working_day)
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


def _owner(table: sa.Table, kind: Kind) -> Any:
    column = table.c[OWNER_COLUMNS[kind]]
    return sa.func.coalesce(column, IN_HOUSE) if kind == "agency" else column


def _known(table: sa.Table, kind: Kind) -> list[Any]:
    """Cases that have such an owner: automated queues have none."""
    if kind == "agency":
        return [sa.or_(table.c.agency_id.is_not(None), table.c.collector_id.is_not(None))]
    return [table.c[OWNER_COLUMNS[kind]].is_not(None)]


def _stage(table: sa.Table, stage: str | None) -> list[Any]:
    return [table.c.stage == stage] if stage is not None else []
