"""The answers further down the Channels page: how much, at what price, by which rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from charts import channel_words as named
from charts.channel_sentences import Outcome, amount, cash, interval
from charts.format import listing, money, number, percent, span
from charts.sentences import plural


def dose_sentence(
    rows: pl.DataFrame, outcome: Outcome, *, stage: str, channel: str | None = None
) -> str:
    """What one attempt adds, and whether more of them add more: rows in order of the dose."""
    known = rows.filter(pl.col("effect").is_not_null())
    if known.is_empty():
        return ""
    each = [
        f"{_effect(row, outcome)} with {named.DOSES[row['arm']]}"
        for row in known.iter_rows(named=True)
    ]
    unit = "points of resolved share" if outcome == "resolved" else "cash a case"
    none = f"cases without {named.channels(channel)}" if channel else "no attempt"
    line = (
        f"Against {none} in the first week, {named.stage(stage)}, in {unit} (95 % intervals):"
        f" {listing(each)}."
    )
    if known.height < 2:
        return line
    before, last = known.row(-2, named=True), known.row(-1, named=True)
    if last["low"] > before["high"]:
        return line + " Every step adds more for sure."
    if last["high"] < before["low"]:
        return line + " The last step takes some of it back."
    return (
        f"{line} Whether {named.DOSES[last['arm']]} attempts do more than"
        f" {named.DOSES[before['arm']]} is not sure: their intervals overlap."
    )


def early_sentence(rows: pl.DataFrame, outcome: Outcome, *, channel: str | None = None) -> str:
    """Whether an earlier first attempt adds more: rows in order of the day."""
    known = rows.filter(pl.col("effect").is_not_null())
    if known.height < 2:
        return ""
    first, last = known.row(0, named=True), known.row(-1, named=True)
    by = f" by {named.channel(channel).lower()}" if channel else ""
    line = (
        f"With the first attempt{by} on {named.FIRST_DAYS[first['arm']]} the effect is"
        f" {_effect(first, outcome)}, on {named.FIRST_DAYS[last['arm']]}"
        f" {_effect(last, outcome)}"
    )
    if first["low"] > last["high"]:
        return f"{line}: sooner is surely better."
    if first["high"] < last["low"]:
        return f"{line}: later is surely better."
    return f"{line}: whether sooner is better is not sure."


def _effect(row: Mapping[str, Any], outcome: Outcome) -> str:
    """An effect with its interval: +3.0 (2.0 to 4.0)."""
    return f"{_change(row['effect'], outcome)} ({_ends(row['low'], row['high'], outcome)})"


def _ends(low: float | None, high: float | None, outcome: Outcome) -> str:
    return interval(low, high, outcome).removeprefix("95 % interval ")


def _change(value: float, outcome: Outcome) -> str:
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return sign + (
        amount(value, outcome).removesuffix(" points")
        if outcome == "resolved"
        else cash(abs(value))
    )


def reason_sentences(rows: pl.DataFrame, reasons: Mapping[str, str], names: Any) -> list[str]:
    """Why there is no estimate, one sentence for each reason, naming what it holds for."""
    without = rows.filter(pl.col("reason").is_not_null())
    return [
        f"{named.sentence(listing([names(arm) for arm in part['arm']]))}: no estimate is possible."
        f" {reasons[reason]}"
        for (reason,), part in without.group_by(["reason"], maintain_order=True)
    ]


def thin_sentence(doses: pl.DataFrame, days: pl.DataFrame) -> str:
    """For which numbers of attempts, and days of the first, few like cases can be compared."""
    thin = [rows.filter(pl.col("overlap") == "thin") for rows in (doses, days)]
    names = [dose_words(arm) for arm in thin[0]["arm"]]
    names += [named.FIRST_DAYS[arm] for arm in thin[1]["arm"]]
    if not names:
        return ""
    most = max(share for rows in thin for share in rows["outside_share"])
    return (
        f"Overlap is thin for {listing(names)}: for up to {percent(most, decimals=0)} of the cases"
        " one of the two was all but certain, so the estimate leans on few cases."
    )


def dose_words(arm: str) -> str:
    """1 attempt, 2–3 attempts, 4 or more attempts."""
    return f"{named.DOSES[arm]} attempt{'' if arm == '1' else 's'}"


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


def cost_sentence(costs: pl.DataFrame, stage: str) -> str:
    """Through which channel one more resolved case is cheapest in a stage, and is that sure?"""
    here = costs.filter(pl.col("cost_per_resolved").is_not_null(), pl.col("stage") == stage)
    known = here.sort("cost_per_resolved")
    where = named.stage(stage)
    if known.is_empty():
        return f"No cost of one more resolved case can be stated {where}; the table says why."
    row = known.row(0, named=True)
    if known.height == 1:
        return (
            f"One more resolved case can be priced through one channel only {where}:"
            f" {named.channels(row['arm'])}, {_price(row)}."
        )
    others = known.slice(1)
    near = others.filter(pl.col("cost_per_resolved_low") <= row["cost_per_resolved_high"])
    last = known.row(-1, named=True)
    most = f"most through {named.channels(last['arm'])}, {_price(last)}"
    if near.is_empty():
        return (
            f"One more resolved case costs least through {named.channels(row['arm'])} {where}:"
            f" {_price(row)}; {most}."
        )
    alike = listing([named.channels(arm) for arm in near["arm"]])
    return (
        f"Which channel is cheapest {where} is not sure. One more resolved case seems to cost least"
        f" through {named.channels(row['arm'])}, {_price(row)}, and {most}; the"
        f" {'interval' if near.height == 1 else 'intervals'} of {alike}"
        f" {'overlaps' if near.height == 1 else 'overlap'} that of {named.channels(row['arm'])}."
    )


def _price(row: Mapping[str, Any]) -> str:
    """14.5 (95 % interval 9.1 to 30.2, few like cases without)."""
    ends = [cash(row[f"cost_per_resolved_{end}"]) for end in ("low", "high")]
    thin = ", few like cases without" if row["overlap"] == "thin" else ""
    return f"{cash(row['cost_per_resolved'])} (95 % interval {ends[0]} to {ends[1]}{thin})"


def self_cure_sentences(
    share: float | None, alone: pl.DataFrame, *, stages: Sequence[str] = ()
) -> list[str]:
    """How much comes without anybody: cash that followed no contact, cases left alone.

    `stages`: those in which cases were still open; of those without an estimate it is said why.
    """
    lines = []
    if share is not None:
        lines.append(
            f"{percent(share)} of the cash followed no contact that reached the debtor in the 14"
            " days before."
        )
    rates = alone.filter(pl.col("outcome") == "resolved", pl.col("alone").is_not_null())
    parts = [
        f"{percent(row['alone'])}"
        f" ({_ends(row['low'], row['high'], 'resolved')})"
        f" {named.stage(row['stage'])}"
        for row in rates.iter_rows(named=True)
    ]
    if parts:
        lines.append(
            f"With no attempt in the first week an estimated {listing(parts)} of the cases still"
            " open then would resolve (95 % intervals)."
        )
    unknown = [named.stage(stage) for stage in stages if stage not in set(rates["stage"])]
    if unknown:
        lines.append(
            f"How many would resolve with no attempt {listing(unknown)} is not known: too few like"
            " cases were left alone."
        )
    return lines


def totals_sentence(totals: pl.DataFrame) -> str:
    """Whether the three rules share out the same cash."""
    if totals.is_empty():
        return "No cash came in on cases in these months, so there is nothing to credit."
    first = totals.row(0, named=True)
    if totals["is_equal"].all():
        line = f"The total is the same under every rule: {money(first['cash_cents'])}"
        if first["cash_cents"] < 0:
            line += " (more was reversed than paid)"
        return line + "."
    gap = money(int(totals["difference_cents"].abs().max()), exact=True)  # type: ignore[arg-type]
    return f"The rules do not share out the same total: they differ by {gap}. This is an error."


def concentration_sentence(months: pl.DataFrame) -> str:
    """How many channels the attempts are spread over, in effect, now and at first."""
    known = months.filter(pl.col("herfindahl").is_not_null())
    if known.is_empty():
        return ""
    last = known.row(-1, named=True)
    line = (
        f"In the last month it was {number(last['equal_channels'], decimals=1)} channels;"
        f" {named.channels(last['largest_channel'])} are {percent(last['largest_share'])} of the"
        " attempts"
    )
    if known.height < 2:
        return line + "."
    first = known.row(0, named=True)
    was = number(first["equal_channels"], decimals=1)
    return f"{line}. In the first month it was {was}."


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
