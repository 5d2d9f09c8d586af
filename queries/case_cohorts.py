"""Facts: when a cohort's cases were first contacted."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy import case, cast, func

from queries.cases import CaseSettings, days_after, opened_in
from queries.loan_states import month_open
from warehouse.contract import RIGHT_PARTY, cases, contacts

FOLLOWED_DAYS = 48  # 30 working days are never more


def first_contacts(month: date, settings: CaseSettings) -> sa.Select:
    """The days of the first attempt and of the first right-party contact of a cohort's cases."""
    row = (
        sa.select(cases.c.case_id, cases.c.opened_on)
        .where(opened_in(month, settings))
        .cte("opened")
    )
    last = min(days_after(month, FOLLOWED_DAYS), settings.as_of)
    day = cast(contacts.c.contacted_at, sa.Date)
    return (
        sa.select(
            row.c.case_id,
            func.min(day).label("attempt"),
            func.min(case((contacts.c.outcome.in_(RIGHT_PARTY), day))).label("right_party"),
        )
        .join_from(row, contacts, contacts.c.case_id == row.c.case_id)
        .where(
            contacts.c.direction == "outbound",
            contacts.c.contacted_at >= month_open(month),
            contacts.c.contacted_at < days_after(last, 1),
            day >= row.c.opened_on,
        )
        .group_by(row.c.case_id)
    )
