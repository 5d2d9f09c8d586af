"""The late target's cases, where no spell of lateness begins late."""

from __future__ import annotations

from datetime import date

import polars as pl

import ui
from queries import recovery


def with_late_placements(
    view: ui.View, cells: pl.DataFrame, *, after: date | None = None
) -> tuple[pl.DataFrame, bool]:
    """Cells by stage; and whether late placements stand in for late spells, of which none began.

    A spell begins late only where a lender opens cases late: elsewhere the late target is judged
    on the cases that an owner was given at more than 90 days.  `after`: a month; spells that
    opened up to it do not count.
    """
    late = cells.filter(stage="late")
    if late.filter(True if after is None else pl.col("opened_month") > after).height:
        return cells, False
    placed = ui.load(view, recovery.late_placements)
    if not (placed["cases"] + placed["immature_cases"]).sum():
        return cells, False
    placed = placed.with_columns(stage=pl.lit("late"), horizon=pl.lit(180, pl.Int64))
    known = [name for name in cells.columns if name in placed.columns]
    early = cells.filter(pl.col("stage") != "late")
    return pl.concat([early, placed.select(known)], how="diagonal"), True
