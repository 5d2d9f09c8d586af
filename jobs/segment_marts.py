"""The marts of strategy at refresh: classes by month, cohorts by class, treatments, the model."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl
import sqlalchemy as sa

from jobs.commits import Commits
from jobs.months import month_before
from jobs.recovery_sources import COHORT, MONTH, case_settings
from jobs.resolution_models import MODEL_MARTS, fit_resolution
from jobs.segment_book import SegmentBook
from jobs.segment_cohorts import compute_cohort
from jobs.segment_months import compute_month
from jobs.segment_proof import sentences, wrong_months
from jobs.segment_sources import Key, digest, first_cuts, kept_cuts, setting_rows, stamps
from queries.cases import CaseSettings
from queries.curve_windows import curve_windows, products
from queries.loan_states import SEGMENTS, BookShape, total
from queries.treatments import treatments
from warehouse import strategy_marts as tables
from warehouse.engines import Connection
from warehouse.marts import marts
from warehouse.recovery_marts import channel_work, collections_months

KEYS = {
    MONTH: {"segment_months": "month", "segment_moves": "month"},
    COHORT: dict.fromkeys(
        ("segment_cases", "segment_treatments", "resolution_cases"), "opened_month"
    ),
}
MODELS = "models"
Frames = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class SegmentResult:
    """What the part of a refresh that classes loans did."""

    months: tuple[date, ...]
    cohorts: tuple[date, ...]
    differences: tuple[str, ...]  # sentences: where the marts do not equal the facts
    seconds: float


def refresh_segments(
    facts: Connection,
    target: Connection,
    shape: BookShape,
    schema: str,
    book: Mapping[date, str],
    progress: Callable[[str], None],
) -> SegmentResult:
    """Bring the marts of strategy up to the facts, a month or cohort at a time.

    `book`: the portfolio's months and what they were made from.  Comes after the recovery marts:
    what those were made from decides which cohorts are made anew.
    """
    started = time.monotonic()
    as_of = max(book)
    settings = CaseSettings(as_of)
    if "cases" in shape.tables:
        settings = case_settings(facts, target, as_of)
    classes = SegmentBook(facts, shape, as_of, kept_cuts(target), first_cuts())
    _replace(target, {"segment_settings": setting_rows(classes.cuts)})
    wanted = stamps(facts, target, shape, schema, book, classes.cuts)
    stale = _stale(target, wanted)
    ranks = target.fetch(sa.select(marts.tables["buckets"]))
    commits = Commits(target)
    for number, (part, month) in enumerate(stale, start=1):
        what = "classes of" if part == MONTH else "classes of cases opened in"
        progress(f"{what} {month:%Y-%m} ({number} of {len(stale)})")
        if part == MONTH:
            earlier = month_before(month) if month_before(month) in book else None
            frames = compute_month(month, earlier, classes, target, ranks)
        else:
            frames = compute_cohort(month, facts, shape, settings, classes)
        _erase(target, part, month)
        _write(target, frames)
        _stamp(target, part, month, wanted[part, month])
        commits.now_and_then()
    target.commit()
    _replace(target, {"treatment_months": _treatments(facts, target, shape, settings)})
    # Anew each time: its sums are over the cases of all months, and no stamp is theirs.
    progress("what placed and sued balances paid")
    _replace(target, {"curve_windows": _windows(facts, shape, settings)})
    _fit(target, wanted, progress)
    target.commit()
    differences = _prove_equal(target)
    done = {kind: tuple(month for part, month in stale if part == kind) for kind in KEYS}
    return SegmentResult(done[MONTH], done[COHORT], differences, time.monotonic() - started)


def _stale(target: Connection, wanted: Mapping[Key, str]) -> list[Key]:
    """What to make anew, by the month-end whose loans it needs last; what is gone is erased."""
    table = tables.segment_stamps
    rows = target.fetch(sa.select(table).where(table.c.part != MODELS)).iter_rows()
    made = {(part, month): stamp for part, month, stamp in rows}
    for part, month in made.keys() - wanted.keys():
        _erase(target, part, month)
    stale = [key for key in wanted if made.get(key) != wanted[key]]
    return sorted(stale, key=lambda key: (_needs(key), key[0] == COHORT))


def _needs(key: Key) -> date:
    part, month = key
    return month if part == MONTH else month_before(month)


def _erase(target: Connection, part: str, month: date) -> None:
    for name, key in KEYS[part].items():
        table = marts.tables[name]
        target.execute(sa.delete(table).where(table.c[key] == month))
    table = tables.segment_stamps
    target.execute(sa.delete(table).where(table.c.part == part, table.c.month == month))


def _stamp(target: Connection, part: str, month: date | None, stamp: str) -> None:
    row = {"part": [part], "month": [month], "stamp": [stamp]}
    schema = {"part": pl.String, "month": pl.Date, "stamp": pl.String}
    target.ingest("segment_stamps", pl.DataFrame(row, schema=schema))


def _write(target: Connection, frames: Frames) -> None:
    for name, frame in frames.items():
        known = [column.name for column in marts.tables[name].columns]
        if frame.height:
            target.ingest(name, frame.select([one for one in known if one in frame.columns]))


def _replace(target: Connection, frames: Frames) -> None:
    for name in frames:
        target.execute(sa.delete(marts.tables[name]))
    _write(target, frames)


def _windows(facts: Connection, shape: BookShape, settings: CaseSettings) -> pl.DataFrame:
    """What cases paid by time since they were opened, or since their suit."""
    if not {"cases", "payments"} <= shape.tables:
        return pl.DataFrame()
    named = facts.fetch(products()).to_series()
    return pl.concat(facts.fetch(curve_windows(one, shape, settings)) for one in named)


def _treatments(
    facts: Connection, target: Connection, shape: BookShape, settings: CaseSettings
) -> pl.DataFrame:
    """Steps taken by month, beside the cases that were open and the calls that were made."""
    if "cases" not in shape.tables:
        return pl.DataFrame()
    keys = ["month", "stage", *SEGMENTS]
    steps = facts.fetch(treatments(settings.as_of, shape, settings))
    steps = steps.with_columns(month=pl.col("month_start").dt.month_end()).drop("month_start")
    opened = sa.select(
        *[collections_months.c[name] for name in (*keys, "open_cases", "open_cents")]
    )
    by = [channel_work.c[name] for name in keys]
    calls = sa.select(
        *by,
        *[
            total(
                sa.case((channel_work.c.channel.in_(names), channel_work.c.attempts), else_=0)
            ).label(name)
            for name, names in _CALLS.items()
        ],
    ).group_by(*by)
    parts = [steps, target.fetch(opened), target.fetch(calls)]
    both = pl.concat(parts, how="diagonal")
    return both.group_by(keys).agg(pl.exclude(keys).sum()).sort(keys)


_CALLS = {"calls": ("call", "voice_bot"), "bot_calls": ("voice_bot",)}


def _fit(target: Connection, wanted: Mapping[Key, str], progress: Callable[[str], None]) -> None:
    """The model of resolution, where any cohort it stands on changed."""
    stamp = digest(repr(sorted(item for item in wanted.items() if item[0][0] == COHORT)))
    table = tables.segment_stamps
    made = target.fetch(sa.select(table.c.stamp).where(table.c.part == MODELS))["stamp"].to_list()
    if made == [stamp]:
        return
    progress("model of resolution")
    target.execute(sa.delete(table).where(table.c.part == MODELS))
    cells = target.fetch(sa.select(tables.resolution_cases))
    _replace(target, dict.fromkeys(MODEL_MARTS, pl.DataFrame()) | fit_resolution(cells))
    _stamp(target, MODELS, None, stamp)


def _prove_equal(target: Connection) -> tuple[str, ...]:
    """Sentences where a scheme does not hold what is open; those months are then made anew."""
    wrong = wrong_months(target)
    for month in wrong["month"].unique():
        _erase(target, MONTH, month)
    target.commit()
    return sentences(wrong)
