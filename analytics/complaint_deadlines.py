"""Deadlines of complaints: were they kept, and what falls due next?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Protocol

import polars as pl

from analytics.intervals import wilson
from analytics.poisson_rates import CONFIDENCE
from analytics.working_days import WorkingDays, after_working_days

STEPS = {  # what ends the wait; a later step is proof of the earlier one
    "acknowledged": ("acknowledged_at", "responded_at", "resolved_at"),
    "responded": ("responded_at", "resolved_at"),
    "resolved": ("resolved_at",),
}
BANDS = (3, 7, 15, 30, 60)
SOON = 7


@dataclass(frozen=True)
class Limit:
    """So many days after the day of receipt: calendar days, or working days."""

    days: int
    is_working: bool = False

    def __post_init__(self) -> None:
        if self.days < 1:
            raise ValueError("a deadline is at least one day")


@dataclass(frozen=True)
class Deadline:
    """How soon a step must be done: by the complaint's class, else (`otherwise`) for all.

    Without `otherwise` a complaint of another class, or of none, has no such deadline.
    """

    name: str
    step: str = "resolved"
    limits: Mapping[str, Limit] = field(default_factory=dict)
    otherwise: Limit | None = None

    def __post_init__(self) -> None:
        if self.step not in STEPS:
            raise ValueError(f"a step is {', '.join(STEPS)}, not {self.step}")
        if not self.limits and self.otherwise is None:
            raise ValueError(f"{self.name}: no limit at all")


class Row(Protocol):
    """A deadline as rule packs write it: one number is set; no classes means every complaint."""

    @property
    def name(self) -> str: ...
    @property
    def step(self) -> str: ...
    @property
    def classes(self) -> Sequence[str]: ...
    @property
    def days(self) -> int | None: ...
    @property
    def working_days(self) -> int | None: ...
    @property
    def weeks(self) -> int | None: ...


def deadlines_of(rows: Iterable[Row], default_class: str | None = None) -> tuple[Deadline, ...]:
    """A pack's rows as deadlines: those by class of one step are one, the others one each.

    `default_class`: the class of a complaint that has none.
    """
    made, classed = [], dict[str, dict[str, Limit]]()
    for row in rows:
        limit = Limit(row.days or row.working_days or 7 * (row.weeks or 0), bool(row.working_days))
        if row.classes:
            classed.setdefault(row.step, {}).update(dict.fromkeys(row.classes, limit))
        else:
            made.append(Deadline(row.name, row.step, otherwise=limit))
    for step, limits in classed.items():
        usual = limits.get(default_class) if default_class else None
        made.append(Deadline(step, step, limits, usual))
    return tuple(made)


def due_dates(
    complaints: pl.DataFrame,
    deadline: Deadline,
    *,
    as_of: date,
    calendar: WorkingDays | None = None,
) -> pl.DataFrame:
    """By when must each complaint be dealt with, and was it?

    Due on = the day of receipt + so many days (calendar days, or working days after it); the day
    of receipt is day 0, and the whole of the due day still is in time.  A complaint that was
    resolved counts as acknowledged and responded to then, at the latest.

    In: `received_at`, `deadline_class`, `acknowledged_at`, `responded_at`, `resolved_at`.
    `as_of` is the last day of the data, and over: what was due on it and is open is overdue.
    Out: the rows received by `as_of` with `due_on`, `closed_on`, `days_left` (from `as_of`, 0 and
    below once over; null when closed), `state` (`in_time`, `late`, `open`, `overdue`, `excluded`,
    `no_deadline`), `class_unknown` (the class was missing or is not in the pack).
    Null: `closed_on` while open, and where it was after `as_of`; `due_on` without a deadline.
    `excluded`: closed before it was received; it is counted and not judged.
    Refuses: columns that are not there, a missing time of receipt.
    Misleads: it judges the times that were recorded; an extension that was granted shows only
    where the class was changed.
    """
    times = STEPS[deadline.step]
    missing = {"received_at", "deadline_class", *times} - set(complaints.columns)
    if missing:
        raise ValueError(f"complaints lack {', '.join(sorted(missing))}")
    if complaints["received_at"].null_count():
        raise ValueError("a complaint has no time of receipt")
    received, code = pl.col("received_at").cast(pl.Date), pl.col("deadline_class")
    rows = complaints.filter(received <= as_of)
    due = _due(rows["received_at"].cast(pl.Date), rows["deadline_class"], deadline, calendar)
    closed = pl.coalesce(times)
    there = closed.is_not_null() & (closed.cast(pl.Date) <= as_of)
    day = pl.col("closed_on")
    state = (
        pl.when(pl.col("_wrong"))
        .then(pl.lit("excluded"))
        .when(pl.col("due_on").is_null())
        .then(pl.lit("no_deadline"))
        .when(day.is_not_null())
        .then(pl.when(day <= pl.col("due_on")).then(pl.lit("in_time")).otherwise(pl.lit("late")))
        .otherwise(
            pl.when(pl.col("due_on") <= as_of).then(pl.lit("overdue")).otherwise(pl.lit("open"))
        )
    )
    left = (pl.col("due_on") - pl.lit(as_of)).dt.total_days()
    known = code.is_in(list(deadline.limits)) if deadline.limits else pl.lit(True)
    return (
        rows.with_columns(
            due,
            closed_on=pl.when(there).then(closed.cast(pl.Date)),
            _wrong=(there & (closed < pl.col("received_at"))).fill_null(False),
            class_unknown=~known.fill_null(False),
        )
        .with_columns(state=state)
        .with_columns(days_left=pl.when(pl.col("state").is_in(["open", "overdue"])).then(left))
        .drop("_wrong")
    )


def _due(
    received: pl.Series, code: pl.Series, deadline: Deadline, calendar: WorkingDays | None
) -> pl.Series:
    """The due day of each row."""
    days = {
        limit: after_working_days(received, limit.days, calendar or WorkingDays())
        if limit.is_working
        else received + timedelta(days=limit.days)
        for limit in {*deadline.limits.values(), deadline.otherwise}
        if limit is not None
    }
    frame = pl.DataFrame({"code": code, "none": pl.Series([None] * len(code), dtype=pl.Date)})
    other = pl.col("none") if deadline.otherwise is None else pl.lit(days[deadline.otherwise])
    found = other
    for name, limit in deadline.limits.items():
        found = pl.when(pl.col("code") == name).then(pl.lit(days[limit])).otherwise(found)
    return frame.select(due_on=found)["due_on"]


def within_deadline(
    dated: pl.DataFrame,
    *,
    period: tuple[date, date],
    as_of: date,
    by: Sequence[str] = (),
    confidence: float = CONFIDENCE,
) -> pl.DataFrame:
    """Of the complaints that fell due in the period, how many were closed in time?

    Share = closed on the due day or before / due in the period.  Not those received in it: a
    complaint received yesterday is not late yet, and counting it would hide those that are.

    In: the rows of `due_dates`; first and last day.  Days after `as_of` are not over: the period
    ends there.
    Out: by group `due`, `in_time`, `late` (closed after), `overdue` (open still), `share`, `low`,
    `high` (Wilson), and `overdue_stock`: everything open past its due day at the period's end,
    whenever it fell due.
    Null: the share where nothing fell due.  Refuses: a period that ends before it begins.
    Misleads: a share of few; a stock that grows is worse news than a share that falls.
    Reference: Wilson 1927.
    """
    first, last = period
    if last < first:
        raise ValueError("the period ends before it begins")
    end = min(last, as_of)
    state, due = pl.col("state"), pl.col("due_on")
    here = due.is_between(first, end) & state.is_in(["in_time", "late", "overdue"])
    late_then = pl.col("closed_on").is_null() | (pl.col("closed_on") > end)
    parts = {
        "due": here,
        "in_time": here & (state == "in_time"),
        "late": here & (state == "late"),
        "overdue": here & (state == "overdue"),
        "overdue_stock": (due <= end) & late_then & state.is_in(["late", "overdue"]),
    }
    sums = [flag.sum().cast(pl.Int64).alias(name) for name, flag in parts.items()]
    table = (
        dated.group_by(list(by)).agg(sums).sort(by, nulls_last=True) if by else dated.select(sums)
    )
    n = table["due"].to_numpy().astype(float)
    share = (table["in_time"] / table["due"]).to_numpy()
    low, high = wilson(share, n, confidence)
    ends = pl.DataFrame({"share": share, "low": low, "high": high}, nan_to_null=True)
    return table.hstack(ends).select(
        *by, "due", "in_time", "late", "overdue", "share", "low", "high", "overdue_stock"
    )


def open_queue(
    dated: pl.DataFrame, *, as_of: date, bands: Sequence[int] = BANDS, soon: int = SOON
) -> pl.DataFrame:
    """What is waiting, how long has it waited, and what falls due in the next seven days?

    In: the rows of `due_dates`.  Out: one row for each band of age, days since receipt (0-3, 4-7,
    8-15, 16-30, 31-60, 61 and more), empty ones too: `band`, `at_least`, `at_most`, `open` (all),
    of which `overdue`, `due_soon` (in the seven days after `as_of`), `later`, `no_deadline`.
    Null: `at_most` of the last band.  Refuses: bands out of order.
    Misleads: nothing is said of how hard a case is.
    """
    if list(bands) != sorted(set(bands)) or not bands or bands[0] < 0:
        raise ValueError("bands are upper ends in days, in order")
    state, left = pl.col("state"), pl.col("days_left")
    waiting = dated.filter(
        pl.col("closed_on").is_null(), state.is_in(["open", "overdue", "no_deadline"])
    ).with_columns(age=(pl.lit(as_of) - pl.col("received_at").cast(pl.Date)).dt.total_days())
    starts = [0, *(upper + 1 for upper in bands)]
    frame = pl.DataFrame(
        {
            "band": [*(f"{a}-{b}" for a, b in zip(starts, bands, strict=False)), f"{starts[-1]}+"],
            "at_least": starts,
            "at_most": [*bands, None],
        }
    )
    kinds = {
        "open": state.is_not_null(),
        "overdue": state == "overdue",
        "due_soon": (state == "open") & (left <= soon),
        "later": (state == "open") & (left > soon),
        "no_deadline": state == "no_deadline",
    }
    at = pl.sum_horizontal(pl.col("age") >= start for start in starts[1:]).cast(pl.Int64)
    counts = waiting.group_by(at_least=pl.lit(pl.Series(starts)).gather(at)).agg(
        flag.sum().cast(pl.Int64).alias(name) for name, flag in kinds.items()
    )
    return frame.join(counts, on="at_least", how="left", maintain_order="left").with_columns(
        pl.col(list(kinds)).fill_null(0)
    )
