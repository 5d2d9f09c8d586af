"""Lists of single loans from the facts, a page at a time."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import polars.selectors as cs
import sqlalchemy as sa
import streamlit as st

from charts import format as words
from queries.loan_lists import PAGE_ROWS
from ui.page import View, drill

_STATE_COLUMNS = ("from_state", "to_state", "bucket")
LOAN_COLUMNS = {
    "loan_id": "Loan",
    "product": "Product",
    "region": "Region",
    "grade": "Grade",
    "from_state": "From",
    "to_state": "To",
    "bucket": "Lateness",
    "opening_balance_amount": "Balance before",
    "closing_balance_amount": "Balance after",
    "balance_amount": "Balance",
    "overdue_amount": "Arrears",
    "paid_amount": "Paid in the month",
}


def loan_list(
    view: View, title: str, query: Callable[[int], sa.Select], *, key: str, empty: str
) -> None:
    """A page of single loans from the facts, with the way to the next."""
    with st.container(border=True, key=f"list_{key}"):
        st.subheader(title, anchor=False)
        key = f"{key} {view.key}"  # another choice begins at its first page
        number = st.session_state.get(f"page_{key}", 1)
        frame = drill(query(number - 1))
        if frame is None:
            return
        if not frame.height and number == 1:
            st.caption(empty)
            return
        rows = int(frame["all_rows"][0]) if frame.height else 0
        shown = frame.drop("all_rows").with_columns(cs.decimal().cast(pl.Float64))
        for column in _STATE_COLUMNS:
            if column in shown.columns:
                codes = shown[column].unique().to_list()
                labels = {code: words.state(code, basis=view.chosen.basis) for code in codes}
                shown = shown.with_columns(pl.col(column).replace(labels))
        st.dataframe(
            shown,
            hide_index=True,
            placeholder=words.MISSING,
            column_config={
                name: st.column_config.Column(LOAN_COLUMNS[name])
                if not name.endswith("_amount")
                else st.column_config.NumberColumn(
                    LOAN_COLUMNS[name], format="localized", step=0.01
                )
                for name in shown.columns
            },
            alt=title,
        )
        pages = -(-rows // PAGE_ROWS)
        if pages == 1:
            st.caption(f"{words.number(rows)} {'loan' if rows == 1 else 'loans'}.")
            return
        st.number_input(
            f"Page (of {pages}; {words.number(rows)} loans)",
            min_value=1,
            max_value=max(pages, 1),
            key=f"page_{key}",
            width=220,
        )
