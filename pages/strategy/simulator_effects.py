"""The Simulator's effects: what is known of each, and the analyst's own ranges instead."""

from __future__ import annotations

from dataclasses import replace
from math import log

import polars as pl
import streamlit as st

import ui
from analytics.monthly_odds import monthly_log_odds
from analytics.simulation_levers import break_even
from analytics.strategies import Strategy
from analytics.strategy_effects import effect_table, with_assumptions
from analytics.strategy_fields import StrategyError
from charts import format as words
from charts import strategy_messages as messages
from charts import strategy_sentences as sentences
from figures import simulator_frames as frames
from figures import simulator_levers as levers
from figures.simulator import Ground, Outcome
from pages.strategy import strategy_editor as editor

SAID = "simulator_effects_said"
SHOWN = ("Those this strategy uses", "All")


def edit_effects(strategy: Strategy, found: Outcome, ground: Ground) -> None:
    """A table of effects, with a range of the reader's own for each."""
    for line in st.session_state.pop(SAID, ()):
        st.error(line, icon=":material/error:")
    ui.heading(
        "What is known of each effect",
        "Odds of cure in a month, times so much: from no attempt to the usual attempts of those"
        " who got any. Range: 95 %. Write your own low and high to put an assumption in its place;"
        " empty both to go back to the estimate.",
    )
    which = ui.segmented("Effects", SHOWN, key="effects_shown")
    effects = with_assumptions(ground.effects, strategy.assumptions)
    if which == SHOWN[0]:
        plan = found.planned[1].plan
        used = [
            code for k, code in enumerate(found.effects["code"]) if abs(plan.x[..., k]).max() > 0
        ]
        effects = effects.filter(pl.col("code").is_in([*used, *strategy.assumptions]))
    if effects.is_empty():
        st.markdown("The strategy changes nothing that has an effect.")
        return
    rows = frames.effect_rows(effects)
    own = [strategy.assumptions.get(code) for code in rows["code"]]
    told = rows.with_columns(
        own_low=pl.Series([None if one is None else frames.odds(one[0]) for one in own],
                          dtype=pl.Float64),
        own_high=pl.Series([None if one is None else frames.odds(one[1]) for one in own],
                           dtype=pl.Float64),
    )  # fmt: skip
    key = f"effects {which} {st.session_state.get(editor.REV, 0)}"
    number = {name: st.column_config.NumberColumn(label, format="%.3f") for name, label in
              (("odds", "Odds, times"), ("low", "From"), ("high", "To"))}  # fmt: skip
    typed = {
        name: st.column_config.NumberColumn(label, format="%.3f", min_value=0.01, max_value=100.0)
        for name, label in (("own_low", "Your low"), ("own_high", "Your high"))
    }
    st.data_editor(
        told.drop("code"),
        key=key,
        hide_index=True,
        placeholder=words.MISSING,
        alt="Effects, with a range of your own for each.",
        column_order=[
            "effect",
            "evidence",
            "odds",
            "low",
            "high",
            "own_low",
            "own_high",
            "cases",
            "why",
        ],
        disabled=["effect", "evidence", "odds", "low", "high", "cases", "why"],
        column_config={
            "effect": st.column_config.TextColumn("Effect", pinned=True),
            "evidence": "Evidence",
            **number,
            "cases": st.column_config.NumberColumn("Cases behind it", format="localized"),
            "why": st.column_config.TextColumn("Why there is none", width="large"),
            **typed,
        },
        on_change=take_range,
        args=(key, strategy, rows["code"].to_list()),
    )
    table = rows.drop("code").rename({"low": "odds_low", "high": "odds_high"})
    ui.evidence("strategy_effects", table, effect_table, monthly_log_odds, of="effects")


def take_range(key: str, strategy: Strategy, codes: list[str]) -> None:
    changed = st.session_state.get(key, {}).get("edited_rows", {})
    held = st.session_state.setdefault("simulator_half_ranges", {})
    made = dict(strategy.assumptions)
    lines = []
    for place, values in changed.items():
        code = codes[int(place)]
        ends = dict(zip(("own_low", "own_high"), made.get(code, (None, None)), strict=True))
        ends |= held.get(code, {})
        for name, value in values.items():
            ends[name] = None if value is None else log(value) if value > 0 else float("nan")
        low, high = ends["own_low"], ends["own_high"]
        held.pop(code, None)
        if low is None and high is None:
            made.pop(code, None)
        elif low is None or high is None:  # one end alone says nothing: it waits for the other
            held[code] = ends
            lines.append("Write both ends of the range, the low and the high.")
        else:
            made[code] = (low, high)
    try:
        changed_strategy = replace(strategy, assumptions=made)
    except StrategyError as error:
        st.session_state[SAID] = messages.problem_sentences(error.problems)
        return
    st.session_state[SAID] = lines
    if made != dict(strategy.assumptions):
        editor.begin(st.session_state[editor.BASE][0], changed_strategy)


def show_break_even(found: Outcome, ground: Ground) -> None:
    """At which size of one effect the strategy is worth nothing more."""
    plan = found.planned[1].plan
    codes = [code for k, code in enumerate(found.effects["code"]) if abs(plan.x[..., k]).max() > 0]
    if not codes:
        return
    names = {
        sentences.effect_name(row): row["code"]
        for row in found.effects.iter_rows(named=True)
        if row["code"] in codes
    }
    chosen = ui.pick("Break-even of", tuple(names), key="break_even_of")
    place = found.effects["code"].to_list().index(names[chosen])
    value = levers.even_at(found, ground, place)
    row = found.effects.row(place, named=True)
    st.markdown(sentences.break_even_sentence(chosen, row, value))
    is_known = row["evidence"] != "none"
    told = pl.DataFrame(
        {
            "effect": [chosen],
            "odds_at_break_even": [None if value is None else frames.odds(value)],
            "odds_as_thought": [frames.odds(row["mean"]) if is_known else None],
        },
        schema_overrides={"odds_at_break_even": pl.Float64, "odds_as_thought": pl.Float64},
    )
    ui.evidence("break_even", told, break_even, of="break-even")
