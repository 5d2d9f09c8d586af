"""The answers of the Recovery page in words: how much comes back, how fast, and as planned?"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from charts.format import day, listing, money, month, number, percent
from charts.sentences import plural
from charts.target_sentences import has_few_cases, verdict_words

STAGES = {
    "early": "up to 30 days late",
    "middle": "31–90 days late",
    "late": "more than 90 days late",
}
SHORT = {"early": "Early", "middle": "Middle", "late": "Late"}
NO_RATE = {
    "all_immature": "none of these cases is old enough yet",
    "no_cases": "no such case was opened",
    "one_case": "there is only one such case",
}


def stage_words(stage: str) -> str:
    """A stage by the days late at the opening.

    >>> stage_words("early"), stage_words("other")
    ('up to 30 days late', 'other')
    """
    return STAGES.get(stage, stage)


UNITS = {
    False: (
        "A case here is a whole spell of lateness, followed through all its owners: early is up to"
        " 30 days late at the opening, middle up to 90, late beyond."
    ),
    True: (
        "An early or middle case here is a whole spell of lateness, followed through all its"
        " owners: early is up to 30 days late at the opening, middle up to 90. No spell of lateness"
        " began beyond: late are cases given to an owner at more than 90 days, each to its"
        " transfer."
    ),
}


def recovery_sentences(rows: dict[str, dict[str, Any] | None], period: dict[str, Any] | None,
                       targets: dict[str, float]) -> list[str]:  # fmt: skip
    """Of what was owed, how much came back, is that as planned, and how long does it take?

    `rows`: by stage the cohort recovery at its target's horizon and the attainment;
    `period`: the recovery period of all cases.
    """
    lines = []
    for stage, horizon in (("early", 30), ("late", 180)):
        row = rows.get(stage)
        if row is None:
            continue
        if row["rate"] is None:
            why = NO_RATE.get(row["reason"], "there is nothing to go by")
            lines.append(
                f"What comes back of cases {STAGES[stage]} within {horizon} days is not known:"
                f" {why}."
            )
            continue
        lines.append(
            f"Of what was owed on cases opened {STAGES[stage]}, {percent(row['rate'])} came back"
            f" within {horizon} days{_verdict(row, targets[stage])}"
        )
    if period is not None:
        lines.append(_half_words(period))
    return lines


def _verdict(row: dict[str, Any], target: float) -> str:
    """Whether the target is met; and what counts for it, where that is another share."""
    goal, said = f"the target of {percent(target, decimals=0)}", verdict_words(row)
    few = has_few_cases(row)
    if row["attained"] is None or percent(row["attained"]) == percent(row["rate"]):
        return f": {said} {goal}." if few else f": {goal} is {said}."
    share = percent(row["attained"])
    return (
        f"; {share} counts for {goal}: {said} it."
        if few
        else (f"; {share} counts for {goal}, which is {said}.")
    )


def _half_words(period: dict[str, Any]) -> str:
    spells = "spells of lateness that began in these months, whoever had them,"
    if period["is_small"]:
        began = f"{plural(period['cases'], 'spell')} of lateness began in these months"
        return f"Only {began}: too few to say how soon half are resolved."
    if period["median"] is None:
        return f"Fewer than half of the {spells} are resolved so far."
    if period["median"] > 180:
        return f"It takes more than 180 days until half of the {spells} are resolved."
    days = plural(int(period["median"]), "day")
    return f"Half of the {spells} are resolved within {days}{_median_span(period)}."


def _median_span(period: dict[str, Any]) -> str:
    """The interval of the median, beyond 180 days where it is not known to end before."""
    low, high = period["median_low"], period["median_high"]
    if low is None:
        return ""
    end = "beyond 180" if high is None or high > 180 else number(high)
    return f" (95 % interval {number(low)} to {end})"


def attribution_sentence(
    owner: int, nobody: int, total: int | None, rules: dict[str, int], *, is_whole_book: bool
) -> str:
    """Whose cash it is: owners' and nobody's add up to all payments, whatever the rule."""
    whole = owner + nobody
    if not whole and not rules:
        return "No payment came in in these months."
    line = (
        f"{money(owner)} came in on cases and {money(nobody)} on loans without an open case:"
        f" {money(whole)} in all"
    )
    if total is not None and is_whole_book:
        line += (
            ", to the cent what the payments table has"
            if total == whole
            else f"; the payments table has {money(total)}, which differs by"
            f" {money(abs(total - whole), exact=True)}"
        )
    line += "."
    wrong = [rule for rule, cents in rules.items() if cents != owner]
    if rules and not wrong:
        line += (
            " The rules that give the cash of cases to channels (last, first, equal split) add up"
            f" to the same {money(owner)}."
        )
    elif wrong:
        line += f" The rule {listing(wrong)} adds up to another total: refresh the marts."
    return line


def days_words(days: float | None) -> str:
    """Days with one decimal."""
    return number(days, decimals=1)


def within_words(stage: str, horizon: int) -> str:
    """A stage and its horizon, as a short label.

    >>> within_words("early", 30)
    'Early, in 30 days'
    """
    return f"{SHORT.get(stage, stage)}, in {horizon} days"


def left_out(by_stage: pl.DataFrame, horizons: dict[str, int]) -> str:
    """How many cases are left out because they are too young, of those shown."""
    young = sum(
        int(by_stage.filter(stage=stage, horizon=horizon)["immature_cases"].sum())
        for stage, horizon in horizons.items()
    )
    if not young:
        return "Every case has had its days."
    return f"{plural(young, 'case')} too young for it {'is' if young == 1 else 'are'} left out."


def median_words(period: Mapping[str, Any]) -> str:
    """The median as a tile: 37 days; a dash where fewer than half, or too few, are resolved."""
    days = period["median"]
    if days is None or period["is_small"]:
        return "–"
    return "over 180 days" if days > 180 else plural(days, "day")


def mean_words(period: Mapping[str, Any]) -> str:
    """Below the median in its tile."""
    if period["is_small"]:
        return f"too few: {number(period['cases'])} spells"
    mean = period["mean_180"]
    return "mean not known yet" if mean is None else f"mean {days_words(mean)} days"


def period_title(period: dict[str, Any]) -> str:
    """What the picture of endings shows."""
    if period["is_small"]:
        return f"How soon {plural(period['cases'], 'spell')} of lateness ended"
    if period["median"] is None:
        return "Fewer than half of the spells of lateness are resolved so far"
    if period["median"] > 180:
        return "It takes more than 180 days to resolve half of the spells of lateness"
    days = plural(int(period["median"]), "day")
    return f"Half of the spells of lateness are resolved within {days}"


def without_interval(course: pl.DataFrame) -> str:
    """How many of the months drawn have a rate and no interval, and why."""
    lone = course.filter(pl.col("value").is_not_null(), pl.col("low").is_null()).height
    if not lone:
        return ""
    have = "has" if lone == 1 else "have"
    return f" {plural(lone, 'point')} of a single case {have} no interval."


def nothing_drawn(by_stage: pl.DataFrame, horizons: dict[str, int]) -> str:
    """Why no month has a rate, in the place of the picture."""
    old = sum(
        int(by_stage.filter(stage=stage, horizon=horizon)["cases"].sum())
        for stage, horizon in horizons.items()
    )
    if old:
        return "Nothing was owed on these cases, so no share of it can be drawn."
    days = set(horizons.values())
    age = plural(days.pop(), "day") + " old" if len(days) == 1 else "old enough"
    return f"No case of these months is {age} yet, so there is nothing to draw."


def period_rows(period: pl.DataFrame) -> pl.DataFrame:
    """How fast, by lateness at the opening; no median and no mean of fewer than 30 spells."""
    enough = ~pl.col("is_small")
    return period.with_columns(pl.col("stage").replace(STAGES)).select(
        pl.col("stage").alias("opened"),
        "cases",
        "resolved",
        pl.col("competing").alias("left otherwise"),
        pl.col("censored").alias("still open"),
        pl.when(enough).then("median").alias("median days"),
        pl.when(enough).then(pl.col("mean_90").round(1)).alias("mean days of 90"),
        pl.when(enough).then(pl.col("mean_180").round(1)).alias("mean days of 180"),
    )


def collecting_words(
    attained: Mapping[str, Mapping[str, Any]],
    late_by_case: bool,
    cost: pl.DataFrame | None,
    *,
    as_of: date,
    last_day: date,
) -> str:
    """What the figures on collecting are of, in which scope, and what is left out.

    `last_day`: of the data, to which cases are followed whatever the month.
    """
    line = (
        f"Cash on cases and its cost in {month(as_of)}; recovery of the cases opened in the 12"
        f" months to it that are old enough{followed(as_of, last_day)}, no case counted beyond what"
        " it owed, as the targets are judged: lower than all the cash that came in."
    )
    if late_by_case and "recovery_late" in attained:
        line += " Late: cases given to an owner at more than 90 days."
    if cost is None:
        return line
    if cost.is_empty():
        return f"{line} No costs are recorded for {month(as_of)}."
    row = cost.row(0, named=True)
    line += (
        f" Cost to collect: {row['kinds'] or 'no recurring cost'}, {money(row['cost_cents'])} in"
        " all, of the whole book whatever the choice, over its cash on cases"
    )
    if row["rate"] is None:
        line += "; no net cash came in, so there is no rate"
    if row["one_off_cents"]:
        line += f"; one-off costs of {money(row['one_off_cents'])} are not in it"
    return line + "."


def followed(as_of: date, last_day: date) -> str:
    """That cases were followed beyond the month looked at; nothing in the last month."""
    return f", followed to {day(last_day)}" if as_of < last_day else ""
