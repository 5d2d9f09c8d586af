"""Decisions that are kept: whole, for good, with notes that are added, on both databases."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from appdata import database
from appdata.database import AppDatabaseUnavailable
from appdata.decisions import (
    AlreadyDecided,
    Assumption,
    DecisionGone,
    DecisionRefused,
    Draft,
    Forecast,
    StrategyGone,
    all_decisions,
    annotate,
    decide,
    decided_strategy,
    decision,
    notes_of,
    owners,
)
from appdata.strategies import forget, save
from tests.conftest import new_postgres_database

NOON = dt.datetime(2026, 7, 10, 12, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
JUNE, JULY = dt.date(2026, 6, 30), dt.date(2026, 7, 31)
TEXT = json.dumps({"format": "collections-strategy", "sooner": 5})
ROWS = (
    Forecast(JULY, "baseline", "cash", 100.0, 90.0, 110.0),
    Forecast(JULY, "strategy", "cash", 1e9 / 3, 1e8, 1e9),
    Forecast(JULY, "benefit", "cash", 4.5, -1.25, 9.0),
)
HOSTILE = (
    "<img src=x onerror=alert(1)> **b** $x$ [a](http://b)",
    "'; DROP TABLE decisions; --",
    '\N{PILE OF POO} e\N{COMBINING ACUTE ACCENT} 投诉 \x07 "quoted" \\n',
)


@pytest.fixture
def in_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A SQLite file, for what is decided before any database is asked."""
    monkeypatch.setenv("WAREHOUSE_URL", f"duckdb:///{tmp_path / 'facts.duckdb'}")
    url = f"sqlite:///{tmp_path / 'app.sqlite'}"
    monkeypatch.setenv("APP_DATABASE_URL", url)
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def kept(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """An app database of each kind, with nothing in it."""
    monkeypatch.setenv("WAREHOUSE_URL", f"duckdb:///{tmp_path / 'facts.duckdb'}")
    url = f"sqlite:///{tmp_path / 'kept' / 'app.sqlite'}"
    if request.param == "postgresql":
        url = new_postgres_database(request.getfixturevalue("postgres_server"), empty=True)
    monkeypatch.setenv("APP_DATABASE_URL", url)
    yield url
    database._engine(url).dispose()


def draft(**changes: Any) -> Draft:
    """A decision that can be kept, but for what a test changes."""
    strategy = changes.pop("strategy_id", None) or save("Sooner", TEXT, by="ana", at=NOON).id
    made = Draft(strategy, "ana", NOON.date(), JUNE, "marts-1.duckdb", ROWS)
    return replace(made, **changes)


def rows(table: str = "decisions") -> list[tuple[Any, ...]]:
    with database.reading() as connection:
        if connection is None or not sa.inspect(connection).has_table(table):
            return []
        found = connection.execute(sa.text(f"SELECT * FROM {table} ORDER BY 1"))
        return [tuple(row) for row in found]


def test_a_decision_is_kept_whole(kept: str) -> None:
    assert all_decisions() == []
    assert owners() == []
    assumed = (
        Assumption("Calls in early", "estimated", 0.2, 0.1, 0.3),
        Assumption("Letters", "none"),
    )
    made = decide(
        draft(
            owner=" Ana  Li ",
            assumptions=assumed,
            p_better=0.875,
            scope={"product": ("card", None)},
            note="For the board",
        ),
        by="bob@bank.example",
        at=NOON,
    )
    (found,) = all_decisions()
    assert found == made == decision(made.id)
    assert (found.owner, found.decided_on, found.as_of) == ("Ana Li", NOON.date(), JUNE)
    assert (found.strategy_name, found.strategy_version) == ("Sooner", 1)
    assert found.forecast == ROWS  # to the last digit
    assert found.assumptions == assumed
    assert (found.level, found.p_better) == (0.8, 0.875)
    assert found.scope == {"product": ("card", None)}
    assert (found.note, found.data_version) == ("For the board", "marts-1.duckdb")
    assert (found.written_by, found.written_at) == (
        "bob@bank.example",
        dt.datetime(2026, 7, 10, 12),
    )
    assert decided_strategy(made.id) == TEXT
    assert owners() == ["Ana Li"]


def test_a_decision_outlives_its_strategy_and_a_deleted_one_cannot_be_decided_on(
    kept: str,
) -> None:
    made = decide(draft(), by="ana", at=NOON)
    save("Other", TEXT, by="ana")
    forget("Sooner", seen=1, by="bob")
    assert decided_strategy(made.id) == TEXT
    assert decision(made.id) == made
    with pytest.raises(StrategyGone, match="was deleted"):
        decide(draft(strategy_id=made.strategy_id, as_of=JUNE - 40 * DAY), by="ana", at=NOON)
    with pytest.raises(StrategyGone, match="no strategy"):
        decide(draft(strategy_id="0" * 12), by="ana", at=NOON)
    assert len(all_decisions()) == 1


def test_a_version_is_decided_on_once_with_the_same_data(kept: str) -> None:
    first = decide(draft(), by="ana", at=NOON)
    with pytest.raises(AlreadyDecided) as told:
        decide(draft(strategy_id=first.strategy_id, owner="bob"), by="bob", at=NOON)
    assert told.value.first == first
    later = tuple(replace(row, month=dt.date(2026, 8, 31)) for row in ROWS)
    again = draft(
        strategy_id=first.strategy_id, as_of=JULY, forecast=later, decided_on=JULY + 5 * DAY
    )
    decide(again, by="bob", at=NOON + 30 * DAY)
    assert [one.written_by for one in all_decisions()] == ["bob", "ana"]


def test_two_people_who_decide_at_once_make_one_decision(kept: str) -> None:
    wanted = draft()
    start, done = threading.Barrier(6), []

    def write(number: int) -> None:
        start.wait()
        try:
            done.append(decide(wanted, by=f"person {number}", at=NOON))
        except (AlreadyDecided, AppDatabaseUnavailable) as error:
            done.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(one, AlreadyDecided) for one in done) == 5, done
    assert len(rows()) == 1


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"owner": " "}, "owner", "needs an owner"),
        ({"owner": "x" * 10_000}, "owner", "at most 120 characters; this one has 10,000"),
        ({"owner": "a\0b"}, "owner", "code 0"),
        ({"decided_on": None}, "decided_on", "needs the day"),
        ({"decided_on": NOON.date() + 2 * DAY}, "decided_on", "lies in the future"),
        ({"decided_on": JUNE - DAY}, "decided_on", "knows the data to 2026-06-30"),
        ({"note": "x" * 20_001}, "note", "at most 20,000 characters"),
        ({"note": "\ud83d"}, "note", "half a pair"),
        ({"data_version": ""}, "data_version", "not known"),
        ({"level": 0.2}, "forecast", "at least 50 %"),
        ({"level": NAN}, "forecast", "at least 50 %"),
        ({"p_better": 1.5}, "forecast", "between 0 and 1"),
        ({"p_better": NAN}, "forecast", "between 0 and 1"),
        ({"forecast": ()}, "forecast", "needs the forecast"),
        ({"forecast": ROWS[:1]}, "forecast", "needs the strategy and the baseline"),
        ({"forecast": (*ROWS, ROWS[0])}, "forecast", "a month twice"),
        ({"forecast": (*ROWS, replace(ROWS[0], series="x"))}, "forecast", "no known series"),
        ({"forecast": (*ROWS, replace(ROWS[0], measure="<b>"))}, "forecast", "no known series"),
        ({"forecast": (*ROWS, replace(ROWS[0], mean=INF))}, "forecast", "not a number"),
        ({"forecast": (*ROWS, replace(ROWS[0], low=200.0))}, "forecast", "before it begins"),
        ({"forecast": (*ROWS, replace(ROWS[0], month=JULY - DAY))}, "forecast", "by month"),
        ({"forecast": (*ROWS, replace(ROWS[0], month=JUNE))}, "forecast", "known when it was made"),
        ({"assumptions": (Assumption("", "none"),)}, "assumptions", "needs a name"),
        ({"assumptions": (Assumption("a", "proven"),)}, "assumptions", "without evidence"),
        ({"assumptions": (Assumption("a", "none", NAN),)}, "assumptions", "not a number"),
        ({"scope": {"team": ("a",)}}, "scope", "products, regions and grades"),
    ],
)
def test_what_cannot_be_right_is_a_sentence_for_its_field_and_nothing_is_kept(
    in_file: str, changes: dict[str, Any], field: str, said: str
) -> None:
    with pytest.raises(DecisionRefused) as refused:
        decide(draft(**changes), by="ana", at=NOON)
    assert list(refused.value.problems) == [field]
    assert said in refused.value.problems[field]
    assert refused.value.problems[field].endswith(".")
    assert rows() == []


def test_every_field_that_cannot_be_right_is_told_at_once(in_file: str) -> None:
    with pytest.raises(DecisionRefused) as refused:
        decide(draft(owner="", decided_on=None, forecast=()), by="ana", at=NOON)
    assert set(refused.value.problems) == {"owner", "decided_on", "forecast"}


def test_a_book_whose_data_lie_in_the_future_can_be_decided_on(in_file: str) -> None:
    later = tuple(replace(row, month=dt.date(2027, 1, 31)) for row in ROWS)
    day = dt.date(2026, 12, 31)  # a synthetic book
    made = decide(draft(as_of=day, decided_on=day, forecast=later), by="ana", at=NOON)
    assert made.decided_on == day


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_words_are_kept_as_they_are(kept: str, text: str) -> None:
    made = decide(
        draft(
            strategy_id=save(text, TEXT, by=text).id, owner=text, note=text, data_version=text,
            assumptions=(Assumption(text, "none"),), scope={"region": (text,)},
        ),
        by=text, at=NOON,
    )  # fmt: skip
    annotate(made.id, text, by=text)
    found = decision(made.id)
    line = " ".join(text.split())
    assert (found.owner, found.note, found.strategy_name, found.data_version) == (
        line, text, line, line,
    )  # fmt: skip
    assert (found.assumptions[0].name, found.scope["region"]) == (text, (text,))
    assert [(one.words, one.written_by) for one in notes_of(made.id)] == [(text, text)]


def test_notes_are_added_and_the_decision_stays_as_it_was(kept: str) -> None:
    made = decide(draft(), by="ana", at=NOON)
    before = rows()
    assert notes_of(made.id) == []
    annotate(made.id, "First", by="bob", at=NOON)
    annotate(made.id, "Second\nline", by="ana", at=NOON)
    assert [(one.words, one.written_by) for one in notes_of(made.id)] == [
        ("Second\nline", "ana"),
        ("First", "bob"),
    ]
    assert rows() == before
    for words, said in (("", "cannot be empty"), (" \n", "cannot be empty"), ("x" * 20_001, "at")):
        with pytest.raises(DecisionRefused, match=said):
            annotate(made.id, words, by="ana")
    with pytest.raises(DecisionGone):
        annotate("0" * 12, "words", by="ana")
    assert len(notes_of(made.id)) == 2


@pytest.mark.parametrize("link", ["", "0" * 12, "'; --", "x" * 5000, "\0"])
def test_a_link_to_no_decision_is_a_sentence(in_file: str, link: str) -> None:
    with pytest.raises(DecisionGone, match=r"^There is no decision of this link\.$"):
        decision(link)
    decide(draft(), by="ana", at=NOON)
    with pytest.raises(DecisionGone):
        decision(link)


@pytest.mark.parametrize("table", ["decisions", "decision_notes", "strategy_versions"])
@pytest.mark.parametrize("doing", ["UPDATE {} SET written_by = 'x'", "DELETE FROM {}"])
def test_the_database_itself_refuses_to_change_what_was_decided(
    kept: str, table: str, doing: str
) -> None:
    made = decide(draft(), by="ana", at=NOON)
    annotate(made.id, "First", by="bob", at=NOON)
    before = rows(table)
    engine = sa.create_engine(kept)
    statement = doing.format(table).replace(
        "written_by", "saved_by" if "strat" in table else "written_by"
    )
    with pytest.raises(sa.exc.DatabaseError, match="only added"), engine.begin() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()
    assert rows(table) == before


def test_a_decision_that_cannot_be_read_is_a_sentence(kept: str) -> None:
    decide(draft(), by="ana", at=NOON)
    with database.writing() as connection:
        columns = "id, strategy_id, as_of, strategy_name, strategy_version, strategy, owner, \
            decided_on, data_version, note, written_by, written_at"
        connection.execute(
            sa.text(
                f"INSERT INTO decisions ({columns}, forecast) SELECT 'other', 'other',"
                f" {columns.split(',', 2)[2]}, '{{}}' FROM decisions"
            )
        )
    with pytest.raises(AppDatabaseUnavailable, match="cannot read"):
        decision("other")


def test_a_database_that_may_only_be_read_shows_what_is_there_and_keeps_nothing(
    kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = decide(draft(), by="ana", at=NOON)
    other = save("Other", TEXT, by="ana").id
    read_only = f"{kept}&options=-cdefault_transaction_read_only%3Don"
    if kept.startswith("sqlite"):
        read_only = kept.replace("sqlite:///", "sqlite:///file:") + "?mode=ro&uri=true"
    monkeypatch.setenv("APP_DATABASE_URL", read_only)
    assert all_decisions() == [made]
    for write in (
        lambda: decide(draft(strategy_id=other), by="bob", at=NOON),
        lambda: annotate(made.id, "words", by="bob"),
    ):
        with pytest.raises(AppDatabaseUnavailable, match=r"no right to change it\.$"):
            write()


def test_a_locked_database_is_a_sentence_and_can_be_read(
    kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WAIT_SECONDS", 1)
    database._engine.cache_clear()
    made = decide(draft(), by="ana", at=NOON)
    if kept.startswith("sqlite"):
        holder: Any = sqlite3.connect(sa.engine.make_url(kept).database or "")
        begin = "BEGIN IMMEDIATE"
    else:
        import psycopg

        holder = psycopg.connect(kept)
        begin = "LOCK TABLE decision_notes IN EXCLUSIVE MODE"
    with closing(holder):
        holder.execute(begin)
        with pytest.raises(AppDatabaseUnavailable, match="somebody else is writing"):
            annotate(made.id, "words", by="bob")
        assert all_decisions() == [made]
    annotate(made.id, "words", by="bob")
    database._engine.cache_clear()
