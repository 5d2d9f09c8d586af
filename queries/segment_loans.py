"""Facts: what a loan's class is made of: how it paid, what it promised, what secures it.

Asked of loans that are late at a month-end or were a month before, and of those on which a case
is opened in the next month: one scan of the last twelve months.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Date, Double, and_, case, cast, func, literal, null, or_

from queries.filters import months_before
from queries.loan_states import BookShape, cents, count_if, month_open, month_rows, total
from warehouse.contract import cases, customers, loan_months, loans, promises
from warehouse.dialects import month_start

HISTORY_MONTHS = 12
GRACE_DAYS = 3  # after a promise is due
KEPT_SHARE = 0.9  # of what was promised


def class_inputs(month: date, shape: BookShape, coming: tuple[date, date] | None) -> sa.Select:
    """One row per loan that matters at a month-end, with what it is classed by.

    `coming`: days of openings; loans on which a case is opened then matter too.  Of the month-end
    itself: `status` (null: no row), `bucket`, days late, money; of the one before: `was_open`,
    `then_bucket`, `then_cents`.  History: months with a row, with a recorded payment, paid in;
    the last one paid in; months in which promises fell due, and those in which at least 90 % of
    it was paid.
    """
    now = month_rows(month, shape, "days_past_due", "score").cte("now")
    then = month_rows(months_before(month, 1), shape).cte("then_rows")
    wanted = _wanted(now, then, coming).cte("wanted")
    history = _history(month, shape, wanted).cte("history")
    source, region = _with_borrower(wanted, shape)
    source = source.outerjoin(now, now.c.loan_id == wanted.c.loan_id)
    source = source.outerjoin(
        then, and_(then.c.loan_id == wanted.c.loan_id, then.c.status == "open")
    )
    source = source.outerjoin(history, history.c.loan_id == wanted.c.loan_id)
    is_open = now.c.status == "open"
    return sa.select(
        wanted.c.loan_id,
        loans.c.product,
        region.label("region"),
        func.coalesce(now.c.row_grade, loans.c.risk_grade).label("grade"),
        func.coalesce(then.c.row_grade, loans.c.risk_grade).label("then_grade"),
        now.c.status,
        case((is_open, now.c.state_days)).label("bucket"),
        case((is_open, now.c.days_past_due)).label("days_past_due"),
        cents(now.c.weight_amount).label("weight_cents"),
        cents(now.c.paid_amount).label("paid_cents"),
        case((then.c.loan_id.is_not(None), 1), else_=0).label("was_open"),
        then.c.state_days.label("then_bucket"),
        cents(then.c.weight_amount).label("then_cents"),
        func.coalesce(now.c.score, loans.c.score).label("score"),
        loans.c.is_secured,
        cents(loans.c.collateral_amount).label("collateral_cents"),
        *[history.c[name] for name in HISTORY],
    ).select_from(source)


HISTORY = (
    "seen_months",
    "recorded_months",
    "paid_months",
    "last_paid_month",
    "history_cents",
    "promised_months",
    "kept_months",
)


def _wanted(now: Any, then: Any, coming: tuple[date, date] | None) -> Any:
    late = [
        sa.select(rows.c.loan_id).where(rows.c.status == "open", rows.c.state_days != "current")
        for rows in (now, then)
    ]
    if coming is not None:
        late.append(sa.select(cases.c.loan_id).where(cases.c.opened_on.between(*coming)))
    return sa.union(*late)


def _with_borrower(wanted: Any, shape: BookShape) -> tuple[Any, Any]:
    source = wanted.join(loans, loans.c.loan_id == wanted.c.loan_id)
    if "customers" not in shape.tables:
        return source, cast(null(), sa.Text)
    joined = source.outerjoin(customers, customers.c.customer_id == loans.c.customer_id)
    return joined, customers.c.region


def _history(month: date, shape: BookShape, wanted: Any) -> sa.Select:
    row = loan_months.alias("h")
    source: Any = row
    promised: Any = cast(null(), Double)
    if {"promises", "cases"} <= shape.tables:
        due = _promised(month, wanted).cte("due")
        at_month = and_(
            due.c.loan_id == row.c.loan_id, due.c.month_start == month_start(row.c.month)
        )
        source = source.outerjoin(due, at_month)
        promised = due.c.promised_amount
    paid = row.c.paid_amount
    return (
        sa.select(
            row.c.loan_id,
            cast(func.count(), BigInteger).label("seen_months"),
            count_if(paid.is_not(None)).label("recorded_months"),
            count_if(paid > 0).label("paid_months"),
            cast(func.max(case((paid > 0, row.c.month))), Date).label("last_paid_month"),
            total(cents(paid)).label("history_cents"),
            count_if(and_(promised.is_not(None), paid.is_not(None))).label("promised_months"),
            count_if(cast(paid, Double) >= KEPT_SHARE * promised).label("kept_months"),
        )
        .select_from(source)
        .where(
            row.c.month.between(months_before(month, HISTORY_MONTHS - 1), month),
            row.c.loan_id.in_(sa.select(wanted.c.loan_id)),
        )
        .group_by(row.c.loan_id)
    )


def _promised(month: date, wanted: Any) -> sa.Select:
    """What fell due of promises, by loan and month; those of the last three days are not over."""
    start = month_open(months_before(month, HISTORY_MONTHS - 1))
    due_month = month_start(promises.c.due_on).label("month_start")
    cancelled_on = promises.c.cancelled_on
    return (
        sa.select(
            cases.c.loan_id,
            due_month,
            func.sum(cast(promises.c.promised_amount, Double)).label("promised_amount"),
        )
        .join_from(promises, cases, cases.c.case_id == promises.c.case_id)
        .where(
            promises.c.due_on.between(start, month - timedelta(days=GRACE_DAYS)),
            or_(cancelled_on.is_(None), cancelled_on > literal(month)),
            cases.c.loan_id.in_(sa.select(wanted.c.loan_id)),
        )
        .group_by(cases.c.loan_id, due_month)
    )
