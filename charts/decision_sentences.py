"""Decisions and trials in words: were we right, and what would a trial need?

Names and words from the app's own database are made plain here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from charts.format import chance, day, listing, moment, number, percent, plain, points
from charts.sentences import plural

MEASURES = {
    "cash": "Cash collected",
    "late_cash": "Cash from late loans",
    "charged_off": "Charged off and sold",
}
EVIDENCE = {"estimated": "Estimated", "assumed": "Assumed", "none": "No evidence"}
VERDICTS = {
    "waiting": "Not known yet",
    "in_line": "Within chance",
    "too_high": "Forecast too high",
    "too_low": "Forecast too low",
    "too_narrow": "Interval too narrow",
}
PLACES = {
    "inside": "Inside",
    "below": "Below",
    "above": "Above",
    "before": "Before the decision",
    "ahead": "Not known yet",
}


def measure_words(code: str) -> str:
    """A measure's name; a code that this version does not know stays as it is."""
    return MEASURES.get(code, plain(code))


def answer(rows: int, score: Any, level: float) -> list[str]:
    """What we decided and whether we were right, in two sentences."""
    if not score.months:
        so_far = f"{plural(rows, 'decision')} so far"
        return [
            f"{so_far}. No month has ended since that could show whether it was right."
            if rows == 1
            else f"{so_far}. No month has ended since that could show whether they were right."
        ]
    first = (
        f"{plural(rows, 'decision')}, {number(score.decisions)} of them scored on"
        f" {plural(score.months, 'month')}: {percent(score.coverage, decimals=0)} of the months lie"
        f" inside their {percent(level, decimals=0)} interval."
    )
    return [first, coverage_sentence(score, level)]


def coverage_sentence(score: Any, level: float) -> str:
    """What the coverage says about the intervals, and what it does not."""
    span = f"{percent(score.low, decimals=0)} to {percent(score.high, decimals=0)}"
    wanted = percent(level, decimals=0)
    few = (
        "One decision with months of its own"
        if score.apart == 1
        else f"{number(score.apart)} decisions with months of their own"
    )
    if score.low <= level <= score.high:
        return f"{few} cannot tell whether the intervals are right: {span} is possible."
    if score.high < level:
        return f"The intervals are too narrow: they hold {span}, not {wanted}."
    return f"The intervals are wider than they need be: they hold {span}, not {wanted}."


def bias_words(bias: float | None) -> str:
    """How far actuals lay from the forecast.

    >>> bias_words(-0.031), bias_words(None)
    ('−3.1 %', '–')
    """
    text = points(bias)
    return text if bias is None else f"{text} %"


def brier_words(brier: float | None) -> str:
    """A Brier score beside what a coin brings: 0.18 (a coin: 0.25)."""
    return f"{number(brier, decimals=2)} (a coin: {number(0.25, decimals=2)})"


def months_sentence(row: Mapping[str, Any]) -> str:
    """What one decision's months say: how many lie inside, and whether chance brings so few."""
    if not row["months"]:
        return "No month is known yet."
    said = {
        "in_line": "no more outside than chance brings",
        "too_high": "less came than was forecast",
        "too_low": "more came than was forecast",
        "too_narrow": "the interval was too narrow",
    }[row["verdict"]]
    return f"{number(row['inside'])} of {plural(row['months'], 'month')} inside, {said}."


def fan_title(name: str, row: Mapping[str, Any]) -> str:
    """The same with the decision's name, as a chart's title."""
    said = months_sentence(row).removesuffix(".")
    return f"{plain(name)}: {said[0].lower()}{said[1:]}"


def fan_subtitle(measure: str, level: float, as_of: date, decided_on: date, unit: str) -> str:
    """What the fan shows."""
    return (
        f"{measure_words(measure)} by month, {unit}. Band: {percent(level, decimals=0)} interval of"
        f" the strategy's forecast, made from data to {day(as_of)}; decided on {day(decided_on)}."
        " Months that had ended by then are not scored."
    )


def better_sentence(row: Mapping[str, Any], p_better: float | None) -> str | None:
    """Whether it was better than the baseline's forecast, and what was said before."""
    said = (
        ""
        if p_better is None
        else f" The chance that it is better was given as {chance(p_better)}."
    )
    if not row["months"]:
        return said.strip() or None
    return (
        f"{number(row['better'])} of {plural(row['months'], 'month')} lie above what was expected"
        f" of the baseline.{said} What the baseline would have brought is not known."
    )


def scope_words(scope: Mapping[str, tuple[str | None, ...]]) -> str:
    """What a decision is about: the whole book, or products and regions by name."""
    parts = [
        f"{kind} {listing([plain(one) if one is not None else 'not recorded' for one in values])}"
        for kind, values in scope.items()
        if values
    ]
    return ", ".join(parts) if parts else "the whole book"


def taken_sentence(name: str, by: str, at: datetime, *, is_deleted: bool = False) -> str:
    """To somebody who saves a name that somebody else has saved, or deleted, since."""
    did = "deleted" if is_deleted else "saved"
    return (
        f"Nothing was saved: {plain(by)} {did} {plain(name)} on {moment(at)} UTC. Save yours as a"
        " new version after it, or under another name."
    )


def gone_sentence(name: str, by: str, at: datetime) -> str:
    """To somebody who follows a link to a strategy that was deleted."""
    return f"The strategy {plain(name)} was deleted by {plain(by)} on {moment(at)} UTC."


def decided_sentence(name: str, version: int, owner: str, by: str, on: date, at: datetime) -> str:
    """Who decided what, and when."""
    return (
        f"{plain(name)}, version {version}: decided on {day(on)}, owner {plain(owner)}; written by"
        f" {plain(by)}, {moment(at)} UTC."
    )
