"""Facts: what was done in 90 days from the opening of a case on, and what came of it.

A case is followed through its episode: later cases of the episode count, whoever holds them.
Whose cash and whose attempts they are is told as in the recovery marts: the case that is named,
else the loan's case of that day.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Date, and_, case, cast, func, or_

from queries.cases import (
    CaseSettings,
    bucket_at_opening,
    known_cases,
    opened_in,
    stage_of,
    with_episodes,
)
from queries.contacts import in_days
from queries.loan_states import BookShape, cents, count_if, month_open, total
from warehouse.contract import CHANNELS, cases, contacts, legal_actions, payments, plans
from warehouse.dialects import days_between, month_start

OUTCOME_DAYS = 90
SUITS = ("formal_letter", "filing", "judgment", "enforcement")
TALKS = ("call", "visit", "mediation")


def case_outcomes(month: date, shape: BookShape, settings: CaseSettings) -> sa.Select:
    """One row per case opened in a month: its opening, how its episode ended, 90 days of work.

    `place_in_stage` is 1 for the first case of its episode in its stage, `is_opening` 1 for the
    one that opened the episode.  `closed_on` and `close_reason` are those of the episode's last
    case, `own_*` the case's own.  Cash and attempts are the episode's from the opening day on;
    `own_*` of attempts, legal steps and plans those made while the case was held or naming it.
    """
    chosen = sa.select(cases.c.loan_id).where(opened_in(month, month, settings))
    known = known_cases(cases.c.loan_id.in_(chosen), settings).cte("known")
    episodes = with_episodes(known, settings)
    staged = sa.select(*episodes.c, stage_of(episodes.c.days_past_due).label("stage")).cte("staged")
    every = sa.select(*staged.c, _place_in_stage(staged)).cte("every_case")
    opened = every.c.opened_on.between(month_open(month), month)
    anchor = sa.select(every).where(opened).cte("anchor")
    follow = _followed(anchor, every).cte("follow")
    last = sa.select(follow).where(follow.c.place == 1).cte("last_case")
    planned = cases.alias("planned")
    source: Any = anchor.join(last, last.c.anchor_id == anchor.c.case_id)
    source = source.join(planned, planned.c.case_id == anchor.c.case_id)
    found: list[Any] = []
    for part in _parts(follow, month, shape, settings):
        source = source.outerjoin(part, part.c.anchor_id == anchor.c.case_id)
        found += [column for column in part.c if column.name != "anchor_id"]
    return sa.select(
        anchor.c.loan_id,
        anchor.c.opened_on,
        anchor.c.days_past_due,
        bucket_at_opening(anchor.c.days_past_due, shape).label("opening_bucket"),
        anchor.c.stage,
        anchor.c.place_in_stage,
        case((anchor.c.case_id == anchor.c.opening_case_id, 1), else_=0).label("is_opening"),
        cents(anchor.c.placed_amount).label("placed_cents"),
        planned.c.strategy.label("planned"),
        case((anchor.c.agency_id.is_not(None), 1), else_=0).label("own_agency"),
        last.c.closed_on,
        last.c.close_reason,
        anchor.c.closed_on.label("own_closed_on"),
        anchor.c.close_reason.label("own_close_reason"),
        *found,
    ).select_from(source)


def _order(row: Any) -> list[Any]:
    is_open = case((row.c.closed_on.is_(None), 1), else_=0)
    return [row.c.opened_on, is_open, row.c.closed_on, row.c.case_id]


def _place_in_stage(staged: Any) -> Any:
    """1 for the first case of an episode in a stage."""
    keys = [staged.c.opening_case_id, staged.c.stage]
    place = func.row_number().over(partition_by=keys, order_by=_order(staged))
    return place.label("place_in_stage")


def _followed(anchor: Any, every: Any) -> sa.Select:
    """Each case that is followed with itself and the later cases of its episode."""
    later = every.alias("later")
    from_the_last = [column.desc() for column in _order(later)]
    return sa.select(
        anchor.c.case_id.label("anchor_id"),
        anchor.c.opened_on.label("anchor_on"),
        case((later.c.case_id == anchor.c.case_id, 1), else_=0).label("is_own"),
        *[later.c[name] for name in _MEMBER],
        func.row_number()
        .over(partition_by=anchor.c.case_id, order_by=from_the_last)
        .label("place"),
    ).join_from(
        anchor,
        later,
        and_(
            later.c.opening_case_id == anchor.c.opening_case_id,
            later.c.opened_on >= anchor.c.opened_on,
        ),
    )


_MEMBER = (
    "case_id",
    "loan_id",
    "opened_on",
    "closed_on",
    "close_reason",
    "ends_on",
    "covered_to",
)


def _parts(follow: Any, month: date, shape: BookShape, settings: CaseSettings) -> list[sa.CTE]:
    """What the warehouse records of the 90 days, each by the case that is followed."""
    days = month_open(month), min(month + timedelta(days=OUTCOME_DAYS), settings.as_of)
    made = {"payments": _cash, "contacts": _attempts, "plans": _plans, "legal_actions": _legal}
    return [make(follow, days).cte(name) for name, make in made.items() if name in shape.tables]


def _within(follow: Any, day: Any) -> Any:
    return days_between(follow.c.anchor_on, day).between(0, OUTCOME_DAYS)


def _owned(follow: Any, rows: Any, day: Any, columns: list[Any], since: Any = None) -> sa.CTE:
    """Rows of the days asked for with the cases that follow them: named, or held on the day.

    Where two cases of a loan are open, a day is the earlier opened one's.  `since`: a day before
    which even a named case has nothing.
    """
    named = [rows.c.case_id == follow.c.case_id, *([] if since is None else [day >= since])]
    held = [
        rows.c.case_id.is_(None),
        rows.c.loan_id == follow.c.loan_id,
        day.between(follow.c.opened_on, follow.c.ends_on),
        or_(follow.c.covered_to.is_(None), day > follow.c.covered_to),
    ]
    both = [
        sa.select(follow.c.anchor_id, follow.c.is_own, *columns)
        .join_from(rows, follow, and_(*condition))
        .where(_within(follow, day))
        for condition in (named, held)
    ]
    return sa.union_all(*both).cte(f"owned_{rows.name}")


def _cash(follow: Any, days: tuple[date, date]) -> sa.Select:
    names = ("case_id", "loan_id", "paid_on", "amount")
    paid = sa.select(*[payments.c[name] for name in names])
    rows = paid.where(payments.c.paid_on.between(*days)).cte("paid")
    owned = _owned(follow, rows, rows.c.paid_on, [rows.c.amount], follow.c.opened_on)
    amount = total(cents(owned.c.amount)).label("cash_cents")
    return sa.select(owned.c.anchor_id, amount).group_by(owned.c.anchor_id)


def _attempts(follow: Any, days: tuple[date, date]) -> sa.Select:
    on_day = cast(contacts.c.contacted_at, Date).label("on_day")
    names = ("case_id", "loan_id", "channel", "cost_amount")
    rows = (
        sa.select(*[contacts.c[name] for name in names], on_day)
        .where(contacts.c.direction == "outbound", *in_days(contacts.c.contacted_at, *days))
        .cte("attempts")
    )
    columns = [rows.c.channel, rows.c.cost_amount, rows.c.on_day]
    owned = _owned(follow, rows, rows.c.on_day, columns)
    is_own = owned.c.is_own == 1
    own_day = case((is_own, owned.c.on_day))
    return sa.select(
        owned.c.anchor_id,
        *[count_if(owned.c.channel == one).label(f"{one}_attempts") for one in CHANNELS],
        count_if(owned.c.cost_amount.is_not(None)).label("costed_attempts"),
        total(cents(owned.c.cost_amount)).label("cost_cents"),
        count_if(is_own).label("own_tries"),
        cast(days_between(func.min(own_day), func.max(own_day)), BigInteger).label("own_span"),
        count_if(and_(is_own, owned.c.channel.in_(TALKS))).label("own_talks"),
    ).group_by(owned.c.anchor_id)


def _plans(follow: Any, days: tuple[date, date]) -> sa.Select:
    """Plans agreed on the loan while the case was held."""
    held = and_(
        plans.c.loan_id == follow.c.loan_id,
        follow.c.is_own == 1,
        plans.c.agreed_on.between(follow.c.opened_on, follow.c.ends_on),
    )
    return (
        sa.select(follow.c.anchor_id, cast(func.count(), BigInteger).label("own_plans"))
        .join_from(plans, follow, held)
        .where(plans.c.agreed_on.between(*days), _within(follow, plans.c.agreed_on))
        .group_by(follow.c.anchor_id)
    )


def _legal(follow: Any, days: tuple[date, date]) -> sa.Select:
    action: Any = legal_actions
    own = and_(action.c.case_id == follow.c.case_id, follow.c.is_own == 1)
    return (
        sa.select(follow.c.anchor_id, cast(func.count(), BigInteger).label("own_suits"))
        .join_from(action, follow, own)
        .where(
            action.c.action.in_(SUITS),
            action.c.acted_on.between(*days),
            _within(follow, action.c.acted_on),
        )
        .group_by(follow.c.anchor_id)
    )


def plan_prints() -> sa.Select:
    """Plans by the month in which they were agreed: what changes when one does."""
    month = month_start(plans.c.agreed_on).label("month_start")
    return sa.select(
        month,
        plans.c.kind,
        cast(func.count(), BigInteger).label("plans"),
        total(cents(plans.c.plan_amount)).label("plan_cents"),
    ).group_by(month, plans.c.kind)
