"""What owners' cases gave, and what was done on them: sums over a choice, from memory."""

from __future__ import annotations

from typing import Any

import polars as pl
import sqlalchemy as sa

from queries.cells import Cells
from queries.collectors import EXPECTED, PLACED, WORK, Kind, known, owner_of
from queries.filters import Filter
from queries.marts import Marts
from queries.recovery import sums
from warehouse import recovery_marts as tables

SEGMENTS = ("product", "region", "grade")
OPENED = ("opened_cases", "immature_cases")


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
    table = tables.owner_expected
    keys = ("owner", "opened_month", *SEGMENTS, "stage")
    select = sa.select(*[table.c[name] for name in (*keys, *EXPECTED)]).where(
        table.c.owner_kind == kind, table.c.outcome == outcome
    )
    cells = marts.cells(f"{table.name} {kind} {outcome}", select, "opened_month", EXPECTED)
    where = _where(chosen, stage) | ({"owner": [owner]} if owner is not None else {})
    return cells.total(chosen.months(), where, ("owner", *by), EXPECTED)


def placed(marts: Marts, chosen: Filter, *, kind: Kind, stage: str | None = None) -> pl.DataFrame:
    """Cases and their cash by owner, mature and not, without any model."""
    cells = _cells(marts, tables.owner_cases, "opened_month", (*SEGMENTS, "stage"), PLACED)
    found = cells.total(chosen.months(), _where(chosen, stage), (kind,), PLACED)
    return _named(found, kind)


def opened(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """One row: how many cases were opened in the choice, and how many of them have a collector."""
    cells = _cells(marts, tables.owner_cases, "opened_month", (*SEGMENTS, "stage"), PLACED)
    found = cells.total(chosen.months(), _where(chosen), ("collector",), OPENED)
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
    cells = _cells(marts, tables.owner_work, "month", SEGMENTS, WORK)
    return _named(cells.total(chosen.months(), _where(chosen), (kind,), WORK), kind)


def contact_days(
    marts: Marts, chosen: Filter, *, kind: Kind, stage: str | None = None
) -> pl.DataFrame:
    """Cases by owner and working days to the first attempt and to the first right-party contact.

    `contact` says which of the two.  Not recorded by region or grade: only the product of the
    choice is used.
    """
    names = ("contacted", "closed", "open")
    keys = ("product", "stage", "kind", "working_day")
    cells = _cells(marts, tables.first_contacts, "opened_month", keys, names)
    where = {name: values for name, values in _where(chosen, stage).items()
             if name in keys}  # fmt: skip
    found = cells.total(chosen.months(), where, ("kind", kind, "working_day"), names)
    return _named(found.rename({"kind": "contact"}), kind)


def _named(found: pl.DataFrame, kind: Kind) -> pl.DataFrame:
    """Automated queues have no owner."""
    return found.filter(pl.col(kind).is_not_null()).rename({kind: "owner"})


def _where(chosen: Filter, stage: str | None = None) -> dict[str, Any]:
    segments = {name: values for name, values in chosen.segments().items() if values}
    return segments | ({"stage": [stage]} if stage is not None else {})


def _cells(
    marts: Marts, table: sa.Table, month: str, keys: tuple[str, ...], names: tuple[str, ...]
) -> Cells:
    """A mart by month, owner of each kind and keys."""
    kinds: tuple[Kind, ...] = ("collector", "team", "agency")
    owners = [
        sa.case((sa.and_(*known(table, kind)), owner_of(table, kind))).label(kind) for kind in kinds
    ]
    by = [table.c[month], *[table.c[name] for name in keys], *owners]
    select = sa.select(*by, *sums(table, names)).group_by(*by)
    return marts.cells(table.name, select, month, names)
