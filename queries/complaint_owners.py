"""Facts: whose a contact, a complaint or a survey is, and of what product and region.

What a contact did is its collector's.  Its agency is the collector's (null: in-house), its team
the case's where the collector owns the case, else the collector's; where no collector is named,
both are the case's.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Date, Integer, Text, and_, case, cast, func, literal, null, or_

from queries.loan_states import BookShape
from warehouse.contract import cases, collectors, customers, loans
from warehouse.dialects import days_between

A_MONDAY = date(1900, 1, 1)  # weeks are counted from here


def week_of(day: Any) -> Any:
    """Whole weeks from `A_MONDAY` to a day's own."""
    return cast(func.floor(days_between(literal(A_MONDAY, Date), day) / 7.0), Integer)


def day_of(moment: Any) -> Any:
    return cast(moment, Date)


def no_text() -> Any:
    return cast(null(), Text)


def row_count() -> Any:
    return cast(func.count(), BigInteger)


def with_owner(
    source: Any, case_id: Any, collector_id: Any, shape: BookShape
) -> tuple[Any, Any, Any, Any]:
    """Rows joined with their case and their collector: the source, the case (or None), team and
    agency.  `collector_id` is who did it; null: nobody by name, so that both are the case's."""
    held, staff = cases.alias("k"), collectors.alias("s")
    team: Any = no_text()
    agency: Any = no_text()
    owner: Any = no_text()
    has_cases = "cases" in shape.tables
    if has_cases:
        source = source.outerjoin(held, held.c.case_id == case_id)
        team, agency, owner = held.c.team, held.c.agency_id, held.c.collector_id
    if "collectors" in shape.tables:
        who = func.coalesce(collector_id, owner)
        source = source.outerjoin(staff, staff.c.collector_id == who)
        is_named = and_(collector_id.is_not(None), staff.c.collector_id.is_not(None))
        is_guest = and_(is_named, or_(owner.is_(None), owner != collector_id))
        team = case(
            (is_guest, func.coalesce(staff.c.team, team)),
            else_=func.coalesce(team, staff.c.team),
        )
        agency = case((is_named, staff.c.agency_id), else_=agency)
    return source, held if has_cases else None, team.label("team"), agency.label("agency_id")


def with_segments(
    source: Any, loan_id: Any, shape: BookShape, *, customer_id: Any = None
) -> tuple[Any, list[Any]]:
    """Product and region, null where the loan is not there; the borrower named counts then."""
    loan, customer = loans.alias("l"), customers.alias("c")
    source = source.outerjoin(loan, loan.c.loan_id == loan_id)
    region = no_text()
    if "customers" in shape.tables:
        known = loan.c.customer_id
        who = known if customer_id is None else func.coalesce(known, customer_id)
        source = source.outerjoin(customer, customer.c.customer_id == who)
        region = customer.c.region
    return source, [loan.c.product.label("product"), region.label("region")]
