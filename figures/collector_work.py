"""What the Collectors page shows of work: first contacts, attempts, promises, cost, score."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
import streamlit as st

from analytics.composite import Composite, composite_score
from analytics.work import cost_and_cash, days_to_contact, work_rates
from figures.choices import loaded_of_the_book
from figures.collector_conduct import Conduct
from figures.collectors import Choice, Comparison
from queries import collectors as queries
from queries import owner_cells
from ui import View, load

CONTACTS = ("attempt", "right_party")


@dataclass(frozen=True)
class Work:
    """By owner: days to the first contact (`attempt`, `right_party`), rates, cost and cash.

    `total` has the same for everybody together, one row each.  `has_contacts`: whether contacts
    are recorded at all; `is_split`: whether the choice is a part of the book by product, region
    or grade, over which cost cannot be divided.
    """

    days: dict[str, pl.DataFrame]
    total_days: dict[str, pl.DataFrame]
    rates: pl.DataFrame
    total: pl.DataFrame
    costs: pl.DataFrame
    has_contacts: bool
    is_split: bool


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def work(key: str, choice: Choice, _view: View) -> Work:
    """Cached by the view's key and the choice; the outcome makes no difference."""
    view, kind = _view, choice.kind
    counts = load(view, owner_cells.contact_days, kind=kind, stage=choice.stage)
    parts = {contact: counts.filter(contact=contact) for contact in CONTACTS}
    days = {name: days_to_contact(part, by=["owner"]) for name, part in parts.items()}
    total_days = {name: days_to_contact(part) for name, part in parts.items()}
    sums = load(view, owner_cells.work, kind=kind)
    chosen = view.chosen
    return Work(
        days=days,
        total_days=total_days,
        rates=work_rates(sums),
        total=work_rates(sums.select(pl.exclude("owner").sum())),
        costs=_costs(view, choice, sums),
        has_contacts=bool(view.book.table_rows.get("contacts")),
        is_split=bool(chosen.products or chosen.regions or chosen.grades),
    )


def _costs(view: View, choice: Choice, sums: pl.DataFrame) -> pl.DataFrame:
    """Cost and cash by collector: months of the window since the collector was hired."""
    first, last = view.chosen.months()
    first = max(first, view.book.first_month)
    people = loaded_of_the_book(view, queries.owners).with_columns(
        since=pl.max_horizontal(pl.col("hired_on").fill_null(first), pl.lit(first))
    )
    months = (
        (last.year - pl.col("since").dt.year()) * 12 + last.month - pl.col("since").dt.month() + 1
    )
    there = people.with_columns(months=months.clip(0).cast(pl.Int64))
    cash = sums.select("owner", "cash_cents")
    return cost_and_cash(there.join(cash, left_on="collector_id", right_on="owner", how="inner"))


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def scores(
    key: str,
    weights: tuple[tuple[str, float], ...],
    _found: Comparison,
    _work: Work,
    _conduct: Conduct,
) -> Composite:
    """The composite score of a comparison by resolved share; cached by key and weights."""
    contact = _work.days["attempt"]
    parts = {
        "recovery": _found.owners.select("owner", "effect", "se"),
        "promises_kept": _work.rates.filter(pl.col("matured") > 0).select(
            "owner", effect="kept_share", se="kept_se"
        ),
        "first_contact": contact.select("owner", effect="mean", se="mean_se"),
    }
    for name, rates in (("complaints", _conduct.complaints), ("rule_breaches", _conduct.breaches)):
        if rates is not None and rates.reason is None:
            parts[name] = rates.owners.select("owner", "effect", "se")
    usable = {
        name: part.filter(pl.col("se").is_not_null(), pl.col("se") > 0)
        for name, part in parts.items()
    }
    there = {name: part for name, part in usable.items() if part.height > 1}
    return composite_score(there, owner="owner", weights=dict(weights))
