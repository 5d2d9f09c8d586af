"""The answers of the Channels page in words: results in, sentences out.

Names from the data are made plain here, so that what comes out is safe Markdown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import polars as pl

from charts import channel_words as named
from charts.format import MISSING, compact, listing, number, percent, plain, points
from charts.sentences import plural

Outcome = Literal["resolved", "cash"]
_MISLEADING = ("opposite", "hidden", "spurious", "other_size")
UNSURE = 2  # a check whose interval is so many times wider says nothing
TOO_YOUNG = (
    "No effect can be estimated yet: it takes cases that were opened at least 97 days before the"
    " data's last day, so that what came of them is known."
)


def amount(value: float | None, outcome: Outcome) -> str:
    """An effect without its sign: 10.9 points, or 45 a case."""
    if value is None:
        return MISSING
    if outcome == "resolved":
        return f"{points(abs(value)).lstrip('+')} points"
    return f"{cash(abs(value))} a case"


def cash(value: float | None) -> str:
    """Currency in few characters: 0.42, 12.4, 1,240, 12.4 k."""
    if value is None or value != value:
        return MISSING
    if abs(value) >= 10_000:
        return compact(value)
    return number(value, decimals=2 if abs(value) < 10 else 1 if abs(value) < 100 else 0)


def interval(low: float | None, high: float | None, outcome: Outcome) -> str:
    """An effect's interval: 95 % interval 8.1 to 13.7."""
    return f"95 % interval {ends(low, high, outcome)}"


def ends(low: float | None, high: float | None, outcome: Outcome) -> str:
    """The ends of an interval that was named before: 8.1 to 13.7."""
    write = points if outcome == "resolved" else cash
    first, last = (write(end).lstrip("+") for end in (low, high))
    return f"{first} to {last}"


def effect_sentences(
    compared: pl.DataFrame, outcome: Outcome, reasons: Mapping[str, str]
) -> list[str]:
    """Which channel causes most, where the raw rates mislead, and where nothing can be said.

    `compared`: rows of `effects` by stage and channel with their `verdict`; only those in which
    somebody was treated.
    """
    if compared.is_empty():
        return [TOO_YOUNG]
    known = compared.filter(pl.col("effect").is_not_null())
    if known.is_empty():
        first = compared["reason"].mode().sort()[0]
        return [f"No channel's effect can be estimated. {reasons[first]}"]
    return [_best(known, outcome), _misled(known, outcome), _unknown(compared)]


def is_doubtful() -> pl.Expr:
    """Few like cases, or a check within groups of like cases that says next to nothing."""
    wide = pl.col("stratified_high") - pl.col("stratified_low")
    vague = (wide > UNSURE * (pl.col("high") - pl.col("low"))).fill_null(value=False)
    return (pl.col("overlap") == "thin").fill_null(value=False) | vague


def leading(known: pl.DataFrame) -> pl.DataFrame:
    """What surely adds, the largest effect first; those that are in doubt after the others."""
    return known.filter(pl.col("low") > 0, ~pl.col("is_small")).sort(
        is_doubtful(), "effect", descending=[False, True]
    )


def passed_over(known: pl.DataFrame) -> pl.DataFrame:
    """What may do more than what leads: whose intervals are above 0 too, but cannot be trusted as
    much; the largest first."""
    first = leading(known).head(1)
    more = known.filter(pl.col("low") > 0).sort("effect", descending=True)
    if first.is_empty():
        return more
    is_doubted = first.select(is_doubtful()).item()
    less_sure = pl.col("is_small") | (is_doubtful() & pl.lit(not is_doubted))
    return more.filter(less_sure, pl.col("effect") > first["effect"][0])


def _best(known: pl.DataFrame, outcome: Outcome) -> str:
    sure, more = leading(known), passed_over(known)
    if sure.is_empty():
        what = "resolves more cases" if outcome == "resolved" else "brings more cash"
        line = f"No channel is shown to do more than chance: none surely {what} than without it."
        return line + _may_do(more, "add", outcome)
    row = sure.row(0, named=True)
    is_doubted = sure.head(1).select(is_doubtful()).item()
    gain = (
        f"of 100 cases {points(row['effect']).lstrip('+')} more are resolved"
        if outcome == "resolved"
        else f"{cash(row['effect'])} more cash a case"
    )
    thin = ", few like cases without" if row["overlap"] == "thin" else ""
    does = "does" if row["arm"] == "mediation" else "do"
    of = " where there are enough cases" if is_doubted else " of what can be checked"
    most = f"{does} most{'' if more.is_empty() else of}"
    line = f"{named.channels(row['arm'])} {most}, {named.stage(row['stage'])}: {gain}"
    line = f"Unsure by its own check: {line}" if is_doubted else named.sentence(line)
    bounds = interval(row["low"], row["high"], outcome)
    line += f" ({bounds}{thin}) when like is compared with like."
    return line + _may_do(more, "do more", outcome)


def _may_do(more: pl.DataFrame, what: str, outcome: Outcome) -> str:
    """The largest that was passed over, and why."""
    if more.is_empty():
        return ""
    row = more.row(0, named=True)
    why = "too few cases carry it" if row["is_small"] else "too few like cases can be compared"
    return (
        f" {named.sentence(named.channels(row['arm']))} {named.stage(row['stage'])} may {what}"
        f" ({amount(row['effect'], outcome)}, {interval(row['low'], row['high'], outcome)}), but"
        f" {why} to be sure."
    )


def _misled(known: pl.DataFrame, outcome: Outcome) -> str:
    wrong = known.filter(pl.col("verdict").is_in(_MISLEADING))
    if wrong.is_empty():
        return "Raw and adjusted do not differ beyond chance wherever both are known."
    worst = wrong.with_columns(
        is_doubtful=is_doubtful(),
        rank=pl.col("verdict").replace_strict(_MISLEADING, range(len(_MISLEADING))),
    ).sort("is_doubtful", "rank", "apart", descending=[False, False, True])
    row = worst.row(0, named=True)
    them = named.channels(row["arm"])
    return (
        f"Raw rates mislead in {number(wrong.height)} of {plural(known.height, 'comparison')}:"
        f" {them} {named.stage(row['stage'])} {verdict_words(row, outcome)}."
    )


def verdict_words(row: Mapping[str, Any], outcome: Outcome) -> str:
    """What raw says and what adjusted says, after the name of the channel.

    `is_doubtful`: few like cases, or a check that says next to nothing.
    """
    raw, effect = amount(row["raw"], outcome), amount(row["effect"], outcome)
    looks = "worse" if row["raw"] < 0 else "better"
    does = "worse" if row["effect"] < 0 else "better"
    bounds = interval(row["low"], row["high"], outcome)
    bounds += ", few like cases without" if row["overlap"] == "thin" else ""
    are = f"{'may be' if row.get('is_doubtful') else 'are'} {effect} {does} ({bounds})"
    return {
        "opposite": f"look {raw} {looks} and {are}",
        "hidden": f"look no different and {are}",
        "spurious": f"look {raw} {looks}; among like cases no difference is shown ({bounds})",
        "other_size": f"look {raw} {looks} and {are}",
        "alike": "do not differ from how they look beyond chance",
    }[row["verdict"]]


def _unknown(compared: pl.DataFrame) -> str:
    without = compared.filter(pl.col("reason").is_not_null())
    if without.is_empty():
        return ""
    counts = without.group_by("reason").len().sort("len", "reason", descending=[True, False])
    why = [f"{named.NOTES[code]} ({number(count)})" for code, count in counts.iter_rows()]
    if len(why) == 1:
        why = [named.NOTES[counts["reason"][0]]]
    return (
        f"For {number(without.height)} of {number(compared.height)} no estimate is possible:"
        f" {listing(why)}."
    )


def untried(codes: Sequence[str], stage: str) -> str:
    """Which channels nobody tried in a stage."""
    if not codes:
        return ""
    names = listing([named.channel(code).lower() for code in codes])
    return f"Not attempted by day 7 {named.stage(stage)}: {names}."


def evidence_sentences(
    row: Mapping[str, Any], outcome: Outcome, reasons: Mapping[str, str], *, subject: str
) -> list[str]:
    """How far to trust one estimate: overlap, what could explain it away, another estimator."""
    treated = f"{plural(row['treated_cases'], 'case')} had {subject} by day 7"
    treated += f", {number(row['reference_cases'])} had not"
    if row["reason"]:
        return [f"{treated}.", f"No estimate is possible: {_lower(reasons[row['reason']])}"]
    share = percent(row["supported_share"])
    lines = [f"{treated}; {share} of all can be compared."]
    if row["overlap"] == "thin":
        outside = percent(row["outside_share"], decimals=0)
        lines.append(
            f"Overlap is thin: for {outside} of the cases one of the two was all but certain, so"
            " the estimate leans on few cases."
        )
    if row["is_small"]:
        lines.append("Few cases carry the estimate (hollow).")
    if outcome == "resolved":
        lines += [_explained_away(row), _stratified(row)]
    return [line for line in lines if line]


def _explained_away(row: Mapping[str, Any]) -> str:
    value, limit = row["e_value"], row["e_value_limit"]
    if value is None:
        return ""
    if row["low"] <= 0 <= row["high"]:
        return "The interval holds 0, so nothing unrecorded is needed to explain the effect."
    line = (
        f"E-value {number(value, decimals=1)}: something unrecorded would have to make both the"
        f" attempt and the resolution {number(value, decimals=1)} times as likely (or unlikely) to"
        " explain the effect away"
    )
    if limit is None or limit <= 1:  # the interval of the ratio of both, not of their difference
        return f"{line}; to bring its interval to 0 hardly anything is needed."
    return f"{line}, {number(limit, decimals=1)} times to bring its interval to 0."


def _stratified(row: Mapping[str, Any]) -> str:
    value, low, high = (row[f"stratified{end}"] for end in ("", "_low", "_high"))
    if value is None:
        return "No group of like cases has both, so there is no stratified check."
    if high - low > UNSURE * (row["high"] - row["low"]):
        verdict = "too unsure to confirm or to deny it"
    elif low <= row["high"] and row["low"] <= high:
        verdict = "which agrees"
    else:
        verdict = "which does not agree: trust neither much"
    return (
        f"As a check, the difference within groups of like cases (Mantel-Haenszel):"
        f" {points(value)} points ({interval(low, high, 'resolved')}), {verdict}."
    )


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def segment_name(value: str | None) -> str:
    """A segment's value as plain Markdown."""
    return "not recorded" if value is None else plain(value)
