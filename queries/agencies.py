"""What pages ask of agencies and in-house: like cases, batches, commissions and checks."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl
import sqlalchemy as sa

from queries import collectors, owner_cells
from queries.filters import Filter
from queries.kept import Kept
from queries.marts import Marts, as_text
from warehouse import recovery_marts as tables

OUTCOMES = ("resolved", "cash", "clipped")
_CASES = ("opened_cases", "opened_cents", "cases", "placed_cents", "placed_squares", "cash_cents",
          "cash_squares", "cash_placed", "immature_cases", "immature_cents", "resolved",
          "transferred")  # fmt: skip


def _kept(
    table: sa.Table, month: str, sums: tuple[str, ...], *keys: str, unit: str | None = None
) -> Kept:
    """Sums of what agencies hold, by agency and more."""
    theirs = table.c.agency_id.is_not(None)
    return Kept(
        table,
        month,
        sums,
        keys=tuple(table.c[name] for name in ("agency_id", *keys)),
        only=theirs if unit is None else sa.and_(theirs, table.c.unit == unit),
    )


_cases = _kept(tables.owner_cases, "opened_month", _CASES, "stage")
_cash = _kept(tables.owner_work, "month", ("cash_cents",))
_placements = _kept(tables.placements, "placed_month", ("cases", "placed_cents"), unit="case")
_liquidation = _kept(
    tables.liquidation_cash, "placed_month", ("cash_cents",), "elapsed", unit="case"
)
_spending = Kept(
    tables.spending,
    "month",
    ("amount_cents",),
    segments=(),
    only=tables.spending.c.kind == "agency",
)


def partners(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Every agency: name, commission, contract and listing."""
    return as_text(marts.part(tables.partners.name)).sort("agency_id")


def partner_checks(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Vetting, confidentiality, spot checks and audits of agencies, up to the as-of month."""
    rows = as_text(marts.part(tables.people_events.name))
    known = rows.filter(pl.col("agency_id").is_not_null(), pl.col("occurred_on") <= chosen.as_of)
    names = ("occurred_on", "kind", "agency_id", "is_passed")
    return known.select(names).sort("agency_id", "occurred_on")


def agency_cases(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Cases given to agencies, by agency, opening month and stage, at 90 days."""
    return _cases.total(marts, chosen, ("agency_id", "opened_month", "stage"))


def agency_expected(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Observed and expected by agency or in-house, outcome, opening month and stage."""
    by = ("opened_month", "stage")
    return _by_outcome(
        owner_cells.expected(marts, chosen, kind="agency", outcome=outcome, by=by)
        for outcome in OUTCOMES
    )


def agency_whole(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """The same over all that the models were fitted on, whatever the choice."""
    return _by_outcome(
        owner_cells.expected_of_all(marts, chosen, kind="agency", outcome=outcome)
        for outcome in OUTCOMES
    )


def _by_outcome(parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    named = zip(OUTCOMES, parts, strict=True)
    return pl.concat([part.with_columns(outcome=pl.lit(name)) for name, part in named])


def agency_effects(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Each agency's own effect over all that the models were fitted on."""
    return collectors.effects(marts, chosen, kind="agency")


def agency_models(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """The models: when and on what they were fitted, or why there is none."""
    return collectors.models(marts, chosen, kind="agency")


def agency_liquidation(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Cash of agencies' cases by placement month and 30-day step."""
    return _liquidation.total(marts, chosen, ("agency_id", "placed_month", "elapsed"))


def agency_placements(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """What was placed with agencies, by month."""
    return _placements.total(marts, chosen, ("agency_id", "placed_month"))


def agency_cash(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Cash by calendar month on agencies' cases, whenever they were placed."""
    return _cash.total(marts, chosen, ("month", "agency_id"))


def agency_spending(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """What the lender spent on agencies, by month."""
    return _spending.total(marts, chosen, ("month",))
