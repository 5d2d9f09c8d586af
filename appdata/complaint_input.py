"""What may be written about a complaint; anything else is refused with a sentence."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

LONGEST_NOTE = 20_000
LONGEST_STEP = 500
LONGEST_NAME = 500
MOST_YEARS = 5


class EntryRefused(ValueError):
    """Something about a complaint that cannot be right; the text says what would be."""


@dataclass(frozen=True)
class Plan:
    """Whose a complaint is, what comes next, and by which day."""

    owner: str | None = None
    next_step: str | None = None
    next_due: dt.date | None = None


def checked_plan(plan: Plan, before: Plan, *, today: dt.date) -> Plan:
    """A plan without stray spaces; a new due day lies ahead, and is the day of a step."""
    owner = _line(plan.owner, "An owner's name", LONGEST_NAME)
    step = _line(plan.next_step, "A next step", LONGEST_STEP)
    due = plan.next_due
    if due is not None and not step:
        raise EntryRefused("A due day needs a next step that is due on it.")
    if due is not None and due != before.next_due:
        # somewhere it is still yesterday
        first, last = today - dt.timedelta(days=1), today + dt.timedelta(days=366 * MOST_YEARS)
        if not first <= due <= last:
            raise EntryRefused(f"A next step is due today or later, within {MOST_YEARS} years.")
    return Plan(owner, step, due)


def checked_note(note: str | None) -> str | None:
    """A note exactly as it was typed; None is no note."""
    if note is None:
        return None
    if not note.strip():
        raise EntryRefused("A note cannot be empty.")
    return _writable(note, "A note", LONGEST_NOTE)


def checked_id(complaint_id: str) -> str:
    if not complaint_id:
        raise EntryRefused("A complaint is named by its id.")
    return _writable(complaint_id, "A complaint's id", LONGEST_NAME)


def name_of(by: str) -> str:
    """Who is writing, as far as it is known."""
    known = by.replace("\0", "").encode("utf-8", "replace").decode("utf-8").strip()
    return known[:LONGEST_NAME] or "unknown"


def utc(at: dt.datetime | None) -> dt.datetime:
    """A moment as it is kept: UTC, whole seconds; now, where none is given."""
    moment = at or dt.datetime.now(dt.UTC)
    return moment.astimezone(dt.UTC).replace(tzinfo=None, microsecond=0)


def _line(text: str | None, what: str, longest: int) -> str | None:
    line = " ".join((text or "").split())
    return _writable(line, what, longest) if line else None


def _writable(text: str, what: str, longest: int) -> str:
    if len(text) > longest:
        raise EntryRefused(
            f"{what} has at most {longest:,} characters; this one has {len(text):,}."
        )
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise EntryRefused(f"{what} has a character that is none: half a pair.") from None
    if "\0" in text:
        raise EntryRefused(f"{what} cannot hold the character of code 0.")
    return text
