"""Connections to the facts and the marts: a Select in, a polars frame out.

One class per way of talking to an engine, all with the same few methods.
DuckDB is driven natively and PostgreSQL by ADBC, because both hand over Arrow
several times faster than rows; any other SQLAlchemy URL is read through its
own driver.  Statements always travel with parameters, never with values in
their text.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import adbc_driver_manager
import duckdb
import duckdb_engine
import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect, make_url
from sqlalchemy.schema import CreateIndex, CreateTable

from warehouse.contract import contract, indexes

Statement = sa.sql.expression.ClauseElement


class WarehouseUnavailable(Exception):
    """The database cannot be reached or is held by another process."""


DRIVER_ERRORS = (duckdb.Error, adbc_driver_manager.Error, sa.exc.SQLAlchemyError)


class Connection(Protocol):
    """What the rest of the product may do with a database."""

    dialect: Dialect

    def fetch(self, statement: Statement) -> pl.DataFrame: ...
    def execute(self, statement: Statement) -> None: ...
    def ingest(self, table: str, frame: pl.DataFrame, *, temporary: bool = False) -> None: ...
    def tables(self) -> set[str]: ...
    def snapshot(self) -> None: ...
    def limit(self, seconds: float) -> None: ...
    def let_pages_go(self) -> None: ...
    def commit(self) -> None: ...
    def rollback(self) -> None: ...
    def close(self) -> None: ...


def compile_statement(statement: Statement, dialect: Dialect) -> tuple[str, list[Any]]:
    """The statement's text for this engine, and its parameters in order."""
    if isinstance(statement, sa.schema.ExecutableDDLElement):
        return str(statement.compile(dialect=dialect)), []
    compiled: Any = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    values = compiled.params
    return compiled.string, [values[name] for name in compiled.positiontup or ()]


DUCKDB = duckdb_engine.Dialect(paramstyle="numeric_dollar")
POSTGRESQL = postgresql.dialect(paramstyle="numeric_dollar")


KEPT_PAGES = 64 << 20  # bytes
CHECKPOINT_BYTES = 128 << 20  # of the log, which holds commits until then


def _writer_memory() -> int:
    """3 GiB, or half of a small machine's memory."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(3 << 30, physical // 2)


class DuckDBConnection:
    """An embedded DuckDB file; a transaction is open from the first statement to commit."""

    dialect: Dialect = DUCKDB

    def __init__(self, path: str, *, read_only: bool, threads: int | None = None) -> None:
        self._raw = duckdb.connect(path, read_only=read_only)
        if threads is not None:
            self._raw.execute(f"SET threads = {int(threads)}")
        self._raw.execute("SET enable_progress_bar = false")
        self._raw.execute("SET preserve_insertion_order = false")
        self._memory = "RESET memory_limit"
        if not read_only:  # a load spills to disk rather than crowd out the app
            self._memory = f"SET memory_limit = '{_writer_memory()}B'"
            self._raw.execute(self._memory)
            # A checkpoint rewrites the last rows of every table: not after each small commit.
            self._raw.execute(f"SET checkpoint_threshold = '{CHECKPOINT_BYTES}B'")
        self._read_only = read_only
        self._in_transaction = False

    def _begin(self) -> None:
        if not self._in_transaction and not self._read_only:
            self._raw.execute("BEGIN")
            self._in_transaction = True

    def fetch(self, statement: Statement) -> pl.DataFrame:
        text, parameters = compile_statement(statement, self.dialect)
        cursor = self._raw if self._in_transaction else self._raw.cursor()
        return cursor.sql(text, params=parameters or None).pl()

    def execute(self, statement: Statement) -> None:
        self._begin()
        text, parameters = compile_statement(statement, self.dialect)
        self._raw.execute(text, parameters)

    def ingest(self, table: str, frame: pl.DataFrame, *, temporary: bool = False) -> None:
        """Append the frame's columns to a (temporary) table, by name."""
        self._begin()
        quote = self.dialect.identifier_preparer.quote
        columns = ", ".join(quote(name) for name in frame.columns)
        # By its Python name: a registered frame stays in memory until the transaction ends.
        self._raw.execute(f"INSERT INTO {quote(table)} ({columns}) SELECT {columns} FROM frame")

    def snapshot(self) -> None:
        """A read-only DuckDB file cannot change while it is open."""

    def limit(self, seconds: float) -> None:
        """DuckDB knows no limit of time; its statements run here and wait for no server."""

    def let_pages_go(self) -> None:
        """Give back the memory of what was read, before work that needs it and reads no more.

        DuckDB keeps pages until the machine's memory is nearly full; a lower limit makes room.
        """
        with suppress(duckdb.OutOfMemoryException):  # what a statement still holds stays
            self._raw.execute(f"SET memory_limit = '{KEPT_PAGES}B'")
        self._raw.execute(self._memory)

    def tables(self) -> set[str]:
        rows = self._raw.execute("SELECT table_name FROM information_schema.tables").fetchall()
        return {name for (name,) in rows}

    def columns(self) -> set[tuple[str, str]]:
        """Every table and column of the file."""
        text = "SELECT table_name, column_name FROM information_schema.columns"
        return set(self._raw.execute(text).fetchall())

    def commit(self) -> None:
        if self._in_transaction:
            self._raw.execute("COMMIT")
            self._in_transaction = False

    def rollback(self) -> None:
        if self._in_transaction:
            self._raw.execute("ROLLBACK")
            self._in_transaction = False

    def close(self) -> None:
        self.rollback()
        self._raw.close()


class PostgreSQLConnection:
    """PostgreSQL by ADBC: results and bulk loads travel as Arrow."""

    dialect: Dialect = POSTGRESQL

    def __init__(self, url: str) -> None:
        target = make_url(url).set(drivername="postgresql")
        if "connect_timeout" not in target.query:  # a server that hangs must not hang the app
            target = target.update_query_dict({"connect_timeout": "10"})
        # Here, because it takes a second that a DuckDB warehouse need not spend.
        import adbc_driver_postgresql.dbapi as adbc

        self._raw = adbc.connect(target.render_as_string(False))

    def fetch(self, statement: Statement) -> pl.DataFrame:
        text, parameters = compile_statement(statement, self.dialect)
        with self._raw.cursor() as cursor:
            cursor.execute(text, parameters=parameters or None)
            return _arrow_to_polars(cursor.fetch_arrow_table())

    def execute(self, statement: Statement) -> None:
        text, parameters = compile_statement(statement, self.dialect)
        with self._raw.cursor() as cursor:
            cursor.execute(text, parameters=parameters or None)

    def ingest(self, table: str, frame: pl.DataFrame, *, temporary: bool = False) -> None:
        """Append the frame's columns to a (temporary) table, by name."""
        with self._raw.cursor() as cursor:
            cursor.adbc_ingest(table, frame.to_arrow(), mode="append", temporary=temporary)

    def snapshot(self) -> None:
        """Let every later read of this transaction see one state of the database."""
        with self._raw.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def let_pages_go(self) -> None:
        """The server has its own memory."""

    def limit(self, seconds: float) -> None:
        """Let every later statement of this transaction fail that takes longer."""
        milliseconds = str(round(seconds * 1000))
        self.fetch(sa.select(sa.func.set_config("statement_timeout", milliseconds, True)))

    def tables(self) -> set[str]:
        with self._raw.cursor() as cursor:
            cursor.execute(
                "SELECT table_name FROM information_schema.tables"
                " WHERE table_schema = ANY (current_schemas(false))"
            )
            return {name for (name,) in cursor.fetchall()}

    def commit(self) -> None:
        self._raw.commit()

    def rollback(self) -> None:
        self._raw.rollback()

    def close(self) -> None:
        self._raw.close()


class OtherConnection:
    """Any other SQLAlchemy engine: read through its own driver, never written to."""

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(url)
        self._raw = self._engine.connect()
        self.dialect = self._engine.dialect

    def fetch(self, statement: Statement) -> pl.DataFrame:
        query: Any = statement
        return pl.read_database(query, self._raw)

    def execute(self, statement: Statement) -> None:
        raise WarehouseUnavailable(f"{self.dialect.name} warehouses are read, not written to")

    def ingest(self, table: str, frame: pl.DataFrame, *, temporary: bool = False) -> None:
        raise WarehouseUnavailable(f"{self.dialect.name} warehouses are read, not loaded into")

    def snapshot(self) -> None: ...

    def limit(self, seconds: float) -> None: ...

    def let_pages_go(self) -> None: ...

    def tables(self) -> set[str]:
        inspector = sa.inspect(self._engine)
        return {*inspector.get_table_names(), *inspector.get_view_names()}

    def commit(self) -> None: ...

    def rollback(self) -> None:
        self._raw.rollback()

    def close(self) -> None:
        self._raw.close()
        self._engine.dispose()


def _arrow_to_polars(table: Any) -> pl.DataFrame:
    """ADBC hands NUMERIC over as opaque text: read it as decimals."""
    import pyarrow as pa

    columns = {}
    for field, column in zip(table.schema, table.columns, strict=True):
        if isinstance(field.type, pa.OpaqueType):
            column = pa.chunked_array([chunk.storage for chunk in column.chunks], pa.string())
            columns[field.name] = pl.Series(field.name, pl.from_arrow(column), pl.String).cast(
                pl.Decimal(38, 2)
            )
        else:
            columns[field.name] = pl.Series(field.name, pl.from_arrow(column))
    return pl.DataFrame(columns)


def duckdb_path(url: str) -> str | None:
    """The file behind a duckdb:/// URL, or None for another engine."""
    try:
        parsed = make_url(url)
    except sa.exc.ArgumentError:  # its text would repeat the URL, and a password in it
        raise WarehouseUnavailable(
            "WAREHOUSE_URL is no address of a database, such as duckdb:///data/facts.duckdb"
        ) from None
    return parsed.database if parsed.drivername.startswith("duckdb") else None


def connect(
    url: str,
    *,
    read_only: bool = True,
    wait_seconds: float = 0.0,
    waiting: Callable[[str], None] | None = None,
) -> Connection:
    """A connection to the facts.

    An embedded DuckDB file has one writer or many readers: `wait_seconds` is
    how long to wait for the other side before `WarehouseUnavailable` is raised;
    `waiting` is told once that it waits.
    """
    path = duckdb_path(url)
    if path is None:
        return _connect_server(url)
    if read_only and not Path(path).exists():
        raise WarehouseUnavailable(f"there is no warehouse at {path}")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            return DuckDBConnection(path, read_only=read_only)
        except (duckdb.IOException, duckdb.ConnectionException) as error:
            is_held = isinstance(error, duckdb.ConnectionException) or "lock" in str(error).lower()
            if not is_held:
                raise WarehouseUnavailable(f"the warehouse at {path} cannot be opened") from error
            if time.monotonic() >= deadline:
                raise WarehouseUnavailable(
                    "the warehouse is in use by another process; try again when it has finished"
                ) from error
            if waiting:
                waiting(f"waiting up to {wait_seconds:g} s for another process to finish")
                waiting = None
        time.sleep(0.2)


def _connect_server(url: str) -> Connection:
    try:
        if make_url(url).drivername.startswith("postgresql"):
            return PostgreSQLConnection(url)
        return OtherConnection(url)
    except (sa.exc.SQLAlchemyError, OSError, adbc_driver_manager.Error) as error:
        where = make_url(url).render_as_string(hide_password=True)
        raise WarehouseUnavailable(f"the warehouse at {where} does not answer") from error


@contextmanager
def session(
    url: str,
    *,
    read_only: bool = True,
    wait_seconds: float = 0.0,
    waiting: Callable[[str], None] | None = None,
    statement_seconds: float | None = None,
) -> Iterator[Connection]:
    """A connection that commits at the end, or rolls back when anything is raised.

    `statement_seconds`: a server gives up on a statement that takes longer, with a
    `DRIVER_ERRORS`.
    """
    connection = connect(url, read_only=read_only, wait_seconds=wait_seconds, waiting=waiting)
    try:
        if statement_seconds is not None:
            connection.limit(statement_seconds)
        yield connection
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    finally:
        connection.close()


def create_tables(
    connection: Connection, metadata: sa.MetaData, *, with_indexes: bool = True
) -> None:
    """Create the metadata's tables where they are missing, with indexes where they help."""
    present = connection.tables()
    for table in metadata.sorted_tables:
        if table.name not in present:
            connection.execute(CreateTable(table))
    if with_indexes and metadata is contract and connection.dialect.name == "postgresql":
        for index in indexes:
            connection.execute(CreateIndex(index, if_not_exists=True))
