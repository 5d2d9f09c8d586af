"""Cadence: how far apart attempts on a case are, what rules allow, and what room it leaves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from analytics.intervals import Array, divide
from analytics.strategy_fields import CHANNELS, STAGES
from analytics.strategy_hours import CAPPED, Cap
from analytics.strategy_treatments import Treatment

DAYS_A_MONTH = 365.25 / 12
GAP, ROOM = "gap_days", "room"  # what was cut: the gap by a rule, attempts by the gap
LEAST_GAP = 0.1  # days: attempts closer than that are at once
SAME = 1e-9


def paced(
    attempts: Array, base: Treatment, mine: Treatment, caps: Sequence[Cap]
) -> tuple[Array, Array, pl.DataFrame]:
    """How many attempts fit at a strategy's cadence, and how much closer together are they?

    Where a strategy says other days between attempts than the baseline has: a rule of so many
    attempts in so many days keeps those of its channels days / attempts apart at least, so all of
    them that many times the channels' share of the attempts (or as far as in the baseline, where
    that is less); then at g days apart at most max(30.4, n0 g0) / g attempts a month fit, n0 and
    g0 being the baseline's.  Elsewhere the number of attempts decides.
    Out: attempts [segment, stage, channel]; halvings of the gap [segment, stage], log2(g0 / g), 0
    where either is not known; rows of what was cut.
    Misleads: it is a mean: attempts need not be evenly spread.
    """
    before, asked = base.of(GAP), mine.of(GAP)
    known = base.given(GAP) & mine.given(GAP)
    changed = mine.given(GAP) & ((np.abs(asked - before) > SAME) | ~base.given(GAP))
    if not changed.any():
        return attempts, np.zeros_like(asked), pl.DataFrame(schema=CAPPED)
    rows: list[tuple[object, ...]] = []

    def tell(
        what: str, rule: str, where: npt.NDArray[np.bool_], wanted: Array, allowed: Array
    ) -> None:
        rows.extend(
            (what, rule, mine.segments[s], STAGES[t], float(wanted[s, t]), float(allowed[s, t]))
            for s, t in np.argwhere(where)
        )

    gap = np.maximum(asked, LEAST_GAP)
    for cap in caps:
        least = cap.least_gap * _part(attempts, cap)
        least = np.where(base.given(GAP), np.minimum(least, before), least)
        close = changed & (gap < least - SAME)
        tell(GAP, cap.rule, close, gap, least)
        gap = np.where(close, least, gap)
    total = attempts.sum(axis=-1)
    whole = np.where(base.given(GAP), base.attempts.sum(axis=-1) * before, 0.0)
    room = np.maximum(DAYS_A_MONTH, whole) / gap
    full = changed & (total > room + SAME)
    tell(ROOM, "", full, total, room)
    part = np.where(full, room / np.where(total > 0, total, 1.0), 1.0)
    closer = np.log2(np.maximum(before, LEAST_GAP) / gap)
    return (
        attempts * part[..., None],
        np.where(known & changed, closer, 0.0),
        pl.DataFrame(rows, schema=CAPPED, orient="row"),
    )


def _part(attempts: Array, cap: Cap) -> Array:
    """The share of the attempts that are by channels of the rule."""
    of = [CHANNELS.index(one) for one in cap.channels or CHANNELS]
    return np.nan_to_num(divide(attempts[..., of].sum(axis=-1), attempts.sum(axis=-1)))
