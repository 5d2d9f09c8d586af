"""Facts: a month's breaches and near misses by cell, and the attempts that they are measured by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    Double,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    null,
)

from queries.cases import stage_of
from queries.complaints import with_owner, with_segments
from queries.contact_rules import judged
from queries.contacts import in_days
from queries.loan_states import BookShape, count_if, month_open
from queries.rule_rows import NOT_CONNECTED, hour_of, weekday_of
from warehouse.contract import cases, contacts, customers, loans
from warehouse.packs import Rule

CALLS = ("call", "voice_bot")
BY_PEOPLE = ("call", "visit", "mediation")  # channels on which somebody speaks to the debtor
OWNER = ("collector_id", "team", "agency_id")
SEGMENTS = ("product", "region")
NO_CASE = "none"  # a stage's place where no case was open


def _rows() -> Any:
    return cast(func.count(), BigInteger)


def consent_of(has_consent: Any) -> Any:
    yes, no = literal("yes", Text), literal("no", Text)
    return case((has_consent.is_(True), yes), (has_consent.is_(False), no))


def broken(rules: Sequence[Rule], first: date, last: date, shape: BookShape) -> sa.CTE:
    """Breaches and near misses of the rules, one row each, with what a reader sorts them by."""
    parts = []
    for place, rule in enumerate(rules):
        found = judged(rule, first, last, shape).subquery(f"judged_{place}")
        in_force = cast(found.c.contacted_at, Date) >= literal(rule.valid_from)
        named = [literal(text, Text) for text in (rule.pack, rule.id)]
        columns = [named[0].label("pack"), named[1].label("rule")]
        parts.append(sa.select(*columns, cast(in_force, Boolean).label("in_force"), *found.c))
    every = sa.union_all(*parts).cte("every")
    source, _, *owner = with_owner(every, every.c.case_id, every.c.collector_id, shape)
    source, segments = with_segments(source, every.c.loan_id, shape)
    return (
        sa.select(
            *every.c,
            *owner,
            *segments,
            consent_of(every.c.has_consent).label("consent"),
            cast(hour_of(every.c.contacted_at), BigInteger).label("hour"),
            cast(weekday_of(every.c.contacted_at), BigInteger).label("weekday"),
        )
        .select_from(source)
        .cte("broken")
    )


BREACH_KEYS = ("pack", "rule", "kind", "in_force", "consent", *OWNER, "channel", "hour",
               "weekday", *SEGMENTS)  # fmt: skip


def breach_cells(rules: Sequence[Rule], month: date, shape: BookShape) -> sa.Select:
    """Breaches and near misses of a month, by cell."""
    row = broken(rules, month_open(month), month, shape)
    keys = [row.c[name] for name in BREACH_KEYS]
    return sa.select(*keys, _rows().label("contacts")).group_by(*keys)


def _since(days: Sequence[date], moment: Any) -> Any:
    """The latest of some days that is not after a time."""
    whens = [(cast(moment, Date) >= literal(day), literal(day)) for day in sorted(days)[::-1]]
    return case(*whens) if whens else cast(null(), Date)


def attempt_cells(valid_from: Sequence[date], month: date, shape: BookShape) -> sa.Select:
    """A month's attempts, three times in one pass: by owner, by hour, and by channel.

    `view` is 0 by owner, 1 by hour and 2 by channel; what is recorded of them is counted in each.
    """
    source, _, *owner = with_owner(contacts, contacts.c.case_id, contacts.c.collector_id, shape)
    source, segments = with_segments(source, contacts.c.loan_id, shape)
    moment = contacts.c.contacted_at
    is_owed: Any = sa.false()
    if "cases" in shape.tables:
        owed = _without_their_case(month)
        source = source.outerjoin(owed, owed.c.contact_id == contacts.c.contact_id)
        is_owed = owed.c.contact_id.is_not(None)
    told = _recorded(is_owed)
    row = (
        sa.select(
            _since(valid_from, moment).label("since"),
            contacts.c.collector_id,
            *owner,
            contacts.c.channel,
            cast(hour_of(moment), BigInteger).label("hour"),
            cast(weekday_of(moment), BigInteger).label("weekday"),
            *segments,
            *told,
        )
        .select_from(source)
        .where(contacts.c.direction == "outbound", *in_days(moment, month_open(month), month))
        .cte("attempts")
    )
    both = [row.c[name] for name in ("since", *SEGMENTS)]
    by_owner = [row.c[name] for name in OWNER]
    by_hour = [row.c.hour, row.c.weekday]
    by_channel = [row.c.channel, row.c.team, row.c.agency_id]
    sets = [sa.tuple_(*both, *keys) for keys in (by_owner, by_hour, by_channel)]
    keys = [*both, *by_owner, *by_hour, row.c.channel]
    view = case((func.grouping(row.c.collector_id) == 0, 0), (func.grouping(row.c.hour) == 0, 1),
                else_=2)  # fmt: skip
    counted = [count_if(row.c[column.name] == 1).label(column.name) for column in told]
    grouped = sa.select(*keys, view.label("view"), _rows().label("attempts"), *counted)
    return grouped.group_by(func.grouping_sets(*sets))


def _without_their_case(month: date) -> sa.Subquery:
    """Attempts of the month that name no case though their loan had one open.

    Those made before lateness, or after it, have none to name; on the very day on which a case
    opens or closes nobody can say which came first, so none is asked for.
    """
    day = cast(contacts.c.contacted_at, Date)
    return (
        sa.select(contacts.c.contact_id)
        .join_from(contacts, cases, cases.c.loan_id == contacts.c.loan_id)
        .where(
            contacts.c.direction == "outbound",
            contacts.c.case_id.is_(None),
            *in_days(contacts.c.contacted_at, month_open(month), month),
            cases.c.opened_on < day,
            sa.or_(cases.c.closed_on.is_(None), cases.c.closed_on > day),
        )
        .distinct()
        .subquery("without_their_case")
    )


def _recorded(is_owed: Any) -> list[Any]:
    """What is there of each attempt, as 1 or 0.  `is_owed`: it names no case though it ought to."""
    is_call = contacts.c.channel.in_(CALLS)
    connected = and_(is_call, contacts.c.outcome.not_in(NOT_CONNECTED))
    timed = contacts.c.duration_seconds.is_not(None)
    someone = contacts.c.collector_id.is_not(None)
    pointed, cased = contacts.c.contact_point.is_not(None), contacts.c.case_id.is_not(None)
    told = {
        "pointed": pointed,
        "cased": cased,
        "collected": someone,
        "complete": and_(
            pointed, sa.not_(is_owed), sa.or_(timed, ~connected),
            sa.or_(someone, contacts.c.channel.not_in(BY_PEOPLE)),
        ),
        "consented": contacts.c.has_consent.is_(True),
        "refused": contacts.c.has_consent.is_(False),
        "connected": connected,
        "timed": and_(connected, timed),
        "recorded": and_(connected, contacts.c.is_recorded.is_(True)),
        "unrecorded": and_(connected, contacts.c.is_recorded.is_(False)),
    }  # fmt: skip
    return [case((condition, 1), else_=0).label(name) for name, condition in told.items()]


def open_loans(first: date, last: date, name: str = "open_loans") -> sa.CTE:
    """Loans with a case open on some of the days, with the stage of the youngest."""
    place = func.row_number().over(
        partition_by=cases.c.loan_id, order_by=(cases.c.opened_on.desc(), cases.c.case_id.desc())
    )
    row = (
        sa.select(cases.c.loan_id, cases.c.opening_days_past_due, place.label("place"))
        .where(
            cases.c.opened_on <= last,
            sa.or_(cases.c.closed_on.is_(None), cases.c.closed_on >= first),
        )
        .subquery(f"{name}_cases")
    )
    stage = stage_of(row.c.opening_days_past_due).label("stage")
    return sa.select(row.c.loan_id, stage).where(row.c.place == 1).cte(name)


def vulnerable_cells(month: date, shape: BookShape) -> sa.Select:
    """Attempts on loans in collections, of vulnerable borrowers and of others."""
    held = open_loans(month_open(month), month)
    tried = (
        sa.select(contacts.c.loan_id, _rows().label("attempts"))
        .where(
            contacts.c.direction == "outbound",
            *in_days(contacts.c.contacted_at, month_open(month), month),
        )
        .group_by(contacts.c.loan_id)
        .cte("tried")
    )
    source = (
        held.join(loans, loans.c.loan_id == held.c.loan_id)
        .join(customers, customers.c.customer_id == loans.c.customer_id)
        .outerjoin(tried, tried.c.loan_id == held.c.loan_id)
    )
    keys = [held.c.stage, customers.c.is_vulnerable, loans.c.product, customers.c.region]
    attempts = func.coalesce(tried.c.attempts, 0)
    squares = cast(attempts, Double) * cast(attempts, Double)
    return (
        sa.select(
            *keys,
            _rows().label("loans"),
            count_if(attempts > 0).label("worked_loans"),
            cast(func.sum(attempts), BigInteger).label("attempts"),
            func.sum(squares).label("attempt_squares"),
        )
        .select_from(source)
        .group_by(*keys)
    )
