"""Forecasts held against what happened: by hand, and on planted worlds whose truth is known."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from analytics.decision_scores import decisions_apart, score_all, score_decisions
from analytics.decisions import score_months

DECIDED = dt.date(2026, 1, 15)
Z = stats.norm.ppf(0.9)


def month(number: int) -> dt.date:
    """The last day of the so-manieth month of 2026 (13: January 2027)."""
    year, of = divmod(number - 1, 12)
    after = dt.date(2026 + year + (of == 11), (of + 1) % 12 + 1, 1)
    return after - dt.timedelta(days=1)


def forecast(*rows: tuple[int, float, float, float, float]) -> pl.DataFrame:
    """Month, the strategy's mean, low and high, and the baseline's mean."""
    made = []
    for number, mean, low, high, baseline in rows:
        at = {"month": month(number), "measure": "cash"}
        made += [
            at | {"series": "strategy", "mean": mean, "low": low, "high": high},
            at
            | {"series": "baseline", "mean": baseline, "low": baseline - 1, "high": baseline + 1},
            at | {"series": "benefit", "mean": mean - baseline, "low": -1.0, "high": 1.0},
        ]
    return pl.DataFrame(made, schema_overrides=dict.fromkeys(("mean", "low", "high"), pl.Float64))


def actual(**values: float) -> pl.DataFrame:
    rows = [{"month": month(int(name[1:])), "actual": value} for name, value in values.items()]
    frame = pl.DataFrame(rows, schema={"month": pl.Date, "actual": pl.Float64})
    return frame.with_columns(measure=pl.lit("cash"))


FOUR = forecast(
    (1, 100, 90, 110, 95), (2, 100, 90, 110, 95), (3, 100, 90, 110, 100), (4, 100, 90, 110, 95)
)


def test_a_month_is_inside_its_interval_ends_and_all() -> None:
    for value, place in ((90, "inside"), (110, "inside"), (89.99, "below"), (110.01, "above")):
        (row,) = (
            score_months(FOUR, actual(m1=value), decided_on=DECIDED)
            .filter(pl.col("place") != "ahead")
            .to_dicts()
        )
        assert row["place"] == place
        assert row["error"] == pytest.approx(value - 100)
    waiting = score_months(FOUR, actual(m1=90.0), decided_on=DECIDED).filter(place="ahead")
    assert waiting["month"].to_list() == [month(2), month(3), month(4)]
    assert waiting["actual"].null_count() == waiting["error"].null_count() == 3


def test_a_month_that_had_ended_when_it_was_decided_is_not_scored() -> None:
    months = score_months(FOUR, actual(m1=100, m2=200), decided_on=month(1)).with_columns(
        decision=pl.lit("a")
    )
    assert months["place"].to_list() == ["before", "above", "ahead", "ahead"]
    (row,) = score_decisions(months).to_dicts()
    assert (row["months"], row["above"], row["ahead"], row["bias"]) == (1, 1, 2, 1.0)
    assert score_all(months).months == 1


def test_the_chance_of_beating_the_baseline_is_the_forecasts_own() -> None:
    months = score_months(FOUR, actual(m1=97, m2=94, m3=100), decided_on=DECIDED)
    spread = 10 / Z
    expected = [stats.norm.cdf(5 / spread)] * 2 + [0.5] + [stats.norm.cdf(5 / spread)]
    assert months["p_above"].to_list() == pytest.approx(expected)
    assert months["is_above"].to_list() == [True, False, False, None]
    (row,) = score_decisions(months.with_columns(decision=pl.lit("a"))).to_dicts()
    p = expected[0]
    assert row["brier"] == pytest.approx(((p - 1) ** 2 + p**2 + 0.25) / 3)
    assert row["bias"] == pytest.approx((97 + 94 + 100 - 300) / 300)
    assert (row["inside"], row["better"], row["verdict"]) == (3, 1, "in_line")


def test_an_interval_without_width_is_certain() -> None:
    sure = forecast((1, 100, 100, 100, 95), (2, 90, 90, 90, 95), (3, 95, 95, 95, 95))
    months = score_months(sure, actual(m1=100, m2=96), decided_on=DECIDED)
    assert months["p_above"].to_list() == [1.0, 0.0, 0.5]
    assert months["place"].to_list() == ["inside", "above", "ahead"]


def test_the_score_is_briers_own_on_his_example_of_rain() -> None:
    # Brier 1950, table 1: probability of rain on ten days and whether it rained; his sum over both
    # classes is 0.19 for these, ours is half of it
    p = np.array([0.7, 0.9, 0.8, 0.4, 0.2, 0.0, 0.0, 0.0, 0.0, 0.1])
    rain = np.array([0, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    spread = 10 / Z
    inner = np.clip(p, 1e-12, 1 - 1e-12)
    rows = [
        (number, 100.0, 90.0, 110.0, 100 - spread * stats.norm.ppf(one))
        for number, one in enumerate(inner, start=1)
    ]
    came = {
        f"m{number}": base + (1.0 if wet else -1.0)
        for (number, *_, base), wet in zip(rows, rain, strict=True)
    }
    months = score_months(forecast(*rows), actual(**came), decided_on=DECIDED)
    assert months["p_above"].to_list() == pytest.approx(p.tolist(), abs=1e-9)
    score = score_all(months.with_columns(decision=pl.lit("a")))
    assert 2 * score.brier == pytest.approx(0.19)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ({}, "waiting"),
        ({"m1": 50}, "in_line"),  # one month outside is no verdict
        ({"m1": 50, "m2": 50}, "too_high"),
        ({"m1": 150, "m2": 150}, "too_low"),
        ({"m1": 50, "m2": 100}, "in_line"),
        ({"m1": 50, "m2": 150, "m3": 150, "m4": 50}, "too_narrow"),
    ],
)
def test_a_verdict_needs_more_months_outside_than_chance_brings(
    values: dict[str, float], verdict: str
) -> None:
    months = score_months(FOUR, actual(**values), decided_on=DECIDED)
    (row,) = score_decisions(months.with_columns(decision=pl.lit("a"))).to_dicts()
    assert row["verdict"] == verdict


def test_decisions_that_share_months_count_as_one() -> None:
    year = [(number, 100.0, 90.0, 110.0, 95.0) for number in range(1, 13)]
    came = actual(**{f"m{number}": 100.0 for number in range(1, 13)})
    parts = {"a": year[:6], "b": year[3:9], "c": year[6:], "d": year}
    months = pl.concat(
        [
            score_months(forecast(*rows), came, decided_on=DECIDED).with_columns(
                decision=pl.lit(name)
            )
            for name, rows in parts.items()
        ]
    )
    score = score_all(months)
    assert (score.decisions, score.months, score.apart) == (4, 30, 2)
    assert score.coverage == 1
    low, high = proportion_confint(2, 2, method="wilson")
    assert (score.low, score.high) == (pytest.approx(low), pytest.approx(high))
    assert score.low < 0.5  # thirty months inside are no proof


def test_most_decisions_apart_is_the_most_there_are() -> None:
    rng = np.random.default_rng(11)

    def most(spans: list[tuple[int, int]]) -> int:
        """Every way to take some, tried."""
        return max(
            bin(choice).count("1")
            for choice in range(2 ** len(spans))
            if all(
                not (choice >> i & 1 and choice >> j & 1)
                or spans[i][1] < spans[j][0]
                or spans[j][1] < spans[i][0]
                for i in range(len(spans))
                for j in range(i)
            )
        )

    for _ in range(60):
        firsts = rng.integers(1, 20, 7)
        spans = [(int(first), int(first + rng.integers(0, 6))) for first in firsts]
        frame = pl.DataFrame(
            {"first": [month(a) for a, _ in spans], "last": [month(b) for _, b in spans]}
        )
        assert decisions_apart(frame) == most(spans)


def planted(rng: np.random.Generator, decisions: int, *, width: float) -> pl.DataFrame:
    """Decisions on twelve months of their own, whose surprises are half of them common."""
    parts = []
    for number in range(decisions):
        first = 1 + 12 * number
        surprise = rng.normal(0, np.sqrt(0.5)) + rng.normal(0, np.sqrt(0.5), 12)
        rows = [
            (first + ahead, 100.0, 100 - Z * 10 * width, 100 + Z * 10 * width, 95.0)
            for ahead in range(12)
        ]
        came = {f"m{first + ahead}": 100 + 10 * surprise[ahead] for ahead in range(12)}
        one = score_months(forecast(*rows), actual(**came), decided_on=DECIDED)
        parts.append(one.with_columns(decision=pl.lit(str(number))))
    return pl.concat(parts)


def test_the_interval_of_the_coverage_holds_the_truth_though_months_move_together() -> None:
    rng = np.random.default_rng(5)
    held, by_month = [], []
    for _ in range(60):
        score = score_all(planted(rng, 8, width=1.0))
        assert score.apart == 8
        held.append(score.low <= 0.8 <= score.high)
        low, high = proportion_confint(score.coverage * 96, 96, method="wilson")
        by_month.append(low <= 0.8 <= high)
    assert np.mean(held) >= 0.95
    assert np.mean(by_month) < 0.9  # counting months as if each told of itself promises too much


def test_intervals_half_as_wide_as_they_should_be_are_found_out_in_time() -> None:
    rng = np.random.default_rng(6)
    few, many = (score_all(planted(rng, count, width=0.4)) for count in (3, 30))
    assert few.high > 0.8  # three decisions are no proof
    assert many.high < 0.8
    verdicts = score_decisions(planted(rng, 30, width=0.4))["verdict"]
    assert (verdicts != "in_line").mean() > 0.6


def test_nothing_scored_is_null_and_counts_nothing() -> None:
    months = score_months(FOUR, actual(), decided_on=DECIDED).with_columns(decision=pl.lit("a"))
    score = score_all(months)
    assert (score.decisions, score.months, score.coverage, score.brier) == (0, 0, None, None)
    (row,) = score_decisions(months).to_dicts()
    assert (row["months"], row["bias"], row["brier"], row["first"]) == (0, None, None, None)
    empty = score_months(FOUR.clear(), actual(), decided_on=DECIDED)
    assert empty.height == 0


def test_a_forecast_without_a_baseline_or_of_nothing_is_null_not_wrong() -> None:
    alone = FOUR.filter(pl.col("series") != "baseline")
    months = score_months(alone, actual(m1=100), decided_on=DECIDED)
    assert months["p_above"].null_count() == months["is_above"].null_count() == 4
    nothing = forecast((1, 0, 0, 0, 0))
    scored = score_months(nothing, actual(m1=5), decided_on=DECIDED)
    (row,) = score_decisions(scored.with_columns(decision=pl.lit("a"))).to_dicts()
    assert row["bias"] is None
    assert row["above"] == 1


@pytest.mark.parametrize("level", [0.0, 1.0, -1, float("nan")])
def test_a_level_that_is_none_is_refused(level: Any) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        score_months(FOUR, actual(), decided_on=DECIDED, level=level)
