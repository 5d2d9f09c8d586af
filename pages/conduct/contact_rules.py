"""Contact rules: what would an auditor find?"""

import polars as pl
import streamlit as st

import ui
from analytics.breach_rates import breach_rates, breach_trend
from charts import curves, intervals, rule_hours
from charts import format as words
from charts import rule_sentences as sentences
from charts.palette import NOISE, SERIES
from charts.sentences import plural
from figures.contact_rules import (
    DIMENSIONS,
    Choice,
    by_dimension,
    figures,
    records,
    rules_in_use,
)
from pages.conduct import rule_evidence, rule_records
from queries import conduct
from queries.conduct import BREACH, NEAR_MISS
from ui.conduct_report import report_buttons

KINDS = {"Breaches": BREACH, "Near misses": NEAR_MISS}
ALL = "All rules"
MOST_BARS = 25
WEEKDAY = pl.col("weekday").replace_strict(
    dict(enumerate(rule_hours.WEEKDAYS, start=1)), return_dtype=pl.String
)


def _tiles() -> None:
    near = int(found.rules["near_misses"].sum())
    told = kept.whole
    figures_ = (
        ("Breaches", words.number(int(found.rules["breaches"].sum())), "of these rules", "A contact"
         " that breaks two rules counts twice."),
        ("Near misses", words.number(near), "one step away", sentences.NEAR),
        ("Attempts", words.number(found.whole["attempts"]),
         sentences.in_force_words(is_early=choice.is_early), "Outbound contacts of these months"
         + ("." if choice.is_early else ", on days on which a rule was in force.")),
        ("Calls recorded", words.percent(told["recorded"] / told["connected"])
         if told["connected"] else words.MISSING, "of those that connect",
         "Connected calls whose recording is kept, over all connected calls."),
        ("Complete", words.percent(told["complete"] / told["attempts"])
         if told["attempts"] else words.MISSING, "of all attempts",
         "With contact point, case (where the loan had one open) and (connected calls) duration;"
         " and, where somebody called or went, with the collector."),
    )  # fmt: skip
    with st.container(horizontal=True, key="tiles"):
        for label, value, note, help in figures_:
            st.metric(
                label, words.plain(value), None, delta_description=words.plain(note), border=True,
                width=170, help=help,
            )  # fmt: skip


def _trend_chart() -> None:
    points, centre = found.trend.points, found.trend.centre
    ui.heading(
        f"{kind_label} per 1,000 attempts by month",
        f"The last {plural(points.height, 'month')} judged. Band: where months usually lie."
        f" {sentences.trend_words(points, found.trend.reason)}"
        if points.height
        else "No month is judged.",
    )
    if points.is_empty():
        st.caption("No attempt was made on a day on which these rules were in force.")
        return
    nothing = pl.lit(None, pl.Float64)
    own = points.select("month", "low", "high", series=pl.lit("own"), value="rate")
    usual = points.select(
        "month", low=nothing, high=nothing, series=pl.lit("usual"), value=pl.lit(centre, pl.Float64)
    )
    course = pl.concat([own, usual.select(own.columns)])
    ui.chart(
        course,
        curves.lines(
            course,
            {"own": SERIES, "usual": NOISE},
            alt=f"{kind_label} per 1,000 attempts by month.",
            unit="rate",
            labels={"own": kind_label, "usual": "Usual"},
            with_band=True,
        ),
        key="breach_trend",
    )


def _rule_table() -> None:
    ui.heading(
        "By rule",
        sentences.by_rule_words(kind_label, len(choice.rules), is_early=choice.is_early),
    )
    if found.whole["breaches"]:
        st.markdown(sentences.consent_words(found.consent, kind=choice.kind))
    told = {(rule.pack, rule.id): rule for rule in choice.rules}
    own = [told[key] for key in found.rules.select("pack", "rule").iter_rows()]
    st.dataframe(
        found.rules.select(
            pl.Series("Rule", [sentences.rule_name(rule.id) for rule in own]),
            pl.col("breaches").alias("Breaches"),
            pl.col("near_misses").alias("Near misses"),
            pl.col("rate").alias("Per 1,000"),
            pl.col("low").alias("From"),
            pl.col("high").alias("To"),
            pl.Series("In force since", [rule.valid_from for rule in own]),
        ),
        hide_index=True,
        placeholder=words.MISSING,
        alt="Breaches and near misses by rule",
        column_config={
            name: st.column_config.NumberColumn(format="%.2f", width=70)
            for name in ("Per 1,000", "From", "To")
        }
        | {
            "Rule": st.column_config.TextColumn(width=150),
            "Breaches": st.column_config.NumberColumn(format="localized", width=75),
            "Near misses": st.column_config.NumberColumn(format="localized", width=88),
            "In force since": st.column_config.DateColumn(format="D MMM YYYY", width=100),
        },
    )


def _dimension_chart(by: str, label: str) -> pl.DataFrame:
    rates = by_dimension(f"{view.key} {choice}", by, choice, view)
    ui.heading(
        f"{kind_label} by {label.lower()}",
        "Per 1,000 attempts, with 95 % interval; the surely highest first. The line is all"
        " together. Hollow: fewer than 30 attempts.",
    )
    shown = rates.filter(pl.col("rate").is_not_null())
    if shown.is_empty():
        st.caption("No attempt was made on a day on which these rules were in force.")
        return rates
    top = shown.head(MOST_BARS)
    ui.chart(
        top.select("name", "low", "high", "is_small", value="rate", loans="attempts"),
        intervals.dots(
            top["name"].to_list(),
            alt=f"{kind_label} per 1,000 attempts by {label.lower()}, with intervals.",
            unit="rate",
            reference=found.whole["rate"],
            counted="Attempts",
        ),
        key="breaches_by",
    )
    if shown.height > top.height:
        st.caption(f"The {MOST_BARS} highest of {words.number(shown.height)}; all in the data.")
    return rates


def _hours_chart() -> None:
    ui.heading(
        f"{kind_label} by weekday and hour",
        "Counted by the contact’s own time, as recorded. A cell without a number: attempts, but"
        f" no {kind_label.lower()}. No cell: no attempts.",
    )
    rows = found.hours
    if rows.is_empty():
        st.caption("No attempt was made on a day on which these rules were in force.")
        return
    per = [sentences.rate_words(row) for row in rows.iter_rows(named=True)]
    ui.chart(
        rows.select(
            "hour", "attempts",
            day=WEEKDAY,
            contacts="breaches", per_text=pl.Series(per),
        ),
        rule_hours.by_hour(
            rows["hour"].to_list(), alt=f"{kind_label} by weekday and hour.", noun=kind_label
        ),
        key="breach_hours",
    )  # fmt: skip


view = ui.open_conduct_page(
    "Contact rules",
    "What would an auditor find in the contact log?",
    shows="which contacts broke a rule, how near others came, and how complete the records are",
    needs=("contacts",),
)
if not conduct.is_there(view.marts):
    st.info(
        "The published marts are older than this page. Run `python -m warehouse refresh`.",
        icon=":material/update:",
    )
    st.stop()
packs, rules = rules_in_use(view)
for note in ui.load(view, conduct.notes).iter_rows(named=True):
    where = f"{sentences.rule_name(note['rule'])}: " if note["rule"] else ""
    st.warning(words.plain(where + note["note"]), icon=":material/gavel:")
if not rules:
    st.info("No rule of the packs in use is about single contacts; they are about records.")
    rule_records.show(view, packs, records(view.key, view))
    rule_records.pack_texts(packs)
    st.stop()

with st.container(horizontal=True, key="rule_choices"):
    labels = sentences.rule_labels([(rule.pack, rule.id) for rule in rules])
    by_label = {ALL: rules} | {name: (rule,) for name, rule in zip(labels, rules, strict=True)}
    picked = by_label[ui.pick("Rule", tuple(by_label), key="rule")]
    kind_label = ui.segmented("Show", tuple(KINDS), key="breach_kind")
    is_early = st.toggle(
        "Judge days before a rule was in force too",
        key="early_days",
        bind="query-params",
        persist_state="session",
        help="As if the rules had always been in force. Such contacts are no breaches in law.",
    )
choice = Choice(tuple(picked), KINDS[kind_label], is_early)
found = figures(f"{view.key} {choice}", choice, view)
kept = records(view.key, view)

# --- the answer and the picture ------------------------------------------------------------
ui.say(sentences.answer(found.whole, found.rules, kind=choice.kind))
st.caption(sentences.LEGAL)
if choice.since and (early := sentences.early_words(choice.since, view.chosen.months()[0])):
    st.caption(early)
report_buttons(view, view.chosen.as_of)
left, right = st.columns([3, 2], gap="medium")
with left:
    _trend_chart()
with right:
    _tiles()
ui.evidence(
    "breach_trend",
    rule_records.per_thousand(found.trend.points, choice.kind),
    breach_trend,
    of="the trend",
)
_rule_table()
left, right = st.columns(2, gap="medium")
with left:
    label = ui.pick("By", tuple(DIMENSIONS), key="breaches_by_choice")
    rates = _dimension_chart(DIMENSIONS[label], label)
with right:
    _hours_chart()
named = rates.select("name", pl.exclude("name", DIMENSIONS[label]))
ui.evidence(
    "breaches_by",
    rule_records.per_thousand(named, choice.kind),
    breach_rates,
    of=f"by {label.lower()}",
)
ui.evidence(
    "breaches_by_hour",
    rule_records.per_thousand(found.hours.with_columns(weekday=WEEKDAY), choice.kind),
    breach_rates,
    of="by hour",
)

rule_evidence.show(view, choice, DIMENSIONS[label], label, rates)
rule_records.show(view, packs, kept)
rule_records.listings(view, choice, found)
rule_records.pack_texts(packs)
