"""Reading decisions and their notes, as they were kept."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa

from appdata.database import AppDatabaseUnavailable, app_data, reading
from appdata.decision_input import Assumption, Draft, Forecast
from appdata.kept_text import as_json, parsed
from appdata.saved_strategies import Saved

decisions = sa.Table(
    "decisions",
    app_data,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("strategy_id", sa.String(40), nullable=False),
    sa.Column("as_of", sa.Date, nullable=False),  # the last month-end that the forecast knew
    sa.Column("strategy_name", sa.Text, nullable=False),
    sa.Column("strategy_version", sa.Integer, nullable=False),
    sa.Column("strategy", sa.Text, nullable=False),  # as it was decided on
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("decided_on", sa.Date, nullable=False),
    sa.Column("data_version", sa.Text, nullable=False),
    sa.Column("forecast", sa.Text, nullable=False),  # JSON, with level, scope and assumptions
    sa.Column("note", sa.Text),
    sa.Column("written_by", sa.Text, nullable=False),
    sa.Column("written_at", sa.DateTime, nullable=False),  # UTC
    sa.UniqueConstraint("strategy_id", "as_of"),
)

notes = sa.Table(
    "decision_notes",
    app_data,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("decision_id", sa.String(40), nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("written_by", sa.Text, nullable=False),
    sa.Column("written_at", sa.DateTime, nullable=False),  # UTC
)

_DECISION = sa.select(*[column for column in decisions.c if column.name != "strategy"])


class DecisionGone(Exception):
    """There is no such decision."""

    def __init__(self) -> None:
        super().__init__("There is no decision of this link.")


@dataclass(frozen=True)
class Decision:
    """A decision as it was made; see `Draft` for what its parts mean."""

    id: str
    strategy_id: str
    strategy_name: str
    strategy_version: int
    owner: str
    decided_on: dt.date
    as_of: dt.date
    data_version: str
    forecast: tuple[Forecast, ...]
    assumptions: tuple[Assumption, ...]
    level: float
    p_better: float | None
    scope: dict[str, tuple[str | None, ...]]
    note: str | None
    written_by: str
    written_at: dt.datetime


@dataclass(frozen=True)
class Note:
    """What somebody wrote about a decision afterwards."""

    words: str
    written_by: str
    written_at: dt.datetime


def all_decisions(limit: int = 1000) -> list[Decision]:
    """Every decision, the last ones first."""
    order = (decisions.c.written_at.desc(), decisions.c.id)
    return [_decision(row) for row in _rows(_DECISION.order_by(*order).limit(limit))]


def decision(decision_id: str) -> Decision:
    """One decision; DecisionGone where there is none."""
    if not (decision_id.isascii() and decision_id.isalnum() and len(decision_id) <= 40):
        raise DecisionGone
    found = _rows(_DECISION.where(decisions.c.id == decision_id))
    if not found:
        raise DecisionGone
    return _decision(found[0])


def decided_strategy(decision_id: str) -> str:
    """The strategy of a decision as it was decided on, even where it was deleted since."""
    found = _rows(sa.select(decisions.c.strategy).where(decisions.c.id == decision_id))
    if not found:
        raise DecisionGone
    return str(found[0].strategy)


def of_strategy(strategy_id: str, as_of: dt.date) -> Decision | None:
    """The decision on a version of a strategy that rests on these data, if there is one."""
    of = (decisions.c.strategy_id == strategy_id, decisions.c.as_of == as_of)
    found = _rows(_DECISION.where(*of))
    return _decision(found[0]) if found else None


def notes_of(decision_id: str) -> list[Note]:
    """What was written about a decision, newest first."""
    of = notes.c.decision_id == decision_id
    rows = _rows(sa.select(notes).where(of).order_by(notes.c.id.desc()))
    return [Note(row.words, row.written_by, row.written_at) for row in rows]


def owners(limit: int = 200) -> list[str]:
    """Who owns decisions, the last ones first."""
    last = sa.func.max(decisions.c.written_at)
    statement = sa.select(decisions.c.owner).group_by(decisions.c.owner)
    rows = _rows(statement.order_by(last.desc(), decisions.c.owner).limit(limit))
    return [str(row.owner) for row in rows]


def as_row(draft: Draft, saved: Saved) -> dict[str, Any]:
    """A draft as the table holds it."""
    frozen = {
        "level": draft.level,
        "p_better": draft.p_better,
        "scope": {name: list(values) for name, values in draft.scope.items()},
        "forecast": [asdict(row) | {"month": row.month.isoformat()} for row in draft.forecast],
        "assumptions": [asdict(row) for row in draft.assumptions],
    }
    return {
        "strategy_id": draft.strategy_id,
        "strategy_name": saved.version.name,
        "strategy_version": saved.version.version,
        "strategy": saved.text,
        "owner": " ".join(draft.owner.split()),
        "decided_on": draft.decided_on,
        "as_of": draft.as_of,
        "data_version": " ".join(draft.data_version.split()),
        "forecast": as_json(frozen),
        "note": draft.note if (draft.note or "").strip() else None,
    }


def _decision(row: sa.Row) -> Decision:
    kept = dict(row._mapping)
    try:
        frozen = parsed(kept.pop("forecast"), "The forecast")
        return Decision(
            **kept,
            level=frozen["level"],
            p_better=frozen["p_better"],
            scope={name: tuple(values) for name, values in frozen["scope"].items()},
            forecast=tuple(
                Forecast(**one | {"month": dt.date.fromisoformat(one["month"])})
                for one in frozen["forecast"]
            ),
            assumptions=tuple(Assumption(**one) for one in frozen["assumptions"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise AppDatabaseUnavailable(
            "The app's own database holds a decision that this version cannot read."
        ) from error


def _rows(statement: sa.Select) -> list[sa.Row]:
    with reading() as connection:
        if connection is None or not sa.inspect(connection).has_table(decisions.name):
            return []
        return list(connection.execute(statement).all())
