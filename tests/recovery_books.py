"""A book of cases to follow with a finger: who held each, when, and who paid what."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import sqlalchemy as sa

from tests.books import loan, month
from warehouse.engines import DuckDBConnection
from warehouse.marts import marts
from warehouse.published import current_version

ENDS = [dt.date(2024, n, 1) - dt.timedelta(days=1) for n in range(2, 9)]  # January to July
AS_OF = ENDS[-1]


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(f"2024-{text}")


def case(case_id: str, loan_id: str, opened: str, closed: str | None = None, **more: Any) -> Any:
    row = {
        "case_id": case_id,
        "loan_id": loan_id,
        "collector_id": "K1",
        "team": "T1",
        "opened_on": day(opened),
        "closed_on": day(closed) if closed else None,
        "opening_days_past_due": 5,
        "placed_amount": "100",
    }
    return row | more


def pay(number: int, loan_id: str, paid: str, amount: str, case_id: str | None = None) -> Any:
    row = {"payment_id": f"p{number}", "loan_id": loan_id, "paid_on": day(paid), "amount": amount}
    return row | {"case_id": case_id}


def contact(number: int, case_id: str, loan_id: str, at: str, outcome: str, **more: Any) -> Any:
    row = {
        "contact_id": f"t{number}",
        "loan_id": loan_id,
        "case_id": case_id,
        "direction": "outbound",
        "channel": "call",
        "contacted_at": dt.datetime.fromisoformat(f"2024-{at}"),
        "party": "debtor",
        "outcome": outcome,
    }
    return row | more


def case_book() -> dict[str, list[dict[str, Any]]]:
    """Ten cases of seven loans from January to July 2024, with one of every turn."""
    handed = {"close_reason": "transferred"}
    return {
        "customers": [{"customer_id": "X", "region": "North", "is_vulnerable": False}],
        "collectors": [
            {"collector_id": "K1", "team": "elsewhere"},
            {"collector_id": "K2", "team": "T2", "agency_id": "A1", "monthly_cost_amount": "10.50"},
        ],
        "agencies": [
            {
                "agency_id": "A1",
                "name": "Swift",
                "commission_rate": 0.2,
                "contract_from_on": day("01-01"),
            }
        ],
        "loans": [
            loan("A", customer_id="X", risk_grade="C"),
            *[loan(name, "auto", risk_grade="C") for name in "BCDEFG"],
        ],
        "loan_months": [
            *[month("A", end, 5, "1000", risk_grade="B") for end in ENDS],
            month("B", ENDS[3], 90, "1000", risk_grade="A"),  # April: the grade of B's May case
            month("B", ENDS[4], 100, "1000", risk_grade="D"),
        ],
        "cases": [
            case("a1", "A", "01-10", "01-20", episode_id="E1", **handed),
            case(
                "a2",
                "A",
                "01-20",
                "02-05",
                episode_id="E1",
                collector_id="K2",
                team=None,
                agency_id="A1",
                placed_amount="80",
                close_reason="cured",
            ),
            case(
                "b1",
                "B",
                "05-02",
                collector_id=None,
                team=None,
                placed_amount="1000",
                opening_days_past_due=100,
            ),
            case("c1", "C", "05-03"),
            case("d1", "D", "08-01"),  # after the last day
            case("e1", "E", "06-03", "08-05", close_reason="cured"),  # closed after it
            case("g1", "G", "03-01", "03-11", **handed),
            case("g2", "G", "03-12", "04-01", close_reason="cured"),  # a day on: the same episode
            case("f1", "F", "03-01", "03-11", **handed),
            case("f2", "F", "03-13", "04-01", close_reason="charged_off"),  # two days on: another
        ],
        "payments": [
            pay(1, "A", "01-09", "7"),  # before the opening
            pay(2, "A", "01-20", "10"),  # both are open: the earlier case's
            pay(3, "A", "01-25", "20"),
            pay(4, "A", "02-01", "-5"),  # a reversal
            pay(5, "A", "02-20", "9"),  # nobody's case is open
            pay(6, "A", "03-01", "4", "a1"),  # named: the case's though it is closed
            pay(7, "A", "01-09", "3", "a1"),  # named, but from before its opening
            pay(8, "B", "07-31", "1500"),  # day 90, and more than was placed
            pay(9, "E", "08-01", "50"),  # after the last day
            pay(10, "F", "03-20", "-30"),  # more reversed than paid
            pay(11, "C", "05-03", "1"),
        ],
        "contacts": [
            contact(1, "a1", "A", "01-12T09:00", "no_answer"),  # Friday: two working days
            contact(2, "a1", "A", "01-15T09:00", "right_party"),  # Monday: three
            contact(3, "a2", "A", "02-06T09:00", "promise"),  # after the close
            contact(4, "c1", "C", "05-02T09:00", "promise"),  # before the opening
            contact(5, "c1", "C", "05-04T09:00", "promise", direction="inbound"),  # not an attempt
            contact(6, "b1", "B", "05-03T23:59", "third_party_reached"),
        ],
        "legal_actions": [
            {
                "action_id": "s1",
                "case_id": "c1",
                "action": "filing",
                "acted_on": day("05-05"),
                "fee_amount": "10",
            },
        ],
        "costs": [
            {"month": ENDS[0], "kind": "labour", "amount": "99.99", "is_one_off": False},
        ],
        "events": [
            {
                "event_id": "x",
                "occurred_on": day("02-02"),
                "kind": "training",
                "collector_id": "K1",
            },
        ],
    }


def every_mart(folder: Any, *names: str) -> dict[str, pl.DataFrame]:
    """The rows of the marts of these names."""
    path = current_version(folder)
    assert path
    published = DuckDBConnection(str(path), read_only=True, threads=1)
    rows = {name: published.fetch(sa.select(marts.tables[name])) for name in names}
    published.close()
    return rows


def mart(folder: Any, table: str, /, **where: Any) -> pl.DataFrame:
    rows = every_mart(folder, table)[table]
    for key, value in where.items():
        rows = rows.filter(pl.col(key).eq_missing(pl.lit(value)))
    return rows


def tables(folder: Any) -> dict[str, pl.DataFrame]:
    """Every recovery mart, its rows in an order of their own."""
    from warehouse import recovery_marts

    own = [table.name for table in vars(recovery_marts).values() if isinstance(table, sa.Table)]
    return {name: rows.sort(pl.all()) for name, rows in every_mart(folder, *own).items()}
