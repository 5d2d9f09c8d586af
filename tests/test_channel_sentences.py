"""The sentences of the Channels page: each branch says what the numbers say."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from analytics.channel_costs import COST_REASONS
from analytics.channel_effects import ASSUMPTION, ASSUMPTIONS
from analytics.effect_sums import REASONS
from analytics.raw_and_adjusted import VERDICTS
from analytics.suitability import AMOUNTS
from analytics.timeline import STEPS, resolved_after
from analytics.treatment_arms import DOSES, FIRST_CONTACT_DAYS
from charts import channel_sentences, contact_sentences, dose_sentences, price_sentences
from charts import channel_words as named
from charts.format import SPACE
from charts.suitability import VERDICTS as SUITED
from warehouse.contract import CHANNELS

ROW: dict[str, Any] = {
    "stage": "middle",
    "arm": "call",
    "raw": -0.02,
    "raw_low": -0.03,
    "raw_high": -0.01,
    "effect": 0.109,
    "low": 0.081,
    "high": 0.137,
    "verdict": "opposite",
    "apart": 0.129,
    "is_small": False,
    "reason": None,
    "overlap": "good",
    "treated_cases": 1615,
    "reference_cases": 572,
    "supported_share": 0.973,
    "outside_share": 0.02,
    "e_value": 2.2,
    "e_value_limit": 1.6,
    "stratified": 0.1,
    "stratified_low": 0.07,
    "stratified_high": 0.13,
}


def said(*rows: dict[str, Any], outcome: Any = "resolved") -> str:
    frame = pl.DataFrame([ROW | row for row in rows], schema=_schema())
    lines = channel_sentences.effect_sentences(frame, outcome, REASONS)
    return " ".join(line for line in lines if line).replace(SPACE, " ")


def _schema() -> dict[str, Any]:
    kinds: dict[str, Any] = {name: pl.Float64 for name in ROW}
    texts = dict.fromkeys(("stage", "arm", "verdict", "reason", "overlap"), pl.String)
    return kinds | texts | {"is_small": pl.Boolean, "treated_cases": pl.Int64}


def test_the_answer_has_the_best_the_worst_misled_and_the_unknown() -> None:
    unknown = {"arm": "visit", "reason": "too_few"} | dict.fromkeys(("effect", "low", "high"))
    assert said({}, unknown | {"verdict": None}) == (
        "Calls do most, in the middle stage (31–90 days late): of 100 cases 10.9 more are resolved"
        " (95 % interval 8.1 to 13.7) when like is compared with like. Raw rates mislead in 1 of 1"
        " comparison: calls in the middle stage (31–90 days late) look 2.0 points worse and are"
        " 10.9 points better (95 % interval 8.1 to 13.7). For 1 of 2 no estimate is possible: too"
        " few cases."
    )


def test_a_small_or_unsure_effect_is_not_the_best() -> None:
    assert "No channel is shown to do more than chance" in said({"is_small": True})
    assert "No channel is shown to do more than chance" in said({"low": -0.01})


def test_the_answer_leads_with_what_can_be_checked_and_says_what_cannot() -> None:
    thin = {"arm": "visit", "effect": 0.3, "low": 0.1, "high": 0.5, "overlap": "thin"}
    vague = thin | {"overlap": "good", "stratified_low": -0.5, "stratified_high": 0.7}
    for doubtful in (thin, vague):
        text = said(doubtful, {})
        assert text.startswith("Calls do most of what can be checked, in the middle stage")
        assert "Visits in the middle stage (31–90 days late) may do more (30.0 points, 95 %" in text
        assert "10.0 to 50.0), but too few like cases" in text
        assert "calls in the middle stage (31–90 days late) look 2.0 points worse and are" in text
        assert said(doubtful).startswith("Unsure by its own check: visits do most")
        assert "look 2.0 points worse and may be 30.0 points better" in said(doubtful)
    assert "may do more" not in said(thin | {"effect": 0.1, "low": 0.05}, {})


def test_a_larger_effect_of_few_cases_is_named_with_why_it_does_not_lead() -> None:
    few = {"arm": "visit", "effect": 0.195, "low": 0.014, "high": 0.376, "is_small": True}
    text = said(few, {})
    assert text.startswith("Calls do most of what can be checked, in the middle stage")
    assert "Visits in the middle stage (31–90 days late) may do more (19.5 points, 95 %" in text
    assert "1.4 to 37.6), but too few cases carry it to be sure." in text
    unsure = said(few, {"overlap": "thin"})
    assert unsure.startswith("Unsure by its own check: calls do most where there are enough cases,")
    assert "may do more (19.5 points" in unsure
    assert "may add (19.5 points" in said(few)  # none leads: it is not shown, but may
    assert "may do more" not in said(few | {"low": -0.01}, {})


def test_skipping_a_step_is_said_of_unlike_cases_with_interval_and_cases() -> None:
    steps = pl.DataFrame(
        {
            "step": ["day_7", "day_30"],
            "due": [100, 200],
            "on_time": [80, 0],
            "late": [0, 0],
            "skipped": [20, 200],
            "resolved_on_time": [40, 0],
            "resolved_skipped": [10, 50],
        }
    )
    told = " ".join(contact_sentences.skipping_sentences(resolved_after(steps)))
    # nobody took the step of day 30 in time: what became of the 200 is said all the same
    assert "that skipped “Day 30: special team”" in told
    assert "25.0 % (19.5–31.4 %, 200 cases) resolved" in told.replace(SPACE, " ")
    assert "of those in time" not in told
    assert "unlike cases and is not what the step caused" in told
    taken = steps.with_columns(skipped=pl.Series([20, 0]), resolved_skipped=pl.Series([10, 0]))
    told = " ".join(contact_sentences.skipping_sentences(resolved_after(taken))).replace(SPACE, " ")
    assert "20 cases, few cases) resolved within 180 days of opening, of those in time" in told


def test_the_cheapest_is_named_within_a_stage_and_only_where_intervals_are_apart() -> None:
    names = ("cost_per_resolved", "cost_per_resolved_low", "cost_per_resolved_high")

    def told(*rows: tuple[str, str, float, float, float]) -> str:
        frame = pl.DataFrame(
            [(*row, "thin") for row in rows], schema=["stage", "arm", *names, "overlap"],
            orient="row",
        )  # fmt: skip
        return price_sentences.cost_sentence(frame, "early").replace(SPACE, " ")

    visits, calls = ("early", "visit", 400.0, 300.0, 500.0), ("early", "call", 14.0, 9.0, 30.0)
    late = ("late", "app_push", 0.2, 0.1, 4.0)
    assert "costs least through calls in the early stage" in told(visits, calls, late)
    assert "14.0 (95 % interval 9.00 to 30.0, few like cases" in told(visits, calls, late)
    near = told(calls, ("early", "sms", 35.0, 12.0, 60.0), late)
    assert near.startswith("Which channel is cheapest in the early stage")
    assert "the interval of text messages overlaps that of calls" in near
    assert "through one channel only" in told(calls, late)
    assert "can be stated in the early stage" in told(late)


def test_cash_is_said_in_currency_a_case() -> None:
    text = said({"effect": 45.2, "low": 20.0, "high": 70.0, "raw": -310.0}, outcome="cash")
    assert "45.2 more cash a case (95 % interval 20.0 to 70.0)" in text
    assert "look 310 a case worse and are 45.2 a case better" in text


def test_nothing_known_gives_the_reason_and_nothing_at_all_says_too_young() -> None:
    nothing = dict.fromkeys(("effect", "low", "high")) | {"reason": "no_overlap"}
    assert said(nothing).endswith("too unlike to be compared.")
    assert "97 days" in said()


def evidence(outcome: Any = "resolved", **changes: Any) -> str:
    row = ROW | changes
    subject = "calls attempted"
    lines = channel_sentences.evidence_sentences(row, outcome, REASONS, subject=subject)
    return " ".join(lines).replace(SPACE, " ")


def test_evidence_says_overlap_e_value_and_the_check() -> None:
    text = evidence()
    assert text.startswith("1,615 cases had calls attempted by day 7, 572 had not; 97.3 % of all")
    assert "E-value 2.2: something unrecorded would have to make both" in text
    assert "1.6 times to bring its interval to 0" in text
    assert "+10.0 points (95 % interval 7.0 to 13.0), which agrees." in text
    assert "E-value" not in evidence("cash")
    assert "for 17 % of the cases" in evidence(overlap="thin", outside_share=0.17)
    assert "nothing unrecorded is needed" in evidence(low=-0.01, e_value_limit=1.0)
    above = evidence(low=0.014, e_value_limit=1.0)  # the ratio's interval holds 1 all the same
    assert "holds 0" not in above
    assert "E-value 2.2" in above
    assert "to bring its interval to 0 hardly anything is" in above
    assert "does not agree" in evidence(stratified_low=-0.03, stratified_high=0.01)
    assert "too unsure" in evidence(stratified_low=-0.3, stratified_high=0.4)
    assert "no stratified check" in evidence(stratified=None)
    assert evidence(reason="no_contacts").endswith(
        "no case was treated, so there is no effect to see."
    )


def doses(*effects: tuple[float, float, float] | None) -> pl.DataFrame:
    rows = [
        {"arm": arm, **dict(zip(("effect", "low", "high"), values or (None,) * 3, strict=True))}
        for arm, values in zip(DOSES[1:], effects, strict=True)
    ]
    return pl.DataFrame(rows, schema_overrides=dict.fromkeys(("effect", "low", "high"), pl.Float64))


def test_diminishing_returns_are_said_only_as_far_as_they_are_sure() -> None:
    rising = doses((0.03, 0.02, 0.04), (0.06, 0.05, 0.07), (0.10, 0.09, 0.11))
    flat = doses((0.03, 0.02, 0.04), (0.06, 0.05, 0.07), (0.065, 0.05, 0.08))
    falling = doses((0.03, 0.02, 0.04), (0.06, 0.05, 0.07), (0.01, 0.0, 0.02))
    said = [
        dose_sentences.dose_sentence(rows, "resolved", stage="early")
        for rows in (rising, flat, falling)
    ]
    assert "+3.0 (2.0 to 4.0) with 1, +6.0 (5.0 to 7.0) with 2–3 and +10.0 (9.0 to" in said[0]
    assert said[0].endswith("for sure.")
    assert said[1].endswith("is not sure: their intervals overlap.")
    assert said[2].endswith("takes some of it back.")
    assert dose_sentences.dose_sentence(doses(None, None, None), "cash", stage="early") == ""


def test_the_doses_of_one_channel_name_it_and_say_where_overlap_is_thin() -> None:
    rows = doses((0.03, 0.02, 0.04), (0.06, 0.05, 0.07), (0.10, 0.09, 0.11))
    said = dose_sentences.dose_sentence(rows, "resolved", stage="early", channel="email")
    assert said.startswith("Against cases without e-mails in the first week, in the early stage")
    thin = rows.with_columns(
        overlap=pl.Series(["good", "thin", "thin"]), outside_share=pl.Series([0.01, 0.2, 0.31])
    )
    good = thin.filter(overlap="good")
    days = thin.with_columns(arm=pl.Series(["0-1", "2-3", "4-6"]))
    assert dose_sentences.thin_sentence(good, good) == ""
    said = dose_sentences.thin_sentence(thin, good)
    assert "for 2–3 attempts and 4 or more attempts: for up to 31\N{NO-BREAK SPACE}% of" in said
    said = dose_sentences.thin_sentence(good, days)
    assert "for days 2–3 and days 4–6:" in said
    assert dose_sentences.dose_words("1") == "1 attempt"
    early = dose_sentences.early_sentence(days, "resolved", channel="email")
    assert early.startswith("With the first attempt by e-mail on days 0–1 the effect is +3.0 (2.0")


def test_every_code_has_its_words() -> None:
    assert set(REASONS) == set(named.NOTES)
    assert set(CHANNELS) | {"none"} == set(named.CHANNELS)
    assert set(DOSES) == set(named.DOSES)
    assert set(FIRST_CONTACT_DAYS) == set(named.FIRST_DAYS)
    assert set(STEPS) == set(named.DUE_STEPS)
    assert set(AMOUNTS) == set(named.AMOUNTS)
    assert {"fits", "wrong_duration", "wrong_amount", "wrong_both", "no_rule"} == set(SUITED)
    assert ASSUMPTIONS[ASSUMPTION]
    assert all(text.endswith(".") for text in (*REASONS.values(), *COST_REASONS.values()))
    for verdict in VERDICTS:
        assert channel_sentences.verdict_words(ROW | {"verdict": verdict}, "resolved")


@pytest.mark.parametrize("code", CHANNELS)
def test_a_channel_has_a_name_and_a_plural(code: str) -> None:
    assert named.channel(code) != code
    assert "_" not in named.channels(code)
