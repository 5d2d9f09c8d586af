"""Facts: which attempts are credited with which payments?"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Date, Double, and_, case, cast, func

from queries.cases import CaseSettings
from queries.contact_cases import in_days
from queries.contacts import UNREACHED
from queries.loan_states import cents, month_open, total
from warehouse.contract import contacts, payments
from warehouse.dialects import days_between

CREDIT_DAYS = 14  # a contact is credited with payments of its day and of this many days after it
RULES = ("last", "first", "equal")


def credited_payments(month: date, settings: CaseSettings) -> sa.Select:
    """The month's payments by the channels that they are credited to, under three rules.

    The set: attempts on the loan that reached the debtor, from 14 days before the payment to
    its day.  `last` and `first` credit one of them with the whole payment; `equal` shares it out
    evenly, and what does not divide, to the cent, goes to the earliest.  Each rule's cents add
    up to the payment; one without such an attempt has no row.
    """
    last = min(month, settings.as_of)
    reached = _reached(month_open(month) - timedelta(days=CREDIT_DAYS), last)
    since = days_between(reached.c.on_day, payments.c.paid_on)
    at = [reached.c.contacted_at, reached.c.contact_id]
    pairs = (
        sa.select(
            payments.c.payment_id,
            cents(payments.c.amount).label("cents"),
            reached.c.channel,
            _place(at).label("place"),
            _place([column.desc() for column in at]).label("place_from_last"),
            func.count().over(partition_by=payments.c.payment_id).label("contacts"),
        )
        .join_from(
            payments,
            reached,
            and_(reached.c.loan_id == payments.c.loan_id, since.between(0, CREDIT_DAYS)),
        )
        .where(payments.c.paid_on.between(month_open(month), last))
        .cte("pairs")
    )
    amount, is_first = pairs.c.cents, pairs.c.place == 1
    odd = func.mod(amount, pairs.c.contacts)
    share = cast(cast(amount - odd, Double) / cast(pairs.c.contacts, Double), BigInteger)
    credited: dict[str, Any] = {
        "last": case((pairs.c.place_from_last == 1, amount), else_=0),
        "first": case((is_first, amount), else_=0),
        "equal": share + case((is_first, odd), else_=0),
    }
    groups = [pairs.c.payment_id, pairs.c.channel]
    sums = [total(credited[rule]).label(rule) for rule in RULES]
    return sa.select(*groups, *sums).group_by(*groups)


def _reached(first: date, last: date) -> sa.CTE:
    """Attempts of these days that reached the debtor."""
    return (
        sa.select(
            contacts.c.contact_id,
            contacts.c.loan_id,
            contacts.c.channel,
            contacts.c.contacted_at,
            cast(contacts.c.contacted_at, Date).label("on_day"),
        )
        .where(
            contacts.c.direction == "outbound",
            contacts.c.outcome.not_in(UNREACHED),
            *in_days(contacts.c.contacted_at, first, last),
        )
        .cte("reached")
    )


def _place(order: list[Any]) -> Any:
    return func.row_number().over(partition_by=payments.c.payment_id, order_by=order)
