"""What the loans of cases, payments and attempts were, read once for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from datetime import date
from functools import partial
from threading import Lock

import polars as pl

from jobs.months import as_categories
from jobs.reading import MonthsAhead, on_its_thread
from queries.loan_kinds import loan_kinds, month_grades
from queries.loan_states import BookShape
from warehouse.engines import Connection

KEPT_MONTHS = 4
MONTHS_AT_ONCE = 8


class LoanBook:
    """Product, region and preferred channel of every loan, and its grade by month.

    `months`: the month-ends whose grades will be asked for, in order.
    """

    def __init__(
        self, facts: Connection, shape: BookShape, months: Sequence[date], pool: Executor | None
    ) -> None:
        self._facts, self._shape, self._pool = facts, shape, pool
        self._lock = Lock()
        self._kinds: pl.DataFrame | None = None
        self._grades: dict[date, pl.DataFrame] = {}
        self._coming = MonthsAhead(self._read, months, MONTHS_AT_ONCE, pool)

    def described(
        self, rows: pl.DataFrame, month: date, *, has_first_grade: bool = False
    ) -> pl.DataFrame:
        """Rows (`loan_id`) with what their loan was: its grade that of a month-end, or its own.

        Rows on loans that are not there are left out.  `first_grade`, where asked for: its own.
        """
        with self._lock:
            kinds, grades = self._of_loans(), self._of_month(month)
        then = grades.join(rows, on="loan_id", how="semi")  # so that a small table is looked up
        return (
            rows.join(kinds, on="loan_id", how="inner", maintain_order="left")
            .join(then, on="loan_id", how="left", maintain_order="left")
            .with_columns(
                pl.coalesce("grade_then", "grade").alias("grade"),
                **({"first_grade": pl.col("grade")} if has_first_grade else {}),
            )
            .drop("grade_then")
        )

    def _of_loans(self) -> pl.DataFrame:
        if self._kinds is None:
            read = partial(self._facts.fetch, loan_kinds(self._shape))
            self._kinds = as_categories(on_its_thread(self._pool, read))
        return self._kinds

    def _of_month(self, month: date) -> pl.DataFrame:
        if month not in self._grades:
            self._grades[month] = self._coming.take(month)
            for old in sorted(self._grades)[:-KEPT_MONTHS]:
                if old != month:
                    del self._grades[old]
        return self._grades[month]

    def _read(self, months: list[date]) -> dict[date, pl.DataFrame]:
        rows = as_categories(self._facts.fetch(month_grades(months[0], months[-1])))
        return {each: rows.filter(pl.col("month") == each).drop("month") for each in months}
