"""Facts: attempts held against a contact rule: which break it, and which came just short of it.

Each rule reads the contacts of some days, and as many days before them as it looks back, so that
a month is judged alone as it would be in the whole log.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Date, Integer, and_, case, cast, func, or_

from queries.complaints import with_owner
from queries.loan_states import BookShape
from queries.rule_rows import (
    NOT_CONNECTED,
    THIRD_PARTY,
    attempt_rows,
    in_time_order,
    minute_of,
    name_of,
    not_agreed,
    told,
    weekday_of,
)
from queries.rule_third_parties import third_party_after
from warehouse.contract import RIGHT_PARTY, agencies, cases, collectors, contacts
from warehouse.pack_limits import (
    MINUTES_A_DAY,
    NEAR_MINUTES,
    AfterConversation,
    DailyCap,
    ListedAgency,
    NoThirdParty,
    QuietHours,
    RollingCap,
    ThirdPartyAfter,
)
from warehouse.packs import Rule


def _minutes(row: Any, chosen: set[int]) -> Any:
    """Whether a contact was in one of these minutes of the day."""
    minute = minute_of(row.c.contacted_at)
    starts = sorted(one for one in chosen if one - 1 not in chosen)
    ends = sorted(one for one in chosen if one + 1 not in chosen)
    spans = zip(starts, ends, strict=True)
    return or_(sa.false(), *[minute.between(start, end) for start, end in spans])


def _quiet_hours(rule: Rule, first: date, last: date, shape: BookShape) -> sa.Select:
    limit = rule.limit
    assert isinstance(limit, QuietHours)
    length = (limit.end - limit.start) % MINUTES_A_DAY
    quiet = {(limit.start + step) % MINUTES_A_DAY for step in range(length)}
    beside = {(limit.end + step) % MINUTES_A_DAY for step in range(NEAR_MINUTES)}
    beside |= {(limit.start - 1 - step) % MINUTES_A_DAY for step in range(NEAR_MINUTES)}
    days = []
    if limit.weekdays:
        days.append(weekday_of(contacts.c.contacted_at).in_(limit.weekdays))
    row = attempt_rows(rule, first, last, *days)
    return told(row, _minutes(row, quiet), _minutes(row, beside - quiet), first)


def _daily_cap(rule: Rule, first: date, last: date, shape: BookShape) -> sa.Select:
    limit = rule.limit
    assert isinstance(limit, DailyCap)
    key = contacts.c[limit.per if limit.per == "contact_point" else "loan_id"]
    wanted = [key.is_not(None)]
    if limit.counts == "not_connected":
        wanted.append(contacts.c.outcome.in_(NOT_CONNECTED))
    row = attempt_rows(rule, first, last, *wanted, columns=[key.label("one")])
    number = func.row_number().over(
        partition_by=[row.c.one, row.c.day], order_by=in_time_order(row)
    )
    counted = sa.select(row, number.label("number")).cte(f"{name_of(rule)} counted")
    is_last = counted.c.number == limit.at_most
    return told(counted, counted.c.number > limit.at_most, is_last, first)


def _rolling_cap(rule: Rule, first: date, last: date, shape: BookShape) -> sa.Select:
    limit = rule.limit
    assert isinstance(limit, RollingCap)
    row = attempt_rows(rule, first, last)

    def day_before(count: int) -> Any:
        steps: Any = sa.literal_column(str(count))
        return func.lag(row.c.day, steps, type_=Integer).over(
            partition_by=row.c.loan_id, order_by=in_time_order(row)
        )

    columns = [row, day_before(limit.at_most).label("too_many")]
    columns.append(day_before(max(limit.at_most - 1, 0)).label("full"))
    counted = sa.select(*columns).cte(f"{name_of(rule)} counted")
    since = counted.c.day - (limit.days - 1)
    is_full = counted.c.full >= since if limit.at_most else sa.false()
    return told(counted, counted.c.too_many >= since, is_full, first)


def _after_conversation(rule: Rule, first: date, last: date, shape: BookShape) -> sa.Select:
    limit = rule.limit
    assert isinstance(limit, AfterConversation)
    talked = contacts.c.outcome.in_(RIGHT_PARTY).label("talked")
    # a conversation that was agreed to is one all the same
    row = attempt_rows(replace(rule, unless_consent=False), first, last, columns=[talked])
    last_talk = func.max(case((row.c.talked, row.c.day))).over(
        partition_by=row.c.loan_id, order_by=in_time_order(row), rows=(None, -1)
    )
    known = sa.select(row, last_talk.label("talked_on")).cte(f"{name_of(rule)} counted")
    passed = known.c.day - known.c.talked_on
    judged = told(known, passed < limit.days, passed == limit.days, first)
    return judged.where(not_agreed(known)) if rule.unless_consent else judged


def _no_third_party(rule: Rule, first: date, last: date, shape: BookShape) -> sa.Select:
    assert isinstance(rule.limit, NoThirdParty)
    row = attempt_rows(rule, first, last, contacts.c.party == THIRD_PARTY)
    return told(row, sa.true(), sa.false(), first)


def _listed_agency(rule: Rule, first: date, last: date, shape: BookShape) -> sa.Select:
    assert isinstance(rule.limit, ListedAgency)
    row = attempt_rows(rule, first, last, _unsure(first, last, shape))
    source, _, _, agency = with_owner(row, row.c.case_id, row.c.collector_id, shape)
    owned = sa.select(row, agency).select_from(source).cte(f"{name_of(rule)} owned")
    day = cast(owned.c.contacted_at, Date)
    is_listed = and_(
        agencies.c.listed_from_on <= day,
        or_(agencies.c.listed_to_on.is_(None), agencies.c.listed_to_on >= day),
    )
    known = (
        sa.select(owned, agencies.c.agency_id.label("listed_id"))
        .select_from(owned.outerjoin(agencies, and_(agencies.c.agency_id == owned.c.agency_id,
                                                    is_listed)))
        .where(owned.c.agency_id.is_not(None))
        .cte(f"{name_of(rule)} known")
    )  # fmt: skip
    return told(known, known.c.listed_id.is_(None), sa.false(), first)


def _unsure(first: date, last: date, shape: BookShape) -> Any:
    """Contacts of cases or collectors of agencies that are not on the list on all of the days:
    as a rule there are none, and no other contact need be looked at."""
    always = sa.select(agencies.c.agency_id).where(
        agencies.c.listed_from_on <= first,
        or_(agencies.c.listed_to_on.is_(None), agencies.c.listed_to_on >= last),
    )
    found: list[Any] = [sa.false()]
    for table, key in ((cases, "case_id"), (collectors, "collector_id")):
        if table.name in shape.tables:
            theirs = sa.select(table.c[key]).where(
                table.c.agency_id.is_not(None), table.c.agency_id.not_in(always)
            )
            found.append(contacts.c[key].in_(theirs))
    return or_(*found)


_JUDGED: dict[type, Callable[[Rule, date, date, BookShape], sa.Select]] = {
    QuietHours: _quiet_hours,
    DailyCap: _daily_cap,
    RollingCap: _rolling_cap,
    AfterConversation: _after_conversation,
    NoThirdParty: _no_third_party,
    ListedAgency: _listed_agency,
}


def judged(rule: Rule, first: date, last: date, shape: BookShape) -> sa.Select:
    """The attempts of some days that break a rule or came just short of it: `kind` says which."""
    if isinstance(rule.limit, ThirdPartyAfter):
        return third_party_after(rule, first, last)
    return _JUDGED[type(rule.limit)](rule, first, last, shape)
