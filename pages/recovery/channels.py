"""Channels: what works, for whom, at what price?"""

import polars as pl
import streamlit as st

import ui
from analytics.channel_effects import ASSUMPTION, ASSUMPTIONS, fit_effects
from analytics.effect_sums import REASONS, effects
from analytics.overlap import balance, propensity_histogram
from analytics.raw_and_adjusted import raw_and_adjusted
from analytics.sensitivity import e_value
from analytics.stratified import mantel_haenszel
from charts import channel_sentences as sentences
from charts import channel_words as named
from charts import contact_sentences, overlaps
from charts import effects as effect_charts
from charts import format as words
from charts.channel_sentences import Outcome
from figures import channel_frames as frames
from figures.channels import STAGES, Effects, Figures, figures
from pages.recovery import channel_amounts, channel_detail, channel_prices

PARTS = ("What works", "From attempt to cash", "Price", "Credit", "Rules")


def best_stage(rows: pl.DataFrame) -> str:
    """Where the first answer is: the stage that a reader sees first."""
    sure = sentences.leading(rows)
    return sure["stage"][0] if sure.height else STAGES[0]


def choose_stage(of_channels: pl.DataFrame) -> str:
    """The stage whose effects and prices are shown; at first that of the answer."""
    by_label = {named.STAGES[code]: code for code in STAGES}
    first = named.STAGES[best_stage(of_channels.filter(pl.col("outcome") == "resolved"))]
    return by_label[ui.segmented("Stage", tuple(by_label), key="stage", default=first)]


def chosen_outcome() -> Outcome:
    """What the effects are on, whether or not the part is open in which it is chosen."""
    return "cash" if st.session_state.get("effect_on") == "Cash" else "resolved"


def fitted_words(found: Effects) -> str:
    """Which cases the models were fitted on."""
    if found.first_month is None or found.last_month is None:
        return "no case yet"
    ends = [words.month(month, short=True) for month in (found.first_month, found.last_month)]
    return f"{words.number(found.landmark_cases)} cases opened {ends[0]} to {ends[1]}"


def finding(rows: pl.DataFrame, outcome: Outcome, stage: str) -> str:
    """The title of the first picture: the channel that surely adds most in the stage."""
    sure = sentences.leading(rows)
    label = named.STAGES[stage]
    more = sentences.passed_over(rows)["arm"].to_list()
    if not sure.height:
        others = f"; {named.channels(more[0])} may, but too few cases carry it" if more else ""
        return f"{label}: no channel is shown to add anything{others}"
    row = sure.row(0, named=True)
    size = sentences.amount(row["effect"], outcome)
    unsure = ", but it is unsure" if sure.select(sentences.is_doubtful()).item(0, 0) else ""
    others = f"; {named.channels(more[0])} may add more, but less surely" if more else ""
    return f"{label}: {named.channels(row['arm'])} add {size}, adjusted{unsure}{others}"


def show_effects(rows: pl.DataFrame, outcome: Outcome, stage: str) -> str | None:
    """The first picture; the channel that was clicked."""
    what = (
        "Share resolved within 90 days after day 7, in points"
        if outcome == "resolved"
        else "Cash within 90 days after day 7, a case"
    )
    ui.heading(
        finding(rows, outcome, stage),
        f"{what}: cases on which the channel was attempted on days 0 to 6, less those without."
        " 95 % intervals, broken where overlap is thin; hollow: few cases. Click a channel for its"
        " evidence.",
    )
    tried = rows.filter(pl.col("treated_cases") > 0)
    order = tried.sort("effect", descending=True, nulls_last=True)["arm"].to_list()
    labels = {code: named.channel(code) for code in order}
    clicked = ui.chart(
        frames.pairs(tried, labels, outcome),
        effect_charts.side_by_side(
            list(labels.values()),
            alt=f"Raw difference and adjusted effect by channel, {named.stage(stage)}.",
            unit="points" if outcome == "resolved" else "cents",
            pickable=True,
        ),
        key="effects",
        select=effect_charts.PICKED,
    )
    st.caption(
        f"Adjusted: {ASSUMPTIONS[ASSUMPTION][0].lower()}{ASSUMPTIONS[ASSUMPTION][1:]} Made from"
        f" {fitted_words(found.effects)} and still open on day 7, whatever months are chosen."
    )
    untried = [arm for arm in rows["arm"].unique().sort() if arm not in order]
    if untried:
        st.caption(sentences.untried(untried, stage))
    ui.evidence(
        "channel_effects",
        frames.table(rows, outcome),
        raw_and_adjusted,
        effects,
        fit_effects,
        of="raw and adjusted by channel",
    )
    codes = {label: code for code, label in labels.items()}
    return codes.get(clicked[0].get("name", "")) if clicked else None


def choose_channel(clicked: str | None, codes: list[str]) -> str:
    """The channel whose evidence is shown: the one clicked last, or picked from the list."""
    labels = {named.channel(code): code for code in codes}
    if clicked and clicked != st.session_state.get("clicked_channel"):
        st.session_state["channel"] = named.channel(clicked)
    st.session_state["clicked_channel"] = clicked
    return labels[ui.pick("Evidence for", tuple(labels), key="channel")]


def show_evidence(row: dict[str, object], outcome: Outcome) -> None:
    """How far one estimate can be trusted."""
    stage, arm = str(row["stage"]), str(row["arm"])
    here = (
        (pl.col("question") == "channel")
        & (pl.col("outcome") == outcome)
        & (pl.col("stage") == stage)
        & (pl.col("arm") == arm)
    )
    many = named.channels(arm)
    lines = sentences.evidence_sentences(row, outcome, REASONS, subject=f"{many} attempted")
    st.markdown(" ".join(lines))
    histogram = found.effects.histogram.filter(here)
    alike = found.effects.balance.filter(here)
    left, right = st.columns(2)
    if histogram["cases"].sum():
        with left:
            ui.heading(
                "Were there like cases with and without?",
                f"Cases by how likely {many} were to be attempted, of the whole stage. Where only"
                " one group stands there is nobody to compare with.",
            )
            ui.chart(
                frames.chances(histogram),
                overlaps.chances("With", "Without", alt="Fitted chance of the attempt."),
                key="chances",
            )
            ui.evidence("channel_chances", histogram, propensity_histogram, of="like cases")
    drawn = frames.alike(alike).filter(pl.col("before").is_not_null())
    if drawn.height:
        with right:
            ui.heading(
                "Does weighting make them alike?",
                "Largest standardised difference in each thing adjusted for, before (hollow) and"
                " after (filled) weighting, whole stage. Beyond the line at 0.1 is poor.",
            )
            ui.chart(
                drawn.head(14),
                overlaps.balance(drawn.head(14)["name"].to_list(), alt="Balance."),
                key="balance",
            )
            ui.evidence("channel_balance", alike.drop("question"), balance, of="alike or not")
    models = found.effects.models.filter(here)
    told = [
        f"{named.MODELS[one['model']].lower()} {words.number(one['discrimination'], decimals=2)}"
        f" ({words.number(one['cases'])} cases, {one['coefficients']} coefficients)"
        for one in models.iter_rows(named=True)
        if one["discrimination"] is not None
    ]
    if told:
        st.caption(
            "How well the models tell cases apart (0.5 not at all, 1 perfectly):"
            f" {words.listing(told)}. Fitted on {fitted_words(found.effects)}, refreshed"
            f" {words.moment(view.book.refreshed_at)} UTC."
        )
    ui.evidence(
        "channel_models", models.drop("question"), e_value, mantel_haenszel, of="models and checks"
    )


def show_channels(found: Figures, outcome: Outcome, stage: str) -> None:
    """Raw and adjusted by channel, and how far the chosen channel's estimate can be trusted."""
    here = found.effects.compared.filter(
        pl.col("question") == "channel", pl.col("outcome") == outcome, pl.col("stage") == stage
    )
    tried = here.filter(pl.col("treated_cases") > 0)
    if tried.height:
        clicked = show_effects(here, outcome, stage)
        codes = tried.sort("effect", descending=True, nulls_last=True)["arm"].to_list()
        chosen = choose_channel(clicked, codes)
        show_evidence(tried.filter(pl.col("arm") == chosen).row(0, named=True), outcome)
        channel_amounts.show_own_amounts(view.key, found.effects, outcome, stage, chosen)
    elif of_channels.height:
        st.info(f"Nothing was attempted by day 7 {named.stage(stage)}.", icon=":material/info:")


view = ui.open_recovery_page(
    "Channels",
    "What works, for whom, at what price?",
    shows="what attempts by each channel bring, cause and cost",
    needs=("cases", "contacts"),
)
found = figures(view.key, view)
compared = found.effects.compared.filter(pl.col("treated_cases") > 0)
of_channels = compared.filter(pl.col("question") == "channel")
said = st.container()
parts = dict(zip(PARTS, ui.tabs(PARTS, key="channels_part"), strict=True))

with parts["What works"] as part:
    if part.open:
        with st.container(horizontal=True):
            stage = choose_stage(of_channels)
            ui.segmented("Effect on", ("Resolved", "Cash"), key="effect_on")
        outcome = chosen_outcome()
        show_channels(found, outcome, stage)
        channel_amounts.show_amounts(view.key, found.effects, outcome, stage)
with parts["From attempt to cash"] as part:
    if part.open:
        channel_detail.show_funnel(view, found)
with parts["Price"] as part:
    if part.open:
        channel_prices.show_costs(found, choose_stage(of_channels))
with parts["Credit"] as part:
    if part.open:
        channel_prices.show_cash(found)
with parts["Rules"] as part:
    if part.open:
        channel_detail.show_rules(view, found)
        channel_detail.show_preferences(found)
        st.caption(contact_sentences.NOT_HERE)

with said:  # last: what it is about is chosen in a part
    of_outcome = of_channels.filter(pl.col("outcome") == chosen_outcome())
    ui.say(sentences.effect_sentences(of_outcome, chosen_outcome(), REASONS))
