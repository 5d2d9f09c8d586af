"""Which cohorts and months of recovery a load touched: what the next refresh makes anew.

A cohort is the cases opened in a month.  What happens on a day can only change
the loan's cohorts of the last 181 days (no horizon is longer) and, where a case
changed, those of its later cases (a day of cash belongs to the earlier case).

a payment, a contact      those cohorts; its month, the month 14 days on (what it is
                          credited with), and those in which the loan's promises mature;
                          a contact also cohorts of up to 60 days later: a reminder
                          before the case is a step of its timeline
a legal action            its case's cohorts
a case                    those cohorts and every month, from its opening on, or from
                          its close where nothing else changed
a promise                 its case's cohorts; the months in which it and later ones mature
a grade of a month-end    the next month's cohort and month
what a loan, borrower or collector is    all of their cohorts, and every month
"""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa

from warehouse.contract import (
    cases,
    collectors,
    contacts,
    customers,
    legal_actions,
    loan_months,
    loans,
    payments,
    promises,
)
from warehouse.dialects import days_between, month_start
from warehouse.engines import Connection
from warehouse.files import ROW
from warehouse.merging import CHANGED, Merge
from warehouse.staging import same_key

COHORT, MONTH = "cohort", "month"
LONGEST = 181  # days
CREDIT_DAYS, GRACE_DAYS = 14, 3
REMINDER_DAYS = 60
ALWAYS, NEVER = date(1970, 1, 1), date(9999, 12, 31)
Merges = dict[str, Merge]
Parts = set[tuple[str, date]]
_OWN = ("loan_id", "episode_id", "collector_id", "team", "agency_id", "opened_on")
_MATTERS = {
    cases.name: (*_OWN, "opening_days_past_due", "placed_amount"),
    loans.name: ("product", "customer_id", "risk_grade"),
    customers.name: ("region", "preferred_channel"),
    collectors.name: ("team",),
}


def touched_recovery(connection: Connection, merges: Merges) -> list[tuple[str, date]]:
    """The cohorts and months to recompute after the merge, in order."""
    moved = {name: merge for name, merge in merges.items() if merge.new + merge.changed}
    if not moved or not _holds_cases(connection):
        return []
    first = {cases, payments, contacts, promises}
    if any(merge.table in first and merge.changes is None for merge in moved.values()):
        return sorted(_everything(connection))
    parts: Parts = set()
    parts |= _by_grades(connection, moved.get(loan_months.name))
    parts |= _by_days(connection, moved)
    parts |= _by_cases(connection, moved.get(cases.name))
    parts |= _by_names(connection, moved)
    return sorted(parts)


def _month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _holds_cases(connection: Connection) -> bool:
    return connection.fetch(sa.select(cases.c.case_id).limit(1)).height > 0


def _months(connection: Connection, *days: Any) -> set[date]:
    """The month-ends of the days that these statements bring."""
    found: set[date] = set()
    for statement in days:
        found |= set(connection.fetch(statement.distinct()).to_series().drop_nulls())
    return {_month_end(day) for day in found}


def _cohorts(connection: Connection, *days: Any) -> Parts:
    return {(COHORT, month) for month in _months(connection, *days)}


def _onward(connection: Connection, first: date | None) -> Parts:
    """Every month of the book from the month of a day on."""
    last = connection.fetch(sa.select(sa.func.max(loan_months.c.month).label("last"))).item()
    starts = connection.fetch(
        sa.union_all(
            sa.select(sa.func.min(payments.c.paid_on).label("day")),
            sa.select(sa.func.min(cases.c.opened_on)),
            sa.select(sa.func.min(sa.cast(contacts.c.contacted_at, sa.Date))),
            sa.select(sa.func.min(loan_months.c.month)),
        )
    )["day"]
    earliest = [day for day in starts if day is not None]
    if first is None or last is None or not earliest:
        return set()
    found: Parts = set()
    month = _month_end(max(first, min(earliest)))
    while month <= last:
        found.add((MONTH, month))
        month = _month_end(month + timedelta(days=1))
    return found


def _everything(connection: Connection) -> Parts:
    cohorts = _cohorts(connection, sa.select(month_start(cases.c.opened_on).label("day")))
    return cohorts | _onward(connection, ALWAYS)


def _now(merge: Merge, *columns: Any) -> sa.Select[Any]:
    """These columns of the new and changed rows as they are now."""
    rows = sa.select(*columns).select_from(merge.staged)
    if merge.changes is not None:
        rows = rows.join(merge.changes, merge.changes.c[ROW] == merge.staged.c[ROW])
    return rows


def _sides(merge: Merge, columns: Callable[[Any], list[Any]]) -> list[Any]:
    """The rows of a merge as they are now, and those that they replaced."""
    now = _now(merge, *columns(merge.staged))
    return [now] if merge.old is None else [now, sa.select(*columns(merge.old))]


def _by_grades(connection: Connection, merge: Merge | None) -> Parts:
    if merge is None:
        return set()
    ends = _months(connection, _now(merge, merge.staged.c.month))
    following = {_month_end(day + timedelta(days=1)) for day in ends}
    return {(part, month) for part in (COHORT, MONTH) for month in following}


_DAYS = {
    payments.name: "paid_on",
    contacts.name: "contacted_at",
    promises.name: "promised_on",
    legal_actions.name: "acted_on",
}
_WITH_LOAN = (payments.name, contacts.name)


def _by_days(connection: Connection, moved: Merges) -> Parts:
    """What happened to a loan on a day: payments, contacts and promises, now and as they were."""
    events: list[Any] = []
    for name, day in _DAYS.items():
        if name in moved:
            events += _sides(moved[name], partial(_on_day, day=day, is_named=True))
            if name in _WITH_LOAN:
                events += _sides(moved[name], partial(_on_day, day=day, is_named=False))
    if not events:
        return set()
    event = sa.union_all(*events).subquery("events")
    apart = days_between(cases.c.opened_on, event.c.day)
    cohorts = sa.select(month_start(cases.c.opened_on).label("day")).join_from(
        cases,
        event,
        sa.and_(event.c.loan_id == cases.c.loan_id, apart.between(-REMINDER_DAYS, LONGEST)),
    )
    later = days_between(event.c.day, promises.c.due_on) >= -GRACE_DAYS
    due = (
        sa.select(promises.c.due_on.label("day"))
        .join_from(promises, cases, cases.c.case_id == promises.c.case_id)
        .join(event, sa.and_(event.c.loan_id == cases.c.loan_id, later))
    )
    dues = [due]
    if promises.name in moved:
        dues += _sides(moved[promises.name], lambda row: [row.c.due_on.label("day")])
    days = set(connection.fetch(sa.select(event.c.day).distinct())["day"].drop_nulls())
    for statement in dues:
        matured = connection.fetch(statement.distinct())["day"]
        days |= {day + timedelta(days=GRACE_DAYS) for day in matured}
    months = {_month_end(day) for day in days}
    months |= {_month_end(day + timedelta(days=CREDIT_DAYS)) for day in days}
    return _cohorts(connection, cohorts) | {(MONTH, month) for month in months}


def _on_day(row: Any, *, day: str, is_named: bool) -> list[Any]:
    """A row's day, and its loan, or the loan of the case that it names."""
    loan_id = None if is_named else row.c.loan_id
    if loan_id is None:
        named = sa.select(cases.c.loan_id).where(cases.c.case_id == row.c.case_id).limit(1)
        loan_id = named.scalar_subquery()
    return [loan_id.label("loan_id"), sa.cast(row.c[day], sa.Date).label("day")]


def _by_cases(connection: Connection, merge: Merge | None) -> Parts:
    """Cases that are new or differ: from the day on which they first do."""
    if merge is None or merge.changes is None:
        return set()
    now, old = merge.staged, merge.old
    events = [_now(merge, now.c.loan_id, now.c.opened_on.label("day"))]
    if old is not None:
        never = sa.literal(NEVER)
        closes = [sa.func.coalesce(side.c.closed_on, never) for side in (now, old)]
        closed_on = sa.case((closes[0] < closes[1], closes[0]), else_=closes[1])
        opened_on = sa.case(
            (now.c.opened_on < old.c.opened_on, now.c.opened_on), else_=old.c.opened_on
        )
        differs = [now.c[name].is_distinct_from(old.c[name]) for name in _MATTERS[cases.name]]
        day = sa.case((sa.or_(*differs), opened_on), else_=closed_on).label("day")
        both = same_key(cases, now, old)
        events = [
            events[0].where(merge.changes.c.state != CHANGED),
            *(sa.select(side.c.loan_id, day).join_from(now, old, both) for side in (now, old)),
        ]
    return _from_day_on(connection, sa.union_all(*events).subquery("events"))


def _from_day_on(connection: Connection, event: Any) -> Parts:
    """Cohorts of a loan near a day or later, and every month from the first of these days on."""
    near = days_between(cases.c.opened_on, event.c.day) <= LONGEST
    cohorts = sa.select(month_start(cases.c.opened_on).label("day")).join_from(
        cases, event, sa.and_(event.c.loan_id == cases.c.loan_id, near)
    )
    first = connection.fetch(sa.select(sa.func.min(event.c.day).label("first"))).item()
    return _cohorts(connection, cohorts) | _onward(connection, first)


def _by_names(connection: Connection, moved: Merges) -> Parts:
    """Loans, borrowers and collectors that are not what they were."""
    always = sa.literal(ALWAYS).label("day")
    events = []
    for table, loan_id, column in (
        (loans, loans.c.loan_id, loans.c.loan_id),
        (customers, loans.c.loan_id, loans.c.customer_id),
        (collectors, cases.c.loan_id, cases.c.collector_id),
    ):
        merge = moved.get(table.name)
        if merge is None or merge.old is None or not merge.changed:
            continue
        now, old = merge.staged, merge.old
        differs = [now.c[name].is_distinct_from(old.c[name]) for name in _MATTERS[table.name]]
        key = column.name
        changed = sa.select(old.c[key]).join_from(now, old, same_key(table, now, old))
        events.append(sa.select(loan_id, always).where(column.in_(changed.where(sa.or_(*differs)))))
    if not events:
        return set()
    return _from_day_on(connection, sa.union_all(*events).subquery("events"))
