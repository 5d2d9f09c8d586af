"""`check` on books with one thing wrong each: it is named, and decides the exit code."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from jobs.check import check
from jobs.refresh import refresh
from tests.books import FEB, JAN, MAR, loan, month, put
from warehouse.__main__ import main
from warehouse.checks import CheckOutcome, Finding, last_outcome
from warehouse.contract import loan_months
from warehouse.engines import session


def sound_book() -> dict[str, list[dict[str, Any]]]:
    ids = [f"l{n}" for n in range(20)]
    return {
        "loans": [loan(one, originated_on=dt.date(2023, 1, 5)) for one in ids],
        "loan_months": [
            month(one, end, 0, "100.00", paid_amount="0") for one in ids for end in (JAN, FEB, MAR)
        ],
        "cases": [
            case("c1", "l1", dt.date(2024, 1, 10), dt.date(2024, 2, 10)),
            case("c2", "l1", dt.date(2024, 2, 10), None),
        ],
    }


def case(key: str, loan_id: str, opened: dt.date, closed: dt.date | None) -> dict[str, Any]:
    return {
        "case_id": key,
        "loan_id": loan_id,
        "opened_on": opened,
        "closed_on": closed,
        "opening_days_past_due": 5,
        "placed_amount": "10.00",
    }


def payment(key: str, paid_on: dt.date, amount: str = "5.00", **more: Any) -> dict[str, Any]:
    return {"payment_id": key, "loan_id": "l1", "paid_on": paid_on, "amount": amount} | more


def contact(key: str, at: dt.datetime, **more: Any) -> dict[str, Any]:
    row = {
        "contact_id": key,
        "loan_id": "l1",
        "direction": "outbound",
        "channel": "call",
        "contacted_at": at,
        "party": "debtor",
        "outcome": "no_answer",
    }
    return row | more


def found(url: str, folder: Path) -> dict[str, Finding]:
    refresh(url, folder)
    return by_kind(check(url, folder))


def by_kind(outcome: CheckOutcome) -> dict[str, Finding]:
    return {one.kind: one for one in outcome.findings}


def test_a_sound_book_passes_without_a_finding(facts_url: str, tmp_path: Path) -> None:
    put(facts_url, **sound_book())
    assert found(facts_url, tmp_path) == {}


COMPLAINT = {
    "complaint_id": "k1",
    "received_at": dt.datetime(2024, 2, 2, 10),
    "intake": "app",
    "category": "service",
    "grade": 1,
}
FINDINGS: dict[str, tuple[dict[str, list[dict[str, Any]]], int, str]] = {
    # a contact on the closing day itself is none
    "contacts_after_close": (
        {
            "contacts": [
                contact("same_day", dt.datetime(2024, 2, 10, 23, 59), case_id="c1"),
                contact("next_day", dt.datetime(2024, 2, 11, 0, 0), case_id="c1"),
            ]
        },
        1,
        "next_day",
    ),
    "payments_outside_case": (
        {
            "payments": [
                payment("before", dt.date(2024, 1, 9), case_id="c1"),
                payment("first_day", dt.date(2024, 1, 10), "1.00", case_id="c1"),
                payment("last_day", dt.date(2024, 2, 10), "2.00", case_id="c1"),
                payment("open_end", dt.date(2024, 3, 10), "3.00", case_id="c2"),
            ]
        },
        1,
        "before",
    ),
    "payments_before_origination": (
        {"payments": [payment("early", dt.date(2023, 1, 4))]},
        1,
        "early",
    ),
    "complaints_resolved_early": (
        {"complaints": [COMPLAINT | {"resolved_at": dt.datetime(2024, 2, 2, 9)}]},
        1,
        "k1",
    ),
    "overlapping_cases": (
        # c1 closes on 10 February, so one that opens on the 9th overlaps it
        {"cases": [case("c3", "l1", dt.date(2024, 2, 9), dt.date(2024, 2, 9))]},
        1,
        "c3",
    ),
    "duplicate": (
        {
            "contacts": [
                contact("a", dt.datetime(2024, 2, 1, 9)),
                contact("b", dt.datetime(2024, 2, 1, 9)),
                contact("c", dt.datetime(2024, 2, 1, 10)),
            ]
        },
        1,
        "a",
    ),
    "payments_differ": ({"payments": [payment("extra", MAR)]}, 1, "l1"),
    "negative_balances": (
        {"loan_months": [month("l0", dt.date(2024, 4, 30), 0, "-0.01", paid_amount="0")]},
        1,
        "l0 2024-04-30",
    ),
}


@pytest.mark.parametrize(
    "kinds",
    [  # those whose rows are nothing to each other are in one book
        ("contacts_after_close", "payments_outside_case", "complaints_resolved_early",
         "negative_balances"),
        ("duplicate", "payments_before_origination", "overlapping_cases"),
        ("payments_differ",),
    ],
)  # fmt: skip
def test_each_finding_is_named_with_its_rows(
    facts_url: str, tmp_path: Path, kinds: tuple[str, ...]
) -> None:
    book = sound_book()
    for kind in kinds:
        for table, more in FINDINGS[kind][0].items():
            book[table] = book.get(table, []) + more
    put(facts_url, **book)
    named = found(facts_url, tmp_path)
    for kind in kinds:
        _, rows, first = FINDINGS[kind]
        assert (named[kind].rows, named[kind].examples[0]) == (rows, first)
        assert not named[kind].is_failure


def test_a_gap_and_a_row_after_the_end_are_found(facts_url: str, tmp_path: Path) -> None:
    book = sound_book()
    book["loans"] += [loan("gap"), loan("ends")]
    book["loan_months"] += [
        month("gap", JAN, 0, "1", paid_amount="0"),
        month("gap", MAR, 0, "1", paid_amount="0"),
        month("ends", JAN, 0, "1", paid_amount="0"),
        month("ends", FEB, 0, "0", "paid_off", paid_amount="0"),
        month("ends", MAR, 0, "1", paid_amount="0"),
    ]
    put(facts_url, **book)
    kinds = found(facts_url, tmp_path)
    assert kinds["gaps"].examples == ("gap 2024-03-31",)
    assert kinds["reopened"].examples == ("ends 2024-03-31",)
    # one lost and one appeared among 22 loans: far beyond 0.1 %
    assert kinds["loans_do_not_close"].is_failure


def test_marts_older_than_the_facts_fail_the_check(duckdb_url: str, tmp_path: Path) -> None:
    put(duckdb_url, **sound_book())
    refresh(duckdb_url, tmp_path)
    with session(duckdb_url, read_only=False) as facts:
        facts.execute(
            sa.update(loan_months)
            .where(loan_months.c.loan_id == "l3", loan_months.c.month == FEB)
            .values(balance_amount=90)
        )
    kinds = by_kind(check(duckdb_url, tmp_path))
    assert kinds["marts_differ"].is_failure
    assert "199000 cents in the facts" in kinds["marts_differ"].examples[0]


def test_a_broken_reference_in_a_lenders_own_view_fails(facts_url: str, tmp_path: Path) -> None:
    book = sound_book()
    book["payments"] = [payment("p", MAR, loan_id="nobody")]
    put(facts_url, **book)
    one = found(facts_url, tmp_path)["broken_reference"]
    assert (one.table, one.column, one.examples, one.is_failure) == (
        "payments",
        "loan_id",
        ("p",),
        True,
    )


def test_a_case_on_a_loan_that_is_not_there_stops_no_refresh(
    facts_url: str, tmp_path: Path
) -> None:
    book = sound_book()
    book["cases"] += [case("orphan", "nobody", FEB, None)]
    put(facts_url, **book)
    one = found(facts_url, tmp_path)["broken_reference"]
    assert (one.table, one.column, one.examples) == ("cases", "loan_id", ("orphan",))


def test_values_outside_the_contract_fail(duckdb_url: str, tmp_path: Path) -> None:
    book = sound_book()
    book["contacts"] = [contact("x", dt.datetime(2024, 2, 1, 9), channel="pigeon")]
    put(duckdb_url, **book)
    one = found(duckdb_url, tmp_path)["not_in_contract"]
    assert (one.table, one.column, one.rows, one.is_failure) == ("contacts", "channel", 1, True)


def test_the_ledger_may_differ_by_a_hundredth_of_a_per_cent(
    duckdb_url: str, tmp_path: Path
) -> None:
    book = sound_book()  # 20 loans of 100.00 each month
    book["ledger_totals"] = [
        {"month": end, "product": "card", "measure": "balance", "amount": amount}
        for end, amount in ((JAN, "2000.00"), (FEB, "2000.20"), (MAR, "2000.21"))
    ]
    put(duckdb_url, **book)
    one = found(duckdb_url, tmp_path)["ledger_differs"]
    assert one.examples == ("2024-03-31 card balance",)
    assert one.is_failure


def test_the_outcome_is_kept_and_decides_the_exit_code(
    duckdb_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", duckdb_url)
    monkeypatch.setenv("MARTS_PATH", str(tmp_path))
    put(duckdb_url, **sound_book())
    assert main(["check"]) == 1  # nothing was published yet
    assert main(["refresh"]) == 0
    assert main(["check"]) == 0
    kept = last_outcome(tmp_path)
    assert kept is not None
    assert kept.findings == ()
    recorded = {(one["table"], one["column"]): one for one in kept.coverage}
    assert recorded["loan_months", "balance_amount"]["recorded"] == 60
    assert recorded["loans", "score"]["recorded"] == 0
    assert recorded["loan_months", "month"]["last_value"] == "2024-03-31"


def test_what_is_refused_is_said_in_one_line_and_a_fault_of_ours_is_not_hidden(
    duckdb_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", duckdb_url)
    monkeypatch.setenv("MARTS_PATH", str(tmp_path / "marts"))
    put(duckdb_url)
    assert main(["refresh"]) == 1
    assert "Refused: the warehouse has no loans and loan_months yet" in capsys.readouterr().err
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "loans.csv").write_text("loan_id\n1\n")
    assert main(["load", str(tmp_path / "files")]) == 1
    assert "Refused: The load was refused" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["refresh", "--bounds", "10,20"])
    assert "a bucket must end at 30 (or 29) days" in capsys.readouterr().err
    with monkeypatch.context() as wrong:
        wrong.setenv("WAREHOUSE_URL", "s3cret")
        assert main(["check"]) == 1
    said = capsys.readouterr().err
    assert "Not done: WAREHOUSE_URL is no address of a database" in said
    assert "s3cret" not in said
    (tmp_path / "marts" / "current").mkdir()
    with pytest.raises(OSError, match="current"):
        main(["refresh"])
