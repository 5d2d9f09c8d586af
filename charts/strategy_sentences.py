"""Strategies in words: what differs, what it would bring, how sure that is, what limits cost.

Names from data are made plain here, so that what comes out is safe Markdown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp, isfinite
from typing import Any

import polars as pl

from charts.channel_words import CHANNELS
from charts.format import MISSING, chance, compact, listing, number, percent, plain
from charts.sentences import plural
from charts.strategy_words import (
    CURVE_LABELS,
    CURVES,
    EFFECT_LABELS,
    EVIDENCE,
    OPERATIONS,
    PRIORITIES,
    SAID,
    STAGE_NAMES,
    STAGES,
    STEPS,
)

ARROW = "→"
SURE = 0.9
NEAR = 6  # months ahead: forecasts up to here are judged apart from those further ahead
Row = Mapping[str, Any]


def field_words(name: str) -> str:
    return SAID.get(name, name.replace("_", " "))


def effect_name(row: Row) -> str:
    """An effect as a label: Calls, late (over 90)."""
    kind = str(row["kind"])
    if kind == "channel":
        return f"{CHANNELS[row['channel']]}, {STAGE_NAMES[row['stage']].lower()}"
    if kind == "first_contact":
        return f"First contact 4.5 days sooner, {STAGE_NAMES[row['stage']].lower()}"
    if kind == "cadence":
        return f"Half the days between attempts, {STAGE_NAMES[row['stage']].lower()}"
    if kind in CURVES:
        return f"{CURVES[kind]}, {STEPS[row['step']]}"
    return {
        "agency": "Agency instead of in-house",
        "plan": "Being offered a plan",
        "settlement": "Being offered a settlement",
        "suit": "Being sued",
    }[kind]


def effect_label(row: Row) -> str:
    """The same in few characters, for the side of a chart: Calls, late."""
    kind, stage = str(row["kind"]), row["stage"]
    if kind in CURVE_LABELS:
        return f"{CURVE_LABELS[kind]}, {STEPS[row['step']]}"
    what = EFFECT_LABELS.get(kind) or CHANNELS[row["channel"]]
    return what if stage is None else f"{what}, {STAGE_NAMES[stage].split(' (')[0].lower()}"


def amount(unit: str, value: float | None) -> str:
    """A value of a field in words, by its unit; a dash where it is not recorded."""
    if value is None:
        return MISSING
    if unit == "share":
        return percent(value, decimals=0 if value == 0 or value >= 0.1 else 1)
    if unit == "money":
        return compact(value)
    if 0 < value < 0.005:
        return f"under {number(0.01, decimals=2)}"
    return number(value, decimals=0 if abs(value - round(value)) < 0.005 else 2 if value < 1 else 1)


def difference_sentence(row: Row) -> str:
    """One difference: High-risk cases over 90 days late: calls 2.1 → 4.0 a month."""
    field = str(row["field"])
    if row["stage"] is None:
        if row["words"] is not None:
            return f"When hours are short: {PRIORITIES[row['words']].lower()}."
        label = OPERATIONS[field]
        before, after = amount(row["unit"], row["before"]), amount(row["unit"], row["after"])
        return f"{label}: {before} {ARROW} {after}."
    before, after = amount(row["unit"], row["before"]), amount(row["unit"], row["after"])
    unit = " a month" if row["unit"] == "a month" else ""
    what = f"{_who(row)}: {field_words(field)}"
    if row["before"] is None:
        return f"{what} {after}{unit}; until now not recorded."
    if row["after"] is None:
        return f"{what} {before}{unit} until now; then left open."
    return f"{what} {before} {ARROW} {after}{unit}."


def _who(row: Row) -> str:
    stage, who = STAGES[str(row["stage"])], list(row["who"] or ())
    kind = row["kind"]
    if kind == "all":
        return f"All {stage}"
    if kind == "risk":
        return f"{str(who[0]).capitalize()}-risk {stage}"
    if kind in ("product", "grade"):
        return f"{str(kind).capitalize()} {plain(who[0])}, {stage}"
    if len(who) <= 2:
        return f"{listing([segment_name(one) for one in who])}, {stage}"
    return f"{row['segments']} of {row['of']} segments, {stage}"


def segment_name(code: str) -> str:
    """A segment's code in words: card, A."""
    return ", ".join(plain(part) for part in code.split("|"))


def money(value: float | None) -> str:
    """Currency in few characters, signed where it is a loss."""
    return MISSING if value is None else compact(value)


def interval(low: float, high: float) -> str:
    return f"80 % interval {money(low)} to {money(high)}"


def benefit_sentences(
    name: str,
    answer: Row,
    *,
    months: int,
    is_changed: bool,
    assumed: Sequence[str],
    unknown: Sequence[str],
    without: float | None,
) -> list[str]:
    """What a strategy would bring, whether that is beyond noise, and what it rests on.

    `answer`: `mean`, `low`, `high`, `p_better` of the benefit; `assumed` and `unknown`: effects
    that it uses by the analyst's word, or of which nothing is known; `without`: mean benefit if
    the assumed effects were nothing.
    """  # fmt: skip
    if not is_changed:
        return ["This is what is done now. Change something to see what it would cost and bring."]
    mean, low, high = (float(answer[key]) for key in ("mean", "low", "high"))
    told = plain(name)
    if answer["p_better"] is None:  # as the baseline, whatever comes
        same = f"{told} changes no cash and no cost that is known of."
        return [same, *_rests_on(mean, assumed, unknown, without)]
    p, ends = float(answer["p_better"]), interval(low, high)
    if high <= 0 or (mean < 0 and p <= 1 - SURE):
        first = (
            f"{told} would cost {money(abs(mean))} more than it brings over"
            f" {plural(months, 'month')} ({interval(-high, -low)}); the chance"
            f" that it is better than now is {chance(p)}."
        )
    elif p >= SURE:
        first = (
            f"{told} would bring {money(mean)} more than it costs over {plural(months, 'month')}"
            f" ({ends}); it is better than now with a chance of {chance(p)}."
        )
    else:
        first = (
            f"{told} cannot be told from what is done now: {money(mean)} over"
            f" {plural(months, 'month')} ({ends}) is within noise; the chance that it is better is"
            f" {chance(p)}."
        )
    return [first, *_rests_on(mean, assumed, unknown, without)]


def _rests_on(
    mean: float, assumed: Sequence[str], unknown: Sequence[str], without: float | None
) -> list[str]:
    lines = []
    if assumed:
        half = without is not None and abs(mean - without) > 0.5 * max(abs(mean), 1e-9)
        told = listing([name[:1].lower() + name[1:] for name in assumed[:3]])
        more = f" and {len(assumed) - 3} more" if len(assumed) > 3 else ""
        line = f"It rests on your assumption about {told}{more}, not on evidence"
        if not half:
            line = f"A part of it is your assumption about {told}{more}, not evidence"
        if without is not None:
            line += f"; without it: {money(without)}"
        lines.append(f"{line}.")
    if unknown:
        told = listing([name[:1].lower() + name[1:] for name in unknown[:3]])
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        lines.append(f"Nothing is known of what this does, so only its cost counts: {told}{more}.")
    return lines


def all_cash_sentence(more: float, late: float) -> str:
    """Which part of the cash that the benefit counts comes from loans that are late."""
    return (
        f"The benefit counts the cash of all loans, late or not: {_more(more)} than the baseline's"
        f" over these months, from loans late as a month began {_more(late)} (not discounted)."
    )


def _more(value: float) -> str:
    return f"{money(abs(value))} {'less' if value < 0 else 'more'}"


def break_even_sentence(name: str, row: Row, value: float | None) -> str:
    """At which size of an effect the strategy is worth nothing more, beside what is thought."""
    if value is None:
        return (
            f"{name}: whatever it does, the strategy stays on its side of the baseline; the answer"
            " does not hang on it."
        )
    known = (
        f"it is thought to be × {number(exp(row['mean']), decimals=2)}"
        if row["evidence"] != "none"
        else "nothing is known of it"
    )
    return (
        f"{name}: the strategy is worth as much as the baseline if the odds of cure are"
        f" × {number(exp(value), decimals=2)}; {known} ({EVIDENCE[row['evidence']].lower()})."
    )


def hours_sentence(
    hours: float, capacity: float, minutes: Mapping[str, float], productive: float
) -> str:
    """The hours that the attempts take of those there are, and how they are counted."""
    each = [
        f"{number(value, decimals=0 if value >= 10 else 1)} a {CHANNELS[channel].lower()}"
        for channel, value in minutes.items()
    ]
    there = f"of {number(capacity)} " if isfinite(capacity) else ""
    return (
        f"Work: {number(hours)} {there}hours a month. Counted in minutes:"
        f" {listing(each)}; {percent(productive, decimals=0)} of paid hours are productive."
    )


def work_sentences(
    hours: float,
    capacity: float,
    shortfall: float,
    capped: pl.DataFrame,
    collectors: float,
    needed: float,
) -> list[str]:
    """Whether the people's hours and the contact rules let the strategy be carried out."""
    lines = []
    if shortfall > 0:
        lines.append(
            f"It asks for {number(hours)} hours a month and there are {number(capacity)}:"
            f" {number(shortfall)} hours of people's work are not done, and not counted."
            f" It would take {number(needed, decimals=1)} collectors, not"
            f" {number(collectors, decimals=1)}."
        )
    for what, told in _CUT.items():
        cut = capped.filter(pl.col("what") == what)
        if cut.height:
            rules = listing([plain(rule) for rule in cut["rule"].unique().sort() if rule])
            named = f" ({rules})" if rules else ""
            cells = f"{plural(cut.height, 'cell')} of segment and stage"
            lines.append(f"{told} in {cells}{named}.")
    return lines


_CUT = {
    "attempts": "Contact rules cut attempts",
    "gap_days": "Contact rules keep attempts further apart than it says",
    "room": "The days between attempts leave room for fewer attempts than it says",
}


def backtest_sentence(what: str, judged: pl.DataFrame, rows: pl.DataFrame) -> str:
    """How far off past forecasts were, and how often the interval held."""
    count = rows["origin"].n_unique()
    near = judged.filter(pl.col("horizon") == 1).row(0, named=True)
    far = judged.row(-1, named=True)
    inside = rows["inside"].mean()
    told = f"{what}: {plural(count, 'past forecast')} looked at."
    if near["absolute_error"] is not None:
        told += f" One month ahead they were off by {percent(near['absolute_error'])} on average"
        if far["horizon"] > 1 and far["absolute_error"] is not None:
            told += (
                f", {plural(far['horizon'], 'month')} ahead by"
                f" {percent(far['absolute_error'])} ({plural(far['origins'], 'forecast')})"
            )
        told += "."
    share = None if inside is None else float(inside)  # type: ignore[arg-type]
    told += f" What happened lay inside the 80 % interval in {percent(share, decimals=0)}"
    parts = {
        f"up to {plural(NEAR, 'month')} ahead": rows.filter(pl.col("horizon") <= NEAR),
        "further ahead": rows.filter(pl.col("horizon") > NEAR),
    }
    if not all(part.height for part in parts.values()):
        return f"{told}."
    held = [
        f"in {percent(part['inside'].mean(), decimals=0)} {where}"  # type: ignore[arg-type]
        for where, part in parts.items()
    ]
    return f"{told}: {', '.join(held)}."
