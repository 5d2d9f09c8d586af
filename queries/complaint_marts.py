"""Marts: complaints as rows, and the attempts, open cases and surveys they are measured by.

Complaints are chosen by the day on which they were received, by product and by region; the marts
have no risk grade.  Rows of a whole year are asked for, as the signal needs its past.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import polars as pl

from queries.filters import Filter, months_before
from queries.loan_states import month_open
from queries.marts import Marts, added, as_text, in_segments
from warehouse import complaint_marts as tables

HAPPENED = ("received_at", "acknowledged_at", "responded_at", "resolved_at", "appealed_at")
CASE_MONTH = 7 * 12 / 365.25  # of a month, in a week


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
    first, last = _window(chosen, back)
    rows = marts.between("complaint_attempts", None, first, last)
    return added(in_segments(rows, _without_grades(chosen)), list(by), ["attempts"])


def weekly_attempts(marts: Marts, chosen: Filter, *, by: Sequence[str] = ()) -> pl.DataFrame:
    """Attempts by week, from the book's first to the as-of day."""
    rows = marts.part("complaint_attempts").filter(pl.col("month") <= chosen.as_of)
    return added(in_segments(rows, _without_grades(chosen)), ["week", *by], ["attempts"])


def weekly_cases(marts: Marts, chosen: Filter, *, by: Sequence[str] = ()) -> pl.DataFrame:
    """Cases open at the end of each week, from the book's first to the as-of day."""
    rows = marts.part("complaint_cases").filter(pl.col("week") <= chosen.as_of)
    return added(in_segments(rows, _without_grades(chosen)), ["week", *by], ["open_cases"])


def open_cases(marts: Marts, chosen: Filter, *, by: Sequence[str], back: int = 0) -> pl.DataFrame:
    """Case-months of the window: cases open at the end of its weeks, a week being 0.23 months."""
    first, last = _window(chosen, back)
    ends = pl.col("week") + pl.duration(days=6)
    rows = marts.part("complaint_cases").filter(ends.is_between(month_open(first), last))
    found = added(in_segments(rows, _without_grades(chosen)), list(by), ["open_cases"])
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
