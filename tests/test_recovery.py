"""How much came back, by when, and will the target be met?"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.recovery import cohort_recovery, liquidation_curves, period_rate, resolved_share
from analytics.targets import target_attainment


def cohort(
    placed: np.ndarray, cash: np.ndarray, *, immature: tuple[float, ...] = ()
) -> pl.DataFrame:
    """One cell of mature cases (currency), and the amounts of those still to mature."""
    placed, cash, left = (np.asarray(part, float) for part in (placed, cash, immature))
    clipped = np.minimum(cash, placed)
    sums = {"cases": placed.size, "placed_cents": round(placed.sum() * 100)}
    sums |= {"placed_squares": (placed**2).sum()}
    for name, paid in (("cash", cash), ("clipped", clipped)):
        sums[f"{name}_cents"] = round(paid.sum() * 100)
        sums[f"{name}_squares"] = (paid**2).sum()
        sums[f"{name}_placed"] = (paid * placed).sum()
    sums |= {"immature_cases": left.size, "immature_cents": round(left.sum() * 100)}
    return pl.DataFrame([sums | {"immature_squares": (left**2).sum()}], strict=False)


def finite(frame: pl.DataFrame) -> bool:
    numbers = frame.select(pl.selectors.float())
    return all(np.isfinite(series.drop_nulls().to_numpy()).all() for series in numbers)


# Worked by hand


def test_cohort_recovery_is_money_over_money():
    """100 of 100 and 50 of 300 came back: 150 / 400, not the mean of 100 and 17 %."""
    found = cohort_recovery(cohort([100, 300], [100, 50])).row(0, named=True)
    assert found["rate"] == pytest.approx(0.375)
    # errors 100 - 37.5 and 50 - 112.5; n/(n-1) = 2; squared 2 x (62.5^2 + 62.5^2) / 400^2
    assert found["se"] == pytest.approx(np.sqrt(2 * 2 * 62.5**2) / 400)


def test_a_share_above_one_is_shown_and_the_target_is_judged_below_it():
    cells = cohort([100, 100], [180, 60])
    assert cohort_recovery(cells)["rate"][0] == pytest.approx(1.2)
    assert cohort_recovery(cells, cash="clipped")["rate"][0] == pytest.approx(0.8)


def test_immature_cases_are_left_out_and_counted():
    found = cohort_recovery(cohort([100, 100], [50, 50], immature=(70, 80))).row(0, named=True)
    assert (found["rate"], found["immature_cases"], found["immature_cents"]) == (0.5, 2, 15_000)


def test_more_reversed_than_paid_is_a_rate_below_zero():
    cells = cohort([100, 100, 50], [-30, 10, 0])
    for cash in ("cash", "clipped"):
        found = cohort_recovery(cells, cash=cash).row(0, named=True)
        assert found["rate"] == pytest.approx(-0.08)
        assert found["low"] <= -0.08 <= found["high"]
    assert finite(target_attainment(cohort([100, 100], [-30, 10], immature=(50,)), target=0.5))


def test_liquidation_stops_where_not_every_case_has_been():
    paid = pl.DataFrame(
        {
            "placed_month": ["Jan", "Jan", "Jan", "Feb"],
            "elapsed": [0, 1, 3, 0],
            "cash_cents": [20, 10, 99, 5],
        }
    )
    placed = pl.DataFrame(
        {
            "placed_month": ["Jan", "Feb", "Mar"],
            "cases": [2, 1, 1],
            "placed_cents": [100, 50, 70],
            "complete_to": [2, 0, None],
        }
    )
    found = liquidation_curves(paid, placed)
    assert found.filter(pl.col("placed_month") == "Jan")["rate"].to_list() == [0.2, 0.3, 0.3]
    assert found.filter(pl.col("placed_month") == "Feb")["rate"].to_list() == [0.1]
    assert "Mar" not in found["placed_month"]


def test_a_month_with_nothing_in_collections_has_no_rate():
    months = pl.DataFrame({"month": [1, 2], "cash_cents": [5, 30], "open_cents": [0, 100]})
    found = period_rate(months)
    assert found["rate"].to_list() == [None, 0.3]
    assert found["reason"].to_list() == ["nothing_in_collections", None]


def test_a_period_that_is_over_has_met_its_target_or_not():
    cells = cohort([100, 100], [90, 86])
    for target, probability in ((0.85, 1.0), (0.9, 0.0)):
        found = target_attainment(cells, target=target, minimum=2).row(0, named=True)
        assert (found["probability"], found["is_decided"]) == (probability, True)
        assert found["low"] == found["high"] == found["attained"]


def test_the_more_is_left_to_mature_the_less_is_decided():
    rng = np.random.default_rng(2)
    placed, share = rng.lognormal(5, 0.5, 60), rng.random(60) < 0.88
    sure = [
        target_attainment(
            cohort(placed, placed * share, immature=tuple(np.full(left, 150.0))), target=0.85
        )["probability"][0]
        for left in (1, 60, 600)
    ]
    assert 1 >= sure[0] > sure[1] > sure[2] > 0.5


# Independent


def test_the_error_is_the_robust_error_of_a_ratio():
    """statsmodels: WLS of the paid share on a constant, weights placed, HC0, x n / (n - 1)."""
    rng = np.random.default_rng(1)
    placed = rng.lognormal(6, 1, 200).round(2)
    cash = (placed * rng.random(200) * (rng.random(200) < 0.6)).round(2)
    fit = sm.WLS(cash / placed, np.ones(200), weights=placed).fit(cov_type="HC0")
    found = cohort_recovery(cohort(placed, cash)).row(0, named=True)
    assert found["rate"] == pytest.approx(fit.params[0], rel=1e-5)
    assert found["se"] == pytest.approx(fit.bse[0] * np.sqrt(200 / 199), rel=1e-5)


def test_resolved_share_agrees_with_newcombes_table():
    """Newcombe 1998, table I: 81 of 263 is .2553 to .3662."""
    cells = pl.DataFrame({"cases": [263], "resolved": [81], "immature_cases": [0]})
    found = resolved_share(cells).row(0, named=True)
    assert (round(found["low"], 4), round(found["high"], 4)) == (0.2553, 0.3662)


# Truth


def test_probabilities_of_meeting_a_target_come_true_as_often_as_they_say():
    """Periods of 150 cases, two thirds mature, final recovery near a target of 50 %."""
    rng = np.random.default_rng(7)
    said, met, inside = [], [], []
    for _ in range(700):
        placed = rng.lognormal(5, 0.8, 150)
        cash = placed * np.where(rng.random(150) < 0.5, rng.beta(8, 1, 150), rng.beta(1, 8, 150))
        final = cash.sum() / placed.sum()
        cells = cohort(placed[:100], cash[:100], immature=tuple(placed[100:]))
        found = target_attainment(cells, target=0.5).row(0, named=True)
        said.append(found["probability"])
        met.append(final >= 0.5)
        inside.append(found["low"] <= final <= found["high"])
    said, met = np.array(said), np.array(met)
    assert 0.92 < np.mean(inside) < 0.98
    for low, high in ((0, 0.2), (0.2, 0.8), (0.8, 1)):
        here = (said >= low) & (said <= high)
        assert met[here].mean() == pytest.approx(said[here].mean(), abs=0.09)


def test_recovery_intervals_hold_the_truth():
    rng = np.random.default_rng(4)
    held = []
    for _ in range(500):
        placed = rng.lognormal(5, 0.8, 120)
        cash = placed * (rng.random(120) < 0.3)
        cells = cohort(placed, cash)
        held.append(
            [
                row["low"] <= 0.3 <= row["high"]
                for cash_of in ("cash", "clipped")
                for row in cohort_recovery(cells, cash=cash_of).to_dicts()
            ]
        )
    assert ((np.mean(held, axis=0) > 0.91) & (np.mean(held, axis=0) < 0.99)).all()


# Refusals and bad input


def test_nothing_mature_is_null_with_a_reason():
    cells = cohort([], [], immature=(10, 20))
    for found in (
        cohort_recovery(cells),
        cohort_recovery(cells, cash="clipped"),
        target_attainment(cells, target=0.5),
        resolved_share(cells.with_columns(resolved=0)),
    ):
        row = found.row(0, named=True)
        assert row["reason"] == "all_immature"
        assert row.get("rate") is row.get("probability") is row.get("share") is None
        assert finite(found)
    assert cohort_recovery(cohort([], []))["reason"][0] == "no_cases"


def test_one_case_has_a_rate_but_no_interval():
    found = cohort_recovery(cohort([100], [40], immature=(50,))).row(0, named=True)
    assert (found["rate"], found["low"], found["reason"]) == (0.4, None, "one_case")
    found = target_attainment(cohort([100], [40], immature=(50,)), target=0.5).row(0, named=True)
    assert (found["attained"], found["probability"], found["reason"]) == (0.4, None, "one_case")


def test_what_the_others_can_pay_at_most_decides_and_few_cases_have_no_chance():
    cells = cohort([100, 100], [90, 20], immature=(100,))
    found = target_attainment(cells, target=0.8, minimum=2).row(0, named=True)
    assert found["high"] == pytest.approx(0.7)  # (90 + 20 + 100) / 300: 80 % is out of reach
    assert found["probability"] == 0
    assert target_attainment(cells, target=0.8)["probability"][0] is None
    old = cohort([100, 100], [90, 20])  # all have had their days: the rate is known, a verdict not
    assert target_attainment(old, target=0.8).select("is_decided", "probability").row(0) == (
        True,
        None,
    )


def test_cases_that_all_paid_alike_are_not_certain():
    for paid in (0.0, 1.0):
        cells = cohort(np.full(10, 100.0), np.full(10, 100 * paid), immature=(100,) * 20)
        row = cohort_recovery(cells).row(0, named=True)
        assert row["high"] - row["low"] > 0.2
        assert 0 < target_attainment(cells, target=0.5, minimum=2)["probability"][0] < 1


def test_what_is_no_cohort_is_refused():
    cells = cohort([100, 50], [10, 10])
    with pytest.raises(ValueError, match="lack cash_squares"):
        cohort_recovery(cells.drop("cash_squares"))
    with pytest.raises(ValueError, match="is missing in a cell"):
        cohort_recovery(cells.with_columns(cash_cents=pl.lit(None, pl.Int64)))
    with pytest.raises(ValueError, match="share between 0 and 1"):
        target_attainment(cells, target=85)
    with pytest.raises(ValueError, match="between 0 and cases"):
        resolved_share(pl.DataFrame({"cases": [1], "resolved": [2], "immature_cases": [0]}))
    early = pl.DataFrame({"placed_month": [1], "elapsed": [-1], "cash_cents": [5]})
    placed = pl.DataFrame(
        {"placed_month": [1], "cases": [1], "placed_cents": [10], "complete_to": [0]}
    )
    with pytest.raises(ValueError, match="before placement"):
        liquidation_curves(early, placed)
    with pytest.raises(ValueError, match="when nothing was placed"):
        liquidation_curves(early.with_columns(elapsed=0, placed_month=2), placed)


# Laws

amounts = st.floats(1, 1e5, allow_nan=False)
books = st.lists(st.tuples(amounts, st.floats(-0.5, 2)), min_size=2, max_size=30)


@settings(max_examples=60, deadline=None)
@given(books, st.lists(amounts, max_size=5))
def test_rates_lie_in_their_intervals_and_cells_add_up(
    book: list[tuple[float, float]], left: list[float]
):
    placed, cash = (np.array(part) for part in zip(*((p, p * s) for p, s in book), strict=True))
    whole = cohort(placed, cash, immature=tuple(left))
    parts = pl.concat([cohort(placed[:1], cash[:1]), cohort(placed[1:], cash[1:], immature=left)])
    for cash_of in ("cash", "clipped"):
        one = cohort_recovery(whole, cash=cash_of).row(0, named=True)
        two = cohort_recovery(parts, cash=cash_of).row(0, named=True)
        cents = 0.02 / placed.sum()  # each part is rounded to one
        assert one["rate"] == pytest.approx(two["rate"], abs=cents + 1e-6)
        assert one["low"] - 1e-6 <= one["rate"] <= one["high"] + 1e-6
    found = target_attainment(whole, target=0.6, minimum=2)
    assert finite(found)
    assert 0 <= found["probability"][0] <= 1
    if found["low"][0] > 0.6 or found["high"][0] < 0.6:  # the chance and the interval agree
        assert found["probability"][0] == pytest.approx(float(found["low"][0] > 0.6), abs=0.026)
