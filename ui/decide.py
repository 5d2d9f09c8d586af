"""Deciding on a saved strategy: a form for owner, day and note."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import streamlit as st

from appdata.database import AppDatabaseUnavailable
from appdata.decisions import (
    AlreadyDecided,
    Assumption,
    Decision,
    DecisionGone,
    DecisionRefused,
    Draft,
    Forecast,
    StrategyGone,
    of_strategy,
)
from appdata.decisions import decide as keep
from appdata.strategies import one
from charts import decision_sentences as sentences
from charts import format as words
from ui.decision_notes import DECISIONS, link
from ui.page import View
from ui.targets import LOCAL, signed_in

_FIELDS = ("owner", "decided_on", "note")


@dataclass
class _Told:
    """What a reader is to be told after a click: by field, or of the whole."""

    problems: dict[str, str] = field(default_factory=dict)
    refused: str = ""
    made: Decision | None = None


@st.fragment
def decide(
    view: View,
    strategy_id: str | None,
    *,
    forecast: pl.DataFrame,
    text: str | None = None,
    assumptions: pl.DataFrame | None = None,
    p_better: float | None = None,
    level: float = 0.8,
) -> None:
    """A form to decide on a saved strategy; the forecast is frozen with it and scored later.

    `strategy_id`: the version's link (None: not saved); `text`: the strategy that the forecast is
    of, which must be what was saved.  `forecast`: one row for each month,
    measure (`cash`, `late_cash`, `charged_off`, in currency, loans in a counted book) and series
    (`baseline`, `strategy`, `benefit`) with `mean`, `low`, `high`; the first measure is the one
    that is judged.  `assumptions`: `name`, `evidence` (`estimated`, `assumed`, `none`) and
    `mean`, `low`, `high` where there are any.  `p_better`: P(net benefit > 0); `level`: of the
    intervals.
    """
    by = signed_in()
    if by is None:
        st.info("Sign in to decide on a strategy.", icon=":material/lock:")
        return
    if strategy_id is None:
        st.info("Save the strategy first: a decision is on what is saved.", icon=":material/save:")
        return
    if view.chosen.as_of != view.book.as_of:
        st.info(
            f"You see {words.month(view.chosen.as_of)}. A decision rests on the newest data: choose"
            f" {words.month(view.book.as_of)} to decide.",
            icon=":material/history:",
        )
        return
    told: _Told = st.session_state.setdefault(_key("told", strategy_id), _Told())
    if _is_decided(view, strategy_id, told) or not _is_as_saved(strategy_id, text):
        return
    _open(strategy_id, by, view.book.as_of)
    parts = (view, forecast, assumptions, p_better, level)
    with st.form(_key("form", strategy_id), enter_to_submit=False):
        left, right = st.columns([3, 2])
        with left:
            st.text_input(
                "Owner", key=_key("owner", strategy_id), autocomplete="off",
                placeholder="Who answers for it",
            )  # fmt: skip
            _beside(told, "owner")
        with right:
            st.date_input(
                "Decided on", value=None, key=_key("decided_on", strategy_id), format="YYYY-MM-DD"
            )
            _beside(told, "decided_on")
        st.text_area(
            "Note", key=_key("note", strategy_id), height=80,
            placeholder="Why. It cannot be changed afterwards.",
        )  # fmt: skip
        _beside(told, "note")
        st.form_submit_button(
            "Decide", key=_key("save", strategy_id),
            on_click=_save, args=(strategy_id, by, parts),
        )  # fmt: skip
    others = [said for name, said in told.problems.items() if name not in _FIELDS]
    for said in [told.refused, *others]:
        if said:
            st.error(f"{said} Nothing was saved.", icon=":material/error:")
    st.caption(
        "The forecast, its interval, the data's version and the assumptions are kept with the"
        " decision. Nothing of it can be changed afterwards; notes can be added."
    )
    told.problems, told.refused = {}, ""


def _key(name: str, strategy_id: str) -> str:
    return f"decide_{name} {strategy_id}"


def _beside(told: _Told, name: str) -> None:
    if said := told.problems.get(name):
        st.error(words.plain(said), icon=":material/error:")


def _open(strategy_id: str, by: str, as_of: dt.date) -> None:
    """Fill the form, where it was not yet."""
    today = dt.datetime.now(dt.UTC).date()
    first = {"owner": "" if by == LOCAL else by, "decided_on": max(today, as_of), "note": ""}
    for name, value in first.items():
        st.session_state.setdefault(_key(name, strategy_id), value)


def _is_decided(view: View, strategy_id: str, told: _Told) -> bool:
    """Say who decided on this version with these data, where somebody did."""
    try:
        made = told.made or of_strategy(strategy_id, view.book.as_of)
    except AppDatabaseUnavailable as error:
        st.warning(f"{error} Decisions are not shown.", icon=":material/database_off:")
        return False
    if made is None:
        return False
    show_made(made)
    return True


def _is_as_saved(strategy_id: str, text: str | None) -> bool:
    """Whether the forecast is of what was saved; else a sentence says what to do."""
    try:
        found = one(strategy_id)
    except StrategyGone as gone:
        st.error(_gone_words(gone), icon=":material/link_off:")
        return False
    except AppDatabaseUnavailable:
        return True  # said already; deciding asks again
    if text is not None and text != found.text:
        st.info(
            "The strategy was edited since it was saved: save it, then decide.",
            icon=":material/save:",
        )
        return False
    return True


def _gone_words(gone: StrategyGone) -> str:
    last = gone.deleted
    if last is None:
        return str(gone)
    return sentences.gone_sentence(last.name, last.saved_by, last.saved_at)


def show_made(made: Decision) -> None:
    """One line on a decision that was made, with the way to it."""
    st.success(
        sentences.decided_sentence(
            made.strategy_name, made.strategy_version, made.owner, made.written_by,
            made.decided_on, made.written_at,
        ),
        icon=":material/gavel:",
    )  # fmt: skip
    link(DECISIONS, "Open the decision", decision=made.id)


def _save(strategy_id: str, by: str, parts: tuple[Any, ...]) -> None:
    """Keep the decision; runs before the page is drawn again."""
    told: _Told = st.session_state[_key("told", strategy_id)]
    told.problems, told.refused = {}, ""
    typed = {name: st.session_state[_key(name, strategy_id)] for name in _FIELDS}
    try:
        told.made = keep(_draft(strategy_id, typed, *parts), by=by)
    except DecisionRefused as error:
        told.problems = error.problems
    except AlreadyDecided as error:
        told.made = error.first
    except StrategyGone as gone:
        told.refused = _gone_words(gone)
    except (AppDatabaseUnavailable, DecisionGone) as error:
        told.refused = str(error)


def _draft(
    strategy_id: str,
    typed: dict[str, Any],
    view: View,
    forecast: pl.DataFrame,
    assumptions: pl.DataFrame | None,
    p_better: float | None,
    level: float,
) -> Draft:
    figures = forecast.select(
        pl.col("month"),
        pl.col("series", "measure").cast(pl.String),
        pl.col("mean", "low", "high").cast(pl.Float64),
    )
    rested = pl.DataFrame() if assumptions is None else assumptions
    names = [name for name in ("name", "evidence", "mean", "low", "high") if name in rested.columns]
    numbers = [name for name in names if name in ("mean", "low", "high")]
    rested = rested.select(names).with_columns(pl.col(numbers).cast(pl.Float64))
    return Draft(
        strategy_id=strategy_id,
        owner=typed["owner"] or "",
        decided_on=typed["decided_on"],
        as_of=view.book.as_of,
        data_version=f"{view.path.name}, refreshed {view.book.refreshed_at:%Y-%m-%d %H:%M} UTC",
        forecast=tuple(Forecast(**row) for row in figures.to_dicts()),
        assumptions=tuple(Assumption(**row) for row in rested.to_dicts()),
        level=level,
        p_better=p_better,
        scope={name: values for name, values in view.chosen.segments().items() if values},
        note=typed["note"] or None,
    )
