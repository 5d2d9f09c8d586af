"""A lender's files into the facts: all of them, or none.

Every file is read in batches, each row held against the contract, and kept in
temporary tables on the facts engine.  When nothing is wrong, what is new is
added and what differs replaced, in the same transaction that read it; when
anything is, the warehouse is as it was and the refusal says what to mend.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import sqlalchemy as sa

from warehouse import settings
from warehouse.contract import bookkeeping, contract, loan_months
from warehouse.engines import Connection, WarehouseUnavailable, create_tables, session
from warehouse.files import TRUTHS, SourceFile, find_files
from warehouse.intake import Progress, stage_files
from warehouse.load_report import (
    LoadReport,
    TableRows,
    next_load_id,
    record,
    utc_now,
    write_summary,
)
from warehouse.merging import Merge, compare, merge_rows, restatements
from warehouse.refusals import LISTED, Refusals, Refused
from warehouse.staging import Staged, analyse
from warehouse.touched import touched_months
from warehouse.touched_conduct import touched_conduct
from warehouse.touched_recovery import touched_recovery

__all__ = ["LoadReport", "Refused", "TableRows", "load"]

_LOADER_LOCK = 7_214_905_331  # PostgreSQL: one load at a time


def load(
    directory: Path,
    *,
    url: str | None = None,
    restate: bool = False,
    progress: Progress = print,
    today: date | None = None,
    wait_seconds: float = 30,
    reports: Path | None = None,
) -> LoadReport:
    """Load a directory of CSV or Parquet files, one per table and named after it.

    A row whose key is not in the warehouse is added; one that equals the row
    there changes nothing; any other replaces it.  A different row for a month
    of `loan_months` before the warehouse's latest is a restatement, accepted
    with `restate` only.

    Raises `Refused`, which lists what is wrong, and `WarehouseUnavailable`
    where the warehouse cannot be reached or is held for `wait_seconds`.  Every
    load, accepted or refused, leaves a JSON summary in `reports`.
    """
    began = time.monotonic()
    directory = Path(directory)
    reports = reports or settings.marts_path() / "load_reports"
    stem = f"load_{datetime.now(UTC):%Y%m%dT%H%M%S_%f}"
    refusals = Refusals(reports / f"{stem}_problems.jsonl")
    url = url or settings.warehouse_url()
    try:
        with session(
            url, read_only=False, wait_seconds=wait_seconds, waiting=progress
        ) as connection:
            if connection.dialect.name == "postgresql":
                _prepare_server(connection, wait_seconds, progress)
            create_tables(connection, contract, with_indexes=False)
            create_tables(connection, bookkeeping)
            files, others = find_files(directory, refusals)
            staged = stage_files(
                connection, directory, files, refusals, today or date.today(), progress
            )
            merges, restated = _compare(connection, files, staged, restate, refusals, progress)
            refusals.raise_if_any()
            _merge(connection, merges, progress)
            report = LoadReport(
                load_id=next_load_id(connection),
                loaded_at=utc_now(),
                source=str(directory.resolve()),
                is_synthetic=(directory / TRUTHS).exists(),
                tables=_table_rows(files, merges),
                restated_rows=restated.height,
                restated_months=tuple(restated["month"].unique().sort()),
                first_restated=tuple(restated["key"].head(LISTED)),
                touched_months=tuple(touched_months(connection, merges)),
                touched_recovery=tuple(touched_recovery(connection, merges)),
                touched_conduct=tuple(touched_conduct(connection, merges)),
                ignored_files=tuple(others),
                seconds=round(time.monotonic() - began, 1),
            )
            record(connection, report)
    except Refused as refused:
        write_summary(reports / f"{stem}.json", str(directory.resolve()), refused)
        raise
    write_summary(reports / f"{stem}.json", report.source, report)
    return report


def _prepare_server(connection: Connection, wait_seconds: float, progress: Progress) -> None:
    """Until the transaction ends: memory to sort in, and no other load beside this one."""
    connection.execute(sa.DDL("SET LOCAL work_mem = '256MB'"))
    connection.execute(sa.DDL("SET LOCAL maintenance_work_mem = '512MB'"))
    deadline = time.monotonic() + wait_seconds
    lock = sa.select(sa.func.pg_try_advisory_xact_lock(_LOADER_LOCK).label("taken"))
    told = False
    while not connection.fetch(lock).item():
        if time.monotonic() >= deadline:
            raise WarehouseUnavailable("another load is under way; try again when it has finished")
        if not told:
            progress(f"waiting up to {wait_seconds:g} s for another load to finish")
            told = True
        time.sleep(0.2)


def _compare(
    connection: Connection,
    files: list[SourceFile],
    staged: Staged,
    restate: bool,
    refusals: Refusals,
    progress: Progress,
) -> tuple[dict[str, Merge], pl.DataFrame]:
    """Hold the staged rows against the facts; past months may only change by request."""
    merges: dict[str, Merge] = {}
    restated = pl.DataFrame(schema={"month": pl.Date, "key": pl.String})
    for file in files:
        if refusals.of_file(file.name):
            continue
        progress(f"comparing {file.name} with the warehouse")
        merge = compare(connection, file.table, staged[file.table.name])
        merges[file.table.name] = merge
        if file.table is loan_months and merge.changed:
            restated = restatements(connection, merge)
            if not restate:
                refusals.add_frame(_as_problems(restated, file.name))
    return merges, restated


def _as_problems(restated: pl.DataFrame, file: str) -> pl.DataFrame:
    held = pl.col("held").fill_null("nothing")
    return restated.with_columns(
        kind=pl.lit("restatement"),
        file=pl.lit(file),
        expected=pl.format("{} as the warehouse holds for this past month (or --restate)", held),
    )


def _merge(connection: Connection, merges: dict[str, Merge], progress: Progress) -> None:
    for name, merge in merges.items():
        if merge.new + merge.changed:
            progress(f"writing {name}: {merge.new:,} new, {merge.changed:,} changed rows")
            merge_rows(connection, merge)
    create_tables(connection, contract)  # with the indexes, faster after a first load
    analyse(connection, [merge.table for merge in merges.values() if merge.new + merge.changed])


def _table_rows(files: list[SourceFile], merges: dict[str, Merge]) -> dict[str, TableRows]:
    rows = {}
    for file in files:
        merge = merges[file.table.name]
        rows[file.table.name] = TableRows(
            file=file.name,
            new=merge.new,
            changed=merge.changed,
            unchanged=merge.unchanged,
            first_changed=merge.first_changed,
            ignored_columns=tuple(file.ignored),
            blank_rows=file.blank_rows,
        )
    return rows
