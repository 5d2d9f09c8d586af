"""The lower part of the Channels page: how much, what follows, at what price, by which rules."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
import streamlit as st

import ui
from analytics.channel_amounts import fit_channel
from analytics.channel_costs import COST_REASONS, channel_costs
from analytics.channel_effects import ASSUMPTION, ASSUMPTIONS
from analytics.channels import attribution_totals, channel_concentration, channel_funnel
from analytics.effect_sums import REASONS, effects
from analytics.preferences import preference_met
from analytics.raw_and_adjusted import left_alone
from analytics.suitability import RULES, suitability, suited_shares
from analytics.timeline import resolved_after, timeline_adherence
from charts import channel_steps, contact_sentences, intervals
from charts import channel_words as named
from charts import effects as effect_charts
from charts import format as words
from charts import suitability as suits
from charts.channel_sentences import Outcome
from charts.prices import prices
from figures import channel_frames as frames
from figures import channel_work as activity
from figures.channels import Effects, Figures

LEVELS = {"dose": named.DOSES, "first_day": named.FIRST_DAYS}
SEGMENTS = {"Product": "product", "Region": "region", "Grade": "grade"}


@dataclass(frozen=True)
class Amounts:
    """What more attempts and an earlier first one do: sentences, and what each chart shows.

    `parts`: by question (`dose`, `first_day`) the chart's rows and the table under it; a question
    that no case answers is left out.
    """

    lines: str
    parts: dict[str, tuple[pl.DataFrame, pl.DataFrame]]


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def _amounts(
    key: str, outcome: Outcome, stage: str, channel: str | None, _found: Effects
) -> Amounts:
    """Of all channels together, or of one; cached by the view's key."""
    here = _found.compared.filter(pl.col("outcome") == outcome, pl.col("stage") == stage)
    of = f":{channel}" if channel else ""
    rows = {
        name: frames.ordered(here.filter(pl.col("question") == f"{name}{of}"), "arm", list(labels))
        for name, labels in LEVELS.items()
    }
    doses, days = rows["dose"], rows["first_day"]
    if not doses["treated_cases"].sum():
        return Amounts("", {})
    lines = [
        contact_sentences.dose_sentence(doses, outcome, stage=stage, channel=channel),
        contact_sentences.early_sentence(days, outcome, channel=channel),
        contact_sentences.thin_sentence(doses, days) if channel else None,
        *contact_sentences.reason_sentences(doses, REASONS, contact_sentences.dose_words),
    ]
    if channel:
        lines += contact_sentences.reason_sentences(days, REASONS, named.FIRST_DAYS.__getitem__)
    parts = {
        name: (frames.amounts(part, LEVELS[name], outcome), frames.table(part, outcome))
        for name, part in rows.items()
        if part["treated_cases"].sum()
    }
    return Amounts(" ".join(line for line in lines if line), parts)


def show_amounts(key: str, found: Effects, outcome: Outcome, stage: str) -> None:
    """What more attempts, and an earlier first one, do: all channels together."""
    amounts = _amounts(key, outcome, stage, None, found)
    if not amounts.parts:
        return
    st.subheader("Do more attempts, or earlier ones, do more?", anchor=False)
    st.markdown(amounts.lines)
    _draw_amounts(amounts, outcome, stage)


def show_own_amounts(key: str, found: Effects, outcome: Outcome, stage: str, channel: str) -> None:
    """What more attempts by one channel, and an earlier first one by it, do."""
    amounts = _amounts(key, "resolved", stage, channel, found)
    if not amounts.parts:
        return
    many = named.channels(channel)
    st.subheader(f"Do more {many}, or earlier ones, do more?", anchor=False)
    whole = "On the share resolved; cash is not adjusted by number. "
    st.markdown(("" if outcome == "resolved" else whole) + amounts.lines)
    _draw_amounts(amounts, "resolved", stage, channel)
    st.caption(
        f"{ASSUMPTIONS[ASSUMPTION]} Whether a case is attempted again may hang on what came of the"
        " attempt before (no answer, a promise to remind of), which is not adjusted for. More"
        " attempts mostly begin earlier, so the two pictures are not to be added up."
    )


def _draw_amounts(
    amounts: Amounts, outcome: Outcome, stage: str, channel: str | None = None
) -> None:
    unit = "points of resolved share" if outcome == "resolved" else "cash a case"
    many = named.sentence(named.channels(channel)) if channel else "Attempts"
    by = f" by {named.channel(channel).lower()}" if channel else ""
    of = "_of_channel" if channel else ""
    scope = "the case at opening"
    scope += " and the other channels attempted" if channel else ""
    titles = {"dose": f"{many} on days 0 to 6", "first_day": f"Day of the first attempt{by}"}
    for column, (key, title) in zip(st.columns(2), titles.items(), strict=True):
        if key not in amounts.parts:
            continue
        drawn, table = amounts.parts[key]
        with column:
            ui.heading(
                title,
                f"Against none, {unit}, {named.stage(stage)}."
                f" {'' if channel else 'All channels together, '}"
                f"{'Adjusted' if channel else 'adjusted'} for {scope}. Circles: adjusted, hollow"
                " and broken where few cases or thin overlap carry it; diamonds: raw. With 95 %"
                " intervals.",
            )
            ui.chart(
                drawn,
                effect_charts.by_amount(
                    list(LEVELS[key].values()),
                    alt=f"{title}: raw and adjusted.",
                    title=title,
                    unit="points" if outcome == "resolved" else "cents",
                ),
                key=f"by_{key}{of}",
            )
            made_by = (effects, fit_channel) if channel else (effects,)
            ui.evidence(f"channel_{key}{of}", table, *made_by, of=title.lower())


def show_funnel(view: ui.View, found: Figures) -> None:
    """From attempt to cash, by channel, stage or segment."""
    st.subheader("From attempt to cash", anchor=False)
    lines = [
        contact_sentences.funnel_sentence(found.funnel, when=_months(view)),
        *contact_sentences.single_channel_sentences(activity.answers(found.work)),
    ]
    st.markdown(" ".join(lines))
    if found.work.is_empty():
        return
    offered = {label: name for label, name in SEGMENTS.items() if len(view.book.segments[name]) > 1}
    present = [code for code in named.CHANNELS if code in set(found.work["channel"])]
    with st.container(horizontal=True):
        by = ui.segmented("By", ("Channel", "Stage", *offered), key="funnel_by")
        only = "All channels"
        if by != "Channel":
            names = ("All channels", *(named.channel(code) for code in present))
            only = ui.pick("Of", names, key="funnel_channel")
    field = {"Channel": "channel", "Stage": "stage"}.get(by) or offered[by]
    rows = _funnel_rows(view, found, field, only)
    labels = {"channel": named.CHANNELS, "stage": named.STAGES}.get(field, {})
    drawn = frames.strip(rows, field, labels)
    steps = {code: head for code, head in named.STEPS.items() if code in set(drawn["step"])}
    codes: list[str | None] = [*labels]
    known = rows[field].unique(maintain_order=True).to_list()
    ranked = sorted(known, key=lambda value: codes.index(value) if value in codes else 99)
    order = [labels.get(value, value) or words.NOT_RECORDED for value in ranked]
    cash = "of all cash" if field == "channel" else "of the cash of these cases what followed one"
    ui.heading(
        f"What comes of attempts, by {by.lower()}"
        + ("" if only == "All channels" else f": {only}"),
        "Share of each step, %: of attempts that reached the debtor and that were a conversation;"
        " of conversations that brought a promise; of promises due that were kept"
        + f"; {cash}, by the last contact in the 14 days before it"
        + ". With 95 % interval; hollow: fewer than 30. Who is contacted through what is chosen, so"
        " this ranks cases as much as channels.",
    )
    ui.chart(
        drawn,
        channel_steps.strip(order, steps, alt=f"From attempt to cash by {by.lower()}."),
        key="funnel",
    )
    ui.evidence("channel_funnel", rows, channel_funnel, of="from attempt to cash")


def _months(view: ui.View) -> str:
    """in June 2026, or in the 12 months to June 2026."""
    last = words.month(view.chosen.as_of)
    return (
        f"in the {view.chosen.window} months to {last}" if view.chosen.window > 1 else f"in {last}"
    )


def _funnel_rows(view: ui.View, found: Figures, field: str, only: str) -> pl.DataFrame:
    """The steps by a field, of all channels or of one."""
    if field == "channel":
        codes = found.funnel["channel"].unique().to_list()
        credit = frames.credited(found.cash, codes)
        return pl.concat([found.funnel, credit.select(found.funnel.columns)])
    work, cash = found.work, found.stage_cash
    if field != "stage":
        work = activity.segment_work(f"{view.key} {field}", field, view)
        cash = activity.segment_cash(f"{view.key} {field}", field, view)
    chosen = {named.channel(code): code for code in named.CHANNELS}.get(only)
    if chosen:
        work = work.filter(pl.col("channel") == chosen)
    funnel = activity.funnel(work, (field,))
    credit = frames.credited_within(cash, field, chosen)
    credit = credit.join(funnel.select(field).unique(), on=field, how="semi", nulls_equal=True)
    return pl.concat([funnel, credit.select(funnel.columns)])


def show_costs(found: Figures, stage: str) -> None:
    """At what price: an attempt, one more resolved case, one more unit of cash."""
    st.subheader("At what price?", anchor=False)
    costs = found.costs
    if not found.work["attempts"].sum():
        st.markdown("No attempt was made in these months, so there is no price.")
        return
    if not costs["attempts"].sum():
        st.markdown(
            "What attempts cost is not recorded (`contacts.cost_amount`), so there is no price."
        )
        return
    st.markdown(contact_sentences.cost_sentence(costs))
    stage_costs = costs.filter(pl.col("stage") == stage)
    drawn = costs.filter(pl.col("cost_per_resolved").is_not_null()).select(
        name=pl.col("arm").replace(named.CHANNELS)
        + ", "
        + pl.col("stage").replace(named.STAGES).str.split(" ").list.first().str.to_lowercase(),
        value=pl.col("cost_per_resolved") * 100,
        low=pl.max_horizontal("cost_per_resolved_low", pl.col("cost_per_resolved") / 100) * 100,
        high=pl.col("cost_per_resolved_high") * 100,
        is_small="is_small",
        loans="treated_cases",
    )
    if drawn.height:
        drawn = drawn.filter(pl.col("value") > 0).sort("value")
        ui.heading(
            "Cost of one more resolved case",
            "Currency, by channel and stage: what the channel's attempts on a case cost by day 7,"
            " over the adjusted effect. With 95 % interval (Fieller); only where the effect is"
            " surely above 0. Equal distances are equal ratios. Stages are not"
            " alike: compare channels within one.",
        )
        ui.chart(
            drawn,
            prices(drawn["name"].to_list(), alt="Cost of one more resolved case."),
            key="costs",
        )
    ui.heading(
        f"Price by channel, {named.stage(stage).removeprefix('in the ')}",
        "Currency. Of an attempt in the chosen months; of one more case resolved and of one more"
        " unit of cash, among the cases that the effects are fitted on.",
    )
    ui.readable_table(_prices(stage_costs), alt="Price by channel")
    ui.evidence("channel_costs", frames.costs_table(costs), channel_costs, of="price")


def _prices(costs: pl.DataFrame) -> pl.DataFrame:
    """Costs in words where they have a reason, in numbers where they have none."""
    money = {
        "an_attempt": "cost_per_attempt",
        "a_case_resolved": "cost_per_resolved",
        "lowest": "cost_per_resolved_low",
        "highest": "cost_per_resolved_high",
        "a_unit_of_cash": "cost_per_cash",
    }
    of_cash = pl.lit("Of cash: ") + pl.col("cost_per_cash_reason").replace(COST_REASONS)
    why = pl.coalesce(pl.col("cost_per_resolved_reason").replace(COST_REASONS), of_cash)
    return costs.select(
        pl.col("arm").replace(named.CHANNELS).alias("channel"),
        *[(pl.col(column) * 100).alias(f"{name}_cents") for name, column in money.items()],
        why.fill_null("").alias("why_not"),
    )


def show_cash(found: Figures) -> None:
    """What comes by itself, whose cash it is called, and through how few channels."""
    st.subheader("What would come by itself, and who gets the credit?", anchor=False)
    lines = contact_sentences.self_cure_sentences(
        activity.self_cure(found.cash), found.effects.alone
    )
    lines.append(contact_sentences.totals_sentence(found.totals))
    st.markdown(" ".join(lines))
    if found.totals.height:
        ui.heading(
            "Cash by channel under three rules",
            "Currency, in the chosen months: the last contact that reached the debtor in the 14"
            " days before a payment, the first, or all of them in equal parts. Credit is no cause:"
            " see the adjusted effects.",
        )
        credit = _by_rule(found.cash)
        ui.readable_table(credit, alt="Cash by channel under three rules", height="content")
        ui.evidence("channel_cash", found.totals, attribution_totals, left_alone, of="credit")
    months = found.concentration
    if months.height and months["herfindahl"].count() > 1:
        ui.heading(
            "Through how many channels",
            "As if attempts were spread evenly over so many channels (1 / Herfindahl index), by"
            f" month. {contact_sentences.concentration_sentence(months)}",
        )
        shown = months.select("month", series=pl.lit("channels"), value="equal_channels")
        ui.chart(
            shown,
            channel_steps.spread(shown, alt="Equal channels by month."),
            key="concentration",
        )
        ui.evidence("channel_concentration", months, channel_concentration, of="concentration")


def _by_rule(cash: pl.DataFrame) -> pl.DataFrame:
    """A row a channel, a column a rule, and their totals."""
    wide = cash.pivot("rule", index="channel", values="cash_cents").fill_null(0)
    rules = [rule for rule in named.RULES if rule in wide.columns]
    total = wide.select(pl.lit("All").alias("channel"), *[pl.col(rule).sum() for rule in rules])
    rows = frames.ordered(wide, "channel", list(named.CHANNELS)).select("channel", *rules)
    return pl.concat([rows, total]).select(
        pl.col("channel").replace(named.CHANNELS),
        *[pl.col(rule).alias(f"{named.RULES[rule].replace(' ', '_')}_cents") for rule in rules],
    )


def show_rules(view: ui.View, found: Figures) -> None:
    """Is a channel used on the debts it suits, and is the timeline kept?"""
    st.subheader("Is each channel used where the rules say it suits?", anchor=False)
    suited = found.suited
    st.markdown(contact_sentences.suited_sentence(suited.shares, suited.unplaced))
    with_rule = [code for code in RULES if code in set(suited.cells["channel"])]
    if with_rule:
        labels = {named.channel(code): code for code in with_rule}
        channel = labels[ui.segmented("Channel", tuple(labels), key="suited")]
        rows = suited.cells.filter(pl.col("channel") == channel)
        buckets = {
            code: words.state(code) for code in view.book.buckets if code in set(rows["bucket"])
        }
        bands = named.amounts(suited.bounds)
        amounts = {code: label for code, label in bands.items() if code in set(rows["amount"])}
        rule = RULES[channel]
        ui.heading(
            f"{named.sentence(named.channels(channel))} suit"
            f" {words.listing(list(rule.amounts))} debts that are"
            f" {'long' if rule.is_long else 'briefly'} overdue",
            "Share of the channel's attempts by lateness and placed amount, %; framed blue fits the"
            " rule above, orange does not. Rules are opinion, not evidence.",
        )
        ui.chart(
            rows.select("bucket", "amount", "share_of_channel", "attempts", "verdict"),
            suits.suited(buckets, amounts, alt=f"Where {named.channels(channel)} were used."),
            key="suited_cells",
        )
        ui.evidence("suitability", suited.cells, suitability, suited_shares, of="suitability")
    st.subheader("Are the timeline's steps taken in time?", anchor=False)
    st.markdown(" ".join(contact_sentences.timeline_sentences(found.steps)))
    drawn = frames.taken(found.steps)
    if drawn.height:
        ui.heading(
            "Steps of the 7, 15, 30 and 60-day timeline",
            "Share of the cases due for the step, %: still open on that day of lateness, and old"
            " enough to tell.",
        )
        order = drawn["name"].unique(maintain_order=True).to_list()
        ui.chart(drawn, channel_steps.taken(order, alt="Steps of the timeline."), key="timeline")
        steps = frames.in_words(found.stage_steps)
        ui.evidence("timeline", steps, timeline_adherence, of="timeline by stage")
        _show_skipped(found)


def _show_skipped(found: Figures) -> None:
    """For each step what became of those in time and of those who skipped it."""
    drawn = frames.after_steps(found.after_steps)
    if drawn.is_empty():
        return
    ui.heading(
        "What becomes of cases that skip a step?",
        "Share resolved within 180 days of opening, %, of the cases in time and of those that"
        " skipped the step (in brackets: how many). With 95 % interval; hollow: fewer than 30."
        f" {' '.join(contact_sentences.skipping_sentences(found.after_steps))}",
    )
    ui.chart(
        drawn,
        intervals.dots(
            drawn["name"].to_list(), alt="Resolved, in time and skipped.", counted="Cases", row=36
        ),
        key="skipped",
    )
    rows = frames.in_words(found.after_steps)
    ui.evidence("timeline_skipped", rows, resolved_after, of="skipped steps")


def show_preferences(found: Figures) -> None:
    """Is the debtor's preferred channel the one that is used?"""
    st.subheader("Is it the channel the debtor prefers?", anchor=False)
    st.markdown(contact_sentences.preference_sentence(found.preferences))
    known = found.preferences.filter(pl.col("denominator") > 0)
    if known.height:
        drawn = known.sort("share", descending=True).select(
            "low",
            "high",
            "is_small",
            name=pl.col("channel").replace(named.CHANNELS),
            value="share",
            loans="denominator",
        )
        ui.heading(
            "Attempts that met the debtor's preference",
            "Share of the attempts through each channel whose debtor has a preference on record and"
            " prefers that channel, %, with 95 % interval.",
        )
        ui.chart(
            drawn, intervals.dots(drawn["name"].to_list(), alt="Preference met."), key="preferred"
        )
        ui.evidence("preferences", found.preferences, preference_met, of="preferred channel")
