"""Strategies as data: what is refused, files that come back the same, differences, presets."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.backtest import by_horizon
from analytics.strategies import SCHEMA, Operations, Strategy, make_strategy, of_book
from analytics.strategy_differences import differences
from analytics.strategy_edits import QuickChanges, edited, quickly
from analytics.strategy_fields import OPERATIONS, STAGES, TREATMENTS, StrategyError
from analytics.strategy_files import from_text, to_text
from analytics.strategy_presets import PRESETS, preset
from analytics.strategy_treatments import filled
from charts.limit_sentences import infeasible_sentences, price_sentences
from charts.strategy_messages import problem_sentences, refused_sentence
from charts.strategy_sentences import (
    all_cash_sentence,
    backtest_sentence,
    benefit_sentences,
    break_even_sentence,
    difference_sentence,
    work_sentences,
)

SEGMENTS = ("card|A", "card|B", "auto|A", "auto|B")
KEYS = pl.DataFrame(
    {"segment": SEGMENTS, "product": ["card", "card", "auto", "auto"], "grade": ["A", "B"] * 2}
)
RISK = {"card|A": "low", "card|B": "high", "auto|A": "low", "auto|B": "high"}
HOSTILE = '</script>"\\\u2028{}[]#\t**b** $x$ 票'


def base(**fields: float | None) -> Strategy:
    rows = [
        {"segment": one, "stage": stage, "attempts_call": 2.0, "attempts_sms": 1.0,
         "attempts_visit": 0.5, "first_contact_day": 6.0, "agency_share": 0.0} | fields
        for one in SEGMENTS
        for stage in STAGES
    ]  # fmt: skip
    return make_strategy("Baseline", rows, {"collectors": 10.0, "monthly_pay": 5_000.0})


def row(**fields: object) -> dict[str, object]:
    return {"segment": "card", "stage": "late", **fields}


@pytest.mark.parametrize(
    ("rows", "operations", "said"),
    [
        ([row(attempts_call=-1)], {}, ("card late", "attempts_call", "-1")),
        ([row(attempts_call=5_000)], {}, ("card late", "attempts_call", "at most 100")),
        ([row(plan_share=1.2)], {}, ("card late", "plan_share", "share from 0 to 1")),
        ([row(suit_fee=float("nan"))], {}, ("card late", "suit_fee", "nan")),
        ([row(suit_fee=float("inf"))], {}, ("card late", "suit_fee", "inf")),
        ([row(suit_fee=10**400)], {}, ("card late", "suit_fee", "digits")),
        ([row(attempts_call="4")], {}, ("card late", "attempts_call", "expected a number")),
        ([row(attempts_call=True)], {}, ("card late", "attempts_call", "expected a number")),
        ([row(attempts_fax=1)], {}, ("card late", "attempts_fax", "no field")),
        ([row(stage="soon")], {}, ("card soon", "stage", "one of reminder")),
        ([{"segment": " ", "stage": "late"}], {}, ("segment", "is empty")),
        ([row(), row()], {}, ("card late", "twice")),
        ([], {}, ("treatments", "empty")),
        ([row()], {"collectors": -1}, ("collectors", "-1")),
        ([row()], {"collectors": None}, ("collectors", "missing")),
        ([row()], {"years_of_use": 0}, ("years_of_use", "0.25")),
        ([row()], {"discount_rate": 1.5}, ("discount_rate", "share")),
        ([row()], {"priority": "random"}, ("priority", "late_first")),
        ([row()], {"robots": 3}, ("robots", "no field")),
    ],
)
def test_each_wrong_entry_is_told_by_field_and_row(rows, operations, said) -> None:
    with pytest.raises(StrategyError) as caught:
        make_strategy("mine", rows, operations)
    for part in said:
        assert part in str(caught.value)


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(StrategyError) as caught:
        make_strategy("m", [row(plan_share=2, attempts_sms=-1)], {"collectors": -5})
    assert {problem.field for problem in caught.value.problems} == {
        "plan_share", "attempts_sms", "collectors"
    }  # fmt: skip


def test_a_message_on_the_screen_uses_the_label_and_shows_hostile_names_as_they_are() -> None:
    with pytest.raises(StrategyError) as caught:
        make_strategy("m", [row(segment="**x** $y$", plan_share=2)])
    line = problem_sentences(caught.value.problems)[0]
    assert "Offered a plan" in line
    assert "\\*\\*x\\*\\* \\$y\\$" in line


@pytest.mark.parametrize("ends", [(0.5, 0.1), (float("nan"), 1.0), (0.0, 99.0), (1.0,), "ab"])
def test_an_assumption_needs_two_ends_in_order(ends) -> None:
    with pytest.raises(StrategyError, match="call:late"):
        replace(base(), assumptions={"call:late": ends})


def test_a_strategy_for_other_segments_is_told_apart() -> None:
    wrong = of_book(base(), ("card|A", "card|B", "auto|A", "loan|Z"))
    assert [problem.row for problem in wrong] == ["auto|B", "loan|Z"]


# files

numbers = st.floats(0, 1, allow_nan=False) | st.none()
names = st.text(min_size=1, max_size=30).filter(
    lambda text: text.strip() and all(not 0xD800 <= ord(letter) <= 0xDFFF for letter in text)
)


@settings(max_examples=60, deadline=None)
@given(
    name=names,
    segments=st.lists(names, min_size=1, max_size=3, unique=True),
    values=st.lists(numbers, min_size=len(TREATMENTS), max_size=len(TREATMENTS)),
    money=st.floats(0, 1e7),
)
def test_a_file_read_back_is_the_same_strategy(name, segments, values, money) -> None:
    rows = [
        {"segment": one, "stage": stage, **dict(zip(TREATMENTS, values, strict=True))}
        for one in segments
        for stage in ("late", "early")
    ]
    one = replace(
        make_strategy(name, rows, {"collectors": 3.0, "monthly_pay": money}),
        assumptions={"suit": (0.1, 0.30000000000000004)},
        measured=(date(2025, 7, 31), date(2026, 6, 30)),
    )
    again = from_text(to_text(one))
    assert again == one
    assert again.treatments.equals(one.treatments)
    assert to_text(again) == to_text(one)


def test_hostile_names_survive_and_the_file_is_readable() -> None:
    one = make_strategy(HOSTILE, [row(segment=HOSTILE, attempts_call=3)])
    text = to_text(one)
    assert from_text(text).segments == (HOSTILE,)
    assert '"attempts_call": 3.0' in text  # a line a row, numbers as they are
    assert "票" in text


def changed(**parts: object) -> str:
    given = json.loads(to_text(base()))
    for name, value in parts.items():
        if value is ...:
            del given[name]
        else:
            given[name] = value
    return json.dumps(given)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON at line 1"),
        ("[1]", "no strategy"),
        ("{" * 3_000, "not JSON"),
        ('{"format": ' + "9" * 5_000 + "}", "not JSON"),
        ('{"format": NaN}', "NaN"),
        ('{"a": 1, "a": 2}', "twice"),
        ("x" * 5_000_000, "too long"),
        (changed(format="other"), "no strategy's file"),
        (changed(version=3), "reads versions 1 to 2"),
        (changed(version=True), "reads versions 1 to 2"),
        (changed(version=1, treatments=[row(gap_days=3)]), "gap_days: is no field of version 1"),
        (changed(name=...), "name: is missing"),
        (changed(name=3), "name: found 3"),
        (changed(colour="red"), "colour: is no field"),
        (changed(treatments={}), "expected a list"),
        (changed(treatments=[1]), "one object for each row"),
        (changed(treatments=[]), "empty"),
        (changed(operations=[]), "expected an object"),
        (changed(treatments=[row(attempts_fax=1)]), "attempts_fax"),
        (changed(assumptions={"suit": [2]}), "two numbers"),
        (changed(measured=["June"]), "two days"),
    ],
)
def test_a_file_that_is_wrong_is_refused_whole_with_the_reason(text: str, said: str) -> None:
    with pytest.raises(StrategyError, match=said):
        from_text(text)


def test_a_file_of_the_first_version_opens_and_leaves_the_cadence_as_it_is() -> None:
    old = json.loads(to_text(base()))
    old["version"] = 1
    opened = from_text(json.dumps(old))
    assert opened == base()
    paced = base(gap_days=6.0)
    assert filled(opened, paced).treatments["gap_days"].unique().to_list() == [6.0]
    assert json.loads(to_text(opened))["version"] == 2


# differences


def sentences_of(strategy: Strategy, **options: object) -> list[str]:
    rows = differences(strategy, base(), KEYS, **options)
    return [difference_sentence(one) for one in rows.iter_rows(named=True)]


def test_the_same_strategy_differs_in_nothing() -> None:
    assert sentences_of(base()) == []


def test_a_change_for_all_is_one_sentence() -> None:
    doubled = base().with_treatments(
        (pl.col("attempts_call") * 2).alias("attempts_call"), only=pl.col("stage") == "late"
    )
    assert sentences_of(doubled) == ["All cases over 90 days late: calls 2 → 4 a month."]


def test_a_change_for_a_risk_class_a_product_or_a_grade_is_said_of_it() -> None:
    call = pl.lit(4.0).alias("attempts_call")
    late = pl.col("stage") == "late"
    high = base().with_treatments(call, only=late & pl.col("segment").str.ends_with("B"))
    assert sentences_of(high, risk=RISK) == [
        "High-risk cases over 90 days late: calls 2 → 4 a month."
    ]
    assert sentences_of(high) == ["Grade B, cases over 90 days late: calls 2 → 4 a month."]
    card = base().with_treatments(call, only=late & pl.col("segment").str.starts_with("card"))
    assert sentences_of(card) == ["Product card, cases over 90 days late: calls 2 → 4 a month."]
    one = base().with_treatments(call, only=late & (pl.col("segment") == "card|A"))
    assert sentences_of(one) == ["card, A, cases over 90 days late: calls 2 → 4 a month."]


def test_means_are_weighted_by_cases() -> None:
    strategy = base().with_treatments(
        pl.when(pl.col("segment") == "card|A").then(6.0).otherwise(4.0).alias("attempts_call"),
        only=pl.col("stage") == "late",
    )
    weights = {(one, stage): (97.0 if one == "card|A" else 1.0) for one in SEGMENTS
               for stage in STAGES}  # fmt: skip
    found = differences(strategy, base(), KEYS, weights=weights)
    assert found["after"][0] == pytest.approx(0.97 * 6 + 0.03 * 4)  # not 4.5


def test_what_had_nothing_and_stays_at_nothing_does_not_break_a_sentence_for_all() -> None:
    without = base().with_treatments(
        pl.lit(0.0).alias("attempts_call"), only=pl.col("segment") == "auto|A"
    )
    doubled = quickly(without, QuickChanges(calls=2.0))
    rows = differences(doubled, without, KEYS)
    assert rows.height == 3
    assert set(rows["kind"]) == {"all"}
    planned = without.with_treatments(
        pl.lit(0.3).alias("plan_share"), only=pl.col("segment") == "card|A"
    )
    assert set(differences(planned, without, KEYS)["kind"]) == {"some"}


def test_another_cadence_is_said() -> None:
    closer = base(gap_days=6.1).with_treatments(
        pl.lit(3.0).alias("gap_days"), only=pl.col("stage") == "late"
    )
    rows = differences(closer, base(gap_days=6.1), KEYS)
    assert [difference_sentence(one) for one in rows.iter_rows(named=True)] == [
        "All cases over 90 days late: days between attempts 6.1 → 3."
    ]


def test_what_was_not_recorded_is_said_and_not_a_dash() -> None:
    when = pl.lit(60.0).alias("suit_day")
    sued = base().with_treatments(when, only=pl.col("stage") == "late")
    assert base().treatments["suit_day"].null_count() == base().treatments.height
    assert sentences_of(sued) == [
        "All cases over 90 days late: sued from day 60; until now not recorded."
    ]
    row = differences(sued, base(), KEYS).row(0, named=True)
    assert difference_sentence(row | {"before": 60.0, "after": None}) == (
        "All cases over 90 days late: sued from day 60 until now; then left open."
    )


def test_forecasts_are_judged_by_how_far_ahead_they_were() -> None:
    rows = pl.DataFrame(
        {
            "measure": "cash",
            "origin": [1, 1, 2, 2],
            "horizon": [1, 7, 1, 7],
            "error": [0.1, 0.2, 0.1, 0.2],
            "inside": [True, True, True, False],
        }
    )
    told = backtest_sentence("Cash", by_horizon(rows), rows).replace("\N{NO-BREAK SPACE}", " ")
    assert told.endswith(
        "inside the 80 % interval in 75 %: in 100 % up to 6 months ahead, in 50 % further ahead."
    )
    near = rows.filter(pl.col("horizon") == 1)
    assert backtest_sentence("Cash", by_horizon(near), near).endswith("\N{NO-BREAK SPACE}%.")


def test_the_part_of_late_loans_in_the_cash_is_said_with_its_sign() -> None:
    told = all_cash_sentence(1.2e6, -300_000).replace("\N{NO-BREAK SPACE}", " ")
    assert "1.2 M more than the baseline's over these months" in told
    assert "from loans late as a month began 300.0 k less" in told


def test_a_refusal_writes_its_date_in_words() -> None:
    said = refused_sentence(ValueError("no loan is seen until 2024-07-31"))
    assert said == "Nothing can be simulated here: no loan is seen until 31 July 2024."


def test_operations_are_a_sentence_each() -> None:
    strategy = base().with_operations(collectors=15.0, priority="early_first", discount_rate=0.08)
    assert sentences_of(strategy) == [
        "Collectors: 10 → 15.",
        "Discount rate a year: 6.0 % → 8.0 %.".replace(" %", "\N{NO-BREAK SPACE}%"),
        "When hours are short: earliest first.",
    ]


# edits and presets


def test_a_groups_number_changes_its_segments_in_proportion() -> None:
    mixed = base().with_treatments(
        pl.lit(6.0).alias("attempts_call"), only=pl.col("segment") == "card|A"
    )
    rows = mixed.treatments.filter(pl.col("stage") == "late")
    made = edited(mixed, rows, "attempts_call", 6.0)  # from a mean of 3: twice as many
    late = made.treatments.filter(pl.col("stage") == "late")
    assert dict(late.select("segment", "attempts_call").iter_rows()) == {
        "card|A": 12.0, "card|B": 4.0, "auto|A": 4.0, "auto|B": 4.0
    }  # fmt: skip
    assert made.treatments.filter(pl.col("stage") == "early").equals(
        mixed.treatments.filter(pl.col("stage") == "early")
    )


def test_an_absurd_edit_is_refused() -> None:
    with pytest.raises(StrategyError, match="attempts_call"):
        edited(base(), base().treatments, "attempts_call", -3.0)


def test_no_quick_change_is_the_very_same_strategy() -> None:
    one = base()
    assert quickly(one, QuickChanges()) is one


def test_quick_changes_leave_loans_alone_that_are_not_late() -> None:
    made = quickly(base(), QuickChanges(calls=2, messages=3, days_sooner=10, bot_share=0.5))
    parts = made.treatments.partition_by("stage", as_dict=True)
    rows = {stage: part.row(0, named=True) for (stage,), part in parts.items()}
    assert rows["reminder"]["attempts_call"] == 2
    assert rows["late"] == rows["late"] | {
        "attempts_call": 4, "attempts_sms": 3, "first_contact_day": 0, "bot_share": 0.5
    }  # fmt: skip


@pytest.mark.parametrize("code", PRESETS)
def test_every_preset_is_valid_and_says_what_it_changes(code: str) -> None:
    made = preset(code, base(), RISK)
    assert bool(sentences_of(made, risk=RISK)) == (code != "as_measured")
    assert from_text(to_text(made)) == made


def test_presets_do_what_their_names_say() -> None:
    late = pl.col("stage") == "late"
    legal = preset("legal_first", base(), RISK).treatments.filter(late)
    assert dict(legal.select("segment", "suit_share").iter_rows()) == {
        "card|A": None, "card|B": 0.1, "auto|A": None, "auto|B": 0.1
    }  # fmt: skip
    soft = preset("soft_contact", base(), RISK).treatments.filter(pl.col("stage") == "early")
    assert dict(soft.select("segment", "attempts_visit").iter_rows())["card|A"] == 0.0
    assert dict(soft.select("segment", "attempts_visit").iter_rows())["card|B"] == 0.5
    sooner = preset("sooner", base(), RISK).treatments.filter(late)
    assert set(sooner["first_contact_day"]) == {1.0}
    steps = preset("timeline", base(), RISK).treatments
    assert steps.filter(pl.col("stage") == "middle")["attempts_letter"].min() == 1.0
    assert steps.filter(late)["suit_day"].to_list() == [60.0] * 4


def test_a_preset_never_takes_away_what_is_done_more_already() -> None:
    busy = base(attempts_sms=9.0)
    assert preset("timeline", busy, RISK).treatments["attempts_sms"].min() == 9.0


# sentences


def answer(mean: float, low: float, high: float, p: float) -> dict[str, float]:
    return {"mean": mean, "low": low, "high": high, "p_better": p}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (answer(500e3, 100e3, 900e3, 0.97), "would bring 500.0 k more than it costs"),
        (answer(50e3, -300e3, 400e3, 0.6), "within noise"),
        (answer(-500e3, -900e3, -100e3, 0.02), "12 months (80 % interval 100.0 k to 900.0 k)"),
    ],
)
def test_the_headline_says_gain_noise_or_loss(row, said) -> None:
    lines = benefit_sentences("Mine", row, months=12, is_changed=True, assumed=[], unknown=[],
                              without=None)  # fmt: skip
    assert said in lines[0].replace("\N{NO-BREAK SPACE}", " ")
    assert len(lines) == 1


def test_what_moves_nothing_that_is_known_is_said_so() -> None:
    nothing = answer(0.0, 0.0, 0.0, 0.0) | {"p_better": None}
    lines = benefit_sentences("Mine", nothing, months=12, is_changed=True, assumed=[],
                              unknown=["Being offered a plan"], without=None)  # fmt: skip
    assert lines[0] == "Mine changes no cash and no cost that is known of."
    assert "being offered a plan" in lines[1]


def test_the_headline_says_what_is_assumed_and_what_is_unknown() -> None:
    row = answer(500e3, 100e3, 900e3, 0.97)
    lines = benefit_sentences("Mine", row, months=12, is_changed=True, assumed=["Being sued"],
                              unknown=["Being offered a plan"], without=-20e3)  # fmt: skip
    assert "It rests on your assumption about being sued, not on evidence" in lines[1]
    assert "only its cost counts: being offered a plan" in lines[2]
    part = benefit_sentences("Mine", row, months=12, is_changed=True, assumed=["Being sued"],
                             unknown=[], without=450e3)  # fmt: skip
    assert part[1].startswith("A part of it is your assumption")


def test_every_field_has_a_label_on_the_screen() -> None:
    from charts import strategy_words as named

    assert set(named.TREATMENTS) == set(TREATMENTS) == set(SCHEMA) - {"segment", "stage"}
    assert set(named.OPERATIONS) == {*OPERATIONS, "priority"}
    assert set(named.SAID) == set(TREATMENTS)
    assert math.isclose(Operations().discount_rate, 0.06)


def test_shadow_prices_are_said_over_the_same_months_as_benefits() -> None:
    limits = pl.DataFrame({
        "limit": ["hours", "budget", "complaints"], "at_most": [100.0, 50_000.0, 18.0],
        "used": [100.0, 20_000.0, 18.0], "price": [1_200.0, 0.0, 111_600.0],
        "binds": [True, False, True],
    })  # fmt: skip
    said = [line.replace("\N{NO-BREAK SPACE}", " ")
            for line in price_sentences(limits, months=12, collector=144_000.0)]  # fmt: skip
    assert said == [
        "One more collector would bring 144.0 k over these 12 months, before pay.",
        "The budget is not used up: 20.0 k of 50.0 k a month.",
        "One complaint a month fewer allowed costs about 111.6 k over these 12 months.",
    ]


def test_limits_that_cannot_be_kept_are_said_with_how_much_is_missing() -> None:
    limits = pl.DataFrame({"limit": ["complaints"], "at_most": [2.0], "least": [4.5],
                           "beyond": [2.5]})  # fmt: skip
    assert infeasible_sentences(limits) == [
        "No mix keeps all limits. What must give way: the complaints allowed (2.0 a month): at"
        " least 4.5 is needed, 2.5 more."
    ]


def test_work_that_is_not_done_is_said() -> None:
    capped = pl.DataFrame({"what": ["attempts"], "rule": ["at most **7**"], "segment": ["a"],
                           "stage": ["late"], "wanted": [9.0], "allowed": [7.0]})  # fmt: skip
    lines = work_sentences(200.0, 120.0, 80.0, capped, collectors=1.0, needed=1.7)
    assert "80 hours of people's work are not done" in lines[0]
    assert "1.7 collectors, not 1.0" in lines[0]
    assert "at most \\*\\*7\\*\\*" in lines[1]
    later = capped.with_columns(what=pl.lit("gap_days"))
    assert work_sentences(100.0, 120.0, 0.0, later, collectors=1.0, needed=0.9) == [
        "Contact rules keep attempts further apart than it says in 1 cell of segment and stage"
        " (at most \\*\\*7\\*\\*)."
    ]
    assert work_sentences(100.0, 120.0, 0.0, capped.clear(), collectors=1.0, needed=0.9) == []


@pytest.mark.parametrize(
    ("value", "evidence", "said"),
    [
        (0.2, "estimated", "odds of cure are × 1.22; it is thought to be × 1.11"),
        (None, "estimated", "the answer does not hang on it"),
        (0.2, "none", "nothing is known of it"),
    ],
)
def test_the_break_even_of_an_effect_stands_beside_what_is_thought(value, evidence, said) -> None:
    assert said in break_even_sentence("Calls", {"mean": 0.1, "evidence": evidence}, value)
