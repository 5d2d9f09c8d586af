"""The Simulator's curves: what placed and sued balances pay by month, beside like cases."""

from __future__ import annotations

import polars as pl
import streamlit as st

import ui
from analytics.placement_curves import AGENCY, FEWEST, SUIT, placement_curves
from analytics.placement_ramps import placed_ramp, ramp_units
from analytics.strategy_effects import goes_by_curve
from charts import curve_sentences as sentences
from charts import pairs
from charts.strategy_words import STEPS
from figures.simulator import Ground

FEW_PAYING = 20


def show_curves(ground: Ground, effects: pl.DataFrame) -> None:
    """Agencies and suits by their liquidation curves; `effects` with the analyst's own ranges."""
    for place, kind in zip(st.columns(2), (AGENCY, SUIT), strict=True):
        with place:
            _curve(ground, effects, kind)


def _curve(ground: Ground, effects: pl.DataFrame, kind: str) -> None:
    rows = ground.curves.steps.filter(pl.col("kind") == kind)
    ui.heading(
        sentences.TITLES[kind],
        f"Share of the balance paid in a month, by months {sentences.SINCE[kind]}, with its 95 %"
        f" interval; stroke: {sentences.LIKE[kind].lower()}, whose own interval (in the data)"
        f" counts too when the two are compared. Hollow: under {FEW_PAYING} paid.",
    )
    in_use = goes_by_curve(effects, kind)
    lines = sentences.curve_sentences(
        kind, ground.curves.started[kind], list(rows.iter_rows(named=True)), in_use=in_use
    )
    st.markdown(" ".join(lines))
    drawn = rows.filter(pl.col("rate").is_not_null(), pl.col("cases") >= FEWEST).select(
        name=pl.col("step").replace_strict(
            {one: f"{said[:1].upper()}{said[1:]}" for one, said in STEPS.items()}
        ),
        before="like_rate",
        after="rate",
        low="low",
        high="high",
        is_small=pl.col("paying") < FEW_PAYING,
        cases="cases",
    )
    if drawn.is_empty():
        return
    ui.chart(
        drawn,
        pairs.before_and_after(
            drawn["name"].to_list(),
            alt=f"{sentences.TITLES[kind]} by month {sentences.SINCE[kind]}, beside like cases.",
            before=sentences.LIKE[kind],
            after=sentences.OWN[kind],
        ),
        key=f"curve_{kind}",
    )
    st.caption(sentences.ASSUMES)
    table = rows.rename({"theta": "log_odds_beside_like_cases", "se": "log_odds_standard_error"})
    ui.evidence(f"curve_{kind}", table, placement_curves, placed_ramp, ramp_units,
                of=sentences.TITLES[kind].lower())  # fmt: skip
