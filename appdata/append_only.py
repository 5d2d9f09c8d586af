"""Tables to which rows are only ever added: the database itself refuses to change or remove one.

Triggers see to it on SQLite and PostgreSQL, whoever writes: this app, another programme or a
person at a prompt.  Somebody who may change the tables themselves can still remove the triggers; on
other databases only the app's own code keeps to it.  On a PostgreSQL where the tables are somebody
else's, he may give the app no more than SELECT and INSERT, which does the same.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

_LOCK = 5_119_207  # any number: servers that begin at once make the triggers one after the other
_FUNCTION = "rows_are_only_added"


def protect(connection: sa.Connection, *tables: sa.Table) -> None:
    """Make the triggers of these tables where they are not there yet."""
    backend = connection.dialect.name
    if backend not in ("sqlite", "postgresql") or _are_there(connection, tables):
        return
    if backend == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        tables = _ours(connection, tables)
        if _are_there(connection, tables):
            return
    for table in tables:
        for statement in _sqlite(table) if backend == "sqlite" else _postgresql(table):
            connection.execute(sa.DDL(statement))


def _names(table: sa.Table) -> tuple[str, ...]:
    return tuple(f"{table.name}_no_{doing}" for doing in ("delete", "replace", "update"))


def _ours(connection: sa.Connection, tables: tuple[sa.Table, ...]) -> tuple[sa.Table, ...]:
    """The tables to which this user of PostgreSQL may add triggers: its own."""
    own = sa.table("pg_class", sa.column("oid"), sa.column("relname"), sa.column("relowner"))
    found = sa.select(own.c.relname).where(
        own.c.relname.in_([table.name for table in tables]),
        sa.func.pg_table_is_visible(own.c.oid),
        sa.func.pg_has_role(own.c.relowner, "USAGE"),
    )
    names = set(connection.execute(found).scalars())
    return tuple(table for table in tables if table.name in names)


def _are_there(connection: sa.Connection, tables: tuple[sa.Table, ...]) -> bool:
    wanted = [name for table in tables for name in _names(table)]
    if connection.dialect.name == "sqlite":
        kept = sa.table("sqlite_master", sa.column("type"), sa.column("name"))
        found = sa.select(sa.func.count()).where(kept.c.type == "trigger", kept.c.name.in_(wanted))
    else:
        made = sa.table("pg_trigger", sa.column("tgname"), sa.column("tgrelid"))
        own = sa.table("pg_class", sa.column("oid"), sa.column("relname"))
        visible = sa.func.pg_table_is_visible(own.c.oid)
        found = (
            sa.select(sa.func.count())
            .select_from(made.join(own, own.c.oid == made.c.tgrelid))
            .where(made.c.tgname.in_(wanted), visible)
        )
    return bool(connection.execute(found).scalar_one() == len(wanted))


def _sqlite(table: sa.Table) -> Iterator[str]:
    """INSERT OR REPLACE would remove a row without a word to the trigger of removal."""
    deleting, replacing, updating = _names(table)
    refuse = f"BEGIN SELECT RAISE(ABORT, 'rows of {table.name} are only added'); END"
    same = " AND ".join(f"{key.name} = NEW.{key.name}" for key in table.primary_key)
    there = f"EXISTS (SELECT 1 FROM {table.name} WHERE {same})"
    make = "CREATE TRIGGER IF NOT EXISTS"
    yield f"{make} {deleting} BEFORE DELETE ON {table.name} {refuse}"
    yield f"{make} {replacing} BEFORE INSERT ON {table.name} WHEN {there} {refuse}"
    yield f"{make} {updating} BEFORE UPDATE ON {table.name} {refuse}"


def _postgresql(table: sa.Table) -> Iterator[str]:
    """Emptying a table at once is a trigger of its own."""
    yield (
        f"CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'rows of %% are only added', TG_TABLE_NAME; END $$"
    )
    for name, when in zip(
        _names(table), ("DELETE {} ROW", "TRUNCATE {} STATEMENT", "UPDATE {} ROW"), strict=True
    ):
        yield f"DROP TRIGGER IF EXISTS {name} ON {table.name}"
        occasion = when.format(f"ON {table.name} FOR EACH")
        yield f"CREATE TRIGGER {name} BEFORE {occasion} EXECUTE FUNCTION {_FUNCTION}()"
