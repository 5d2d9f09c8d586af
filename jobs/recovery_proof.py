"""Marts = facts: the recovery marts' cases and cash beside the facts', to the cent."""

from __future__ import annotations

from datetime import date

import polars as pl
import sqlalchemy as sa

from jobs.recovery_sources import COHORT, MONTH
from queries.loan_states import total
from warehouse.engines import Connection
from warehouse.recovery_marts import (
    channel_cash,
    collections_months,
    liquidation_cash,
    owner_cases,
    placements,
)


def recovery_differences(
    totals: dict[str, pl.DataFrame], target: Connection
) -> list[tuple[str, date, str]]:
    """Part, month and sentence for each total of the marts that is not the facts' `totals`.

    Cases and what was placed, by opening month; cash of owners and nobody, by month; and
    owners' cash again as the liquidation curves and each rule of credit have it.
    """
    if "cases" not in totals:
        return []
    found = _compared(COHORT, totals["cases"], target.fetch(_opened()))
    if "payments" in totals:
        found += _compared(MONTH, totals["payments"], target.fetch(_cash()))
        owned = target.fetch(_owned())
        for mart, label, month in (
            (liquidation_cash, liquidation_cash.c.unit, liquidation_cash.c.paid_month),
            (channel_cash, channel_cash.c.rule, channel_cash.c.month),
        ):
            again = target.fetch(_cash_again(mart, label, month))
            for (name,), rows in again.partition_by("name", as_dict=True).items():
                found += _compared(MONTH, owned, rows.drop("name"), f" ({mart.name}, {name})")
    return found


def _opened() -> sa.Select:
    cases = (
        sa.select(
            owner_cases.c.opened_month.label("month"),
            total(owner_cases.c.opened_cases).label("cases"),
            total(owner_cases.c.opened_cents).label("placed_cents"),
        )
        .group_by(owner_cases.c.opened_month)
        .subquery()
    )
    placed = (
        sa.select(
            placements.c.placed_month.label("month"),
            total(placements.c.cases).label("placements"),
        )
        .where(placements.c.unit == "case")
        .group_by(placements.c.placed_month)
        .subquery()
    )
    return sa.select(*cases.c).join_from(
        cases,
        placed,
        sa.and_(placed.c.month == cases.c.month, placed.c.placements == cases.c.cases),
    )


def _cash() -> sa.Select:
    both = collections_months.c.owner_cents + collections_months.c.nobody_cents
    return sa.select(collections_months.c.month, total(both).label("cash_cents")).group_by(
        collections_months.c.month
    )


def _owned() -> sa.Select:
    return sa.select(
        collections_months.c.month, total(collections_months.c.owner_cents).label("cash_cents")
    ).group_by(collections_months.c.month)


def _cash_again(mart: sa.Table, label: sa.ColumnElement[str], month: sa.Column[date]) -> sa.Select:
    name = label.label("name")
    return sa.select(
        name, month.label("month"), total(mart.c.cash_cents).label("cash_cents")
    ).group_by(name, month)


def _compared(
    part: str, expected: pl.DataFrame, found: pl.DataFrame, where: str = ""
) -> list[tuple[str, date, str]]:
    if "month_start" in expected.columns:
        expected = expected.select(
            pl.col("month_start").dt.month_end().alias("month"), pl.exclude("month_start")
        )
    numbers = [name for name in expected.columns if name != "month"]
    both = expected.join(found, on="month", how="full", coalesce=True, suffix="_mart")
    wrong = both.with_columns(pl.exclude("month").fill_null(0)).filter(
        pl.any_horizontal(pl.col(name) != pl.col(f"{name}_mart") for name in numbers)
    )
    sentences = []
    for row in wrong.sort("month").iter_rows(named=True):
        facts = " and ".join(f"{row[name]} {_WORDS[name]}" for name in numbers)
        mart = " and ".join(str(row[f"{name}_mart"]) for name in numbers)
        text = (
            f"{_PARTS[part]} {row['month']:%Y-%m}{where}: {facts} in the facts, {mart} in the mart"
        )
        sentences.append((part, row["month"], text))
    return sentences


_WORDS = {"cases": "cases", "placed_cents": "cents placed", "cash_cents": "cents of cash"}
_PARTS = {COHORT: "cases opened in", MONTH: "cash of"}
