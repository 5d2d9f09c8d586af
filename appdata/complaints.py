"""Following a complaint up: who has it, what was done, what comes next, with who and when.

Everything done about a complaint is a version of its own, and none is ever altered.  A writer names
the version that he has seen: where another has come since, he is told, and nothing of his is kept.
The key of the table decides that, so it holds for servers that share one database, too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa

from appdata.complaint_history import Entry, entries_of, history
from appdata.complaint_input import (
    EntryRefused,
    Plan,
    checked_id,
    checked_note,
    checked_plan,
    name_of,
    utc,
)
from appdata.complaint_tables import typed, versions
from appdata.database import writing


class ComplaintChanged(Exception):
    """Somebody else wrote about the complaint first.

    `newer`: the entries since the one that was seen, oldest first; `newest`: how it stands.
    """

    def __init__(self, newer: Sequence[Entry], newest: Entry | None) -> None:
        super().__init__("Somebody else wrote about this complaint since you opened it.")
        self.newer, self.newest = tuple(newer), newest


class _Taken(Exception):
    """The version is somebody else's; what was begun is rolled back."""


def follow_up(
    complaint_id: str,
    seen: int,
    plan: Plan,
    note: str | None = None,
    *,
    by: str,
    at: dt.datetime | None = None,
) -> int:
    """Add a version after `seen` (0: the first); returns its number.

    Refuses what cannot be right (EntryRefused), and where another version has come after `seen`
    (ComplaintChanged); then nothing is kept.
    """
    moment, words, known = utc(at), checked_note(note), checked_id(complaint_id)
    try:
        with writing() as connection:
            before = _version(connection, known, seen)
            wanted = checked_plan(plan, before.plan, today=moment.date())
            if words is None and wanted == before.plan:
                raise EntryRefused("Write a note, or change the owner or the next step.")
            row = _row(before, wanted, has_note=words is not None)
            row |= {"written_by": name_of(by), "written_at": moment}
            _add(connection, row, {"note": words, "next_step": wanted.next_step})
    except _Taken:
        entries = history(known)
        newer = [one for one in reversed(entries) if one.version > seen]
        raise ComplaintChanged(newer, entries[0] if entries else None) from None
    return seen + 1


def _version(connection: sa.Connection, complaint_id: str, version: int) -> Entry:
    """The version that a writer has seen."""
    if version == 0:
        return Entry(complaint_id, 0, Plan(), None, False, None, "", dt.datetime.min)
    found = entries_of(connection, complaint_id, versions.c.version == version)
    if not found:  # the history was put back to an older copy
        raise _Taken
    return found[0]


def _row(before: Entry, plan: Plan, *, has_note: bool) -> dict[str, object]:
    version = before.version + 1
    is_same_step = plan.next_step == before.plan.next_step
    written = version if plan.next_step else None
    return {
        "complaint_id": before.complaint_id,
        "version": version,
        "owner": plan.owner,
        "step_version": before.step_version if is_same_step else written,
        "next_due": plan.next_due,
        "has_note": has_note,
    }


def _add(connection: sa.Connection, row: dict[str, object], words: dict[str, str | None]) -> None:
    """Add a version with its words, where nobody else has written that version."""
    try:
        connection.execute(versions.insert().values(row))
    except sa.exc.IntegrityError:
        raise _Taken from None
    key = {name: row[name] for name in ("complaint_id", "version", "written_at")}
    if row["step_version"] != row["version"]:
        words = {"note": words["note"]}  # the next step is an earlier one
    kept = [key | {"kind": kind, "words": text} for kind, text in words.items() if text]
    if kept:
        connection.execute(typed.insert(), kept)
