"""What is wrong, missing or gone about a strategy, in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl

from charts.format import Basis, day, number, plain, state
from charts.sentences import plural
from charts.strategy_words import (
    MISSING_TABLES,
    OPERATIONS,
    TREATMENTS,
)

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def missing_sentences(missing: Sequence[str]) -> list[str]:
    return [MISSING_TABLES[code] for code in missing if code in MISSING_TABLES]


def hardly_seen_sentences(states: pl.DataFrame, *, basis: Basis = "days") -> list[str]:
    """What cannot be trusted: states of more loans than their roll rates were learnt from.

    `states`: `state`, `loans` (now), `seen` (loan-months).
    """
    lines = []
    for row in states.iter_rows(named=True):
        name = state(row["state"], basis=basis)
        where = name if row["state"] == "current" else f"{name} late"
        lines.append(
            f"{where}: {number(row['loans'])} loans stand here now, and how they go on is known"
            f" from {plural(round(row['seen']), 'loan-month')} only. Do not trust what is simulated"
            " of them; their growth is held within that of the other states."
        )
    return lines


def problem_sentences(problems: Sequence[Any]) -> list[str]:
    """What is wrong with a strategy, a sentence each, the field and the row named."""
    lines = []
    for problem in problems:
        where = [plain(part) for part in (problem.row, _label(problem.field)) if part]
        told = f"{', '.join(where)}: {plain(problem.message)}" if where else plain(problem.message)
        lines.append(f"{told[:1].upper()}{told[1:]}.")
    return lines


def _label(field: str | None) -> str | None:
    if field is None:
        return None
    return TREATMENTS.get(field) or OPERATIONS.get(field) or field


def refused_sentence(error: ValueError) -> str:
    """Why nothing can be simulated; a date as it is written everywhere else."""
    told = _DATE.sub(lambda found: day(date.fromisoformat(found[0])), str(error))
    return f"Nothing can be simulated here: {told}."


def gone_sentence(deleted: tuple[str, str] | None) -> str:
    """A link that leads nowhere: who deleted the strategy and when, where somebody did."""
    if deleted is None:
        return "There is no saved strategy of this link. You see the baseline instead."
    who, when = deleted
    return (
        f"The strategy of this link was deleted by {plain(who)} on {when} UTC. You see the baseline"
        " instead."
    )


def taken_sentence(name: str, by: str, when: str) -> str:
    """Two people saved one name: whose is there, and that nothing was overwritten."""
    return (
        f"Not saved: {plain(by)} saved {plain(name)} on {when} UTC, after you opened it. Open"
        " theirs to see it, or save yours under another name."
    )
