"""Transitions and stocks as the simulator's book: summed into its segments and states."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl

from analytics.cells import check_cells
from analytics.intervals import Array
from analytics.simulation_states import (
    KINDS,
    ON_BOOK,
    STAGE_OF_STATE,
    STAGES,
    STATES,
    RollBook,
    merged,
)
from analytics.states import BESIDE, ENTRIES, UNMATCHED

OTHER = "other"
NOT_RECORDED = "not recorded"
BETWEEN_PARTS = "|"  # of a segment's code

__all__ = [
    "KINDS",
    "ON_BOOK",
    "STAGES",
    "STAGE_OF_STATE",
    "STATES",
    "RollBook",
    "merged",
    "roll_book",
]


def roll_book(
    transitions: pl.DataFrame,
    stocks: pl.DataFrame,
    *,
    by: Sequence[str],
    buckets: Sequence[str],
    as_of: date,
    window: int = 12,
    most: int = 60,
) -> RollBook:
    """Where did each unit of money go in a month, by segment and state?

    In: `transitions` and `stocks` by month and the columns of `by` (and any others, which are
    summed over).  Months until `as_of` are kept; roll rates are those of the last `window`.  The
    largest `most` - 1 combinations are segments, the rest is one segment, `other`.  Loans that
    went missing (`unmatched`) are left out; new and reappeared loans are the inflow, but for the
    first month of the book, in which every loan is new.
    Null: a book without balances is counted in loans.  Where payments by move are not known, a
    fall in balance of a loan that stayed, cured or was paid off stands for its payment.
    Refuses: buckets that reach over 30, 60, 90 or 180 days; no transitions until `as_of`.
    Misleads: `appeared` loans enter `current` whatever state they appeared in.
    """
    names = merged(buckets)
    check_cells(transitions, ["month", "from_state", "to_state", "loans", *by])
    check_cells(stocks, ["month", "bucket", "loans", *by])
    moved = _named(transitions.filter(pl.col("month") <= as_of), by)
    there = _named(stocks.filter(pl.col("month") == as_of), by)
    moved = moved.filter(pl.col("to_state") != UNMATCHED)
    seen = moved.filter(~pl.col("from_state").is_in(ENTRIES))["month"]
    if seen.is_empty():
        raise ValueError(f"no loan is seen at the start and the end of a month until {as_of}")
    moved = moved.filter(pl.col("month") >= seen.min())  # at first every loan is new
    is_counted = _is_counted(transitions)
    keys = _segments(moved, there, by, is_counted, most)
    moved, there = _indexed(moved, keys, by), _indexed(there, keys, by)
    months = tuple(moved["month"].unique().sort())
    full = {**names, **{state: state for state in BESIDE}}
    moved = _with_amounts(moved, is_counted).with_columns(
        pl.col("from_state").replace_strict(full), pl.col("to_state").replace_strict(full)
    )
    there = there.with_columns(pl.col("bucket").replace_strict(full))
    between = moved.filter(~pl.col("from_state").is_in(ENTRIES))
    shape = (len(months), keys.height, len(ON_BOOK), len(STATES))
    at = (
        _place(between["month"], months),
        between["place"].to_numpy(),
        _place(between["from_state"], ON_BOOK),
        _place(between["to_state"], STATES),
    )
    entered = moved.filter(pl.col("from_state").is_in(ENTRIES))
    entered_at = (_place(entered["month"], months), entered["place"].to_numpy())
    stock_at = (there["place"].to_numpy(), _place(there["bucket"], ON_BOOK))
    amount = there["loans"] if is_counted else there["weight_cents"].fill_null(0) / 100
    return RollBook(
        segments=tuple(keys["segment"]),
        segment_keys=keys.drop("place"),
        states=STATES,
        months=months,
        window=min(window, len(months)),
        opening=_summed(between["opening"], at, shape),
        closing=_summed(between["closing"], at, shape),
        paid=_summed(between["paid"], at, shape),
        squares=_summed(between["squares"], at, shape),
        loans=_summed(between["loans"], at, shape),
        stock=_summed(amount, stock_at, shape[1:3]),
        stock_loans=_summed(there["loans"], stock_at, shape[1:3]),
        inflow=_summed(entered["closing"], entered_at, shape[:2]),
        is_counted=is_counted,
        is_cash_derived=is_counted or _is_cash_derived(transitions),
    )


def _named(cells: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    return cells.with_columns(pl.col(name).cast(pl.String).fill_null(NOT_RECORDED) for name in by)


def _is_counted(transitions: pl.DataFrame) -> bool:
    """Whether the book has no balances (then loans are what moves)."""
    if "opening_cents" not in transitions.columns:
        return True
    there = transitions.filter(~pl.col("from_state").is_in(ENTRIES))
    return there["opening_cents"].drop_nulls().is_empty()


def _is_cash_derived(transitions: pl.DataFrame) -> bool:
    if "paid_cents" not in transitions.columns:
        return True
    return transitions["paid_cents"].drop_nulls().is_empty()


def _segments(
    moved: pl.DataFrame, there: pl.DataFrame, by: Sequence[str], is_counted: bool, most: int
) -> pl.DataFrame:
    """The segments, largest first by what moved, with the combinations beyond as `other`."""
    if not by:
        return pl.DataFrame({"place": [0], "segment": ["all"]})
    size = pl.col("loans" if is_counted else "opening_cents").sum().alias("size")
    nothing = pl.lit(0, pl.Int64).alias("size")
    parts = [moved.group_by(by).agg(size), there.group_by(by).agg(nothing)]
    sizes = pl.concat(parts, how="vertical_relaxed").group_by(by).agg(pl.col("size").sum())
    sizes = sizes.sort(["size", *by], descending=[True, *[False] * len(by)])
    kept = sizes if sizes.height <= most else sizes.head(most - 1)
    code = pl.concat_str(by, separator=BETWEEN_PARTS)
    keys = kept.select(*by).sort(by).with_columns(segment=code)
    if kept.height < sizes.height:
        rest = {name: [OTHER] for name in (*by, "segment")}
        keys = pl.concat([keys, pl.DataFrame(rest).select(keys.columns)])
    return keys.select("segment", *by).with_row_index("place")


def _indexed(cells: pl.DataFrame, keys: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Cells with the place of their segment; the last one where they have none of their own."""
    if not by:
        return cells.with_columns(place=pl.lit(0, pl.Int64))
    placed = cells.join(keys.select(*by, "place"), on=list(by), how="left")
    return placed.with_columns(pl.col("place").cast(pl.Int64).fill_null(keys.height - 1))


def _with_amounts(moved: pl.DataFrame, is_counted: bool) -> pl.DataFrame:
    """`opening`, `closing`, `paid` and `squares` in currency, or in loans."""
    is_open = ~pl.col("from_state").is_in(ENTRIES)
    if is_counted:
        stays = pl.col("to_state") != "paid_off"
        loans = pl.col("loans").cast(pl.Float64)
        return moved.with_columns(
            opening=loans,
            closing=loans * stays,
            paid=loans * ~stays,
            squares=loans,
        )
    money = {name: pl.col(f"{name}_cents").fill_null(0) / 100 for name in ("opening", "closing")}
    if _is_cash_derived(moved):
        is_loss = pl.col("to_state").is_in(["charged_off", "sold"]) | ~is_open
        fall = (money["opening"] - money["closing"]).clip(lower_bound=0)
        paid = pl.when(is_loss).then(0.0).otherwise(fall)
    else:
        paid = pl.col("paid_cents").fill_null(0) / 100
    return moved.with_columns(**money, paid=paid, squares=pl.col("opening_squares").fill_null(0.0))


def _place(values: pl.Series, codes: Sequence[object]) -> np.ndarray:
    return values.replace_strict(
        list(codes), list(range(len(codes))), return_dtype=pl.Int64
    ).to_numpy()


def _summed(values: pl.Series, at: tuple[np.ndarray, ...], shape: tuple[int, ...]) -> Array:
    places = np.ravel_multi_index(at, shape)
    weights = values.cast(pl.Float64).to_numpy()
    return np.bincount(places, weights, math.prod(shape)).astype(float).reshape(shape)
