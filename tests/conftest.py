"""Real engines for every test: DuckDB files, and PostgreSQL from the pgserver wheel."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.served import Place

# books of tests are small, and workers share the cores: more threads only wait for each other
os.environ.setdefault("POLARS_MAX_THREADS", "1")

ROOT = Path(__file__).resolve().parent.parent
REAL_DATA = ROOT.parent / "shared" / "data"
LONGEST = ("touched_recovery", "app_faults", "refresh", "load_faults", "bench", "browser", "app")
_databases = itertools.count()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files come first, so that no worker is left alone with one at the end.

    A browser waits on a clock: on a crowded machine a test of it may be tried again.
    """
    first = {f"test_{name}": place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: first.get(item.path.stem, len(first)))
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=2))


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real PostgreSQL server that lives for the test session."""
    import pgserver

    server = pgserver.get_server(tmp_path_factory.mktemp("postgres"))
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):  # no power cuts here
        server.psql(f"ALTER SYSTEM SET {setting} = off;")
    server.psql("SELECT pg_reload_conf();")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(params=["duckdb", "postgresql"])
def facts_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty warehouse, on each engine in turn."""
    if request.param == "duckdb":
        return f"duckdb:///{tmp_path / 'facts.duckdb'}"
    return new_postgres_database(request.getfixturevalue("postgres_server"))


@pytest.fixture
def duckdb_url(tmp_path: Path) -> str:
    """An empty DuckDB warehouse, for what does not depend on the engine."""
    return f"duckdb:///{tmp_path / 'facts.duckdb'}"


def new_postgres_database(server: str, *, empty: bool = False) -> str:
    """A database with the warehouse's empty tables (copied, which is quick), or with nothing."""
    import adbc_driver_postgresql.dbapi as adbc

    template = "template1" if empty else _template(server)
    name = f"facts_{next(_databases)}"
    with adbc.connect(server, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return server.replace("/postgres?", f"/{name}?")


@cache
def _template(server: str) -> str:
    from warehouse.contract import bookkeeping, contract
    from warehouse.engines import create_tables, session

    url = new_postgres_database(server, empty=True)
    with session(url, read_only=False) as facts:
        create_tables(facts, contract)
        create_tables(facts, bookkeeping)
    return url.split("/")[3].split("?")[0]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium."""
    from tests.browser import chromium

    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def address(book: Place) -> Iterator[str]:
    """Where the app answers on the module's `book`."""
    from tests.served import served

    with served(book) as found:
        yield found


def real_data(name: str) -> Path:
    """A file of real public data, or a skipped test that says which file is missing."""
    path = REAL_DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not at {REAL_DATA}")
    return path
