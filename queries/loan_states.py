"""Facts: the state of every loan at a month-end, and how states changed over a month.

These are the heavy statements.  They run once a month of the book, at refresh,
on the lender's own engine; the pages read what they leave behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Double, Text, and_, case, cast, func, literal, null, or_

from warehouse.buckets import DEFAULT_BOUNDS, bucket_codes, bucket_of, month_bounds
from warehouse.contract import customers, loan_months, loans
from warehouse.dialects import quantile

SEGMENTS = ("product", "region", "grade")


@dataclass(frozen=True)
class BookShape:
    """What the statements must know of a warehouse before they are written."""

    tables: frozenset[str]
    bounds: tuple[int, ...] = DEFAULT_BOUNDS
    has_balances: bool = True
    has_months_past_due: bool = True
    has_reopened: bool = True  # False only where no loan has a row after a terminal one

    @property
    def codes(self) -> tuple[str, ...]:
        return bucket_codes(self.bounds)


def month_open(month: date) -> date:
    return month.replace(day=1)


def cents(amount: Any) -> Any:
    """An amount in whole cents."""
    return cast(amount * 100, BigInteger)


def total(expression: Any) -> Any:
    """A sum that stays a 64-bit integer on every engine."""
    return cast(func.sum(expression), BigInteger)


def count_if(condition: Any) -> Any:
    return total(case((condition, 1), else_=0))


def weight(amount: Any) -> Any:
    """A balance as a weight: below zero counts as zero, unknown stays unknown."""
    return case((amount < 0, 0), else_=amount)


def bucket_by(basis: str, row: Any, shape: BookShape) -> Any:
    """The bucket of a row by days, or by months where the row has them."""
    by_days = bucket_of(row.days_past_due, shape.bounds, shape.codes)
    if basis == "days" or not shape.has_months_past_due:
        return by_days
    by_months = bucket_of(row.months_past_due, month_bounds(shape.bounds), shape.codes)
    return case((row.months_past_due.is_not(None), by_months), else_=by_days)


def month_rows(month: date, shape: BookShape, *more: str) -> sa.Select:
    """One row per loan on book at a month-end, from its history alone.

    Rows after a terminal one are left out.  Looking for them costs a pass over
    all earlier months, so it is not done in a book that is known to have none.
    `more`: columns of the history to bring along.
    """
    row, earlier = loan_months.alias("m"), loan_months.alias("e")
    is_open = row.c.status == "open"
    state = {
        f"state_{basis}": case((is_open, bucket_by(basis, row.c, shape)), else_=row.c.status)
        for basis in ("days", "months")
    }
    statement = sa.select(
        row.c.loan_id,
        row.c.status,
        row.c.months_past_due,
        row.c.risk_grade.label("row_grade"),
        *[expression.label(name) for name, expression in state.items()],
        row.c.balance_amount,
        weight(row.c.balance_amount).label("weight_amount"),
        row.c.overdue_amount,
        row.c.paid_amount,
        row.c.is_restructured,
        *[row.c[name] for name in more],
    ).where(row.c.month == month)
    if not shape.has_reopened:
        return statement
    left_before = sa.exists().where(
        earlier.c.loan_id == row.c.loan_id, earlier.c.month < month, earlier.c.status != "open"
    )
    return statement.where(~left_before)


def with_segments(rows: Any, loan_id: Any, grade: Any, shape: BookShape) -> tuple[Any, list[Any]]:
    """Rows joined with their loan and borrower, and the columns that this brings.

    `grade` is the grade of the row, where it has one; else the loan's counts.
    """
    loan = loans.alias("l")
    source = rows.join(loan, loan.c.loan_id == loan_id)
    region: Any = cast(null(), Text)
    industry: Any = cast(null(), Text)
    if "customers" in shape.tables:
        customer = customers.alias("c")
        source = source.outerjoin(customer, customer.c.customer_id == loan.c.customer_id)
        region, industry = customer.c.region, customer.c.industry
    return source, [
        loan.c.customer_id,
        loan.c.originated_on,
        loan.c.product,
        region.label("region"),
        func.coalesce(grade, loan.c.risk_grade).label("grade"),
        industry.label("industry"),
    ]


def loan_states(month: date, shape: BookShape) -> sa.Select:
    """One row per loan on book at a month-end, with its segments."""
    rows = month_rows(month, shape).cte(f"rows_{month:%Y_%m}")
    source, segments = with_segments(rows, rows.c.loan_id, rows.c.row_grade, shape)
    own = [column for column in rows.c if column.name != "row_grade"]
    return sa.select(*own, *segments).select_from(source)


def state_changes(
    month: date, previous: date | None, first_month: date, shape: BookShape
) -> sa.Select:
    """Loans, opening and closing money by state a month ago and state now, and segment.

    A loan that was open a month ago and has no row now is `unmatched`.  One that
    has a row now and none then is `new` (originated in the month, or the first
    row of a loan without a date, or the book's first month), else `appeared`.
    """
    now = month_rows(month, shape).cte("now")
    then = month_rows(previous or date.min, shape).cte("before")
    opened = sa.select(then).where(then.c.status == "open").cte("opened")
    stayed = opened.c.loan_id.is_not(None)
    both = sa.select(
        opened.c.loan_id.label("opened_id"),
        now.c.loan_id.label("now_id"),
        func.coalesce(opened.c.loan_id, now.c.loan_id).label("loan_id"),
        case((stayed, opened.c.row_grade), else_=now.c.row_grade).label("row_grade"),
        *[now.c[name].label(f"now_{name}") for name in _MOVING],
        *[opened.c[name].label(f"then_{name}") for name in _MOVING],
    ).select_from(opened.join(now, now.c.loan_id == opened.c.loan_id, full=True))
    moved = both.cte("moved")
    source, segments = with_segments(moved, moved.c.loan_id, moved.c.row_grade, shape)
    pairs = sa.select(*moved.c, *segments).select_from(source).cte("pairs")
    entered = sa.select(moved.c.now_id).where(moved.c.opened_id.is_(None)).cte("entered")
    seen = (
        sa.select(loan_months.c.loan_id)
        .where(loan_months.c.month < month, loan_months.c.loan_id.in_(sa.select(entered.c.now_id)))
        .distinct()
        .cte("seen")
    )
    return _change_totals(pairs, seen, month, first_month)


_MOVING = (
    "state_days",
    "state_months",
    "balance_amount",
    "weight_amount",
    "paid_amount",
    "is_restructured",
)


def _change_totals(pairs: Any, seen: Any, month: date, first_month: date) -> sa.Select:
    is_new = or_(
        literal(month == first_month),
        pairs.c.originated_on.between(month_open(month), month),
        and_(pairs.c.originated_on.is_(None), seen.c.loan_id.is_(None)),
    )
    entry = case((is_new, literal("new", Text)), else_=literal("appeared", Text))
    stayed = pairs.c.opened_id.is_not(None)
    groups = [
        case((stayed, pairs.c.then_state_days), else_=entry).label("from_days"),
        case((stayed, pairs.c.then_state_months), else_=entry).label("from_months"),
        func.coalesce(pairs.c.now_state_days, "unmatched").label("to_days"),
        func.coalesce(pairs.c.now_state_months, "unmatched").label("to_months"),
        *[pairs.c[name] for name in SEGMENTS],
    ]
    turned = and_(
        pairs.c.then_is_restructured.is_(sa.false()), pairs.c.now_is_restructured.is_(sa.true())
    )
    opening = cast(pairs.c.then_weight_amount, Double)
    return (
        sa.select(
            *groups,
            cast(func.count(), BigInteger).label("loans"),
            total(cents(pairs.c.then_weight_amount)).label("opening_cents"),
            func.sum(opening * opening).label("opening_squares"),
            total(cents(pairs.c.now_weight_amount)).label("closing_cents"),
            total(cents(pairs.c.then_balance_amount)).label("opening_balance_cents"),
            total(cents(pairs.c.now_balance_amount)).label("closing_balance_cents"),
            total(cents(pairs.c.now_paid_amount)).label("paid_cents"),
            count_if(turned).label("restructured_loans"),
            total(case((turned, cents(pairs.c.then_weight_amount)), else_=0)).label(
                "restructured_cents"
            ),
            count_if(and_(~stayed, seen.c.loan_id.is_not(None))).label("gap_rows"),
        )
        .select_from(pairs.outerjoin(seen, seen.c.loan_id == pairs.c.now_id))
        .group_by(*groups)
    )


def open_stocks(month: date, shape: BookShape) -> sa.Select:
    """Open loans and their money at a month-end by bucket (both bases) and segment."""
    states = loan_states(month, shape).cte("states")
    column = states.c
    amount = cast(column.weight_amount, Double)
    groups = [column.state_days, column.state_months, column.industry]
    groups += [column[name] for name in SEGMENTS]
    return (
        sa.select(
            *groups,
            cast(func.count(), BigInteger).label("loans"),
            total(cents(column.weight_amount)).label("weight_cents"),
            func.sum(amount * amount).label("weight_squares"),
            count_if(column.balance_amount < 0).label("negative_loans"),
            total(
                case(
                    (column.balance_amount < 0, cents(column.balance_amount)),
                    (column.balance_amount.is_not(None), 0),
                )
            ).label("negative_cents"),
            total(cents(column.overdue_amount)).label("overdue_cents"),
            total(cents(column.paid_amount)).label("paid_cents"),
            count_if(column.is_restructured).label("restructured_loans"),
            count_if(column.balance_amount.is_(None)).label("unbalanced_rows"),
            count_if(column.months_past_due.is_(None)).label("unscheduled_rows"),
        )
        .where(column.status == "open")
        .group_by(*groups)
    )


def median_balances(month: date, bases: Sequence[str], shape: BookShape) -> sa.Select:
    """The median balance of the open loans of each bucket, on each basis."""
    states = month_rows(month, shape).cte("states")
    middle = quantile(cast(states.c.weight_amount, Double), sa.literal_column("0.5"))
    parts = []
    for basis in bases:
        bucket = states.c[f"state_{basis}"].label("bucket")
        parts.append(
            sa.select(
                literal(basis, Text).label("basis"),
                bucket,
                middle.label("median_balance_amount"),
            )
            .where(states.c.status == "open")
            .group_by(bucket)
        )
    union = sa.union_all(*parts).subquery("medians")
    return sa.select(*union.c)


def largest_shares(month: date, unit: str, shape: BookShape) -> sa.Select:
    """How much of the open balance its largest borrowers (or loans) hold."""
    states = month_rows(month, shape).cte("states")
    source: Any = states
    column: Any = states.c.loan_id
    if unit == "customer":
        source = states.join(loans, loans.c.loan_id == states.c.loan_id)
        column = loans.c.customer_id
    held = (
        sa.select(total(cents(states.c.weight_amount)).label("held_cents"))
        .select_from(source)
        .where(states.c.status == "open", column.is_not(None), states.c.weight_amount > 0)
        .group_by(column)
        .cte("held")
    )
    top = sa.select(held.c.held_cents).order_by(held.c.held_cents.desc()).limit(10).cte("top_ten")
    amount = cast(held.c.held_cents, Double)
    return sa.select(
        literal(unit, Text).label("unit"),
        cast(func.count(), BigInteger).label("units"),
        (func.sum(amount * amount) / func.nullif(func.sum(amount) * func.sum(amount), 0)).label(
            "herfindahl"
        ),
        cast(func.max(held.c.held_cents), BigInteger).label("largest_cents"),
        sa.select(total(top.c.held_cents)).scalar_subquery().label("largest_ten_cents"),
        total(held.c.held_cents).label("total_cents"),
    )


def month_totals() -> sa.Select:
    """Open loans and their balance by month, straight from the facts: what marts must equal.

    Counted without looking back, less the rows that come after a terminal one:
    those are few, so the join that finds them has little to carry.
    """
    row, earlier = loan_months.alias("m"), loan_months.alias("e")
    left_before = (
        sa.select(earlier.c.loan_id, func.min(earlier.c.month).label("left_month"))
        .where(earlier.c.status != "open")
        .group_by(earlier.c.loan_id)
        .subquery("left_before")
    )
    is_open = row.c.status == "open"
    loans_open = count_if(is_open)
    balance = total(case((is_open, cents(row.c.balance_amount))))
    every = sa.select(
        row.c.month,
        loans_open.label("loans"),
        balance.label("balance_cents"),
        literal(0, BigInteger).label("reopened_rows"),
    )
    reopened = sa.select(
        row.c.month,
        (-loans_open).label("loans"),
        (-balance).label("balance_cents"),
        cast(func.count(), BigInteger).label("reopened_rows"),
    ).select_from(
        row.join(
            left_before,
            and_(left_before.c.loan_id == row.c.loan_id, left_before.c.left_month < row.c.month),
        )
    )
    parts = [part.group_by(row.c.month) for part in (every, reopened)]
    both = sa.union_all(*parts).subquery("parts")
    return (
        sa.select(
            both.c.month,
            *[total(both.c[name]).label(name) for name in _TOTALS],
        )
        .group_by(both.c.month)
        .order_by(both.c.month)
    )


_TOTALS = ("loans", "balance_cents", "reopened_rows")
