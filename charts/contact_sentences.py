"""From attempt to cash, and by which rules, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from charts import channel_words as named
from charts.format import listing, number, percent, span
from charts.sentences import plural


def funnel_sentence(funnel: pl.DataFrame, *, when: str) -> str:
    """How far attempts get, all channels together."""
    sums = {
        step: (int(part["numerator"].sum()), int(part["denominator"].sum()))
        for (step,), part in funnel.group_by(["step"])
    }
    attempts = sums["reach"][1] if sums else 0
    if not attempts:
        return "No attempt was made in these months."
    parts = [f"{percent(sums['reach'][0] / attempts)} reached the debtor"]
    if sums["right_party"][0]:
        parts.append(f"{percent(sums['right_party'][0] / attempts)} were a conversation")
    line = f"Of {plural(attempts, 'attempt')} {when}, {listing(parts)}."
    promised, spoken = sums["promise"]
    kept, due = sums["kept"]
    if not promised:
        return line + " No promise was made."
    line += f" {percent(promised / spoken)} of the conversations brought a promise"
    if not due:
        return line + "; none of the promises has matured."
    return line + f", and {percent(kept / due)} of those that matured were kept."


def single_channel_sentences(answers: pl.DataFrame) -> list[str]:
    """Letters delivered, payment links followed, voice bots answered."""
    rows = {row["channel"]: row for row in answers.iter_rows(named=True) if row["attempts"]}
    lines = []
    if letter := rows.get("letter"):
        share = percent(letter["delivered"] / letter["attempts"])
        lines.append(f"Letters: {share} of {number(letter['attempts'])} were delivered.")
    opened = sum(row["opened"] for row in rows.values())
    clicked = sum(row["clicked"] for row in rows.values())
    if opened:
        lines.append(
            f"Payment links: of {plural(opened, 'message')} seen to be opened,"
            f" {percent(clicked / opened)} had their link followed."
        )
    if bot := rows.get("voice_bot"):
        answered = percent(bot["reached"] / bot["attempts"])
        spoke = percent(bot["right_party"] / bot["attempts"])
        lines.append(
            f"Voice bot: {answered} of {plural(bot['attempts'], 'call')} were answered by the"
            + (
                " debtor and became a conversation."
                if bot["reached"] == bot["right_party"]
                else f" debtor, {spoke} became a conversation."
            )
        )
    return lines


def suited_sentence(shares: pl.DataFrame, unplaced: int) -> str:
    """Of the channels that have a rule, what share of their attempts fits it."""
    known = shares.filter(pl.col("share").is_not_null())
    if known.is_empty():
        return "No call, letter or visit was made in these months; only these have a rule."
    parts = [
        f"{percent(row['share'])} of {named.channels(row['channel'])}"
        for row in known.sort("share").iter_rows(named=True)
    ]
    line = f"Used as the rules say: {listing(parts)}."
    if unplaced:
        line += f" {plural(unplaced, 'attempt')} without a placed amount on record are left out."
    return line


def timeline_sentences(steps: pl.DataFrame) -> list[str]:
    """How each step is taken, the one that is kept least first of all."""
    known = steps.filter(pl.col("due") > 0)
    if known.is_empty():
        return ["No case was due for a step of the timeline in these months."]
    worst = known.sort("on_time_share").row(0, named=True)
    best = known.sort("on_time_share").row(-1, named=True)
    return [
        f"{_step(worst)} is kept least: {percent(worst['on_time_share'])} in time"
        f" ({span(worst['low'], worst['high'])}), {percent(worst['skipped_share'])} skipped"
        + (
            f"; {_step(best)} most, {percent(best['on_time_share'])}"
            f" ({span(best['low'], best['high'])})."
            if known.height > 1
            else "."
        )
    ]


def skipping_sentences(steps: pl.DataFrame) -> list[str]:
    """What became of the cases that skipped a step: of the one that was skipped most (raw).

    `steps`: a row for each step and way (on_time, skipped), as of `resolved_after`.
    """
    known = steps.filter(pl.col("share").is_not_null())
    skipped = known.filter(pl.col("way") == "skipped")
    if skipped.is_empty():
        return ["No case skipped a step."]
    most = skipped.sort("denominator", descending=True).row(0, named=True)
    taken = known.filter(pl.col("way") == "on_time", pl.col("step") == most["step"])
    line = f"Of the cases that skipped {_step(most)}, the step that most cases skipped,"
    line += f" {_resolved(most)} resolved within 180 days of opening"
    if taken.height:
        line += f", of those in time {_resolved(taken.row(0, named=True))}"
    return [
        f"{line}.",
        "This compares unlike cases and is not what the step caused: steps are skipped where a"
        " case looks easy or hopeless.",
    ]


def undrawn_sentence(steps: pl.DataFrame) -> str:
    """Which of the ways of `skipping_sentences` have no case, and so no place in the chart."""
    ways = {"on_time": "took {} in time", "skipped": "skipped {}"}
    none = steps.filter(pl.col("share").is_null())
    told = [ways[row["way"]].format(_step(row)) for row in none.iter_rows(named=True)]
    return f"Not drawn: no case {' or '.join(told)}." if told else ""


def not_due_sentence(steps: pl.DataFrame) -> str:
    """Steps for which no case was due, or which the book cannot show."""
    due = set(steps.filter(pl.col("due") > 0)["step"])
    missing = [_step({"step": step}) for step in named.DUE_STEPS if step not in due]
    return (
        f"No case was due for {listing(missing)}, or the book lacks its table." if missing else ""
    )


def _resolved(row: Mapping[str, Any]) -> str:
    few = ", few cases" if row["is_small"] else ""
    return (
        f"{percent(row['share'])} ({span(row['low'], row['high'])},"
        f" {plural(row['denominator'], 'case')}{few})"
    )


def _step(row: Mapping[str, Any]) -> str:
    return f"“{named.DUE_STEPS[row['step']]}”"


def preference_sentence(rows: pl.DataFrame) -> str:
    """How often the debtor's preferred channel was used, and how many have none recorded."""
    attempts, known = int(rows["attempts"].sum()), int(rows["denominator"].sum())
    if not attempts:
        return "No attempt was made in these months."
    if not known:
        return "No attempt was on a debtor whose preferred channel is recorded."
    met = int(rows["numerator"].sum())
    return (
        f"{percent(met / known)} of attempts used the channel that the debtor prefers, where that"
        f" is recorded; for {percent(1 - known / attempts)} of {number(attempts)} attempts it is"
        " not."
    )


def unwanted_words(codes: Sequence[str]) -> str:
    """Channels that are left out, as none of the debtors attempted by them prefers them."""
    names = listing([named.channel(code).lower() for code in codes])
    return f" Left out, as nobody attempted by it prefers it: {names}." if codes else ""


NOT_HERE = (
    "Not in this version: reach by combination of channels, hand-over from voice bots to people."
)
