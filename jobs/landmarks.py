"""The landmark cases of a cohort: what was attempted in a case's first week, and what came later.

The landmark is the start of day 7.  At risk are cases not closed before it, old enough to be
followed to day 97.  Their outcomes are resolution, and net cash, on days 7 to 97 as the same
case: what a transfer hands on is the next case's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

import polars as pl

from analytics.treatment_arms import DOSES, FIRST_CONTACT_DAYS, attempts_text
from jobs.case_book import CaseBook
from queries.cases import RESOLVED, days_after
from queries.contacts import LANDMARK_DAY, OUTCOME_DAYS
from queries.loan_states import SEGMENTS, BookShape

CELLS = [*SEGMENTS, "first_grade", "bucket", "stage", "amount_step", "is_owned", "attempts",
         "dose", "first_day"]  # fmt: skip
# Placed amounts in median placed amounts: finer than the bands that pages show, because what is
# alike within a band of amounts is not alike enough for who is called.
AMOUNT_STEPS = ("to 1/4", "1/4 to 1/2", "1/2 to 1", "1 to 2", "2 to 4", "4 to 8", "over 8")
_STEP_ENDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
LAST_DAY = LANDMARK_DAY + OUTCOME_DAYS
_DAYS = len(FIRST_CONTACT_DAYS) - 1
_KINDS = 1 + (len(DOSES) - 1) * _DAYS  # of what a channel did on a case: no attempt is one


def landmark_frames(month: date, shape: BookShape, book: CaseBook) -> dict[str, pl.DataFrame]:
    """`landmarks` and `landmark_costs` of the cases opened in a month; without contacts, none."""
    if "contacts" not in shape.tables:
        return {}
    cases = book.opened(month).filter(
        pl.col("opened_on") + pl.duration(days=LAST_DAY) <= book.settings.as_of
    )
    attempts = _first_attempts(book.opened(month), month, book)
    cases = _with_attempts(cases, attempts).with_columns(amount_step=_amount_step(book))
    cases = cases.join(_cash(cases, month, book), on="case_id", how="left")
    cases = _with_outcomes(cases)
    return {"landmarks": _cells(cases), "landmark_costs": _costs(cases, attempts)}


def _first_attempts(opened: pl.DataFrame, month: date, book: CaseBook) -> pl.DataFrame:
    """Attempts before the landmark, by case and channel; `first_day` from the opening: 0 to 6."""
    day = (pl.col("on_day") - pl.col("opened_on")).dt.total_days()
    cost = pl.col("cost_cents")
    return (
        book.attempts.days(month.replace(day=1), days_after(month, LANDMARK_DAY - 1))
        .select("case_id", "channel", "on_day", "cost_cents")
        .join(opened.select("case_id", "opened_on"), on="case_id")
        .filter(day.is_between(0, LANDMARK_DAY - 1))
        .group_by("case_id", "channel")
        .agg(
            pl.len().cast(pl.Int64).alias("attempts"),
            day.min().alias("first_day"),
            cost.count().cast(pl.Int64).alias("costed_attempts"),
            cost.sum(),
        )
    )


def _cash(cases: pl.DataFrame, month: date, book: CaseBook) -> pl.DataFrame:
    """Net cash of days 7 to 97, by case."""
    since = (pl.col("paid_on") - pl.col("opened_on")).dt.total_days()
    return (
        book.cash_from(month, days_after(month, LAST_DAY))
        .filter(since.is_between(LANDMARK_DAY, LAST_DAY))
        .join(cases.select("case_id"), on="case_id", how="semi")
        .group_by("case_id")
        .agg(pl.col("cents").sum().alias("cash_cents"))
    )


def _with_attempts(cases: pl.DataFrame, attempts: pl.DataFrame) -> pl.DataFrame:
    number = pl.col("number").fill_null(0)
    owner = pl.any_horizontal(pl.col("collector_id", "team", "agency_id").is_not_null())
    return cases.join(_by_case(attempts), on="case_id", how="left").with_columns(
        pl.col("attempts").fill_null(""),
        is_owned=pl.when(owner).then(pl.lit("owned")).otherwise(pl.lit("automated")),
        dose=_level(_dose(number), DOSES),
        first_day=_level(_day(pl.col("first_day")), FIRST_CONTACT_DAYS),
    )


def _amount_step(book: CaseBook) -> pl.Expr:
    """How many times the median a placed amount is, in doublings; null where it is not known."""
    median = (book.settings.band_bounds or (0,))[0]  # where the bands of pages are drawn
    placed = pl.col("placed_cents")
    step = pl.sum_horizontal((placed > median * end).cast(pl.Int64) for end in _STEP_ENDS)
    return pl.when(placed.is_not_null()).then(_level(step, AMOUNT_STEPS))


def _dose(number: pl.Expr) -> pl.Expr:
    """The place among the doses of a number of attempts."""
    return pl.when(number <= 1).then(number).when(number <= 3).then(2).otherwise(3)


def _day(day: pl.Expr) -> pl.Expr:
    """The place among the days of first contact; 0 where there was none."""
    return pl.when(day.is_null()).then(0).when(day <= 1).then(1).when(day <= 3).then(2).otherwise(3)


def _level(place: pl.Expr, levels: Sequence[str]) -> pl.Expr:
    return place.replace_strict(range(len(levels)), levels, return_dtype=pl.String)


def _by_case(attempts: pl.DataFrame) -> pl.DataFrame:
    """By case, what was attempted (see `attempts_text`), named once for each that there is."""
    channels = attempts["channel"].unique().cast(pl.String).sort().to_list()
    places = {name: _KINDS**place for place, name in enumerate(channels)}
    kind = 1 + (_dose(pl.col("attempts")) - 1) * _DAYS + _day(pl.col("first_day")) - 1
    channel = attempts["channel"].cast(pl.String)
    by_case = (
        attempts.with_columns(place=_mapped(channel, places, pl.Int64))
        .with_columns(code=pl.col("place") * kind.cast(pl.Int64))
        .group_by("case_id")
        .agg(
            pl.col("code", "cost_cents").sum(),
            pl.col("attempts").sum().alias("number"),
            pl.col("first_day").min(),
        )
    )
    texts = {code: _text(code, tuple(channels)) for code in by_case["code"].unique()}
    named = _mapped(by_case["code"], texts, pl.String)
    return by_case.with_columns(attempts=named).drop("code")


@lru_cache(maxsize=200_000)  # the same ones come month after month
def _text(code: int, channels: tuple[str, ...]) -> str:
    """The attempts of a code: a digit for each channel, nine of them, or 0 for none."""
    found = {}
    for channel in channels:
        code, digit = divmod(code, _KINDS)
        if digit:
            dose, day = divmod(digit - 1, _DAYS)
            found[channel] = (DOSES[1 + dose], FIRST_CONTACT_DAYS[1 + day])
    return attempts_text(found)


def _mapped(values: pl.Series, found: Mapping[Any, Any], kind: type[pl.DataType]) -> pl.Series:
    """Each value's place in a mapping that has them all."""
    if values.is_empty():
        return pl.Series([], dtype=kind)
    return values.replace_strict(found, return_dtype=kind)


def _with_outcomes(cases: pl.DataFrame) -> pl.DataFrame:
    day = (pl.col("closed_on") - pl.col("opened_on")).dt.total_days()
    good = pl.col("close_reason").is_in(RESOLVED).fill_null(False)
    return cases.with_columns(
        is_at_risk=day.is_null() | (day >= LANDMARK_DAY),
        is_resolved=good & day.is_between(LANDMARK_DAY, LAST_DAY).fill_null(False),
        is_early=good & (day < LANDMARK_DAY).fill_null(False),
    )


def _cells(cases: pl.DataFrame) -> pl.DataFrame:
    at_risk = pl.col("is_at_risk")
    sums: dict[str, pl.Expr] = {}
    for name in ("cash", "cost"):
        cents = pl.col(f"{name}_cents").fill_null(0).filter(at_risk)
        sums |= {f"{name}_cents": cents.sum(), f"{name}_squares": ((cents / 100) ** 2).sum()}
    return (
        cases.group_by(CELLS)
        .agg(
            cases=at_risk.sum().cast(pl.Int64),
            resolved=(at_risk & pl.col("is_resolved")).sum().cast(pl.Int64),
            early_resolved=pl.col("is_early").sum().cast(pl.Int64),
            **sums,
        )
        .filter(pl.col("cases") + pl.col("early_resolved") > 0)
    )


def _costs(cases: pl.DataFrame, attempts: pl.DataFrame) -> pl.DataFrame:
    """By channel: the landmark cases attempted through it all of whose attempts have a cost."""
    known = attempts.filter(pl.col("costed_attempts") == pl.col("attempts"))
    at_risk = cases.filter("is_at_risk").select("case_id", "stage", *SEGMENTS)
    cents = pl.col("cost_cents")
    return (
        known.select("case_id", "channel", "cost_cents")
        .join(at_risk, on="case_id")
        .group_by("stage", "channel", *SEGMENTS)
        .agg(
            treated_cases=pl.len().cast(pl.Int64),
            treated_cost_cents=cents.sum(),
            treated_cost_squares=((cents / 100) ** 2).sum(),
        )
    )
