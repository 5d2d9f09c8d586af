"""The book as the simulator sees it: money by month, segment, state and where it went next.

A segment is fixed (a product and a grade, say); lateness is the state.  Six states are on book
(`current` and five steps of lateness), three are ways of leaving.  *Cure* is any move to an
earlier state or `paid_off`; *forward* any move to a later one, `charged_off` or `sold`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import numpy as np
import polars as pl

from analytics.cells import check_buckets
from analytics.intervals import Array
from analytics.states import CURRENT, TERMINAL, day_range

ON_BOOK = (CURRENT, "1-30", "31-60", "61-90", "91-180", "181+")
STATES = (*ON_BOOK, *TERMINAL)
LATEST_DAYS = (0, 30, 60, 90, 180)  # the last day of each state but the last
STAGES = ("reminder", "early", "middle", "late")
STAGE_OF_STATE = (0, 1, 2, 2, 3, 3)  # 1-30 days, 31-90, beyond; `reminder` is not yet late
KINDS = ("cure", "stay", "forward")
FEW_SEEN = 100  # loan-months


@dataclass(frozen=True)
class RollBook:
    """Money by month, segment, state and next state; in currency, or loans in a counted book."""

    segments: tuple[str, ...]
    segment_keys: pl.DataFrame  # `segment`, then a column for each thing segments are made of
    states: tuple[str, ...]
    months: tuple[date, ...]
    window: int  # of these months, how many of the last the roll rates are taken from
    opening: Array  # [month, segment, 6, 9]
    closing: Array
    paid: Array
    squares: Array  # sums of squares of the opening
    loans: Array
    stock: Array  # [segment, 6] at the last month-end
    stock_loans: Array
    inflow: Array  # [month, segment] of new loans
    is_counted: bool
    is_cash_derived: bool  # payments are not known by move: falls in balance stand for them

    @property
    def as_of(self) -> date:
        return self.months[-1]

    @cached_property
    def kinds(self) -> Array:
        """1 where a move from a state (row) to another is of a kind: [kind, 6, 9]."""
        here, there = np.arange(len(ON_BOOK))[:, None], np.arange(len(STATES))[None, :]
        is_paid_off = there == STATES.index("paid_off")
        cure, stay = (there < here) | is_paid_off, there == here
        return np.stack([cure, stay, ~cure & ~stay]).astype(float)

    def hardly_seen(self) -> pl.DataFrame:
        """States of which more loans stand there now than were ever seen to leave or stay.

        `state`, `loans` (now), `seen` (loan-months of the window, under a hundred): whatever is
        projected of them rests on next to nothing.
        """
        seen = self.loans[-self.window :].sum(axis=(0, 1, 3))
        loans = self.stock_loans.sum(axis=0)
        rows = pl.DataFrame({"state": ON_BOOK, "loans": loans, "seen": seen})
        return rows.filter(pl.col("seen") < FEW_SEEN, pl.col("loans") > pl.col("seen"))

    def until(self, month: date) -> RollBook:
        """The book as it was known at an earlier month-end; refuses a month without data before.

        The stock is what the next month's moves opened with.
        """
        if month not in self.months[:-1]:
            raise ValueError(f"{month} is not a month of the book before its last")
        count = self.months.index(month) + 1
        return replace(
            self,
            months=self.months[:count],
            window=min(self.window, count),
            opening=self.opening[:count],
            closing=self.closing[:count],
            paid=self.paid[:count],
            squares=self.squares[:count],
            loans=self.loans[:count],
            stock=self.opening[count].sum(axis=-1),
            stock_loans=self.loans[count].sum(axis=-1),
            inflow=self.inflow[:count],
        )


def merged(buckets: Sequence[str]) -> dict[str, str]:
    """Which of the simulator's six states each bucket of the book belongs to.

    A bucket belongs where its last day lies (29 and 30 count as the same edge).  Refuses a
    bucket that reaches over an edge.

    >>> merged(["current", "1-30", "31-90", "91+"])
    Traceback (most recent call last):
    ...
    ValueError: the bucket 31-90 reaches over 60 days past due
    >>> list(merged(["current", "1-29", "30-59", "60-89", "90+"]).values())
    ['current', '1-30', '31-60', '61-90', '91-180']
    """
    check_buckets(buckets)
    found = {}
    for bucket in buckets:
        first, last = day_range(bucket)
        rank = sum((first + 1 if first > 1 else first) > edge for edge in LATEST_DAYS)
        if rank < len(LATEST_DAYS) and last is not None and last > LATEST_DAYS[rank]:
            raise ValueError(f"the bucket {bucket} reaches over {LATEST_DAYS[rank]} days past due")
        found[bucket] = ON_BOOK[rank]
    return found
