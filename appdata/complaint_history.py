"""What was done about complaints: one's history, and how many of them stand now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from appdata.complaint_input import Plan
from appdata.complaint_tables import are_there, is_newest, typed, versions
from appdata.database import reading
from appdata.retention import kept_since

MOST_NAMED = 1000  # ids that are asked for by name; beyond, everything is read


@dataclass(frozen=True)
class Entry:
    """One version: what stood after it, and the note that came with it.

    `note` and `plan.next_step` are None where there was none, and where it is kept no longer.
    """

    complaint_id: str
    version: int
    plan: Plan
    note: str | None
    has_note: bool
    step_version: int | None
    written_by: str
    written_at: dt.datetime

    @property
    def is_erased(self) -> bool:
        """Whether anything that was typed in it is kept no longer."""
        lost_step = self.step_version == self.version and self.plan.next_step is None
        return lost_step or (self.has_note and self.note is None)


@dataclass(frozen=True)
class Standing:
    """How a complaint stands, for a list: its plan, and how many notes are kept."""

    complaint_id: str
    plan: Plan
    notes: int


def history(complaint_id: str, *, now: dt.datetime | None = None) -> list[Entry]:
    """What was done about a complaint, newest first; notes older than their days are left out."""
    since = kept_since(now)
    with reading() as connection:
        if connection is None or not are_there(connection):
            return []
        return entries_of(connection, complaint_id, sa.true(), since=since)


def entries_of(
    connection: sa.Connection,
    complaint_id: str,
    which: sa.ColumnElement[bool],
    *,
    since: dt.datetime | None = None,
) -> list[Entry]:
    """Versions of a complaint, newest first; without notes, and steps replaced, before `since`."""
    of = versions.c.complaint_id == complaint_id
    rows = connection.execute(
        sa.select(versions).where(of, which).order_by(versions.c.version.desc())
    ).all()
    words = {
        (one.version, one.kind): one
        for one in connection.execute(sa.select(typed).where(typed.c.complaint_id == complaint_id))
    }
    standing = rows[0].step_version if rows else None

    def text(version: int | None, kind: str) -> str | None:
        one = words.get((version, kind))
        stands = kind == "next_step" and version == standing
        is_kept = one is not None and (stands or since is None or one.written_at >= since)
        return str(one.words) if one is not None and is_kept else None

    return [
        Entry(
            complaint_id=row.complaint_id,
            version=row.version,
            plan=Plan(row.owner, text(row.step_version, "next_step"), row.next_due),
            note=text(row.version, "note"),
            has_note=bool(row.has_note),
            step_version=row.step_version,
            written_by=row.written_by,
            written_at=row.written_at,
        )
        for row in rows
    ]


def standings(
    complaint_ids: Iterable[str], *, now: dt.datetime | None = None
) -> dict[str, Standing]:
    """How complaints stand, by id; those nobody has done anything about are not in it."""
    wanted, since = list(complaint_ids), kept_since(now)
    stood = sa.and_(
        typed.c.complaint_id == versions.c.complaint_id,
        typed.c.version == versions.c.step_version,
        typed.c.kind == "next_step",
    )
    notes = (
        sa.select(sa.func.count())
        .where(
            typed.c.complaint_id == versions.c.complaint_id,
            typed.c.kind == "note",
            typed.c.written_at >= since,
        )
        .correlate(versions)
        .scalar_subquery()
    )
    statement = sa.select(
        versions.c.complaint_id,
        versions.c.owner,
        versions.c.next_due,
        typed.c.words.label("next_step"),
        notes.label("notes"),
    )
    statement = statement.select_from(versions.outerjoin(typed, stood)).where(is_newest())
    if len(wanted) <= MOST_NAMED:
        statement = statement.where(versions.c.complaint_id.in_(wanted))
    with reading() as connection:
        if connection is None or not wanted or not are_there(connection):
            return {}
        rows = connection.execute(statement).all()
    return {
        row.complaint_id: Standing(
            row.complaint_id, Plan(row.owner, row.next_step, row.next_due), row.notes
        )
        for row in rows
    }


def owners(limit: int = 200) -> list[str]:
    """Who has or had a complaint, the last ones first."""
    last = sa.func.max(versions.c.written_at)
    statement = (
        sa.select(versions.c.owner)
        .where(versions.c.owner.is_not(None))
        .group_by(versions.c.owner)
        .order_by(last.desc(), versions.c.owner)
        .limit(limit)
    )
    with reading() as connection:
        if connection is None or not are_there(connection):
            return []
        return [str(owner) for owner in connection.execute(statement).scalars()]
