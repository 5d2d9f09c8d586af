"""A refresh after a load makes anew what it touched; the marts are those of a full one."""

from __future__ import annotations

import datetime as dt
import json
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
from tests.recovery_books import ENDS, case_book, mart, tables
from warehouse.buckets import DEFAULT_BOUNDS
from warehouse.contract import contract
from warehouse.engines import Connection, session
from warehouse.sample.book import make_book

TODAY = dt.date(2026, 7, 1)
NOT_COMPARED = {"recovery_stamps", "owner_models"}  # digests; and the time of the fit
JAN, FEB, MAR, APR, MAY, JUN, JUL = ENDS


def as_csv(book: dict[str, list[dict[str, object]]]) -> dict[str, str]:
    return {
        name: pl.DataFrame(rows, infer_schema_length=None).write_csv()
        for name, rows in book.items()
    }


def equal_to_a_full_refresh(url: str, folder: Path, whole: Path) -> None:
    refresh(url, whole)
    expected = tables(whole)
    for name, found in tables(folder).items():
        if name not in NOT_COMPARED:
            near = 1e-3 if name.startswith("effect_") else 1e-6  # solvers stop where they may
            assert_frame_equal(found, expected[name], rel_tol=near, abs_tol=near)


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
    refresh(facts_url, tmp_path / "marts")
    for number, (what, ((table, key, values), parts)) in enumerate(CHANGES.items()):
        files = {table: change(book, table, key, **values)}
        report = take(write(tmp_path / str(number), **files), facts_url, today=today)
        assert set(report.touched_recovery) == parts, what
        result = refresh(facts_url, tmp_path / "marts").recovery
        assert set(result.cohorts) == {month for part, month in parts if part == "cohort"}, what
        assert set(result.months) == {month for part, month in parts if part == "month"}, what
        is_last, every = what == list(CHANGES)[-1], 3 if facts_url.startswith("duckdb") else 9
        if is_last or number % every == every - 1:  # what was not made anew stays wrong till then
            equal_to_a_full_refresh(facts_url, tmp_path / "marts", tmp_path / f"whole {number}")


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


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synthetic")
    make_book(folder / "sample", loans=3_000, months=12, seed=11)
    split_last_month(folder / "sample", folder / "first", folder / "new")
    return folder


def test_a_new_month_costs_its_cohorts_and_ends_as_a_full_refresh(
    synthetic: Path, tmp_path: Path
) -> None:
    url = f"duckdb:///{tmp_path / 'facts.duckdb'}"
    take(synthetic / "first", url, today=TODAY)
    first = refresh(url, tmp_path / "marts").recovery
    assert (len(first.cohorts), len(first.months)) == (11, 11)
    take(synthetic / "new", url, today=TODAY)
    result = refresh(url, tmp_path / "marts").recovery
    assert len(result.cohorts) <= 8  # those of the last 181 days
    assert len(result.months) == 1
    equal_to_a_full_refresh(url, tmp_path / "marts", tmp_path / "whole")


def test_adjusted_effects_are_nearer_to_planted_skill_than_raw_rates(
    synthetic: Path, tmp_path: Path
) -> None:
    url = f"duckdb:///{tmp_path / 'facts.duckdb'}"
    take(synthetic / "sample", url, today=TODAY)
    refresh(url, tmp_path / "marts")
    planted = json.loads((synthetic / "sample" / "truths.json").read_text())["collectors"]
    skill = pl.DataFrame(planted).select("collector_id", "skill_log_odds")
    found = mart(tmp_path / "marts", "owner_effects", owner_kind="collector", outcome="resolved")
    both = found.join(skill, left_on="owner", right_on="collector_id")
    raw = spearmanr(both["observed"] / both["cases"], both["skill_log_odds"]).statistic
    adjusted = spearmanr(both["effect"], both["skill_log_odds"]).statistic
    assert adjusted > raw
    assert adjusted > 0.4  # eleven collectors
