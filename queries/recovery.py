"""Marts: what came back of what was placed, by cohort, by day and by owner."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, cast, func

from queries.filters import Filter, chosen_in
from warehouse import recovery_marts as marts

_CASH = tuple(f"{cash}_{part}" for cash in ("cash", "clipped") for part in
              ("cents", "squares", "placed"))  # fmt: skip
PLACED = ("cases", "placed_cents", "placed_squares")
IMMATURE = ("immature_cases", "immature_cents", "immature_squares")
COHORT = (*PLACED, *_CASH, *IMMATURE)


def sums(table: sa.Table, names: Iterable[str], *, prefix: str = "") -> list[Any]:
    """Sums of a mart's columns: counts and cents stay whole."""
    return [
        (
            cast(func.sum(table.c[prefix + name]), BigInteger)
            if isinstance(table.c[prefix + name].type, BigInteger)
            else func.sum(table.c[prefix + name])
        ).label(name)
        for name in names
    ]


def grouped(
    chosen: Filter, table: sa.Table, month: str, groups: Iterable[str], names: Iterable[str]
) -> sa.Select:
    """A mart's sums by some of its columns, in the filter's months and segments."""
    by = [table.c[name] for name in groups]
    return (
        sa.select(*by, *sums(table, names))
        .where(table.c[month].between(*chosen.months()), *conditions(chosen, table))
        .group_by(*by)
        .order_by(*by)
    )


def conditions(chosen: Filter, table: sa.Table) -> list[Any]:
    """The chosen segments; null in a choice stands for what is not recorded."""
    chosen_values = chosen.segments().items()
    return [chosen_in(table.c[name], values) for name, values in chosen_values if values]


def cohorts(chosen: Filter) -> sa.Select:
    """Episodes by horizon, opening month and stage: placed, paid back, resolved, immature."""
    groups = ("horizon", "opened_month", "stage")
    return grouped(chosen, marts.cohorts, "opened_month", groups, (*COHORT, "resolved"))


def target_cohorts(chosen: Filter) -> sa.Select:
    """Episodes by opening month at the horizons of the targets: early 30 days, late 180."""
    table = marts.cohorts
    groups = ("stage", "opened_month")
    early = sa.and_(table.c.stage == "early", table.c.horizon == 30)
    late = sa.and_(table.c.stage == "late", table.c.horizon == 180)
    return grouped(chosen, table, "opened_month", groups, COHORT).where(sa.or_(early, late))


def resolution_days(chosen: Filter) -> sa.Select:
    """Episodes by stage and the day on which they ended, 181 being any later day."""
    counts = ("resolved", "competing", "censored")
    return grouped(chosen, marts.resolution_days, "opened_month", ("stage", "day"), counts)


def liquidation_cash(chosen: Filter) -> sa.Select:
    """Cash of episodes by placement month and 30-day step since the placement."""
    found = grouped(
        chosen, marts.liquidation_cash, "placed_month", ("placed_month", "elapsed"), ("cash_cents",)
    )
    return found.where(marts.liquidation_cash.c.unit == "episode")


def placements(chosen: Filter) -> sa.Select:
    """Episodes placed, by month."""
    names = ("cases", "placed_cents")
    found = grouped(chosen, marts.placements, "placed_month", ("placed_month",), names)
    return found.where(marts.placements.c.unit == "episode")


def collections_months(chosen: Filter) -> sa.Select:
    """By calendar month: open at its start, and the cash of owners and of nobody."""
    names = ("open_cases", "open_cents", "owner_cents", "nobody_cents")
    return grouped(chosen, marts.collections_months, "month", ("month",), names)


def cash_by_rule(chosen: Filter) -> sa.Select:
    """The same owners' cash as the three rules give it to channels: one total for each rule."""
    return grouped(chosen, marts.channel_cash, "month", ("rule",), ("cash_cents",))


def owner_targets(chosen: Filter) -> sa.Select:
    """Cases by owner and stage at the horizon of the stage's target."""
    table = marts.owner_cases
    by = [table.c[name] for name in ("stage", "team", "collector_id", "agency_id")]
    return (
        sa.select(*by, *sums(table, COHORT, prefix="target_"))
        .where(
            table.c.opened_month.between(*chosen.months()),
            table.c.stage.in_(("early", "late")),
            *conditions(chosen, table),
        )
        .group_by(*by)
    )


def late_placements(chosen: Filter) -> sa.Select:
    """Cases that an owner was given at more than 90 days, by month, at 180 days."""
    table = marts.owner_cases
    return (
        sa.select(table.c.opened_month, *sums(table, COHORT, prefix="target_"))
        .where(
            table.c.opened_month.between(*chosen.months()),
            table.c.stage == "late",
            *conditions(chosen, table),
        )
        .group_by(table.c.opened_month)
        .order_by(table.c.opened_month)
    )


def first_attempts(chosen: Filter, *, by_owner: bool) -> sa.Select:
    """Working days to the first attempt, by team and collector too; not by region or grade."""
    table = marts.first_contacts
    owner = [table.c.team, table.c.collector_id] if by_owner else []
    by = [*owner, table.c.working_day]
    inside = chosen_in(table.c.product, chosen.products) if chosen.products else sa.true()
    months = table.c.opened_month.between(*chosen.months())
    return (
        sa.select(*by, *sums(table, ("contacted", "closed", "open")))
        .where(months, table.c.kind == "attempt", inside)
        .group_by(*by)
    )


def known_owners(chosen: Filter) -> sa.Select:
    """Collectors with their teams, as the contract has them; teams of automated queues beside."""
    table = marts.owner_cases
    return (
        sa.select(table.c.team, table.c.collector_id)
        .where(table.c.team.is_not(None))
        .distinct()
        .order_by(table.c.team, table.c.collector_id)
    )


def spending(chosen: Filter) -> sa.Select:
    """What collecting cost by month and kind, one-off costs apart; of the whole operation."""
    table = marts.spending
    by = [table.c.month, table.c.kind, table.c.is_one_off]
    return (
        sa.select(*by, *sums(table, ("amount_cents",)))
        .where(table.c.month.between(*chosen.months()))
        .group_by(*by)
        .order_by(*by)
    )
