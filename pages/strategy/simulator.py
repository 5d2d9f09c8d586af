"""Simulator: what would another strategy cost, bring and risk?"""

from dataclasses import replace
from functools import partial

import streamlit as st

import ui
from analytics.simulation_answers import benefit
from analytics.strategies import Strategy
from analytics.strategy_effects import with_assumptions
from analytics.strategy_presets import PRESETS, preset
from charts import format as words
from charts import strategy_messages as messages
from figures import simulator as figures
from figures import simulator_table as table
from figures.simulator import Ground
from pages.strategy import simulator_answers as answers
from pages.strategy import simulator_backtest as back
from pages.strategy import simulator_curves as curves
from pages.strategy import simulator_decide as decide
from pages.strategy import simulator_effects as effects
from pages.strategy import simulator_keep as keep
from pages.strategy import simulator_limits as limits
from pages.strategy import strategy_editor as editor
from ui.filters import choose_periods

PARTS = (
    "Answer",
    "Strategy",
    "Effects",
    "Side by side",
    "Best under limits",
    "Back-test",
    "Save and decide",
)
MOST_BESIDE = 3


def stand_on(view: ui.View) -> Ground:
    """The book that strategies are tried on, or a sentence why there is none."""
    if not view.book.has_balances:
        st.info(
            "This book has no balances, so cash and costs cannot be set against each other. With"
            " `balance_amount` in the loans' histories this page simulates strategies.",
            icon=":material/database:",
        )
        st.stop()
    try:
        return figures.ground(view.key, view)
    except ValueError as error:
        st.info(messages.refused_sentence(error), icon=":material/filter_alt_off:")
        st.stop()


def in_hand(ground: Ground) -> Strategy:
    """The strategy that the reader began with, or opened by a link, with his edits."""
    name, found = _begun(ground)
    if found.name not in (ground.baseline.name, PRESETS["as_measured"].name):
        is_named = found.name == name.removesuffix(" (saved)")
        told = "" if is_named else f"In hand: **{words.plain(found.name)}**. "
        st.caption(f"{told}The sliders add to it.")
    return found


def _begun(ground: Ground) -> tuple[str, Strategy]:
    saved = keep.saved_links()
    names = {one.name: code for code, one in PRESETS.items()}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = ui.pick("Begin with", (*names, *saved), key="begin_with")
        again = st.button("Begin again", key="begin_again", icon=":material/undo:")
    link = keep.link_in_hand(name)
    chosen = link or (keep.linked(saved[name]) if name in saved else None)
    origin = f"link {chosen}" if chosen else f"{ground.key} {name}"
    if again:
        editor.forget()
    held = editor.held(origin)
    if held is not None:
        return name, held
    found = keep.opened(chosen, ground) if chosen else None
    first = preset(names.get(name, "as_measured"), ground.baseline, ground.risk)
    editor.begin(origin, found or first)
    return name, found or first


def beside(ground: Ground, strategy: Strategy) -> list[Strategy]:
    """Up to three more strategies, from the presets and the saved ones."""
    saved = keep.saved_links()
    names = {one.name: code for code, one in PRESETS.items() if code != "as_measured"}
    picked = st.multiselect(
        "Beside it", [*names, *saved], max_selections=MOST_BESIDE, key="simulator_beside",
        placeholder="Up to three more",
    )  # fmt: skip
    found = []
    for name in picked:
        one = (
            keep.opened(saved[name], ground)
            if name in saved
            else preset(names[name], ground.baseline, ground.risk)
        )
        if one is not None:
            found.append(replace(one, assumptions=strategy.assumptions))
    return found


view = ui.open_page(
    "Simulator", "What would another strategy cost, bring and risk?", choose=choose_periods
)
ground = stand_on(view)
strategy = editor.quick(in_hand(ground))
is_spread = strategy.operations.one_off_cost > 0 and st.toggle(
    "Spread one-off costs over their years of use", key="spread_one_off"
)
with_it = partial(figures.outcome, ground, is_spread=is_spread)
said = st.empty()
if not figures.is_kept(ground, [strategy], strategy.assumptions, is_spread=is_spread):
    first = with_it([strategy], strategy.assumptions, draws=figures.FIRST_DRAWS)
    said.markdown("##### " + " ".join(answers.headline(first, None, is_first=True)))
found = with_it([strategy], strategy.assumptions)
without = None
if "assumed" in found.effects["evidence"].to_list():
    sure = with_it([strategy], {})
    without = float(sure.said(benefit)["mean"][1])
with said:
    ui.say(answers.headline(found, without))
if any(view.chosen.segments().values()):
    st.caption(
        "Collectors, pay and systems are the whole book's, whatever part of it you look at: hours"
        " seem less scarce here than they are."
    )
for line in messages.hardly_seen_sentences(ground.book.hardly_seen(), basis=view.chosen.basis):
    st.warning(line, icon=":material/warning:")
for line in messages.missing_sentences(ground.workload.missing):
    st.info(line, icon=":material/database:")

parts = dict(zip(PARTS, ui.tabs(PARTS, key="simulator_part"), strict=True))
with parts["Answer"] as part:
    if part.open:
        answers.show(found, ground, view)
with parts["Strategy"] as part:
    if part.open:
        editor.edit_operations(strategy)
        editor.edit_treatments(strategy, ground)
with parts["Effects"] as part:
    if part.open:
        effects.edit_effects(strategy, found, ground)
        curves.show_curves(ground, with_assumptions(ground.effects, strategy.assumptions))
        effects.show_break_even(found, ground)
with parts["Side by side"] as part:
    if part.open:
        both = with_it([strategy, *beside(ground, strategy)], strategy.assumptions)
        rate = words.percent(both.discount_rate)
        st.caption(
            f"With 80 % intervals; money over {figures.HORIZON} months; more: than the baseline."
            f" All meet the same futures and rest on the same effects; benefit and extra cost are"
            f" discounted at {rate} a year. Asked for: recovery +15 %, period −20 %."
        )
        shown = table.side_by_side(both, ground)
        st.dataframe(
            shown,
            hide_index=True,
            height="content",
            alt="Strategies side by side.",
            column_config={
                name: st.column_config.TextColumn(
                    "Measure" if name == "measure" else name, width=width
                )
                for name, width in table.widths(shown).items()
            },
        )
        ui.evidence("side_by_side", shown, benefit, of="side by side")
with parts["Best under limits"] as part:
    if part.open:
        limits.show(strategy, ground)
with parts["Back-test"] as part:
    if part.open:
        back.show(ground)
with parts["Save and decide"] as part:
    if part.open:
        keep.show(strategy, ground)
        decide.show(view, strategy, found)
