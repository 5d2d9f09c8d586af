"""A refresh after a load makes anew what it touched; the marts are those of a full one."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import duckdb
import polars as pl
import pytest
import sqlalchemy as sa
from polars.testing import assert_frame_equal
from scipy.stats import spearmanr

from bench.splitting import split_last_month
from jobs.recovery_sources import fact_totals, stamps
from jobs.refresh import book_shape, refresh
from queries.cases import CaseSettings
from tests.books import put
from tests.lender import take, write
from tests.recovery_books import ENDS, case_book, every_mart, mart
from tests.served import synthetic
from warehouse.buckets import DEFAULT_BOUNDS
from warehouse.contract import contract
from warehouse.engines import Connection, session
from warehouse.marts import marts
from warehouse.published import current_version
from warehouse.sample.book import make_book

TODAY = dt.date(2026, 7, 1)
SETTINGS = {"book", "recovery_settings", "segment_settings"}
JAN, FEB, MAR, APR, MAY, JUN, JUL = ENDS


def as_csv(book: dict[str, list[dict[str, object]]]) -> dict[str, str]:
    return {
        name: pl.DataFrame(rows, infer_schema_length=None).write_csv()
        for name, rows in book.items()
    }


def equal_to_a_full_refresh(url: str, folder: Path, whole: Path) -> None:
    """Every mart is what a refresh makes that has nothing but the settings, as first drawn."""
    shutil.copytree(folder, whole)
    path = current_version(whole)
    assert path
    every = [table.name for table in marts.sorted_tables]
    with duckdb.connect(str(path)) as emptied:
        for name in every:
            if name not in SETTINGS:
                emptied.execute(f"DELETE FROM {name}")
    refresh(url, whole)
    both = [every_mart(place, *every) for place in (folder, whole)]
    for name in every:
        if name != "book":  # it says when it was made, as a model does
            rows = [one[name].drop("fitted_at", strict=False) for one in both]
            found, expected = (frame.sort(pl.all()) for frame in rows)
            near = 1e-3 if name.startswith("effect_") else 1e-6  # solvers stop where they may
            assert_frame_equal(found, expected, rel_tol=near, abs_tol=near)


def change(book: dict[str, list[dict[str, object]]], table: str, key: str, **values: object) -> str:
    """The file of a row that is changed, and stays so."""
    row = next(row for row in book[table] if key in row.values())
    row.update(values)
    return pl.DataFrame([row], infer_schema_length=None).write_csv()


CHANGES = {
    "a late payment touches the cohorts to its day, and its month": (
        ("payments", "p3", {"amount": "21"}),
        {("cohort", JAN), ("month", JAN), ("month", FEB)},
    ),
    "a payment that moves touches both months": (
        ("payments", "p3", {"paid_on": "2024-02-03"}),
        {("cohort", JAN), ("month", JAN), ("month", FEB)},
    ),
    "a case that closes touches the months from then on": (
        ("cases", "c1", {"closed_on": "2024-06-20", "close_reason": "cured"}),
        {("cohort", MAY), ("month", JUN), ("month", JUL)},
    ),
    "a case in other hands touches all months from its opening on": (
        ("cases", "c1", {"collector_id": "K2"}),
        {("cohort", MAY), ("month", MAY), ("month", JUN), ("month", JUL)},
    ),
    "a changed second case touches its episode's cohort": (
        ("cases", "g2", {"closed_on": "2024-03-20"}),
        {("cohort", MAR), *(("month", end) for end in ENDS[2:])},
    ),
    "a contact touches its case's cohort, its month and the one it is credited in": (
        ("contacts", "t6", {"outcome": "right_party"}),
        {("cohort", MAY), ("month", MAY)},
    ),
    "a suit touches its case's cohort, whose timeline it is in": (
        ("legal_actions", "s1", {"acted_on": "2024-05-10"}),
        {("cohort", MAY), ("month", MAY)},
    ),
    "a borrower who moves touches everything of theirs": (
        ("customers", "X", {"region": "South"}),
        {("cohort", JAN), *(("month", end) for end in ENDS)},
    ),
    "what no mart shows touches nothing": (
        ("customers", "X", {"is_vulnerable": True}),
        set(),
    ),
}


def test_a_load_touches(tmp_path: Path, facts_url: str) -> None:
    """One load after another, each a changed row, on a book that is made once."""
    book = case_book()
    today = dt.date(2024, 9, 1)
    report = take(write(tmp_path / "first", **as_csv(book)), facts_url, today=today)
    assert {month for part, month in report.touched_recovery if part == "cohort"} == {
        JAN, MAR, MAY, JUN, dt.date(2024, 8, 31),
    }  # fmt: skip
    folder, waiting = tmp_path / "marts", set[tuple[str, dt.date]]()
    refresh(facts_url, folder)
    at_once = 3 if facts_url.startswith("duckdb") else len(CHANGES)  # loads before a refresh
    for number, (what, ((table, key, values), parts)) in enumerate(CHANGES.items(), start=1):
        files = {table: change(book, table, key, **values)}
        report = take(write(tmp_path / str(number), **files), facts_url, today=today)
        assert set(report.touched_recovery) == parts, what
        waiting |= parts
        if number % at_once == 0:
            result = refresh(facts_url, folder).recovery
            assert set(result.cohorts) == {month for part, month in waiting if part == "cohort"}
            assert set(result.months) == {month for part, month in waiting if part == "month"}
            waiting.clear()
    # what a refresh left out, and should not have, stays wrong till the end
    equal_to_a_full_refresh(facts_url, folder, tmp_path / "whole")


@pytest.mark.parametrize(
    ("table", "key", "values"),
    [
        ("legal_actions", "s1", {"acted_on": "2024-07-20"}),
        ("collectors", "K2", {"team": "T9"}),
        ("customers", "X", {"preferred_channel": "sms"}),
    ],
)
def test_what_others_change_in_their_warehouse_makes_the_marts_anew(
    duckdb_url: str, table: str, key: str, values: dict[str, str]
) -> None:
    put(duckdb_url, **case_book())
    with duckdb.connect(duckdb_url.removeprefix("duckdb:///")) as raw:  # no record of loads
        for (name,) in raw.execute("SELECT table_name FROM duckdb_tables()").fetchall():
            if name.startswith(("warehouse_", "load_")):
                raw.execute(f"DROP TABLE {name}")
    row = contract.tables[table]
    ((column, value),) = values.items()
    with session(duckdb_url, read_only=False) as facts:
        before = made_from(facts)
        assert before == made_from(facts)
        is_changed = row.c[row.columns.keys()[0]] == key
        changed = sa.cast(value, row.c[column].type)
        facts.execute(sa.update(row).where(is_changed).values({column: changed}))
        assert all(stamp != before[part] for part, stamp in made_from(facts).items())


def made_from(facts: Connection) -> dict[tuple[str, dt.date], str]:
    shape, settings = book_shape(facts, DEFAULT_BOUNDS), CaseSettings(JUL)
    return stamps(facts, shape, settings, "", {}, fact_totals(facts, shape, settings))


def test_a_new_month_costs_its_cohorts_and_ends_as_a_full_refresh(tmp_path: Path) -> None:
    make_book(tmp_path / "sample", loans=500, months=8, seed=11)
    split_last_month(tmp_path / "sample", tmp_path / "first", tmp_path / "new")
    url = f"duckdb:///{tmp_path / 'facts.duckdb'}"
    take(tmp_path / "first", url, today=TODAY)
    first = refresh(url, tmp_path / "marts").recovery
    assert (len(first.cohorts), len(first.months)) == (7, 7)
    take(tmp_path / "new", url, today=TODAY)
    result = refresh(url, tmp_path / "marts")
    for part in (result.recovery, result.segments):
        assert len(part.cohorts) <= 7  # those of the last 181 days, and the new one
        assert len(part.months) == 1
    equal_to_a_full_refresh(url, tmp_path / "marts", tmp_path / "whole")


def test_adjusted_effects_are_nearer_to_planted_skill_than_raw_rates(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    where = synthetic(tmp_path_factory.mktemp("skills"))
    planted = json.loads((where.files / "truths.json").read_text())["collectors"]
    skill = pl.DataFrame(planted).select("collector_id", "skill_log_odds")
    found = mart(where.marts, "owner_effects", owner_kind="collector", outcome="resolved")
    both = found.join(skill, left_on="owner", right_on="collector_id")
    raw = spearmanr(both["observed"] / both["cases"], both["skill_log_odds"]).statistic
    adjusted = spearmanr(both["effect"], both["skill_log_odds"]).statistic
    assert adjusted > raw
    assert adjusted > 0.4  # a dozen collectors
