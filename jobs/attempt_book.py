"""The attempts that a refresh works on: each month is read once, and shared by all its marts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import polars as pl

from jobs.attribution import held_by_day
from jobs.months import as_categories, month_after, month_of, several
from queries.contacts import named_attempts, unnamed_attempts
from queries.loan_states import BookShape
from warehouse.engines import Connection

KEPT_MONTHS = 12  # the timeline of a cohort, made with its last cash, begins a month before it
MONTHS_AT_ONCE = 3
COLUMNS = (
    "loan_id",
    "case_id",
    "channel",
    "outcome",
    "contacted_at",
    "place",
    "on_day",
    "cost_cents",
)


class AttemptBook:
    """Attempts by month, each with the case that it is about, if any.

    `active`: a month's open cases; `None` where the warehouse has no cases.
    """

    def __init__(
        self,
        facts: Connection,
        shape: BookShape,
        as_of: date,
        active: Callable[[date], pl.DataFrame] | None,
    ) -> None:
        self._facts, self._shape, self._as_of, self._active = facts, shape, as_of, active
        self._attempts: dict[date, pl.DataFrame] = {}
        self._reminders: dict[date, pl.DataFrame] = {}

    def month(self, month: date) -> pl.DataFrame:
        """The attempts of a month; `place` orders those of one moment."""
        if month not in self._attempts:
            self._read(month)
        return self._attempts[month]

    def reminders(self, month: date) -> pl.DataFrame:
        """The attempts of a month that are about no case, with what their loans were."""
        self.month(month)
        return self._reminders[month]

    def days(self, first: date, last: date) -> pl.DataFrame:
        """The attempts of some days."""
        parts = []
        month = month_of(first)
        while month.replace(day=1) <= min(last, self._as_of):
            inside = first <= month.replace(day=1) and month <= last
            rows = self.month(month)
            parts.append(rows if inside else rows.filter(pl.col("on_day").is_between(first, last)))
            month = month_after(month)
        return pl.concat(parts)

    def _read(self, month: date) -> None:
        months = several(month, MONTHS_AT_ONCE, self._as_of)
        months = [each for each in months if each not in self._attempts]
        last = min(months[-1], self._as_of)
        named, unnamed = _placed(
            self._facts.fetch(named_attempts(months[0], last)),
            self._facts.fetch(unnamed_attempts(months[0], last, self._shape)),
        )
        for each in months:
            inside = pl.col("on_day").is_between(each.replace(day=1), each)
            self._keep(each, named.filter(inside), unnamed.filter(inside))
        for kept in (self._attempts, self._reminders):
            for old in sorted(kept)[:-KEPT_MONTHS]:
                del kept[old]

    def _keep(self, month: date, named: pl.DataFrame, unnamed: pl.DataFrame) -> None:
        parts = [named]
        if self._active is not None:
            held = held_by_day(unnamed, self._active(month), "on_day")
            parts.append(held)
            unnamed = unnamed.join(held.select("place"), on="place", how="anti")
        parts.append(unnamed.with_columns(case_id=pl.lit(None, pl.Categorical)))
        self._attempts[month] = pl.concat(part.select(COLUMNS) for part in parts)
        self._reminders[month] = unnamed


def _placed(named: pl.DataFrame, unnamed: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Both with `place`: their order by time, then by id."""
    order = ["contacted_at", "contact_id"]
    ids = pl.concat([named.select(order), unnamed.select(order)]).with_row_index("row")
    place = ids.sort(order).with_row_index("place").sort("row")["place"]
    return (
        as_categories(named.drop("contact_id").with_columns(place[: named.height])),
        as_categories(unnamed.drop("contact_id").with_columns(place[named.height :])),
    )
