"""What the Complaints page says of results, in words."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from analytics.breach_rates import BreachTrend
from analytics.changes import Change
from analytics.cusum import Signal
from analytics.gamma_poisson import ShrunkRates
from charts import complaint_sentences as sentences
from charts.complaint_words import labels
from figures import complaint_tables as tables
from figures.complaints import People
from figures.conduct_health import by_limits, by_signal

WEEK = dt.timedelta(days=7)
MONDAY = dt.date(2026, 6, 1)


@dataclass
class Found:
    """As much of a signal as the sentences read."""

    signals: pl.DataFrame
    reason: str | None = None
    expected: float | None = 4.0
    weeks_to_find: int | None = 9


def rise(name: str, *, is_current: bool, weeks_ago: int = 0) -> dict[str, Any]:
    week = MONDAY - weeks_ago * WEEK
    return {
        "name": name,
        "week": week,
        "since": week - 3 * WEEK,
        "last_week": week,
        "crossings": 1,
        "complaints": 36,
        "expected": 19.5,
        "ratio": 36 / 19.5,
        "is_current": is_current,
    }


def said(*parts: dict[str, Any], by_chance: float = 0.01) -> str:
    frame = pl.DataFrame([rise("x", is_current=True), *parts]).tail(len(parts))
    nothing = Found(frame.clear().drop("name"))
    lines = sentences.signal_sentences(nothing, frame, judged=MONDAY, by_chance=by_chance)
    return " ".join(lines)


def test_a_rise_that_goes_on_is_named_before_one_that_is_over() -> None:
    text = said(rise("Past", is_current=False), rise("Now", is_current=True, weeks_ago=5))
    assert text == (
        "**Now**: more complaints since the week of 6 April 2026, 36 instead of 19.5 (signalled in"
        " the week of 27 April 2026). 1 more signal below."
    )


def test_a_rise_that_is_over_is_said_to_be_over() -> None:
    assert said(rise("Past", is_current=False)) == (
        "The only rise is over. **Past**: more complaints in the weeks of 11 May 2026 to"
        " 1 June 2026, 36 instead of 19.5 (signalled in the week of 1 June 2026)."
    )


def test_signals_that_chance_raises_as_well_are_doubted_unless_they_clearly_exceed_it() -> None:
    doubt = "Chance alone may raise as many signals: on average 0.9."
    past = [rise(name, is_current=False) for name in "ABCD"]
    # P(at least n | mean 0.9) by a table of the Poisson: 0.593, 0.228, 0.063, 0.013
    for count, doubted in ((1, True), (2, True), (3, True), (4, False)):
        assert said(*past[:count], by_chance=0.9).endswith(doubt) == doubted, count


def test_a_label_that_begins_with_no_does_not_read_as_a_denial() -> None:
    text = said(rise("No team (automated)", is_current=False))
    start = "The only rise is over. **No team (automated)**: more complaints in"
    assert text.replace("\\", "").startswith(start)
    both = said(rise("A", is_current=False), rise("B", is_current=False))
    assert both.startswith("All rises are over. **A**")


def test_names_in_sentences_are_characters() -> None:
    assert "**\\*\\*bold\\*\\***" in said(rise("**bold**", is_current=True))


def test_a_rise_that_would_stay_unseen_for_years_is_said_to() -> None:
    found = Found(pl.DataFrame(), weeks_to_find=None)
    assert sentences.power_sentence(found).endswith("unseen for more than two years.")
    assert sentences.power_sentence(Found(pl.DataFrame(), reason="short_baseline")) == ""


def test_none_that_could_be_judged_is_not_told_as_none_found() -> None:
    assert sentences.alarms_words(0.0, 0, judged=0).startswith("Nothing could be judged:")
    assert sentences.alarms_words(0.9, 0, judged=6) == (
        "0 signals in these weeks; chance alone would raise about 0.9."
    )


def test_an_interval_beside_the_line_that_is_not_flagged_is_explained() -> None:
    owners = pl.DataFrame(
        {
            "collector_id": ["A", "B", "C"],
            "attempts": [1000, 1000, 1000],
            "is_different": [True, False, False],
            "effect": [2.0, -0.3, 0.0],
            "shrunk": [6.0, 1.5, 2.0],
            "low": [4.0, 1.0, 1.0],
            "high": [8.0, 1.9, 3.0],
        }
    )
    shrunk = ShrunkRates(owners, 2.0, 0.5, 0.1, 1.0, None)
    said = " ".join(sentences.collector_sentences(People(shrunk, 0, 0)))
    assert "With 3 compared at once, an interval that only just leaves the line out may" in said
    wide = replace(shrunk, owners=owners.with_columns(high=pl.Series([8.0, 2.1, 3.0])))
    assert "compared at once" not in " ".join(sentences.collector_sentences(People(wide, 0, 0)))


def test_the_title_of_whose_names_the_highest_with_its_interval() -> None:
    frame = pl.DataFrame(
        {
            "name": ["Agency 2", "Late 1", "Early 1"],
            "rate": [6.1, 3.0, 1.0],
            "low": [3.95, 2.5, 0.7],
            "high": [9.0, 3.6, 1.4],
            "complaints": [25, 90, 40],
            "is_small": [True, False, False],
        }
    )
    whose = sentences.whose_title
    assert (
        whose(frame, "Team", 2.04) == "Agency 2 is highest: 6.10 (3.95 to 9.00), of 25 complaints"
    )
    wide = frame.with_columns(low=pl.Series([1.0, 2.5, 0.7]))
    assert whose(wide, "Team", 2.04) == "Late 1 is above the average: 3.00 (2.50 to 3.60)"
    assert whose(frame, "Team", 4.0) == "By team"


def test_health_calls_unusual_what_the_page_of_it_signals() -> None:
    rose = Change(dt.date(2026, 6, 30), 3.4, 1.8, 1.6, 0.7, 0.03, True, 24)
    none = pl.DataFrame({"is_current": []}, schema={"is_current": pl.Boolean})
    quiet = Signal(pl.DataFrame(), none, None)
    alarm = Signal(pl.DataFrame(), pl.DataFrame({"is_current": [False, True]}), None)
    verdicts = [by_signal(rose, one).is_beyond_noise for one in (quiet, alarm)]
    assert verdicts == [False, True]
    assert by_signal(rose, Signal(pl.DataFrame(), none, "short_baseline")).is_beyond_noise is None
    points = {"month": [rose.month], "rate": [3.4], "high": [3.0], "is_outside": [True]}
    outside = BreachTrend(pl.DataFrame(points), 1.0, None)
    assert by_limits(rose, outside).is_beyond_noise
    fell = replace(rose, difference=-0.4)
    assert not by_limits(fell, outside).is_beyond_noise  # high, but lower than the month before


def test_two_values_of_one_name_stay_apart() -> None:
    found = labels("agency_id", ["A1", "A2", None], {"A1": "Swift", "A2": "In-house"})
    assert found == {"A1": "Swift", "A2": "In-house (A2)", None: "In-house"}


def test_rates_under_a_chart_are_named_per_1000_and_not_shown_as_shares() -> None:
    frame = pl.DataFrame({"name": ["A"], "rate": [1.9], "low": [1.0], "high": [3.0]})
    assert tables.rates(frame).columns == ["name", "per_1000", "low_per_1000", "high_per_1000"]
    ratios = pl.DataFrame({"ratio": [2.0], "ratio_low": [1.0], "ratio_high": [4.0]})
    assert tables.ends(ratios, "ratio").columns == ["ratio", "ratio_from", "ratio_to"]
