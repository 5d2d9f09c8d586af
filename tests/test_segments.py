"""Classes of loans and what becomes of them: worked by hand, and laws that must hold."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import polars as pl
import pytest
from scipy.stats import t as student
from statsmodels.stats.proportion import proportion_confint

from analytics.classes import (
    ClassCuts,
    CutsRefused,
    chosen_cuts,
    drawn_cuts,
    grade_class,
    rfm_class,
    risk_class,
    with_history,
)
from analytics.segments import (
    class_migration,
    class_recovery,
    class_rolls,
    class_sizes,
    late_classes,
    planned_and_actual,
)
from charts import segment_sentences as sentences

JAN, FEB, MAR = dt.date(2025, 1, 31), dt.date(2025, 2, 28), dt.date(2025, 3, 31)
CUTS = ClassCuts(score=(500, 600), recency=(1, 3), frequency=(0.4, 0.8), amount=(1000, 5000))


def a_loan(**given: Any) -> pl.DataFrame:
    """A loan 10 days late, that pays every month, secured in full, with a good score."""
    row: dict[str, Any] = {
        "days": 10,
        "willingness": 1.0,
        "is_secured": True,
        "collateral_cents": 200_000,
        "weight_cents": 100_000,
        "score": 700.0,
        "recency": 0,
        "frequency": 1.0,
        "amount": 9000.0,
    } | given
    kinds = {name: pl.Float64 for name in ("willingness", "score", "frequency", "amount")} | {
        name: pl.Int64 for name in ("days", "collateral_cents", "weight_cents", "recency")
    }
    return pl.DataFrame([row], schema_overrides=kinds | {"is_secured": pl.Boolean})


def risk(**given: Any) -> str:
    return str(a_loan(**given).select(risk_class(pl.col("days"), CUTS)).item())


def rfm(**given: Any) -> str:
    return str(a_loan(**given).select(rfm_class(CUTS)).item())


# --- classes -------------------------------------------------------------------------------


def test_grades_begin_where_the_cut_points_say() -> None:
    days = pl.DataFrame({"days": [0, 1, 30, 31, 90, 91, None]})
    found = days.select(grade_class(pl.col("days"), CUTS)).to_series()
    assert found.to_list() == ["normal", "light", "light", "medium", "medium", "heavy", None]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "low"),  # 0 points of 8
        ({"days": 91, "willingness": 0.0}, "medium"),  # 2 + 2 + 0 + 0 of four: 1
        ({"days": 91, "is_secured": False}, "medium"),
        ({"days": 91, "willingness": 0.0, "is_secured": False}, "high"),  # 6 / 4
        ({"days": 31, "willingness": 0.5, "collateral_cents": 1}, "medium"),  # 3 / 4
        ({"days": 31, "willingness": 0.5}, "low"),  # 2 / 4
        ({"score": 500.0, "willingness": 0.3}, "medium"),  # the worst third has its bound
        ({"score": 501.0, "willingness": 0.3}, "medium"),  # 1 + 2
        ({"score": 601.0, "willingness": 0.3}, "low"),
        # what is not known is left out: 2 + 2 of two
        ({"days": 91, "is_secured": False, "willingness": None, "score": None}, "high"),
        ({"days": 10, "is_secured": False, "willingness": None, "score": None}, "medium"),
    ],
)
def test_risk_is_the_mean_of_the_points_that_are_known(
    given: dict[str, Any], expected: str
) -> None:
    assert risk(**given) == expected


def test_a_loan_of_unknown_lateness_has_no_risk() -> None:
    assert risk(days=None) == "None"


def test_collateral_of_unknown_worth_is_some_collateral() -> None:
    # 1 point, not 0: with one of willingness and 0 + 0 it is still low; with two it is not
    assert risk(collateral_cents=None, willingness=0.5) == "low"
    assert risk(collateral_cents=None, willingness=0.0) == "medium"
    assert risk(collateral_cents=200_000, willingness=0.0) == "low"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "low"),  # 9
        ({"recency": 1, "frequency": 0.8}, "low"),  # 3 + 2 + 3: 8
        ({"recency": 2, "frequency": 0.8}, "medium"),  # 7
        ({"recency": 12, "frequency": 0.0, "amount": 6000.0}, "medium"),  # 1 + 1 + 3: 5
        ({"recency": 12, "frequency": 0.0, "amount": 5000.0}, "high"),  # 4
        ({"recency": None, "frequency": None, "amount": None}, "unknown"),
    ],
)
def test_rfm_adds_three_thirds_up(given: dict[str, Any], expected: str) -> None:
    assert rfm(**given) == expected


def test_without_cut_points_nothing_is_known_of_payments() -> None:
    assert a_loan().select(rfm_class(ClassCuts())).item() == "unknown"


def test_history_is_shares_of_what_was_recorded() -> None:
    rows = pl.DataFrame(
        {
            "recorded_months": [10, 4, 0],
            "paid_months": [6, 0, 0],
            "promised_months": [2, 0, 1],
            "kept_months": [1, 0, 0],
            "history_cents": [5000, 0, 0],
            "unpaid_months": [0, None, None],
        }
    )
    found = with_history(rows)
    assert found["willingness"].to_list() == [7 / 12, 0.0, None]
    assert found["recency"].to_list() == [0, 12, None]  # 12: none in a year, not unknown
    assert found["frequency"].to_list() == [0.6, 0.0, None]
    assert found["amount"].to_list() == [500.0, 0.0, None]


def test_cut_points_are_terciles_and_those_chosen_stay() -> None:
    late = pl.DataFrame(
        {
            "score": [float(place) for place in range(300)],
            "recency": [0] * 100 + [1] * 100 + [12] * 100,
            "frequency": [None] * 300,
            "amount": [float(place) for place in range(300)],
        },
        schema_overrides={"frequency": pl.Float64},
    )
    found = drawn_cuts(late, ClassCuts(amount=(1, 2)))
    assert (found.score, found.recency) == ((100.0, 200.0), (1.0, 12.0))
    assert (found.frequency, found.amount) == (None, (1, 2))
    assert ClassCuts.from_rows(found.to_rows()) == found


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "no JSON"),
        ("[1, 3]", "one object"),
        ('{"recensy": [1, 3]}', "'recensy' is none of"),
        ('{"recency": [3, 1]}', "must be above the first"),
        ('{"rfm_points": [5, 5]}', "must be above the first"),
        ('{"recency": [1]}', "two numbers"),
        ('{"recency": [true, 3]}', "two numbers"),
        ('{"recency": [1, NaN]}', "two numbers"),
        ('{"recency": "1, 3"}', "two numbers"),
        ('{"cover": 0}', "above 0"),
    ],
)
def test_cut_points_that_cannot_be_are_refused_by_name(text: str, reason: str) -> None:
    with pytest.raises(CutsRefused, match=reason):
        chosen_cuts(text)


def test_cut_points_of_ones_own_are_taken() -> None:
    found = chosen_cuts('{"recency": [0, 0], "cover": 2, "score": [480.5, 600]}')
    assert found == {"recency": (0, 0), "cover": 2.0, "score": (480.5, 600)}


def test_settings_of_another_version_are_left_out() -> None:
    rows = [*CUTS.to_rows(), ("of_tomorrow", "1")]
    assert ClassCuts.from_rows(rows) == CUTS
    assert ClassCuts.from_rows([]) == ClassCuts()


# --- sizes and moves -------------------------------------------------------------------------


def months(*rows: tuple[Any, ...]) -> pl.DataFrame:
    names = ("month", "class", "loans", "weight_cents", "late_loans", "late_cents", "paid_cents")
    return pl.DataFrame(rows, schema=names, orient="row")


def test_sizes_are_those_of_the_last_month_and_shares_of_what_is_late() -> None:
    found = class_sizes(
        months(
            (JAN, "light", 99, 99, 99, 99, 0),
            (FEB, "light", 3, 100, 3, 100, 1),
            (FEB, "heavy", 1, 300, 1, 300, 0),
            (FEB, "normal", 96, 9600, 0, 0, 50),
        ),
        "grade",
    )
    assert found["class"].to_list() == ["normal", "light", "heavy"]  # in order
    assert found["share"].to_list() == [0.0, 0.25, 0.75]
    assert found["loans_share"].to_list() == [0.0, 0.75, 0.25]
    assert late_classes("grade", found["class"].to_list()) == ["light", "heavy"]


def test_a_counted_book_has_no_share_of_balance() -> None:
    found = class_sizes(months((FEB, "light", 3, None, 3, None, None)), "grade")
    assert found["share"].to_list() == [None]
    assert found["loans_share"].to_list() == [1.0]


def moves(*rows: tuple[Any, ...]) -> pl.DataFrame:
    """Month, from, to, loans, opening, of it forward, of it cured."""
    names = ("month", "from_class", "to_class", "loans", "opening_cents", "forward_cents",
             "cured_cents")  # fmt: skip
    frame = pl.DataFrame(rows, schema=names, orient="row")
    return frame.with_columns(
        forward_loans=pl.when(pl.col("forward_cents") > 0).then("loans").otherwise(0),
        cured_loans=pl.when(pl.col("cured_cents") > 0).then("loans").otherwise(0),
    )


THREE = [
    (JAN, "light", "medium", 10, 100, 100, 0),
    (JAN, "light", "normal", 10, 300, 0, 300),
    (FEB, "light", "medium", 10, 300, 300, 0),
    (FEB, "light", "normal", 10, 300, 0, 300),
    (MAR, "light", "medium", 10, 100, 100, 0),
    (MAR, "light", "light", 10, 900, 0, 0),
]


def test_months_are_pooled_and_their_spread_is_the_interval() -> None:
    found = class_rolls(moves(*THREE), "grade").row(0, named=True)
    # 500 of 2,000; the mean of the months' rates would be 28.3 %
    assert found["forward_share"] == pytest.approx(0.25)
    assert found["cured_share"] == pytest.approx(0.3)
    residuals = [100 - 100, 300 - 150, 100 - 250]
    se = math.sqrt(3 / 2 * sum(one**2 for one in residuals)) / 2000
    reach = student.ppf(0.975, 2) * se
    assert found["forward_high"] == pytest.approx(min(1, 0.25 + reach))
    assert found["forward_low"] == pytest.approx(max(0, 0.25 - reach))
    by_loans = class_rolls(moves(*THREE), "grade", weight="loans").row(0, named=True)
    assert by_loans["forward_share"] == pytest.approx(0.5)


def test_loans_not_found_again_are_left_out_and_two_months_have_no_interval() -> None:
    rows = [*THREE[:4], (JAN, "light", "unmatched", 5, 9_999, 0, 0)]
    found = class_rolls(moves(*rows), "grade").row(0, named=True)
    assert found["forward_share"] == pytest.approx(0.4)
    assert (found["forward_low"], found["forward_high"]) == (None, None)


def test_the_loans_that_are_not_late_do_not_roll() -> None:
    rows = [(JAN, "normal", "light", 1, 50, 50, 0), (JAN, "new", "light", 1, 50, 0, 0)]
    assert class_rolls(moves(*rows), "grade").is_empty()


def test_the_rows_of_a_migration_sum_to_one_in_the_order_of_the_classes() -> None:
    rows = [*THREE, (JAN, "normal", "light", 1, 50, 50, 0), (JAN, "new", "light", 9, 9, 0, 0)]
    for weight in ("balance", "loans"):
        found = class_migration(moves(*rows), "grade", weight=weight)  # type: ignore[arg-type]
        assert found["from_class"].unique(maintain_order=True).to_list() == ["normal", "light"]
        assert found.group_by("from_class").agg(pl.col("share").sum())["share"].to_list() == (
            pytest.approx([1.0, 1.0])
        )
    light = class_migration(moves(*rows), "grade").filter(from_class="light")
    assert light["to_class"].to_list() == ["normal", "light", "medium"]
    # a month without such a move counts as 0 of it: 600 / 2,000
    assert light["share"][0] == pytest.approx(0.3)
    assert light["from_loans"].to_list() == [60, 60, 60]


# --- cases -----------------------------------------------------------------------------------


def cases(**given: Any) -> pl.DataFrame:
    row: dict[str, Any] = {
        "class": "light", "cases": 40, "placed_cents": 400_000, "placed_squares": 400_000.0,
        "cash_cents": 200_000, "cash_squares": 100_000.0, "cash_placed": 200_000.0,
        "resolved": 30, "immature_cases": 2, "immature_cents": 20_000,
        "sms_attempts": 60, "call_attempts": 20, "costed_attempts": 40, "cost_cents": 8_000,
    }  # fmt: skip
    return pl.DataFrame([row | given])


def test_recovery_and_cost_of_a_class_by_hand() -> None:
    found = class_recovery(cases(), "grade").row(0, named=True)
    assert (found["resolved_share"], found["rate"]) == (0.75, 0.5)
    low, high = proportion_confint(30, 40, method="wilson")
    assert (found["low"], found["high"]) == pytest.approx((low, high))
    assert found["attempts_per_case"] == 2  # attempts with a cost are not more attempts
    assert found["costed_share"] == 0.5
    assert (found["case_cost_cents"], found["cost_per_100"]) == (200, 4)
    assert found["immature_cases"] == 2


def test_a_cost_that_nobody_recorded_is_not_zero() -> None:
    found = class_recovery(cases(costed_attempts=0, cost_cents=0), "grade").row(0, named=True)
    assert (found["cost_cents"], found["case_cost_cents"], found["cost_per_100"]) == (None,) * 3
    none = cases(cases=0, placed_cents=0, placed_squares=0.0, cash_cents=0, cash_squares=0.0,
                 cash_placed=0.0, resolved=0, sms_attempts=0, call_attempts=0,
                 costed_attempts=0, cost_cents=0)  # fmt: skip
    young = class_recovery(none, "grade").row(0, named=True)
    assert (young["resolved_share"], young["rate"], young["attempts_per_case"]) == (None,) * 3


def test_what_was_done_is_a_share_of_what_was_planned() -> None:
    rows = pl.DataFrame(
        [
            ("high", "legal_first", "legal", 6, 1),
            ("high", "legal_first", "talk", 2, 2),
            ("high", None, "none", 4, 0),
            ("low", "legal_first", "legal", 9, 0),
        ],
        schema=("class", "planned", "actual", "cases", "resolved"),
        orient="row",
    )
    found = planned_and_actual(rows, "risk")
    assert found["class"].to_list() == ["low", "high", "high", "high"]
    first = found.filter(planned="legal_first", actual="legal")["share"]
    assert first.to_list() == [1.0, 0.75]
    nothing = found.filter(pl.col("planned").is_null()).row(0, named=True)
    assert (nothing["share"], nothing["resolved_share"]) == (1.0, 0.0)
    said = sentences.rule_sentence(rows, "risk")
    assert "50.0\N{NO-BREAK SPACE}% of high-risk cases had a legal step" in said
    assert sentences.rule_sentence(rows, "grade") == ""
    assert sentences.plan_sentence(rows).startswith("81.0")


# --- words -------------------------------------------------------------------------------------


def recovery(worst: int, best: int) -> pl.DataFrame:
    both = pl.concat(
        [cases(**{"class": "heavy"}, resolved=worst), cases(**{"class": "light"}, resolved=best)]
    )
    return class_recovery(both, "grade")


def test_classes_within_chance_of_each_other_are_said_to_be() -> None:
    assert "do not differ beyond chance" in sentences.recovery_sentence(recovery(20, 22), "grade")
    said = sentences.recovery_sentence(recovery(4, 38), "grade")
    assert said.startswith("Of cases opened as heavy, 10.0")
    assert "of light, 95.0" in said


def test_a_drift_is_named_by_the_usual_lines() -> None:
    def title(psi: float, by_chance: float = 0.001) -> str:
        row = {"month": [MAR], "psi": [psi], "by_chance": [by_chance], "is_later": [True]}
        return sentences.stability_title(pl.DataFrame(row))

    assert "within what chance" in title(0.3, by_chance=0.2)
    assert "a little" in title(0.05)
    assert "worth a look" in title(0.1)
    assert "another than" in title(0.25)


def test_how_far_forecasts_were_off_is_said() -> None:
    groups = pl.DataFrame(
        {
            "forecast_share": [0.2, 0.5, 0.9],
            "share": [0.16, 0.44, 0.9],
            "is_off": [True, True, False],
        }
    )
    said = sentences.calibration_title(groups)
    assert said == "In 2 of 3 groups fewer resolved than forecast, by at most 6.0 points"
    one = groups.with_columns(is_off=pl.Series([True, False, False]))
    assert sentences.calibration_title(one) == "Later months resolved as forecast in 2 of 3 groups"
    assert sentences.calibration_title(groups.clear()) == "No later case is 90 days old"
