"""What to say first about the roll rates: the change that matters most, and who drives it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from analytics.cells import Weight, check_cells, refuse_unweighed, transition_columns
from analytics.mix_and_rate import MixAndRate, mix_and_rate
from analytics.states import CHARGED_OFF, UNMATCHED, state_order


def ranked_changes(changed: pl.DataFrame, *, buckets: Sequence[str]) -> pl.DataFrame:
    """The roll rates that really changed, those that moved the most loans first.

    In: changed cells.  Out: the changed ones with `extra_loans` = difference x loans that
    could move; `is_worse`: true where more loans get worse (a later bucket, charge-off) or
    fewer get better (an earlier bucket) or stay current, false the other way round; null
    for staying late, being sold and paying off, which are good or bad by what they replace;
    and `is_mirror`: staying where another move from the same bucket changed too.  That is the
    same movement told a second time, so it comes last.
    """
    ranks = {state: rank for rank, state in enumerate(state_order(buckets))}
    ranks = {state: rank for state, rank in ranks.items() if state in (*buckets, CHARGED_OFF)}
    start, end = (
        pl.col(column).replace_strict(ranks, default=None, return_dtype=pl.Int64)
        for column in ("from_state", "to_state")
    )
    stays = pl.col("from_state") == pl.col("to_state")
    way = pl.when(stays & (start == 0)).then(-1).otherwise((end - start).sign())
    direction = way * pl.col("difference").sign()
    return (
        changed.filter("is_changed")
        .with_columns(
            extra_loans=pl.col("difference") * pl.col("from_loans"),
            is_worse=pl.when(direction != 0).then(direction > 0),
            is_mirror=stays & (pl.len().over("from_state") > 1),
        )
        .sort(
            "is_mirror",
            pl.col("extra_loans").abs(),
            descending=[False, True],
            maintain_order=True,
        )
    )


def explain_roll(
    transitions: pl.DataFrame,
    *,
    buckets: Sequence[str],
    weight: Weight,
    from_state: str,
    to_states: Sequence[str],
    segment: str,
    history: int = 24,
    year_ago: bool = False,
) -> MixAndRate:
    """Which segment explains that a roll rate differs from what it usually is?

    The latest month's rate against the mean of the monthly rates of up to `history` months
    before (or against the same month a year ago), split into mix and rate by segment.  Each
    month before weighs the same, so `before` is the usual rate of changed cells.

    In: transitions by month, states and `segment`; `to_states` are added up (one cell, or all
    that is worse).  Refuses: an unknown bucket, no loans in the bucket in the latest month or
    in any before, money in a counted book.
    """
    amount, _, _ = transition_columns(weight)
    check_cells(transitions, ["month", "from_state", "to_state", "loans", amount, segment])
    unknown = {from_state, *to_states} - set(state_order(buckets))
    if unknown or from_state not in buckets:
        raise ValueError(f"{sorted(unknown) or from_state} is no bucket or state of this book")
    row = transitions.filter(pl.col("from_state") == from_state, pl.col("to_state") != UNMATCHED)
    refuse_unweighed(row, [amount])
    moved = pl.col("to_state").is_in(list(to_states))
    months = row.group_by("month", segment).agg(
        numerator=pl.col(amount).filter(moved).sum(), denominator=pl.col(amount).sum()
    )
    matched = transitions.filter(pl.col("to_state") != UNMATCHED)
    last: date | None = matched["month"].max()  # type: ignore[assignment]
    after, before = months.filter(pl.col("month") == last), _before(months, last, history, year_ago)
    return mix_and_rate(before, after, segment=segment)


def _before(months: pl.DataFrame, last: date | None, history: int, year_ago: bool) -> pl.DataFrame:
    """The months to compare with, each scaled to the same size."""
    back = -pl.col("month").dt.year() * 12 - pl.col("month").dt.month()
    distance = (last.year * 12 + last.month + back) if last else back
    chosen = distance == 12 if year_ago else distance.is_between(1, history)
    whole = pl.col("denominator").sum().over("month")
    return (
        months.filter(chosen)
        .filter(whole > 0)
        .with_columns(pl.col("numerator", "denominator") / whole)
    )
