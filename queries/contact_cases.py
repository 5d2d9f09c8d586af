"""Facts: which cases contacts and promises may be about, and the days that count."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import and_, or_

from queries.cases import CaseSettings, known_cases, opened_in
from queries.loan_states import month_open
from warehouse.contract import cases


def open_cases(month: date, settings: CaseSettings) -> sa.CTE:
    """Known cases that were open at any time in a month."""
    still_open = or_(cases.c.closed_on.is_(None), cases.c.closed_on >= month_open(month))
    return known_cases(and_(cases.c.opened_on <= month, still_open), settings).cte("known")


def cohort_cases(month: date, settings: CaseSettings) -> sa.CTE:
    """Known cases of the loans on which one was opened in the month."""
    opened = sa.select(cases.c.loan_id).where(opened_in(month, settings))
    return known_cases(cases.c.loan_id.in_(opened), settings).cte("known")


def in_days(moment: Any, first: date, last: date) -> list[Any]:
    """A time from the first day's start to the last day's end."""
    return [moment >= first, moment < last + timedelta(days=1)]
