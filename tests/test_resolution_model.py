"""The model of resolution: against statsmodels on single cases, and against counting."""

from __future__ import annotations

import datetime as dt
from itertools import product

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy.stats import ks_2samp

from analytics.resolution_model import (
    NoModel,
    calibration,
    discrimination,
    fit_resolution_model,
    forecasts,
    stability,
    with_season,
)
from jobs.resolution_models import fit_resolution

JAN, FEB = dt.date(2025, 1, 31), dt.date(2025, 2, 28)
EASE = {"early": 1.0, "late": -1.5}
KIND = {"card": 0.0, "auto": 0.6, None: -0.4}


def planted(cases: int, seed: int = 0, shift: float = 0.0) -> pl.DataFrame:
    """Single cases whose log odds are 0.2 + ease + kind."""
    rng = np.random.default_rng(seed)
    stage = rng.choice(list(EASE), cases, p=[0.7, 0.3])
    kind = rng.choice(3, cases, p=[0.5, 0.3, 0.2])
    names = list(KIND)
    odds = 0.2 + shift + np.array([EASE[one] for one in stage])
    odds = odds + np.array([KIND[names[one]] for one in kind])
    resolved = rng.random(cases) < 1 / (1 + np.exp(-odds))
    return pl.DataFrame(
        {
            "stage": stage,
            "product": pl.Series([names[one] for one in kind], dtype=pl.String),
            "mature": 1,
            "resolved": resolved.astype(int),
        }
    )


def grouped(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("stage", "product").agg(pl.col("mature", "resolved").sum())


def scores(good: list[int], bad: list[int]) -> pl.DataFrame:
    """Single cases' bins as counts."""
    return pl.DataFrame(
        {
            "bin": [*good, *bad],
            "cases": 1,
            "mature": 1,
            "resolved": [1] * len(good) + [0] * len(bad),
        },
        schema_overrides={"bin": pl.Int64},
    )


# --- the fit -------------------------------------------------------------------------------


def test_the_fit_on_cells_is_the_fit_on_single_cases() -> None:
    rows = planted(3000)
    model = fit_resolution_model(grouped(rows), ("stage", "product"))
    found = {(row["covariate"], row["level"]): row for row in model.levels.iter_rows(named=True)}
    columns = [
        (rows["stage"] == "late").to_numpy(),
        (rows["product"] == "auto").fill_null(value=False).to_numpy(),
        rows["product"].is_null().to_numpy(),
    ]
    design = np.column_stack([np.ones(rows.height), *columns]).astype(float)
    oracle = sm.GLM(rows["resolved"].to_numpy(), design, family=sm.families.Binomial()).fit()
    levels = [("stage", "late"), ("product", "auto"), ("product", "not recorded")]
    assert model.intercept == pytest.approx(oracle.params[0], abs=1e-8)
    for place, level in enumerate(levels, start=1):
        assert found[level]["coefficient"] == pytest.approx(oracle.params[place], abs=1e-8)
        assert found[level]["se"] == pytest.approx(oracle.bse[place], rel=1e-6)
    assert found["stage", "early"]["coefficient"] == 0  # the reference: the most cases
    assert found["stage", "late"]["coefficient"] == pytest.approx(-2.5, abs=0.3)  # as planted


def test_forecasts_of_the_cases_fitted_on_add_up_to_what_happened() -> None:
    cells = grouped(planted(2000))
    model = fit_resolution_model(cells, ("stage", "product"))
    expected = (forecasts(model, cells) * cells["mature"]).sum()
    assert expected == pytest.approx(cells["resolved"].sum(), abs=1e-6)


def test_a_level_of_few_cases_or_one_outcome_is_judged_as_the_reference() -> None:
    few = pl.DataFrame(
        {"stage": ["early"] * 2, "product": ["rare", "lost"], "mature": [29, 50],
         "resolved": [20, 0]}
    )  # fmt: skip
    cells = pl.concat([grouped(planted(2000)), few], how="diagonal_relaxed")
    model = fit_resolution_model(cells, ("stage", "product"))
    known = model.levels.filter(pl.col("level").is_in(["rare", "lost"]))
    assert known["coefficient"].null_count() == 2
    asked = pl.DataFrame({"stage": ["early"] * 3, "product": ["rare", "card", "never seen"]})
    assert forecasts(model, asked).n_unique() == 1


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (planted(199), "at least 200 cases"),
        (planted(300).with_columns(resolved=1), "ended alike"),
    ],
)
def test_what_carries_no_model_is_refused(rows: pl.DataFrame, reason: str) -> None:
    with pytest.raises(NoModel, match=reason):
        fit_resolution_model(grouped(rows), ("stage", "product"))


def test_the_season_is_the_quarter_of_the_opening() -> None:
    days = [dt.date(2025, month, 28) for month in (1, 3, 4, 12)]
    found = with_season(pl.DataFrame({"opened_month": days}))["season"]
    assert found.to_list() == ["Q1", "Q1", "Q2", "Q4"]


# --- ranking -------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    some.lists(some.integers(0, 9), min_size=1, max_size=12),
    some.lists(some.integers(0, 9), min_size=1, max_size=12),
)
def test_auc_is_the_share_of_pairs_ranked_right_and_ks_is_scipys(
    good: list[int], bad: list[int]
) -> None:
    found = discrimination(scores(good, bad))
    assert found is not None
    pairs = [(a > b) + (a == b) / 2 for a, b in product(good, bad)]
    assert found.auc == pytest.approx(sum(pairs) / len(pairs), abs=1e-12)
    assert found.ks == pytest.approx(ks_2samp(good, bad).statistic, abs=1e-12)
    assert found.auc_low <= found.auc <= found.auc_high


def test_the_interval_of_auc_is_delongs() -> None:
    good, bad = [1, 3, 3, 4], [0, 2, 3]
    # of each good case, the share of bad ones below it; of each bad one, of good ones above it
    v10 = np.array([1 / 3, 5 / 6, 5 / 6, 1])
    v01 = np.array([1, 3 / 4, 1 / 2])  # 0: all four; 2: three; 3: one and two halves
    se = np.sqrt(v10.var(ddof=1) / 4 + v01.var(ddof=1) / 3)
    found = discrimination(scores(good, bad))
    assert found is not None
    assert found.auc == pytest.approx(v10.mean())
    assert found.auc_low == pytest.approx(v10.mean() - 1.96 * se)


def test_one_outcome_alone_cannot_be_told_apart() -> None:
    assert discrimination(scores([1, 2], [])) is None
    young = pl.DataFrame({"bin": [1], "cases": [9], "mature": [0], "resolved": [0]})
    assert discrimination(young) is None


def test_delongs_interval_covers_the_truth() -> None:
    rng = np.random.default_rng(5)
    truth, inside = 0.76024994, 0  # P(X > Y) for normals one apart: Phi(1 / sqrt 2)
    for _ in range(300):
        good, bad = rng.normal(1, 1, 120), rng.normal(0, 1, 80)
        bins = [np.clip((one + 5) * 9, 0, 99).astype(int).tolist() for one in (good, bad)]
        found = discrimination(scores(*bins))
        assert found is not None
        inside += found.auc_low <= truth <= found.auc_high
    assert 0.91 <= inside / 300 <= 0.985


# --- calibration and drift -----------------------------------------------------------------


def test_groups_are_tenths_of_the_cases_in_order() -> None:
    bins = pl.DataFrame(
        {
            "bin": list(range(20)),
            "mature": [10] * 20,
            "resolved": [place // 2 for place in range(20)],
            "expected": [place / 2 for place in range(20)],
        }
    )
    found = calibration(bins)
    assert found["cases"].to_list() == [20] * 10
    assert found["share"].to_list() == pytest.approx([place / 10 for place in range(10)])
    assert found["forecast_share"][3] == pytest.approx((6 / 2 + 7 / 2) / 20)
    assert found["low"][5] == pytest.approx(0.299, abs=0.001)  # Wilson, 10 of 20


def test_a_bin_is_not_split_and_the_young_do_not_count() -> None:
    bins = pl.DataFrame(
        {"bin": [3, 80], "mature": [100, 0], "resolved": [40, 0], "expected": [41.0, 0.0]}
    )
    found = calibration(bins)
    assert found.select("cases", "resolved", "forecast_share").rows() == [(100, 40, 0.41)]
    assert calibration(bins.clear()).is_empty()


def test_a_true_model_is_calibrated_in_later_cases() -> None:
    cells = grouped(planted(20_000, seed=1))
    model = fit_resolution_model(cells, ("stage", "product"))
    later = grouped(planted(20_000, seed=2))
    share = forecasts(model, later)
    rows = later.with_columns(
        bin=(share * 100).floor().cast(pl.Int64), expected=share * later["mature"]
    )
    found = calibration(rows)
    off = (found["forecast_share"] < found["low"]) | (found["forecast_share"] > found["high"])
    assert off.sum() <= 1
    worse = grouped(planted(20_000, seed=3, shift=-0.5))
    rows = worse.with_columns(
        bin=(forecasts(model, worse) * 100).floor().cast(pl.Int64),
        expected=forecasts(model, worse) * worse["mature"],
    )
    moved = calibration(rows)
    assert (moved["forecast_share"] > moved["high"]).all()  # and a shift is seen


def test_the_stability_index_by_hand() -> None:
    fitted = pl.DataFrame({"bin": [10, 50, 90], "cases": [25, 25, 50]})
    later = pl.DataFrame(
        {"opened_month": [JAN] * 3 + [FEB] * 3, "bin": [10, 50, 90] * 2,
         "cases": [25, 25, 50, 50, 25, 25]}
    )  # fmt: skip
    found = stability(fitted, later, groups=4)
    assert found["psi"][0] == 0
    # (0.5 - 0.25) ln 2 + 0 + (0.25 - 0.5) ln 0.5
    assert found["psi"][1] == pytest.approx(0.5 * np.log(2))
    assert found["by_chance"][1] == pytest.approx(2 * (1 / 100 + 1 / 100))


def test_an_empty_group_counts_as_half_a_case() -> None:
    fitted = pl.DataFrame({"bin": [10, 90], "cases": [50, 50]})
    later = pl.DataFrame({"opened_month": [JAN], "bin": [90], "cases": [100]})
    found = stability(fitted, later, groups=2)["psi"].item()
    assert found == pytest.approx((0.005 - 0.5) * np.log(0.01) + 0.5 * np.log(2))


def test_a_bin_that_the_fit_never_saw_falls_into_a_group() -> None:
    fitted = pl.DataFrame({"bin": [10, 50], "cases": [50, 50]})
    later = pl.DataFrame({"opened_month": [JAN] * 2, "bin": [0, 99], "cases": [5, 5]})
    assert stability(fitted, later, groups=2).select("cases", "psi").rows() == [(10, 0.0)]
    assert stability(fitted.clear(), later).is_empty()


def test_chance_alone_makes_as_much_as_is_said() -> None:
    rng = np.random.default_rng(3)
    found = []
    for _ in range(200):
        base, now = (rng.integers(0, 100, count) for count in (2000, 500))
        fitted = pl.DataFrame({"bin": base, "cases": 1})
        later = pl.DataFrame({"opened_month": JAN, "bin": now, "cases": 1})
        found.append(stability(fitted, later).row(0, named=True))
    mean = np.mean([row["psi"] for row in found])
    assert mean == pytest.approx(found[0]["by_chance"], rel=0.12)


# --- at refresh ----------------------------------------------------------------------------


def cohorts(count: int, cases: int = 100, young: int = 0) -> pl.DataFrame:
    parts = []
    for place in range(count):
        opened = dt.date(2024 + place // 12, place % 12 + 1, 28)
        rows = grouped(planted(cases, seed=place)).rename({"stage": "bucket"})
        mature = 0 if place >= count - young else 1
        parts.append(
            rows.with_columns(
                cases="mature",
                mature=pl.col("mature") * mature,
                resolved=pl.col("resolved") * mature,
                opened_month=pl.lit(opened),
                amount_band=pl.lit("small"),
                risk=pl.lit("low"),
                rfm=pl.lit("low"),
                region=pl.lit(None, pl.String),
                grade=pl.lit("A"),
            )
        )
    return pl.concat(parts)


def test_the_last_quarter_of_the_months_is_kept_to_judge_by() -> None:
    found = fit_resolution(cohorts(19, young=3))
    row = found["resolution_models"].row(0, named=True)
    # sixteen are mature: the first has no history, eleven are fitted on, four kept; the young
    # are scored as well
    assert (row["first_month"], row["last_month"]) == (dt.date(2024, 2, 28), dt.date(2024, 12, 28))
    assert row["cases"] == 1100
    scored = found["resolution_scores"]
    assert scored.filter(period="before")["cases"].sum() == 100
    later = scored.filter(period="later")
    assert later["opened_month"].n_unique() == 7
    assert (later["cases"].sum(), later["mature"].sum()) == (700, 400)
    assert found["resolution_coefficients"]["covariate"].n_unique() == 7


def test_too_few_months_are_said() -> None:
    found = fit_resolution(cohorts(7, young=2))
    assert list(found) == ["resolution_models"]
    assert "at least 6 months" in found["resolution_models"]["reason"].item()
    assert fit_resolution(cohorts(1).clear()) == {}
