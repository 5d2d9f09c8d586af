"""The answers at the top of a page, in words: results in, one or two sentences out.

Names from the data are made plain here, so that what comes out is safe Markdown.
"""

from __future__ import annotations

from collections.abc import Mapping
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

FEWEST_LOANS = 30  # for a verdict


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


def worsening_sentence(early: pl.DataFrame, *, as_of: date, basis: Basis) -> str | None:
    """Who gets worse: the share of each early bucket that did, and where too few could.

    `early`: the movements of the as-of month, early buckets only.
    """
    there = early.filter(pl.col("forward").is_not_null())
    known = there.filter(~pl.col("is_small"))
    if known.is_empty():
        return None
    shares = [
        f"{percent(share, decimals=0)} at {state(code, basis=basis)}"
        for code, share in known.select("from_state", "forward").iter_rows()
    ]
    few = [state(code, basis=basis) for code in there.filter("is_small")["from_state"]]
    apart = f" ({listing(few)}: fewer than 30 loans)" if few else ""
    return f"Of what was late, {listing(shares)} got worse in {month(as_of)}{apart}."


def bucket_words(moves: pl.DataFrame, picked: str, *, as_of: date, basis: Basis) -> str:
    """How many loans of a late bucket could move, and which buckets have too few to go by.

    `moves`: by month and late bucket.
    """
    own = moves.filter(pl.col("from_state") == picked, pl.col("from_loans") > 0)
    now = moves.filter(pl.col("month") == as_of)
    count = int(now.filter(pl.col("from_state") == picked)["from_loans"].sum())
    lines = [f"{plural(count, 'loan')} could move in {month(as_of)}."]
    few = own.filter("is_small").height
    if few:
        lines.append(f"Fewer than 30 could in {number(few)} of {plural(own.height, 'month')}.")
    others = now.filter(pl.col("is_small"), pl.col("from_state") != picked)["from_state"]
    if others.len():
        names = listing([state(code, basis=basis) for code in others])
        lines.append(f"Other buckets with fewer than 30: {names}.")
    return " ".join(lines)


def few_flows_sentence(net_flow: pl.DataFrame, *, basis: Basis) -> str | None:
    """Which net flow rates are left out, for too few loans in the bucket before."""
    seen = net_flow.filter(pl.col("rate").is_not_null())
    counts = (
        seen.sort("rank")
        .group_by("bucket", maintain_order=True)
        .agg(few=pl.col("is_small").sum(), months=pl.len())
    )
    parts = [
        f"{number(few)} of {number(months)} at {state(code, basis=basis)}"
        for code, few, months in counts.filter(pl.col("few") > 0).iter_rows()
    ]
    if not parts:
        return None
    return f"Months with fewer than 30 loans in the earlier bucket are left out: {listing(parts)}."


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
        f" ({usually(row)}), beyond its usual variation"
        f" ({plural(row['from_loans'], 'loan')} could move)."
    ]
    if driver:
        segment, value, share = driver
        subject = name_of(segment, value)
        lines.append(f"{subject[0].upper()}{subject[1:]} explains {share_words(share)}.")
    others = ranked.filter(~pl.col("is_mirror")).height - 1
    if others > 0:
        lines.append(f"{plural(others, 'other roll rate')} changed as well.")
    return lines


def usually(row: dict[str, Any]) -> str:
    """What a roll rate usually is: the mean month, or the month a year ago."""
    usual = percent(row["usual_rate"])
    return f"a year ago {usual}" if row["reference"] == "year_ago" else f"usually {usual}"


def outline_words(matrix: pl.DataFrame, ranked: pl.DataFrame) -> str:
    """What the outlines in a matrix mean: each that it shows.  `ranked`: the changed cells."""
    tones = set(ranked["is_worse"].to_list()) if ranked.height else set()
    said = [
        words
        for tone, words in (
            (True, "orange: worse"),
            (False, "blue: better"),
            (None, "black or white: neither"),
        )
        if tone in tones
    ]
    lines = [f"Thick outline: changed beyond usual ({'; '.join(said)})."] if said else []
    if matrix["is_small"].any():
        lines.append("Hollow, with a thin outline: fewer than 30 loans.")
    return " ".join(lines)


def health_sentences(
    change: Any,
    split: Any | None,
    segment: str,
    *,
    late_cents: int | None,
    what: str,
    year_ago: float | None = None,
    others: Mapping[str, Any] | None = None,
    rolls: int = 0,
    loans: int | None = None,
) -> list[str]:
    """Is the book better or worse: a verdict, then the 30+ rate and its change.

    `others`: the changes of the page's other figures, of which those that left their usual
    variation are named; `rolls`: how many roll rates did; `loans`: open at the month's beginning
    or end, the fewer, of which `FEWEST_LOANS` are needed for a verdict.
    """
    are = "is" if what == "balance" else "are"
    level = f"{percent(change.value)} of the {what} {are} more than 30 days late in"
    level += f" {month(change.month)}"
    if late_cents is not None:
        level += f" ({money(late_cents)})"
    if change.difference is None:
        return [level + "; there is no month before it to compare with."]
    if loans is not None and loans < FEWEST_LOANS:
        return [f"Too few loans to judge a change: {number(loans)}.", level + "."]
    size = points(abs(change.difference)).lstrip("+")
    level += (
        ", as a month before"
        if size == "0.0"
        else f", {size} points {'more' if change.difference > 0 else 'less'} than a month before"
    )
    if change.usual_difference and change.is_beyond_noise is not None:
        level += f" (its usual move is {points(change.usual_difference).lstrip('+')})"
    moved = _moved(others or {}, rolls)
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


def _moved(others: Mapping[str, Any], rolls: int) -> str:
    """What left its usual variation beside the 30+ rate: rates with their way, roll rates."""
    rates = [
        f"{subject} {rose(others[name].difference)}"
        f" {points(abs(others[name].difference)).lstrip('+')} points to"
        f" {percent(others[name].value)}"
        for name, subject in _OTHERS.items()
        if name in others and others[name].is_beyond_noise
    ]
    return listing([*rates, *([f"{plural(rolls, 'roll rate')} changed"] if rolls else [])])


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
    worst: dict[str, Any] | None,
    segment: str,
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
        subject = name_of(segment, worst[segment])
        verdict = (
            f"clearly above the {percent(worst['whole'])} of all"
            if worst["stands_out"]
            else "but no more than chance would give"
        )
        lines.append(
            f"{subject[0].upper()}{subject[1:]} has the highest share beyond 30 days,"
            f" {percent(worst['rate'])}, {verdict}."
        )
    return lines


_OTHERS = {
    "60+": "the 60+ rate",
    "90+": "the 90+ rate",
    "charge_offs": "the yearly charge-off rate",
}
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
