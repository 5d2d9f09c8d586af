"""Definitions: what does a number mean, exactly?"""

import polars as pl
import streamlit as st

import ui
from analytics.definitions import definitions, with_bold_label
from charts.format import number
from queries.contract import contract_columns

ui.open_reference("Definitions", "What does a number mean, exactly?")

wanted = st.text_input(
    "Search",
    key="search",
    placeholder="roll rate, Wilson, charge-off, ...",
    bind="query-params",
    persist_state="session",
)
found = [one for one in definitions() if one.mentions(wanted or "")]
columns = pl.DataFrame(contract_columns())
if wanted:
    text = pl.concat_str(pl.all(), separator=" ").str.to_lowercase()
    for word in wanted.lower().split():
        columns = columns.filter(text.str.contains(word, literal=True))

st.caption(f"{number(len(found))} definitions, {number(columns.height)} columns of the warehouse.")
for one in found:
    with st.container(border=True, key=f"definition_{one.name}"):
        st.subheader(one.name, anchor=False)
        st.markdown(f"*{one.question}*")
        for paragraph in one.paragraphs[1:]:
            st.markdown(with_bold_label(paragraph))
        st.caption("Shown on: " + ", ".join(one.pages))

st.header("The warehouse's columns", anchor=False)
st.dataframe(columns, hide_index=True, alt="Every column of the warehouse contract", height=500)
