"""What the page of contact rules says in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from charts import format as words

LEGAL = (
    "Not legal advice: these packs are a reading of the sources that they name, to be checked and"
    " changed by the lender’s own lawyers."
)
NEAR = (
    "A near miss was permitted, but one step from a breach: it used a cap’s last place, came on"
    " the first day after a conversation’s days, within 15 minutes of the quiet hours, or reached a"
    " third party after just as many failures as are asked for."
)


def rule_name(rule: str) -> str:
    """A rule's id as a name.

    >>> rule_name("unconnected_calls_a_day")
    'Unconnected calls a day'
    """
    text = rule.replace("_", " ").strip()
    return text[:1].upper() + text[1:]


def rule_labels(ids: Sequence[tuple[str, str]]) -> list[str]:
    """Names of rules given as (pack, rule), each its own.

    >>> rule_labels([("a", "night"), ("a", "third_party")])
    ['Night', 'Third party']
    >>> rule_labels([("a", "night"), ("b", "night")])
    ['a: Night', 'b: Night']
    >>> rule_labels([("a", "a b"), ("a", "a_b")])
    ['a: a b', 'a: a_b']
    """
    names = [rule_name(rule) for _, rule in ids]
    if len({pack for pack, _ in ids}) > 1:
        names = [f"{pack}: {name}" for (pack, _), name in zip(ids, names, strict=True)]
    if len(set(names)) < len(names):
        names = [f"{pack}: {rule}" for pack, rule in ids]
    return names


def rule_in_words(rule: Any) -> str:
    """A rule of a pack: what it says, since when, where from, and whether the log can tell."""
    checked = "checked in the log" if rule.is_replayed else "checked as records, or not at all"
    return (
        f"**{words.plain(rule_name(rule.id))}**: {words.plain(rule.sentence)} In force since"
        f" {words.day(rule.valid_from)}; {checked}. {words.plain(rule.source)}"
    )


def noun(kind: str, count: int) -> str:
    """`12 breaches`, `1 near miss`."""
    one, many = ("breach", "breaches") if kind == "breach" else ("near miss", "near misses")
    return f"{words.number(count)} {one if count == 1 else many}"


def rate_words(row: Mapping[str, Any]) -> str:
    """`1.43 per 1,000 (0.74 to 2.50)`."""
    if row["rate"] is None:
        return "no attempts to measure by"
    rate, low, high = (words.number(row[name], decimals=2) for name in ("rate", "low", "high"))
    return f"{rate} per 1,000 ({low} to {high})"


def answer(whole: Mapping[str, Any], rules: pl.DataFrame, *, kind: str) -> list[str]:
    """How many there are, and by which rule most."""
    if not whole["attempts"]:
        return ["No attempt was made in these months on a day on which these rules were in force."]
    if not whole["breaches"]:
        count = words.number(whole["attempts"])
        none = "breaks" if kind == "breach" else "comes just short of breaking"
        high = words.number(whole["high"], decimals=2)
        return [f"None of {count} attempts {none} these rules: at most {high} per 1,000."]
    found = [f"{noun(kind, whole['breaches'])} in {words.number(whole['attempts'])} attempts:"
             f" {rate_words(whole)}."]  # fmt: skip
    if most := most_words(rules, "breaches" if kind == "breach" else "near_misses"):
        found.append(most)
    return found


def most_words(rules: pl.DataFrame, column: str) -> str | None:
    """Which rule has most, or which share the first place; None of a single contact or rule.

    >>> rules = pl.DataFrame({"pack": ["a"] * 3, "rule": ["night", "day", "third_party"],
    ...                       "breaches": [72, 4, 72]})
    >>> most_words(rules, "breaches")
    'Night and Third party have 72 each, of 148.'
    >>> most_words(rules.head(2), "breaches")
    'Night has most, 72 of 76.'
    """
    whole, most = int(rules[column].sum()), int(rules[column].max() or 0)  # type: ignore[arg-type]
    if rules.height < 2 or whole < 2:
        return None
    names = rule_labels(list(rules.select("pack", "rule").iter_rows()))
    first = [words.plain(name) for name, count in zip(names, rules[column], strict=True)
             if count == most]  # fmt: skip
    if len(first) > 1:
        return f"{words.listing(first)} have {words.number(most)} each, of {words.number(whole)}."
    return f"{first[0]} has most, {words.number(most)} of {words.number(whole)}."


def consent_words(counts: Mapping[str | None, int], *, kind: str) -> str:
    """Whether the debtor had consented to the contacts that are counted.

    >>> consent_words({"no": 3, None: 1}, kind="breach")
    'Of the 4 breaches, the debtor had consented to 0 and had not to 3; of 1 it is not recorded.'
    """
    yes, no, unknown = (counts.get(name, 0) for name in ("yes", "no", None))
    told = noun(kind, yes + no + unknown)
    return (
        f"Of the {told}, the debtor had consented to {words.number(yes)} and had not to"
        f" {words.number(no)}; of {words.number(unknown)} it is not recorded."
    )


def trend_words(points: pl.DataFrame, reason: str | None) -> str:
    """Which months are unusual, and what the limits are where few are expected."""
    if reason == "few_weeks":
        return "Limits need two months with attempts."
    if reason is not None:
        return "Without any there are no limits."
    few = " Where fewer than five are expected, the limits are those of a count."
    few = few if points["is_few"].any() else ""
    outside = points.filter("is_outside")
    if outside.is_empty():
        return f"No month lies outside its limits.{few}"
    listed = [words.month(month) for month in outside["month"]]
    return f"Outside the limits: {words.listing(listed)}.{few}"


def in_force_words(*, is_early: bool) -> str:
    """On which days contacts are judged."""
    return "on all days" if is_early else "on days in force"


def by_rule_words(kind_label: str, rules: int, *, is_early: bool) -> str:
    """What the table by rule measures."""
    days = "on all days" if is_early else "on the days on which each was in force"
    twice = " A contact counts once for each rule that it breaks, so a rate of all can pass 1,000."
    return (
        f"{kind_label} per 1,000 attempts {days}, with 95 % interval."
        f"{twice if rules > 1 else ''} What each says: below, under The rules in use."
    )


def early_words(since: date, months_from: date) -> str | None:
    """That not all of the months were judged."""
    if since <= months_from:
        return None
    return (
        f"The first of these rules came into force on {words.day(since)}; days before it are not"
        " judged unless you ask for them."
    )
