"""Facts: complaints, and whose they are.

A complaint belongs to the contact that it names; else to the last attempt on its case before it;
else to the owner of its case; else to nobody.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, case, cast, func, null, or_

from queries.cases import stage_of
from queries.complaint_owners import day_of, no_text, row_count, with_owner, with_segments
from queries.loan_states import BookShape, cents
from warehouse.contract import complaints, contacts
from warehouse.dialects import month_start

_OWN = ("intake", "category", "grade", "received_at", "acknowledged_at", "responded_at",
        "resolved_at", "outcome", "deadline_class", "appealed_at", "appeal_outcome")  # fmt: skip


def complaint_rows(shape: BookShape) -> sa.Select:
    """Every complaint with its contact, case, owner, channel and segments."""
    row = _with_contacts(shape)
    found = row.c.found_contact_id.is_not(None)
    source, held, team, agency = with_owner(row, row.c.held_id, row.c.contact_collector_id, shape)
    loan_id: Any = row.c.contact_loan_id
    collector_id: Any = row.c.contact_collector_id
    stage = no_text()
    is_owned: Any = sa.false()
    if held is not None:
        loan_id = func.coalesce(loan_id, held.c.loan_id)
        collector_id = case((found, collector_id), else_=held.c.collector_id)
        stage = case((held.c.case_id.is_not(None), stage_of(held.c.opening_days_past_due)))
        is_owned = or_(*[held.c[name].is_not(None) for name in ("collector_id", "team")])
        is_owned = or_(is_owned, held.c.agency_id.is_not(None))
    source, segments = with_segments(source, loan_id, shape, customer_id=row.c.customer_id)
    tried = _attempts_on_cases(row) if "contacts" in shape.tables else None
    case_attempts: Any = cast(null(), BigInteger)
    if tried is not None:
        source = source.outerjoin(tried, tried.c.complaint_id == row.c.complaint_id)
        case_attempts = tried.c.case_attempts
    by = case(
        (row.c.is_named, "contact"), (found, "last_contact"), (is_owned, "case_owner"),
        else_="nobody",
    )  # fmt: skip
    return sa.select(
        *[row.c[name] for name in ("complaint_id", "customer_id", "case_id", "contact_id", *_OWN)],
        row.c.compensation_cents,
        loan_id.label("loan_id"),
        by.label("attributed_by"),
        collector_id.label("collector_id"),
        team,
        agency,
        row.c.channel,
        row.c.contact_at,
        case((row.c.is_named, row.c.contact_collector_id)).label("named_collector_id"),
        row.c.worked_at,
        case_attempts.label("case_attempts"),
        stage.label("stage"),
        *segments,
    ).select_from(source)


def _with_contacts(shape: BookShape) -> sa.CTE:
    """Complaints with the contact that each names, else the last attempt on its case before it."""
    own = [complaints.c[name] for name in ("complaint_id", "customer_id", "contact_id", *_OWN)]
    own.append(cents(complaints.c.compensation_amount).label("compensation_cents"))
    if "contacts" not in shape.tables:
        nothing = {
            name: no_text() for name in ("found_contact_id", "channel", "contact_loan_id",
                                          "contact_collector_id")
        }  # fmt: skip
        return sa.select(
            *own,
            complaints.c.case_id,
            complaints.c.case_id.label("held_id"),
            *[value.label(name) for name, value in nothing.items()],
            cast(null(), sa.DateTime).label("contact_at"),
            sa.false().label("is_named"),
            complaints.c.received_at.label("worked_at"),
        ).cte("complained")
    named, last = contacts.alias("n"), _last_attempts()
    is_named = named.c.contact_id.is_not(None)

    def either(name: str) -> Any:
        return case((is_named, named.c[name]), else_=last.c[name])

    contact_at = either("contacted_at")
    return (
        sa.select(
            *own,
            func.coalesce(complaints.c.case_id, named.c.case_id).label("case_id"),
            func.coalesce(named.c.case_id, complaints.c.case_id).label("held_id"),
            either("contact_id").label("found_contact_id"),
            either("channel").label("channel"),
            either("loan_id").label("contact_loan_id"),
            either("collector_id").label("contact_collector_id"),
            contact_at.label("contact_at"),
            is_named.label("is_named"),
            func.coalesce(contact_at, complaints.c.received_at).label("worked_at"),
        )
        .select_from(
            complaints.outerjoin(named, named.c.contact_id == complaints.c.contact_id).outerjoin(
                last, last.c.complaint_id == complaints.c.complaint_id
            )
        )
        .cte("complained")
    )


def _last_attempts() -> sa.CTE:
    """Of complaints that name a case: the last attempt on it before they were received."""
    names = ("contact_id", "loan_id", "case_id", "collector_id", "channel", "contacted_at")
    place = func.row_number().over(
        partition_by=complaints.c.complaint_id,
        order_by=(contacts.c.contacted_at.desc(), contacts.c.contact_id.desc()),
    )
    row = (
        sa.select(
            complaints.c.complaint_id,
            *[contacts.c[name] for name in names],
            place.label("place"),
        )
        .join_from(complaints, contacts, contacts.c.case_id == complaints.c.case_id)
        .where(
            contacts.c.direction == "outbound",
            contacts.c.contacted_at < complaints.c.received_at,
        )
        .cte("before")
    )
    return sa.select(row).where(row.c.place == 1).cte("latest")


def _attempts_on_cases(row: sa.CTE) -> sa.CTE:
    """How many attempts each complaint's case had in the month that the complaint is about."""
    same_month = month_start(day_of(contacts.c.contacted_at)) == month_start(
        day_of(row.c.worked_at)
    )
    return (
        sa.select(row.c.complaint_id, row_count().label("case_attempts"))
        .join_from(row, contacts, contacts.c.case_id == row.c.case_id)
        .where(contacts.c.direction == "outbound", same_month)
        .group_by(row.c.complaint_id)
        .cte("tried")
    )
