"""How cases were treated over a period, as sums by segment and stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from analytics.intervals import Array
from analytics.strategy_fields import STAGES

FEWEST = 5.0  # case-months under which a segment takes its stage's figures


@dataclass(frozen=True)
class Treated:
    """How cases were treated over a period, as sums.

    `work`: product, grade, stage, channel, attempts, costed_attempts, cost_cents; `cases`:
    product, grade, stage, open_cases; `first_days`: product, stage, working_day, contacted;
    `placed`: product, grade, stage, agency_id, cases; `partners`, `people`, `spending`;
    `complaint_counts`: channel, complaints, attempts; `complaints` and `intensity` by attempts;
    `offers` (may be empty): product, grade, stage, open_cases and `plans`, `settlements`,
    `settled_cents`, `settled_base_cents`, `filings`, `legal_cents` (null: not recorded);
    `gaps` (may be empty): product, grade, stage, attempt_gaps, gap_days.
    """

    months: tuple[date, date]
    count: int
    work: pl.DataFrame
    cases: pl.DataFrame
    first_days: pl.DataFrame
    placed: pl.DataFrame
    partners: pl.DataFrame
    people: pl.DataFrame
    spending: pl.DataFrame
    complaint_counts: pl.DataFrame
    complaints: pl.DataFrame
    intensity: pl.DataFrame
    offers: pl.DataFrame
    gaps: pl.DataFrame = field(default_factory=pl.DataFrame)


def durations(treated: Treated) -> dict[str, float]:
    """How many months is a case open, by stage?  Case-months over cases opened in the period.

    A stage in which no case was opened, or is open, is left out.
    """
    opened = dict(treated.placed.group_by("stage").agg(pl.col("cases").sum()).iter_rows())
    there = dict(treated.cases.group_by("stage").agg(pl.col("open_cases").sum()).iter_rows())
    return {
        stage: there[stage] / opened[stage]
        for stage in STAGES
        if opened.get(stage) and there.get(stage)
    }


def by_segment(
    rows: pl.DataFrame, keys: pl.DataFrame, by: Sequence[str], sums: Sequence[str]
) -> pl.DataFrame:
    """Sums by segment: rows of a combination that is no segment belong to the last, `other`."""
    names = [name for name in keys.columns if name != "segment" and name in rows.columns]
    told = rows.with_columns(pl.col(name).fill_null("not recorded") for name in names)
    if len(names) + 1 == keys.width:
        placed = told.join(keys, on=names, how="left")
        last = keys["segment"][-1] if keys[names[0]][-1] == "other" else None
        placed = placed.with_columns(pl.col("segment").fill_null(pl.lit(last, pl.String)))
        return (
            placed.filter(pl.col("segment").is_not_null())
            .group_by(["segment", *by])
            .agg(pl.col(*sums).sum())
        )
    summed = told.group_by([*names, *by]).agg(pl.col(*sums).sum())
    return keys.join(summed, on=names, how="inner").select("segment", *by, *sums)


def case_months(treated: Treated, keys: pl.DataFrame, loans: Array) -> pl.DataFrame:
    """Case-months of every segment and stage in order; of loans that are not late: loans."""
    grid = pl.DataFrame(
        {
            "segment": np.repeat(keys["segment"].to_numpy(), len(STAGES)),
            "stage": list(STAGES) * keys.height,
            "loans": loans.ravel(),
        }
    )
    cases = by_segment(treated.cases, keys, ("stage",), ("open_cases",))
    found = grid.join(cases, on=["segment", "stage"], how="left", maintain_order="left")
    is_reminder = pl.col("stage") == "reminder"
    return found.with_columns(
        open_cases=pl.when(is_reminder)
        .then("loans")
        .otherwise(pl.col("open_cases").fill_null(0).cast(pl.Float64))
    )
