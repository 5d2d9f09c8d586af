"""What channels did and what followed, added up for the Channels page."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import streamlit as st

import ui
from analytics.channels import (
    FUNNEL,
    NOBODY,
    attribution_totals,
    channel_concentration,
    channel_funnel,
)
from analytics.preferences import preference_met
from queries import channels

_COUNTS = tuple(dict.fromkeys(name for pair in FUNNEL.values() for name in pair))


def funnel(work: pl.DataFrame, over: Sequence[str]) -> pl.DataFrame:
    """The steps from attempt to promise kept, by some columns."""
    counts = work.with_columns(pl.col(_COUNTS).fill_null(0))
    return channel_funnel(counts.group_by(over).agg(pl.col(_COUNTS).sum()).sort(over), over=over)


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def segment_work(key: str, by: str, _view: ui.View) -> pl.DataFrame:
    """What came of attempts by channel, stage and a segment."""
    return ui.load(_view, channels.segment_work, by=by)


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def segment_cash(key: str, by: str, _view: ui.View) -> pl.DataFrame:
    """Cash by rule, channel and a segment."""
    return ui.load(_view, channels.segment_cash, by=by)


def by_rule(cash: pl.DataFrame) -> pl.DataFrame:
    """Cash by rule and channel, and its share of all under that rule."""
    summed = cash.group_by("rule", "channel").agg(pl.col("cash_cents").sum())
    whole = pl.col("cash_cents").sum().over("rule")
    share = pl.when(whole > 0).then(pl.col("cash_cents") / whole)
    return summed.with_columns(share=share).sort("rule", "channel")


def totals(cash: pl.DataFrame) -> pl.DataFrame:
    """The total under each rule; none where there are not two rules to compare."""
    if cash["rule"].n_unique() < 2:
        return pl.DataFrame()
    rules = {"last": 0, "first": 1, "equal": 2}
    order = pl.col("rule").replace_strict(rules, default=9)
    return attribution_totals(cash.select("rule", "channel", "cash_cents").sort(order))


def self_cure(cash: pl.DataFrame) -> float | None:
    """The share of cash that followed no contact, which is the same under every rule."""
    shares = cash.filter(pl.col("rule") == "last", pl.col("channel") == NOBODY)["share"]
    return shares[0] if len(shares) else None


def concentration(work: pl.DataFrame) -> pl.DataFrame:
    """Herfindahl index of attempts by channel, month by month."""
    if work.is_empty():
        return pl.DataFrame()
    return channel_concentration(work, over=("month",)).sort("month")


def preferences(work: pl.DataFrame) -> pl.DataFrame:
    """By channel used: how many attempts met the debtor's preference."""
    return preference_met(work.with_columns(pl.col("preference_known", "preferred").fill_null(0)))


def answers(work: pl.DataFrame) -> pl.DataFrame:
    """What single channels are asked: letters delivered, links followed, bots answered."""
    parts = ("attempts", "delivered", "opened", "clicked", "reached", "right_party")
    return work.group_by("channel").agg(pl.col(parts).fill_null(0).sum()).sort("channel")
