"""Months of a refresh, and frames whose texts are kept as categories."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import polars.selectors as cs

from queries.filters import months_before


def month_after(month: date) -> date:
    """The month-end that follows a month-end."""
    return months_before((month + timedelta(days=32)).replace(day=1), 1)


def month_of(day: date) -> date:
    """The month-end of a day."""
    return months_before((day.replace(day=1) + timedelta(days=32)).replace(day=1), 1)


def month_before(month: date) -> date:
    """The month-end before a month-end."""
    return months_before(month, 1)


def months_between(first: date, last: date) -> list[date]:
    """The month-ends from one to another, at least the first."""
    months = [first]
    while months[-1] < last:
        months.append(month_after(months[-1]))
    return months


def as_categories(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(cs.string().cast(pl.Categorical))


def as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Categories as text again."""
    return frame.with_columns(cs.categorical().cast(pl.String))
