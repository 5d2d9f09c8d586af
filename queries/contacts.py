"""Facts: attempts to reach borrowers, what came of them, and the cases they were about.

An attempt is an outbound contact.  It reaches the debtor with any outcome but `no_answer`,
`invalid` and `third_party_reached`; `right_party`, `promise`, `refusal` and `dispute` are
conversations with the debtor.  An attempt is about the case that it names; else about the
loan's case of that day (the earlier opened of two); else it is a reminder before any case.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Date, Integer, Text, and_, cast, func, null, or_

from queries.cases import CaseSettings, days_after, opened_in
from queries.contact_cases import cohort_cases, in_days, open_cases
from queries.filters import months_before
from queries.loan_states import BookShape, cents, count_if, month_open, total
from warehouse.contract import RIGHT_PARTY, cases, contacts, customers, loan_months, loans
from warehouse.dialects import days_between

UNREACHED = ("no_answer", "invalid", "third_party_reached")
ARRIVED = ("delivered", "opened", "link_clicked")
LANDMARK_DAYS = 7  # attempts on days 0 to 6; a case that is closed before day 7 is not at risk


def _attempts(first: date, last: date) -> list[Any]:
    return [contacts.c.direction == "outbound", *in_days(contacts.c.contacted_at, first, last)]


def _on_day() -> Any:
    return cast(contacts.c.contacted_at, Date)


def _held_by(known: sa.CTE) -> list[Any]:
    """Contacts that name no case, on the day of a known case of the loan."""
    day = _on_day()
    return [
        contacts.c.case_id.is_(None),
        known.c.loan_id == contacts.c.loan_id,
        day.between(known.c.opened_on, known.c.ends_on),
        or_(known.c.covered_to.is_(None), day > known.c.covered_to),
    ]


_TOLD = ("channel", "outcome", "cost_amount")


def attempts_by_case(month: date, settings: CaseSettings) -> sa.Select:
    """The month's attempts by case and channel, and what came of them."""
    days = _attempts(month_open(month), min(month, settings.as_of))
    told = [contacts.c[name] for name in _TOLD]
    known = open_cases(month, settings)
    named = sa.select(*told, contacts.c.case_id).where(*days, contacts.c.case_id.is_not(None))
    by_day = sa.select(*told, known.c.case_id).where(*days, *_held_by(known))
    attempt = sa.union_all(named, by_day).cte("attempts")
    groups = [attempt.c.case_id, attempt.c.channel]
    return sa.select(*groups, *_outcomes(attempt)).group_by(*groups)


def reminders(month: date, shape: BookShape, settings: CaseSettings) -> sa.Select:
    """The month's attempts on loans without a case that day, by channel and segment.

    The grade is that of the month-end before, else the loan's.
    """
    conditions = [
        *_attempts(month_open(month), min(month, settings.as_of)),
        contacts.c.case_id.is_(None),
    ]
    if "cases" in shape.tables:
        known = open_cases(month, settings)
        conditions.append(~sa.exists().where(*_held_by(known)))
    columns = [contacts.c[name] for name in ("loan_id", *_TOLD)]
    reminder = sa.select(*columns).where(*conditions).cte("reminders")
    loan, row = loans.alias("l"), loan_months.alias("m")
    source: Any = reminder.join(loan, loan.c.loan_id == reminder.c.loan_id).outerjoin(
        row, and_(row.c.loan_id == reminder.c.loan_id, row.c.month == months_before(month, 1))
    )
    region: Any = cast(null(), Text)
    preferred: Any = cast(null(), Text)
    if "customers" in shape.tables:
        customer = customers.alias("c")
        source = source.outerjoin(customer, customer.c.customer_id == loan.c.customer_id)
        region, preferred = customer.c.region, customer.c.preferred_channel
    groups = [
        reminder.c.channel,
        loan.c.product,
        region.label("region"),
        func.coalesce(row.c.risk_grade, loan.c.risk_grade).label("grade"),
        preferred.label("preferred_channel"),
    ]
    return sa.select(*groups, *_outcomes(reminder)).select_from(source).group_by(*groups)


def _outcomes(attempt: Any) -> list[Any]:
    outcome = attempt.c.outcome
    return [
        count_if(outcome.is_not(None)).label("attempts"),
        count_if(outcome.in_(ARRIVED)).label("delivered"),
        count_if(outcome == "invalid").label("invalid"),
        count_if(outcome.in_(("opened", "link_clicked"))).label("opened"),
        count_if(outcome == "link_clicked").label("clicked"),
        count_if(outcome.not_in(UNREACHED)).label("reached"),
        count_if(outcome.in_(RIGHT_PARTY)).label("right_party"),
        count_if(outcome == "promise").label("promises"),
        count_if(attempt.c.cost_amount.is_not(None)).label("costed_attempts"),
        func.coalesce(total(cents(attempt.c.cost_amount)), 0).label("cost_cents"),
    ]


def first_attempts(month: date, settings: CaseSettings) -> sa.Select:
    """Attempts before the landmark on the cases opened in a month, by case and channel.

    `first_day` counts from the case's opening: 0 to 6.
    """
    last = min(days_after(month, LANDMARK_DAYS - 1), settings.as_of)
    days = _attempts(month_open(month), last)
    told = [*[contacts.c[name] for name in _TOLD], _on_day().label("on_day")]
    known = cohort_cases(month, settings)
    named = (
        sa.select(*told, cases.c.case_id, cases.c.opened_on)
        .join_from(contacts, cases, cases.c.case_id == contacts.c.case_id)
        .where(*days, opened_in(month, settings))
    )
    by_day = sa.select(*told, known.c.case_id, known.c.opened_on).where(
        *days, *_held_by(known), known.c.opened_on.between(month_open(month), month)
    )
    attempt = sa.union_all(named, by_day).cte("attempts")
    day = days_between(attempt.c.opened_on, attempt.c.on_day)
    return (
        sa.select(
            attempt.c.case_id,
            attempt.c.channel,
            count_if(attempt.c.outcome.is_not(None)).label("attempts"),
            cast(func.min(day), Integer).label("first_day"),
            count_if(attempt.c.cost_amount.is_not(None)).label("costed_attempts"),
            func.coalesce(total(cents(attempt.c.cost_amount)), 0).label("cost_cents"),
        )
        .where(day.between(0, LANDMARK_DAYS - 1))
        .group_by(attempt.c.case_id, attempt.c.channel)
    )
