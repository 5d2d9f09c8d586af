"""Contact rules: what would an auditor find?  Everything that the page shows, made once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
import streamlit as st

import ui
from analytics.breach_rates import BreachTrend, breach_rates, breach_trend
from analytics.contact_fairness import Fairness, contact_fairness
from charts import complaint_words as names
from charts.agency_sentences import agency_names
from charts.rule_record_sentences import capacity_parts
from figures.choices import of_the_book
from queries import agencies, conduct
from queries.conduct import BREACH, NEAR_MISS, ListedAgency, Pack, Rule
from queries.filters import months_before

TREND_MONTHS = 24
DIMENSIONS = {
    "Team": "team",
    "Collector": "collector_id",
    "Agency": "agency_id",
    "Channel": "channel",
    "Product": "product",
    "Region": "region",
}


@dataclass(frozen=True)
class Choice:
    """What the reader looks at: some rules, breaches or near misses, and whether days before a
    rule was in force are judged too."""

    rules: tuple[Rule, ...]
    kind: str = BREACH
    is_early: bool = False

    @property
    def since(self) -> date | None:
        """The first day that counts."""
        return None if self.is_early else min(rule.valid_from for rule in self.rules)


@dataclass(frozen=True)
class Figures:
    """One choice: in all, by rule, in the course of months, by hour, and the records' state.

    `rules`: pack, rule, breaches, near_misses, attempts, rate, low, high.
    """

    whole: dict[str, Any]
    rules: pl.DataFrame
    trend: BreachTrend
    hours: pl.DataFrame
    consent: dict[str | None, int]  # yes, no, or not recorded (None): contacts
    unlisted: pl.DataFrame


@dataclass(frozen=True)
class Records:
    """How attempts are recorded, who is contacted, and what is still allowed.

    `allowed`: of each cap its name, its rows by stage, and which loans it does not count.
    """

    coverage: pl.DataFrame
    whole: dict[str, Any]
    first_month: date | None
    months_missing: int
    fairness: Fairness
    capacity: pl.DataFrame
    allowed: list[tuple[str, pl.DataFrame, str]]


def rules_in_use(view: ui.View) -> tuple[tuple[Pack, ...], tuple[Rule, ...]]:
    """The packs of the refresh, and those of their rules that contacts can break."""
    packs = _packs(view.version, view)
    return packs, tuple(rule for pack in packs for rule in pack.rules if rule.is_replayed)


@st.cache_resource(max_entries=4, show_spinner=False)
def _packs(version: str, _view: ui.View) -> tuple[Pack, ...]:
    return conduct.packs(_view.marts)


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def figures(key: str, _choice: Choice, _view: ui.View) -> Figures:
    """Cached by `key`, which tells the view and the choice: rules are long to hash."""
    view, choice = _view, _choice
    by_rule = _by_rule(view, choice)
    first = max(months_before(view.chosen.as_of, TREND_MONTHS - 1), view.book.months[0])
    listed = [rule for rule in choice.rules if isinstance(rule.limit, ListedAgency)]
    return Figures(
        whole=_rates(view, choice, []).row(0, named=True),
        rules=by_rule,
        trend=_trend(view, choice, first),
        hours=_rates(view, choice, ["weekday", "hour"]),
        consent=_consent(view, choice),
        unlisted=_unlisted(view, listed, choice),
    )


def _rates(view: ui.View, choice: Choice, by: Sequence[str]) -> pl.DataFrame:
    options: dict[str, Any] = {"rules": choice.rules, "kind": choice.kind}
    options |= {"is_early": choice.is_early}
    broken = ui.load(view, conduct.breaches, by=by, **options)
    done = ui.load(view, conduct.attempts, by=by, since=choice.since)
    return breach_rates(broken, done, by=by, rules=len(choice.rules))


def _consent(view: ui.View, choice: Choice) -> dict[str | None, int]:
    options: dict[str, Any] = {"rules": choice.rules, "kind": choice.kind}
    rows = ui.load(view, conduct.breaches, by=["consent"], is_early=choice.is_early, **options)
    return dict(rows.select("consent", "contacts").iter_rows())


def _by_rule(view: ui.View, choice: Choice) -> pl.DataFrame:
    """Breaches, near misses and the rate of the kind chosen by rule, each over the attempts since
    its own first day."""
    keys = ["pack", "rule"]
    own = pl.DataFrame(
        [(rule.pack, rule.id, rule.valid_from) for rule in choice.rules],
        schema={"pack": pl.String, "rule": pl.String, "from": pl.Date},
        orient="row",
    )
    counts = ui.load(
        view, conduct.breaches, by=[*keys, "kind"], rules=choice.rules, kind=None,
        is_early=choice.is_early,
    )  # fmt: skip
    done = ui.load(view, conduct.attempts, by=["since"])
    in_force = True if choice.is_early else pl.col("since") >= pl.col("from")
    attempts = own.join(done, how="cross").filter(in_force).select(*keys, "attempts")
    empty = own.select(*keys, contacts=pl.lit(0, pl.Int64))
    rates = breach_rates(
        pl.concat([counts.filter(kind=choice.kind).select(empty.columns), empty]),
        pl.concat([attempts, empty.rename({"contacts": "attempts"})]),
        by=keys,
        rules=1,
    ).drop("breaches")
    table = own.select(keys).join(rates, on=keys, how="left", maintain_order="left")
    for kind, name in ((BREACH, "breaches"), (NEAR_MISS, "near_misses")):
        of_kind = counts.filter(kind=kind).select(*keys, pl.col("contacts").alias(name))
        table = table.join(of_kind, on=keys, how="left", maintain_order="left")
    return table.with_columns(pl.col("breaches", "near_misses").fill_null(0))


def _trend(view: ui.View, choice: Choice, first: date) -> BreachTrend:
    options: dict[str, Any] = {"rules": choice.rules, "kind": choice.kind, "first": first}
    broken = ui.load(view, conduct.breaches, by=["month"], is_early=choice.is_early, **options)
    done = ui.load(view, conduct.attempts, by=["month"], since=choice.since, first=first)
    return breach_trend(broken, done)


def _unlisted(view: ui.View, rules: list[Rule], choice: Choice) -> pl.DataFrame:
    """Contacts of agencies that were not on the list."""
    if not rules:
        return pl.DataFrame(schema={"agency_id": pl.String, "contacts": pl.Int64})
    found = ui.load(view, conduct.breaches, by=["agency_id"], rules=rules, is_early=choice.is_early)
    return found.sort("contacts", descending=True)


@st.cache_resource(max_entries=256, ttl=3600, show_spinner=False)
def by_dimension(key: str, by: str, _choice: Choice, _view: ui.View) -> pl.DataFrame:
    """Rates by team, collector and so on, with a column `name`; the surely highest first.

    Cached by `key`, which tells the view and the choice.
    """
    rates = _rates(_view, _choice, [by])
    told = labels(by, rates[by].to_list(), _view)
    named = [told[value] for value in rates[by]]
    return rates.with_columns(name=pl.Series(named, dtype=pl.String)).sort(
        "low", "rate", "name", descending=[True, True, False], nulls_last=True
    )


def labels(by: str, values: Sequence[object], view: ui.View) -> dict[object, str]:
    """How the values of a dimension are written."""
    found = names.labels(by, values, partner_names(view) if by == "agency_id" else None)
    if by == "collector_id" and None in found:
        found[None] = "Automated, or not recorded"
    return found


def partner_names(view: ui.View) -> dict[str, str]:
    """Agencies' names by their ids, as they are published."""
    return _partner_names(view.version, view)


@st.cache_resource(max_entries=4, ttl=3600, show_spinner=False)
def _partner_names(version: str, _view: ui.View) -> dict[str, str]:
    view = _view
    if not view.book.table_rows.get("agencies"):
        return {}
    partners = ui.load(of_the_book(view), agencies.partners)
    return agency_names(partners, partners["agency_id"].to_list())


@st.cache_resource(max_entries=64, ttl=3600, show_spinner=False)
def records(key: str, _view: ui.View) -> Records:
    view = _view
    coverage = ui.load(view, conduct.coverage).sort("attempts", descending=True)
    whole = coverage.select(pl.exclude("channel").sum()).row(0, named=True)
    kept = ui.load(view, conduct.months_kept)["month"].to_list()
    capacity = ui.load(view, conduct.capacity)
    return Records(
        coverage=coverage,
        whole=whole,
        first_month=kept[0] if kept else None,
        months_missing=_holes(kept, view),
        fairness=contact_fairness(ui.load(view, conduct.vulnerable)),
        capacity=capacity,
        allowed=capacity_parts(capacity) if capacity.height else [],
    )


def _holes(kept: list[date], view: ui.View) -> int:
    """Months between the log's first and the chosen one that have no attempt at all."""
    there = set(kept)
    months = [month for month in view.book.months if kept and kept[0] <= month]
    return sum(month not in there for month in months if month <= view.chosen.as_of)
