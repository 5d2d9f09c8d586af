"""The app's own database: SQLite beside the marts, or any SQLAlchemy URL.

Whatever goes wrong in it becomes `AppDatabaseUnavailable` with a sentence that a
page can show: the figures of a page do not depend on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from warehouse.settings import app_database_url, warehouse_url

WAIT_SECONDS = 3  # for another writer
app_data = sa.MetaData()


class AppDatabaseUnavailable(Exception):
    """The app's own database cannot be read or written just now; the text says why."""


@contextmanager
def reading() -> Iterator[sa.Connection | None]:
    """A connection for reading, or None where nothing was ever kept."""
    with _plainly("read"):
        url = _url()
        if _is_file(url) and not Path(str(url.database)).exists():
            yield None
            return
        with _engine(url.render_as_string(False)).connect() as connection:
            yield connection


@contextmanager
def writing() -> Iterator[sa.Connection]:
    """A transaction that is kept as a whole, or not at all; makes the tables where needed."""
    with _plainly("written to"):
        url = _url()
        if _is_file(url):
            Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
        engine = _engine(url.render_as_string(False))
        with engine.connect() as connection:
            if _is_file(url):  # readers go on while somebody writes
                # SQLite does not wait for this lock: who has it is making the same change
                # or writing, and the next writer tries again.
                with suppress(sa.exc.OperationalError):
                    connection.exec_driver_sql("PRAGMA journal_mode = WAL")
                connection.rollback()
            _make_tables(connection)
        with engine.begin() as connection:
            yield connection


def _make_tables(connection: sa.Connection) -> None:
    """The tables, where they are not there yet; somebody else may be making them, too."""
    present = set(sa.inspect(connection).get_table_names())
    connection.rollback()
    for table in app_data.sorted_tables:
        if table.name in present:
            continue
        try:
            with connection.begin():
                connection.execute(sa.schema.CreateTable(table, if_not_exists=True))
        except (sa.exc.IntegrityError, sa.exc.ProgrammingError):
            is_there = sa.inspect(connection).has_table(table.name)
            connection.rollback()  # looking has begun a transaction
            if not is_there:
                raise


def _url() -> URL:
    url = make_url(app_database_url())
    if url == make_url(warehouse_url()):
        raise AppDatabaseUnavailable(
            "APP_DATABASE_URL is the lender's warehouse, where the app keeps nothing of its own."
        )
    return url


def _is_file(url: URL) -> bool:
    """A plain SQLite file, whose folder and journal are ours to make."""
    name = url.database or ""
    return url.get_backend_name() == "sqlite" and name not in ("", ":memory:") and not url.query


@lru_cache(maxsize=4)
def _engine(url: str) -> sa.Engine:
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        # opened anew each time, so that a file that was moved or removed is not written to
        return sa.create_engine(
            parsed, poolclass=sa.pool.NullPool, connect_args={"timeout": WAIT_SECONDS}
        )
    waiting: dict[str, Any] = {}
    if backend == "postgresql":
        waiting = {"connect_timeout": WAIT_SECONDS}
        if "options" not in parsed.query:
            waiting["options"] = f"-c lock_timeout={WAIT_SECONDS}s"
    return sa.create_engine(
        parsed, pool_size=2, pool_pre_ping=True, pool_recycle=600, connect_args=waiting
    )


@contextmanager
def _plainly(doing: str) -> Iterator[None]:
    """Any driver's complaint as one sentence, without what the driver says of itself."""
    try:
        yield
    except (sa.exc.SQLAlchemyError, OSError, ImportError, UnicodeError) as error:
        raise AppDatabaseUnavailable(f"The app's own database {_why(error, doing)}.") from error


def _why(error: Exception, doing: str) -> str:
    said = str(error).lower()
    if any(word in said for word in ("read-only", "readonly", "read only", "permission denied")):
        return f"may not be {doing}: this server has no right to change it"
    if "lock" in said:
        return f"cannot be {doing} just now: somebody else is writing to it; try again in a moment"
    if isinstance(error, ImportError | sa.exc.NoSuchModuleError):
        return "cannot be reached: its driver is not installed"
    return f"cannot be {doing} just now"
