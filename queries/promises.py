"""Facts: promises that mature in some months, and the cash that may keep them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Date, and_, cast, or_

from queries.cases import CaseSettings
from queries.contacts import in_days
from queries.loan_states import cents, month_open
from warehouse.contract import cases, contacts, payments, promises
from warehouse.dialects import days_between

GRACE_DAYS = 3  # days after it is due on which a payment still keeps a promise
EARLIER_DAYS = 31  # days before a promise on which the attempt it was made in is looked for


def matures_in(first: date, last: date, settings: CaseSettings) -> Any:
    """Promises that mature from one month to another: three days after they are due."""
    grace = timedelta(days=GRACE_DAYS)
    return promises.c.due_on.between(month_open(first) - grace, min(last, settings.as_of) - grace)


def competing_promises(first: date, last: date, settings: CaseSettings) -> sa.Select:
    """Promises of the loans on which one matures in some months, up to the last of them.

    A promise matures on its due day + 3.  Those that were cancelled neither count nor use cash.
    Earlier ones come along because cash that they used is used; later ones use none of theirs.
    `matures` is 1 for those that count.
    """
    matures = matures_in(first, last, settings)
    return (
        sa.select(
            promises.c.promise_id,
            promises.c.case_id,
            cases.c.loan_id,
            promises.c.promised_on,
            promises.c.due_on,
            cents(promises.c.promised_amount).label("promised_cents"),
            sa.case((matures, 1), else_=0).label("matures"),
        )
        .select_from(_held())
        .where(
            _stands(settings),
            promises.c.due_on <= min(last, settings.as_of) - timedelta(days=GRACE_DAYS),
            cases.c.loan_id.in_(_asked(first, last, settings)),
        )
    )


def _held() -> Any:
    return promises.join(cases, cases.c.case_id == promises.c.case_id)


def _stands(settings: CaseSettings) -> Any:
    """Promises that were made, and not cancelled, by the data's last day."""
    cancelled_on = promises.c.cancelled_on
    stands = or_(cancelled_on.is_(None), cancelled_on > settings.as_of)
    return and_(stands, promises.c.promised_on <= settings.as_of)


def _asked(first: date, last: date, settings: CaseSettings) -> sa.Select:
    """The loans on which a promise matures in some months."""
    matures = and_(_stands(settings), matures_in(first, last, settings))
    return sa.select(cases.c.loan_id).select_from(_held()).where(matures).distinct()


def promised_payments(since: date, first: date, last: date, settings: CaseSettings) -> sa.Select:
    """Payments from a day on, on the loans on which a promise matures in some months."""
    return sa.select(
        payments.c.payment_id,
        payments.c.loan_id,
        payments.c.paid_on,
        cents(payments.c.amount).label("paid_cents"),
    ).where(
        payments.c.paid_on.between(since, min(last, settings.as_of)),
        payments.c.loan_id.in_(_asked(first, last, settings)),
    )


def promise_channels(since: date, first: date, last: date, settings: CaseSettings) -> sa.Select:
    """The channels of the attempts in which the promises that mature in some months were made.

    `since`: the earliest day of such a promise.  An attempt from more than 31 days before its
    promise, or after the month in which that matures, is not looked for.
    """
    day = cast(contacts.c.contacted_at, Date)
    days = in_days(contacts.c.contacted_at, since - timedelta(days=EARLIER_DAYS), last)
    return (
        sa.select(promises.c.promise_id, contacts.c.channel, day.label("made_on"))
        .join_from(promises, contacts, contacts.c.contact_id == promises.c.contact_id)
        .where(
            matures_in(first, last, settings),
            contacts.c.direction == "outbound",
            *days,
            days_between(day, promises.c.promised_on) <= EARLIER_DAYS,
        )
    )
