"""Facts: what was done in collections by month beside contacts: law, plans, placements.

By the stage at the opening of the case (of a plan that names no case: of the loan's last case
opened by then), its loan's product and grade and its borrower's region.  The grade is that of
the month-end before the opening, else the loan's.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Text, and_, case, cast, func, literal, null

from queries.cases import CaseSettings, stage_of
from queries.loan_states import BookShape, cents, total
from warehouse.contract import cases, customers, legal_actions, loan_months, loans, plans
from warehouse.dialects import month_end_before, month_start

PLANS = {
    "instalment": "instalments",
    "deferral": "deferrals",
    "rate_cut": "rate_cuts",
    "term_extension": "term_extensions",
    "restructure": "restructures",
    "settlement": "settlements",
}
SUMS = (
    "agency_cases",
    "agency_cents",
    "letters",
    "filings",
    "legal_cents",
    *PLANS.values(),
    "settled_cents",
    "settled_base_cents",
)


def treatments(as_of: date, shape: BookShape, settings: CaseSettings) -> sa.Select:
    """Counts and money of what was done, by month (its first day), stage and segment."""
    parts = [_placements(settings)]
    if "legal_actions" in shape.tables:
        parts.append(_legal(as_of))
    if "plans" in shape.tables:
        parts.append(_plans(as_of))
    steps = sa.union_all(*parts).cte("steps")
    return _by_segment(steps, shape)


def _step(day: Any, case_id: Any, **sums: Any) -> list[Any]:
    """A step's columns: the month it was taken in, its case, and its sums (0 where not named)."""
    return [
        month_start(day).label("month_start"),
        case_id.label("case_id"),
        *[cast(sums.get(name, literal(0)), BigInteger).label(name) for name in SUMS],
    ]


def _placements(settings: CaseSettings) -> sa.Select:
    return sa.select(
        *_step(
            cases.c.opened_on,
            cases.c.case_id,
            agency_cases=literal(1),
            agency_cents=cents(cases.c.placed_amount),
        )
    ).where(cases.c.agency_id.is_not(None), cases.c.opened_on <= settings.as_of)


def _legal(as_of: date) -> sa.Select:
    action: Any = legal_actions

    def one(name: str) -> Any:
        return case((action.c.action == name, 1), else_=0)

    return sa.select(
        *_step(
            action.c.acted_on,
            action.c.case_id,
            letters=one("formal_letter"),
            filings=one("filing"),
            legal_cents=cents(action.c.fee_amount),
        )
    ).where(action.c.acted_on <= as_of)


def _plans(as_of: date) -> sa.Select:
    """Plans with their case; one that names none is the loan's case opened last before it."""
    held = cases.alias("held")
    by_loan = (
        sa.select(
            plans.c.plan_id,
            held.c.case_id,
            func.row_number()
            .over(
                partition_by=plans.c.plan_id,
                order_by=[held.c.opened_on.desc(), held.c.case_id.desc()],
            )
            .label("place"),
        )
        .join_from(
            plans,
            held,
            and_(held.c.loan_id == plans.c.loan_id, held.c.opened_on <= plans.c.agreed_on),
        )
        .where(plans.c.case_id.is_(None))
        .cte("by_loan")
    )
    own = cases.alias("own")
    case_id = func.coalesce(plans.c.case_id, by_loan.c.case_id)
    settled = plans.c.kind == "settlement"
    base = func.coalesce(own.c.placed_balance_amount, own.c.placed_amount)
    sums = {name: case((plans.c.kind == kind, 1), else_=0) for kind, name in PLANS.items()} | {
        "settled_cents": case((settled, cents(plans.c.plan_amount)), else_=0),
        "settled_base_cents": case((settled, cents(base)), else_=0),
    }
    source = plans.outerjoin(
        by_loan, and_(by_loan.c.plan_id == plans.c.plan_id, by_loan.c.place == 1)
    ).join(own, own.c.case_id == case_id)
    return (
        sa.select(*_step(plans.c.agreed_on, own.c.case_id, **sums))
        .select_from(source)
        .where(plans.c.agreed_on <= as_of)
    )


def _by_segment(steps: Any, shape: BookShape) -> sa.Select:
    before = loan_months.alias("before")
    source: Any = steps.join(cases, cases.c.case_id == steps.c.case_id)
    source = source.join(loans, loans.c.loan_id == cases.c.loan_id)
    source = source.outerjoin(
        before,
        and_(
            before.c.loan_id == cases.c.loan_id,
            before.c.month == month_end_before(cases.c.opened_on),
        ),
    )
    region: Any = cast(null(), Text)
    if "customers" in shape.tables:
        source = source.outerjoin(customers, customers.c.customer_id == loans.c.customer_id)
        region = customers.c.region
    rows = (
        sa.select(
            steps,
            stage_of(cases.c.opening_days_past_due).label("stage"),
            loans.c.product,
            region.label("region"),
            func.coalesce(before.c.risk_grade, loans.c.risk_grade).label("grade"),
        )
        .select_from(source)
        .cte("rows_of_steps")
    )
    keys = [rows.c[name] for name in ("month_start", "stage", "product", "region", "grade")]
    return sa.select(*keys, *[total(rows.c[name]).label(name) for name in SUMS]).group_by(*keys)
