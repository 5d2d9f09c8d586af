"""Channels: from attempt to cash, and by which rules."""

from __future__ import annotations

import polars as pl
import streamlit as st

import ui
from analytics.channels import channel_funnel
from analytics.preferences import preference_met
from analytics.suitability import RULES, suitability, suited_shares
from analytics.timeline import resolved_after, timeline_adherence
from charts import channel_steps, contact_sentences, intervals
from charts import channel_words as named
from charts import format as words
from charts import suitability as suits
from figures import channel_frames as frames
from figures import channel_work as activity
from figures.channels import Figures

SEGMENTS = {"Product": "product", "Region": "region", "Grade": "grade"}


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
            " rule above, orange does not. Rules are opinion, not evidence."
            + (f" Amounts: {words.listing(list(bands.values()))}." if suited.bounds else ""),
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
            f" enough to tell. {contact_sentences.not_due_sentence(found.steps)}",
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
        f" {' '.join(contact_sentences.skipping_sentences(found.after_steps))}"
        f" {contact_sentences.undrawn_sentence(found.after_steps)}",
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
    known, unwanted = known.filter(pl.col("numerator") > 0), known.filter(numerator=0)
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
            "Of the attempts through each channel on debtors with a preference on record, the share"
            " on debtors who prefer that channel, %, with 95 % interval."
            f"{contact_sentences.unwanted_words(unwanted['channel'].to_list())}",
        )
        ui.chart(
            drawn, intervals.dots(drawn["name"].to_list(), alt="Preference met."), key="preferred"
        )
        ui.evidence("preferences", found.preferences, preference_met, of="preferred channel")
