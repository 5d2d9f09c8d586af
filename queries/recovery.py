"""What pages ask of the marts of recovery: what came back of what was placed, by cohort and day.

Sums over a choice, in order of what they go by; of the whole operation where a docstring says so.
"""

from __future__ import annotations

import polars as pl
import sqlalchemy as sa

from queries.filters import Filter, chosen_in
from queries.kept import Kept, sums
from queries.marts import Marts
from warehouse import recovery_marts as tables

_CASH = tuple(f"{cash}_{part}" for cash in ("cash", "clipped") for part in
              ("cents", "squares", "placed"))  # fmt: skip
PLACED = ("cases", "placed_cents", "placed_squares")
# Which cases the targets are about: their stage, and the days within which they pay.
TARGETED = {"recovery_early": ("early", 30), "recovery_late": ("late", 180)}
IMMATURE = ("immature_cases", "immature_cents", "immature_squares")
COHORT = (*PLACED, *_CASH, *IMMATURE)

_cohorts = Kept(
    tables.cohorts,
    "opened_month",
    (*COHORT, "resolved"),
    keys=(tables.cohorts.c.horizon, tables.cohorts.c.stage),
)
_days = Kept(
    tables.resolution_days,
    "opened_month",
    ("resolved", "competing", "censored"),
    keys=(tables.resolution_days.c.stage, tables.resolution_days.c.day),
)
_liquidation = Kept(
    tables.liquidation_cash,
    "placed_month",
    ("cash_cents",),
    keys=(tables.liquidation_cash.c.elapsed,),
    only=tables.liquidation_cash.c.unit == "episode",
)
_placements = Kept(
    tables.placements,
    "placed_month",
    ("cases", "placed_cents"),
    only=tables.placements.c.unit == "episode",
)
_months = Kept(
    tables.collections_months, "month", ("open_cases", "open_cents", "owner_cents", "nobody_cents")
)
_rules = Kept(tables.channel_cash, "month", ("cash_cents",), keys=(tables.channel_cash.c.rule,))
_late = Kept(
    tables.owner_cases,
    "opened_month",
    COHORT,
    only=tables.owner_cases.c.stage == "late",
    prefix="target_",
)
_owners = Kept(
    tables.owner_cases,
    "opened_month",
    ("opened_cases",),
    keys=(tables.owner_cases.c.team, tables.owner_cases.c.collector_id),
    segments=(),
)
_attempts = Kept(
    tables.first_contacts,
    "opened_month",
    ("contacted", "closed", "open"),
    keys=(tables.first_contacts.c.working_day,),
    segments=("product",),  # not recorded by region or grade
    only=tables.first_contacts.c.kind == "attempt",
)
_spending = Kept(
    tables.spending,
    "month",
    ("amount_cents",),
    keys=(tables.spending.c.kind, tables.spending.c.is_one_off),
    segments=(),
)


def is_there(marts: Marts) -> bool:
    """Whether this version of the marts has those of recovery: older ones have not."""
    return marts.holds(tables.owner_cases)


def cohorts(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Episodes by horizon, opening month and stage: placed, paid back, resolved, immature."""
    return _cohorts.total(marts, chosen, ("horizon", "opened_month", "stage"))


def target_cohorts(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Episodes by stage and opening month at the horizons of the targets: early 30, late 180."""
    parts = [
        _cohorts.total(
            marts,
            chosen,
            ("stage", "opened_month"),
            where={"stage": [stage], "horizon": [horizon]},
            names=COHORT,
        )
        for stage, horizon in TARGETED.values()
    ]
    return pl.concat(parts)


def late_placements(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Cases that an owner was given at more than 90 days, by month, at 180 days."""
    return _late.total(marts, chosen, ("opened_month",))


def resolution_days(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Episodes by stage and the day on which they ended, 181 being any later day."""
    return _days.total(marts, chosen, ("stage", "day"))


def liquidation_cash(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Cash of episodes by placement month and 30-day step since the placement."""
    return _liquidation.total(marts, chosen, ("placed_month", "elapsed"))


def placements(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Episodes placed, by month."""
    return _placements.total(marts, chosen, ("placed_month",))


def collections_months(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """By calendar month: open at its start, and the cash of owners and of nobody."""
    return _months.total(marts, chosen, ("month",))


def cash_by_rule(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """The same owners' cash as the three rules give it to channels: one total for each rule."""
    return _rules.total(marts, chosen, ("rule",))


def owner_targets(marts: Marts, chosen: Filter, *, stage: str) -> pl.DataFrame:
    """Cases of a stage by team and collector, at the horizon of the stage's target.

    By owner these sums are many and seldom looked at, so they are not kept in memory.
    """
    table = tables.owner_cases
    by = [table.c.team, table.c.collector_id]
    return marts.fetch(
        sa.select(*by, *sums(table, COHORT, prefix="target_"))
        .where(
            table.c.opened_month.between(*chosen.months()),
            table.c.stage == stage,
            *[
                chosen_in(table.c[name], values)
                for name, values in chosen.segments().items()
                if values
            ],
        )
        .group_by(*by)
    )


def first_attempts(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Working days to the first attempt; not by region or grade."""
    return _attempts.total(marts, chosen, ("working_day",))


def known_owners(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Teams and their collectors that were ever given a case; automated queues' teams beside."""
    found = _owners.total(marts, None, ("team", "collector_id"))
    return found.filter(pl.col("team").is_not_null()).select("team", "collector_id")


def spending(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """What collecting cost by month and kind, one-off costs apart; of the whole operation."""
    return _spending.total(marts, chosen, ("month", "kind", "is_one_off"))
