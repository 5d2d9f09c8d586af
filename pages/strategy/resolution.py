"""Segments: the model of resolution, judged on later months than it was fitted on."""

import polars as pl
import streamlit as st

import ui
from analytics.resolution_model import (
    calibration,
    discrimination,
    fit_resolution_model,
    stability,
)
from charts import forecasts
from charts import format as words
from charts import segment_sentences as sentences
from charts import segment_words as names
from charts.forecasts import CHANCE
from figures.segments import Model, model

FEWEST = 30


def show(view: ui.View) -> None:
    found = model(view.key, view)
    ui.heading(
        "Who will resolve? A model by what is known at the opening",
        "Odds of being cured, paid off or settled within 90 days, by lateness, product, grade,"
        " amount, class and season; fitted on earlier openings, judged on later ones. Of the chosen"
        " segments, whatever the window.",
    )
    st.markdown(" ".join(sentences.model_sentences(found.row, found.later, found.fitted)))
    if found.row is None or found.row["reason"]:
        return
    _tiles(found)
    left, right = st.columns(2, gap="large")
    with left:
        _calibration(found)
    with right:
        _stability(found)
    levels = names.levels(found.levels).with_columns(
        odds_ratio=pl.col("coefficient").exp(), resolved_share=pl.col("resolved") / pl.col("cases")
    )
    levels = levels.rename(
        {"coefficient": "log_odds", "low": "log_odds_low", "high": "log_odds_high"}, strict=False
    )
    ui.evidence("resolution_model", levels, fit_resolution_model, of="the model")


def _tiles(found: Model) -> None:
    later, fitted = found.later, found.fitted
    judged = found.months.filter("is_later", pl.col("mature") > 0)
    cases = int(judged["mature"].sum())
    forecast, share = (
        judged.select((pl.col(name) * pl.col("mature")).sum() / cases).item() if cases else None
        for name in ("forecast_share", "resolved_share")
    )
    tiles = (
        ("AUC, later months", words.number(later.auc if later else None, decimals=3),
         f"fitted on: {words.number(fitted.auc if fitted else None, decimals=3)}",
         "How often a case that resolves has the higher forecast of the two; 0.5 is chance."),
        ("KS, later months", words.number(later.ks if later else None, decimals=3),
         f"fitted on: {words.number(fitted.ks if fitted else None, decimals=3)}",
         "The largest gap between the cumulative shares of those that resolve and of the others."),
        ("Forecast to resolve", words.percent(forecast), f"resolved: {words.percent(share)}",
         "Of later cases that are 90 days old."),
        ("Later cases judged", words.number(cases),
         f"{words.number(later.others if later else 0)} did not resolve",
         "Opened after the months the model was fitted on, and 90 days old."),
    )  # fmt: skip
    with st.container(horizontal=True, key="model_tiles"):
        for label, value, note, help in tiles:
            st.metric(
                label, words.plain(value), None, delta_description=words.plain(note),
                border=True, width=180, help=help,
            )  # fmt: skip


def _calibration(found: Model) -> None:
    ui.heading(
        sentences.calibration_title(found.groups),
        "Later cases in tenths by their forecast, %: forecast across, resolved up, with 95 %"
        " interval. Filled: the interval leaves out the forecast.",
    )
    if found.groups.height:
        ui.chart(
            found.groups,
            forecasts.calibration(alt="Resolved share by forecast, later months."),
            key="calibration",
        )
    ui.evidence("calibration", found.groups, calibration, discrimination)


def _stability(found: Model) -> None:
    ui.heading(
        sentences.stability_title(found.months),
        "Stability index (PSI) of the forecasts by opening month, against the months of the fit"
        f" (hollow). Grey line: the most that chance makes of it, {CHANCE} times its mean. 0.1 and"
        " 0.25 are conventions: look, and act.",
    )
    if found.months.height:
        ui.chart(
            found.months.select("month", "psi", "by_chance", "cases", "is_later"),
            forecasts.stability(alt="Stability index of the forecasts by opening month."),
            key="stability",
        )
    ui.evidence("stability", found.months, stability, discrimination)
