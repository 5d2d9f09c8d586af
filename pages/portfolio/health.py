"""Health: is the book getting better or worse, and why?"""

from dataclasses import dataclass

import polars as pl
import streamlit as st

import ui
from analytics.changes import Change, latest_change
from analytics.delinquency import charge_off_rates, delinquency_rates
from analytics.headlines import ranked_changes
from analytics.mix_and_rate import MixAndRate, mix_and_rate
from analytics.reconciliation import (
    loan_flow,
    money_flow,
    payment_differences,
)
from analytics.roll_changes import changed_cells
from queries import portfolio

HISTORY = 25
SEGMENTS = ("product", "region", "grade")


@dataclass(frozen=True)
class Figures:
    """Everything on the page, made once for each choice."""

    rates: pl.DataFrame
    totals: pl.DataFrame
    charge_offs: pl.DataFrame
    cash: pl.DataFrame
    changes: dict[str, Change]
    splits: dict[str, MixAndRate]
    rolls: pl.DataFrame
    loans: pl.DataFrame
    money: pl.DataFrame | None
    payments: pl.DataFrame


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def figures(key: str, _view: ui.View) -> Figures | None:
    view, shared = _view, {"buckets": _view.book.buckets, "weight": _view.weight}
    stocks = ui.load(view, portfolio.stocks, back=HISTORY)
    moves = ui.load(view, portfolio.transitions, back=HISTORY)
    if stocks.filter(pl.col("month") == view.chosen.as_of).is_empty():
        return None
    amount = "weight_cents" if view.is_money else "loans"
    totals = stocks.group_by("month").agg(value=pl.col(amount).sum()).sort("month")
    rates = delinquency_rates(stocks, **shared)
    charge_offs = charge_off_rates(moves, weight=view.weight)
    cash = ui.load(view, portfolio.cash, back=HISTORY).select(
        "month", value=pl.coalesce("payments_cents", "paid_cents")
    )
    series = {
        f"{threshold}+": rates.filter(pl.col("threshold") == threshold).select(
            "month", value="rate"
        )
        for threshold in (30, 60, 90)
    }
    series["size"] = totals.with_columns(pl.col("value").log())
    series["charge_offs"] = charge_offs.select("month", value="annualised_rate")
    series["cash"] = cash.filter(pl.col("value") > 0).with_columns(pl.col("value").log())
    known = {name: one.drop_nulls() for name, one in series.items() if one["value"].count()}
    later = moves.filter(pl.col("month") > view.book.first_month)
    return Figures(
        rates=rates,
        totals=totals,
        charge_offs=charge_offs,
        cash=cash,
        changes={name: latest_change(one) for name, one in known.items()},
        splits=_splits(view),
        rolls=ranked_changes(changed_cells(later, **shared), buckets=view.book.buckets)
        if later.height
        else later,
        loans=loan_flow(moves, stocks),
        money=money_flow(moves, ui.load(view, portfolio.cash, back=HISTORY))
        if view.book.has_balances
        else None,
        payments=payment_differences(ui.load(view, portfolio.cash, back=HISTORY)),
    )


def _splits(view: ui.View) -> dict[str, MixAndRate]:
    """The change of the 30+ rate over the last month, by each segment with two values or more."""
    found = {}
    for segment in SEGMENTS:
        cells = ui.load(view, portfolio.stocks, back=1, by=segment)
        rates = delinquency_rates(
            cells, buckets=view.book.buckets, weight=view.weight, thresholds=(30,), by=(segment,)
        )
        months = sorted(rates["month"].unique())
        if len(months) == 2 and rates[segment].n_unique() > 1:
            before, after = (rates.filter(pl.col("month") == month) for month in months)
            found[segment] = mix_and_rate(before, after, segment=segment)
    return found
