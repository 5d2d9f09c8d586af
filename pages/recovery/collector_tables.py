"""Tables and footnotes of the Collectors page."""

from collections.abc import Sequence
from typing import Any, Literal, NoReturn

import polars as pl
import streamlit as st

import ui
from charts import format as words
from charts import recovery_sentences as sentences
from charts.agency_sentences import agency_names
from figures.choices import of_the_book
from figures.collectors import Choice, Comparison
from queries import agencies
from queries import collectors as queries
from queries.cases import AMOUNT_BANDS
from queries.owner_cells import IN_HOUSE

NEXT = "next_collector"  # the collector that a click has chosen for the next run
TERMS = {
    "bucket": "Lateness at opening",
    "product": "Product",
    "grade": "Grade",
    "amount_band": "Placed amount",
    "region": "Region",
    "opened_month": "Month of opening",
}
NOTES = {
    "all_or_none": "All or none resolved: held back",
    "no_net_cash": "No net cash: held back",
    "nothing_to_compare": "Nothing to compare",
}


def go_to(collector_id: str) -> NoReturn:
    """Open a collector's own view."""
    st.session_state[NEXT] = collector_id
    st.session_state[_VISITS] = st.session_state.get(_VISITS, 0) + 1
    st.rerun()


def fresh(key: str) -> str:
    """A key that changes with every visit to a collector: a chart one comes back to must not
    repeat the click that led away."""
    return f"{key}_{st.session_state.get(_VISITS, 0)}"


_VISITS = "collectors_visited"


def tiles(figures: Sequence[tuple[str, str, str]], *, key: str) -> None:
    """Figures side by side, as many in a row as there is room for: label, value, what it is."""
    with st.container(horizontal=True, key=key):
        for label, value, help_text in figures:
            st.metric(label, words.plain(value), help=help_text, border=True, width=168)


def named_owners(view: ui.View, kind: str, owners: pl.DataFrame) -> pl.DataFrame:
    """The owners by the names that Agencies uses, where they are agencies."""
    if kind != "agency":
        return owners
    known = ui.load(of_the_book(view), agencies.partners)
    names = agency_names(known, owners["owner"].drop_nulls().to_list()) | {IN_HOUSE: "In-house"}
    return owners.with_columns(pl.col("owner").replace(names))


def table_height(table: pl.DataFrame) -> int | Literal["content"]:
    """All rows of a small table; of a large one ten, which scroll."""
    return "content" if table.height <= 15 else 360


def footnotes(found: Comparison, choice: Choice) -> None:
    """What the limits are made of, how far owners differ, and what is left out."""
    lines = []
    if found.funnel is not None:
        lines.append(sentences.funnel_sentence(found.funnel, kind=choice.kind))
    if found.found is not None and found.found.spread is not None:
        lines.append(
            sentences.spread_sentence(
                found.spread_low, found.spread_high, kind=choice.kind, is_money=choice.is_money
            )
        )
    immature = int(found.owners["immature_cases"].sum() or 0)
    if immature:
        lines.append(
            f"{sentences.cases_words(immature)} of these months are younger than 90 days and left"
            " out."
        )
    shared = int(found.owners["transferred"].sum() or 0)
    cases = int(found.owners["cases"].sum() or 0)
    if shared and cases:
        lines.append(
            f"{words.percent(shared / cases)} of the cases were transferred within 90 days; for"
            " the one who gave them away they count as not resolved."
        )
    if "is_fragile" in found.owners.columns:
        fragile = found.owners.filter("is_fragile")["owner"].to_list()
        if fragile:
            lines.append(
                f"Fragile: {words.listing([words.plain(name) for name in fragile[:5]])}"
                + (f" and {len(fragile) - 5} more" if len(fragile) > 5 else "")
                + ": the result hangs on a few large payments (it moves when no case counts for"
                " more than was placed on it)."
            )
    if found.aliased:
        lines.append(
            "Some kinds of case are worked by nobody else"
            f" ({words.listing([words.plain(name) for name in found.aliased[:4]])}): there the"
            " comparison rests on the model, not on like cases. Choose a stage to compare within."
        )
    st.caption(" ".join(lines))


def owners_table(found: Comparison, choice: Choice) -> None:
    """All owners, best first; a row of a collector opens its own view."""
    owners = found.owners
    unit = "%" if choice.is_money else "points"
    shown = owners.select(
        pl.col("rank").alias("Rank"),
        pl.col("owner").alias("Name"),
        *([pl.col("team").alias("Team")] if "team" in owners.columns else []),
        pl.col("cases").alias("Cases"),
        *_amounts(choice),
        pl.col("ratio").alias("Observed / expected"),
        *[
            ((pl.col(name) * 100).round(1) + 0.0).alias(title)  # + 0: never "-0"
            for name, title in _LIMITS.items()
        ],
        (pl.col("p_better") * 100).clip(1, 99).alias("Better than average, %"),
        pl.when("is_different").then(pl.lit("differs")).otherwise(pl.lit("")).alias("Beyond noise"),
        _notes(owners).alias("Note"),
    )
    if not shown["Note"].count():
        shown = shown.drop("Note")
    shown = shown.rename({_LIMITS["advantage"]: f"Above average, {unit}"})
    config: dict[str, Any] = {
        name: st.column_config.NumberColumn(format="%+.1f")
        for name in (f"Above average, {unit}", "Low", "High")
    } | {
        "Better than average, %": st.column_config.NumberColumn(format="%.0f"),
        "Observed / expected": st.column_config.NumberColumn(format="%.2f"),
        "Observed": st.column_config.NumberColumn(format="localized"),
        "Expected": st.column_config.NumberColumn(format="localized"),
        "Cases": st.column_config.NumberColumn(format="localized"),
    }
    options: dict[str, Any] = {}
    if choice.kind == "collector":
        options = {"on_select": "rerun", "selection_mode": "single-row"}
    event = st.dataframe(
        shown,
        hide_index=True,
        placeholder=words.MISSING,
        alt="Owners compared on the same cases, best first",
        height=table_height(shown),
        column_config=config,
        key=fresh("owners_table"),
        **options,
    )
    if options and (rows := event["selection"]["rows"]):
        go_to(shown["Name"][rows[0]])


_LIMITS = {"advantage": "Above average", "advantage_low": "Low", "advantage_high": "High"}


def _amounts(choice: Choice) -> list[pl.Expr]:
    """What was observed and what the average owner would have reached."""
    if choice.is_money:
        return [
            (pl.col("observed") / 100).round().cast(pl.Int64).alias("Observed"),
            (pl.col("average_expected") / 100).round().cast(pl.Int64).alias("Expected"),
        ]
    return [
        pl.col("observed").cast(pl.Int64).alias("Observed"),
        pl.col("average_expected").round(1).alias("Expected"),
    ]


def _notes(owners: pl.DataFrame) -> pl.Expr:
    note = pl.col("reason").replace(NOTES)
    if "is_fragile" in owners.columns:
        note = pl.when("is_fragile").then(pl.lit("Fragile: few large payments")).otherwise(note)
    return pl.when(note.is_null() & pl.col("is_small")).then(pl.lit("Few cases")).otherwise(note)


def evidence_frame(found: Comparison, choice: Choice) -> pl.DataFrame:
    """The comparison as a reader takes it away."""
    money = choice.is_money
    value = {name: pl.col(f"advantage{end}") for name, end in _ENDS[money].items()}
    amounts = (
        {"observed_cents": pl.col("observed"), "expected_cents": pl.col("average_expected")}
        if money
        else {"resolved": pl.col("observed"), "expected": pl.col("average_expected")}
    )
    return found.owners.select(
        "owner", "cases", **amounts, ratio=pl.col("ratio"), **value,
        better_probability=pl.col("p_better"), p=pl.col("p_value"), is_different="is_different",
        log_effect=pl.col("effect").round(4), log_effect_se=pl.col("se").round(4), reason="reason",
    )  # fmt: skip


_ENDS = {
    False: {"difference": "", "low_difference": "_low", "high_difference": "_high"},
    True: {"above_average_share": "", "low": "_low", "high": "_high"},
}


def model_notes(view: ui.View, found: Comparison, choice: Choice) -> None:
    """What the expectation is made of, on which cases, and when it was fitted."""
    model = found.model
    if not model or model.get("fitted_at") is None:
        return
    ui.heading(
        "What is expected of a case",
        f"Fitted {words.moment(model['fitted_at'])} UTC on"
        f" {sentences.cases_words(model['cases'])} opened {words.month(model['first_month'])} to"
        f" {words.month(model['last_month'])}, all of them 90 days old; adjusted for lateness at"
        " opening, product, grade, placed amount, region and month. What is not recorded is not"
        " adjusted for.",
    )
    kinds = ui.load(
        of_the_book(view), queries.coefficients, kind=choice.kind, outcome=choice.outcome
    )
    unit = "Cash, times" if choice.is_money else "Odds, times"
    st.dataframe(
        _in_order(view, kinds).select(
            pl.col("term").replace(TERMS).alias("Of a case"),
            pl.col("level").alias("Level"),
            pl.col("cases").alias("Cases"),
            pl.when(pl.col("reason").is_null() | (pl.col("reason") == "reference"))
            .then(pl.col("coefficient").exp())
            .alias(unit),
            pl.when(pl.col("reason") == "reference")
            .then(pl.lit("compared with this"))
            .otherwise(pl.col("reason").str.replace_all("_", " "))
            .alias("Note"),
        ),
        hide_index=True,
        placeholder=words.MISSING,
        alt="What each kind of case does to the outcome",
        height=280,
        column_config={
            unit: st.column_config.NumberColumn(format="%.2f"),
            "Cases": st.column_config.NumberColumn(format="localized"),
        },
    )
    ui.evidence("case_mix", kinds, of="what each kind of case does")


def _in_order(view: ui.View, kinds: pl.DataFrame) -> pl.DataFrame:
    """Kinds of case as one would list them: lateness upwards, amounts from small to huge."""
    terms, levels = list(TERMS), [*view.book.buckets, *AMOUNT_BANDS]
    place = {
        name: pl.col(name).replace_strict(codes, range(len(codes)), default=len(codes))
        for name, codes in (("term", terms), ("level", levels))
    }
    known = kinds.filter(pl.col("term") != "opened_month")
    return known.sort(place["term"], place["level"], "level", nulls_last=True)
