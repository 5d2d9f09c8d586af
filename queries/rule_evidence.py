"""Facts: the contacts behind a breach: the one that breaks the rule, and those that make it one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Text, and_, func, literal, or_

from queries.contacts import in_days
from queries.loan_states import BookShape
from queries.rule_counts import broken
from queries.rule_rows import (
    BREACH,
    NOT_CONNECTED,
    day_number,
    looked_at,
    not_agreed,
)
from queries.rule_third_parties import failed_attempts
from warehouse.contract import RIGHT_PARTY, contacts
from warehouse.dialects import byte_order
from warehouse.pack_limits import AfterConversation, DailyCap, RollingCap, ThirdPartyAfter
from warehouse.packs import Rule

MOST_ROWS = 5000  # of evidence, whatever was asked for
SHOWN = ("contact_id", "loan_id", "case_id", "contacted_at", "channel", "party", "outcome",
         "contact_point", "duration_seconds", "is_recorded", "has_consent",
         "collector_id")  # fmt: skip


def rule_evidence(
    rule: Rule,
    first: date,
    last: date,
    shape: BookShape,
    keys: Mapping[str, Collection[Any]],
    limit: int,
    *,
    kind: str = BREACH,
    most_rows: int = MOST_ROWS,
) -> sa.Select:
    """The latest breaches (or near misses) of some days with the contacts that make them so.

    `keys`: wanted values by column (collector_id, team, agency_id, channel, hour, weekday, product,
    region, consent, in_force), None among them for what is not recorded.  One row a contact, those
    of a breach together, oldest first: `breach_id` and `breach_at` are of the contact that breaks
    the rule, `role` is `this` for it and `before` for the others.
    """
    row = broken([rule], first, last, shape)
    chosen = [row.c.kind == kind]
    for name, values in keys.items():
        known = [value for value in values if value is not None]
        is_one = row.c[name].in_(known)
        chosen.append(or_(is_one, row.c[name].is_(None)) if None in values else is_one)
    hit = (
        sa.select(row)
        .where(*chosen)
        .order_by(row.c.contacted_at.desc(), byte_order(row.c.contact_id).desc())
        .limit(limit)
        .cte("hits")
    )
    start = first - timedelta(days=rule.limit.look_back_days)
    found = [_contacts(hit, "this", contacts.c.contact_id == hit.c.contact_id, first, last)]
    before = _before(rule, hit)
    if before is not None:
        found.append(_contacts(hit, "before", before, start, last))
    every = sa.union_all(*found).subquery("evidence")
    return (
        sa.select(every)
        .order_by(
            every.c.breach_at.desc(),
            byte_order(every.c.breach_id).desc(),
            every.c.contacted_at,
            byte_order(every.c.contact_id),
        )
        .limit(most_rows)
    )


def _contacts(hit: Any, role: str, joined: Any, first: date, last: date) -> sa.Select:
    of_hit = [hit.c[name] for name in ("team", "agency_id", "product", "region", "in_force")]
    return (
        sa.select(
            hit.c.contact_id.label("breach_id"),
            hit.c.contacted_at.label("breach_at"),
            literal(role, Text).label("role"),
            *[contacts.c[name] for name in SHOWN],
            *of_hit,
        )
        .join_from(hit, contacts, joined)
        .where(*in_days(contacts.c.contacted_at, first, last))
    )


def _before(rule: Rule, hit: Any) -> Any:
    """Whether a contact is one of those before that a breach counts; None where it counts none."""
    limit = rule.limit
    day = day_number(contacts.c.contacted_at)
    own = day_number(hit.c.contacted_at)
    same_loan = contacts.c.loan_id == hit.c.loan_id
    earlier_id = byte_order(contacts.c.contact_id) < byte_order(hit.c.contact_id)
    earlier = or_(
        contacts.c.contacted_at < hit.c.contacted_at,
        and_(contacts.c.contacted_at == hit.c.contacted_at, earlier_id),
    )
    counts = [earlier, *looked_at(rule), *([not_agreed(contacts)] if rule.unless_consent else [])]
    if isinstance(limit, DailyCap):
        by_point = limit.per == "contact_point"
        same = contacts.c.contact_point == hit.c.contact_point if by_point else same_loan
        failed = contacts.c.outcome.in_(NOT_CONNECTED)
        return and_(same, day == own, *counts, *([failed] if limit.counts != "all" else []))
    if isinstance(limit, RollingCap):
        return and_(same_loan, day >= own - (limit.days - 1), *counts)
    if isinstance(limit, AfterConversation):
        talked = contacts.c.outcome.in_(RIGHT_PARTY)
        return and_(same_loan, day >= own - limit.days, earlier, talked, *looked_at(rule))
    if isinstance(limit, ThirdPartyAfter):
        return and_(same_loan, day >= own - limit.days, earlier, *failed_attempts(limit))
    return None


def breach_count(rule: Rule, first: date, last: date, shape: BookShape) -> sa.Select:
    """How many breaches and near misses the facts have now: to hold against the marts."""
    row = broken([rule], first, last, shape)
    return sa.select(row.c.kind, func.count().label("contacts")).group_by(row.c.kind)
