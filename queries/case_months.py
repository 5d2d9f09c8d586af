"""Facts: the cash of a calendar month, and whose it is."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Date, Text, and_, cast, func, null, or_

from queries.attribution import attributed_payments
from queries.cases import CaseSettings, known_cases
from queries.loan_states import SEGMENTS, BookShape, cents, month_open, total
from warehouse.contract import cases, customers, loan_months, loans, payments


def owned_cash(month: date, shape: BookShape, settings: CaseSettings) -> sa.Select:
    """The payments of a month that belong to a case, each once, with the paying loan's segments.

    Those are as the portfolio's cash has them: the grade of the month's own end.
    """
    if "payments" not in shape.tables:
        return _no_cash()
    known = known_cases(or_(open_in(month), cases.c.case_id.in_(_named(month))), settings)
    owned = attributed_payments(known.cte("known"), month_open(month), month, settings)
    source, segments = _with_loan(owned, owned.c.paying_loan_id, month, shape)
    return sa.select(
        owned.c.payment_id,
        owned.c.case_id,
        owned.c.paying_loan_id.label("loan_id"),
        owned.c.paid_on,
        owned.c.cents,
        *segments,
    ).select_from(source)


def _no_cash() -> sa.Select:
    """The columns of owned cash, and no row: the warehouse has no payments."""
    texts = ("payment_id", "case_id", "loan_id")
    return sa.select(
        *[cast(null(), Text).label(name) for name in texts],
        cast(null(), Date).label("paid_on"),
        cast(null(), BigInteger).label("cents"),
        *[cast(null(), Text).label(name) for name in SEGMENTS],
    ).where(sa.false())


def all_cash(month: date, shape: BookShape) -> sa.Select:
    """All cash of a month by segment, for months from before the book's first."""
    source, segments = _with_loan(payments, payments.c.loan_id, month, shape)
    return (
        sa.select(*segments, total(cents(payments.c.amount)).label("cash_cents"))
        .select_from(source)
        .where(payments.c.paid_on.between(month_open(month), month))
        .group_by(*segments)
    )


def _with_loan(rows: Any, loan_id: Any, month: date, shape: BookShape) -> tuple[Any, list[Any]]:
    loan, row = loans.alias("l"), loan_months.alias("g")
    source = rows.join(loan, loan.c.loan_id == loan_id).outerjoin(
        row, and_(row.c.loan_id == loan_id, row.c.month == month)
    )
    region: Any = cast(null(), Text)
    if "customers" in shape.tables:
        customer = customers.alias("c")
        source = source.outerjoin(customer, customer.c.customer_id == loan.c.customer_id)
        region = customer.c.region
    grade = func.coalesce(row.c.risk_grade, loan.c.risk_grade)
    return source, [loan.c.product, region.label("region"), grade.label("grade")]


def open_in(month: date) -> Any:
    """Cases that were open on some day of a month."""
    return and_(
        cases.c.opened_on <= month,
        or_(cases.c.closed_on.is_(None), cases.c.closed_on >= month_open(month)),
    )


def _named(month: date) -> sa.Select:
    return sa.select(payments.c.case_id).where(
        payments.c.paid_on.between(month_open(month), month), payments.c.case_id.is_not(None)
    )
