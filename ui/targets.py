"""Targets on a page: read them, say where they come from, let a reader change them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import streamlit as st

from appdata.database import AppDatabaseUnavailable
from appdata.targets import (
    METRICS,
    ScopeKind,
    Target,
    TargetRefused,
    Targets,
    current_targets,
    set_target,
    target_history,
)
from charts import format as words
from charts import target_sentences as sentences
from charts.recovery_page_sentences import within_words

LOCAL = "local"
_SAID = "target_said"


def signed_in() -> str | None:
    """Who is at the screen: the signed-in user, `local` where the server has no login.

    None where the server has a login and nobody is signed in.
    """
    user = st.user.to_dict()
    if "is_logged_in" not in user:
        return LOCAL
    if not user["is_logged_in"]:
        return None
    return str(user.get("email") or user.get("name") or user.get("sub") or "signed in")


def read_targets() -> Targets:
    """The targets that count now; the documents' own, and a sentence, where they cannot be read."""
    try:
        return current_targets()
    except AppDatabaseUnavailable as error:
        st.warning(
            f"{error} The targets below are those that the product comes with;"
            " what was set here before is not shown.",
            icon=":material/database_off:",
        )
        return Targets()


@st.fragment
def edit_targets(
    labels: Mapping[str, str], teams: Mapping[str, Sequence[str]], targets: Targets
) -> None:
    """A form for one target: of the book, a team or a collector; it is kept with who and when.

    `labels`: the metrics in words; `teams`: the collectors of each team.
    """
    if said := st.session_state.pop(_SAID, None):
        st.success(said, icon=":material/check:")
    by = signed_in()
    if by is None:
        st.info("Sign in to change a target.", icon=":material/lock:")
        return
    scopes: dict[str, tuple[ScopeKind, str]] = {"The book": ("book", "")}
    scopes |= {f"Team {team}": ("team", team) for team in teams}
    scopes |= {
        f"Collector {one} ({team})": ("collector", one)
        for team, members in teams.items()
        for one in members
    }
    with st.container(horizontal=True, vertical_alignment="bottom", key="target_editor"):
        metric = st.selectbox(
            "Target", list(labels), format_func=labels.__getitem__, key="target_metric", width=330
        )
        scope = st.selectbox("For", list(scopes), key="target_scope", width=230)
        kind, name = scopes.get(scope, ("book", ""))
        own = targets.row(metric, kind, name)
        share = METRICS[metric].is_share
        counts = _counts(targets, metric, kind, name, teams)
        value = st.number_input(
            "Value, %" if share else "Value, working days",
            value=counts * (100 if share else 1),
            step=1.0 if share else 0.5,
            format="%.1f",
            key=f"target_value {metric} {scope} {counts}",  # a new field when what counts changes
            width=160,
        )
        save = st.button("Save", key="target_save")
        erase = st.button("Take back", key="target_erase", disabled=own is None)
    st.caption(_source(own, kind))
    if save or erase:
        wanted = None if erase or value is None else value / (100 if share else 1)
        if save and value is None:
            st.error("Write a value first.", icon=":material/error:")
        else:
            _keep(metric, kind, name, wanted, by=by, subject=f"{labels[metric]}: {scope}")


def _keep(
    metric: str, kind: ScopeKind, name: str, value: float | None, *, by: str, subject: str
) -> None:
    try:
        row = set_target(metric, kind, name, value, by=by)
    except TargetRefused as error:
        st.error(f"{error} Nothing was saved.", icon=":material/error:")
        return
    except AppDatabaseUnavailable as error:
        st.error(f"{error} Nothing was saved.", icon=":material/database_off:")
        return
    done = "taken back" if value is None else f"saved as {value_words(metric, value)}"
    st.session_state[_SAID] = (
        f"{words.plain(subject)}: {done} by {words.plain(row.set_by)},"
        f" {words.moment(row.set_at)} UTC."
    )
    st.rerun()


def _counts(
    targets: Targets, metric: str, kind: ScopeKind, name: str, teams: Mapping[str, Sequence[str]]
) -> float:
    """The value that counts now for a scope, its own or inherited."""
    if kind == "book":
        return targets.for_book(metric)
    if kind == "team":
        return targets.for_team(metric, name)
    team = next((team for team, members in teams.items() if name in members), None)
    return targets.for_collector(metric, name, team)


def _source(own: Target | None, kind: ScopeKind) -> str:
    if own is not None:
        return f"Set by {words.plain(own.set_by)}, {words.moment(own.set_at)} UTC."
    return {
        "book": "Nobody has changed it: this is the value that the product comes with.",
        "team": "This team has no target of its own: the book's counts.",
        "collector": "This collector has no target of their own: the team's or the book's counts.",
    }[kind]


def value_words(metric: str, value: float | None) -> str:
    """A target's value with its unit: 85.0 %, 3.0 days."""
    if value is None:
        return words.MISSING
    if METRICS[metric].is_share:
        return words.percent(value)
    return f"{words.number(value, decimals=1)} days"


def target_tile(metric: str, row: Mapping[str, Any], course: pl.DataFrame) -> None:
    """A recovery target as a headline figure: what is judged, its target, whether it is met."""
    stage, horizon = {"recovery_early": ("early", 30), "recovery_late": ("late", 180)}[metric]
    st.metric(
        within_words(stage, horizon),
        words.plain(words.percent(row["attained"])),
        sentences.target_words(row["target"]),
        delta_description=sentences.verdict_words(row),
        delta_color="gray",
        delta_arrow="off",
        chart_data=course["value"].drop_nulls().to_list() or None,
        border=True,
        width=270,
        help=words.plain(sentences.judged_words(row)),
    )


def target_table(rows: pl.DataFrame, labels: Mapping[str, str], *, alt: str) -> None:
    """Owners and their targets: attained so far, expected in the end, how likely it is met.

    Only what differs between the rows is shown of owner and target: a phone has no room.
    """
    shares = pl.col("metric").is_in([code for code, one in METRICS.items() if one.is_share])
    scaled = [
        pl.when(shares).then(pl.col(name) * 100).otherwise(pl.col(name)).alias(name)
        for name in ("target", "attained", "forecast", "low", "high")
    ]
    shown = (
        rows.with_columns(*scaled, probability=_chance(rows) * 100)
        .sort(
            pl.col("metric").replace_strict(list(METRICS), range(len(METRICS))),
            "probability",
            nulls_last=True,
        )
        .select(
            pl.col("owner").alias("Owner"),
            pl.col("metric").replace(dict(labels)).alias("Target"),
            pl.col("target").alias("Set to"),
            pl.col("attained").alias("Attained"),
            pl.col("probability").alias("Chance, %"),
            pl.col("forecast").alias("Expected"),
            pl.col("low").alias("From"),
            pl.col("high").alias("To"),
            pl.col("cases").alias("Cases"),
            pl.col("immature_cases").alias("Too young"),
        )
    )
    numbers = ("Set to", "Attained", "Chance, %", "Expected", "From", "To")
    one_owner = shown["Owner"].n_unique() == 1 and shown["Target"].n_unique() > 1
    config = {name: st.column_config.NumberColumn(name, format="%.1f") for name in numbers}
    config |= {
        name: st.column_config.NumberColumn(name, format="localized")
        for name in ("Cases", "Too young")
    }
    st.dataframe(
        shown,
        hide_index=True,
        placeholder=words.MISSING,
        alt=alt,
        column_config=config,
        column_order=[name for name in shown.columns if name != "Owner" or not one_owner],
        height="auto" if shown.height < 12 else 380,
    )


def _chance(rows: pl.DataFrame) -> pl.Expr:
    """A forecast is never certain; only what is decided is."""
    if "is_decided" not in rows.columns:
        return pl.col("probability").clip(0.001, 0.999)
    decided = pl.col("is_decided").fill_null(value=False)
    clipped = pl.col("probability").clip(0.001, 0.999)
    return pl.when(decided).then("probability").otherwise(clipped)


def target_changes(labels: Mapping[str, str]) -> None:
    """Every change of a target: who, when, what."""
    box = st.expander(
        "Who changed a target, and when",
        key="target_history",
        on_change="rerun",
        icon=":material/history:",
    )
    if not box.open:
        return
    with box:
        try:
            rows = target_history()
        except AppDatabaseUnavailable as error:
            st.caption(str(error))
            return
        if not rows:
            st.caption("Nobody has changed a target yet.")
            return
        frame = pl.DataFrame(
            {
                "When (UTC)": [row.set_at for row in rows],
                "Who": [row.set_by for row in rows],
                "Target": [labels.get(row.metric, row.metric) for row in rows],
                "For": [f"{row.scope_kind} {row.scope_id}".strip() for row in rows],
                "Value": [
                    "taken back" if row.value is None else value_words(row.metric, row.value)
                    for row in rows
                ],
            }
        )
        st.dataframe(frame, hide_index=True, alt="Changes of targets, newest first")
