"""What pages ask of the marts, held against the same question in plain SQL on the file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from jobs.refresh import refresh
from queries import portfolio
from queries.filters import Filter
from queries.marts import Marts, open_marts, read_book
from tests.books import JAN, loan, month, put
from tests.served import LAST_MONTH, synthetic
from warehouse.published import current_version

TWO_YEARS_AGO = dt.date(LAST_MONTH.year - 2, LAST_MONTH.month, 30)


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = synthetic(tmp_path_factory.mktemp("portfolio"))
    found = current_version(made.marts)
    assert found
    return found


@pytest.fixture
def marts(version: Path) -> Iterator[Marts]:
    found = open_marts(version)
    yield found
    found.close()


def in_sql(version: Path, mart: str, keys: str, sums: tuple[str, ...], where: str) -> pl.DataFrame:
    totals = ", ".join(
        f"sum({name})::{'DOUBLE' if name.endswith('squares') else 'BIGINT'} AS {name}"
        for name in sums
    )
    with duckdb.connect(str(version), read_only=True) as connection:
        return connection.sql(
            f"SELECT {keys}, {totals} FROM {mart} WHERE {where} GROUP BY {keys}"
        ).pl()


CHOICES: list[tuple[dict[str, Any], str]] = [
    ({}, "true"),
    ({"products": ("credit_card",)}, "product = 'credit_card'"),
    (
        {"regions": ("South", "East"), "grades": ("A", "C")},
        "region IN ('South', 'East') AND grade IN ('A', 'C')",
    ),
    ({"products": (None, "auto_loan")}, "(product IS NULL OR product = 'auto_loan')"),
    ({"grades": ("no such grade",)}, "false"),
]


@pytest.mark.parametrize(("chosen", "segments"), CHOICES)
@pytest.mark.parametrize("basis", ["days", "months"])
@pytest.mark.parametrize(("window", "back"), [(1, 0), (3, 2), (12, 25)])
def test_cells_are_those_of_plain_sql(
    version: Path,
    marts: Marts,
    chosen: dict[str, Any],
    segments: str,
    basis: Any,
    window: int,
    back: int,
) -> None:
    asked = Filter(as_of=LAST_MONTH, window=window, basis=basis, **chosen)
    count = window - 1 + back
    dated = f"last_day(DATE '{LAST_MONTH}' - INTERVAL {count} MONTH) <= month AND {segments}"
    where = f"basis = '{basis}' AND {dated}"
    states = "month, from_state, to_state"
    for found, expected in (
        (
            portfolio.stocks(marts, asked, back=back),
            in_sql(version, "stocks", "month, bucket", portfolio.STOCK_SUMS, where),
        ),
        (
            portfolio.stocks(marts, asked, back=back, by="industry"),
            in_sql(version, "industries", "month, bucket, industry", portfolio.STOCK_SUMS, where),
        ),
        (
            portfolio.transitions(marts, asked, back=back),
            in_sql(version, "transitions", states, portfolio.TRANSITION_SUMS, where),
        ),
        (
            portfolio.transitions(marts, asked, back=back, by="grade"),
            in_sql(version, "transitions", f"{states}, grade", portfolio.TRANSITION_SUMS, where),
        ),
        (
            portfolio.paid_transitions(marts, asked, back=back),
            in_sql(version, "transitions", f"{states}, product, grade", portfolio.MOVE_SUMS, where),
        ),
        (
            portfolio.cash(marts, asked, back=back),
            in_sql(version, "cash", "month", portfolio.CASH_SUMS, dated),
        ),
    ):
        assert_frame_equal(found, expected, check_row_order=False)
        assert expected.height or segments == "false"


def test_an_earlier_month_hides_all_later_ones(marts: Marts) -> None:
    months = read_book(marts).months
    found = portfolio.stocks(marts, Filter(as_of=months[3], window=2))
    assert found["month"].unique().sort().to_list() == [*months[2:4]]
    assert portfolio.stocks(marts, Filter(as_of=TWO_YEARS_AGO)).is_empty()


def test_what_was_paid_is_the_same_by_move_and_by_where_it_ended(marts: Marts) -> None:
    asked = Filter(as_of=LAST_MONTH, window=8)
    moved = portfolio.paid_transitions(marts, asked, by=())
    stayed = moved.filter(~pl.col("to_state").is_in(["paid_off", "charged_off", "sold"]))
    ended = portfolio.stocks(marts, asked)
    keys = ["month", "bucket"]
    by_move = stayed.rename({"to_state": "bucket"}).group_by(keys).agg(pl.col("paid_cents").sum())
    by_move = by_move.filter(pl.col("bucket") != "unmatched")
    assert_frame_equal(by_move, ended.select(*keys, "paid_cents"), check_row_order=False)
    paid_off = moved.filter(to_state="paid_off")["paid_cents"].sum()
    assert 0 < paid_off < by_move["paid_cents"].sum()  # the last payment of a loan counts too


def test_marts_of_an_older_version_lack_what_was_paid_and_nothing_else(
    version: Path, tmp_path: Path
) -> None:
    older = tmp_path / "older.duckdb"
    older.write_bytes(version.read_bytes())
    with duckdb.connect(str(older)) as connection:
        connection.execute("ALTER TABLE transitions DROP COLUMN paid_cents")
    asked = Filter(as_of=LAST_MONTH, window=8)
    both = [open_marts(path) for path in (version, older)]
    now, then = (portfolio.paid_transitions(one, asked) for one in both)
    assert_frame_equal(now.drop("paid_cents"), then.drop("paid_cents"), check_row_order=False)
    assert then["paid_cents"].null_count() == then.height
    for one in both:
        one.close()


def test_a_book_without_missed_instalments_has_no_cells_by_months(
    duckdb_url: str, tmp_path: Path
) -> None:
    put(duckdb_url, loans=[loan("a")], loan_months=[month("a", JAN, 30, "10")])
    marts = open_marts(refresh(duckdb_url, tmp_path).path)
    by_days, by_months = (
        portfolio.stocks(marts, Filter(as_of=JAN, basis=basis)) for basis in ("days", "months")
    )
    assert by_days.height == 1
    assert by_months.is_empty()
    assert by_months.schema == by_days.schema


def test_a_version_is_read_once_for_all_sessions(marts: Marts) -> None:
    with ThreadPoolExecutor(8) as sessions:
        found = [*sessions.map(lambda _: marts.part("transitions", "days"), range(16))]
    assert all(frame is found[0] for frame in found)
    before = marts.bytes_in_memory
    assert before >= found[0].estimated_size()
    portfolio.stocks(marts, Filter(as_of=LAST_MONTH), by="industry")
    assert marts.bytes_in_memory > before


def test_a_version_that_was_deleted_is_still_read_by_those_who_have_it(
    duckdb_url: str, tmp_path: Path
) -> None:
    put(duckdb_url, loans=[loan("a")], loan_months=[month("a", JAN, 0, "10")])
    path = refresh(duckdb_url, tmp_path).path
    marts = open_marts(path)
    path.unlink()
    assert portfolio.stocks(marts, Filter(as_of=JAN))["weight_cents"].to_list() == [1000]
