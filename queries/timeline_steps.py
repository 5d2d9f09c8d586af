"""Facts: when the steps of the timeline were taken on the episodes of a cohort."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Date, case, cast, func

from queries.cases import CaseSettings, days_after, opened_in
from queries.contact_cases import in_days
from queries.loan_states import month_open
from warehouse.contract import cases, contacts, legal_actions
from warehouse.dialects import days_between

STEPS = {"day_7": 7, "day_15": 15, "day_30": 30, "day_60": 60}  # days of lateness
LATE_DAYS = 90  # a step that is not taken within so many days after its day is skipped
TEXTS = ("sms", "messenger")
SUING = (
    "formal_letter",
    "filing",
    "judgment",
    "enforcement",
    "collateral_appraisal",
    "collateral_sale",
)


def contact_steps(month: date, settings: CaseSettings) -> sa.Select:
    """The first text (`day_7`) and the first call (`day_15`) on the loan since it fell due, for
    each case opened in a month: days since that case was opened, which may be below 0."""
    row = (
        sa.select(
            cases.c.case_id,
            cases.c.loan_id,
            cases.c.opened_on,
            cases.c.opening_days_past_due.label("late_before"),
        )
        .where(
            opened_in(month, settings), cases.c.opening_days_past_due <= STEPS["day_15"] + LATE_DAYS
        )
        .cte("opened")
    )
    first = days_after(month_open(month), -STEPS["day_15"])
    last = min(days_after(month, STEPS["day_15"] + LATE_DAYS), settings.as_of)
    day = days_between(row.c.opened_on, cast(contacts.c.contacted_at, Date))
    taken = {
        "day_7": case((contacts.c.channel.in_(TEXTS), day)),
        "day_15": case((contacts.c.channel == "call", day)),
    }
    return (
        sa.select(
            row.c.case_id,
            *[func.min(value).label(name) for name, value in taken.items()],
        )
        .join_from(row, contacts, contacts.c.loan_id == row.c.loan_id)
        .where(
            contacts.c.direction == "outbound",
            contacts.c.channel.in_((*TEXTS, "call")),
            *in_days(contacts.c.contacted_at, first, last),
            day + row.c.late_before >= 0,
        )
        .group_by(row.c.case_id)
    )


def legal_steps(month: date, settings: CaseSettings) -> sa.Select:
    """The first legal action on each case that was opened from a month on: `day_60`."""
    action: Any = legal_actions
    return (
        sa.select(action.c.case_id, func.min(action.c.acted_on).label("day_60"))
        .where(
            action.c.action.in_(SUING),
            action.c.acted_on.between(month_open(month), settings.as_of),
        )
        .group_by(action.c.case_id)
    )
