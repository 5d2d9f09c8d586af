"""Roll rates: who gets worse next month?"""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from analytics.roll_rates import PARTS, movements, roll_rate_matrix, unmatched
from analytics.states import codes_of, collapse_late, four_grades, remap, state_order
from tests.cell_frames import BUCKETS, cell, month_ends, transitions
from tests.conftest import real_data

JANUARY, FEBRUARY, MARCH = month_ends(3)


def matrix(book: pl.DataFrame, weight: str = "loans", **options: object) -> pl.DataFrame:
    return roll_rate_matrix(book, buckets=BUCKETS, weight=weight, **options)  # type: ignore


# Worked by hand


def test_a_loan_counts_once_and_a_balance_by_its_size():
    """Of 4 loans owing 100, 100, 100 and 700, the big one gets worse: 25 % of loans, 70 % of
    money."""
    book = transitions({JANUARY: {("1-30", "31-60"): [700], ("1-30", "current"): [100, 100, 100]}})
    assert cell(matrix(book), from_state="1-30", to_state="31-60")["rate"] == 0.25
    money = cell(matrix(book, "balance"), from_state="1-30", to_state="31-60")
    assert (money["rate"], money["numerator"], money["denominator"]) == (0.7, 70_000, 100_000)
    assert (money["loans"], money["from_loans"]) == (1, 4)


def test_opening_balances_are_the_weights_not_closing_ones():
    """100 of 200 opens and gets worse; having paid, the other closes at 50: 50 %, not 67 %."""
    book = transitions({JANUARY: {("1-30", "31-60"): [100], ("1-30", "1-30"): [100]}})
    book = book.with_columns(closing_cents=pl.Series([10_000, 5_000]))
    assert cell(matrix(book, "balance"), from_state="1-30", to_state="31-60")["rate"] == 0.5


def test_months_are_pooled_not_averaged():
    """1 of 10, then 30 of 100: 31 of 110 is 28.2 %, while the mean of 10 % and 30 % is 20 %."""
    book = transitions(
        {
            JANUARY: {("1-30", "31-60"): 1, ("1-30", "current"): 9},
            FEBRUARY: {("1-30", "31-60"): 30, ("1-30", "current"): 70},
        }
    )
    found = cell(matrix(book), from_state="1-30", to_state="31-60")
    assert found["rate"] == pytest.approx(31 / 110)
    assert (found["months"], found["interval"]) == (2, "months")


def test_a_loan_without_a_row_a_month_later_is_left_out_and_counted_beside():
    """8 stay, 1 gets worse, 1 has no row: 1 of 9, not 1 of 10; and 10 % unmatched."""
    book = transitions(
        {JANUARY: {("1-30", "1-30"): 8, ("1-30", "31-60"): 1, ("1-30", "unmatched"): [50.0]}}
    )
    assert cell(matrix(book), from_state="1-30", to_state="31-60")["rate"] == pytest.approx(1 / 9)
    beside = cell(unmatched(book), from_state="1-30")
    assert (beside["unmatched_loans"], beside["from_loans"], beside["share"]) == (1, 10, 0.1)
    assert (beside["unmatched_cents"], beside["money_share"]) == (5_000, pytest.approx(50 / 59))


def test_new_loans_are_in_no_rate():
    book = transitions(
        {JANUARY: {("new", "1-30"): 50, ("appeared", "1-30"): 5, ("1-30", "current"): 2}}
    )
    assert cell(matrix(book), from_state="1-30", to_state="current")["rate"] == 1
    assert "new" not in matrix(book)["from_state"]


def test_a_move_that_did_not_happen_is_zero_and_a_bucket_without_loans_is_nothing():
    book = transitions({JANUARY: {("1-30", "current"): 20}})
    none = cell(matrix(book), from_state="1-30", to_state="31-60")
    assert (none["rate"], none["low"]) == (0, 0)
    assert none["high"] == pytest.approx(0.1611, abs=5e-5)  # Newcombe: 0 of 20
    empty = cell(matrix(book), from_state="61+", to_state="current")
    assert (empty["rate"], empty["low"], empty["high"], empty["from_loans"]) == (
        None,
        None,
        None,
        0,
    )


def test_few_loans_are_marked():
    book = transitions({JANUARY: {("1-30", "current"): 29, ("31-60", "current"): 30}})
    assert cell(matrix(book), from_state="1-30", to_state="current")["is_small"] is True
    assert cell(matrix(book), from_state="31-60", to_state="current")["is_small"] is False


def test_money_in_one_big_loan_is_less_certain_than_the_same_number_of_equal_loans():
    equal = transitions({JANUARY: {("1-30", "31-60"): [10] * 20, ("1-30", "current"): [10] * 80}})
    skewed = transitions(
        {JANUARY: {("1-30", "31-60"): [100] + [5] * 20, ("1-30", "current"): [10] * 80}}
    )
    widths = [
        found["high"] - found["low"]
        for found in (
            cell(matrix(book, "balance"), from_state="1-30", to_state="31-60")
            for book in (equal, skewed)
        )
    ]
    assert widths[1] > 1.5 * widths[0]
    counted = cell(matrix(equal), from_state="1-30", to_state="31-60")
    assert widths[0] == pytest.approx(counted["high"] - counted["low"])


def test_movements_name_what_became_of_a_bucket():
    """20 loans at 31-60: 2 to 61+, 3 charged off, 4 stay, 1 back to 1-30, 5 current (2 of them
    restructured), 4 paid off, 1 sold."""
    moves = {
        ("31-60", "61+"): 2,
        ("31-60", "charged_off"): 3,
        ("31-60", "31-60"): 4,
        ("31-60", "1-30"): 1,
        ("31-60", "current"): 5,
        ("31-60", "paid_off"): 4,
        ("31-60", "sold"): 1,
        ("1-30", "61+"): 1,
        ("current", "current"): 9,
    }
    book = transitions({JANUARY: moves}, restructured={("31-60", "current"): 2})
    all_moves = movements(book, buckets=BUCKETS, weight="loans")
    found = cell(all_moves, from_state="31-60")
    assert [found[part] for part in PARTS] == [0.1, 0, 0.15, 0.2, 0.05, 0.15, 0.1, 0.25]
    assert (found["forward"], found["cure"]) == (0.25, 0.25)
    assert cell(all_moves, from_state="1-30")["skip"] == 1
    current = cell(all_moves, from_state="current")
    assert (current["stay"], current["cure"], current["cure_high"]) == (1, 0, None)
    assert cell(all_moves, from_state="61+")["forward"] is None


def test_movements_come_by_month_and_by_money():
    book = transitions(
        {
            JANUARY: {("1-30", "31-60"): [30], ("1-30", "current"): [10]},
            FEBRUARY: {("1-30", "31-60"): [10], ("1-30", "current"): [30, 60]},
        },
    )
    found = movements(book, buckets=BUCKETS, weight="balance").filter(from_state="1-30")
    assert found["month"].to_list() == [JANUARY, FEBRUARY]
    assert found["forward_one"].to_list() == [0.75, 0.1]
    assert found["denominator"].to_list() == [4_000, 10_000]


# Published values


CHALLENGE = ("current", "1-4", "5-9", "10-29", "30-59", "60+")


@pytest.fixture
def challenge() -> pl.DataFrame:
    """Two month-ends of 477 loans; its 'balance' is what was outstanding at the second."""
    raw = pl.read_csv(real_data("loan_delinquency_challenge.csv"), null_values="NA")

    def bucket(days: str) -> pl.Series:
        ranks = np.digitize(raw[days].to_numpy(), [1, 5, 10, 30, 60])
        return pl.Series([CHALLENGE[rank] for rank in ranks])

    owed = pl.col("new_outstanding_principal_balance")
    return (
        raw.group_by(
            from_state=bucket("days_delinquent_old"), to_state=bucket("days_delinquent_new")
        )
        .agg(
            loans=pl.len().cast(pl.Int64),
            opening_cents=(100 * owed).round().cast(pl.Int64).sum(),
            opening_squares=owed.pow(2).sum(),
        )
        .with_columns(
            month=pl.lit(date(2012, 12, 31)),
            restructured_loans=pl.lit(0),
            restructured_cents=pl.lit(0),
        )
    )


@pytest.mark.parametrize("weight", ["loans", "balance"])
def test_the_published_matrices_of_the_delinquency_challenge_are_reproduced(
    challenge: pl.DataFrame, weight: str
):
    """csbrown/lending_challenge and jonathanlxy/Code_Challenge_Loan_Delinquency (the matrices
    in which both agree; a third one multiplies probability by balance)."""
    tables = json.loads(real_data("reference_tables.json").read_text())
    published = tables["loan_delinquency_challenge_2012"]
    found = roll_rate_matrix(challenge, buckets=CHALLENGE, weight=weight)  # type: ignore
    inside = found.filter(pl.col("to_state").is_in(CHALLENGE), pl.col("from_state") != "current")
    key = {"loans": "published_count_weighted", "balance": "published_balance_weighted"}[weight]
    np.testing.assert_allclose(inside["rate"].to_numpy().reshape(5, 6), published[key], atol=1e-6)
    counts = np.array(published["count_matrix_rows_from_[1,5)"])
    np.testing.assert_array_equal(inside["loans"].to_numpy().reshape(5, 6), counts)


def test_the_published_transitions_of_the_heart_transplant_patients():
    """msm's statetable for its `cav` data: 1367 204 44 148 / 46 134 54 48 / 4 13 107 55; death
    is charge-off here.  Wilson by hand for 54 of 282: centre (.191489 + 1.920729/282)/(1 +
    3.841459/282) = .195635, half-width 1.959964 x
    sqrt(.154821/282 + 3.841459/(4 x 282^2))/1.013622 = .045802."""
    counts = [[1367, 204, 44, 148], [46, 134, 54, 48], [4, 13, 107, 55]]
    wards = ("well", "mild", "severe")
    moves = {
        (start, end): counts[i][j]
        for i, start in enumerate(wards)
        for j, end in enumerate((*wards, "charged_off"))
    }
    found = roll_rate_matrix(transitions({JANUARY: moves}), buckets=wards, weight="loans")
    rates = found.filter(from_state="well")["rate"].to_list()
    assert rates == pytest.approx([0.775383, 0.115712, 0.024957, 0.083948, 0, 0], abs=1e-6)
    middle = cell(found, from_state="mild", to_state="severe")
    assert (middle["low"], middle["high"]) == pytest.approx((0.149833, 0.241438), abs=1e-6)


def test_known_transitions_of_the_credit_record_give_known_rates():
    """7,057 moves from 1-29 to 30-59 days late and 44 straight to 150 and more."""
    moves = {("1-29", "30-59"): 7_057, ("1-29", "150+"): 44, ("1-29", "1-29"): 92_899}
    book = transitions({JANUARY: moves})
    found = movements(book, buckets=("current", "1-29", "30-59", "150+"), weight="loans")
    assert cell(found, from_state="1-29")["forward_one"] == 0.07057
    assert cell(found, from_state="1-29")["skip"] == 0.00044


# Refusals


def test_an_unknown_state_is_refused():
    for moves in ({("1-30", "31-45"): 1}, {("31-45", "1-30"): 1}, {("unmatched", "1-30"): 1}):
        with pytest.raises(ValueError, match="holds"):
            matrix(transitions({JANUARY: moves}))


def test_two_bases_at_once_would_double_the_loans_and_are_refused():
    book = transitions({JANUARY: {("1-30", "1-30"): 5}})
    both = pl.concat([book.with_columns(basis=pl.lit(basis)) for basis in ("days", "months")])
    with pytest.raises(ValueError, match="two bases"):
        matrix(both)


def test_money_in_a_counted_book_is_refused():
    book = transitions({JANUARY: {("1-30", "1-30"): 5}}).with_columns(
        opening_cents=pl.lit(None, pl.Int64)
    )
    assert matrix(book).height
    lost = transitions({JANUARY: {("1-30", "unmatched"): 5}})
    lost = lost.with_columns(opening_cents=pl.lit(None, pl.Int64))
    assert cell(unmatched(lost), from_state="1-30")["unmatched_cents"] is None
    with pytest.raises(ValueError, match="counted, not weighed"):
        matrix(book, "balance")


def test_other_weights_and_missing_columns_are_refused():
    book = transitions({JANUARY: {("1-30", "1-30"): 5}})
    with pytest.raises(ValueError, match="weight"):
        matrix(book, "money")
    with pytest.raises(ValueError, match="restructured_loans"):
        matrix(book.drop("restructured_loans"))


# Laws

moves = st.tuples(st.sampled_from(BUCKETS), st.sampled_from([*state_order(BUCKETS), "unmatched"]))
owed = st.lists(st.integers(1, 5_000).map(float), min_size=1, max_size=5)
books = st.lists(st.dictionaries(moves, owed, min_size=1, max_size=15), min_size=1, max_size=4).map(
    lambda months: transitions(dict(zip(month_ends(4), months, strict=False)))
)
weights = st.sampled_from(["loans", "balance"])


@settings(max_examples=40, deadline=None)
@given(books, weights)
def test_rows_sum_to_one_and_intervals_hold_their_rate(book: pl.DataFrame, weight: str):
    found = matrix(book, weight).filter(pl.col("rate").is_not_null())
    for row in found.group_by("from_state").agg(pl.col("rate").sum())["rate"]:
        assert row == pytest.approx(1)
    inside = (pl.col("low") <= pl.col("rate") + 1e-12) & (pl.col("rate") <= pl.col("high") + 1e-12)
    assert found.select((inside & pl.col("low").ge(0) & pl.col("high").le(1)).all()).item()


@settings(max_examples=40, deadline=None)
@given(books, weights)
def test_movements_sum_to_one(book: pl.DataFrame, weight: str):
    found = movements(book, buckets=BUCKETS, weight=weight)  # type: ignore[arg-type]
    known = found.filter(pl.col("stay").is_not_null())
    assert known.select(pl.sum_horizontal(PARTS)).to_series().to_list() == pytest.approx(
        [1.0] * known.height
    )


@settings(max_examples=25, deadline=None)
@given(books, weights, st.randoms())
def test_neither_order_nor_how_cells_are_cut_matters(book: pl.DataFrame, weight: str, random):
    rows = list(range(book.height))
    random.shuffle(rows)
    cut = pl.concat(
        [
            part.with_columns(product=pl.lit(name))
            for name, part in zip("AB", (book[rows][::2], book[rows][1::2]), strict=True)
        ]
    )
    cut = pl.concat([cut, cut])  # every loan twice: rates are the same
    same = ["from_state", "to_state", "rate", "months"]
    assert_frame_equal(matrix(book, weight).select(same), matrix(cut, weight).select(same))


@settings(max_examples=25, deadline=None)
@given(books, st.integers(2, 1_000))
def test_another_currency_changes_no_rate_and_no_interval(book: pl.DataFrame, factor: int):
    other = book.with_columns(
        pl.col("opening_cents") * factor, pl.col("opening_squares") * factor**2
    )
    same = ["rate", "low", "high", "row_size", "loans"]
    assert_frame_equal(matrix(book, "balance").select(same), matrix(other, "balance").select(same))


@settings(max_examples=25, deadline=None)
@given(books)
def test_grades_move_as_many_loans_as_their_buckets(book: pl.DataFrame):
    mapping = {bucket: "late" if bucket != "current" else bucket for bucket in BUCKETS}
    graded = roll_rate_matrix(remap(book, mapping), buckets=codes_of(mapping), weight="loans")
    assert graded["loans"].sum() == matrix(book)["loans"].sum()
    assert (
        cell(graded, from_state="current", to_state="sold")["rate"]
        == (cell(matrix(book), from_state="current", to_state="sold")["rate"])
    )


def test_a_book_without_any_moves_has_no_rates():
    empty = transitions({JANUARY: {("new", "current"): 3}})
    assert matrix(empty)["rate"].null_count() == matrix(empty).height
    assert movements(empty, buckets=BUCKETS, weight="loans").height == 0
    assert unmatched(empty).height == 0


def test_the_groupings_make_matrices_of_their_own():
    book = transitions({JANUARY: {("31-60", "61-90"): 4, ("61-90", "181-270"): 1}})
    buckets = ("current", "1-30", "31-60", "61-90", "91-180", "181-270", "271+")
    grades = four_grades(buckets)
    found = roll_rate_matrix(remap(book, grades), buckets=codes_of(grades), weight="loans")
    assert cell(found, from_state="medium", to_state="heavy")["rate"] == 0.2
    late = collapse_late(buckets)
    assert codes_of(late)[-1] == "181+"
