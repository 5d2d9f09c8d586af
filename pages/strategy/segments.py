"""Segments: who needs what?"""

from collections.abc import Callable
from typing import Any

import polars as pl
import streamlit as st

import ui
from analytics.classes import drawn_cuts, grade_class, rfm_class, risk_class
from analytics.segments import (
    class_migration,
    class_recovery,
    class_rolls,
    class_sizes,
    late_classes,
    planned_and_actual,
)
from charts import bars, crossings, intervals
from charts import format as words
from charts import segment_sentences as sentences
from charts import segment_words as names
from charts.axes import Unit
from figures.segments import Segments, segments
from pages.strategy import resolution
from queries import segments as marts
from ui.segments import open_segment_page

MADE_OF: dict[str, Callable[..., Any]] = {
    "grade": grade_class,
    "risk": risk_class,
    "rfm": rfm_class,
}
ALL = "All classes"


def _picture(view: ui.View, found: Segments, scheme: str) -> None:
    """How large each class of late loans is, and what becomes of its cases."""
    labels = names.CLASSES[scheme]
    codes = late_classes(scheme, found.sizes["class"].to_list())
    unit: Unit = "cents" if view.is_money else "count"
    amount = "late_cents" if view.is_money else "late_loans"
    left, right = st.columns(2, gap="large")
    with left:
        what = "Balance of late loans" if view.is_money else "Late loans"
        ui.heading(
            "How large each class is",
            f"{what} by class, at the end of {words.month(view.chosen.as_of)}.",
        )
        held = found.sizes.filter(pl.col("class").is_in(codes)).select(
            name=pl.col("class").replace(labels), value=amount
        )
        ui.chart(
            held,
            bars.ranked([labels[one] for one in codes], alt="Late by class.", unit=unit),
            key="sizes",
        )
    with right:
        ui.heading(
            "What becomes of its cases",
            "Cases cured, paid off or settled within 90 days, %, by the class at opening, with 95 %"
            " interval. Of a loan's spell of lateness the first case in each stage; those 90 days"
            " old. Hollow: fewer than 30.",
        )
        if found.recovery.is_empty():
            _without_cases(view)
            return
        known = found.recovery.filter(pl.col("resolved_share").is_not_null())
        shown = known.select(
            "low",
            "high",
            "is_small",
            name=pl.col("class").replace(labels),
            value="resolved_share",
            loans="cases",
        )
        if shown.is_empty():
            st.caption("No case of these months is 90 days old yet.")
            return
        ui.chart(
            shown,
            intervals.dots(
                shown["name"].to_list(),
                alt="Share of cases resolved within 90 days, by class at opening.",
                counted="Cases",
            ),
            key="resolved",
        )


def _without_cases(view: ui.View) -> None:
    if view.book.table_rows.get("cases"):
        st.caption("No case was opened in this choice.")
    else:
        st.caption(
            "The book has no cases. With the tables `cases`, `payments` and `contacts` this shows"
            " what each class brings back and costs, and what was done for it."
        )


def _table(view: ui.View, found: Segments, scheme: str) -> None:
    """Size, recovery, roll and cost of each class, side by side."""
    ui.heading(
        "Class by class",
        "Late loans at the month-end; what got later or was cured in a month."
        + (sentences.OF_CASES if found.recovery.height else ""),
    )
    both = found.sizes.filter(pl.col("late_loans") > 0).join(
        found.rolls.select("class", "forward_share", "cured_share"), on="class", how="left"
    )
    if found.recovery.height:
        cases = found.recovery.select(
            "class",
            "cases",
            "resolved_share",
            "attempts_per_case",
            "case_cost_cents",
            cash_rate="rate",
        )
        both = both.join(cases, on="class", how="left")
    titles = {
        "class": "class",
        "late_loans": "late_loans",
        **({"share": "balance_share"} if view.is_money else {"loans_share": "loans_share"}),
        "forward_share": "got_later_share",
        "cured_share": "cured_share",
        "cases": "cases",
        "resolved_share": "resolved_share",
        "cash_rate": "cash_rate",
        "attempts_per_case": "attempts_per_case",
        "case_cost_cents": "cost_per_case_cents",
    }
    table = names.with_names(both, scheme, "class")
    shown = [pl.col(name).alias(title) for name, title in titles.items() if name in table.columns]
    ui.readable_table(table.select(shown), alt="Classes side by side")
    if found.recovery.height:
        st.caption(sentences.cost_words(found.recovery))
    named = [names.with_names(one, scheme, "class") for one in (found.sizes, found.rolls)]
    ui.evidence("class_sizes", named[0], class_sizes, MADE_OF[scheme], of="size of classes")
    ui.evidence("class_rolls", named[1], class_rolls, of="rolls of classes")
    ui.evidence(
        "class_cuts", ui.load(view, marts.segment_settings), drawn_cuts, of="cut points of classes"
    )
    if found.recovery.height:
        recovered = names.with_names(found.recovery, scheme, "class")
        ui.evidence("class_recovery", recovered, class_recovery, of="recovery and cost of classes")


def _migration(view: ui.View, found: Segments, scheme: str) -> None:
    what = "opening balance" if view.is_money else "loans"
    ui.heading(
        "From class to class in a month",
        f"Of the {what} of a class, % in each a month later; {words.month(view.chosen.as_of)} and"
        f" the months before it in the choice. Grey: fewer than 30 loans.",
    )
    shown = found.migration.select(
        "share", "low", "high", "is_small", row="from_class", column="to_class", count="loans"
    )
    if shown.is_empty():
        st.caption("There is no month before this one to move from.")
        return
    labels = names.CLASSES[scheme]
    here = {one: labels[one] for one in labels if one in shown["row"].to_list()}
    ends = labels | names.ENDS
    there = {one: ends[one] for one in ends if one in shown["column"].to_list()}
    ui.chart(
        shown,
        crossings.crossing(
            here,
            there,
            alt="Migration between classes within a month.",
            row_title="From",
            column_title="To, a month later",
        ),
        key="migration",
    )
    ui.evidence(
        "class_migration",
        names.with_names(found.migration, scheme, "from_class", "to_class"),
        class_migration,
        of="migration of classes",
    )


def _treatments(found: Segments, scheme: str) -> None:
    ui.heading(
        "What was planned, and what was done",
        "Of cases by planned treatment, % by the gravest step within 90 days of the opening. All"
        " cases that are 90 days old, also those handed on within a stage: more than above. Grey:"
        " fewer than 30.",
    )
    if found.treatments.is_empty():
        st.caption("No case of this choice is 90 days old yet.")
        return
    st.markdown(
        " ".join(
            (sentences.plan_sentence(found.counts), sentences.rule_sentence(found.counts, scheme))
        )
    )
    labels = names.CLASSES[scheme]
    codes = [one for one in labels if one in found.treatments["class"].to_list()]
    by_label = {ALL: None} | {labels[one]: one for one in codes}
    picked = by_label[ui.pick("Cases opened as", tuple(by_label), key="treated_class")]
    theirs = found.counts if picked is None else found.counts.filter(pl.col("class") == picked)
    shares = planned_and_actual(theirs.with_columns(pl.lit(codes[0]).alias("class")), scheme)
    shares = shares.with_columns(
        row=pl.Series([names.planned(one) for one in shares["planned"]], dtype=pl.String)
    )
    rows = shares.sort("planned_cases", descending=True)["row"].unique(maintain_order=True)
    shown = shares.select(
        "row",
        "share",
        column="actual",
        low=pl.lit(None, pl.Float64),
        high=pl.lit(None, pl.Float64),
        count="cases",
        is_small=pl.col("planned_cases") < resolution.FEWEST,
    )
    ui.chart(
        shown,
        crossings.crossing(
            {one: one for one in rows},
            {code: text for code, text in names.ACTUAL.items() if code in shown["column"]},
            alt="What was done by planned treatment.",
            row_title="Planned",
            column_title="Done",
            counted="Cases",
        ),
        key="treatments",
    )
    st.caption(
        "What is done follows how a case goes: one that pays at once needs no suit, so these are"
        " not effects."
    )
    table = names.with_names(found.treatments, scheme, "class").with_columns(
        pl.col("actual").replace(names.ACTUAL)
    )
    ui.evidence("planned_and_actual", table, planned_and_actual, of="planned and actual treatment")


view = open_segment_page("Segments", "Who needs what?")
by_name = {text: code for code, text in names.SCHEMES.items()}
scheme = by_name[ui.segmented("Classes by", tuple(by_name), key="scheme")]
found = segments(view.key, scheme, view)
if found is None:
    ui.nothing_to_show(
        view,
        f"No loan was late at the end of {words.month(view.chosen.as_of)} in this choice.",
        of=marts.late_loans,
        counts=["late_loans"],
    )

# --- the answer ----------------------------------------------------------------------------
ui.say(
    [
        sentences.size_sentence(found.sizes, scheme, is_money=view.is_money),
        sentences.recovery_sentence(found.recovery, scheme) if found.recovery.height else "",
        sentences.roll_sentence(found.rolls, scheme),
    ]
)
if scheme == "rfm" and set(late_classes(scheme, found.sizes["class"].to_list())) == {"unknown"}:
    st.info(
        "No payment of these loans is recorded. With `loan_months.paid_amount` they are classed by"
        " when, how often and how much they paid.",
        icon=":material/database:",
    )

# --- the picture, and the numbers ----------------------------------------------------------
_picture(view, found, scheme)
_table(view, found, scheme)
_migration(view, found, scheme)
if view.book.table_rows.get("cases"):
    _treatments(found, scheme)
    resolution.show(view)
