"""A file's rows beside the facts, before they are let in.

Rows wait in temporary tables on the facts engine, where keys and references
can be tested over all of them, against each other and against the warehouse.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, MetaData, Table

from warehouse.contract import contract, key_columns
from warehouse.engines import Connection
from warehouse.files import ROW
from warehouse.refusals import Refusals

Staged = dict[str, Table]


def temporary(name: str, columns: Iterable[Column[Any]]) -> Table:
    """A temporary table with copies of these columns."""
    copies = [Column(column.name, column.type) for column in columns]
    return Table(name, MetaData(), *copies, prefixes=["TEMPORARY"])


def staging_table(table: Table) -> Table:
    """Where a table's rows wait, each with its row number in the file."""
    return temporary(f"staged_{table.name}", [*table.columns, Column(ROW, BigInteger)])


def analyse(connection: Connection, tables: Iterable[Table]) -> None:
    """PostgreSQL plans well only on tables that it has looked at."""
    if connection.dialect.name == "postgresql":
        for table in tables:
            connection.execute(sa.DDL(f"ANALYZE {table.name}"))


def same_key(table: Table, left: Any, right: Any) -> sa.ColumnElement[bool]:
    """SQL: both sides have the same key; a null in a key equals a null."""
    return sa.and_(
        *(
            left.c[column.name].is_not_distinct_from(right.c[column.name])
            if column.nullable
            else left.c[column.name] == right.c[column.name]
            for column in key_columns(table)
        )
    )


def key_text(table: Table, rows: Any) -> sa.ColumnElement[str]:
    """SQL: a row's key as readable text."""
    parts = [sa.func.coalesce(sa.cast(rows.c[key.name], sa.Text), "") for key in key_columns(table)]
    text: sa.ColumnElement[str] = parts[0]
    for part in parts[1:]:
        text = text + sa.literal(", ", sa.Text) + part
    return text


def refuse_repeated_keys(
    connection: Connection, table: Table, staged: Table, file: str, refusals: Refusals
) -> None:
    """Every second and further row with one key is a problem; it names the first."""
    keys = [staged.c[column.name] for column in key_columns(table)]
    repeated = (
        sa.select(*keys, sa.func.min(staged.c[ROW]).label("first_row"))
        .group_by(*keys)
        .having(sa.func.count() > 1)
        .subquery()
    )
    key = key_text(table, staged)
    problems = connection.fetch(
        sa.select(staged.c[ROW].label("row"), key.label("key"), repeated.c.first_row)
        .join(repeated, same_key(table, staged, repeated))
        .where(staged.c[ROW] > repeated.c.first_row)
        .order_by(staged.c[ROW])
    )
    expected = pl.format("each key once: it is in row {} already", pl.col("first_row"))
    refusals.add_frame(
        problems.with_columns(
            kind=pl.lit("repeated_key"),
            file=pl.lit(file),
            column=pl.lit(", ".join(column.name for column in key_columns(table))),
            value=pl.col("key"),
            expected=expected,
        )
    )


def refuse_missing_references(
    connection: Connection,
    table: Table,
    staged: Staged,
    file: str,
    refusals: Refusals,
    unclean: set[str],
) -> None:
    """A value whose row is neither in the files nor in the warehouse is a problem.

    References to a table whose own file is not clean are left for the next try:
    the row may be there and wrong.
    """
    rows = staged[table.name]
    for column in table.columns:
        if "references" not in column.info:
            continue
        parent_name, parent_column = column.info["references"].split(".")
        if parent_name in unclean:
            continue
        parents = [contract.tables[parent_name]]
        if parent_name in staged:
            parents.append(staged[parent_name])
        value = rows.c[column.name]
        absent = [~sa.exists().where(parent.c[parent_column] == value) for parent in parents]
        problems = connection.fetch(
            sa.select(
                rows.c[ROW].label("row"), key_text(table, rows).label("key"), value.label("value")
            )
            .where(value.is_not(None), *absent)
            .order_by(rows.c[ROW])
        )
        expected = f"a {parent_column} in {parent_name} (in the files or in the warehouse)"
        refusals.add_frame(
            problems.with_columns(
                kind=pl.lit("reference"),
                file=pl.lit(file),
                column=pl.lit(column.name),
                expected=pl.lit(expected),
            )
        )
