"""Which promises were kept?"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from analytics.promises import kept_promises

MAY_1 = date(2024, 5, 1)


def day(number: int) -> date:
    return MAY_1 + timedelta(days=number - 1)


def promised(*rows: tuple[str, str, int, int, int]) -> pl.DataFrame:
    """id, loan, promised on, due on (days of May), cents."""
    schema = {"promise_id": pl.String, "loan_id": pl.String, "promised_on": pl.Int64}
    schema |= {"due_on": pl.Int64, "promised_cents": pl.Int64}
    return _dated(pl.DataFrame(rows, schema=schema, orient="row"), "promised_on", "due_on")


def paid(*rows: tuple[str, str, int, int]) -> pl.DataFrame:
    """id, loan, paid on (day of May), cents."""
    schema = {"payment_id": pl.String, "loan_id": pl.String, "paid_on": pl.Int64}
    frame = pl.DataFrame(rows, schema=schema | {"paid_cents": pl.Int64}, orient="row")
    return _dated(frame, "paid_on")


def _dated(frame: pl.DataFrame, *names: str) -> pl.DataFrame:
    days = [(pl.lit(MAY_1) + pl.duration(days=pl.col(name) - 1)).alias(name) for name in names]
    return frame.with_columns(days)


def kept(promises: pl.DataFrame, payments: pl.DataFrame) -> dict[str, tuple[bool, int]]:
    found = kept_promises(promises, payments)
    rows = found.select("promise_id", "is_kept", "used_cents").iter_rows()
    return {name: (is_kept, used) for name, is_kept, used in rows}


# Worked by hand

ONE = promised(("p", "L", 5, 10, 10_000))


@pytest.mark.parametrize(
    ("on", "cents", "is_kept"),
    [
        (5, 9_000, True),  # the promised day, 90 %
        (13, 9_000, True),  # due day + 3
        (14, 10_000, False),  # a day later
        (4, 10_000, False),  # a day before it was promised
        (8, 8_999, False),  # a cent short of 90 %
    ],
)
def test_a_promise_is_kept_by_nine_tenths_within_three_days(on: int, cents: int, is_kept: bool):
    assert kept(ONE, paid(("a", "L", on, cents)))["p"][0] is is_kept


def test_instalments_add_up_and_reversals_take_away():
    assert kept(ONE, paid(("a", "L", 6, 5_000), ("b", "L", 12, 4_500)))["p"] == (True, 9_500)
    bounced = paid(("a", "L", 6, 10_000), ("b", "L", 8, -10_000))
    assert kept(ONE, bounced)["p"] == (False, 0)


def test_a_reversal_after_the_window_does_not_break_a_promise():
    assert kept(ONE, paid(("a", "L", 6, 10_000), ("b", "L", 20, -10_000)))["p"] == (True, 10_000)


def test_cash_of_another_loan_keeps_nothing():
    assert kept(ONE, paid(("a", "other", 6, 10_000)))["p"] == (False, 0)


def test_one_payment_keeps_one_promise_the_earliest_due():
    """100 paid on the 8th lies in both windows: without competition both would be kept."""
    two = promised(("late", "L", 1, 10, 10_000), ("soon", "L", 2, 8, 10_000))
    found = kept(two, paid(("a", "L", 8, 10_000)))
    assert found == {"late": (False, 0), "soon": (True, 10_000)}


def test_what_the_first_does_not_need_is_left_for_the_second():
    two = promised(("first", "L", 1, 8, 10_000), ("second", "L", 2, 10, 10_000))
    found = kept(two, paid(("a", "L", 8, 19_000)))
    assert found == {"first": (True, 10_000), "second": (True, 9_000)}


def test_the_earliest_cash_is_used_first_so_that_the_later_promise_finds_its_own():
    two = promised(("first", "L", 1, 6, 10_000), ("second", "L", 6, 12, 10_000))
    found = kept(two, paid(("a", "L", 3, 10_000), ("b", "L", 8, 10_000)))
    assert found == {"first": (True, 10_000), "second": (True, 10_000)}


def test_a_reversal_undoes_the_latest_cash_before_it_in_the_window():
    """The first promise uses day 4, not day 1 which bounced: the second finds nothing."""
    two = promised(("first", "L", 1, 2, 10_000), ("second", "L", 3, 7, 10_000))
    payments = paid(("a", "L", 1, 10_000), ("b", "L", 2, -10_000), ("c", "L", 4, 10_000))
    found = kept(two, payments)
    assert found == {"first": (True, 10_000), "second": (False, 0)}


def test_half_a_payment_still_uses_the_cash():
    two = promised(("first", "L", 1, 8, 10_000), ("second", "L", 2, 10, 5_000))
    found = kept(two, paid(("a", "L", 8, 5_000)))
    assert found == {"first": (False, 5_000), "second": (False, 0)}


# Refusals


@pytest.mark.parametrize(
    ("promises", "message"),
    [
        (pl.concat([ONE, ONE]), "repeated"),
        (ONE.with_columns(promised_cents=pl.lit(0)), "nothing"),
        (ONE.drop("due_on"), "due_on"),
        (ONE.with_columns(due_on=pl.lit(None, pl.Date)), "missing"),
    ],
)
def test_bad_promises_are_refused(promises: pl.DataFrame, message: str):
    with pytest.raises(ValueError, match=message):
        kept_promises(promises, paid())


def test_no_promises_and_no_payments_are_no_error():
    assert kept_promises(ONE.clear(), paid()).height == 0
    assert kept(ONE, paid())["p"] == (False, 0)


# Laws

LOANS = st.sampled_from(["L", "M"])
PROMISES = st.lists(
    st.tuples(LOANS, st.integers(1, 12), st.integers(0, 8), st.integers(1, 300)), max_size=6
).map(lambda rows: promised(*[(f"p{i}", a, b, b + c, d) for i, (a, b, c, d) in enumerate(rows)]))
PAYMENTS = st.lists(st.tuples(LOANS, st.integers(1, 25), st.integers(-200, 400)), max_size=8).map(
    lambda rows: paid(*[(f"a{i}", *row) for i, row in enumerate(rows)])
)


@settings(max_examples=150, deadline=None)
@given(PROMISES, PAYMENTS)
def test_cash_used_never_exceeds_cash_paid(promises: pl.DataFrame, payments: pl.DataFrame):
    found = kept_promises(promises, payments)
    assert (found["used_cents"] <= found["promised_cents"]).all()
    received = payments.filter(pl.col("paid_cents") > 0)
    for loan in ("L", "M"):
        used = found.filter(loan_id=loan)["used_cents"].sum()
        assert used <= received.filter(loan_id=loan)["paid_cents"].sum()
    for row in found.iter_rows(named=True):
        last = row["due_on"] + timedelta(days=3)
        inside = payments.filter(
            pl.col("paid_on").is_between(row["promised_on"], last), loan_id=row["loan_id"]
        )
        assert row["used_cents"] <= max(inside["paid_cents"].sum(), 0)


@settings(max_examples=60, deadline=None)
@given(PROMISES, PAYMENTS, st.randoms())
def test_the_order_of_rows_does_not_matter(promises, payments, random):
    shuffled = [
        frame[random.sample(range(frame.height), frame.height)] for frame in (promises, payments)
    ]
    assert_frame_equal(
        kept_promises(*shuffled).sort("promise_id"),
        kept_promises(promises, payments).sort("promise_id"),
    )
