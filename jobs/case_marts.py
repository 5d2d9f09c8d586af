"""The marts of cases: a cohort's and a month's rows, added up by cell."""

from __future__ import annotations

from datetime import date

import polars as pl

from analytics.working_days import (
    WorkingDays,
    after_working_days,
    calendar_of,
    working_days_until,
)
from jobs.case_book import CaseBook
from jobs.months import as_text
from queries.cases import COMPETING, HORIZONS, LAST_HORIZON, RESOLVED, days_after
from queries.loan_states import SEGMENTS, BookShape
from warehouse.contract import RIGHT_PARTY

OWNER = ["collector_id", "team", "agency_id"]
SEGMENT = list(SEGMENTS)
KIND = [*SEGMENT, "bucket", "stage"]
TARGET_HORIZONS = {"early": 30, "late": 180}
LAST_WORKING_DAY = 30
FOLLOWED_DAYS = 48  # 30 working days are never more, without holidays
STEP = 30  # days of a step of the liquidation curve


def compute_cohort(month: date, shape: BookShape, book: CaseBook) -> dict[str, pl.DataFrame]:
    """Every mart of the cases that were opened in a month, by mart name."""
    as_of = book.settings.as_of
    opened = _with_cash(book.opened(month), book, "case_id", "opened_on", month)
    episodes = _with_cash(_episodes(book, month), book, "opening_case_id", "episode_on", month)
    frames = {
        "cohorts": pl.concat(_recovered(episodes, days, as_of) for days in HORIZONS),
        "owner_cases": _owner_cases(opened, as_of),
        "resolution_days": _resolution_days(episodes, as_of),
        "placements": _placements(opened, episodes),
    }
    if "contacts" in shape.tables:
        calendar = _calendar(book, month)
        first = _first_attempts(opened, month, book, calendar)
        frames["first_contacts"] = _first_contacts(opened, first, as_of, calendar)
    return {
        name: frame.with_columns(pl.lit(month).alias(_MONTH.get(name, "opened_month")))
        for name, frame in frames.items()
    }


_MONTH = {"placements": "placed_month"}


def _episodes(book: CaseBook, month: date) -> pl.DataFrame:
    """The episodes that began in the month: what was placed first, and how it ended at last.

    Cases of an episode from after its last horizon are not looked for: it has not ended by then.
    """
    began = book.spells(month)
    ends = began.group_by("opening_case_id").agg(pl.col("closed_on", "close_reason").last())
    opening = began.filter(pl.col("case_id") == pl.col("opening_case_id"))
    return opening.drop("closed_on", "close_reason").join(ends, on="opening_case_id")


def _with_cash(
    rows: pl.DataFrame, book: CaseBook, key: str, since: str, month: date
) -> pl.DataFrame:
    """Rows (cases, or episodes by their opening case) with their cash within each horizon."""
    days = (pl.col("paid_on") - pl.col(since)).dt.total_days()
    within = [
        pl.col("cents").filter(days <= horizon).sum().alias(f"cash_{horizon}")
        for horizon in HORIZONS
    ]
    cash = book.cash_from(month, days_after(month, LAST_HORIZON))
    sums = cash.join(rows.select(key), on=key, how="semi").group_by(key).agg(within)
    return rows.join(sums, on=key, how="left", maintain_order="left").with_columns(
        pl.col(f"cash_{horizon}").fill_null(0) for horizon in HORIZONS
    )


def _days(later: str | pl.Expr) -> pl.Expr:
    end = pl.col(later) if isinstance(later, str) else later
    return (end - pl.col("opened_on")).dt.total_days()


def _is_mature(days: int, as_of: date) -> pl.Expr:
    return pl.col("opened_on") + pl.duration(days=days) <= pl.lit(as_of)


def _resolved_within(days: int) -> pl.Expr:
    return pl.col("close_reason").is_in(RESOLVED).fill_null(False) & (_days("closed_on") <= days)


def _cash_sums(days: int, as_of: date, prefix: str = "") -> list[pl.Expr]:
    """The sums of a horizon: of its mature cases, and how many are still to mature."""
    mature = _is_mature(days, as_of)
    placed = pl.col("placed_cents")
    amount = placed / 100
    money = {"cash": pl.col(f"cash_{days}"), "clipped": pl.min_horizontal(f"cash_{days}", placed)}
    sums = {
        "cases": mature.sum(),
        "placed_cents": placed.filter(mature).sum(),
        "placed_squares": (amount**2).filter(mature).sum(),
    }
    for name, cents in money.items():
        sums[f"{name}_cents"] = cents.filter(mature).sum()
        sums[f"{name}_squares"] = ((cents / 100) ** 2).filter(mature).sum()
        sums[f"{name}_placed"] = (cents / 100 * amount).filter(mature).sum()
    sums["immature_cases"] = (~mature).sum()
    sums["immature_cents"] = placed.filter(~mature).sum()
    sums["immature_squares"] = (amount**2).filter(~mature).sum()
    return [
        value.cast(pl.Float64 if name.endswith(("squares", "_placed")) else pl.Int64).alias(
            f"{prefix}{name}"
        )
        for name, value in sums.items()
    ]


def _recovered(episodes: pl.DataFrame, days: int, as_of: date) -> pl.DataFrame:
    resolved = _is_mature(days, as_of) & _resolved_within(days)
    return (
        episodes.group_by(KIND)
        .agg(*_cash_sums(days, as_of), resolved.sum().cast(pl.Int64).alias("resolved"))
        .with_columns(horizon=pl.lit(days, pl.Int64))
    )


def _owner_cases(cases: pl.DataFrame, as_of: date) -> pl.DataFrame:
    keys = [*OWNER, *KIND, "amount_band"]
    mature = _is_mature(90, as_of)
    moved = (pl.col("close_reason") == "transferred").fill_null(False) & (_days("closed_on") <= 90)
    every = cases.group_by(keys).agg(
        pl.len().cast(pl.Int64).alias("opened_cases"),
        pl.col("placed_cents").sum().alias("opened_cents"),
        *_cash_sums(90, as_of),
        (mature & _resolved_within(90)).sum().cast(pl.Int64).alias("resolved"),
        (mature & moved).sum().cast(pl.Int64).alias("transferred"),
    )
    targets = [
        cases.filter(pl.col("stage") == stage)
        .group_by(keys)
        .agg(*_cash_sums(days, as_of, "target_"))
        for stage, days in TARGET_HORIZONS.items()
    ]
    return every.join(pl.concat(targets), on=keys, how="left", nulls_equal=True)


def _resolution_days(episodes: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Episodes are followed for 180 days; those that last longer are censored on day 181."""
    reason = pl.col("close_reason")
    ended = reason.is_in([*RESOLVED, *COMPETING]).fill_null(False)
    # closed without a reason: known until then; handed on and not seen again, or open: to the end
    until = pl.when(reason.fill_null("") == "transferred").then(None).otherwise(pl.col("closed_on"))
    day = _days(until.fill_null(as_of))
    within = day <= LAST_HORIZON
    resolved, competing = (reason.is_in(kind).fill_null(False) for kind in (RESOLVED, COMPETING))
    return (
        episodes.with_columns(
            day=pl.when(within).then(day).otherwise(LAST_HORIZON + 1),
            resolved=within & resolved,
            competing=within & competing,
            censored=~(within & ended),
        )
        .group_by(*KIND, "day")
        .agg(pl.col("resolved", "competing", "censored").sum().cast(pl.Int64))
    )


def _placements(cases: pl.DataFrame, episodes: pl.DataFrame) -> pl.DataFrame:
    parts = []
    for unit, frame in (("episode", _no_agency(episodes)), ("case", cases)):
        parts.append(
            as_text(frame)
            .group_by("agency_id", *SEGMENT, "stage")
            .agg(pl.len().cast(pl.Int64).alias("cases"), pl.col("placed_cents").sum())
            .with_columns(unit=pl.lit(unit))
        )
    return pl.concat(parts)


def _no_agency(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(agency_id=pl.lit(None, pl.String))


def _calendar(book: CaseBook, month: date) -> WorkingDays:
    """The holidays that lie within a cohort's reach."""
    reach = month.replace(day=1), days_after(month, LAST_HORIZON)
    return calendar_of(one for one in book.settings.holidays if reach[0] <= one[0] <= reach[1])


def _first_attempts(
    opened: pl.DataFrame, month: date, book: CaseBook, calendar: WorkingDays
) -> pl.DataFrame:
    """The days of the first attempt and of the first right-party contact of a cohort's cases."""
    day = pl.col("on_day")
    last = after_working_days(pl.Series([month]), LAST_WORKING_DAY, calendar)[0]
    return (
        book.attempts.days(month.replace(day=1), max(last, days_after(month, FOLLOWED_DAYS)))
        .select("case_id", "outcome", "on_day")
        .join(opened.select("case_id", "opened_on"), on="case_id")
        .filter(day >= pl.col("opened_on"))
        .group_by("case_id")
        .agg(
            day.min().alias("attempt"),
            day.filter(pl.col("outcome").is_in(RIGHT_PARTY)).min().alias("right_party"),
        )
    )


def _first_contacts(
    cases: pl.DataFrame, first: pl.DataFrame, as_of: date, calendar: WorkingDays
) -> pl.DataFrame:
    """Working days after the opening day, to the first contact of a kind.

    A case is followed for 30 working days: longer without is `open` on day 31.
    """
    joined = cases.join(first, on="case_id", how="left")
    parts = []
    for kind in ("attempt", "right_party"):
        is_contacted = pl.col(kind).is_not_null() & (
            pl.col("closed_on").is_null() | (pl.col(kind) <= pl.col("closed_on"))
        )
        is_closed = ~is_contacted & pl.col("closed_on").is_not_null()
        end = (
            pl.when(is_contacted).then(pl.col(kind)).otherwise(pl.col("closed_on").fill_null(as_of))
        )
        day = working_days_until("opened_on", end, calendar)
        within = day <= LAST_WORKING_DAY
        parts.append(
            joined.with_columns(
                working_day=pl.when(within)
                .then(day)
                .otherwise(LAST_WORKING_DAY + 1)
                .cast(pl.Int64),
                contacted=within & is_contacted,
                closed=within & is_closed,
                open=~within | (~is_contacted & ~is_closed),
                kind=pl.lit(kind),
            )
            .group_by("kind", *OWNER, "product", "stage", "working_day")
            .agg(pl.col("contacted", "closed", "open").sum().cast(pl.Int64))
        )
    return pl.concat(parts)


def compute_month(month: date, book: CaseBook, cash: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The marts of a calendar month: what was in collections, and the cash that came in.

    `cash`: all cash of the month by product, region and grade.
    """
    cells = [*SEGMENT, "stage"]
    start = month.replace(day=1)
    at_start = book.active(month).filter(
        pl.col("opened_on") < start,  # and still open: closed later, or not yet
    )
    paid = book.cash(month)
    owned = paid.group_by(_then(name) for name in SEGMENT).agg(pl.col("cents").sum())
    nobody = cash.join(owned, on=SEGMENT, how="left", nulls_equal=True).select(
        *SEGMENT, nobody_cents=pl.col("cash_cents") - pl.col("cents").fill_null(0)
    )
    parts = [
        at_start.group_by(cells).agg(
            pl.len().cast(pl.Int64).alias("open_cases"),
            pl.col("placed_cents").sum().alias("open_cents"),
        ),
        paid.group_by(cells).agg(pl.col("cents").sum().alias("owner_cents")),
        nobody.filter(pl.col("nobody_cents") != 0),
    ]
    sums = ["open_cases", "open_cents", "owner_cents", "nobody_cents"]
    months = pl.concat([as_text(part) for part in parts], how="diagonal").group_by(cells)
    return {
        "collections_months": months.agg(pl.col(sums).sum()).with_columns(month=pl.lit(month)),
        "liquidation_cash": _liquidation(paid, book, month),
    }


def _then(segment: str) -> pl.Expr:
    return pl.col(f"{segment}_then").cast(pl.String).alias(segment)


def _liquidation(paid: pl.DataFrame, book: CaseBook, month: date) -> pl.DataFrame:
    """Cash of a month by the placement it came from, of cases and of episodes."""
    openings = paid.select("paid_on", "cents", case_id="opening_case_id")
    by_episode = _no_agency(book.described(openings, month))
    keys = ["unit", "placed_month", "elapsed", "agency_id", *SEGMENT, "stage"]
    parts = [
        as_text(
            frame.with_columns(
                unit=pl.lit(unit),
                placed_month=pl.col("opened_on").dt.month_end(),
                elapsed=_days("paid_on") // STEP,
            )
            .group_by(keys)
            .agg(pl.col("cents").sum().alias("cash_cents"))
        )
        for unit, frame in (("case", paid), ("episode", by_episode))
    ]
    return pl.concat(parts).with_columns(paid_month=pl.lit(month))
