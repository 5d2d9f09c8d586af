"""The models of owners: what each collector, team and agency does beyond its case mix.

Fitted at refresh on the cells of `owner_cases`; the pages add up what they left.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import polars as pl
import sqlalchemy as sa

from analytics.case_mix import CaseMix, fit_case_mix
from analytics.expected import observed_and_expected, standard_curve
from analytics.money_mix import Cash, fit_money_mix, observed_and_expected_money
from jobs.months import as_categories, as_text
from queries.loan_states import total
from warehouse.engines import Connection
from warehouse.recovery_marts import owner_cases

COVARIATES = ("bucket", "product", "grade", "amount_band", "region", "opened_month")
BY = ("opened_month", "product", "region", "grade", "stage")
OUTCOMES = ("resolved", "cash", "clipped")
IN_HOUSE = "in-house"
MODELS = (
    "owner_effects",
    "owner_expected",
    "owner_coefficients",
    "owner_models",
    "standard_curves",
)
OWNERS = {
    "collector": owner_cases.c.collector_id,
    "team": owner_cases.c.team,
    "agency": sa.func.coalesce(
        owner_cases.c.agency_id,
        sa.case((owner_cases.c.collector_id.is_not(None), sa.literal(IN_HOUSE, sa.Text))),
    ),
}
_SUMS = (
    "cases",
    "placed_cents",
    "placed_squares",
    *(f"{cash}_{part}" for cash in ("cash", "clipped") for part in ("cents", "squares", "placed")),
    "resolved",
)


def owner_cells(owner_kind: str) -> sa.Select:
    """Mature cases with an owner by owner, covariates and stage."""
    owner = OWNERS[owner_kind].label("owner")
    groups = [owner, *[owner_cases.c[name] for name in (*COVARIATES, "stage")]]
    sums = [
        (sa.func.sum(column) if isinstance(column.type, sa.Double) else total(column)).label(name)
        for name, column in ((name, owner_cases.c[name]) for name in _SUMS)
    ]
    return (
        sa.select(*groups, *sums)
        .where(OWNERS[owner_kind].is_not(None), owner_cases.c.cases > 0)
        .group_by(*groups)
        .order_by(*groups)
    )


@dataclass(frozen=True)
class OwnerCells:
    """What the models are fitted on, by kind of owner; of those without a case, why."""

    cells: dict[str, pl.DataFrame]
    empty: dict[str, str]


def read_owner_cells(target: Connection) -> OwnerCells:
    cells = {kind: as_categories(target.fetch(owner_cells(kind))) for kind in OWNERS}
    empty = {kind: _why_nothing(target, kind) for kind, found in cells.items() if not found.height}
    return OwnerCells(cells, empty)


def fit_owner_models(read: OwnerCells) -> dict[str, pl.DataFrame]:
    """Every model of owners, by mart name; one after the other, beside those of channels."""
    parts: dict[str, list[pl.DataFrame]] = {name: [] for name in MODELS}
    asked = [(owner_kind, outcome) for owner_kind in OWNERS for outcome in OUTCOMES]
    for owner_kind, outcome in asked:
        frames = _model(read.cells[owner_kind], outcome, read.empty.get(owner_kind))
        keys = [pl.lit(owner_kind).alias("owner_kind"), pl.lit(outcome).alias("outcome")]
        for name, frame in frames.items():
            parts[name].append(as_text(frame).with_columns(keys))
    return {name: pl.concat(frames, how="diagonal") for name, frames in parts.items() if frames}


def _model(cells: pl.DataFrame, outcome: str, why_not: str | None) -> dict[str, pl.DataFrame]:
    if why_not:
        return {"owner_models": _no_model(cells, why_not)}
    try:
        model = _fitted(cells, outcome)
    except (ValueError, np.linalg.LinAlgError):
        return {"owner_models": _no_model(cells, "not_fitted")}
    frames = {
        "owner_effects": model.owners,
        "owner_models": _described(model, cells),
        "owner_coefficients": model.coefficients,
    }
    if outcome != "clipped":
        frames["owner_expected"] = _expected(model, cells, outcome)
    if outcome == "resolved":
        frames["standard_curves"] = standard_curve(model, cells)
    return frames


def _fitted(cells: pl.DataFrame, outcome: str) -> CaseMix:
    if outcome == "resolved":
        return fit_case_mix(cells, owner="owner", covariates=COVARIATES)
    cash: Cash = "cash" if outcome == "cash" else "clipped"
    return fit_money_mix(cells, owner="owner", covariates=COVARIATES, cash=cash)


def _expected(model: CaseMix, cells: pl.DataFrame, outcome: str) -> pl.DataFrame:
    if outcome == "resolved":
        return observed_and_expected(model, cells, by=BY)
    return observed_and_expected_money(model, cells, by=BY).rename(
        {
            "observed_cents": "observed",
            "expected_cents": "expected",
            "error_squares": "variance",
            "average_cents": "average_expected",
            "average_squares": "average_variance",
        }
    )


def _described(model: CaseMix, cells: pl.DataFrame) -> pl.DataFrame:
    owners = model.owners.height
    return pl.DataFrame(
        {
            "fitted_at": [datetime.now(UTC).replace(tzinfo=None, microsecond=0)],
            "first_month": [cells["opened_month"].min()],
            "last_month": [cells["opened_month"].max()],
            "cases": [model.cases],
            "owners": [owners],
            "converged": [model.converged],
            "intercept": [model.intercept],
            "deviance": [model.deviance],
            "null_deviance": [model.null_deviance],
            "reason": ["one_owner" if owners == 1 else None],
        },
        schema_overrides={
            "deviance": pl.Float64,
            "null_deviance": pl.Float64,
            "reason": pl.String,
        },
    )


def _no_model(cells: pl.DataFrame, reason: str) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "cases": [int(cells["cases"].sum())],
            "owners": [cells["owner"].n_unique()],
            "reason": [reason],
        },
        schema={"cases": pl.Int64, "owners": pl.Int64, "reason": pl.String},
    )


def _why_nothing(target: Connection, owner_kind: str) -> str:
    """There are no mature cases with such an owner: why."""
    counts = target.fetch(
        sa.select(
            total(owner_cases.c.opened_cases).label("opened"),
            total(owner_cases.c.cases).label("mature"),
            total(
                sa.case((OWNERS[owner_kind].is_not(None), owner_cases.c.opened_cases), else_=0)
            ).label("owned"),
        )
    ).row(0, named=True)
    if not counts["opened"]:
        return "no_cases"
    return "all_immature" if counts["owned"] else "no_owner"
