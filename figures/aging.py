"""Aging: where does the late money sit?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
import streamlit as st

import ui
from analytics.delinquency import (
    bucket_shares,
    concentration,
    delinquency_rates,
    herfindahl,
    highest_segment,
    lagged_delinquency_rates,
)
from analytics.groupings import grouped
from figures.choices import loaded_of_the_book
from queries import portfolio

HISTORY = 24
SEGMENTS = {
    "Product": "product",
    "Region": "region",
    "Grade": "grade",
    "Industry": "industry",
}


@dataclass(frozen=True)
class Figures:
    """Everything on the page, made once for each choice.  `highest`: the segment latest by 30+."""

    codes: tuple[str, ...]
    shares: pl.DataFrame
    rates: pl.DataFrame
    every: pl.DataFrame
    lagged: pl.DataFrame
    segment_rates: pl.DataFrame
    highest: pl.DataFrame
    medians: pl.DataFrame
    spread: dict[str, float | None]
    largest: pl.DataFrame


def splits(view: ui.View) -> dict[str, str]:
    """The segments by which this book can be split: those with two values or more."""
    industries = loaded_of_the_book(view, portfolio.stocks, by="industry")["industry"]
    values = {**view.book.segments, "industry": tuple(industries.unique())}
    return {label: name for label, name in SEGMENTS.items() if len(values[name]) > 1}


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def figures(key: str, segment: str, _view: ui.View) -> Figures | None:
    view = _view
    raw = ui.load(view, portfolio.stocks, back=HISTORY - 1)
    stocks, codes = grouped(raw, view.book.buckets, by="buckets")
    amount = "weight_cents" if view.is_money else "loans"
    if not stocks.filter(pl.col("month") == view.chosen.as_of)[amount].sum():
        return None
    shared: dict[str, Any] = {"buckets": codes, "weight": view.weight}
    cells = ui.load(view, portfolio.segment_stocks)
    industries = ui.load(view, portfolio.stocks, by="industry")
    source = industries if segment == "industry" else cells
    parts, _ = grouped(source, view.book.buckets, by="buckets")
    now = pl.col("month") == view.chosen.as_of
    return Figures(
        codes=codes,
        shares=bucket_shares(stocks, **shared),
        rates=delinquency_rates(stocks, **shared),
        every=bucket_shares(raw, buckets=view.book.buckets, weight=view.weight).filter(now),
        lagged=lagged_delinquency_rates(raw, buckets=view.book.buckets, weight=view.weight).filter(
            now
        ),
        segment_rates=delinquency_rates(parts, by=(segment,), **shared),
        highest=highest_segment(parts.filter(now), segment=segment, **shared),
        medians=ui.load(view, portfolio.medians),
        spread=_spread(view, cells, industries),
        largest=concentration(ui.load(view, portfolio.concentration)),
    )


def _spread(
    view: ui.View, cells: pl.DataFrame, industries: pl.DataFrame
) -> dict[str, float | None]:
    """The Herfindahl index of the late balance (or loans) over each segment."""
    amount = "weight_cents" if view.is_money else "loans"
    found = {}
    for label, segment in SEGMENTS.items():
        source = industries if segment == "industry" else cells
        late = source.filter(pl.col("bucket") != "current")
        sums = late.group_by(segment).agg(pl.col(amount).sum())
        if sums.height > 1:
            found[label] = herfindahl(sums[amount])
    return found
