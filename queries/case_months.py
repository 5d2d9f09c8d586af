"""Facts: the cash of a calendar month, and whose it is."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Date, Text, and_, cast, func, null, or_

from queries.cases import CaseSettings
from queries.loan_states import SEGMENTS, BookShape, cents, month_open, total
from warehouse.contract import cases, customers, loan_months, loans, payments
from warehouse.dialects import add_months, month_end_before, month_start


def case_payments(first: date, last: date, shape: BookShape, settings: CaseSettings) -> sa.Select:
    """The payments of some months (month-ends) that name a case, or are on a loan with a case
    open in those months, each once, with the paying loan's segments.

    Those are as the portfolio's cash has them: the grade of the month's own end.
    """
    if "payments" not in shape.tables:
        return _no_cash()
    start = month_open(first)
    held = sa.select(cases.c.loan_id).where(
        cases.c.opened_on <= last, or_(cases.c.closed_on.is_(None), cases.c.closed_on >= start)
    )
    paid = (
        sa.select(
            *[payments.c[name] for name in ("payment_id", "case_id", "loan_id", "paid_on")],
            cents(payments.c.amount).label("cents"),
            add_months(month_start(payments.c.paid_on), 1).label("next_month"),
        )
        .where(
            payments.c.paid_on.between(start, min(last, settings.as_of)),
            or_(payments.c.case_id.is_not(None), payments.c.loan_id.in_(held)),
        )
        .cte("paid")
    )
    loan, row = loans.alias("l"), loan_months.alias("g")
    then = [row.c.loan_id == paid.c.loan_id, row.c.month == month_end_before(paid.c.next_month)]
    then.append(row.c.month.between(first, last))
    source, segments = _with_loan(paid, loan, row, and_(*then), shape)
    columns = [column for column in paid.c if column.name != "next_month"]
    return sa.select(*columns, *segments).select_from(source)


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
    loan, row = loans.alias("l"), loan_months.alias("g")
    then = and_(row.c.loan_id == payments.c.loan_id, row.c.month == month)
    source, segments = _with_loan(payments, loan, row, then, shape)
    return (
        sa.select(*segments, total(cents(payments.c.amount)).label("cash_cents"))
        .select_from(source)
        .where(payments.c.paid_on.between(month_open(month), month))
        .group_by(*segments)
    )


def _with_loan(
    rows: Any, loan: Any, row: Any, then: Any, shape: BookShape
) -> tuple[Any, list[Any]]:
    source = rows.join(loan, loan.c.loan_id == rows.c.loan_id).outerjoin(row, then)
    region: Any = cast(null(), Text)
    if "customers" in shape.tables:
        customer = customers.alias("c")
        source = source.outerjoin(customer, customer.c.customer_id == loan.c.customer_id)
        region = customer.c.region
    grade = func.coalesce(row.c.risk_grade, loan.c.risk_grade)
    return source, [loan.c.product, region.label("region"), grade.label("grade")]
