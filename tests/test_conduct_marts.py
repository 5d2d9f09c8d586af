"""The marts of contact rules: what a refresh makes, makes anew, and keeps."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa
from polars.testing import assert_frame_equal

from jobs import rule_marts
from jobs.conduct import ConductResult, refresh_conduct
from jobs.refresh import book_shape
from queries import rule_counts
from queries.loan_states import BookShape
from queries.rule_capacity import capacity_cells
from queries.rule_evidence import rule_evidence
from tests.books import put
from tests.conftest import new_postgres_database
from tests.lender import take, write
from tests.recovery_books import ENDS, case_book, contact
from warehouse import conduct_marts
from warehouse.buckets import DEFAULT_BOUNDS
from warehouse.contract import contract
from warehouse.engines import DuckDBConnection, create_tables, session
from warehouse.marts import marts
from warehouse.packs import chosen_packs

JAN, FEB, MAR, APR, MAY, JUN, JUL = ENDS
TODAY = dt.date(2026, 7, 1)
MINE = """
id = "mine"
jurisdiction = "here"
title = "House rules"
source = "ours"
valid_from = 2024-01-15

[[rules]]
id = "night"
kind = "quiet_hours"
sentence = "No contact from 22:00 to 08:00 without consent."
from = "22:00"
to = "08:00"
unless_consent = true

[[rules]]
id = "weekly"
kind = "rolling_cap"
sentence = "At most 1 call in 7 days."
at_most = 1
days = 7
channels = ["call"]
valid_from = 2024-05-04
"""


def use(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = write(folder / "packs" / "contact", mine__toml=MINE) / "mine.toml"
    monkeypatch.setenv("RULE_PACKS", str(folder / "packs"))
    monkeypatch.setenv("CONTACT_PACK", "mine")
    return path


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lender's own pack, in use: rules that look back six days."""
    return use(tmp_path, monkeypatch)


class Made:
    """Marts of conduct alone, made from facts without the rest of a refresh."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._target = DuckDBConnection(str(folder / "building.duckdb"), read_only=False)
        create_tables(self._target, marts)

    def again(self, url: str) -> ConductResult:
        with session(url) as facts:
            shape = book_shape(facts, DEFAULT_BOUNDS)
            months = dict.fromkeys(ENDS, "")
            return refresh_conduct(facts, self._target, shape, "1", months, lambda _: None)

    def rows(self) -> dict[str, pl.DataFrame]:
        tables = [table for table in vars(conduct_marts).values() if isinstance(table, sa.Table)]
        return {
            table.name: self._target.fetch(sa.select(table)).sort(pl.all())
            for table in tables
            if table.name != "conduct_stamps"
        }


@pytest.fixture(scope="module", params=["duckdb", "postgresql"])
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, pl.DataFrame]:
    """The marts of the book, made once on each engine."""
    folder = tmp_path_factory.mktemp("made")
    url = f"duckdb:///{folder / 'facts.duckdb'}"
    if request.param == "postgresql":
        url = new_postgres_database(request.getfixturevalue("postgres_server"))
    put(url, **book())
    with pytest.MonkeyPatch.context() as patch:
        use(folder, patch)
        found = Made(folder / "marts")
        found.again(url)
    return found.rows()


def log() -> list[dict[str, Any]]:
    """The contacts of the book of cases and some at night."""
    return [
        *case_book()["contacts"],
        contact(7, "b1", "B", "05-31T22:30", "no_answer", collector_id="K2", has_consent=False),
        contact(8, "b1", "B", "06-01T09:00", "no_answer", collector_id="K2"),
        contact(9, "c1", "C", "05-31T23:00", "no_answer", has_consent=True, collector_id="K1"),
        contact(10, "a1", "A", "01-14T23:00", "no_answer", collector_id="K1"),  # a day too early
        contact(11, "c1", "C", "07-31T23:59:59", "no_answer", has_consent=True),
    ]


def book() -> dict[str, list[dict[str, Any]]]:
    found = case_book() | {"contacts": log()}
    found["customers"][0]["is_vulnerable"] = True
    return found


def test_breaches_are_counted_by_whose_they_are_and_when(made: dict[str, pl.DataFrame]) -> None:
    found = made["breaches"].sort("month", "rule", "channel", "hour")
    shown = ["month", "rule", "in_force", "consent", "collector_id", "team", "agency_id",
             "hour", "weekday", "product", "region", "contacts"]  # fmt: skip
    rows = found.select(*shown, "kind").filter(kind="breach").rows()
    early, call, later_call, night, third, weekly = [row[:-1] for row in rows]
    # Sunday the 14th of January, two days after a call; the rules came into force later
    assert early == (JAN, "night", False, None, "K1", "T1", None, 23, 7, "card", "North", 1)
    assert (call[1:5], later_call[1:5]) == (
        ("weekly", False, None, None),  # Monday's is the case's, its collector is not named
        ("weekly", False, None, "K1"),
    )
    # K2 is not the case's collector (nobody is): its own team and agency
    assert night == (MAY, "night", True, "no", "K2", "T2", "A1", 22, 5, "auto", None, 1)
    assert third == (MAY, "night", True, None, None, None, None, 23, 5, "auto", None, 1)
    assert weekly[:6] == (JUN, "weekly", True, None, "K2", "T2")  # looks back into May
    near = found.filter(kind="near_miss")["rule"].unique().to_list()
    assert near == ["weekly"]  # every permitted call uses a cap of one up


def test_attempts_are_counted_once_by_owner_hour_and_channel(made: dict[str, pl.DataFrame]) -> None:
    for name in rule_marts.VIEWS:
        rows = made[name]
        assert rows.group_by("month").agg(pl.col("attempts").sum()).sort("month").rows() == [
            (JAN, 3), (FEB, 1), (MAY, 4), (JUN, 1), (JUL, 1)
        ]  # fmt: skip  # not the inbound one
        since = rows.group_by("since").agg(pl.col("attempts").sum()).sort("since").rows()
        # before the 15th of January no rule was in force, before the 4th of May one
        assert since == [(None, 2), (dt.date(2024, 1, 15), 4), (dt.date(2024, 5, 4), 4)]
    coverage = made["rule_coverage"].sum()
    told = coverage.select("cased", "consented", "refused", "connected", "recorded").row(0)
    assert told == (10, 2, 1, 4, 0)  # connected: two promises, a right party, a third party


def test_capacity_and_vulnerable_borrowers_are_counted_by_loan(
    made: dict[str, pl.DataFrame],
) -> None:
    room = made["rule_capacity"].filter(rule="weekly").sort("stage")
    shown = room.select("stage", "product", "units", "used", "allowed", "exhausted").rows()
    # open on 31 July: c1 (called that day, an hour before midnight) and e1, early; b1, late
    assert shown == [("early", "auto", 2, 1, 1, 1), ("late", "auto", 1, 0, 1, 0)]
    people = made["vulnerable_contacts"].filter(month=JAN)
    shown = people.select("is_vulnerable", "stage", "loans", "worked_loans", "attempts").rows()
    assert shown == [(True, "early", 1, 1, 3)]


def as_csv(tables: dict[str, list[dict[str, Any]]]) -> dict[str, str]:
    return {
        name: pl.DataFrame(rows, infer_schema_length=None).write_csv()
        for name, rows in tables.items()
    }


def test_a_load_replays_its_months_and_those_that_look_back_into_them(
    duckdb_url: str, own: Path, tmp_path: Path
) -> None:
    take(write(tmp_path / "all", **as_csv(book())), duckdb_url, today=TODAY)
    made = Made(tmp_path / "marts")
    assert made.again(duckdb_url).months == (JAN, FEB, MAY, JUN, JUL)
    assert made.again(duckdb_url).months == ()
    moved = next(row for row in log() if row["contact_id"] == "t7") | {
        "contacted_at": dt.datetime(2024, 5, 30, 21)
    }
    for name, table, row, months in (
        ("moved", "contacts", moved, (MAY, JUN)),  # 1 June less six days
        ("agency", "collectors", {"collector_id": "K2", "team": "T2"}, (MAY, JUN, JUL)),
        ("people", "customers", book()["customers"][0] | {"is_vulnerable": False},
         (JAN, FEB, MAY, JUN, JUL)),
        ("name", "agencies", book()["agencies"][0] | {"name": "Swifter"}, ()),
    ):  # fmt: skip
        take(write(tmp_path / name, **as_csv({table: [row]})), duckdb_url, today=TODAY)
        assert made.again(duckdb_url).months == months, name
    whole = Made(tmp_path / "whole")
    whole.again(duckdb_url)
    expected = whole.rows()
    for name, found in made.rows().items():
        assert_frame_equal(found, expected[name])


def test_a_refused_pack_leaves_the_one_that_was_in_use(
    duckdb_url: str, own: Path, tmp_path: Path
) -> None:
    put(duckdb_url, **book())
    made = Made(tmp_path / "marts")
    made.again(duckdb_url)
    before = made.rows()
    own.write_text(MINE.replace('from = "22:00"', 'from = "26:00"'))
    result = made.again(duckdb_url)
    (sentence,) = result.refusals
    assert "mine.toml, rule 'night', field 'from'" in sentence
    assert result.months == ()
    after = made.rows()
    assert sentence in after.pop("rule_notes")["note"].to_list()
    del before["rule_notes"]
    for name, found in after.items():
        assert_frame_equal(found, before[name])
    own.write_text(MINE.replace("at_most = 1", "at_most = 2"))  # mended: replayed with it
    assert len(made.again(duckdb_url).months) == 5
    assert sentence not in made.rows()["rule_notes"]["note"].to_list()


def test_a_killed_replay_goes_on_where_it_stopped(
    duckdb_url: str, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(duckdb_url, **book())
    made, real = Made(tmp_path / "marts"), rule_marts.month_frames

    def killed(facts: Any, month: dt.date, *rest: Any) -> Any:
        if month == MAY:
            raise KeyboardInterrupt
        return real(facts, month, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(rule_marts, "month_frames", killed)
        with pytest.raises(KeyboardInterrupt):
            made.again(duckdb_url)
    assert made.again(duckdb_url).months == (MAY, JUN, JUL)


def test_evidence_is_the_breach_and_the_calls_that_make_it_one(facts_url: str, own: Path) -> None:
    put(facts_url, **book())
    (pack,) = chosen_packs("contact", ["mine"], own.parent.parent)
    shape = BookShape(tables=frozenset(contract.tables))
    june = dt.date(2024, 6, 1), JUN
    with session(facts_url) as facts:
        weekly = facts.fetch(rule_evidence(pack.rules[1], *june, shape, {"team": ["T2"]}, 10))
        nobody = facts.fetch(rule_evidence(pack.rules[1], *june, shape, {"team": [None]}, 10))
        night = facts.fetch(rule_evidence(pack.rules[0], MAY, MAY, shape, {}, 10))
    assert weekly.select("breach_id", "role", "contact_id").rows() == [
        ("t8", "before", "t7"),
        ("t8", "this", "t8"),
    ]
    assert nobody.is_empty()
    assert night.select("contact_id", "has_consent").rows() == [("t7", False)]


def test_a_case_is_only_asked_for_where_the_loan_had_one_open(facts_url: str) -> None:
    told = {"channel": "sms", "contact_point": "p", "outcome": "delivered"}
    log = [
        contact(number, None, loan, at, **told)
        for number, (loan, at) in enumerate(
            (
                ("A", "01-09T09:00"),  # a reminder: A's case opens a day later
                ("A", "01-10T09:00"),  # on that day nobody can say which came first
                ("A", "01-15T09:00"),  # within the case: it ought to be named
                ("A", "02-06T09:00"),  # after the last one was closed
                ("B", "05-31T23:59"),  # within a case without an end
                ("Z", "05-31T23:59"),  # of a loan that is not there
            )
        )
    ]
    put(facts_url, **(case_book() | {"contacts": log}))
    shape = BookShape(tables=frozenset(contract.tables))
    found = {}
    with session(facts_url) as facts:
        for month in (JAN, FEB, MAY):
            cells = facts.fetch(rule_counts.attempt_cells([], month, shape)).filter(view=2)
            found[month] = cells.select("attempts", "cased", "complete").sum().row(0)
        without = BookShape(tables=shape.tables - {"cases"})
        alone = facts.fetch(rule_counts.attempt_cells([], JAN, without)).filter(view=2)
    assert found == {JAN: (3, 0, 2), FEB: (1, 0, 1), MAY: (2, 0, 1)}
    assert alone.select("attempts", "complete").sum().row(0) == (3, 3)  # no case is known of


def test_a_cap_on_contact_points_says_which_loans_it_does_not_count(
    facts_url: str, tmp_path: Path
) -> None:
    cap = """
[[rules]]
id = "a_day"
kind = "daily_cap"
sentence = "At most 3 calls a day to one contact point."
at_most = 3
per = "contact_point"
channels = ["call"]
"""
    head = MINE.split("[[rules]]", maxsplit=1)[0]
    write(tmp_path / "packs" / "contact", mine__toml=head + cap)
    (pack,) = chosen_packs("contact", ["mine"], tmp_path / "packs")
    log = [
        contact(1, "c1", "C", "07-31T09:00", "no_answer", contact_point="p1"),
        contact(2, "c1", "C", "05-03T09:00", "no_answer", contact_point="p2"),  # the 90th day
        contact(3, "e1", "E", "05-02T23:00", "no_answer", contact_point="p3"),  # a day too early
        contact(4, "b1", "B", "07-30T09:00", "no_answer"),  # without its point
    ]
    put(facts_url, **(case_book() | {"contacts": log}))
    statement = capacity_cells(pack.rules, JUL, BookShape(tables=frozenset(contract.tables)))
    assert statement is not None
    with session(facts_url) as facts:
        rows = facts.fetch(statement).sort("rule", "stage")
        held = []
        for days in (4, 5):  # e1 is closed on 5 August: at that day's end it is open no more
            later = capacity_cells(
                pack.rules,
                JUL + dt.timedelta(days=days),
                BookShape(tables=frozenset(contract.tables)),
            )
            assert later is not None
            held.append(facts.fetch(later).filter(rule="all")["units", "uncounted"].sum().row(0))
    assert [sum(counts) for counts in held] == [4, 3]  # b1, c1, d1, and e1
    shown = ["rule", "stage", "units", "used", "allowed", "exhausted", "uncounted"]
    assert rows.select(shown).rows() == [
        ("a_day", "early", 2, 1, 5, 0, 1),
        ("a_day", "late", 0, None, None, 0, 1),
        ("all", "early", 1, None, 5, 0, 1),
        ("all", "late", 0, None, None, 0, 1),
    ]
