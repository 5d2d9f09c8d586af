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
    """The grade that loans had at some month-ends, where it is another than the loan's own."""
    grade, own = loan_months.c.risk_grade, loans.c.risk_grade
    return (
        sa.select(loan_months.c.loan_id, loan_months.c.month, grade.label("grade_then"))
        .join_from(loan_months, loans, loans.c.loan_id == loan_months.c.loan_id)
        .where(
            loan_months.c.month.between(first, last),
            grade.is_not(None),
            sa.or_(own.is_(None), grade != own),
        )
    )
