"""Which cases are easy, and who does better on them than others would?"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.case_mix import CaseMix, fit_case_mix
from analytics.expected import observed_and_expected, standard_curve, subset_effects
from analytics.money_mix import fit_money_mix, observed_and_expected_money, winsorised_check
from tests.case_books import EASE, grouped, money_book, money_cells, resolved_book
from tests.cell_frames import cell

KINDS = ["bucket", "product"]


def fitted(cells: pl.DataFrame, covariates: list[str] = KINDS) -> CaseMix:
    return fit_case_mix(cells, owner="who", covariates=covariates)


def dummies(cases: pl.DataFrame, model: CaseMix) -> tuple[np.ndarray, list[str]]:
    """Owners' and levels' columns without the model's reference levels."""
    wide = cases.select("who", *model.covariates).to_dummies().cast(pl.Float64)
    given_up = model.coefficients.filter(pl.col("reason") == "reference").select("term", "level")
    wide = wide.drop([f"{term}_{level}" for term, level in given_up.rows()])
    names = sorted(wide.columns, key=lambda name: (not name.startswith("who"), name))
    return wide.select(names).to_numpy(), names


def finite(*frames: pl.DataFrame) -> bool:
    numbers = [frame.select(pl.selectors.float()) for frame in frames]
    return all(np.isfinite(s.drop_nulls().to_numpy()).all() for f in numbers for s in f)


def stacked(*frames: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([frame.select(frames[0].columns) for frame in frames], how="vertical_relaxed")


def counts(*rows: tuple[str, str, int, int]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["who", "bucket", "cases", "resolved"], orient="row")


# Worked by hand


def test_two_collectors_who_are_equal_on_equal_cases_have_the_same_effect():
    """Raw 26 against 44 %: 20 and 50 % by bucket for both, A has the late ones."""
    cells = counts(("A", "late", 80, 16), ("A", "early", 20, 10), ("B", "late", 20, 4))
    model = fitted(stacked(cells, counts(("B", "early", 80, 40))), ["bucket"])
    assert model.owners["effect"].to_numpy() == pytest.approx([0, 0], abs=1e-9)
    assert model.owners["ratio"].to_numpy() == pytest.approx([1, 1])
    assert model.owners["expected"].to_list() == pytest.approx([26, 44])


def test_without_covariates_an_effect_is_a_log_odds_ratio():
    model = fitted(counts(("A", "", 100, 40), ("B", "", 100, 20)), [])
    a, b = model.owners["effect"]
    assert a - b == pytest.approx(np.log((40 / 60) / (20 / 80)))
    assert model.owners["expected"].sum() == pytest.approx(60)


def test_an_owner_with_none_resolved_is_held_back_by_half_a_case():
    """Firth with an intercept alone: (0 + 1/2) / (9 + 1)."""
    model = fitted(counts(("A", "", 100, 40), ("B", "", 100, 30), ("C", "", 9, 0)), [])
    held = cell(model.owners, who="C")
    assert held["reason"] == "all_or_none"
    share = 1 / (1 + np.exp(-model.owner_terms[2]))
    assert share == pytest.approx(0.5 / 10)
    assert held["se"] == pytest.approx(1 / np.sqrt(9 * 0.05 * 0.95), rel=0.02)


def test_the_shown_step_gives_back_every_owners_own_effect():
    cases = resolved_book(1, np.array([-0.4, 0.0, 0.4]), 100)
    cells = stacked(grouped(cases), counts(("X", "0", 4, 4)).with_columns(product=pl.lit("1"))
                       .select(grouped(cases).columns))  # fmt: skip
    model = fitted(cells)
    found = subset_effects(observed_and_expected(model, cells), model.owners, owner="who")
    assert found["effect"].to_numpy() == pytest.approx(model.owners["effect"].to_numpy(), abs=1e-8)


def test_the_mart_adds_up_to_the_totals():
    cells = grouped(resolved_book(2, np.array([-0.4, 0.0, 0.4]), 200))
    model = fitted(cells)
    mart = observed_and_expected(model, cells, by=["bucket"])
    assert mart["expected"].sum() == pytest.approx(cells["resolved"].sum())
    assert mart["average_expected"].sum() == pytest.approx(cells["resolved"].sum())
    by_owner = mart.group_by("who").agg(pl.col("observed", "expected").sum())
    assert by_owner["expected"].to_numpy() == pytest.approx(by_owner["observed"].to_numpy())


def test_money_of_two_owners_is_observed_over_expected():
    """Both placed 1,000; A brings 300, B 100: against 200 each."""
    cells = money_cells(["A", "A", "B", "B"], [0] * 4, [500] * 4, [200, 100, 60, 40])
    model = fit_money_mix(cells, owner="who", covariates=["bucket"])
    assert model.owners["ratio"].to_list() == pytest.approx([1.5, 0.5])
    assert model.owners["effect"].to_list() == pytest.approx([np.log(1.5), np.log(0.5)])


def test_one_large_payment_shows_in_the_winsorised_check():
    book = money_book(3, np.zeros(4), 80)
    prepaid = money_cells(["C00"], [1], np.array([300.0]), np.array([30_000.0]))
    cells = stacked(book, prepaid)
    net, clipped = (
        fit_money_mix(cells, owner="who", covariates=["bucket"], cash=cash)
        for cash in ("cash", "clipped")
    )
    found = winsorised_check(net, clipped)
    assert found["is_fragile"].to_list() == [True, False, False, False]


# Independent


def test_the_fit_agrees_with_statsmodels_on_single_cases():
    cases = resolved_book(5, np.linspace(-0.5, 0.5, 6), 120, steering=0.5)
    model = fitted(grouped(cases))
    design, names = dummies(cases, model)
    fit = sm.GLM(cases["resolved"].to_numpy(), design, family=sm.families.Binomial()).fit(tol=1e-12)
    assert model.owner_terms == pytest.approx(fit.params[:6], abs=1e-6)
    kept = model.coefficients.filter(pl.col("reason").is_null()).sort("term", "level")
    assert kept["coefficient"].to_numpy() == pytest.approx(fit.params[6:], abs=1e-6)
    assert kept["se"].to_numpy() == pytest.approx(fit.bse[6:], abs=1e-6)
    assert model.deviance == pytest.approx(fit.deviance, abs=1e-6)
    assert model.null_deviance == pytest.approx(fit.null_deviance, rel=1e-4)
    fitted_v = fit.fittedvalues * (1 - fit.fittedvalues)
    weights = design[:, :6].T @ fitted_v / fitted_v.sum()
    contrast = np.eye(6, len(names))
    contrast[:, :6] -= weights
    se = np.sqrt(np.diag(contrast @ fit.cov_params() @ contrast.T))
    assert model.owners["se"].to_numpy() == pytest.approx(se, abs=1e-6)
    mart = observed_and_expected(model, cases)
    assert mart["variance"].to_numpy() == pytest.approx(design[:, :6].T @ fitted_v, abs=1e-6)


def test_money_agrees_with_tweedie_at_its_poisson_end():
    """GLM(Tweedie(var_power=1)) with the log of placed as offset, robust errors (HC0); theirs have
    no share of everybody's variation, hence 3 %.  At var_power 1.5 the weights differ: effects
    within two thirds of an error."""
    cases = money_book(6, np.linspace(-0.3, 0.3, 5), 300)
    model = fit_money_mix(grouped(cases), owner="who", covariates=["bucket"])
    design, _ = dummies(cases, model)
    cash, placed = (cases[f"{name}_cents"].to_numpy() / 100 for name in ("cash", "placed"))
    fits = [
        sm.GLM(
            cash,
            design,
            family=sm.families.Tweedie(sm.families.links.Log(), var_power=power),
            offset=np.log(placed),
        ).fit(cov_type="HC0", tol=1e-12)
        for power in (1, 1.5)
    ]
    assert model.owner_terms == pytest.approx(fits[0].params[:5], abs=1e-6)
    weights = design[:, :5].T @ fits[0].fittedvalues / fits[0].fittedvalues.sum()
    contrast = np.eye(5, design.shape[1])
    contrast[:, :5] -= weights
    se = np.sqrt(np.diag(contrast @ fits[0].cov_params() @ contrast.T))
    assert model.owners["se"].to_numpy() == pytest.approx(se, rel=0.03)
    kept = model.coefficients.filter(pl.col("reason").is_null()).sort("term", "level")
    assert kept["se"].to_numpy() == pytest.approx(fits[0].bse[5:], rel=0.03)
    apart = contrast @ fits[1].params - contrast @ fits[0].params
    assert (np.abs(apart) < 2 / 3 * se).all()


# Truth


def test_collectors_in_the_model_do_not_bend_the_slope_and_left_out_they_do():
    """The better get the harder cases: without them hard cases look easier than they are."""
    effects = np.linspace(-0.9, 0.9, 20)
    cells = grouped(resolved_book(8, effects, 500, steering=0.7))
    inside = fitted(cells)
    outside = fit_case_mix(
        cells.with_columns(all=pl.lit("everybody")), owner="all", covariates=KINDS
    )
    easy_to_hard = [
        dict(model.coefficients.filter(term="bucket").select("level", "coefficient").rows())
        for model in (inside, outside)
    ]
    true = EASE[0] - EASE[2]
    with_them, without = (slope["0"] - slope["2"] for slope in easy_to_hard)
    assert with_them == pytest.approx(true, abs=0.2)
    assert without < true - 0.5
    assert inside.owners["effect"].to_numpy() == pytest.approx(effects, abs=0.45)


def test_effects_hold_the_truth_as_often_as_they_claim():
    effects = np.linspace(-0.5, 0.5, 12)
    held = []
    for seed in range(60):
        owners = fitted(grouped(resolved_book([9, seed], effects, 80, steering=0.5))).owners
        error = owners["effect"].to_numpy() - effects
        held.append(np.abs(error - error.mean()) <= 1.96 * owners["se"].to_numpy())
    assert 0.92 < np.mean(held) < 0.98


def test_money_effects_hold_the_truth_as_often_as_they_claim():
    effects = np.linspace(-0.3, 0.3, 10)
    held = []
    for seed in range(80):
        cells = grouped(money_book(seed, effects, 80))
        owners = fit_money_mix(cells, owner="who", covariates=["bucket"]).owners
        error = owners["effect"].to_numpy() - effects
        held.append(np.abs(error - error.mean()) <= 1.96 * owners["se"].to_numpy())
    assert 0.92 < np.mean(held) < 0.98


def test_a_subset_is_close_to_a_fit_of_its_own():
    cases = resolved_book(10, np.linspace(-0.4, 0.4, 8), 600)
    model = fitted(cases)
    part = cases.filter(pl.col("bucket") == "2")
    found = subset_effects(observed_and_expected(model, part), model.owners, owner="who")
    own = fitted(part, ["product"]).owners
    apart = found["effect"].to_numpy() - own["effect"].to_numpy()
    assert np.abs(apart - apart.mean()).max() < 0.05
    assert found["se"].to_numpy() == pytest.approx(own["se"].to_numpy(), rel=0.15)


def test_the_standard_curve_is_the_share_on_the_same_cases_for_all():
    cells = grouped(resolved_book(11, np.linspace(-0.4, 0.4, 8), 400))
    model = fitted(cells)
    curve = standard_curve(model, cells)
    average = float(np.interp(0, curve["effect"], curve["share"]))
    assert average == pytest.approx(cells["resolved"].sum() / cells["cases"].sum(), abs=1e-4)
    assert (np.diff(curve["share"].to_numpy()) > 0).all()


# Refusals and bad input


def test_perfect_separators_do_not_move_the_others():
    cases = resolved_book(12, np.linspace(-0.4, 0.4, 5), 150)
    kinds = {"bucket": "1", "product": "0"}
    extremes = pl.DataFrame(
        [
            {"who": "none", **kinds, "cases": 40, "resolved": 0},
            {"who": "all", **kinds, "cases": 40, "resolved": 40},
            {"who": "one", **kinds, "cases": 1, "resolved": 1},
        ]
    )
    before = fitted(grouped(cases))
    after = fitted(stacked(grouped(cases), extremes))
    assert after.owner_terms[:5] == pytest.approx(before.owner_terms, abs=1e-8)
    held = after.owners.filter(pl.col("reason") == "all_or_none")
    effects = dict(held.select("who", "effect").rows())
    assert effects["none"] < -3 < 0 < effects["one"] < effects["all"] < 8
    assert (held["se"] > 1).all()
    assert finite(after.owners, after.coefficients)


def test_a_level_on_which_nobody_ever_succeeds_is_set_aside():
    cases = resolved_book(13, np.linspace(-0.4, 0.4, 4), 150)
    dead = cases.with_columns(bucket=pl.lit("fraud"), resolved=0)
    model, before = fitted(stacked(cases, dead)), fitted(cases)
    assert cell(model.coefficients, level="fraud")["reason"] == "never_or_always"
    assert model.owner_terms == pytest.approx(before.owner_terms, abs=1e-8)
    mart = observed_and_expected(model, dead)
    assert mart.select("expected", "variance").sum().row(0) == (0, 0)


def test_what_only_one_owner_ever_has_is_said_to_be_aliased():
    cases = resolved_book(14, np.linspace(-0.4, 0.4, 4), 150)
    cases = cases.with_columns(agency=pl.when(pl.col("who") == "C03").then(pl.lit("out")))
    model = fitted(cases, ["agency", *KINDS])
    found = cell(model.coefficients, term="agency", level="out")
    assert (found["coefficient"], found["reason"]) == (None, "aliased")
    assert "(not recorded)" in model.coefficients.filter(term="agency")["level"]
    assert finite(model.owners)


@pytest.mark.parametrize(
    "cells",
    [
        counts(("A", "x", 10, 4)),
        counts(("A", "x", 1, 1)),
        counts(("A", "x", 10, 0), ("B", "x", 5, 0)),
        counts(("A", "x", 10, 10), ("B", "y", 5, 0)),
        counts(("A", "x", 10, 4), ("B", "y", 1, 1)),
        counts(("A", "x", 1, 0), ("B", "x", 1, 1)),
    ],
)
@pytest.mark.parametrize("covariates", [[], ["bucket"]])
def test_books_too_small_to_compare_give_nulls_with_reasons(
    cells: pl.DataFrame, covariates: list[str]
):
    model = fitted(cells, covariates)
    mart = observed_and_expected(model, cells)
    shown = subset_effects(mart, model.owners, owner="who")
    assert finite(model.owners, model.coefficients, mart, shown, standard_curve(model, cells))
    unknown = model.owners.filter(pl.col("effect").is_null())
    assert unknown["reason"].null_count() == 0
    if cells["who"].n_unique() == 1:
        assert model.owners["reason"].to_list() == ["one_owner"]


def test_more_reversed_than_paid_holds_an_owner_back():
    book = money_book(15, np.zeros(4), 50)
    loser = money_cells(["L"] * 3, [0, 1, 2], np.full(3, 400.0), np.array([50.0, -90.0, 0.0]))
    cells = stacked(book, loser)
    model = fit_money_mix(cells, owner="who", covariates=["bucket"])
    held = cell(model.owners, who="L")
    assert held["reason"] == "no_net_cash"
    assert held["effect"] == pytest.approx(np.log(0.5 / 3))
    assert held["ratio"] < 0
    assert finite(model.owners, observed_and_expected_money(model, cells, by=["bucket"]))


@pytest.mark.parametrize(
    ("who", "cash"),
    [(["A"], [50.0]), (["A"], [-5.0]), (["A", "B"], [0.0, 0.0]), (["A", "B"], [9.0, -20.0])],
)
def test_money_of_almost_nothing_gives_nulls_with_reasons(who: list[str], cash: list[float]):
    cells = money_cells(who, [0] * len(who), np.full(len(who), 100.0), np.array(cash))
    model = fit_money_mix(cells, owner="who", covariates=["bucket"])
    mart = observed_and_expected_money(model, cells)
    assert finite(model.owners, model.coefficients, mart)
    assert model.owners.filter(pl.col("effect").is_null())["reason"].null_count() == 0


def test_an_owner_with_one_case_is_not_certain_of_its_money():
    one = money_cells(["one"], [1], np.array([300.0]), np.array([120.0]))
    cells = stacked(money_book(16, np.zeros(4), 60), one)
    model = fit_money_mix(cells, owner="who", covariates=["bucket"])
    assert cell(model.owners, who="one")["se"] > 0.5


def test_what_is_no_book_is_refused():
    good = counts(("A", "x", 10, 4), ("B", "x", 10, 6))
    with pytest.raises(ValueError, match="has no who"):
        fitted(good.with_columns(who=None), ["bucket"])
    with pytest.raises(ValueError, match="between 0 and cases"):
        fitted(good.with_columns(resolved=11), ["bucket"])
    with pytest.raises(ValueError, match="resolved is missing"):
        fitted(good.with_columns(resolved=pl.lit(None, pl.Int64)), ["bucket"])
    with pytest.raises(ValueError, match="no cases"):
        fitted(good.with_columns(cases=0, resolved=0), ["bucket"])
    with pytest.raises(ValueError, match="bucket z was not in the model"):
        observed_and_expected(fitted(good, ["bucket"]), good.with_columns(bucket=pl.lit("z")))
    unplaced = money_cells(["A"], [0], np.ones(1), np.zeros(1)).with_columns(placed_cents=0)
    with pytest.raises(ValueError, match="nothing was placed"):
        fit_money_mix(unplaced, owner="who", covariates=[])


# Laws

small_books = st.lists(
    st.tuples(st.sampled_from("ABCD"), st.sampled_from("xyz"), st.integers(1, 40), st.floats(0, 1)),
    min_size=1,
    max_size=20,
).map(lambda rows: counts(*((who, kind, n, round(n * share)) for who, kind, n, share in rows)))


@settings(max_examples=80, deadline=None)
@given(small_books)
def test_whatever_the_book_nothing_is_infinite_and_everything_adds_up(cells: pl.DataFrame):
    model = fitted(cells, ["bucket"])
    mart = observed_and_expected(model, cells, by=["bucket"])
    assert finite(model.owners, model.coefficients, mart)
    assert (mart["variance"] >= 0).all()
    assert (model.owners["se"].drop_nulls() >= 0).all()
    fine = model.owners.filter(pl.col("reason").is_null())["who"]
    apart = mart.filter(pl.col("who").is_in(fine.to_list()))
    assert apart["expected"].sum() == pytest.approx(apart["observed"].sum(), abs=1e-3)


@settings(max_examples=20, deadline=None)
@given(small_books)
def test_cells_may_be_split_and_shuffled(cells: pl.DataFrame):
    halves = cells.with_columns(cases=pl.col("cases") - pl.col("resolved"), resolved=0)
    successes = cells.with_columns(cases=pl.col("resolved"))
    one, two = (
        fitted(cells, ["bucket"]),
        fitted(stacked(successes, halves).reverse(), ["bucket"]),
    )
    assert np.nan_to_num(one.owner_terms) == pytest.approx(np.nan_to_num(two.owner_terms), abs=1e-5)
