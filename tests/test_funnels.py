"""Who lies outside what owners of that size show anyway?"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from analytics.funnels import dispersion, funnel
from tests.cell_frames import cell


def points(observed: list[float], expected: list[float], variance: list[float]) -> pl.DataFrame:
    names = [f"C{number:02}" for number in range(len(observed))]
    numbers = {"observed": observed, "expected": expected, "variance": variance}
    return pl.DataFrame(
        {"who": names, **numbers}, schema_overrides=dict.fromkeys(numbers, pl.Float64)
    )


# Published values


def test_the_dispersion_of_funnelplotrs_example_is_reproduced():
    """R package FunnelPlotR 0.6.0 (CRAN), an implementation of Spiegelhalter 2005, tests
    (test-classes_methods.R): phi = 2.948033 for six units on the log scale, z = sqrt(E) log(O/E),
    of which its 10 % trimming leaves out none."""
    observed = np.array([100, 150, 180, 80, 120, 225])
    expected = np.array([108, 112, 165, 95, 100, 220])
    z = np.sqrt(expected) * np.log(observed / expected)
    found = dispersion(z, 1 / np.sqrt(expected), winsorised=0)
    assert found.phi == pytest.approx(2.948033, abs=5e-7)


def test_the_dispersion_of_crowders_seeds_is_reproduced():
    """Crowder 1978, 21 plates of seeds by kind and extract: the quasi-binomial dispersion that
    R's glm reports is 1.8618 (Pearson's chi-square on 17 degrees of freedom)."""
    grown = "10 23 23 26 17 5 53 55 32 46 10 8 10 8 23 0 3 22 15 32 3"
    sown = "39 62 81 51 39 6 74 72 51 79 13 16 30 28 45 4 12 41 30 51 7"
    y, n = (np.array(text.split(), float) for text in (grown, sown))
    kind, extract = np.repeat([0, 1], [11, 10]), np.repeat([0, 1, 0, 1], [5, 6, 5, 5])
    design = np.column_stack([np.ones(21), kind, extract, kind * extract])
    share = sm.GLM(np.column_stack([y, n - y]), design, family=sm.families.Binomial()).fit().mu
    variance = n * share * (1 - share)
    found = dispersion((y - n * share) / np.sqrt(variance), np.sqrt(variance), winsorised=0)
    assert found.phi * 21 / 17 == pytest.approx(1.8618, abs=1e-4)


def test_the_variance_between_is_dersimonian_and_lairds():
    """statsmodels, combine_effects(method_re="chi2"), z against the fixed-effect mean."""
    rng = np.random.default_rng(4)
    v = rng.uniform(0.01, 0.1, 30)
    a = rng.normal(0, 0.3, 30) + rng.normal(0, np.sqrt(v))
    theirs = combine_effects(a, v, method_re="chi2")
    z = (a - theirs.mean_effect_fe) / np.sqrt(v)
    assert dispersion(z, np.sqrt(v), winsorised=0).tau2 == pytest.approx(theirs.tau2)


# Worked by hand


def test_winsorising_pulls_the_ends_in_to_the_tenth_percentiles():
    """z = -5 ... 5: the 10th percentile is -4, the 90th 4; (2 (4^2 x 2 + 9 + 4 + 1)) / 11."""
    z = np.arange(-5.0, 6)
    assert dispersion(z, np.ones(11)).phi == pytest.approx(2 * (32 + 9 + 4 + 1) / 11)
    wild = np.where(np.abs(z) == 5, z * 100, z)
    assert dispersion(wild, np.ones(11)).phi == pytest.approx(2 * (32 + 9 + 4 + 1) / 11)


def test_additive_and_multiplicative_limits_by_hand():
    """Equal sizes, E = V = 100, ratios 1 -+ .3 (five) and 1 -+ .1 (five): s = .1, z = -+3 and -+1;
    phi = 5; multiplicative s sqrt(5) = .2236; additive tau^2 = (50 - 9) / (1000 - 100) = .04556."""
    observed = [130, 70, 130, 70, 130, 90, 110, 90, 110, 90]
    frame = points(observed, [100.0] * 10, [100.0] * 10)
    for method, wide in (("multiplicative", np.sqrt(0.05)), ("additive", np.sqrt(0.01 + 41 / 900))):
        found = funnel(frame, owner="who", method=method, winsorised=0)
        assert found.dispersion.phi == pytest.approx(5)
        assert cell(found.points, who="C00")["z"] == pytest.approx(0.3 / wide)
        high = found.limits.filter(pl.col("level") == 0.95).sort((pl.col("precision") - 100).abs())
        at = high.row(0, named=True)
        unit = 100 / at["precision"]
        small = (
            np.sqrt(0.05 * unit) if method == "multiplicative" else np.sqrt(0.01 * unit + 41 / 900)
        )
        assert at["high"] == pytest.approx(1 + stats.norm.ppf(0.975) * small)
    chance = funnel(frame, owner="who", method="none", winsorised=0).points
    assert cell(chance, who="C00")["zone"] == "warning"
    assert cell(chance, who="C05")["zone"] == "in"


@pytest.mark.parametrize("method", ["none", "additive", "multiplicative"])
def test_whoever_is_drawn_outside_a_curve_is_called_outside_and_nobody_else(method: str):
    """Owners whose payments are of unequal size: the same expectation, other variances."""
    rng = np.random.default_rng(11)
    expected = rng.uniform(200, 900, 60)
    variance = expected * rng.uniform(0.5, 40, 60)
    observed = rng.normal(expected, np.sqrt(2 * variance))
    observed[0] = expected[0] + 9 * np.sqrt(variance[0])
    frame = points(observed.tolist(), expected.tolist(), variance.tolist())
    found = funnel(frame, owner="who", method=method)  # type: ignore[arg-type]
    for level, zones in ((0.95, {"warning", "alarm"}), (0.998, {"alarm"})):
        curve = found.limits.filter(pl.col("level") == level).sort("precision")
        at = np.log(found.points["precision"].to_numpy())
        grid = np.log(curve["precision"].to_numpy())
        ratio = found.points["ratio"].to_numpy()
        outside = (ratio > np.interp(at, grid, curve["high"].to_numpy())) | (
            ratio < np.interp(at, grid, curve["low"].to_numpy())
        )
        named = found.points["zone"].is_in(list(zones)).to_numpy()
        assert (outside == named).all()
        assert named.any()


def test_limits_are_never_narrower_than_chance():
    frame = points([100.0, 101, 99, 100, 102, 98], [100.0] * 6, [60.0] * 6)
    by_method = [
        funnel(frame, owner="who", method=method).limits
        for method in ("none", "additive", "multiplicative")
    ]
    assert by_method[0].equals(by_method[1])
    assert by_method[0].equals(by_method[2])


# Truth


def test_over_dispersed_owners_are_called_outliers_without_the_factor_and_not_with_it():
    """200 owners whose true ratios spread by 15 %: chance limits call a third of them out."""
    rng = np.random.default_rng(6)
    expected = rng.uniform(50, 400, 200)
    observed = rng.poisson(expected * rng.normal(1, 0.15, 200).clip(0.1))
    frame = points(observed.tolist(), expected.tolist(), expected.tolist())
    out = {
        method: (funnel(frame, owner="who", method=method).points["zone"] != "in").mean()
        for method in ("none", "additive", "multiplicative")
    }
    assert out["none"] > 0.2
    assert out["additive"] < 0.11
    assert out["multiplicative"] < 0.13


def test_equals_stay_in_the_funnel():
    rng = np.random.default_rng(8)
    expected = rng.uniform(30, 300, 2_000)
    frame = points(rng.poisson(expected).tolist(), expected.tolist(), expected.tolist())
    zones = funnel(frame, owner="who").points["zone"]
    assert (zones != "in").mean() == pytest.approx(0.05, abs=0.015)


# Refusals and bad input


def test_too_few_owners_have_the_limits_of_chance_and_say_so():
    for count in (1, 4):
        found = funnel(points([9.0] * count, [8.0] * count, [5.0] * count), owner="who")
        assert (found.dispersion, found.reason, found.method) == (None, "few_owners", "none")
        assert found.points["zone"].to_list() == ["in"] * count
    empty = funnel(points([], [], []), owner="who")
    assert (empty.points.height, empty.limits.height) == (0, 0)


def test_an_owner_without_variance_has_no_zone():
    frame = points([0.0, 0, 9, 8, 7, 9, 8], [5, 0, 8, 8, 8, 8, 8], [0, 0, 5, 5, 5, 5, 5.0])
    found = funnel(frame, owner="who").points
    assert found["reason"].to_list()[:2] == ["no_variance", "nothing_expected"]
    assert found["zone"].to_list()[:2] == [None, None]
    numbers = found.select(pl.selectors.float())
    assert all(np.isfinite(series.drop_nulls().to_numpy()).all() for series in numbers)


def test_what_is_no_funnel_is_refused():
    frame = points([1.0], [1.0], [1.0])
    with pytest.raises(ValueError, match="method must be"):
        funnel(frame, owner="who", method="laney")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="for every owner"):
        funnel(frame.with_columns(observed=None), owner="who")
    with pytest.raises(ValueError, match="for every owner"):
        funnel(frame.with_columns(variance=-1.0), owner="who")
    with pytest.raises(ValueError, match="one half"):
        dispersion([1.0], [1.0], winsorised=0.5)
    with pytest.raises(ValueError, match="finite"):
        dispersion([], [])


# Laws


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-8, 8), st.floats(0.01, 2)), min_size=1, max_size=30))
def test_pulling_in_never_widens(rows: list[tuple[float, float]]):
    z, se = map(np.array, zip(*rows, strict=True))
    plain, held = dispersion(z, se, winsorised=0), dispersion(z, se, winsorised=0.1)
    assert held.tau2 <= plain.tau2 + 1e-9 or held.phi > plain.phi
    assert min(held.phi, held.tau2, held.p_value) >= 0
