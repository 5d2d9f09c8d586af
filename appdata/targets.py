"""Targets: what recovery and speed should be, for the book, a team or a collector.

Every change is a row of its own and none is ever altered: the newest row of a
target counts, and a row without a value takes the target back.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import sqlalchemy as sa

from appdata.database import app_data, reading, writing

ScopeKind = Literal["book", "team", "collector"]
SCOPE_KINDS: tuple[ScopeKind, ...] = ("book", "team", "collector")
LONGEST_NAME = 500
MOST_DAYS = 250  # a year's working days


@dataclass(frozen=True)
class Metric:
    """What a target is set for, and the value that counts where nobody has set one."""

    code: str
    default: float
    is_share: bool


METRICS = {
    metric.code: metric
    for metric in (
        Metric("recovery_early", 0.85, is_share=True),  # of 1-30 days late, within 30 days
        Metric("recovery_late", 0.50, is_share=True),  # of 91 and more, within 180 days
        Metric("first_contact_days", 3.0, is_share=False),  # working days, on average
    )
}

targets = sa.Table(
    "targets",
    app_data,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("metric", sa.Text, nullable=False),
    sa.Column("scope_kind", sa.Text, nullable=False),
    sa.Column("scope_id", sa.Text, nullable=False),  # empty for the book
    sa.Column("value", sa.Double),  # null: the target was taken back
    sa.Column("set_by", sa.Text, nullable=False),
    sa.Column("set_at", sa.DateTime, nullable=False),  # UTC
)


class TargetRefused(ValueError):
    """A target that cannot be right; the text says what one looks like."""


@dataclass(frozen=True)
class Target:
    """One row of the history."""

    metric: str
    scope_kind: str
    scope_id: str
    value: float | None
    set_by: str
    set_at: dt.datetime


@dataclass(frozen=True)
class Targets:
    """The targets that count now."""

    newest: dict[tuple[str, str, str], Target] = field(default_factory=dict)

    def for_book(self, metric: str) -> float:
        return self._own(metric, "book", "") or METRICS[metric].default

    def for_team(self, metric: str, team: str | None) -> float:
        """The team's own target, else the book's."""
        return self._own(metric, "team", team) or self.for_book(metric)

    def for_collector(self, metric: str, collector: str | None, team: str | None) -> float:
        """The collector's own target, else the team's, else the book's."""
        return self._own(metric, "collector", collector) or self.for_team(metric, team)

    def row(self, metric: str, kind: ScopeKind, scope: str = "") -> Target | None:
        """Who set this very target, and when; None where nobody did, or it was taken back."""
        found = self.newest.get((metric, kind, scope))
        return found if found is not None and found.value is not None else None

    def _own(self, metric: str, kind: ScopeKind, scope: str | None) -> float | None:
        found = self.newest.get((metric, kind, scope)) if scope is not None else None
        return found.value if found is not None else None


def set_target(
    metric: str,
    kind: ScopeKind,
    scope: str,
    value: float | None,
    *,
    by: str,
    at: dt.datetime | None = None,
) -> Target:
    """Add a row to the history; a wrong value is refused and nothing is kept."""
    known = _checked(metric, kind, scope, value)
    moment = (at or dt.datetime.now(dt.UTC)).astimezone(dt.UTC).replace(tzinfo=None, microsecond=0)
    row = Target(metric, kind, scope, known, _name(by), moment)
    with writing() as connection:
        connection.execute(targets.insert().values(**vars(row)))
    return row


def current_targets() -> Targets:
    """What counts now: the newest row of each target."""
    newest = sa.select(sa.func.max(targets.c.id)).group_by(
        targets.c.metric, targets.c.scope_kind, targets.c.scope_id
    )
    rows = _rows(sa.select(targets).where(targets.c.id.in_(newest)))
    return Targets({(row.metric, row.scope_kind, row.scope_id): row for row in rows})


def target_history(limit: int = 100) -> list[Target]:
    """The last changes, newest first."""
    return list(_rows(sa.select(targets).order_by(targets.c.id.desc()).limit(limit)))


def _rows(statement: sa.Select) -> Iterable[Target]:
    with reading() as connection:
        if connection is None or not sa.inspect(connection).has_table(targets.name):
            return []
        rows = connection.execute(statement).mappings().all()
    return [Target(**{name: row[name] for name in Target.__dataclass_fields__}) for row in rows]


def _checked(metric: str, kind: str, scope: str, value: Any) -> float | None:
    if metric not in METRICS:
        raise TargetRefused(f"There is no target called {metric!r}.")
    if kind not in SCOPE_KINDS or (kind == "book") != (scope == ""):
        raise TargetRefused("A target is set for the book, for a team or for a collector.")
    if len(scope) > LONGEST_NAME or "\0" in scope:
        raise TargetRefused("No team or collector has such a name.")
    if value is None:
        return None
    number = float(value)
    if METRICS[metric].is_share and not 0 < number < 1:
        raise TargetRefused("A recovery target lies between 0 % and 100 %, both left out.")
    if not METRICS[metric].is_share and not (math.isfinite(number) and 0 < number <= MOST_DAYS):
        raise TargetRefused(
            f"A target for first contact is a number of days above 0, at most {MOST_DAYS}."
        )
    return number


def _name(by: str) -> str:
    return by.replace("\0", "").strip()[:LONGEST_NAME] or "unknown"
