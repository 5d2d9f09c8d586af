"""What a reader sees when the database, the marts or a load fails under the running app."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl
import pytest
from playwright.sync_api import Browser

from jobs.refresh import refresh
from tests import by_hand
from tests.books import MAR, put, small_book
from tests.browser import Reader
from tests.lender import take, write
from tests.served import LAST_MONTH, Place, place, served, synthetic
from warehouse.engines import duckdb_path
from warehouse.published import POINTER, current_version

pytestmark = [pytest.mark.browser, pytest.mark.faults]


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return synthetic(tmp_path_factory.mktemp("book"), loans=800, months=4)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Place, str]]:
    """Seven loans with an app of their own, for what befalls the marts."""
    here = place(tmp_path_factory.mktemp("small"))
    put(here.url, **small_book())
    refresh(here.url, here.marts)
    with served(here) as found:
        yield here, found


@pytest.fixture
def reader(browser: Browser, address: str) -> Iterator[Reader]:
    found = Reader(browser, address)
    yield found
    found.close()
    assert found.errors == []


@contextmanager
def held(url: str) -> Iterator[None]:
    """Another process holds the facts for writing, as a load does."""
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); input()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(duckdb_path(url))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout
    assert process.stdin
    assert process.stdout.readline() == b"held\n"
    try:
        yield
    finally:
        process.stdin.close()
        process.wait(10)


def busy(reader: Reader) -> bool:
    """The page says, as a warning and not as an error, that single loans cannot be listed now."""
    return any("cannot be listed" in alert for alert in reader.alerts) and not reader.broken


def settled_number(reader: Reader, rows: pl.DataFrame) -> None:
    """Health shows as many open loans as the files have."""
    reader.open("Health", weight="Loans")
    stock = by_hand.open_now(rows, LAST_MONTH)
    reader.sees(lambda: reader.tile("Open loans"), f"{stock.height:,}")


def one_more(here: Place, name: str) -> None:
    """Load one loan more, open and current in the book's last month."""
    write(
        here.files,
        loans=f"loan_id,product\n{name},card\n",
        loan_months="loan_id,month,days_past_due,balance_amount,status\n"
        f"{name},{MAR},0,1.00,open\n",
    )
    take(here.files, here.url)


def test_while_a_load_holds_the_facts_pages_answer_and_lists_say_why_not(
    reader: Reader, book: Place
) -> None:
    pairs = by_hand.moves(by_hand.history(book.files), [LAST_MONTH], product="credit_card")
    with held(book.url):
        reader.open("Roll rates", weight="Loans", product="credit_card")
        before = reader.written("1-30", "31-60")
        assert before
        reader.click_cell("1-30", "31-60")
        reader.sees(lambda: busy(reader))
        assert reader.written("1-30", "31-60") == before  # the figures stay
        reader.press("window", "3")  # and go on answering
        assert reader.broken == []
        reader.press("window", "1")
    key = reader.click_cell("1-30", "current")
    assert set(reader.listed(key)["loan_id"]) == by_hand.moved_ids(pairs, "1-30", "current")
    assert not reader.alerts


def test_a_new_version_is_shown_at_the_next_click_of_an_open_session(
    browser: Browser, small: tuple[Place, str]
) -> None:
    here, address = small
    reader = Reader(browser, address).open("Health", weight="Loans")
    before = int(reader.tile("Open loans"))
    for number in (1, 2, 3):  # so many that the session's own version is deleted
        one_more(here, f"late {number}")
        refresh(here.url, here.marts)
    assert reader.tile("Open loans") == str(before)  # nothing moves under the reader's eyes
    reader.walk_to("Aging")
    reader.walk_to("Health")
    reader.sees(lambda: reader.tile("Open loans"), str(before + 3))
    assert reader.broken == []
    reader.close()
    assert reader.errors == []


@pytest.mark.parametrize("harm", ["deleted", "cut short", "folder lost"])
def test_lost_or_spoilt_marts_are_explained_and_the_next_refresh_mends_them(
    browser: Browser, small: tuple[Place, str], harm: str
) -> None:
    here, address = small
    reader = Reader(browser, address).open("Health", weight="Loans")
    before = int(reader.tile("Open loans"))
    _spoil(here.marts, harm)
    reader.open("Health", weight="Loans")
    assert reader.page.get_by_test_id("stException").count() == 0
    assert any("python -m warehouse refresh" in alert for alert in reader.alerts)
    assert str(here.marts) not in reader.text  # leaks nothing
    reader.open("Definitions")
    assert reader.broken == []
    one_more(here, f"after {harm}")
    refresh(here.url, here.marts)
    reader.open("Health", weight="Loans")
    reader.sees(lambda: reader.tile("Open loans"), str(before + 1))
    assert reader.broken == []
    reader.close()
    assert reader.errors == []


def _spoil(folder: Path, harm: str) -> None:
    path = current_version(folder)
    assert path
    if harm == "deleted":
        path.unlink()
    elif harm == "folder lost":
        for file in folder.iterdir():
            file.unlink()
    else:  # under a new name: a process reads what it holds open from memory
        content = path.read_bytes()
        spoilt = folder / f"marts-{int(path.stem.split('-')[1]) + 1:06d}.duckdb"
        spoilt.write_bytes(content[:5000])
        (folder / POINTER).write_text(spoilt.name)


def test_a_database_that_stops_in_mid_session_is_named_plainly_and_comes_back(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    import pgserver
    from pgserver._commands import pg_ctl

    folder = tmp_path_factory.mktemp("stopping")
    server = pgserver.get_server(folder / "postgres")
    here = place(folder, server.get_uri())
    try:
        put(here.url, **small_book())
        refresh(here.url, here.marts)
        with served(here) as address:
            reader = Reader(browser, address).open("Roll rates", weight="Loans")
            found = reader.listed(reader.click_cell("1-30", "31-60"))
            assert found["loan_id"].to_list() == ["rolls"]  # 29 days, then 60

            pg_ctl(["-m", "immediate", "stop"], pgdata=server.pgdata, user=server.system_user)
            reader.click_cell("current", "31-60")
            reader.sees(lambda: busy(reader))
            assert "postgres" not in " ".join(reader.alerts).lower()  # no driver's words
            assert reader.written("1-30", "31-60") == "100.0"
            reader.walk_to("Health")
            assert reader.tile("Open loans") == "5"
            assert reader.broken == []

            server.ensure_postgres_running()
            reader.walk_to("Roll rates")
            found = reader.listed(reader.click_cell("current", "31-60"))
            assert found["loan_id"].to_list() == ["late_start"]  # 0 days, then 31
            assert not reader.alerts
            reader.close()
            assert reader.errors == []
    finally:
        server.cleanup()


def at_work(book: Place, arguments: tuple[str, ...], moment: str) -> subprocess.Popen[bytes]:
    """The command, from when it says that it has come to that moment, and is not at its end."""
    book.log.touch()
    before = len(book.log.read_text())
    process = book.command(*arguments)
    while moment not in book.log.read_text()[before:]:
        assert process.poll() is None, book.log.read_text()[before:]
        time.sleep(0.02)
    assert process.poll() is None
    return process


EVERY_MONTH = ("--bounds", "29,59,89,119,149,179,269,359")  # other buckets: all months anew


def test_the_app_answers_while_loads_and_refreshes_are_killed_and_run_to_their_end(
    reader: Reader, book: Place
) -> None:
    rows = by_hand.history(book.files)
    settled_number(reader, rows)
    work = {
        ("load", str(book.files)): ("read loan_months", "comparing contacts"),
        ("refresh", *EVERY_MONTH): ("(1 of ", "(3 of "),  # months
    }
    for arguments, moments in work.items():
        for moment in moments:
            process = at_work(book, arguments, moment)
            process.send_signal(signal.SIGKILL)
            reader.walk_to("Roll rates")
            reader.walk_to("Health")
            reader.sees(lambda: reader.tile("Open loans") not in ("", "–"))
            assert reader.broken == []
            process.wait(10)
    reader.open("Roll rates")
    clicks, worst = 0, 0.0
    for arguments in work:
        process = book.command(*arguments)
        while process.poll() is None:
            began = time.monotonic()
            key, label = (
                ("weight", "Loans"),
                ("window", "3"),
                ("weight", "Balance"),
                ("window", "1"),
            )[clicks % 4]
            reader.box(key).get_by_role("radio", name=label, exact=True).click()
            reader.page.wait_for_timeout(200)
            assert reader.broken == [], arguments
            clicks += 1
            worst = max(worst, time.monotonic() - began)
        assert process.returncode == 0, book.log.read_text()[-2000:]
        reader.settle()
        assert reader.box("matrix").locator("svg.marks").count() == 1
        assert not reader.alerts
    assert clicks > 10
    assert worst < 15
    settled_number(reader, rows)
    with duckdb.connect(str(duckdb_path(book.url)), read_only=True) as facts:
        kept = facts.execute("SELECT count(*) FROM loan_months").fetchone()
    assert kept == (rows.height,)
