"""Decisions: what did we decide, and were we right?"""

import streamlit as st

import ui
from analytics.decision_scores import score_all, score_decisions
from charts import decision_sentences as sentences
from charts import format as words
from figures.decisions import Overview, Unreadable, listed, overview
from pages.strategy import one_decision, trial_desk

PARTS = ("Decisions", "Plan a trial", "Read a trial")
ROWS_IN_SIGHT = 10


def _tiles(found: Overview) -> None:
    score = found.score
    level = words.percent(found.level, decimals=0)
    inside = "no month is known yet"
    if score.coverage is not None:
        inside = f"can be {words.span(score.low, score.high)}"
    tiles = (
        ("Decisions", words.number(len(found.decisions)), f"{score.decisions} scored",
         "A decision is scored on the months that ended after it was made."),
        ("Months scored", words.number(score.months),
         f"{score.apart} decisions apart" if score.apart != 1 else "1 decision apart",
         "Decisions apart: the most of which no two were scored in the same month. The others"
         " share their surprises."),
        (f"Inside {level}", words.percent(score.coverage), inside,
         f"Months that lie in the {level} interval of their forecast, with 95 % interval, counting"
         " decisions apart, not months."),
        ("Bias", sentences.bias_words(score.bias), "of what was forecast",
         "Actual less forecast, of the forecast: the mean over decisions."),
        ("Brier score", words.number(score.brier, decimals=2), "a coin: 0.25",
         "How sure and how right it was that a month lies above what was expected of the"
         " baseline: 0 is best."),
    )  # fmt: skip
    with st.container(horizontal=True, key="tiles"):
        for label, value, note, help in tiles:
            st.metric(
                words.plain(label), words.plain(value), None, delta_description=words.plain(note),
                border=True, width=170, help=words.plain(help),
            )  # fmt: skip


def _list(found: Overview) -> None:
    ui.heading(
        "Every decision",
        "The months that were scored, and how many lie inside their interval. Choose a row to see"
        " the decision.",
    )
    rows = listed(found)
    verdicts = [sentences.VERDICTS[one] for one in rows["verdict"]]
    event = st.dataframe(
        {
            "Strategy": rows["strategy"],
            "Verdict": verdicts,
            "Months": rows["months"],
            "Inside": rows["inside"],
            "Bias, %": rows["bias"] * 100,
            "Decided on": rows["decided_on"],
            "Owner": rows["owner"],
            "Version": rows["version"],
        },
        hide_index=True,
        placeholder=words.MISSING,
        alt="Decisions, newest first",
        height=390 if rows.height > ROWS_IN_SIGHT else "content",
        on_select="rerun",
        selection_mode="single-row",
        key=one_decision.fresh("decisions"),
        column_config={
            "Decided on": st.column_config.DateColumn("Decided on", format="D MMM YYYY"),
            "Bias, %": st.column_config.NumberColumn("Bias, %", format="%.1f"),
        },
    )
    table = rows.drop("decision", "measure").rename({"bias": "bias_rate"})
    ui.evidence("decisions", table, score_decisions, score_all)
    if event.selection.rows:
        one_decision.go_to(str(rows["decision"][event.selection.rows[0]]))


def _explain_empty() -> None:
    st.info(
        "Open the Simulator, save a strategy and decide on it: owner and day are enough. Its"
        " forecast is then kept here, and every month that ends is held against it.",
        title="No decision was made yet",
        icon=":material/gavel:",
    )


def _decisions(view: ui.View) -> None:
    found = overview(view)
    if isinstance(found, Unreadable):
        st.warning(f"{found.why} Decisions are not shown.", icon=":material/database_off:")
        return
    asked = one_decision.chosen([] if found is None else [one.id for one in found.decisions])
    if found is None:
        _explain_empty()
        return
    if asked is not None:
        one_decision.show(view, found, asked)
        return
    ui.say(sentences.answer(len(found.decisions), found.score, found.level))
    _tiles(found)
    newest = one_decision.worth_a_look(found)
    one_decision.fan(view, found, newest)
    _list(found)


view = ui.open_page("Decisions", "What did we decide, and were we right?", has_filters=False)
if not ui.may_see("what was decided"):
    st.stop()
made, planned, read = ui.tabs(PARTS, key="decisions_part")
if made.open:
    with made:
        _decisions(view)
if planned.open:
    with planned:
        trial_desk.plan(view)
if read.open:
    with read:
        trial_desk.read()
