"""What owners' cases gave, and what was done on them: sums over a choice, from memory.

An owner is a collector, a team or an agency (`kind`); `stage` narrows the cases to early, middle
or late ones.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

import polars as pl
import sqlalchemy as sa

from queries.filters import Filter
from queries.kept import Kept
from queries.marts import Marts
from warehouse import recovery_marts as tables

Kind = Literal["collector", "team", "agency"]
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
OPENED = ("opened_cases", "immature_cases")


def _owners(table: sa.Table) -> dict[str, Any]:
    """The owner of a row by each kind; null where it has none, as automated queues have."""
    person, agency = table.c.collector_id, table.c.agency_id
    company = sa.case(
        (person.is_not(None) | agency.is_not(None), sa.func.coalesce(agency, IN_HOUSE))
    )
    labelled = (person.label("collector"), table.c.team.label("team"), company.label("agency"))
    return {one.name: one for one in labelled}


# Kept apart by the owners that are asked for: there are many more collectors than teams, and
# what everybody did (that is, every collector) needs no owner at all.


@cache
def _cases(kind: Kind) -> Kept:
    table = tables.owner_cases
    return Kept(table, "opened_month", PLACED, keys=(table.c.stage, _owners(table)[kind]))


_opened = Kept(
    tables.owner_cases,
    "opened_month",
    OPENED,
    keys=(tables.owner_cases.c.collector_id.is_not(None).label("is_owned"),),
)


@cache
def _work(kind: Kind | None) -> Kept:
    table = tables.owner_work
    if kind is None:
        return Kept(table, "month", WORK, only=table.c.collector_id.is_not(None))
    return Kept(table, "month", WORK, keys=(_owners(table)[kind],))


@cache
def _contacts(*kinds: Kind) -> Kept:
    table = tables.first_contacts
    keys = [table.c[name] for name in ("stage", "kind", "working_day")]
    return Kept(
        table,
        "opened_month",
        ("contacted", "closed", "open"),
        keys=(*keys, *[_owners(table)[kind] for kind in kinds]),
        segments=("product",),  # not recorded by region or grade
        only=None if kinds else table.c.collector_id.is_not(None),
    )


_BOTH: tuple[Kind, Kind] = ("collector", "team")


@cache
def _expected(kind: Kind, outcome: str) -> Kept:
    table = tables.owner_expected
    return Kept(
        table,
        "opened_month",
        EXPECTED,
        keys=(table.c.owner, table.c.stage),
        only=sa.and_(table.c.owner_kind == kind, table.c.outcome == outcome),
    )


def expected(
    marts: Marts,
    chosen: Filter,
    *,
    kind: Kind,
    outcome: str,
    stage: str | None = None,
    by: tuple[str, ...] = (),
    owner: str | None = None,
    names: tuple[str, ...] = EXPECTED,
) -> pl.DataFrame:
    """Observed and expected by owner (and more), over the choice."""
    where = _in_stage(stage) | ({"owner": [owner]} if owner is not None else {})
    kept = _expected(kind, outcome)
    return kept.total(marts, chosen, ("owner", *by), where=where, names=names)


def expected_of_all(marts: Marts, chosen: Filter, *, kind: Kind, outcome: str) -> pl.DataFrame:
    """The same over all that the models were fitted on, whatever the choice."""
    return _expected(kind, outcome).total(marts, None, ("owner",))


def placed(marts: Marts, chosen: Filter, *, kind: Kind, stage: str | None = None) -> pl.DataFrame:
    """Cases and their cash by owner, mature and not, without any model."""
    return _named(_cases(kind).total(marts, chosen, (kind,), where=_in_stage(stage)), kind)


def opened(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """One row: how many cases were opened in the choice, and how many of them have a collector."""
    found = _opened.total(marts, chosen, ("is_owned",))
    theirs = found.filter("is_owned")
    return pl.DataFrame(
        {
            "opened_cases": [found["opened_cases"].sum()],
            "with_collector": [theirs["opened_cases"].sum()],
            "immature_cases": [theirs["immature_cases"].sum()],
        }
    )


def work(
    marts: Marts, chosen: Filter, *, kind: Kind | None, owner: str | None = None
) -> pl.DataFrame:
    """What owners did in the months of the window, on all their cases; or one owner; or (kind
    None, one row) every collector together."""
    if kind is None:
        return _work(None).total(marts, chosen, ())
    where: dict[str, list[str]] = {} if owner is None else {kind: [owner]}
    return _named(_work(kind).total(marts, chosen, (kind,), where=where), kind)


def contact_days(
    marts: Marts,
    chosen: Filter,
    *,
    kind: Kind | None,
    stage: str | None = None,
    owner: str | None = None,
) -> pl.DataFrame:
    """Cases by owner and working days to the first attempt and to the first right-party contact;
    or those of one owner; or (kind None) of every collector together.

    `contact` says which of the two.  Not recorded by region or grade: only the product of the
    choice is used.
    """
    where = _in_stage(stage)
    if kind is None:
        found = _contacts().total(marts, chosen, ("kind", "working_day"), where=where)
        return found.rename({"kind": "contact"})
    if owner is not None:
        where = where | {kind: [owner]}
    kept = _contacts(*_BOTH) if kind == "collector" else _contacts(kind)
    found = kept.total(marts, chosen, ("kind", kind, "working_day"), where=where)
    return _named(found.rename({"kind": "contact"}), kind)


def first_attempts(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Cases by team, collector and working days to the first attempt."""
    by = ("team", "collector", "working_day")
    found = _contacts(*_BOTH).total(marts, chosen, by, where={"kind": ["attempt"]})
    return found.rename({"collector": "collector_id"})


def _named(found: pl.DataFrame, kind: Kind) -> pl.DataFrame:
    """Automated queues have no owner."""
    return found.filter(pl.col(kind).is_not_null()).rename({kind: "owner"})


def _in_stage(stage: str | None) -> dict[str, Any]:
    return {"stage": [stage]} if stage is not None else {}
