"""Common shocks: found by other libraries alike, recovered where planted, fading as they should."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import multivariate_normal

from analytics.shocks import (
    LEVEL_SPREAD,
    PERSISTENCES,
    SPREADS,
    USUAL_SPREAD,
    future_shocks,
    learn_shocks,
    monthly_levels,
)

MONTHS = [date(2020 + at // 12, at % 12 + 1, 28) for at in range(60)]


def test_a_months_shift_is_the_intercept_of_a_logistic_regression_with_offsets() -> None:
    rng = np.random.default_rng(1)
    usual, size = rng.uniform(0.05, 0.7, (1, 8)), rng.integers(50, 900, (1, 8)).astype(float)
    rolled = rng.binomial(size.astype(int), 1 / (1 + np.exp(-np.log(usual / (1 - usual)) - 0.3)))
    level, error, dispersion = monthly_levels(rolled / size, size, usual)
    oracle = sm.GLM(
        np.column_stack([rolled[0], size[0] - rolled[0]]),
        np.ones((8, 1)),
        family=sm.families.Binomial(),
        offset=np.log(usual / (1 - usual))[0],
    ).fit()
    assert level[0] == pytest.approx(oracle.params[0], abs=1e-8)
    assert dispersion[0] == pytest.approx(max(oracle.pearson_chi2 / 7, 1))
    assert error[0] == pytest.approx(oracle.bse[0] * np.sqrt(dispersion[0]), rel=1e-6)


def test_a_month_in_which_nothing_could_roll_says_nothing() -> None:
    level, error, _ = monthly_levels(np.zeros((1, 3)), np.zeros((1, 3)), np.full((1, 3), 0.2))
    assert np.isnan(level[0])
    assert np.isinf(error[0])


def test_the_filter_gives_the_likelihood_of_a_multivariate_normal() -> None:
    rng = np.random.default_rng(2)
    level, error = rng.normal(0, 0.3, 9), rng.uniform(0.02, 0.1, 9)
    found = learn_shocks(MONTHS[:9], level, error).weights
    apart = np.abs(np.subtract.outer(np.arange(9), np.arange(9)))

    def log_density(row: int, column: int) -> float:
        cov = SPREADS[column] ** 2 * PERSISTENCES[row] ** apart + LEVEL_SPREAD**2
        density = multivariate_normal(np.zeros(9), cov + np.diag(error**2)).logpdf(level)
        prior = -0.5 * (SPREADS[column] / USUAL_SPREAD) ** 2 + np.log(SPREADS[column])
        return float(density + prior + np.log(np.gradient(PERSISTENCES)[row]))

    for one, other in (((3, 20), (6, 25)), ((0, 18), (10, 29)), ((4, 10), (4, 24))):
        expected = log_density(*one) - log_density(*other)
        assert np.log(found[one] / found[other]) == pytest.approx(expected, abs=1e-6)


def simulated(
    rng: np.random.Generator, spread: float, persistence: float, months: int
) -> np.ndarray:
    z = np.empty(months)
    z[0] = spread * rng.standard_normal()
    for at in range(1, months):
        step = spread * np.sqrt(1 - persistence**2) * rng.standard_normal()
        z[at] = persistence * z[at - 1] + step
    return z


def test_planted_spread_and_persistence_are_found() -> None:
    rng = np.random.default_rng(3)
    found = [
        learn_shocks(
            MONTHS, simulated(rng, 0.25, 0.7, 60) + rng.normal(0, 0.05, 60), np.full(60, 0.05)
        )
        for _ in range(30)
    ]
    assert np.mean([one.spread for one in found]) == pytest.approx(0.25, abs=0.06)
    assert np.mean([one.persistence for one in found]) == pytest.approx(0.7, abs=0.12)


def test_what_is_only_error_of_measurement_is_no_shock() -> None:
    rng = np.random.default_rng(4)
    quiet = learn_shocks(MONTHS[:24], rng.normal(0, 0.2, 24), np.full(24, 0.2))
    loud = learn_shocks(MONTHS[:24], rng.normal(0, 0.2, 24), np.full(24, 0.01))
    assert quiet.spread < 0.6 * loud.spread


def test_a_shock_that_lasts_starts_from_the_present_and_fades() -> None:
    level = np.concatenate([np.zeros(30), np.linspace(0.1, 0.6, 6)])
    shocks = learn_shocks(MONTHS[:36], level, np.full(36, 0.03))
    paths = future_shocks(shocks, draws=4_000, horizon=12, rng=np.random.default_rng(5))
    mean, sd = paths.mean(axis=0), paths.std(axis=0)
    assert mean[0] == pytest.approx(0.6, abs=0.12)
    assert (np.diff(mean) < 0).all()
    assert (np.diff(sd) > 0).all()


def test_without_any_month_the_prior_speaks() -> None:
    shocks = learn_shocks((), np.zeros(0), np.zeros(0))
    assert np.isfinite(shocks.weights).all()
    assert shocks.weights.sum() == pytest.approx(1)
    assert 0.1 < shocks.spread < 0.4


def test_months_ahead_are_covered_as_often_as_said() -> None:
    rng = np.random.default_rng(6)
    inside = []
    for _ in range(120):
        spread, persistence = rng.choice([0.05, 0.15, 0.3]), rng.choice([0.0, 0.5, 0.9])
        z = simulated(rng, spread, persistence, 36)
        seen = z[:24] + rng.normal(0, 0.05, 24)
        shocks = learn_shocks(MONTHS[:24], seen, np.full(24, 0.05))
        paths = future_shocks(shocks, draws=400, horizon=12, rng=rng)
        low, high = np.quantile(paths, [0.1, 0.9], axis=0)
        inside.append((low <= z[24:]) & (z[24:] <= high))
    assert 0.72 < np.mean(inside) < 0.88


def test_a_level_that_drifts_is_forecast_to_go_on_and_covered_as_often_as_said() -> None:
    """Against the same without a drift, which lags ever further behind."""
    rng = np.random.default_rng(8)
    inside, miss = {0.0: [], 0.004: []}, {0.0: [], 0.004: []}
    for _ in range(40):
        way = rng.normal(0, 0.004) * np.arange(36)
        y = way + simulated(rng, 0.02, 0.3, 36)
        for spread in inside:
            shocks = learn_shocks(MONTHS[:24], y[:24], np.full(24, 0.002), drift_spread=spread)
            paths = future_shocks(shocks, draws=400, horizon=12, rng=rng)
            low, high = np.quantile(paths, [0.1, 0.9], axis=0)
            inside[spread].append((low <= y[24:]) & (y[24:] <= high))
            miss[spread].append(abs(paths[:, -1].mean() - way[-1]))
    assert 0.72 < np.mean(inside[0.004]) < 0.88
    assert np.mean(miss[0.004]) < 0.6 * np.mean(miss[0.0])
