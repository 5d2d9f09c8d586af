"""The Simulator's form: begin with a strategy, change it quickly or in tables, undo it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import streamlit as st

import ui
from analytics.strategies import Strategy
from analytics.strategy_differences import grouped_value
from analytics.strategy_edits import QuickChanges, edited, quickly
from analytics.strategy_fields import (
    OPERATION_FIELDS,
    PRIORITIES,
    STAGES,
    TREATMENT_FIELDS,
    StrategyError,
)
from analytics.strategy_presets import PRESETS
from charts import format as words
from charts import strategy_messages as messages
from charts import strategy_words as named
from figures.simulator import Ground

OWN = "Your strategy"
BASE, REV, SAID = "simulator_base", "simulator_revision", "simulator_said"
PUT_BACK = "simulator_put_back"
GROUPS = {
    "Attempts": "attempts",
    "Timing": "timing",
    "Offers": "offers",
    "Agencies": "agencies",
    "Suits": "suits",
}
SETS_ALL = "A group's number is the mean of its cases; changing it sets all its segments."
NOTES = {
    "attempts": "Attempts a month for a case open all month (not yet late: for a loan). A group's"
    " number is the mean of its cases; changing it changes each of its segments in proportion."
    " Contact rules and hours may allow less.",
    "timing": f"{SETS_ALL} Days between attempts: from one attempt on a case to the next by any"
    " channel, on average. Contact rules may keep them further apart, and long gaps leave room for"
    " fewer attempts; left as it is, the number of attempts decides.",
    "agencies": f"{SETS_ALL} A larger share is placed on the first day, and then as cases come; it"
    " pays by months since placement as Effects shows.",
    "suits": f"{SETS_ALL} More suits are filed from the first month on; they pay by months since"
    " filing as Effects shows.",
}
LEVELS = {"All together": None, "Product": "product", "Grade": "grade", "Each segment": "segment"}
_QUICK = {"quick_calls": 1.0, "quick_messages": 1.0, "quick_days": 0, "quick_bot": 0,
          "quick_people": 0}  # fmt: skip


def held(origin: str) -> Strategy | None:
    """The reader's own edits, if they are of what he begins with."""
    found = st.session_state.get(BASE)
    return found[1] if found is not None and found[0] == origin else None


def forget() -> None:
    st.session_state.pop(BASE, None)


def begin(origin: str, strategy: Strategy) -> None:
    """Take a strategy in hand; the quick changes, which are in it, go back to none."""
    st.session_state[BASE] = (origin, strategy)
    st.session_state[REV] = st.session_state.get(REV, 0) + 1
    st.session_state[PUT_BACK] = True


def quick(strategy: Strategy) -> Strategy:
    """A few sliders that change all of a strategy at once.

    Their values are set, not left out: a browser keeps a slider's place until it is told another.
    """
    is_new = st.session_state.pop(PUT_BACK, False)
    for key, value in _QUICK.items():
        if is_new or key not in st.session_state:
            st.session_state[key] = value
    with st.container(horizontal=True, key="quick_changes"):
        calls = st.slider("Calls, times", 0.0, 3.0, step=0.1, key="quick_calls", width=170)
        messages = st.slider("Messages, times", 0.0, 3.0, step=0.1, key="quick_messages", width=170)
        sooner = st.slider("First contact sooner, working days", 0, 10, key="quick_days", width=240)
        bot = st.slider("Calls to the bot, %", 0, 100, step=5, key="quick_bot", width=170)
        people = st.slider("Collectors, more or fewer", -20, 20, key="quick_people", width=190)
    changes = QuickChanges(calls, messages, float(sooner), bot / 100, float(people))
    return _renamed(quickly(strategy, changes), strategy)


def _renamed(made: Strategy, was: Strategy) -> Strategy:
    """A changed strategy does not go by the name of what it was made from."""
    presets = {one.name for one in PRESETS.values()}
    if made is was or was.name not in presets:
        return made
    return made.named(OWN if was.name == PRESETS["as_measured"].name else f"{was.name}, changed")


def edit_treatments(strategy: Strategy, ground: Ground) -> None:
    """Tables by stage: a row a group of segments, a column a field; an edit is taken at once."""
    _say()
    with st.container(horizontal=True):
        part = ui.segmented("Show", tuple(GROUPS), key="edit_fields")
        by = ui.segmented("By", tuple(LEVELS), key="edit_by")
    fields = [field for field in TREATMENT_FIELDS if field.group == GROUPS[part]]
    st.caption(NOTES.get(GROUPS[part], SETS_ALL))
    for label, rows in tables(strategy, ground, LEVELS[by]).items():
        told = pl.DataFrame(
            [
                {"group": name}
                | {field.name: _shown(part_of, field.name, ground) for field in fields}
                for name, part_of in rows.items()
            ],
            schema={"group": pl.String} | {field.name: pl.Float64 for field in fields},
        )
        if label:
            st.markdown(f"**{label}**")
        key = f"edit {label} {part} {by} {st.session_state.get(REV, 0)}"
        st.data_editor(
            told,
            key=key,
            hide_index=True,
            disabled=["group"],
            column_config=_columns(fields),
            placeholder=words.MISSING,
            alt=f"{': '.join(filter(None, (part, label)))}, to be edited.",
            on_change=take_table,
            args=(key, strategy, rows, [field.name for field in fields], ground.weights),
        )


def tables(
    strategy: Strategy, ground: Ground, by: str | None
) -> dict[str, dict[str, pl.DataFrame]]:
    """A table a stage, or one of all stages where segments are edited together."""
    if by is None:
        rows = strategy.treatments
        return {"": {named.STAGE_NAMES[one]: rows.filter(pl.col("stage") == one) for one in STAGES}}
    return {named.STAGE_NAMES[one]: groups(strategy, ground, one, by) for one in STAGES}


def groups(strategy: Strategy, ground: Ground, stage: str, by: str) -> dict[str, pl.DataFrame]:
    """The rows of a stage by what they are edited together."""
    here = strategy.treatments.filter(pl.col("stage") == stage)
    keys = ground.book.segment_keys.select("segment", own=pl.col(by))
    joined = here.join(keys, on="segment", how="left", maintain_order="left")
    labels = joined["own"].drop_nulls().unique(maintain_order=True).to_list()
    return {
        str(label): here.filter((joined["own"] == label).fill_null(value=False)) for label in labels
    }


def _shown(rows: pl.DataFrame, name: str, ground: Ground) -> float | None:
    cases = ground.weights
    weights = [cases.get(key, 0.0) for key in rows.select("segment", "stage").iter_rows()]
    found = grouped_value(rows, name, weights)
    return None if found is None else float(np.round(found * _factor(name), 4))


def _factor(name: str) -> float:
    """Shares are edited in per cent."""
    return 100.0 if any(one.name == name and one.unit == "share" for one in TREATMENT_FIELDS) else 1


def _columns(fields: Sequence[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"group": st.column_config.TextColumn("Cases of", pinned=True)}
    for field in fields:
        is_share = field.unit == "share"
        label = named.TREATMENTS[field.name] + (", %" if is_share else "")
        found[field.name] = st.column_config.NumberColumn(
            label,
            min_value=field.least * (100 if is_share else 1),
            max_value=field.most * (100 if is_share else 1),
            format="%.2f" if field.unit in ("a month", "share") else "%.1f",
        )
    return found


def take_table(
    key: str,
    strategy: Strategy,
    rows: Mapping[str, pl.DataFrame],
    names: list[str],
    weights: Mapping[tuple[str, str], float],
) -> None:
    """An edit of a table becomes the strategy in hand, whole, or is refused with its reason."""
    changed = st.session_state.get(key, {}).get("edited_rows", {})
    labels = list(rows)
    made = strategy
    try:
        for place, values in changed.items():
            for name, value in values.items():
                if name in names:
                    given = None if value is None else float(value) / _factor(name)
                    part = rows[labels[int(place)]]
                    made = edited(made, part, name, given, weights=weights)
    except StrategyError as error:
        st.session_state[SAID] = messages.problem_sentences(error.problems)
        return
    begin(st.session_state[BASE][0], _renamed(made, strategy))


def _say() -> None:
    for line in st.session_state.pop(SAID, ()):
        st.error(line, icon=":material/error:")


def edit_operations(strategy: Strategy) -> None:
    """People, systems and money: a number each, taken when it is changed."""
    revision = st.session_state.get(REV, 0)
    with st.container(horizontal=True, key="operations"):
        for field in OPERATION_FIELDS:
            is_share = field.unit == "share"
            factor = 100.0 if is_share else 1.0
            key = f"operations {field.name} {revision}"
            st.number_input(
                named.OPERATIONS[field.name] + (", %" if is_share else ""),
                min_value=field.least * factor,
                max_value=field.most * factor,
                value=float(getattr(strategy.operations, field.name)) * factor,
                step=1.0,
                format="%.1f" if field.unit in ("count", "share", "years") else "%.0f",
                key=key,
                on_change=_take_operation,
                args=(key, strategy, field.name, factor),
                width=220,
            )
        key = f"operations priority {revision}"
        st.selectbox(
            named.OPERATIONS["priority"],
            PRIORITIES,
            index=PRIORITIES.index(strategy.operations.priority),
            format_func=named.PRIORITIES.__getitem__,
            key=key,
            on_change=_take_operation,
            args=(key, strategy, "priority", None),
            width=220,
        )


def _take_operation(key: str, strategy: Strategy, name: str, factor: float | None) -> None:
    value = st.session_state[key]
    try:
        made = strategy.with_operations(**{name: value if factor is None else value / factor})
    except StrategyError as error:
        st.session_state[SAID] = messages.problem_sentences(error.problems)
        return
    begin(st.session_state[BASE][0], _renamed(replace(made, measured=None), strategy))
