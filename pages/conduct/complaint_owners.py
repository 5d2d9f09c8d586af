"""Complaints: whose they are, by the chosen dimension and by collector; whose score is aside."""

import polars as pl
import streamlit as st

import ui
from analytics.complaint_rates import complaint_rates
from analytics.gamma_poisson import shrink_rates
from charts import complaint_sentences as sentences
from charts import format as words
from charts import intervals
from figures import complaint_tables as tables
from figures.complaints import Measure, Whose, people
from pages.conduct import complaint_causes

MOST_BARS = 30  # collectors shown; all are in the table below


def show(view: ui.View, found: Whose, label: str, measure: Measure, whole: float | None) -> None:
    """Rates by the chosen dimension and by collector; the veto's ledger."""
    _whose_chart(found, label, measure, whole)
    rates = tables.rates(found.rates)
    ui.evidence("complaints_by", rates, complaint_rates, of=f"complaints by {label.lower()}")
    _collectors(view)
    complaint_causes.vetoes(view)


def _whose_chart(found: Whose, label: str, measure: Measure, whole: float | None) -> None:
    noun = "attempts" if measure == "attempts" else "open cases a month"
    of = f"its own {noun}" if found.is_kept else f"all {noun}"
    shown = found.rates.filter(pl.col("rate").is_not_null())
    ui.heading(
        sentences.whose_title(shown, label, whole if found.is_kept else None),
        f"Complaints per 1,000 of {of}, with 95 % interval. Hollow: fewer than 30 complaints."
        + (
            f" The line is all together, {words.number(whole, decimals=2)}."
            if found.is_kept
            else ""
        ),
    )
    if shown.is_empty():
        st.caption(f"There are no {noun} in these months to measure complaints by.")
        return
    ui.chart(
        shown.select("name", "low", "high", "is_small", value="rate", loans="complaints"),
        intervals.dots(
            shown["name"].to_list(),
            alt=f"Complaints per 1,000 by {label.lower()}, with intervals.",
            unit="rate",
            reference=whole if found.is_kept else None,
            counted="Complaints",
        ),
        key="whose",
    )
    if note := sentences.nobodys_words(found.nobodys):
        st.caption(note)


def _collectors(view: ui.View) -> None:
    found = people(view.key, view)
    ui.heading(
        "By collector",
        "Complaints per 1,000 of the collector’s attempts, chance taken out, with 95 % interval;"
        " the line is the average. Hollow: fewer than 30 complaints.",
    )
    st.markdown(" ".join(line for line in sentences.collector_sentences(found) if line))
    owners = found.shrunk.owners
    shown = owners.filter(pl.col("shrunk").is_not_null()).sort("shrunk", descending=True)
    if shown.height:
        top = shown.head(MOST_BARS)
        ui.chart(
            top.select(
                "low", "high", "is_small", name="collector_id", value="shrunk", loans="complaints"
            ),
            intervals.dots(
                top["collector_id"].to_list(),
                alt="Complaints per 1,000 attempts by collector, shrunk.",
                unit="rate",
                reference=found.shrunk.mean,
                counted="Complaints",
            ),
            key="by_collector",
        )
        if shown.height > top.height:
            st.caption(f"The {MOST_BARS} highest of {words.number(shown.height)}.")
    ui.evidence("complaints_by_collector", tables.rates(owners), shrink_rates)
