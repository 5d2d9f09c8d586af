"""Staged rows into the facts: what is new, what changed, what stays.

A staged row whose key is not there is new; one that equals the row there
changes nothing; any other replaces it.  The rows that are replaced are kept
aside until the load ends: what they were decides which months are recomputed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, Table, Text
from sqlalchemy.schema import CreateTable

from warehouse.contract import key_columns, loan_months
from warehouse.engines import Connection
from warehouse.files import ROW
from warehouse.refusals import LISTED
from warehouse.staging import key_text, same_key, temporary

NEW, CHANGED = "new", "changed"


@dataclass(frozen=True)
class Merge:
    """One table's staged rows held against the facts.

    `changes` (row number, state) has the rows that are new or changed, `old`
    the rows they replace; both None where the warehouse held no rows: all are new.
    """

    table: Table
    staged: Table
    rows: int
    changes: Table | None = None
    old: Table | None = None
    new: int = 0
    changed: int = 0
    first_changed: tuple[str, ...] = ()

    @property
    def unchanged(self) -> int:
        return self.rows - self.new - self.changed


def count(connection: Connection, rows: Any) -> int:
    return int(connection.fetch(sa.select(sa.func.count().label("rows")).select_from(rows)).item())


def holds_rows(connection: Connection, table: Table) -> bool:
    return connection.fetch(sa.select(*key_columns(table)).limit(1)).height > 0


def compare(connection: Connection, table: Table, staged: Table) -> Merge:
    """Which staged rows are new, which differ from the row that is there."""
    rows = count(connection, staged)
    if not holds_rows(connection, table):
        return Merge(table, staged, rows, new=rows)
    keys = [column.name for column in key_columns(table)]
    changes = temporary(f"changes_{table.name}", [Column(ROW, BigInteger), Column("state", Text)])
    old = temporary(f"old_{table.name}", table.columns)
    state = sa.case(
        (table.c[_always_there(table)].is_(None), sa.literal(NEW, Text)),
        else_=sa.literal(CHANGED, Text),
    )
    differs = [
        staged.c[column.name].is_distinct_from(column)
        for column in table.columns
        if column.name not in keys
    ]
    connection.execute(CreateTable(changes))
    connection.execute(
        changes.insert().from_select(
            [ROW, "state"],
            sa.select(staged.c[ROW], state)
            .join_from(staged, table, same_key(table, staged, table), isouter=True)
            .where(sa.or_(table.c[_always_there(table)].is_(None), *differs)),
        )
    )
    connection.execute(CreateTable(old))
    connection.execute(
        old.insert().from_select(
            [column.name for column in table.columns],
            sa.select(table)
            .join_from(table, staged, same_key(table, staged, table))
            .join(changes, changes.c[ROW] == staged.c[ROW])
            .where(changes.c.state == CHANGED),
        )
    )
    states = connection.fetch(
        sa.select(changes.c.state, sa.func.count().label("rows")).group_by(changes.c.state)
    )
    counts = dict(states.iter_rows())
    return Merge(
        table,
        staged,
        rows,
        changes,
        old,
        counts.get(NEW, 0),
        counts.get(CHANGED, 0),
        _first_changed(connection, table, staged, changes),
    )


def _always_there(table: Table) -> str:
    """A key column that is never null: null after an outer join means no row."""
    return next(column.name for column in key_columns(table) if not column.nullable)


def _first_changed(
    connection: Connection, table: Table, staged: Table, changes: Table
) -> tuple[str, ...]:
    keys = connection.fetch(
        sa.select(key_text(table, staged).label("key"))
        .join_from(staged, changes, changes.c[ROW] == staged.c[ROW])
        .where(changes.c.state == CHANGED)
        .order_by(staged.c[ROW])
        .limit(LISTED)
    )
    return tuple(keys["key"])


def restatements(connection: Connection, merge: Merge) -> pl.DataFrame:
    """Changed rows of months before the warehouse's latest: the first column that differs."""
    staged, table, changes = merge.staged, merge.table, merge.changes
    assert changes is not None
    latest = sa.select(sa.func.max(table.c.month)).scalar_subquery()
    facts = [column for column in table.columns if not column.info.get("key")]
    differs = [(staged.c[column.name].is_distinct_from(column), column.name) for column in facts]

    def first_difference(side: Any) -> sa.ColumnElement[str]:
        return sa.case(*[(test, sa.cast(side.c[name], Text)) for test, name in differs])

    return connection.fetch(
        sa.select(
            staged.c[ROW].label("row"),
            staged.c.month.label("month"),
            key_text(table, staged).label("key"),
            sa.case(*[(test, sa.literal(name, Text)) for test, name in differs]).label("column"),
            first_difference(staged).label("value"),
            first_difference(table).label("held"),
        )
        .join_from(staged, changes, changes.c[ROW] == staged.c[ROW])
        .join(table, same_key(table, staged, table))
        .where(changes.c.state == CHANGED, staged.c.month < latest)
        .order_by(staged.c[ROW])
    )


def merge_rows(connection: Connection, merge: Merge) -> None:
    """Replace the changed rows and add the new ones."""
    table, staged, changes = merge.table, merge.staged, merge.changes
    names = [column.name for column in table.columns]
    rows = sa.select(*[staged.c[name] for name in names])
    if changes is not None:
        rows = rows.join_from(staged, changes, changes.c[ROW] == staged.c[ROW])
    if table is loan_months:  # month after month is how they are read
        rows = rows.order_by(staged.c.month, staged.c.loan_id)
    if merge.old is not None and merge.changed:
        old = merge.old
        connection.execute(sa.delete(table).where(sa.exists().where(same_key(table, old, table))))
    connection.execute(table.insert().from_select(names, rows))
