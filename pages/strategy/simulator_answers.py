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

MOST_SEGMENTS = 12
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
    ends = [words.number(broken[f"avoided_{end}"], decimals=1) for end in ("low", "high")]
    said = [_signed(complaints[f"more_{end}"], 1) for end in ("low", "high")]
    rows = (
        (
            "Return",
            words.number(gain["return_"], decimals=1),
            "Net benefit over the extra cost; a dash where it costs no more.",
        ),
        ("Payback", _month(paid["middle"]), "Of one-off spending; middle of futures."),
        (
            "Complaints",
            _signed(complaints["more"], 1),
            "More or fewer than the baseline's over the months shown; 80 % interval"
            f" {said[0]} to {said[1]}.",
        ),
        (
            "Breaches",
            _signed(0.0 - broken["avoided"], 1),
            "More or fewer of contact rules in force, a month, if attempts break them as often as"
            f" now; avoided, 80 % interval: {ends[0]} to {ends[1]}.",
        ),
        (
            "Collectors",
            words.number(table.people_needed(found, 1), decimals=1),
            "Needed for all the attempts asked for; 75 % of paid hours are productive.",
        ),
        (
            "Recovery",
            f"{words.points(goals['recovery']['relative'])} %",
            f"Asked for: +15 %. In points: {words.points(goals['recovery']['difference'])}.",
        ),
        (
            "Period",
            f"{words.points(goals['period']['relative'])} %",
            "How long money stays late. Asked for: −20 %.",
        ),
    )
    with st.container(horizontal=True, key="simulator_tiles"):
        for label, value, help_text in rows:
            st.metric(label, words.plain(value), border=True, width=126, help=help_text)


def _month(value: float | None) -> str:
    return words.MISSING if value is None else f"month {words.number(value)}"


def _signed(value: float | None, decimals: int) -> str:
    text = words.number(value, decimals=decimals)
    return f"+{text}" if value is not None and value > 0 and text.strip("0.,") else text


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
    ui.evidence("benefit_so_far", drawn, benefit_so_far, benefit, of="net benefit")


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
    rows = levers.steps(found, ground)
    drawn, order = frames.waterfall_rows(rows, found)
    ui.heading(
        "How the benefit comes about",
        "Cash by lever, then what each kind of cost takes away; discounted, against the baseline.",
    )
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
    ui.evidence("benefit_steps", rows, waterfall, of="steps")


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
    ui.evidence("benefit_inputs", drawn, tornado, of="inputs")


def _cash(found: Outcome, view: ui.View) -> None:
    drawn = frames.by_month(found, "late_cash", view.chosen.as_of)
    names = list(found.simulation.names)
    ui.heading(
        "Cash from late loans, by month",
        f"Paid on loans that were late as the month began; currency of the month. {INTERVAL}",
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
    ui.evidence("late_cash", drawn, totals, of="cash by month")


def _segments(found: Outcome) -> None:
    drawn = frames.segments(found, 1)
    drawn = drawn.filter(pl.col("value") != 0).head(MOST_SEGMENTS)
    if drawn.is_empty():
        return
    ui.heading(
        "Where it comes from",
        "Cash less contacts, suits and commission by segment, discounted, against the baseline,"
        " before pay and systems. Grey: within noise.",
    )
    ui.chart(
        drawn,
        bars.changes(
            drawn["name"].to_list(), alt="Benefit by segment.", unit="cents", rise_is_bad=False
        ),
        key="by_segment",
    )
    ui.evidence("benefit_by_segment", drawn.drop("name"), by_segment, of="by segment")


def _costs(found: Outcome) -> None:
    ui.heading("What it costs, by kind", "Over the months shown, discounted; currency.")
    rows = frames.costs(found)
    if rows.is_empty():
        st.markdown("Nothing that is done has a cost that is recorded.")
        return
    ui.readable_table(rows, alt="Costs by kind and strategy.")
    ui.evidence("cost_by_kind", found.said(cost_by_kind), cost_by_kind, of="costs")
