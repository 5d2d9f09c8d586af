"""Strategies to begin with: what the documents ask for, and single changes to the baseline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from analytics.simulation_states import RollBook
from analytics.strategies import Strategy
from analytics.strategy_fields import STAGES

HIGH, MEDIUM, LOW = "high", "medium", "low"
Risk = Mapping[str, str]
SOONER_DAYS = 5.0


@dataclass(frozen=True)
class Preset:
    """A change to a strategy: its name, what it does in a sentence, what it serves."""

    name: str
    words: str
    requirements: str
    make: Callable[[Strategy, Risk], Strategy]


def risk_classes(book: RollBook) -> dict[str, str]:
    """Which segments are of high, medium and low risk?

    By the share of money late that rolled forward in the window's months, in thirds of the
    segments (the worst third is high).  A segment without late money is of medium risk.
    """
    late = book.opening[-book.window :, :, 1:].sum(axis=0)
    forward = (late * book.kinds[2][1:]).sum(axis=(1, 2))
    whole = late.sum(axis=(1, 2))
    known = [s for s in range(len(book.segments)) if whole[s] > 0]
    order = sorted(known, key=lambda s: forward[s] / whole[s])
    found = dict.fromkeys(book.segments, MEDIUM)
    for place, s in enumerate(order):
        third = place * 3 // max(len(order), 1)
        found[book.segments[s]] = (LOW, MEDIUM, HIGH)[third]
    return found


def _stage(*names: str) -> pl.Expr:
    return pl.col("stage").is_in(names)


def _of(risk: Risk, kind: str) -> pl.Expr:
    return pl.col("segment").is_in([segment for segment, own in risk.items() if own == kind])


def _at_least(name: str, value: float) -> pl.Expr:
    return pl.max_horizontal(pl.col(name).fill_null(0.0), pl.lit(value)).alias(name)


def _at_most(name: str, value: float) -> pl.Expr:
    return pl.min_horizontal(pl.col(name).fill_null(value), pl.lit(value)).alias(name)


def _times(name: str, factor: float) -> pl.Expr:
    return (pl.col(name) * factor).clip(0.0, 100.0).alias(name)


def timeline(strategy: Strategy, risk: Risk) -> Strategy:
    """Reminders from day 7, calls from day 15, a team and suits prepared from 30, suits from 60."""
    soft = [_at_least("attempts_sms", 4.0), _at_least("attempts_messenger", 2.0)]
    early = [*soft, _at_least("attempts_call", 2.0), _at_most("first_contact_day", 5.0)]
    middle = [
        _at_least("attempts_call", 4.0),
        _at_least("attempts_letter", 1.0),
        _at_least("attempts_visit", 0.5),
    ]
    late = [_at_least("attempts_call", 4.0), _at_least("attempts_visit", 1.0)]
    made = strategy.with_treatments(*early, only=_stage("early"))
    made = made.with_treatments(*middle, only=_stage("middle"))
    made = made.with_treatments(*late, _at_least("suit_share", 0.03), only=_stage("late"))
    return made.with_treatments(pl.lit(60.0).alias("suit_day"), only=_stage("middle", "late"))


def legal_first(strategy: Strategy, risk: Risk) -> Strategy:
    """High-risk cases go to court early: suits from the middle stage on, fewer calls."""
    where = _of(risk, HIGH)
    twice = (pl.col("suit_share").fill_null(0.0) * 2).clip(0.10, 1.0).alias("suit_share")
    suits = [twice, pl.lit(60.0).alias("suit_day")]
    made = strategy.with_treatments(*suits, only=where & _stage("middle", "late"))
    return made.with_treatments(_times("attempts_call", 0.5), only=where & _stage("late"))


def soft_contact(strategy: Strategy, risk: Risk) -> Strategy:
    """Low-risk cases are reminded rather than chased: messages for calls and visits, a plan."""
    where = _of(risk, LOW) & _stage("early", "middle")
    return strategy.with_treatments(
        _times("attempts_call", 0.5),
        _times("attempts_visit", 0.0),
        _at_least("attempts_sms", 4.0),
        _at_least("attempts_messenger", 2.0),
        _at_least("plan_share", 0.3),
        only=where,
    )


def sooner(strategy: Strategy, risk: Risk) -> Strategy:
    """Cases are contacted five working days sooner, or at once."""
    day = (pl.col("first_contact_day") - SOONER_DAYS).clip(lower_bound=0.0)
    return strategy.with_treatments(day.alias("first_contact_day"), only=~_stage("reminder"))


def half_by_bot(strategy: Strategy, risk: Risk) -> Strategy:
    """Half of the calls of the early stage are made by the voice bot."""
    return strategy.with_treatments(pl.lit(0.5).alias("bot_share"), only=_stage("early"))


def more_calls(strategy: Strategy, risk: Risk) -> Strategy:
    """Every late case is called twice as often."""
    return strategy.with_treatments(_times("attempts_call", 2.0), only=~_stage("reminder"))


PRESETS: Mapping[str, Preset] = {
    "as_measured": Preset("As it is done", "Nothing changes.", "", lambda one, _: one),
    "timeline": Preset(
        "The 7/15/30/60 timeline",
        "Text and messenger in the first week, calls by day 15, letters and visits from day 30,"
        " suits from day 60.",
        "S024-S027",
        timeline,
    ),
    "legal_first": Preset(
        "Legal first for high risk",
        "Of high-risk cases over 60 days late twice as many are sued as now, and a tenth each month"
        " at least; late ones get half the calls.",
        "S012",
        legal_first,
    ),
    "soft_contact": Preset(
        "Soft contact for low risk",
        "Low-risk cases up to 90 days late get messages and plans instead of calls and visits.",
        "S014",
        soft_contact,
    ),
    "sooner": Preset(
        "Contact up to five working days sooner",
        "First contact five working days sooner, or on the first day.",
        "S063",
        sooner,
    ),
    "half_by_bot": Preset(
        "Half of first calls by bot",
        "Half of the calls of cases up to 30 days late are made by the voice bot.",
        "S050",
        half_by_bot,
    ),
    "more_calls": Preset(
        "Twice the calls", "Every late case is called twice as often.", "S022", more_calls
    ),
}


def preset(code: str, baseline: Strategy, risk: Risk) -> Strategy:
    """The baseline changed by a preset, under the preset's name."""
    chosen = PRESETS[code]
    return chosen.make(baseline, risk).named(chosen.name)


def stages_in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows by stage, the earliest first."""
    order = pl.col("stage").replace_strict(STAGES, range(len(STAGES)), return_dtype=pl.Int8)
    return rows.sort(order, maintain_order=True)
