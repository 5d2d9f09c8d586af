"""Facts: when the steps of the timeline were taken on the episodes of a cohort."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa

from queries.cases import CaseSettings
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


def legal_steps(since: date, settings: CaseSettings) -> sa.Select:
    """The legal actions on cases from a day on, each case's and day's once."""
    action: Any = legal_actions
    return (
        sa.select(action.c.case_id, action.c.acted_on)
        .where(action.c.action.in_(SUING), action.c.acted_on.between(since, settings.as_of))
        .distinct()
    )
