"""The answers of the recovery pages about owners, in words: results in, sentences out.

Names from the data are made plain here, so that what comes out is safe Markdown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from charts.format import listing, number, percent, plain, points
from charts.sentences import plural

Row = Mapping[str, Any]
NOUNS = {
    "collector": ("collector", "collectors"),
    "team": ("team", "teams"),
    "agency": ("party", "parties (in-house is one)"),
}
STAGES = {"early": "Early", "middle": "Middle", "late": "Late"}
STAGE_DAYS = {"early": "up to 30 days late", "middle": "31–90 days late", "late": "beyond 90 days"}
CONTACTS_OF_ALL = "First contacts are not recorded by region or grade: they are of all."
_PARTS = {
    "recovery": "recovery on the same cases",
    "promises_kept": "promises kept",
    "first_contact": "days to the first contact",
    "rule_breaches": "rule breaches",
    "complaints": "complaints",
}
_REASONS = {
    "one_owner": "there is only one {noun}, so there is nobody to compare with",
    "no_owners": "no case in this choice belongs to a {noun} that can be compared",
    "no_cases": "no case of a {noun} in this choice is 90 days old yet",
    "no_owner": "no case names its {noun}",
    "not_fitted": "the cases are too few, or too much alike, for a model of their mix",
    "all_immature": "no case is 90 days old yet",
    "nothing_to_compare": "all cases ended alike, so nobody can differ",
}


def _nouns(kind: str) -> str:
    return NOUNS[kind][1].split(" ")[0]


def owner_count(count: int, kind: str) -> str:
    """`1 collector`, `12 collectors`, `3 parties (in-house is one)`."""
    return f"{number(count)} {NOUNS[kind][count != 1]}"


def advantage_words(row: Row, *, is_money: bool) -> str:
    """`6.1 points more (2.1 to 9.8)`, `4 % less (−9 to +1)`."""
    value = row["advantage"]
    ends = [
        points(row[f"advantage_{end}"], decimals=0 if is_money else 1) for end in ("low", "high")
    ]
    size = number(abs(value) * 100, decimals=0 if is_money else 1)
    unit = "%" if is_money else "points"
    return f"{size} {unit} {'more' if value > 0 else 'less'} ({ends[0]} to {ends[1]})"


def chance_words(chance: float) -> str:
    """A probability in whole per cent, never 0 or 100: over 99 %."""
    if chance > 0.995:
        return f"over {percent(0.99, decimals=0)}"
    if chance < 0.005:
        return f"under {percent(0.01, decimals=0)}"
    return percent(chance, decimals=0)


def comparison_sentences(
    compared: int,
    better: Sequence[Row],
    worse: Sequence[Row],
    *,
    kind: str,
    is_money: bool,
    reach: tuple[float | None, float | None] = (None, None),
) -> list[str]:
    """Who really collects better: how many differ beyond noise, who leads and who lags.

    `better` and `worse` differ from the average after false-discovery control, the furthest first;
    `reach`: the ends of all intervals together.
    """
    noun, _ = NOUNS[kind]
    differ = len(better) + len(worse)
    if not differ:
        ends = [points(end, decimals=0 if is_money else 1) for end in reach]
        return [
            f"Of {owner_count(compared, kind)} compared on the same cases, none is shown to differ"
            " from the average beyond noise. That does not show that they are alike: their"
            f" intervals reach from {ends[0]} to {ends[1]} {'%' if is_money else 'points'}."
        ]
    parts = [
        f"{number(len(rows))} {word}"
        for rows, word in ((better, "better"), (worse, "worse"))
        if rows
    ]
    lines = [
        f"Of {owner_count(compared, kind)} compared on the same cases, {number(differ)}"
        f" differ{'s' if differ == 1 else ''} from the average beyond noise: {listing(parts)}."
    ]
    what, of = ("collects", "from") if is_money else ("resolves", "of")
    first, *others = [rows[0] for rows in (better, worse) if rows]
    line = (
        f"{plain(first['owner'])} {what} {advantage_words(first, is_money=is_money)} {of} the same"
        f" cases than the average {noun}"
    )
    for row in others:
        line += f", {plain(row['owner'])} {advantage_words(row, is_money=is_money)}"
    return [*lines, line + "."]


def no_comparison(reason: str | None, opened: Mapping[str, int], *, kind: str) -> str:
    """Why nobody is compared, in a sentence."""
    noun = NOUNS[kind][0]
    if not opened["opened_cases"]:
        return "No case was opened in this choice. Choose a longer period, or widen the choice."
    if not opened["with_collector"]:
        return (
            f"All {plural(opened['opened_cases'], 'case')} opened in this choice went to automated"
            " queues, so there is no collector to compare."
        )
    if opened["immature_cases"] and opened["immature_cases"] >= opened["with_collector"]:
        return (
            f"All {plural(opened['with_collector'], 'case')} of this choice are younger than 90"
            " days. A comparison needs cases that had their 90 days: choose an earlier month or a"
            " longer period."
        )
    why = _REASONS.get(reason or "no_cases", "these cases cannot be compared").format(noun=noun)
    return f"No {noun} is compared: {why}."


def spread_sentence(low: float | None, high: float | None, *, kind: str, is_money: bool) -> str:
    """How much owners differ beyond chance: where two thirds of them lie."""
    if not low or not high:
        return f"Chance alone explains all that {_nouns(kind)} differ by."
    unit = "%" if is_money else "points"
    shown = [number(abs(end) * 100, decimals=0 if is_money else 1) for end in (low, high)]
    return (
        f"Beyond chance, two thirds of {_nouns(kind)} lie between {shown[0]} {unit} below and"
        f" {shown[1]} {unit} above the average."
    )


def cases_words(count: int) -> str:
    """`1 case`, `12,609 cases`."""
    return plural(count, "case")


def raw_sentences(moves: Any, correlation: float | None, *, kind: str, is_money: bool) -> list[str]:
    """Why raw rates mislead, and how far owners move once cases are taken into account."""
    rate = "Raw cash over what was placed" if is_money else "A raw share resolved"
    lines = [
        f"{rate} mostly says who was given the easy cases: early, small and of good grades."
        " Ranking by it rewards the allocation, not the work."
    ]
    if not moves.height:
        return lines
    typical = int(moves["moves"].abs().median())
    first = moves.row(0, named=True)
    if correlation is not None:
        lines.append(
            "The order by raw rate and the order on the same cases agree by"
            f" {number(correlation, decimals=2)} (1 is the same order, 0 unrelated)."
        )
    if first["moves"]:
        up = "too low" if first["moves"] > 0 else "too high"
        lines.append(
            f"Half of the {_nouns(kind)} move by {plural(typical, 'place')} or more,"
            f" {plain(first['owner'])} most: from {number(first['raw_rank'])} to"
            f" {number(first['adjusted_rank'])}; the raw rate puts it {up}."
        )
    return lines


def funnel_sentence(found: Any, *, kind: str) -> str:
    """What the limits are made of."""
    if found.dispersion is None:
        return f"With fewer than five {_nouns(kind)} the limits are those of chance alone."
    phi = found.dispersion.phi
    if phi <= 1:
        return (
            "The list names who differs from the average beyond noise, all judged together; the"
            " funnel, who lies outside the limits of chance, each by itself. So one can be marked"
            " in only one of them."
        )
    return (
        "The list names who differs from the average beyond noise; the funnel, who lies beyond what"
        f" {_nouns(kind)} of that size show anyway (limits widened for"
        f" {number(phi, decimals=1)} times the variance of chance). So one can be marked in only"
        " one of them."
    )


def contact_sentence(row: Row | None, *, target: int, is_right_party: bool) -> str:
    """How soon the first contact is, against its target."""
    what = "spoken with" if is_right_party else "attempted"
    if row is None or not row["cases"]:
        return "First contacts are not recorded for these cases."
    if row["mean"] is None:
        return f"{percent(row['within_share'])} of cases are {what} within {target} working days."
    met = "within" if row["mean"] <= target else "beyond"
    return (
        f"A case is {what} after {number(row['mean'], decimals=1)} working days on average, {met}"
        f" the target of {target}; {percent(row['within_share'], decimals=0)} within {target}."
    )


def composite_sentences(
    weights: Mapping[str, float], missing: Sequence[str], is_held: bool, reason: str | None
) -> list[str]:
    """What the score is made of, what is missing, and why there is none where there is none."""
    if reason == "money_alone":
        return [
            "There is no score: recovery is the only part with figures, and it may not decide"
            " alone."
        ]
    if reason:
        return ["There is no score: none of its parts has figures for two owners or more."]
    used = [f"{_PARTS[name]} {percent(share, decimals=0)}" for name, share in weights.items()]
    lines = [f"The score is made of {listing(used)}."]
    if missing:
        lines.append(
            f"Without figures: {listing([_PARTS[name] for name in missing])}; their weight is"
            " shared by the others."
        )
    if is_held:
        lines.append("Recovery is held at half, the most that it may weigh.")
    return lines


SCORE_NOTES = (
    "A score has no interval: its parts are of different kinds, each drawn towards 50 as far as"
    " chance may have made it. It is no ranking of neighbours: a few points between two names say"
    " nothing. Only recovery is on the same cases; promises kept and first contacts are not"
    " adjusted for stage or kind of case. Complaints and rule breaches are of all stages and risk"
    " grades, per attempt: complaints that name nobody count for whoever spoke last with the"
    " debtor."
)


def level_sentence(names: Sequence[str]) -> str:
    """Which parts of the score are 50 for everybody, and why."""
    if not names:
        return ""
    said = listing([_PARTS[name] for name in names])
    return (
        f"Everybody has 50 for {said}: what collectors differ by there is no more than chance would"
        " give."
    )


def weight_refusal(problem: str) -> str:
    """Why weights cannot be used."""
    return {
        "money": "Recovery may weigh at most half of the total: give the other parts more, or"
        " recovery less. The score below keeps the usual weights.",
        "negative": "A weight cannot be below zero. The score below keeps the usual weights.",
        "nothing": "At least one weight must be above zero. The score below keeps the usual"
        " weights.",
    }[problem]


def training_sentence(found: Any, *, is_money: bool) -> str:
    """What changed for those who were trained."""
    share = (
        f"{number(found.trained)} of {plural(found.collectors, 'collector')} had a training in the"
        " period."
    )
    effect = found.training
    if effect["difference"] is None:
        return (
            share + " Whether it changed anything cannot be said: fewer than two collectors have"
            " cases in the six months before and after."
        )
    unit = "%" if is_money else "points"
    decimals = 0 if is_money else 1
    size = points(effect["difference"], decimals=decimals)
    ends = [points(effect[end], decimals=decimals) for end in ("low", "high")]
    sure = effect["low"] > 0 or effect["high"] < 0
    return (
        f"{share} {plural(int(effect['collectors']), 'collector')} can be followed over the six"
        f" months before and after: {size} {unit} on the same cases ({ends[0]} to {ends[1]})"
        + (". " if sure else ", no more than noise. ")
        + "Who is trained was not drawn by lot, so part of a change may have come anyway."
    )


def who_words(team: str | None, *, is_alone: bool) -> str:
    """A collector's team; of one who is alone in it, why no team stands beside it."""
    if not team:
        return "No team recorded"
    return f"Team {plain(team)}" + (
        ", whose cases are all this collector's, so no team is set beside it" if is_alone else ""
    )


def own_sentences(row: Row | None, *, compared: int, team: Row | None, is_money: bool) -> list[str]:
    """One collector: better than the average, how sure, and its place."""
    if row is None:
        return ["This collector has no case in this choice that had its 90 days."]
    name = plain(row["owner"])
    if row["shrunk"] is None:
        return [
            f"{name} cannot be compared in this choice: there is nobody, or nothing, to compare"
            " with."
        ]
    what, of = ("collects", "from") if is_money else ("resolves", "of")
    verdict = "beyond noise" if row["is_different"] else "no more than noise would give"
    lines = [
        f"{name} {what} {advantage_words(row, is_money=is_money)} {of} the same cases than the"
        f" average collector, {verdict}; better than average with a probability of"
        f" {chance_words(row['p_better'])}."
    ]
    place = f"Rank {number(row['rank'])} of {number(compared)}"
    if team is not None and team["advantage"] is not None:
        unit = "%" if is_money else "points"
        size = points(team["advantage"], decimals=0 if is_money else 1)
        place += f"; team {plain(row['team'])} as a whole is at {size} {unit}"
    lines.append(place + ".")
    if row["is_small"]:
        lines.append(f"Only {plural(row['cases'], 'case')}: read it as a hint.")
    return lines


def strength_sentence(strengths: Sequence[tuple[str, Row]]) -> str:
    """Where a collector is better or worse than itself elsewhere, beyond noise."""
    clear = [
        (label, row)
        for label, row in strengths
        if row["low"] is not None and (row["low"] > 0 or row["high"] < 0)
    ]
    if not clear:
        return "No product, region or stage stands out beyond noise from the collector's own level."
    parts = [
        f"{plain(label)} ({'stronger' if row['shrunk'] > 0 else 'weaker'} than elsewhere)"
        for label, row in clear
    ]
    return f"Stands out beyond noise from the collector's own level: {listing(parts)}."
