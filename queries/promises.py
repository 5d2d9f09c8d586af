"""Facts: promises that mature in a month, and the cash that may keep them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import and_, or_

from queries.cases import CaseSettings
from queries.contact_cases import in_days
from queries.loan_states import cents, month_open
from warehouse.contract import cases, contacts, payments, promises

GRACE_DAYS = 3  # days after it is due on which a payment still keeps a promise


def matures_in(month: date, settings: CaseSettings) -> Any:
    """Promises that mature in a month: three days after they are due."""
    grace = timedelta(days=GRACE_DAYS)
    return promises.c.due_on.between(month_open(month) - grace, min(month, settings.as_of) - grace)


def competing_promises(month: date, settings: CaseSettings) -> sa.Select:
    """Promises of the loans on which one matures in the month, up to that month.

    A promise matures on its due day + 3.  Those that were cancelled neither count nor use cash.
    Earlier ones come along because cash that they used is used; later ones use none of theirs.
    `matures` is 1 for those that count.
    """
    matures = matures_in(month, settings)
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
            promises.c.due_on <= min(month, settings.as_of) - timedelta(days=GRACE_DAYS),
            cases.c.loan_id.in_(_asked(month, settings)),
        )
    )


def _held() -> Any:
    return promises.join(cases, cases.c.case_id == promises.c.case_id)


def _stands(settings: CaseSettings) -> Any:
    """Promises that were made, and not cancelled, by the data's last day."""
    cancelled_on = promises.c.cancelled_on
    stands = or_(cancelled_on.is_(None), cancelled_on > settings.as_of)
    return and_(stands, promises.c.promised_on <= settings.as_of)


def _asked(month: date, settings: CaseSettings) -> sa.Select:
    """The loans on which a promise matures in the month."""
    matures = and_(_stands(settings), matures_in(month, settings))
    return sa.select(cases.c.loan_id).select_from(_held()).where(matures).distinct()


def promised_payments(first: date, month: date, settings: CaseSettings) -> sa.Select:
    """Payments from a day to the month's end on the loans on which a promise matures in it."""
    return sa.select(
        payments.c.payment_id,
        payments.c.loan_id,
        payments.c.paid_on,
        cents(payments.c.amount).label("paid_cents"),
    ).where(
        payments.c.paid_on.between(first, min(month, settings.as_of)),
        payments.c.loan_id.in_(_asked(month, settings)),
    )


def promise_channels(first: date, month: date, settings: CaseSettings) -> sa.Select:
    """The channels of the attempts in which the month's maturing promises were made.

    An attempt is looked for from 31 days before `first`, the earliest day of such a promise.
    """
    days = in_days(contacts.c.contacted_at, first - timedelta(days=31), month)
    return (
        sa.select(promises.c.promise_id, contacts.c.channel)
        .join_from(promises, contacts, contacts.c.contact_id == promises.c.contact_id)
        .where(matures_in(month, settings), contacts.c.direction == "outbound", *days)
    )
