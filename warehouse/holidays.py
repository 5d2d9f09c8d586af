"""The lender's holidays: a CSV file of days, named by HOLIDAYS.

Columns `day` (2026-10-01) and `is_worked`: false is a holiday, true a weekend day that is worked
(China's make-up days).  A holiday on a weekend changes nothing and is allowed.  A file that is not
what it must be is refused by name, with the line.  No file: Monday to Friday, without holidays.
"""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

Holidays = tuple[tuple[date, bool], ...]  # each day, and whether it is worked
COLUMNS = ("day", "is_worked")
IS_WORKED = {"true": True, "false": False}


class HolidaysRefused(ValueError):
    """The file of holidays is missing or is not what it must be; nothing was done."""


def read_holidays(path: Path | None) -> Holidays:
    """The days of the file in order; none without a file."""
    if path is None:
        return ()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file)
            if set(lines.fieldnames or ()) != set(COLUMNS):
                raise HolidaysRefused(f"HOLIDAYS: {path}: its columns must be day and is_worked.")
            found = [_day(f"HOLIDAYS: {path}, line {lines.line_num}", row) for row in lines]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise HolidaysRefused(f"HOLIDAYS: {path} cannot be read: {error}.") from error
    days = [day for day, _ in found]
    if twice := sorted(day for day in set(days) if days.count(day) > 1):
        raise HolidaysRefused(f"HOLIDAYS: {path} has {twice[0]} more than once.")
    return tuple(sorted(found))


def _day(where: str, row: dict[str, str]) -> tuple[date, bool]:
    text, worked = (str(row[name] or "").strip() for name in COLUMNS)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise HolidaysRefused(f"{where}: {text!r} is no day; write it as 2026-10-01.") from None
    if None in row or worked.lower() not in IS_WORKED:
        raise HolidaysRefused(f"{where}: is_worked must be true or false, not {worked!r}.")
    if IS_WORKED[worked.lower()] and day.weekday() < 5:
        raise HolidaysRefused(f"{where}: {day} is no weekend: it is worked anyway.")
    return day, IS_WORKED[worked.lower()]
