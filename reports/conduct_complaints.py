"""A month's complaints for the auditor's report, as they stood at the month's end."""

from __future__ import annotations

from datetime import date

import polars as pl

from analytics.complaint_deadlines import deadlines_of, due_dates, within_deadline
from analytics.poisson_rates import poisson_interval
from analytics.working_days import WorkingDays
from queries.loan_states import month_open
from warehouse.packs import Pack

NO_GRADE = "(not recorded)"
PER = 1_000.0


def by_grade(every: pl.DataFrame, month: date, attempts: int) -> pl.DataFrame:
    """Complaints received in the month and open at its end, by grade, with their rate."""
    received = pl.col("received_on").is_between(month_open(month), month)
    counts = {
        "received": received,
        "resolved": pl.col("resolved_at").dt.date().is_between(month_open(month), month),
        "open": pl.col("resolved_at").is_null(),
    }
    sums = [flag.fill_null(False).sum().cast(pl.Int64).alias(name) for name, flag in counts.items()]
    grade = pl.col("grade").cast(pl.String).fill_null(NO_GRADE)
    graded = every.with_columns(grade=grade).group_by("grade").agg(sums).sort("grade")
    total = every.select(pl.lit("all").alias("grade"), *sums)
    rows = pl.concat([graded, total.head(1) if every.height else total.clear()])
    rows = rows.filter(pl.sum_horizontal(*counts) > 0)
    low, high = poisson_interval(rows["received"].to_numpy(), float(attempts), per=PER)
    return rows.with_columns(
        all_attempts=pl.lit(attempts, pl.Int64),
        complaint_rate=pl.col("received") / attempts * PER,
        low=pl.Series(low),
        high=pl.Series(high),
    )


def kept_deadlines(
    every: pl.DataFrame, month: date, pack: Pack, calendar: WorkingDays
) -> pl.DataFrame:
    """Of the complaints that fell due in the month, those dealt with in time, by deadline."""
    period = (month_open(month), month)
    parts = []
    for deadline in deadlines_of(pack.deadlines, pack.default_class):
        dated = due_dates(every, deadline, as_of=month, calendar=calendar)
        met = within_deadline(dated, period=period, as_of=month)
        named = [pl.lit(deadline.name).alias("deadline"), pl.lit(deadline.step).alias("step")]
        shares = [pl.col("share").alias("in_time_share"), pl.col("low").alias("low_share"),
                  pl.col("high").alias("high_share")]  # fmt: skip
        parts.append(
            met.select(*named, "due", "in_time", "late", "overdue", *shares, "overdue_stock")
        )
    return pl.concat(parts) if parts else pl.DataFrame()


def limits(pack: Pack) -> pl.DataFrame:
    """The deadlines' own words."""
    rows = [(pack.id, one.name, one.sentence, one.source) for one in pack.deadlines]
    names = ["pack", "deadline", "sentence", "source"]
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
