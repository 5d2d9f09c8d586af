"""The bench itself, on a tiny book: every part runs, and its three matrices agree."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from bench import (
    book,
    conduct_time,
    data_time,
    figures,
    matrix,
    recovery_time,
    rivals,
    script_time,
    sessions,
    splitting,
)
from bench.figures import Figure
from bench.processes import ROOT
from queries.filters import whole_book
from queries.marts import open_marts, read_book
from warehouse.engines import DuckDBConnection

SETTINGS = {"loans": 600, "months": 5, "seed": 7}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> book.Place:
    found = book.Place(tmp_path_factory.mktemp("bench"))
    book.make(found, SETTINGS, lambda _: None)
    return found


def named(found: list[Figure]) -> dict[str, Figure]:
    return {figure.name: figure for figure in found}


def test_every_step_from_sample_to_marts_is_measured(place: book.Place) -> None:
    found = named(book.figures(place))
    for step in ("sample", "load, one new month", "refresh, one new month", "refresh, all months"):
        assert found[f"{step}: wall"].value > 0.1
        assert found[f"{step}: peak memory"].value > 0.05
    for step in ("refresh, one new month", "refresh, all months"):
        assert 0 < found[f"{step}: recovery part"].value < found[f"{step}: wall"].value
        assert 0 < found[f"{step}: portfolio part"].value < found[f"{step}: wall"].value
    assert "loan_months" in found["rows"].note
    assert book.is_there(place, SETTINGS)
    assert not book.is_there(place, SETTINGS | {"seed": 8})


def test_the_last_month_alone_is_new(place: book.Place) -> None:
    """What was held back is the last month's, and nothing is lost or doubled."""
    for table, column in splitting.BY_MONTH.items():
        first, new, whole = (
            pl.read_parquet(place.folder / part / f"{table}.parquet")
            for part in ("first", "new", "sample")
        )
        assert first.height + new.height == whole.height
        assert new.height
        assert first[column].max() < new[column].min()
    log = (place.folder / "refresh_one_new_month.log").read_text()
    assert "months recomputed: 2026-06." in log


def test_marts_self_join_and_pandas_give_one_matrix(place: book.Place) -> None:
    found = named(matrix.figures(place))  # raises where a cell differs
    for span in ("one month", "all months"):
        for rival in ("self-join in DuckDB", "pandas"):
            assert "equal in each of" in found[f"{span}: {rival}"].note
    marts = open_marts(place.version)
    shown = read_book(marts)
    marts.close()
    facts = DuckDBConnection(str(place.folder / "facts.duckdb"), read_only=True)
    cells = facts.fetch(rivals.self_join(whole_book(shown.months[1], shown.as_of), shown))
    facts.close()
    spoiled = cells.with_columns(
        opening_cents=pl.col("opening_cents") + (pl.int_range(pl.len()) == 3).cast(pl.Int64)
    )
    assert matrix.differences(cells, cells) == 0
    assert matrix.differences(spoiled, cells) == 1


def test_the_data_of_each_page_is_what_the_page_loads(place: book.Place) -> None:
    found = named(data_time.figures(place, seed=7, filters=3))
    for page in data_time.PAGES:
        assert found[f"{page}: data, median"].goal == 10.0
    assert any(name.strip().startswith("transitions(") for name in found)
    assert found["marts in memory"].value > 0.01
    for page in data_time.PAGES:  # and it loads nothing beside its figures, which are measured
        assert "ui.load" not in (ROOT / "pages" / "portfolio" / f"{page}.py").read_text()


def test_recovery_pages_are_measured_under_a_new_filter_and_again(place: book.Place) -> None:
    found = named(recovery_time.figures(place, seed=7, filters=2))
    for page in recovery_time.PAGES:
        cold, warm = (found[f"{page}: data and model, {kind}"] for kind in ("cold", "warm"))
        assert (cold.goal, warm.goal) == (150.0, 30.0)
        assert cold.value > warm.value


def test_script_runs_are_counted_one_by_one(place: book.Place) -> None:
    found = script_time.figures(place, seed=7, repeats=2, settle=0)
    names = {figure.name for figure in found}
    for title in script_time.TITLES:
        assert f"{title}: script CPU, same view" in names
        for kind in ("changed filter", "moved slider"):  # the Simulator answers twice
            first = f"Simulator: script CPU, {kind}, first answer"
            refined = f"Simulator: script CPU, {kind}, refined"
            assert named(found)[first].value <= named(found)[refined].value
    assert "Decisions: script CPU, changed filter" not in names  # it has no filters
    assert all(figure.value > 1 and "2 runs" in figure.note for figure in found)


def test_readers_finish_their_clicks_without_errors(place: book.Place) -> None:
    found = sessions.figures(place, sessions=3, seconds=20, think=2, seed=7)
    assert found[0].value == 0, found[0].note
    assert named(found)["script runs finished"].value > 3


def test_a_missed_goal_is_said(tmp_path: Path) -> None:
    slow = Figure("book", "sample: wall", 301.0, "s", 300.0)
    fast = Figure("matrix", "ratio", 120.0, "times", 100.0, at_least=True)
    assert (slow.verdict, fast.verdict) == ("MISSED", "met")
    text = figures.as_text([slow, fast])
    assert "1 of 2 goals met. MISSED: sample: wall." in text
    page = figures.save([slow, fast], tmp_path, datetime.now(UTC), latest=True)
    assert "MISSED" in page.read_text() == (tmp_path / "latest.md").read_text()
    kept = json.loads(page.with_suffix(".json").read_text())["figures"]
    assert [row["verdict"] for row in kept] == ["MISSED", "met"]


def test_the_replay_of_the_contact_rules_is_measured(place: book.Place) -> None:
    found = named(conduct_time.figures(place, seed=7, filters=2))
    for step in ("nothing new", "one new month", "full replay"):  # how long is the bench's to say
        assert found[step].value > 0
    assert found["full replay: peak memory"].value > 0.05
    assert f"in {SETTINGS['months']} months; packs cn-cba-2026" in found["full replay"].note
    assert found["contact rules: data, cold"].value > 0
