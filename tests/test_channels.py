"""What comes of the attempts by each channel, and at what price?"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from statsmodels.stats.proportion import proportion_confint

from analytics.channel_costs import COST_REASONS, channel_costs, ratio_interval
from analytics.channels import (
    attribution_totals,
    channel_cash,
    channel_concentration,
    channel_funnel,
)
from analytics.suitability import suitability, suited_shares
from analytics.timeline import resolved_after, timeline_adherence
from tests.cell_frames import cell

CALLS = {
    "channel": "call",
    "attempts": 1000,
    "reached": 400,
    "right_party": 250,
    "worked_cases": 300,
    "right_party_cases": 150,
    "promises": 100,
    "matured": 80,
    "kept": 60,
    "matured_cents": 800_000,
    "kept_cents": 500_000,
}
TEXTS = {name: 0 for name in CALLS} | {"channel": "sms", "attempts": 500, "reached": 475}


def funnel(*rows: dict[str, Any], **options: Any) -> pl.DataFrame:
    return channel_funnel(pl.DataFrame(rows), **options)


PRICED = {
    "channel": "call",
    "attempts": 1000,
    "cost_cents": 250_000,
    "treated_cases": 400,
    "treated_cost_cents": 200_000,
    "treated_cost_squares": None,
    "effect": 0.10,
    "low": 0.06,
    "high": 0.14,
    "cash_effect": 50.0,
    "cash_low": 25.0,
    "cash_high": 75.0,
}


def priced(**changes: Any) -> dict[str, Any]:
    schema = {"treated_cost_squares": pl.Float64}
    return channel_costs(pl.DataFrame([PRICED | changes], schema_overrides=schema)).row(
        0, named=True
    )


# Worked by hand


def test_the_funnel_by_hand():
    found = funnel(CALLS)
    shares = dict(found.select("step", "share").iter_rows())
    assert shares == {
        "reach": 0.4,
        "right_party": 0.25,
        "right_party_per_case": 0.5,
        "promise": 0.4,
        "kept": 0.75,
        "kept_amount": 0.625,
    }
    assert cell(found, step="kept")["denominator"] == 80


def test_months_of_a_funnel_are_added_up_not_averaged():
    """40 % of 1,000 attempts and 95 % of 100: 45 %, not 67.5 %."""
    small = TEXTS | {"channel": "call", "attempts": 100, "reached": 95}
    assert cell(funnel(CALLS, small), step="reach")["share"] == 495 / 1100


def test_a_step_that_a_channel_cannot_take_is_null_not_nought():
    """A text is no conversation: 0 of 500 is a share, promises of none are not."""
    found = funnel(TEXTS)
    assert cell(found, step="right_party")["share"] == 0
    promise = cell(found, step="promise")
    assert (promise["share"], promise["low"], promise["high"]) == (None, None, None)


def test_the_kept_amount_has_no_interval():
    found = funnel(CALLS)
    amount = cell(found, step="kept_amount")
    assert (amount["low"], amount["high"], amount["is_small"]) == (None, None, None)
    assert cell(found, step="kept")["low"] is not None


def test_concentration_by_hand():
    """Shares of .5, .3 and .2: .25 + .09 + .04."""
    rows = pl.DataFrame({"channel": ["call", "sms", "visit"], "attempts": [50, 30, 20]})
    found = channel_concentration(rows).row(0, named=True)
    assert found["herfindahl"] == pytest.approx(0.38)
    assert found["equal_channels"] == pytest.approx(1 / 0.38)
    assert (found["largest_channel"], found["largest_share"]) == ("call", 0.5)


def test_concentration_of_no_attempts_is_null():
    rows = pl.DataFrame(
        {"stage": ["early", "late"], "channel": ["call", "call"], "attempts": [0, 4]}
    )
    found = channel_concentration(rows, over=["stage"])
    assert found["herfindahl"].to_list() == [None, 1.0]
    assert found["largest_channel"].to_list() == [None, "call"]


def test_cash_by_channel_by_hand():
    rows = pl.DataFrame(
        {
            "channel": ["call", "none"],
            "attempts": [100, 0],
            "reached": [40, 0],
            "cash_cents": [300_000, 100_000],
        }
    )
    found = channel_cash(rows)
    assert found["cash_share"].to_list() == pytest.approx([0.75, 0.25])
    assert found["cash_per_attempt"].to_list() == [30, None]
    assert found["cash_per_reach"].to_list() == [75, None]


def test_costs_by_hand():
    """2,500 for 1,000 attempts; 2,000 for 400 treated cases: 5 a case, over 10 points of
    resolution (6 to 14) and over 50 of cash (25 to 75)."""
    found = priced()
    assert (found["cost_per_attempt"], found["cost_per_case"]) == (2.5, 5.0)
    ends = [found[f"cost_per_resolved{end}"] for end in ("", "_low", "_high")]
    assert ends == pytest.approx([50, 5 / 0.14, 5 / 0.06])
    cash = [found[f"cost_per_cash{end}"] for end in ("", "_low", "_high")]
    assert cash == pytest.approx([0.1, 5 / 75, 5 / 25])
    assert found["cost_per_resolved_reason"] is None


def test_a_cost_that_varies_widens_the_interval():
    known, spread = priced(), priced(treated_cost_squares=400 * (25 + 900.0))
    assert spread["cost_per_resolved"] == known["cost_per_resolved"]
    assert spread["cost_per_resolved_low"] < known["cost_per_resolved_low"]
    assert spread["cost_per_resolved_high"] > known["cost_per_resolved_high"]


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("effect_includes_zero", {"low": -0.01}),
        ("effect_includes_zero", {"low": 0.0}),
        ("effect_is_harm", {"effect": -0.1, "low": -0.15, "high": -0.05}),
        ("no_estimate", {"effect": None, "low": None, "high": None}),
        ("no_cost", {"treated_cost_cents": None}),
        ("no_cases", {"treated_cases": 0}),
    ],
)
def test_where_a_cost_has_no_limit_there_is_none_and_a_reason(reason: str, changes: dict[str, Any]):
    found = priced(**changes)
    ends = [found[f"cost_per_resolved{end}"] for end in ("", "_low", "_high")]
    assert ends == [None, None, None]
    assert found["cost_per_resolved_reason"] == reason
    assert reason in COST_REASONS


def test_no_attempts_and_no_costs_are_null():
    assert priced(attempts=0)["cost_per_attempt"] is None
    assert priced(cost_cents=None)["cost_per_attempt"] is None


def test_attribution_shares_out_the_same_cash_under_each_rule():
    rows = pl.DataFrame(
        [
            ("last", "call", 700),
            ("last", "none", 300),
            ("first", "sms", 700),
            ("first", "none", 300),
            ("equal", "call", 350),
            ("equal", "sms", 349),
            ("equal", "none", 300),
        ],
        schema=["rule", "channel", "cash_cents"],
        orient="row",
    )
    found = attribution_totals(rows)
    assert found["is_equal"].to_list() == [True, True, False]
    assert found["difference_cents"].to_list() == [0, 0, -1]
    assert found["credited_share"].to_list() == pytest.approx([0.7, 0.7, 699 / 999])


def test_suitability_by_the_documents():
    """S057: calls for short and small; S058: letters for long and large; S059: visits for long
    and huge."""
    rows = [
        ("call", "1-30", "small", "fits"),
        ("call", "91-120", "small", "wrong_duration"),
        ("call", "1-30", "huge", "wrong_amount"),
        ("letter", "91-120", "large", "fits"),
        ("letter", "91-120", "huge", "fits"),
        ("letter", "1-30", "middle", "wrong_both"),
        ("visit", "91-120", "huge", "fits"),
        ("visit", "91-120", "large", "wrong_amount"),
        ("sms", "1-30", "small", "no_rule"),
    ]
    frame = pl.DataFrame(rows, schema=["channel", "bucket", "amount", "expected"], orient="row")
    found = suitability(frame.with_columns(attempts=10), long_buckets=["91-120"])
    assert found["verdict"].to_list() == found["expected"].to_list()
    assert cell(found, channel="sms")["requirement"] is None
    assert cell(found, channel="sms")["share_of_channel"] == 1
    suited = suited_shares(found)
    assert suited["channel"].to_list() == ["call", "letter", "visit"]
    assert suited["share"].to_list() == pytest.approx([1 / 3, 2 / 3, 1 / 2])


STEP = {
    "step": "day_15",
    "due": 200,
    "on_time": 120,
    "late": 30,
    "resolved_on_time": 60,
    "resolved_skipped": 20,
}


def test_the_timeline_by_hand():
    """Of 200 cases due by day 15, 120 were called in time, 30 late, 50 never."""
    found = timeline_adherence(pl.DataFrame([STEP])).row(0, named=True)
    shares = [found[f"{name}_share"] for name in ("on_time", "late", "skipped")]
    assert shares == [0.6, 0.15, 0.25]
    assert (found["resolved_share_on_time"], found["resolved_share_skipped"]) == (0.5, 0.4)


def test_what_resolved_after_a_step_has_wilsons_interval_and_few_cases_are_marked():
    few = STEP | {"step": "day_7", "due": 140, "late": 0}  # 20 skipped
    found = resolved_after(timeline_adherence(pl.DataFrame([STEP, few])))
    assert found.select("step", "way", "numerator", "denominator", "is_small").rows() == [
        ("day_7", "on_time", 60, 120, False),
        ("day_7", "skipped", 20, 20, True),
        ("day_15", "on_time", 60, 120, False),
        ("day_15", "skipped", 20, 50, False),
    ]
    low, high = proportion_confint(20, 50, method="wilson")
    assert found.row(3, named=True)["low"] == pytest.approx(low)
    assert found.row(3, named=True)["high"] == pytest.approx(high)


def test_steps_are_in_the_timelines_order_and_none_due_is_null():
    rows = [STEP | {"step": step} for step in ("day_60", "day_7")]
    nothing = dict.fromkeys(STEP, 0) | {"step": "day_30"}
    found = timeline_adherence(pl.DataFrame([*rows, nothing]))
    assert found["step"].to_list() == ["day_7", "day_30", "day_60"]
    assert found["on_time_share"].to_list() == [0.6, None, 0.6]


# Against another library


def test_funnel_intervals_are_wilsons():
    reach = cell(funnel(CALLS), step="reach")
    low, high = proportion_confint(400, 1000, method="wilson")
    assert (reach["low"], reach["high"]) == pytest.approx((low, high))
    adherence = timeline_adherence(pl.DataFrame([STEP])).row(0, named=True)
    low, high = proportion_confint(120, 200, method="wilson")
    assert (adherence["low"], adherence["high"]) == pytest.approx((low, high))


# By what it claims


def test_the_ends_of_a_ratio_are_where_a_test_just_rejects():
    """Fieller's interval is the ratios r for which |top - r bottom| is within 1.96 errors."""
    ends = ratio_interval(12.0, 1.5, 0.3, 0.05)
    assert ends is not None
    for r in ends:
        error = np.hypot(1.5, r * 0.05)
        assert abs(12.0 - r * 0.3) / error == pytest.approx(1.959964)


def test_ratio_intervals_cover_the_truth():
    """Simulated: 95 % of 4,000, within three standard errors."""
    rng = np.random.default_rng(7)
    tops, bottoms = rng.normal(5, 0.5, 4000), rng.normal(0.1, 0.015, 4000)
    inside = 0
    for top, bottom in zip(tops, bottoms, strict=True):
        ends = ratio_interval(top, 0.5, bottom, 0.015)
        inside += ends is not None and ends[0] <= 50 <= ends[1]
    assert inside / 4000 == pytest.approx(0.95, abs=0.0105)


def test_a_ratio_over_what_may_be_nothing_has_no_interval():
    assert ratio_interval(5.0, 0.0, 0.1, 0.06) is None


# What is refused


def test_impossible_counts_are_refused():
    with pytest.raises(ValueError, match="reached is greater than attempts"):
        funnel(CALLS | {"reached": 2000})
    with pytest.raises(ValueError, match="kept is negative"):
        funnel(CALLS | {"kept": -1})
    with pytest.raises(ValueError, match="promises is missing"):
        channel_funnel(pl.DataFrame([CALLS, CALLS | {"promises": None}]))
    with pytest.raises(ValueError, match="missing columns: kept"):
        channel_funnel(pl.DataFrame([CALLS]).drop("kept"))
    with pytest.raises(ValueError, match="cost_cents is negative"):
        priced(cost_cents=-1)


def test_unknown_bands_and_steps_are_refused():
    frame = pl.DataFrame(
        {"channel": ["call"], "bucket": ["1-30"], "amount": ["tiny"], "attempts": [1]}
    )
    with pytest.raises(ValueError, match="unknown amount bands"):
        suitability(frame, long_buckets=[])
    with pytest.raises(ValueError, match="unknown steps"):
        timeline_adherence(pl.DataFrame([STEP | {"step": "day_8"}]))
    with pytest.raises(ValueError, match="than were due"):
        timeline_adherence(pl.DataFrame([STEP | {"late": 90}]))
    with pytest.raises(ValueError, match="two rules"):
        attribution_totals(pl.DataFrame({"rule": ["last"], "channel": ["call"], "cash_cents": [1]}))


def test_no_rows_are_no_rows():
    assert funnel(CALLS).clear().height == channel_funnel(pl.DataFrame([CALLS]).clear()).height
    assert channel_costs(pl.DataFrame([PRICED]).clear()).height == 0
    assert suited_shares(
        suitability(
            pl.DataFrame(
                schema={"channel": pl.String, "bucket": pl.String, "amount": pl.String,
                        "attempts": pl.Int64}
            ),
            long_buckets=[],
        )
    ).height == 0  # fmt: skip
