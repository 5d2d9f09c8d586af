"""The Simulator's back-test: the baseline projected from past months, against what happened."""

from __future__ import annotations

import polars as pl
import streamlit as st

import ui
from analytics.backtest import backtest, by_horizon
from charts import curves
from charts import format as words
from charts import strategy_sentences as sentences
from charts.palette import NOISE, SERIES
from figures import simulator_levers as levers
from figures.simulator import Ground

MEASURES = {
    "Cash": "cash",
    "Late balance": "late_balance",
    "Charged off or sold": "charged_off",
}


def show(ground: Ground) -> None:
    """Forecasts from each of the last twelve months beside what came, and how far off they were."""
    tested = levers.tested(ground)
    if tested.is_empty():
        st.info("The book has too few months to look back.", icon=":material/history:")
        return
    chosen = ui.segmented("Of", tuple(MEASURES), key="backtest_of")
    rows = tested.filter(pl.col("measure") == MEASURES[chosen])
    judged = by_horizon(rows)
    st.markdown(sentences.backtest_sentence(chosen, judged, rows))
    origins = sorted(rows["origin"].unique().to_list())
    labels = {words.month(day, short=True): day for day in origins}
    picked = ui.pick("As seen from", tuple(labels), key="backtest_from")
    here = rows.filter(pl.col("origin") == labels[picked])
    said = here.select(
        "month",
        series=pl.lit("Forecast"),
        value=pl.col("forecast") * 100,
        low=pl.col("low") * 100,
        high=pl.col("high") * 100,
    )
    came = here.select(
        "month",
        series=pl.lit("What happened"),
        value=pl.col("actual") * 100,
        low=pl.col("actual") * 100,
        high=pl.col("actual") * 100,
    )
    drawn = pl.concat([said, came])
    ui.heading(
        f"{chosen}, as forecast at the end of {picked}",
        "The baseline, with only what was known then; currency of the month. Band: 80 % interval.",
    )
    ui.chart(
        drawn,
        curves.lines(
            drawn,
            {"Forecast": SERIES, "What happened": NOISE},
            alt="Forecast and what happened, by month.",
            unit="cents",
            with_band=True,
            from_zero=False,
        ),
        key="backtest",
    )
    money = ("forecast", "low", "high", "actual")
    told = rows.rename({name: f"{name}_amount" for name in money} | {"error": "error_rate"})
    ui.evidence("backtest", told, backtest, of="forecasts and what happened")
    ui.heading("Error and coverage by months ahead", "All months from which it was forecast.")
    table = judged.select(
        months_ahead="horizon",
        forecasts="origins",
        **{
            name: pl.Series([words.percent(share) for share in judged[of]], dtype=pl.String)
            for name, of in (
                ("error_on_average", "error"),
                ("size_of_error_on_average", "absolute_error"),
                ("inside_the_interval", "coverage"),
            )
        },
    )
    ui.readable_table(table, alt="Error and coverage by months ahead.")
    shares = {"error": "error_rate", "absolute_error": "absolute_error_rate",
              "coverage": "inside_share"}  # fmt: skip
    ui.evidence("backtest_by_horizon", judged.rename(shares), by_horizon, of="by months ahead")
