"""Simulator: strategies side by side, a measure a row, in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from analytics.simulation_answers import benefit, payback, recovery
from analytics.simulation_counts import breaches, rate_factors
from analytics.strategy_answers import totals
from analytics.strategy_fields import CHANNELS
from analytics.workload import PRODUCTIVE
from charts.format import MISSING, NOT_RECORDED, chance, compact, number, percent, points, span
from figures.simulator import Ground, Outcome

MORE_RECOVERY, SHORTER = "recovery", "period"


def broken(found: Outcome, ground: Ground) -> pl.DataFrame:
    """Breaches of contact rules a month and those avoided, a row a strategy."""
    return found.once("broken", lambda: _broken(found, ground))


def _broken(found: Outcome, ground: Ground) -> pl.DataFrame:
    cases = ground.workload.cases[..., None]
    attempts = np.stack([(one.attempts * cases).sum(axis=(0, 1)) for one in found.planned])
    nothing = np.zeros(len(CHANNELS))
    rates, shapes = ground.breach_rates or (nothing, nothing)
    factors = rate_factors(CHANNELS, shapes, found.simulation.n, seed=1)
    return breaches(found.simulation.names, attempts, rates, factors)


def people_needed(found: Outcome, plan: int) -> float:
    """Collectors that the hours asked for take."""
    hours = found.strategies[plan].operations.hours_per_month * PRODUCTIVE
    return found.planned[plan].hours / hours if hours > 0 else float("nan")


def side_by_side(found: Outcome, ground: Ground) -> pl.DataFrame:
    """A column a strategy, the baseline last: what it brings, costs, takes and risks, each with its
    80 % interval."""
    sim = found.simulation
    gains, paid = found.said(benefit).to_dicts(), found.said(payback).to_dicts()
    sums = {(row["plan"], row["measure"]): row for row in found.said(totals).iter_rows(named=True)}
    goals = {
        (row["plan"], row["measure"]): row for row in found.said(recovery).iter_rows(named=True)
    }
    rules, known = broken(found, ground).to_dicts(), recorded(ground)
    columns: dict[str, list[str]] = {}
    for place, name in enumerate(sim.names):
        is_base = place == 0
        gain, back = gains[place], paid[place]
        columns[name] = [
            MISSING if is_base else _ends(gain),
            MISSING
            if is_base
            else THE_SAME
            if gain["p_better"] is None
            else chance(gain["p_better"]),
            MISSING if is_base else _ends(gain, "extra_cost", "extra_cost_low", "extra_cost_high"),
            _few(gain, "return_", "return_low", "return_high"),
            payback_words(back),
            _ends(sums[name, "late_cash"]),
            _ends(sums[name, "cash"]),
            _ends(sums[name, "cost"]),
            _few(sums[name, "complaints"], "mean", "low", "high", over=sim.horizon)
            if known.complaints
            else NOT_RECORDED,
            _few(rules[place], "mean", "low", "high") if known.breaches else known.why_no_breaches,
            MISSING if is_base or not known.breaches else _more_breaches(rules[place]),
            number(people_needed(found, place), decimals=1) if known.attempts else NOT_RECORDED,
            number(found.planned[place].shortfall) if known.attempts else NOT_RECORDED,
            _ends(sums[name, "charged_off"]),
            *_goal_words(goals[name, MORE_RECOVERY], is_days=False),
            *_goal_words(goals[name, SHORTER], is_days=True),
        ]
    first, *others = columns  # on a narrow screen the strategy stands beside its measures
    ordered = {name: columns[name] for name in (*others, first)}
    return pl.DataFrame({"measure": list(MEASURES), **ordered})


def widths(shown: pl.DataFrame) -> dict[str, int]:
    """Pixels that the longest text of each column takes, so that a grid scrolls and cuts none."""
    return {
        name: 24 + round(6.8 * max(len(name), *shown[name].str.len_chars()))
        for name in shown.columns
    }


THE_SAME = "the same"
MEASURES = (  # short, so that a column of numbers has room beside them on a narrow screen
    "Net benefit",
    "Chance it is better",
    "Extra cost",
    "Return per unit spent",
    "Payback",
    "Cash from late loans",
    "Cash, all",
    "Cost, all",
    "Complaints a month",
    "Breaches a month",
    "— more than now",
    "Collectors needed",
    "Hours short a month",
    "Charged off or sold",
    "Recovery",
    "— more, % of it",
    "— more, points",
    "— chance of +15 %",
    "Period, days",
    "— more, % of it",
    "— more, days",
    "— chance of −20 %",
)


@dataclass(frozen=True)
class Recorded:
    """What the book records that some measures need."""

    attempts: bool
    complaints: bool
    breaches: bool  # attempts while a rule was in force

    @property
    def why_no_breaches(self) -> str:
        return "no rule in force" if self.attempts else NOT_RECORDED


def recorded(ground: Ground) -> Recorded:
    """Without attempts neither work nor breaches are known: that is not none."""
    lacking = ground.workload.missing
    has_attempts = "contacts" not in lacking
    has_breaches = has_attempts and ground.breach_rates is not None
    return Recorded(has_attempts, "complaints" not in lacking, has_breaches)


def _ends(row: dict[str, float], mean: str = "mean", low: str = "low", high: str = "high") -> str:
    return f"{compact(row[mean])} ({compact(row[low])} to {compact(row[high])})"


def _few(row: dict[str, float | None], *names: str, over: int = 1) -> str:
    values = [row[name] for name in names]
    mean, low, high = (number(None if one is None else one / over, decimals=1) for one in values)
    return mean if mean == MISSING else f"{mean} ({low} to {high})"


def _more_breaches(row: dict[str, float]) -> str:
    more = (-row[name] for name in ("avoided", "avoided_high", "avoided_low"))
    mean, low, high = (signed(one) for one in more)
    return f"{mean} ({low} to {high})"


def signed(value: float | None) -> str:
    """A number with one decimal and its sign: +3.1."""
    return points(None if value is None else value / 100)


def payback_words(row: dict[str, float | None]) -> str:
    """`month 5 (3 to 9)`, or that it does not come back within the months simulated."""
    if row["within"] is None:
        return MISSING
    if row["middle"] is None:
        return f"not within the months shown ({percent(row['within'], decimals=0)} chance)"
    high = "later" if row["high"] is None else number(row["high"])
    low = "later" if row["low"] is None else number(row["low"])
    return f"month {number(row['middle'])} ({low} to {high})"


def _goal_words(row: dict[str, float | None], *, is_days: bool) -> list[str]:
    """A measure, and against the baseline relative, as a difference, and the goal's chance."""
    if is_days:
        own = _few(row, "mean", "low", "high")
    else:
        own = f"{percent(row['mean'])} ({span(row['low'], row['high'])})"
    if row["relative"] is None:
        return [own, MISSING, MISSING, MISSING]
    ends = f"{points(row['relative_low'])} to {points(row['relative_high'])}"
    scale = 100 if is_days else 1
    apart = [points((row[name] or 0) / scale) for name in
             ("difference", "difference_low", "difference_high")]  # fmt: skip
    return [
        own,
        f"{points(row['relative'])} % ({ends})",
        f"{apart[0]} ({apart[1]} to {apart[2]})",
        chance(row["p_goal"]),
    ]
