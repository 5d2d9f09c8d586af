"""Real public books from their files to the numbers on a page."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from analytics.roll_rates import roll_rate_matrix
from jobs.refresh import refresh
from queries import portfolio
from queries.filters import Filter, whole_book
from queries.marts import Book, open_marts, read_book
from tests.conftest import ROOT, real_data
from warehouse.engines import DuckDBConnection
from warehouse.load import load


def published(
    source: str, example: str, folder: Path, *options: str
) -> tuple[DuckDBConnection, Book]:
    path = real_data(source)
    command = [sys.executable, f"examples/{example}", str(path), str(folder / "files"), *options]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    url = f"duckdb:///{folder / 'facts.duckdb'}"
    load(folder / "files", url=url, reports=folder / "reports")
    connection = open_marts(refresh(url, folder / "marts").path)
    return connection, read_book(connection)


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> tuple[DuckDBConnection, Book]:
    folder = tmp_path_factory.mktemp("cards")
    return published("uci_credit_card_default.csv", "uci_cards.py", folder)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> tuple[DuckDBConnection, Book]:
    folder = tmp_path_factory.mktemp("record")
    options = ("--month0", "2020-12-31")
    return published("credit_record.zip", "credit_record.py", folder, *options)


def test_septembers_cards_are_counted_and_weighed(cards: tuple[DuckDBConnection, Book]) -> None:
    connection, book = cards
    assert book.as_of == dt.date(2005, 9, 30)
    found = portfolio.stocks(connection, Filter(as_of=book.as_of, basis="months"))
    loans = dict(found.select("bucket", "loans").iter_rows())
    # -2, -1 and 0 are current: 2,759 + 5,686 + 14,737
    assert loans["current"] == 2759 + 5686 + 14737
    assert (loans["1-30"], loans["31-60"], loans["61-90"]) == (3688, 2667, 322)
    assert found["negative_loans"].sum() == 590
    cents = found["weight_cents"].sum() + found["negative_cents"].sum()
    assert cents == 1_536_699_927 * 100


def test_the_credit_records_transitions_are_the_known_ones(
    record: tuple[DuckDBConnection, Book],
) -> None:
    connection, book = record
    assert not book.has_balances
    moves = portfolio.transitions(connection, whole_book(book.first_month, book.as_of))
    counts = dict(
        ((start, end), loans)
        for start, end, loans in moves.group_by("from_state", "to_state")
        .agg(pl.col("loans").sum())
        .iter_rows()
    )
    known = {
        ("1-30", "31-60"): 7057,
        ("31-60", "61-90"): 559,
        ("61-90", "91-120"): 257,
        ("91-120", "121-150"): 185,
        ("121-150", "151-180"): 145,
        ("1-30", "151-180"): 44,
    }
    assert {pair: counts[pair] for pair in known} == known
    entries = sum(loans for (start, _), loans in counts.items() if start in ("new", "appeared"))
    lost = sum(loans for (_, end), loans in counts.items() if end == "unmatched")
    assert sum(counts.values()) - entries - lost == 1_002_590
    assert entries == 45_985  # every account enters once: no gaps
    matrix = roll_rate_matrix(moves, buckets=book.buckets, weight="loans")
    rows = matrix.drop_nulls("rate").group_by("from_state").agg(pl.col("rate").sum())
    assert rows["rate"].to_list() == pytest.approx([1.0] * rows.height)
