"""Decisions on saved strategies: who decided what, when, and what was forecast then.

A decision is kept whole, with the strategy's text, the forecast and what it rested on, so that it
can be held against what happens.  Nothing of it can be changed afterwards: the code has no way to,
and the database itself refuses.  It can only be annotated, and no note can be changed either.
"""

from __future__ import annotations

import datetime as dt
import secrets

import sqlalchemy as sa

from appdata.append_only import protect
from appdata.complaint_input import name_of, utc
from appdata.database import writing
from appdata.decision_input import (
    EVIDENCE,
    LONGEST_NOTE,
    Assumption,
    DecisionRefused,
    Draft,
    Forecast,
    problems_of,
)
from appdata.kept_decisions import (
    Decision,
    DecisionGone,
    Note,
    all_decisions,
    as_row,
    decided_strategy,
    decision,
    decisions,
    notes,
    notes_of,
    of_strategy,
    owners,
)
from appdata.kept_text import TextRefused, writable
from appdata.saved_strategies import StrategyGone, read_one, strategies

__all__ = [
    "EVIDENCE",
    "AlreadyDecided",
    "Assumption",
    "Decision",
    "DecisionGone",
    "DecisionRefused",
    "Draft",
    "Forecast",
    "Note",
    "StrategyGone",
    "all_decisions",
    "annotate",
    "decide",
    "decided_strategy",
    "decision",
    "notes_of",
    "of_strategy",
    "owners",
]


class AlreadyDecided(Exception):
    """Somebody has decided on this version of the strategy with the same data: `first`."""

    def __init__(self, first: Decision) -> None:
        super().__init__("This version of the strategy was already decided on with these data.")
        self.first = first


class _Taken(Exception):
    """Somebody was quicker; what was begun is rolled back."""


def decide(draft: Draft, *, by: str, at: dt.datetime | None = None) -> Decision:
    """Keep a decision for good.

    Refuses what cannot be right, field by field (DecisionRefused), a strategy that was deleted
    (StrategyGone), and a second decision on one version and the same data (AlreadyDecided): save
    a new version, or wait for the next month's data.  Then nothing is kept.
    """
    moment = utc(at)
    if problems := problems_of(draft, today=moment.date()):
        raise DecisionRefused(problems)
    try:
        with writing() as connection:
            protect(connection, strategies, decisions, notes)
            saved = read_one(connection, draft.strategy_id)
            row = as_row(draft, saved) | {"id": secrets.token_hex(6)}
            row |= {"written_by": name_of(by), "written_at": moment}
            try:
                connection.execute(decisions.insert().values(row))
            except sa.exc.IntegrityError:
                raise _Taken from None
    except _Taken:
        first = of_strategy(draft.strategy_id, draft.as_of)
        if first is None:
            raise DecisionGone from None
        raise AlreadyDecided(first) from None
    return decision(str(row["id"]))


def annotate(decision_id: str, words: str, *, by: str, at: dt.datetime | None = None) -> Note:
    """Add a note to a decision; the decision itself and all earlier notes stay as they are."""
    try:
        known = writable(words, "A note", LONGEST_NOTE)
    except TextRefused as error:
        raise DecisionRefused({"note": str(error)}) from None
    if not known.strip():
        raise DecisionRefused({"note": "A note cannot be empty."})
    decision(decision_id)  # or there is none
    note = Note(known, name_of(by), utc(at))
    with writing() as connection:
        protect(connection, strategies, decisions, notes)
        connection.execute(notes.insert().values(decision_id=decision_id, **vars(note)))
    return note
