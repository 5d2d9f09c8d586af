"""Facts: the attempts that a contact rule looks at, and their day, weekday and minute.

An attempt is an outbound contact; its day and hour are those that were recorded, on the debtor's
clock.  Attempts of one moment are in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Date, Integer, Text, case, cast, extract, func, literal, or_

from queries.contacts import in_days
from warehouse.contract import contacts
from warehouse.dialects import byte_order, days_between
from warehouse.packs import Rule

BREACH, NEAR_MISS = "breach", "near_miss"
NOT_CONNECTED = ("no_answer", "invalid")
THIRD_PARTY = "third_party"
CARRIED = (
    "contact_id",
    "loan_id",
    "case_id",
    "collector_id",
    "channel",
    "contacted_at",
    "contact_point",
    "has_consent",
)
_EPOCH = cast(literal("1970-01-01"), Date)


def day_number(moment: Any) -> Any:
    """The day of a time, as days since 1970: consecutive days across months and years."""
    return days_between(_EPOCH, cast(moment, Date))


def weekday_of(moment: Any) -> Any:
    """1 Monday to 7 Sunday."""
    return func.mod(day_number(moment) + 3, 7, type_=Integer) + 1


def hour_of(moment: Any) -> Any:
    return cast(extract("hour", moment), Integer)


def minute_of(moment: Any) -> Any:
    """Minutes since midnight: 22:00:59 is 1320."""
    return hour_of(moment) * 60 + cast(extract("minute", moment), Integer)


def in_time_order(row: Any) -> tuple[Any, ...]:
    return row.c.contacted_at, byte_order(row.c.contact_id)


def looked_at(rule: Rule, row: Any = contacts) -> list[Any]:
    """Attempts that a rule is about, whoever was reached."""
    wanted = [row.c.direction == "outbound"]
    if rule.channels:
        wanted.append(row.c.channel.in_(rule.channels))
    if rule.leave_out:
        wanted.append(row.c.outcome.not_in(rule.leave_out))
    return wanted


def not_agreed(row: Any = contacts) -> Any:
    """The debtor did not consent, or it is not recorded."""
    return or_(row.c.has_consent.is_(None), row.c.has_consent.is_(False))


def attempt_rows(
    rule: Rule, first: date, last: date, *more: Any, columns: Iterable[Any] = ()
) -> sa.CTE:
    """The attempts of the days, and of those before them, that count for a rule."""
    counts = [not_agreed()] if rule.unless_consent else []
    start = first - timedelta(days=rule.limit.look_back_days)
    return (
        sa.select(
            *[contacts.c[name] for name in CARRIED],
            day_number(contacts.c.contacted_at).label("day"),
            *columns,
        )
        .where(*in_days(contacts.c.contacted_at, start, last), *looked_at(rule), *more, *counts)
        .cte(f"{name_of(rule)} rows")
    )


def name_of(rule: Rule) -> str:
    return f"{rule.pack} {rule.id}"


def told(rows: Any, is_breach: Any, is_near: Any, first: date) -> sa.Select:
    """The rows of the days themselves, with what they are."""
    kind = case((is_breach, literal(BREACH, Text)), (is_near, literal(NEAR_MISS, Text)))
    own = rows.c.contacted_at >= sa.cast(literal(first), sa.DateTime)
    chosen = sa.select(*[rows.c[name] for name in CARRIED], kind.label("kind")).where(own)
    return chosen.where(or_(is_breach, is_near))
