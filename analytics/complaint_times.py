"""Times of complaints: how long until one is acknowledged, responded to, resolved?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import polars as pl

from analytics.incidence import incidence_curve, recovery_period
from analytics.poisson_rates import CONFIDENCE

Event = Literal["acknowledged", "responded", "resolved"]
EVENTS: tuple[Event, ...] = ("acknowledged", "responded", "resolved")
LIMITS = (1, 3, 7, 15, 30, 60)
MINIMUM = 30


@dataclass(frozen=True)
class Times:
    """How long complaints wait.

    `curve`: by group and day the share done so far (as an incidence curve; without rows where
    there is nothing to count).  `summary`: by group `complaints`, `done`, `withdrawn` (before it
    was done), `open`, `excluded`, `median` with interval and reason, and for each limit
    `within_15`, `within_15_low`, `within_15_high`; `is_small`.
    """

    curve: pl.DataFrame
    summary: pl.DataFrame


def complaint_times(
    complaints: pl.DataFrame,
    *,
    event: Event = "resolved",
    as_of: date,
    by: Sequence[str] = (),
    limits: Sequence[int] = LIMITS,
    confidence: float = CONFIDENCE,
    minimum: int = MINIMUM,
) -> Times:
    """How many days until a complaint is acknowledged, responded to or resolved?

    Share done within d days of receipt = incidence of the event among all complaints, those still
    waiting counted for as long as they have waited (censored), and a withdrawal counted as another
    way out: it is not the lender who ended it.  `median`: the first day by which half of all
    complaints are done.  Days are calendar days; the day of receipt is day 0.

    In: rows with `received_at`, `resolved_at`, `outcome` and the event's time; what happened after
    `as_of` has not happened.
    Out: by group and day the share done with its interval and how many are still followed; by
    group how many complaints, how many done, the median, and the shares done within some days.
    Null: a median while less than half are done (`under_half`); a share within d days where no
    complaint was followed that long.
    `excluded`: done, or withdrawn, before it was received; counted, not used.
    Refuses: columns that are not there, a missing time of receipt.
    Misleads: the mean over those already resolved would be too short; the slow ones are open.
    A complaint resolved without a recorded response counts as responded to when resolved.
    Reference: Aalen and Johansen 1978; Brookmeyer and Crowley 1982.
    """
    if event not in EVENTS:
        raise ValueError(f"an event is {', '.join(EVENTS)}, not {event}")
    times = [f"{name}_at" for name in EVENTS[EVENTS.index(event) :]]
    if missing := {"received_at", "outcome", *times, *by} - set(complaints.columns):
        raise ValueError(f"complaints lack {', '.join(sorted(missing))}")
    if complaints["received_at"].null_count():
        raise ValueError("a complaint has no time of receipt")
    days = _days(complaints, times, as_of, by)
    facts = days.group_by(list(by), maintain_order=True) if by else days.group_by(pl.lit(0))
    kind = pl.col("kind")
    counts = facts.agg(
        complaints=pl.len().cast(pl.Int64),
        done=(kind == "resolved").sum().cast(pl.Int64),
        withdrawn=(kind == "competing").sum().cast(pl.Int64),
        open=(kind == "censored").sum().cast(pl.Int64),
        excluded=(kind == "excluded").sum().cast(pl.Int64),
    ).select(*by, "complaints", "done", "withdrawn", "open", "excluded")
    used = days.filter(kind != "excluded")
    events = used.group_by([*by, "day"]).agg(
        (kind == name).sum().cast(pl.Int64).alias(name)
        for name in ("resolved", "competing", "censored")
    )
    small = (pl.col("complaints") - pl.col("excluded") < minimum).alias("is_small")
    if events.is_empty():
        return Times(events, counts.with_columns(_nothing(limits)).with_columns(small))
    curve = incidence_curve(events, by=by, confidence=confidence)
    medians = recovery_period(events, by=by, taus=(), confidence=confidence).select(
        *by, "median", "median_low", "median_high", "median_reason"
    )
    parts = [medians, *(_within(curve, day, by) for day in limits)]
    summary = counts
    for part in parts:
        summary = (
            summary.join(part, on=list(by), how="left", nulls_equal=True, maintain_order="left")
            if by
            else summary.hstack(part)
        )
    return Times(curve, summary.with_columns(small).sort(list(by) or "open", nulls_last=True))


def _days(
    complaints: pl.DataFrame, times: Sequence[str], as_of: date, by: Sequence[str]
) -> pl.DataFrame:
    """Each complaint's day of leaving the queue, and how it left it."""
    received, day = pl.col("received_at"), pl.col("received_at").cast(pl.Date)
    last = pl.col("resolved_at")
    withdrawn = (pl.col("outcome") == "withdrawn").fill_null(False) & last.is_not_null()
    own = pl.coalesce(times[:-1]) if len(times) > 1 else pl.lit(None)
    done = pl.when(withdrawn).then(own).otherwise(pl.coalesce(times))
    done = pl.when(withdrawn & (done > last)).then(None).otherwise(done)
    end = pl.coalesce(done, pl.when(withdrawn).then(last))
    rows = complaints.filter(day <= as_of).select(
        *by, day.alias("_from"), end=end, wrong=end < received, done=done.is_not_null()
    )
    there = pl.col("end").is_not_null() & (pl.col("end").cast(pl.Date) <= as_of)
    kind = (
        pl.when(there & pl.col("wrong"))
        .then(pl.lit("excluded"))
        .when(there & pl.col("done"))
        .then(pl.lit("resolved"))
        .when(there)
        .then(pl.lit("competing"))
        .otherwise(pl.lit("censored"))
    )
    ended = pl.when(there).then(pl.col("end").cast(pl.Date)).otherwise(pl.lit(as_of))
    return rows.select(*by, kind=kind, day=(ended - pl.col("_from")).dt.total_days())


def _within(curve: pl.DataFrame, day: int, by: Sequence[str]) -> pl.DataFrame:
    """The curve at a day; null where nobody was followed so long and somebody still waits."""
    here = pl.col("day") <= day
    last, waiting = pl.col("day").last(), pl.col("open_share").last()
    known = (last >= day) | (waiting < 1e-9)
    parts = [
        pl.when(known).then(pl.col(name).filter(here).last()).alias(f"within_{day}{end}")
        for name, end in (("incidence", ""), ("low", "_low"), ("high", "_high"))
    ]
    ordered = curve.sort("day")
    return ordered.group_by(list(by), maintain_order=True).agg(parts) if by else curve.select(parts)


def _nothing(limits: Sequence[int]) -> list[pl.Expr]:
    """The summary's columns where there is nobody to follow."""
    shares = [f"within_{day}{end}" for day in limits for end in ("", "_low", "_high")]
    days = [pl.lit(None, pl.Int64).alias(name) for name in ("median", "median_low", "median_high")]
    return [
        *days,
        pl.lit(None, pl.String).alias("median_reason"),
        *(pl.lit(None, pl.Float64).alias(name) for name in shares),
    ]
