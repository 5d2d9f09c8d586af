"""Are the timeline's steps taken in time?"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from analytics.channels import CONFIDENCE, MINIMUM, check_counts, with_wilson
from analytics.delinquency import share_of

STEPS = ("day_7", "day_15", "day_30", "day_60")


def timeline_adherence(
    counts: pl.DataFrame,
    *,
    over: Sequence[str] = (),
    confidence: float = CONFIDENCE,
    minimum: int = MINIMUM,
) -> pl.DataFrame:
    """Is each step of the timeline taken in time, and what becomes of cases that skip it?

    Steps: a text or messenger by day 7, a call by day 15, special team and legal preparation by
    day 30, a decision on suing by day 60.  on_time = taken by its day / due; late and skipped
    the same.  Due: cases still open on the step's day that are old enough to tell.

    In: rows with `over`, `step` (day_7, day_15, day_30, day_60), `due`, `on_time`, `late`,
    `resolved_on_time`, `resolved_skipped` (of those on time and of those skipped, resolved
    later).  Out: a row per `over` and step with `due`, `skipped` = due - on_time - late, shares
    `on_time_share` (with `low`, `high`, Wilson), `late_share`, `skipped_share`,
    `resolved_share_on_time`, `resolved_share_skipped`, `is_small`.
    Null: nothing due.  Refuses: unknown steps, more taken than due.
    Misleads: the two resolved shares are raw: steps are skipped on purpose where a case looks
    easy or hopeless.  What skipping causes is an adjusted effect, with skipping as the arm.
    """
    parts = ["due", "on_time", "late", "resolved_on_time", "resolved_skipped"]
    check_counts(counts, [*over, "step", *parts], parts)
    if unknown := set(counts["step"]) - set(STEPS):
        raise ValueError(f"unknown steps of the timeline: {sorted(unknown)}")
    order = pl.col("step").replace_strict(STEPS, range(len(STEPS)), return_dtype=pl.Int8)
    summed = (
        counts.group_by(*over, "step", maintain_order=True)
        .agg(pl.col(parts).sum())
        .with_columns(skipped=pl.col("due") - pl.col("on_time") - pl.col("late"))
        .sort(*over, order)
    )
    skipped, done = summed["resolved_skipped"] > summed["skipped"], summed["resolved_on_time"]
    if (summed["skipped"] < 0).any() or skipped.any() or (done > summed["on_time"]).any():
        raise ValueError("more cases took a step, or resolved after it, than were due")
    rows = summed.rename({"on_time": "numerator", "due": "denominator"})
    rows = with_wilson(rows, confidence, minimum)
    return rows.rename(
        {"numerator": "on_time", "denominator": "due", "share": "on_time_share"}
    ).with_columns(
        late_share=share_of(pl.col("late"), pl.col("due")),
        skipped_share=share_of(pl.col("skipped"), pl.col("due")),
        resolved_share_on_time=share_of(pl.col("resolved_on_time"), pl.col("on_time")),
        resolved_share_skipped=share_of(pl.col("resolved_skipped"), pl.col("skipped")),
    )


def resolved_after(
    steps: pl.DataFrame,
    *,
    over: Sequence[str] = (),
    confidence: float = CONFIDENCE,
    minimum: int = MINIMUM,
) -> pl.DataFrame:
    """Do cases that took a step in time resolve more often than cases that skipped it?

    share = resolved later / cases, of those that took the step in time and of those that skipped
    it (those that took it late are neither).

    In: the rows of `timeline_adherence`.  Out: two rows per `over` and step, `way` `on_time` and
    `skipped`, with `numerator` (resolved), `denominator` (cases), `share`, `low`, `high` (Wilson)
    and `is_small` (cases under `minimum`).
    Null: the share and interval where no case took that way.
    Misleads: the two groups are unlike, so their difference is not what the step caused: steps
    are skipped where a case looks easy or hopeless.
    """
    ways = {
        "on_time": ("resolved_on_time", "on_time"),
        "skipped": ("resolved_skipped", "skipped"),
    }
    parts = [
        steps.select(
            *over,
            "step",
            way=pl.lit(way),
            numerator=pl.col(resolved).cast(pl.Int64),
            denominator=pl.col(cases).cast(pl.Int64),
        )
        for way, (resolved, cases) in ways.items()
    ]
    order = pl.col("step").replace_strict(STEPS, range(len(STEPS)), return_dtype=pl.Int8)
    return with_wilson(pl.concat(parts), confidence, minimum).sort(*over, order, "way")
