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
from sqlalchemy import Date, cast

from queries.loan_states import cents, month_open
from warehouse.contract import contacts

UNREACHED = ("no_answer", "invalid", "third_party_reached")
ARRIVED = ("delivered", "opened", "link_clicked")
LANDMARK_DAY = 7  # attempts on days 0 to 6; a case that is closed before day 7 is not at risk
OUTCOME_DAYS = 90  # after the landmark


def in_days(moment: Any, first: date, last: date) -> list[Any]:
    """A time from the first day's start to the last day's end."""
    return [moment >= first, moment < last + timedelta(days=1)]


def attempts(first: date, last: date) -> sa.Select:
    """The attempts of some months (month-ends)."""
    names = ("contact_id", "loan_id", "case_id", "channel", "outcome", "contacted_at")
    return sa.select(
        *[contacts.c[name] for name in names],
        cast(contacts.c.contacted_at, Date).label("on_day"),
        cents(contacts.c.cost_amount).label("cost_cents"),
    ).where(
        contacts.c.direction == "outbound",
        *in_days(contacts.c.contacted_at, month_open(first), last),
    )
