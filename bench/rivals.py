"""The roll-rate matrix without marts: what an analyst would write on the facts.

Both rivals count loans that were open a month before and have a row now, by
month, state before and state now, and add up their opening balances in cents
(below zero counted as zero).  pandas is given everything it can be given
before the clock starts: integers for loans, months and states, and cents.
"""

from __future__ import annotations

from datetime import date

import pandas as pd
import polars as pl
import sqlalchemy as sa
from sqlalchemy import BigInteger, and_, case, cast, func, literal_column

from queries.filters import Filter, months_before
from queries.loan_states import bucket_by, cents, weight
from queries.marts import Book
from warehouse.contract import TERMINAL, loan_months
from warehouse.engines import DuckDBConnection


def self_join(chosen: Filter, book: Book) -> sa.Select:
    """The histories joined with themselves a month later."""
    then, now = loan_months.alias("before"), loan_months.alias("now")
    first, last = chosen.months()
    from_state = bucket_by("days", then.c, book.shape).label("from_state")
    by_days = bucket_by("days", now.c, book.shape)
    to_state = case((now.c.status == "open", by_days), else_=now.c.status).label("to_state")
    amount = func.sum(cents(weight(then.c.balance_amount)))
    if first == last:  # a plain date lets the engine skip the other months
        follows = and_(then.c.month == months_before(last, 1), now.c.month == last)
    else:
        next_month_end = func.last_day(then.c.month + literal_column("1"))
        follows = and_(now.c.month == next_month_end, now.c.month.between(first, last))
    return (
        sa.select(
            now.c.month,
            from_state,
            to_state,
            cast(func.count(), BigInteger).label("loans"),
            cast(amount, BigInteger).label("opening_cents"),
        )
        .select_from(then.join(now, and_(now.c.loan_id == then.c.loan_id, follows)))
        .where(then.c.status == "open")
        .group_by(now.c.month, from_state, to_state)
    )


def states(book: Book) -> list[str]:
    return [*book.buckets, *TERMINAL]


def pandas_frame(facts: DuckDBConnection, book: Book) -> pd.DataFrame:
    """Every loan-month: loan, month and state as small integers, and the balance in cents."""
    row = loan_months.alias("m")
    state = case((row.c.status == "open", bucket_by("days", row.c, book.shape)), else_=row.c.status)
    rows = facts.fetch(
        sa.select(
            row.c.loan_id,
            row.c.month,
            state.label("state"),
            cents(weight(row.c.balance_amount)).label("cents"),
        )
    )
    codes = {name: code for code, name in enumerate(states(book))}
    numbers = {month: number for number, month in enumerate(book.months)}
    known = rows.select(pl.col("loan_id").unique()).with_row_index("loan")
    return (
        rows.join(known, on="loan_id")
        .select(
            pl.col("loan").cast(pl.Int32),
            pl.col("month").replace_strict(numbers, return_dtype=pl.Int8),
            pl.col("state").replace_strict(codes, return_dtype=pl.Int8),
            "cents",
        )
        .sort("month", "loan")
        .to_pandas()
    )


def pandas_matrix(frame: pd.DataFrame, chosen: Filter, book: Book) -> pl.DataFrame:
    """Each month merged with the one before it, then grouped."""
    first, last = (book.months.index(month) for month in chosen.months())
    is_open = frame["state"] < len(book.buckets)
    parts = []
    for number in range(first, last + 1):
        then = frame[(frame["month"] == number - 1) & is_open]
        now = frame.loc[frame["month"] == number, ["loan", "state"]]
        both = then.merge(now, on="loan", suffixes=("_then", "_now"))
        cells = both.groupby(["state_then", "state_now"])["cents"].agg(["size", "sum"])
        parts.append(cells.reset_index().assign(month=number))
    return _named(pd.concat(parts), book)


def _named(cells: pd.DataFrame, book: Book) -> pl.DataFrame:
    names, months = states(book), list[date](book.months)
    return pl.DataFrame(
        {
            "month": [months[number] for number in cells["month"]],
            "from_state": [names[code] for code in cells["state_then"]],
            "to_state": [names[code] for code in cells["state_now"]],
            "loans": cells["size"].to_numpy(),
            "opening_cents": cells["sum"].to_numpy(),
        }
    )
