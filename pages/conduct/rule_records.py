"""Contact rules: how attempts are recorded, who is contacted, what is left, and the packs."""

from collections.abc import Sequence

import polars as pl
import streamlit as st

import ui
from analytics.contact_fairness import contact_fairness
from charts import format as words
from charts import rule_sentences as sentences
from figures.contact_rules import Choice, Figures, Records, partner_names
from queries.conduct import KeptYears, ListedAgency, Pack, Recorded


def per_thousand(frame: pl.DataFrame) -> pl.DataFrame:
    """Names that say the unit: tables show what is called a rate as per cent."""
    new = {"rate": "per_1000", "low": "low_per_1000", "high": "high_per_1000"}
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
        st.markdown(sentences.unlisted_sentence(found.unlisted, partner_names(view)))


def _coverage(view: ui.View, packs: Sequence[Pack], kept: Records) -> None:
    ui.heading(
        "How complete the records are",
        "By channel. Complete: contact point, case and (connected calls) duration are there, and,"
        " where somebody called or went, the collector.",
    )
    limits = [rule.limit for pack in packs for rule in pack.rules]
    years = [limit.years for limit in limits if isinstance(limit, KeptYears)]
    shares = [limit.at_least for limit in limits if isinstance(limit, Recorded)]
    st.markdown(
        sentences.kept_sentence(kept.first_month, view.chosen.as_of, years, kept.months_missing)
        + " "
        + sentences.recorded_sentence(kept.whole["recorded"], kept.whole["connected"], shares)
    )
    rows = sentences.coverage_rows(kept.coverage)
    st.dataframe(
        rows,
        hide_index=True,
        placeholder=words.MISSING,
        alt="Completeness of records by channel",
        column_config={
            name: st.column_config.NumberColumn(format="%.1f")
            for name in rows.columns
            if name.endswith("%")
        },
    )


def _fairness(kept: Records) -> None:
    ui.heading(
        "Are vulnerable borrowers contacted more?",
        "Attempts a month on a loan in collections, of borrowers known to be vulnerable and of"
        " others in the same stage and product, with 95 % interval of the ratio.",
    )
    found = kept.fairness
    st.markdown(sentences.fairness_sentence(found.ratio, found.low, found.high))
    if found.stages.height:
        st.dataframe(
            found.stages.select(
                pl.col("stage").replace(sentences.STAGES).alias("Stage"),
                pl.col("loans").alias("Vulnerable: loan-months"),
                pl.col("attempts_each").alias("Attempts each"),
                pl.col("others_each").alias("Others"),
                pl.col("ratio").alias("Times"),
                pl.col("low").alias("From"),
                pl.col("high").alias("To"),
            ),
            hide_index=True,
            placeholder=words.MISSING,
            alt="Contact intensity of vulnerable borrowers",
            column_config={
                name: st.column_config.NumberColumn(format="%.2f")
                for name in ("Attempts each", "Others", "Times", "From", "To")
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
        + "Attempts left on loans with an open case; what was attempted that day is taken off.",
    )
    if rows.is_empty():
        st.caption("The packs in use cap no number of attempts.")
        return
    st.dataframe(
        sentences.capacity_rows(rows),
        hide_index=True,
        placeholder=words.MISSING,
        alt="Attempts that the rules still allow",
    )


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
            st.dataframe(
                pl.DataFrame(
                    {
                        "Rule": [sentences.rule_name(rule.id) for rule in pack.rules],
                        "What it says": [rule.sentence for rule in pack.rules],
                        "In force since": [rule.valid_from for rule in pack.rules],
                        "Source": [rule.source for rule in pack.rules],
                        "Checked": [
                            "in the log" if rule.is_replayed else "as records, or not at all"
                            for rule in pack.rules
                        ],
                    }
                ),
                hide_index=True,
                alt=f"Rules of {pack.id}",
                column_config={
                    "In force since": st.column_config.DateColumn(format="D MMM YYYY", width=105)
                },
            )
            st.code(pack.text, language="toml")
