"""Following complaints up: two people at once, hostile words, and notes whose days are over."""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import streamlit as st
from streamlit import config
from streamlit.testing.v1 import AppTest

from appdata import database
from appdata.complaint_history import history, owners, standings
from appdata.complaint_input import LONGEST_NOTE, EntryRefused, Plan
from appdata.complaints import ComplaintChanged, follow_up
from appdata.database import AppDatabaseUnavailable
from appdata.retention import erase_old_notes, erased
from jobs.refresh import refresh
from tests.books import put
from tests.browser import Reader, chromium
from tests.complaint_books import complaint_book
from tests.conftest import ROOT, new_postgres_database
from tests.served import Place, place, served
from warehouse.__main__ import main

NOON = dt.datetime(2026, 7, 1, 12, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
DUE = dt.date(2026, 7, 10)
HOSTILE = (
    "<img src=x onerror=alert(1)>\n**bold** $x^2$ :smile: [a](http://b.example)",
    "'; DROP TABLE complaint_words; --",
    "\N{FACE WITH TEARS OF JOY}\N{ZERO WIDTH JOINER} e\N{COMBINING ACUTE ACCENT} 投诉 \x07",
    "  spaces stay  \n\n\tand tabs ",
    ("ten thousand \N{PILE OF POO}" * 1000)[:10_000],
    "x" * LONGEST_NOTE,
)


@pytest.fixture(params=["sqlite", "postgresql"])
def kept(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """An app database of each kind, with nothing in it."""
    monkeypatch.setenv("WAREHOUSE_URL", f"duckdb:///{tmp_path / 'facts.duckdb'}")
    monkeypatch.delenv("NOTES_KEEP_DAYS", raising=False)
    url = f"sqlite:///{tmp_path / 'kept' / 'app.sqlite'}"
    if request.param == "postgresql":
        url = new_postgres_database(request.getfixturevalue("postgres_server"), empty=True)
    monkeypatch.setenv("APP_DATABASE_URL", url)
    yield url
    database._engine(url).dispose()


def rows_of(*names: str) -> dict[str, list[tuple[Any, ...]]]:
    """What the tables hold, read without our code."""
    with database.reading() as connection:
        assert connection is not None
        return {
            name: [
                tuple(row)
                for row in connection.execute(sa.text(f"SELECT * FROM {name} ORDER BY 1, 2"))
            ]
            for name in names
        }


# --- what is kept ----------------------------------------------------------------------------


def test_what_was_done_is_kept_with_who_and_when(kept: str) -> None:
    assert history("G1") == []
    assert standings(["G1"]) == {}
    assert owners() == []
    follow_up("G1", 0, Plan("ana", " Call  back ", DUE), "I have it", by="bob", at=NOON)
    tokyo = dt.timezone(dt.timedelta(hours=9))
    follow_up("G1", 1, Plan("ana", "Call back", DUE), "Called", by="ana",
              at=(NOON + DAY).astimezone(tokyo))  # fmt: skip
    follow_up("G1", 2, Plan("eve", None, None), by="ana", at=NOON + 2 * DAY)
    last, called, first = history("G1", now=NOON)
    assert (first.written_by, first.written_at) == ("bob", dt.datetime(2026, 7, 1, 12))
    assert (first.plan, first.note) == (Plan("ana", "Call back", DUE), "I have it")
    assert (called.written_at, called.note) == (dt.datetime(2026, 7, 2, 12), "Called")
    assert called.plan == first.plan
    assert (last.plan, last.note, last.written_by) == (Plan("eve"), None, "ana")
    assert owners() == ["eve", "ana"]


def test_a_list_shows_how_each_complaint_stands(kept: str) -> None:
    follow_up("G1", 0, Plan("ana", "Call", DUE), "one", by="x", at=NOON)
    follow_up("G1", 1, Plan("ana", "Call", DUE + DAY), "two", by="x", at=NOON)
    follow_up("G2", 0, Plan("bob"), by="x", at=NOON)
    for wanted in (["G1", "G2", "G3"], ["G1", "G2", *(f"G{one}" for one in range(3, 2000))]):
        found = standings(wanted, now=NOON)
        assert set(found) == {"G1", "G2"}
        assert (found["G1"].plan, found["G1"].notes) == (Plan("ana", "Call", DUE + DAY), 2)
        assert (found["G2"].plan, found["G2"].notes) == (Plan("bob"), 0)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_any_characters_come_back_as_they_were_typed(kept: str, text: str) -> None:
    line = " ".join(text.split())[:500].strip()
    follow_up(text[:500], 0, Plan(line, line, DUE), text, by=line, at=NOON)
    (entry,) = history(text[:500], now=NOON)
    assert entry.note == text
    assert (entry.plan, entry.written_by) == (Plan(line, line, DUE), line)


@pytest.mark.parametrize(
    ("plan", "note", "said"),
    [
        (Plan(), "", "A note cannot be empty"),
        (Plan(), " \n\t", "A note cannot be empty"),
        (Plan(), "x" * (LONGEST_NOTE + 1), "at most 20,000 characters; this one has 20,001"),
        (Plan(), "a\0b", "character of code 0"),
        (Plan(), "half \ud83d", "half a pair"),
        (Plan(), None, "Write a note, or change"),
        (Plan(" ", "  ", None), None, "Write a note, or change"),
        (Plan("x" * 501), None, "An owner's name has at most 500"),
        (Plan("ana", "x" * 501), None, "A next step has at most 500"),
        (Plan("ana", None, DUE), None, "A due day needs a next step"),
        (Plan("ana", "Call", dt.date(2026, 6, 29)), None, "due today or later"),
        (Plan("ana", "Call", dt.date(9999, 1, 1)), None, "within 5 years"),
    ],
)
def test_what_cannot_be_right_is_refused_and_nothing_is_kept(
    here: Path, plan: Plan, note: str | None, said: str
) -> None:
    with pytest.raises(EntryRefused, match=rf"{said}.*\.$"):
        follow_up("G1", 0, plan, note, by="ana", at=NOON)
    for wrong in ("", "x" * 501, "a\0"):
        with pytest.raises(EntryRefused):
            follow_up(wrong, 0, Plan("ana"), by="ana", at=NOON)
    assert history("G1") == []


def test_a_step_that_became_late_can_still_be_noted_on(kept: str) -> None:
    plan = Plan("ana", "Call", DUE)
    follow_up("G1", 0, plan, by="ana", at=NOON)
    follow_up("G1", 1, plan, "Nobody answers", by="ana", at=NOON + 40 * DAY)
    assert history("G1", now=NOON)[0].plan == plan


def test_versions_and_words_are_only_ever_added(kept: str) -> None:
    names = ("complaint_versions", "complaint_words")
    follow_up("G1", 0, Plan("ana", "Call", DUE), "one", by="ana", at=NOON)
    before = rows_of(*names)
    for seen in (1, 2):
        follow_up("G1", seen, Plan(f"bob {seen}", "Write"), "more", by="bob", at=NOON)
    after = rows_of(*names)
    for name in names:
        assert set(before[name]) < set(after[name])


# --- two people at once ------------------------------------------------------------------------


def test_of_many_at_once_one_is_first_and_the_others_are_told_his_words(kept: str) -> None:
    follow_up("G1", 0, Plan("ana"), by="ana", at=NOON)
    start, told, done = threading.Barrier(6), [], []

    def write(number: int) -> None:
        start.wait()
        plan = Plan(f"person {number}", f"step {number}")
        try:
            follow_up("G1", 1, plan, f"note {number}", by=f"person {number}", at=NOON)
            done.append(number)
        except ComplaintChanged as changed:
            told.append(changed)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (first,) = done
    assert len(told) == 5
    for changed in told:
        (newer,) = changed.newer
        assert (newer.written_by, newer.note) == (f"person {first}", f"note {first}")
        assert newer.plan == Plan(f"person {first}", f"step {first}") == changed.newest.plan
    assert [entry.version for entry in history("G1", now=NOON)] == [2, 1]
    assert len(rows_of("complaint_words")["complaint_words"]) == 2  # nothing of the others


def test_the_first_writers_of_an_empty_database_do_not_stop_each_other(kept: str) -> None:
    start, failed = threading.Barrier(6), []

    def write(number: int) -> None:
        start.wait()
        try:
            follow_up(f"G{number}", 0, Plan("ana"), by="ana", at=NOON)
        except AppDatabaseUnavailable as error:
            failed.append(error.__cause__)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(standings([f"G{number}" for number in range(6)])) == 6


def test_a_first_writer_waits_for_one_who_is_at_work_on_a_new_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite refuses, without waiting, to change the journal of a file that is written to."""
    path = tmp_path / "app.sqlite"
    monkeypatch.setenv("APP_DATABASE_URL", f"sqlite:///{path}")
    with closing(sqlite3.connect(path, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        end = threading.Timer(0.5, other.commit)
        end.start()
        assert follow_up("G1", 0, Plan("ana"), by="ana", at=NOON) == 1
        end.join()
    follow_up("G2", 0, Plan("ana"), by="ana", at=NOON)
    with closing(sqlite3.connect(path)) as third:
        assert third.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_one_who_saw_an_older_version_is_told_all_that_came_since(kept: str) -> None:
    for seen, who in enumerate(("ana", "bob", "eve")):
        follow_up("G1", seen, Plan(), f"by {who}", by=who, at=NOON)
    with pytest.raises(ComplaintChanged) as told:
        follow_up("G1", 1, Plan(), "late", by="late", at=NOON)
    assert [entry.note for entry in told.value.newer] == ["by bob", "by eve"]
    with pytest.raises(ComplaintChanged) as told:  # of a copy that was put back
        follow_up("G1", 7, Plan(), "from nowhere", by="late", at=NOON)
    assert told.value.newer == ()
    assert told.value.newest.version == 3


# --- notes whose days are over -----------------------------------------------------------------


def test_old_notes_are_not_shown_then_erased_and_the_erasure_is_recorded(
    kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTES_KEEP_DAYS", "30")
    follow_up("G1", 0, Plan("ana", "Secret step", DUE), "Secret one", by="ana", at=NOON)
    follow_up("G1", 1, Plan("ana", "Secret step", DUE), "Secret two", by="ana", at=NOON + DAY)
    follow_up("G2", 0, Plan("bob"), "Young", by="bob", at=NOON + 20 * DAY)
    later = NOON + 31 * DAY  # the first is over, the second is 30 days old
    assert [one.note for one in history("G1", now=later)] == ["Secret two", None]
    assert standings(["G1"], now=later)["G1"].notes == 1
    (done,) = erase_old_notes(by="eve", now=later)
    assert (done.complaint_id, done.notes, done.next_steps, done.kept_days) == ("G1", 1, 0, 30)
    assert (done.erased_by, done.erased_at) == ("eve", dt.datetime(2026, 8, 1, 12))
    assert erased("G1") == [done]
    assert erased("G2") == []
    kept_rows = rows_of("complaint_words", "complaint_erasures", "complaint_versions")
    assert "Secret one" not in str(kept_rows)
    assert "Secret two" in str(kept_rows)
    assert erase_old_notes(by="eve", now=later) == []  # there is nothing more
    first = history("G1", now=later)[-1]
    assert (first.written_by, first.plan.owner, first.has_note) == ("ana", "ana", True)
    assert first.is_erased


def test_a_next_step_stays_while_it_stands_and_goes_once_it_is_replaced(
    kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTES_KEEP_DAYS", "30")
    follow_up("G1", 0, Plan("ana", "Old step", DUE), by="ana", at=NOON)
    later = NOON + 100 * DAY
    assert erase_old_notes(by="eve", now=later) == []
    assert standings(["G1"], now=later)["G1"].plan.next_step == "Old step"
    follow_up("G1", 1, Plan("ana", "New step"), by="ana", at=later)
    assert history("G1", now=later)[1].plan.next_step is None
    (done,) = erase_old_notes(by="eve", now=later)
    assert (done.notes, done.next_steps) == (0, 1)
    assert "Old step" not in str(rows_of("complaint_words"))
    assert history("G1", now=later)[0].plan.next_step == "New step"


def test_servers_that_erase_at_once_record_each_note_once(
    kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10):
        follow_up(f"G{number}", 0, Plan(), "Secret", by="ana", at=NOON)
    start, failed = threading.Barrier(3), []

    def erase() -> None:
        start.wait()
        try:
            erase_old_notes(by="job", now=NOON + 1000 * DAY)
        except AppDatabaseUnavailable as error:
            failed.append(error)

    threads = [threading.Thread(target=erase) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [len(erased(f"G{number}")) for number in range(10)] == [1] * 10
    assert rows_of("complaint_words")["complaint_words"] == []


def test_the_command_erases_and_says_how_many(
    kept: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    long_ago = dt.datetime.now(dt.UTC) - 3 * DAY
    follow_up("G1", 0, Plan(), "Secret", by="ana", at=long_ago)
    assert main(["erase-notes"]) == 0
    assert "Erased of 0 complaints" in capsys.readouterr().out
    monkeypatch.setenv("NOTES_KEEP_DAYS", "2")
    assert main(["erase-notes"]) == 0
    assert "Erased of 1 complaint: 1 note and 0 next steps, older than 2 days" in (
        capsys.readouterr().out
    )
    assert erased("G1")[0].erased_by.startswith("command of ")


@pytest.mark.parametrize("days", ["0", "-1", "two", "1e3", "730.5", "99999999999", "٣"])
def test_days_that_are_none_erase_nothing_and_are_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("APP_DATABASE_URL", f"sqlite:///{tmp_path / 'app.sqlite'}")
    follow_up("G1", 0, Plan(), "Secret", by="ana", at=NOON - 2000 * DAY)
    monkeypatch.setenv("NOTES_KEEP_DAYS", days)
    assert main(["erase-notes"]) == 1
    assert "NOTES_KEEP_DAYS must be a whole number of days" in capsys.readouterr().err
    assert "Secret" in str(rows_of("complaint_words"))


# --- a database that is locked or may only be read ----------------------------------------------


def read_only(url: str) -> str:
    if url.startswith("sqlite"):
        return url.replace("sqlite:///", "sqlite:///file:") + "?mode=ro&uri=true"
    return f"{url}&options=-cdefault_transaction_read_only%3Don"


def test_a_database_that_may_only_be_read_shows_what_is_there_and_keeps_nothing(
    kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow_up("G1", 0, Plan("ana"), "one", by="ana", at=NOON)
    monkeypatch.setenv("APP_DATABASE_URL", read_only(kept))
    for write in (
        lambda: follow_up("G1", 1, Plan("bob"), by="bob", at=NOON),
        lambda: erase_old_notes(by="bob", now=NOON + 1000 * DAY),
    ):
        with pytest.raises(AppDatabaseUnavailable, match=r"no right to change it\.$"):
            write()
    assert history("G1", now=NOON)[0].note == "one"
    assert history("G1", now=NOON + 1000 * DAY)[0].note is None  # over, though still there


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(database, "WAIT_SECONDS", 1)
    database._engine.cache_clear()
    yield
    database._engine.cache_clear()


def lock(url: str) -> Any:
    """Somebody who holds the database, until closed."""
    if url.startswith("sqlite"):
        holder: Any = sqlite3.connect(sa.engine.make_url(url).database or "")
        holder.execute("BEGIN IMMEDIATE")
    else:
        import psycopg

        holder = psycopg.connect(url)
        holder.execute("LOCK TABLE complaint_versions IN EXCLUSIVE MODE")
    return closing(holder)


def test_a_locked_database_is_a_sentence_and_can_be_read(kept: str, impatient: None) -> None:
    follow_up("G1", 0, Plan("ana"), by="ana", at=NOON)
    with lock(kept):
        with pytest.raises(AppDatabaseUnavailable, match="somebody else is writing"):
            follow_up("G1", 1, Plan("bob"), by="bob", at=NOON)
        assert history("G1", now=NOON)[0].plan.owner == "ana"
    assert follow_up("G1", 1, Plan("bob"), by="bob", at=NOON) == 2


# --- the form ------------------------------------------------------------------------------------


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The app database of a form's test."""
    st.cache_data.clear()
    config.set_option("client.showErrorDetails", "full")
    monkeypatch.delenv("NOTES_KEEP_DAYS", raising=False)
    monkeypatch.setenv("APP_DATABASE_URL", f"sqlite:///{tmp_path / 'app.sqlite'}")
    return tmp_path / "app.sqlite"


def desk() -> AppTest:
    def page() -> None:
        import ui

        ui.follow_up_complaint("G1")

    app = AppTest.from_function(page, default_timeout=30).run()
    assert not app.exception
    return app


def save(app: AppTest, note: str | None = None, **fields: Any) -> AppTest:
    if note is not None:
        app.text_area[0].set_value(note)
    for kind, name in (("selectbox", "owner"), ("text_input", "next_step"), ("date_input", "due")):
        if name in fields:
            getattr(app, kind)[0].set_value(fields[name])
    app.button(key="desk_save G1").click().run()
    assert not app.exception
    return app


def in_form(app: AppTest) -> tuple[Any, ...]:
    return tuple(
        app.session_state[f"desk_{name} G1"] for name in ("owner", "next_step", "next_due", "note")
    )


def test_a_manager_assigns_notes_and_sets_the_next_step(here: Path) -> None:
    due = dt.datetime.now(dt.UTC).date() + 7 * DAY
    follow_up("G0", 0, Plan("ana"), by="local")  # a known name: AppTest cannot type a new one
    app = save(desk(), "Spoke with her", owner="ana", next_step="Write", due=due)
    assert app.success[0].value.startswith("Saved by local")
    assert in_form(app) == ("ana", "Write", due, "")
    (entry,) = history("G1")
    assert (entry.plan, entry.note) == (Plan("ana", "Write", due), "Spoke with her")
    assert entry.written_by == "local"
    again = desk()
    assert in_form(again) == ("ana", "Write", due, "")
    assert [one.value for one in again.text] == ["Spoke with her"]


def test_the_second_is_told_sees_the_firsts_words_and_keeps_his_own(here: Path) -> None:
    follow_up("G0", 0, Plan("ana"), by="local")
    first, second = desk(), desk()
    save(first, "I take it", owner="ana", next_step="Write")
    app = save(second, "I called him", next_step="Call again")
    assert "local wrote about this complaint since you opened it" in app.warning[0].value
    assert [one.value for one in app.text] == ["I take it"]
    # his own words stay; the owner, whom he had not touched, is as it stands now
    assert in_form(app) == ("ana", "Call again", None, "I called him")
    assert len(history("G1")) == 1
    save(app)
    assert not app.warning
    assert [(one.plan, one.note) for one in history("G1")] == [
        (Plan("ana", "Call again"), "I called him"),
        (Plan("ana", "Write"), "I take it"),
    ]


@pytest.mark.parametrize("text", [HOSTILE[0], HOSTILE[4]], ids=["markup", "ten thousand"])
def test_hostile_words_are_shown_as_characters(here: Path, text: str) -> None:
    line = text.split("\n")[0][:400]
    follow_up("G1", 0, Plan(line, line), text, by=line)
    app = desk()
    assert [one.value for one in app.text] == [text.strip()]  # neither Markdown nor HTML
    raw = "".join(str(one.value) for kind in ("markdown", "caption") for one in app.get(kind))
    assert not re.search(r"(?<!\\)<img", raw)
    assert line[:20] in raw.replace("\\", "")
    assert [one.value for one in save(app, text).text] == [text.strip()] * 2


def test_a_refused_entry_is_a_sentence_and_what_was_typed_stays(here: Path) -> None:
    app = save(desk(), "x" * (LONGEST_NOTE + 1))
    assert "at most 20,000 characters" in app.error[0].value
    assert "Nothing was saved" in app.error[0].value
    assert len(app.text_area[0].value) == LONGEST_NOTE + 1
    app = save(desk())
    assert "Write a note, or change" in app.error[0].value
    assert history("G1") == []


def test_a_locked_database_leaves_the_form_with_what_was_typed(here: Path, impatient: None) -> None:
    follow_up("G1", 0, Plan("ana"), "one", by="ana")
    app = desk()
    with lock(f"sqlite:///{here}"):
        save(app, "My words")
        assert "somebody else is writing" in app.error[0].value
        assert app.text_area[0].value == "My words"
    save(app)
    assert history("G1")[0].note == "My words"
    # somebody who even keeps readers out
    with closing(sqlite3.connect(here)) as holder:
        holder.execute("PRAGMA journal_mode = DELETE")
        holder.execute("BEGIN EXCLUSIVE")
        save(app, "More words")
        assert "What is done about this complaint is not shown" in app.warning[-1].value
        assert app.text_area[0].value == "More words"


def test_an_unreadable_database_is_a_sentence_and_the_list_has_empty_columns(here: Path) -> None:
    here.write_text("no database " * 200)

    def page() -> None:
        import streamlit as st

        import ui

        st.dataframe(ui.queue_columns(["G2", "G1"]))
        ui.follow_up_complaint("G1")

    app = AppTest.from_function(page, default_timeout=30).run()
    assert not app.exception
    assert "Owners and next steps are not shown" in app.warning[0].value
    assert app.dataframe[0].value["complaint_id"].tolist() == ["G2", "G1"]
    assert app.dataframe[0].value["owner"].isna().all()
    assert not app.text_area


def test_the_list_is_in_the_order_asked_for(here: Path) -> None:
    import ui

    follow_up("G1", 0, Plan("ana", "Write", dt.datetime.now(dt.UTC).date()), "x", by="ana")
    found = ui.queue_columns(["G3", "G1", "G2"])
    assert found["complaint_id"].to_list() == ["G3", "G1", "G2"]
    assert found["owner"].to_list() == [None, "ana", None]
    assert found["next_step"].to_list() == [None, "Write", None]
    assert found["notes"].to_list() == [None, 1, None]
    assert ui.queue_columns([]).height == 0


def test_with_a_login_nobody_reads_or_writes_without_it(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ui import targets

    follow_up("G1", 0, Plan("ana"), "Secret", by="ana")

    def signed(user: dict[str, Any]) -> Any:
        return type("User", (), {"to_dict": lambda _: user})()

    monkeypatch.setattr(targets.st, "user", signed({"is_logged_in": False}))
    app = desk()
    assert "Sign in" in app.info[0].value
    assert not app.text
    assert not app.text_area
    import ui

    assert ui.queue_columns(["G1"])["owner"].to_list() == [None]
    monkeypatch.setattr(targets.st, "user", signed({"is_logged_in": True, "email": "eve@b.c"}))
    save(desk(), "Seen")
    assert history("G1")[0].written_by == "eve@b.c"


def test_the_page_erases_old_notes_and_says_so_in_the_history(here: Path) -> None:
    follow_up("G1", 0, Plan("ana"), "Secret", by="ana", at=NOON - 3000 * DAY)
    app = desk()
    said = " ".join(str(one.value) for one in app.caption).replace("\\", "")
    assert "1 note, older than 730 days, erased" in said
    assert "Its note is kept no longer." in said
    assert not app.text
    assert "Secret" not in str(rows_of("complaint_words"))
    assert erased("G1")[0].erased_by == "local"


# --- on the page ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Place:
    where = place(tmp_path_factory.mktemp("desk"))
    put(where.url, **complaint_book())
    refresh(where.url, where.marts)
    return where


def test_the_open_queue_shows_owner_and_next_step(
    book: Place, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in book.environment.items():
        monkeypatch.setenv(name, value)
    due = dt.datetime.now(dt.UTC).date()
    follow_up("owner", 0, Plan("ana <b>", "**Call**", due), by="eve")
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.query_params["complaints_part"] = "Answered in time"
    app.switch_page("pages/conduct/complaints.py").run()
    assert not app.exception
    table = next(one.value for one in app.dataframe if "Next step" in one.value.columns)
    rows = {row["Complaint"]: row for row in table.to_dict("records")}
    assert (rows["owner"]["Owner"], rows["owner"]["Next step"]) == ("ana <b>", "**Call**")
    assert rows["owner"]["By"].date() == due
    assert "ana" not in str(rows["last"])
    here.write_bytes(b"no database " * 200)
    (here.parent / "app.sqlite-wal").unlink(missing_ok=True)
    app.run()
    assert not app.exception
    assert any("Owners and next steps are not shown" in one.value for one in app.warning)
    assert any("Next step" in one.value.columns for one in app.dataframe)


@pytest.mark.browser
def test_two_readers_write_about_one_complaint_at_once(book: Place, here: Path) -> None:
    with chromium() as browser, served(book) as address:
        ana, bob = Reader(browser, address), Reader(browser, address)
        for reader in (ana, bob):
            reader.page.goto(f"{address}/complaints?complaint=last")
            reader.settle()
        owner = ana.page.get_by_role("combobox", name="Owner")
        owner.click()
        owner.fill("ana@bank.example")
        owner.press("Enter")
        note = "<img src=x onerror=alert(1)> **first** \N{FACE WITH TEARS OF JOY}"
        for reader, words in ((ana, note), (bob, "the second's words")):
            reader.page.get_by_label("Note", exact=True).fill(words)
            reader.page.get_by_role("button", name="Save").click()
            reader.settle()
        bob.page.get_by_text("wrote about this complaint since you opened it").wait_for()
        bob.sees(lambda: note in bob.text)
        bob.sees(lambda: "ana@bank.example" in bob.text)
        assert bob.page.get_by_label("Note", exact=True).input_value() == "the second's words"
        bob.page.get_by_role("button", name="Save").click()
        bob.page.get_by_text("Saved by local").wait_for()
        bob.sees(lambda: note in bob.text)
        bob.sees(lambda: "the second's words" in bob.text)
        for reader in (ana, bob):
            reader.close()
            assert reader.errors == []  # no dialog opened
    assert [(one.plan.owner, one.note) for one in history("last")] == [
        ("ana@bank.example", "the second's words"),
        ("ana@bank.example", note),
    ]
