"""Simulator: strategies side by side, a measure a row, in words."""

from __future__ import annotations

import numpy as np
import polars as pl

from analytics.simulation_answers import benefit, payback, recovery
from analytics.simulation_counts import breaches, rate_factors
from analytics.strategy_answers import totals
from analytics.strategy_fields import CHANNELS
from analytics.workload import PRODUCTIVE
from charts.format import MISSING, compact, number, percent, points
from charts.strategy_sentences import chance
from figures.simulator import Ground, Outcome

MORE_RECOVERY, SHORTER = "recovery", "period"


def broken(found: Outcome, ground: Ground) -> pl.DataFrame:
    """Breaches of contact rules a month and those avoided, a row a strategy."""
    return found.once("broken", lambda: _broken(found, ground))


def _broken(found: Outcome, ground: Ground) -> pl.DataFrame:
    cases = ground.workload.cases[..., None]
    attempts = np.stack([(one.attempts * cases).sum(axis=(0, 1)) for one in found.planned])
    factors = rate_factors(CHANNELS, ground.breach_shape, found.simulation.n, seed=1)
    return breaches(found.simulation.names, attempts, ground.breach_rate, factors)


def people_needed(found: Outcome, plan: int) -> float:
    """Collectors that the hours asked for take."""
    hours = found.strategies[plan].operations.hours_per_month * PRODUCTIVE
    return found.planned[plan].hours / hours if hours > 0 else float("nan")


def side_by_side(found: Outcome, ground: Ground) -> pl.DataFrame:
    """A column a strategy: what it brings, costs, takes and risks, each with its 80 % interval."""
    sim = found.simulation
    gains, paid = found.said(benefit).to_dicts(), found.said(payback).to_dicts()
    sums = {(row["plan"], row["measure"]): row for row in found.said(totals).iter_rows(named=True)}
    goals = {
        (row["plan"], row["measure"]): row for row in found.said(recovery).iter_rows(named=True)
    }
    rules = broken(found, ground).to_dicts()
    columns: dict[str, list[str]] = {}
    for place, name in enumerate(sim.names):
        is_base = place == 0
        gain, back = gains[place], paid[place]
        columns[name] = [
            MISSING if is_base else _ends(gain),
            MISSING if is_base else chance(gain["p_better"]),
            MISSING if is_base else compact(gain["extra_cost"]),
            MISSING if gain["return_"] is None else number(gain["return_"], decimals=1),
            payback_words(back),
            _ends(sums[name, "late_cash"]),
            _ends(sums[name, "cash"]),
            _ends(sums[name, "cost"]),
            _counts(sums[name, "complaints"]),
            _few(rules[place], "mean", "low", "high"),
            MISSING if is_base else _few(rules[place], "avoided", "avoided_low", "avoided_high"),
            number(people_needed(found, place), decimals=1),
            number(found.planned[place].shortfall),
            _ends(sums[name, "charged_off"]),
            *_goal_words(goals[name, MORE_RECOVERY], is_days=False),
            *_goal_words(goals[name, SHORTER], is_days=True),
        ]
    return pl.DataFrame({"measure": list(MEASURES), **columns})


MEASURES = (
    "Net benefit, discounted",
    "Chance that it is better",
    "Extra cost, discounted",
    "Return: benefit over extra cost",
    "Payback of one-off spending",
    "Cash from late loans",
    "Cash, all",
    "Cost, all kinds",
    "Complaints",
    "Breaches of contact rules a month",
    "— avoided, against now",
    "Collectors needed",
    "Hours short a month",
    "Charged off or sold",
    "Recovery of late money",
    "— against now, relative (asked for: +15 %)",
    "— against now, points",
    "— chance of +15 %",
    "Recovery period, days",
    "— against now, relative (asked for: −20 %)",
    "— against now, days",
    "— chance of −20 %",
)


def _ends(row: dict[str, float]) -> str:
    return f"{compact(row['mean'])} ({compact(row['low'])} to {compact(row['high'])})"


def _counts(row: dict[str, float]) -> str:
    return f"{number(row['mean'])} ({number(row['low'])} to {number(row['high'])})"


def _few(row: dict[str, float], *names: str) -> str:
    mean, low, high = (number(row[name], decimals=1) for name in names)
    return f"{mean} ({low} to {high})"


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
    own = number(row["mean"], decimals=1) if is_days else percent(row["mean"])
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
        _chance(row["p_goal"]),
    ]


def _chance(p: float | None) -> str:
    return MISSING if p is None or not np.isfinite(p) else chance(p)
