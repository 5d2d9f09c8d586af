"""What the Segments page shows, made once for each choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
import streamlit as st

import ui
from analytics.resolution_model import Discrimination, calibration, discrimination, stability
from analytics.segments import (
    class_migration,
    class_recovery,
    class_rolls,
    class_sizes,
    planned_and_actual,
)
from queries import segments as marts


@dataclass(frozen=True)
class Segments:
    """The classes of one scheme.  `recovery` and `treatments` are empty without cases."""

    sizes: pl.DataFrame
    rolls: pl.DataFrame
    migration: pl.DataFrame
    recovery: pl.DataFrame
    treatments: pl.DataFrame
    counts: pl.DataFrame  # of treatments, as counted


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def segments(key: str, scheme: str, _view: ui.View) -> Segments | None:
    """The figures of a choice; None where no loan is late in it."""
    view = _view
    months = ui.load(view, marts.segment_months, scheme=scheme)
    months = months.filter(pl.col("month") == view.chosen.as_of)
    if not months["late_loans"].sum():
        return None
    moves = ui.load(view, marts.segment_moves, scheme=scheme)
    cases = ui.load(view, marts.segment_cases, scheme=scheme)
    done = ui.load(view, marts.segment_treatments, scheme=scheme)
    return Segments(
        sizes=class_sizes(months, scheme),
        rolls=class_rolls(moves, scheme, weight=view.weight),
        migration=class_migration(moves, scheme, weight=view.weight),
        recovery=class_recovery(cases, scheme) if cases.height else pl.DataFrame(),
        treatments=planned_and_actual(done, scheme) if done.height else pl.DataFrame(),
        counts=done,
    )


@dataclass(frozen=True)
class Model:
    """The model of resolution over the chosen segments, whatever the window.

    `row`: when and on what it was fitted, or the reason why there is none; None without cases.
    `groups`: calibration of the later months; `months`: stability and, of each month, how well
    it told cases apart.
    """

    row: dict[str, Any] | None
    levels: pl.DataFrame
    fitted: Discrimination | None
    later: Discrimination | None
    groups: pl.DataFrame
    months: pl.DataFrame


@st.cache_resource(max_entries=64, ttl=3600, show_spinner=False)
def model(key: str, _view: ui.View) -> Model:
    view = _view
    said = ui.load(view, marts.resolution_model)
    row = said.row(0, named=True) if said.height else None
    scores = ui.load(view, marts.resolution_scores)
    fitted, later = scores.filter(period="fitted"), scores.filter(period="later")
    outside = (pl.col("forecast_share") < pl.col("low")) | (
        pl.col("forecast_share") > pl.col("high")
    )
    return Model(
        row=row,
        levels=ui.load(view, marts.resolution_coefficients),
        fitted=discrimination(fitted),
        later=discrimination(later),
        groups=calibration(later).with_columns(is_off=outside),
        months=_months(scores, fitted, later),
    )


def _months(scores: pl.DataFrame, fitted: pl.DataFrame, later: pl.DataFrame) -> pl.DataFrame:
    """Every month from the first of the fit on: stability, forecast, what happened, AUC and KS."""
    scores = scores.filter(pl.col("period") != "before")
    base, every = (part.with_columns(bin="mix_bin") for part in (fitted, scores))
    index = stability(base, every).rename({"opened_month": "month"})
    seen = later["opened_month"].min()
    rows = []
    for (month,), part in scores.partition_by("opened_month", as_dict=True).items():
        told = discrimination(part)
        mature = int(part["mature"].sum())
        rows.append(
            {
                "month": month,
                "mature": mature,
                "forecast_share": part["expected"].sum() / mature if mature else None,
                "resolved_share": part["resolved"].sum() / mature if mature else None,
                "auc": told.auc if told else None,
                "ks": told.ks if told else None,
            }
        )
    schema = {"month": pl.Date, "mature": pl.Int64} | dict.fromkeys(
        ("forecast_share", "resolved_share", "auc", "ks"), pl.Float64
    )
    told_apart = pl.DataFrame(rows, schema=schema)
    is_later = pl.lit(False) if seen is None else pl.col("month") >= pl.lit(seen)
    return index.join(told_apart, on="month", how="left").with_columns(is_later=is_later)
