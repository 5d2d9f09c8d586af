"""Definitions: what does a number mean, exactly?"""

import polars as pl
import streamlit as st

import ui
from analytics.definitions import found_definitions, with_bold_label
from charts.sentences import plural
from queries.contract import contract_columns

WIDTHS = {"table": 110, "column": 150, "meaning": 640, "type": 110, "rules": 400}

ui.open_reference("Definitions", "What does a number mean, exactly?")

wanted = st.text_input(
    "Search",
    key="search",
    placeholder="roll rate, Wilson, charge-off, ...",
    bind="query-params",
    persist_state="session",
)
found = found_definitions(wanted or "")
columns = pl.DataFrame(contract_columns())
if wanted:
    text = pl.concat_str(pl.all(), separator=" ").str.to_lowercase()
    for word in wanted.lower().split():
        columns = columns.filter(text.str.contains(word, literal=True))

if found or columns.height:
    st.caption(
        f"{plural(len(found), 'definition')}, {plural(columns.height, 'column')} of the warehouse."
    )
else:
    st.info("Nothing found.", icon=":material/search_off:")
for one in found:
    with st.container(border=True, key=f"definition_{one.name}"):
        st.subheader(one.name, anchor=False)
        st.markdown(f"*{one.question}*")
        for paragraph in one.paragraphs[1:]:
            st.markdown(with_bold_label(paragraph))
        st.caption("Shown on: " + ", ".join(one.pages))

if columns.height:
    st.header("The warehouse's columns", anchor=False)
    st.dataframe(
        columns.select("table", "column", "meaning", "type", "rules"),
        hide_index=True,
        alt="Every column of the warehouse contract",
        height=500,
        column_config={
            name: st.column_config.TextColumn(name.capitalize(), width=width)
            for name, width in WIDTHS.items()
        },
    )
