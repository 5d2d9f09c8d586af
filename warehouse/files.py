"""A lender's files: found, opened, and read in batches.

A CSV file is comma-separated with a header; its cells arrive as text, an empty
cell as null.  A Parquet file's columns arrive with their own types.  Columns
that the contract does not know are never read.  Each batch carries the row's
number in the file, as a spreadsheet counts it, in the column `ROW`.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from sqlalchemy import Table

from warehouse.contract import contract
from warehouse.encodings import encoding_of
from warehouse.refusals import Problem, Refusals, Unreadable

ROW = "row_in_file"
TRUTHS = "truths.json"
BATCH_ROWS = 500_000
BLOCK_BYTES = 32 << 20


@dataclass
class SourceFile:
    """One table's file: its columns, what is ignored, and what reading has found so far."""

    table: Table
    path: Path
    encoding: str | None  # None: Parquet
    columns: list[str]
    rows: int = 0
    blank_rows: int = 0

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def known(self) -> list[str]:
        return [name for name in self.columns if name in self.table.columns]

    @property
    def ignored(self) -> list[str]:
        return [name for name in self.columns if name not in self.table.columns]

    def batches(self, refusals: Refusals) -> Iterator[pl.DataFrame]:
        """The known columns and `ROW`, a few hundred thousand rows at a time.

        Rows with too few or too many cells are refused and left out.
        """
        try:
            yield from _csv_batches(self, refusals) if self.encoding else _parquet_batches(self)
        except (pa.ArrowException, OSError) as error:
            reason = str(error).splitlines()[0]
            raise Unreadable(
                Problem("unreadable", self.name, "a readable file", value=reason)
            ) from error


def find_files(directory: Path, refusals: Refusals) -> tuple[list[SourceFile], list[str]]:
    """The directory's files in the contract's order, and the names of files of other kinds."""
    found: dict[str, list[Path]] = {}
    others = []
    for path in sorted(directory.iterdir()) if directory.is_dir() else []:
        if path.suffix.lower() not in (".csv", ".parquet"):
            if path.name != TRUTHS:
                others.append(path.name)
        elif path.stem in contract.tables and path.is_file():
            found.setdefault(path.stem, []).append(path)
        else:
            expected = f"a file named after one of {', '.join(contract.tables)}"
            refusals.add(Problem("unknown_file", path.name, expected, value=path.name))
    if not found and not refusals:
        expected = "a directory with CSV or Parquet files named after tables, as loans.csv"
        refusals.add(Problem("directory", str(directory), expected))
    sources = []
    for name, table in contract.tables.items():
        paths = found.get(name, [])
        if len(paths) > 1:
            both = " and ".join(path.name for path in paths)
            refusals.add(Problem("two_files", paths[0].name, f"one file for {name}", value=both))
        elif paths and (source := _open(table, paths[0], refusals)):
            sources.append(source)
    return sources, others


def _open(table: Table, path: Path, refusals: Refusals) -> SourceFile | None:
    """The file with its header read and checked; None where it is refused."""
    try:
        encoding = encoding_of(path) if path.suffix.lower() == ".csv" else None
        columns = _csv_header(path, encoding) if encoding else _parquet_header(path)
    except Unreadable as unreadable:
        refusals.add(unreadable.problem)
        return None
    for name, times in Counter(columns).items():
        if times > 1:
            expected = "each column once"
            found = f"{name} {times} times"
            refusals.add(Problem("repeated_column", path.name, expected, column=name, value=found))
    for column in table.columns:
        needed = not column.nullable and "default" not in column.info
        if needed and column.name not in columns:
            found = "the columns " + ", ".join(columns)
            expected = f"a column {column.name}"
            refusals.add(
                Problem("missing_column", path.name, expected, column=column.name, value=found)
            )
    return None if refusals.of_file(path.name) else SourceFile(table, path, encoding, columns)


def _csv_header(path: Path, encoding: str) -> list[str]:
    with path.open(encoding=encoding, newline="") as file:
        try:
            header = next(csv.reader(file), [])
        except csv.Error as error:
            raise Unreadable(
                Problem("unreadable", path.name, "a readable header", value=str(error))
            ) from error
    header = [name.removeprefix("\ufeff") for name in header]
    if not any(name.strip() for name in header):
        expected = "a first line with the names of the columns"
        raise Unreadable(Problem("no_header", path.name, expected, row=1))
    return header


def _parquet_header(path: Path) -> list[str]:
    try:
        return list(pa.parquet.read_schema(path).names)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise Unreadable(
            Problem("unreadable", path.name, "a Parquet file", value=reason)
        ) from error


def _csv_batches(source: SourceFile, refusals: Refusals) -> Iterator[pl.DataFrame]:
    skipped: set[int] = set()

    def ragged(row: pa.csv.InvalidRow) -> str:
        """The row's text stays out of the report: it may hold what must not be stored."""
        skipped.add(row.number)
        expected = f"{row.expected_columns} cells, as in the header"
        found = f"{row.actual_columns} cells"
        refusals.add(Problem("ragged_row", source.name, expected, row=row.number, value=found))
        return "skip"

    reader = pa.csv.open_csv(
        source.path,
        pa.csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES, encoding=source.encoding),
        pa.csv.ParseOptions(
            newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=ragged
        ),
        pa.csv.ConvertOptions(
            column_types={name: pa.string() for name in source.columns},
            include_columns=source.known,
            null_values=[""],
            strings_can_be_null=True,
        ),
    )
    row = 2
    for batch in reader:
        numbers = _row_numbers(row, batch.num_rows, skipped)
        row = numbers[-1] + 1 if len(numbers) else row
        frame = pl.DataFrame(pl.from_arrow(batch)).with_columns(numbers.alias(ROW))
        filled = frame.filter(pl.any_horizontal(pl.col(source.known).is_not_null()))
        source.blank_rows += frame.height - filled.height
        source.rows += filled.height
        yield filled


def _row_numbers(first: int, rows: int, skipped: set[int]) -> pl.Series:
    """The numbers of so many rows from the first on; rows skipped as ragged keep theirs."""
    numbers = pl.int_range(first, first + rows + len(skipped), eager=True)
    if skipped:
        numbers = numbers.filter(~numbers.is_in(list(skipped)))
    return numbers.head(rows)


def _parquet_batches(source: SourceFile) -> Iterator[pl.DataFrame]:
    with pa.parquet.ParquetFile(source.path) as file:
        for batch in file.iter_batches(BATCH_ROWS, columns=source.known):
            frame = pl.DataFrame(pl.from_arrow(batch)).with_row_index(ROW, source.rows + 1)
            source.rows += frame.height
            yield frame.with_columns(pl.col(ROW).cast(pl.Int64))
