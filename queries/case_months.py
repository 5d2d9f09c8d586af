"""Facts: the cash of a calendar month, and whose it is."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy import BigInteger, Date, Text, and_, cast, null, or_

from queries.cases import CaseSettings
from queries.loan_states import SEGMENTS, BookShape, cents, month_open, total, with_segments
from warehouse.contract import cases, loan_months, payments


def case_payments(first: date, last: date, shape: BookShape, settings: CaseSettings) -> sa.Select:
    """The payments of some months (month-ends) that name a case, or are on a loan with a case
    open in those months, each once."""
    if "payments" not in shape.tables:
        return _no_cash()
    start = month_open(first)
    held = sa.select(cases.c.loan_id).where(
        cases.c.opened_on <= last, or_(cases.c.closed_on.is_(None), cases.c.closed_on >= start)
    )
    return sa.select(
        *[payments.c[name] for name in ("case_id", "loan_id", "paid_on")],
        cents(payments.c.amount).label("cents"),
    ).where(
        payments.c.paid_on.between(start, min(last, settings.as_of)),
        or_(payments.c.case_id.is_not(None), payments.c.loan_id.in_(held)),
    )


def _no_cash() -> sa.Select:
    """The columns of owned cash, and no row: the warehouse has no payments."""
    texts = ("case_id", "loan_id")
    return sa.select(
        *[cast(null(), Text).label(name) for name in texts],
        cast(null(), Date).label("paid_on"),
        cast(null(), BigInteger).label("cents"),
    ).where(sa.false())


def all_cash(month: date, shape: BookShape) -> sa.Select:
    """All cash of a month by segment, for months from before the book's first."""
    row = loan_months.alias("g")
    then = and_(row.c.loan_id == payments.c.loan_id, row.c.month == month)
    rows = payments.outerjoin(row, then)
    source, found = with_segments(rows, payments.c.loan_id, row.c.risk_grade, shape)
    segments = [column for column in found if column.name in SEGMENTS]
    return (
        sa.select(*segments, total(cents(payments.c.amount)).label("cash_cents"))
        .select_from(source)
        .where(payments.c.paid_on.between(month_open(month), month))
        .group_by(*segments)
    )
