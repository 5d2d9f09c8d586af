"""What a strategy says: its fields, what they may be, and how a wrong value is told."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

STAGES = ("reminder", "early", "middle", "late")
CHANNELS = (
    "sms",
    "app_push",
    "messenger",
    "email",
    "letter",
    "voice_bot",
    "call",
    "visit",
    "mediation",
)
PRIORITIES = ("late_first", "early_first", "amount_first")
LONGEST_NAME = 200


@dataclass(frozen=True)
class Field:
    """One number of a strategy: its name, its unit, and between what it must lie.

    `unit`: `a month` (attempts for a case open a whole month), `day`, `days`, `share`, `money`,
    `count`, `hours` or `years`.  `needed`: it may not be missing.  `gap_days` is the cadence: days
    from one attempt on a case to the next, by whatever channel, on average.
    """

    name: str
    unit: str
    least: float
    most: float
    needed: bool = False
    group: str = ""


def _attempts(channel: str) -> Field:
    return Field(f"attempts_{channel}", "a month", 0.0, 100.0, group="attempts")


TREATMENT_FIELDS = (
    *[_attempts(channel) for channel in CHANNELS],
    Field("bot_share", "share", 0.0, 1.0, group="timing"),
    Field("first_contact_day", "day", 0.0, 120.0, group="timing"),
    Field("gap_days", "days", 0.0, 90.0, group="timing"),
    Field("plan_share", "share", 0.0, 1.0, group="offers"),
    Field("settlement_share", "share", 0.0, 1.0, group="offers"),
    Field("settlement_discount", "share", 0.0, 1.0, group="offers"),
    Field("agency_share", "share", 0.0, 1.0, group="agencies"),
    Field("agency_day", "day", 0.0, 3_650.0, group="agencies"),
    Field("commission_rate", "share", 0.0, 1.0, group="agencies"),
    Field("suit_share", "share", 0.0, 1.0, group="suits"),
    Field("suit_day", "day", 0.0, 3_650.0, group="suits"),
    Field("suit_fee", "money", 0.0, 1e7, group="suits"),
)
OPERATION_FIELDS = (
    Field("collectors", "count", 0.0, 100_000.0, needed=True),
    Field("hours_per_month", "hours", 0.0, 400.0, needed=True),
    Field("monthly_pay", "money", 0.0, 1e7, needed=True),
    Field("monthly_bonus", "money", 0.0, 1e7, needed=True),
    Field("one_off_cost", "money", 0.0, 1e12, needed=True),
    Field("running_cost", "money", 0.0, 1e12, needed=True),
    Field("years_of_use", "years", 0.25, 50.0, needed=True),
    Field("discount_rate", "share", 0.0, 1.0, needed=True),
    Field("sale_share", "share", 0.0, 1.0, needed=True),
    Field("sale_price", "share", 0.0, 1.0, needed=True),
)
TREATMENTS = {field.name: field for field in TREATMENT_FIELDS}
OPERATIONS = {field.name: field for field in OPERATION_FIELDS}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: in which field, in which row (null: of no row), and what."""

    field: str | None
    row: str | None
    message: str

    def __str__(self) -> str:
        where = [part for part in (self.row, self.field) if part]
        return f"{', '.join(where)}: {self.message}" if where else self.message


class StrategyError(ValueError):
    """A strategy that cannot be right: `problems` says what, field by field."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(f"{problem}." for problem in self.problems))


def wrong_number(field: Field, value: Any) -> str | None:
    """What is wrong with a value, in words; null where it may stand.

    >>> wrong_number(TREATMENTS["plan_share"], 1.2)
    'found 1.2, expected a share from 0 to 1'
    >>> wrong_number(TREATMENTS["attempts_call"], -1)
    'found -1, expected at least 0 a month and at most 100'
    """
    if value is None:
        return "is missing" if field.needed else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"found {_shown(value)}, expected a number"
    if isinstance(value, float) and not math.isfinite(value):
        return f"found {value}, expected a number"
    if field.least <= value <= field.most:
        return None
    if isinstance(value, int) and abs(value) > 10**15:
        return "found a number of more than 15 digits"
    if field.unit == "share":
        return f"found {value:g}, expected a share from 0 to 1"
    unit = " a month" if field.unit == "a month" else ""
    return f"found {value:g}, expected at least {field.least:g}{unit} and at most {field.most:g}"


def wrong_text(value: Any, longest: int = LONGEST_NAME) -> str | None:
    """What is wrong with a name; null where it may stand."""
    if not isinstance(value, str):
        return f"found {_shown(value)}, expected text"
    if not value.strip():
        return "is empty"
    if len(value) > longest:
        return f"has {len(value)} characters, expected at most {longest}"
    return None


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
