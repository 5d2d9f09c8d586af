"""Which months a load touched, so that a refresh recomputes those and no others.

a new or changed loan-month     its month; the book's next month (the loan's
                                transition out of it); the loan's next month
... that is or was terminal     every later month of the loan
a changed loan                  every month of the loan
a changed customer              every month of the customer's loans
a new or changed payment        the month-end of its day, and of the day it had
"""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from warehouse.contract import customers, loan_months, loans, payments
from warehouse.engines import Connection
from warehouse.files import ROW
from warehouse.merging import CHANGED, Merge


def touched_months(connection: Connection, merges: dict[str, Merge]) -> list[date]:
    """The months to recompute after the merge, in order."""
    months: set[date] = set()
    months |= _by_loan_months(connection, merges.get(loan_months.name))
    months |= _by_payments(connection, merges.get(payments.name))
    months |= _by_loans(connection, merges.get(loans.name))
    months |= _by_customers(connection, merges.get(customers.name))
    return sorted(months)


def month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _dates(connection: Connection, statement: sa.Select[Any]) -> set[date]:
    return set(connection.fetch(statement.distinct()).to_series())


def _changes(merge: Merge, *columns: str) -> sa.Select[Any]:
    """These columns of the new and changed rows as they are now."""
    rows = sa.select(*[merge.staged.c[name] for name in columns])
    if merge.changes is not None:
        rows = rows.join(merge.changes, merge.changes.c[ROW] == merge.staged.c[ROW])
    return rows


def _by_loan_months(connection: Connection, merge: Merge | None) -> set[date]:
    if merge is None or not merge.new + merge.changed:
        return set()
    months = _dates(connection, _changes(merge, "month"))
    book = _dates(connection, sa.select(loan_months.c.month))
    following = {month_end(month + timedelta(days=1)) for month in months} & book
    if merge.changes is None:  # a first load: every month is there
        return months | following
    return (
        months
        | following
        | _loans_next_months(connection, merge)
        | _after_terminal(connection, merge)
    )


def _loans_next_months(connection: Connection, merge: Merge) -> set[date]:
    """Across a gap, the loan's next row is not its first, or not the next, any more."""
    changed = _changes(merge, "loan_id", "month").subquery()
    is_changed = sa.case((changed.c.month.is_not(None), 1), else_=0)
    follows_change = sa.func.lag(is_changed).over(
        partition_by=loan_months.c.loan_id, order_by=loan_months.c.month
    )
    rows = (
        sa.select(loan_months.c.month, follows_change.label("follows_change"))
        .join_from(
            loan_months,
            changed,
            sa.and_(
                changed.c.loan_id == loan_months.c.loan_id, changed.c.month == loan_months.c.month
            ),
            isouter=True,
        )
        .where(
            loan_months.c.loan_id.in_(sa.select(changed.c.loan_id)),
            loan_months.c.month >= sa.select(sa.func.min(changed.c.month)).scalar_subquery(),
        )
        .subquery()
    )
    return _dates(connection, sa.select(rows.c.month).where(rows.c.follows_change == 1))


def _after_terminal(connection: Connection, merge: Merge) -> set[date]:
    """Rows after a terminal one are left out: they come and go with it."""
    now = _changes(merge, "loan_id", "month").where(merge.staged.c.status != "open")
    parts = [now]
    if merge.old is not None:
        old = merge.old
        parts.append(sa.select(old.c.loan_id, old.c.month).where(old.c.status != "open"))
    terminal = sa.union_all(*parts).subquery()
    first = (
        sa.select(terminal.c.loan_id, sa.func.min(terminal.c.month).label("month"))
        .group_by(terminal.c.loan_id)
        .subquery()
    )
    return _dates(
        connection,
        sa.select(loan_months.c.month).join(
            first,
            sa.and_(first.c.loan_id == loan_months.c.loan_id, loan_months.c.month > first.c.month),
        ),
    )


def _by_payments(connection: Connection, merge: Merge | None) -> set[date]:
    if merge is None or not merge.new + merge.changed:
        return set()
    days = _dates(connection, _changes(merge, "paid_on"))
    if merge.old is not None:
        days |= _dates(connection, sa.select(merge.old.c.paid_on))
    return {month_end(day) for day in days}


def _changed_keys(merge: Merge, key: str) -> sa.Select[Any]:
    assert merge.changes is not None
    return _changes(merge, key).where(merge.changes.c.state == CHANGED)


def _by_loans(connection: Connection, merge: Merge | None) -> set[date]:
    if merge is None or not merge.changed:
        return set()
    return _months_of(connection, _changed_keys(merge, "loan_id"))


def _by_customers(connection: Connection, merge: Merge | None) -> set[date]:
    if merge is None or not merge.changed:
        return set()
    customer_ids = _changed_keys(merge, "customer_id")
    return _months_of(
        connection, sa.select(loans.c.loan_id).where(loans.c.customer_id.in_(customer_ids))
    )


def _months_of(connection: Connection, loan_ids: sa.Select[Any]) -> set[date]:
    return _dates(
        connection, sa.select(loan_months.c.month).where(loan_months.c.loan_id.in_(loan_ids))
    )
