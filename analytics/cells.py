"""Transitions as a dense array of month x from x to: what every roll-rate metric starts from.

Rows of `unmatched`, `new` and `appeared` loans are left out here, in one place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import polars as pl

from analytics.intervals import Array
from analytics.states import BESIDE, ENTRIES, TERMINAL, UNMATCHED, state_order, total

Weight = Literal["loans", "balance"]
CENTS_SQUARED = 1e4  # squares come in currency squared, sums in cents


@dataclass(frozen=True)
class TransitionCube:
    """Loans observed at both ends of a month; arrays are [month, from bucket, to state]."""

    months: tuple[date, ...]
    buckets: tuple[str, ...]
    states: tuple[str, ...]
    loans: Array
    amount: Array  # loans, or opening balance in cents
    squares: Array  # sums of squares of the unit's amount
    restructured: Array  # the part of `amount` that was restructured in the month


def transition_cube(
    transitions: pl.DataFrame, *, buckets: Sequence[str], weight: Weight
) -> TransitionCube:
    """The transitions among `buckets`, summed over everything but month and states."""
    amount, squares, restructured = transition_columns(weight)
    wanted = list(dict.fromkeys(["loans", amount, squares, restructured]))
    check_cells(transitions, ["month", "from_state", "to_state", *wanted])
    states = state_order(buckets)
    _refuse_states(transitions, "from_state", (*buckets, *ENTRIES))
    _refuse_states(transitions, "to_state", (*states, UNMATCHED))
    observed = (
        transitions.filter(~pl.col("from_state").is_in(ENTRIES), pl.col("to_state") != UNMATCHED)
        .group_by("month", "from_state", "to_state")
        .agg(total(column) for column in wanted)
    )
    if weight == "balance":
        refuse_unweighed(observed, [amount, squares, restructured])
    months = tuple(observed["month"].unique().sort())
    index = tuple(
        observed[column].replace_strict(list(codes), range(len(codes)), return_dtype=pl.Int64)
        for column, codes in (("month", months), ("from_state", buckets), ("to_state", states))
    )
    shape = (len(months), len(buckets), len(states))
    scale = CENTS_SQUARED if weight == "balance" else 1.0

    def dense(column: str, factor: float = 1.0) -> Array:
        array = np.zeros(shape)
        if observed.height:
            array[tuple(part.to_numpy() for part in index)] = observed[column].to_numpy() * factor
        return array

    return TransitionCube(
        months,
        tuple(buckets),
        states,
        dense("loans"),
        dense(amount),
        dense(squares, scale),
        dense(restructured),
    )


def transition_columns(weight: Weight) -> tuple[str, str, str]:
    """The columns that weigh a transition: amount, squares, and its restructured part."""
    if weight == "loans":
        return "loans", "loans", "restructured_loans"
    if weight == "balance":
        return "opening_cents", "opening_squares", "restructured_cents"
    raise ValueError(f"weight must be 'loans' or 'balance', not {weight!r}")


def stock_columns(weight: Weight) -> tuple[str, str]:
    """The columns that weigh a stock of loans: amount and squares."""
    if weight == "loans":
        return "loans", "loans"
    if weight == "balance":
        return "weight_cents", "weight_squares"
    raise ValueError(f"weight must be 'loans' or 'balance', not {weight!r}")


def weighed_stocks(
    stocks: pl.DataFrame, buckets: Sequence[str], weight: Weight, by: Sequence[str] = ()
) -> tuple[pl.DataFrame, str, str]:
    """Checked stocks with the rank of each bucket, and the names of amount and squares."""
    amount, squares = stock_columns(weight)
    wanted = list(dict.fromkeys(["loans", amount, squares]))
    check_cells(stocks, ["month", "bucket", *wanted, *by])
    _refuse_states(stocks, "bucket", buckets)
    if weight == "balance":
        refuse_unweighed(stocks, [amount, squares])
    keys = ["month", "bucket", *by]
    cells = stocks.group_by(keys).agg(total(column) for column in wanted)
    rank = pl.col("bucket").replace_strict(
        list(buckets), range(len(buckets)), return_dtype=pl.Int64
    )
    return cells.with_columns(rank=rank), amount, squares


def check_cells(cells: pl.DataFrame, columns: Sequence[str]) -> None:
    """Refuse cells without the columns needed, or that hold the same loans twice."""
    missing = [column for column in columns if column not in cells.columns]
    if missing:
        raise ValueError(f"the cells have no {missing}; they have {cells.columns}")
    if "basis" in cells.columns and cells["basis"].n_unique() > 1:
        raise ValueError("the cells hold two bases (days and months): choose one, or loans double")
    if "loans" in cells.columns and (cells["loans"] < 0).any():
        raise ValueError("the cells hold a negative number of loans")


def refuse_unweighed(cells: pl.DataFrame, columns: Sequence[str]) -> None:
    """Refuse a view by money of a book (or a part of it) whose balances are not recorded."""
    for column in columns:
        if cells[column].null_count():
            raise ValueError(f"{column} is not recorded: this book is counted, not weighed")


def _refuse_states(cells: pl.DataFrame, column: str, known: Sequence[str]) -> None:
    unknown = [state for state in cells[column].unique() if state not in known]
    if unknown:
        raise ValueError(f"{column} holds {unknown}, which is none of {list(known)}")


def check_buckets(buckets: Sequence[str]) -> None:
    """Refuse buckets that repeat or that carry the name of another state."""
    taken = [bucket for bucket in buckets if bucket in (*BESIDE, *TERMINAL)]
    if taken or len(set(buckets)) != len(buckets) or len(buckets) < 2:
        raise ValueError(f"buckets must be two or more, each once, and no other state: {buckets}")
