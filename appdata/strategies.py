"""Strategies saved by name: each save is a version of its own, with who, when and a link.

No version is ever altered.  A writer names the version that he has seen: where another has come
since, he is told whose and when, and nothing of his is kept; he may then save after it, or under
another name.  The key of the table decides that, so it holds for servers that share one database.
Deleting a strategy adds a version without text: links to the versions before it lead to a sentence.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence

import sqlalchemy as sa

from appdata.append_only import protect
from appdata.complaint_input import name_of, utc
from appdata.database import writing
from appdata.kept_text import LONGEST_NAME, TextRefused, one_line, parsed, writable
from appdata.saved_strategies import (
    VERSION,
    Saved,
    StrategyGone,
    Version,
    key_of,
    one,
    saved,
    strategies,
    versions,
)

__all__ = [
    "NameTaken",
    "Saved",
    "StrategyGone",
    "StrategyRefused",
    "Version",
    "forget",
    "one",
    "save",
    "saved",
    "versions",
]

LONGEST_TEXT = 2_000_000


class StrategyRefused(ValueError):
    """A strategy that cannot be kept; the text says why, without what was typed."""


class NameTaken(Exception):
    """Somebody else saved, or deleted, a strategy of this name first.

    `newer`: their versions since the one that was seen, oldest first; `newest`: how it stands.
    """

    def __init__(self, newest: Version, newer: Sequence[Version]) -> None:
        super().__init__("Somebody else saved a strategy of this name since you looked.")
        self.newest, self.newer = newest, tuple(newer)


class _Taken(Exception):
    """The version is somebody else's; what was begun is rolled back."""


def save(name: str, text: str, *, seen: int = 0, by: str, at: dt.datetime | None = None) -> Version:
    """Keep a strategy as the version after `seen` of its name (0: a name that is not in use).

    What stands there already is not saved twice.  Refuses what cannot be kept (StrategyRefused),
    and where somebody else's version has come after `seen` (NameTaken); then nothing is kept.
    """
    return _add(_checked_name(name), _checked_text(text), seen, by=by, at=at)


def forget(name: str, *, seen: int, by: str, at: dt.datetime | None = None) -> Version:
    """Mark a strategy as deleted, as it stood at version `seen`; nothing is removed.

    NameTaken where somebody has saved another version since, StrategyGone where there is none.
    """
    known = _checked_name(name)
    found = versions(known)
    if not found or found[0].is_deleted:
        raise StrategyGone(found[0] if found else None)
    return _add(known, None, seen, by=by, at=at)


def _add(name: str, text: str | None, seen: int, *, by: str, at: dt.datetime | None) -> Version:
    key = key_of(name)
    try:
        with writing() as connection:
            protect(connection, strategies)
            after = _version_to_follow(connection, key, seen)
            row = Version(secrets.token_hex(6), name, after + 1, text is None, name_of(by), utc(at))
            values = {field: value for field, value in vars(row).items() if field != "is_deleted"}
            try:
                connection.execute(
                    strategies.insert().values(name_key=key, strategy=text, **values)
                )
            except sa.exc.IntegrityError:
                raise _Taken from None
    except _Taken:
        return _or_told(name, text, seen)
    return row


def _version_to_follow(connection: sa.Connection, key: str, seen: int) -> int:
    """The last version, if it is the one that was seen; a deleted name is not in use."""
    statement = VERSION.where(strategies.c.name_key == key)
    last = connection.execute(statement.order_by(strategies.c.version.desc()).limit(1)).first()
    version = last.version if last else 0
    if version != seen and not (seen == 0 and last and last.is_deleted):
        raise _Taken
    return int(version)


def _or_told(name: str, text: str | None, seen: int) -> Version:
    """What stands there already, if it is the same; else the writer is told."""
    found = versions(name)
    if not found:  # the database was put back to an older copy
        raise StrategyGone
    last = found[0]
    if text is not None and not last.is_deleted and one(last.id).text == text:
        return last
    raise NameTaken(last, [row for row in reversed(found) if row.version > seen])


def _checked_name(name: str) -> str:
    try:
        known = one_line(name, "A strategy's name", LONGEST_NAME)
    except TextRefused as error:
        raise StrategyRefused(str(error)) from None
    if not known:
        raise StrategyRefused("A strategy needs a name.")
    return known


def _checked_text(text: str) -> str:
    try:
        words = writable(text, "A strategy's text", LONGEST_TEXT)
        if not isinstance(parsed(words, "The strategy"), dict):
            raise TextRefused("The strategy is not readable: it has no named fields.")
    except TextRefused as error:
        raise StrategyRefused(str(error)) from None
    return words
