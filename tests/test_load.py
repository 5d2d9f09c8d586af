"""What a load does with good files: every value intact, and exactly the right months touched."""

from __future__ import annotations

import datetime as dt
import json
import time
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa

from tests.lender import FILES, column, fingerprint, take, write
from warehouse.contract import bookkeeping, contract, load_months, loans
from warehouse.engines import session
from warehouse.load import Refused

JAN, FEB, MAR, APR = (
    dt.date(2024, 1, 31),
    dt.date(2024, 2, 29),
    dt.date(2024, 3, 31),
    dt.date(2024, 4, 30),
)
MONTHS = FILES["loan_months"]
HEADER = MONTHS.splitlines()[0]


@pytest.fixture
def facts(tmp_path: Path, facts_url: str) -> str:
    """A warehouse on each engine with the lender's files in it."""
    take(write(tmp_path / "first", **FILES), facts_url)
    return facts_url


def facts_only(url: str) -> dict[str, list[str]]:
    return {name: rows for name, rows in fingerprint(url).items() if name in contract.tables}


# --- every value arrives ---------------------------------------------------------------


def test_a_first_load_counts_every_row_as_new(tmp_path: Path, facts_url: str) -> None:
    report = take(write(tmp_path / "files", **FILES), facts_url)
    rows = {name: content.count("\n") - 1 for name, content in FILES.items()}
    assert {name: table.new for name, table in report.tables.items()} == rows
    assert {name: len(kept) for name, kept in facts_only(facts_url).items()} == rows
    assert (report.load_id, report.is_synthetic) == (1, False)


def test_values_arrive_in_the_contracts_types(facts: str) -> None:
    with session(facts) as connection:
        (first, *_) = connection.fetch(sa.select(loans).order_by(loans.c.loan_id)).rows()
    assert first == (
        *("L1", "C1", "cash loan", dt.date(2024, 1, 10), Decimal("1000.00"), 0.18, 12, "A"),
        *(640.5, False, None),
    )
    assert column(facts, "loan_months", "balance_amount")[:3] == [
        *(Decimal("-3.10"), Decimal("-3.10"), Decimal("0.00")),
    ]
    assert column(facts, "contacts", "contacted_at") == [
        dt.datetime(2024, 2, 12, 9, 30),
        dt.datetime(2024, 2, 24, 8, 0),
    ]


def test_a_missing_column_or_flag_takes_its_default(facts: str) -> None:
    assert column(facts, "loans", "is_secured") == [False, False, True]
    assert column(facts, "costs", "is_one_off") == [False, False]
    assert column(facts, "promises", "is_written") == [True]
    assert column(facts, "contacts", "is_recorded").count(None) == 1


def test_a_contract_column_may_be_left_out_where_it_may_be_null(
    tmp_path: Path, facts_url: str
) -> None:
    files = {"loans": "loan_id,product\n1,card\n", "loan_months": ""}
    files["loan_months"] = "loan_id,month,days_past_due,status\n1,2024-01-31,0,open\n"
    take(write(tmp_path / "files", **files), facts_url)
    assert column(facts_url, "loan_months", "balance_amount") == [None]
    assert column(facts_url, "loan_months", "is_restructured") == [False]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_chinese_text_survives_each_encoding(tmp_path: Path, facts_url: str, encoding: str) -> None:
    loans = "loan_id,product,risk_grade\n贷款1,信用卡(深圳),浉河区\n贷款2,汽车贷款,𠮷😀\n"
    months = "loan_id,month,days_past_due,status\n贷款1,2024/1/31,0,open\n"
    folder = write(tmp_path / "files", loans=loans.encode(encoding), loan_months=months)
    report = take(folder, facts_url)
    assert column(facts_url, "loans", "product") == ["信用卡(深圳)", "汽车贷款"]
    assert sorted(map(str, column(facts_url, "loans", "risk_grade"))) == ["浉河区", "𠮷😀"]
    assert report.tables["loans"].ignored_columns == ()


HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "'; DROP TABLE loans; --",
    "**bold** $x$ [a](http://b)",
    '=HYPERLINK("http://b")',
    'a "quoted", comma\nand a line\r\nand another\ttab',
    "%s %(x)s {x} \\N \\",
    "\u202eright to left\u202c \u0000".replace("\u0000", "") + "é",
    "NULL",
    "NaN",
    " padded ",
]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_hostile_text_is_just_text(tmp_path: Path, facts_url: str, suffix: str) -> None:
    frame = pl.DataFrame({"loan_id": HOSTILE, "product": HOSTILE})
    months = pl.DataFrame(
        {"loan_id": HOSTILE, "month": "2024-01-31", "days_past_due": 0, "status": "open"}
    )
    folder = write(tmp_path / "files")
    for name, table in (("loans", frame), ("loan_months", months)):
        getattr(table, f"write_{suffix}")(folder / f"{name}.{suffix}")
    assert take(folder, facts_url).tables["loans"].new == len(HOSTILE)
    assert sorted(map(str, column(facts_url, "loans", "product"))) == sorted(HOSTILE)
    assert take(folder, facts_url).tables["loan_months"].unchanged == len(HOSTILE)


def test_parquet_and_csv_of_the_same_rows_are_equal(tmp_path: Path, facts: str) -> None:
    """Parquet as other systems write it: dates, decimals, floats, 64-bit integers, categories."""
    before = facts_only(facts)
    folder = write(tmp_path / "parquet")
    for name, content in FILES.items():
        frame = pl.read_csv(content.encode(), try_parse_dates=True)
        frame = frame.with_columns(pl.col("^status|product|channel$").cast(pl.Categorical))
        frame.write_parquet(folder / f"{name}.parquet")
    report = take(folder, facts)
    assert {table.changed + table.new for table in report.tables.values()} == {0}
    assert facts_only(facts) == before


def test_numeric_ids_of_parquet_are_their_digits(tmp_path: Path, duckdb_url: str) -> None:
    folder = write(tmp_path / "files")
    pl.DataFrame({"loan_id": [7, 12], "product": ["card", "card"]}).write_parquet(
        folder / "loans.parquet"
    )
    write(folder, loan_months="loan_id,month,days_past_due,status\n7,2024-01-31,0.0,open\n")
    take(folder, duckdb_url)
    assert column(duckdb_url, "loans", "loan_id") == ["12", "7"]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("12", "12.00"),
        ("12.5", "12.50"),
        ("12.500", "12.50"),
        ("-0.01", "-0.01"),
        (".5", "0.50"),
        ("+5", "5.00"),
        ("0012.30", "12.30"),
        ("9999999999999999.99", "9999999999999999.99"),
        ("-9999999999999999.99", "-9999999999999999.99"),
    ],
)
def test_amounts_are_kept_to_the_cent(
    tmp_path: Path, duckdb_url: str, written: str, kept: str
) -> None:
    files = {**FILES, "ledger_totals": f"month,product,measure,amount\n{FEB},x,balance,{written}\n"}
    take(write(tmp_path / "files", **files), duckdb_url)
    assert column(duckdb_url, "ledger_totals", "amount") == [Decimal(kept)]


def test_cents_of_floating_point_parquet_are_exact(tmp_path: Path, duckdb_url: str) -> None:
    """Every cent up to 100.00 and a few large ones: as floats they are no exact decimals."""
    cents = [*range(10_001), 5_816_434, 2_186_182, 12_345_678_901_234]
    take(write(tmp_path / "first", **FILES), duckdb_url)
    folder = write(tmp_path / "more")
    pl.DataFrame(
        {
            "payment_id": [f"F{cent}" for cent in cents],
            "loan_id": "L1",
            "paid_on": dt.date(2024, 3, 1),
            "amount": [cent / 100 for cent in cents],
        }
    ).write_parquet(folder / "payments.parquet")
    take(folder, duckdb_url)
    kept = column(duckdb_url, "payments", "amount")
    assert sorted(kept) == sorted(  # type: ignore[type-var]
        [*(Decimal(cent) / 100 for cent in cents), Decimal("181"), Decimal("2500.5")]
    )


def test_unknown_columns_are_reported_and_never_stored(tmp_path: Path, facts_url: str) -> None:
    loans = "loan_id,phone,product,名字\nL1,555-0100,card,Li Lei\n"
    months = "loan_id,month,days_past_due,status\nL1,2024-01-31,0,open\n"
    folder = write(tmp_path / "files", loans=loans, loan_months=months, notes__txt="Li Lei")
    report = take(folder, facts_url)
    assert report.tables["loans"].ignored_columns == ("phone", "名字")
    assert report.ignored_files == ("notes.txt",)
    assert "phone" in str(report)
    assert "Li Lei" not in str(fingerprint(facts_url))


def test_customers_may_be_left_out_when_loans_carry_no_borrower(
    tmp_path: Path, facts_url: str
) -> None:
    loans = "loan_id,customer_id,product\nL1,,card\n"
    months = "loan_id,month,days_past_due,status\nL1,2024-01-31,0,open\n"
    report = take(write(tmp_path / "files", loans=loans, loan_months=months), facts_url)
    assert set(report.tables) == {"loans", "loan_months"}


def test_a_synthetic_book_is_known_by_its_truths(tmp_path: Path, duckdb_url: str) -> None:
    report = take(write(tmp_path / "files", **FILES, truths__json="{}"), duckdb_url)
    assert report.is_synthetic
    assert report.ignored_files == ()
    assert column(duckdb_url, "warehouse_loads", "is_synthetic") == [True]


# --- what a second load does -----------------------------------------------------------


def test_the_same_files_twice_change_nothing(tmp_path: Path, facts: str) -> None:
    before = facts_only(facts)
    report = take(tmp_path / "first", facts)
    assert {(table.new, table.changed) for table in report.tables.values()} == {(0, 0)}
    assert report.tables["loan_months"].unchanged == 7
    assert report.touched_months == ()
    assert facts_only(facts) == before


def test_a_load_may_bring_some_tables_only(tmp_path: Path, facts: str) -> None:
    before = facts_only(facts)
    take(
        write(tmp_path / "more", surveys="survey_id,surveyed_on,satisfaction\nV2,2024-04-01,1\n"),
        facts,
    )
    after = facts_only(facts)
    assert {name for name in after if after[name] != before[name]} == {"surveys"}
    assert len(after["surveys"]) == 2


def test_an_empty_file_with_a_header_is_a_load_of_no_rows(tmp_path: Path, facts: str) -> None:
    report = take(write(tmp_path / "more", payments="payment_id,loan_id,paid_on,amount\n"), facts)
    assert report.tables["payments"].new == 0


def test_a_different_row_replaces_and_is_listed(tmp_path: Path, facts: str) -> None:
    closed = FILES["cases"].replace("2024-02-25,,1,12", "2024-02-25,2024-05-01,1,12")
    new = "S3,L2,,,,,2024-03-01,,3,7,,,,,\n"
    report = take(write(tmp_path / "more", cases=closed + new), facts)
    cases = report.tables["cases"]
    assert (cases.new, cases.changed, cases.unchanged) == (1, 1, 1)
    assert cases.first_changed == ("S2",)
    assert column(facts, "cases", "closed_on") == [dt.date(2024, 3, 20), dt.date(2024, 5, 1), None]
    assert "changed: S2" in str(report)


def test_a_value_that_becomes_null_or_ceases_to_be_is_a_change(tmp_path: Path, facts: str) -> None:
    emptied = FILES["loans"].replace("640.5", "").replace("L2,C2", "L2,")
    report = take(write(tmp_path / "more", loans=emptied), facts)
    assert report.tables["loans"].first_changed == ("L1", "L2")
    report = take(write(tmp_path / "again", loans=FILES["loans"]), facts)
    assert report.tables["loans"].changed == 2


def test_rows_with_nothing_in_their_key_are_known_again(tmp_path: Path, facts: str) -> None:
    dearer = FILES["costs"].replace("12.30", "12.31")
    report = take(write(tmp_path / "more", costs=dearer), facts)
    costs = report.tables["costs"]
    assert (costs.new, costs.changed, costs.unchanged) == (0, 1, 1)
    assert costs.first_changed == ("2024-02-29, telecom, , sms, false",)
    assert column(facts, "costs", "amount") == [Decimal("12.31"), Decimal("5200.00")]


def test_the_latest_month_may_change_without_asking(tmp_path: Path, facts: str) -> None:
    changed = f"{HEADER}\nL3,2024-03-31,66,3,-3.10,0,,,open,,,\n"
    report = take(write(tmp_path / "more", loan_months=changed), facts)
    assert report.tables["loan_months"].changed == 1
    assert report.restated_rows == 0


def test_a_past_month_changes_only_on_request_and_is_then_listed(
    tmp_path: Path, facts: str
) -> None:
    changed = MONTHS.replace("L1,2024-02-29,20", "L1,2024-02-29,25")
    folder = write(tmp_path / "more", loan_months=changed)
    with pytest.raises(Refused, match="found '25', expected 20 as the warehouse holds"):
        take(folder, facts)
    report = take(folder, facts, restate=True)
    assert (report.restated_rows, report.restated_months) == (1, (FEB,))
    assert report.first_restated == ("L1, 2024-02-29",)
    assert 25 in column(facts, "loan_months", "days_past_due")
    assert 20 not in column(facts, "loan_months", "days_past_due")


def test_a_late_row_for_a_past_month_is_no_restatement(tmp_path: Path, facts: str) -> None:
    late = f"{HEADER}\nL3,2024-01-31,0,,,,,,open,,,\n"
    report = take(write(tmp_path / "more", loan_months=late), facts)
    assert (report.tables["loan_months"].new, report.restated_rows) == (1, 0)


def test_each_load_is_recorded_with_its_report(tmp_path: Path, facts: str) -> None:
    take(tmp_path / "first", facts)
    with session(facts) as connection:
        recorded = connection.fetch(sa.select(bookkeeping.tables["warehouse_loads"]))
    assert sorted(recorded["load_id"]) == [1, 2]
    report = json.loads(recorded.filter(load_id=1)["report"].item())
    assert report["tables"]["loans"]["new"] == 3
    summaries = sorted((tmp_path / "reports").glob("*.json"))
    assert [json.loads(path.read_text())["outcome"] for path in summaries] == ["accepted"] * 2


# --- which months a load touches --------------------------------------------------------


def row(loan: str, month: dt.date, days: int = 0, status: str = "open") -> str:
    return f"{loan},{month},{days},,,,,,{status},,,\n"


# Books by hand (loans A, B, C of customers X and Y), a second load, and the months it touches.
BOOK = (
    row("A", JAN) + row("A", FEB) + row("A", MAR) + row("A", APR)  # A: every month
    + row("B", JAN) + row("B", MAR)  # B: a gap in February
    + row("C", JAN) + row("C", FEB, status="sold")  # C: sold in February
)  # fmt: skip
TOUCHES: dict[str, tuple[dict[str, str], list[dt.date]]] = {
    "a new row touches its month and the next, where the loan is looked for": (
        {"loan_months": row("D", JAN)},
        [JAN, FEB],
    ),
    "the latest month has no next month": ({"loan_months": row("D", APR)}, [APR]),
    "a new month touches only itself": (
        {"loan_months": row("A", dt.date(2024, 5, 31))},
        [dt.date(2024, 5, 31)],
    ),
    "a changed row touches its month and the next": (
        {"loan_months": row("A", FEB, 9)},
        [FEB, MAR],
    ),
    "a row before a gap touches the loan's next row too": (
        {"loan_months": row("B", JAN, 9)},
        [JAN, FEB, MAR],
    ),
    "an unchanged row touches nothing": ({"loan_months": row("A", FEB)}, []),
    "a row that becomes terminal touches every later month of its loan": (
        {"loan_months": row("A", JAN, 9, "charged_off")},
        [JAN, FEB, MAR, APR],
    ),
    "but not the later months of other loans": (
        {"loan_months": row("B", JAN, 9, "paid_off")},
        [JAN, FEB, MAR],
    ),
    "a row that was terminal touches the months that come back": (
        {"loan_months": row("E", JAN)},
        [JAN, FEB, APR],
    ),
    "a new terminal row touches every later month": (
        {"loan_months": row("G", FEB, 9, "sold")},
        [FEB, MAR, APR],
    ),
    "a changed loan touches every month of it and no other's": (
        {"loans": "loan_id,customer_id,product\nC,Y,other\n"},
        [JAN, FEB],
    ),
    "a new loan without months touches none": (
        {"loans": "loan_id,customer_id,product\nF,,card\n"},
        [],
    ),
    "a changed customer touches the months of their loans": (
        {"customers": "customer_id,region\nX,elsewhere\n"},
        [JAN, MAR],
    ),
    "a new customer touches none": ({"customers": "customer_id,region\nZ,here\n"}, []),
    "a new payment touches the month-end of its day": (
        {"payments": "payment_id,loan_id,paid_on,amount\nP2,A,2024-04-01,5\n"},
        [APR],
    ),
    "a payment that moves touches both months": (
        {"payments": "payment_id,loan_id,paid_on,amount\nP1,A,2024-04-30,5\n"},
        [FEB, APR],
    ),
    "a case touches none": (
        {
            "cases": "case_id,loan_id,opened_on,opening_days_past_due,placed_amount\n"
            "S,A,2024-02-01,1,5\n"
        },
        [],
    ),
}


@pytest.mark.parametrize(("files", "months"), TOUCHES.values(), ids=TOUCHES)
def test_a_load_touches(
    tmp_path: Path, facts_url: str, files: dict[str, str], months: list[dt.date]
) -> None:
    loan_rows = "".join(
        f"{loan},{customer},card\n"
        for loan, customer in [("A", ""), ("B", "X"), ("C", "Y"), ("D", ""), ("E", ""), ("G", "")]
    )
    sold = row("E", JAN, status="sold") + row("E", FEB) + row("E", APR)
    late = row("G", MAR) + row("G", APR)
    first = {
        "customers": "customer_id,region\nX,here\nY,here\n",
        "loans": "loan_id,customer_id,product\n" + loan_rows,
        "loan_months": f"{HEADER}\n{BOOK}{sold}{late}",
        "payments": "payment_id,loan_id,paid_on,amount\nP1,A,2024-02-01,5\n",
    }
    report = take(write(tmp_path / "first", **first), facts_url)
    assert list(report.touched_months) == [JAN, FEB, MAR, APR]
    if "loan_months" in files:
        files = {**files, "loan_months": f"{HEADER}\n{files['loan_months']}"}
    report = take(write(tmp_path / "second", **files), facts_url, restate=True)
    assert list(report.touched_months) == months
    with session(facts_url) as connection:
        recorded = connection.fetch(
            sa.select(load_months.c.month).where(load_months.c.load_id == sa.literal(2))
        )
    assert sorted(recorded["month"]) == months


def test_a_first_load_touches_every_month_and_those_of_its_payments(
    tmp_path: Path, facts_url: str
) -> None:
    payments = FILES["payments"] + "Y3,L1,,2024-05-02,5,\n"
    report = take(write(tmp_path / "files", **{**FILES, "payments": payments}), facts_url)
    assert list(report.touched_months) == [JAN, FEB, MAR, dt.date(2024, 5, 31)]


def test_the_time_of_a_load_is_kept_in_utc_wherever_it_was_made(
    tmp_path: Path, facts_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        report = take(write(tmp_path / "files", **FILES), facts_url)
        with pytest.raises(Refused):
            take(write(tmp_path / "other", unknown_table="a\n1\n"), facts_url)
    finally:
        monkeypatch.undo()
        time.tzset()
    kept = [json.loads(path.read_text()) for path in (tmp_path / "reports").glob("load_*.json")]
    times = [dt.datetime.fromisoformat(one["loaded_at"]) for one in kept]
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)
    assert len(times) == 2
    for at in (report.loaded_at, *times, *column(facts_url, "warehouse_loads", "loaded_at")):
        assert dt.timedelta() <= now - at < dt.timedelta(minutes=10)  # Tokyo is nine hours ahead
