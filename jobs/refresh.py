"""Refresh of the marts: recompute the months that changed, publish the whole.

The heavy statements of `queries` run on the facts engine, a month at a time;
only their results are kept.  A refresh that is killed is taken up where it
stopped; readers see the old version until the new one is complete and its
totals equal the facts' to the cent.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import sqlalchemy as sa

from analytics.classes import CutsRefused
from jobs import month_marts
from jobs.conduct import ConductResult, refresh_conduct
from jobs.month_proof import sentences, wrong_rows
from jobs.recovery import RecoveryResult, refresh_recovery
from jobs.segment_marts import SegmentResult, refresh_segments
from jobs.segment_sources import named_cuts
from queries import books
from queries.filters import months_before
from queries.loan_states import BookShape, month_totals
from warehouse import marts, published, settings
from warehouse.buckets import DEFAULT_BOUNDS, bucket_codes
from warehouse.contract import bookkeeping, contract
from warehouse.engines import Connection, DuckDBConnection, create_tables, session
from warehouse.holidays import HolidaysRefused, read_holidays

SCHEMA = "6"  # raise it when a mart's meaning changes: every month is then recomputed
LAID_OUT_ANEW = 4  # the large marts, where one month in so many changed: a few lie well as written


_REFUSAL = (
    "the marts differ from the facts, so they were not published, and the next refresh makes"
    " these months anew: "
)


class RefreshRefused(Exception):
    """The marts could not be made, or do not equal the facts; nothing was published."""


@dataclass(frozen=True)
class RefreshResult:
    """What a refresh did."""

    path: Path
    recomputed: tuple[date, ...]
    removed: tuple[date, ...]
    recovery: RecoveryResult
    conduct: ConductResult
    segments: SegmentResult
    publishing: float  # seconds in which what all parts wrote was laid down in the file
    seconds: float

    @property
    def portfolio(self) -> float:
        """The seconds of the portfolio's own part."""
        parts = (self.recovery.seconds, self.conduct.seconds, self.segments.seconds)
        return self.seconds - sum(parts) - self.publishing


def refresh(
    url: str,
    folder: Path,
    *,
    bounds: Sequence[int] | None = None,
    progress: Callable[[str], None] = lambda _: None,
    wait_seconds: float = 60.0,
) -> RefreshResult:
    """Bring the marts up to the facts and publish them.

    `bounds` are the buckets' upper days; without them the current marts' are
    kept.  Raises `RefreshRefused` where the book is empty or the marts differ
    from the facts, and `WarehouseUnavailable` where the facts do not answer.
    """
    started = time.monotonic()
    try:
        holidays = read_holidays(settings.holidays())
        named_cuts(settings.class_cuts())
    except (HolidaysRefused, CutsRefused) as refusal:
        raise RefreshRefused(str(refusal)) from refusal
    with (
        published.refresh_lock(folder, wait_seconds=wait_seconds, progress=progress),
        session(url, wait_seconds=wait_seconds) as facts,
    ):
        facts.snapshot()
        current = published.current_version(folder)
        shape = book_shape(facts, bounds or published_bounds(current))
        stamps = _stamps(facts, shape)
        totals = facts.fetch(month_totals())
        shape = replace(shape, has_reopened=bool(totals["reopened_rows"].sum()))
        target = _open_building(folder)
        try:
            create_tables(target, marts.marts)
            target.commit()
            recomputed, removed = _recompute(facts, target, shape, stamps, progress)
            _write_book(facts, target, shape, sorted(stamps))
            _prove_equal(totals, target, shape, progress)
            if len(recomputed) * LAID_OUT_ANEW > len(stamps):
                month_marts.sort(target)
            target.commit()
            recovery = refresh_recovery(facts, target, shape, SCHEMA, stamps, progress, holidays)
            if recovery.differences:
                raise RefreshRefused(_REFUSAL + "; ".join(recovery.differences[:5]))
            conduct = refresh_conduct(facts, target, shape, SCHEMA, stamps, progress)
            if conduct.differences:
                raise RefreshRefused(_REFUSAL + "; ".join(conduct.differences[:5]))
            segments = refresh_segments(facts, target, shape, SCHEMA, stamps, progress)
            if segments.differences:
                raise RefreshRefused(_REFUSAL + "; ".join(segments.differences[:5]))
            made = time.monotonic()
        finally:
            target.close()
        path = published.publish(folder)
    ended = time.monotonic()
    return RefreshResult(
        path, recomputed, removed, recovery, conduct, segments, ended - made, ended - started
    )


def _open_building(folder: Path) -> DuckDBConnection:
    """The marts to work on; those of another version of this product are begun anew."""
    target = DuckDBConnection(str(published.start_building(folder)), read_only=False)
    known = {
        (table.name, column.name) for table in marts.marts.sorted_tables for column in table.columns
    }
    if target.tables() and target.columns() != known:
        target.close()
        published.discard_building(folder)
        target = DuckDBConnection(str(folder / published.BUILDING), read_only=False)
    return target


def book_shape(facts: Connection, bounds: Sequence[int]) -> BookShape:
    """What this warehouse holds: its non-empty tables and the columns it records."""
    bucket_codes(bounds)
    present = facts.tables()
    tables = frozenset(
        table.name
        for table in contract.sorted_tables
        if table.name in present and facts.fetch(books.has_rows(table)).height
    )
    if not {"loans", "loan_months"} <= tables:
        raise RefreshRefused("the warehouse has no loans and loan_months yet: load some first")
    recorded = facts.fetch(books.recorded_columns()).row(0, named=True)
    return BookShape(
        tables=tables,
        bounds=tuple(bounds),
        has_balances=recorded["balances"] > 0,
        has_months_past_due=recorded["months_past_due"] > 0,
    )


def published_bounds(current: Path | None) -> Sequence[int]:
    if current is None or not published.is_readable(current):
        return DEFAULT_BOUNDS
    connection = DuckDBConnection(str(current), read_only=True)
    try:
        return json.loads(connection.fetch(sa.select(marts.book.c.bucket_bounds)).item())
    finally:
        connection.close()


def _stamps(facts: Connection, shape: BookShape) -> dict[date, str]:
    """What each month's marts were, or would be, made from; equal stamps need no work."""
    months = facts.fetch(books.book_months())["month"].to_list()
    if bookkeeping.tables["warehouse_load_months"].name in facts.tables():
        found = dict(facts.fetch(books.touching_loads()).iter_rows())
        source = {month: str(found.get(month, 0)) for month in months}
    else:
        prints = _prints(facts, shape)
        source = {
            month: prints[month] + prints.get(months_before(month, 1), "") for month in months
        }
    lines: dict[date, list[str]] = {}
    if "ledger_totals" in shape.tables:
        for month, *line in facts.fetch(books.ledger_lines()).iter_rows():
            lines.setdefault(month, []).append(repr(line))
    tables = sorted(shape.tables & {"customers", "payments"})
    common = f"{SCHEMA}|{shape.bounds}|{shape.has_months_past_due}|{tables}|"
    return {
        month: hashlib.sha256(
            f"{common}{source[month]}|{months_before(month, 1) in source}|{month == months[0]}"
            f"|{sorted(lines.get(month, []))}".encode()
        ).hexdigest()
        for month in months
    }


def _prints(facts: Connection, shape: BookShape) -> dict[date, str]:
    """A digest of each month's cells and payments, for warehouses that others load."""
    lines: dict[date, list[str]] = {}
    for month, *cell in facts.fetch(books.month_prints(shape)).iter_rows():
        lines.setdefault(month, []).append(repr(cell))
    if "payments" in shape.tables:
        for start, *paid in facts.fetch(books.payments_by_month()).iter_rows():
            for month in lines:
                if month.replace(day=1) == start:
                    lines[month].append(repr(paid))
    return {
        month: hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()
        for month, found in lines.items()
    }


def _recompute(
    facts: Connection,
    target: Connection,
    shape: BookShape,
    stamps: dict[date, str],
    progress: Callable[[str], None],
) -> tuple[tuple[date, ...], tuple[date, ...]]:
    stale, gone = _differing_stamps(target, stamps)
    for month in gone:
        month_marts.erase(target, month)
    target.commit()
    first = min(stamps)
    for number, month in enumerate(stale, start=1):
        progress(f"month {month:%Y-%m} ({number} of {len(stale)})")
        earlier = months_before(month, 1) if months_before(month, 1) in stamps else None
        frames = month_marts.compute(facts, month, earlier, first, shape)
        month_marts.erase(target, month)
        month_marts.write(target, frames, stamps[month])
        target.commit()
    return tuple(stale), tuple(gone)


def _differing_stamps(target: Connection, stamps: dict[date, str]) -> tuple[list[date], list[date]]:
    """Months to make anew, and months that the facts no longer have."""
    made = dict(target.fetch(sa.select(marts.months.c.month, marts.months.c.stamp)).iter_rows())
    stale = [month for month in sorted(stamps) if made.get(month) != stamps[month]]
    return stale, [month for month in sorted(made) if month not in stamps]


def stale_months(facts: Connection, target: Connection, shape: BookShape) -> list[date]:
    """The months whose marts are older than the facts they came from."""
    stale, gone = _differing_stamps(target, _stamps(facts, shape))
    return sorted([*stale, *gone])


def _write_book(
    facts: Connection, target: Connection, shape: BookShape, months: list[date]
) -> None:
    """The tables that describe the whole book; small, so made anew each time."""
    counts = {
        name: facts.fetch(books.row_count(contract.tables[name])).item()
        for name in sorted(shape.tables)
    }
    is_synthetic = "warehouse_loads" in facts.tables() and bool(
        facts.fetch(books.synthetic_loads()).item()
    )
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    book = pl.DataFrame(
        {
            "version": [f"{now:%Y%m%d%H%M%S}-{months[-1]:%Y%m}"],
            "refreshed_at": [now],
            "first_month": [months[0]],
            "as_of": [months[-1]],
            "is_synthetic": [is_synthetic],
            "has_balances": [shape.has_balances],
            "has_months_past_due": [shape.has_months_past_due],
            "bucket_bounds": [json.dumps(list(shape.bounds))],
            "tables": [json.dumps(counts)],
        }
    )
    lowers = [0, 1, *(bound + 1 for bound in shape.bounds)]
    buckets = pl.DataFrame(
        {
            "rank": list(range(len(shape.codes))),
            "code": list(shape.codes),
            "lower_days": lowers,
            "upper_days": [0, *shape.bounds, None],
        }
    )
    for table, frame in (
        (marts.book, book),
        (marts.buckets, buckets),
        (marts.products, facts.fetch(books.product_terms())),
    ):
        target.execute(sa.delete(table))
        target.ingest(table.name, frame)


def _prove_equal(
    expected: pl.DataFrame, target: Connection, shape: BookShape, progress: Callable[[str], None]
) -> None:
    """Every month's loans and balance in every mart must equal the facts' to the cent."""
    progress("comparing marts and facts")
    for row in expected.iter_rows(named=True):
        target.execute(
            sa.update(marts.months)
            .where(marts.months.c.month == row["month"])
            .values(reopened_rows=row["reopened_rows"])
        )
    wrong = wrong_rows(expected, target, shape)
    if wrong.is_empty():
        return
    months = set(wrong["month"])
    for month in target.fetch(sa.select(marts.months.c.month))["month"]:
        if month in months or months_before(month, 1) in months:  # its transitions start there
            month_marts.erase(target, month)
    target.commit()  # so that the next refresh makes them anew
    raise RefreshRefused(_REFUSAL + "; ".join(sentences(wrong)[:5]))
