"""What did more attempts by one channel, and an earlier first one by it, do?"""

from __future__ import annotations

import doctest
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

from analytics import channel_amounts
from analytics.channel_amounts import OUTCOMES, fit_channel
from analytics.channel_effects import fit_outcomes
from analytics.effect_sums import effects
from analytics.treatment_arms import AMOUNTS, DOSES, FIRST_CONTACT_DAYS
from bench.truths_amounts import Called, called
from bench.truths_channels import COVARIATES

BOOKS = 30
ADDS = {"0": 0.0, "1": 0.0, "2-3": 0.6, "4+": 0.9}  # log-odds, whatever the day


def with_cash(cells: pl.DataFrame) -> pl.DataFrame:
    """A unit of cash for each resolved case."""
    return cells.with_columns(
        cash_cents=100 * pl.col("resolved"), cash_squares=pl.col("resolved").cast(pl.Float64)
    )


def planted() -> Called:
    """On whatever day: the day of the first call does nothing."""
    return called("calls", ADDS, dict.fromkeys(FIRST_CONTACT_DAYS[1:], 0.0))


@cache
def found() -> pl.DataFrame:
    """Every level's estimate in each of the books."""
    rng, world, frames = np.random.default_rng(5), planted(), []
    for _ in range(BOOKS):
        fits = fit_channel(world.book(rng), channel="call", covariates=COVARIATES, by=())
        frames += [
            effects(rows).with_columns(question=pl.lit(question))
            for question, rows in fits.amounts.items()
        ]
    return pl.concat(frames)


def estimates(question: str, level: str) -> dict[str, np.ndarray]:
    rows = found().filter(question=question, arm=level)
    return {name: rows[name].to_numpy() for name in ("raw", "effect", "low", "high")}


def test_two_or_three_calls_do_good_though_raw_they_look_harmful() -> None:
    truth, rows = planted().truth("dose", "2-3"), estimates("dose", "2-3")
    assert truth > 0.08
    assert (rows["raw"] < 0).mean() > 0.9
    assert (rows["low"] > 0).all()
    assert rows["effect"].mean() == pytest.approx(truth, abs=0.012)


@pytest.mark.parametrize(
    ("question", "level"),
    [(question, level) for question, levels in AMOUNTS.items() for level in levels[1:]],
)
def test_every_level_is_found_and_what_does_nothing_does_nothing(question: str, level: str) -> None:
    truth, rows = planted().truth(question, level), estimates(question, level)
    noise = rows["effect"].std() / BOOKS**0.5
    assert abs(rows["effect"].mean() - truth) < 3.5 * noise
    covered = ((rows["low"] <= truth) & (rows["high"] >= truth)).sum()
    assert covered >= BOOKS - 4  # of 95 % intervals: fewer is one chance in two hundred
    if (question, level) == ("dose", "1"):
        assert truth == pytest.approx(0)
        assert rows["raw"].max() < 0


def counts(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    schema = ["stage", "grade", "arm", "cases", "resolved"]
    return with_cash(pl.DataFrame(rows, schema=schema, orient="row"))


def test_levels_are_compared_in_the_same_population_by_hand() -> None:
    """One covariate: each level's mean is that of the grades, weighted by all 200 and 200 cases.
    Grade A: 50 % without, 60, 70 and 80 % by dose; grade B: 20, 20, 30 and 40 %."""
    grades = (
        ("A", (0.5, 0.6, 0.7, 0.8), (80, 60, 40, 20)),
        ("B", (0.2, 0.2, 0.3, 0.4), (40, 40, 50, 70)),
    )
    arms = ("without", "1:4-6", "2-3:0-1", "4+:0-1")
    cells = counts(
        [
            ("late", grade, arm, count, round(count * share))
            for grade, shares, sizes in grades
            for arm, share, count in zip(arms, shares, sizes, strict=True)
        ]
    )
    fits = fit_channel(cells, channel="call", covariates=["grade"], by=["grade"])
    dose = effects(fits.amounts["dose"])
    assert dose["arm"].to_list() == list(DOSES[1:])
    assert dose["effect"].to_list() == pytest.approx([0.05, 0.15, 0.25])
    assert dose["alone"].to_list() == pytest.approx([0.35] * 3)
    days = effects(fits.amounts["first_day"])
    assert days["arm"].to_list() == list(FIRST_CONTACT_DAYS[1:])
    # 2-3 and 4+ together: A 44 of 60, B 43 of 120
    assert days["effect"][0] == pytest.approx((44 / 60 + 43 / 120) / 2 - 0.35)
    assert days["reason"].to_list() == [None, "no_contacts", None]
    assert days["effect"][2] == pytest.approx(0.05)


def test_the_channel_itself_is_answered_as_without_its_amounts() -> None:
    cells = planted().book(np.random.default_rng(1))
    fits = fit_channel(cells, channel="call", covariates=COVARIATES, by=["product"])
    arm = pl.when(pl.col("arm") == "without").then(pl.lit("without")).otherwise(pl.lit("call"))
    expected = fit_outcomes(
        cells.with_columns(arm=arm), arms=("without", "call"), covariates=COVARIATES, by=["product"]
    )
    for outcome in OUTCOMES:
        ours = effects(fits.whole[outcome].influence, over=("product",)).sort("product")
        theirs = effects(expected[outcome].influence, over=("product",)).sort("product")
        for name in ("effect", "low", "high", "treated_cases"):
            assert ours[name].to_list() == pytest.approx(theirs[name].to_list(), rel=1e-6)


def test_a_level_with_few_resolved_cases_is_not_fitted_but_counted() -> None:
    cells = counts(
        [
            ("early", "A", "without", 60, 30),
            ("early", "A", "1:0-1", 60, 36),
            ("early", "A", "4+:0-1", 40, 9),
        ]
    )
    fits = fit_channel(cells, channel="call", covariates=["grade"], by=())
    row = effects(fits.amounts["dose"]).filter(arm="4+").row(0, named=True)
    assert (row["reason"], row["effect"], row["treated_cases"]) == ("too_few", None, 40)
    assert row["raw"] == pytest.approx(9 / 40 - 0.5)


def test_a_level_of_hardly_anybody_is_no_overlap() -> None:
    """One case in 150 is called four times or more: fewer than half have a like case."""
    cells = counts(
        [
            ("early", grade, arm, cases, cases // 2)
            for grade in "AB"
            for arm, cases in (("without", 2_000), ("1:0-1", 1_000), ("4+:0-1", 20))
        ]
    )
    fits = fit_channel(cells, channel="call", covariates=["grade"], by=())
    reasons = effects(fits.amounts["dose"]).select("arm", "reason").rows()
    assert reasons == [("1", None), ("2-3", "no_contacts"), ("4+", "no_overlap")]


def test_what_cannot_be_is_refused() -> None:
    cells = counts([("early", "A", "call", 60, 30)])
    with pytest.raises(ValueError, match="unknown arm: call"):
        fit_channel(cells, channel="call", covariates=["grade"], by=())
    with pytest.raises(ValueError, match="no landmark cells"):
        fit_channel(cells.clear(), channel="call", covariates=["grade"], by=())
    with pytest.raises(ValueError, match="adjust for"):
        fit_channel(cells, channel="call", covariates=["grade"], by=["product"])


def test_the_example_is_right() -> None:
    assert doctest.testmod(channel_amounts).failed == 0
