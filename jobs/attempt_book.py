"""The attempts that a refresh works on: each month is read once, and shared by all its marts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from datetime import date
from threading import RLock

import numpy as np
import polars as pl

from jobs.attribution import held_by_day
from jobs.loan_book import LoanBook
from jobs.months import as_categories, month_after, month_before, month_of
from jobs.reading import MonthsAhead
from queries.contacts import attempts
from warehouse.engines import Connection

KEPT_MONTHS = 10  # the timeline of a cohort, made with its last cash, begins a month before it
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

    `months`: those that will be asked for, in order.  `active`: a month's open cases; `None`
    where the warehouse has no cases.
    """

    def __init__(
        self,
        facts: Connection,
        as_of: date,
        months: Sequence[date],
        loans: LoanBook,
        active: Callable[[date], pl.DataFrame] | None,
        pool: Executor | None,
    ) -> None:
        self._facts, self._as_of, self._loans, self._active = facts, as_of, loans, active
        self._lock = RLock()
        self._coming = MonthsAhead(self._read, months, MONTHS_AT_ONCE, pool)
        self._attempts: dict[date, pl.DataFrame] = {}
        self._reminders: dict[date, pl.DataFrame] = {}

    def month(self, month: date) -> pl.DataFrame:
        """The attempts of a month; `place` orders those of one moment."""
        with self._lock:
            if month not in self._attempts:
                self._keep(month, self._coming.take(month))
            return self._attempts[month]

    def reminders(self, month: date) -> pl.DataFrame:
        """The attempts of a month that are about no case, with what their loans were.

        The grade is that of the month-end before the attempt, else the loan's.
        """
        with self._lock:
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

    def _read(self, months: list[date]) -> dict[date, pl.DataFrame]:
        rows = self._facts.fetch(attempts(months[0], min(months[-1], self._as_of)))
        rows = as_categories(rows.with_columns(_places(rows)).drop("contact_id"))
        on_day = pl.col("on_day")
        return {each: rows.filter(on_day.is_between(each.replace(day=1), each)) for each in months}

    def _keep(self, month: date, rows: pl.DataFrame) -> None:
        is_named = pl.col("case_id").is_not_null()
        parts, unnamed = [rows.filter(is_named)], rows.filter(~is_named)
        if self._active is not None:
            held = held_by_day(unnamed, self._active(month), "on_day")
            parts.append(held)
            unnamed = unnamed.join(held.select("place"), on="place", how="anti")
        unnamed = self._loans.described(unnamed, month_before(month))
        parts.append(unnamed)
        self._attempts[month] = pl.concat(part.select(COLUMNS) for part in parts)
        self._reminders[month] = unnamed
        for kept in (self._attempts, self._reminders):
            for old in sorted(kept)[:-KEPT_MONTHS]:
                if old != month:
                    del kept[old]


def _places(rows: pl.DataFrame) -> pl.Series:
    """The rows' places in their order by time, then by id."""
    order = rows.select(pl.arg_sort_by("contacted_at", "contact_id")).to_series()
    place = np.empty(rows.height, dtype=np.uint32)
    place[order.to_numpy()] = np.arange(rows.height, dtype=np.uint32)
    return pl.Series("place", place)
