"""What the desk for a trial shows: where a trial starts from, its size and its guard-rail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import polars as pl
import streamlit as st

import ui
from analytics.recovery import resolved_share
from analytics.trial_complaints import rise_noticed, stop_limits
from analytics.trials import accounts_needed, difference_found, weeks_needed
from charts import format as words
from figures.choices import of_the_book
from queries import complaint_marts, recovery

HORIZONS = (30, 60, 90, 180)  # days within which a case of a trial is resolved
WEEKS_A_MONTH = 365.25 / 12 / 7
MOST_ACCOUNTS = 10_000_000  # of an arm: no book has more
MOST_EXPECTED = 10_000  # complaints of an arm for which the stop rule is written down
PARTS = (0.25, 0.5, 1, 2, 4)  # of the accounts needed: trials beside it


@dataclass(frozen=True)
class Start:
    """What a trial starts from, as the book shows it; None where it does not."""

    share: float | None
    new_a_week: float | None
    complaints: float | None  # per 1,000 attempts
    attempts: float | None  # of a new case


def trial_start(view: ui.View, days: int) -> Start:
    """Of the last twelve months, the whole book; `days` to the outcome, one of `HORIZONS`."""
    return _trial_start(view.version, of_the_book(view), days)


@st.cache_resource(max_entries=16, ttl=3600, show_spinner=False)
def _trial_start(key: str, _view: ui.View, days: int) -> Start:
    view = replace(_view, chosen=replace(_view.chosen, window=12))
    share = new = complaints = attempts = None
    if view.book.table_rows.get("cases") and recovery.is_there(view.marts):
        of = resolved_share(ui.load(view, recovery.cohorts), by=["horizon"])
        found = of.filter(pl.col("horizon") == days)["share"].to_list()
        share = found[0] if found else None
        placed = ui.load(view, recovery.placements)
        if placed.height:
            new = float(placed["cases"].sum()) / (placed.height * WEEKS_A_MONTH)
    if view.book.table_rows.get("complaints") and complaint_marts.is_there(view.marts):
        made = int(ui.load(view, complaint_marts.attempts, by=())["attempts"].sum() or 0)
        came = int(ui.load(view, complaint_marts.counted)["complaints"].sum() or 0)
        if made:
            complaints = 1000 * came / made
            attempts = made / (new * 12 * WEEKS_A_MONTH) if new else None
    return Start(share, new, complaints, attempts)


@dataclass(frozen=True)
class Wish:
    """What a trial is to find; shares from 0 to 1."""

    share: float
    hoped: float
    power: float
    error: float
    in_trial: float
    days: int
    new_a_week: float | None
    complaints: float | None
    attempts: float | None


@dataclass(frozen=True)
class Plan:
    """The accounts of an arm, the weeks (None: not known, or never), and trials beside it.

    `rise`, `attempts` and `limits` of complaints; None where complaints or attempts are not known.
    """

    accounts: int
    weeks: int | None
    sizes: pl.DataFrame
    attempts: float | None
    rise: float | None
    limits: pl.DataFrame | None


def wish_problems(typed: Mapping[str, float | None]) -> dict[str, str]:
    """A sentence for each field of a wish that cannot be right."""
    found: dict[str, str] = {}
    for name, last in (("share", 0.999), ("hoped", 0.999), ("in_trial", 1.0)):
        value = typed[name]
        if value is None or not 0.001 <= round(value, 9) <= last:  # 99.9 / 100 is a little more
            found[name] = f"From 0.1 to {words.number(last * 100, decimals=1)} %."
    if not found and _shown(typed["share"]) == _shown(typed["hoped"]):
        found["hoped"] = "Not today's share: a trial looks for a difference."
    for name, first, last in (("power", 0.5, 0.99), ("error", 0.001, 0.2)):
        value = typed[name]
        if value is None or not first <= value <= last:
            ends = (words.number(100 * end, decimals=int(end < 0.01)) for end in (first, last))
            found[name] = f"From {' to '.join(ends)} %."
    for name in ("new_a_week", "complaints", "attempts"):
        value = typed[name]
        if value is not None and not 0 <= value <= MOST_ACCOUNTS:
            found[name] = f"From 0 to {words.number(MOST_ACCOUNTS)}."
    return found


def _shown(share: float | None) -> float | None:
    """A share as its field shows it: per cent, to one decimal."""
    return None if share is None else round(share * 100, 1)


def planned(wish: Wish) -> Plan:
    """The trial that finds what is wished for."""
    errors = {"power": wish.power, "error": wish.error}
    accounts = accounts_needed(wish.share, wish.hoped, **errors)
    sizes = sorted({max(10, round(accounts * part)) for part in PARTS})
    smallest = [difference_found(wish.share, size, **errors) for size in sizes]
    frame = pl.DataFrame(
        {
            "accounts_an_arm": sizes,
            "smallest_difference": smallest,
            "weeks": [_weeks(wish, size) for size in sizes],
        },
        schema={
            "accounts_an_arm": pl.Int64,
            "smallest_difference": pl.Float64,
            "weeks": pl.Int64,
        },
    )
    attempts = rise = limits = None
    if wish.complaints is not None and wish.attempts:
        attempts = accounts * wish.attempts
        rise = rise_noticed(wish.complaints, attempts, power=wish.power)
        expected = min(wish.complaints * attempts / 1000, MOST_EXPECTED)
        limits = stop_limits(sorted({0, *(round(expected * part) for part in (0.25, 0.5, 1))}))
    return Plan(accounts, _weeks(wish, accounts), frame, attempts, rise, limits)


def _weeks(wish: Wish, accounts: int) -> int | None:
    if not wish.new_a_week:
        return None
    return weeks_needed(accounts, wish.new_a_week, share=wish.in_trial, days=wish.days)


def count_problems(typed: Mapping[str, int | None]) -> dict[str, str]:
    """A sentence for each count of a trial's result that cannot be right."""
    found = {}
    for part, whole in (("new_resolved", "new_accounts"), ("resolved", "accounts")):
        count, of = typed[part], typed[whole]
        if of is None or not 1 <= of <= MOST_ACCOUNTS:
            found[whole] = f"From 1 to {words.number(MOST_ACCOUNTS)} accounts."
        if count is None or count < 0:
            found[part] = "A number of accounts, no fewer than 0."
        elif of is not None and count > of:
            found[part] = "No more than the arm's accounts."
    return found
