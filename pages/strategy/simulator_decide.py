"""Deciding on the strategy in hand: its forecast is frozen with the decision."""

from __future__ import annotations

import polars as pl
import streamlit as st

import ui
from analytics.decision_forecasts import forecast_of
from analytics.simulation_answers import CONFIDENCE, benefit
from analytics.strategies import Strategy
from analytics.strategy_files import to_text
from figures.simulator import Outcome
from figures.simulator_frames import effect_rows

LINK = "simulator_link"  # where the Simulator keeps the link that it has opened or saved


def show(view: ui.View, strategy: Strategy, found: Outcome) -> None:
    """A form to decide on the strategy, where it is as it was saved; `found`: it alone."""
    ui.heading(
        "Decide on it",
        "Owner and day. The forecast of every month, the data's version and the effects are kept"
        " with the decision, and each month that ends is held against it under Decisions.",
    )
    simulation = found.simulation
    evidence = found.effects["evidence"].to_list()
    gain = benefit(simulation).row(1, named=True)
    rows = effect_rows(found.effects)
    ui.decide(
        view,
        st.session_state.get(LINK),
        text=to_text(strategy),
        forecast=forecast_of(simulation, 1, as_of=view.chosen.as_of),
        assumptions=rows.select(
            "low", "high", name="effect", mean="odds", evidence=pl.Series(evidence)
        ),
        p_better=gain["p_better"],
        level=CONFIDENCE,
    )
