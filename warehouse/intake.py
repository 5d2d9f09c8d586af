"""From the files to the staging tables: what is wrong with files, rows, keys and references."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from sqlalchemy import Table
from sqlalchemy.schema import CreateTable

from warehouse.contract import REQUIRED, contract
from warehouse.engines import Connection
from warehouse.files import SourceFile
from warehouse.merging import holds_rows
from warehouse.refusals import Problem, Refusals, Unreadable
from warehouse.rules import check_batch
from warehouse.staging import (
    Staged,
    analyse,
    refuse_missing_references,
    refuse_repeated_keys,
    staging_table,
)

Progress = Callable[[str], None]


def stage_files(
    connection: Connection,
    directory: Path,
    files: list[SourceFile],
    refusals: Refusals,
    today: date,
    progress: Progress,
) -> Staged:
    """Read every file into its staging table; note what is wrong with rows, keys, references."""
    staged: Staged = {}
    for file in files:
        staged[file.table.name] = table = staging_table(file.table)
        connection.execute(CreateTable(table))
        _stage_file(connection, file, table, refusals, today, progress)
    _refuse_missing_tables(connection, directory, files, refusals)
    analyse(connection, staged.values())
    unclean = {file.table.name for file in files if refusals.of_file(file.name)}
    unclean |= {
        name for name in contract.tables if name not in staged and _is_there(directory, name)
    }
    for file in files:
        progress(f"checking the keys and references of {file.name}")
        refuse_repeated_keys(connection, file.table, staged[file.table.name], file.name, refusals)
        refuse_missing_references(connection, file.table, staged, file.name, refusals, unclean)
    return staged


def _stage_file(
    connection: Connection,
    file: SourceFile,
    table: Table,
    refusals: Refusals,
    today: date,
    progress: Progress,
) -> None:
    told = time.monotonic()
    try:
        for batch in file.batches(refusals):
            good, problems = check_batch(file.table, file.name, batch, today)
            for frame in problems:
                refusals.add_frame(frame)
            if good.height:
                connection.ingest(table.name, good, temporary=True)
            if time.monotonic() - told > 1:
                progress(f"reading {file.name}: {file.rows:,} rows")
                told = time.monotonic()
    except Unreadable as unreadable:
        refusals.add(unreadable.problem)
    progress(f"read {file.name}: {file.rows:,} rows")


def _is_there(directory: Path, name: str) -> bool:
    return any((directory / f"{name}{suffix}").exists() for suffix in (".csv", ".parquet"))


def _refuse_missing_tables(
    connection: Connection, directory: Path, files: list[SourceFile], refusals: Refusals
) -> None:
    sources = {file.table.name: file for file in files}
    for name in REQUIRED:
        source = sources.get(name)
        if source is None:
            is_settled = _is_there(directory, name)  # it is refused for what it is
        else:
            is_settled = source.rows > 0 or refusals.of_file(source.name)
        if not is_settled and not holds_rows(connection, contract.tables[name]):
            file = source.name if source else f"{name}.csv"
            expected = f"rows of {name}: the warehouse has none yet"
            refusals.add(Problem("missing_table", file, expected))
