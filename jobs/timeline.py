"""The mart of the timeline: its steps, taken in time, late or not at all.

Days are days of lateness: day 7 is seven days after the loan fell due, whenever it was placed.
The steps: a text or messenger by day 7, a call by day 15, the case in the hands of a collector,
team or agency by day 30, a legal action by day 60.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from jobs.case_book import CaseBook
from queries.cases import LAST_HORIZON, RESOLVED, days_after
from queries.loan_states import SEGMENTS, BookShape
from queries.timeline_steps import LATE_DAYS, STEPS, TEXTS

NEEDS = {"day_7": "contacts", "day_15": "contacts", "day_60": "legal_actions"}


def timeline_frame(month: date, shape: BookShape, book: CaseBook) -> pl.DataFrame:
    """Episodes by step: due (open on the step's day), taken in time, late, and resolved later.

    A step counts where the warehouse has the table that it is seen in, for episodes placed by
    its day.  Late is within 90 days of the step's day, by the episode's end; resolved is
    within 180 days of its opening, so that a cohort is final when all of it is that old.
    """
    rows = _episode_steps(month, shape, book)
    ended = (pl.col("closed_on") - pl.col("opened_on")).dt.total_days() + pl.col("days_past_due")
    today = pl.lit(book.settings.as_of) - pl.col("opened_on")
    age = today.dt.total_days() + pl.col("days_past_due")
    lasted = (pl.col("closed_on") - pl.col("opened_on")).dt.total_days()
    resolved = pl.col("close_reason").is_in(RESOLVED) & (lasted <= LAST_HORIZON)
    resolved = resolved.fill_null(False)
    parts = []
    for step, day in STEPS.items():
        if NEEDS.get(step, "cases") not in shape.tables:
            continue
        is_due = (pl.col("days_past_due") <= day) & (age >= day)
        is_due &= ended.is_null() | (ended >= day)
        taken = pl.col(step) + pl.col("days_past_due")
        on_time = (taken <= day).fill_null(False)
        late = taken.is_between(day + 1, day + LATE_DAYS).fill_null(False)
        counts = {
            "on_time": on_time,
            "late": late,
            "resolved_on_time": resolved & on_time,
            "resolved_skipped": resolved & ~on_time & ~late,
        }
        sums = {name: value.sum().cast(pl.Int64) for name, value in counts.items()}
        parts.append(
            rows.filter(is_due)
            .group_by("stage", *SEGMENTS)
            .agg(due=pl.len().cast(pl.Int64), **sums)
            .with_columns(step=pl.lit(step))
        )
    return pl.concat(parts)


def _episode_steps(month: date, shape: BookShape, book: CaseBook) -> pl.DataFrame:
    """Episodes that began in the month: their opening, their end, and the steps' days since."""
    cases = book.spells(month)
    is_owned = pl.any_horizontal(pl.col("collector_id", "team", "agency_id").is_not_null())
    first = [pl.col("opened_on").filter(is_owned).min().alias("day_30")]
    if "legal_actions" in shape.tables:
        cases = cases.join(book.legal_steps(month), on="case_id", how="left")
        first.append(pl.col("day_60").min())
    ends = cases.group_by("opening_case_id").agg(pl.col("closed_on", "close_reason").last(), *first)
    opening = cases.filter(pl.col("case_id") == pl.col("opening_case_id"))
    dates = [name for name in ("day_30", "day_60") if name in ends.columns]
    rows = (
        opening.drop("closed_on", "close_reason", "day_60", strict=False)
        .join(ends, on="opening_case_id")
        .with_columns((pl.col(name) - pl.col("opened_on")).dt.total_days() for name in dates)
    )
    if "contacts" in shape.tables:
        taken = _contact_steps(month, book)
        lasted = (pl.col("closed_on") - pl.col("opened_on")).dt.total_days()
        rows = rows.join(taken, on="case_id", how="left").with_columns(
            pl.when(lasted.is_null() | (pl.col(name) <= lasted)).then(pl.col(name)).alias(name)
            for name in ("day_7", "day_15")  # what follows the end is another spell's
        )
    return rows


def _contact_steps(month: date, book: CaseBook) -> pl.DataFrame:
    """The first text (`day_7`) and the first call (`day_15`) on the loan since it fell due, for
    each case opened in a month: days since that case was opened, which may be below 0."""
    late_before, channel = pl.col("days_past_due"), pl.col("channel")
    furthest = STEPS["day_15"] + LATE_DAYS
    opened = book.opened(month).filter(late_before <= furthest)
    day = (pl.col("on_day") - pl.col("opened_on")).dt.total_days()
    first = days_after(month.replace(day=1), -STEPS["day_15"])
    return (
        book.attempts.days(first, days_after(month, furthest))
        .filter(channel.is_in((*TEXTS, "call")))
        .select("loan_id", "channel", "on_day")
        .join(opened.select("loan_id", "case_id", "opened_on", "days_past_due"), on="loan_id")
        .filter(day + late_before >= 0)
        .group_by("case_id")
        .agg(
            day.filter(channel.is_in(TEXTS)).min().alias("day_7"),
            day.filter(channel == "call").min().alias("day_15"),
        )
    )
