"""What complaints are about, how they end, and what goes with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
import streamlit as st

import ui
from analytics.complaint_causes import contact_lag, root_causes, satisfaction, upheld_share
from analytics.intensity import IntensityCost, intensity_cells, intensity_cost
from charts import complaint_words as names
from figures.complaints import known_until, to_the_month
from figures.vetoes import Vetoes, vetoes
from queries import complaint_marts as marts

TREND = ("recent", "before", "ratio", "ratio_low", "ratio_high", "is_different")


@dataclass(frozen=True)
class Causes:
    """How complaints ended, what they are about (`causes`, with trend), and how soon they came."""

    upheld: dict[str, Any]
    upheld_by: pl.DataFrame
    causes: pl.DataFrame
    lag: dict[str, Any]
    lag_by: pl.DataFrame


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def upheld(key: str, _view: ui.View) -> dict[str, Any]:
    """How complaints of the window ended, as far as was known then."""
    rows = marts.in_window(to_the_month(_view), _view.chosen)
    return upheld_share(marts.as_it_stood(rows, known_until(_view))).row(0, named=True)


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def causes(key: str, cv: float, _view: ui.View) -> Causes:
    """`cv`: how much weeks vary beyond chance, as the signal found it."""
    view = _view
    every = to_the_month(view)
    rows = marts.as_it_stood(marts.in_window(every, view.chosen), known_until(view))
    named = rows.with_columns(grade=pl.col("grade").replace_strict(names.GRADES, default=None))
    by_channel = rows.with_columns(
        channel=pl.col("channel").replace_strict(names.CHANNELS, default=None)
    )
    return Causes(
        upheld=upheld(view.key, view),
        upheld_by=upheld_share(named, by=["grade"]),
        causes=_causes(view, every, rows, cv),
        lag=contact_lag(rows).row(0, named=True),
        lag_by=contact_lag(by_channel.filter(pl.col("contact_at").is_not_null()), by=["channel"]),
    )


def _causes(view: ui.View, every: pl.DataFrame, rows: pl.DataFrame, cv: float) -> pl.DataFrame:
    """The window's causes with their trend, which looks back over 65 weeks."""
    if rows.is_empty():
        return pl.DataFrame()
    weeks = ui.load(view, marts.weekly_attempts)
    exposure = weeks if weeks["attempts"].sum() else None
    as_of = view.chosen.as_of
    found = root_causes(rows, as_of=as_of)
    trend = root_causes(every, as_of=as_of, exposure=exposure, cv=cv).select("category", *TREND)
    finite = [
        pl.when(pl.col(name).is_finite()).then(pl.col(name)).alias(name)
        for name in ("ratio", "ratio_low", "ratio_high")
    ]
    return found.drop(*TREND, "p_value").join(trend.with_columns(finite), on="category", how="left")


@dataclass(frozen=True)
class Beside:
    """Satisfaction, what intensity goes with, and whose score is set aside."""

    satisfied: dict[str, Any] | None
    satisfied_by: pl.DataFrame
    intensity: IntensityCost
    vetoes: Vetoes


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def beside(key: str, _view: ui.View) -> Beside:
    view = _view
    surveys = ui.load(view, marts.surveys)
    controls = ("stage", "product")
    every, months = to_the_month(view), ui.load(view, marts.case_months)
    return Beside(
        satisfied=satisfaction(surveys).row(0, named=True) if surveys.height else None,
        satisfied_by=_by_team(view),
        intensity=intensity_cost(
            intensity_cells(every, months, controls=controls), controls=controls
        ),
        vetoes=vetoes(view),
    )


def _by_team(view: ui.View) -> pl.DataFrame:
    rows = ui.load(view, marts.surveys, by=["team"])
    labels = names.labels("team", rows["team"].unique().to_list())
    return satisfaction(
        rows.with_columns(team=pl.Series([labels[one] for one in rows["team"]], dtype=pl.String)),
        by=["team"],
    )
