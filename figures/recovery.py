"""What the Recovery page shows, made once for each choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
import streamlit as st

import ui
from analytics.agencies import complete_steps, curve_points, pooled_curve
from analytics.incidence import incidence_curve, recovery_period
from analytics.recovery import cohort_recovery, liquidation_curves, period_rate, resolved_share
from analytics.targets import contact_attainment, target_attainment
from analytics.work import days_to_contact
from appdata.targets import Targets
from figures.late_placements import with_late_placements
from queries import owner_cells, recovery

STAGES = ("early", "middle", "late")
HORIZONS = (30, 60, 90, 180)
OWN_HORIZON = {"early": 30, "middle": 90, "late": 180}  # the targets' days; middle has none
RULES = ("last", "first", "equal")
LAST_STEP = 5  # 180 days in steps of 30


@dataclass(frozen=True)
class Figures:
    """Everything on the page but the targets, which a reader may change."""

    by_month: pl.DataFrame
    by_month_capped: pl.DataFrame  # no case counts beyond what was placed on it: as targets do
    by_stage: pl.DataFrame
    resolved: pl.DataFrame
    resolved_whole: pl.DataFrame
    book_cells: pl.DataFrame
    late_by_case: bool
    curve: pl.DataFrame
    period: pl.DataFrame
    whole: dict[str, Any] | None
    liquidation: pl.DataFrame
    liquidation_points: pl.DataFrame
    months: pl.DataFrame
    rules: dict[str, int]


@dataclass(frozen=True)
class Book:
    """The book's targets: recovery by metric, and the first contact (no rows: none recorded)."""

    recovery: dict[str, dict[str, Any]]
    contact: pl.DataFrame


def with_empty_months(course: pl.DataFrame, view: ui.View) -> pl.DataFrame:
    """Lines by month with a row for every month of the window that the book has: a line is broken
    where there is nothing."""
    first, last = view.chosen.months()
    start = max(first, view.book.first_month).replace(day=1)
    months = pl.date_range(start, last, "1mo", eager=True).dt.month_end().alias("month")
    every = months.to_frame().join(course.select("series").unique(), how="cross")
    missing = every.join(course, on=["series", "month"], how="anti")
    return pl.concat([course, missing], how="diagonal").sort("month", "series")


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def figures(key: str, _view: ui.View) -> Figures | None:
    """The figures of a choice; None where no case was opened in it."""
    view = _view
    cells = ui.load(view, recovery.cohorts)
    if not (cells["cases"] + cells["immature_cases"]).sum():
        return None
    days = ui.load(view, recovery.resolution_days)
    every = ["horizon", "stage"]
    every_stage = days.with_columns(stage=pl.lit("all"))
    period = recovery_period(pl.concat([every_stage, days]), by=["stage"]) if days.height else days
    curves = _liquidation(view)
    money, late_by_case = with_late_placements(view, cells)
    rules = dict(ui.load(view, recovery.cash_by_rule).iter_rows())
    return Figures(
        by_month=cohort_recovery(money, by=[*every, "opened_month"]),
        by_month_capped=cohort_recovery(money, by=[*every, "opened_month"], cash="clipped"),
        by_stage=cohort_recovery(money, by=every),
        resolved=resolved_share(cells, by=every),
        resolved_whole=resolved_share(cells, by=["horizon"]),
        book_cells=money,
        late_by_case=late_by_case,
        curve=incidence_curve(days) if days.height else days,
        period=period.filter(pl.col("stage") != "all") if days.height else days,
        whole=period.row(0, named=True) if days.height else None,
        liquidation=curves,
        liquidation_points=curve_points(curves, pooled_curve(curves)),
        months=_months(view),
        rules={rule: int(rules[rule]) for rule in RULES if rule in rules},
    )


def _months(view: ui.View) -> pl.DataFrame:
    """Collections by calendar month: whose cash it is, and the period rate."""
    months = ui.load(view, recovery.collections_months).with_columns(
        cash_cents=pl.col("owner_cents")
    )
    rates = period_rate(months).select("month", "rate", "reason")
    return months.join(rates, on="month", how="left").sort("month")


def _liquidation(view: ui.View) -> pl.DataFrame:
    placed = complete_steps(ui.load(view, recovery.placements), last_day=view.book.as_of)
    placed = placed.filter(pl.col("placed_cents") > 0)
    cash = ui.load(view, recovery.liquidation_cash).join(placed, on="placed_month", how="semi")
    capped = placed.with_columns(pl.col("complete_to").clip(upper_bound=LAST_STEP))
    return liquidation_curves(cash, capped)


def book_attainment(view: ui.View, found: Figures, targets: Targets) -> Book:
    """What the book attained, and how sure it is that its targets are met."""
    return _book_attainment(f"{view.key} {targets!r}", view, found, targets)


@st.cache_resource(max_entries=64, ttl=3600, show_spinner=False)
def _book_attainment(key: str, _view: ui.View, _found: Figures, _targets: Targets) -> Book:
    rows = {}
    for metric, (stage, horizon) in recovery.TARGETED.items():
        cells = _found.book_cells.filter(stage=stage, horizon=horizon)
        if cells.is_empty():
            continue
        target = _targets.for_book(metric)
        row = target_attainment(cells, target=target).row(0, named=True)
        rate = _found.by_stage.filter(stage=stage, horizon=horizon).row(0, named=True)
        rows[metric] = {**row, "target": target, "rate": rate["rate"], "reason": rate["reason"]}
    counts = ui.load(_view, recovery.first_attempts)
    counts = counts.with_columns(owner=pl.lit("The book"))
    days = _targets.for_book("first_contact_days")
    goal = pl.DataFrame({"owner": ["The book"], "target": [days]})
    return Book(rows, _contact(counts, goal, "owner"))


def owner_attainment(view: ui.View, targets: Targets, *, by: str, metric: str) -> pl.DataFrame:
    """By team or collector: attained so far, expected, probability, the target."""
    return _owner_attainment(f"{view.key} {by} {metric} {targets!r}", view, targets, by, metric)


@st.cache_resource(max_entries=64, ttl=3600, show_spinner=False)
def _owner_attainment(
    key: str, _view: ui.View, _targets: Targets, by: str, metric: str
) -> pl.DataFrame:
    if metric not in recovery.TARGETED:
        return _first_contact(_view, _targets, by)
    stage, _ = recovery.TARGETED[metric]
    cells = ui.load(_view, recovery.owner_targets, stage=stage).filter(pl.col(by).is_not_null())
    return _attained(cells, metric, _targets, by)


def _attained(cells: pl.DataFrame, metric: str, targets: Targets, by: str) -> pl.DataFrame:
    """Owners of equal targets are judged together."""
    goals = _goals(cells, metric, targets, by)
    parts = []
    for (target,), group in cells.join(goals, on=by).group_by("target", maintain_order=True):
        table = target_attainment(group, target=float(str(target)), by=[by])
        parts.append(table.with_columns(target=pl.lit(target), metric=pl.lit(metric)))
    return pl.concat(parts).rename({by: "owner"}) if parts else pl.DataFrame()


def _goals(cells: pl.DataFrame, metric: str, targets: Targets, by: str) -> pl.DataFrame:
    owners = (
        cells.select(pl.col(by).alias("owner"), "team")
        .sort("team", nulls_last=True)
        .unique("owner", keep="first", maintain_order=True)
    )
    values = [
        targets.for_team(metric, owner)
        if by == "team"
        else targets.for_collector(metric, owner, team)
        for owner, team in owners.iter_rows()
    ]
    return pl.DataFrame({by: owners["owner"], "target": pl.Series(values, dtype=pl.Float64)})


def _first_contact(view: ui.View, targets: Targets, by: str) -> pl.DataFrame:
    """By team or collector: the mean of working days to the first attempt."""
    counts = ui.load(view, owner_cells.first_attempts)
    counts = counts.filter(pl.col(by).is_not_null())
    return _contact(counts, _goals(counts, "first_contact_days", targets, by), by)


def _contact(counts: pl.DataFrame, goals: pl.DataFrame, by: str) -> pl.DataFrame:
    """The mean of working days to the first attempt, and how sure it is at most the target."""
    if counts.is_empty():
        return pl.DataFrame()
    names = ("contacted", "closed", "open")
    added = counts.group_by(by, "working_day", maintain_order=True).agg(pl.col(names).sum())
    contact = days_to_contact(added, by=[by]).join(goals, on=by, how="left")
    return (
        contact_attainment(contact)
        .with_columns(metric=pl.lit("first_contact_days"))
        .rename({by: "owner"})
    )
