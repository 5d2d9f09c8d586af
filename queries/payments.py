"""Facts: cash by month, from the payments table and from the loan histories."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy import BigInteger, and_, case, cast, func, null

from queries.loan_states import (
    SEGMENTS,
    BookShape,
    cents,
    count_if,
    month_open,
    total,
    with_segments,
)
from warehouse.contract import loan_months, payments


def cash_by_month(month: date, shape: BookShape) -> sa.Select:
    """Net cash of a month by segment, and where the two sources of it differ.

    `differing_loans` counts loans whose payments of the month do not add up to
    `loan_months.paid_amount`; it is null where only one of the two is there.
    """
    both = _paid_by_loan(month, shape).cte("paid")
    source, found = with_segments(both, both.c.loan_id, both.c.row_grade, shape)
    groups = [column for column in found if column.name in SEGMENTS]
    known = both.c.paid_cents.is_not(None)
    difference = func.coalesce(both.c.payments_cents, 0) - both.c.paid_cents
    compared = known if "payments" in shape.tables else sa.false()
    return (
        sa.select(
            *groups,
            total(both.c.payments).label("payments"),
            total(both.c.payments_cents).label("payments_cents"),
            total(case((both.c.row_id.is_(None), both.c.payments_cents), else_=0)).label(
                "departed_cents"
            ),
            total(both.c.paid_cents).label("paid_cents"),
            count_if(and_(compared, difference != 0)).label("differing_loans"),
            total(case((compared, difference))).label("difference_cents"),
        )
        .select_from(source)
        .group_by(*groups)
    )


def _paid_by_loan(month: date, shape: BookShape) -> sa.Select:
    row = (
        sa.select(
            loan_months.c.loan_id,
            loan_months.c.risk_grade,
            cents(loan_months.c.paid_amount).label("paid_cents"),
        )
        .where(loan_months.c.month == month)
        .cte("month_rows")
    )
    if "payments" not in shape.tables:
        return sa.select(
            row.c.loan_id,
            row.c.loan_id.label("row_id"),
            row.c.risk_grade.label("row_grade"),
            row.c.paid_cents,
            cast(null(), BigInteger).label("payments"),
            cast(null(), BigInteger).label("payments_cents"),
        )
    paid = (
        sa.select(
            payments.c.loan_id,
            cast(func.count(), BigInteger).label("payments"),
            total(cents(payments.c.amount)).label("payments_cents"),
        )
        .where(payments.c.paid_on.between(month_open(month), month))
        .group_by(payments.c.loan_id)
        .cte("loan_payments")
    )
    return sa.select(
        func.coalesce(row.c.loan_id, paid.c.loan_id).label("loan_id"),
        row.c.loan_id.label("row_id"),
        row.c.risk_grade.label("row_grade"),
        row.c.paid_cents,
        paid.c.payments,
        paid.c.payments_cents,
    ).select_from(row.join(paid, paid.c.loan_id == row.c.loan_id, full=True))


def differing_payments(month: date, shape: BookShape, *, limit: int) -> sa.Select:
    """The loans whose payments differ most from their history's paid amount."""
    both = _paid_by_loan(month, shape).cte("paid")
    difference = func.coalesce(both.c.payments_cents, 0) - both.c.paid_cents
    return (
        sa.select(both.c.loan_id, difference.label("difference_cents"))
        .where(both.c.paid_cents.is_not(None), difference != 0)
        .order_by(func.abs(difference).desc(), both.c.loan_id)
        .limit(limit)
    )
