"""Aging: where does the late money sit?"""

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
    lagged_delinquency_rates,
)
from analytics.groupings import grouped
from analytics.states import collapse_late
from charts import bars, intervals, sentences
from charts import format as words
from charts.axes import Unit
from queries import portfolio
from queries.loan_lists import late_loans

HISTORY = 24
SEGMENTS = {
    "Product": "product",
    "Region": "region",
    "Grade": "grade",
    "Industry": "industry",
}


@dataclass(frozen=True)
class Figures:
    """Everything on the page, made once for each choice."""

    codes: tuple[str, ...]
    shares: pl.DataFrame
    rates: pl.DataFrame
    every: pl.DataFrame
    lagged: pl.DataFrame
    segment_rates: pl.DataFrame
    medians: pl.DataFrame
    spread: dict[str, float | None]
    largest: pl.DataFrame


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


def _worst(ranked: pl.DataFrame, whole: float) -> tuple[str, str | None, float, bool] | None:
    """The segment with the highest rate, and whether its interval lies above the whole's rate."""
    if ranked.height < 2:
        return None
    first = ranked.row(0, named=True)
    return segment, first[segment], first["rate"], bool(first["low"] > whole)


view = ui.open_page("Aging", "Where does the late money sit?")
with st.sidebar:
    by = {
        label: name
        for label, name in SEGMENTS.items()
        if name not in view.book.segments or len(view.book.segments[name]) > 1
    }
    label = ui.segmented("Split by", tuple(by), key="split")
segment = by[label]
found = figures(f"{view.key} {segment}", segment, view)
if found is None:
    ui.nothing_to_show(view, ui.NOTHING_OPEN)
when = words.month(view.chosen.as_of)
noun = "balance" if view.is_money else "loans"
basis = view.chosen.basis
now = pl.col("month") == view.chosen.as_of
unit: Unit = "cents" if view.is_money else "count"

# --- the answer ----------------------------------------------------------------------------
shares = found.shares.filter(now)
late = shares.filter(pl.col("bucket") != "current")
amount = int(late["amount"].sum())
ends = dict(late.select("bucket", "amount").iter_rows())
worst = (
    found.segment_rates.filter(now, threshold=30)
    .filter(~pl.col("is_small"), pl.col("rate").is_not_null())
    .sort("rate", descending=True)
)
ui.say(
    sentences.aging_sentences(
        float(late["share"].sum()) if shares["share"].count() else None,
        amount,
        ends[found.codes[1]] / amount if amount else None,
        ends[found.codes[-1]] / amount if amount else None,
        found.codes[-1],
        _worst(worst, found.rates.filter(now, threshold=30)["rate"][0]),
        as_of=view.chosen.as_of,
        is_money=view.is_money,
        basis=basis,
    )
)

# --- the picture ---------------------------------------------------------------------------
kind = ui.segmented("Show", ("Share", "Amount"), key="kind")
ui.heading(
    f"Late {noun} by bucket, month by month",
    f"{'Share of the open ' + noun + ', %' if kind == 'Share' else noun.capitalize()},"
    f" month-ends to {when}. Current loans are left out.",
)
bars_frame = found.shares.filter(pl.col("bucket") != "current").select(
    "month", "bucket", value="share" if kind == "Share" else "amount"
)
ui.chart(
    bars_frame,
    bars.stacked(
        found.codes,
        alt=f"Late {noun} by bucket and month.",
        unit="share" if kind == "Share" else unit,
        shown=found.codes[1:],
        basis=basis,
    ),
    key="buckets",
)
ui.evidence("aging", found.shares, bucket_shares)

# --- by segment ----------------------------------------------------------------------------
if found.segment_rates[segment].n_unique() > 1:
    threshold = int(ui.segmented("More days late than", ("30", "60", "90"), key="threshold"))
    parts = (
        found.segment_rates.filter(now, threshold=threshold)
        .with_columns(name=pl.col(segment).fill_null(words.NOT_RECORDED))
        .sort("rate", descending=True, nulls_last=True)
    )
    whole = found.rates.filter(now, threshold=threshold)["rate"][0]
    ui.heading(
        f"Which {label.lower()} is later than the book",
        f"Share of the open {noun} more than {threshold} days late, %, {when}, with 95 % interval."
        f" The line is the whole choice, {words.percent(whole)}. Hollow: fewer than 30 loans.",
    )
    ui.chart(
        parts.select("name", "low", "high", "is_small", "loans", value="rate"),
        intervals.dots(
            parts["name"].to_list(), alt=f"{threshold}+ rate by {label.lower()}.", reference=whole
        ),
        key="segments",
    )
    ui.evidence("aging_by_segment", found.segment_rates, delinquency_rates)

# --- coincidental and lagged ---------------------------------------------------------------
ui.heading(
    "Coincidental and lagged",
    f"Share of each bucket, %, {when}: of today's open {noun}, and of the open {noun} in the"
    " months these loans came from. Growth flatters the first.",
)
both = (
    found.every.filter(pl.col("bucket") != "current")
    .join(found.lagged.select("bucket", "lag_months", lagged="rate"), on="bucket", how="left")
    .join(found.medians, on="bucket", how="left")
)
columns = {
    "bucket": "Bucket",
    "amount": "Balance" if view.is_money else "Loans",
    "loans": "Loans",
    "share": "Coincidental, %",
    "lagged": "Lagged, %",
    "lag_months": "Months back",
    "median_balance_amount": "Median balance (whole book)",
}
table = both.with_columns(
    pl.col("bucket").replace({code: words.state(code, basis=basis) for code in view.book.buckets}),
    pl.col("share", "lagged") * 100,
    pl.col("median_balance_amount").round(),
    amount=(pl.col("amount") / 100).round() if view.is_money else pl.col("amount"),
)
of_money = ("amount", "median_balance_amount")
kept = [name for name in columns if name not in of_money or view.is_money]
st.dataframe(
    table.select(kept),
    hide_index=True,
    placeholder=words.MISSING,
    alt="Coincidental and lagged shares by bucket",
    column_config={
        name: st.column_config.NumberColumn(
            columns[name], format="%.2f" if name in ("share", "lagged") else "localized"
        )
        if name != "bucket"
        else columns[name]
        for name in kept
    },
)
ui.evidence("lagged", found.lagged, lagged_delinquency_rates)

# --- concentration -------------------------------------------------------------------------
if found.spread or found.largest.height:
    st.subheader("In how few hands is it?", anchor=False)
    st.caption(
        f"Herfindahl index of the late {noun}: 1 in one hand; 1/n in n equal ones."
        f" The largest are a share of the whole book's open balance, {when}, whatever the choice."
        if found.largest.height
        else f"Herfindahl index of the late {noun}: 1 in one hand; 1/n in n equal ones."
    )
    with st.container(horizontal=True, key="concentration"):
        for name, value in found.spread.items():
            st.metric(name, words.number(value, decimals=2), border=True)
        for row in found.largest.iter_rows(named=True):
            who = {"customer": "borrowers", "loan": "loans"}[row["unit"]]
            share = words.percent(row["largest_ten_share"], decimals=2)
            st.metric(f"Ten largest {who}", words.plain(share), border=True)
    ui.evidence("concentration", found.largest, herfindahl, concentration)

# --- the loans -----------------------------------------------------------------------------
names = {words.state(code, basis=basis): code for code in reversed(found.codes[1:])}
chosen = names[ui.pick("Loans of bucket", tuple(names), key="late")]
members = [code for code, group in collapse_late(view.book.buckets).items() if group == chosen]
if st.toggle("List these loans, largest first", key="list_late"):
    ui.loan_list(
        view,
        f"{words.state(chosen, basis=basis)}, {when}",
        lambda page: late_loans(view.chosen, members, view.book.shape, page=page),
        key=f"late_{chosen}",
        empty="No open loan is in this bucket.",
    )
