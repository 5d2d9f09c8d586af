"""What the Segments page says: which class holds the money, what becomes of it, what was done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from charts import format as words
from charts.forecasts import ACT, CHANCE, LOOK
from charts.segment_words import CLASSES
from charts.sentences import plural

Row = Mapping[str, Any]
OF_CASES = (
    " Of cases (of a loan's spell of lateness the first in each stage), by their class at opening:"
    " the share resolved, and the cash within 90 days over what was overdue at the opening (over"
    " 100 % where instalments that fell due later, or the whole loan, were paid as well)."
)
_RULE = {"high": ("legal",), "medium": ("plan",), "low": ("none", "message", "talk")}
_DONE = {
    "high": "a legal step",
    "medium": "a plan",
    "low": "no more than messages and talk",
}


def _name(scheme: str, code: str) -> str:
    name = CLASSES[scheme].get(code, code).split(" (")[0]
    return name if scheme == "grade" else name.capitalize()


def size_sentence(sizes: pl.DataFrame, scheme: str, *, is_money: bool) -> str:
    """Which class of late loans holds the most."""
    share, amount = ("share", "late_cents") if is_money else ("loans_share", "late_loans")
    late = sizes.filter(pl.col("late_loans") > 0).drop_nulls(share)
    if late.is_empty():
        return ""
    row = late.sort(share, descending=True).row(0, named=True)
    held = words.money(row[amount]) if is_money else plural(row[amount], "loan")
    of = "late balance" if is_money else "late loans"
    return (
        f"{_name(scheme, row['class'])} holds the most: {words.percent(row[share])} of the {of}"
        f" ({held})."
    )


def recovery_sentence(recovery: pl.DataFrame, scheme: str) -> str:
    """How far the classes lie apart in what becomes of their cases."""
    known = recovery.filter(
        pl.col("resolved_share").is_not_null(), ~pl.col("is_small"), pl.col("class") != "unknown"
    ).sort("resolved_share")
    if known.height < 2:
        return ""
    worst, best = known.row(0, named=True), known.row(-1, named=True)
    said = [
        f"{words.percent(row['resolved_share'])} ({words.span(row['low'], row['high'])})"
        for row in (worst, best)
    ]
    if worst["high"] >= best["low"]:
        return (
            "The classes do not differ beyond chance in the share of cases that resolve within"
            f" 90 days: {said[0]} to {said[1]}."
        )
    return (
        f"Of cases opened as {_name(scheme, worst['class']).lower()}, {said[0]} resolve within"
        f" 90 days; of {_name(scheme, best['class']).lower()}, {said[1]}."
    )


def roll_sentence(rolls: pl.DataFrame, scheme: str) -> str:
    """Which class gets worse fastest."""
    known = rolls.filter(pl.col("forward_share").is_not_null(), ~pl.col("is_small"))
    if known.is_empty():
        return ""
    row = known.sort("forward_share", descending=True).row(0, named=True)
    return (
        f"{_name(scheme, row['class'])} gets later fastest: {words.percent(row['forward_share'])}"
        f" of it in a month, while {words.percent(row['cured_share'])} is cured."
    )


def rule_sentence(treatments: pl.DataFrame, scheme: str) -> str:
    """How far what was done follows the rule legal, plan, soft contact for high, medium, low."""
    if scheme == "grade" or treatments.is_empty():
        return ""
    parts = []
    for code, steps in _RULE.items():
        theirs = treatments.filter(pl.col("class") == code)
        cases = int(theirs["cases"].sum())
        if cases:
            done = int(theirs.filter(pl.col("actual").is_in(steps))["cases"].sum())
            parts.append(f"{words.percent(done / cases)} of {code}-risk cases had {_DONE[code]}")
    if not parts:
        return ""
    return (
        "The rule of thumb is law first for high risk, a plan for medium, soft contact for low:"
        f" within 90 days, {words.listing(parts)}."
    )


def plan_sentence(treatments: pl.DataFrame) -> str:
    """How many cases have a planned treatment."""
    cases = int(treatments["cases"].sum())
    if not cases:
        return "No case of these months is 90 days old yet."
    planned = int(treatments.drop_nulls("planned")["cases"].sum())
    if not planned:
        return "No case has a planned treatment recorded: fill `cases.strategy` to compare."
    return f"{words.percent(planned / cases)} of {plural(cases, 'case')} have a planned treatment."


def model_sentences(model: Row | None, later: Any, fitted: Any) -> list[str]:
    """What the model was fitted on, and how well it tells cases apart in later months."""
    if model is None:
        return ["There is no model: the book has no cases."]
    if model["reason"]:
        return [str(model["reason"])]
    first, last = (words.month(model[name]) for name in ("first_month", "last_month"))
    said = [f"Fitted on {plural(model['cases'], 'case')} opened from {first} to {last}."]
    if later is None:
        said.append("No later case is 90 days old with both outcomes seen, so it is not judged.")
        return said
    said.append(
        f"Of two later cases, one that resolves and one that does not, it ranks the first higher"
        f" {words.percent(later.auc)} of the time"
        f" ({words.span(later.auc_low, later.auc_high)}; 50 % is chance)."
    )
    if fitted is not None and later.auc_high < fitted.auc:
        said.append(f"On the months it was fitted on: {words.percent(fitted.auc)}.")
    return said


def calibration_title(groups: pl.DataFrame) -> str:
    """Whether forecasts of later months came true, as the chart's finding."""
    off = groups.filter(pl.col("is_off"))
    if groups.is_empty():
        return "No later case is 90 days old"
    if off.is_empty():
        return "Later months resolved as forecast"
    if off.height == 1:  # of ten, one in two is off by chance
        return f"Later months resolved as forecast in {groups.height - 1} of {groups.height} groups"
    gaps = groups.select((pl.col("share") - pl.col("forecast_share")).alias("gap"))["gap"]
    most = float(gaps.abs().max())  # type: ignore[arg-type]
    far = f"by at most {words.number(most * 100, decimals=1)} points"
    below = off.filter(pl.col("share") < pl.col("forecast_share")).height
    if below in (0, off.height):
        way = "fewer" if below else "more"
        return f"In {off.height} of {groups.height} groups {way} resolved than forecast, {far}"
    return f"{off.height} of {groups.height} groups lie off the forecast, {far}"


def stability_title(months: pl.DataFrame) -> str:
    """Whether the mix of cases has moved, as the chart's finding."""
    later = months.filter("is_later").sort("month")
    if later.is_empty():
        return "There is no later month"
    last = later.row(-1, named=True)
    name = words.month(last["month"])
    if last["psi"] <= CHANCE * last["by_chance"]:
        beyond = later.filter(pl.col("psi") > CHANCE * pl.col("by_chance")).height
        others = later.height - 1
        drifted = f"; in {beyond} of the {others} later months before it was not" if beyond else ""
        return f"The mix of cases in {name} is within what chance makes of it{drifted}"
    if last["psi"] < LOOK:
        return f"The mix of cases has moved a little by {name}"
    if last["psi"] < ACT:
        return f"The mix of cases in {name} has moved: worth a look"
    return f"The mix of cases in {name} is another than the model was fitted on"


def cost_words(recovery: pl.DataFrame) -> str:
    """What contacts cost, or what would be needed to know."""
    if recovery["cost_cents"].null_count() == recovery.height:
        return "Cost: no attempt has one recorded (`contacts.cost_amount`)."
    return "Cost: of attempts within 90 days, as recorded with each; other costs are not in it."
