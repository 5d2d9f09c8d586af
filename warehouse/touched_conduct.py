"""Which months of the contact rules a load touched, beyond those of the recovery marts.

a contact                       its month, and the one it had
a collector of another agency   the months of their contacts
a borrower who is, or is no     every month from the opening of their first case on
longer, vulnerable

What cases, loans and borrowers are touches the recovery marts' months, which count here too;
a refresh compares the public list of agencies itself.
"""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from warehouse.contract import cases, collectors, contacts, customers, loan_months, loans
from warehouse.dialects import month_start
from warehouse.engines import Connection
from warehouse.files import ROW
from warehouse.merging import Merge
from warehouse.staging import same_key

CONDUCT = "conduct"


def touched_conduct(connection: Connection, merges: dict[str, Merge]) -> list[date]:
    """The months whose contact rules must be replayed after the merge, in order."""
    moved = {name: merge for name, merge in merges.items() if merge.new + merge.changed}
    months = _by_contacts(connection, moved.get(contacts.name))
    months |= _by_collectors(connection, moved.get(collectors.name))
    months |= _by_customers(connection, moved.get(customers.name))
    return sorted(months)


def _month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _months(connection: Connection, row: Any, rows: sa.Select[Any] | None = None) -> set[date]:
    """The month-ends of some contacts."""
    month = month_start(sa.cast(row.c.contacted_at, sa.Date)).label("month_start")
    statement = sa.select(month) if rows is None else rows.with_only_columns(month)
    found = connection.fetch(statement.distinct())["month_start"].drop_nulls()
    return {_month_end(day) for day in found}


def _by_contacts(connection: Connection, merge: Merge | None) -> set[date]:
    if merge is None:
        return set()
    now = merge.staged
    rows = sa.select(now.c.contacted_at).select_from(now)
    if merge.changes is not None:
        rows = rows.join(merge.changes, merge.changes.c[ROW] == now.c[ROW])
    found = _months(connection, now, rows)
    return found if merge.old is None else found | _months(connection, merge.old)


def _differing(merge: Merge | None, column: str) -> sa.Select[Any] | None:
    """The keys of rows whose column is not what it was."""
    if merge is None or merge.old is None or not merge.changed:
        return None
    now, old, table = merge.staged, merge.old, merge.table
    key = next(iter(column.name for column in table.columns if column.info.get("key")))
    differs = now.c[column].is_distinct_from(old.c[column])
    return sa.select(old.c[key]).join_from(now, old, same_key(table, now, old)).where(differs)


def _by_collectors(connection: Connection, merge: Merge | None) -> set[date]:
    changed = _differing(merge, "agency_id")
    if changed is None:
        return set()
    rows = sa.select(contacts.c.contacted_at).where(contacts.c.collector_id.in_(changed))
    return _months(connection, contacts, rows)


def _by_customers(connection: Connection, merge: Merge | None) -> set[date]:
    changed = _differing(merge, "is_vulnerable")
    if changed is None:
        return set()
    theirs = sa.select(loans.c.loan_id).where(loans.c.customer_id.in_(changed))
    first = sa.select(sa.func.min(cases.c.opened_on).label("first"))
    begun = connection.fetch(first.where(cases.c.loan_id.in_(theirs))).item()
    last = connection.fetch(sa.select(sa.func.max(loan_months.c.month).label("last"))).item()
    months: set[date] = set()
    while begun is not None and last is not None and begun <= last:
        months.add(_month_end(begun))
        begun = _month_end(begun) + timedelta(days=1)
    return months
