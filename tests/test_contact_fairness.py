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
