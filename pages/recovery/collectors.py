"""Collectors: who really collects better?"""

from dataclasses import replace

import polars as pl
import streamlit as st

import ui
from analytics.case_mix import fit_case_mix
from analytics.funnels import funnel
from analytics.money_mix import fit_money_mix
from analytics.owners import above_average, choice_effects, rank_moves
from analytics.shrinkage import shrink
from charts import format as words
from charts import funnels
from charts import owners as charts
from charts import recovery_sentences as sentences
from charts.owners import Measure
from figures.collectors import KINDS, OUTCOMES, Choice, Comparison, comparison, learning
from pages.recovery import collector_score, collector_work, one_collector
from pages.recovery import collector_tables as tables
from queries.owner_cells import Kind

PARTS = ("On the same cases", "The work", "Score", "Tenure and training")
STAGES = {"All": None, "Early": "early", "Middle": "middle", "Late": "late"}
MOST_NAMED = 6  # outside a funnel; more names would cover each other
LABELS: dict[Kind, str] = {"collector": "collector", "team": "team", "agency": "agency"}


def _nothing(found: Comparison, kind: Kind) -> None:
    """Why there is no comparison; what was done is shown all the same."""
    narrowed = [name for name, values in view.chosen.segments().items() if values]
    line = sentences.no_comparison(found.reason, found.opened, kind=kind)
    if narrowed and not found.opened["opened_cases"]:
        line = (
            f"The choice of {words.listing(narrowed)} leaves no cases opened in this period."
            " Widen it to see numbers."
        )
    st.info(line, icon=":material/balance:")


def _comparison_chart(found: Comparison, choice: Choice) -> None:
    compared, kind = found.compared, choice.kind
    measure: Measure = "percent" if choice.is_money else "points"
    unit = "% of cash" if choice.is_money else "points of the share resolved within 90 days"
    differ = int(compared["is_different"].sum())
    noun = sentences.NOUNS[kind][1].split(" ")[0].capitalize()
    title = f"{noun} on the same cases, best first"
    ui.heading(
        title,
        f"Above or below the average, {unit}, with 95 % interval. Blue and orange differ beyond"
        " noise; hollow: fewer than 30 cases."
        + (" Click one for its own view." if kind == "collector" else ""),
    )
    columns = (
        "owner", "rank", "advantage", "advantage_low", "advantage_high", "p_better", "cases",
        "is_different", "is_small",
    )  # fmt: skip
    clicked = ui.chart(
        compared.select(columns),
        charts.compared(
            compared.height,
            measure=measure,
            alt=f"{compared.height} {noun.lower()} by how much more they reach on the same cases,"
            f" with intervals; {differ} differ from the average beyond noise.",
        ),
        key=tables.fresh("compared"),
        select=charts.OWNER,
    )
    _go_to(clicked, choice)


def _funnel_chart(found: Comparison, choice: Choice) -> None:
    if found.funnel is None or found.funnel.points["ratio"].count() == 0:
        st.caption("A funnel needs cases on which something was expected.")
        return
    write = (
        (lambda value: words.compact(value))
        if choice.is_money
        else (lambda value: words.number(value, decimals=1))
    )
    points = found.funnel.points.join(found.owners.select("owner", "is_small"), on="owner")
    shown = points.with_columns(
        observed_text=pl.Series([write(value) for value in points["observed"]], dtype=pl.String),
        expected_text=pl.Series([write(value) for value in points["expected"]], dtype=pl.String),
    ).select("owner", "precision", "ratio", "zone", "observed_text", "expected_text", "is_small")
    outside = points.filter(pl.col("zone").is_in(["warning", "alarm"])).height
    ui.heading(
        f"{words.number(outside)} of {words.number(points.height)} outside the 95 % limits"
        if outside
        else "Nobody outside the limits",
        "Observed over expected (1 is as expected), by how precisely that is known: the more and"
        " the more even an owner's cases, the further right. Lines: 95 % and (dashed) 99.8 %"
        " limits.",
    )
    clicked = ui.chart(
        funnels.funnel_frame(shown, found.funnel.limits),
        funnels.funnel_plot(
            alt=f"Funnel plot: observed over expected by precision; {outside} outside the 95 %"
            " limits.",
            named=outside <= MOST_NAMED,
        ),
        key=tables.fresh("funnel"),
        select=charts.OWNER,
    )
    _go_to(clicked, choice)


def _go_to(clicked: list[dict[str, str]], choice: Choice) -> None:
    if clicked and choice.kind == "collector":
        tables.go_to(clicked[0]["owner"])


def _raw(found: Comparison, choice: Choice) -> None:
    """Raw rates, on request, with why they mislead and how far each moved."""
    st.markdown(
        " ".join(
            sentences.raw_sentences(
                found.moves, found.correlation, kind=choice.kind, is_money=choice.is_money
            )
        )
    )
    movers = found.moves.filter(pl.col("moves") != 0).head(10)
    if movers.height:
        ui.heading(
            "Who moves most once the cases are taken into account",
            "Rank by the raw rate, and rank on the same cases; the ten who move most. Blue: the"
            " raw rate puts them too low; orange: too high.",
        )
        ends = [
            movers.select("owner", "moves", side=pl.lit(side), rank=name)
            for side, name in ((0, "raw_rank"), (1, "adjusted_rank"))
        ]
        ui.chart(
            pl.concat(ends),
            funnels.slopes(alt="Ranks by the raw rate and on the same cases."),
            key="slopes",
        )
    shown = found.moves.select(
        "owner", "cases", "raw_rank", "adjusted_rank", "moves", raw_share="raw",
        expected_share="expected_share",
    )  # fmt: skip
    ui.evidence("raw_and_adjusted", shown, rank_moves)


def _answer(found: Comparison, choice: Choice) -> None:
    flagged = found.compared.filter("is_different")
    ui.say(
        sentences.comparison_sentences(
            found.compared.height,
            flagged.filter(pl.col("advantage") > 0).rows(named=True),
            flagged.filter(pl.col("advantage") < 0).reverse().rows(named=True),
            kind=choice.kind,
            is_money=choice.is_money,
            reach=found.reach,
        )
    )


def _compared(found: Comparison, choice: Choice) -> None:
    """The picture, the funnel, the table; raw rates on request."""
    left, right = st.columns([3, 2], gap="medium")
    with left, st.container(key="compared"):
        _comparison_chart(found, choice)
    with right, st.container(key="funnel"):
        _funnel_chart(found, choice)
    tables.footnotes(found, choice)
    tables.owners_table(found, choice)
    model = fit_money_mix if choice.is_money else fit_case_mix
    ui.evidence(
        f"{choice.kind}s_compared",
        tables.evidence_frame(found, choice),
        shrink,
        above_average,
        choice_effects,
        model,
        funnel,
        of=f"{LABELS[choice.kind]} comparison",
    )
    if st.toggle("Show raw rates", key="raw", bind="query-params", persist_state="session"):
        _raw(found, choice)


view = ui.open_recovery_page(
    "Collectors",
    "Who really collects better?",
    shows="who does better than others would have with the same cases",
    needs=("cases", "collectors"),
)
with st.sidebar:
    stage = STAGES[
        ui.segmented(
            "Stage of the cases",
            tuple(STAGES),
            key="case_stage",
            help="By days late at the opening: early up to 30, middle up to 90, late beyond. Within"
            " a stage everybody is compared on cases of that stage only.",
        )
    ]
picked = one_collector.chosen_collector(view)
if picked is not None:
    one_collector.show(view, picked, stage)
    st.stop()

with st.container(horizontal=True, key="compare_row"):
    kind = KINDS[ui.segmented("Compare", tuple(KINDS), key="compare")]
    outcome = OUTCOMES[ui.segmented("By", tuple(OUTCOMES), key="outcome")]
choice = Choice(kind=kind, outcome=outcome, stage=stage)
found = comparison(f"{view.key} {choice!r}", choice, view)
if kind == "agency":
    found = replace(found, owners=tables.named_owners(view, kind, found.owners))

said = st.container()
parts = dict(zip(PARTS, ui.tabs(PARTS, key="collectors_part"), strict=True))
with said:
    if found.reason is not None or found.compared.height < 2:
        _nothing(found, kind)
    else:
        _answer(found, choice)
with parts["On the same cases"] as part:
    if part.open:
        if found.reason is None and found.compared.height > 1:
            _compared(found, choice)
        tables.model_notes(view, found, choice)
with parts["The work"] as part:
    if part.open:
        collector_work.show(view, choice)
with parts["Score"] as part:
    if part.open:
        if kind != "collector" or found.reason is not None:
            st.info("The score is of collectors who can be compared.", icon=":material/balance:")
        else:
            collector_score.show_score(view, choice)
with parts["Tenure and training"] as part:
    if part.open:
        if kind != "collector" or found.reason is not None:
            st.info("Tenure is of collectors who can be compared.", icon=":material/balance:")
        else:
            learnt = learning(f"{view.key} {choice!r}", choice, view)
            collector_score.show_learning(learnt, choice)
