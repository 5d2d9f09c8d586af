"""The first answer's few draws: made in another way than the refined ones, they say the same."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analytics.gamma_draws import gammas
from analytics.simulation import Effects, Plan, simulate
from analytics.simulation_book import RollBook
from analytics.simulation_draws import FEW, Draws, basis_of, posterior
from bench.simulated_books import as_known, lived, process

MANY, SEGMENTS, MONTHS = 6_000, 4, 12
EFFECTS = Effects(("calls",), [0.3], [0.1], ("estimated",))


@pytest.fixture(scope="module")
def book() -> RollBook:
    truth = process(np.random.default_rng(1), loans=5_000, spread=0.2, persistence=0.6,
                    segments=SEGMENTS)  # fmt: skip
    return as_known(lived(truth, [1], before=20, after=0), 20)


def benefit(draws: Draws) -> np.ndarray:
    """Of a strategy that calls more, over the baseline; a draw each."""
    meters, rate = np.zeros((SEGMENTS, 6, 4), np.float32), np.zeros((SEGMENTS, 6), np.float32)
    plans = [
        Plan(name, np.full((SEGMENTS, 4, 1), units, np.float32), meters, rate,
             np.zeros((MONTHS, 1)), ("labour",))
        for name, units in (("baseline", 0.0), ("more", 1.0))
    ]  # fmt: skip
    return simulate(draws, EFFECTS.draws(draws.n), plans).benefit[1]


def test_a_first_answer_is_the_refined_one_but_for_chance(book: RollBook) -> None:
    basis = basis_of(book, horizon=MONTHS)
    first, refined = (
        benefit(posterior(book, draws=count, horizon=MONTHS, basis=basis)) for count in (FEW, MANY)
    )
    error = np.sqrt(first.var() / first.size + refined.var() / refined.size)
    assert abs(first.mean() - refined.mean()) < 4 * error
    assert first.std() == pytest.approx(refined.std(), rel=0.15)


def test_draws_do_not_depend_on_who_made_their_basis(book: RollBook) -> None:
    given = posterior(book, draws=300, horizon=MONTHS, basis=basis_of(book, horizon=MONTHS))
    made = posterior(book, draws=300, horizon=MONTHS)
    assert np.array_equal(given.packed, made.packed)
    assert np.array_equal(given.shock, made.shock)
    with pytest.raises(ValueError, match="another book or horizon"):
        posterior(book, draws=300, horizon=6, basis=basis_of(book, horizon=MONTHS))


@pytest.mark.parametrize("shape", [25.0, 60.0, 400.0])
def test_gammas_from_normals_are_distributed_as_gammas(shape: float) -> None:
    normals = np.random.default_rng(3).standard_normal((1, 200_000), dtype=np.float32)
    drawn = gammas(np.array([shape]), normals, np.random.default_rng(4))[0] * shape
    assert stats.kstest(drawn, stats.gamma(shape).cdf).statistic < 0.005
