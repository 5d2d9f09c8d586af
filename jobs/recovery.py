"""The marts of recovery at refresh: cohorts and months that changed, models, and their proof."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any

import polars as pl
import sqlalchemy as sa

from jobs import case_marts, channel_models, contact_marts, owner_models
from jobs.case_book import CaseBook
from jobs.commits import Commits
from jobs.reading import in_order
from jobs.recovery_proof import recovery_differences
from jobs.recovery_sources import (
    COHORT,
    MONTH,
    case_settings,
    fact_totals,
    setting_rows,
    stamps,
)
from queries import case_prints
from queries.case_months import all_cash
from queries.cases import LAST_HORIZON, CaseSettings, days_after
from queries.loan_states import SEGMENTS, BookShape
from warehouse import recovery_marts
from warehouse.engines import Connection
from warehouse.holidays import Holidays
from warehouse.marts import marts

# Which marts are made by cohort and which by calendar month, and the column that says which.
KEYS = {
    COHORT: {
        "cohorts": "opened_month",
        "owner_cases": "opened_month",
        "resolution_days": "opened_month",
        "placements": "placed_month",
        "first_contacts": "opened_month",
        "timeline": "opened_month",
        "landmarks": "opened_month",
        "landmark_costs": "opened_month",
    },
    MONTH: {
        "collections_months": "month",
        "liquidation_cash": "paid_month",
        "owner_work": "month",
        "channel_work": "month",
        "channel_fit": "month",
        "channel_cash": "month",
    },
}
CHANNEL_MODELS = (
    "effect_influence",
    "effect_histogram",
    "effect_balance",
    "effect_models",
    "effect_coefficients",
    "effect_costs",
)
MODELS = "models"
WORKERS = 2  # cohorts and months at work at once
Frames = dict[str, pl.DataFrame]
Key = tuple[str, date]  # a cohort or a month


@dataclass(frozen=True)
class RecoveryResult:
    """What the recovery part of a refresh did."""

    cohorts: tuple[date, ...]
    months: tuple[date, ...]
    differences: tuple[str, ...]  # sentences: where the marts do not equal the facts
    seconds: float


def refresh_recovery(
    facts: Connection,
    target: Connection,
    shape: BookShape,
    schema: str,
    book: Mapping[date, str],
    progress: Callable[[str], None],
    holidays: Holidays = (),
) -> RecoveryResult:
    """Bring the recovery marts up to the facts, a cohort or month at a time.

    `book`: the portfolio's months and what they were made from.  `holidays`: for working days.
    """
    started = time.monotonic()
    settings = CaseSettings(max(book))
    if "cases" in shape.tables:
        settings = case_settings(facts, target, max(book))
    settings = replace(settings, holidays=holidays)
    _replace(target, {"recovery_settings": setting_rows(settings)})
    totals = fact_totals(facts, shape, settings)
    wanted = stamps(facts, shape, settings, schema, dict(book), totals)
    made = _made(target, wanted)
    stale = sorted((key for key in wanted if made.get(key) != wanted[key]), key=_needed_to)
    _make(facts, target, shape, settings, stale, made, wanted, progress)
    facts.let_pages_go()
    _fit(target, wanted, progress)
    _replace(target, _whole_tables(facts, shape, settings))
    target.commit()
    wrong = recovery_differences(totals, target)
    for part, month, _ in wrong:  # so that the next refresh makes them anew
        erase(target, part, month)
    target.commit()
    done = {kind: tuple(month for part, month in stale if part == kind) for kind in KEYS}
    sentences = tuple(sentence for _, _, sentence in wrong)
    return RecoveryResult(done[COHORT], done[MONTH], sentences, time.monotonic() - started)


def _make(
    facts: Connection,
    target: Connection,
    shape: BookShape,
    settings: CaseSettings,
    stale: list[Key],
    made: Mapping[Key, str],
    wanted: Mapping[Key, str],
    progress: Callable[[str], None],
) -> None:
    """Make cohorts and months anew; its cases are let go before models are fitted."""
    cohorts = [month for part, month in wanted if part == COHORT]
    cash = {month: _cash(facts, target, month, shape) for part, month in stale if part == MONTH}
    until = min(max((_needed_to(key)[0] for key in stale), default=settings.as_of), settings.as_of)
    with ThreadPoolExecutor(1) as reading, ThreadPoolExecutor(WORKERS) as working:
        since = min((month for _, month in stale), default=settings.as_of)
        cases = CaseBook(facts, shape, settings, cohorts, since, until, reading)
        found = in_order(working, partial(_frames, shape, cases, cash), stale, WORKERS)
        commits = Commits(target)
        for number, ((part, month), frames) in enumerate(zip(stale, found, strict=True), start=1):
            what = "cases opened in" if part == COHORT else "collections of"
            progress(f"{what} {month:%Y-%m} ({number} of {len(stale)})")
            if (part, month) in made:
                erase(target, part, month)
            _write(target, frames)
            _stamp(target, part, month, wanted[part, month])
            commits.now_and_then()
    target.commit()


def _frames(
    shape: BookShape, cases: CaseBook, cash: Mapping[date, pl.DataFrame], key: Key
) -> Frames:
    """The marts of a cohort or a month."""
    part, month = key
    if part == COHORT:
        frames = case_marts.compute_cohort(month, shape, cases)
        return frames | contact_marts.compute_cohort(month, shape, cases)
    frames = case_marts.compute_month(month, cases, cash[month])
    return frames | contact_marts.compute_month(month, shape, cases)


def _cash(facts: Connection, target: Connection, month: date, shape: BookShape) -> pl.DataFrame:
    """All cash of a month by segment: the portfolio's, or the facts' from before its first."""
    table = marts.tables["cash"]
    known = sa.select(*[table.c[name] for name in SEGMENTS], table.c.payments_cents)
    cash = target.fetch(known.where(table.c.month == month)).rename(
        {"payments_cents": "cash_cents"}
    )
    if "payments" in shape.tables and cash.is_empty():
        cash = facts.fetch(all_cash(month, shape))
    return cash.drop_nulls("cash_cents")


def _made(target: Connection, wanted: Mapping[Key, str]) -> dict[Any, str]:
    """The stamps of what was made before; what the facts no longer have is erased."""
    table = recovery_marts.recovery_stamps
    rows = target.fetch(sa.select(table).where(table.c.part != MODELS)).iter_rows()
    made = {(part, month): stamp for part, month, stamp in rows}
    for part, month in made.keys() - wanted.keys():
        erase(target, part, month)
    target.commit()
    return made


def _needed_to(key: Key) -> tuple[date, str]:
    """A cohort is made with the last month of cash that it needs, while that is at hand."""
    part, month = key
    return (days_after(month, LAST_HORIZON) if part == COHORT else month), part


def erase(target: Connection, part: str, month: date) -> None:
    """Take a cohort or a month out of the marts, so that it is made anew."""
    for name, key in KEYS[part].items():
        table = marts.tables[name]
        target.execute(sa.delete(table).where(table.c[key] == month))
    table = recovery_marts.recovery_stamps
    target.execute(sa.delete(table).where(table.c.part == part, table.c.month == month))


def _stamp(target: Connection, part: str, month: date | None, stamp: str) -> None:
    row = {"part": [part], "month": [month], "stamp": [stamp]}
    schema = {"part": pl.String, "month": pl.Date, "stamp": pl.String}
    target.ingest("recovery_stamps", pl.DataFrame(row, schema=schema))


def _write(target: Connection, frames: Frames) -> None:
    for name, frame in frames.items():
        known = [column.name for column in marts.tables[name].columns]
        if frame.height:
            target.ingest(
                name, frame.select([column for column in known if column in frame.columns])
            )


def _replace(target: Connection, frames: Frames) -> None:
    for name in frames:
        target.execute(sa.delete(marts.tables[name]))
    _write(target, frames)


def _fit(
    target: Connection,
    wanted: dict[Key, str],
    progress: Callable[[str], None],
) -> None:
    """The models, where any cohort they stand on changed."""
    stood_on = repr(sorted(item for item in wanted.items() if item[0][0] == COHORT))
    stamp = hashlib.sha256(stood_on.encode()).hexdigest()
    table = recovery_marts.recovery_stamps
    made = target.fetch(sa.select(table.c.stamp).where(table.c.part == MODELS))["stamp"].to_list()
    if made == [stamp]:
        return
    target.execute(sa.delete(table).where(table.c.part == MODELS))
    progress("models of collectors, teams, agencies and channels")
    cells = owner_models.read_owner_cells(target)
    with ThreadPoolExecutor(1) as beside:  # neither keeps two cores at work by itself
        fitting = beside.submit(owner_models.fit_owner_models, cells)
        of_channels = channel_models.fit(target)
        of_owners = fitting.result()
    _replace(target, {name: pl.DataFrame() for name in owner_models.MODELS} | of_owners)
    _replace(target, {name: pl.DataFrame() for name in CHANNEL_MODELS} | of_channels)
    _stamp(target, MODELS, None, stamp)
    target.commit()


def _whole_tables(facts: Connection, shape: BookShape, settings: CaseSettings) -> Frames:
    """Small tables as the contract has them, made anew each time."""
    sources = {
        "owners": ("collectors", case_prints.collector_rows()),
        "partners": ("agencies", case_prints.agency_rows()),
        "people_events": ("events", case_prints.event_rows(settings)),
        "spending": ("costs", case_prints.cost_rows(settings)),
    }
    return {
        mart: facts.fetch(statement) if table in shape.tables else pl.DataFrame()
        for mart, (table, statement) in sources.items()
    }
