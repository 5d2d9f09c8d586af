"""The answers at the top of a page, in words: results in, one or two sentences out.

Names from the data are made plain here, so that what comes out is safe Markdown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from charts.format import (
    Basis,
    listing,
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


def worsening_sentence(
    forward: Sequence[tuple[str, float]], *, as_of: date, basis: Basis
) -> str | None:
    """Who gets worse: the share of each early bucket that did, in the as-of month."""
    if not forward:
        return None
    shares = [
        f"{percent(share, decimals=0)} at {state(code, basis=basis)}" for code, share in forward
    ]
    return f"Of what was late, {listing(shares)} got worse in {month(as_of)}."


def roll_sentences(
    ranked: pl.DataFrame,
    tested: int,
    too_few: int,
    untested_reason: str | None,
    driver: tuple[str, str | None, float] | None,
    *,
    as_of: date,
    basis: Basis,
) -> list[str]:
    """Which roll rates of the latest month really changed, and who drives the first of them.

    `ranked`: changed cells, most loans first; `tested` moves had loans enough, `too_few` had
    not; `driver`: segment, value and its share of the change.
    """
    when = month(as_of)
    if untested_reason == "too_few_months":
        return [
            f"There are too few months before {when} to say whether a roll rate changed: that"
            " takes 12."
        ]
    if not tested:
        return ["There are too few loans to say whether a roll rate changed."]
    if not ranked.height:
        line = f"No roll rate left its usual variation; {plural(tested, 'move')} tested"
        return [line + (f", {number(too_few)} with too few loans." if too_few else ".")]
    row = ranked.row(0, named=True)
    lines = [
        f"The roll from {state(row['from_state'], basis=basis)} to"
        f" {state(row['to_state'], basis=basis).lower()} {rose(row['difference'])}"
        f" {points(abs(row['difference'])).lstrip('+')} points to {percent(row['rate'])} in {when}"
        f" ({_usually(row)}), beyond its usual variation"
        f" ({plural(row['from_loans'], 'loan')} could move)."
    ]
    if driver:
        segment, value, share = driver
        subject = name_of(segment, value)
        lines.append(f"{subject[0].upper()}{subject[1:]} explains {share_words(share)}.")
    others = ranked.height - 1
    if others:
        lines.append(f"{plural(others, 'other roll rate')} changed as well.")
    return lines


def _usually(row: dict[str, Any]) -> str:
    usual = percent(row["usual_rate"])
    return f"a year ago {usual}" if row["reference"] == "year_ago" else f"usually {usual}"


def health_sentences(
    change: Any,
    split: Any | None,
    segment: str,
    *,
    late_cents: int | None,
    what: str,
    year_ago: float | None = None,
    others: Mapping[str, Any] | None = None,
) -> list[str]:
    """Is the book better or worse: a verdict, then the 30+ rate and its change.

    `others`: the changes of the page's other figures, of which those that left their usual
    variation are named.
    """
    are = "is" if what == "balance" else "are"
    level = f"{percent(change.value)} of the {what} {are} more than 30 days late in"
    level += f" {month(change.month)}"
    if late_cents is not None:
        level += f" ({money(late_cents)})"
    if change.difference is None:
        return [level + "; there is no month before it to compare with."]
    size = points(abs(change.difference)).lstrip("+")
    level += (
        ", as a month before"
        if size == "0.0"
        else f", {size} points {'more' if change.difference > 0 else 'less'} than a month before"
    )
    if change.usual_difference:
        level += f" (its usual move is {points(change.usual_difference).lstrip('+')})"
    moved = _moved(others or {})
    lines = [_verdict(change, year_ago, is_alone=not moved), level + "."]
    if moved:
        lines.insert(1, f"{'Also' if change.is_beyond_noise else 'But'} beyond usual: {moved}.")
    if change.is_beyond_noise and split is not None and split.by_segment.height > 1:
        first = split.by_segment.row(0, named=True)
        subject = name_of(segment, first[segment])
        own = abs(first["rate_effect"]) >= abs(first["mix_effect"])
        lines.append(
            f"The largest part, {points(first['effect'])} points, comes from {subject}"
            f" ({'its own rate' if own else 'its size'} changed)."
        )
    return lines


def _moved(others: Mapping[str, Any]) -> str:
    """The headline rates beside 30+ that left their usual variation, with their way."""
    return listing(
        [
            f"{subject} {rose(others[name].difference)}"
            f" {points(abs(others[name].difference)).lstrip('+')} points to"
            f" {percent(others[name].value)}"
            for name, subject in _OTHERS.items()
            if name in others and others[name].is_beyond_noise
        ]
    )


def _verdict(change: Any, year_ago: float | None, *, is_alone: bool = True) -> str:
    """Better or worse, this month and since a year ago.  `is_alone`: no other rate moved."""
    if change.is_beyond_noise is None:
        verdict = "Too few months to judge this one"
    elif change.is_beyond_noise:
        verdict = (
            "Worse" if change.difference > 0 else "Better"
        ) + " by more than usual this month"
    else:
        verdict = "Little changed this month" if is_alone else "The 30+ rate changed little"
    if year_ago is None:
        return f"{verdict}."
    year = change.value - year_ago
    size = points(abs(year)).lstrip("+")
    if size == "0.0":
        return f"{verdict}, and as a year ago ({percent(year_ago)})."
    way = "worse" if year > 0 else "better"
    return f"{verdict}, {size} points {way} than a year ago ({percent(year_ago)})."


def aging_sentences(
    late_share: float | None,
    late: int,
    early_share: float | None,
    oldest_share: float | None,
    oldest: str,
    worst: tuple[str, str | None, float, bool] | None,
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
    amount = money(late) if is_money else plural(late, "loan")
    are, them = ("is", "it") if is_money or late == 1 else ("are", "them")
    share = f"{percent(late_share)} of {'the balance' if is_money else 'all'}"
    lines = [
        f"{amount} {are} late in {month(as_of)}, {share}:"
        f" {percent(early_share, decimals=0)} of {them} in the first bucket and"
        f" {percent(oldest_share, decimals=0)} at {state(oldest, basis=basis)}."
    ]
    if worst:
        segment, value, rate, stands_out = worst
        subject = name_of(segment, value)
        verdict = "clearly above the rest" if stands_out else "but no more than chance would give"
        lines.append(
            f"{subject[0].upper()}{subject[1:]} has the highest share beyond 30 days,"
            f" {percent(rate)}, {verdict}."
        )
    return lines


_OTHERS = {
    "60+": "the 60+ rate",
    "90+": "the 90+ rate",
    "charge_offs": "the yearly charge-off rate",
}
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
    changes: dict[str, Any], rolls: pl.DataFrame, *, basis: Basis
) -> list[tuple[str, str]]:
    """What moved for the worse (or neither way) beyond its usual variation, and the page that
    explains it."""
    news = rolls.filter(pl.col("is_worse").fill_null(value=True)) if rolls.height else rolls
    if news.height:
        news = news.sort("is_worse", descending=True, nulls_last=True, maintain_order=True)
    return [*_figures_moved(changes, is_rise=True), *_rolls_moved(news, basis)]


def better_sentences(
    changes: dict[str, Any], rolls: pl.DataFrame, *, basis: Basis
) -> list[tuple[str, str]]:
    """What moved for the better beyond its usual variation, and the page that explains it."""
    news = rolls.filter(~pl.col("is_worse")) if rolls.height else rolls
    return [*_figures_moved(changes, is_rise=False), *_rolls_moved(news, basis)]


def _figures_moved(changes: dict[str, Any], *, is_rise: bool) -> list[tuple[str, str]]:
    """The rates that rose (or fell): each is of what goes wrong, so a rise is worse."""
    lines = []
    for name, (subject, page) in _FIGURES.items():
        change = changes.get(name)
        if change is None or not change.is_beyond_noise or (change.difference > 0) != is_rise:
            continue
        line = (
            f"{'Worse' if is_rise else 'Better'}: {subject.lower()} {rose(change.difference)}"
            f" {points(abs(change.difference)).lstrip('+')} points to {percent(change.value)}; its"
            f" usual move is {points(change.usual_difference).lstrip('+')}."
        )
        lines.append((page, line))
    return lines


def _rolls_moved(rolls: pl.DataFrame, basis: Basis) -> list[tuple[str, str]]:
    lines = []
    for row in rolls.head(5).iter_rows(named=True):
        tone = {True: "Worse: ", False: "Better: ", None: ""}[row["is_worse"]]
        lines.append(
            (
                "portfolio/roll_rates",
                f"{tone}{state(row['from_state'], basis=basis)} to"
                f" {state(row['to_state'], basis=basis).lower()} {rose(row['difference'])}"
                f" {points(abs(row['difference'])).lstrip('+')} points to {percent(row['rate'])}"
                f" ({_usually(row)}).",
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
