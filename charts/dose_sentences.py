"""Whether more attempts, or earlier ones, do more, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from charts import channel_words as named
from charts.channel_sentences import Outcome, amount, cash, ends
from charts.format import listing, percent


def dose_sentence(
    rows: pl.DataFrame, outcome: Outcome, *, stage: str, channel: str | None = None
) -> str:
    """What one attempt adds, and whether more of them add more: rows in order of the dose."""
    known = rows.filter(pl.col("effect").is_not_null())
    if known.is_empty():
        return ""
    each = [
        f"{_effect(row, outcome)} with {named.DOSES[row['arm']]}"
        for row in known.iter_rows(named=True)
    ]
    unit = "points of resolved share" if outcome == "resolved" else "cash a case"
    none = f"cases without {named.channels(channel)}" if channel else "no attempt"
    line = (
        f"Against {none} in the first week, {named.stage(stage)}, in {unit} (95 % intervals):"
        f" {listing(each)}."
    )
    if known.height < 2:
        return line
    before, last = known.row(-2, named=True), known.row(-1, named=True)
    if last["low"] > before["high"]:
        return line + " Every step adds more for sure."
    if last["high"] < before["low"]:
        return line + " The last step takes some of it back."
    return (
        f"{line} Whether {named.DOSES[last['arm']]} attempts do more than"
        f" {named.DOSES[before['arm']]} is not sure: their intervals overlap."
    )


def early_sentence(rows: pl.DataFrame, outcome: Outcome, *, channel: str | None = None) -> str:
    """Whether an earlier first attempt adds more: rows in order of the day."""
    known = rows.filter(pl.col("effect").is_not_null())
    if known.height < 2:
        return ""
    first, last = known.row(0, named=True), known.row(-1, named=True)
    by = f" by {named.channel(channel).lower()}" if channel else ""
    line = (
        f"With the first attempt{by} on {named.FIRST_DAYS[first['arm']]} the effect is"
        f" {_effect(first, outcome)}, on {named.FIRST_DAYS[last['arm']]}"
        f" {_effect(last, outcome)}"
    )
    if first["low"] > last["high"]:
        return f"{line}: sooner is surely better."
    if first["high"] < last["low"]:
        return f"{line}: later is surely better."
    return f"{line}: whether sooner is better is not sure."


def _effect(row: Mapping[str, Any], outcome: Outcome) -> str:
    """An effect with its interval: +3.0 (2.0 to 4.0)."""
    return f"{_change(row['effect'], outcome)} ({ends(row['low'], row['high'], outcome)})"


def _change(value: float, outcome: Outcome) -> str:
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return sign + (
        amount(value, outcome).removesuffix(" points")
        if outcome == "resolved"
        else cash(abs(value))
    )


def reason_sentences(rows: pl.DataFrame, reasons: Mapping[str, str], names: Any) -> list[str]:
    """Why there is no estimate, one sentence for each reason, naming what it holds for."""
    without = rows.filter(pl.col("reason").is_not_null())
    return [
        f"{named.sentence(listing([names(arm) for arm in part['arm']]))}: no estimate is possible."
        f" {reasons[reason]}"
        for (reason,), part in without.group_by(["reason"], maintain_order=True)
    ]


def thin_sentence(doses: pl.DataFrame, days: pl.DataFrame) -> str:
    """For which numbers of attempts, and days of the first, few like cases can be compared."""
    thin = [rows.filter(pl.col("overlap") == "thin") for rows in (doses, days)]
    names = [dose_words(arm) for arm in thin[0]["arm"]]
    names += [named.FIRST_DAYS[arm] for arm in thin[1]["arm"]]
    if not names:
        return ""
    most = max(share for rows in thin for share in rows["outside_share"])
    return (
        f"Overlap is thin for {listing(names)}: for up to {percent(most, decimals=0)} of the cases"
        " one of the two was all but certain, so the estimate leans on few cases."
    )


def dose_words(arm: str) -> str:
    """1 attempt, 2–3 attempts, 4 or more attempts."""
    return f"{named.DOSES[arm]} attempt{'' if arm == '1' else 's'}"
