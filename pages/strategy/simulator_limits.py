"""The Simulator's optimiser: the best mix under hours, budget, complaints and contact rules."""

from __future__ import annotations

import polars as pl
import streamlit as st

import ui
from analytics.optimiser import Infeasible, best_mix, frontier
from analytics.simulation_answers import benefit
from analytics.strategies import Strategy
from analytics.treatment_mix import choices
from analytics.workload import PRODUCTIVE
from charts import format as words
from charts import frontiers
from charts import limit_sentences as limit_words
from charts.strategy_words import STAGE_NAMES
from figures import simulator as figures
from figures import simulator_limits as limits
from figures.simulator import Ground
from pages.strategy import strategy_editor as editor


def show(strategy: Strategy, ground: Ground) -> None:
    """Ask for limits, show the best mix, what limits cost, and what it brings when simulated."""
    used = limits.now(ground)
    operations = strategy.operations
    st.caption(
        "Who should get which treatment, so that most is brought in within the limits. The limits"
        f" are a month's: of money and complaints a mean month of the {figures.HORIZON} simulated"
        " (not discounted); of hours a month of the caseload measured, as under Answer. What the"
        " baseline uses of each stands beside it. Contact rules hold for every treatment."
    )
    with st.container(horizontal=True, key="limits"):
        people = st.number_input(
            "Collectors", 0.0, 100_000.0, float(operations.collectors), 1.0, "%.1f", width=190,
            key="limit_people", help=f"Hours used now: {words.number(used['hours'])} a month.",
        )  # fmt: skip
        budget = st.number_input(
            f"Contacts and suits (now {words.compact(used['budget'])})", 0.0, 1e12,
            float(round(used["budget"] * 1.2)), 1_000.0, "%.0f", width=260, key="limit_budget",
        )  # fmt: skip
        complaints = st.number_input(
            f"Complaints (now {words.number(used['complaints'], decimals=1)})", 0.0, 1e9,
            float(round(used["complaints"], 1)), 1.0, "%.1f", width=220, key="limit_complaints",
        )  # fmt: skip
    each = operations.hours_per_month * PRODUCTIVE
    chosen = {"hours": people * each, "budget": budget, "complaints": complaints}
    if not ground.baseline.operations.collectors:  # how many hours there are is not known
        del chosen["hours"]
    found = limits.best(ground, strategy, chosen, people)
    if isinstance(found.mix, Infeasible):
        for line in limit_words.infeasible_sentences(found.mix.limits):
            st.error(line, icon=":material/block:")
        return
    assert found.strategy is not None
    result = figures.outcome(ground, [found.strategy], strategy.assumptions)
    gain = benefit(result.simulation).row(1, named=True)
    pay = (people - ground.baseline.operations.collectors) * (
        operations.monthly_pay + operations.monthly_bonus
    )
    lines = limit_words.mix_sentences(found.mix.value, gain, pay * figures.HORIZON)
    lines += limit_words.price_sentences(
        found.mix.limits, months=figures.HORIZON, collector=found.collector
    )
    st.markdown(" ".join(lines))
    if st.button("Open this strategy in the form", icon=":material/edit:", key="take_best"):
        editor.begin(st.session_state[editor.BASE][0], found.strategy)
        st.rerun()
    left, right = st.columns((3, 2))
    with left:
        _frontier(found, result.simulation.benefit[1], used)
    with right:
        _shares(found)
    ui.evidence("limits", limits.prices(found.mix), best_mix, choices, of="limits and their prices")


def _frontier(found: limits.Best, drawn: object, used: dict[str, float]) -> None:
    ui.heading(
        "What each complaint allowed brings",
        "Net benefit over the months shown, before pay, of the best mix at each number of"
        " complaints a month, the other limits as above.",
    )
    line = found.frontier.select(
        x="used", value=pl.col("value") * 100, name=pl.lit(None, pl.String)
    )
    assert not isinstance(found.mix, Infeasible)
    own = found.mix.limits.filter(pl.col("limit") == "complaints")
    points = pl.DataFrame(
        {
            "x": [used["complaints"], own["used"][0]],
            "value": [0.0, found.mix.value * 100],
            "name": ["Now", "Best"],
        }
    )
    ui.chart(
        pl.concat([line, points], how="diagonal"),
        frontiers.frontier(
            alt="Net benefit against complaints allowed.", across="Complaints a month"
        ),
        key="frontier",
    )
    named = {"at_most": "complaints_at_most", "used": "complaints_used", "value": "benefit_amount",
             "price": "price_of_one_more_amount"}  # fmt: skip
    ui.evidence("frontier", found.frontier.rename(named), frontier, of="frontier")


def _shares(found: limits.Best) -> None:
    rows = limits.shares(found).with_columns(pl.col("stage").replace_strict(STAGE_NAMES))
    ui.heading(
        "Who gets what",
        "Segments by stage whose treatment changes; the cases of a segment may be split between"
        " treatments, which gives parts of a segment.",
    )
    changed = rows.filter(pl.col("treatment") != found.choices.options[0].name)
    table = (
        changed.group_by("stage", "treatment", maintain_order=True)
        .agg(segments=pl.col("share").sum().round(1))
        .sort("segments", descending=True)
    )
    ui.readable_table(table, alt="Treatments by stage.")
    ui.evidence("mix", rows, best_mix, of="who gets what")
