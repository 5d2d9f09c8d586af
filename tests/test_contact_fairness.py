"""Vulnerable borrowers beside others: a known ratio, a confounder, and coverage by simulation."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from analytics.breach_rates import breach_rates, breach_trend
from analytics.contact_fairness import contact_fairness


def cell(stage: str, attempts: np.ndarray, *, is_vulnerable: bool) -> dict[str, object]:
    return {
        "stage": stage,
        "is_vulnerable": is_vulnerable,
        "loans": len(attempts),
        "attempts": int(attempts.sum()),
        "attempt_squares": float((attempts.astype(float) ** 2).sum()),
    }


def test_late_loans_get_more_attempts_which_is_no_unfairness() -> None:
    # the vulnerable are mostly late; within a stage all get the same
    rows = [
        cell("early", np.full(10, 2), is_vulnerable=True),
        cell("early", np.full(90, 2), is_vulnerable=False),
        cell("late", np.full(90, 8), is_vulnerable=True),
        cell("late", np.full(10, 8), is_vulnerable=False),
    ]
    found = contact_fairness(pl.DataFrame(rows), within=["stage"])
    assert found.ratio == 1.0  # 740 attempts on 100 loans beside 260 on 100 would be 2.8
    assert found.stages["ratio"].to_list() == [1.0, 1.0]
    alone = contact_fairness(pl.DataFrame(rows[:1]), within=["stage"])
    assert (alone.ratio, alone.stages.height) == (None, 0)


def test_the_interval_covers_the_truth_nineteen_times_in_twenty() -> None:
    draw = np.random.default_rng(5)
    covered = 0
    for _ in range(400):
        own, others = draw.negative_binomial(2, 0.4, 150), draw.negative_binomial(2, 0.45, 900)
        rows = [cell("early", own, is_vulnerable=True), cell("early", others, is_vulnerable=False)]
        found = contact_fairness(pl.DataFrame(rows), within=["stage"])
        truth = (2 * 0.6 / 0.4) / (2 * 0.55 / 0.45)
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= truth <= found.high
    assert 0.925 <= covered / 400 <= 0.975


def test_one_loan_is_not_known_exactly_for_having_no_spread() -> None:
    rows = [
        cell("early", np.array([1]), is_vulnerable=True),
        cell("early", np.array([3, 4, 3, 3, 3] * 20), is_vulnerable=False),  # 320 on 100 loans
    ]
    found = contact_fairness(pl.DataFrame(rows), within=["stage"])
    assert found.ratio == pytest.approx(1 / 3.2)
    # by hand: variance of the logarithm 1 / 1 + 1 / 320, at least that of chance
    reach = 1.96 * (1 + 1 / 320) ** 0.5
    assert found.low == pytest.approx(np.exp(-reach) / 3.2, rel=1e-4)
    assert found.high == pytest.approx(np.exp(reach) / 3.2, rel=1e-4)


def test_a_single_breach_in_two_years_is_no_unusual_month() -> None:
    months = pl.date_range(pl.date(2024, 1, 31), pl.date(2025, 12, 31), "1mo", eager=True)
    done = pl.DataFrame({"month": months, "attempts": [300] * 24})
    broken = done.tail(1).select("month", contacts=pl.lit(1))
    found = breach_trend(broken, done)
    assert found.points["breaches"].sum() == 1
    assert not found.points["is_outside"].any()
    assert found.points["is_few"].all()


def test_a_month_of_many_breaches_lies_outside_its_limits() -> None:
    months = pl.date_range(pl.date(2024, 1, 1), pl.date(2025, 12, 1), "1mo", eager=True)
    months = months.dt.month_end().alias("month")
    counts = np.random.default_rng(2).poisson(20, len(months))
    counts[-1] = 60
    broken = pl.DataFrame({"month": months, "contacts": counts})
    done = pl.DataFrame({"month": months, "attempts": [10_000] * len(months)})
    found = breach_trend(broken, done)
    assert found.points.filter("is_outside")["month"].to_list() == [months[-1]]
    assert found.centre == pytest.approx(counts.sum() / (10_000 * len(months)) * 1000)
    with pytest.raises(ValueError, match="breaches lack team"):
        breach_rates(broken, done, by=["team"])
