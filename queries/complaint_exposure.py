"""Facts: the attempts, open cases and surveys that complaints are measured by, as sums."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, case, cast, func

from queries.cases import stage_of
from queries.complaint_owners import (
    day_of,
    no_text,
    row_count,
    week_of,
    with_owner,
    with_segments,
)
from queries.contacts import in_days
from queries.loan_states import BookShape, month_open
from warehouse.contract import cases, collectors, contacts, surveys
from warehouse.dialects import month_start

MOST_ATTEMPTS = 20  # on a case in a month; more count as so many


def attempts(first: date, last: date, shape: BookShape) -> sa.Select:
    """Attempts of some months (month-ends) by segment, team and agency, twice in one pass: by
    week and channel (`is_by_week` 1), and by collector (null for what no collector did)."""
    source, _, *owner = with_owner(contacts, contacts.c.case_id, contacts.c.collector_id, shape)
    source, segments = with_segments(source, contacts.c.loan_id, shape)
    month = month_start(day_of(contacts.c.contacted_at)).label("month_start")
    row = (
        sa.select(
            month,
            week_of(day_of(contacts.c.contacted_at)).label("week_number"),
            contacts.c.channel,
            contacts.c.collector_id,
            *segments,
            *owner,
        )
        .select_from(source)
        .where(*outbound(first, last))
        .cte("attempts")
    )
    both = [row.c[name] for name in ("month_start", "product", "region", "team", "agency_id")]
    by_week, by_collector = [row.c.week_number, row.c.channel], [row.c.collector_id]
    sets = func.grouping_sets(sa.tuple_(*both, *by_week), sa.tuple_(*both, *by_collector))
    return sa.select(
        *both,
        *by_week,
        *by_collector,
        func.grouping(row.c.collector_id).label("is_by_week"),
        row_count().label("attempts"),
    ).group_by(sets)


def outbound(first: date, last: date) -> list[Any]:
    """Attempts of some months (month-ends)."""
    return [
        contacts.c.direction == "outbound",
        *in_days(contacts.c.contacted_at, month_open(first), last),
    ]


def attempt_totals(first: date, last: date) -> sa.Select:
    """Attempts by month: what the marts must equal."""
    month = month_start(day_of(contacts.c.contacted_at)).label("month_start")
    return (
        sa.select(month, row_count().label("attempts"))
        .where(*outbound(first, last))
        .group_by(month)
    )


def intensity(first: date, last: date, shape: BookShape) -> sa.Select:
    """Cases by the attempts made on them in a month, by segment and stage at opening."""
    month = month_start(day_of(contacts.c.contacted_at)).label("month_start")
    tried = (
        sa.select(month, contacts.c.case_id, row_count().label("attempts"))
        .where(*outbound(first, last), contacts.c.case_id.is_not(None))
        .group_by(month, contacts.c.case_id)
        .cte("tried")
    )
    source, segments = with_segments(
        tried.join(cases, cases.c.case_id == tried.c.case_id), cases.c.loan_id, shape
    )
    times = case((tried.c.attempts > MOST_ATTEMPTS, MOST_ATTEMPTS), else_=tried.c.attempts)
    by = [
        tried.c.month_start,
        *segments,
        stage_of(cases.c.opening_days_past_due).label("stage"),
        times.label("case_attempts"),
    ]
    attempts = cast(func.sum(tried.c.attempts), BigInteger).label("attempts")
    return sa.select(*by, row_count().label("cases"), attempts).select_from(source).group_by(*by)


def cases_by_week(as_of: date, shape: BookShape) -> sa.Select:
    """Cases by the week of their opening and of their closing (null: open on the data's last
    day), by segment, team and agency."""
    source: Any = cases
    team: Any = cases.c.team
    if "collectors" in shape.tables:
        staff = collectors.alias("s")
        source = source.outerjoin(staff, staff.c.collector_id == cases.c.collector_id)
        team = func.coalesce(team, staff.c.team)
    source, segments = with_segments(source, cases.c.loan_id, shape)
    closed_on = case((cases.c.closed_on <= as_of, cases.c.closed_on))
    by = [week_of(cases.c.opened_on).label("opened_week"), week_of(closed_on).label("closed_week")]
    by += [*segments, team.label("team"), cases.c.agency_id.label("agency_id")]
    return (
        sa.select(*by, row_count().label("cases"))
        .select_from(source)
        .where(cases.c.opened_on <= as_of)
        .group_by(*by)
    )


def survey_answers(as_of: date, shape: BookShape) -> sa.Select:
    """What borrowers answered by month, segment and whose case it was."""
    source, held, team, agency = with_owner(surveys, surveys.c.case_id, no_text(), shape)
    loan_id = no_text() if held is None else held.c.loan_id
    collector_id = no_text() if held is None else held.c.collector_id
    source, segments = with_segments(source, loan_id, shape, customer_id=surveys.c.customer_id)
    by = [month_start(surveys.c.surveyed_on).label("month_start"), *segments]
    by += [collector_id.label("collector_id"), team, agency, surveys.c.satisfaction]
    return (
        sa.select(*by, row_count().label("surveys"))
        .select_from(source)
        .where(surveys.c.surveyed_on < as_of + timedelta(days=1))
        .group_by(*by)
    )
