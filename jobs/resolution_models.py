"""The model of resolution at refresh: fitted on earlier opening months, scored on all."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl

from analytics.resolution_model import (
    NoModel,
    ResolutionModel,
    fit_resolution_model,
    forecasts,
    with_season,
)
from jobs.mart_frames import mart_schema
from queries.loan_states import SEGMENTS
from warehouse.strategy_marts import SCORE_BINS

MODEL_MARTS = ("resolution_scores", "resolution_coefficients", "resolution_models")
LATER_SHARE = 4  # a quarter of the months, the last ones, is kept to judge by
FEWEST_MONTHS = 6
LEAST_LATER = 3
Frames = dict[str, pl.DataFrame]


def fit_resolution(cells: pl.DataFrame) -> Frames:
    """The model's marts; where there is none, `resolution_models` says why."""
    if cells.is_empty():
        return {}
    cells = with_season(cells)
    try:
        fitted = _fitting_months(cells)
        model = fit_resolution_model(cells.filter(pl.col("opened_month").is_in(fitted)))
    except NoModel as reason:
        return {"resolution_models": _said(reason=str(reason))}
    return {
        "resolution_scores": _scores(model, cells, fitted),
        "resolution_coefficients": model.levels,
        "resolution_models": _said(model, fitted),
    }


def _fitting_months(cells: pl.DataFrame) -> list[date]:
    """The earlier of the months whose cases are all 90 days old.

    The first month's are left out where there are enough: they are classed without a history, and
    they are what was late before the book began.
    """
    months = cells.group_by("opened_month").agg(pl.col("cases", "mature").sum())
    mature = months.filter(pl.col("cases") == pl.col("mature"))["opened_month"].sort().to_list()
    if len(mature) < FEWEST_MONTHS:
        raise NoModel(
            f"A model needs at least {FEWEST_MONTHS} months of openings whose 90 days are over;"
            f" here: {len(mature)}."
        )
    first = 1 if len(mature) > FEWEST_MONTHS else 0
    return mature[first : len(mature) - max(LEAST_LATER, len(mature) // LATER_SHARE)]


def _scores(model: ResolutionModel, cells: pl.DataFrame, fitted: list[date]) -> pl.DataFrame:
    """Cases by their forecast in hundredths, month and segment."""
    forecast = pl.col("forecast")
    opened = pl.col("opened_month")
    later, before = opened > max(fitted), opened < min(fitted)
    return (
        cells.with_columns(
            forecasts(model, cells), forecasts(model, cells, without=["season"]).alias("mix")
        )
        .with_columns(
            bin=_bin(forecast),
            mix_bin=_bin(pl.col("mix")),
            period=pl.when(later)
            .then(pl.lit("later"))
            .when(before)
            .then(pl.lit("before"))
            .otherwise(pl.lit("fitted")),
            expected=forecast * pl.col("mature"),
        )
        .group_by("opened_month", "period", "bin", "mix_bin", *SEGMENTS)
        .agg(pl.col("cases", "mature", "resolved", "expected").sum())
        .sort("opened_month", "bin")
    )


def _bin(share: pl.Expr) -> pl.Expr:
    return (share * SCORE_BINS).floor().clip(0, SCORE_BINS - 1).cast(pl.Int64)


def _said(
    model: ResolutionModel | None = None,
    fitted: list[date] | None = None,
    reason: str | None = None,
) -> pl.DataFrame:
    row = {
        "fitted_at": datetime.now(UTC).replace(tzinfo=None, microsecond=0),
        "first_month": min(fitted) if fitted else None,
        "last_month": max(fitted) if fitted else None,
        "cases": model.cases if model else None,
        "resolved": model.resolved if model else None,
        "intercept": model.intercept if model else None,
        "deviance": model.deviance if model else None,
        "null_deviance": model.null_deviance if model else None,
        "reason": reason,
    }
    return pl.DataFrame([row], schema=mart_schema("resolution_models"))
