"""Facts: when the steps of the timeline were taken on the episodes of a cohort."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import func

from queries.cases import CaseSettings
from queries.loan_states import month_open
from warehouse.contract import legal_actions

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
