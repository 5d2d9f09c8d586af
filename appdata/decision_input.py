"""What a decision is made of, and what may be kept of it; the rest is refused field by field."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from appdata.kept_text import LONGEST_NAME, TextRefused, one_line, writable

SERIES = ("baseline", "strategy", "benefit")
EVIDENCE = ("estimated", "assumed", "none")
LONGEST_NOTE = 20_000
LONGEST_VERSION = 500
MOST_ROWS, MOST_MONTHS = 5000, 120
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")


class DecisionRefused(ValueError):
    """A decision that cannot be right; `problems` says why in a sentence for each field."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = dict(problems)


@dataclass(frozen=True)
class Forecast:
    """One month of one series (`baseline`, `strategy`, `benefit`): mean and interval.

    `measure` is a code such as `cash`; money in currency units, as the simulation gives it.
    """

    month: dt.date
    series: str
    measure: str
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Assumption:
    """What the forecast rests on: a value with its range, and the evidence for it."""

    name: str
    evidence: str  # estimated, assumed, none
    mean: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Draft:
    """A decision before it is kept.

    `decided_on`: the day; `as_of`: the last month-end that the forecast knew; `level`: the share
    that its intervals are to hold; `p_better`: P(net benefit > 0) over the horizon; `scope`: the
    products, regions and grades that it is about (none of a kind: all).
    """

    strategy_id: str
    owner: str
    decided_on: dt.date | None
    as_of: dt.date
    data_version: str
    forecast: tuple[Forecast, ...]
    assumptions: tuple[Assumption, ...] = ()
    level: float = 0.8
    p_better: float | None = None
    scope: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)
    note: str | None = None


def problems_of(draft: Draft, *, today: dt.date) -> dict[str, str]:
    """Why a draft cannot be kept, by field; nothing where it can."""
    checks: dict[str, Callable[[], str | None]] = {
        "owner": lambda: None if one_line(draft.owner, "An owner's name", LONGEST_NAME) else
        "A decision needs an owner.",
        "decided_on": lambda: _day_problem(draft, today),
        "note": lambda: writable(draft.note or "", "A note", LONGEST_NOTE) and None,
        "data_version": lambda: None
        if one_line(draft.data_version, "The data's version", LONGEST_VERSION)
        else "The version of the data is not known.",
        "forecast": lambda: _forecast_problem(draft),
        "assumptions": lambda: _assumption_problem(draft),
        "scope": lambda: _scope_problem(draft),
    }  # fmt: skip
    found = {}
    for name, check in checks.items():
        try:
            said = check()
        except TextRefused as error:
            said = str(error)
        if said:
            found[name] = said
    return found


def _day_problem(draft: Draft, today: dt.date) -> str | None:
    if draft.decided_on is None:
        return "A decision needs the day on which it was made."
    latest = max(today + dt.timedelta(days=1), draft.as_of)  # somewhere it is already tomorrow
    if draft.decided_on > latest:
        return "A decision is dated today or earlier: this day lies in the future."
    if draft.decided_on < draft.as_of:
        return (
            f"The forecast knows the data to {draft.as_of:%Y-%m-%d}: a decision before that day"
            " cannot rest on it."
        )
    return None


def _forecast_problem(draft: Draft) -> str | None:
    rows = draft.forecast
    if not rows:
        return "A decision needs the forecast that it rests on."
    if len(rows) > MOST_ROWS or len({row.month for row in rows}) > MOST_MONTHS:
        return f"A forecast has at most {MOST_MONTHS} months and {MOST_ROWS:,} figures."
    if not 0.5 <= draft.level < 1:
        return "The intervals of a forecast hold at least 50 % and less than 100 %."
    if draft.p_better is not None and not 0 <= draft.p_better <= 1:
        return "A probability lies between 0 and 1."
    for row in rows:
        if row.series not in SERIES or not _CODE.fullmatch(row.measure):
            return "A figure of the forecast is of no known series or measure."
        if not all(_is_finite(value) for value in (row.mean, row.low, row.high)):
            return "A figure of the forecast is missing or not a number."
        if row.low > row.high:
            return "An interval of the forecast ends before it begins."
        if (row.month + dt.timedelta(days=1)).day != 1:
            return "A forecast is by month: its days are the last ones of months."
        if row.month <= draft.as_of:
            return "The forecast is of months that were known when it was made."
    if len({(row.month, row.series, row.measure) for row in rows}) < len(rows):
        return "The forecast has a month twice."
    if not {"baseline", "strategy"} <= {row.series for row in rows}:
        return "The forecast needs the strategy and the baseline."
    return None


def _assumption_problem(draft: Draft) -> str | None:
    if len(draft.assumptions) > MOST_ROWS:
        return f"A decision has at most {MOST_ROWS:,} assumptions."
    for one in draft.assumptions:
        if not one_line(one.name, "An assumption's name", LONGEST_VERSION):
            return "An assumption needs a name."
        if one.evidence not in EVIDENCE:
            return "An assumption is estimated, assumed or without evidence."
        if not all(value is None or _is_finite(value) for value in (one.mean, one.low, one.high)):
            return "An assumption's value is not a number."
    return None


def _scope_problem(draft: Draft) -> str | None:
    known = {"product", "region", "grade"}
    if not set(draft.scope) <= known or sum(map(len, draft.scope.values())) > MOST_ROWS:
        return "A decision is about products, regions and grades."
    for values in draft.scope.values():
        for value in values:
            writable(value or "", "A product's, region's or grade's name", LONGEST_NOTE)
    return None


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
