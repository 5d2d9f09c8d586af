"""How much of the book is late, how late, and in how few hands?"""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from analytics.delinquency import (
    bucket_shares,
    charge_off_rates,
    concentration,
    delinquency_rates,
    herfindahl,
    highest_segment,
    lagged_delinquency_rates,
)
from analytics.states import collapse_late, remap
from tests.cell_frames import cell, month_ends, stocks, transitions
from tests.conftest import real_data
from warehouse.buckets import bucket_codes

BUCKETS = ("current", "1-30", "31-60", "61-90", "91+")
JANUARY, FEBRUARY, MARCH, APRIL = month_ends(4)


def rates(book: pl.DataFrame, weight: str = "loans", **options: object) -> pl.DataFrame:
    return delinquency_rates(book, buckets=BUCKETS, weight=weight, **options)  # type: ignore


# Worked by hand


def test_thirty_and_more_begins_on_day_31():
    """80 current, 10 at 1-30, 5 at 31-60, 3 at 61-90, 2 later: 10, 5 and 2 %, not 20, 10, 5."""
    book = stocks({JANUARY: {"current": 80, "1-30": 10, "31-60": 5, "61-90": 3, "91+": 2}})
    assert rates(book)["rate"].to_list() == [0.10, 0.05, 0.02]
    at_30 = cell(rates(book), threshold=30)
    assert (at_30["loans"], at_30["open_loans"]) == (10, 100)
    assert (at_30["low"], at_30["high"]) == pytest.approx((0.0552, 0.1744), abs=5e-5)


def test_money_weighs_large_loans_more():
    book = stocks({JANUARY: {"current": [100.0] * 9, "31-60": [1_100.0]}})
    assert cell(rates(book), threshold=30)["rate"] == 0.1
    money = cell(rates(book, "balance"), threshold=30)
    assert (money["rate"], money["numerator"]) == (0.55, 110_000)
    # (9 x 100 + 1100)^2 / (9 x 100^2 + 1100^2) = 3.1 equal loans: next to nothing is known
    assert money["high"] - money["low"] > 0.7


def test_the_other_common_edge_is_the_same_threshold():
    book = stocks({JANUARY: {"current": 8, "1-29": 1, "30-59": 1}})
    found = delinquency_rates(
        book, buckets=("current", "1-29", "30-59", "60+"), weight="loans", thresholds=[30, 60]
    )
    assert found["rate"].to_list() == [0.1, 0]


def test_segments_have_their_own_rates_and_an_unrecorded_one_is_one():
    book = pl.concat(
        [
            stocks({JANUARY: {"current": 9, "91+": 1}}).with_columns(region=pl.lit("north")),
            stocks({JANUARY: {"current": 1, "91+": 1}}).with_columns(
                region=pl.lit(None, pl.String)
            ),
        ]
    )
    found = rates(book, by=["region"], thresholds=[90])
    assert found["region"].to_list() == ["north", None]
    assert found["rate"].to_list() == [0.1, 0.5]


def test_the_highest_of_many_segments_stands_out_only_by_more_than_the_highest_would_by_chance():
    """18 of 200 late against 5.4 % of all: Wilson's low end is 5.8 % at 95 %, 4.8 % at 99.5 %."""

    def region(name: str, late: int) -> pl.DataFrame:
        book = stocks({JANUARY: {"current": 200 - late, "31-60": late}})
        return book.with_columns(region=pl.lit(name))

    def highest(*parts: pl.DataFrame) -> dict[str, object]:
        found = highest_segment(pl.concat(parts), buckets=BUCKETS, weight="loans", segment="region")
        return found.row(0, named=True)

    many = highest(region("a", 18), *[region(str(one), 10) for one in range(9)])
    assert (many["region"], many["segments"], many["stands_out"]) == ("a", 10, False)
    assert (many["low"], many["whole"]) == (pytest.approx(0.0477, abs=5e-5), 0.054)
    assert highest(region("a", 60), region("b", 10))["stands_out"]
    alone = highest_segment(region("a", 5), buckets=BUCKETS, weight="loans", segment="region")
    assert not alone.height


def test_growth_flatters_the_coincidental_rate_and_not_the_lagged_one():
    """100 loans in January; by March 10 of them are at 31-60, and 100 new ones have joined:
    5 % of March's book, 10 % of the book they came from."""
    book = stocks(
        {
            JANUARY: {"current": 100},
            FEBRUARY: {"current": 140, "1-30": 10},
            MARCH: {"current": 190, "31-60": 10},
        }
    )
    march = cell(rates(book), month=MARCH, threshold=30)
    assert march["rate"] == 0.05
    lagged = lagged_delinquency_rates(book, buckets=BUCKETS, weight="loans")
    found = cell(lagged, month=MARCH, bucket="31-60")
    assert (found["rate"], found["lag_months"], found["denominator"]) == (0.1, 2, 100)
    assert cell(lagged, month=FEBRUARY, bucket="1-30")["rate"] == 0.1
    assert cell(lagged, month=FEBRUARY, bucket="31-60")["rate"] is None


def test_the_month_before_a_short_month_is_found():
    """31 March less one month is 28 February, and back again."""
    book = stocks({FEBRUARY: {"current": 10}, MARCH: {"1-30": 4}, APRIL: {"1-30": 2}})
    found = lagged_delinquency_rates(book, buckets=BUCKETS, weight="loans").filter(bucket="1-30")
    assert found["rate"].to_list() == [None, 0.4, 0.5]


def test_a_missing_month_is_not_bridged():
    book = stocks({JANUARY: {"current": 10}, MARCH: {"1-30": 5}})
    found = lagged_delinquency_rates(book, buckets=BUCKETS, weight="loans")
    assert cell(found, month=MARCH, bucket="1-30")["rate"] is None


def test_shares_list_every_bucket_in_order():
    book = stocks({JANUARY: {"91+": [50.0], "current": [100.0, 50.0]}})
    found = bucket_shares(book, buckets=BUCKETS, weight="balance")
    assert found["bucket"].to_list() == list(BUCKETS)
    assert found["share"].to_list() == [0.75, 0, 0, 0, 0.25]
    assert found["loans"].to_list() == [2, 0, 0, 0, 1]
    counted = bucket_shares(book, buckets=BUCKETS, weight="loans")
    assert counted["share"].to_list() == pytest.approx([2 / 3, 0, 0, 0, 1 / 3])


def test_a_book_without_balance_has_no_shares_by_money():
    book = stocks({JANUARY: {"current": [0.0, 0.0]}})
    assert bucket_shares(book, buckets=BUCKETS, weight="balance")["share"].null_count() == 5
    assert rates(book, "balance")["rate"].null_count() == 3


def test_charge_offs_are_taken_over_the_opening_book():
    """Opening 1,000 in nine loans; one of 100 is charged off at 110 with its interest, one is
    lost: 11 % a month, 132 % a year; by loans 1 of 9."""
    moves = {
        ("current", "current"): [100.0] * 7,
        ("91+", "charged_off"): [100.0],
        ("91+", "unmatched"): [200.0],
        ("new", "current"): [500.0],
    }
    book = transitions({FEBRUARY: moves, JANUARY: {("new", "current"): [100.0] * 8}})
    book = book.with_columns(
        closing_cents=pl.when(pl.col("to_state") == "charged_off")
        .then(11_000)
        .otherwise("closing_cents")
    )
    found = charge_off_rates(book, weight="balance")
    assert found["month"].to_list() == [JANUARY, FEBRUARY]
    assert found["rate"].to_list() == [None, pytest.approx(0.11)]
    assert found["annualised_rate"].to_list() == [None, pytest.approx(1.32)]
    assert charge_off_rates(book, weight="loans")["rate"][1] == pytest.approx(1 / 9)


def test_concentration_names_the_largest():
    found = concentration(
        pl.DataFrame(
            {
                "month": [JANUARY, FEBRUARY],
                "unit": ["customer", "customer"],
                "herfindahl": [0.38, None],
                "largest_cents": [50, 0],
                "largest_ten_cents": [100, 0],
                "total_cents": [100, 0],
            }
        )
    )
    assert found["largest_share"].to_list() == [0.5, None]
    assert found["equal_units"].to_list() == [pytest.approx(2.6316, abs=1e-4), None]


# Published and known values


def test_herfindahl_agrees_with_the_worked_example_of_the_merger_guidelines():
    """US Horizontal Merger Guidelines: shares of 30, 30, 20 and 20 per cent give 2,600."""
    assert herfindahl([30, 30, 20, 20]) == pytest.approx(0.26)
    assert herfindahl([7.0]) == 1
    assert herfindahl([]) is None


def test_the_taiwanese_cards_of_september_have_their_known_counts():
    """30,000 cards: 14,737 at 0, 3,688 one month late, 2,667 two, 322 three."""
    cards = pl.read_csv(real_data("uci_credit_card_default.csv"))
    late = "PAY_0" if "PAY_0" in cards.columns else "PAY_1"
    codes = bucket_codes()
    book = (
        cards.select(bucket=pl.col(late).clip(0, 9).replace_strict(range(10), list(codes)))
        .group_by("bucket")
        .agg(loans=pl.len().cast(pl.Int64))
        .with_columns(month=pl.lit(JANUARY))
    )
    found = delinquency_rates(book, buckets=codes, weight="loans")
    later = book.filter(~pl.col("bucket").is_in(codes[:2]))["loans"].sum()
    assert cell(found, threshold=30)["rate"] == later / 30_000
    shares = bucket_shares(book, buckets=codes, weight="loans")
    assert shares["loans"].to_list()[1:4] == [3_688, 2_667, 322]
    assert shares["share"][2] == pytest.approx(0.0889)


# Refusals


def test_a_threshold_inside_a_bucket_is_refused():
    with pytest.raises(ValueError, match="no bucket ends at 45"):
        rates(stocks({JANUARY: {"current": 1}}), thresholds=[45])


def test_unknown_buckets_and_money_in_a_counted_book_are_refused():
    with pytest.raises(ValueError, match="holds"):
        rates(stocks({JANUARY: {"31-45": 1}}))
    counted = stocks({JANUARY: {"1-30": 1}}).with_columns(weight_cents=pl.lit(None, pl.Int64))
    assert rates(counted)["rate"].null_count() == 0
    for metric in (delinquency_rates, lagged_delinquency_rates, bucket_shares):
        with pytest.raises(ValueError, match="counted, not weighed"):
            metric(counted, buckets=BUCKETS, weight="balance")
    left = transitions({JANUARY: {("1-30", "charged_off"): 1}})
    with pytest.raises(ValueError, match="counted, not weighed"):
        charge_off_rates(left.with_columns(closing_cents=pl.lit(None, pl.Int64)), weight="balance")


def test_a_negative_amount_has_no_share():
    with pytest.raises(ValueError, match="negative"):
        herfindahl([3, -1])


# Laws

owed = st.lists(st.integers(0, 5_000).map(float), min_size=1, max_size=5)
books = st.lists(
    st.dictionaries(st.sampled_from(BUCKETS), owed, min_size=1), min_size=1, max_size=4
).map(lambda months: stocks(dict(zip(month_ends(4), months, strict=False))))
weights = st.sampled_from(["loans", "balance"])


@settings(max_examples=40, deadline=None)
@given(books, weights)
def test_later_thresholds_are_never_higher_and_intervals_hold_their_rate(book, weight):
    found = rates(book, weight).filter(pl.col("rate").is_not_null())
    for _, month in found.group_by("month"):
        assert month.sort("threshold")["rate"].is_sorted(descending=True)
    inside = pl.col("rate").is_between(pl.col("low") - 1e-12, pl.col("high") + 1e-12)
    assert found.select(inside.all()).item()


@settings(max_examples=30, deadline=None)
@given(books, weights)
def test_shares_sum_to_one_and_agree_with_the_rates(book, weight):
    shares = bucket_shares(book, buckets=BUCKETS, weight=weight)
    known = shares.filter(pl.col("share").is_not_null())
    sums = known.group_by("month").agg(pl.col("share").sum())["share"].to_list()
    assert sums == pytest.approx([1.0] * len(sums))
    late = known.filter(pl.col("bucket").is_in(BUCKETS[2:])).group_by("month")
    assert_frame_equal(
        late.agg(rate=pl.col("share").sum()).sort("month"),
        rates(book, weight, thresholds=[30]).select("month", "rate").drop_nulls(),
    )


@settings(max_examples=20, deadline=None)
@given(books, weights)
def test_collapsing_late_buckets_changes_no_rate(book, weight):
    mapping = {"current": "current", "1-30": "1-30", "31-60": "31-60", "61-90": "61+", "91+": "61+"}
    after = delinquency_rates(
        remap(book, mapping),
        buckets=("current", "1-30", "31-60", "61+"),
        weight=weight,
        thresholds=[30, 60],
    )
    assert_frame_equal(after, rates(book, weight, thresholds=[30, 60]))
    assert collapse_late(BUCKETS) == {bucket: bucket for bucket in BUCKETS}
