"""Reading the strategies that were saved: a list, the versions of a name, the one of a link."""

from __future__ import annotations

import datetime as dt
import unicodedata
from dataclasses import dataclass

import sqlalchemy as sa

from appdata.database import app_data, reading

strategies = sa.Table(
    "strategy_versions",
    app_data,
    sa.Column("name_key", sa.String(500), primary_key=True),  # capitals and small letters alike
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),  # 1, 2, 3 ...
    sa.Column("id", sa.String(40), nullable=False, unique=True),  # what a link names
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("strategy", sa.Text),  # null: deleted
    sa.Column("saved_by", sa.Text, nullable=False),
    sa.Column("saved_at", sa.DateTime, nullable=False),  # UTC
)


VERSION = sa.select(
    strategies.c.id,
    strategies.c.name,
    strategies.c.version,
    strategies.c.strategy.is_(None).label("is_deleted"),
    strategies.c.saved_by,
    strategies.c.saved_at,
)


@dataclass(frozen=True)
class Version:
    """One save of a name, or its deletion."""

    id: str
    name: str
    version: int
    is_deleted: bool
    saved_by: str
    saved_at: dt.datetime  # UTC


@dataclass(frozen=True)
class Saved:
    """A version with the strategy as it was saved."""

    version: Version
    text: str


class StrategyGone(Exception):
    """There is no such strategy; `deleted` says who deleted it, None where there never was one."""

    def __init__(self, deleted: Version | None = None) -> None:
        said = "This strategy was deleted." if deleted else "There is no strategy of this link."
        super().__init__(said)
        self.deleted = deleted


def saved(limit: int = 200) -> list[Version]:
    """The newest version of every strategy that is not deleted, the last ones first."""
    later = strategies.alias("later")
    is_newest = ~(
        sa.exists()
        .where(later.c.name_key == strategies.c.name_key, later.c.version > strategies.c.version)
        .correlate(strategies)
    )
    order = (strategies.c.saved_at.desc(), strategies.c.name_key)
    where = (is_newest, strategies.c.strategy.is_not(None))
    return _versions(VERSION.where(*where).order_by(*order).limit(limit))


def versions(name: str) -> list[Version]:
    """Every version of a name, newest first, deletions too."""
    of = strategies.c.name_key == key_of(name)
    return _versions(VERSION.where(of).order_by(strategies.c.version.desc()))


def one(link: str) -> Saved:
    """The version that a link names; StrategyGone where there is none, or it was deleted."""
    if not (link.isascii() and link.isalnum() and len(link) <= 40):
        raise StrategyGone
    with reading() as connection:
        if connection is None or not _is_there(connection):
            raise StrategyGone
        return read_one(connection, link)


def read_one(connection: sa.Connection, link: str) -> Saved:
    """The same on a connection."""
    row = connection.execute(sa.select(strategies).where(strategies.c.id == link)).first()
    if row is None:
        raise StrategyGone
    deletion = (
        VERSION.where(
            strategies.c.name_key == row.name_key,
            strategies.c.version >= row.version,
            strategies.c.strategy.is_(None),
        )
        .order_by(strategies.c.version)
        .limit(1)
    )
    gone = connection.execute(deletion).mappings().first()
    if gone is not None:
        raise StrategyGone(Version(**gone))
    kept = Version(row.id, row.name, row.version, False, row.saved_by, row.saved_at)
    return Saved(kept, str(row.strategy))


def key_of(name: str) -> str:
    """What makes two names one: the same letters, whatever their case.

    >>> key_of(" Call  SOONER ") == key_of("call sooner")
    True
    """
    return unicodedata.normalize("NFC", " ".join(name.split()).casefold())


def _versions(statement: sa.Select) -> list[Version]:
    with reading() as connection:
        if connection is None or not _is_there(connection):
            return []
        return [Version(**row) for row in connection.execute(statement).mappings()]


def _is_there(connection: sa.Connection) -> bool:
    return sa.inspect(connection).has_table(strategies.name)
