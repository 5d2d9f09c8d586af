"""One collector's caseload, and its cases a page at a time."""

from datetime import date
from typing import Any

import polars as pl
import polars.selectors as cs
import streamlit as st

import ui
from charts import format as words
from charts import recovery_sentences as sentences
from queries.collector_cases import AGES, LAST_AGE, cases_of, cash_of, open_cases_of
from queries.loan_lists import PAGE_ROWS

CASE_COLUMNS = {
    "case_id": "Case",
    "loan_id": "Loan",
    "opened_on": "Opened",
    "days_past_due": "Days late at opening",
    "placed_amount": "Placed",
    "cash_amount": "Cash to date",
    "closed_on": "Closed",
    "close_reason": "Closed as",
}


class _NotAnswered(Exception):
    """The warehouse did not answer, which is not to be kept."""


@st.cache_resource(max_entries=256, ttl=600, show_spinner=False)
def _open_cases(version: str, collector_id: str, as_of: date) -> pl.DataFrame:
    """Cached by the published version, the collector and the day."""
    found = ui.drill(open_cases_of(collector_id, as_of=as_of))
    if found is None:
        raise _NotAnswered
    return found


def caseload(view: ui.View, collector_id: str) -> None:
    """Open cases by stage at opening and by age."""
    ui.heading(
        "Caseload",
        f"Open on {words.day(view.book.as_of)}, of all months: cases and placed amount by stage at"
        " opening and by days since opening.",
    )
    try:
        found = _open_cases(view.version, collector_id, view.book.as_of)
    except _NotAnswered:
        return
    if not found.height:
        st.caption("No case is open.")
        return
    ages = [name for _, name in AGES] + [LAST_AGE]
    counts = found.pivot(on="age", index="stage", values="cases").join(
        found.group_by("stage").agg(
            pl.col("cases").sum().alias("All"),
            pl.col("placed_amount").sum().cast(pl.Float64).round().cast(pl.Int64).alias("Placed"),
        ),
        on="stage",
    )
    order = pl.DataFrame({"stage": list(sentences.STAGES)})
    shown = order.join(counts, on="stage", maintain_order="left")
    st.dataframe(
        shown.select(
            pl.col("stage").replace(sentences.STAGES).alias("Stage"),
            *[pl.col(name) for name in ages if name in shown.columns],
            "All",
            "Placed",
        ),
        hide_index=True,
        placeholder=words.MISSING,
        alt="Open cases by stage and age",
        column_config={"Placed": st.column_config.NumberColumn(format="localized")},
    )


def cases(view: ui.View, collector_id: str, stage: str | None) -> None:
    """The collector's cases of the choice, newest first, a page at a time."""
    if not st.toggle("List the cases opened in this choice, closed ones too", key="list_cases"):
        return
    with st.container(border=True, key="list_of_cases"):
        key = f"page_cases {collector_id} {view.key} {stage}"
        number = st.session_state.get(key, 1)
        shape, as_of = view.book.shape, view.book.as_of
        frame = ui.drill(
            cases_of(view.chosen, collector_id, shape, as_of=as_of, stage=stage, page=number - 1)
        )
        if frame is None:
            return
        if not frame.height:
            st.caption("No case of this collector was opened in this choice.")
            return
        rows = int(frame["all_rows"][0])
        shown = _with_cash(view, frame).with_columns(
            cs.decimal().cast(pl.Float64), pl.col("close_reason").str.replace_all("_", " ")
        )
        st.dataframe(
            shown.select(name for name in CASE_COLUMNS if name in shown.columns),
            hide_index=True,
            placeholder=words.MISSING,
            alt="Cases of the collector",
            column_config={name: _column(name, label) for name, label in CASE_COLUMNS.items()},
        )
        pages = -(-rows // PAGE_ROWS)
        st.number_input(
            f"Page (of {pages}; {sentences.cases_words(rows)})",
            min_value=1,
            max_value=max(pages, 1),
            key=key,
            width=220,
        )


def _column(name: str, label: str) -> Any:
    """Amounts to the cent, days without a time."""
    if name.endswith("_amount"):
        return st.column_config.NumberColumn(label, format="localized", step=0.01)
    if name.endswith("_on"):
        return st.column_config.DateColumn(label, format="YYYY-MM-DD")
    return st.column_config.Column(label)


def _with_cash(view: ui.View, frame: pl.DataFrame) -> pl.DataFrame:
    """The cases with the cash that is theirs, where payments are recorded."""
    if not view.book.table_rows.get("payments"):
        return frame
    case_ids, loan_ids, opened = (
        frame[name].to_list() for name in ("case_id", "loan_id", "opened_on")
    )
    cash = ui.drill(cash_of(case_ids, loan_ids, min(opened), as_of=view.book.as_of))
    if cash is None:
        return frame
    amounts = cash.select("case_id", cash_amount=pl.col("cash_cents") / 100)
    return frame.join(amounts, on="case_id", how="left").with_columns(
        pl.col("cash_amount").fill_null(0.0)
    )
