"""Groupings of the buckets, and counting the same loans under another grouping."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from analytics.states import (
    TERMINAL,
    beyond,
    codes_of,
    collapse_late,
    four_grades,
    regulatory_classes,
    remap,
    stages,
    state_order,
)
from tests.cell_frames import cell, month_ends, stocks, transitions
from warehouse.buckets import DEFAULT_BOUNDS, bucket_codes

BUCKETS = bucket_codes()
OTHER_EDGE = bucket_codes([bound - 1 for bound in DEFAULT_BOUNDS])
(JANUARY,) = month_ends(1)


# Worked by hand


def test_the_four_grades_are_current_then_30_then_90_then_later():
    grades = four_grades(BUCKETS)
    assert [grades[bucket] for bucket in BUCKETS] == (
        ["normal", "light", "medium", "medium"] + ["heavy"] * 6
    )


@pytest.mark.parametrize("group", [four_grades, stages, collapse_late])
def test_the_other_common_edge_gives_the_same_groups(group):
    first, second = (group(book) for book in (BUCKETS, OTHER_EDGE))
    ranks = [[codes_of(one).index(code) for code in one.values()] for one in (first, second)]
    assert ranks[0] == ranks[1]


def test_the_bucket_after_current_begins_on_day_one():
    assert beyond(BUCKETS, 0) == 1
    with pytest.raises(ValueError, match="no bucket ends at 1 "):
        beyond(BUCKETS, 1)


def test_cards_and_other_loans_reach_the_five_classes_at_different_days():
    card, other = (regulatory_classes(BUCKETS, scheme=scheme) for scheme in ("card", "other"))
    assert [card["61-90"], card["91-120"], card["121-150"], card["151-180"], card["181-270"]] == [
        "special_mention",
        "substandard",
        "doubtful",
        "doubtful",
        "loss",
    ]
    assert [other["91-120"], other["181-270"], other["271-360"], other["361+"]] == [
        "substandard",
        "substandard",
        "doubtful",
        "loss",
    ]
    assert card["current"] == other["current"] == "normal_class"


def test_late_buckets_collapse_into_one_and_earlier_ones_stay():
    mapping = collapse_late(BUCKETS)
    assert codes_of(mapping) == (*BUCKETS[:7], "181+")
    assert mapping["271-360"] == "181+"
    assert codes_of(collapse_late(OTHER_EDGE))[-1] == "180+"


def test_a_book_that_ends_earlier_has_nothing_to_collapse():
    short = bucket_codes([30, 60, 90])
    assert codes_of(collapse_late(short)) == short


def test_moves_inside_a_grade_become_staying():
    moves = {("31-60", "61-90"): [10.0, 20.0], ("61-90", "61-90"): [5.0], ("61-90", "sold"): [7.0]}
    graded = remap(transitions({JANUARY: moves}), four_grades(BUCKETS))
    stayed = cell(graded, from_state="medium", to_state="medium")
    assert (stayed["loans"], stayed["opening_cents"], stayed["opening_squares"]) == (3, 3500, 525.0)
    assert cell(graded, from_state="medium", to_state="sold")["loans"] == 1


def test_ways_in_and_out_are_never_grouped():
    moves = {("new", "1-30"): 2, ("appeared", "current"): 1, ("1-30", "unmatched"): 3}
    graded = remap(transitions({JANUARY: moves}), four_grades(BUCKETS))
    assert set(zip(graded["from_state"], graded["to_state"], strict=True)) == {
        ("new", "light"),
        ("appeared", "normal"),
        ("light", "unmatched"),
    }


def test_a_sum_with_a_missing_part_is_missing_not_smaller():
    cells = stocks({JANUARY: {"31-60": [10.0], "61-90": [5.0], "1-30": [1.0]}}).with_columns(
        weight_cents=pl.when(pl.col("bucket") != "61-90").then("weight_cents")
    )
    graded = remap(cells, four_grades(BUCKETS))
    assert cell(graded, bucket="medium")["weight_cents"] is None
    assert cell(graded, bucket="light")["weight_cents"] == 100


# Refusals


@pytest.mark.parametrize("bounds", [(30, 100), (45, 90), (90, 30), (30, 30)])
def test_bounds_that_do_not_nest_are_refused(bounds: tuple[int, int]):
    with pytest.raises(ValueError, match=r"no bucket ends at|must rise"):
        four_grades(BUCKETS, bounds=bounds)


def test_a_book_without_the_days_of_a_class_is_refused():
    with pytest.raises(ValueError, match="no bucket ends at 270"):
        regulatory_classes(bucket_codes([30, 60, 90, 120, 180]), scheme="other")


def test_collapsing_in_the_middle_of_a_bucket_is_refused():
    with pytest.raises(ValueError, match="no bucket ends at 180"):
        collapse_late(["current", "1-30", "31-90", "91-270", "271+"])


def test_an_unknown_scheme_or_state_is_refused():
    with pytest.raises(ValueError, match="scheme"):
        regulatory_classes(BUCKETS, scheme="mortgage")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'31-45'"):
        remap(stocks({JANUARY: {"31-45": 1}}), four_grades(BUCKETS))


def test_rates_are_refused_since_they_do_not_add_up():
    with pytest.raises(ValueError, match="rate"):
        remap(stocks({JANUARY: {"1-30": 1}}).with_columns(rate=0.5), four_grades(BUCKETS))


# Laws


@st.composite
def books(draw: st.DrawFn) -> pl.DataFrame:
    states = state_order(BUCKETS)
    pair = st.tuples(st.sampled_from(BUCKETS), st.sampled_from([*states, "unmatched"]))
    amounts = st.lists(st.integers(0, 9_000).map(float), min_size=1, max_size=4)
    months = month_ends(draw(st.integers(1, 3)))
    return transitions(
        {month: draw(st.dictionaries(pair, amounts, min_size=1, max_size=12)) for month in months}
    )


@settings(max_examples=30, deadline=None)
@given(books(), st.sampled_from([collapse_late, four_grades, stages]))
def test_regrouping_never_changes_totals(book: pl.DataFrame, group):
    after = remap(book, group(BUCKETS))
    sums = ["loans", "opening_cents", "opening_squares", "restructured_loans"]
    assert_frame_equal(book.select(sums).sum(), after.select(sums).sum())
    by_exit = pl.col("to_state").is_in([*TERMINAL, "unmatched"])
    for frame in (book, after):
        assert frame.filter(by_exit)["loans"].sum() == book.filter(by_exit)["loans"].sum()


@settings(max_examples=20, deadline=None)
@given(books())
def test_regrouping_twice_is_regrouping_once(book: pl.DataFrame):
    once = remap(book, four_grades(BUCKETS))
    late = remap(book, collapse_late(BUCKETS))
    twice = remap(late, four_grades(codes_of(collapse_late(BUCKETS))))
    keys = ["month", "from_state", "to_state"]
    assert_frame_equal(once.sort(keys), twice.sort(keys))


@given(st.integers(1, 400))
def test_no_bucket_on_the_late_side_holds_an_earlier_day(days: int):
    try:
        first = beyond(BUCKETS, days)
    except ValueError:
        return
    assert days - int(BUCKETS[first].split("-")[0].rstrip("+")) in (-1, 0)
