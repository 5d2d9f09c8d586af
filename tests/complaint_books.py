"""A book of complaints to follow with a finger: who is each about, and why."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from jobs.complaint_marts import refresh_complaints
from jobs.refresh import book_shape
from tests.books import loan, month
from tests.recovery_books import case, contact, day
from warehouse.buckets import DEFAULT_BOUNDS
from warehouse.engines import DuckDBConnection, create_tables, session
from warehouse.marts import marts

JAN, FEB = dt.date(2024, 1, 31), dt.date(2024, 2, 29)
STAMPS = {JAN: "1", FEB: "1"}


def complaint(complaint_id: str, received: str, **more: Any) -> dict[str, Any]:
    row = {
        "complaint_id": complaint_id,
        "received_at": dt.datetime.fromisoformat(f"2024-{received}"),
        "intake": "hotline",
        "category": "frequency",
        "grade": 3,
    }
    return row | more


def complaint_book() -> dict[str, list[dict[str, Any]]]:
    """Ten complaints about four cases, with one of every way to whom they belong."""
    nobody = {"collector_id": None, "team": None}
    return {
        "customers": [
            {"customer_id": "X", "region": "North", "is_vulnerable": False},
            {"customer_id": "Y", "region": "South", "is_vulnerable": False},
        ],
        "agencies": [
            {"agency_id": "A1", "name": "Swift", "commission_rate": 0.2,
             "contract_from_on": day("01-01")},
        ],
        "collectors": [
            {"collector_id": "K1", "team": "now elsewhere"},
            {"collector_id": "K2", "team": "T2", "agency_id": "A1"},
            {"collector_id": "K3", "team": "T3"},
        ],
        "loans": [
            loan("A", customer_id="X"),
            loan("B", "auto", customer_id="Y"),
            loan("C", "auto"),
        ],
        "loan_months": [month(name, end, 5, "1000") for name in "ABC" for end in STAMPS],
        "cases": [
            case("a1", "A", "01-05", team="early"),
            case("b1", "B", "01-10", "02-20", collector_id="K2", team=None, agency_id="A1",
                 opening_days_past_due=50, close_reason="cured"),
            case("c1", "C", "02-01", **nobody),  # an automated queue
            case("n1", "A", "02-01", collector_id="K3", team=None),  # without a contact
        ],
        "contacts": [
            contact(1, "a1", "A", "01-20T10:00", "no_answer", collector_id="K1"),
            contact(2, "a1", "A", "01-22T10:00", "no_answer", collector_id="K3", channel="visit"),
            contact(3, "a1", "A", "01-25T08:00", "delivered", channel="sms"),
            contact(4, "a1", "A", "01-26T08:00", "dispute", direction="inbound",
                    collector_id="K1"),
            contact(5, "b1", "B", "02-03T09:00", "no_answer", collector_id="K2"),
            contact(6, None, "C", "01-02T09:00", "delivered", channel="sms"),  # type: ignore[arg-type]
            contact(7, "c1", "C", "02-04T09:00", "delivered", channel="sms"),
            contact(8, "a1", "A", "03-01T09:00", "no_answer", collector_id="K1"),  # too late
        ],
        "complaints": [
            complaint("names", "01-20T12:00", contact_id="t1"),
            complaint("guest", "01-23T12:00", contact_id="t2", case_id="a1"),
            complaint("last", "01-27T12:00", case_id="a1"),
            complaint("same_minute", "02-03T09:00", case_id="b1"),
            complaint("owner", "02-05T12:00", case_id="n1"),
            complaint("queue", "02-04T08:59", case_id="c1"),
            complaint("borrower", "02-06T12:00", customer_id="X"),
            complaint("nothing", "02-07T12:00"),
            complaint("lost_contact", "02-10T12:00", case_id="b1", contact_id="zz"),
            complaint("backwards", "02-11T12:00", case_id="b1", outcome="upheld",
                      resolved_at=dt.datetime(2024, 2, 1)),
        ],
        "surveys": [
            {"survey_id": "v1", "case_id": "b1", "surveyed_on": day("02-25"), "satisfaction": 2},
            {"survey_id": "v2", "customer_id": "X", "surveyed_on": day("01-25"),
             "satisfaction": 5},
        ],
    }  # fmt: skip


def make(url: str, path: Path, stamps: dict[dt.date, str] | None = None) -> list[str]:
    """The complaint marts of a book, in a file of their own."""
    target = DuckDBConnection(str(path), read_only=False)
    try:
        create_tables(target, marts)
        with session(url) as facts:
            shape = book_shape(facts, DEFAULT_BOUNDS)
            stamps = STAMPS if stamps is None else stamps
            return refresh_complaints(facts, target, shape, "1", STAMPS, stamps, lambda _: None)
    finally:
        target.close()


def rows(path: Path, name: str) -> pl.DataFrame:
    target = DuckDBConnection(str(path), read_only=True)
    found = target.fetch(sa.select(marts.tables[name]))
    target.close()
    return found
