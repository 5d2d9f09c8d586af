"""Working days: which days count, and which day is the n-th working day after another?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

Days = npt.NDArray[np.datetime64]


@dataclass(frozen=True)
class WorkingDays:
    """Monday to Friday, without `holidays`, and with `worked` weekend days (China's make-up days).

    Refuses: a day that is both, a worked day that is no weekend.  A holiday on a weekend is free.
    """

    holidays: tuple[date, ...] = ()
    worked: tuple[date, ...] = ()

    def __post_init__(self) -> None:
        if both := set(self.holidays) & set(self.worked):
            raise ValueError(f"both a holiday and worked: {min(both)}")
        if plain := [day for day in self.worked if day.weekday() < 5]:
            raise ValueError(f"{plain[0]} is no weekend: it is worked anyway")

    def between(self, first: date, last: date) -> Days:
        """Every working day from `first` to `last`, in order."""
        days = np.arange(np.datetime64(first, "D"), np.datetime64(last, "D") + 1)
        works = np.is_busday(days) & ~np.isin(days, np.array(self.holidays, "datetime64[D]"))
        return days[works | np.isin(days, np.array(self.worked, "datetime64[D]"))]


def calendar_of(days: Iterable[tuple[date, bool]]) -> WorkingDays:
    """The calendar of these days, each with whether it is worked."""
    known = sorted(days)
    return WorkingDays(
        tuple(day for day, is_worked in known if not is_worked),
        tuple(day for day, is_worked in known if is_worked),
    )


def working_days_until(first: str, last: pl.Expr, calendar: WorkingDays) -> pl.Expr:
    """How many working days lie after `first`, up to and with `last`?

    >>> days = pl.DataFrame({"opened": [date(2026, 9, 30)]})
    >>> golden = WorkingDays((date(2026, 10, 1), date(2026, 10, 2)), (date(2026, 10, 4),))
    >>> until = working_days_until("opened", pl.lit(date(2026, 10, 5)), golden)
    >>> days.select(until).item()  # Sunday the 4th is worked, and Monday the 5th
    2
    """
    day = timedelta(days=1)
    opened = pl.col(first)
    plain = pl.business_day_count(opened + day, last + day, holidays=list(calendar.holidays))
    worked = [
        ((opened < pl.lit(one)) & (pl.lit(one) <= last)).cast(pl.Int32) for one in calendar.worked
    ]
    return pl.sum_horizontal(plain, *worked) if worked else plain


def after_working_days(days: pl.Series, number: int, calendar: WorkingDays) -> pl.Series:
    """Which day is the n-th working day after each of these days?

    The day itself never counts: the first working day after a Friday is Monday, and so it is
    after a Saturday.  In and out: dates.  Null: where the day is null.
    Refuses: a number below one.
    Misleads: a holiday that is not in the list is worked.

    >>> friday = pl.Series([date(2026, 5, 1)])
    >>> after_working_days(friday, 3, WorkingDays(holidays=(date(2026, 5, 4),))).to_list()
    [datetime.date(2026, 5, 7)]
    """
    if number < 1:
        raise ValueError("count at least one working day")
    known = days.drop_nulls()
    if known.is_empty():
        return days.cast(pl.Date)
    at = known.cast(pl.Date).to_numpy().astype("datetime64[D]")
    beyond = 2 * number + len(calendar.holidays) + 14
    works = calendar.between(at.min().item(), (at.max() + beyond).item())
    place = np.searchsorted(works, at, "right")
    found = np.full(days.len(), np.datetime64("NaT", "D"))
    found[days.is_not_null().to_numpy()] = works[place + number - 1]
    return pl.Series(days.name, found).cast(pl.Date)
