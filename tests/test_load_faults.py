"""A load that is killed has not happened: every row is as it was, and the next load completes."""

from __future__ import annotations

import datetime as dt
import random
import time
from functools import partial
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa

from tests.killed import Work, killed
from tests.lender import TODAY, take, write
from warehouse.contract import contract
from warehouse.engines import session
from warehouse.load import load

LOANS = 1_000
KILLS = 15  # ten at random moments, and every third when it has written some tables and not all
WRITING = {3: "writing loan_months", 0: "writing payments"}


def book(folder: Path, months: int) -> Path:
    """So many months of every loan; each book differs from the last in new and changed rows."""
    ids = [f"L{number}" for number in range(LOANS)]
    ends = pl.date_range(
        dt.date(2022, 1, 1), dt.date(2024, 5, 1), "1mo", eager=True
    ).dt.month_end()[:months]
    loans = pl.DataFrame({"loan_id": ids, "product": f"after {months} months"})
    rows = loans.select("loan_id").join(ends.to_frame("month"), how="cross")
    rows = rows.with_columns(days_past_due=pl.lit(months % 3), status=pl.lit("open"))
    payments = rows.with_row_index("payment_id").select(
        pl.format("Y{}", "payment_id").alias("payment_id"),
        "loan_id",
        paid_on="month",
        amount=pl.lit("12.34"),
    )
    write(folder)
    loans.write_csv(folder / "loans.csv")
    rows.write_csv(folder / "loan_months.csv")
    payments.write_parquet(folder / "payments.parquet")
    return folder


def facts(url: str) -> dict[str, pl.DataFrame]:
    """Every row of the tables that hold any, in order."""
    with session(url) as connection:
        tables = {
            name: connection.fetch(sa.select(table)) for name, table in contract.tables.items()
        }
    return {name: rows.sort(rows.columns) for name, rows in tables.items() if rows.height}


def same(left: dict[str, pl.DataFrame], right: dict[str, pl.DataFrame]) -> bool:
    return left.keys() == right.keys() and all(left[name].equals(right[name]) for name in left)


def a_load(folder: Path, url: str) -> Work:
    """As `take`, for another process."""
    reports = folder.parent / "reports"
    return partial(load, folder, url=url, today=TODAY, restate=True, reports=reports)


@pytest.mark.faults
def test_a_killed_load_loses_nothing_and_the_next_one_completes(
    tmp_path: Path, facts_url: str
) -> None:
    take(book(tmp_path / "book0", 1), facts_url)
    before = facts(facts_url)
    moments = random.Random(7)
    seconds = 1.0
    undone = 0
    for number in range(1, KILLS + 1):
        folder = book(tmp_path / f"book{number}", 1 + number)
        writing = WRITING.get(number % 6)
        killed(a_load(folder, facts_url), writing or moments.uniform(0, seconds))
        left = facts(facts_url)
        undone += same(left, before)
        began = time.monotonic()
        take(folder, facts_url, restate=True)
        seconds = time.monotonic() - began
        after = facts(facts_url)
        assert after["loan_months"].height == LOANS * (1 + number)
        assert same(left, before) or same(left, after)
        before = after
    assert undone >= KILLS // 2  # most were killed at work, not when all was done
