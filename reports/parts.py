"""What a report is made of, whatever file it becomes: sections of words and tables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl


class ReportRefused(Exception):
    """A report that cannot be made or written; the sentence says why."""


@dataclass(frozen=True)
class Table:
    """Rows under a title.

    `printed` and `narrow`: how many rows, and which columns, are on paper (all where not said);
    the workbook has them all.
    """

    title: str
    rows: pl.DataFrame
    printed: int | None = None
    narrow: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Of the rows as CSV, columns named: equal where all values are."""
        return hashlib.sha256(self.rows.write_csv().encode()).hexdigest()


@dataclass(frozen=True)
class Section:
    """A sheet of the workbook, a heading on paper.  `name` is the sheet's: at most 31 letters."""

    name: str
    title: str
    words: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    code: tuple[str, ...] = ()  # lines that are shown as they are


@dataclass(frozen=True)
class Report:
    """A report with a name for its files and the moment of its data, never that of its making."""

    name: str
    title: str
    dated: datetime
    fingerprint: str
    sections: tuple[Section, ...]


def tables_of(sections: Sequence[Section]) -> Iterator[tuple[str, Table]]:
    """Every table with the name of its sheet."""
    for section in sections:
        for table in section.tables:
            yield section.name, table


def digests_of(sections: Sequence[Section]) -> pl.DataFrame:
    """One row a table: its sheet, its title, how many rows it has, and its digest."""
    found = [(name, one.title, one.rows.height, one.digest) for name, one in tables_of(sections)]
    return pl.DataFrame(found, schema=["sheet", "table", "rows", "sha256"], orient="row")


def fingerprint_of(digests: pl.DataFrame, *more: str) -> str:
    """One digest of all tables, and of texts that belong to them."""
    return hashlib.sha256("\n".join([digests.write_csv(), *more]).encode()).hexdigest()
