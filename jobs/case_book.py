"""The cases that a refresh works on, read from the facts once and shared by all its marts.

A month's cash comes from cases of many cohorts, and a cohort's cash from seven months: looked
up one by one, that would read all cases and payments again for every month of the book.
Codes and ids are kept as categories: two million cases are some 300 MB, and joins
compare integers.  Several threads may ask at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor
from datetime import date
from functools import partial
from threading import RLock
from typing import Any

import polars as pl
import sqlalchemy as sa

from jobs.attempt_book import AttemptBook
from jobs.attribution import held_by_day
from jobs.loan_book import LoanBook
from jobs.months import as_categories, month_after, month_before, months_between
from jobs.promise_book import PromiseBook
from jobs.reading import MonthsAhead, on_its_thread
from queries.case_months import case_payments
from queries.cases import (
    LAST_HORIZON,
    CaseSettings,
    case_rows,
    days_after,
    opened_before,
    opened_in,
)
from queries.loan_states import SEGMENTS, BookShape
from queries.timeline_steps import legal_steps
from warehouse.engines import Connection

KEPT_MONTHS = 10  # of cash: a cohort's last horizon ends in its eighth month
COHORTS_AT_ONCE = 12  # read by one statement
MONTHS_AT_ONCE = 3
ORDER = ("opened_on", pl.col("closed_on").is_null(), "closed_on", "case_id")


class CaseBook:
    """Cases of the cohorts from `since` on, and older ones that were still at work then.

    `months`: the opening months that there are.  `until`: the last month that will be asked
    for.  `pool`: one thread that reads ahead; nobody else may use `facts` meanwhile.
    """

    def __init__(
        self,
        facts: Connection,
        shape: BookShape,
        settings: CaseSettings,
        months: Iterable[date],
        since: date,
        until: date | None = None,
        pool: Executor | None = None,
    ) -> None:
        self._facts, self._shape, self.settings, self._pool = facts, shape, settings, pool
        # A lock for each thing that is made once, so that cash is worked out while cases are read.
        # Who holds one asks only for those named after it.
        self._locks = {name: RLock() for name in ("cash", "active", "known", "spells", "opened")}
        self._months = sorted(month for month in months if month >= since)
        self._since = since if min(months, default=since) < since else None
        self._older: pl.DataFrame | None = None
        self._cohorts: dict[date, pl.DataFrame] = {}
        self._cash: dict[date, pl.DataFrame] = {}
        self._active: dict[date, pl.DataFrame] = {}
        self._known: tuple[date, pl.DataFrame] | None = None
        self._spells: tuple[date, pl.DataFrame] | None = None
        self._acts: pl.DataFrame | None = None
        asked = months_between(month_before(month_before(since)), until or settings.as_of)
        cohorts = [month for month in self._months if month <= asked[-1]]
        self._coming = MonthsAhead(self._read_cohorts, cohorts, COHORTS_AT_ONCE, pool)
        self._payments = MonthsAhead(self._read_payments, asked, MONTHS_AT_ONCE, pool)
        self._loans = LoanBook(facts, shape, asked, pool)
        has_cases = "cases" in shape.tables
        self.attempts = AttemptBook(
            facts, settings.as_of, asked, self._loans, self.active if has_cases else None, pool
        )
        self.promises = PromiseBook(facts, shape, settings, asked, pool)

    def opened(self, month: date) -> pl.DataFrame:
        """The cases of a cohort, in the order in which they were opened."""
        with self._locks["opened"]:
            if month not in self._cohorts:
                rows = self._coming.take(month)
                self._cohorts[month] = self._described(rows, month_before(month))
            return self._cohorts[month]

    def opened_from(self, first: date, last: date) -> pl.DataFrame:
        """The cases of all cohorts that a span of days touches, in the order of opening."""
        return pl.concat(
            self.opened(month)
            for month in self._months
            if first <= month and month.replace(day=1) <= last
        )

    def spells(self, month: date) -> pl.DataFrame:
        """The cases of the episodes that began in a month, in the order of opening.

        Cases from after an episode's last horizon are not looked for.
        """
        with self._locks["spells"]:
            if self._spells is None or self._spells[0] != month:
                cases = self.opened_from(month, days_after(month, LAST_HORIZON))
                began = pl.col("episode_on").is_between(month.replace(day=1), month)
                self._spells = month, cases.filter(began)
            return self._spells[1]

    def legal_steps(self, month: date) -> pl.DataFrame:
        """The first legal action on each case that was opened from a month on: `day_60`."""
        with self._locks["spells"]:
            if self._acts is None:
                since = min(self._months[0], month).replace(day=1)
                read = partial(self._facts.fetch, legal_steps(since, self.settings))
                self._acts = as_categories(on_its_thread(self._pool, read))
        acted_on = pl.col("acted_on")
        later = self._acts.filter(acted_on >= month.replace(day=1))
        return later.group_by("case_id").agg(acted_on.min().alias("day_60"))

    def _read_cohorts(self, months: list[date]) -> dict[date, pl.DataFrame]:
        rows = self._read(opened_in(months[0], months[-1], self.settings))
        return _by_month(rows, "opened_on", months)

    def _read(self, condition: Any) -> pl.DataFrame:
        rows = self._facts.fetch(case_rows(condition, self._shape, self.settings))
        return as_categories(rows.sort(ORDER))

    def _known_to(self, month: date) -> pl.DataFrame:
        """All cases of use that were opened by a month's end."""
        with self._locks["known"]:
            if self._since is not None and self._older is None:
                self._older = self._read_older(self._since)
            if self._known is None or self._known[0] != month:
                parts = [] if self._older is None else [self._older]
                parts += [self.opened(each) for each in self._months if each <= month]
                self._known = month, pl.concat(parts) if parts else self._nothing(month)
            return self._known[1]

    def _read_older(self, since: date) -> pl.DataFrame:
        condition = opened_before(since, self._shape, self.settings)
        rows = on_its_thread(self._pool, partial(self._read, condition))
        opened = rows.with_columns(month=pl.col("opened_on").dt.month_end())
        months = opened["month"].unique().sort()
        parts = [
            self._described(opened.filter(month=month).drop("month"), month_before(month))
            for month in months
        ]
        return pl.concat(parts) if parts else self._nothing(since)

    def _nothing(self, month: date) -> pl.DataFrame:
        rows = on_its_thread(self._pool, partial(self._read, sa.false()))
        return self._described(rows, month)

    def _described(self, rows: pl.DataFrame, month: date) -> pl.DataFrame:
        """Cases with what their loan was at a month-end, and the grade that it was given first."""
        return self._loans.described(rows, month, has_first_grade=True)

    def described(self, frame: pl.DataFrame, month: date) -> pl.DataFrame:
        """Rows (`case_id`) of a month with what their cases were."""
        return frame.join(self._known_to(month), on="case_id", how="inner")

    def active(self, month: date) -> pl.DataFrame:
        """The cases that were open on some day of a month."""
        with self._locks["active"]:
            if month not in self._active:
                while len(self._active) >= MONTHS_AT_ONCE:
                    del self._active[min(self._active)]
                closed_on, start = pl.col("closed_on"), month.replace(day=1)
                at_work = closed_on.is_null() | (closed_on >= start)
                self._active[month] = self._known_to(month).filter(at_work)
            return self._active[month]

    def cash(self, month: date) -> pl.DataFrame:
        """The owned payments of a month, each once and numbered, with what their cases were.

        `product_then`, `region_then`, `grade_then`: of the paying loan, in that month.
        """
        with self._locks["cash"]:
            if month not in self._cash:
                while len(self._cash) >= KEPT_MONTHS:
                    del self._cash[min(self._cash)]
                self._cash[month] = self._owned(self._payments.take(month), month)
            return self._cash[month]

    def _read_payments(self, months: list[date]) -> dict[date, pl.DataFrame]:
        statement = case_payments(months[0], months[-1], self._shape, self.settings)
        rows = as_categories(self._facts.fetch(statement))  # numbers are shorter than their ids
        return _by_month(rows.with_row_index("payment"), "paid_on", months)

    def _owned(self, paid: pl.DataFrame, month: date) -> pl.DataFrame:
        """Payments of the case that they name; else of the loan's case of the day.

        Cash from before a case's opening is never that case's.
        """
        named = paid.filter(pl.col("case_id").is_not_null())
        by_day = held_by_day(
            paid.filter(pl.col("case_id").is_null()), self.active(month), "paid_on"
        )
        owned = pl.concat([named, by_day.select(named.columns)])
        then = {name: f"{name}_then" for name in SEGMENTS}
        owned = self._loans.described(owned, month).drop("preferred_channel").rename(then)
        return self.described(owned.rename({"loan_id": "paying_loan_id"}), month).filter(
            pl.col("paid_on") >= pl.col("opened_on")
        )

    def cash_from(self, first: date, last: date) -> pl.DataFrame:
        """The owned payments of the months that a span of days touches."""
        parts = []
        month = first
        while month.replace(day=1) <= min(last, self.settings.as_of):
            parts.append(self.cash(month))
            month = month_after(month)
        return pl.concat(parts)


def _by_month(rows: pl.DataFrame, day: str, months: list[date]) -> dict[date, pl.DataFrame]:
    on = pl.col(day)
    return {month: rows.filter(on.is_between(month.replace(day=1), month)) for month in months}
