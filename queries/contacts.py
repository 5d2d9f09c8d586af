"""Facts: attempts to reach borrowers, and what came of them.

An attempt is an outbound contact.  It reaches the debtor with any outcome but `no_answer`,
`invalid` and `third_party_reached`; `right_party`, `promise`, `refusal` and `dispute` are
conversations with the debtor.  An attempt is about the case that it names; else about the
loan's case of that day (the earlier opened of two); else it is a reminder before any case.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Date, Text, and_, cast, func, null

from queries.filters import months_before
from queries.loan_states import BookShape, cents, month_open
from warehouse.contract import contacts, customers, loan_months, loans
from warehouse.dialects import month_end_before

UNREACHED = ("no_answer", "invalid", "third_party_reached")
ARRIVED = ("delivered", "opened", "link_clicked")
LANDMARK_DAYS = 7  # attempts on days 0 to 6; a case that is closed before day 7 is not at risk


def in_days(moment: Any, first: date, last: date) -> list[Any]:
    """A time from the first day's start to the last day's end."""
    return [moment >= first, moment < last + timedelta(days=1)]


def _attempts(first: date, last: date) -> sa.Select:
    names = ("contact_id", "loan_id", "case_id", "channel", "outcome", "contacted_at")
    return sa.select(
        *[contacts.c[name] for name in names],
        cast(contacts.c.contacted_at, Date).label("on_day"),
        cents(contacts.c.cost_amount).label("cost_cents"),
    ).where(
        contacts.c.direction == "outbound",
        *in_days(contacts.c.contacted_at, month_open(first), last),
    )


def named_attempts(first: date, last: date) -> sa.Select:
    """The attempts of some months (month-ends) that name their case."""
    return _attempts(first, last).where(contacts.c.case_id.is_not(None))


def unnamed_attempts(first: date, last: date, shape: BookShape) -> sa.Select:
    """The attempts of some months that name no case, with what their loan was.

    The grade is that of the month-end before the attempt, else the loan's.
    """
    attempt = _attempts(first, last).where(contacts.c.case_id.is_(None)).cte("unnamed")
    loan, row = loans.alias("l"), loan_months.alias("m")
    before = and_(
        row.c.loan_id == attempt.c.loan_id,
        row.c.month == month_end_before(attempt.c.on_day),
        row.c.month.between(months_before(first, 1), months_before(last, 1)),
    )
    source: Any = attempt.join(loan, loan.c.loan_id == attempt.c.loan_id).outerjoin(row, before)
    region: Any = cast(null(), Text)
    preferred: Any = cast(null(), Text)
    if "customers" in shape.tables:
        customer = customers.alias("c")
        source = source.outerjoin(customer, customer.c.customer_id == loan.c.customer_id)
        region, preferred = customer.c.region, customer.c.preferred_channel
    return sa.select(
        *[column for column in attempt.c if column.name != "case_id"],
        loan.c.product,
        region.label("region"),
        func.coalesce(row.c.risk_grade, loan.c.risk_grade).label("grade"),
        preferred.label("preferred_channel"),
    ).select_from(source)
