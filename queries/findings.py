"""Facts: what a careful reader would question, as keys of the rows concerned.

Each function returns a Select of one text column `key`, one row per finding.
`counted` and `examples` turn any of them into a total and its first keys.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Date, Text, cast, func, or_

from queries.loan_states import count_if
from warehouse.contract import (
    cases,
    complaints,
    contacts,
    contract,
    key_columns,
    loan_months,
    loans,
    payments,
)
from warehouse.dialects import add_months, month_start

EXAMPLES = 20
EVENT_TABLES = (
    "cases",
    "contacts",
    "promises",
    "plans",
    "payments",
    "legal_actions",
    "complaints",
    "surveys",
    "events",
)


def key_text(columns: Sequence[Any]) -> Any:
    """A row's key in one text: its parts, with a space between."""
    parts = [func.coalesce(cast(column, Text), "-") for column in columns]
    text: Any = parts[0]
    for part in parts[1:]:
        text = text.concat(" ").concat(part)
    return text.label("key")


def _keys(table: Any, original: sa.Table) -> Any:
    return key_text([table.c[column.name] for column in key_columns(original)])


def gaps() -> sa.Select:
    """Histories that skip one month or more: the loan and the month it came back."""
    before = (
        func.lag(loan_months.c.month)
        .over(partition_by=loan_months.c.loan_id, order_by=loan_months.c.month)
        .label("before_month")
    )
    rows = sa.select(loan_months.c.loan_id, loan_months.c.month, before).subquery("histories")
    expected = add_months(month_start(rows.c.before_month), 1)
    return sa.select(key_text([rows.c.loan_id, rows.c.month])).where(
        rows.c.before_month.is_not(None), month_start(rows.c.month) > expected
    )


def reopened() -> sa.Select:
    """Rows after a loan was paid off, charged off or sold; they are left out everywhere."""
    left = (
        sa.select(loan_months.c.loan_id, func.min(loan_months.c.month).label("left_month"))
        .where(loan_months.c.status != "open")
        .group_by(loan_months.c.loan_id)
        .subquery("left_book")
    )
    return sa.select(_keys(loan_months, loan_months)).join_from(
        loan_months,
        left,
        sa.and_(left.c.loan_id == loan_months.c.loan_id, loan_months.c.month > left.c.left_month),
    )


def negative_balances() -> sa.Select:
    """Balances below zero: they weigh nothing, and are counted."""
    return sa.select(_keys(loan_months, loan_months)).where(loan_months.c.balance_amount < 0)


def payments_outside_case() -> sa.Select:
    """Payments dated before their case was opened or after it was closed."""
    return sa.select(payments.c.payment_id.label("key")).join_from(
        payments,
        cases,
        sa.and_(
            payments.c.case_id == cases.c.case_id,
            or_(payments.c.paid_on < cases.c.opened_on, payments.c.paid_on > cases.c.closed_on),
        ),
    )


def payments_before_origination() -> sa.Select:
    """Payments dated before their loan was originated."""
    return sa.select(payments.c.payment_id.label("key")).join_from(
        payments,
        loans,
        sa.and_(payments.c.loan_id == loans.c.loan_id, payments.c.paid_on < loans.c.originated_on),
    )


def complaints_resolved_early() -> sa.Select:
    """Complaints that were resolved before they were received."""
    return sa.select(complaints.c.complaint_id.label("key")).where(
        complaints.c.resolved_at < complaints.c.received_at
    )


def contacts_after_close() -> sa.Select:
    """Contacts dated after their case was closed."""
    return sa.select(contacts.c.contact_id.label("key")).join_from(
        contacts,
        cases,
        sa.and_(
            contacts.c.case_id == cases.c.case_id,
            cast(contacts.c.contacted_at, Date) > cases.c.closed_on,
        ),
    )


def overlapping_cases() -> sa.Select:
    """Cases opened on a loan before its earlier case was closed."""
    window: dict[str, Any] = {
        "partition_by": cases.c.loan_id,
        "order_by": (cases.c.opened_on, cases.c.case_id),
    }
    rows = sa.select(
        cases.c.case_id,
        cases.c.opened_on,
        func.lag(cases.c.case_id).over(**window).label("earlier_id"),
        func.lag(cases.c.closed_on).over(**window).label("earlier_closed_on"),
    ).subquery("placements")
    return sa.select(rows.c.case_id.label("key")).where(
        rows.c.earlier_id.is_not(None),
        or_(rows.c.earlier_closed_on.is_(None), rows.c.opened_on < rows.c.earlier_closed_on),
    )


def duplicates(table: sa.Table) -> sa.Select:
    """Rows that are alike in everything but their key: the first key of each group."""
    keys = {column.name for column in key_columns(table)}
    rest = [column for column in table.columns if column.name not in keys]
    (key,) = key_columns(table)
    return sa.select(func.min(key).label("key")).group_by(*rest).having(func.count() > 1)


def broken_references(column: Any) -> sa.Select:
    """Rows whose reference leads to no row."""
    table = column.table
    target_table, target_column = column.info["references"].split(".")
    target = contract.tables[target_table].alias("target")
    return (
        sa.select(_keys(table, table))
        .select_from(table.outerjoin(target, target.c[target_column] == column))
        .where(column.is_not(None), target.c[target_column].is_(None))
    )


def repeated_keys(table: sa.Table) -> sa.Select:
    """Keys that more than one row has."""
    keys = key_columns(table)
    return sa.select(key_text(keys)).group_by(*keys).having(func.count() > 1)


FINDINGS: dict[str, tuple[str, Callable[[], sa.Select]]] = {
    "gaps": ("loan_months", gaps),
    "reopened": ("loan_months", reopened),
    "negative_balances": ("loan_months", negative_balances),
    "payments_outside_case": ("payments", payments_outside_case),
    "payments_before_origination": ("payments", payments_before_origination),
    "complaints_resolved_early": ("complaints", complaints_resolved_early),
    "contacts_after_close": ("contacts", contacts_after_close),
    "overlapping_cases": ("cases", overlapping_cases),
}


def counted(keys: sa.Select) -> sa.Select:
    return sa.select(cast(func.count(), BigInteger).label("rows")).select_from(keys.subquery())


def examples(keys: sa.Select) -> sa.Select:
    rows = keys.subquery()
    return sa.select(rows.c.key).order_by(rows.c.key).limit(EXAMPLES)


def column_breaches(table: sa.Table) -> sa.Select | None:
    """By column, how many values are not what the contract allows; None: nothing to ask."""
    tests = {}
    for column in table.columns:
        info = column.info
        wrong = []
        if not column.nullable:
            wrong.append(column.is_(None))
        if "codes" in info:
            wrong.append(column.not_in(info["codes"]))
        if "minimum" in info:
            wrong.append(column < info["minimum"])
        if info.get("maximum") is not None:
            wrong.append(column > info["maximum"])
        if "above" in info:
            wrong.append(column <= info["above"])
        if wrong:
            tests[column.name] = func.coalesce(count_if(or_(*wrong)), 0).label(column.name)
    return sa.select(*tests.values()).select_from(table) if tests else None


def recorded(table: sa.Table) -> sa.Select:
    """How many values each column of a table records."""
    return sa.select(
        cast(func.count(), BigInteger).label("all_rows"),
        *[
            cast(func.count(column), BigInteger).label(f"n_{column.name}")
            for column in table.columns
        ],
    ).select_from(table)


def date_range(column: Any) -> sa.Select:
    """The first and last value of a date or time column."""
    return sa.select(
        cast(func.min(column), Text).label("first_value"),
        cast(func.max(column), Text).label("last_value"),
    )
