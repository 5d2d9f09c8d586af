"""How long until a case is resolved, when some never will be?"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight

from analytics.incidence import incidence_curve, recovery_period


def counts(*rows: tuple[int, int, int, int]) -> pl.DataFrame:
    """Rows of day, resolved, competing, censored."""
    return pl.DataFrame(
        rows, schema=["day", "resolved", "competing", "censored"], orient="row"
    ).cast(pl.Int64)


def counted(days: np.ndarray, status: np.ndarray) -> pl.DataFrame:
    """Cases (status 1 resolved, 2 competing, 0 still open) counted by day."""
    kinds = ((1, "resolved"), (2, "competing"), (0, "censored"))
    return (
        pl.DataFrame({"day": days, "status": status})
        .group_by("day")
        .agg((pl.col("status") == code).sum().alias(name) for code, name in kinds)
        .sort("day")
    )


# Worked by hand


def test_incidence_by_hand():
    """Ten cases: day 1: 2 resolved; day 3: 1 sold, 2 still open; day 4 (5 left): 1 resolved.
    incidence = .2, then + .8 x 7/8 x 1/5 = .7 x .2 = .14."""
    curve = incidence_curve(counts((1, 2, 0, 0), (3, 0, 1, 2), (4, 1, 0, 0), (9, 0, 0, 4)))
    by_day = dict(curve.select("day", "incidence").rows())
    assert by_day[0] == 0
    assert (by_day[1], by_day[3], by_day[4]) == pytest.approx((0.2, 0.2, 0.34))
    assert curve["open_share"].to_list()[-1] == pytest.approx(1 - 0.34 - 0.1)


def test_the_median_is_the_day_half_of_all_cases_are_resolved():
    found = recovery_period(counts((5, 4, 0, 0), (20, 1, 0, 0), (30, 0, 5, 0)), taus=[30])
    assert found["median"][0] == 20


def test_a_median_that_is_never_reached_is_null():
    found = recovery_period(counts((5, 4, 0, 0), (30, 0, 6, 0)), taus=[30])
    assert found.select("median", "median_high", "median_reason").row(0) == (
        None,
        None,
        "under_half",
    )


def test_the_restricted_mean_counts_the_unresolved_as_tau():
    """(10 + 40 + 90 + 90) / 4: one was sold on day 20, one is open on day 200."""
    found = recovery_period(counts((10, 1, 0, 0), (20, 0, 1, 0), (40, 1, 0, 0), (200, 0, 0, 1)))
    assert found["mean_90"][0] == pytest.approx((10 + 40 + 90 + 90) / 4)
    assert found["mean_180"][0] == pytest.approx((10 + 40 + 180 + 180) / 4)


def test_a_restricted_mean_beyond_what_was_followed_is_null():
    found = recovery_period(counts((10, 3, 0, 0), (100, 0, 0, 4)))
    assert found["mean_90"][0] is not None
    assert found.select("mean_180", "mean_180_low", "mean_180_reason").row(0) == (
        None,
        None,
        "not_followed",
    )


def test_without_open_cases_the_error_is_that_of_a_share():
    """4 of 10 resolved: sqrt(.4 x .6 / 10)."""
    curve = incidence_curve(counts((1, 3, 1, 0), (2, 1, 2, 0), (9, 0, 3, 0)))
    assert curve["se"].to_list()[-1] == pytest.approx(np.sqrt(0.024))


def test_groups_are_kept_apart():
    one, two = counts((1, 3, 1, 0), (40, 0, 0, 6)), counts((2, 1, 0, 2), (7, 5, 0, 0))
    both = pl.concat([one.with_columns(team=pl.lit("A")), two.with_columns(team=pl.lit("B"))])
    found = recovery_period(both, by=["team"], taus=[30])
    assert found["team"].to_list() == ["A", "B"]
    for frame, row in ((one, 0), (two, 1)):
        assert found.drop("team").row(row) == pytest.approx(
            recovery_period(frame, taus=[30]).row(0)
        )


# Independent


def test_incidence_and_error_agree_with_statsmodels():
    rng = np.random.default_rng(3)
    days, status = rng.integers(0, 60, 400), rng.integers(0, 3, 400)
    with np.errstate(divide="ignore", invalid="ignore"):
        fit = CumIncidenceRight(days, status)
    curve = incidence_curve(counted(days, status), opened=400)
    curve = curve.filter(pl.col("day").is_in(fit.times.astype(int).tolist()))
    assert curve["incidence"].to_numpy() == pytest.approx(fit.cinc[0], abs=1e-12)
    assert curve["competing_incidence"].to_numpy() == pytest.approx(fit.cinc[1], abs=1e-12)
    known = np.isfinite(fit.cinc_se[0])
    assert curve["se"].to_numpy()[known] == pytest.approx(fit.cinc_se[0][known], abs=1e-12)


# Truth


def planted(seed: int, cases: int) -> tuple[np.ndarray, np.ndarray]:
    """Cured at 1 % a day, charged off at .5 %, both for ever; followed 120 to 400 days."""
    rng = np.random.default_rng(seed)
    days = rng.geometric(0.015, cases)
    status = np.where(rng.random(cases) < 2 / 3, 1, 2)
    follow = rng.integers(120, 400, cases)
    return np.minimum(days, follow), np.where(days <= follow, status, 0)


def test_the_mean_of_the_recovered_and_one_minus_kaplan_meier_are_wrong():
    """Truth at day 180: 2/3 x (1 - .985^180) = 62 % resolved; mean to 180 days: 101 days."""
    days, status = planted(5, 20_000)
    truth = 2 / 3 * (1 - 0.985**180)
    steps = np.arange(1, 181)
    mean = 180 - (2 / 3 * (1 - 0.985 ** steps[:-1])).sum()
    found = recovery_period(counted(days, status)).row(0, named=True)
    assert found["mean_180"] == pytest.approx(mean, abs=1.5)
    assert days[status == 1].mean() < 0.7 * mean
    curve = incidence_curve(counted(days, status)).filter(pl.col("day") == 180)
    assert curve["incidence"][0] == pytest.approx(truth, abs=0.01)
    survival = SurvfuncRight(days, (status == 1).astype(float))
    kaplan_meier = 1 - survival.surv_prob[survival.surv_times <= 180][-1]
    assert kaplan_meier > truth + 0.15


def test_intervals_hold_the_truth_as_often_as_they_claim():
    at_90, mean_90 = 2 / 3 * (1 - 0.985**90), 90 - (2 / 3 * (1 - 0.985 ** np.arange(1, 90))).sum()
    held = []
    for seed in range(300):
        events = counted(*planted(seed, 60))
        row = incidence_curve(events).filter(pl.col("day") == 90)
        found = recovery_period(events, taus=[90]).row(0, named=True)
        held.append(
            (
                row["low"][0] <= at_90 <= row["high"][0],
                found["mean_90_low"] <= mean_90 <= found["mean_90_high"],
            )
        )
    assert ((np.mean(held, axis=0) > 0.92) & (np.mean(held, axis=0) < 0.98)).all()


# Refusals and bad input


def test_what_is_no_history_is_refused():
    good = counts((1, 1, 0, 0))
    for bad, words in (
        (counts((-1, 1, 0, 0)), "before it was placed"),
        (counts((1, -1, 0, 3)), "negative"),
        (counts((1, 0, 0, 0)), "no cases"),
        (good.with_columns(resolved=pl.lit(None, pl.Int64)), "missing"),
        (good.drop("competing"), "lack competing"),
    ):
        with pytest.raises(ValueError, match=words):
            recovery_period(bad)
    with pytest.raises(ValueError, match="5 cases were opened, but 1"):
        incidence_curve(good, opened=5)


@pytest.mark.parametrize("row", [(0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (200, 0, 0, 1)])
def test_a_single_case_has_no_nan(row: tuple[int, int, int, int]):
    for frame in (incidence_curve(counts(row)), recovery_period(counts(row))):
        numbers = frame.select(pl.selectors.float())
        assert all(np.isfinite(series.drop_nulls().to_numpy()).all() for series in numbers)


# Laws

histories = st.lists(
    st.tuples(st.integers(0, 40), *[st.integers(0, 5)] * 3).filter(lambda row: sum(row[1:]) > 0),
    min_size=1,
    max_size=15,
)


@settings(max_examples=60, deadline=None)
@given(histories)
def test_shares_add_up_rise_and_lie_in_their_interval(rows: list[tuple[int, int, int, int]]):
    curve = incidence_curve(counts(*rows))
    incidence = curve["incidence"].to_numpy()
    total = curve.select(pl.sum_horizontal("incidence", "competing_incidence", "open_share"))
    assert total.to_series().to_numpy() == pytest.approx(1)
    assert (np.diff(incidence) >= -1e-12).all()
    assert (curve["low"].to_numpy() <= incidence + 1e-9).all()
    assert (incidence <= curve["high"].to_numpy() + 1e-9).all()
    assert (curve["open_share"].to_numpy() >= -1e-9).all()
