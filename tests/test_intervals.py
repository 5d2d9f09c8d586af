"""How sure a share is."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from analytics.intervals import (
    effective_size,
    size_over_months,
    variance_over_months,
    wilson,
)

# Published and independent values


@pytest.mark.parametrize(
    ("seen", "of", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_agrees_with_newcombes_table(seen: int, of: int, low: float, high: float):
    """Newcombe 1998, Two-sided confidence intervals for the single proportion, table I."""
    lower, upper = wilson(seen / of, of, 0.95)
    assert (round(float(lower), 4), round(float(upper), 4)) == (low, high)


def test_the_money_error_is_the_robust_error_of_a_weighted_mean():
    """statsmodels: WLS of moved-or-not on a constant, weights b, White's covariance (HC0)."""
    rng = np.random.default_rng(5)
    owed, moved = rng.lognormal(0, 1, 400), rng.random(400) < 0.3
    fit = sm.WLS(moved.astype(float), np.ones(400), weights=owed).fit(cov_type="HC0")
    sums = (owed[moved].sum(), owed.sum(), (owed[moved] ** 2).sum(), (owed**2).sum())
    size = effective_size(*map(np.asarray, sums))
    rate = sums[0] / sums[1]
    equal = sums[1] ** 2 / sums[3]
    assert rate == pytest.approx(fit.params[0])
    assert size == pytest.approx(min(rate * (1 - rate) / fit.bse[0] ** 2, equal))


def test_the_error_of_a_window_is_the_one_clustered_by_month():
    """statsmodels: OLS on single loans, covariance clustered by month."""
    there, moved = np.array([50, 80, 20, 65]), np.array([10, 22, 1, 20])
    loans = np.concatenate([np.arange(n) < k for n, k in zip(there, moved, strict=True)])
    months = np.repeat(np.arange(4), there)
    fit = sm.OLS(loans.astype(float), np.ones(loans.size)).fit(
        cov_type="cluster", cov_kwds={"groups": months}
    )
    variance, counted = variance_over_months(moved[:, None], there[:, None])
    assert variance[0] == pytest.approx(fit.bse[0] ** 2)
    assert counted[0] == 4


# Worked by hand


def test_equal_loans_are_as_many_as_they_are():
    """Ten loans of 7.00, three moved: 3 x 7, 10 x 7, 3 x 49, 10 x 49."""
    assert effective_size(*map(np.asarray, (21.0, 70.0, 147.0, 490.0))) == pytest.approx(10)


def test_one_big_loan_among_small_ones_counts_for_little():
    """90 + ten of 1, none moved: (100)^2 / (8100 + 10) = 1.23 equal loans, not 11."""
    size = effective_size(*map(np.asarray, (0.0, 100.0, 0.0, 8110.0)))
    assert size == pytest.approx(10_000 / 8_110)


def test_a_tiny_mover_does_not_make_a_share_certain():
    """1 of a thousand loans of 1,000 (and one of 1 that moved): about 1,001 loans, no more."""
    size = effective_size(*map(np.asarray, (1.0, 1_000_001.0, 1.0, 1_000_000_001.0)))
    assert size == pytest.approx(1_000.002, rel=1e-6)


def test_student_t_widens_a_window_of_few_months():
    there = np.full((3, 1), 1_000.0)
    moved = np.array([[80.0], [100.0], [120.0]])
    # r = .1; variance = 3/2 x (20^2 + 20^2) / 3000^2; t on 2 df = 4.3027.
    variance = 1.5 * 800 / 3_000**2
    expected = 0.09 / variance * (1.959964 / 4.302653) ** 2
    size = size_over_months(moved, there, np.array([3_000.0]), 0.95)
    assert size[0] == pytest.approx(expected, rel=1e-5)


def test_a_window_is_never_surer_than_chance():
    there, moved = np.full((12, 1), 100.0), np.full((12, 1), 10.0)
    moved[0], moved[1] = 9, 11
    assert size_over_months(moved, there, np.array([1_200.0]), 0.95)[0] == 1_200


def test_no_loans_have_no_interval():
    assert np.isnan(wilson(np.nan, 0, 0.95)).all()


def test_a_confidence_that_is_none_is_refused():
    with pytest.raises(ValueError, match="confidence"):
        wilson(0.5, 10, 95)


# Coverage


@pytest.mark.parametrize(("loans", "rate"), [(50, 0.1), (300, 0.01), (300, 0.3), (3_000, 0.05)])
def test_money_intervals_hold_the_truth_as_often_as_they_claim(loans: int, rate: float):
    rng = np.random.default_rng(11)
    owed = rng.lognormal(0, 1.2, (1_000, loans))
    moved = rng.random(owed.shape) < rate
    part, whole = (owed * moved).sum(1), owed.sum(1)
    size = effective_size(part, whole, (owed**2 * moved).sum(1), (owed**2).sum(1))
    low, high = wilson(part / whole, size, 0.95)
    held = ((low <= rate) & (rate <= high)).mean()
    assert 0.935 <= held <= 0.99
    plain = 1.96 * np.sqrt(part / whole * (1 - part / whole) / loans)  # loans as if equal
    assert (np.abs(part / whole - rate) <= plain).mean() < 0.90


@pytest.mark.parametrize("variation", [0.0, 0.1])
def test_window_intervals_hold_the_truth_when_months_differ(variation: float):
    rng = np.random.default_rng(12)
    months, loans, rate = 12, 2_000, 0.15
    monthly = rate * (1 + variation * rng.standard_normal((months, 2_000)))
    moved = rng.binomial(loans, monthly).astype(float)
    there = np.full(moved.shape, float(loans))
    chance = there.sum(0)
    shares = moved.sum(0) / chance
    low, high = wilson(shares, size_over_months(moved, there, chance, 0.95), 0.95)
    assert 0.935 <= ((low <= rate) & (rate <= high)).mean() <= 0.985
    low, high = wilson(shares, chance, 0.95)
    plain = ((low <= rate) & (rate <= high)).mean()
    assert plain < 0.80 if variation else plain > 0.93
