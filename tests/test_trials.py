"""Trials: figures from elsewhere, and arms of accounts that were drawn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.rates import power_poisson_ratio_2indep

from analytics.trial_complaints import rise_noticed, stop_limits
from analytics.trials import accounts_needed, difference_found, trial_shows, weeks_needed


def test_thirty_to_thirty_three_per_cent_needs_the_textbooks_accounts() -> None:
    # R: power.prop.test(p1 = 0.30, p2 = 0.33, power = 0.8) gives n = 3762.36
    assert accounts_needed(0.30, 0.33) == 3763
    assert accounts_needed(0.33, 0.30) == 3763
    # two-sided at 2.5 %, which is what a figure of 4,557 stands for: the error halved twice
    assert accounts_needed(0.30, 0.33, error=0.025) == 4557
    assert accounts_needed(0.25, 0.40) == 152  # R: 151.9


@pytest.mark.parametrize(("error", "accounts"), [(0.05, 3763), (0.025, 4557)])
def test_so_many_accounts_find_the_difference_four_times_in_five(
    error: float, accounts: int
) -> None:
    rng = np.random.default_rng(20261122)
    present, new = rng.binomial(accounts, 0.30, 40_000), rng.binomial(accounts, 0.33, 40_000)
    both = (present + new) / (2 * accounts)
    z = (new - present) / accounts / np.sqrt(both * (1 - both) * 2 / accounts)
    assert np.mean(np.abs(z) > stats.norm.isf(error / 2)) == pytest.approx(0.80, abs=0.008)
    none = rng.binomial(accounts, 0.30, 40_000)
    both = (present + none) / (2 * accounts)
    z = (none - present) / accounts / np.sqrt(both * (1 - both) * 2 / accounts)
    assert np.mean(np.abs(z) > stats.norm.isf(error / 2)) == pytest.approx(error, abs=0.004)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6])
@pytest.mark.parametrize("accounts", [300, 5000])
def test_the_smallest_difference_found_needs_the_accounts_at_hand(
    share: float, accounts: int
) -> None:
    found = difference_found(share, accounts)
    assert found is not None
    assert accounts_needed(share, share + found) == pytest.approx(accounts, abs=1)


def test_a_trial_too_small_for_any_rise_finds_none() -> None:
    assert difference_found(0.9, 10) is None
    assert difference_found(0.3, 2) is None


def test_a_trial_shows_newcombes_interval() -> None:
    one = trial_shows(330, 1000, 300, 1000)
    assert (round(100 * one.low, 1), round(100 * one.high, 1)) == (-1.1, 7.1)
    assert not one.is_beyond_noise
    # Newcombe 1998, table II, contrasts (a) and (g), method 10
    for arms, low, high in (((56, 70, 48, 80), 0.0524, 0.3339), ((10, 10, 0, 20), 0.6791, 1.0)):
        shown = trial_shows(*arms)
        assert (shown.low, shown.high) == (
            pytest.approx(low, abs=5e-5),
            pytest.approx(high, abs=5e-5),
        )
    assert trial_shows(56, 70, 48, 80).is_beyond_noise


@pytest.mark.parametrize(("rate", "attempts"), [(1.4, 20_000), (1.4, 200_000), (6, 20_000)])
def test_the_rise_noticed_is_that_of_another_library(rate: float, attempts: int) -> None:
    rise = rise_noticed(rate, attempts)
    assert rise is not None
    power = power_poisson_ratio_2indep(
        rate1=(rate + rise) / 1000,
        rate2=rate / 1000,
        nobs1=attempts,
        value=1,
        alpha=0.05,
        alternative="larger",
        return_results=False,
    )
    assert power == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize(("rate", "attempts"), [(0.0, 5000), (0.2, 5000), (1.4, 30_000)])
def test_a_rise_is_noticed_four_times_in_five_and_none_seldom(rate: float, attempts: int) -> None:
    rise = rise_noticed(rate, attempts)
    assert rise is not None
    rng = np.random.default_rng(7)
    before, after = rate * attempts / 1000, (rate + rise) * attempts / 1000

    def noticed(mean: float) -> float:
        present, new = rng.poisson(before, 20_000), rng.poisson(mean, 20_000)
        return float(np.mean(stats.binom.sf(new - 1, present + new, 0.5) <= 0.05))

    assert noticed(after) == pytest.approx(0.8, abs=0.012)
    assert noticed(before) <= 0.055


def test_a_trial_is_stopped_for_complaints_where_chance_is_one_in_a_thousand() -> None:
    table = stop_limits([0, 4, 20])
    for present, stop, risen in table.iter_rows():
        for limit, chance in ((stop, 0.001), (risen, 0.05)):
            at, before = (
                stats.binomtest(count, count + present, 0.5, alternative="greater").pvalue
                for count in (limit, limit - 1)
            )
            assert at <= chance < before


def test_five_looks_stop_a_harmless_trial_hardly_ever() -> None:
    limits = stop_limits(list(range(200)))["stop_at"].to_numpy()
    rng = np.random.default_rng(3)
    present, new = (rng.poisson(8, (20_000, 5)).cumsum(axis=1) for _ in range(2))
    stopped = (new >= limits[present]).any(axis=1)
    assert stopped.mean() < 0.005


def test_weeks_are_those_of_filling_both_arms_and_of_waiting() -> None:
    assert weeks_needed(1000, 100, share=1, days=0) == 20
    assert weeks_needed(1000, 100, share=0.5, days=0) == 40
    assert weeks_needed(1000, 100, share=1, days=8) == 22
    assert weeks_needed(1000, 0) is None


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: accounts_needed(-0.1, 0.3),
        lambda: accounts_needed(0.3, 1.0),
        lambda: accounts_needed(0.3, 0.3),
        lambda: accounts_needed(0.3, float("nan")),
        lambda: accounts_needed(0.3, 0.4, power=1.0),
        lambda: accounts_needed(0.3, 0.4, error=0.0),
        lambda: accounts_needed(0.3, 0.4, error=0.5, power=0.4),
        lambda: difference_found(0.3, 1),
        lambda: difference_found(1.3, 100),
        lambda: trial_shows(11, 10, 1, 10),
        lambda: trial_shows(-1, 10, 1, 10),
        lambda: trial_shows(0, 0, 1, 10),
        lambda: rise_noticed(-1, 100),
        lambda: rise_noticed(float("nan"), 100),
        lambda: rise_noticed(1, 0),
        lambda: stop_limits([-1]),
        lambda: weeks_needed(0, 10),
        lambda: weeks_needed(10, -1),
        lambda: weeks_needed(10, 1, share=1.5),
        lambda: weeks_needed(10, 1, share=0),
    ],
)
def test_what_cannot_be_a_trial_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError):
        wrong()  # type: ignore[operator]


def test_a_book_too_large_for_poisson_is_not_known() -> None:
    assert rise_noticed(100, 1e9) is None
