"""Facts: cases as the recovery marts see them: their dates, their stage, their episode.

A case that was opened after the data's last day is left out; one that was
closed after it is still open.  An episode is one spell of lateness: the cases
of one `episode_id`, or, where there is none, cases of a loan chained by
transfers (the next was opened within a day of the close).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Double, Text, and_, case, cast, func, literal, or_

from queries.loan_states import BookShape, cents, month_open
from warehouse.buckets import bucket_of
from warehouse.contract import (
    cases,
    collectors,
    contacts,
    payments,
    promises,
)
from warehouse.dialects import days_between, quantile
from warehouse.holidays import Holidays

RESOLVED = ("cured", "paid_off", "settled")
COMPETING = ("charged_off", "sold", "restructured")
HORIZONS = (30, 60, 90, 180)
LAST_HORIZON = HORIZONS[-1]
AMOUNT_BANDS = ("small", "middle", "large", "huge")
BAND_QUANTILES = (0.5, 0.8, 0.95)
EARLY_DAYS, MIDDLE_DAYS = 30, 90


@dataclass(frozen=True)
class CaseSettings:
    """What the statements on cases must know: the data's last day and the amount bands.

    `band_bounds` are the upper bounds in cents of small, middle and large; None without cases.
    `has_chains` is False where every case names its episode.  `holidays`: for working days.
    """

    as_of: date
    band_bounds: tuple[int, int, int] | None = None
    has_chains: bool = True
    holidays: Holidays = ()

    @property
    def amounts(self) -> tuple[float, ...]:
        """The band bounds in currency."""
        return tuple(bound / 100 for bound in self.band_bounds or ())


def stage_of(days: Any) -> Any:
    """The stage at a number of days past due: early, middle or late."""
    return case(
        (days <= EARLY_DAYS, literal("early", Text)),
        (days <= MIDDLE_DAYS, literal("middle", Text)),
        else_=literal("late", Text),
    )


def amount_band(amount: Any, settings: CaseSettings) -> Any:
    """The band of a placed amount."""
    if settings.band_bounds is None:
        raise ValueError("the bounds of the amount bands are not known")
    whens = zip(settings.band_bounds, AMOUNT_BANDS, strict=False)
    return case(
        *[(cents(amount) <= bound, literal(name, Text)) for bound, name in whens],
        else_=literal(AMOUNT_BANDS[-1], Text),
    )


def band_amounts(as_of: date) -> sa.Select:
    """The placed amounts that half, 80 % and 95 % of the book's cases do not pass."""
    amount = cast(cases.c.placed_amount, Double)
    return sa.select(
        *[
            quantile(amount, sa.literal_column(str(share))).label(name)
            for share, name in zip(BAND_QUANTILES, AMOUNT_BANDS, strict=False)
        ]
    ).where(cases.c.opened_on <= as_of)


def unnamed_episodes() -> sa.Select:
    """A row where a case does not name its episode."""
    return sa.select(literal(1).label("found")).where(cases.c.episode_id.is_(None)).limit(1)


def opened_in(first: date, last: date, settings: CaseSettings) -> Any:
    """Cases of the cohorts from one month-end to another."""
    return cases.c.opened_on.between(month_open(first), min(last, settings.as_of))


def known_cases(condition: Any, settings: CaseSettings) -> sa.Select:
    """Cases as they were known on the data's last day, with the days that cash is theirs.

    `ends_on` is the closing, or the last day; `covered_to` is the last day that
    an earlier case of the loan holds, so that a day is one case's only.
    """
    as_of = literal(settings.as_of)
    is_closed = cases.c.closed_on <= settings.as_of
    ends_on = case((is_closed, cases.c.closed_on), else_=as_of)
    return sa.select(
        cases.c.case_id,
        cases.c.loan_id,
        cases.c.episode_id,
        cases.c.collector_id,
        cases.c.team,
        cases.c.agency_id,
        cases.c.opened_on,
        case((is_closed, cases.c.closed_on)).label("closed_on"),
        case((is_closed, cases.c.close_reason)).label("close_reason"),
        cases.c.opening_days_past_due.label("days_past_due"),
        cases.c.placed_amount,
        ends_on.label("ends_on"),
        func.max(ends_on)
        .over(partition_by=cases.c.loan_id, order_by=_by_opening(cases), rows=(None, -1))
        .label("covered_to"),
    ).where(cases.c.opened_on <= settings.as_of, condition)


def _by_opening(row: Any) -> tuple[Any, ...]:
    closed_on = row.c.closed_on
    return row.c.opened_on, case((closed_on.is_(None), 1), else_=0), closed_on, row.c.case_id


def with_episodes(known: sa.CTE, settings: CaseSettings) -> sa.CTE:
    """Known cases (all of each loan) with the case that opened their episode."""
    chained = _chained(known) if settings.has_chains else known
    keys = [chained.c.loan_id, chained.c.episode_id]
    if settings.has_chains:
        keys.append(chained.c.chain)
    window: dict[str, Any] = {"partition_by": keys, "order_by": _by_opening(chained)}
    return sa.select(
        *[column for column in chained.c if column.name != "chain"],
        func.first_value(chained.c.case_id, type_=Text).over(**window).label("opening_case_id"),
        func.first_value(chained.c.opened_on, type_=sa.Date).over(**window).label("episode_on"),
    ).cte("episodes")


def _chained(known: sa.CTE) -> sa.CTE:
    """Cases without an episode's name: which of a loan's chains of transfers each belongs to."""
    window: dict[str, Any] = {
        "partition_by": [known.c.loan_id, known.c.episode_id],
        "order_by": _by_opening(known),
    }
    before = func.lag(known.c.close_reason, type_=Text).over(**window)
    gap = days_between(func.lag(known.c.closed_on, type_=sa.Date).over(**window), known.c.opened_on)
    goes_on = or_(known.c.episode_id.is_not(None), and_(before == "transferred", gap <= 1))
    begun = sa.select(known, case((goes_on, 0), else_=1).label("begins")).cte("begun")
    chain = func.sum(begun.c.begins).over(
        partition_by=[begun.c.loan_id, begun.c.episode_id],
        order_by=_by_opening(begun),
        rows=(None, 0),
    )
    columns = [column for column in begun.c if column.name != "begins"]
    return sa.select(*columns, cast(chain, BigInteger).label("chain")).cte("chained")


def case_rows(condition: Any, shape: BookShape, settings: CaseSettings) -> sa.Select:
    """Cases that meet a condition, as they were at their opening and as they ended."""
    chosen = sa.select(cases.c.loan_id).where(condition)
    known = known_cases(cases.c.loan_id.in_(chosen), settings).cte("known")
    episodes = with_episodes(known, settings)
    wanted = sa.select(cases.c.case_id).where(condition)
    row = sa.select(*episodes.c).where(episodes.c.case_id.in_(wanted)).cte("wanted")
    source: Any = row
    team: Any = row.c.team
    if "collectors" in shape.tables:  # where a case does not say the team: the collector's
        source = source.outerjoin(collectors, collectors.c.collector_id == row.c.collector_id)
        team = func.coalesce(team, collectors.c.team).label("team")
    names = ("case_id", "loan_id", "opening_case_id", "episode_on", "collector_id", "agency_id")
    return sa.select(
        *[row.c[name] for name in names],
        team,
        row.c.opened_on,
        row.c.closed_on,
        row.c.close_reason,
        row.c.days_past_due,
        row.c.ends_on,
        row.c.covered_to,
        bucket_at_opening(row.c.days_past_due, shape).label("bucket"),
        stage_of(row.c.days_past_due).label("stage"),
        amount_band(row.c.placed_amount, settings).label("amount_band"),
        cents(row.c.placed_amount).label("placed_cents"),
    ).select_from(source)


def bucket_at_opening(days: Any, shape: BookShape) -> Any:
    return bucket_of(days, shape.bounds, shape.codes)


def opened_before(since: date, shape: BookShape, settings: CaseSettings) -> Any:
    """Cases from before a month that are still of use: open since, paid or contacted since, and
    the others of their episodes and of episodes that went on since."""
    start = month_open(since)
    used = [cases.c.opened_on >= start, cases.c.closed_on.is_(None), cases.c.closed_on >= start]
    if "payments" in shape.tables:
        named = sa.select(payments.c.case_id).where(payments.c.paid_on >= start)
        used.append(cases.c.case_id.in_(named.where(payments.c.case_id.is_not(None))))
    if "contacts" in shape.tables:
        named = sa.select(contacts.c.case_id).where(contacts.c.contacted_at >= start)
        used.append(cases.c.case_id.in_(named.where(contacts.c.case_id.is_not(None))))
    if "promises" in shape.tables:  # what a closed case promised may mature later
        made = sa.select(promises.c.case_id).where(promises.c.due_on >= days_after(start, -3))
        used.append(cases.c.case_id.in_(made))
    key = cases.c.loan_id if settings.has_chains else cases.c.episode_id
    return and_(cases.c.opened_on < start, key.in_(sa.select(key).where(or_(*used))))


def days_after(day: date, count: int) -> date:
    return day + timedelta(days=count)


def rounded_bounds(amounts: Sequence[float | None]) -> tuple[int, int, int]:
    """Band bounds in cents: two significant digits are easier to read than the quantile."""
    found = [float(f"{amount or 0:.2g}") for amount in amounts]
    small, middle, large = (round(bound * 100) for bound in found)
    return small, middle, large
