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
from queries.owner_cells import EXPECTED

LAST_STEP = 11  # a year in steps of 30 days


@dataclass(frozen=True)
class Figures:
    """Everything on the page, made once for each choice.

    `results`: agencies and in-house in money, `resolved` in resolved share; both empty, and
    `reason` says why, where nobody can be compared.  `stages`: those in which agencies hold cases;
    `followed`: agencies with placements, whose months are in `batches_of`.
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
    followed: frozenset[str]
    placed: dict[str, pl.DataFrame]
    commissions: pl.DataFrame
    spending: pl.DataFrame


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def figures(key: str, _view: ui.View) -> Figures | None:
    """The figures of a choice; None where no case was given to an agency in it."""
    view = _view
    held = ui.load(view, agencies.agency_cases)
    if held.is_empty():
        return None
    partners = ui.load(of_the_book(view), agencies.partners)
    names = agency_names(partners, held["agency_id"].unique().sort().to_list())
    stages = tuple(sorted(held["stage"].unique()))
    models = ui.load(of_the_book(view), agencies.agency_models)
    expected = ui.load(view, agencies.agency_expected)
    rates = {
        row["agency_id"]: row["commission_rate"]
        for row in partners.select("agency_id", "commission_rate").iter_rows(named=True)
    }
    results, resolved, reason = _compared(
        view, expected.filter(pl.col("stage").is_in(stages)), held, rates, models
    )
    return Figures(
        names=names,
        partners=partners,
        checks=ui.load(of_all_segments(view), agencies.partner_checks),
        volumes=_volumes(held),
        stages=stages,
        results=results,
        resolved=resolved,
        reason=reason,
        models=models,
        followed=frozenset(_placements(view)["agency_id"]),
        placed=_placed(held),
        commissions=commissions_due(ui.load(view, agencies.agency_cash), partners),
        spending=ui.load(of_all_segments(view), agencies.agency_spending),
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
        ui.load(of_the_book(view), agencies.agency_whole),
        ui.load(of_the_book(view), agencies.agency_effects),
    )

    def of(outcome: str) -> pl.DataFrame:
        sums = (
            expected.filter(outcome=outcome)
            .group_by("owner", maintain_order=True)
            .agg(pl.col(EXPECTED).sum())
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


def money_table(results: pl.DataFrame, names: dict[str, str]) -> pl.DataFrame:
    """The comparison in money as a reader takes it away: parties by name, what is in cents and
    what is on the scale of logarithms said in the name of the column."""
    if results.is_empty():
        return results
    return (
        results.drop("variance", "average_variance", strict=False)
        .with_columns(pl.col("owner").replace(names))
        .rename({old: new for old, new in _TAKEN_AWAY.items() if old in results.columns})
    )


_TAKEN_AWAY = {
    "observed": "observed_cents",
    "expected": "expected_cents",
    "average_expected": "average_expected_cents",
    "effect": "log_ratio",
    "se": "log_ratio_se",
    "clipped_effect": "clipped_log_ratio",
    "clipped_se": "clipped_log_ratio_se",
}


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


def _placed(held: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Each agency's cases by the month in which they were placed."""
    months = held.group_by("agency_id", placed_month="opened_month").agg(
        cases=pl.col("opened_cases").sum()
    )
    parts = months.partition_by("agency_id", as_dict=True, include_key=False)
    return {str(agency): part for (agency,), part in parts.items()}


@dataclass(frozen=True)
class Batches:
    """One agency's placement months: how they pay down (`curve`, all `pooled`), and within 90 days
    what was collected and what anybody would have (`totals`), at its `commission_rate`."""

    curve: pl.DataFrame
    pooled: pl.DataFrame
    totals: pl.DataFrame
    commission_rate: float | None


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def batches_of(key: str, agency: str, _view: ui.View) -> Batches:
    """Cached by the view's key and the agency."""
    months = _placements(_view).filter(agency_id=agency)
    cash = ui.load(_view, agencies.agency_liquidation).filter(agency_id=agency)
    curve = liquidation_curves(cash.join(months, on="placed_month", how="semi"), months)
    partners = ui.load(of_the_book(_view), agencies.partners).filter(agency_id=agency)
    rate = partners["commission_rate"][0] if partners.height else None
    return Batches(curve, pooled_curve(curve), _totals(_view, agency, rate), rate)


def batch_course(batch: pl.DataFrame) -> pl.DataFrame:
    """The batches as lines through the months: `net` with its band where a commission is known,
    else `own`; and what was `expected`."""
    nothing = pl.lit(None, pl.Float64)
    has_net = batch["net"].count() > 0
    ends: dict[str, list[str]] = {"expected": ["expected_rate"]}
    if has_net:
        ends |= {"net": ["net", "net_low", "net_high"], "own": ["rate"]}
    else:
        ends["own"] = ["rate", "low", "high"]
    return pl.concat(
        batch.select(
            month="placed_month",
            series=pl.lit(series),
            value=names[0],
            low=pl.col(names[1]) if names[1:] else nothing,
            high=pl.col(names[2]) if names[1:] else nothing,
        )
        for series, names in ends.items()
    )


def _placements(view: ui.View) -> pl.DataFrame:
    """Placement months of agencies, with the whole steps that are known of each."""
    placed = complete_steps(ui.load(view, agencies.agency_placements), last_day=view.book.as_of)
    return placed.filter(pl.col("placed_cents") > 0).with_columns(
        pl.col("complete_to").clip(upper_bound=LAST_STEP)
    )


def _totals(view: ui.View, agency: str, commission_rate: float | None) -> pl.DataFrame:
    """An agency's placement months: collected within 90 days, net, and what anybody would have."""
    sums = ("observed", "average_expected", "average_variance")
    expected = ui.load(view, agencies.agency_expected).filter(outcome="cash", owner=agency)
    held = ui.load(view, agencies.agency_cases).filter(agency_id=agency)
    return batches(
        expected.group_by(placed_month="opened_month").agg(pl.col(sums).sum()),
        held.group_by(placed_month="opened_month").agg(
            pl.col("cases", "placed_cents", "immature_cases").sum()
        ),
        commission_rate=commission_rate,
    )
