"""A published version of the marts: its cells in memory, and what book it is."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from threading import Lock

import polars as pl
import sqlalchemy as sa

from queries.cells import Cells, cells_of
from queries.filters import Filter
from queries.loan_states import BookShape
from warehouse.engines import DuckDBConnection
from warehouse.marts import marts


@dataclass(frozen=True)
class Book:
    """What a published version says of itself."""

    version: str
    refreshed_at: datetime
    first_month: date
    as_of: date
    is_synthetic: bool
    has_balances: bool
    has_months_past_due: bool
    bounds: tuple[int, ...]
    buckets: tuple[str, ...]
    table_rows: dict[str, int]
    segments: dict[str, tuple[str | None, ...]]
    revolving_products: frozenset[str]
    months: tuple[date, ...]

    @property
    def shape(self) -> BookShape:
        return BookShape(
            tables=frozenset(self.table_rows),
            bounds=self.bounds,
            has_balances=self.has_balances,
            has_months_past_due=self.has_months_past_due,
        )


class Marts:
    """One published version: each mart is read when first asked for, and kept.

    A mart has as many rows as there are months, states and segments, however many
    loans: of a million loans over 24 months the portfolio's marts are 450,000 rows
    and 31 MiB in memory, of which 19 MiB are the industries', for the one view that
    asks for them.  Text is kept as Enum; rows lie by month, apart for each basis, so
    that a filter reads its own months only.
    """

    def __init__(self, connection: DuckDBConnection) -> None:
        self._connection = connection
        self._columns = connection.columns()
        self._names = {table for table, _ in self._columns}
        self._parts: dict[str, dict[str | None, _Part]] = {}
        self._cells: dict[Hashable, Cells] = {}
        self._lock = Lock()

    def _part(self, mart: str, basis: str | None) -> _Part:
        with self._lock:  # read once for all sessions
            if mart not in self._parts:
                self._parts[mart] = _by_basis(self.fetch(self._rows(marts.tables[mart])))
        parts = self._parts[mart]
        return parts.get(basis, parts[None])

    def _rows(self, table: sa.Table) -> sa.Select:
        """All rows of a mart; a sum that an older version lacks is missing in them."""
        return sa.select(
            *[
                column
                if (table.name, column.name) in self._columns
                else sa.cast(sa.null(), column.type).label(column.name)
                for column in table.columns
            ]
        )

    def part(self, mart: str, basis: str | None = None) -> pl.DataFrame:
        """A mart's rows, of one basis where it has bases; shared, so never changed in place."""
        return self._part(mart, basis).rows

    def between(self, mart: str, basis: str | None, first: date, last: date) -> pl.DataFrame:
        """A mart's rows of some months, without looking at the others."""
        part = self._part(mart, basis)
        start = bisect_left(part.months, first)
        end = bisect_right(part.months, last)
        return part.rows[part.starts[start] : part.starts[end]]

    def cells(
        self, name: Hashable, select: Callable[[], sa.Select], month: str, sums: Sequence[str]
    ) -> Cells:
        """A statement's rows as arrays, asked for once by this name."""
        with self._lock:
            if name not in self._cells:
                self._cells[name] = cells_of(self.fetch(select()), month, sums)
        return self._cells[name]

    def holds(self, table: sa.Table) -> bool:
        """Whether this version has such a mart: older ones lack the newest."""
        return table.name in self._names

    def fetch(self, statement: sa.Select) -> pl.DataFrame:
        """The rows of a statement on the version's file, for marts too large to keep."""
        return self._connection.fetch(statement)

    @property
    def bytes_in_memory(self) -> int:
        """The marts read so far."""
        parts = [part for parts in self._parts.values() for part in parts.values()]
        cells = sum(one.bytes_in_memory for one in self._cells.values())
        return cells + sum(int(part.rows.estimated_size()) for part in parts)

    def close(self) -> None:
        self._connection.close()


@dataclass(frozen=True)
class _Part:
    """A mart's rows of one basis, oldest month first."""

    rows: pl.DataFrame
    months: list[date]
    starts: list[int]  # the first row of each month, and the number of rows


def open_marts(path: Path) -> Marts:
    """One published version, read only."""
    return Marts(DuckDBConnection(str(path), read_only=True, threads=1))


def _by_basis(rows: pl.DataFrame) -> dict[str | None, _Part]:
    """A part for each basis; under None all rows, or none where there are bases."""
    texts = [name for name, kind in rows.schema.items() if kind == pl.String]
    rows = rows.cast({name: pl.Enum(rows[name].drop_nulls().unique().sort()) for name in texts})
    if "basis" not in rows.columns:
        return {None: _by_month(rows)}
    parts = rows.partition_by("basis", as_dict=True, include_key=False)
    found = {basis: _by_month(part) for (basis,), part in parts.items()}
    return {None: _by_month(rows.drop("basis").clear()), **found}


def _by_month(rows: pl.DataFrame) -> _Part:
    if "month" not in rows.columns:
        return _Part(rows, [], [0])
    rows = rows.sort("month", maintain_order=True)
    starts = rows.with_row_index("start").group_by("month").agg(pl.col("start").min()).sort("month")
    return _Part(rows, starts["month"].to_list(), [*starts["start"], rows.height])


def in_segments(rows: pl.DataFrame, chosen: Filter) -> pl.DataFrame:
    """The rows of the chosen products, regions and grades; None among them: not recorded."""
    wanted = [
        pl.col(name).is_in(list(values), nulls_equal=True)
        for name, values in chosen.segments().items()
        if values
    ]
    return rows.filter(*wanted) if wanted else rows


def added(rows: pl.DataFrame, keys: Sequence[str], sums: Sequence[str]) -> pl.DataFrame:
    """Rows of equal keys added up; a sum leaves out what is missing, and is null of nothing."""
    totals = [
        # asked only where something is missing: it takes longer than a sum
        pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name)
        if rows[name].null_count()
        else pl.col(name).sum()
        for name in sums
    ]
    return as_text(rows.group_by(keys).agg(totals))


def as_text(rows: pl.DataFrame) -> pl.DataFrame:
    """The text of a mart's rows as text again."""
    return rows.with_columns(pl.selectors.enum().cast(pl.String))


def read_book(published: Marts) -> Book:
    """The book that a version holds, with its buckets and the segments on it."""
    row = as_text(published.part("book")).row(0, named=True)
    products = as_text(published.part("products"))
    revolving = products.filter(products["revolving_loans"] * 2 > products["loans"])
    return Book(
        version=row["version"],
        refreshed_at=row["refreshed_at"],
        first_month=row["first_month"],
        as_of=row["as_of"],
        is_synthetic=row["is_synthetic"],
        has_balances=row["has_balances"],
        has_months_past_due=row["has_months_past_due"],
        bounds=tuple(json.loads(row["bucket_bounds"])),
        buckets=tuple(published.part("buckets").sort("rank")["code"].to_list()),
        table_rows=json.loads(row["tables"]),
        segments={name: _values(published, name) for name in ("product", "region", "grade")},
        revolving_products=frozenset(revolving["product"].to_list()),
        months=tuple(published.part("months")["month"].to_list()),
    )


def _values(published: Marts, segment: str) -> tuple[str | None, ...]:
    """A segment's values on book, in order, the missing one last."""
    parts = [published.part("stocks", basis) for basis in ("days", "months")]
    values = pl.concat([rows[segment].unique() for rows in parts])
    return tuple(values.cast(pl.String).unique().sort(nulls_last=True).to_list())
