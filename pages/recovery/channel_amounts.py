"""Channels: do more attempts, or earlier ones, do more?"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
import streamlit as st

import ui
from analytics.channel_amounts import fit_channel
from analytics.channel_effects import ASSUMPTION, ASSUMPTIONS
from analytics.effect_sums import REASONS, effects
from charts import channel_words as named
from charts import dose_sentences
from charts import effects as effect_charts
from charts.channel_sentences import Outcome
from figures import channel_frames as frames
from figures.channels import Effects

LEVELS = {"dose": named.DOSES, "first_day": named.FIRST_DAYS}


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
        dose_sentences.dose_sentence(doses, outcome, stage=stage, channel=channel),
        dose_sentences.early_sentence(days, outcome, channel=channel),
        dose_sentences.thin_sentence(doses, days) if channel else None,
        *dose_sentences.reason_sentences(doses, REASONS, dose_sentences.dose_words),
    ]
    parts = {
        name: (frames.amounts(part, LEVELS[name], outcome), frames.table(part, outcome))
        for name, part in rows.items()
        if part["raw"].count() + part["effect"].count()
    }
    if channel or "first_day" not in parts:
        lines += dose_sentences.reason_sentences(days, REASONS, named.FIRST_DAYS.__getitem__)
    return Amounts(" ".join(line for line in lines if line), parts)


def show_amounts(key: str, found: Effects, outcome: Outcome, stage: str) -> None:
    """What more attempts, and an earlier first one, do: all channels together."""
    amounts = _amounts(key, outcome, stage, None, found)
    if not amounts.lines:
        return
    st.subheader("Do more attempts, or earlier ones, do more?", anchor=False)
    st.markdown(amounts.lines)
    _draw_amounts(amounts, outcome, stage)


def show_own_amounts(key: str, found: Effects, outcome: Outcome, stage: str, channel: str) -> None:
    """What more attempts by one channel, and an earlier first one by it, do."""
    amounts = _amounts(key, "resolved", stage, channel, found)
    if not amounts.lines:
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
                f"{'Adjusted' if channel else 'adjusted'} for {scope}. Circles: adjusted;"
                " diamonds: raw. 95 % intervals, broken where overlap is thin; hollow: few cases.",
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
