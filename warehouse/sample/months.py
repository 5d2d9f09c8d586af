"""The book's months as day numbers, from long before its first month to its last."""

from __future__ import annotations

import calendar
from datetime import date

import numpy as np

from warehouse.sample.model import Array

EARLIEST = 130  # months before the book's first that loans and due dates may reach back to
EPOCH = date(1970, 1, 1)


class NoSuchBook(ValueError):
    """A synthetic book that cannot be made as it was asked for."""


class Months:
    """Month 0 is the book's first; `start` and `end` take any month from -130 on."""

    def __init__(self, last_month: date, count: int) -> None:
        if last_month.day != calendar.monthrange(last_month.year, last_month.month)[1]:
            raise NoSuchBook(f"last_month must be the last day of a month, not {last_month}")
        if count < 2:
            raise NoSuchBook(f"a book needs at least 2 months, not {count}")
        self.count = count
        self.last = (last_month - EPOCH).days
        first = last_month.year * 12 + last_month.month - count
        numbers = range(first - EARLIEST, first + count + 1)
        self._starts = np.array(
            [(date(n // 12, n % 12 + 1, 1) - EPOCH).days for n in numbers], np.int32
        )
        self.of_year = np.array([n % 12 for n in range(first, first + count)])

    def start(self, month: Array | int) -> Array:
        """The first day of a month."""
        return self._starts[np.asarray(month) + EARLIEST]

    def end(self, month: Array | int) -> Array:
        """The last day of a month."""
        return self._starts[np.asarray(month) + EARLIEST + 1] - 1

    def length(self, month: int) -> int:
        """The days of a month."""
        return int(self.end(month) - self.start(month) + 1)
