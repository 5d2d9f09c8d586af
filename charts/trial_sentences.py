"""A trial in words: what it needs, what it would notice, when it stops, what it showed."""

from __future__ import annotations

from typing import Any

from charts.format import listing, number, percent, points
from charts.sentences import plural


def needed_sentence(
    share: float,
    hoped: float,
    accounts: int,
    *,
    power: float,
    weeks: int | None,
    is_known: bool = True,
) -> str:
    """How many accounts, and how long; `is_known`: whether new cases a week are."""
    how_long = "" if not is_known else "No new cases come to fill it with."
    if weeks is not None:
        how_long = f"At this number of new cases it takes {plural(weeks, 'week')}."
    way = "rising" if hoped > share else "falling"
    return (
        f"To find {percent(share)} {way} to {percent(hoped)} with"
        f" {percent(power, decimals=0)} probability, each arm needs {number(accounts)}"
        f" accounts. {how_long}"
    ).strip()


def too_small_sentence(accounts: int) -> str:
    """To somebody who looks for too small a difference."""
    return (
        f"Each arm would need {number(accounts)} accounts: the difference is too small for a trial."
    )


def rise_sentence(rate: float, rise: float | None, attempts: float) -> str:
    """What the guard-rail would notice."""
    if rise is None:
        return "So many complaints are expected that any rise that matters is noticed."
    before = rate * attempts / 1000
    times = (rate + rise) / rate if rate else None
    factor = "" if times is None else f": {number(times, decimals=1)} times today's rate"
    return (
        f"Complaints: about {number(before, decimals=0 if before >= 10 else 1)} are expected in an"
        f" arm. The smallest rise that the trial would notice is one of {number(rise, decimals=2)},"
        f" from {number(rate, decimals=2)} to {number(rate + rise, decimals=2)} per 1,000"
        f" attempts{factor}."
        + (" A smaller rise would mostly go unseen." if times is None or times > 1.5 else "")
    )


def stop_sentences(limits: list[dict[str, Any]]) -> list[str]:
    """The stop rule, in words."""
    examples = listing(
        [
            f"{number(one['stop_at'])} where the present way has {number(one['present'])}"
            for one in limits
        ]
    )
    return [
        "Draw each account's arm at random when its case is opened, and keep it there.",
        "Every week, count the complaints of both arms, with as many attempts in each.",
        f"Stop at once when the new way has {examples}: chance brings that once in a thousand.",
        "Stop at once at a grave complaint that the new way caused.",
        "Otherwise go on to the end, and look at who resolved only then.",
    ]


def shown_sentence(shown: Any) -> str:
    """What a trial showed."""
    span = f"{points(shown.low)} to {points(shown.high)} points"
    if not shown.is_beyond_noise:
        return f"A difference of {points(shown.difference)} points is within noise: {span}."
    way = "more" if shown.difference > 0 else "fewer"
    return (
        f"The new way resolves {way}: {points(shown.difference)} points, with 95 % interval {span}."
    )


def found_sentence(accounts: int, share: float, difference: float | None, *, power: float) -> str:
    """What a trial of so many accounts could have shown."""
    if difference is None:
        return f"With {number(accounts)} accounts an arm, no rise would be found."
    return (
        f"With {number(accounts)} accounts an arm and {percent(share)} today, a rise of"
        f" {points(difference)} points is found with {percent(power, decimals=0)} probability;"
        " smaller ones are mostly missed."
    )
