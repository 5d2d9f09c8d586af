"""What loans' classes are made of, month by month: late loans and those about to be opened."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from analytics.classes import (
    ClassCuts,
    drawn_cuts,
    grade_class,
    rfm_class,
    risk_class,
    with_history,
)
from jobs.months import month_after
from queries.loan_states import BookShape
from queries.segment_loans import class_inputs
from warehouse.engines import Connection
from warehouse.strategy_marts import SCHEMES

KEPT_MONTHS = 3
IS_LATE = (pl.col("status") == "open") & (pl.col("bucket") != "current")


class SegmentBook:
    """The loans that matter at a month-end, with their history: three months are kept.

    `as_of`: the data's last day.  Where no cut points are `kept`, those that are not `chosen` are
    drawn from its late loans.
    """

    def __init__(
        self,
        facts: Connection,
        shape: BookShape,
        as_of: date,
        kept: ClassCuts | None = None,
        chosen: ClassCuts | None = None,
    ) -> None:
        self._facts, self._shape, self._as_of = facts, shape, as_of
        self._months: dict[date, pl.DataFrame] = {}
        self.cuts = kept or drawn_cuts(self.loans(as_of).filter(IS_LATE), chosen)

    def loans(self, month: date) -> pl.DataFrame:
        """Loans late at a month-end or a month before, or with a case opened in the next month."""
        found = self._months.pop(month, None)
        if found is None:
            while len(self._months) >= KEPT_MONTHS:
                del self._months[next(iter(self._months))]  # the one not asked for the longest
            found = self._read(month)
        self._months[month] = found
        return found

    def _read(self, month: date) -> pl.DataFrame:
        coming = None
        if "cases" in self._shape.tables and month < self._as_of:
            coming = month + timedelta(days=1), min(month_after(month), self._as_of)
        rows = self._facts.fetch(class_inputs(month, self._shape, coming))
        last = pl.col("last_paid_month")
        unpaid = (month.year - last.dt.year()) * 12 + month.month - last.dt.month()
        known = [pl.col(name).fill_null(0) for name in _COUNTS]
        return with_history(rows.with_columns(*known, unpaid_months=unpaid))

    def classed(self, rows: pl.DataFrame, days: str = "days_past_due") -> pl.DataFrame:
        """Rows with their class under each scheme (`by_grade` and so on), by days late."""
        late = pl.col(days)
        classes = (
            grade_class(late, self.cuts),
            risk_class(late, self.cuts),
            rfm_class(self.cuts),
        )
        return rows.with_columns(
            made.alias(f"by_{scheme}") for scheme, made in zip(SCHEMES, classes, strict=True)
        )


_COUNTS = ("recorded_months", "paid_months", "promised_months", "kept_months", "history_cents")
