"""Agencies: do partners earn their fee?"""

import polars as pl
import streamlit as st

import ui
from analytics.agencies import (
    IN_HOUSE,
    agency_results,
    batches,
    commissions_due,
    curve_points,
    pooled_curve,
    resolved_results,
)
from analytics.recovery import liquidation_curves
from charts import agency_sentences as sentences
from charts import ages, curves, pairs
from charts import format as words
from charts.palette import MUTED, NOISE, SERIES
from charts.sentences import plural
from figures.agencies import batch_course, batches_of, figures, money_table
from pages.recovery.agency_tables import comparison
from queries import agencies

view = ui.open_recovery_page(
    "Agencies",
    "Do partners earn their fee?",
    shows="what each agency brings in on like cases, net of its commission, against in-house",
    needs=("cases", "agencies"),
)
found = figures(view.key, view)
if found is None:
    ui.nothing_to_show(
        view,
        "No case was given to an agency in this choice. Widen it.",
        of=agencies.agency_cases,
        counts=["opened_cases"],
    )
names = {**found.names, IN_HOUSE: "In-house"}
volumes = found.volumes

# --- the answer ----------------------------------------------------------------------------
if found.reason:
    ui.say([sentences.reason_words(found.reason)])
else:
    ui.say(sentences.agency_sentences(found.results, names))

# --- the picture ---------------------------------------------------------------------------
left, right = st.columns([3, 2], gap="medium")
if not found.reason:
    shown = found.results.sort("net", descending=True, nulls_last=True).with_columns(
        name=pl.col("owner").replace(names)
    )
    theirs = shown.filter(~pl.col("is_in_house"))
    house = shown.filter("is_in_house", pl.col("rate").is_not_null())
    with left:
        ui.heading(
            "What each would bring in of the cases that agencies are given",
            "Cash within 90 days of what was placed, %, on the same mix of cases, chance taken out,"
            " with 95 % interval. Tick: before commission; dot: net of it; shaded: in-house."
            f" {sentences.like_for_like_words(found.stages, volumes)}",
        )
        picture = theirs.filter(pl.col("net").is_not_null()).select(
            "name", "is_small", "cases", before="rate", after="net", low="net_low", high="net_high"
        )
        reference, *ends = (
            house.select("rate", "rate_low", "rate_high").row(0) if house.height else (None,)
        )
        ui.chart(
            picture,
            pairs.before_and_after(
                picture["name"].to_list(),
                alt="Adjusted recovery by agency, net of commission, against in-house.",
                before="Before commission",
                after="Net of commission",
                reference=reference,
                reference_ends=(ends[0], ends[1]) if ends else None,
                reference_label=f"In-house, before its own cost: {words.percent(reference)}",
            ),
            key="net",
        )
with right, st.container(horizontal=True, key="tiles"):
    cash = int(found.commissions["cash_cents"].sum())
    for label, value, note, help in (
        (
            "Placed with agencies",
            words.money(int(volumes["opened_cents"].sum())),
            plural(int(volumes["opened_cases"].sum()), "case"),
            "Cases that an agency was given in these months, and what was owed on them then.",
        ),
        (
            "Too young to judge",
            words.number(int(volumes["immature_cases"].sum())),
            "under 90 days old",
            "Left out of every comparison until they are 90 days old.",
        ),
        (
            "Cash in these months",
            words.money(cash) if found.commissions.height else words.MISSING,
            "on agencies' cases",
            "Payments of the same calendar months on agencies' cases, whenever placed.",
        ),
        (
            "Commission",
            words.money(int(found.commissions["commission_cents"].sum()))
            if found.commissions["commission_cents"].count()
            else words.MISSING,
            "at the agencies' rates",
            "Cash on each agency's cases times its commission rate.",
        ),
    ):
        st.metric(
            label,
            words.plain(value),
            None,
            delta_description=note,
            border=True,
            width=170,
            help=help,
        )

# --- the comparison in numbers -------------------------------------------------------------
if not found.reason:
    ui.heading(
        "Like for like",
        "Times average: money collected over what the average owner would have collected on the"
        " same kinds of cases, chance taken out. Chance it earns: the probability that the agency's"
        " net is above what in-house would bring in. Break-even: the commission at which both are"
        " equal (none where in-house brings in more even against no fee). Adjustment cannot remove"
        " what was not recorded about a case.",
    )
    table = shown.join(
        found.resolved.select("owner", "share", "share_low", "share_high"), on="owner", how="left"
    )
    comparison(table)
    fragile = table.filter("is_fragile")["name"].to_list()
    if fragile:
        st.caption(
            f"The money of {words.listing([words.plain(one) for one in fragile])} hangs on a few"
            " large payments: with each case's cash cut at what was placed, the result moves by"
            " more than its error."
        )
ui.evidence("agencies", money_table(found.results, names), agency_results, resolved_results)

# --- batches -------------------------------------------------------------------------------
ids = [agency for agency in found.names if agency in found.followed]
if ids:
    by_label = {found.names[agency]: agency for agency in ids}
    picked = by_label[ui.pick("Placements with", tuple(by_label), key="agency")]
    own = batches_of(view.key, picked, view)
    one, other = st.columns(2, gap="large")
    with one:
        ui.heading(
            "How its placements pay down",
            "Cash since the placement of what was placed, %, by 30-day steps: a grey line for each"
            " month, as far as every case was followed; the coloured one is all of them.",
        )
        curve, pooled = own.curve, own.pooled
        if curve.is_empty():
            st.caption("No month's cases have all been followed for 30 days yet.")
        else:
            lines = ages.with_names(curve_points(curve, pooled))
            ui.chart(
                lines,
                ages.by_age(
                    lines,
                    {"all": SERIES},
                    alt="Liquidation curves of the agency's placement months.",
                    title="Days since placement",
                    labels={"all": "All months"},
                    height=280,
                ),
                key="batches",
            )
        ui.evidence("agency_liquidation", curve, liquidation_curves, pooled_curve)
    with other:
        batch = own.totals
        has_net = own.commission_rate is not None
        ui.heading(
            "Each batch, net of commission, beside what anybody would have collected"
            if has_net
            else "Each batch beside what anybody would have collected",
            "Cash within 90 days of what was placed in the month, %. The band is the 95 % interval"
            f" of {'Net' if has_net else 'Collected'}, for the batch's own luck. Dashed: the"
            " average owner on the same kinds of cases, before any commission."
            + ("" if has_net else " The agency's commission is not recorded."),
        )
        if batch.is_empty():
            st.caption("No month's cases are all 90 days old yet.")
        else:
            course = batch_course(batch)
            ui.chart(
                course,
                curves.lines(
                    course,
                    {"net": SERIES, "own": MUTED, "expected": NOISE}
                    if has_net
                    else {"own": SERIES, "expected": NOISE},
                    alt="Collected within 90 days by placement month, net of commission, beside"
                    " what was expected.",
                    labels={
                        "net": "Net",
                        "own": "Collected",
                        "expected": "Expected",
                    },
                    with_band=True,
                    dashed=["expected"],
                    height=280,
                ),
                key="batch_totals",
            )
        ui.evidence("agency_batches", batch, batches)

# --- volumes, costs, duties ----------------------------------------------------------------
ui.heading(
    "What was placed, and what agencies cost",
    "Volumes are no ranking: who is given easier cases collects more of them.",
)
is_split = any(view.chosen.segments().values())
st.markdown(sentences.cost_sentence(found.commissions, found.spending, is_split=is_split))
ui.readable_table(
    volumes.select(
        agency=pl.col("agency_id").replace(names),
        cases_placed="opened_cases",
        placed_cents="opened_cents",
        cases_90_days_old="cases",
        cash_within_90_days_cents="cash_cents",
        given_back="transferred",
    ),
    alt="Placements and cash by agency",
)
ui.evidence(
    "agency_costs",
    found.commissions.with_columns(pl.col("agency_id").replace(names)),
    commissions_due,
    of="commissions",
)
ui.heading(
    "Are they overseen?",
    f"Contracts, listings and checks as recorded to {words.month(view.chosen.as_of)}.",
)
rows = sentences.duty_rows(
    found.partners, found.checks, found.placed, found.names, view.chosen.as_of
)
if rows:
    st.markdown(sentences.duty_sentence(rows))
    st.dataframe(pl.DataFrame(rows), hide_index=True, alt="Contracts, listings and checks")
else:
    st.caption("The table of agencies has no row for those that hold cases.")
