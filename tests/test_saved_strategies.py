"""Strategies that are kept: by name, in versions, by link, on SQLite and a real PostgreSQL."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from appdata import database
from appdata.database import AppDatabaseUnavailable
from appdata.strategies import (
    NameTaken,
    StrategyGone,
    StrategyRefused,
    forget,
    one,
    save,
    saved,
    versions,
)
from tests.conftest import new_postgres_database

NOON = dt.datetime(2026, 7, 1, 12, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
TEXT = json.dumps({"format": "collections-strategy", "version": 1, "name": "投诉 \u0007"})
OTHER = json.dumps({"format": "collections-strategy", "version": 1, "sooner": 5})
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "**bold** $x^2$ :smile: [a](http://b.example)",
    "'; DROP TABLE strategy_versions; --",
    "\N{FACE WITH TEARS OF JOY}\N{ZERO WIDTH JOINER} e\N{COMBINING ACUTE ACCENT} \x07",
    "\N{GREEK SMALL LETTER IOTA WITH DIALYTIKA AND TONOS}" * 120,
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


def rows() -> list[tuple[Any, ...]]:
    """What the table holds, read without our code."""
    with database.reading() as connection:
        assert connection is not None
        found = connection.execute(sa.text("SELECT * FROM strategy_versions ORDER BY 1, 2"))
        return [tuple(row) for row in found]


def test_a_strategy_is_kept_with_who_and_when_and_found_by_its_link(kept: str) -> None:
    assert saved() == []
    assert versions("Sooner") == []
    tokyo = dt.timezone(dt.timedelta(hours=9))
    first = save(" Call  sooner ", TEXT, by="ana@bank.example", at=NOON.astimezone(tokyo))
    assert (first.name, first.version) == ("Call sooner", 1)
    found = one(first.id)
    assert found.text == TEXT
    assert found.version == first
    assert (first.saved_by, first.saved_at) == ("ana@bank.example", dt.datetime(2026, 7, 1, 12))


def test_a_link_leads_to_its_own_version_whatever_came_after(kept: str) -> None:
    first = save("Sooner", TEXT, by="ana", at=NOON)
    second = save("Sooner", OTHER, seen=1, by="bob", at=NOON + DAY)
    save("Legal first", TEXT, by="eve", at=NOON + 2 * DAY)
    assert one(first.id).text == TEXT
    assert one(second.id).text == OTHER
    assert [(row.name, row.version) for row in saved()] == [("Legal first", 1), ("Sooner", 2)]
    assert [(row.version, row.saved_by) for row in versions("sooner")] == [(2, "bob"), (1, "ana")]
    assert [row.name for row in saved(limit=1)] == ["Legal first"]


def test_the_second_to_save_a_name_is_told_by_whom_and_when_and_nothing_of_his_is_kept(
    kept: str,
) -> None:
    first = save("Sooner", TEXT, by="ana", at=NOON)
    before = rows()
    with pytest.raises(NameTaken) as told:
        save("SOONER ", OTHER, by="bob", at=NOON + DAY)
    assert told.value.newest == first
    assert told.value.newer == (first,)
    assert rows() == before
    # he may save after it, or under another name
    after = save("SOONER", OTHER, seen=told.value.newest.version, by="bob", at=NOON + DAY)
    assert (after.version, after.name) == (2, "SOONER")
    assert save("Sooner still", OTHER, by="bob").version == 1
    with pytest.raises(NameTaken) as told:
        save("Sooner", TEXT + " ", seen=1, by="ana")  # from what she saw
    assert [row.saved_by for row in told.value.newer] == ["bob"]


def test_what_stands_there_already_is_not_saved_twice(kept: str) -> None:
    first = save("Sooner", TEXT, by="ana", at=NOON)
    assert save("Sooner", TEXT, by="ana", at=NOON) == first  # a second click
    assert len(rows()) == 1


def test_people_who_save_one_name_at_once_get_one_version_each_or_are_told(kept: str) -> None:
    start = threading.Barrier(8)
    done: list[Any] = []

    def write(number: int) -> None:
        start.wait()
        try:
            done.append(save("Sooner", json.dumps({"by": number}), by=f"person {number}"))
        except (NameTaken, AppDatabaseUnavailable) as error:
            done.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = [one for one in done if isinstance(one, NameTaken)]
    assert len(told) == 7, done
    assert len(rows()) == 1
    assert {one.newest.saved_by for one in told} == {versions("Sooner")[0].saved_by}


def test_a_deleted_strategy_is_marked_and_its_links_say_who_deleted_it(kept: str) -> None:
    first = save("Sooner", TEXT, by="ana", at=NOON)
    second = save("Sooner", OTHER, seen=1, by="ana", at=NOON)
    gone = forget("sooner", seen=2, by="bob", at=NOON + DAY)
    assert saved() == []
    for link in (first.id, second.id, gone.id):
        with pytest.raises(StrategyGone, match="was deleted") as told:
            one(link)
        assert told.value.deleted == gone
    assert len(rows()) == 3  # nothing is removed
    # the name is free, and old links do not come back to life
    again = save("Sooner", OTHER, by="eve", at=NOON + 2 * DAY)
    assert (again.version, one(again.id).text) == (4, OTHER)
    with pytest.raises(StrategyGone):
        one(second.id)


def test_deleting_what_somebody_has_changed_since_or_what_is_not_there_is_refused(
    kept: str,
) -> None:
    with pytest.raises(StrategyGone, match="no strategy"):
        forget("Sooner", seen=1, by="bob")
    save("Sooner", TEXT, by="ana", at=NOON)
    save("Sooner", OTHER, seen=1, by="ana", at=NOON)
    with pytest.raises(NameTaken):
        forget("Sooner", seen=1, by="bob")
    forget("Sooner", seen=2, by="bob")
    with pytest.raises(StrategyGone, match="was deleted"):
        forget("Sooner", seen=3, by="bob")
    with pytest.raises(NameTaken) as told:
        save("Sooner", TEXT, seen=2, by="eve")  # deleted while she edited it
    assert told.value.newest.is_deleted


@pytest.mark.parametrize("link", ["", "nothing", "a" * 5000, "'; --", "１２", "\0", "../x"])
def test_a_link_to_nothing_is_a_sentence(in_file: str, link: str) -> None:
    with pytest.raises(StrategyGone, match=r"^There is no strategy of this link\.$"):
        one(link)
    save("Sooner", TEXT, by="ana")
    with pytest.raises(StrategyGone, match=r"^There is no strategy of this link\.$"):
        one(link)


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_are_kept_as_they_are(kept: str, name: str) -> None:
    text = json.dumps({"name": name, "nul": "\0"})
    first = save(name, text, by=name, at=NOON)
    found = one(first.id)
    assert (found.version.name, found.version.saved_by) == (" ".join(name.split()), name.strip())
    assert found.text == text
    assert [row.id for row in versions(name)] == [first.id]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("", TEXT, "needs a name"),
        (" \n\t", TEXT, "needs a name"),
        ("x" * 10_000, TEXT, "at most 120 characters; this one has 10,000"),
        ("a\0b", TEXT, "character of code 0"),
        ("\ud83d", TEXT, "half a pair"),
        ("Sooner", "", "no JSON text"),
        ("Sooner", "{", "no JSON text"),
        ("Sooner", '{"share": NaN}', "no JSON text"),
        ("Sooner", '{"share": -Infinity}', "no JSON text"),
        ("Sooner", "[" * 100_000, "no JSON text"),
        ("Sooner", "9" * 5000, "no JSON text"),
        ("Sooner", "[1]", "no named fields"),
        ("Sooner", '{"a": "' + "x" * 2_000_000 + '"}', "at most 2,000,000 characters"),
        ("Sooner", '{"a": "\ud83d"}', "half a pair"),
    ],
    ids=range(14),
)
def test_what_cannot_be_kept_is_a_sentence_and_nothing_is(
    in_file: str, name: str, text: str, said: str
) -> None:
    with pytest.raises(StrategyRefused, match=rf"^[AT][^<]*{said}[^<]*\.$"):
        save(name, text, by="ana")
    assert saved() == []


def run(url: str, statement: str) -> None:
    """A statement of somebody else than the app."""
    engine = sa.create_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(sa.text(statement))
    finally:
        engine.dispose()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE strategy_versions SET strategy = '{}'",
        "UPDATE strategy_versions SET saved_by = 'nobody' WHERE version = 1",
        "DELETE FROM strategy_versions",
        "TRUNCATE TABLE strategy_versions",
        "INSERT OR REPLACE INTO strategy_versions SELECT name_key, version, 'x', 'y', '{}', 'z',"
        " saved_at FROM strategy_versions",
    ],
)
def test_the_database_itself_refuses_to_change_or_remove_a_version(
    kept: str, statement: str
) -> None:
    save("Sooner", TEXT, by="ana", at=NOON)
    before = rows()
    with pytest.raises(sa.exc.DatabaseError):
        run(kept, statement)
    assert rows() == before
    if "TRUNCATE" not in statement and "REPLACE" not in statement:
        with pytest.raises(sa.exc.DatabaseError, match="only added"):
            run(kept, statement)


def test_a_table_that_lost_its_protection_gets_it_back_with_the_next_save(kept: str) -> None:
    save("Sooner", TEXT, by="ana", at=NOON)
    of = " ON strategy_versions" if kept.startswith("postgresql") else ""
    run(kept, f"DROP TRIGGER strategy_versions_no_update{of}")
    run(kept, f"DROP TRIGGER strategy_versions_no_delete{of}")
    save("Sooner", OTHER, seen=1, by="ana", at=NOON)
    with pytest.raises(sa.exc.DatabaseError, match="only added"):
        run(kept, "DELETE FROM strategy_versions")


def test_an_app_that_may_only_add_rows_to_somebody_elses_tables_adds_them(
    postgres_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", f"duckdb:///{tmp_path / 'facts.duckdb'}")
    url = new_postgres_database(postgres_server, empty=True)
    monkeypatch.setenv("APP_DATABASE_URL", url)
    first = save("Sooner", TEXT, by="ana", at=NOON)
    for doing in ("update", "delete", "replace"):
        run(url, f"DROP TRIGGER strategy_versions_no_{doing} ON strategy_versions")
    run(url, "DROP ROLE IF EXISTS adds_only")
    run(url, "CREATE ROLE adds_only LOGIN")
    run(url, "GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA public TO adds_only")
    weak = sa.engine.make_url(url).set(username="adds_only").render_as_string(False)
    monkeypatch.setenv("APP_DATABASE_URL", weak)
    try:
        assert save("Sooner", OTHER, seen=1, by="ana").version == 2
        assert one(first.id).text == TEXT
        with pytest.raises(sa.exc.DatabaseError, match="permission denied"):
            run(weak, "DELETE FROM strategy_versions")
    finally:
        database._engine(weak).dispose()
        database._engine(url).dispose()
        run(url, "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM adds_only")
        run(url, "DROP ROLE adds_only")


def test_a_database_that_may_only_be_read_shows_what_is_there_and_keeps_nothing(
    kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = save("Sooner", TEXT, by="ana", at=NOON)
    read_only = f"{kept}&options=-cdefault_transaction_read_only%3Don"
    if kept.startswith("sqlite"):
        read_only = kept.replace("sqlite:///", "sqlite:///file:") + "?mode=ro&uri=true"
    monkeypatch.setenv("APP_DATABASE_URL", read_only)
    assert one(first.id).text == TEXT
    for write in (
        lambda: save("Sooner", OTHER, seen=1, by="ana"),
        lambda: forget("Sooner", seen=1, by="ana"),
    ):
        with pytest.raises(AppDatabaseUnavailable, match=r"no right to change it\.$"):
            write()
    assert len(saved()) == 1


def test_a_locked_database_is_a_sentence_and_can_be_read(
    kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WAIT_SECONDS", 1)
    database._engine.cache_clear()
    save("Sooner", TEXT, by="ana", at=NOON)
    if kept.startswith("sqlite"):
        holder: Any = sqlite3.connect(sa.engine.make_url(kept).database or "")
        begin = "BEGIN IMMEDIATE"
    else:
        import psycopg

        holder = psycopg.connect(kept)
        begin = "LOCK TABLE strategy_versions IN EXCLUSIVE MODE"
    with closing(holder):
        holder.execute(begin)
        with pytest.raises(AppDatabaseUnavailable, match="somebody else is writing"):
            save("Sooner", OTHER, seen=1, by="bob")
        assert [row.version for row in saved()] == [1]
    assert save("Sooner", OTHER, seen=1, by="bob").version == 2
    database._engine.cache_clear()
