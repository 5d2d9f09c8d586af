"""Real engines for every test: DuckDB files, and PostgreSQL from the pgserver wheel."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
REAL_DATA = ROOT.parent / "shared" / "data"
_databases = itertools.count()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real PostgreSQL server that lives for the test session."""
    import pgserver

    server = pgserver.get_server(tmp_path_factory.mktemp("postgres"))
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


def new_postgres_database(server: str) -> str:
    import adbc_driver_postgresql.dbapi as adbc

    name = f"facts_{next(_databases)}"
    with adbc.connect(server, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    return server.replace("/postgres?", f"/{name}?")


def real_data(name: str) -> Path:
    """A file of real public data, or a skipped test that says which file is missing."""
    path = REAL_DATA / name
    if not path.exists():
        pytest.skip(f"{name} is not at {REAL_DATA}")
    return path
