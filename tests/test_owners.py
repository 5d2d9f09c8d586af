"""Owners on the chosen cases: effects of a part, points, strengths, ranks, tenure and work."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from scipy.special import expit
from statsmodels.duration.survfunc import SurvfuncRight

from analytics.case_mix import fit_case_mix
from analytics.expected import observed_and_expected
from analytics.owners import (
    above_average,
    average_effect,
    choice_effects,
    in_points,
    rank_moves,
    segment_strengths,
)
from analytics.tenure import tenure_effects, training_effect
from analytics.work import cost_and_cash, days_to_contact, work_rates

CURVE = pl.DataFrame({"effect": [-4.0, 0.0, 4.0], "share": [0.1, 0.5, 0.9]})


def shrunk(rows: list[tuple[str, float, float]]) -> pl.DataFrame:
    """Owners with a shrunk effect and its error."""
    frame = pl.DataFrame(rows, schema=["who", "shrunk", "se"], orient="row")
    reach = 1.959964 * pl.col("se")
    return frame.with_columns(low=pl.col("shrunk") - reach, high=pl.col("shrunk") + reach)


@pytest.fixture(scope="module")
def cells() -> pl.DataFrame:
    """Six owners on two kinds of case in two months."""
    random = np.random.default_rng(3)
    rows = [
        (f"K{owner}", kind, month, n, random.binomial(n, expit(0.3 * owner - 0.8 - kind)))
        for owner in range(6)
        for kind in (0, 1)
        for month in (1, 2)
        for n in [int(random.integers(40, 120))]
    ]
    names = ["who", "kind", "month", "cases", "resolved"]
    return pl.DataFrame(rows, schema=names, orient="row").with_columns(pl.col("kind").cast(str))


# --- effects of a choice -------------------------------------------------------------------


def test_on_all_cases_the_effect_is_the_models(cells: pl.DataFrame) -> None:
    model = fit_case_mix(cells, owner="who", covariates=["kind"])
    sums = observed_and_expected(model, cells)
    found = choice_effects(sums, sums, model.owners, owner="who")
    assert found["effect"].to_list() == pytest.approx(model.owners["effect"].to_list(), abs=1e-6)
    least = np.maximum(model.owners["se"].to_numpy(), sums["variance"].to_numpy() ** -0.5)
    assert found["se"].to_list() == pytest.approx(least.tolist())


def test_on_a_part_it_is_close_to_a_model_of_that_part(cells: pl.DataFrame) -> None:
    model = fit_case_mix(cells, owner="who", covariates=["kind"])
    sums = observed_and_expected(model, cells, by=["month"])
    part = sums.filter(month=2)
    whole = observed_and_expected(model, cells)
    found = choice_effects(part.drop("month"), whole, model.owners, owner="who")
    offsets = dict(model.coefficients.select("level", "coefficient").iter_rows())
    for row in found.iter_rows(named=True):
        own = cells.filter(who=row["who"], month=2)
        kinds = np.array([offsets[kind] for kind in own["kind"]])
        outcome = np.column_stack([own["resolved"], own["cases"] - own["resolved"]])
        family = sm.families.Binomial()
        exact = sm.GLM(outcome, np.ones((own.height, 1)), family, offset=kinds).fit()
        assert row["effect"] == pytest.approx(exact.params[0] - model.intercept, abs=0.03)
        assert row["se"] == pytest.approx(exact.bse[0], rel=0.12)


def test_cash_of_a_part_is_the_log_of_observed_over_expected() -> None:
    sums = pl.DataFrame(
        {
            "who": ["A", "B"],
            "cases": [40, 50],
            "observed": [12_000.0, 9_000.0],
            "expected": [10_000.0, 10_000.0],
            "variance": [400.0, 400.0],  # so of one case: 400 x n / 100^2
        }
    )
    effects = pl.DataFrame({"who": ["A", "B"], "effect": [0.1, 0.0], "se": [0.01, 0.01]})
    effects = effects.with_columns(reason=pl.lit(None, pl.String))
    found = choice_effects(sums, sums, effects, owner="who", is_money=True)
    assert found["effect"].to_list() == pytest.approx([0.1 + np.log(1.2), np.log(0.9)])
    pooled = (40 * 1.6 + 50 * 2.0) / 90
    assert found["se"][0] == pytest.approx(np.sqrt((40 * 1.6 + 10 * pooled) / 50 / 40))


def test_cash_below_zero_is_held_back_and_nothing_is_infinite() -> None:
    sums = pl.DataFrame(
        {
            "who": ["A", "B", "C", "D"],
            "cases": [10, 1, 10, 10],
            "observed": [-5_000.0, 900_000.0, 0.0, 100.0],
            "expected": [10_000.0, 1.0, 10_000.0, 0.0],
            "variance": [500.0, 500.0, 500.0, 0.0],
        }
    )
    effects = pl.DataFrame({"who": ["A", "B", "C", "D"], "effect": [0.0] * 4, "se": [0.3] * 4})
    effects = effects.with_columns(reason=pl.lit(None, pl.String))
    found = choice_effects(sums, sums, effects, owner="who", is_money=True)
    assert found["effect"][0] == pytest.approx(np.log(0.05))  # half a case's expected cash
    assert found["effect"][2] == found["effect"][0]
    assert found["se"][0] > 1.4
    assert found.row(3, named=True)["effect"] is None
    assert found["reason"][3] == "nothing_to_compare"
    known = found.filter(pl.col("effect").is_not_null())
    assert np.isfinite(known["effect"].to_numpy()).all()
    assert np.abs(in_points(known["effect"], 0.0, None).to_numpy()).max() < 200


def test_what_the_model_does_not_know_of_an_owner_stays_in_its_error() -> None:
    sums = pl.DataFrame(
        {"who": ["A"], "cases": [90], "observed": [9.0], "expected": [9.0], "variance": [25.0]}
    )
    effects = pl.DataFrame({"who": ["A"], "effect": [0.0], "se": [0.5], "reason": [None]})
    found = choice_effects(sums, sums, effects, owner="who")
    assert found["se"][0] == pytest.approx(0.5)  # not 1 / sqrt(25) = 0.2


# --- points --------------------------------------------------------------------------------


def test_points_are_read_off_the_curve_from_the_average() -> None:
    owners = shrunk([("A", 1.0, 0.2), ("B", 0.0, 0.2), ("C", -1.0, 0.2)])
    found = above_average(owners, CURVE)
    assert average_effect(owners) == pytest.approx(0)
    assert found["advantage"].to_list() == pytest.approx([0.1, 0.0, -0.1])  # 0.1 a unit of effect
    cash = above_average(owners, None)
    assert cash["advantage"].to_list() == pytest.approx([np.e - 1, 0, 1 / np.e - 1])


def test_who_is_nearly_all_the_book_cannot_be_far_from_its_average_nor_unsure_of_it() -> None:
    found = above_average(shrunk([("all", 0.1, 0.05), ("few", -0.5, 0.8)]), CURVE)
    width = (found["advantage_high"] - found["advantage_low"]).to_list()
    assert abs(found["advantage"][0]) < 0.001
    assert width[0] < 0.001 + 0.2 * width[1]


def test_points_outside_the_curve_stay_at_its_ends() -> None:
    found = in_points(pl.Series([-50.0, 50.0, None]), 0.0, CURVE)
    assert found.to_list() == [pytest.approx(-0.4), pytest.approx(0.4), None]


# --- strengths -----------------------------------------------------------------------------


def planted(owners: int, spread: float, seed: int) -> tuple[pl.DataFrame, np.ndarray]:
    """Owners who are better on one of two kinds of case by a known amount."""
    random = np.random.default_rng(seed)
    true = random.normal(0, spread, owners)
    rows = []
    for owner in range(owners):
        for kind, sign in (("x", 0.5), ("y", -0.5)):
            n, share = 150, expit(-0.2)
            resolved = random.binomial(n, expit(-0.2 + sign * true[owner]))
            variance = n * share * (1 - share)
            rows.append((f"K{owner:03}", kind, n, float(resolved), n * share, variance))
    names = ["who", "kind", "cases", "observed", "expected", "variance"]
    return pl.DataFrame(rows, schema=names, orient="row"), true


def test_planted_strengths_are_found_and_their_intervals_hold_them() -> None:
    cells, true = planted(200, 0.4, 1)
    found = segment_strengths(cells, owner="who", level="kind").filter(kind="x").sort("who")
    assert np.corrcoef(found["shrunk"], true)[0, 1] > 0.7
    covered = (found["low"].to_numpy() <= true / 2) & (true / 2 <= found["high"].to_numpy())
    assert 0.9 <= covered.mean() <= 0.99
    assert found["shrunk"].std() < found["interaction"].std()


def test_strengths_that_are_chance_are_shrunk_to_nothing() -> None:
    cells, _ = planted(200, 0.0, 2)
    found = segment_strengths(cells, owner="who", level="kind")
    # standard deviation of the unshrunk differences is about 0.12
    assert found["shrunk"].abs().max() < 0.08
    assert found.filter((pl.col("low") > 0) | (pl.col("high") < 0)).height <= 8


def test_an_owner_of_one_kind_of_case_has_no_strength_to_compare() -> None:
    cells = pl.DataFrame(
        {
            "who": ["A", "B", "B"],
            "kind": ["x", "x", "y"],
            "cases": [50, 50, 50],
            "observed": [20.0, 30.0, 10.0],
            "expected": [20.0, 25.0, 15.0],
            "variance": [10.0, 10.0, 10.0],
        }
    )
    found = segment_strengths(cells, owner="who", level="kind")
    assert found.filter(who="A")["shrunk"].to_list() == [None]
    # by hand: 5/10 - 0/20 = 0.5 with variance 1/10 - 1/20
    assert found.filter(who="B", kind="x")["interaction"][0] == pytest.approx(0.5)
    assert found.filter(who="B", kind="x")["se"][0] == pytest.approx(0.05**0.5)


# --- ranks ---------------------------------------------------------------------------------


def test_ranks_move_as_counted_by_hand() -> None:
    owners = pl.DataFrame(
        {
            "who": ["easy", "fair", "hard", "new"],
            "raw": [0.8, 0.5, 0.2, None],
            "shrunk": [-0.3, 0.0, 0.4, None],
        }
    )
    moves, correlation = rank_moves(owners, owner="who")
    assert correlation == pytest.approx(-1)
    assert moves.select("who", "raw_rank", "adjusted_rank", "moves").rows() == [
        ("easy", 1, 3, -2),
        ("hard", 3, 1, 2),
        ("fair", 2, 2, 0),
    ]
    assert rank_moves(owners.head(2), owner="who")[1] is None
    assert rank_moves(owners.with_columns(raw=pl.lit(0.5)), owner="who")[1] is None


# --- tenure and training -------------------------------------------------------------------

SUMS = {
    "cases": 100,
    "observed": 60.0,
    "average_expected": 50.0,
    "average_variance": 25.0,
}


def month_sums(rows: list[tuple[str, dt.date, float]]) -> pl.DataFrame:
    """100 cases an owner and month, 50 expected, with so many observed."""
    return pl.DataFrame(
        [SUMS | {"who": who, "opened_month": month, "observed": o} for who, month, o in rows]
    )


def test_tenure_is_counted_in_months_from_hiring_to_opening() -> None:
    march = dt.date(2026, 3, 31)
    sums = month_sums([("A", march, 60.0), ("B", march, 50.0), ("C", march, 45.0), ("D", march, 1)])
    hired = pl.DataFrame(
        {
            "who": ["A", "B", "C", "D"],
            "hired_on": [dt.date(2026, 1, 1), dt.date(2025, 12, 31), dt.date(2023, 1, 1), None],
        }
    )
    found = tenure_effects(sums, hired, owner="who")
    assert found["band"].to_list() == ["under 3 months", "3–5 months", "2 years and more"]
    assert found["effect"].to_list() == pytest.approx([10 / 25, 0.0, -5 / 25])
    assert found["low"].to_list() == [None, None, None]  # one collector: no interval
    assert found["is_small"].all()


def test_a_bands_error_is_between_its_collectors() -> None:
    march = dt.date(2026, 3, 31)
    sums = month_sums([("A", march, 60.0), ("B", march, 50.0)])
    hired = pl.DataFrame({"who": ["A", "B"], "hired_on": [dt.date(2026, 2, 1)] * 2})
    row = tenure_effects(sums, hired, owner="who").row(0, named=True)
    # effect 10 / 50 = 0.2; residuals +5 and -5; sqrt(2 x (25 + 25)) / 50 = 0.2
    assert row["effect"] == pytest.approx(0.2)
    assert row["se"] == pytest.approx(0.2)


def test_training_compares_each_collector_with_itself() -> None:
    before, after = dt.date(2026, 1, 31), dt.date(2026, 3, 31)
    sums = month_sums(
        [("A", before, 40.0), ("A", after, 50.0), ("B", before, 60.0), ("B", after, 65.0)]
    )
    sums = pl.concat([sums, month_sums([("C", after, 99.0)])])  # never before: not compared
    trained = pl.DataFrame({"who": ["A", "B", "C"], "occurred_on": [dt.date(2026, 2, 10)] * 3})
    found = training_effect(sums, trained, owner="who")
    assert found["collectors"] == 2
    assert found["difference"] == pytest.approx((10 / 25 + 5 / 25) / 2)
    assert found["low"] < 0 < found["high"]  # type: ignore[operator]
    alone = training_effect(sums, trained.head(1), owner="who")
    assert alone["collectors"] == 1
    assert alone["difference"] is None


# --- work ----------------------------------------------------------------------------------


def test_days_to_contact_agree_with_kaplan_and_meier() -> None:
    counts = pl.DataFrame(
        {
            "working_day": [0, 1, 2, 3, 5, 12],
            "contacted": [20, 30, 10, 5, 5, 3],
            "closed": [0, 4, 6, 0, 2, 1],
            "open": [0, 0, 3, 1, 0, 10],
        }
    )
    found = days_to_contact(counts).row(0, named=True)
    days, seen = [], []
    for row in counts.iter_rows(named=True):
        days += [row["working_day"]] * (row["contacted"] + row["closed"] + row["open"])
        seen += [1] * row["contacted"] + [0] * (row["closed"] + row["open"])
    curve = SurvfuncRight(np.array(days) + 1e-9, np.array(seen))
    share = {round(day): 1 - at for day, at in zip(curve.surv_times, curve.surv_prob, strict=True)}
    assert found["within_share"] == pytest.approx(share[3])
    assert found["median"] == 1
    steps = [share[max(day for day in share if day <= at)] for at in range(10)]
    assert found["mean"] == pytest.approx(10 - sum(steps))
    assert found["cases"] == 100
    assert found["contacted"] == 73
    # the mean over those contacted would be shorter
    naive = (counts["working_day"] * counts["contacted"]).sum() / 73
    assert found["mean"] > naive


def test_days_to_contact_of_nobody_are_no_rows() -> None:
    counts = pl.DataFrame(
        schema={"owner": pl.String, "working_day": pl.Int64, "contacted": pl.Int64,
                "closed": pl.Int64, "open": pl.Int64}
    )  # fmt: skip
    found = days_to_contact(counts, by=["owner"])
    assert found.is_empty()
    assert "mean_se" in found.columns
    assert days_to_contact(counts.drop("owner")).is_empty()


def test_an_owner_who_always_calls_the_same_day_has_an_error_all_the_same() -> None:
    counts = pl.DataFrame(
        {"owner": ["A", "B", "B"], "working_day": [1, 1, 5], "contacted": [40, 20, 20],
         "closed": [0, 0, 0], "open": [0, 0, 0]}
    )  # fmt: skip
    found = days_to_contact(counts, by=["owner"])
    assert found["mean"].to_list() == pytest.approx([1.0, 3.0])
    assert (found["mean_se"] > 0).all()


def test_work_rates_by_hand_and_null_where_nothing_was_done() -> None:
    sums = pl.DataFrame(
        {
            "owner": ["A", "B"],
            "open_cases": [40, 10],
            "worked_cases": [30, 0],
            "attempts": [100, 0],
            "right_party": [20, 0],
            "promises": [8, 0],
            "matured": [5, 0],
            "kept": [4, 0],
            "matured_cents": [1_000, 0],
            "kept_cents": [500, 0],
        }
    )
    first, second = work_rates(sums).rows(named=True)
    assert first["intensity"] == 2.5
    assert first["penetration_share"] == 0.75
    assert first["right_party_rate"] == 0.2
    assert first["right_party_per_case"] == pytest.approx(2 / 3)
    assert first["promise_rate"] == 0.4
    assert (first["kept_share"], first["kept_amount_share"]) == (0.8, 0.5)
    assert first["kept_low"] < 0.8 < first["kept_high"]
    assert second["intensity"] == 0
    for name in ("right_party_rate", "promise_rate", "kept_share", "kept_low", "kept_se"):
        assert second[name] is None


def test_cost_and_cash_by_hand_and_null_where_they_are_not_recorded() -> None:
    owners = pl.DataFrame(
        {
            "cash_cents": [1_000_000, 500_000, -100],
            "monthly_cost_cents": [10_000, None, 10_000],
            "hours_per_month": [100.0, None, 100.0],
            "months": [12, 12, 1],
        }
    )
    found = cost_and_cash(owners)
    assert found["cost_per_unit"].to_list() == [pytest.approx(0.12), None, None]
    assert found["cash_per_hour_cents"].to_list() == [833, None, -1]
