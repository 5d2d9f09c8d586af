"""Facts: contacts of third parties before the debtor was tried often enough.

No join of contacts with those before them: an engine without statistics would loop over all pairs.
Each loan's attempts are in one row, and carry what came before them along.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Integer, and_, case, func, or_

from queries.contacts import in_days
from queries.rule_rows import (
    CARRIED,
    NOT_CONNECTED,
    THIRD_PARTY,
    day_number,
    in_time_order,
    looked_at,
    name_of,
    not_agreed,
    told,
)
from warehouse.contract import contacts
from warehouse.pack_limits import ThirdPartyAfter
from warehouse.packs import Rule


def failed_attempts(limit: ThirdPartyAfter) -> list[Any]:
    """Attempts on the debtor that may have failed."""
    return [
        contacts.c.direction == "outbound",
        contacts.c.party != THIRD_PARTY,
        contacts.c.channel.in_(limit.failed_channels),
    ]


def third_party_after(rule: Rule, first: date, last: date) -> sa.Select:
    limit = rule.limit
    assert isinstance(limit, ThirdPartyAfter)
    row = _third_and_tried(rule, limit, first, last)
    by_loan: dict[str, Any] = {"partition_by": row.c.loan_id, "order_by": in_time_order(row)}
    upto = func.sum(1 - row.c.is_third).over(**by_loan, rows=(None, 0))
    numbered = sa.select(row, upto.label("upto")).cte(f"{name_of(rule)} numbered")
    before: dict[str, Any] = {
        "partition_by": numbered.c.loan_id,
        "order_by": in_time_order(numbered),
        "rows": (None, -1),
    }
    is_tried = numbered.c.is_third == 0
    reached = and_(is_tried, numbered.c.outcome.not_in(NOT_CONNECTED))
    invalid = and_(is_tried, numbered.c.outcome == "invalid")

    def latest(condition: Any, value: Any) -> Any:
        return func.max(case((condition, value))).over(**before)

    known = sa.select(
        numbered,
        latest(reached, numbered.c.upto).label("reached_at"),
        latest(invalid, numbered.c.day).label("invalid_on"),
        latest(is_tried, numbered.c.enough_on).label("enough_from"),
        latest(is_tried, numbered.c.more_on).label("more_from"),
    ).cte(f"{name_of(rule)} known")
    since = known.c.day - limit.days
    in_a_row = known.c.upto - func.coalesce(known.c.reached_at, 0)
    none_invalid = func.coalesce(known.c.invalid_on, -1) < since

    def failed(count: int, since_on: Any) -> Any:
        return and_(in_a_row >= count, func.coalesce(since_on, -1) >= since)

    enough = failed(limit.failures, known.c.enough_from)
    more = failed(limit.failures + 1, known.c.more_from)
    is_breach, is_near = and_(none_invalid, ~enough), and_(none_invalid, enough, ~more)
    return told(known, is_breach, is_near, first).where(known.c.is_third == 1)


def _third_and_tried(rule: Rule, limit: ThirdPartyAfter, first: date, last: date) -> sa.CTE:
    """Contacts of third parties and the attempts on their debtors, with the day of the attempt
    so many places before."""
    is_third = and_(contacts.c.party == THIRD_PARTY, *looked_at(rule))
    if rule.unless_consent:
        is_third = and_(is_third, not_agreed())
    theirs = sa.select(contacts.c.loan_id).where(
        is_third, *in_days(contacts.c.contacted_at, first, last)
    )
    start = first - timedelta(days=limit.days)
    row = (
        sa.select(
            *[contacts.c[name] for name in (*CARRIED, "outcome")],
            day_number(contacts.c.contacted_at).label("day"),
            case((is_third, 1), else_=0).label("is_third"),
        )
        .where(
            *in_days(contacts.c.contacted_at, start, last),
            or_(is_third, and_(*failed_attempts(limit))),
            contacts.c.loan_id.in_(theirs),
        )
        .cte(f"{name_of(rule)} both")
    )

    def day_before(count: int) -> Any:
        steps: Any = sa.literal_column(str(count))
        return func.lag(row.c.day, steps, type_=Integer).over(
            partition_by=[row.c.loan_id, row.c.is_third], order_by=in_time_order(row)
        )

    enough, more = day_before(limit.failures - 1), day_before(limit.failures)
    columns = [enough.label("enough_on"), more.label("more_on")]
    return sa.select(row, *columns).cte(f"{name_of(rule)} placed")
