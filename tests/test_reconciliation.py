"""Does the book add up?"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.robust.scale import mad

from analytics.reconciliation import (
    ledger_differences,
    loan_flow,
    money_flow,
    outlier_flags,
    payment_differences,
    robust_outliers,
)
from tests.cell_frames import BUCKETS, cell, month_ends, stocks, transitions

JANUARY, FEBRUARY, MARCH = month_ends(3)
BOOK = {
    JANUARY: {("new", "current"): 1_000},
    FEBRUARY: {
        ("current", "current"): 900,
        ("current", "1-30"): 60,
        ("current", "paid_off"): 25,
        ("current", "charged_off"): 8,
        ("current", "sold"): 6,
        ("current", "unmatched"): 1,
        ("new", "current"): 40,
    },
    MARCH: {("current", "current"): 940, ("1-30", "1-30"): 60},
}


# Worked by hand


def test_loans_close():
    """1,000 + 40 - 25 - 8 - 6 - 1 = 1,000, and one unmatched of 1,000 is 0.1 %: it passes."""
    found = cell(loan_flow(transitions(BOOK)), month=FEBRUARY)
    expected = {
        "opening": 1_000,
        "new": 40,
        "appeared": 0,
        "paid_off": 25,
        "charged_off": 8,
        "sold": 6,
        "unmatched": 1,
        "closing": 1_000,
        "difference": 0,
        "continuity": 0,
        "unmatched_share": 0.001,
        "passes": True,
    }
    assert {name: found[name] for name in expected} == expected


def test_the_first_and_the_last_month_close_as_far_as_can_be_seen():
    found = loan_flow(transitions(BOOK))
    assert found["month"].to_list() == [JANUARY, FEBRUARY, MARCH]
    assert found["opening"].to_list() == [0, 1_000, 1_000]
    assert found["continuity"].to_list() == [0, 0, None]
    assert found["passes"].to_list() == [True, True, True]


def test_a_loan_lost_between_two_months_fails_the_check():
    broken = {**BOOK, MARCH: {("current", "current"): 939, ("1-30", "1-30"): 60}}
    found = loan_flow(transitions(broken))
    assert cell(found, month=FEBRUARY)["continuity"] == -1
    assert found["passes"].to_list() == [True, False, True]


def test_stocks_that_count_another_number_fail_the_check():
    counted = {JANUARY: {"current": 1_000}, FEBRUARY: {"current": 999}, MARCH: {"current": 1_000}}
    found = loan_flow(transitions(BOOK), stocks(counted))
    assert found["difference"].to_list() == [0, 1, 0]
    assert found["passes"].to_list() == [True, False, True]
    del counted[MARCH]
    assert loan_flow(transitions(BOOK), stocks(counted))["passes"].to_list()[-1] is False


def test_too_many_loans_without_a_past_or_a_future_fail_the_check():
    """2 unmatched of 1,000 are 0.2 %; at a tolerance of 0.2 % they pass."""
    leaky = {**BOOK, FEBRUARY: {**BOOK[FEBRUARY], ("appeared", "1-30"): 1}, MARCH: {}}
    leaky[MARCH] = {("current", "current"): 940, ("1-30", "1-30"): 61}
    found = loan_flow(transitions(leaky))
    assert cell(found, month=FEBRUARY)["unmatched_share"] == pytest.approx(2 / 1_001)
    assert not cell(found, month=FEBRUARY)["passes"]
    assert cell(loan_flow(transitions(leaky), tolerance=0.002), month=FEBRUARY)["passes"]


def flow_rows() -> tuple[pl.DataFrame, pl.DataFrame]:
    """February: 1,000 + 200 new + 15 interest - 110 paid - 50 charged off - 30 sold - 20
    unmatched = 1,005."""
    columns = ["month", "from_state", "to_state", "loans", "opening", "closing"]
    rows = [
        (JANUARY, "new", "current", 10, None, 100_000),
        (FEBRUARY, "current", "current", 6, 86_500, 80_500),
        (FEBRUARY, "current", "charged_off", 1, 4_900, 5_000),
        (FEBRUARY, "current", "sold", 1, 3_000, 3_000),
        (FEBRUARY, "current", "unmatched", 1, 2_000, None),
        (FEBRUARY, "current", "paid_off", 1, 3_600, 0),
        (FEBRUARY, "new", "current", 2, None, 20_000),
    ]
    moves = pl.DataFrame(rows, schema=columns, orient="row").rename(
        {"opening": "opening_balance_cents", "closing": "closing_balance_cents"}
    )
    cash = pl.DataFrame(
        {
            "month": [FEBRUARY, FEBRUARY],
            "payments_cents": [9_000, 2_000],
            "paid_cents": [9_000, 1_900],
            "differing_loans": [0, 1],
        }
    )
    return moves, cash


def test_money_closes_with_what_is_left_over_as_interest():
    found = cell(money_flow(*flow_rows()), month=FEBRUARY)
    assert found["opening_cents"] == 100_000
    assert found["closing_cents"] == 100_500
    assert (found["charged_off_cents"], found["sold_cents"]) == (5_000, 3_000)
    assert (found["unmatched_cents"], found["new_cents"]) == (2_000, 20_000)
    assert found["residual_cents"] == 1_500
    assert found["residual_rate"] == 0.015
    assert found["is_outlier"] is None  # one month has no history


def test_without_payments_there_is_no_residual():
    moves, cash = flow_rows()
    found = cell(money_flow(moves), month=FEBRUARY)
    assert (found["residual_cents"], found["opening_cents"]) == (None, 100_000)
    paid = money_flow(moves, cash.with_columns(payments_cents=pl.lit(None, pl.Int64)))
    assert cell(paid, month=FEBRUARY)["residual_cents"] == 1_400


def test_a_counted_book_has_no_money():
    moves, cash = flow_rows()
    counted = moves.with_columns(
        opening_balance_cents=pl.lit(None, pl.Int64), closing_balance_cents=pl.lit(None, pl.Int64)
    )
    found = cell(money_flow(counted, cash), month=FEBRUARY)
    assert (found["opening_cents"], found["closing_cents"], found["residual_cents"]) == (
        None,
        None,
        None,
    )


def test_a_month_whose_residual_leaves_its_history_is_a_finding():
    rows = []
    for number, month in enumerate(month_ends(12)):
        interest = 1_000 + 20 * (number % 3) + (500 if number == 9 else 0)
        rows.append((month, "current", "current", 10, 100_000, 100_000 + interest - 1_000))
    columns = ["month", "from_state", "to_state", "loans", "opening", "closing"]
    moves = pl.DataFrame(rows, schema=columns, orient="row").rename(
        {"opening": "opening_balance_cents", "closing": "closing_balance_cents"}
    )
    cash = moves.select("month", payments_cents=1_000, paid_cents=None)
    found = money_flow(moves, cash)
    assert found.filter("is_outlier")["month"].to_list() == [month_ends(12)[9]]


def test_payments_that_differ_are_a_finding_even_where_their_sum_is_equal():
    _, cash = flow_rows()
    found = cell(payment_differences(cash), month=FEBRUARY)
    assert (found["difference_cents"], found["is_finding"]) == (100, True)
    crossed = cash.with_columns(paid_cents="payments_cents")
    assert cell(payment_differences(crossed), month=FEBRUARY)["is_finding"] is True
    one_side = payment_differences(cash.with_columns(paid_cents=pl.lit(None, pl.Int64)))
    assert one_side["difference_cents"].to_list() == [None]


def test_the_ledger_may_differ_by_a_hundredth_of_a_per_cent():
    """1,000,000.00 in the ledger: 100.00 more passes, 100.01 does not."""
    ledger = pl.DataFrame(
        {
            "month": [JANUARY] * 5,
            "product": ["a", "b", "c", "d", "e"],
            "measure": ["balance"] * 5,
            "ledger_cents": [100_000_000, 100_000_000, -100_000_000, 0, 500],
            "book_cents": [100_010_000, 99_989_999, -100_010_000, 1, None],
        }
    )
    found = ledger_differences(ledger)
    assert found["passes"].to_list() == [True, False, True, False, None]
    assert found["difference_rate"][:2].to_list() == pytest.approx([0.0001, -0.00010001])
    assert found["difference_rate"][3] is None
    assert ledger_differences(ledger, tolerance=0.01)["passes"][1]


def test_one_wild_value_does_not_hide_itself():
    """1, 2, 3, 3, 4, 5, 25: median 3, median distance 1, so 25 is 22 / 1.4826 = 14.84 robust
    standard deviations away, though only 2.2 ordinary ones, having stretched those itself."""
    values = pl.Series([1, 2, 3, 3, 4, 5, 25])
    assert outlier_flags(values, limit=14.8).to_list() == [False] * 6 + [True]
    assert outlier_flags(values, limit=14.9).to_list() == [False] * 7
    ordinary = (values - values.mean()).abs() / values.std()
    assert ordinary.max() < 2.3


def test_the_robust_standard_deviation_is_statsmodels():
    values = np.random.default_rng(4).normal(0.01, 0.002, 24)
    distance = np.abs(values - np.median(values)) / mad(values)
    limit = float(np.sort(distance)[-3:-1].mean())
    assert outlier_flags(pl.Series(values), limit=limit).sum() == 2


def test_one_odd_month_among_equal_ones_is_seen():
    frame = pl.DataFrame({"month": month_ends(12), "value": [0.0] * 11 + [1.0]})
    assert robust_outliers(frame)["month"].to_list() == month_ends(12)[-1:]
    assert robust_outliers(frame.with_columns(value=2.0)).height == 0


def test_few_or_missing_values_are_not_judged():
    assert outlier_flags(pl.Series([1.0, 1.0, 1.0, 1.0, 99.0])).to_list() == [None] * 5
    flags = outlier_flags(pl.Series([1.0, 1.1, 0.9, None, 1.0, 1.0, float("nan"), 50.0]))
    assert flags.to_list() == [False, False, False, None, False, False, None, True]


# Refusals


def test_two_bases_are_refused():
    book = transitions(BOOK)
    both = pl.concat([book.with_columns(basis=pl.lit(name)) for name in ("days", "months")])
    for flow in (loan_flow, money_flow):
        with pytest.raises(ValueError, match="two bases"):
            flow(both)


def test_missing_columns_are_refused():
    with pytest.raises(ValueError, match="closing_balance_cents"):
        money_flow(transitions(BOOK).drop("closing_balance_cents"))


# Laws

counts = st.integers(0, 50)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(counts, min_size=6, max_size=6), min_size=1, max_size=6))
def test_a_book_that_carries_its_loans_over_always_closes(months: list[list[int]]):
    """Loans simulated forward: each month some enter, some leave, the others are passed on."""
    book, open_now = {}, 0
    for month, (new, *leaving) in zip(month_ends(6), months, strict=False):
        ways = ("paid_off", "charged_off", "sold", "unmatched")
        left = {}
        for way, wanted in zip(ways, leaving, strict=False):
            left[way] = min(wanted, open_now)
            open_now -= left[way]
        moves = {("current", way): count for way, count in left.items()}
        book[month] = {**moves, ("current", BUCKETS[1]): open_now, ("new", "current"): new}
        open_now += new
        book[month] = {pair: count for pair, count in book[month].items() if count or new == 0}
        # what is passed on opens in one bucket: the check does not look at which
    flow = loan_flow(transitions(book), tolerance=1.0)
    assert flow["passes"].all()
    assert flow["closing"].to_list()[-1] == open_now
