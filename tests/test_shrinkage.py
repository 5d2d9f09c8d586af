"""Which owners really differ, once chance is taken out?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from statsmodels.genmod.bayes_mixed_glm import BinomialBayesMixedGLM
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.multitest import multipletests

from analytics.case_mix import fit_case_mix
from analytics.shrinkage import paule_mandel, shrink
from bench import truths_collectors
from tests.case_books import grouped, resolved_book
from tests.cell_frames import cell


def owners(effects: list[float | None], errors: list[float | None]) -> pl.DataFrame:
    names = [f"C{number:02}" for number in range(len(effects))]
    columns = {"who": names, "effect": effects, "se": errors}
    return pl.DataFrame(columns, schema_overrides={"effect": pl.Float64, "se": pl.Float64})


# Worked by hand


def test_paule_mandel_by_hand():
    """Equal errors: the spread is the sample variance less v: (.09 + .09) / 1 - .04 = .14."""
    assert paule_mandel([-0.3, 0.3], [0.04, 0.04]) == pytest.approx(0.14)


def test_less_variation_than_chance_is_no_spread():
    assert paule_mandel([0.01, 0.0, -0.01], [0.04] * 3) == 0


def test_the_less_an_owner_has_shown_the_more_it_is_pulled_in():
    found = shrink(owners([0.5, 0.5, -0.5, -0.5], [0.1, 0.6, 0.1, 0.6])).owners
    sure, unsure = cell(found, who="C00"), cell(found, who="C01")
    assert 0.5 > sure["shrunk"] > unsure["shrunk"] > 0
    assert sure["reliability"] > unsure["reliability"]
    assert sure["p_better"] > unsure["p_better"] > 0.5


def test_for_costs_lower_is_better():
    frame = owners([0.5, 0.0, -0.5], [0.1] * 3)
    up, down = (
        shrink(frame, higher_is_better=flag).owners["p_better"].to_numpy() for flag in (True, False)
    )
    assert up == pytest.approx(1 - down)


# Independent


def _excess(a: np.ndarray, v: np.ndarray) -> Callable[[float], float]:
    """Weighted squares around the weighted mean at tau^2, less their expected value."""
    return lambda t: np.cov(a, aweights=1 / (v + t), ddof=0) * (1 / (v + t)).sum() - (a.size - 1)


@pytest.mark.parametrize("seed", range(5))
def test_the_spread_agrees_with_statsmodels(seed: int):
    rng = np.random.default_rng(seed)
    v = rng.uniform(0.01, 0.2, 25)
    a = rng.normal(0, 0.3, 25) + rng.normal(0, np.sqrt(v))
    theirs = combine_effects(a, v, method_re="iterated", atol=1e-10)
    if theirs.tau2 == 0:  # it gives up where a Newton step goes too far: solve the equation
        q = _excess(a, v)
        assert paule_mandel(a, v) == pytest.approx(brentq(q, 0, 10, xtol=1e-12), abs=1e-8)
        return
    assert paule_mandel(a, v) == pytest.approx(theirs.tau2, abs=1e-6)
    found = shrink(owners(a.tolist(), np.sqrt(v).tolist()))
    assert found.mean == pytest.approx(theirs.mean_effect_re, abs=1e-5)
    assert found.mean_se == pytest.approx(theirs.sd_eff_w_re, abs=1e-5)


def test_the_spread_of_the_vaccine_trials_is_the_published_one():
    """BCG trials (Colditz et al. 1994; Viechtbauer 2010, dat.bcg in R's metafor), log relative
    risks: Paule-Mandel tau^2 = 0.318 (rma, method = "PM"), Q = 152.23, Q-profile interval of
    tau^2 0.12 to 1.11."""
    treated = (
        np.array([4, 6, 3, 62, 33, 180, 8, 505, 29, 17, 186, 5, 27], float),
        np.array([123, 306, 231, 13598, 5069, 1541, 2545, 88391, 7499, 1716, 50634, 2498, 16913.0]),
    )
    control = (
        np.array([11, 29, 11, 248, 47, 372, 10, 499, 45, 65, 141, 3, 29], float),
        np.array([139, 303, 220, 12867, 5808, 1451, 629, 88391, 7277, 1665, 27338, 2341, 17854.0]),
    )
    n1, n0 = treated[1], control[1]
    a = np.log(treated[0] / n1) - np.log(control[0] / n0)
    v = 1 / treated[0] - 1 / n1 + 1 / control[0] - 1 / n0
    assert paule_mandel(a, v) == pytest.approx(0.318, abs=5e-4)
    found = shrink(owners(a.tolist(), np.sqrt(v).tolist()))
    assert (found.spread_low**2, found.spread_high**2) == pytest.approx((0.12, 1.11), abs=5e-3)


def test_flags_are_benjamini_hochbergs():
    rng = np.random.default_rng(2)
    found = shrink(owners(rng.normal(0, 0.5, 30).tolist(), [0.2] * 30)).owners
    flags, *_ = multipletests(found["p_value"].to_numpy(), 0.05, method="fdr_bh")
    assert found["is_different"].to_list() == flags.tolist()
    assert flags.any()


def test_shrunk_effects_agree_with_a_bayesian_mixed_model():
    """statsmodels' BinomialBayesMixedGLM (variational Bayes) on single cases of 15 collectors:
    the same order but for ties, and each within a third of its error."""
    cases = resolved_book(3, np.linspace(-0.6, 0.6, 15), 100, steering=0.5)
    model = fit_case_mix(grouped(cases), owner="who", covariates=["bucket", "product"])
    found = shrink(model.owners).owners
    kinds = cases.select("bucket", "product").to_dummies(drop_first=True).to_numpy()
    fixed = np.column_stack([np.ones(cases.height), kinds]).astype(float)
    who = cases.select("who").to_dummies()
    fit = BinomialBayesMixedGLM(
        cases["resolved"].to_numpy(), fixed, who.to_numpy().astype(float), np.zeros(15, int)
    ).fit_vb()
    theirs = fit.vc_mean - fit.vc_mean.mean()
    ours = found["shrunk"].to_numpy() - found["shrunk"].mean()
    assert np.corrcoef(theirs, ours)[0, 1] > 0.99
    assert np.abs(theirs - ours).max() < 0.33 * model.owners["se"].mean()


# Truth


def test_intervals_hold_the_truth_with_few_owners_too():
    """Four and forty owners whose true spread is as large as their errors: 92 and 95 of 100."""
    for count in (4, 40):
        held, better = [], []
        for seed in range(400 if count == 4 else 60):
            rng = np.random.default_rng([seed, count])
            true, errors = rng.normal(0, 0.2, count), rng.uniform(0.1, 0.3, count)
            a = true + rng.normal(0, errors)
            found = shrink(owners(a.tolist(), errors.tolist())).owners
            low, high = found["low"].to_numpy(), found["high"].to_numpy()
            held.append((low <= true) & (true <= high))
            average = (true / errors**2).sum() / (1 / errors**2).sum()
            better.append(np.column_stack([found["p_better"].to_numpy(), true > average]))
        assert (0.905 if count == 4 else 0.93) < np.mean(held) < 0.97
        said, was = np.concatenate(better).T
        for least, most in ((0, 0.25), (0.25, 0.75), (0.75, 1)):
            here = (said >= least) & (said <= most)
            assert was[here].mean() == pytest.approx(said[here].mean(), abs=0.06)


def test_planted_collectors_are_found_and_equals_are_not_told_apart():
    """`python -m bench.truths collectors` in small: 15 books of a hundred collectors."""
    found = truths_collectors.figures(15, seed=11)
    rows = {truth.what.strip(): truth.is_reached for truth in found}
    assert all(rows.values()), rows


# Refusals and bad input


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (owners([0.3], [0.1]), "one_owner"),
        (owners([0.3, None], [0.1, None]), "one_owner"),
        (owners([None, None], [None, None]), "no_owners"),
        (owners([], []), "no_owners"),
    ],
)
def test_nobody_to_compare_with_is_null_with_a_reason(frame: pl.DataFrame, reason: str):
    found = shrink(frame)
    assert (found.reason, found.spread, found.mean) == (reason, None, None)
    assert found.owners.height == frame.height
    assert found.owners["shrunk"].null_count() == frame.height


def test_an_owner_without_an_effect_is_kept_without_one():
    found = shrink(owners([0.3, None, -0.3], [0.1, None, 0.1])).owners
    assert cell(found, who="C01")["is_different"] is None
    assert cell(found, who="C00")["shrunk"] is not None


def test_errors_that_are_none_are_refused():
    for errors in ([0.0, 0.1], [-0.1, 0.1], [np.inf, 0.1]):
        with pytest.raises(ValueError, match="finite"):
            shrink(owners([0.1, 0.2], errors))
    with pytest.raises(ValueError, match="between 0 and 1"):
        shrink(owners([0.1, 0.2], [0.1, 0.1]), confidence=95)


# Laws

books = st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 5)), min_size=2, max_size=12).map(
    lambda rows: tuple(map(list, zip(*rows, strict=True)))
)


@settings(max_examples=60, deadline=None)
@given(books)
def test_shrunk_lies_between_the_extremes_and_in_its_interval(
    book: tuple[list[float], list[float]],
):
    found = shrink(owners(*book)).owners
    shrunk = found["shrunk"].to_numpy()
    assert (shrunk >= min(book[0]) - 1e-9).all()
    assert (shrunk <= max(book[0]) + 1e-9).all()
    assert (found["low"].to_numpy() <= shrunk).all()
    assert found["p_better"].is_between(0, 1).all()
    assert found["p_value"].is_between(0, 1).all()


@settings(max_examples=30, deadline=None)
@given(books, st.floats(-3, 3))
def test_moving_everybody_moves_nobody_against_the_others(
    book: tuple[list[float], list[float]], shift: float
):
    here = shrink(owners(*book)).owners
    there = shrink(owners([a + shift for a in book[0]], book[1])).owners
    assert there["shrunk"].to_numpy() == pytest.approx(here["shrunk"].to_numpy() + shift, abs=1e-5)
    assert there["p_value"].to_numpy() == pytest.approx(here["p_value"].to_numpy(), abs=1e-6)
