"""What the marts of strategy are made from: cut points of classes, and a stamp for each part."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from analytics.classes import ClassCuts, CutsRefused, chosen_cuts
from jobs.months import month_after, month_before
from jobs.recovery_sources import COHORT, MONTH
from queries.filters import months_before
from queries.loan_states import BookShape
from queries.segment_cases import OUTCOME_DAYS, plan_prints
from queries.segment_loans import HISTORY_MONTHS
from warehouse import settings
from warehouse import strategy_marts as tables
from warehouse.engines import Connection
from warehouse.recovery_marts import recovery_stamps

Key = tuple[str, date]


def kept_cuts(target: Connection) -> ClassCuts | None:
    """The cut points of the marts, with those that the file of `CLASS_CUTS` names instead."""
    rows = list(target.fetch(sa.select(tables.segment_settings)).iter_rows())
    own = named_cuts(settings.class_cuts())
    return replace(ClassCuts.from_rows(rows), **own) if rows else None


def first_cuts() -> ClassCuts:
    """Cut points before any are drawn: the product's, with those of the lender's own file."""
    return replace(ClassCuts(), **named_cuts(settings.class_cuts()))


def named_cuts(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return chosen_cuts(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise CutsRefused(f"CLASS_CUTS: {path} cannot be read: {error}.") from error
    except CutsRefused as refused:
        raise CutsRefused(f"CLASS_CUTS: {path}: {refused}.") from refused


def setting_rows(cuts: ClassCuts) -> pl.DataFrame:
    return pl.DataFrame(cuts.to_rows(), schema=["name", "value"], orient="row")


def stamps(
    facts: Connection,
    target: Connection,
    shape: BookShape,
    schema: str,
    book: Mapping[date, str],
    cuts: ClassCuts,
) -> dict[Key, str]:
    """What each part is made from: twelve months of history and, of cohorts, their 90 days."""
    rows = target.fetch(sa.select(recovery_stamps)).iter_rows()
    recovery = {(part, month): stamp for part, month, stamp in rows if month is not None}
    prints: dict[date, list[str]] = {}
    if "plans" in shape.tables:
        for start, *line in facts.fetch(plan_prints()).iter_rows():
            prints.setdefault(start, []).append(repr(line))
    common = f"{schema}|{shape.bounds}|{sorted(shape.tables)}|{cuts.to_rows()}|"
    history = {month: _history(month, book, recovery) for month in _span(book, recovery)}
    found = {}
    for month in book:
        text = history[month] + history.get(month_before(month), "")
        found[MONTH, month] = digest(f"{common}{text}")
    for part, month in recovery:
        if part == COHORT:
            planned = [sorted(prints.get(start, ())) for start in _starts(month)]
            then = history.get(month_before(month), "")
            found[part, month] = digest(f"{common}{recovery[part, month]}{then}{planned}")
    return found


def _span(book: Mapping[date, str], recovery: Mapping[Key, str]) -> list[date]:
    months = {*book, *(month for _, month in recovery)}
    return sorted(months | {month_before(month) for month in months})


def _history(month: date, book: Mapping[date, str], recovery: Mapping[Key, str]) -> str:
    """What twelve months were made from: loans' histories, payments and promises."""
    months = [months_before(month, back) for back in range(HISTORY_MONTHS)]
    return "|".join(f"{book.get(one)} {recovery.get((MONTH, one))}" for one in months)


def _starts(month: date) -> list[date]:
    """The first days of the months that 90 days after a month touch."""
    last, starts = month + timedelta(days=OUTCOME_DAYS), [month.replace(day=1)]
    while month < last:
        month = month_after(month)
        starts.append(month.replace(day=1))
    return starts


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
