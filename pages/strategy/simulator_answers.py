"""The Simulator's answers: benefit, cash, costs, where it comes from and what it hangs on."""

from __future__ import annotations

import polars as pl
import streamlit as st

import ui
from analytics.simulation_answers import benefit, by_segment, cost_by_kind, payback, recovery
from analytics.simulation_levers import tornado, waterfall
from analytics.strategy_answers import benefit_so_far, totals
from analytics.workload import PRODUCTIVE
from charts import bars, curves, tornados, waterfalls
from charts import format as words
from charts import strategy_sentences as sentences
from charts.palette import series_shades
from figures import simulator_frames as frames
from figures import simulator_levers as levers
from figures import simulator_table as table
from figures.simulator import Ground, Outcome

INTERVAL = "Band: 80 % interval."


def headline(found: Outcome, without: float | None, *, is_first: bool = False) -> list[str]:
    """What the strategy in hand would bring, in one or two sentences."""
    row = found.said(benefit).row(1, named=True)
    plan = found.planned[1]
    touched = [
        effect
        for k, effect in enumerate(found.effects.iter_rows(named=True))
        if abs(plan.plan.x[..., k]).max() > 0
    ]
    told = {
        kind: [sentences.effect_name(one) for one in touched if one["evidence"] == kind]
        for kind in ("assumed", "none")
    }
    lines = sentences.benefit_sentences(
        found.strategies[1].name,
        row,
        months=found.simulation.horizon,
        is_changed=found.asked.differences.height > 0,
        assumed=told["assumed"],
        unknown=told["none"],
        without=without,
    )
    return lines[:1] if is_first else lines


def show(found: Outcome, ground: Ground, view: ui.View) -> None:
    """All about the strategy in hand."""
    _tiles(found, ground)
    left, right = st.columns((3, 2))
    with left:
        _so_far(found, view)
    with right:
        _differences(found, ground)
    if found.asked.differences.height:  # else there is nothing to come about
        left, right = st.columns(2)
        with left:
            _waterfall(found, ground)
        with right:
            _tornado(found, ground)
    left, right = st.columns(2)
    with left:
        _cash(found, view)
    with right:
        _segments(found)
    _costs(found)


def _tiles(found: Outcome, ground: Ground) -> None:
    sim = found.simulation
    gain, paid = (found.said(one).row(1, named=True) for one in (benefit, payback))
    sums = {row["measure"]: row for row in found.said(totals).iter_rows(named=True)
            if row["plan"] == sim.names[1]}  # fmt: skip
    goals = {row["measure"]: row for row in found.said(recovery).iter_rows(named=True)
             if row["plan"] == sim.names[1]}  # fmt: skip
    complaints = sums["complaints"]
    broken = table.broken(found, ground).row(1, named=True)
    said = [complaints[f"more{end}"] / sim.horizon for end in ("", "_low", "_high")]
    more = [-broken[f"avoided{end}"] for end in ("", "_high", "_low")]
    earned = [words.number(gain[f"return_{end}"], decimals=1) for end in ("", "low", "high")]
    known = table.recorded(ground)
    rows = (
        ("Return", earned[0], "per unit spent",
         "Net benefit over the extra cost; a dash where nothing is gained or it does not surely"
         " cost more."
         + ("" if earned[0] == words.MISSING
            else f" 80 % interval: {earned[1]} to {earned[2]}.")),
        ("Payback", _month(paid["middle"]), "one-off costs", "Middle of futures."),
        ("Complaints", table.signed(said[0]) if known.complaints else words.MISSING,
         "a month vs now" if known.complaints else words.NOT_RECORDED,
         "More or fewer than the baseline's, a mean month of those shown; 80 % interval"
         f" {table.signed(said[1])} to {table.signed(said[2])}."),
        ("Breaches", table.signed(more[0]) if known.breaches else words.MISSING,
         "a month vs now" if known.breaches else known.why_no_breaches,
         "More or fewer of contact rules in force, if attempts break them as often as they did on"
         " days on which a rule was in force; 80 %"
         f" interval {table.signed(more[1])} to {table.signed(more[2])}."),
        ("Collectors",
         words.number(table.people_needed(found, 1), decimals=1) if known.attempts
         else words.MISSING,
         "needed" if known.attempts else words.NOT_RECORDED,
         "For all the attempts asked for; 75 % of paid hours are productive."),
        ("Recovery", f"{words.points(goals['recovery']['relative'])} %", "goal: +15 %",
         "Recovery: the cash of late loans over the late money there was (late at the start, or"
         " since). Shown is how much more it is, in % of the baseline's. In points:"
         f" {words.points(goals['recovery']['difference'])}."),
        ("Period", f"{words.points(goals['period']['relative'])} %", "goal: −20 %",
         "Of the baseline's: how long money stays late."),
    )  # fmt: skip
    with st.container(horizontal=True, key="simulator_tiles"):
        for label, value, note, help_text in rows:
            st.metric(
                label, words.plain(value), None, delta_description=words.plain(note),
                border=True, width=128, help=help_text,
            )  # fmt: skip


def _month(value: float | None) -> str:
    return words.MISSING if value is None else f"month {words.number(value)}"


def _so_far(found: Outcome, view: ui.View) -> None:
    name = found.simulation.names[1]
    drawn = frames.so_far(found, view.chosen.as_of).filter(pl.col("series") == name)
    ui.heading(
        "Net benefit so far",
        "Cash less cost against the baseline, discounted, added up month by month; currency."
        f" {INTERVAL}",
    )
    ui.chart(
        drawn,
        curves.lines(
            drawn,
            series_shades([name]),
            alt="Net benefit so far by month, with its 80 % interval.",
            unit="cents",
            with_band=True,
            from_zero=False,
            height=260,
        ),
        key="so_far",
    )
    ui.evidence("benefit_so_far", frames.in_cents(drawn), benefit_so_far, benefit, of="net benefit")


def _differences(found: Outcome, ground: Ground) -> None:
    st.subheader("What is different", anchor=False)
    rows = found.asked.differences
    first, last = ground.baseline.measured or (ground.book.as_of, ground.book.as_of)
    ends = [words.month(day, short=True) for day in (first, last)]
    st.caption(f"Against what was done, measured from {ends[0]} to {ends[1]}.")
    lines = [sentences.difference_sentence(row) for row in rows.iter_rows(named=True)]
    if not lines:
        st.markdown("Nothing differs from the baseline.")
    st.markdown("\n".join(f"- {line}" for line in lines[:12]))
    if len(lines) > 12:
        with st.expander(f"{len(lines) - 12} more"):
            st.markdown("\n".join(f"- {line}" for line in lines[12:]))
    if not table.recorded(ground).attempts:  # no work is known of, which is not none
        return
    plan, needed = found.planned[1], table.people_needed(found, 1)
    st.caption(
        sentences.hours_sentence(plan.hours, plan.capacity, levers.minutes(ground), PRODUCTIVE)
    )
    for line in sentences.work_sentences(
        plan.hours,
        plan.capacity,
        plan.shortfall,
        plan.capped,
        found.strategies[1].operations.collectors,
        needed,
    ):
        st.warning(line, icon=":material/schedule:")


def _waterfall(found: Outcome, ground: Ground) -> None:
    ui.heading(
        "How the benefit comes about",
        "Cash by lever, of all loans, late or not, then what each kind of cost takes away;"
        " discounted, against the baseline.",
    )
    rows = levers.steps(found, ground)
    drawn, order = frames.waterfall_rows(rows, found)
    ui.chart(
        drawn,
        waterfalls.steps(
            order,
            alt="From the baseline to the strategy, step by step.",
            unit="cents",
            step_unit="cents",
            rise_is_bad=False,
        ),
        key="waterfall",
    )
    ui.evidence("benefit_steps", frames.in_currency(rows), waterfall, of="steps")


def _tornado(found: Outcome, ground: Ground) -> None:
    drawn = frames.hangs_on(found, ground, 1)
    ui.heading(
        "What the answer hangs on",
        "Net benefit with one input at its low end (10 %) and its high end (90 %), the others at"
        " their means. Hollow: your assumption, or no evidence. Line: the answer; dashed: nothing.",
    )
    ui.chart(
        drawn,
        tornados.tornado(drawn["name"].to_list(), alt="What the net benefit hangs on."),
        key="tornado",
    )
    ui.evidence("benefit_inputs", frames.inputs(drawn), tornado, of="inputs")


def _cash(found: Outcome, view: ui.View) -> None:
    drawn = frames.by_month(found, "late_cash", view.chosen.as_of)
    names = list(found.simulation.names)
    more = {row["measure"]: row["more"] for row in found.said(totals).iter_rows(named=True)
            if row["plan"] == names[1]}  # fmt: skip
    ui.heading(
        "Cash from late loans, by month",
        f"Paid on loans that were late as the month began; currency of the month. {INTERVAL}"
        f" {sentences.all_cash_sentence(more['cash'], more['late_cash'])}",
    )
    ui.chart(
        drawn,
        curves.lines(
            drawn,
            series_shades(names),
            alt="Cash from late loans by month.",
            unit="cents",
            with_band=True,
            from_zero=False,
        ),
        key="late_cash",
    )
    ui.evidence("late_cash", frames.in_cents(drawn), totals, of="cash by month")


def _segments(found: Outcome) -> None:
    drawn = frames.segments(found, 1)
    if drawn.is_empty():
        return
    has_others = frames.OTHERS in drawn["name"]
    most = f"The {frames.MOST_SEGMENTS} largest of the segments; the rest together as others. "
    ui.heading(
        "Where it comes from",
        f"{most if has_others else ''}Cash less contacts, suits and commission by segment,"
        " discounted, against the baseline, before pay and systems. Grey: within noise.",
    )
    ui.chart(
        drawn,
        bars.changes(
            drawn["name"].to_list(), alt="Benefit by segment.", unit="cents", rise_is_bad=False
        ),
        key="by_segment",
    )
    ui.evidence("benefit_by_segment", frames.in_cents(drawn), by_segment, of="by segment")


def _costs(found: Outcome) -> None:
    ui.heading("What it costs, by kind", "Over the months shown, discounted; currency.")
    rows = frames.costs(found)
    if rows.is_empty():
        st.markdown("Nothing that is done has a cost that is recorded.")
        return
    ui.readable_table(rows, alt="Costs by kind and strategy.")
    said = frames.in_currency(found.said(cost_by_kind))
    ui.evidence("cost_by_kind", said, cost_by_kind, of="costs")
