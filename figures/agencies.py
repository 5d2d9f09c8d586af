"""What the Agencies page shows, made once for each choice."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
import streamlit as st

import ui
from analytics.agencies import (
    IN_HOUSE,
    agency_results,
    batches,
    commissions_due,
    complete_steps,
    pooled_curve,
    resolved_results,
)
from analytics.owners import choice_effects
from analytics.recovery import cohort_recovery, liquidation_curves
from charts.agency_sentences import agency_names
from figures.choices import of_all_segments, of_the_book
from queries import agencies

LAST_STEP = 11  # a year in steps of 30 days


@dataclass(frozen=True)
class Figures:
    """Everything on the page, made once for each choice.

    `results`: agencies and in-house in money, `resolved` in resolved share; both empty, and
    `reason` says why, where nobody can be compared.  `stages`: those in which agencies hold cases.
    """

    names: dict[str, str]
    partners: pl.DataFrame
    checks: pl.DataFrame
    volumes: pl.DataFrame
    stages: tuple[str, ...]
    results: pl.DataFrame
    resolved: pl.DataFrame
    reason: str | None
    models: pl.DataFrame
    curves: dict[str, pl.DataFrame]
    pooled: dict[str, pl.DataFrame]
    batches: dict[str, pl.DataFrame]
    placed: dict[str, pl.DataFrame]
    commissions: pl.DataFrame
    spending: pl.DataFrame


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def figures(key: str, _view: ui.View) -> Figures | None:
    """The figures of a choice; None where no case was given to an agency in it."""
    view = _view
    cases = ui.ask(view, agencies.agency_cases)
    held = cases.filter(pl.col("agency_id").is_not_null())
    if held.is_empty():
        return None
    partners = ui.ask(of_the_book(view), agencies.partners)
    names = agency_names(partners, held["agency_id"].unique().sort().to_list())
    stages = tuple(sorted(held["stage"].unique()))
    models = ui.ask(of_the_book(view), agencies.agency_models)
    expected = ui.ask(view, agencies.agency_expected)
    rates = {
        row["agency_id"]: row["commission_rate"]
        for row in partners.select("agency_id", "commission_rate").iter_rows(named=True)
    }
    results, resolved, reason = _compared(
        view, expected.filter(pl.col("stage").is_in(stages)), held, rates, models
    )
    curves = _curves(view)
    return Figures(
        names=names,
        partners=partners,
        checks=ui.ask(of_all_segments(view), agencies.partner_checks),
        volumes=_volumes(held),
        stages=stages,
        results=results,
        resolved=resolved,
        reason=reason,
        models=models,
        curves=curves,
        pooled={agency: pooled_curve(curve) for agency, curve in curves.items()},
        batches=_batches(expected, held),
        placed={
            agency: held.filter(agency_id=agency)
            .group_by(placed_month="opened_month")
            .agg(cases=pl.col("opened_cases").sum())
            for agency in names
        },
        commissions=commissions_due(ui.ask(view, agencies.agency_cash), partners),
        spending=ui.ask(of_all_segments(view), agencies.agency_spending),
    )


def _compared(
    view: ui.View,
    expected: pl.DataFrame,
    held: pl.DataFrame,
    rates: dict[str, float | None],
    models: pl.DataFrame,
) -> tuple[pl.DataFrame, pl.DataFrame, str | None]:
    """Agencies and in-house on like cases: in money, and in resolved share."""
    nothing = pl.DataFrame()
    placed = int(held["placed_cents"].sum())
    if not held["cases"].sum():
        return nothing, nothing, "all_immature"
    if expected.is_empty() or placed <= 0:
        said = models.filter(outcome="cash")["reason"]
        return nothing, nothing, (said[0] if said.len() and said[0] else "no_model")
    whole, effects = (
        ui.ask(of_the_book(view), agencies.agency_whole),
        ui.ask(of_the_book(view), agencies.agency_effects),
    )

    def of(outcome: str) -> pl.DataFrame:
        sums = (
            expected.filter(outcome=outcome)
            .group_by("owner", maintain_order=True)
            .agg(pl.col(agencies.EXPECTED).sum())
        )
        found = choice_effects(
            sums,
            whole.filter(outcome=outcome),
            effects.filter(outcome=outcome),
            owner="owner",
            is_money=outcome != "resolved",
        )
        return found.with_columns(
            is_in_house=pl.col("owner") == IN_HOUSE,
            commission_rate=pl.Series(
                [0.0 if who == IN_HOUSE else rates.get(who) for who in found["owner"]],
                dtype=pl.Float64,
            ),
        )

    money, shrunk = agency_results(of("cash"), placed_cents=placed)
    if shrunk.reason:
        return nothing, nothing, shrunk.reason
    clipped = of("clipped").select("owner", clipped_effect="effect", clipped_se="se")
    apart = (pl.col("effect") - pl.col("clipped_effect")).abs()
    money = money.join(clipped, on="owner", how="left").with_columns(
        is_fragile=(apart > pl.col("clipped_se")).fill_null(value=False)
    )
    resolved, _ = resolved_results(of("resolved"))
    return money, resolved, None


def _volumes(held: pl.DataFrame) -> pl.DataFrame:
    """What each agency was given, and the raw cash on it: volumes, no ranking."""
    names = ("opened_cases", "opened_cents", "transferred", "resolved")
    placed = held.group_by("agency_id").agg(pl.col(names).sum())
    need = ("placed_squares", "cash_squares", "cash_placed")
    raw = cohort_recovery(held.with_columns(pl.col(need).fill_null(0.0)), by=["agency_id"])
    return placed.join(
        raw.select("agency_id", "cases", "placed_cents", "cash_cents", "rate", "immature_cases"),
        on="agency_id",
    ).sort("agency_id")


def _curves(view: ui.View) -> dict[str, pl.DataFrame]:
    """Liquidation curves of each agency, by placement month, whole steps only."""
    placed = complete_steps(ui.ask(view, agencies.agency_placements), last_day=view.book.as_of)
    placed = placed.filter(pl.col("placed_cents") > 0).with_columns(
        pl.col("complete_to").clip(upper_bound=LAST_STEP)
    )
    cash = ui.ask(view, agencies.agency_liquidation)
    found = {}
    for (agency,), months in placed.group_by("agency_id", maintain_order=True):
        own = cash.filter(agency_id=agency).join(months, on="placed_month", how="semi")
        found[str(agency)] = liquidation_curves(own, months)
    return dict(sorted(found.items()))


def _batches(expected: pl.DataFrame, held: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Each agency's placement months: collected within 90 days, and what anybody would have."""
    sums = ("observed", "average_expected", "average_variance")
    by_month = (
        expected.filter(outcome="cash")
        .group_by("owner", placed_month="opened_month")
        .agg(pl.col(sums).sum())
    )
    placed = held.group_by("agency_id", placed_month="opened_month").agg(
        pl.col("cases", "placed_cents", "immature_cases").sum()
    )
    return {
        agency: batches(
            by_month.filter(owner=agency).drop("owner"),
            placed.filter(agency_id=agency).drop("agency_id"),
        )
        for agency in placed["agency_id"].unique()
    }
