"""What the app keeps: targets with who and when, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from appdata import database
from appdata.database import AppDatabaseUnavailable
from appdata.targets import (
    METRICS,
    TargetRefused,
    Targets,
    current_targets,
    set_target,
    target_history,
)
from tests.conftest import new_postgres_database

NOON = dt.datetime(2026, 7, 1, 12, 0, tzinfo=dt.UTC)
HOSTILE = ("'; DROP TABLE targets; --", "<img src=x onerror=alert(1)>", "**b** $x$", "名 \N{BELL}")


@pytest.fixture(params=["sqlite", "postgresql"])
def kept(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """An app database of each kind, with nothing in it."""
    monkeypatch.setenv("WAREHOUSE_URL", f"duckdb:///{tmp_path / 'facts.duckdb'}")
    url = f"sqlite:///{tmp_path / 'kept' / 'app.sqlite'}"
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_server")
        url = new_postgres_database(server, empty=True)
    monkeypatch.setenv("APP_DATABASE_URL", url)
    yield url
    database._engine(url).dispose()


def test_without_a_history_the_documents_targets_count(kept: str) -> None:
    targets = current_targets()
    assert targets.for_book("recovery_early") == 0.85
    assert targets.for_team("recovery_late", "Late 1") == 0.50
    assert targets.for_collector("first_contact_days", "K1", None) == 3
    assert target_history() == []
    assert targets.row("recovery_early", "book") is None


def test_a_target_is_kept_with_who_and_when(kept: str) -> None:
    set_target("recovery_early", "book", "", 0.8, by="ana@bank.example", at=NOON)
    row = current_targets().row("recovery_early", "book")
    assert row is not None
    assert (row.value, row.set_by, row.set_at) == (
        0.8,
        "ana@bank.example",
        dt.datetime(2026, 7, 1, 12),
    )
    # a clock of another zone is written as UTC
    tokyo = dt.timezone(dt.timedelta(hours=9))
    set_target("recovery_early", "book", "", 0.7, by="b", at=NOON.astimezone(tokyo))
    assert target_history()[0].set_at == dt.datetime(2026, 7, 1, 12)


def test_the_newest_row_counts_and_the_history_keeps_all(kept: str) -> None:
    for value, who in ((0.6, "ana"), (0.7, "bob"), (0.65, "ana")):
        set_target("recovery_late", "team", "Late 1", value, by=who, at=NOON)  # the same second
    assert current_targets().for_team("recovery_late", "Late 1") == 0.65
    assert [(row.value, row.set_by) for row in target_history()] == [
        (0.65, "ana"),
        (0.7, "bob"),
        (0.6, "ana"),
    ]


def test_a_collector_without_a_target_has_the_teams_and_a_team_the_books(kept: str) -> None:
    set_target("first_contact_days", "book", "", 4, by="ana")
    set_target("first_contact_days", "team", "Early 1", 2, by="ana")
    set_target("first_contact_days", "collector", "K1", 1.5, by="ana")
    targets = current_targets()
    assert targets.for_collector("first_contact_days", "K1", "Early 1") == 1.5
    assert targets.for_collector("first_contact_days", "K2", "Early 1") == 2
    assert targets.for_collector("first_contact_days", "K2", "Late 1") == 4
    assert targets.for_collector("first_contact_days", None, None) == 4
    assert targets.for_team("first_contact_days", "K1") == 4  # a team called like a collector


def test_a_target_taken_back_is_a_row_of_its_own(kept: str) -> None:
    set_target("recovery_early", "team", "A", 0.9, by="ana")
    set_target("recovery_early", "team", "A", None, by="bob")
    targets = current_targets()
    assert targets.for_team("recovery_early", "A") == 0.85
    assert targets.row("recovery_early", "team", "A") is None
    assert [row.value for row in target_history()] == [None, 0.9]


@pytest.mark.parametrize(
    ("metric", "kind", "scope", "value"),
    [
        ("recovery_early", "book", "", 0.0),
        ("recovery_early", "book", "", 1.0),
        ("recovery_early", "book", "", 85),
        ("recovery_early", "book", "", -0.1),
        ("recovery_early", "book", "", float("nan")),
        ("first_contact_days", "book", "", 0),
        ("first_contact_days", "book", "", float("inf")),
        ("first_contact_days", "book", "", 1000),
        ("profit", "book", "", 0.5),
        ("recovery_early", "region", "North", 0.5),
        ("recovery_early", "book", "North", 0.5),
        ("recovery_early", "team", "", 0.5),
        ("recovery_early", "team", "x" * 501, 0.5),
        ("recovery_early", "team", "a\0b", 0.5),
    ],
)
def test_a_target_that_cannot_be_right_is_refused_and_nothing_is_kept(
    kept: str, metric: str, kind: str, scope: str, value: float
) -> None:
    with pytest.raises(TargetRefused, match=r"^[A-Z].*\.$"):
        set_target(metric, kind, scope, value, by="ana")  # type: ignore[arg-type]
    assert target_history() == []


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_kept_as_it_is(kept: str, text: str) -> None:
    set_target("recovery_early", "team", text, 0.5, by=text)
    row = current_targets().row("recovery_early", "team", text)
    assert row is not None
    assert (row.scope_id, row.set_by) == (text, text)
    assert len(target_history()) == 1


def test_two_people_at_once_both_stay_in_the_history(kept: str) -> None:
    start = threading.Barrier(8)
    failures: list[Exception] = []

    def change(number: int) -> None:
        start.wait()
        try:
            set_target("recovery_early", "book", "", 0.1 + number / 100, by=f"person {number}")
        except AppDatabaseUnavailable as error:
            failures.append(error)

    threads = [threading.Thread(target=change, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    rows = target_history()
    assert {row.set_by for row in rows} == {f"person {number}" for number in range(8)}
    assert current_targets().for_book("recovery_early") == rows[0].value


def test_rows_are_only_ever_added(kept: str) -> None:
    set_target("recovery_early", "book", "", 0.6, by="ana")
    with database.reading() as connection:
        assert connection is not None
        first = connection.execute(sa.text("SELECT * FROM targets")).all()
    set_target("recovery_early", "book", "", 0.7, by="bob")
    with database.reading() as connection:
        assert connection is not None
        after = connection.execute(sa.text("SELECT * FROM targets ORDER BY id")).all()
    assert after[:1] == first


def test_a_database_that_may_only_be_read_is_a_sentence_and_stays_readable(
    kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_target("recovery_early", "book", "", 0.6, by="ana")
    if kept.startswith("sqlite"):
        read_only = kept.replace("sqlite:///", "sqlite:///file:") + "?mode=ro&uri=true"
    else:
        read_only = f"{kept}&options=-cdefault_transaction_read_only%3Don"
    monkeypatch.setenv("APP_DATABASE_URL", read_only)
    assert current_targets().for_book("recovery_early") == 0.6
    with pytest.raises(AppDatabaseUnavailable, match=r"no right to change it\.$"):
        set_target("recovery_early", "book", "", 0.7, by="ana")
    monkeypatch.setenv("APP_DATABASE_URL", kept)
    assert len(target_history()) == 1


def test_a_locked_database_is_a_sentence_and_can_be_read(
    kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WAIT_SECONDS", 1)
    database._engine.cache_clear()
    set_target("recovery_early", "book", "", 0.6, by="ana")
    if kept.startswith("sqlite"):
        holder = sqlite3.connect(sa.engine.make_url(kept).database or "")
        begin = "BEGIN IMMEDIATE"
    else:
        import psycopg

        holder = psycopg.connect(kept)  # type: ignore[assignment]
        begin = "LOCK TABLE targets IN EXCLUSIVE MODE"
    with closing(holder):
        holder.execute(begin)
        with pytest.raises(AppDatabaseUnavailable, match="somebody else is writing"):
            set_target("recovery_early", "book", "", 0.7, by="bob")
        assert current_targets().for_book("recovery_early") == 0.6
    set_target("recovery_early", "book", "", 0.7, by="bob")
    assert len(target_history()) == 2
    database._engine.cache_clear()


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////proc/none/app.sqlite",
        "postgresql://nobody:secret@127.0.0.1:1/none",
        "nosuchengine://x",
        "not a url",
    ],
)
def test_a_database_that_is_not_there_is_a_sentence_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("APP_DATABASE_URL", url)
    with pytest.raises(AppDatabaseUnavailable) as refused:
        set_target("recovery_early", "book", "", 0.7, by="bob")
    said = str(refused.value)
    assert said.startswith("The app's own database")
    assert "secret" not in said
    assert "Traceback" not in said


def test_a_file_that_is_no_database_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "app.sqlite"
    path.write_text("these are not the targets you are looking for" * 100)
    monkeypatch.setenv("APP_DATABASE_URL", f"sqlite:///{path}")
    with pytest.raises(AppDatabaseUnavailable):
        current_targets()


def test_nothing_is_kept_in_the_lenders_warehouse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'bank.sqlite'}"
    monkeypatch.setenv("WAREHOUSE_URL", url)
    monkeypatch.setenv("APP_DATABASE_URL", url)
    with pytest.raises(AppDatabaseUnavailable, match="lender's warehouse"):
        set_target("recovery_early", "book", "", 0.7, by="bob")
    assert not (tmp_path / "bank.sqlite").exists()


def test_reading_makes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("APP_DATABASE_URL", raising=False)
    monkeypatch.setenv("MARTS_PATH", str(tmp_path / "marts"))
    current_targets()
    assert list(tmp_path.iterdir()) == []
    set_target("recovery_early", "book", "", 0.7, by="bob")
    assert (tmp_path / "marts" / "app.sqlite").exists()


@given(st.floats(min_value=1e-6, max_value=1 - 1e-6))
def test_any_share_between_nothing_and_all_is_a_target(value: float) -> None:
    from appdata.targets import _checked

    assert _checked("recovery_late", "book", "", value) == value


def test_every_metric_has_a_default_that_would_be_accepted() -> None:
    from appdata.targets import _checked

    for metric in METRICS.values():
        assert _checked(metric.code, "book", "", metric.default) == metric.default
    assert Targets().for_book("recovery_late") == 0.5
