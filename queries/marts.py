"""Reading published marts: open a version, run a Select on it, know what book it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from queries import portfolio
from queries.loan_states import BookShape
from warehouse.engines import DuckDBConnection


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


def open_marts(path: Path) -> DuckDBConnection:
    """A read-only connection to one published version; its cells are too few to share out."""
    return DuckDBConnection(str(path), read_only=True, threads=1)


def read_book(connection: DuckDBConnection) -> Book:
    """The book that a version holds, with its buckets and the segments on it."""
    row = connection.fetch(portfolio.book()).row(0, named=True)
    segments: dict[str, list[str | None]] = {"product": [], "region": [], "grade": []}
    for name, value in connection.fetch(portfolio.segment_values()).iter_rows():
        segments[name].append(value)
    products = connection.fetch(portfolio.products())
    revolving = products.filter(products["revolving_loans"] * 2 > products["loans"])
    months = connection.fetch(portfolio.months())["month"].to_list()
    return Book(
        version=row["version"],
        refreshed_at=row["refreshed_at"],
        first_month=row["first_month"],
        as_of=row["as_of"],
        is_synthetic=row["is_synthetic"],
        has_balances=row["has_balances"],
        has_months_past_due=row["has_months_past_due"],
        bounds=tuple(json.loads(row["bucket_bounds"])),
        buckets=tuple(connection.fetch(portfolio.buckets())["code"].to_list()),
        table_rows=json.loads(row["tables"]),
        segments={name: tuple(values) for name, values in segments.items()},
        revolving_products=frozenset(revolving["product"].to_list()),
        months=tuple(months),
    )
