"""The answers in words: each branch says what the numbers say, and no name is read as markup."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from analytics.changes import Change
from analytics.mix_and_rate import mix_and_rate
from charts import sentences
from charts import warning_sentences as warnings
from charts.format import SPACE
from ui import PAGES

JUNE = dt.date(2026, 6, 30)
HOSTILE = "**N** <b>$x$"


def spoken(lines: list[str]) -> str:
    return " ".join(lines).replace(SPACE, " ")


def ranked(*rows: tuple[str, str, float, float]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "from_loans": 64,
                "from_state": start,
                "to_state": end,
                "rate": rate,
                "usual_rate": usual,
                "difference": rate - usual,
                "reference": "months",
                "is_mirror": start == end,
            }
            for start, end, rate, usual in rows
        ],
        schema_overrides={"rate": pl.Float64},
    )


def roll(frame: pl.DataFrame, driver: object = None, reason: str | None = None) -> str:
    return spoken(
        sentences.roll_sentences(frame, 42, 50, reason, driver, as_of=JUNE, basis="days")  # type: ignore[arg-type]
    )


def test_a_changed_roll_says_how_much_and_who() -> None:
    text = roll(ranked(("31-60", "61-90", 0.274, 0.243)), ("region", "North", 0.66))
    assert text == (
        "The roll from 31–60 days to 61–90 days rose 3.1 points to 27.4 % in June 2026"
        " (usually 24.3 %), beyond its usual variation (64 loans could move)."
        " Region North explains two thirds of it."
    )


def test_a_fall_is_a_fall_and_the_others_are_counted() -> None:
    mirror = ("31-60", "31-60", 0.5, 0.6)  # the same movement told a second time
    text = roll(ranked(("1-30", "31-60", 0.10, 0.15), ("31-60", "61-90", 0.3, 0.2), mirror))
    assert "fell 5.0 points to 10.0 %" in text
    assert "1 other roll rate changed as well." in text


def test_nothing_beyond_noise_is_said_so() -> None:
    empty = ranked(("1-30", "31-60", 0.1, 0.1)).clear()
    assert roll(empty) == (
        "No roll rate left its usual variation; 42 moves tested, 50 with too few loans."
    )
    assert "that takes 12" in roll(empty, reason="too_few_months")


def test_names_from_the_data_are_characters_not_markup() -> None:
    text = roll(ranked(("31-60", "61-90", 0.274, 0.243)), ("region", HOSTILE, 0.9))
    assert "**N**" not in text
    assert "<b>" not in text.replace("\\<b\\>", "")
    assert "$x$" not in text


def test_who_got_worse_is_named_by_bucket() -> None:
    early = pl.DataFrame(
        {
            "month": [JUNE] * 4,
            "from_state": ["1-30", "31-60", "61-90", "91-120"],
            "forward": [0.172, 0.459, 0.5, None],
            "from_loans": [300, 90, 29, 0],
            "is_small": [False, False, True, True],
        }
    )
    text = sentences.worsening_sentence(early, as_of=JUNE, basis="months")
    assert (
        spoken([text or ""])
        == "Of what was late, 17 % at 1 month and 46 % at 2 months got worse in June 2026"
        " (3 months: fewer than 30 loans)."
    )
    assert sentences.worsening_sentence(early[2:], as_of=JUNE, basis="days") is None
    assert sentences.bucket_words(early, "31-60", as_of=JUNE, basis="months") == (
        "90 loans could move in June 2026. Other buckets with fewer than 30: 3 months and 4 months."
    )
    assert "Fewer than 30 could in 1 of 1 month." in sentences.bucket_words(
        early, "61-90", as_of=JUNE, basis="months"
    )


def test_flows_that_are_left_out_are_counted_by_bucket() -> None:
    flows = pl.DataFrame(
        {
            "bucket": ["31-60", "31-60", "1-30", "61-90"],
            "rank": [2, 2, 1, 3],
            "rate": [5.0, 0.2, 0.1, None],
            "is_small": [True, False, False, True],
        }
    )
    text = sentences.few_flows_sentence(flows, basis="days") or ""
    assert text.endswith("in the earlier bucket are left out: 1 of 2 at 31–60 days.")
    assert sentences.few_flows_sentence(flows[1:3], basis="days") is None


def test_every_outline_of_the_matrix_is_explained_and_no_other() -> None:
    few, many = ({"is_small": [is_small]} for is_small in (True, False))
    changed = pl.DataFrame({"is_worse": [True, None]})
    assert sentences.outline_words(pl.DataFrame(few), changed) == (
        "Thick outline: changed beyond usual (orange: worse; black or white: neither)."
        " Hollow, with a thin outline: fewer than 30 loans."
    )
    assert sentences.outline_words(pl.DataFrame(many), changed.clear()) == ""


def change(value: float, previous: float | None, beyond: bool | None) -> Change:
    difference = None if previous is None else value - previous
    return Change(JUNE, value, previous, difference, 0.001, 0.01, beyond, 12)


def health(one: Change, **more: object) -> str:
    options = {"late_cents": 12_400_000_00, "what": "balance"} | more
    return spoken(sentences.health_sentences(one, None, "region", **options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "verdict", "level"),
    [
        (change(0.05, 0.04, True), "Worse by more than usual", "1.0 points more than"),
        (change(0.04, 0.05, True), "Better by more than usual", "1.0 points less than"),
        (change(0.05, 0.049, False), "Little changed this month", "0.1 points more than"),
        (change(0.05, 0.05, False), "Little changed this month", "2026 (12.4 M), as a month"),
        (change(0.05, 0.04, None), "Too few months to judge", "1.0 points more than"),
        (change(0.05, None, None), "5.0 % of", "there is no month before it to compare with"),
    ],
)
def test_health_says_better_worse_or_noise(one: Change, verdict: str, level: str) -> None:
    text = health(one)
    assert text.startswith(verdict)
    assert level in text
    assert ("its usual move is" in text) == (one.is_beyond_noise is not None)
    assert f"{100 * one.value:.1f} % of the balance is more than 30 days late" in text


def test_a_slow_drift_shows_against_a_year_ago() -> None:
    text = health(change(0.06, 0.057, False), year_ago=0.031)
    assert text.startswith("Little changed this month, 2.9 points worse than a year ago (3.1 %).")
    better = health(change(0.03, 0.03, False), year_ago=0.031)
    assert "0.1 points better than a year ago" in better


def test_a_few_loans_are_no_ground_for_a_verdict() -> None:
    moved = change(0.067, 0.0, True)
    for loans, said in ((29, True), (30, False)):
        text = health(moved, year_ago=0.0, rolls=2, loans=loans)
        assert text.startswith("Too few loans to judge a change: 29. 6.7 % of the balance") == said
        assert ("than a month before" in text or "beyond usual" in text) != said


def test_health_names_another_rate_that_left_its_usual_variation() -> None:
    quiet = change(0.05, 0.049, False)
    others = {
        "30+": quiet,
        "60+": change(0.02, 0.02, False),
        "90+": change(0.021, 0.015, True),
        "charge_offs": change(0.012, 0.02, True),
        "size": change(18.0, 17.0, True),  # no rate
    }
    text = health(quiet, others=others)
    assert text.startswith(
        "The 30+ rate changed little. But beyond usual: the 90+ rate rose 0.6 points to 2.1 %"
        " and the yearly charge-off rate fell 0.8 points to 1.2 %. 5.0 % of the balance"
    )
    worse = change(0.05, 0.04, True)
    assert "Worse by more than usual this month. Also beyond usual: the 90+" in health(
        worse, others=others
    )
    assert health(quiet, others={"30+": quiet}) == health(quiet)
    assert health(quiet, rolls=3).startswith(
        "The 30+ rate changed little. But beyond usual: 3 roll rates changed."
    )


def test_what_got_better_is_no_warning() -> None:
    changes = {
        "60+": change(0.02, 0.01, True),
        "charge_offs": change(0.01, 0.02, True),
        "cash": change(10.0, 10.2, True),  # a logarithm, and a fall is worse
        "complaints": change(3.5, 2.0, True),  # told by its signal, and not here
        "breaches": change(2.0, 3.5, True),
        "cost": change(0.2, 0.1, None),
    }
    rolls = pl.DataFrame(
        {
            "from_state": ["1-30", "31-60", "61-90"],
            "to_state": ["31-60", "current", "31-60"],
            "difference": [0.05, 0.05, 0.05],
            "rate": [0.5, 0.5, 0.5],
            "usual_rate": [0.45, 0.45, 0.45],
            "reference": ["usual"] * 3,
            "is_worse": [True, False, None],
        }
    )
    worse = warnings.warning_sentences(changes, rolls, basis="days")
    good = warnings.better_sentences(changes, rolls, basis="days")
    warned, better = ([line for _, line in lines] for lines in (worse, good))
    assert {page for page, _ in [*worse, *good]} <= {*PAGES}  # a page that can be gone to
    assert [line.split(" ")[0] for line in warned] == [*["Worse:"] * 3, "61–90"]
    assert [line.split(" ")[0] for line in better] == ["Better:"] * 3
    assert "the charge-off rate, annualised, fell" in better[0]
    assert "cash paid fell 18.1 %; the usual move is 0.1 %." in warned[1].replace(SPACE, " ")
    assert "rule breaches fell 1.50 to 2.00 per 1,000 attempts" in better[1]


def test_health_names_the_segment_with_the_largest_part() -> None:
    before = pl.DataFrame({"region": ["N", "S"], "numerator": [10, 10], "denominator": [100, 100]})
    after = pl.DataFrame({"region": ["N", "S"], "numerator": [10, 30], "denominator": [100, 100]})
    split = mix_and_rate(before, after, segment="region")
    lines = sentences.health_sentences(
        change(0.20, 0.10, True), split, "region", late_cents=None, what="loans"
    )
    assert "+10.0 points, comes from region S (its own rate changed)" in spoken(lines)


def test_aging_speaks_of_money_as_it_and_of_loans_as_them() -> None:
    more = {"as_of": JUNE, "basis": "days"}
    money = sentences.aging_sentences(
        0.07,
        700_00,
        0.5,
        0.2,
        "181+",
        None,
        "grade",
        is_money=True,
        **more,  # type: ignore[arg-type]
    )
    loans = sentences.aging_sentences(
        0.07,
        7,
        0.5,
        0.2,
        "181+",
        {"grade": None, "rate": 0.3, "whole": 0.2, "stands_out": False},
        "grade",
        is_money=False,
        **more,  # type: ignore[arg-type]
    )
    assert spoken(money).startswith("700 is late in June 2026, 7.0 % of the balance: 50 % of it")
    assert "7 loans are late in June 2026, 7.0 % of all: 50 % of them" in spoken(loans)
    assert "Grade not recorded has the highest share beyond 30 days, 30.0 %, but no more" in spoken(
        loans
    )
    nothing = sentences.aging_sentences(
        0.0,
        0,
        None,
        None,
        "181+",
        None,
        "grade",
        is_money=True,
        **more,  # type: ignore[arg-type]
    )
    assert nothing == ["Nothing is late in June 2026 in this choice."]


def test_one_finding_is_not_findings() -> None:
    assert (sentences.plural(1, "finding"), sentences.plural(2, "finding")) == (
        "1 finding",
        "2 findings",
    )
