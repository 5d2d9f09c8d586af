"""Facts: what the marts of contact rules must equal, and what they were made from."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Date, cast, func, literal, null

from queries.contacts import in_days
from queries.loan_states import BookShape
from queries.rule_rows import hour_of
from warehouse.contract import agencies, collectors, contacts, customers
from warehouse.dialects import days_between, month_start

_FIRST = date(1900, 1, 1)


def _rows() -> Any:
    return cast(func.count(), BigInteger)


def attempt_totals(last: date) -> sa.Select:
    """Attempts by month, to the data's last day: what every mart must add up to."""
    month = month_start(cast(contacts.c.contacted_at, Date)).label("month_start")
    outbound = [contacts.c.direction == "outbound", *in_days(contacts.c.contacted_at, _FIRST, last)]
    return sa.select(month, _rows().label("attempts")).where(*outbound).group_by(month)


def any_listing() -> sa.Select:
    """Whether a public list is recorded at all."""
    return sa.select(agencies.c.agency_id).where(agencies.c.listed_from_on.is_not(None)).limit(1)


def prints(shape: BookShape) -> list[sa.Select]:
    """What changes when contacts, or what their cells are made of, do: for warehouses that others
    load.  Counts and sums by month; two rows of one cell that swap all values do not show."""
    moment = contacts.c.contacted_at
    month = month_start(cast(moment, Date)).label("month_start")
    keys = [contacts.c[name] for name in ("direction", "channel", "outcome", "party",
                                          "has_consent", "is_recorded")]  # fmt: skip
    seconds = hour_of(moment) * 3600 + cast(sa.extract("minute", moment), sa.Integer) * 60
    whole = [
        cast(func.sum(cast(number, BigInteger)), BigInteger).label(f"sum_{place}")
        for place, number in enumerate(
            [seconds, days_between(cast(literal("1970-01-01"), Date), cast(moment, Date))]
        )
    ]
    there = [
        cast(func.count(contacts.c[name]), BigInteger).label(name)
        for name in ("contact_point", "case_id", "collector_id", "duration_seconds")
    ]
    statements = [sa.select(month, *keys, _rows().label("rows"), *whole, *there)
                  .group_by(month, *keys)]  # fmt: skip
    nothing = cast(null(), Date).label("month_start")
    if "collectors" in shape.tables:
        columns = [collectors.c[name] for name in ("collector_id", "team", "agency_id")]
        statements.append(sa.select(nothing, *columns))
    if "customers" in shape.tables:
        keys = [customers.c.region, customers.c.is_vulnerable]
        statements.append(sa.select(nothing, *keys, _rows().label("rows")).group_by(*keys))
    return statements


def listings() -> sa.Select:
    """The public list of agencies."""
    return sa.select(agencies.c.agency_id, agencies.c.listed_from_on, agencies.c.listed_to_on)
