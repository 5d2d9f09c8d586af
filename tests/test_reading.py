"""Reading ahead, and making in order what several threads make."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from jobs.months import months_between
from jobs.reading import MonthsAhead, in_order

MONTHS = months_between(dt.date(2024, 1, 31), dt.date(2024, 6, 30))
JAN, FEB, MAR, APR, MAY, JUN = MONTHS


def test_the_next_months_are_read_while_these_are_worked_on() -> None:
    read: list[list[dt.date]] = []

    def months(asked: list[dt.date]) -> dict[dt.date, str]:
        read.append(asked)
        return {month: f"{month:%b}" for month in asked}

    with ThreadPoolExecutor(1) as pool:
        ahead = MonthsAhead(months, MONTHS, 2, pool)
        assert ahead.take(FEB) == "Feb"
        pool.submit(lambda: None).result()  # whatever was asked for has been read
        assert read == [[FEB, MAR], [APR, MAY]]
        assert [ahead.take(month) for month in (MAR, APR)] == ["Mar", "Apr"]
        assert ahead.take(FEB) == "Feb"  # not kept: read again
        assert ahead.take(dt.date(2023, 1, 31)) == "Jan"  # not among those to come


def test_without_a_thread_nothing_is_read_before_it_is_asked_for() -> None:
    read: list[dt.date] = []
    ahead = MonthsAhead(lambda asked: read.extend(asked) or dict.fromkeys(asked), MONTHS, 3, None)
    ahead.take(JAN)
    ahead.take(FEB)
    assert read == [JAN, FEB, MAR]


def test_results_come_in_the_order_of_their_keys_though_later_ones_are_done_first() -> None:
    second = threading.Event()

    def make(key: int) -> int:
        if key == 2:
            second.set()
        assert second.wait(5)  # the first is only done when the second is
        return key * 10

    with ThreadPoolExecutor(2) as pool:
        assert list(in_order(pool, make, [1, 2, 3], 2)) == [10, 20, 30]


def test_what_fails_to_be_made_is_raised_in_its_place() -> None:
    with ThreadPoolExecutor(2) as pool:
        made = in_order(pool, lambda key: 1 // key, [1, 0, 1], 1)
        assert next(made) == 1
        with pytest.raises(ZeroDivisionError):
            next(made)
