"""Complaints and breaches at rates known from few: intervals, and the same draws for all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from analytics.attempt_complaints import attempt_complaints
from analytics.simulation_counts import (
    breaches,
    dispersion,
    rate_factors,
    rates_in_force,
    with_complaint_rates,
)
from analytics.simulation_kernel import COMPLAINTS
from analytics.strategy_answers import totals
from analytics.strategy_fields import CHANNELS
from tests import strategy_books
from tests.strategy_books import AS_OF
from tests.test_simulation import book, compared, draws

__all__ = ["book", "draws"]
N = 40_000


def test_a_rate_lies_where_the_exact_poisson_interval_says() -> None:
    # 12 complaints in 8,400 contacts: 0.74 to 2.50 in a thousand (exact, 95 %)
    low = np.quantile(rate_factors(["call"], np.array([12.0]), N), 0.025) * 12 / 8.4
    high = np.quantile(rate_factors(["call"], np.array([13.0]), N), 0.975) * 13 / 8.4
    assert (low, high) == pytest.approx((0.74, 2.50), rel=0.02)


def test_draws_of_a_channel_are_the_same_whatever_else_is_drawn() -> None:
    both = rate_factors(["sms", "call"], np.array([3.0, 9.0]), 500)
    assert (both[:100, 1] == rate_factors(["call"], np.array([9.0]), 100)[:, 0]).all()
    assert (rate_factors(["call"], np.array([0.0]), 50) == 1).all()  # no count, no draws


def test_complaints_get_the_rates_spread_and_nothing_else_changes(draws) -> None:
    sim = compared(draws, np.zeros((300, 2), np.float32))
    factors = rate_factors(["call", "sms"], np.array([16.0, 16.0]), 300)
    expected = np.array([[10.0, 0.0], [20.0, 0.0], [5.0, 5.0]])[:, None, :]
    late = rate_factors(["late"], np.array([9.0]), 300)
    found = with_complaint_rates(sim, expected, late, factors)
    times = found.totals[:, 0, COMPLAINTS] / sim.totals[:, 0, COMPLAINTS]
    assert times[0] == pytest.approx(factors[:, 0] * late[:, 0], rel=1e-5)
    assert times[1] == pytest.approx(times[0], rel=1e-5)  # twice as many, at the same rate
    assert times[2] == pytest.approx(factors.mean(axis=1) * late[:, 0], rel=1e-5)
    others = [k for k in range(sim.totals.shape[2]) if k != COMPLAINTS]
    assert (found.totals[:, :, others] == sim.totals[:, :, others]).all()
    assert (found.benefit == sim.benefit).all()
    more = totals(found).filter(measure="complaints")
    same = totals(with_complaint_rates(sim, expected * 0, late, factors)).filter(
        measure="complaints"
    )
    assert same["mean"].to_list() == totals(sim).filter(measure="complaints")["mean"].to_list()
    assert (more["high"] - more["low"] > same["high"] - same["low"]).all()


def test_breaches_avoided_have_an_interval_and_fall_with_the_attempts() -> None:
    shape = np.array([25.0, 0.0])
    factors = rate_factors(["call", "sms"], shape, N)
    attempts = np.array([[1_000.0, 400.0], [500.0, 800.0], [1_000.0, 400.0]])
    found = breaches(["now", "half", "same"], attempts, np.array([0.02, 0.0]), factors)
    now, half, same = found.iter_rows(named=True)
    assert (now["mean"], now["avoided"]) == (pytest.approx(20, rel=0.01), None)
    assert half["avoided"] == pytest.approx(10, rel=0.01)
    # Gamma of shape 25 over 25: 10 % at 0.7538, 90 % at 1.2633 (chi-square with 50 degrees)
    assert half["avoided_low"] == pytest.approx(7.54, rel=0.02)
    assert half["avoided_high"] == pytest.approx(12.63, rel=0.02)
    assert (same["avoided_low"], same["avoided_high"]) == (0, 0)


def test_days_before_a_rule_was_in_force_are_no_days_without_breaches() -> None:
    """Nights: 2 of 100 calls in each of two months. Third parties: judged in the second, 3."""
    exposed = pl.DataFrame(
        [("call", 1, "night", 100), ("call", 2, "night", 100), ("call", 2, "third", 100),
         ("sms", 2, "night", 50)],
        schema=["channel", "month", "rule", "attempts"], orient="row",
    )  # fmt: skip
    broken = pl.DataFrame(
        [("call", 1, "night", 2), ("call", 2, "night", 2), ("call", 2, "third", 3)],
        schema=["channel", "month", "rule", "contacts"], orient="row",
    )  # fmt: skip
    found = rates_in_force(["sms", "call", "visit"], broken, exposed)
    assert found is not None
    assert found[0].tolist() == pytest.approx([0, 4 / 200 + 3 / 100, 0])
    assert found[1].tolist() == pytest.approx([0, 7, 0])  # months as expected: no more than chance
    assert rates_in_force(["call"], broken, exposed.clear()) is None


def test_months_that_vary_more_than_by_chance_say_less() -> None:
    rng = np.random.default_rng(1)
    mean = np.full(2_000, 30.0)
    assert dispersion(rng.poisson(30, 2_000).astype(float), mean) == pytest.approx(1.0, abs=0.1)
    mixed = rng.poisson(rng.gamma(10, 3, 2_000)).astype(float)  # variance 30 + 30^2 / 10
    assert dispersion(mixed, mean) == pytest.approx(4.0, rel=0.12)


def test_a_stage_that_complains_more_has_a_higher_rate_and_all_together_stay() -> None:
    # calls alone, 960 in each stage a year; of 30 complaints 20 are of late cases
    stages = {"early": 4, "middle": 6, "late": 20}
    given = strategy_books.treated()
    calls = given.work.filter(channel="call")
    complaints = pl.DataFrame(
        [{"worked_month": AS_OF, "case_attempts": 1, "product": "card", "stage": stage}
         for stage, count in stages.items() for _ in range(count)]
    )  # fmt: skip
    intensity = pl.DataFrame([
        {"month": AS_OF, "product": "card", "stage": stage, "case_attempts": 1, "cases": 960,
         "attempts": 960} for stage in stages
    ])  # fmt: skip
    counts = given.complaint_counts.filter(channel="call")
    found = attempt_complaints(
        replace(given, work=calls, complaints=complaints, intensity=intensity,
                complaint_counts=counts)
    )  # fmt: skip
    call = found.rate[:, CHANNELS.index("call")]
    assert call[1:].sum() * 960 == pytest.approx(30)
    # five more of the book's in each of three stages: (20 + 5) / (4 + 5) as many as early
    assert call[3] / call[1] == pytest.approx(25 / 9)
    assert found.by_stage.tolist() == [0, 9, 11, 25]  # one month shows no dispersion
    assert found.by_channel[CHANNELS.index("call")] == 35
