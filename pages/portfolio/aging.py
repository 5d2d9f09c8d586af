"""Aging: where does the late money sit?"""

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
from analytics.states import collapse_late
from charts import bars, intervals, sentences
from charts import format as words
from charts.axes import Unit
from figures.aging import SEGMENTS, figures, splits
from queries import portfolio
from queries.loan_lists import late_loans

view = ui.open_page("Aging", "Where does the late money sit?")
with st.sidebar:
    by = splits(view)
    label = ui.segmented("Split by", tuple(by), key="split") if by else "Product"
segment = SEGMENTS[label]
found = figures(f"{view.key} {segment}", segment, view)
if found is None:
    ui.nothing_to_show(view, ui.NOTHING_OPEN, of=portfolio.stocks, counts=["loans"])
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
ui.say(
    sentences.aging_sentences(
        float(late["share"].sum()) if shares["share"].count() else None,
        amount,
        ends[found.codes[1]] / amount if amount else None,
        ends[found.codes[-1]] / amount if amount else None,
        found.codes[-1],
        found.highest.row(0, named=True) if found.highest.height else None,
        segment,
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
ui.evidence("aging", found.shares, bucket_shares, in_cents=view.is_money, basis=basis)

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
        f" The line is the whole choice, {words.percent(whole)}. Hollow: fewer than 30 loans. The"
        " answer above judges the highest by a wider interval, as one of several always is.",
    )
    ui.chart(
        parts.select("name", "low", "high", "is_small", "loans", value="rate"),
        intervals.dots(
            parts["name"].to_list(), alt=f"{threshold}+ rate by {label.lower()}.", reference=whole
        ),
        key="segments",
    )
    ui.evidence("aging_by_segment", found.segment_rates, delinquency_rates, in_cents=view.is_money)
elif by:
    st.caption(f"This choice has one {label.lower()} only, so there is nothing to split.")

# --- coincidental and lagged ---------------------------------------------------------------
both = (
    found.every.filter(pl.col("bucket") != "current")
    .join(found.lagged.select("bucket", "lag_months", lagged="rate"), on="bucket", how="left")
    .join(found.medians, on="bucket", how="left")
)
notes = ["Growth flatters the first."]
if both["lagged"].null_count():
    notes.append("A dash among the lagged: the book does not go that far back.")
if view.is_money:
    notes.append("The median is of the loans of the whole book, whatever the choice.")
ui.heading(
    "Coincidental and lagged",
    f"Share of each bucket, %, {when}: of today's open {noun}, and (lagged) of the open {noun} as"
    " many months back as the bucket stands in the list. Those are the months its loans came from"
    " where buckets are a month wide; in wider ones the loans are older, and it is a convention."
    f" {' '.join(notes)}",
)
median = (100 * pl.col("median_balance_amount")).round().cast(pl.Int64)
ui.readable_table(
    both.select(
        pl.col("bucket").replace(
            {code: words.state(code, basis=basis) for code in view.book.buckets}
        ),
        **({"balance_cents": "amount"} if view.is_money else {}),
        loans="loans",
        coincidental_share="share",
        lagged_share="lagged",
        months_back="lag_months",
        **({"median_loan_balance_cents": median} if view.is_money else {}),
    ),
    alt="Coincidental and lagged shares by bucket",
)
ui.evidence("lagged", found.lagged, lagged_delinquency_rates, in_cents=view.is_money, basis=basis)

# --- concentration -------------------------------------------------------------------------
if found.spread or found.largest.height:
    st.subheader("In how few hands is it?", anchor=False)
    caption = []
    if found.spread:
        caption.append(f"Herfindahl index of the late {noun}: 1 in one hand; 1/n in n equal ones.")
    if found.largest.height:
        caption.append(
            f"The largest are a share of the whole book's open balance, {when}, whatever the"
            " choice."
        )
    st.caption(" ".join(caption))
    with st.container(horizontal=True, key="concentration"):
        for name, value in found.spread.items():
            st.metric(name, words.number(value, decimals=2), border=True)
        for row in found.largest.iter_rows(named=True):
            who = {"customer": "borrowers", "loan": "loans"}[row["unit"]]
            share = words.percent(row["largest_ten_share"], decimals=2)
            st.metric(f"Ten largest {who}", words.plain(share), border=True)
    if found.spread:
        hands = pl.DataFrame(
            {"by": list(found.spread), "herfindahl": list(found.spread.values())},
            schema_overrides={"herfindahl": pl.Float64},
        ).with_columns(equal_ones=1 / pl.col("herfindahl"))
        ui.evidence("concentration", hands, herfindahl)
    if found.largest.height:
        ui.evidence("largest", found.largest.drop("herfindahl"), concentration)

ui.say_missing(view.book, "portfolio/aging")

# --- the loans -----------------------------------------------------------------------------
names = {words.state(code, basis=basis): code for code in reversed(found.codes[1:])}
oldest = next((name for name, code in names.items() if ends[code]), None)
chosen = names[ui.pick("Loans of bucket", tuple(names), key="late", default=oldest)]
members = [code for code, group in collapse_late(view.book.buckets).items() if group == chosen]
if st.toggle("List these loans, largest first", key="list_late"):
    ui.loan_list(
        view,
        f"{words.state(chosen, basis=basis)}, {when}",
        lambda page: late_loans(view.chosen, members, view.book.shape, page=page),
        key=f"late_{chosen}",
        empty="No open loan is in this bucket.",
    )
