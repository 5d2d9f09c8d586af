"""What the contract says a row must be, held against a batch of a file's rows.

Each column is parsed and tested whole; a row that fails anything is left out
and reported with its first failure in each column.  Keys, references and
restatements need all rows and are tested in the warehouse (see `staging`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy import Column, Table

from warehouse.contract import cases, key_columns
from warehouse.files import ROW
from warehouse.parsing import blank_to_null, expectation, parse

EARLIEST = date(1970, 1, 1)
ID_LENGTH = 500

Failure = tuple[str, pl.Series, str]  # the kind, which rows, and what was expected


def check_batch(
    table: Table, file: str, batch: pl.DataFrame, today: date
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """The batch's good rows in the contract's types, and its problems as frames."""
    values: dict[str, pl.Series] = {}
    problems = []
    failures: list[tuple[str, Failure]] = []
    for column in table.columns:
        if column.name in batch.columns:
            raw = blank_to_null(batch[column.name])
            values[column.name] = parsed = parse(raw, column.type)
            failures += [(column.name, one) for one in _failures(column, raw, parsed, today)]
        else:
            values[column.name] = pl.Series(column.name, [None] * batch.height, pl.Null)
        if "default" in column.info:
            filled = values[column.name].cast(pl.Boolean).fill_null(column.info["default"])
            values[column.name] = filled
    if table is cases:
        failures += _closed_before_opened(values)
    good = pl.DataFrame({**values, ROW: batch[ROW]})
    if not failures:
        return good, []
    reported: dict[str, pl.Series] = {}
    for column_name, (kind, bad, expected) in failures:
        before = reported.get(column_name)
        fresh = bad if before is None else bad & ~before
        reported[column_name] = bad if before is None else bad | before
        problems.append(_report(table, file, batch.filter(fresh), kind, column_name, expected))
    return good.filter(~pl.any_horizontal(list(reported.values()))), problems


def _failures(
    column: Column[Any], raw: pl.Series, values: pl.Series, today: date
) -> Iterator[Failure]:
    """What is wrong with a column's values: nothing, in a good file."""
    for kind, bad, expected in _tests(column, raw, values, today):
        if bad.any():
            yield kind, bad.fill_null(False), expected


def _tests(
    column: Column[Any], raw: pl.Series, values: pl.Series, today: date
) -> Iterator[Failure]:
    info = column.info
    if values.null_count() > raw.null_count():
        kind, expected = expectation(column.type)
        yield kind, values.is_null() & raw.is_not_null(), expected
    if not column.nullable and "default" not in info and raw.null_count():
        yield "null", raw.is_null(), "a value"
    if "codes" in info:
        yield "code", ~values.is_in(list(info["codes"])), "one of " + ", ".join(info["codes"])
    if isinstance(column.type, sa.Text) and (info.get("key") or info.get("references")):
        expected = f"text of at most {ID_LENGTH} characters"
        yield "type", values.str.len_chars() > ID_LENGTH, expected
    if "minimum" in info:
        yield "limit", values < info["minimum"], f"a number of at least {info['minimum']:g}"
    if info.get("maximum") is not None:
        yield "limit", values > info["maximum"], f"a number of at most {info['maximum']:g}"
    if "above" in info:
        yield "limit", values <= info["above"], f"a number above {info['above']:g}"
    if info.get("month_end"):
        yield "month_end", values != values.dt.month_end(), "the last day of a month"
    if isinstance(column.type, sa.Date | sa.DateTime):
        yield from _dates(info, values, today)


def _dates(info: dict[str, Any], values: pl.Series, today: date) -> Iterator[Failure]:
    days = values.dt.date()
    if info.get("future"):
        yield "date", days < EARLIEST, f"a date from {EARLIEST} on"
        return
    latest = today + timedelta(days=1)
    outside = (days < EARLIEST) | (days > latest)
    yield "date", outside, f"a date from {EARLIEST} to {latest}, the day after the load"


def _closed_before_opened(values: dict[str, pl.Series]) -> Iterator[tuple[str, Failure]]:
    closed, opened = values["closed_on"], values["opened_on"]
    if closed.null_count() < len(closed):
        bad = (closed < opened).fill_null(False)
        if bad.any():
            yield "closed_on", ("closed_before_opened", bad, "a day not before opened_on")


def _report(
    table: Table, file: str, rows: pl.DataFrame, kind: str, column: str, expected: str
) -> pl.DataFrame:
    """The failing rows as problems: where, what was found, what was expected."""
    keys = [as_text(rows[key.name]) for key in key_columns(table) if key.name in rows.columns]
    return pl.DataFrame(
        {
            "row": rows[ROW],
            "key": pl.select(pl.concat_str(keys, separator=", ", ignore_nulls=True)).to_series(),
            "value": as_text(rows[column]),
        }
    ).with_columns(
        kind=pl.lit(kind), file=pl.lit(file), column=pl.lit(column), expected=pl.lit(expected)
    )


def as_text(values: pl.Series) -> pl.Series:
    """What a file holds, as a reader would write it."""
    try:
        return values.cast(pl.String)
    except pl.exceptions.PolarsError:
        return pl.Series(values.name, [None if v is None else str(v) for v in values], pl.String)
