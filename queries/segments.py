"""What the Segments page and the simulator's baseline ask of the marts of strategy."""

from __future__ import annotations

import polars as pl
import sqlalchemy as sa

from queries.filters import Filter
from queries.kept import Kept
from queries.marts import Marts, as_text
from warehouse import strategy_marts as tables
from warehouse.contract import CHANNELS

MONTH_SUMS = ("loans", "weight_cents", "late_loans", "late_cents", "paid_cents")
MOVE_SUMS = (
    "loans",
    "opening_cents",
    "opening_squares",
    "forward_loans",
    "forward_cents",
    "forward_squares",
    "cured_loans",
    "cured_cents",
    "cured_squares",
)
ATTEMPTS = tuple(f"{channel}_attempts" for channel in CHANNELS)
CASE_SUMS = (
    "opened_cases",
    "opened_cents",
    "cases",
    "placed_cents",
    "placed_squares",
    "resolved",
    "cash_cents",
    "cash_squares",
    "cash_placed",
    *ATTEMPTS,
    "costed_attempts",
    "cost_cents",
)
TREATMENT_SUMS = (
    "open_cases",
    "open_cents",
    "agency_cases",
    "agency_cents",
    "letters",
    "filings",
    "legal_cents",
    "instalments",
    "deferrals",
    "rate_cuts",
    "term_extensions",
    "restructures",
    "settlements",
    "settled_cents",
    "settled_base_cents",
    "calls",
    "bot_calls",
)
SCORE_SUMS = ("cases", "mature", "resolved", "expected")


def _columns(table: sa.Table, *names: str) -> tuple[sa.ColumnElement[str], ...]:
    return tuple(table.c[name] for name in names)


_months = Kept(
    tables.segment_months,
    "month",
    MONTH_SUMS,
    keys=_columns(tables.segment_months, "scheme", "class"),
)
_moves = Kept(
    tables.segment_moves,
    "month",
    MOVE_SUMS,
    keys=_columns(tables.segment_moves, "scheme", "from_class", "to_class"),
)
_cases = Kept(
    tables.segment_cases,
    "opened_month",
    CASE_SUMS,
    keys=_columns(tables.segment_cases, "scheme", "class", "stage"),
)
_treated = Kept(
    tables.segment_treatments,
    "opened_month",
    ("cases", "resolved"),
    keys=_columns(tables.segment_treatments, "scheme", "class", "planned", "actual"),
)
_scores = Kept(
    tables.resolution_scores,
    "opened_month",
    SCORE_SUMS,
    keys=_columns(tables.resolution_scores, "period", "bin", "mix_bin"),
)
_treatments = Kept(
    tables.treatment_months,
    "month",
    TREATMENT_SUMS,
    keys=_columns(tables.treatment_months, "stage"),
)


def is_there(marts: Marts) -> bool:
    """Whether this version of the marts has those of strategy: older ones have not."""
    return marts.holds(tables.segment_months)


def segment_months(marts: Marts, chosen: Filter, *, scheme: str) -> pl.DataFrame:
    """Open loans by month-end and class: all, late ones, and what was paid in the month."""
    return _months.total(marts, chosen, ("month", "class"), where={"scheme": [scheme]})


def late_loans(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Late loans at the as-of month-end."""
    rows = segment_months(marts, chosen, scheme="grade")
    return rows.filter(pl.col("month") == chosen.as_of).select("class", "late_loans")


def segment_moves(marts: Marts, chosen: Filter, *, scheme: str) -> pl.DataFrame:
    """Loans by month, class a month before and class now; money is the opening balance."""
    by = ("month", "from_class", "to_class")
    return _moves.total(marts, chosen, by, where={"scheme": [scheme]})


def segment_cases(
    marts: Marts, chosen: Filter, *, scheme: str, by: tuple[str, ...] = ("class",)
) -> pl.DataFrame:
    """Episodes opened in the window by class at opening: outcome, work and cost in 90 days.

    `by`: of class, stage, opened_month, product, region, grade.  Adds `immature_cases` and
    `immature_cents`: those that are not yet 90 days old.
    """
    found = _cases.total(marts, chosen, by, where={"scheme": [scheme]})
    return found.with_columns(
        immature_cases=pl.col("opened_cases") - pl.col("cases"),
        immature_cents=pl.col("opened_cents") - pl.col("placed_cents"),
    )


def segment_treatments(marts: Marts, chosen: Filter, *, scheme: str) -> pl.DataFrame:
    """Episodes by class, planned treatment (null: none recorded) and what was done in 90 days."""
    return _treated.total(marts, chosen, ("class", "planned", "actual"), where={"scheme": [scheme]})


def treatment_months(
    marts: Marts, chosen: Filter, *, by: tuple[str, ...] = ("month", "stage")
) -> pl.DataFrame:
    """What was done by month and the stage at opening: law, plans, settlements, agencies, calls.

    `by`: of month, stage, product, region, grade.
    """
    return _treatments.total(marts, chosen, by)


def resolution_scores(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Episodes of every opening month (whatever the window) by period and forecast in hundredths.

    Of the chosen segments.
    """
    values = {name: found for name, found in chosen.segments().items() if found}
    by = ("opened_month", "period", "bin", "mix_bin")
    return _scores.total(marts, None, by, where=values)


def resolution_model(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """The model's row (none without cases): when, on what it was fitted; or why there is none."""
    return as_text(marts.part("resolution_models"))


def resolution_coefficients(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """The model's levels with their coefficients, as log odds against the reference level."""
    return as_text(marts.part("resolution_coefficients"))


def segment_settings(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """The cut points of the classes: name and JSON value."""
    return as_text(marts.part("segment_settings"))
