"""What a load did, and where that is kept: in the warehouse and in a folder of reports."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from warehouse.contract import load_months, load_recovery, loads
from warehouse.engines import Connection
from warehouse.refusals import Refused
from warehouse.touched_conduct import CONDUCT


@dataclass(frozen=True)
class TableRows:
    """What a load did to one table; `first_changed` lists up to twenty keys."""

    file: str
    new: int
    changed: int
    unchanged: int
    first_changed: tuple[str, ...]
    ignored_columns: tuple[str, ...]
    blank_rows: int


@dataclass(frozen=True)
class LoadReport:
    """What a load did.

    `loaded_at` is in UTC; `restated_months` are past months of which rows were
    replaced, with the first keys in `first_restated`; `touched_months` are those
    that the next refresh recomputes, `touched_recovery` the cohorts and months of
    the recovery marts, `touched_conduct` the months of the contact rules;
    `ignored_files` are neither CSV nor Parquet.
    """

    load_id: int
    loaded_at: datetime
    source: str
    is_synthetic: bool
    tables: dict[str, TableRows]
    restated_rows: int
    restated_months: tuple[date, ...]
    first_restated: tuple[str, ...]
    touched_months: tuple[date, ...]
    touched_recovery: tuple[tuple[str, date], ...]
    touched_conduct: tuple[date, ...]
    ignored_files: tuple[str, ...]
    seconds: float

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> Iterator[str]:
        """The report as a reader wants it: what came in, what changed, what was left out."""
        for name, rows in self.tables.items():
            yield (
                f"{name}: {rows.new:,} new, {rows.changed:,} changed,"
                f" {rows.unchanged:,} unchanged rows"
            )
            if rows.first_changed:
                yield f"  changed: {_some(rows.first_changed, rows.changed)}"
            if rows.ignored_columns:
                yield f"  not in the contract, not loaded: {', '.join(rows.ignored_columns)}"
            if rows.blank_rows:
                yield f"  {rows.blank_rows:,} empty rows left out"
        if self.restated_rows:
            months = ", ".join(map(str, self.restated_months))
            yield f"restated: {self.restated_rows:,} rows of {months}"
            yield f"  restated: {_some(self.first_restated, self.restated_rows)}"
        if self.ignored_files:
            yield f"other files, not read: {', '.join(self.ignored_files)}"
        yield f"{len(self.touched_months)} months to refresh; {self.seconds:.1f} s"


def _some(keys: tuple[str, ...], total: int) -> str:
    more = f" and {total - len(keys):,} more" if total > len(keys) else ""
    return "; ".join(keys) + more


def utc_now() -> datetime:
    """This second in UTC, as it is kept and shown."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def next_load_id(connection: Connection) -> int:
    last = connection.fetch(sa.select(sa.func.max(loads.c.load_id).label("last"))).item()
    return 1 if last is None else last + 1


def record(connection: Connection, report: LoadReport) -> None:
    """Note the load and the months it touched beside the facts."""
    connection.execute(
        loads.insert().values(
            load_id=report.load_id,
            loaded_at=report.loaded_at,
            source=report.source,
            is_synthetic=report.is_synthetic,
            report=as_json(asdict(report)),
        )
    )
    if report.touched_months:
        months = pl.DataFrame({"month": report.touched_months}, schema={"month": pl.Date})
        load_id = pl.lit(report.load_id, pl.Int32).alias("load_id")
        connection.ingest(load_months.name, months.select(load_id, "month"))
    touched = [*report.touched_recovery, *((CONDUCT, day) for day in report.touched_conduct)]
    if touched:
        parts = pl.DataFrame(touched, schema={"part": pl.String, "month": pl.Date}, orient="row")
        load_id = pl.lit(report.load_id, pl.Int32).alias("load_id")
        connection.ingest(load_recovery.name, parts.select(load_id, "part", "month"))


def write_summary(path: Path, source: str, outcome: LoadReport | Refused) -> None:
    """A small JSON file about one load, accepted or refused, for the data-quality page.

    `outcome` is `accepted` (with the fields of `LoadReport`) or `refused` (with
    `problems`, a list of kind, file, column, count and first, and `report`, the
    file with all of them).
    """
    if isinstance(outcome, LoadReport):
        content: dict[str, Any] = {"outcome": "accepted", **asdict(outcome)}
    else:
        content = {
            "outcome": "refused",
            "loaded_at": utc_now(),
            "source": source,
            "count": outcome.count,
            "problems": [asdict(group) for group in outcome.groups],
            "report": str(outcome.report),
        }
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    unfinished.write_text(as_json(content), encoding="utf-8")
    unfinished.replace(path)


def as_json(content: dict[str, Any]) -> str:
    return json.dumps(content, default=str, ensure_ascii=False)
