"""The answers at the top of a page, in words: results in, one or two sentences out.

Names from the data are made plain here, so that what comes out is safe Markdown.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from charts.format import (
    Basis,
    money,
    month,
    number,
    percent,
    plain,
    points,
    state,
)


def name_of(segment: str, value: str | None) -> str:
    """A segment's value as a sentence names it: `region North`, `region not recorded`."""
    return f"{segment} not recorded" if value is None else f"{segment} {plain(value)}"


def rose(difference: float) -> str:
    return "rose" if difference > 0 else "fell"


def share_words(share: float) -> str:
    """A share of a change in words: `most of it`, `about half of it`."""
    if share >= 0.95:
        return "all of it"
    for least, words in (
        (0.7, "most of it"),
        (0.6, "two thirds of it"),
        (0.45, "about half of it"),
    ):
        if share >= least:
            return words
    return f"{percent(share, decimals=0)} of it"


def roll_sentences(
    ranked: pl.DataFrame,
    tested: int,
    untested_reason: str | None,
    driver: tuple[str, str | None, float] | None,
    *,
    as_of: date,
    basis: Basis,
) -> list[str]:
    """Which roll rates of the latest month really changed, and who drives the first of them.

    `ranked`: changed cells, most loans first; `driver`: segment, value and its share of the
    change.
    """
    when = month(as_of)
    if untested_reason == "too_few_months":
        return [
            f"There are too few months before {when} to say whether a roll rate changed: that"
            " takes 12."
        ]
    if not ranked.height:
        return [f"No roll rate left its usual variation in {when}; {number(tested)} were tested."]
    row = ranked.row(0, named=True)
    usual = percent(row["usual_rate"])
    usual = f"a year ago {usual}" if row["reference"] == "year_ago" else f"usually {usual}"
    lines = [
        f"The roll from {state(row['from_state'], basis=basis)} to"
        f" {state(row['to_state'], basis=basis).lower()} {rose(row['difference'])}"
        f" {points(abs(row['difference'])).lstrip('+')} points to {percent(row['rate'])} in {when}"
        f" ({usual}), beyond its usual variation."
    ]
    if driver:
        segment, value, share = driver
        subject = name_of(segment, value)
        lines.append(f"{subject[0].upper()}{subject[1:]} explains {share_words(share)}.")
    others = ranked.height - 1
    if others:
        lines.append(
            f"{number(others)} other roll rate{'s' if others > 1 else ''} changed as well."
        )
    return lines


def health_sentences(
    change: Any,
    split: Any | None,
    segment: str,
    *,
    late_cents: int | None,
    what: str,
    year_ago: float | None = None,
) -> list[str]:
    """Is the book better or worse: the 30+ rate, its change, and whether that is noise."""
    level = f"{percent(change.value)} of the {what} is more than 30 days late in"
    level += f" {month(change.month)}"
    if late_cents is not None:
        level += f" ({money(late_cents)})"
    if change.difference is None:
        return [level + "; there is no month before it to compare with."]
    size = points(abs(change.difference)).lstrip("+")
    direction = (
        "no more and no less than"
        if size == "0.0"
        else (f"{size} points {'more' if change.difference > 0 else 'less'} than")
    )
    level += f", {direction} a month before"
    if change.is_beyond_noise is None:
        return [level + "; there are too few months to say whether that is more than noise."]
    verdict = (
        ": the book got "
        + ("worse" if change.difference > 0 else "better")
        + " by more than its usual month-to-month variation."
        if change.is_beyond_noise
        else ", within its usual month-to-month variation."
    )
    lines = [level + verdict]
    if year_ago is not None:
        year = change.value - year_ago
        lines.append(f"A year ago it was {percent(year_ago)} ({points(year)} points since).")
    if change.is_beyond_noise and split is not None and split.by_segment.height > 1:
        first = split.by_segment.row(0, named=True)
        subject = name_of(segment, first[segment])
        kind = (
            "its own rate" if abs(first["rate_effect"]) >= abs(first["mix_effect"]) else "its size"
        )
        lines.append(
            f"The largest part, {points(first['effect'])} points, comes from {subject}"
            f" ({kind} changed)."
        )
    return lines


def aging_sentences(
    late_share: float | None,
    late: int,
    early_share: float | None,
    oldest_share: float | None,
    oldest: str,
    worst: tuple[str, str | None, float] | None,
    *,
    as_of: date,
    is_money: bool,
    basis: Basis,
) -> list[str]:
    """Where the late money sits: how much, how early, how old, and in which segment."""
    if late_share is None:
        return [f"There are no open loans in {month(as_of)} in this choice."]
    if not late:
        return [f"Nothing is late in {month(as_of)} in this choice."]
    amount = money(late) if is_money else f"{number(late)} loans"
    noun = "balance" if is_money else "loans"
    lines = [
        f"{amount} is late in {month(as_of)}, {percent(late_share)} of the {noun}:"
        if is_money
        else f"{amount} are late in {month(as_of)}, {percent(late_share)} of all:"
    ]
    them = "it" if is_money else "them"
    lines[0] += (
        f" {percent(early_share, decimals=0)} of {them} in the first bucket and"
        f" {percent(oldest_share, decimals=0)} at {state(oldest, basis=basis)}."
    )
    if worst:
        segment, value, rate = worst
        subject = name_of(segment, value)
        lines.append(
            f"{subject[0].upper()}{subject[1:]} has the highest share beyond 30 days,"
            f" {percent(rate)}."
        )
    return lines


_FIGURES = {
    "30+": ("The 30+ rate", "portfolio/aging"),
    "60+": ("The 60+ rate", "portfolio/aging"),
    "90+": ("The 90+ rate", "portfolio/aging"),
    "charge_offs": ("The charge-off rate, annualised,", "portfolio/roll_rates"),
}


def limit_sentences(crossed: pl.DataFrame) -> list[tuple[str, str]]:
    """Which fixed limits are crossed, and the page that explains it."""
    words = {
        "level": "The 30+ rate, {value}, is above the limit of {limit}.",
        "year_rise": "The 30+ rate rose by {value} in a year; the limit is {limit}.",
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
    changes: dict[str, Any], rolls: pl.DataFrame, *, basis: Basis
) -> list[tuple[str, str]]:
    """What moved beyond its usual variation, and the page that explains it."""
    lines = []
    for name, (subject, page) in _FIGURES.items():
        change = changes.get(name)
        if change is not None and change.is_beyond_noise:
            lines.append(
                (
                    page,
                    f"{subject} {rose(change.difference)}"
                    f" {points(abs(change.difference)).lstrip('+')} points to"
                    f" {percent(change.value)}; its usual move is"
                    f" {points(change.usual_difference).lstrip('+')}.",
                )
            )
    for row in rolls.head(5).iter_rows(named=True):
        lines.append(
            (
                "portfolio/roll_rates",
                f"{state(row['from_state'], basis=basis)} to"
                f" {state(row['to_state'], basis=basis).lower()} {rose(row['difference'])}"
                f" {points(abs(row['difference'])).lstrip('+')} points to {percent(row['rate'])}"
                f" (usually {percent(row['usual_rate'])}).",
            )
        )
    return lines


_FINDINGS = {
    "gaps": "Histories that skip a month",
    "reopened": "Rows after a loan had left (not used)",
    "negative_balances": "Balances below zero (weigh nothing)",
    "payments_outside_case": "Payments outside their case's dates",
    "payments_before_origination": "Payments before origination",
    "complaints_resolved_early": "Complaints resolved before they were received",
    "contacts_after_close": "Contacts after their case was closed",
    "overlapping_cases": "Cases that overlap on one loan",
    "duplicate": "Rows alike in all but their key",
    "not_in_contract": "Values that the contract does not allow",
    "repeated_key": "Keys that occur more than once",
    "broken_reference": "References to rows that are not there",
    "no_marts": "Nothing has been published",
    "marts_behind_facts": "Months whose marts are older than the facts",
    "marts_differ": "Marts that differ from the facts",
    "loans_do_not_close": "A month whose loans do not close",
    "loans_jump": "A jump in the number of loans",
    "balance_jump": "A jump in the balance",
    "residual_jump": "Interest, fees and drawings unlike other months",
    "unbalanced_rows": "Open rows without a balance",
    "unscheduled_rows": "Open rows without months past due (put into buckets by days)",
    "payments_differ": "Payments that differ from the histories",
    "ledger_differs": "A total that differs from the general ledger",
}


def finding_words(kind: str) -> str:
    return _FINDINGS[kind]


def quality_sentences(outcome: Any | None, version: str) -> list[str]:
    """Does the book pass its checks, and how much was found?"""
    if outcome is None:
        return ["The book has not been checked yet: run `python -m warehouse check`."]
    found = len(outcome.findings)
    if outcome.failures:
        lines = [f"The book does not pass: {outcome.failures} of {found} findings fail it."]
    elif found:
        lines = [f"The book passes its checks; {plural(found, 'finding')} to look at."]
    else:
        lines = ["The book passes its checks and nothing was found."]
    if outcome.version != version:
        lines.append("The check is older than the figures: run `python -m warehouse check` again.")
    return lines


def plural(count: int, noun: str) -> str:
    """1 finding, 2 findings."""
    return f"{number(count)} {noun}{'' if count == 1 else 's'}"
