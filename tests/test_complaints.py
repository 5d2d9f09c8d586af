"""Complaints' marts on a book followed by hand, on DuckDB and PostgreSQL."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from queries import complaint_marts
from tests.books import put, rows_of
from tests.complaint_books import FEB, JAN, STAMPS, complaint_book, make, rows
from tests.conftest import new_postgres_database
from warehouse.contract import contacts
from warehouse.engines import session


@pytest.fixture(scope="module", params=["duckdb", "postgresql"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The marts of the book of complaints, made once on each engine."""
    folder = tmp_path_factory.mktemp("complaints")
    url = f"duckdb:///{folder / 'facts.duckdb'}"
    if request.param == "postgresql":
        url = new_postgres_database(request.getfixturevalue("postgres_server"))
    put(url, **complaint_book())
    assert make(url, folder / "marts.duckdb") == []
    return folder / "marts.duckdb"


def about(made: Path, *names: str) -> dict[str, tuple[Any, ...]]:
    found = rows(made, "complaints")
    return {row[0]: row[1:] for row in found.select("complaint_id", *names).iter_rows()}


def test_a_complaint_belongs_to_its_contact_else_the_last_attempt_else_the_owner_else_nobody(
    made: Path,
) -> None:
    assert about(made, "attributed_by", "collector_id", "team", "agency_id", "channel") == {
        "names": ("contact", "K1", "early", None, "call"),  # the team of the case, then
        "guest": ("contact", "K3", "T3", None, "visit"),  # another collector: that one's own team
        "last": ("last_contact", None, "early", None, "sms"),  # not the call that came in later
        "same_minute": ("case_owner", "K2", "T2", "A1", None),  # the attempt is not before it
        "owner": ("case_owner", "K3", "T3", None, None),
        "queue": ("nobody", None, None, None, None),  # an automated queue before its first text
        "borrower": ("nobody", None, None, None, None),
        "nothing": ("nobody", None, None, None, None),
        "lost_contact": ("last_contact", "K2", "T2", "A1", "call"),  # names one that is not there
        "backwards": ("last_contact", "K2", "T2", "A1", "call"),
    }


def test_only_a_named_contact_names_a_collector_for_the_veto(made: Path) -> None:
    named = {who: one for who, (one,) in about(made, "named_collector_id").items() if one}
    assert named == {"names": "K1", "guest": "K3"}


def test_a_complaint_has_its_loans_segments_else_its_borrowers_region(made: Path) -> None:
    found = about(made, "case_id", "loan_id", "product", "region", "stage")
    assert found["names"] == ("a1", "A", "card", "North", "early")
    assert found["same_minute"] == ("b1", "B", "auto", "South", "middle")
    assert found["borrower"] == (None, None, None, "North", None)
    assert found["nothing"] == (None, None, None, None, None)


def test_the_attempts_of_a_complaint_are_those_of_its_case_in_the_month_of_its_contact(
    made: Path,
) -> None:
    found = about(made, "worked_month", "case_attempts")
    assert found["names"] == (JAN, 3)  # attempts 1 to 3; the call that came in is none
    assert found["last"] == (JAN, 3)
    assert found["lost_contact"] == (FEB, 1)
    assert found["owner"] == (FEB, None)


def test_what_came_later_is_not_known_on_an_earlier_day() -> None:
    at = dt.datetime
    rows = pl.DataFrame(
        {
            "received_at": [at(2024, 1, 5), at(2024, 1, 6)],
            "acknowledged_at": [at(2024, 1, 6), at(2024, 2, 1)],
            "responded_at": [at(2024, 1, 31, 23, 59), None],
            "resolved_at": [at(2024, 1, 31, 23, 59), at(2024, 2, 1)],
            "outcome": ["upheld", "upheld"],
            "appealed_at": [at(2024, 2, 3), at(2024, 1, 20)],
            "appeal_outcome": ["reversed", "reversed"],
        }
    )
    found = complaint_marts.as_it_stood(rows, dt.date(2024, 1, 31))
    assert found.row(0) == (*rows.row(0)[:5], None, None)
    assert found.row(1) == (at(2024, 1, 6), None, None, None, None, at(2024, 1, 20), "reversed")


def test_weeks_begin_on_monday_and_months_are_those_of_the_receipt(made: Path) -> None:
    found = about(made, "received_on", "week", "month")
    saturday = dt.date(2024, 1, 20)
    assert found["names"] == (saturday, dt.date(2024, 1, 15), JAN)
    weeks = rows(made, "complaint_attempts")
    assert set(weeks["week"].dt.weekday()) == {1}
    assert dict(weeks.group_by("week").agg(pl.col("attempts").sum()).iter_rows()) == {
        dt.date(2024, 1, 1): 1,
        dt.date(2024, 1, 15): 1,
        dt.date(2024, 1, 22): 2,
        dt.date(2024, 1, 29): 2,  # Saturday and Sunday of February
    }


def test_attempts_are_outbound_and_each_is_counted_once_by_week_and_once_by_collector(
    made: Path,
) -> None:
    by_week, by_collector = (
        rows(made, name) for name in ("complaint_attempts", "complaint_collectors")
    )
    assert by_week["attempts"].sum() == by_collector["attempts"].sum() == 6
    assert dict(
        by_collector.group_by("collector_id").agg(pl.col("attempts").sum()).iter_rows()
    ) == {"K1": 1, "K2": 1, "K3": 1, None: 3}
    sms = by_week.filter(channel="sms")
    assert set(sms.select("team", "product").iter_rows()) == {("early", "card"), (None, "auto")}


def test_cases_are_open_from_the_week_of_their_opening_to_the_one_before_their_closing(
    made: Path,
) -> None:
    found = rows(made, "complaint_cases").group_by("week").agg(pl.col("open_cases").sum())
    assert dict(found.iter_rows()) == {
        dt.date(2024, 1, 1): 1,
        **{dt.date(2024, 1, day): 2 for day in (8, 15, 22)},
        **{dt.date(2024, 1, 29): 4, dt.date(2024, 2, 5): 4, dt.date(2024, 2, 12): 4},
        **{dt.date(2024, 2, 19): 3, dt.date(2024, 2, 26): 3},  # b1 was closed on the 20th
    }


def test_intensity_counts_cases_by_their_attempts_in_a_month(made: Path) -> None:
    found = rows(made, "complaint_intensity").select("month", "stage", "case_attempts", "cases")
    assert set(found.iter_rows()) == {
        (JAN, "early", 3, 1),
        (FEB, "middle", 1, 1),
        (FEB, "early", 1, 1),
    }


def test_surveys_are_of_the_cases_owner_or_of_nobody(made: Path) -> None:
    found = rows(made, "surveys_months").select(
        "month", "region", "collector_id", "team", "agency_id", "satisfaction", "surveys"
    )
    assert set(found.iter_rows()) == {
        (FEB, "South", "K2", "T2", "A1", 2, 1),
        (JAN, "North", None, None, None, 5, 1),
    }


# --- what changes, and what is missing -----------------------------------------------------


def test_only_months_whose_stamp_changed_are_counted_again(tmp_path: Path, duckdb_url: str) -> None:
    book = complaint_book()
    put(duckdb_url, **book)
    path = tmp_path / "marts.duckdb"
    make(duckdb_url, path)
    with session(duckdb_url, read_only=False) as facts:  # behind the stamps' back: January grows
        facts.ingest("contacts", facts.fetch(sa.select(contacts).where(contacts.c.case_id == "b1")))
    told = make(duckdb_url, path)
    assert told == [
        "complaint_attempts 2024-02: 3 attempts in the facts, 2 here",
        "complaint_collectors 2024-02: 3 attempts in the facts, 2 here",
    ]
    assert make(duckdb_url, path) == []  # that month is made anew
    assert make(duckdb_url, path, {JAN: "1"}) == []  # and what the facts no longer have goes
    assert set(rows(path, "complaint_attempts")["month"]) == {JAN}
    assert make(duckdb_url, path, STAMPS) == []


@pytest.mark.parametrize("missing", [("contacts",), ("cases", "surveys"), ("customers",),
                                     ("collectors", "agencies")])  # fmt: skip
def test_a_book_without_a_table_has_the_marts_that_it_can_have(
    tmp_path: Path, duckdb_url: str, missing: tuple[str, ...]
) -> None:
    put(duckdb_url, **{name: one for name, one in complaint_book().items() if name not in missing})
    path = tmp_path / "marts.duckdb"
    assert make(duckdb_url, path) == []
    found = rows(path, "complaints")
    assert found.height == 10
    if "contacts" in missing:
        by = dict(found.group_by("attributed_by").len().iter_rows())
        assert by == {"case_owner": 6, "nobody": 4}
        assert rows(path, "complaint_attempts").is_empty()
    if "cases" in missing:
        assert set(found["attributed_by"]) == {"contact", "last_contact", "nobody"}


def test_a_book_without_complaints_has_none(tmp_path: Path, duckdb_url: str) -> None:
    put(duckdb_url, **{name: one for name, one in complaint_book().items() if name != "complaints"})
    path = tmp_path / "marts.duckdb"
    assert make(duckdb_url, path) == []
    assert rows(path, "complaints").is_empty()
    assert rows(path, "complaint_attempts")["attempts"].sum() == 6


def test_a_hundred_thousand_complaints_are_attributed_in_seconds(
    tmp_path: Path, duckdb_url: str
) -> None:
    book = complaint_book()
    one = rows_of(
        "complaints", [row for row in book["complaints"] if row["complaint_id"] == "last"]
    )
    many = pl.concat([one] * 100_000).with_columns(
        complaint_id=pl.format("m{}", pl.int_range(100_000))
    )
    put(duckdb_url, **book)
    with session(duckdb_url, read_only=False) as facts:
        facts.ingest("complaints", many)
    started = time.monotonic()
    assert make(duckdb_url, tmp_path / "marts.duckdb") == []
    assert time.monotonic() - started < 15  # a second or two, on a machine with nothing else to do
    found = rows(tmp_path / "marts.duckdb", "complaints")
    assert found.filter(attributed_by="last_contact", team="early").height == 100_001
