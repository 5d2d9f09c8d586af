"""Marts: complaints as rows, and the attempts, open cases and surveys they are measured by.

Complaints are chosen by the day on which they were received, by product and by region; the marts
have no risk grade.  Rows of a whole year are asked for, as the signal needs its past.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time
from functools import cache

import polars as pl
import sqlalchemy as sa

from queries.filters import Filter, months_before, whole_book
from queries.kept import Kept
from queries.loan_states import month_open
from queries.marts import Marts, added, as_text, in_segments
from warehouse import complaint_marts as tables

HAPPENED = ("received_at", "acknowledged_at", "responded_at", "resolved_at", "appealed_at")
CASE_MONTH = 7 * 12 / 365.25  # of a month, in a week
_SEGMENTS = ("product", "region")  # no risk grade


@cache
def _kept(table: sa.Table, month: str, measure: str, keys: tuple[str, ...]) -> Kept:
    """A mart's weeks by what is asked for only: the fewer keys, the fewer rows to add up."""
    columns = tuple(table.c[name] for name in keys)
    return Kept(table, month, (measure,), keys=columns, segments=_SEGMENTS)


def _attempts(by: Sequence[str]) -> Kept:
    keys = ("week", *[name for name in by if name not in _SEGMENTS])
    return _kept(tables.complaint_attempts, "month", "attempts", keys)


def _cases(by: Sequence[str]) -> Kept:
    keys = tuple(name for name in by if name not in _SEGMENTS)
    return _kept(tables.complaint_cases, "week", "open_cases", keys)


def _from_the_first(marts: Marts, chosen: Filter) -> Filter:
    """The choice over all of the book's weeks, also that before its first month-end."""
    first = months_before(marts.part("months")["month"][0], 1)
    return replace(chosen, window=whole_book(first, chosen.as_of).window)


def is_there(marts: Marts) -> bool:
    """Whether this version of the marts has those of complaints (older ones have not)."""
    return marts.holds(tables.complaints)


def known_until(marts: Marts, chosen: Filter, *, as_of: date) -> pl.DataFrame:
    """One row, `until`: the last day on which complaints are known.  Of the book's last month
    (`as_of`) the last day on which anything happened to one; of an earlier month, its end."""
    until = chosen.as_of
    if chosen.as_of >= as_of:
        rows = marts.part("complaints")
        days = [rows[name].dt.date().max() for name in HAPPENED]
        until = max([until, *[day for day in days if isinstance(day, date)]])
    return pl.DataFrame({"until": [until]})


def complaints(marts: Marts, chosen: Filter, *, until: date | None = None) -> pl.DataFrame:
    """Every complaint of the segments received by the as-of day (or `until`), oldest first."""
    rows = in_segments(marts.part("complaints"), _without_grades(chosen))
    return as_text(rows.filter(pl.col("received_on") <= (until or chosen.as_of)))


def as_it_stood(rows: pl.DataFrame, day: date) -> pl.DataFrame:
    """Complaints as they were known at a day's end: steps taken later, and what came of them, are
    missing."""
    end = datetime.combine(day, time.max)

    def known(name: str, at: str) -> pl.Expr:
        return pl.when(pl.col(at) <= end).then(pl.col(name)).alias(name)

    steps = [known(name, name) for name in HAPPENED if name != "received_at"]
    ends = [known("outcome", "resolved_at"), known("appeal_outcome", "appealed_at")]
    return rows.with_columns(*steps, *ends)


def one_complaint(marts: Marts, complaint_id: str) -> dict[str, object] | None:
    """A complaint by its id, whatever was chosen."""
    rows = marts.part("complaints")
    found = rows.filter(pl.col("complaint_id").cast(pl.String) == complaint_id)
    return as_text(found).row(0, named=True) if found.height else None


def in_window(rows: pl.DataFrame, chosen: Filter, *, back: int = 0) -> pl.DataFrame:
    """The rows received in the window's months, or in as many before it (`back` windows)."""
    first, last = _window(chosen, back)
    return rows.filter(pl.col("received_on").is_between(month_open(first), last))


def _window(chosen: Filter, back: int) -> tuple[date, date]:
    last = months_before(chosen.as_of, back * chosen.window)
    return months_before(last, chosen.window - 1), last


def attempts(marts: Marts, chosen: Filter, *, by: Sequence[str], back: int = 0) -> pl.DataFrame:
    """Attempts of the window (or of `back` windows before), by columns of the mart."""
    window = replace(chosen, as_of=_window(chosen, back)[1])
    found = _attempts(by).total(marts, window, by)
    return found if by or found.height else found.select(pl.all().sum())


def weekly_attempts(marts: Marts, chosen: Filter, *, by: Sequence[str] = ()) -> pl.DataFrame:
    """Attempts by week, from the book's first to the as-of day."""
    return _attempts(by).total(marts, _from_the_first(marts, chosen), ("week", *by))


def weekly_cases(marts: Marts, chosen: Filter, *, by: Sequence[str] = ()) -> pl.DataFrame:
    """Cases open at the end of each week, from the book's first to the as-of day."""
    return _cases(by).total(marts, _from_the_first(marts, chosen), ("week", *by))


def open_cases(marts: Marts, chosen: Filter, *, by: Sequence[str], back: int = 0) -> pl.DataFrame:
    """Case-months of the window: cases open at the end of its weeks, a week being 0.23 months."""
    first, last = _window(chosen, back)
    weeks = weekly_cases(marts, chosen, by=by)
    ends = pl.col("week") + pl.duration(days=6)
    weeks = weeks.filter(ends.is_between(month_open(first), last))
    found = weeks.group_by(by, maintain_order=True).agg(pl.col("open_cases").sum())
    return found.with_columns(pl.col("open_cases") * CASE_MONTH)


def collectors(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Attempts of the window by collector; null is what no collector did."""
    rows = marts.between("complaint_collectors", None, *_window(chosen, 0))
    return added(in_segments(rows, _without_grades(chosen)), ["collector_id"], ["attempts"])


def case_months(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Cases with attempts in the window by month, product, stage and number of attempts (20: as
    many or more)."""
    rows = marts.between("complaint_intensity", None, *_window(chosen, 0))
    keys = ["month", "product", "stage", "case_attempts"]
    return added(in_segments(rows, _without_grades(chosen)), keys, ["cases", "attempts"])


def surveys(marts: Marts, chosen: Filter, *, by: Sequence[str] = ()) -> pl.DataFrame:
    """Answers of the window by satisfaction, 1 to 5."""
    rows = marts.between("surveys_months", None, *_window(chosen, 0))
    return added(in_segments(rows, _without_grades(chosen)), [*by, "satisfaction"], ["surveys"])


def _without_grades(chosen: Filter) -> Filter:
    return replace(chosen, grades=()) if chosen.grades else chosen


def counted(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """How many complaints of the segments were received in the window."""
    rows = in_window(complaints(marts, chosen), chosen)
    return pl.DataFrame({"complaints": [rows.height]})
