"""Complaints: what they are about, how they end, what goes with them, and whose score is aside."""

import polars as pl
import streamlit as st

import ui
from analytics.complaint_causes import contact_lag, root_causes, satisfaction, upheld_share
from analytics.intensity import intensity_cost
from analytics.vetoes import veto_ledger
from charts import bars, control, intervals
from charts import complaint_answer_sentences as sentences
from charts import complaint_words as names
from charts import format as words
from figures import complaint_tables as tables
from figures.complaint_causes import Beside, Causes, beside, causes
from figures.complaints import Overview

FEWEST_CASES = 100  # at a number of attempts, for its point to be drawn


def show(view: ui.View, found: Overview) -> None:
    """Causes and outcomes; lag, intensity and satisfaction."""
    mine = made(view, found)
    left, right = st.columns(2, gap="large")
    with left:
        _causes(mine)
    with right:
        _upheld(mine)
    others = beside(view.key, view)
    left, right = st.columns(2, gap="large")
    with left:
        _intensity(others)
    with right:
        _lag(mine)
        _satisfaction(others)


def made(view: ui.View, found: Overview) -> Causes:
    return causes(view.key, found.course.signal.dispersion or 0.0, view)


def _causes(found: Causes) -> None:
    ui.heading(
        "What they are about",
        "Complaints of these months by category, the most frequent first.",
    )
    st.markdown(sentences.causes_sentence(found.causes, names.CATEGORIES))
    if found.causes.is_empty():
        return
    shown = found.causes.with_columns(
        name=pl.col("category").replace_strict(names.CATEGORIES, default=None)
    )
    if ui.segmented("Show", ("Number", "Trend"), key="causes_shown") == "Number":
        ui.chart(
            shown.select("name", value="complaints"),
            bars.ranked(shown["name"].to_list(), alt="Complaints by category.", unit="count"),
            key="causes",
        )
    else:
        _trend(shown)
    ui.evidence(
        "root_causes",
        tables.ends(shown.with_columns(category="name").drop("name"), "ratio"),
        root_causes,
    )


def _trend(shown: pl.DataFrame) -> None:
    """How many times as often as in the year before, with intervals."""
    known = shown.filter(pl.col("ratio").is_not_null(), pl.col("ratio_high").is_not_null())
    if known.is_empty():
        st.caption("There are too few complaints for a trend.")
        return
    st.caption(
        "Rate of the last 13 weeks over that of the 52 weeks before, with 95 % interval: 1 is no"
        " change, and twice is as far from it as half. Hollow: no change beyond chance. Arrow: it"
        f" goes on beyond {control.REACH} times."
    )
    ui.chart(
        known.select(
            "name",
            value="ratio",
            low="ratio_low",
            high="ratio_high",
            loans="recent",
            is_small=~pl.col("is_different").fill_null(value=False),
        ),
        control.ratios(
            known["name"].to_list(),
            alt="Trend of complaints by category.",
            counted="Complaints in 13 weeks",
        ),
        key="causes_trend",
    )


def _upheld(found: Causes) -> None:
    ui.heading(
        "Were they right?",
        "Upheld wholly or in part, of those received in these months and resolved, %, with 95 %"
        " interval. The line is all together; hollow: fewer than 30.",
    )
    st.markdown(sentences.upheld_sentence(found.upheld))
    known = found.upheld_by.filter(pl.col("share").is_not_null()).sort("grade")
    if known.height:
        ui.chart(
            known.select("low", "high", "is_small", name="grade", value="share", loans="resolved"),
            intervals.dots(
                known["grade"].to_list(),
                alt="Upheld share by grade, with intervals.",
                reference=found.upheld["share"],
                counted="Resolved",
            ),
            key="upheld",
        )
    ui.evidence("upheld_share", found.upheld_by, upheld_share)


def _intensity(found: Beside) -> None:
    ui.heading(
        "What one more attempt costs in complaints",
        "Complaints per 1,000 cases by attempts on the case in the month. Line: as modelled, on"
        " everybody’s mix of stages and products. Circles: as counted, brought to that mix. From"
        f" {FEWEST_CASES} case-months on.",
    )
    curve = found.intensity.curve
    shown = curve.filter(pl.col("cases") >= FEWEST_CASES)
    st.markdown(
        f"{sentences.intensity_sentence(found.intensity)} {sentences.misfit_sentence(shown)}"
    )
    if found.intensity.reason is None and shown.height > 1:
        ui.chart(
            shown.rename({"attempts": "times"}),
            control.by_times(alt="Complaints per 1,000 cases by attempts.", times="Attempts"),
            key="intensity",
        )
    st.caption(
        "A case that is called more may be a harder one: what was not recorded is not taken out."
    )
    ui.evidence("intensity", tables.rates(curve), intensity_cost)


def _lag(found: Causes) -> None:
    ui.heading("How soon after the contact", "Days from the contact to the complaint.")
    st.markdown(sentences.lag_sentence(found.lag))
    ui.evidence("contact_lag", tables.shares_within(found.lag_by), contact_lag, of="lag by channel")


def _satisfaction(found: Beside) -> None:
    ui.heading("Satisfaction", "Answers from 1 to 5 of borrowers whose cases were closed.")
    st.markdown(sentences.satisfaction_sentence(found.satisfied))
    if found.satisfied_by.height:
        ui.evidence(
            "satisfaction",
            tables.ends(found.satisfied_by, "mean"),
            satisfaction,
            of="satisfaction by team",
        )


def vetoes(view: ui.View) -> None:
    """Whose score is set aside, by which complaint, and until when."""
    found = beside(view.key, view).vetoes
    ui.heading(
        "Scores set aside",
        "A grade-4 complaint that was upheld and names a contact of the collector sets the"
        " collector’s composite score aside for three months; a reversed appeal lifts it."
        " Of the whole book, whatever was chosen.",
    )
    st.markdown(sentences.veto_sentence(found.in_force, found.on))
    if found.ledger.is_empty():
        st.caption("No complaint ever did that.")
    else:
        shown = found.ledger.sort("from_on", descending=True)
        days = ("from_on", "until_on", "lifted_on")
        titles = {"complaint_id": "Complaint", "collector_id": "Collector",
                  "contact_id": "Contact", "from_on": "From", "until_on": "Lapses",
                  "is_lifted": "Lifted", "lifted_on": "Lifted on"}  # fmt: skip
        st.dataframe(
            shown.select(pl.col(name).alias(title) for name, title in titles.items()),
            hide_index=True,
            placeholder=words.MISSING,
            alt="Complaints that set a score aside",
            column_config={
                titles[name]: st.column_config.DateColumn(titles[name], format="D MMM YYYY")
                for name in days
            },
        )
    ui.evidence("veto_ledger", found.ledger, veto_ledger)
