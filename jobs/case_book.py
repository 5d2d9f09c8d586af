"""The cases that a refresh works on, read from the facts once and shared by all its marts.

A month's cash comes from cases of many cohorts, and each needs the grade of its
own month-end: looked up month by month, that would read all histories again for
every month of the book, and a cohort's cash all payments of seven months again.
Codes and ids are kept as categories: two million cases are some 300 MB, and joins
compare integers.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import polars as pl
import sqlalchemy as sa

from jobs.attempt_book import AttemptBook
from jobs.attribution import held_by_day
from jobs.months import as_categories, month_after, several
from jobs.promise_book import PromiseBook
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
from warehouse.engines import Connection

KEPT_MONTHS = 10  # of cash: a cohort's last horizon ends in its eighth month
COHORTS_AT_ONCE = 8  # read by one statement
MONTHS_AT_ONCE = 3


class CaseBook:
    """Cases of the cohorts from `since` on, and older ones that were still at work then.

    `months`: the opening months that there are.
    """

    def __init__(
        self,
        facts: Connection,
        shape: BookShape,
        settings: CaseSettings,
        months: Iterable[date],
        since: date,
    ) -> None:
        self._facts, self._shape, self.settings = facts, shape, settings
        self._months = sorted(month for month in months if month >= since)
        self._since = since if min(months, default=since) < since else None
        self._older: pl.DataFrame | None = None
        self._cohorts: dict[date, pl.DataFrame] = {}
        self._cash: dict[date, pl.DataFrame] = {}
        self._active: dict[date, pl.DataFrame] = {}
        self._known: tuple[date, pl.DataFrame] | None = None
        self._spells: tuple[date, pl.DataFrame] | None = None
        has_cases = "cases" in shape.tables
        self.attempts = AttemptBook(
            facts, shape, settings.as_of, self.active if has_cases else None
        )
        self.promises = PromiseBook(facts, shape, settings)

    def opened(self, month: date) -> pl.DataFrame:
        """The cases of a cohort, in the order in which they were opened."""
        if month not in self._cohorts:
            missing = [each for each in self._months if each >= month] or [month]
            span = missing[0], missing[:COHORTS_AT_ONCE][-1]
            rows = self._read(opened_in(*span, self.settings), span)
            for each in missing[:COHORTS_AT_ONCE]:
                inside = pl.col("opened_on").is_between(each.replace(day=1), each)
                self._cohorts[each] = rows.filter(inside)
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
        if self._spells is None or self._spells[0] != month:
            cases = self.opened_from(month, days_after(month, LAST_HORIZON))
            began = pl.col("episode_on").is_between(month.replace(day=1), month)
            self._spells = month, cases.filter(began)
        return self._spells[1]

    def _read(self, condition: Any, span: tuple[date, date] | None) -> pl.DataFrame:
        rows = self._facts.fetch(case_rows(condition, span, self._shape, self.settings))
        order = ["opened_on", pl.col("closed_on").is_null(), "closed_on", "case_id"]
        return as_categories(rows.sort(order))

    def _known_to(self, month: date) -> pl.DataFrame:
        """All cases of use that were opened by a month's end."""
        if self._since is not None and self._older is None:
            condition = opened_before(self._since, self._shape, self.settings)
            self._older = self._read(condition, None)
        if self._known is None or self._known[0] != month:
            parts = [] if self._older is None else [self._older]
            parts += [self.opened(each) for each in self._months if each <= month]
            self._known = month, pl.concat(parts) if parts else self._nothing()
        return self._known[1]

    def _nothing(self) -> pl.DataFrame:
        return self._read(sa.false(), None)

    def described(self, frame: pl.DataFrame, month: date) -> pl.DataFrame:
        """Rows (`case_id`) of a month with what their cases were."""
        return frame.join(self._known_to(month), on="case_id", how="inner")

    def active(self, month: date) -> pl.DataFrame:
        """The cases that were open on some day of a month."""
        if month not in self._active:
            while len(self._active) >= MONTHS_AT_ONCE:
                del self._active[min(self._active)]
            closed_on, start = pl.col("closed_on"), month.replace(day=1)
            at_work = closed_on.is_null() | (closed_on >= start)
            self._active[month] = self._known_to(month).filter(at_work)
        return self._active[month]

    def cash(self, month: date) -> pl.DataFrame:
        """The owned payments of a month, each once, with what their cases were.

        `product_then`, `region_then`, `grade_then`: of the paying loan, in that month.
        """
        if month not in self._cash:
            while len(self._cash) >= KEPT_MONTHS:
                del self._cash[min(self._cash)]
            months = several(month, MONTHS_AT_ONCE, self.settings.as_of)
            rows = self._facts.fetch(
                case_payments(months[0], months[-1], self._shape, self.settings)
            )
            rows = as_categories(rows.rename({name: f"{name}_then" for name in SEGMENTS}))
            for each in months:
                paid = rows.filter(pl.col("paid_on").is_between(each.replace(day=1), each))
                self._cash[each] = self._owned(paid, each)
        return self._cash[month]

    def _owned(self, paid: pl.DataFrame, month: date) -> pl.DataFrame:
        """Payments of the case that they name; else of the loan's case of the day.

        Cash from before a case's opening is never that case's.
        """
        named = paid.filter(pl.col("case_id").is_not_null())
        by_day = held_by_day(
            paid.filter(pl.col("case_id").is_null()), self.active(month), "paid_on"
        )
        owned = pl.concat([named, by_day.select(named.columns)])
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
