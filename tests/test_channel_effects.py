"""What did a channel cause?"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, mannwhitneyu, ttest_ind
from statsmodels.stats.contingency_tables import StratifiedTable, Table2x2
from statsmodels.stats.proportion import confint_proportions_2indep
from statsmodels.treatment.treatment_effects import TreatmentEffect

from analytics.channel_effects import ASSUMPTION, ASSUMPTIONS, EffectFits, fit_effects
from analytics.effect_sums import REASONS, effects
from analytics.grouped_models import design, discrimination, linear, logistic
from analytics.sensitivity import e_value, e_value_of_limit
from analytics.stratified import mantel_haenszel, strata_sums
from analytics.treatment_arms import DOSES
from bench import truths_channels
from warehouse.sample import make_book

ARMS = ("without", "call")


def cells(*rows: tuple[Any, ...], names: tuple[str, ...] = ("grade",)) -> pl.DataFrame:
    """A row per stage, covariates, arm, cases, resolved."""
    columns = ["stage", *names, "arm", "cases", "resolved"]
    return pl.DataFrame(list(rows), schema=columns, orient="row")


def fit(landmark: pl.DataFrame, *covariates: str, **options: Any) -> EffectFits:
    options = {"arms": ARMS, "by": covariates[:1]} | options
    return fit_effects(landmark, covariates=covariates, **options)


def estimate(landmark: pl.DataFrame, *covariates: str, **options: Any) -> dict[str, Any]:
    """The only row."""
    found = effects(fit(landmark, *covariates, **options).influence)
    assert found.height == 1
    return found.row(0, named=True)


def counted(cases: pl.DataFrame, *covariates: str) -> pl.DataFrame:
    """Cases with `arm` and `resolved`, as cells."""
    rows = cases.group_by(*covariates, "arm").agg(cases=pl.len(), resolved=pl.col("resolved").sum())
    return rows.with_columns(stage=pl.lit("31-90"))


def confounded(cases: int, seed: int) -> pl.DataFrame:
    """Cases with three covariates; hard ones are called more; a call adds 0.6 in log-odds."""
    rng = np.random.default_rng(seed)
    product, grade, region = (rng.integers(0, levels, cases) for levels in (3, 4, 2))
    hard = 0.8 * (grade - 1.5) + 0.4 * product - 0.3 * region
    called = rng.random(cases) < truths_channels.sigmoid(-0.5 + hard)
    resolved = rng.random(cases) < truths_channels.sigmoid(0.2 - hard + 0.6 * called)
    return pl.DataFrame(
        {
            "product": product,
            "grade": grade,
            "region": region,
            "arm": np.where(called, "call", "without"),
            "resolved": resolved.astype(np.int64),
        }
    )


TWO_GRADES = cells(
    ("31-90", "A", "call", 20, 12),
    ("31-90", "A", "without", 60, 30),
    ("31-90", "B", "call", 80, 24),
    ("31-90", "B", "without", 40, 8),
)

# Worked by hand


def test_the_effect_by_hand_is_ten_points_where_the_raw_difference_is_minus_two():
    """In each grade the called resolve ten points more often (60 to 50, 30 to 20 %), but it is
    the hard grade that is called: 36 of 100 called and 38 of 100 others resolve."""
    found = estimate(TWO_GRADES, "grade")
    assert found["raw"] == pytest.approx(-0.02)
    assert found["effect"] == pytest.approx(0.10)
    assert found["alone"] == pytest.approx((80 * 0.5 + 120 * 0.2) / 200)
    assert found["stratified"] == pytest.approx(0.10)
    assert found["ratio"] == pytest.approx(0.42 / 0.32)
    # weights 4, 4/3 (grade A), 1.5, 3 (grade B): (80 + 120)^2 / (20 x 16 + 80 x 1.5^2)
    assert found["treated_size"] == pytest.approx(200**2 / (20 * 16 + 80 * 2.25))


def test_the_interval_by_hand():
    """A stratified difference: sum of (share of cases)^2 times p q / n in each arm; the grades'
    effects are equal, so their mix adds nothing.  Widened a little for the coefficients."""
    parts = [(0.4, 0.6, 20, 0.5, 60), (0.6, 0.3, 80, 0.2, 40)]
    error = sum(
        share**2 * (p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0) for share, p1, n1, p0, n0 in parts
    )
    found = estimate(TWO_GRADES, "grade")
    half = (found["high"] - found["low"]) / 2
    assert half == pytest.approx(1.984 * error**0.5, rel=0.03)  # t on 79 degrees: 1.990


def test_weighting_makes_the_called_and_the_others_alike():
    balance = fit(TWO_GRADES, "grade").balance
    grade = balance.row(0, named=True)
    # 20 % and 60 % are of grade A: -0.4 / sqrt((0.16 + 0.24) / 2)
    assert (grade["treated_share"], grade["reference_share"]) == (0.2, 0.6)
    assert grade["smd_before"] == pytest.approx(-0.4 / 0.2**0.5)
    assert balance["smd_after"].abs().max() < 1e-6


def test_the_histogram_counts_every_case_of_both_arms_once():
    histogram = fit(TWO_GRADES, "grade").histogram
    called = histogram.filter(group="treated", cases=20)
    assert (called["low"].item(), called["high"].item()) == (0.25, pytest.approx(0.3))
    assert histogram.group_by("group").agg(pl.col("cases").sum())["cases"].to_list() == [100, 100]


def test_doses_are_compared_in_the_same_population_of_cases():
    """One covariate: each dose's mean is that of the grades, weighted by all cases of any dose.
    Grade A (200 cases) 50, 60, 70, 80 %, grade B (200) 20, 20, 30, 40 %."""
    rows = [
        ("31-90", grade, dose, count, round(count * share))
        for grade, shares, counts in (
            ("A", (0.5, 0.6, 0.7, 0.8), (80, 60, 40, 20)),
            ("B", (0.2, 0.2, 0.3, 0.4), (40, 40, 50, 70)),
        )
        for dose, share, count in zip(DOSES, shares, counts, strict=True)
    ]
    fits = fit(cells(*rows), "grade", arms=DOSES, reference="0")
    found = effects(fits.influence)
    assert found["arm"].to_list() == ["1", "2-3", "4+"]
    assert found["effect"].to_list() == pytest.approx([0.05, 0.15, 0.25])
    assert found["alone"].to_list() == pytest.approx([0.35] * 3)


def test_a_selection_is_a_sum_and_selections_add_up_to_the_whole():
    influence = fit(TWO_GRADES, "grade").influence
    parts = effects(influence, over=("grade",))
    whole = effects(influence).row(0, named=True)
    weighed = (parts["effect"] * parts["supported_cases"]).sum() / parts["supported_cases"].sum()
    assert weighed == pytest.approx(whole["effect"])
    only = effects(influence.filter(grade="A")).row(0, named=True)
    assert only["effect"] == parts.filter(grade="A")["effect"].item() == pytest.approx(0.10)
    assert only["alone"] == pytest.approx(0.5)


def test_money_by_hand():
    """The called pay 20 more in each grade (70 to 50, 30 to 10)."""
    money = TWO_GRADES.with_columns(mean=pl.Series([70, 50, 30, 10])).with_columns(
        cash_cents=100 * pl.col("mean") * pl.col("cases"),
        cash_squares=(pl.col("mean") ** 2 + 9.0) * pl.col("cases"),
    )
    found = estimate(money, "grade", outcome="cash")
    assert found["effect"] == pytest.approx(20)
    assert found["raw"] == pytest.approx((0.2 * 70 + 0.8 * 30) - (0.6 * 50 + 0.4 * 10))
    assert (found["ratio"], found["e_value"], found["stratified"]) == (None, None, None)


def test_what_is_not_recorded_is_a_level():
    nameless = TWO_GRADES.with_columns(grade=pl.col("grade").replace("B", None))
    fits = fit(nameless, "grade")
    assert effects(fits.influence)["effect"].item() == pytest.approx(0.10)
    assert "(not recorded)" in fits.balance["level"].to_list()
    assert fits.influence["grade"].null_count() == 1


def test_a_hundred_times_the_cases_make_the_interval_a_tenth():
    many = TWO_GRADES.with_columns(pl.col("cases", "resolved") * 100)
    few, lots = estimate(TWO_GRADES, "grade"), estimate(many, "grade")
    ratio = (few["high"] - few["low"]) / (lots["high"] - lots["low"])
    assert ratio == pytest.approx(10, rel=0.04)


# Published values


def test_the_published_e_values_are_reproduced():
    """VanderWeele and Ding (2017): a risk ratio of 3.9 (1.8 to 8.7) has E-values 7.26 and 3.0."""
    assert e_value(3.9) == pytest.approx(7.26, abs=0.005)
    assert e_value_of_limit(1.8, 8.7) == pytest.approx(3.0)
    assert e_value(1 / 3.9) == pytest.approx(7.26, abs=0.005)
    assert e_value_of_limit(1 / 8.7, 1 / 1.8) == pytest.approx(3.0)
    assert e_value_of_limit(0.8, 1.3) == 1
    assert (e_value(None), e_value(-1.0), e_value(float("inf"))) == (None, None, None)


def test_the_published_pooling_of_the_bcg_trials_is_reproduced():
    """Thirteen trials of a vaccine (Colditz et al. 1994), pooled by Mantel and Haenszel in R's
    metafor: risk difference -0.0033 (-0.0039 to -0.0027), z -11.4708; odds ratio 0.6229."""
    trials = np.array(
        [(4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619),
         (33, 5036, 47, 5761), (180, 1361, 372, 1079), (8, 2537, 10, 619),
         (505, 87886, 499, 87892), (29, 7470, 45, 7232), (17, 1699, 65, 1600),
         (186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825)], float
    )  # fmt: skip
    events = trials[:, [0, 2]]
    sums = strata_sums(events + trials[:, [1, 3]], events)
    found = mantel_haenszel(pl.DataFrame(sums).sum()).row(0, named=True)
    assert found["stratified"] == pytest.approx(-0.0033, abs=5e-5)
    ends = (found["stratified_low"], found["stratified_high"])
    assert ends == pytest.approx((-0.0039, -0.0027), abs=5e-5)
    error = (ends[1] - ends[0]) / 2 / 1.959964
    assert found["stratified"] / error == pytest.approx(-11.4708, abs=5e-4)
    assert found["odds_ratio"] == pytest.approx(0.6229, abs=5e-5)


# Against other libraries


@pytest.fixture(scope="module")
def sample() -> pl.DataFrame:
    return confounded(600, seed=3)


def dummies(cases: pl.DataFrame) -> np.ndarray:
    frame = cases.select("product", "grade", "region").to_pandas().astype(str)
    return sm.add_constant(pd.get_dummies(frame, drop_first=True).astype(float)).to_numpy()


def test_the_estimate_is_that_of_statsmodels_on_the_cases(sample: pl.DataFrame):
    """statsmodels knows linear outcome models only: as money of 1.00 a resolved case it is the
    same estimator, to seven digits; its standard error, which carries the first steps' noise
    too, agrees within 5 %."""
    x, y = dummies(sample), sample["resolved"].to_numpy().astype(float)
    called = (sample["arm"] == "call").to_numpy().astype(int)
    theirs = TreatmentEffect(sm.OLS(y, x), called, sm.Logit(called, x).fit(disp=0))
    money = counted(sample, "product", "grade", "region").with_columns(
        cash_cents=100 * pl.col("resolved"), cash_squares=pl.col("resolved").cast(pl.Float64)
    )
    ours = estimate(money, "product", "grade", "region", outcome="cash")
    effect, alone, _ = theirs.aipw(return_results=False)
    assert (ours["effect"], ours["alone"]) == pytest.approx((effect, alone), rel=1e-6)
    bound = 1.96 * theirs.aipw().results_gmm.bse[0]
    assert (ours["high"] - ours["low"]) / 2 == pytest.approx(bound, rel=0.05)


def test_the_logistic_outcome_model_agrees_with_the_linear_one_within_a_point():
    cases = confounded(20_000, seed=4)
    landmark = counted(cases, "product", "grade", "region").with_columns(
        cash_cents=100 * pl.col("resolved"), cash_squares=pl.col("resolved").cast(pl.Float64)
    )
    ways = [
        estimate(landmark, "product", "grade", "region", outcome=w) for w in ("resolved", "cash")
    ]
    assert ways[0]["effect"] == pytest.approx(ways[1]["effect"], abs=0.01)
    assert ways[0]["effect"] > 0.08


def test_the_sums_are_those_of_every_case_on_its_own(sample: pl.DataFrame):
    """Each case's own part from the case-level models of statsmodels, squared and added up;
    squares of residuals widened by n / (n - 7 coefficients) of the arm."""
    x, y = dummies(sample), sample["resolved"].to_numpy().astype(float)
    called = (sample["arm"] == "call").to_numpy()
    chance = sm.Logit(called.astype(float), x).fit(disp=0).predict()
    means, parts, wide = [], [], []
    for arm, share in ((called, chance), (~called, 1 - chance)):
        means.append(sm.OLS(y[arm], x[arm]).fit().predict(x))
        parts.append(np.where(arm, (y - means[-1]) / share, 0.0))
        wide.append(parts[-1] ** 2 * (arm.sum() / (arm.sum() - x.shape[1]) - 1))
    effect, alone = means[0] + parts[0] - means[1] - parts[1], means[1] + parts[1]
    names = ("product", "grade", "region")
    money = counted(sample, *names).with_columns(
        cash_cents=100 * pl.col("resolved"), cash_squares=pl.col("resolved").cast(pl.Float64)
    )
    sums = fit(money, *names, outcome="cash", by=()).influence.row(0, named=True)
    assert sums["effect_sum"] == pytest.approx(effect.sum(), rel=1e-5)
    assert sums["effect_squares"] == pytest.approx((effect**2 + sum(wide)).sum(), rel=1e-5)
    assert sums["alone_squares"] == pytest.approx((alone**2 + wide[1]).sum(), rel=1e-5)
    assert sums["cross_sum"] == pytest.approx((effect * alone - wide[1]).sum(), rel=1e-5)


def test_with_nothing_to_adjust_for_it_is_the_plain_comparison_of_statsmodels():
    """One level: the raw difference (Newcombe's interval), and the risk ratio with its usual
    standard error (but for Student's t)."""
    plain = cells(("31-90", "A", "call", 2000, 900), ("31-90", "A", "without", 3000, 1200))
    found = estimate(plain, "grade")
    assert found["effect"] == pytest.approx(found["raw"]) == pytest.approx(0.05)
    low, high = confint_proportions_2indep(900, 2000, 1200, 3000, method="newcomb", compare="diff")
    assert (found["raw_low"], found["raw_high"]) == pytest.approx((low, high))
    table = Table2x2([[900, 1100], [1200, 1800]])
    assert found["ratio"] == pytest.approx(table.riskratio)
    ends = table.riskratio_confint()
    assert (found["ratio_low"], found["ratio_high"]) == pytest.approx(ends, rel=5e-4)


def test_the_raw_difference_of_money_has_the_interval_of_scipy():
    rng = np.random.default_rng(2)
    paid = [rng.gamma(0.5, scale, size).round(2) for scale, size in ((80, 150), (50, 90))]
    landmark = pl.DataFrame(
        {
            "stage": "31-90",
            "grade": "A",
            "arm": ARMS[::-1],
            "cases": [len(part) for part in paid],
            "cash_cents": [round(100 * part.sum()) for part in paid],
            "cash_squares": [float((part**2).sum()) for part in paid],
        }
    )
    found = estimate(landmark, "grade", outcome="cash")
    theirs = ttest_ind(*paid, equal_var=False).confidence_interval(0.95)
    assert (found["raw_low"], found["raw_high"]) == pytest.approx(tuple(theirs))


def test_models_on_cells_are_the_case_level_models_of_statsmodels(sample: pl.DataFrame):
    grouped = counted(sample.with_columns(arm=pl.lit("call")), "product", "grade", "region")
    columns, _ = design(grouped, ("product", "grade", "region"))
    good, all_cases = (grouped[name].to_numpy().astype(float) for name in ("resolved", "cases"))
    x, y = dummies(sample), sample["resolved"].to_numpy().astype(float)
    ours, spent = logistic(columns, good, all_cases)
    theirs = sm.GLM(y, x, family=sm.families.Binomial()).fit()
    assert spent == pytest.approx(x.shape[1], abs=1e-4)
    weighed = np.average(_expit(columns @ ours), weights=all_cases)
    assert np.sort(np.repeat(_expit(columns @ ours), all_cases.astype(int))) == pytest.approx(
        np.sort(theirs.fittedvalues), abs=1e-6
    )
    assert weighed == pytest.approx(y.mean(), abs=1e-6)
    straight, _ = linear(columns, good, all_cases)
    assert np.sort(np.repeat(columns @ straight, all_cases.astype(int))) == pytest.approx(
        np.sort(sm.OLS(y, x).fit().fittedvalues), abs=1e-6
    )


def _expit(score: np.ndarray) -> np.ndarray:
    return truths_channels.sigmoid(score)


def test_the_strata_are_those_of_statsmodels_and_of_fixed_effects(sample: pl.DataFrame):
    """The odds ratio is StratifiedTable's; the difference is the coefficient of the arm in least
    squares with a constant for each stratum."""
    found = estimate(counted(sample, "product", "grade"), "product", "grade")
    tables, y = [], sample["resolved"].to_numpy()
    called = (sample["arm"] == "call").to_numpy()
    stratum = sample.select(pl.struct("product", "grade").rank("dense")).to_series().to_numpy()
    for place in np.unique(stratum):
        inside = stratum == place
        rows = [y[inside & (called == arm)] for arm in (True, False)]
        tables.append([[row.sum(), len(row) - row.sum()] for row in rows])
    assert found["odds_ratio"] == pytest.approx(StratifiedTable(tables).oddsratio_pooled)
    x = np.column_stack([called, pd.get_dummies(stratum)]).astype(float)
    assert found["stratified"] == pytest.approx(sm.OLS(y, x).fit().params[0])


def test_discrimination_is_the_rank_statistic_of_scipy(sample: pl.DataFrame):
    score = sample["grade"].to_numpy().astype(float)
    y = sample["resolved"].to_numpy().astype(float)
    theirs = mannwhitneyu(score[y == 1], score[y == 0]).statistic / (y.sum() * (1 - y).sum())
    assert discrimination(score, y, np.ones(len(y))) == pytest.approx(theirs)


# Planted truths


def test_a_naive_difference_below_zero_hides_a_truth_of_ten_points():
    world = truths_channels.called("calls to the hard", 0.46, cases=40_000, slope=1.0)
    naive = _raw(world)
    assert naive == pytest.approx(-0.017, abs=0.003)
    assert world.truths[0] == pytest.approx(0.10, abs=0.003)
    book = world.book(np.random.default_rng(5))
    found = estimate(book, *truths_channels.COVARIATES)
    assert found["raw_high"] < 0
    assert found["low"] < world.truths[0] < found["high"]
    assert found["low"] > 0.08
    assert found["e_value"] > found["e_value_limit"] > 1.5


def _raw(world: truths_channels.World) -> float:
    """The expected raw difference of the second arm and the first."""
    cases = truths_channels.SHARES[:, None] * world.chances
    means = (cases * world.resolves).sum(axis=0) / cases.sum(axis=0)
    return float(means[1] - means[0])


@pytest.mark.parametrize("place", [0, 1])
def test_intervals_cover_the_truth_as_often_as_they_claim(place: int):
    """120 books; bounds that a true 95 % leaves once in a thousand."""
    world = truths_channels.WORLDS[place]
    (found,) = truths_channels.run(world, books=120, seed=11)
    assert binom.ppf(0.0005, 120, 0.95) <= 120 * found.coverage
    assert abs(found.estimate - found.truth) < 3.5 * found.noise
    assert found.refused == 0
    if found.truth:
        assert found.wrong_sign > 0.6
    else:
        assert found.raw < -0.1


def histories(cases: int, seed: int) -> pl.DataFrame:
    """Cases whose day of resolution no attempt moves: day of the first attempt, of the first
    conversation, of resolution.  Hard cases are attempted sooner; nobody is after resolution."""
    rng = np.random.default_rng(seed)
    grade = rng.integers(0, 4, cases)
    resolution = rng.geometric(np.array([0.06, 0.045, 0.03, 0.02])[grade])
    attempt = rng.geometric(np.array([0.05, 0.08, 0.11, 0.15])[grade])
    reach = attempt + rng.geometric(0.15, cases) - 1
    return pl.DataFrame({"grade": grade, "on": resolution, "attempt": attempt, "reach": reach})


def built(cases: pl.DataFrame, treated: pl.Expr) -> pl.DataFrame:
    arm = pl.when(treated).then(pl.lit("call")).otherwise(pl.lit("without"))
    resolved = (pl.col("on") <= 30).cast(pl.Int64)
    return counted(cases.with_columns(arm=arm, resolved=resolved), "grade")


def test_with_a_landmark_no_effect_is_no_effect():
    cases = histories(30_000, seed=6)
    landmark = built(cases.filter(pl.col("on") > 7), pl.col("attempt") <= 7)
    found = estimate(landmark, "grade")
    assert found["low"] < 0 < found["high"]
    assert abs(found["effect"]) < 0.015
    assert found["raw"] < -0.05  # the hard are attempted


@pytest.mark.parametrize("day", ["attempt", "reach"])
def test_without_a_landmark_no_effect_looks_like_great_harm(day: str):
    """Whoever resolves early cannot be attempted, or reached, any more."""
    cases = histories(30_000, seed=6)
    ever = pl.col(day) < pl.min_horizontal("on", 31)
    assert estimate(built(cases, ever), "grade")["high"] < -0.15


def test_the_channels_of_a_synthetic_book_are_found_behind_raw_differences(tmp_path: Path):
    """Calls to early cases and texts: intervals hold the planted effects; the raw difference of
    calls has the wrong sign.  Letters do nothing, and are seen to."""
    make_book(tmp_path, loans=14_000, months=24, seed=8, last_month=date(2026, 6, 30))
    truths = json.loads((tmp_path / "truths.json").read_text())["channel_effects"]
    cases = _early_cases(tmp_path)
    contacts = pl.read_parquet(tmp_path / "contacts.parquet").join(cases, on="case_id")
    days = (pl.col("contacted_at").dt.date() - pl.col("opened_on")).dt.total_days()
    in_time = contacts.filter(pl.col("direction") == "outbound", days < 7)
    names = ("product", "region", "risk_grade", "amount", "month")
    for channel in ("call", "sms", "letter"):
        treated = in_time.filter(channel=channel).select("case_id").unique()
        arms = cases.join(treated.with_columns(arm=pl.lit(channel)), on="case_id", how="left")
        arms = arms.with_columns(pl.col("arm").fill_null("without"))
        found = estimate(counted(arms, *names), *names, arms=("without", channel))
        truth = truths["1-30"][channel]["effect"]
        assert found["low"] < truth < found["high"], (channel, found)
        if channel == "call":
            assert found["raw_high"] < 0 < found["low"]


def _early_cases(folder: Path) -> pl.DataFrame:
    """Cases a month late at opening and unresolved on day seven, resolved by month-end or not."""
    cases, loans, customers = (
        pl.read_parquet(folder / f"{name}.parquet") for name in ("cases", "loans", "customers")
    )
    due = pl.col("opened_on") - pl.duration(days="opening_days_past_due")
    late = [12 * day.dt.year() + day.dt.month() for day in (pl.col("opened_on"), due)]
    good = pl.col("close_reason").is_in(["cured", "paid_off", "settled"])
    by_end = pl.col("closed_on") <= pl.col("opened_on").dt.month_end()
    week = pl.col("opened_on") + pl.duration(days=7)
    return (
        cases.filter(late[0] - late[1] == 1, ~(pl.col("closed_on") < week).fill_null(False))
        .join(loans, on="loan_id")
        .join(customers, on="customer_id")
        .select(
            "case_id",
            "opened_on",
            "product",
            "region",
            "risk_grade",
            amount=(2 * pl.col("placed_amount").cast(pl.Float64).log()).round().clip(11, 19),
            month=pl.col("opened_on").dt.month_end(),
            resolved=(good & by_end).fill_null(False).cast(pl.Int64),
        )
    )


# What cannot be estimated, and what is refused


def empty_arm(arm: str) -> pl.DataFrame:
    return TWO_GRADES.filter(pl.col("arm") != arm)


SEPARATED = cells(("31-90", "A", "call", 200, 90), ("31-90", "B", "without", 300, 120))
SPLIT_APART = cells(
    ("31-90", "A", "call", 200, 90),
    ("31-90", "B", "without", 300, 120),
    ("31-90", "C", "call", 30, 15),
    ("31-90", "C", "without", 30, 12),
)


@pytest.mark.parametrize(
    ("reason", "landmark"),
    [
        ("no_contacts", empty_arm("call")),
        ("no_reference", empty_arm("without")),
        ("no_overlap", SEPARATED),
        ("no_overlap", SPLIT_APART),
        ("too_few", TWO_GRADES.with_columns(pl.col("cases", "resolved") // 5)),
        ("too_few", TWO_GRADES.with_columns(resolved=pl.col("cases"))),
    ],
)
def test_where_nothing_can_be_estimated_a_reason_says_so(reason: str, landmark: pl.DataFrame):
    fits = fit(landmark, "grade")
    found = effects(fits.influence).row(0, named=True)
    assert found["reason"] == reason
    assert reason in REASONS
    for name in ("effect", "low", "high", "alone", "ratio", "e_value", "e_value_limit", "overlap"):
        assert found[name] is None
    for frame in (effects(fits.influence), fits.influence, fits.balance, fits.histogram,
                  fits.models, fits.coefficients):  # fmt: skip
        for column in frame.iter_columns():
            assert not column.dtype.is_float() or column.drop_nulls().is_finite().all()


def test_the_raw_difference_stays_where_nothing_can_be_adjusted():
    found = estimate(SEPARATED, "grade")
    assert found["raw"] == pytest.approx(0.45 - 0.40)
    assert found["raw_low"] < 0.05 < found["raw_high"]


def test_a_level_that_only_one_arm_has_is_left_out_and_counted():
    """The other grades' effect is theirs alone."""
    more = pl.concat([TWO_GRADES, cells(("31-90", "C", "without", 50, 25))])
    found = estimate(more, "grade")
    assert (found["cases"], found["supported_cases"]) == (250, 200)
    assert found["effect"] == pytest.approx(0.10, abs=1e-4)
    assert (found["overlap"], found["outside_share"]) == ("thin", 0.2)


def test_a_selection_in_which_nobody_was_called_has_no_estimate():
    more = pl.concat([TWO_GRADES, cells(("31-90", "C", "without", 50, 25))])
    parts = effects(fit(more, "grade").influence, over=("grade",))
    assert parts.filter(grade="C")["reason"].item() == "no_contacts"
    assert parts.filter(grade="A")["effect"].item() == pytest.approx(0.10, abs=1e-4)


def test_a_selection_in_which_nobody_resolved_has_no_interval():
    none = pl.concat(
        [TWO_GRADES, cells(("31-90", "C", "call", 20, 0), ("31-90", "C", "without", 20, 0))]
    )
    parts = effects(fit(none, "grade").influence, over=("grade",))
    assert parts.filter(grade="C")["reason"].item() == "no_variation"


def test_small_numbers_are_marked_not_hidden():
    parts = effects(fit(TWO_GRADES, "grade").influence, over=("grade",))
    small = parts.filter(grade="A")
    assert small["is_small"].item()
    assert small["effect"].item() is not None


def test_stages_are_fitted_apart():
    """A stage without calls does not spoil the other, and is named."""
    other = empty_arm("call").with_columns(stage=pl.lit("1-30"))
    found = effects(fit(pl.concat([TWO_GRADES, other]), "grade").influence)
    assert found["stage"].to_list() == ["1-30", "31-90"]
    assert found["reason"].to_list() == ["no_contacts", None]
    assert found["effect"].to_list() == [None, pytest.approx(0.10)]


@pytest.mark.parametrize(
    ("landmark", "message"),
    [
        (TWO_GRADES.with_columns(cases=-pl.col("cases")), "negative"),
        (TWO_GRADES.with_columns(resolved=pl.col("cases") + 1), "between none and all"),
        (TWO_GRADES.with_columns(arm=pl.lit("fax")), "unknown arm: fax"),
        (TWO_GRADES.with_columns(arm=pl.lit(None, pl.String)), "unknown arm: None"),
        (TWO_GRADES.with_columns(cases=pl.lit(None, pl.Int64)), "cases is missing"),
        (TWO_GRADES.drop("resolved"), "lack resolved"),
        (TWO_GRADES.clear(), "no landmark cells"),
    ],
)
def test_what_cannot_be_is_refused(landmark: pl.DataFrame, message: str):
    with pytest.raises(ValueError, match=message):
        fit(landmark, "grade")


def test_a_page_may_filter_only_by_what_is_adjusted_for():
    with pytest.raises(ValueError, match="only by what both models adjust for"):
        fit(TWO_GRADES, "grade", by=("region",))
    with pytest.raises(ValueError, match="nothing to adjust for"):
        fit(TWO_GRADES, by=())
    with pytest.raises(ValueError, match="arms must be the reference"):
        fit(TWO_GRADES, "grade", reference="nobody")


def test_squares_in_the_wrong_unit_are_refused():
    money = TWO_GRADES.with_columns(cash_cents=pl.lit(100_000), cash_squares=pl.lit(10.0))
    with pytest.raises(ValueError, match="check their units"):
        fit(money, "grade", outcome="cash")


def test_the_assumption_is_a_sentence():
    assert ASSUMPTIONS[ASSUMPTION].endswith(".")


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("ABC"),
            st.sampled_from(ARMS),
            st.integers(0, 60).flatmap(
                lambda cases: st.tuples(st.just(cases), st.integers(0, cases))
            ),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_whatever_the_counts_an_answer_or_a_reason_comes_out(rows: list[Any]):
    landmark = cells(*(("31-90", grade, arm, *counts) for grade, arm, counts in rows))
    found = effects(fit(landmark, "grade").influence)
    row = found.row(0, named=True)
    assert (row["effect"] is None) == (row["reason"] is not None)
    if row["effect"] is not None:
        assert -1 <= row["low"] <= row["effect"] <= row["high"] <= 1
    for column in found.iter_columns():
        assert not column.dtype.is_float() or column.drop_nulls().is_finite().all()
