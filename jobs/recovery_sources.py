"""What the recovery marts were, or would be, made from: settings, and a stamp for each part."""

from __future__ import annotations

import hashlib
import json
from datetime import date, timedelta

import polars as pl
import sqlalchemy as sa

from queries import case_prints
from queries.cases import (
    EARLY_DAYS,
    HORIZONS,
    LAST_HORIZON,
    MIDDLE_DAYS,
    CaseSettings,
    band_amounts,
    rounded_bounds,
    unnamed_episodes,
)
from queries.contacts import LANDMARK_DAY, OUTCOME_DAYS
from queries.holidays import HOLIDAYS, written
from queries.loan_states import BookShape
from warehouse.contract import load_recovery, loads
from warehouse.engines import Connection
from warehouse.recovery_marts import recovery_settings

BOUNDS = "amount_bounds"
COHORT, MONTH = "cohort", "month"


def case_settings(facts: Connection, target: Connection, as_of: date) -> CaseSettings:
    """The settings of the statements; amount bands stay as they were first drawn."""
    kept = dict(target.fetch(sa.select(recovery_settings)).iter_rows())
    if BOUNDS in kept:
        small, middle, large = (round(amount * 100) for amount in json.loads(kept[BOUNDS]))
        bounds = (small, middle, large)
    else:
        bounds = rounded_bounds(facts.fetch(band_amounts(as_of)).row(0))
    has_chains = facts.fetch(unnamed_episodes()).height > 0
    return CaseSettings(as_of=as_of, band_bounds=bounds, has_chains=has_chains)


def setting_rows(settings: CaseSettings) -> pl.DataFrame:
    bounds = {BOUNDS: list(settings.amounts)} if settings.band_bounds else {}
    values = bounds | {
        "horizons": list(HORIZONS),
        "stage_days": [EARLY_DAYS, MIDDLE_DAYS],
        "landmark_day": LANDMARK_DAY,
        "landmark_days": OUTCOME_DAYS,
        "as_of": settings.as_of.isoformat(),
    }
    texts = {name: json.dumps(value) for name, value in values.items()}
    texts[HOLIDAYS] = written(settings.holidays)
    return pl.DataFrame({"name": list(texts), "value": list(texts.values())})


def fact_totals(
    facts: Connection, shape: BookShape, settings: CaseSettings
) -> dict[str, pl.DataFrame]:
    """What the marts must add up to: cases by opening month, and cash by month, by table."""
    asked = {"cases": case_prints.case_totals, "payments": case_prints.cash_totals}
    there = [name for name in asked if {"cases", name} <= shape.tables]
    return {name: facts.fetch(asked[name](settings)) for name in there}


def stamps(
    facts: Connection,
    shape: BookShape,
    settings: CaseSettings,
    schema: str,
    book: dict[date, str],
    totals: dict[str, pl.DataFrame],
) -> dict[tuple[str, date], str]:
    """What each cohort's and month's marts are made from; equal stamps need no work.

    `book` are the stamps of the portfolio's months, `totals` the facts'.  A cohort is final
    once its youngest case has had all horizons: until then its stamp holds the data's last day.
    """
    cohorts, months = _there(facts, shape, settings, book, totals)
    touched: dict[tuple[str, date], str] = {}
    known = facts.tables()
    if loads.name in known:
        if load_recovery.name in known:
            rows = facts.fetch(case_prints.touching_loads()).iter_rows()
            touched = {(part, month): str(load_id) for part, month, load_id in rows}
        source = ""
    else:
        source = _digest(facts, shape, book)
    common = f"{schema}|{shape.bounds}|{sorted(shape.tables)}|{settings.band_bounds}|{source}|"
    found = {}
    for part, several in ((COHORT, cohorts), (MONTH, months)):
        for month in several:
            final_on = month + timedelta(days=LAST_HORIZON) if part == COHORT else month
            text = f"{common}{touched.get((part, month), '0')}|{min(final_on, settings.as_of)}"
            if part == COHORT and (days := _days_off(settings, month)):
                text += f"|{days}"
            found[part, month] = hashlib.sha256(text.encode()).hexdigest()
    return found


def _days_off(settings: CaseSettings, month: date) -> list[tuple[str, bool]]:
    """The holidays that count for cases opened in the month: from then on."""
    until = month + timedelta(days=LAST_HORIZON)
    within = (one for one in settings.holidays if month.replace(day=1) <= one[0] <= until)
    return [(day.isoformat(), is_worked) for day, is_worked in within]


def _there(
    facts: Connection,
    shape: BookShape,
    settings: CaseSettings,
    book: dict[date, str],
    totals: dict[str, pl.DataFrame],
) -> tuple[list[date], list[date]]:
    """Opening months, and calendar months in which anything happened, to the last day."""
    if "cases" not in shape.tables:
        return [], []
    cohorts = _months(totals["cases"])
    months = {*cohorts, *book}
    if "payments" in shape.tables:
        months |= _months(totals["payments"])
    if "contacts" in shape.tables:
        months |= _months(facts.fetch(case_prints.contact_months()))
    return sorted(cohorts), sorted(month for month in months if month <= settings.as_of)


def _months(rows: pl.DataFrame) -> set[date]:
    return set(rows["month_start"].drop_nulls().dt.month_end())


def _digest(facts: Connection, shape: BookShape, book: dict[date, str]) -> str:
    """Of everything at once, for warehouses that others load: any change makes all anew."""
    digest = hashlib.sha256(repr(sorted(book.items())).encode())
    for statement in case_prints.prints(shape.tables):
        for line in sorted(map(repr, facts.fetch(statement).iter_rows())):
            digest.update(line.encode())
    return digest.hexdigest()
