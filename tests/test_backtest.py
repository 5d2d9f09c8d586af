"""The simulator against books that went on: what it would have said, and what came."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from analytics.backtest import MEASURES, backtest, by_horizon, happened
from analytics.simulation_book import RollBook
from bench.simulated_books import as_known, lived, process
from bench.truths_simulator import VOLATILITIES, fan, planted

BOOKS = 35


@pytest.fixture(scope="module")
def book() -> RollBook:
    rng = np.random.default_rng(3)
    truth = process(rng, loans=4_000, spread=0.1, persistence=0.5, segments=3)
    return as_known(lived(truth, [3], before=30, after=0), 30)


@pytest.fixture(scope="module")
def tested(book: RollBook) -> pl.DataFrame:
    return backtest(book, draws=300)


def test_every_origin_is_judged_by_the_months_that_have_come(
    book: RollBook, tested: pl.DataFrame
) -> None:
    assert tested.height == len(MEASURES) * sum(range(1, 13))
    assert tested["origin"].unique().sort().to_list() == list(book.months[-13:-1])
    assert (tested["month"] > tested["origin"]).all()
    last = tested.filter(pl.col("measure") == "cash", pl.col("month") == book.months[-1])
    assert last["actual"].unique().to_list() == [pytest.approx(book.paid[-1].sum())]


def test_a_projection_knows_nothing_that_came_later(book: RollBook, tested: pl.DataFrame) -> None:
    """Changing the months after an origin changes no forecast that was made there."""
    origin = book.months[-7]
    paid, opening = book.paid.copy(), book.opening.copy()
    paid[-6:] *= 3
    opening[-5:] *= 2
    again = backtest(replace(book, paid=paid, opening=opening), draws=300)
    same = pl.col("origin") == origin
    for column in ("forecast", "low", "high"):
        assert (again.filter(same)[column] == tested.filter(same)[column]).all()


def test_actual_figures_are_counted_as_simulated_ones(book: RollBook) -> None:
    came = happened(book, 4, 1)
    assert came["late_balance"][0] == pytest.approx(book.opening[5, :, 1:].sum())
    assert came["charged_off"][0] == pytest.approx(book.closing[4, ..., 6:8].sum())


def test_error_and_coverage_are_told_by_months_ahead(tested: pl.DataFrame) -> None:
    found = by_horizon(tested)
    row = found.filter(pl.col("measure") == "cash", pl.col("horizon") == 3).row(0, named=True)
    part = tested.filter(pl.col("measure") == "cash", pl.col("horizon") == 3)
    assert row["origins"] == 10
    assert row["coverage"] == part["inside"].sum() / 10
    assert row["absolute_error"] == pytest.approx(
        float(np.abs(part["forecast"].to_numpy() / part["actual"].to_numpy() - 1).mean())
    )


def test_a_book_of_few_months_is_not_tested(book: RollBook) -> None:
    short = book.until(book.months[4])
    assert backtest(short, draws=50).is_empty()
    assert by_horizon(backtest(short, draws=50)).is_empty()


def test_fans_hold_what_comes_as_often_as_they_say() -> None:
    found = [fan([7, 1, at], VOLATILITIES[at % len(VOLATILITIES)]) for at in range(BOOKS)]
    coverage = np.mean([one.full for one in found], axis=(0, 2))
    assert ((coverage > 0.70) & (coverage < 0.91)).all()
    late = MEASURES.index("late_balance")
    shaky = [one for at, one in enumerate(found) if VOLATILITIES[at % len(VOLATILITIES)][0] >= 0.25]
    assert (
        np.mean([one.shares_only[late] for one in shaky]) < 0.4
    )  # uncertain shares are not enough
    assert np.mean([one.months_again[late] for one in shaky]) < 0.7


def test_a_planted_change_of_strategy_is_forecast_within_its_interval() -> None:
    found = [planted([7, 2, at], VOLATILITIES[at % len(VOLATILITIES)]) for at in range(BOOKS)]
    inside = np.mean([one.inside for one in found])
    assert 0.65 < inside < 0.95
    assert abs(np.mean([one.error for one in found])) < 0.5
