"""Facts: which cohorts and months recovery has, what a load touched, and what marts must equal."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Date, Double, cast, func, literal

from queries.cases import CaseSettings
from queries.loan_states import cents, total
from warehouse.contract import (
    agencies,
    cases,
    collectors,
    contacts,
    costs,
    customers,
    events,
    legal_actions,
    load_recovery,
    loans,
    payments,
    promises,
)
from warehouse.dialects import days_between, month_start

_EPOCH = sa.cast(literal("1970-01-01"), Date)


def case_totals(settings: CaseSettings) -> sa.Select:
    """Cases and placed cents by opening month: what the marts must equal.

    Of loans that are there; `check` lists the others as broken references.
    """
    month = month_start(cases.c.opened_on).label("month_start")
    return (
        sa.select(
            month,
            cast(func.count(), BigInteger).label("cases"),
            total(cents(cases.c.placed_amount)).label("placed_cents"),
        )
        .where(cases.c.opened_on <= settings.as_of, _is_there(cases))
        .group_by(month)
    )


def _is_there(table: sa.Table) -> Any:
    return table.c.loan_id.in_(sa.select(loans.c.loan_id))


def cash_totals(settings: CaseSettings) -> sa.Select:
    """All cash by month, to the data's last day: what owners' and nobody's must add up to.

    Of loans that are there, as the marts have it.
    """
    month = month_start(payments.c.paid_on).label("month_start")
    return (
        sa.select(month, total(cents(payments.c.amount)).label("cash_cents"))
        .where(payments.c.paid_on <= settings.as_of, _is_there(payments))
        .group_by(month)
    )


def contact_months() -> sa.Select:
    return sa.select(
        month_start(cast(contacts.c.contacted_at, Date)).label("month_start")
    ).distinct()


def touching_loads() -> sa.Select:
    """The last load that touched each cohort and each calendar month."""
    return sa.select(
        load_recovery.c.part,
        load_recovery.c.month,
        func.max(load_recovery.c.load_id).label("load_id"),
    ).group_by(load_recovery.c.part, load_recovery.c.month)


def prints(tables: frozenset[str]) -> list[sa.Select]:
    """What changes when anything does in the facts of recovery, for warehouses that others load.

    Counts, sums and sums of squares by month and code.  Two rows of one cell that swap
    all their values do not show.
    """
    statements: list[sa.Select] = []
    if "cases" in tables:
        keys: list[Any] = [
            cases.c[name] for name in ("close_reason", "collector_id", "team", "agency_id")
        ]
        numbers = [cases.c.placed_amount, cases.c.opening_days_past_due, _day(cases.c.closed_on)]
        statements.append(_print(cases.c.opened_on, keys, [*numbers, _day(cases.c.opened_on)]))
    if "payments" in tables:
        statements.append(
            _print(
                payments.c.paid_on,
                [payments.c.case_id.is_(None).label("is_unnamed")],
                [payments.c.amount, _day(payments.c.paid_on)],
            )
        )
    if "contacts" in tables:
        contacted_on = cast(contacts.c.contacted_at, Date)
        keys = [contacts.c.direction, contacts.c.channel, contacts.c.outcome]
        statements.append(_print(contacted_on, keys, [contacts.c.cost_amount, _day(contacted_on)]))
    if "promises" in tables:
        numbers = [promises.c.promised_amount, _day(promises.c.due_on)]
        statements.append(
            _print(promises.c.promised_on, [], [*numbers, _day(promises.c.cancelled_on)])
        )
    if "legal_actions" in tables:
        acted_on = legal_actions.c.acted_on
        statements.append(_print(acted_on, [legal_actions.c.action], [_day(acted_on)]))
    if "collectors" in tables:  # whose team is their cases' that name none
        statements.append(sa.select(collectors.c.collector_id, collectors.c.team))
    if "customers" in tables:
        kinds = [customers.c.region, customers.c.preferred_channel]
        count = cast(func.count(), BigInteger).label("rows")
        statements.append(sa.select(*kinds, count).group_by(*kinds))
    return statements


def _day(day: Any) -> Any:
    return days_between(_EPOCH, day)


def _print(day: Any, keys: list[Any], numbers: list[Any]) -> sa.Select:
    month = month_start(day).label("month_start")
    sums: list[Any] = [cast(func.count(), BigInteger).label("rows")]
    for place, number in enumerate(numbers):
        value = cast(number, Double)
        sums += [
            total(number * 100).label(f"sum_{place}"),
            cast(func.sum(value * value), sa.Numeric(38, 2)).label(f"squares_{place}"),
        ]
    return sa.select(month, *keys, *sums).group_by(month, *keys)


def collector_rows() -> sa.Select:
    return sa.select(
        collectors.c.collector_id,
        collectors.c.team,
        collectors.c.agency_id,
        collectors.c.hired_on,
        cents(collectors.c.monthly_cost_amount).label("monthly_cost_cents"),
        collectors.c.hours_per_month,
    ).order_by(collectors.c.collector_id)


def agency_rows() -> sa.Select:
    return sa.select(agencies).order_by(agencies.c.agency_id)


def event_rows(settings: CaseSettings) -> sa.Select:
    columns = [column for column in events.c if column.name != "event_id"]
    return (
        sa.select(*columns)
        .where(events.c.occurred_on <= settings.as_of)
        .order_by(events.c.occurred_on, events.c.event_id)
    )


def cost_rows(settings: CaseSettings) -> sa.Select:
    return (
        sa.select(
            costs.c.month,
            costs.c.kind,
            costs.c.team,
            costs.c.channel,
            costs.c.is_one_off,
            cents(costs.c.amount).label("amount_cents"),
        )
        .where(costs.c.month <= settings.as_of)
        .order_by(costs.c.month, costs.c.kind, costs.c.team, costs.c.channel)
    )
