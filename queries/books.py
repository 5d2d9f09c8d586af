"""Facts: what there is in a warehouse, and which of its months changed."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Double, Numeric, cast, extract, func

from queries.loan_states import BookShape, cents, count_if, month_open, total
from warehouse.contract import customers, ledger_totals, loads, loan_months, loans, payments
from warehouse.contract import load_months as touched
from warehouse.dialects import month_start


def row_count(table: sa.Table) -> sa.Select:
    return sa.select(cast(func.count(), BigInteger).label("rows")).select_from(table)


def has_rows(table: sa.Table) -> sa.Select:
    return sa.select(sa.literal(1).label("found")).select_from(table).limit(1)


def recorded_columns() -> sa.Select:
    """Which optional columns of the histories hold anything at all."""
    return sa.select(
        cast(func.count(loan_months.c.balance_amount), BigInteger).label("balances"),
        cast(func.count(loan_months.c.months_past_due), BigInteger).label("months_past_due"),
    )


def book_months() -> sa.Select:
    """The month-ends that the book has rows for."""
    return sa.select(loan_months.c.month).distinct().order_by(loan_months.c.month)


def touching_loads() -> sa.Select:
    """The last load that touched each month."""
    return sa.select(touched.c.month, func.max(touched.c.load_id).label("stamp")).group_by(
        touched.c.month
    )


def synthetic_loads() -> sa.Select:
    return sa.select(count_if(loads.c.is_synthetic).label("synthetic")).select_from(loads)


def month_prints(shape: BookShape) -> sa.Select:
    """Each month's cells, for warehouses that this product does not load.

    Any change of a count, a sum or a segment shows; two loans of one cell that
    swap all their values do not.
    """
    row, loan, customer = loan_months.alias("m"), loans.alias("l"), customers.alias("c")
    source = row.join(loan, loan.c.loan_id == row.c.loan_id)
    groups: list[Any] = [
        row.c.month,
        row.c.status,
        loan.c.product,
        func.coalesce(row.c.risk_grade, loan.c.risk_grade).label("grade"),
    ]
    if "customers" in shape.tables:
        source = source.outerjoin(customer, customer.c.customer_id == loan.c.customer_id)
        groups += [customer.c.region, customer.c.industry]
    days = cast(row.c.days_past_due, Double)
    amount = cast(row.c.balance_amount, Double)
    origin = loan.c.originated_on
    born = extract("year", origin) * 372 + extract("month", origin) * 31 + extract("day", origin)
    return (
        sa.select(
            *groups,
            cast(func.count(), BigInteger).label("rows"),
            total(row.c.days_past_due).label("days"),
            func.sum(days * days).label("squares"),
            total(row.c.months_past_due).label("months"),
            total(cents(row.c.balance_amount)).label("balance_cents"),
            func.round(cast(func.sum(days * amount), Numeric(38, 2)), 2).label("product_sum"),
            total(cents(row.c.paid_amount)).label("paid_cents"),
            total(cents(row.c.overdue_amount)).label("overdue_cents"),
            count_if(row.c.is_restructured).label("restructured_rows"),
            cast(func.sum(born), BigInteger).label("born"),
        )
        .select_from(source)
        .group_by(*groups)
    )


def payments_by_month() -> sa.Select:
    """Net cash, its count and its spread by month, whole book."""
    month = month_start(payments.c.paid_on).label("month_start")
    amount = cast(payments.c.amount, Double)
    return (
        sa.select(
            month,
            cast(func.count(), BigInteger).label("payments"),
            total(cents(payments.c.amount)).label("payments_cents"),
            cast(func.sum(amount * amount), Numeric(38, 2)).label("squares"),
        )
        .group_by(month)
        .order_by(month)
    )


def product_terms() -> sa.Select:
    """Products, and how many of their loans revolve (have no term)."""
    return (
        sa.select(
            loans.c.product,
            cast(func.count(), BigInteger).label("loans"),
            count_if(loans.c.term_months.is_(None)).label("revolving_loans"),
        )
        .group_by(loans.c.product)
        .order_by(loans.c.product)
    )


def ledger_lines(month: date | None = None) -> sa.Select:
    """What the general ledger says."""
    statement = sa.select(
        ledger_totals.c.month,
        ledger_totals.c.product,
        ledger_totals.c.measure,
        cents(ledger_totals.c.amount).label("ledger_cents"),
    )
    return statement if month is None else statement.where(ledger_totals.c.month == month)


def new_principal(month: date) -> sa.Select:
    """Principal by product of the loans originated in a month and on book at its end."""
    row, loan = loan_months.alias("m"), loans.alias("l")
    return (
        sa.select(loan.c.product, total(cents(loan.c.principal_amount)).label("book_cents"))
        .select_from(row.join(loan, loan.c.loan_id == row.c.loan_id))
        .where(
            row.c.month == month,
            loan.c.originated_on.between(month_open(month), month),
        )
        .group_by(loan.c.product)
    )
