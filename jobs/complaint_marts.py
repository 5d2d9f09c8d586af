"""The marts of complaints at refresh: each complaint with whose it is, and what was done.

Complaints are few and change as they are answered, so they are made anew at each refresh, as are
open cases and surveys.  Attempts are many: only the months that a load touched are counted again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta

import polars as pl
import sqlalchemy as sa

from queries import complaint_exposure as facts_of
from queries.complaint_owners import A_MONDAY
from queries.complaints import complaint_rows
from queries.loan_states import BookShape
from warehouse import complaint_marts as tables
from warehouse.engines import Connection
from warehouse.marts import marts

BY_MONTH = ("complaint_attempts", "complaint_collectors", "complaint_intensity")
Frames = dict[str, pl.DataFrame]


def refresh_complaints(
    facts: Connection,
    target: Connection,
    shape: BookShape,
    schema: str,
    book: Mapping[date, str],
    touched: Mapping[date, str],
    progress: Callable[[str], None],
) -> list[str]:
    """Bring the complaint marts up to the facts: sentences where they are not the facts'.

    `book`: the portfolio's months; `touched`: months of contacts and what they were made from,
    which changes when a load touches them.
    """
    as_of = max(book)
    wanted = {month: f"{schema} {stamp}" for month, stamp in touched.items() if month <= as_of}
    if "contacts" not in shape.tables:
        wanted = {}
    stale = _stale(target, wanted)
    if stale:
        progress(f"attempts of {len(stale)} months, for complaints")
    for first, last in _runs(stale):
        _erase(target, first, last)
        _write(target, _attempt_frames(facts, first, last, shape))
        made = {month: stamp for month, stamp in wanted.items() if first <= month <= last}
        rows = pl.DataFrame({"month": list(made), "stamp": list(made.values())})
        target.ingest("complaint_stamps", rows)
        target.commit()
    if "complaints" in shape.tables:
        progress("complaints and whose they are")
    whole = {
        "complaints": _complaints(facts, shape),
        "complaint_cases": _open_cases(facts, as_of, shape),
        "surveys_months": _surveys(facts, as_of, shape),
    }
    for name in whole:
        target.execute(sa.delete(marts.tables[name]))
    _write(target, whole)
    target.commit()
    return _differences(facts, target, shape, wanted)


def _stale(target: Connection, wanted: Mapping[date, str]) -> list[date]:
    """Months to count anew; those that the facts no longer have are erased."""
    made = dict(target.fetch(sa.select(tables.complaint_stamps)).iter_rows())
    for month in made.keys() - wanted.keys():
        _erase(target, month, month)
    return sorted(month for month, stamp in wanted.items() if made.get(month) != stamp)


def _runs(stale: list[date]) -> list[tuple[date, date]]:
    """Months in a row are counted by one statement: first and last of each run."""
    runs: list[tuple[date, date]] = []
    for month in stale:
        if runs and month.replace(day=1) - timedelta(days=1) == runs[-1][1]:
            runs[-1] = (runs[-1][0], month)
        else:
            runs.append((month, month))
    return runs


def week_from(number: str) -> pl.Expr:
    """The Monday of a week that was counted by `queries.complaints.week_of`."""
    return (pl.lit(A_MONDAY) + pl.duration(days=7 * pl.col(number))).cast(pl.Date)


def _erase(target: Connection, first: date, last: date) -> None:
    for name in (*BY_MONTH, "complaint_stamps"):
        table = marts.tables[name]
        target.execute(sa.delete(table).where(table.c.month.between(first, last)))


def _write(target: Connection, frames: Frames) -> None:
    for name, frame in frames.items():
        known = [column.name for column in marts.tables[name].columns]
        if frame.height:
            target.ingest(name, frame.select([one for one in known if one in frame.columns]))


def _attempt_frames(facts: Connection, first: date, last: date, shape: BookShape) -> Frames:
    month = pl.col("month_start").dt.month_end().alias("month")
    rows = facts.fetch(facts_of.attempts(first, last, shape)).with_columns(month)
    found = {
        "complaint_attempts": rows.filter(is_by_week=1).with_columns(week=week_from("week_number")),
        "complaint_collectors": rows.filter(is_by_week=0),
    }
    if "cases" in shape.tables:
        worked = facts.fetch(facts_of.intensity(first, last, shape))
        found["complaint_intensity"] = worked.with_columns(month)
    return found


def _complaints(facts: Connection, shape: BookShape) -> pl.DataFrame:
    if "complaints" not in shape.tables:
        return pl.DataFrame()
    rows = facts.fetch(complaint_rows(shape))
    received_on = pl.col("received_at").dt.date()
    return rows.with_columns(
        received_on=received_on,
        week=received_on.dt.truncate("1w"),
        month=received_on.dt.month_end(),
        worked_month=pl.col("worked_at").dt.date().dt.month_end(),
    ).sort("received_at", "complaint_id")


def _open_cases(facts: Connection, as_of: date, shape: BookShape) -> pl.DataFrame:
    """Cases open at the end of each week: opened until then less closed until then."""
    if "cases" not in shape.tables:
        return pl.DataFrame()
    rows = facts.fetch(facts_of.cases_by_week(as_of, shape))
    cell = ["product", "region", "team", "agency_id"]
    came = rows.select(*cell, "cases", number="opened_week")
    went = rows.drop_nulls("closed_week").select(*cell, -pl.col("cases"), number="closed_week")
    moves = pl.concat([came, went]).group_by("number", *cell).agg(pl.col("cases").sum())
    last = (as_of - A_MONDAY).days // 7
    first = moves["number"].min() if moves.height else last
    weeks = pl.select(number=pl.int_range(first, last + 1, dtype=pl.Int32))  # type: ignore[arg-type]
    return (
        moves.select(cell)
        .unique()
        .join(weeks, how="cross")
        .join(moves, on=["number", *cell], how="left", nulls_equal=True)
        .sort(*cell, "number")
        .with_columns(
            week=week_from("number"), open_cases=pl.col("cases").fill_null(0).cum_sum().over(cell)
        )
        .filter(pl.col("open_cases") > 0)
    )


def _surveys(facts: Connection, as_of: date, shape: BookShape) -> pl.DataFrame:
    if "surveys" not in shape.tables:
        return pl.DataFrame()
    rows = facts.fetch(facts_of.survey_answers(as_of, shape))
    return rows.with_columns(month=pl.col("month_start").dt.month_end())


def _differences(
    facts: Connection, target: Connection, shape: BookShape, wanted: Mapping[date, str]
) -> list[str]:
    """Attempts by month, twice, beside the facts'; months that differ are made anew next time."""
    if not wanted:
        return []
    first, last = min(wanted), max(wanted)
    rows = facts.fetch(facts_of.attempt_totals(first, last))
    expected = {start: count for start, count in rows.iter_rows()}
    found: list[str] = []
    wrong: set[date] = set()
    for name in BY_MONTH[:2]:
        table = marts.tables[name]
        sums = sa.select(table.c.month, sa.func.sum(table.c.attempts).label("attempts"))
        made = dict(target.fetch(sums.group_by(table.c.month)).iter_rows())
        for month in wanted:
            theirs, ours = expected.get(month.replace(day=1), 0), int(made.get(month, 0))
            if theirs != ours:
                found.append(f"{name} {month:%Y-%m}: {theirs} attempts in the facts, {ours} here")
                wrong.add(month)
    for month in wrong:
        _erase(target, month, month)
    target.commit()
    return found
