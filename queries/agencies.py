"""Marts: agencies and in-house on like cases, their batches, commissions and checks."""

from __future__ import annotations

import sqlalchemy as sa

from queries.filters import Filter
from queries.recovery import conditions, grouped, sums
from warehouse import recovery_marts as marts

EXPECTED = (
    "cases",
    "observed",
    "expected",
    "variance",
    "average_expected",
    "average_variance",
)


def partners(chosen: Filter) -> sa.Select:
    """Every agency: name, commission, contract and listing."""
    return sa.select(marts.partners).order_by(marts.partners.c.agency_id)


def partner_checks(chosen: Filter) -> sa.Select:
    """Vetting, confidentiality, spot checks and audits of agencies, up to the as-of month."""
    table = marts.people_events
    return (
        sa.select(table.c.occurred_on, table.c.kind, table.c.agency_id, table.c.is_passed)
        .where(table.c.agency_id.is_not(None), table.c.occurred_on <= chosen.as_of)
        .order_by(table.c.agency_id, table.c.occurred_on)
    )


def agency_cases(chosen: Filter) -> sa.Select:
    """Cases given to agencies, by agency, opening month and stage, at 90 days."""
    names = ("opened_cases", "opened_cents", "cases", "placed_cents", "placed_squares",
             "cash_cents", "cash_squares", "cash_placed", "immature_cases", "immature_cents",
             "resolved", "transferred")  # fmt: skip
    groups, table = ("agency_id", "opened_month", "stage"), marts.owner_cases
    found = grouped(chosen, table, "opened_month", groups, names)
    return found.where(table.c.agency_id.is_not(None))


def agency_expected(chosen: Filter) -> sa.Select:
    """Observed and expected by agency or in-house, outcome, opening month and stage."""
    groups = ("outcome", "owner", "opened_month", "stage")
    found = grouped(chosen, marts.owner_expected, "opened_month", groups, EXPECTED)
    return found.where(marts.owner_expected.c.owner_kind == "agency")


def agency_whole(chosen: Filter) -> sa.Select:
    """The same over all that the models were fitted on, whatever the choice."""
    table = marts.owner_expected
    by = [table.c.outcome, table.c.owner]
    return (
        sa.select(*by, *sums(table, EXPECTED)).where(table.c.owner_kind == "agency").group_by(*by)
    )


def agency_effects(chosen: Filter) -> sa.Select:
    """Each agency's own effect over all that the models were fitted on."""
    table = marts.owner_effects
    return sa.select(*[column for column in table.c if column.name != "owner_kind"]).where(
        table.c.owner_kind == "agency"
    )


def agency_models(chosen: Filter) -> sa.Select:
    """The models: when and on what they were fitted, or why there is none."""
    table = marts.owner_models
    return sa.select(table).where(table.c.owner_kind == "agency").order_by(table.c.outcome)


def agency_liquidation(chosen: Filter) -> sa.Select:
    """Cash of agencies' cases by placement month and 30-day step."""
    groups = ("agency_id", "placed_month", "elapsed")
    table = marts.liquidation_cash
    found = grouped(chosen, table, "placed_month", groups, ("cash_cents",))
    return found.where(table.c.unit == "case", table.c.agency_id.is_not(None))


def agency_placements(chosen: Filter) -> sa.Select:
    """What was placed with agencies, by month."""
    table, groups = marts.placements, ("agency_id", "placed_month")
    found = grouped(chosen, table, "placed_month", groups, ("cases", "placed_cents"))
    return found.where(table.c.unit == "case", table.c.agency_id.is_not(None))


def agency_cash(chosen: Filter) -> sa.Select:
    """Cash by calendar month on agencies' cases, whenever they were placed."""
    table = marts.owner_work
    return (
        sa.select(table.c.month, table.c.agency_id, *sums(table, ("cash_cents",)))
        .where(
            table.c.month.between(*chosen.months()),
            table.c.agency_id.is_not(None),
            *conditions(chosen, table),
        )
        .group_by(table.c.month, table.c.agency_id)
        .order_by(table.c.month, table.c.agency_id)
    )


def agency_spending(chosen: Filter) -> sa.Select:
    """What the lender spent on agencies, by month."""
    table = marts.spending
    return (
        sa.select(table.c.month, *sums(table, ("amount_cents",)))
        .where(table.c.month.between(*chosen.months()), table.c.kind == "agency")
        .group_by(table.c.month)
        .order_by(table.c.month)
    )
