"""What Health warns of: what moved beyond its usual variation, what crossed a limit; and what its
figures are."""

from __future__ import annotations

from collections.abc import Mapping
from math import expm1
from typing import Any, Literal

import polars as pl

from charts.format import Basis, number, percent, points, state
from charts.sentences import plural, rose, usually

SHOWN_ROLLS = 5

# What each figure is called, the page that explains it, whether a rise is worse, and its unit.
# A rise in complaints is told by its signal, over its weeks.
_FIGURES: dict[str, tuple[str, str, bool, Literal["points", "%", "per 1,000"]]] = {
    "30+": ("the 30+ rate", "portfolio/aging", True, "points"),
    "60+": ("the 60+ rate", "portfolio/aging", True, "points"),
    "90+": ("the 90+ rate", "portfolio/aging", True, "points"),
    "charge_offs": ("the charge-off rate, annualised,", "portfolio/roll_rates", True, "points"),
    "cash": ("cash paid", "reference/data_quality", False, "%"),
    "collected": ("cash on cases", "recovery/recovery", False, "%"),
    "cost": ("the cost to collect", "recovery/recovery", True, "points"),
    "breaches": ("rule breaches", "conduct/contact_rules", True, "per 1,000"),
}


def tile_meaning(name: str, *, is_money: bool) -> str:
    """What a headline figure of Health is: the numerator over the denominator, in words."""
    what = "balance" if is_money else "loans"
    return _MEANINGS.get(name, _LATE).format(days=name.removesuffix("+"), what=what)


_LATE = "Open {what} more than {days} days late, over all open {what}."
_MEANINGS = {
    "size": "The open {what} at the month's end, charged-off and closed loans left out.",
    "charge_offs": "Twelve times the {what} charged off in the month, over the open {what} a month"
    " before.",
    "cash": "What borrowers paid in the month, as payments or, without those, histories say.",
    "collected": "What was paid in the month on loans with an open case, less what was reversed.",
    "cost": "The month's recurring costs of collecting, over the cash paid on cases in it.",
    "complaints": "Complaints received in the month, over its contact attempts, times 1,000.",
    "breaches": "Contacts that broke a rule, once for each rule, over the month's attempts while a"
    " rule was in force, times 1,000.",
}


def limit_sentences(crossed: pl.DataFrame) -> list[tuple[str, str]]:
    """Which fixed limits are crossed, and the page that explains it."""
    words = {
        "level": "The 30+ rate, {value}, is above the limit of {limit}.",
        "year_rise": "The 30+ rate rose by {value} of itself in a year; the limit is {limit}.",
    }
    return [
        (
            "portfolio/aging",
            words[row["rule"]].format(
                value=percent(row["value"]), limit=percent(row["limit"], decimals=0)
            ),
        )
        for row in crossed.filter("is_crossed").iter_rows(named=True)
    ]


def warning_sentences(
    changes: Mapping[str, Any], rolls: pl.DataFrame, *, basis: Basis
) -> list[tuple[str, str]]:
    """What moved for the worse (or neither way) beyond its usual variation, and the page that
    explains it.  `rolls`: the changed roll rates, each movement once."""
    news = rolls.filter(pl.col("is_worse").fill_null(value=True)) if rolls.height else rolls
    if news.height:
        news = news.sort("is_worse", descending=True, nulls_last=True, maintain_order=True)
    return [*_figures_moved(changes, is_worse=True), *_rolls_moved(news, basis)]


def better_sentences(
    changes: Mapping[str, Any], rolls: pl.DataFrame, *, basis: Basis
) -> list[tuple[str, str]]:
    """What moved for the better beyond its usual variation, and the page that explains it."""
    news = rolls.filter(~pl.col("is_worse")) if rolls.height else rolls
    return [*_figures_moved(changes, is_worse=False), *_rolls_moved(news, basis)]


def _figures_moved(changes: Mapping[str, Any], *, is_worse: bool) -> list[tuple[str, str]]:
    """The figures that moved for the worse (or the better), whichever way that is for each."""
    return [
        (page, f"{'Worse' if is_worse else 'Better'}: {subject} {_move_words(changes[name], unit)}")
        for name, (subject, page, rise_is_worse, unit) in _FIGURES.items()
        if name in changes
        and changes[name].is_beyond_noise
        and ((changes[name].difference > 0) == rise_is_worse) == is_worse
    ]


def _move_words(change: Any, unit: Literal["points", "%", "per 1,000"]) -> str:
    """How far a figure moved, to what, and how far it usually moves; in % of a logarithm."""
    way, size, usual = rose(change.difference), abs(change.difference), change.usual_difference
    if unit == "%":
        moved = percent(abs(expm1(change.difference)))
        return f"{way} {moved}; the usual move is {percent(expm1(usual))}."
    if unit == "per 1,000":
        moved, level, often = (number(one, decimals=2) for one in (size, change.value, usual))
        return f"{way} {moved} to {level} per 1,000 attempts; the usual move is {often}."
    level = percent(change.value)
    return f"{way} {_size(size)} points to {level}; the usual move is {_size(usual)}."


def _size(difference: float) -> str:
    """A difference of shares in points, without its sign."""
    return points(abs(difference)).lstrip("+")


def _rolls_moved(rolls: pl.DataFrame, basis: Basis) -> list[tuple[str, str]]:
    lines = []
    for row in rolls.head(SHOWN_ROLLS).iter_rows(named=True):
        tone = {True: "Worse: ", False: "Better: ", None: ""}[row["is_worse"]]
        lines.append(
            (
                "portfolio/roll_rates",
                f"{tone}{state(row['from_state'], basis=basis)} to"
                f" {state(row['to_state'], basis=basis).lower()} {rose(row['difference'])}"
                f" {_size(row['difference'])} points to {percent(row['rate'])} ({usually(row)}).",
            )
        )
    if rolls.height > SHOWN_ROLLS:
        more = plural(rolls.height - SHOWN_ROLLS, "more roll rate")
        lines.append(("portfolio/roll_rates", f"{more} changed."))
    return lines
