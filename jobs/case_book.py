"""The cases that a refresh works on, read from the facts once and shared by all its marts.

A month's cash comes from cases of many cohorts, and each needs the grade of its
own month-end: looked up month by month, that would read all histories again for
every month of the book, and a cohort's cash all payments of seven months again.
Codes are kept as categories, so that two million cases are some 150 MB.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import polars as pl
import polars.selectors as cs
import sqlalchemy as sa

from queries.case_months import owned_cash
from queries.cases import CaseSettings, case_rows, opened_before, opened_in
from queries.filters import months_before
from queries.loan_states import SEGMENTS, BookShape
from warehouse.engines import Connection

KEPT_MONTHS = 9  # of cash: a cohort's last horizon ends in its eighth month
IDS = ("case_id", "loan_id", "opening_case_id", "payment_id")


def as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Categories as text again."""
    return frame.with_columns(cs.categorical().cast(pl.String))


def _as_categories(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        (cs.string() - cs.by_name(*IDS, require_all=False)).cast(pl.Categorical)
    )


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
        self._known: tuple[date, pl.DataFrame] | None = None

    def opened(self, month: date) -> pl.DataFrame:
        """The cases of a cohort, in the order of their ids."""
        if month not in self._cohorts:
            self._cohorts[month] = self._read(opened_in(month, self.settings), month)
        return self._cohorts[month]

    def opened_from(self, first: date, last: date) -> pl.DataFrame:
        """The cases of all cohorts that a span of days touches."""
        return pl.concat(
            self.opened(month)
            for month in self._months
            if first <= month and month.replace(day=1) <= last
        )

    def _read(self, condition: Any, month: date | None) -> pl.DataFrame:
        rows = self._facts.fetch(case_rows(condition, month, self._shape, self.settings))
        return _as_categories(rows.sort("case_id"))

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
        closed_on, start = pl.col("closed_on"), month.replace(day=1)
        return self._known_to(month).filter(closed_on.is_null() | (closed_on >= start))

    def cash(self, month: date) -> pl.DataFrame:
        """The owned payments of a month, each once, with what their cases were.

        `product_then`, `region_then`, `grade_then`: of the paying loan, in that month.
        """
        if month not in self._cash:
            while len(self._cash) >= KEPT_MONTHS:
                del self._cash[min(self._cash)]
            then = {name: f"{name}_then" for name in SEGMENTS}
            rows = self._facts.fetch(owned_cash(month, self._shape, self.settings)).rename(then)
            self._cash[month] = self.described(_as_categories(rows.drop("loan_id")), month)
        return self._cash[month]

    def cash_from(self, first: date, last: date) -> pl.DataFrame:
        """The owned payments of the months that a span of days touches."""
        parts = []
        month = first
        while month.replace(day=1) <= min(last, self.settings.as_of):
            parts.append(self.cash(month))
            month = month_after(month)
        return pl.concat(parts)


def month_after(month: date) -> date:
    """The month-end that follows a month-end."""
    return months_before((month + timedelta(days=32)).replace(day=1), 1)
