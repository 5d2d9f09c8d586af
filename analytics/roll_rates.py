"""Roll rates: who gets worse next month?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from analytics.cells import TransitionCube, Weight, check_buckets, check_cells, transition_cube
from analytics.intervals import (
    Array,
    divide,
    effective_size,
    size_over_months,
    variance_over_months,
    wilson,
)
from analytics.states import ENTRIES, UNMATCHED, total

MINIMUM_LOANS = 30
CONFIDENCE = 0.95
PARTS = (
    "forward_one",
    "skip",
    "charged_off",
    "stay",
    "backward",
    "cure_payment",
    "cure_restructure",
    "exit",
)


def roll_rate_matrix(
    transitions: pl.DataFrame,
    *,
    buckets: Sequence[str],
    weight: Weight,
    confidence: float = CONFIDENCE,
    minimum: int = MINIMUM_LOANS,
) -> pl.DataFrame:
    """Of the loans that were in a bucket, what share is in each state a month later?

    rate = loans (or opening balance) in i at t and in j at t+1 / all in i at t that are
    observed at t+1.  Several months are pooled, sum over sum, not averaged.  Each row of the
    matrix sums to 1 over the buckets, charged off, sold and paid off.

    In: transitions by month and states (any segments are added up).  Out: one row for every
    bucket x state with `numerator` and `denominator` (loans or cents), `rate`, `low`, `high`,
    `loans` (those that moved), `from_loans` (those that could), `months` (with loans in the
    bucket), `interval` (wilson: counts, one month; ratio: money, one month; months: a window,
    the month is the unit), `row_size` (the effective number of loans behind the whole row)
    and `is_small` (fewer than `minimum` loans could move).
    Null: a bucket without loans (or without balance) has no rate; a move that did not happen
    has rate 0 and an interval.
    Refuses: unknown states, both bases at once, money in a book without balances.
    Misleads: closing balances are never the weights (they do not sum to 1); a loan without a
    row a month later is left out, so look at `unmatched`; a window hides a trend inside it,
    and two months as the unit make very wide intervals.
    Intervals: Wilson's, on the number of loans; for money on the number of equal loans that
    would be as uncertain (ratio estimator, the loan is the unit); in a window with months as
    the unit (ratio estimator on monthly sums, Student's t), never surer than chance allows.
    Reference: Cyert, Davidson and Thompson 1962; Wilson 1927; Cochran 1977, chapter 6; Korn
    and Graubard 1998.
    """
    cube = transition_cube(transitions, buckets=buckets, weight=weight)
    whole = cube.amount.sum(axis=2, keepdims=True)
    moved, there = cube.amount.sum(axis=0), whole.sum(axis=0)
    rate = divide(moved, there)
    size, interval, months = _cell_sizes(cube, weight, confidence)
    low, high = wilson(rate, size, confidence)
    loans, from_loans = cube.loans.sum(axis=0), cube.loans.sum(axis=(0, 2))
    columns: dict[str, Any] = {
        "numerator": moved,
        "denominator": there,
        "rate": rate,
        "low": low,
        "high": high,
        "loans": loans,
        "from_loans": from_loans[:, None],
        "months": months[:, None],
        "interval": interval[:, None],
        "row_size": _row_sizes(cube, weight)[:, None],
        "is_small": (from_loans < minimum)[:, None],
    }
    return cells_frame(cube.buckets, cube.states, columns)


def cells_frame(
    buckets: Sequence[str], states: Sequence[str], columns: dict[str, Any]
) -> pl.DataFrame:
    """A row per bucket x state from arrays of that shape; NaN becomes null, counts integers."""
    shape = (len(buckets), len(states))
    flat = {name: np.broadcast_to(array, shape).ravel() for name, array in columns.items()}
    counts = [name for name in ("numerator", "denominator", "loans", "from_loans", "months")]
    return pl.DataFrame(
        {"from_state": np.repeat(buckets, shape[1]), "to_state": np.tile(states, shape[0])} | flat,
        nan_to_null=True,
    ).with_columns(pl.col([name for name in counts if name in flat]).cast(pl.Int64))


def chance_sizes(cube: TransitionCube, weight: Weight) -> Array:
    """The effective number of loans behind each cell were there chance alone, months pooled."""
    amount, squares = cube.amount.sum(axis=0), cube.squares.sum(axis=0)
    there, there_squares = (part.sum(axis=1, keepdims=True) for part in (amount, squares))
    if weight == "loans":
        return np.broadcast_to(there, amount.shape)
    return effective_size(amount, there, squares, there_squares)


def _cell_sizes(
    cube: TransitionCube, weight: Weight, confidence: float
) -> tuple[Array, np.ndarray, Array]:
    """Effective loans of each cell, how they were found, and the months of each row."""
    chance = chance_sizes(cube, weight)
    whole = cube.amount.sum(axis=2, keepdims=True)
    months = (cube.loans.sum(axis=2) > 0).sum(axis=0)
    one_month = "wilson" if weight == "loans" else "ratio"
    interval = np.where(months > 1, "months", one_month)
    return size_over_months(cube.amount, whole, chance, confidence), interval, months


def _row_sizes(cube: TransitionCube, weight: Weight) -> Array:
    """The effective number of loans of each whole row: for draws of its shares together.

    The multinomial with the row's total variance: sum r (1 - r) / sum se^2 (Brier's factor),
    by loans within a month and by months in a window, and never more than chance allows.
    """
    amount, squares = cube.amount.sum(axis=0), cube.squares.sum(axis=0)
    there, there_squares = amount.sum(axis=1), squares.sum(axis=1)
    rate = divide(amount, there[:, None])
    spread = (rate * (1 - rate)).sum(axis=1)
    chance = divide(np.square(there), there_squares)
    if weight == "balance":
        parts = squares * (1 - rate) ** 2 + (there_squares[:, None] - squares) * rate**2
        chance = np.fmin(divide(spread * np.square(there), parts.sum(axis=1)), chance)
    variance, months = variance_over_months(cube.amount, cube.amount.sum(axis=2, keepdims=True))
    by_month = divide(spread, variance.sum(axis=1))
    return np.where(months[:, 0] > 1, np.fmin(by_month, chance), chance)


def unmatched(transitions: pl.DataFrame) -> pl.DataFrame:
    """How many loans of each bucket have no row a month later without having left?

    share = unmatched loans / all loans that were in the bucket.  They are in no roll rate.
    In: transitions.  Out: by from_state: `unmatched_loans`, `from_loans` (with them), `share`,
    `unmatched_cents` and `from_cents` (opening balance; null in a counted book), and
    `money_share`.
    """
    check_cells(transitions, ["from_state", "to_state", "loans", "opening_cents"])
    is_lost = pl.col("to_state") == UNMATCHED
    lost_null = (is_lost & pl.col("opening_cents").is_null()).any()
    return (
        transitions.filter(~pl.col("from_state").is_in(ENTRIES))
        .group_by("from_state", maintain_order=True)
        .agg(
            pl.col("loans").filter(is_lost).sum().alias("unmatched_loans"),
            pl.col("loans").sum().alias("from_loans"),
            pl.when(~lost_null)
            .then(pl.col("opening_cents").filter(is_lost).sum())
            .alias("unmatched_cents"),
            total("opening_cents").alias("from_cents"),
        )
        .with_columns(
            share=pl.col("unmatched_loans") / pl.col("from_loans"),
            money_share=pl.when(pl.col("from_cents") != 0).then(
                pl.col("unmatched_cents") / pl.col("from_cents")
            ),
        )
    )


def movements(
    transitions: pl.DataFrame,
    *,
    buckets: Sequence[str],
    weight: Weight,
    confidence: float = CONFIDENCE,
    minimum: int = MINIMUM_LOANS,
) -> pl.DataFrame:
    """Month by month, what share of each bucket got worse, stayed, improved, was cured or left?

    Eight parts that sum to 1: `forward_one` (the next worse bucket), `skip` (two or more
    worse), `charged_off`, `stay`, `backward` (better, not current), `cure_payment` and
    `cure_restructure` (current; restructured in the month or not), `exit` (paid off or sold).
    Totals beside them: `forward` = forward_one + skip + charged_off, `cure` = both cures, each
    with an interval.  Current loans that stay current `stay`: their cure is 0, without interval.

    Out: one row per month x bucket, with `denominator` (loans or opening cents), `from_loans`
    and `is_small`.  Null shares: no loans in the bucket in that month.
    Refuses: as the roll-rate matrix.  Misleads: cure by restructure is a change of terms, not
    of behaviour; one month's share moves by chance (see its interval).
    """
    check_buckets(buckets)
    cube = transition_cube(transitions, buckets=buckets, weight=weight)
    there, there_squares = cube.amount.sum(axis=2), cube.squares.sum(axis=2)
    amounts, squares = _parts(cube)
    shares = {name: divide(amount, there) for name, amount in amounts.items()}
    columns: dict[str, Any] = {name: shares[name] for name in PARTS}
    for name, of in (("forward", PARTS[:3]), ("cure", ("cure_payment", "cure_restructure"))):
        part = np.sum([amounts[piece] for piece in of], axis=0)
        size = effective_size(part, there, squares[name], there_squares)
        share = divide(part, there)
        low, high = wilson(share, size, confidence)
        if name == "cure":
            low[:, 0] = high[:, 0] = np.nan
        columns |= {name: share, f"{name}_low": low, f"{name}_high": high}
    from_loans = cube.loans.sum(axis=2)
    frame = {name: array.ravel() for name, array in columns.items()}
    frame |= {"denominator": there.ravel(), "from_loans": from_loans.ravel()}
    return pl.DataFrame(
        {
            "month": pl.Series(np.repeat(np.arange(len(cube.months)), len(cube.buckets))),
            "from_state": np.tile(np.array(cube.buckets), len(cube.months)),
            **frame,
        },
        nan_to_null=True,
    ).with_columns(
        pl.col("month").replace_strict(
            range(len(cube.months)), list(cube.months), return_dtype=pl.Date
        ),
        pl.col("denominator", "from_loans").cast(pl.Int64),
        is_small=pl.col("from_loans") < minimum,
    )


def _parts(cube: TransitionCube) -> tuple[dict[str, Array], dict[str, Array]]:
    """The amounts of the eight movements, and the squares of forward and of cure."""
    count = len(cube.buckets)
    moves = np.arange(count)[None, :] - np.arange(count)[:, None]  # to minus from, in ranks
    cures = (moves < 0) & (np.arange(count) == 0)[None, :]
    inside, squares = cube.amount[:, :, :count], cube.squares[:, :, :count]

    def summed(cells: Array, where: np.ndarray) -> Array:
        return (cells * where).sum(axis=2)

    restructured = summed(cube.restructured[:, :, :count], cures)
    charged_off = cube.states.index("charged_off")
    amounts = {
        "forward_one": summed(inside, moves == 1),
        "skip": summed(inside, moves > 1),
        "charged_off": cube.amount[:, :, charged_off],
        "stay": summed(inside, moves == 0),
        "backward": summed(inside, (moves < 0) & ~cures),
        "cure_payment": summed(inside, cures) - restructured,
        "cure_restructure": restructured,
        "exit": cube.amount[:, :, charged_off + 1 :].sum(axis=2),
    }
    forward = summed(squares, moves > 0) + cube.squares[:, :, charged_off]
    return amounts, {"forward": forward, "cure": summed(squares, cures)}
