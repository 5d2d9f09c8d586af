"""Facts: what loans are, for good and at the end of a month.

Cases, payments and attempts are many, and their loans the same: joined with their loans
by the warehouse, each of them would read all loans and histories again.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Text, cast, null

from queries.loan_states import BookShape
from warehouse.contract import customers, loan_months, loans


def loan_kinds(shape: BookShape) -> sa.Select:
    """Every loan's product and grade, and its borrower's region and preferred channel."""
    source: Any = loans
    region: Any = cast(null(), Text)
    preferred: Any = cast(null(), Text)
    if "customers" in shape.tables:
        source = loans.outerjoin(customers, customers.c.customer_id == loans.c.customer_id)
        region, preferred = customers.c.region, customers.c.preferred_channel
    return sa.select(
        loans.c.loan_id,
        loans.c.product,
        region.label("region"),
        loans.c.risk_grade.label("grade"),
        preferred.label("preferred_channel"),
    ).select_from(source)


def month_grades(first: date, last: date) -> sa.Select:
    """The grade that loans had at some month-ends, where it was recorded."""
    row = loan_months
    return sa.select(row.c.loan_id, row.c.month, row.c.risk_grade.label("grade_then")).where(
        row.c.month.between(first, last), row.c.risk_grade.is_not(None)
    )
