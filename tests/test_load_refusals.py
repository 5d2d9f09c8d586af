"""Every refusal of the contract, by the file that causes it: what it says, and that nothing moved.

The warehouse is loaded once per engine; each test shows that it holds, row for
row, what it held before.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from tests.conftest import new_postgres_database
from tests.lender import FILES, TODAY, fingerprint, take, write
from warehouse.contract import contract
from warehouse.engines import WarehouseUnavailable, session
from warehouse.load import Refused
from warehouse.refusals import KINDS


@pytest.fixture(scope="module", params=["duckdb", "postgresql"])
def warehouse(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, list[str]]]:
    """A loaded warehouse on each engine, and every row in it."""
    folder = tmp_path_factory.mktemp("lender")
    if request.param == "duckdb":
        url = f"duckdb:///{folder / 'facts.duckdb'}"
    else:
        url = new_postgres_database(request.getfixturevalue("postgres_server"))
    take(write(folder / "files", **FILES), url)
    return url, fingerprint(url)


@pytest.fixture(params=["duckdb", "postgresql"])
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without any table, on each engine."""
    if request.param == "duckdb":
        return f"duckdb:///{tmp_path / 'facts.duckdb'}"
    return new_postgres_database(request.getfixturevalue("postgres_server"), empty=True)


def with_line(table: str, line: str) -> dict[str, str | bytes]:
    """A file with one more row, in row 2: the others move down."""
    header, rest = FILES[table].split("\n", 1)
    return {table: f"{header}\n{line}\n{rest}"}


def without_column(table: str, column: str) -> dict[str, str | bytes]:
    frame = pl.read_csv(FILES[table].encode(), infer_schema=False)
    return {table: frame.drop(column).write_csv()}


def parquet(table: str, **columns: object) -> dict[str, str | bytes]:
    """The table's file as Parquet, with a column or two of another type."""
    import io

    frame = pl.read_csv(FILES[table].encode(), infer_schema=False)
    buffer = io.BytesIO()
    frame.with_columns(**columns).write_parquet(buffer)  # type: ignore[arg-type]
    return {f"{table}__parquet": buffer.getvalue()}


PAYMENT = "payments"
MONTH = "loan_months"
# name: files, then what the one problem is: kind, file, row, column, value, part of expected
CASES: dict[str, tuple[dict[str, str | bytes], tuple[object, ...]]] = {
    "a file named after no table": (
        {"loan_histories__csv": "a,b\n1,2\n"},
        ("unknown_file", "loan_histories.csv", None, None, "loan_histories.csv", "loans, loan_m"),
    ),
    "a Parquet file named after no table": (
        {"Loans__parquet": b"x"},
        ("unknown_file", "Loans.parquet", None, None, "Loans.parquet", "a file named after one of"),
    ),
    "a table as CSV and as Parquet": (
        {"payments": FILES["payments"], **parquet("payments")},
        ("two_files", "payments.csv", None, None, "payments.csv and payments.parquet", "one file"),
    ),
    "nothing to load": (
        {"truths__json": "{}"},
        ("directory", "files", None, None, None, "CSV or Parquet files named after tables"),
    ),
    "UTF-16": (
        {"customers": FILES["customers"].encode("utf-16")},
        ("encoding", "customers.csv", None, None, "UTF-16", "UTF-8"),
    ),
    "UTF-16 without a byte-order mark": (
        {"customers": FILES["customers"].encode("utf-16-le")},
        ("encoding", "customers.csv", None, None, "NUL bytes, as in UTF-16", "GB18030"),
    ),
    "Latin-1": (
        {"customers": "customer_id,region\nC8,Générale São\nC9,Zürich\n".encode("latin-1")},
        ("encoding", "customers.csv", None, None, "bytes that are not UTF-8 (line 2)", "GB18030"),
    ),
    "Latin-1 that GB18030 would read": (
        {"customers": "customer_id,region\nC8,Générale\nC9,Malmöhus\n".encode("latin-1")},
        ("encoding", "customers.csv", None, None, "make no Chinese text", "GB18030"),
    ),
    "Big5": (
        {"customers": "customer_id,region\nC8,臺北市信義區忠孝東路\nC9,高雄市\n".encode("big5")},
        ("encoding", "customers.csv", None, None, "make no Chinese text", "GB18030"),
    ),
    "Windows Cyrillic": (
        {"customers": "customer_id,region\nC8,Москва\n".encode("cp1251")},
        ("encoding", "customers.csv", None, None, "make no Chinese text", "GB18030"),
    ),
    "an empty file": (
        {"payments": ""},
        ("no_header", "payments.csv", 1, None, None, "the names of the columns"),
    ),
    "no header but a blank line": (
        {"payments": "\n" + FILES["payments"]},
        ("no_header", "payments.csv", 1, None, None, "the names of the columns"),
    ),
    "not a Parquet file": (
        {"payments__parquet": b"PAR1 not really"},
        ("unreadable", "payments.parquet", None, None, "", "a Parquet file"),
    ),
    "an unclosed quote": (
        {"payments": FILES["payments"] + 'Y3,L1,,2024-03-15,"1,voluntary\nY4,L1,,2024-03-15,1,\n'},
        ("ragged_row", "payments.csv", 4, None, "5 cells", "6 cells"),
    ),
    "a column named twice": (
        {"payments": FILES["payments"].replace("case_id", "loan_id", 1)},
        ("repeated_column", "payments.csv", None, "loan_id", "loan_id 2 times", "each column once"),
    ),
    "a column missing": (
        without_column("payments", "amount"),
        ("missing_column", "payments.csv", None, "amount", "payment_id, loan_id", "column amount"),
    ),
    "a row with a cell too few": (
        with_line(PAYMENT, "Y9,L1,,2024-03-15,1"),
        ("ragged_row", "payments.csv", 2, None, "5 cells", "6 cells"),
    ),
    "a row with a cell too many": (
        with_line(PAYMENT, "Y9,L1,,2024-03-15,1,,"),
        ("ragged_row", "payments.csv", 2, None, "7 cells", "6 cells, as in the header"),
    ),
    "a word for a whole number": (
        with_line(MONTH, "L1,2024-04-30,ten,,,,,,open,,,"),
        ("type", "loan_months.csv", 2, "days_past_due", "ten", "a whole number"),
    ),
    "a fraction for a whole number": (
        with_line(MONTH, "L1,2024-04-30,1.5,,,,,,open,,,"),
        ("type", "loan_months.csv", 2, "days_past_due", "1.5", "a whole number"),
    ),
    "a whole number beyond 32 bits": (
        with_line(MONTH, "L1,2024-04-30,2147483648,,,,,,open,,,"),
        ("type", "loan_months.csv", 2, "days_past_due", "2147483648", "a whole number"),
    ),
    "not a number": (
        with_line(MONTH, "L1,2024-04-30,0,,,,,,open,,,NaN"),
        ("type", "loan_months.csv", 2, "score", "NaN", "a number"),
    ),
    "infinity": (
        with_line(MONTH, "L1,2024-04-30,0,,,,,,open,,,-inf"),
        ("type", "loan_months.csv", 2, "score", "-inf", "a number"),
    ),
    "a day that does not exist": (
        with_line(PAYMENT, "Y9,L1,,2024-02-30,1,"),
        ("type", "payments.csv", 2, "paid_on", "2024-02-30", "a date as 2024-01-31"),
    ),
    "a day the American way": (
        with_line(PAYMENT, "Y9,L1,,03/15/2024,1,"),
        ("type", "payments.csv", 2, "paid_on", "03/15/2024", "a date as 2024-01-31"),
    ),
    "a time with a zone": (
        with_line("contacts", "T9,L1,,outbound,sms,,2024-02-24T08:00:00Z,,unknown,delivered,,,,"),
        ("type", "contacts.csv", 2, "contacted_at", "2024-02-24T08:00:00Z", "without a zone"),
    ),
    "a time without hours": (
        with_line("contacts", "T9,L1,,outbound,sms,,2024-02-24,,unknown,delivered,,,,"),
        ("type", "contacts.csv", 2, "contacted_at", "2024-02-24", "a time as"),
    ),
    "a flag that is no flag": (
        with_line("customers", "C9,North,,,,maybe"),
        ("type", "customers.csv", 2, "is_vulnerable", "maybe", "true, false, yes, no, 1 or 0"),
    ),
    "a NUL character": (
        with_line("customers", "C9,No\0rth,,,,"),
        ("type", "customers.csv", 2, "region", "No\0rth", "without NUL"),
    ),
    "an id of 501 characters": (
        with_line("customers", "C" * 501 + ",North,,,,"),
        ("type", "customers.csv", 2, "customer_id", "C" * 501, "at most 500 characters"),
    ),
    "three decimals": (
        with_line(PAYMENT, "Y9,L1,,2024-03-15,1.005,"),
        ("amount", "payments.csv", 2, "amount", "1.005", "2 after it"),
    ),
    "seventeen digits": (
        with_line(PAYMENT, "Y9,L1,,2024-03-15,10000000000000000,"),
        ("amount", "payments.csv", 2, "amount", "10000000000000000", "16 digits"),
    ),
    "an amount with a thousands separator": (
        with_line(PAYMENT, 'Y9,L1,,2024-03-15,"1,250.00",'),
        ("amount", "payments.csv", 2, "amount", "1,250.00", "an amount"),
    ),
    "an amount with an exponent": (
        with_line(PAYMENT, "Y9,L1,,2024-03-15,1e-3,"),
        ("amount", "payments.csv", 2, "amount", "1e-3", "an amount"),
    ),
    "an infinite amount in Parquet": (
        parquet(PAYMENT, amount=pl.Series([1.0, float("inf")])),
        ("amount", "payments.parquet", 2, "amount", "inf", "an amount"),
    ),
    "half a cent in Parquet": (
        parquet(PAYMENT, amount=pl.Series([0.1, 1.005])),
        ("amount", "payments.parquet", 2, "amount", "1.005", "an amount"),
    ),
    "half a cent in a decimal": (
        parquet(PAYMENT, amount=pl.Series(["1.2300", "1.0050"]).cast(pl.Decimal(38, 4))),
        ("amount", "payments.parquet", 2, "amount", "1.0050", "2 after it"),
    ),
    "a Parquet column of another type": (
        parquet("surveys", surveyed_on=pl.Series([20240322])),
        ("type", "surveys.parquet", 1, "surveyed_on", "20240322", "a date"),
    ),
    "a Parquet time with a zone": (
        parquet(
            "surveys",
            surveyed_on=pl.Series(["2024-03-22 00:00:00"]).str.to_datetime(time_zone="UTC"),
        ),
        ("type", "surveys.parquet", 1, "surveyed_on", "2024-03-22 00:00:00", "a date"),
    ),
    "nothing where a value must be": (
        with_line(PAYMENT, 'Y9,L1,,2024-03-15,"",'),
        ("null", "payments.csv", 2, "amount", None, "a value"),
    ),
    "a row without a key": (
        with_line(PAYMENT, ",L1,,2024-03-15,1,"),
        ("null", "payments.csv", 2, "payment_id", None, "a value"),
    ),
    "an unknown code": (
        with_line(MONTH, "L1,2024-04-30,0,,,,,,closed,,,"),
        ("code", "loan_months.csv", 2, "status", "closed", "open, paid_off, charged_off, sold"),
    ),
    "a code in capitals": (
        with_line("customers", "C9,North,,,SMS,"),
        ("code", "customers.csv", 2, "preferred_channel", "SMS", "one of sms, app_push"),
    ),
    "days past due below zero": (
        with_line(MONTH, "L1,2024-04-30,-1,,,,,,open,,,"),
        ("limit", "loan_months.csv", 2, "days_past_due", "-1", "at least 0"),
    ),
    "a rate above one": (
        with_line("agencies", "A9,Swift,25,2024-01-01,,,"),
        ("limit", "agencies.csv", 2, "commission_rate", "25", "at most 1"),
    ),
    "a case of nothing": (
        with_line("cases", "S9,L1,,,,,2024-03-01,,1,0.00,,,,,"),
        ("limit", "cases.csv", 2, "placed_amount", "0.00", "above 0"),
    ),
    "satisfaction of six": (
        with_line("surveys", "V9,C1,,2024-03-22,6"),
        ("limit", "surveys.csv", 2, "satisfaction", "6", "at most 5"),
    ),
    "a term of no months": (
        with_line("loans", "L9,,card,,,,0,,,,"),
        ("limit", "loans.csv", 2, "term_months", "0", "above 0"),
    ),
    "a month that is no month-end": (
        with_line(MONTH, "L1,2024-02-28,0,,,,,,open,,,"),
        ("month_end", "loan_months.csv", 2, "month", "2024-02-28", "the last day of a month"),
    ),
    "a cost's month that is no month-end": (
        with_line("costs", "2024-03-30,labour,,,1,"),
        ("month_end", "costs.csv", 2, "month", "2024-03-30", "the last day of a month"),
    ),
    "a day before 1970": (
        with_line("loans", "L9,,card,1969-12-31,,,,,,,"),
        ("date", "loans.csv", 2, "originated_on", "1969-12-31", "from 1970-01-01 to 2024-06-02"),
    ),
    "a day after tomorrow": (
        with_line(PAYMENT, "Y9,L1,,2024-06-03,1,"),
        ("date", "payments.csv", 2, "paid_on", "2024-06-03", "to 2024-06-02"),
    ),
    "a time after tomorrow": (
        with_line("contacts", "T9,L1,,outbound,sms,,2024-06-03 00:00,,unknown,delivered,,,,"),
        ("date", "contacts.csv", 2, "contacted_at", "2024-06-03 00:00", "to 2024-06-02"),
    ),
    "a month to come": (
        with_line(MONTH, "L1,2024-06-30,0,,,,,,open,,,"),
        ("date", "loan_months.csv", 2, "month", "2024-06-30", "to 2024-06-02"),
    ),
    "a promise due before 1970": (
        with_line("promises", "P9,S1,,2024-02-12,1924-02-20,1,,"),
        ("date", "promises.csv", 2, "due_on", "1924-02-20", "from 1970-01-01 on"),
    ),
    "closed before it was opened": (
        with_line("cases", "S9,L1,,,,,2024-03-01,2024-02-29,1,5,,,,,"),
        ("closed_before_opened", "cases.csv", 2, "closed_on", "2024-02-29", "not before opened_on"),
    ),
    "a key twice in one file": (
        {"payments": FILES["payments"] + "Y1,L1,,2024-03-16,5,\n"},
        ("repeated_key", "payments.csv", 4, "payment_id", "Y1", "it is in row 2 already"),
    ),
    "a key of two columns twice, the rows alike": (
        {"loan_months": FILES["loan_months"] + FILES["loan_months"].splitlines()[1] + "\n"},
        ("repeated_key", "loan_months.csv", 9, "loan_id, month", "L1, 2024-01-31", "in row 2"),
    ),
    "a key with nothing in it twice": (
        {"costs": FILES["costs"] + "2024-02-29,telecom,,sms,1,false\n"},
        (
            "repeated_key",
            "costs.csv",
            4,
            "month, kind, team, channel, is_one_off",
            "2024-02-29, telecom, , sms, false",
            "it is in row 3 already",
        ),
    ),
    "a loan that is not there": (
        with_line(PAYMENT, "Y9,L9,,2024-03-15,1,"),
        ("reference", "payments.csv", 2, "loan_id", "L9", "a loan_id in loans (in the files or"),
    ),
    "a borrower that is not there": (
        with_line("loans", "L9,C9,card,,,,,,,,"),
        ("reference", "loans.csv", 2, "customer_id", "C9", "a customer_id in customers"),
    ),
    "a case that is not there": (
        with_line("promises", "P9,S9,,2024-02-12,2024-03-01,1,,"),
        ("reference", "promises.csv", 2, "case_id", "S9", "a case_id in cases"),
    ),
    "another balance for a past month": (
        {MONTH: FILES[MONTH].replace("L1,2024-02-29,20,1,1000.00", "L1,2024-02-29,20,1,999.99")},
        ("restatement", "loan_months.csv", 3, "balance_amount", "999.99", "1000.00 as the ware"),
    ),
}


@pytest.fixture
def refused(
    request: pytest.FixtureRequest, tmp_path: Path, warehouse: tuple[str, dict[str, list[str]]]
) -> Iterator[Refused]:
    """The refusal of the parametrised files; afterwards the warehouse is as it was."""
    url, before = warehouse
    with pytest.raises(Refused) as caught:
        take(write(tmp_path / "files", **request.param), url)
    yield caught.value
    assert fingerprint(url) == before


@pytest.mark.parametrize(("refused", "problem"), CASES.values(), ids=CASES, indirect=["refused"])
def test_a_refusal_says_where_what_and_what_was_expected(
    refused: Refused, problem: tuple[object, ...]
) -> None:
    kind, file, row, column, value, expected = problem
    assert [(one.kind, one.row, one.column) for one in refused.problems] == [(kind, row, column)]
    one = refused.problems[0]
    assert one.file.endswith(str(file))
    assert (value is None) == (one.value is None)
    assert value is None or str(value) in str(one.value)
    assert str(expected) in one.expected
    text = str(refused)
    assert file in text
    assert row is None or f"row {row}" in text
    assert column is None or f"column {column}" in text
    assert one.expected in text
    assert value is None or repr(str(one.value)[:40])[1:-1] in text


def test_every_kind_of_refusal_has_a_case() -> None:
    tested = {problem[0] for _, problem in CASES.values()} | {"missing_table"}
    assert tested == set(KINDS)


@pytest.mark.parametrize("missing", ["loans", "loan_months"])
@pytest.mark.parametrize("header_only", [False, True])
def test_a_first_load_needs_loans_and_their_months(
    tmp_path: Path, bare_url: str, missing: str, header_only: bool
) -> None:
    files = {"customers": FILES["customers"], "loans": FILES["loans"]}
    files["loan_months"] = FILES["loan_months"]
    header = files.pop(missing).splitlines()[0]
    if header_only:
        files[missing] = header + "\n"
    with pytest.raises(Refused, match=f"{missing}.csv: found nothing, expected rows") as caught:
        take(write(tmp_path / "files", **files), bare_url)
    problem = caught.value.problems[0]
    assert (problem.kind, problem.file) == ("missing_table", f"{missing}.csv")
    assert fingerprint(bare_url) == {}


def test_a_first_load_that_is_refused_leaves_no_tables(tmp_path: Path, bare_url: str) -> None:
    files = {**FILES, "payments": FILES["payments"].replace("181", "much")}
    with pytest.raises(Refused):
        take(write(tmp_path / "files", **files), bare_url)
    assert fingerprint(bare_url) == {}
    assert take(write(tmp_path / "files", **FILES), bare_url).tables["payments"].new == 2


def test_twenty_of_each_kind_are_listed_and_all_are_in_the_report(
    tmp_path: Path, warehouse: tuple[str, dict[str, list[str]]]
) -> None:
    lines = "".join(f"Z{n},L1,,2024-03-15,much,\n" for n in range(50))
    lines += "".join(f"W{n},L1,,2024-03-15,1,gift\n" for n in range(30))
    folder = write(tmp_path / "files", payments=FILES["payments"] + lines)
    with pytest.raises(Refused, match="80 problems") as caught:
        take(folder, warehouse[0])
    assert len(caught.value.problems) == 40
    assert "... and 30 more like this" in str(caught.value)
    assert "... and 10 more like this" in str(caught.value)
    problems = [json.loads(line) for line in caught.value.report.read_text().splitlines()]
    assert [problem["row"] for problem in problems] == list(range(4, 84))
    (summary,) = (tmp_path / "reports").glob("*.json")
    told = json.loads(summary.read_text())
    assert told["outcome"] == "refused"
    assert [(one["kind"], one["column"], one["count"]) for one in told["problems"]] == [
        ("amount", "amount", 50),
        ("code", "source", 30),
    ]


def test_all_files_are_read_before_a_load_is_refused(
    tmp_path: Path, warehouse: tuple[str, dict[str, list[str]]]
) -> None:
    folder = write(
        tmp_path / "files",
        **with_line("loans", "L9,,card,,much,,,,,,"),
        **with_line("payments", "Y9,L9,,2024-03-15,1,stolen"),
        unknown__csv="a\n",
    )
    with pytest.raises(Refused) as caught:
        take(folder, warehouse[0])
    # L9 may be there, and wrong: the payment's reference is no problem of its own yet
    assert [problem.kind for problem in caught.value.problems] == ["unknown_file", "amount", "code"]


def test_one_row_can_be_wrong_in_several_columns(
    tmp_path: Path, warehouse: tuple[str, dict[str, list[str]]]
) -> None:
    folder = write(tmp_path / "files", **with_line("payments", "Y9,L1,,tomorrow,much,gift"))
    with pytest.raises(Refused) as caught:
        take(folder, warehouse[0])
    assert [problem.column for problem in caught.value.problems] == ["paid_on", "amount", "source"]


def test_rows_keep_their_numbers_after_blank_ragged_and_long_ones(
    tmp_path: Path, warehouse: tuple[str, dict[str, list[str]]]
) -> None:
    header = FILES["payments"].splitlines()[0]
    rows = ["Z1,L1,,2024-03-15,1,", "", "Z2,L1", ",,,,,", '"Z\n3",L1,,2024-03-15,1,']
    folder = write(
        tmp_path / "files", payments="\n".join([header, *rows, "Z4,L1,,2024-03-15,much,"])
    )
    with pytest.raises(Refused) as caught:
        take(folder, warehouse[0])
    assert {problem.kind: problem.row for problem in caught.value.problems} == {
        "amount": 7,
        "ragged_row": 4,
    }


def test_a_warehouse_that_another_process_holds_is_waited_for_then_given_up(
    tmp_path: Path, duckdb_url: str
) -> None:
    import subprocess
    import sys

    take(write(tmp_path / "files", **FILES), duckdb_url)
    path = duckdb_url.removeprefix("duckdb:///")
    hold = f"import duckdb; c = duckdb.connect({path!r}); print('held', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        told: list[str] = []
        with pytest.raises(WarehouseUnavailable, match="in use by another process"):
            take(tmp_path / "files", duckdb_url, wait_seconds=0.5, progress=told.append)
        assert told == ["waiting up to 0.5 s for another process to finish"]
        holder.communicate("\n")
    assert take(tmp_path / "files", duckdb_url).tables["loans"].unchanged == 3


def test_a_load_waits_for_another_load_on_a_server(tmp_path: Path, postgres_server: str) -> None:
    import sqlalchemy as sa

    url = new_postgres_database(postgres_server)
    folder = write(tmp_path / "files", **FILES)
    with session(url, read_only=False) as other:
        other.execute(sa.select(sa.func.pg_advisory_xact_lock(7_214_905_331)))
        with pytest.raises(WarehouseUnavailable, match="another load is under way"):
            take(folder, url, wait_seconds=0.3)
    assert take(folder, url).load_id == 1


def test_the_tests_files_cover_every_table() -> None:
    assert set(FILES) == set(contract.tables)
    assert TODAY.year == 2024
