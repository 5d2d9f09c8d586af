"""Contact rules: the contacts behind a breach, from the facts."""

from dataclasses import replace

import polars as pl
import streamlit as st

import ui
from charts import format as words
from charts import rule_record_sentences as records
from charts import rule_sentences as sentences
from figures.contact_rules import Choice, partner_names
from queries.rule_evidence import rule_evidence

SHOWN = 50  # breaches
ANY = "Any"


def show(view: ui.View, choice: Choice, by: str, label: str, rates: pl.DataFrame) -> None:
    """The latest breaches of one rule, of one owner, channel and so on, with what makes them so."""
    ui.heading(
        "The evidence",
        f"The latest {SHOWN} of one rule in the chosen months, with the contacts before each that"
        " make it one. Read from the warehouse when asked for.",
    )
    if not st.toggle("List the contacts", key="list_breaches"):
        return
    names = sentences.rule_labels([(rule.pack, rule.id) for rule in choice.rules])
    by_name = dict(zip(names, choice.rules, strict=True))
    some = rates.filter(pl.col("breaches") > 0)
    by_value = {ANY: None} | dict(some.select("name", by).rows())
    with st.container(horizontal=True):
        rule = by_name[ui.pick("Rule listed", tuple(by_name), key="rule_listed")]
        name = ui.pick(label, tuple(by_value), key=f"listed_{by}")
    keys: dict[str, list[object]] = {} if name == ANY else {by: [by_value[name]]}
    for segment, values in replace(view.chosen, grades=()).segments().items():
        if values and segment not in keys:
            keys[segment] = list(values)
    if not choice.is_early:
        keys["in_force"] = [True]
    first, last = view.chosen.months()
    rows = ui.drill(
        rule_evidence(
            rule, first.replace(day=1), last, view.book.shape, keys, SHOWN, kind=choice.kind
        )
    )
    if rows is None:
        return
    if rows.is_empty():
        st.caption("There is none in these months.")
        return
    st.markdown(records.consent_sentence(rows))
    st.dataframe(
        records.evidence_rows(rows, partner_names(view)),
        hide_index=True,
        placeholder=words.MISSING,
        alt="Contacts behind breaches",
        column_config={
            "When": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm:ss"),
        },
    )
