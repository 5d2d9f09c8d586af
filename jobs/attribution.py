"""Whose a payment or an attempt is that names no case."""

from __future__ import annotations

import polars as pl


def held_by_day(rows: pl.DataFrame, cases: pl.DataFrame, day: str) -> pl.DataFrame:
    """Rows (`loan_id`, a day) with the loan's case of that day; those without one are left out.

    Where two cases were open, a day is the earlier opened one's.
    """
    spans = cases.select("loan_id", "case_id", "opened_on", "ends_on", "covered_to")
    on, covered = pl.col(day), pl.col("covered_to")
    return (
        rows.drop("case_id", strict=False)
        .join(spans, on="loan_id")
        .filter(on.is_between("opened_on", "ends_on"), covered.is_null() | (on > covered))
        .drop("opened_on", "ends_on", "covered_to")
    )
