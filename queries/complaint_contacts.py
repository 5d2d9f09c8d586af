"""Facts: one complaint's case and the contacts around it; ids only, and bounded."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from warehouse.contract import cases, contacts

DAYS_BEFORE, DAYS_AFTER = 30, 14
MOST = 200


def contacts_around(loan_id: str, received_at: datetime) -> sa.Select:
    """The contacts on a loan from 30 days before a complaint to 14 after, oldest first."""
    names = ("contact_id", "contacted_at", "direction", "channel", "collector_id", "party",
             "outcome", "case_id")  # fmt: skip
    return (
        sa.select(*[contacts.c[name] for name in names])
        .where(
            contacts.c.loan_id == loan_id,
            contacts.c.contacted_at >= received_at - timedelta(days=DAYS_BEFORE),
            contacts.c.contacted_at <= received_at + timedelta(days=DAYS_AFTER),
        )
        .order_by(contacts.c.contacted_at, contacts.c.contact_id)
        .limit(MOST)
    )


def case_of(case_id: Any) -> sa.Select:
    """The case that a complaint is about."""
    names = ("case_id", "loan_id", "collector_id", "team", "agency_id", "opened_on", "closed_on",
             "opening_days_past_due", "strategy", "close_reason")  # fmt: skip
    return sa.select(*[cases.c[name] for name in names]).where(cases.c.case_id == case_id).limit(1)
