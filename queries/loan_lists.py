"""Facts: pages of single loans, for a click on a cell; always bounded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, cast, func

from queries.filters import Filter, chosen_in, months_before
from queries.loan_states import BookShape, loan_states

PAGE_ROWS = 50
_SHOWN = ("loan_id", "product", "region", "grade")


def loans_that_moved(
    chosen: Filter,
    month: date,
    from_states: Sequence[str],
    to_states: Sequence[str],
    shape: BookShape,
    *,
    page: int = 0,
) -> sa.Select:
    """The loans of one cell of the roll-rate matrix, largest opening balance first.

    `month` is the later month-end; the segments are the opening ones, as in the
    matrix.  `to_states` may hold `unmatched`.
    """
    state = f"state_{chosen.basis}"
    before = months_before(month, 1)
    then = loan_states(before, shape).cte("then_states")
    now = loan_states(month, shape).cte("now_states")
    to_state = func.coalesce(now.c[state], "unmatched").label("to_state")
    return _page(
        sa.select(
            *[then.c[name] for name in _SHOWN],
            then.c[state].label("from_state"),
            to_state,
            then.c.balance_amount.label("opening_balance_amount"),
            now.c.balance_amount.label("closing_balance_amount"),
            now.c.paid_amount,
        )
        .select_from(then.outerjoin(now, now.c.loan_id == then.c.loan_id))
        .where(
            then.c.status == "open",
            then.c[state].in_(from_states),
            to_state.in_(to_states),
            *_conditions(then, chosen),
        ),
        then.c.balance_amount,
        then.c.loan_id,
        page,
    )


def late_loans(
    chosen: Filter, buckets: Sequence[str], shape: BookShape, *, page: int = 0
) -> sa.Select:
    """The open loans of some buckets at the as-of month, largest balance first."""
    state = f"state_{chosen.basis}"
    now = loan_states(chosen.as_of, shape).cte("now_states")
    return _page(
        sa.select(
            *[now.c[name] for name in _SHOWN],
            now.c[state].label("bucket"),
            now.c.balance_amount,
            now.c.overdue_amount,
            now.c.paid_amount,
        ).where(now.c.status == "open", now.c[state].in_(buckets), *_conditions(now, chosen)),
        now.c.balance_amount,
        now.c.loan_id,
        page,
    )


def _conditions(table: Any, chosen: Filter) -> list[Any]:
    return [
        chosen_in(table.c[name], values) for name, values in chosen.segments().items() if values
    ]


def _page(statement: sa.Select, amount: Any, loan_id: Any, page: int) -> sa.Select:
    total = cast(func.count().over(), BigInteger).label("all_rows")
    return (
        statement.add_columns(total)
        .order_by(amount.desc().nulls_last(), loan_id)
        .limit(PAGE_ROWS)
        .offset(page * PAGE_ROWS)
    )
