"""Facts: whose cash it is.

A payment belongs to the case that it names, else to the loan's case that was
open on its day (the earlier opened where two were), else to nobody.  Cash from
before a case's opening is never that case's.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy import or_

from queries.cases import CaseSettings
from queries.loan_states import cents
from warehouse.contract import payments


def attributed_payments(
    known: sa.CTE, first: date, last: date, settings: CaseSettings, *, name: str = "owned"
) -> sa.CTE:
    """Payments of some days that belong to one of the known cases.

    `known` must hold every case of its loans that was open in those days, and
    those that payments name.
    """
    days = payments.c.paid_on.between(first, min(last, settings.as_of))
    columns = [
        payments.c.payment_id,
        payments.c.loan_id.label("paying_loan_id"),
        payments.c.paid_on,
        cents(payments.c.amount).label("cents"),
        *known.c,
    ]
    named = (
        sa.select(*columns)
        .join_from(payments, known, known.c.case_id == payments.c.case_id)
        .where(days, payments.c.paid_on >= known.c.opened_on)
    )
    by_day = (
        sa.select(*columns)
        .join_from(payments, known, known.c.loan_id == payments.c.loan_id)
        .where(
            days,
            payments.c.case_id.is_(None),
            payments.c.paid_on.between(known.c.opened_on, known.c.ends_on),
            or_(known.c.covered_to.is_(None), payments.c.paid_on > known.c.covered_to),
        )
    )
    return sa.union_all(named, by_day).cte(name)
