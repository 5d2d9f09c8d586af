"""Facts: how many attempts the rules still allow at the end of a day, by stage.

What was attempted on that day already counts.  A cap on contact points is counted over the points
that were tried in the 90 days before; a loan without any is not counted, and `uncounted` says how
many are not.  Rules on hours, third parties and lists limit no number of attempts, so they have no
capacity.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Text, and_, case, cast, func, literal, null

from queries.complaints import with_segments
from queries.contacts import in_days
from queries.loan_states import BookShape, count_if
from queries.rule_counts import open_loans
from queries.rule_rows import NOT_CONNECTED, looked_at, not_agreed
from warehouse.contract import RIGHT_PARTY, contacts
from warehouse.pack_limits import AfterConversation, DailyCap, RollingCap
from warehouse.packs import Rule

CAPS = (DailyCap, RollingCap, AfterConversation)
KNOWN_DAYS = 90
ALL = "all"


def _room(at_most: int, used: Any) -> Any:
    return case((used < at_most, at_most - used), else_=0)


def _counting(rule: Rule) -> list[Any]:
    return [*looked_at(rule), *([not_agreed()] if rule.unless_consent else [])]


def _by_loan(rule: Rule, day: date, held: sa.CTE) -> sa.Select:
    """One row an open loan: its units, and of them attempts used and still allowed."""
    limit = rule.limit
    if isinstance(limit, DailyCap) and limit.per == "contact_point":
        return _by_contact_point(rule, limit, day, held)
    assert isinstance(limit, CAPS)
    conditions = _counting(rule)
    if isinstance(limit, AfterConversation):
        conditions = [*looked_at(rule), contacts.c.outcome.in_(RIGHT_PARTY)]
    elif isinstance(limit, DailyCap) and limit.counts == "not_connected":
        conditions.append(contacts.c.outcome.in_(NOT_CONNECTED))
    days = 1 if isinstance(limit, DailyCap) else limit.days
    tried = (
        sa.select(contacts.c.loan_id, cast(func.count(), BigInteger).label("used"))
        .where(*in_days(contacts.c.contacted_at, day - timedelta(days=days - 1), day), *conditions)
        .group_by(contacts.c.loan_id)
        .subquery()
    )
    used: Any = func.coalesce(tried.c.used, 0)
    if isinstance(limit, AfterConversation):  # no number, but none at all for some days
        allowed = case((used > 0, 0))
        used = case((used > 0, 1), else_=0)
    else:
        allowed = _room(limit.at_most, used)
    one = literal(1, BigInteger)
    return sa.select(
        held.c.loan_id, one.label("units"), used.label("used"), allowed.label("allowed"),
        case((allowed == 0, 1), else_=0).label("exhausted"),
        literal(0, BigInteger).label("uncounted"),
    ).select_from(held.outerjoin(tried, tried.c.loan_id == held.c.loan_id))  # fmt: skip


def _by_contact_point(rule: Rule, limit: DailyCap, day: date, held: sa.CTE) -> sa.Select:
    counts = and_(*_counting(rule), *in_days(contacts.c.contacted_at, day, day))
    if limit.counts == "not_connected":
        counts = and_(counts, contacts.c.outcome.in_(NOT_CONNECTED))
    since = day - timedelta(days=KNOWN_DAYS - 1)
    point = (
        sa.select(contacts.c.loan_id, contacts.c.contact_point, count_if(counts).label("used"))
        .where(
            *looked_at(rule),
            contacts.c.contact_point.is_not(None),
            *in_days(contacts.c.contacted_at, since, day),
            contacts.c.loan_id.in_(sa.select(held.c.loan_id)),
        )
        .group_by(contacts.c.loan_id, contacts.c.contact_point)
        .subquery()
    )
    room = _room(limit.at_most, point.c.used)
    sums = {"units": literal(1), "used": point.c.used, "allowed": room,
            "exhausted": case((room == 0, 1), else_=0)}  # fmt: skip
    loan = (
        sa.select(
            point.c.loan_id,
            *[cast(func.sum(value), BigInteger).label(name) for name, value in sums.items()],
        )
        .group_by(point.c.loan_id)
        .subquery()
    )
    units = func.coalesce(loan.c.units, 0)
    return sa.select(
        held.c.loan_id, units.label("units"), loan.c.used, loan.c.allowed,
        func.coalesce(loan.c.exhausted, 0).label("exhausted"),
        case((units == 0, 1), else_=0).label("uncounted"),
    ).select_from(held.outerjoin(loan, loan.c.loan_id == held.c.loan_id))  # fmt: skip


def capacity_cells(rules: Sequence[Rule], day: date, shape: BookShape) -> sa.Select | None:
    """What a pack's caps allow on a day by rule, stage and segment; `all`: the least by loan.

    None where the pack has no cap.
    """
    caps = [rule for rule in rules if isinstance(rule.limit, CAPS)]
    if not caps or not {"cases", "contacts"} <= shape.tables:
        return None
    held = open_loans(day + timedelta(days=1), day)  # a case closed on the day is at its end
    parts = []
    for place, rule in enumerate(caps):
        row = _by_loan(rule, day, held).subquery(f"cap_{place}")
        is_point = isinstance(rule.limit, DailyCap) and rule.limit.per == "contact_point"
        unit = literal("contact_point" if is_point else "loan", Text).label("unit")
        parts.append(sa.select(literal(rule.id, Text).label("rule"), unit, *row.c))
    every = sa.union_all(*parts).cte("every")
    least = sa.select(
        literal(ALL, Text).label("rule"),
        literal("loan", Text).label("unit"),
        every.c.loan_id,
        cast(1 - func.min(every.c.uncounted), BigInteger).label("units"),
        cast(null(), BigInteger).label("used"),
        func.min(every.c.allowed).label("allowed"),
        case((func.min(every.c.allowed) == 0, 1), else_=0).label("exhausted"),
        cast(func.min(every.c.uncounted), BigInteger).label("uncounted"),
    ).group_by(every.c.loan_id)
    both = sa.union_all(sa.select(*every.c), least).cte("both")
    source, segments = with_segments(
        both.join(held, held.c.loan_id == both.c.loan_id), held.c.loan_id, shape
    )
    keys = [both.c.rule, both.c.unit, held.c.stage, *segments]
    sums = [
        cast(func.sum(both.c[name]), BigInteger).label(name)
        for name in ("units", "used", "allowed", "exhausted", "uncounted")
    ]
    return sa.select(*keys, *sums).select_from(source).group_by(*keys)
