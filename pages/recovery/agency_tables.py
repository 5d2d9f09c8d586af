"""The tables of the Agencies page."""

from __future__ import annotations

import polars as pl
import streamlit as st

from charts import format as words

_ENDS = {  # each stands beside what it is the interval of
    f"{what} {end}, %": end.capitalize() for what in ("Recovery", "Net") for end in ("from", "to")
}


def comparison(table: pl.DataFrame) -> None:
    """Agencies and in-house on like cases: money, net of commission, resolved share."""
    theirs = ~pl.col("is_in_house")
    shown = table.select(
        pl.col("name").alias("Party"),
        pl.col("cases").alias("Cases"),
        pl.col("ratio").alias("Times average"),
        pl.col("ratio_low").alias("From"),
        pl.col("ratio_high").alias("To"),
        (pl.col("rate") * 100).alias("Recovery, %"),
        (pl.col("rate_low") * 100).alias("Recovery from, %"),
        (pl.col("rate_high") * 100).alias("Recovery to, %"),
        pl.when(theirs).then(pl.col("commission_rate") * 100).alias("Commission, %"),
        pl.when(theirs).then(pl.col("net") * 100).alias("Net, %"),
        pl.when(theirs).then(pl.col("net_low") * 100).alias("Net from, %"),
        pl.when(theirs).then(pl.col("net_high") * 100).alias("Net to, %"),
        (pl.col("p_earns") * 100).alias("Chance it earns, %"),
        (pl.col("break_even_rate") * 100).alias("Break-even, %"),
        (pl.col("share") * 100).alias("Resolved, %"),
    )
    ratios = ("Times average", "From", "To")
    config = {
        name: st.column_config.NumberColumn(
            _ENDS.get(name, name), format="%.2f" if name in ratios else "%.1f"
        )
        for name in shown.columns[2:]
    }
    config["Cases"] = st.column_config.NumberColumn("Cases", format="localized")
    st.dataframe(
        shown,
        hide_index=True,
        placeholder=words.MISSING,
        alt="Agencies and in-house on like cases",
        column_config=config,
    )
