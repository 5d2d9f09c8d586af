"""The filter: one frozen value that every query on the marts takes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

import sqlalchemy as sa

Basis = Literal["days", "months"]
NOT_RECORDED = None  # a segment that the warehouse does not record


@dataclass(frozen=True)
class Filter:
    """What part of the book a reader looks at.

    An empty choice means all.  `None` in a choice stands for loans whose
    segment is not recorded.
    """

    as_of: date
    window: int = 1
    products: tuple[str | None, ...] = ()
    regions: tuple[str | None, ...] = ()
    grades: tuple[str | None, ...] = ()
    basis: Basis = "days"

    def __post_init__(self) -> None:
        if self.window < 1:
            raise ValueError(f"a window has at least one month, not {self.window}")
        if self.basis not in ("days", "months"):
            raise ValueError(f"buckets go by days or by months, not by {self.basis!r}")

    def segments(self) -> dict[str, tuple[str | None, ...]]:
        return {"product": self.products, "region": self.regions, "grade": self.grades}

    def without(self, segment: str) -> Filter:
        """The same filter with one segment's choice widened to all."""
        chosen: dict[str, Any] = {f"{segment}s": ()}
        return replace(self, **chosen)

    def months(self, back: int = 0) -> tuple[date, date]:
        """First and last month-end of the window, widened by `back` earlier months."""
        return months_before(self.as_of, self.window - 1 + back), self.as_of


def chosen_in(column: Any, chosen: tuple[str | None, ...]) -> Any:
    named = [value for value in chosen if value is not None]
    condition = column.in_(named)
    return sa.or_(condition, column.is_(None)) if None in chosen else condition


def months_before(month: date, count: int) -> date:
    """The month-end `count` months before a month-end."""
    for _ in range(count):
        month = month.replace(day=1) - timedelta(days=1)
    return month


def whole_book(first: date, as_of: date, *, basis: Basis = "days") -> Filter:
    """Everything, from the book's first month to its last."""
    window = (as_of.year - first.year) * 12 + as_of.month - first.month + 1
    return Filter(as_of=as_of, window=window, basis=basis)
