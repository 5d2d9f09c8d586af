"""Facts: what cases paid in each 30 days since they were opened, or since their suit was filed.

A window belongs to the case that is open as it starts.  Cases of a spell of lateness under suit
(the first filing of any of its cases) are counted from the filing, the others from their opening.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Double, Integer, Text, and_, case, cast, func, literal, null

from queries.cases import CaseSettings, stage_of
from queries.loan_states import BookShape, cents, count_if, total
from warehouse.contract import cases, legal_actions, loan_months, loans, payments
from warehouse.dialects import days_between, month_end_before

WINDOW_DAYS = 30
WINDOWS = 12
KEYS = ("stage", "product", "grade", "owner", "since_opening", "since_filing")


def products() -> sa.Select:
    """The products of the book."""
    return sa.select(loans.c.product).distinct().order_by(loans.c.product)


def curve_windows(product: str, shape: BookShape, settings: CaseSettings) -> sa.Select:
    """Sums over windows of a product's cases by stage, grade, owner and time.

    One product at a time: those of a whole book, with all their payments, do not fit in memory.
    """
    known = _known(settings).where(loans.c.product == product).cte("known")
    spans = _spans(known, shape, settings).cte("spans")
    windows = _windows(spans).cte("windows")
    paid = _paid(spans).cte("paid")
    rows = _rows(windows, paid).cte("rows_of_windows")
    exposed, cash = rows.c.exposed, rows.c.cash
    return sa.select(
        *[rows.c[name] for name in KEYS],
        cast(func.count(), BigInteger).label("cases"),
        *[total(rows.c[name]).label(name) for name in ("left_cases", "transferred_cases")],
        count_if(cash > 0).label("paying_cases"),
        *[func.sum(value).label(name) for name, value in (
            ("exposed_amount", exposed),
            ("cash_amount", cash),
            ("exposed_squares", exposed * exposed),
            ("cash_squares", cash * cash),
            ("cash_exposed", cash * exposed),
        )],
    ).group_by(*[rows.c[name] for name in KEYS])  # fmt: skip


def _known(settings: CaseSettings) -> sa.Select:
    """Cases as they were known on the last day, with their segment and what was placed."""
    as_of = literal(settings.as_of)
    before = loan_months.alias("before")
    is_closed = func.coalesce(cases.c.closed_on <= settings.as_of, sa.false())
    source = cases.join(loans, loans.c.loan_id == cases.c.loan_id).outerjoin(
        before,
        and_(
            before.c.loan_id == cases.c.loan_id,
            before.c.month == month_end_before(cases.c.opened_on),
        ),
    )
    return (
        sa.select(
            cases.c.case_id,
            cases.c.loan_id,
            func.coalesce(cases.c.episode_id, literal("", Text)).label("episode"),
            case((cases.c.agency_id.is_(None), "in_house"), else_="agency").label("owner"),
            cases.c.opened_on,
            case((is_closed, cases.c.closed_on), else_=as_of).label("ends_on"),
            case((is_closed, 1), else_=0).label("is_closed"),
            case((and_(is_closed, cases.c.close_reason == "transferred"), 1), else_=0).label(
                "is_transferred"
            ),
            stage_of(cases.c.opening_days_past_due).label("stage"),
            loans.c.product,
            func.coalesce(before.c.risk_grade, loans.c.risk_grade).label("grade"),
            cast(func.coalesce(cases.c.placed_balance_amount, cases.c.placed_amount), Double).label(
                "placed"
            ),
        )
        .select_from(source)
        .where(cases.c.opened_on <= settings.as_of)
    )


def _spans(known: Any, shape: BookShape, settings: CaseSettings) -> sa.Select | sa.CompoundSelect:
    """Each case from its opening until a suit, and from the suit on, in days since either.

    `opens` and `ends`: the case's own days; `till` the last day on which a window may start,
    `seen` the last day of which all is known.
    """
    as_of = literal(settings.as_of)
    if "legal_actions" not in shape.tables:
        days = days_between(known.c.opened_on, known.c.ends_on)
        return sa.select(known, known.c.opened_on.label("origin"),
                         *_days(literal(0), days, days, days_between(known.c.opened_on, as_of),
                                cast(null(), Integer)))  # fmt: skip
    keys = [known.c.loan_id, known.c.episode]
    filed = (
        sa.select(*keys, func.min(legal_actions.c.acted_on).label("filed_on"))
        .join_from(legal_actions, known, known.c.case_id == legal_actions.c.case_id)
        .where(legal_actions.c.action == "filing", legal_actions.c.acted_on <= settings.as_of)
        .group_by(*keys)
        .cte("filed")
    )
    same = and_(filed.c.loan_id == known.c.loan_id, filed.c.episode == known.c.episode)
    ends = days_between(known.c.opened_on, known.c.ends_on)
    is_sued = func.coalesce(filed.c.filed_on <= known.c.ends_on, sa.false())
    before_suit = days_between(known.c.opened_on, filed.c.filed_on) - 1
    plain = sa.select(
        known,
        known.c.opened_on.label("origin"),
        *_days(
            literal(0),
            ends,
            case((is_sued, before_suit), else_=ends),
            case((is_sued, before_suit), else_=days_between(known.c.opened_on, as_of)),
            cast(null(), Integer),
        ),
    ).select_from(known.outerjoin(filed, same))
    opens = days_between(filed.c.filed_on, known.c.opened_on)
    after = days_between(filed.c.filed_on, known.c.ends_on)
    sued = sa.select(
        known,
        filed.c.filed_on.label("origin"),
        *_days(opens, after, after, days_between(filed.c.filed_on, as_of), literal(1)),
    ).join_from(known, filed, same)
    return sa.union_all(plain, sued)


def _days(opens: Any, ends: Any, till: Any, seen: Any, is_sued: Any) -> list[Any]:
    named = {"opens": opens, "ends": ends, "till": till, "seen": seen, "is_sued": is_sued}
    return [cast(value, Integer).label(name) for name, value in named.items()]


def _windows(spans: Any) -> sa.Select:
    """A row for each whole window that a case is open at the start of."""
    numbers = sa.union_all(*[sa.select(literal(n).label("n")) for n in range(WINDOWS)])
    number = cast(numbers.subquery("numbers").c.n, Integer)
    first = number * WINDOW_DAYS
    last = first + WINDOW_DAYS - 1
    ended = and_(spans.c.is_closed == 1, spans.c.ends <= last)
    handed_on = and_(ended, spans.c.is_transferred == 1)
    held = cast(spans.c.ends - first + 1, Double) / WINDOW_DAYS
    age = func.floor(cast(first - spans.c.opens, Double) / WINDOW_DAYS)
    return sa.select(
        *[spans.c[name] for name in ("case_id", "is_sued", "stage", "product", "grade", "owner")],
        number.label("n"),
        case((age < WINDOWS, cast(age, Integer)), else_=WINDOWS - 1).label("since_opening"),
        (spans.c.placed * case((handed_on, held), else_=1.0)).label("exposed"),
        case((and_(ended, spans.c.is_transferred == 0), 1), else_=0).label("left_cases"),
        case((handed_on, 1), else_=0).label("transferred_cases"),
    ).where(first >= spans.c.opens, first <= spans.c.till, last <= spans.c.seen)


def _paid(spans: Any) -> sa.Select:
    """Cash by case and window: of payments that name the case, or none and fall into it."""
    day = days_between(spans.c.origin, payments.c.paid_on)
    n = cast(func.floor(cast(day, Double) / WINDOW_DAYS), Integer)
    own = func.coalesce(payments.c.case_id, spans.c.case_id) == spans.c.case_id
    return (
        sa.select(
            spans.c.case_id,
            spans.c.is_sued,
            n.label("n"),
            (cast(total(cents(payments.c.amount)), Double) / 100.0).label("cash"),
        )
        .join_from(spans, payments, payments.c.loan_id == spans.c.loan_id)
        .where(own, day >= spans.c.opens, day <= spans.c.ends, day >= 0)
        .group_by(spans.c.case_id, spans.c.is_sued, n)
    )


def _rows(windows: Any, paid: Any) -> sa.Select:
    same = and_(
        paid.c.case_id == windows.c.case_id,
        paid.c.n == windows.c.n,
        func.coalesce(paid.c.is_sued, 0) == func.coalesce(windows.c.is_sued, 0),
    )
    return sa.select(
        *[windows.c[name] for name in ("stage", "product", "grade", "owner", "since_opening",
                                       "exposed", "left_cases", "transferred_cases")],
        case((windows.c.is_sued == 1, windows.c.n)).label("since_filing"),
        func.coalesce(paid.c.cash, 0.0).label("cash"),
    ).select_from(windows.outerjoin(paid, same))  # fmt: skip
