"""How long what people typed about complaints is kept, and erasing it after that.

Notes are erased `NOTES_KEEP_DAYS` after they were written; next steps, too, once another has taken
their place.  From then on they are not shown, even where erasing must wait.  Who wrote, when, whose
the complaint was and what was due stays, and every erasure is recorded, without the words.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from appdata.complaint_input import name_of, utc
from appdata.complaint_tables import are_there, erasures, is_newest, typed, versions
from appdata.database import AppDatabaseUnavailable, reading, writing
from warehouse.settings import notes_keep_days


@dataclass(frozen=True)
class Erasure:
    """What was erased of one complaint; `erased_by`: whose visit or command set it off."""

    complaint_id: str
    notes: int
    next_steps: int
    kept_days: int
    erased_by: str
    erased_at: dt.datetime


def keep_days() -> int:
    """The days of the setting; one that is none is never guessed, as words would be lost."""
    try:
        return notes_keep_days()
    except ValueError as error:
        raise AppDatabaseUnavailable(f"Notes are neither shown nor erased: {error}") from error


def kept_since(now: dt.datetime | None = None) -> dt.datetime:
    """The moment (UTC) before which notes are kept no longer."""
    return utc(now) - dt.timedelta(days=keep_days())


def erase_old_notes(*, by: str, now: dt.datetime | None = None) -> list[Erasure]:
    """Erase what is older than the setting, and record it; nothing is written where nothing is."""
    days, since = keep_days(), kept_since(now)
    old = _is_old(since)
    with reading() as connection:
        if connection is None or not are_there(connection):
            return []
        found = connection.execute(sa.select(typed.c.complaint_id).where(old).distinct())
        complaint_ids = sorted(found.scalars())
    if not complaint_ids:
        return []
    done = []
    with writing() as connection:
        for complaint_id in complaint_ids:
            notes, next_steps = (
                connection.execute(
                    sa.delete(typed).where(
                        typed.c.complaint_id == complaint_id, typed.c.kind == kind, old
                    )
                ).rowcount
                for kind in ("note", "next_step")
            )
            if notes or next_steps:  # else another server was quicker
                row = Erasure(complaint_id, notes, next_steps, days, name_of(by), utc(now))
                connection.execute(erasures.insert().values(vars(row)))
                done.append(row)
    return done


def _is_old(since: dt.datetime) -> sa.ColumnElement[bool]:
    """Words from before `since`, but for a next step that still stands."""
    stands = (
        sa.exists()
        .where(
            versions.c.complaint_id == typed.c.complaint_id,
            versions.c.step_version == typed.c.version,
            is_newest(),
        )
        .correlate(typed)
    )
    return sa.and_(
        typed.c.written_at < since,
        sa.or_(typed.c.kind == "note", sa.not_(stands)),
    )


def erased(complaint_id: str) -> list[Erasure]:
    """What was erased of a complaint, newest first."""
    statement = (
        sa.select(erasures)
        .where(erasures.c.complaint_id == complaint_id)
        .order_by(erasures.c.id.desc())
    )
    with reading() as connection:
        if connection is None or not are_there(connection):
            return []
        rows = connection.execute(statement).mappings().all()
    return [Erasure(**{name: row[name] for name in Erasure.__dataclass_fields__}) for row in rows]
