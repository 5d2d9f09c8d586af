"""Facts: one collector's cases, a page at a time, and how old the open ones are; bounded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, case, cast, func

from queries.attribution import attributed_payments
from queries.cases import CaseSettings, known_cases, stage_of
from queries.filters import Filter, chosen_in
from queries.loan_lists import PAGE_ROWS
from queries.loan_states import BookShape, month_open, total
from warehouse.contract import cases, customers, loan_months, loans
from warehouse.dialects import days_between, month_end_before

AGES = ((30, "up to 30 days"), (90, "31–90 days"), (180, "91–180 days"))
LAST_AGE = "more than 180 days"


def cases_of(
    chosen: Filter,
    collector_id: str,
    shape: BookShape,
    *,
    as_of: date,
    stage: str | None = None,
    page: int = 0,
) -> sa.Select:
    """A collector's cases opened in the window, newest first.

    `as_of` is the data's last day: what came later is not looked at.
    """
    first, last = chosen.months()
    opened = cases.c.opened_on.between(month_open(first), min(last, as_of))
    known = known_cases(sa.and_(cases.c.collector_id == collector_id, opened), _settings(as_of))
    rows = known.cte("of_the_collector")
    source, conditions = _segments(rows, chosen, shape)
    if stage is not None:
        conditions.append(stage_of(rows.c.days_past_due) == stage)
    names = ("case_id", "loan_id", "opened_on", "days_past_due", "placed_amount", "closed_on",
             "close_reason")  # fmt: skip
    return (
        sa.select(
            *[rows.c[name] for name in names],
            cast(func.count().over(), BigInteger).label("all_rows"),
        )
        .select_from(source)
        .where(*conditions)
        .order_by(rows.c.opened_on.desc(), rows.c.case_id)
        .limit(PAGE_ROWS)
        .offset(page * PAGE_ROWS)
    )


def cash_of(
    case_ids: Sequence[str], loan_ids: Sequence[str], first: date, *, as_of: date
) -> sa.Select:
    """The net cash that belongs to some cases, of these loans, opened on `first` or later."""
    settings = _settings(as_of)
    known = known_cases(cases.c.loan_id.in_(loan_ids), settings).cte("known")
    owned = attributed_payments(known, first, as_of, settings)
    return (
        sa.select(owned.c.case_id, total(owned.c.cents).label("cash_cents"))
        .where(owned.c.case_id.in_(case_ids))
        .group_by(owned.c.case_id)
    )


def open_cases_of(collector_id: str, *, as_of: date) -> sa.Select:
    """A collector's cases open on the data's last day, by stage at opening and by age."""
    known = known_cases(cases.c.collector_id == collector_id, _settings(as_of)).cte("known")
    days = days_between(known.c.opened_on, sa.literal(as_of))
    age = case(*[(days <= last, sa.literal(name)) for last, name in AGES], else_=LAST_AGE)
    rows = (
        sa.select(
            stage_of(known.c.days_past_due).label("stage"),
            age.label("age"),
            known.c.placed_amount,
        )
        .where(known.c.closed_on.is_(None))
        .cte("open_cases")
    )
    return (
        sa.select(
            rows.c.stage,
            rows.c.age,
            cast(func.count(), BigInteger).label("cases"),
            func.sum(rows.c.placed_amount).label("placed_amount"),
        )
        .group_by(rows.c.stage, rows.c.age)
        .order_by(rows.c.stage, rows.c.age)
    )


def _settings(as_of: date) -> CaseSettings:
    return CaseSettings(as_of=as_of)


def _segments(known: Any, chosen: Filter, shape: BookShape) -> tuple[Any, list[Any]]:
    """The tables that the chosen segments need, and the conditions on them."""
    loan, source = loans.alias("l"), known
    conditions: list[Any] = []
    if chosen.products or chosen.regions or chosen.grades:
        source = source.join(loan, loan.c.loan_id == known.c.loan_id)
    if chosen.products:
        conditions.append(chosen_in(loan.c.product, chosen.products))
    if chosen.regions and "customers" in shape.tables:
        customer = customers.alias("c")
        source = source.outerjoin(customer, customer.c.customer_id == loan.c.customer_id)
        conditions.append(chosen_in(customer.c.region, chosen.regions))
    if chosen.grades:
        row = loan_months.alias("g")
        before = month_end_before(known.c.opened_on)
        source = source.outerjoin(
            row, sa.and_(row.c.loan_id == known.c.loan_id, row.c.month == before)
        )
        grade = func.coalesce(row.c.risk_grade, loan.c.risk_grade)
        conditions.append(chosen_in(grade, chosen.grades))
    return source, conditions
