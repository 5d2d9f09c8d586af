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


def _owners(table: sa.Table) -> tuple[Any, ...]:
    """The owner of a row by each kind; null where it has none, as automated queues have."""
    person, agency = table.c.collector_id, table.c.agency_id
    company = sa.case(
        (person.is_not(None) | agency.is_not(None), sa.func.coalesce(agency, IN_HOUSE))
    )
    return person.label("collector"), table.c.team.label("team"), company.label("agency")


_cases = Kept(
    tables.owner_cases,
    "opened_month",
    PLACED,
    keys=(tables.owner_cases.c.stage, *_owners(tables.owner_cases)),
)
_work = Kept(tables.owner_work, "month", WORK, keys=_owners(tables.owner_work))
_contacts = Kept(
    tables.first_contacts,
    "opened_month",
    ("contacted", "closed", "open"),
    keys=(
        *[tables.first_contacts.c[name] for name in ("stage", "kind", "working_day")],
        *_owners(tables.first_contacts),
    ),
    segments=("product",),  # not recorded by region or grade
)


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
) -> pl.DataFrame:
    """Observed and expected by owner (and more), over the choice."""
    where = _in_stage(stage) | ({"owner": [owner]} if owner is not None else {})
    return _expected(kind, outcome).total(marts, chosen, ("owner", *by), where=where)


def expected_of_all(marts: Marts, chosen: Filter, *, kind: Kind, outcome: str) -> pl.DataFrame:
    """The same over all that the models were fitted on, whatever the choice."""
    return _expected(kind, outcome).total(marts, None, ("owner",))


def placed(marts: Marts, chosen: Filter, *, kind: Kind, stage: str | None = None) -> pl.DataFrame:
    """Cases and their cash by owner, mature and not, without any model."""
    return _named(_cases.total(marts, chosen, (kind,), where=_in_stage(stage)), kind)


def opened(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """One row: how many cases were opened in the choice, and how many of them have a collector."""
    found = _cases.total(marts, chosen, ("collector",), names=OPENED)
    theirs = found.filter(pl.col("collector").is_not_null())
    return pl.DataFrame(
        {
            "opened_cases": [found["opened_cases"].sum()],
            "with_collector": [theirs["opened_cases"].sum()],
            "immature_cases": [theirs["immature_cases"].sum()],
        }
    )


def work(marts: Marts, chosen: Filter, *, kind: Kind) -> pl.DataFrame:
    """What owners did in the months of the window, on all their cases."""
    return _named(_work.total(marts, chosen, (kind,)), kind)


def contact_days(
    marts: Marts, chosen: Filter, *, kind: Kind, stage: str | None = None
) -> pl.DataFrame:
    """Cases by owner and working days to the first attempt and to the first right-party contact.

    `contact` says which of the two.  Not recorded by region or grade: only the product of the
    choice is used.
    """
    by = ("kind", kind, "working_day")
    found = _contacts.total(marts, chosen, by, where=_in_stage(stage))
    return _named(found.rename({"kind": "contact"}), kind)


def first_attempts(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Cases by team, collector and working days to the first attempt."""
    by = ("team", "collector", "working_day")
    found = _contacts.total(marts, chosen, by, where={"kind": ["attempt"]})
    return found.rename({"collector": "collector_id"})


def _named(found: pl.DataFrame, kind: Kind) -> pl.DataFrame:
    """Automated queues have no owner."""
    return found.filter(pl.col(kind).is_not_null()).rename({kind: "owner"})


def _in_stage(stage: str | None) -> dict[str, Any]:
    return {"stage": [stage]} if stage is not None else {}
