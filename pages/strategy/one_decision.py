"""One decision: its forecast against what came, what it rested on, and its notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import polars as pl
import streamlit as st

import ui
from analytics.decisions import actual_months, score_months
from charts import curves
from charts import decision_sentences as sentences
from charts import format as words
from charts.palette import INK, NOISE, SERIES
from figures.decisions import Overview, as_cents, fan_lines, strategy_file

KEY, NEXT, _VISITS = "decision", "next_decision", "decisions_visited"
SHADES = {"strategy": SERIES, "baseline": NOISE, "actual": INK}
LABELS = {"strategy": "Forecast", "baseline": "Baseline", "actual": "Actual"}


def go_to(decision_id: str) -> NoReturn:
    """Open a decision."""
    st.session_state[NEXT] = decision_id
    st.session_state[_VISITS] = st.session_state.get(_VISITS, 0) + 1
    st.rerun()


def fresh(key: str) -> str:
    """A key that changes with every visit: a table one comes back to must not repeat the click."""
    return f"{key}_{st.session_state.get(_VISITS, 0)}"


def chosen(known: Sequence[str]) -> str | None:
    """The decision of the address, of a click or of the field, if there is such a one."""
    if NEXT in st.session_state:
        st.session_state[KEY] = st.session_state.pop(NEXT)
    elif KEY in st.session_state:
        st.session_state[KEY] = st.session_state[KEY]
    with st.sidebar:
        asked = st.text_input(
            "One decision", key=KEY, placeholder="All; paste its id", max_chars=200,
            bind="query-params", persist_state="session",
        )  # fmt: skip
    asked = (asked or "").strip()
    if asked and asked not in known:
        st.warning(
            f"There is no decision {words.plain(asked)}: you see all.", icon=":material/link_off:"
        )
    return asked if asked in known else None


def _all_decisions() -> None:
    st.session_state[KEY] = ""


def show(view: ui.View, found: Overview, decision_id: str) -> None:
    """Draw one decision, with the way back."""
    one = found.of(decision_id)
    st.button(
        "All decisions", icon=":material/arrow_back:", on_click=_all_decisions, type="tertiary",
        key="all_decisions",
    )  # fmt: skip
    st.header(words.plain(one.strategy_name), anchor=False)
    st.caption(
        sentences.decided_sentence(
            one.strategy_name, one.strategy_version, one.owner, one.written_by, one.decided_on,
            one.written_at,
        )
    )  # fmt: skip
    row = found.row(decision_id)
    ui.say([sentences.months_sentence(row), sentences.better_sentence(row, one.p_better) or ""])
    fan(view, found, decision_id, is_titled=False)
    _frozen(one, decision_id)
    st.subheader("Notes", anchor=False)
    ui.decision_notes(decision_id)


def worth_a_look(found: Overview) -> str:
    """The newest decision of which a month is known, else the newest."""
    return next(
        (one.id for one in found.decisions if found.row(one.id)["months"]), found.decisions[0].id
    )


def fan(view: ui.View, found: Overview, decision_id: str, *, is_titled: bool = True) -> None:
    """The forecast with its interval against what came, for each measure that was forecast."""
    one = found.of(decision_id)
    months = found.months.filter(pl.col("decision") == decision_id)
    measures = list(dict.fromkeys(row.measure for row in one.forecast))
    measure = measures[0]
    if len(measures) > 1:
        names = {sentences.measure_words(code): code for code in measures}
        measure = names[ui.segmented("Measure", tuple(names), key="decision_measure")]
    mine = months.filter(pl.col("measure") == measure)
    title = sentences.fan_title(one.strategy_name, found.row(decision_id, measure))
    unit = "in currency" if view.is_money or view.book.has_balances else "loans"
    ui.heading(
        title if is_titled else sentences.measure_words(measure),
        sentences.fan_subtitle(measure, one.level, one.as_of, one.decided_on, unit),
    )
    frame = fan_lines(view, found, decision_id, measure)
    known = mine["actual"].drop_nulls().len()
    ui.chart(
        frame,
        curves.lines(
            frame,
            SHADES,
            alt=f"{sentences.measure_words(measure)} by month: forecast with interval, baseline and"
            f" {known} months of actuals.",
            unit="cents",
            labels=LABELS,
            with_band=True,
            from_zero=False,
            height=330,
        ),
        key="decision_fan",
    )
    ui.evidence(
        "decision_months",
        _table(mine),
        score_months,
        actual_months,
        of="forecast and actual by month",
    )


def _table(months: pl.DataFrame) -> pl.DataFrame:
    places = months["place"].replace_strict(sentences.PLACES)
    return as_cents(months).with_columns(place=places)


def _frozen(one: Any, decision_id: str) -> None:
    """What the decision rests on, as it was kept."""
    ui.heading(
        "What it rests on",
        f"{words.plain(one.data_version)}; data to {words.day(one.as_of)};"
        f" {sentences.scope_words(one.scope)}.",
    )
    if one.note:
        st.text(one.note)
    if one.assumptions:
        st.dataframe(
            {
                "Effect": [row.name for row in one.assumptions],
                "Evidence": [sentences.EVIDENCE[row.evidence] for row in one.assumptions],
                "Value": [row.mean for row in one.assumptions],
                "From": [row.low for row in one.assumptions],
                "To": [row.high for row in one.assumptions],
            },
            hide_index=True,
            placeholder=words.MISSING,
            alt="Effects that the forecast rests on, with their evidence",
            column_config={
                name: st.column_config.NumberColumn(name, format="%.3f")
                for name in ("Value", "From", "To")
            },
        )
    else:
        st.caption("No effects were kept with it.")
    with st.container(horizontal=True):
        st.download_button(
            "The strategy as a file",
            data=lambda: strategy_file(decision_id),
            file_name="strategy.json",
            mime="application/json",
            on_click="ignore",
            key="decision_strategy",
        )
        ui.open_simulator(one.strategy_id)
