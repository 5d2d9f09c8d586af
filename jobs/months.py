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


def several(month: date, count: int, as_of: date) -> list[date]:
    """A month and those after it, up to the data's last day, that are read at once."""
    months = [month]
    while len(months) < count and month_after(months[-1]).replace(day=1) <= as_of:
        months.append(month_after(months[-1]))
    return months


def as_categories(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(cs.string().cast(pl.Categorical))


def as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Categories as text again."""
    return frame.with_columns(cs.categorical().cast(pl.String))
