"""The cadence of a strategy: measured from cases, kept by contact rules, the room it leaves."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from analytics.attempt_doses import doses
from analytics.baseline_strategy import baseline_strategy
from analytics.simulation_book import roll_book
from analytics.strategies import Strategy
from analytics.strategy_cadence import GAP, ROOM
from analytics.strategy_effects import effect_table
from analytics.strategy_hours import Cap
from analytics.strategy_plans import Planned, planned
from analytics.workload import workload
from jobs.refresh import book_shape
from queries.cases import CaseSettings
from queries.segment_cases import case_outcomes
from tests import strategy_books
from tests.books import put
from tests.recovery_books import AS_OF, case_book
from warehouse.buckets import DEFAULT_BOUNDS
from warehouse.engines import session

MONTH = 365.25 / 12


def test_days_between_the_attempts_on_a_case_are_its_last_day_less_its_first(
    facts_url: str,
) -> None:
    put(facts_url, **case_book())
    with session(facts_url) as facts:
        shape = book_shape(facts, DEFAULT_BOUNDS)
        settings = CaseSettings(AS_OF)
        january = facts.fetch(case_outcomes(dt.date(2024, 1, 31), shape, settings))
    by_days = {row["own_span"]: row for row in january.iter_rows(named=True)}
    # a1: tried on Friday the 12th and Monday the 15th; a2 once, after its close
    assert {days: row["own_tries"] for days, row in by_days.items()} == {3: 2, 0: 1}


@pytest.fixture(scope="module")
def parts():
    """Late cases of 240 calls and 120 texts in 120 case-months; 300 gaps of 3 days."""
    book = roll_book(strategy_books.transitions(), strategy_books.stocks(),
                     by=("product", "grade"), buckets=strategy_books.BUCKETS,
                     as_of=strategy_books.AS_OF)  # fmt: skip
    gaps = pl.DataFrame([
        {"product": product, "grade": grade, "stage": stage, "attempt_gaps": 300,
         "gap_days": 900 if product == "card" else 1_200}
        for product, grade in strategy_books.SEGMENTS for stage in strategy_books.LATE_STAGES
    ])  # fmt: skip
    few = pl.when(pl.col("product") == "auto", pl.col("grade") == "B").then(2)
    gaps = gaps.with_columns(attempt_gaps=few.otherwise("attempt_gaps"))
    given = replace(strategy_books.treated(), gaps=gaps)
    ones = np.ones((4, 4))
    base = baseline_strategy(given, book.segment_keys, ones)
    load = workload(given, book.segment_keys, ones, ones * 1e5)
    rows = strategy_books.influence_rows()
    return base, load, effect_table(rows, strategy_books.AGENCIES), doses(rows)


def at_gap(base: Strategy, days: float) -> Strategy:
    return base.with_treatments(pl.lit(days).alias("gap_days"), only=pl.col("stage") == "late")


def plan_of(strategy: Strategy, parts, *caps: Cap) -> Planned:
    base, load, effects, curve = parts
    return planned(strategy, base, effects, curve, load, caps=caps)


def test_the_baselines_cadence_is_measured(parts) -> None:
    late = parts[0].treatments.filter(stage="late")
    found = dict(late.select("segment", "gap_days").iter_rows())
    assert (found["card|A"], found["auto|A"]) == (3.0, 4.0)
    assert found["auto|B"] == pytest.approx(4_200 / 902)  # two gaps are too few: its stage's
    first = parts[0].treatments.filter(stage="reminder")["gap_days"]
    assert first.null_count() == first.len()


def test_a_closer_cadence_does_nothing_that_is_known_and_an_assumption_takes_it(parts) -> None:
    base, _, effects, _ = parts
    found = plan_of(at_gap(base, 1.5), parts)
    by = {row["code"]: k for k, row in enumerate(effects.iter_rows(named=True))}
    row = effects.row(by["cadence:late"], named=True)
    assert (row["evidence"], row["mean"], row["sd"]) == ("none", 0.0, 0.0)
    card = found.plan.x[base.segments.index("card|A")]
    assert card[3, by["cadence:late"]] == pytest.approx(1.0)  # three days halved
    assert not np.delete(card, by["cadence:late"], axis=-1).any()
    assert found.capped.is_empty()
    assert found.attempts.sum() == pytest.approx(plan_of(base, parts).attempts.sum())


def test_a_rule_keeps_attempts_apart_but_no_further_than_they_are(parts) -> None:
    base = parts[0]
    seven = Cap("seven in seven days", (), 7 * MONTH / 7, 1.0)
    found = plan_of(at_gap(base, 0.25), parts, seven).capped
    assert found.select("what", "rule", "stage").unique().rows() == [
        (GAP, "seven in seven days", "late")
    ]
    assert found.select("wanted", "allowed").row(0) == (0.25, 1.0)
    strict = Cap("one in ten days", (), MONTH, 10.0)
    wide = plan_of(at_gap(base, 0.25), parts, strict).capped.filter(segment="card|A")
    assert wide["allowed"].to_list() == [3.0]  # as far apart as now
    of_calls = Cap("calls", ("call",), MONTH, 1.5)  # two of three attempts are calls
    some = plan_of(at_gap(base, 0.25), parts, of_calls).capped.filter(segment="card|A")
    assert some["allowed"].to_list() == [pytest.approx(1.0)]
    of_visits = Cap("visits", ("visit",), MONTH, 10.0)
    assert plan_of(at_gap(base, 0.25), parts, of_visits).capped.is_empty()
    assert plan_of(base, parts, strict).capped.is_empty()


def test_a_long_gap_leaves_room_for_fewer_attempts(parts) -> None:
    base = parts[0]
    found = plan_of(at_gap(base, 20.0), parts)
    total = found.attempts[base.segments.index("card|A"), 3].sum()
    assert total == pytest.approx(MONTH / 20)  # of three a month
    cut = found.capped.filter(segment="card|A").row(0, named=True)
    assert (cut["what"], cut["wanted"]) == (ROOM, pytest.approx(3.0))
    assert found.hours < plan_of(base, parts).hours
