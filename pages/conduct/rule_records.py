"""Contact rules: how attempts are recorded, who is contacted, what is left, and the packs."""

from collections.abc import Sequence

import polars as pl
import streamlit as st

import ui
from analytics.contact_fairness import contact_fairness
from charts import format as words
from charts import rule_record_sentences as records
from charts import rule_sentences as sentences
from figures.contact_rules import Choice, Figures, Records, partner_names
from queries.conduct import BREACH, KeptYears, ListedAgency, Pack, Recorded


def per_thousand(frame: pl.DataFrame, kind: str = BREACH) -> pl.DataFrame:
    """Names that say the unit and what is counted: tables show what is called a rate as per
    cent."""
    new = {"rate": "per_1000", "low": "low_per_1000", "high": "high_per_1000"}
    new |= {} if kind == BREACH else {"breaches": "near_misses"}
    return frame.rename({old: name for old, name in new.items() if old in frame.columns})


def show(view: ui.View, packs: Sequence[Pack], kept: Records) -> None:
    """How attempts are recorded, who is contacted, and what is left."""
    _coverage(view, packs, kept)
    left, right = st.columns(2, gap="large")
    with left:
        _fairness(kept)
    with right:
        _capacity(kept)


def listings(view: ui.View, choice: Choice, found: Figures) -> None:
    """Contacts of agencies that were not on the public list."""
    if any(isinstance(rule.limit, ListedAgency) for rule in choice.rules):
        ui.heading("Agencies on the public list", "Contacts by agencies, on their own day.")
        st.markdown(records.unlisted_sentence(found.unlisted, partner_names(view)))


def _coverage(view: ui.View, packs: Sequence[Pack], kept: Records) -> None:
    ui.heading(
        "How complete the records are",
        "By channel. Duration and recorded: of connected calls. Consent given and refused are"
        " counts, of the rest it is not recorded. Complete: contact point, case (where the loan had"
        " one open) and (connected calls) duration are there, and, where somebody called or went,"
        " the collector.",
    )
    limits = [rule.limit for pack in packs for rule in pack.rules]
    years = [limit.years for limit in limits if isinstance(limit, KeptYears)]
    shares = [limit.at_least for limit in limits if isinstance(limit, Recorded)]
    st.markdown(
        records.kept_sentence(kept.first_month, view.chosen.as_of, years, kept.months_missing)
        + " "
        + records.recorded_sentence(kept.whole["recorded"], kept.whole["connected"], shares)
    )
    rows = records.coverage_rows(kept.coverage)
    st.dataframe(
        rows,
        hide_index=True,
        placeholder=words.MISSING,
        alt="Completeness of records by channel",
        column_config={
            name: st.column_config.NumberColumn(
                format="%.1f" if name.endswith("%") else "localized",
                width=105 if name in ("Contact point, %", "Consent given") else 82,
            )
            for name in rows.columns[1:]
        },
    )


def _fairness(kept: Records) -> None:
    ui.heading(
        "Are vulnerable borrowers contacted more?",
        "Attempts a month on a loan in collections, of borrowers known to be vulnerable and of"
        " others in the same stage and product (theirs, others’), and how many times as many they"
        " are, with 95 % interval.",
    )
    found = kept.fairness
    st.markdown(records.fairness_sentence(found.ratio, found.low, found.high))
    if found.stages.height:
        st.dataframe(
            records.fairness_rows(found.stages),
            hide_index=True,
            placeholder=words.MISSING,
            alt="Contact intensity of vulnerable borrowers",
            column_config={
                name: st.column_config.NumberColumn(format="%.2f", width=58)
                for name in ("Times", "From", "To", "Theirs", "Others’")
            }
            | {
                "Stage": st.column_config.TextColumn(width=62),
                "Loan-months": st.column_config.NumberColumn(format="localized", width=90),
            },
        )
    table = found.stages.rename({"low": "ratio_from", "high": "ratio_to"})
    ui.evidence("contact_fairness", table, contact_fairness, of="vulnerable borrowers")


def _capacity(kept: Records) -> None:
    rows = kept.capacity
    day = rows["day"][0] if rows.height else None
    ui.heading(
        "What the rules still allow",
        (f"On {words.day(day)}, the data’s last day, whatever month is chosen. " if day else "")
        + "Attempts left on loans whose case is still open at its end, by the stage at which it was"
        " opened; what was attempted that day is taken off.",
    )
    if rows.is_empty():
        st.caption("The packs in use cap no number of attempts.")
        return
    said = ""
    for name, table, note in kept.allowed:
        st.markdown(f"**{words.plain(name)}**")
        st.dataframe(
            table,
            hide_index=True,
            placeholder=words.MISSING,
            alt=f"Attempts that the rules still allow: {name}",
            column_config={
                column: st.column_config.NumberColumn(format="localized", width=85)
                for column in table.columns[1:]
            }
            | {"Stage": st.column_config.TextColumn(width=70)},
        )
        if note and note != said:
            st.caption(note)
            said = note


def pack_texts(packs: Sequence[Pack]) -> None:
    """The rules in use in their own words, with their sources."""
    ui.heading("The rules in use", sentences.LEGAL)
    for pack in packs:
        title = f"{words.plain(pack.id)}: {words.plain(pack.title)}"
        with st.expander(title, icon=":material/gavel:"):
            st.caption(
                words.plain(
                    f"{pack.jurisdiction}. {pack.source}. From {pack.file}, digest"
                    f" {pack.digest[:12]}."
                )
            )
            for rule in pack.rules:
                st.markdown(f"- {sentences.rule_in_words(rule)}")
            st.code(pack.text, language="toml")
