"""Why did a rate change: because the book moved between segments, or because segments moved?"""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum

import polars as pl


@dataclass(frozen=True)
class MixAndRate:
    """A change of a rate from `before` to `after`: change = mix + rate, and by segment.

    `by_segment`: the segment's column, `share0`, `share1`, `rate0`, `rate1`, `mix_effect`,
    `rate_effect`, `effect` (their sum), largest effect first.
    """

    before: float
    after: float
    change: float
    mix: float
    rate: float
    by_segment: pl.DataFrame


def mix_and_rate(before: pl.DataFrame, after: pl.DataFrame, *, segment: str) -> MixAndRate:
    """How much of a rate's change is mix (who is in the book) and how much is rate?

    With s a segment's share of the denominator and r its rate, in Kitagawa's symmetric form:
    mix = sum (s1 - s0) ((r0 + r1)/2 - R), rate = sum (r1 - r0) (s0 + s1)/2, R being the mean of
    the two total rates.  R drops out of the sum (shares add up to 1) and makes a segment's own
    mix effect readable: a growing segment pulls the rate up only if its rate is above the
    book's.  mix + rate = change, to the last digit.

    In: two frames with `segment`, `numerator`, `denominator` (any rows are added up).  A null
    segment is a segment: not recorded.
    Absent segments: one that is only in one of the two has no rate in the other, so nothing of
    it can be a change of rate: its rate is taken as unchanged and its effect is all mix
    (`rate0` or `rate1` is null).
    Refuses: a total denominator that is not above zero; parts that are missing.
    Misleads: it describes, it does not explain: a finer segment turns rate into mix.
    Reference: Kitagawa 1955, Components of a difference between two rates.

    >>> old = pl.DataFrame({"region": ["N", "S"], "numerator": [10, 10], "denominator": [50, 50]})
    >>> new = pl.DataFrame({"region": ["N", "S"], "numerator": [20, 5], "denominator": [75, 25]})
    >>> split = mix_and_rate(old, new, segment="region")
    >>> round(split.change, 4), round(split.mix, 4), round(split.rate, 4)
    (0.05, 0.0083, 0.0417)
    """
    first, second = _summed(before, segment), _summed(after, segment)
    totals = [_total_rate(frame) for frame in (first, second)]
    middle = sum(totals) / 2
    rows = (
        first.join(second, on=segment, how="full", coalesce=True, nulls_equal=True, suffix="1")
        .with_columns(pl.col("denominator", "denominator1").fill_null(0))
        .select(
            segment,
            share0=pl.col("denominator") / first["denominator"].sum(),
            share1=pl.col("denominator1") / second["denominator"].sum(),
            rate0=_rate("numerator", "denominator"),
            rate1=_rate("numerator1", "denominator1"),
        )
    )
    old, new = pl.coalesce("rate0", "rate1"), pl.coalesce("rate1", "rate0")
    rows = rows.with_columns(
        mix_effect=(pl.col("share1") - pl.col("share0")) * ((old + new) / 2 - middle),
        rate_effect=(new - old) * (pl.col("share0") + pl.col("share1")) / 2,
    ).with_columns(pl.col("mix_effect", "rate_effect").fill_null(0.0))
    rows = rows.with_columns(effect=pl.col("mix_effect") + pl.col("rate_effect"))
    return MixAndRate(
        before=totals[0],
        after=totals[1],
        change=totals[1] - totals[0],
        mix=fsum(rows["mix_effect"]),
        rate=fsum(rows["rate_effect"]),
        by_segment=rows.sort(pl.col("effect").abs(), descending=True, maintain_order=True),
    )


def _summed(frame: pl.DataFrame, segment: str) -> pl.DataFrame:
    parts = frame.select(segment, "numerator", "denominator")
    if parts["numerator"].null_count() or parts["denominator"].null_count():
        raise ValueError("a numerator or denominator is missing: the rate is not known")
    if (parts["denominator"] < 0).any():
        raise ValueError("a denominator is negative: it has no share of the book")
    return parts.group_by(segment, maintain_order=True).agg(pl.all().sum())


def _total_rate(frame: pl.DataFrame) -> float:
    part, whole = (float(frame[name].sum()) for name in ("numerator", "denominator"))
    if not whole:
        raise ValueError("a rate over nothing cannot be split: the denominator is zero")
    empty = frame.filter(pl.col("denominator") == 0, pl.col("numerator") != 0)
    if empty.height:
        raise ValueError(f"a segment has a numerator over nothing: {empty.row(0)}")
    return part / whole


def _rate(part: str, whole: str) -> pl.Expr:
    return pl.when(pl.col(whole) != 0).then(pl.col(part) / pl.col(whole))
