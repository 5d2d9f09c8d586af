"""Health: is the book getting better or worse, and why?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
import streamlit as st

import ui
from analytics.changes import Change, latest_change
from analytics.delinquency import charge_off_rates, delinquency_rates
from analytics.groupings import grouped
from analytics.headlines import ranked_changes
from analytics.limits import crossed_limits
from analytics.mix_and_rate import MixAndRate, mix_and_rate
from analytics.reconciliation import loan_flow, money_flow, payment_differences
from analytics.roll_changes import changed_cells
from queries import portfolio
from queries.filters import months_before

HISTORY = 25
SEGMENTS = ("product", "region", "grade")
HEADLINE = "30+"  # the rate that the page's answer is about
CHARGE_OFFS = "charge_offs"


@dataclass(frozen=True)
class Figures:
    """Everything on the page, made once for each choice.  `splits`: of the 30+ rate; `fewest`: the
    choice's open loans now or a month before, the fewer, of which too few give no verdict."""

    rates: pl.DataFrame
    totals: pl.DataFrame
    charge_offs: pl.DataFrame
    cash: pl.DataFrame
    fewest: int
    changes: dict[str, Change]
    splits: dict[str, MixAndRate]
    rolls: pl.DataFrame
    limits: pl.DataFrame
    loans: pl.DataFrame
    money: pl.DataFrame | None
    payments: pl.DataFrame


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def figures(key: str, _view: ui.View) -> Figures | None:
    view = _view
    shared: dict[str, Any] = {"buckets": view.book.buckets, "weight": view.weight}
    stocks, moves, paid = _loaded(view)
    amount = "weight_cents" if view.is_money else "loans"
    if not stocks.filter(pl.col("month") == view.chosen.as_of)[amount].sum():
        return None
    totals = stocks.group_by("month").agg(value=pl.col(amount).sum()).sort("month")
    rates = delinquency_rates(stocks, **shared)
    charge_offs = charge_off_rates(moves, weight=view.weight)
    cash = paid.select("month", value=pl.coalesce("payments_cents", "paid_cents"))
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
    changes = {name: latest_change(one) for name, one in known.items()}
    limits = crossed_limits(rates)
    latest = rates.filter(pl.col("month") >= months_before(view.chosen.as_of, 1))
    if latest["is_small"].any():
        changes, limits = {name: unjudged(one) for name, one in changes.items()}, limits.clear()
    whole_stocks, whole_moves, whole_paid = stocks, moves, paid
    if view.chosen.grades:  # loans change their grade, so the loans of a grade do not close
        whole = replace(view, chosen=view.chosen.without("grade"))
        whole_stocks, whole_moves, whole_paid = _loaded(whole)
    return Figures(
        rates=rates,
        totals=totals,
        charge_offs=charge_offs,
        cash=cash,
        fewest=int(latest["open_loans"].min()),  # type: ignore[arg-type]
        changes=changes,
        splits=_splits(view, HEADLINE),
        rolls=_changed_rolls(view, moves),
        limits=limits,
        loans=loan_flow(whole_moves, whole_stocks),
        money=money_flow(whole_moves, whole_paid) if view.book.has_balances else None,
        payments=payment_differences(whole_paid),
    )


def unjudged(change: Change) -> Change:
    """A move of too few loans: how far, and no verdict."""
    return replace(change, p=None, is_beyond_noise=None)


def _loaded(view: ui.View) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Stocks, transitions and cash, two years before the window too."""
    stocks = ui.load(view, portfolio.stocks, back=HISTORY)
    moves = ui.load(view, portfolio.transitions, back=HISTORY)
    return stocks, moves, ui.load(view, portfolio.cash, back=HISTORY)


def _changed_rolls(view: ui.View, moves: pl.DataFrame) -> pl.DataFrame:
    """The roll rates that changed in the as-of month, in the buckets of the Roll rates page."""
    cells, codes = grouped(moves, view.book.buckets, by="buckets")
    known = cells.filter(~pl.col("from_state").is_in(["new", "appeared"]))
    seen = known.filter(pl.col("to_state") != "unmatched", pl.col("month") == view.chosen.as_of)
    if seen.is_empty():
        return seen
    changed = changed_cells(known, buckets=codes, weight=view.weight)
    return ranked_changes(changed, buckets=codes)


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def splits(key: str, name: str, _view: ui.View) -> dict[str, MixAndRate]:
    """The change of a rate (`30+`, `60+`, `90+` or `charge_offs`) over the last month, by each
    segment with two values or more; made for the rate that is looked at only."""
    return _splits(_view, name)


def _splits(view: ui.View, name: str) -> dict[str, MixAndRate]:
    made = _charged_off_by if name == CHARGE_OFFS else _late_by
    return {segment: found for segment, found in made(view, name) if found is not None}


def _late_by(view: ui.View, name: str) -> Iterator[tuple[str, MixAndRate | None]]:
    cells = ui.load(view, portfolio.segment_stocks, back=1)
    shared: dict[str, Any] = {"buckets": view.book.buckets, "weight": view.weight}
    for segment in SEGMENTS:
        threshold = int(name.removesuffix("+"))
        rates = delinquency_rates(cells, **shared, thresholds=(threshold,), by=(segment,))
        yield segment, _split(rates, segment)


def _charged_off_by(view: ui.View, name: str) -> Iterator[tuple[str, MixAndRate | None]]:
    """Of a year, as the tile says it; a segment is the one at the month's opening."""
    for segment in SEGMENTS:
        moves = ui.load(view, portfolio.transitions, back=1, by=segment)
        parts = [
            charge_off_rates(own, weight=view.weight).with_columns(
                pl.lit(value[0], pl.String).alias(segment), numerator=12 * pl.col("numerator")
            )
            for value, own in moves.group_by(segment, maintain_order=True)
        ]
        yield segment, _split(pl.concat(parts), segment) if parts else None


def _split(rates: pl.DataFrame, segment: str) -> MixAndRate | None:
    """None where there are not two months, or not two values, or nothing to measure by."""
    months = sorted(rates["month"].unique())
    whole = rates.group_by("month").agg(pl.col("denominator").sum())["denominator"]
    over_nothing = rates.filter(pl.col("denominator") == 0, pl.col("numerator") > 0)
    if len(months) != 2 or rates[segment].n_unique() < 2 or not whole.min() or over_nothing.height:
        return None
    before, after = (rates.filter(pl.col("month") == month) for month in months)
    return mix_and_rate(before, after, segment=segment)
