"""The examples map two public books, and what arrives has the counts that are published."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa

from tests.conftest import ROOT, real_data
from warehouse.contract import loan_months, loans, payments
from warehouse.engines import session
from warehouse.load import LoadReport, load

SEPTEMBER = dt.date(2005, 9, 30)


def map_and_load(tmp_path: Path, url: str, script: str, source: str, *more: str) -> LoadReport:
    out = tmp_path / "out"
    command = [sys.executable, str(ROOT / "examples" / script), str(real_data(source)), str(out)]
    subprocess.run([*command, *more], check=True, capture_output=True)
    return load(out, url=url, progress=lambda _: None, reports=tmp_path / "reports")


@pytest.fixture
def cards(tmp_path: Path, facts_url: str) -> pl.DataFrame:
    """The cards' loan-months, read back from each engine."""
    report = map_and_load(tmp_path, facts_url, "uci_cards.py", "uci_credit_card_default.csv")
    assert {name: table.new for name, table in report.tables.items()} == {
        "loans": 30_000,
        "loan_months": 180_000,
        "payments": 143_103,  # payments above zero in the source
    }
    assert len(report.touched_months) == 6
    with session(facts_url) as facts:
        held = facts.fetch(
            sa.select(sa.func.count().label("loans"), sa.func.sum(loans.c.principal_amount))
        ).row(0)
        assert [int(value) for value in held] == [30_000, 5_024_529_680]
        per_month = facts.fetch(
            sa.select(payments.c.paid_on, sa.func.sum(payments.c.amount).label("cash")).group_by(
                payments.c.paid_on
            )
        )
        frame: pl.DataFrame = facts.fetch(sa.select(loan_months))
    paid = frame.group_by("month").agg(pl.col("paid_amount").sum()).sort("month")
    assert paid["paid_amount"].cast(pl.Float64).to_list() == (
        per_month.sort("paid_on")["cash"].cast(pl.Float64).to_list()
    )
    return frame


def test_september_of_the_cards_has_the_published_counts(cards: pl.DataFrame) -> None:
    september = cards.filter(month=SEPTEMBER)
    late = dict(september["months_past_due"].value_counts().iter_rows())
    assert [late[months] for months in (1, 2, 3)] == [3_688, 2_667, 322]
    assert late[0] == 14_737 + 5_686 + 2_759  # revolving, paid in full, not used
    assert (september["days_past_due"] == september["months_past_due"] * 30).all()
    assert september["balance_amount"].sum() == 1_536_699_927
    assert (september["balance_amount"] < 0).sum() == 590


def test_a_cards_own_row_is_where_the_source_has_it(cards: pl.DataFrame) -> None:
    """The source's first row: PAY_0 2, BILL_AMT1 3913, PAY_AMT1 0; PAY_AMT2 689; BILL_AMT3 689."""
    card = cards.filter(loan_id="1").sort("month", descending=True)
    assert card["days_past_due"].to_list() == [60, 60, 0, 0, 0, 0]
    assert card["balance_amount"].cast(pl.Int64).to_list() == [3913, 3102, 689, 0, 0, 0]
    assert card["paid_amount"].cast(pl.Int64).to_list() == [0, 689, 0, 0, 0, 0]


def test_credit_records_have_the_published_counts(tmp_path: Path, duckdb_url: str) -> None:
    """Counts and transitions known of the source: 1,002,590 consecutive pairs and no gaps."""
    report = map_and_load(
        tmp_path,
        duckdb_url,
        "credit_record.py",
        "credit_record.zip",
        *("--month0", "2020-12-31"),
    )
    assert report.tables["loans"].new == 45_985
    assert report.tables["loan_months"].new == 1_048_575
    assert (report.touched_months[0], report.touched_months[-1]) == (
        dt.date(2015, 12, 31),
        dt.date(2020, 12, 31),
    )
    with session(duckdb_url) as facts:
        rows = facts.fetch(sa.select(loan_months))
    assert rows["balance_amount"].null_count() == rows.height
    pairs = rows.select("loan_id", "month", "days_past_due").join(
        rows.select(
            "loan_id",
            pl.col("month").dt.offset_by("1d").dt.month_end(),
            pl.col("days_past_due").alias("before"),
        ),
        on=["loan_id", "month"],
    )
    assert pairs.height == 1_002_590
    moves = {
        (before, now): count
        for before, now, count in pairs.group_by("before", "days_past_due").len().iter_rows()
    }
    assert [moves[15, 45], moves[45, 75], moves[75, 105], moves[105, 135], moves[135, 165]] == [
        *(7_057, 559, 257, 185, 145)
    ]
    assert moves[15, 165] == 44
    assert rows.filter(pl.col("days_past_due") >= 60)["loan_id"].n_unique() == 667
