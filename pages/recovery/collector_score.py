"""Collectors, everything taken together; and whether tenure and training make them better."""

import polars as pl
import streamlit as st

import ui
from analytics.composite import WEIGHTS, check_weights, composite_score
from analytics.tenure import tenure_effects, training_effect
from analytics.vetoes import veto_ledger, vetoed
from charts import format as words
from charts import intervals
from charts import recovery_sentences as sentences
from charts.veto_sentences import veto_sentences
from figures.collector_conduct import conduct
from figures.collector_work import scores, work
from figures.collectors import Choice, Learning, comparison
from pages.recovery.collector_tables import table_height

PARTS = {
    "recovery": "Recovery",
    "promises_kept": "Promises kept",
    "first_contact": "First contact",
    "rule_breaches": "Rule breaches",
    "complaints": "Complaints",
}


def show_score(view: ui.View, choice: Choice) -> None:
    """The composite score, its weights and what is missing."""
    by_share = Choice(kind=choice.kind, outcome="resolved", stage=choice.stage)
    found = comparison(f"{view.key} {by_share!r}", by_share, view)
    done = work(f"{view.key} {choice!r}", choice, view)
    ui.heading(
        "Taking everything together",
        "Composite score: 50 is the average collector, 84 one standard deviation above, chance"
        " taken out. Recovery never weighs more than one half.",
    )
    weights, conducted = _weights(), conduct(view.key, view)
    key = f"{view.key} {by_share!r}"
    score = scores(key, tuple(weights.items()), found, done, conducted)
    st.markdown(
        " ".join(
            sentences.composite_sentences(score.weights, score.missing, score.is_held, score.reason)
        )
    )
    if score.reason is not None:
        return
    ranked = _set_aside(score.owners, conducted.aside)
    parts = [name for name in PARTS if name in ranked.columns]
    alike = [name for name in parts if ((ranked[name] - 50).abs() < 1e-9).all()]
    st.caption(f"{sentences.SCORE_NOTES} {sentences.level_sentence(alike)}")
    st.markdown(" ".join(veto_sentences(conducted.aside, conducted.ledger)))
    labels = {name: PARTS[name] for name in parts}
    has_veto = bool(conducted.aside.height)
    st.dataframe(
        ranked.select(
            pl.col("owner").alias("Name"),
            pl.col("score").alias("Score"),
            *([pl.col("score_without_veto").alias("Without the veto")] if has_veto else []),
            *[pl.col(name).alias(label) for name, label in labels.items()],
        ),
        hide_index=True,
        placeholder=words.MISSING,
        alt="Composite scores, highest first",
        height=table_height(ranked),
        column_config={
            "Score": st.column_config.ProgressColumn(format="%.0f", min_value=0, max_value=100),
            "Without the veto": st.column_config.NumberColumn(format="%.0f"),
            **{label: st.column_config.NumberColumn(format="%.0f") for label in labels.values()},
        },
    )
    ui.evidence("composite_score", ranked, composite_score)
    if conducted.ledger.height:
        ui.evidence("vetoes", conducted.ledger, veto_ledger, vetoed, of="scores set aside")


def _set_aside(owners: pl.DataFrame, aside: pl.DataFrame) -> pl.DataFrame:
    """Scores, highest first; those set aside last, with what they would be without the veto."""
    names: list[str] = aside["collector_id"].to_list() if aside.height else []
    is_aside = pl.col("owner").is_in(names)
    return owners.with_columns(
        score=pl.when(~is_aside).then(pl.col("score")), score_without_veto=pl.col("score")
    ).sort("score", "owner", descending=[True, False], nulls_last=True)


def _weights() -> dict[str, float]:
    """The weights of the parts, in per cent; what cannot be used is refused beside the fields."""
    with st.expander("Weights", icon=":material/tune:", key="weights"):
        chosen = {
            name: float(
                column.number_input(
                    f"{label}, %",
                    min_value=0,
                    max_value=100,
                    value=round(100 * WEIGHTS[name]),
                    step=5,
                    key=f"weight_{name}",
                    bind="query-params",
                    persist_state="session",
                )
                or 0
            )
            for column, (name, label) in zip(st.columns(len(PARTS)), PARTS.items(), strict=True)
        }
        problem = check_weights(chosen)
        if problem:
            st.error(sentences.weight_refusal(problem), icon=":material/balance:")
            return dict(WEIGHTS)
        st.caption("In proportion: they need not add up to 100.")
    return chosen


def show_learning(found: Learning, choice: Choice) -> None:
    """Effects by tenure, and what training changed."""
    unit = "% of cash" if choice.is_money else "points"
    known = found.tenure.filter(pl.col("effect").is_not_null())
    ui.heading(
        "Tenure and training",
        f"Above or below the average collector on the same cases, {unit}, by time since hiring when"
        " the case was opened, with 95 % interval. Hollow: fewer than five collectors."
        if known.height > 1
        else "By time since hiring when the case was opened.",
    )
    if known.is_empty():
        st.caption("Days of hiring are not recorded, so there is no tenure to compare by.")
    elif known.height == 1:
        st.caption(
            f"All cases were opened by collectors of one band of tenure: {known['band'][0]}."
        )
    else:
        rows = known.select("is_small", "low", "high", name="band", value="effect", loans="cases")
        ui.chart(
            rows,
            intervals.dots(
                rows["name"].to_list(),
                alt="Effect by tenure.",
                unit="points",
                reference=0.0,
                from_zero=False,
                counted="Cases",
            ),
            key="tenure",
        )
    st.markdown(sentences.training_sentence(found, is_money=choice.is_money))
    ui.evidence(
        "tenure",
        found.tenure.select(
            "band", "collectors", "cases", difference="effect", low_difference="low",
            high_difference="high",
        ),
        tenure_effects,
        training_effect,
    )  # fmt: skip
