"""Simulator: the frames of its charts and tables, from what came of strategies."""

from __future__ import annotations

import math
from calendar import monthrange
from datetime import date

import polars as pl

from analytics.simulation_answers import by_segment, cost_by_kind, monthly
from analytics.simulation_levers import ROLLS, SHOCK, tornado
from analytics.strategy_answers import benefit_so_far, rest_of_segments
from analytics.strategy_effects import REACH
from charts.strategy_sentences import effect_label, effect_name
from charts.strategy_words import COST_LABELS, COSTS, EVIDENCE, LEVERS, REASONS
from figures.simulator import Ground, Outcome

MOST_BARS, MOST_SEGMENTS = 9, 12
OTHERS = "others"
_MONEY = ("value", "mean", "low", "middle", "high", "width", "so_far")
_INPUTS = {
    SHOCK: "Good or bad months",
    ROLLS: "Chance, roll rates",
}


def months_after(as_of: date, count: int) -> list[date]:
    """The month-end itself (0) and the `count` month-ends after it."""
    found = []
    for step in range(count + 1):
        years, month = divmod(as_of.month - 1 + step, 12)
        year = as_of.year + years
        found.append(date(year, month + 1, monthrange(year, month + 1)[1]))
    return found


def _in_months(rows: pl.DataFrame, as_of: date, horizon: int) -> pl.DataFrame:
    ends = months_after(as_of, horizon)
    return rows.with_columns(
        pl.col("month").replace_strict(list(range(horizon + 1)), ends, return_dtype=pl.Date),
        series=pl.col("plan"),
        value=pl.col("mean") * 100,
        low=pl.col("low") * 100,
        high=pl.col("high") * 100,
    ).select("month", "series", "value", "low", "high")


def so_far(found: Outcome, as_of: date) -> pl.DataFrame:
    """Benefit so far by month, in cents; of the baseline none."""
    rows = found.said(benefit_so_far)
    rows = rows.filter(pl.col("plan") != found.simulation.names[0])
    return _in_months(rows, as_of, found.simulation.horizon)


def by_month(found: Outcome, what: str, as_of: date) -> pl.DataFrame:
    """A flow by month, in cents."""
    return _in_months(found.said(monthly, what), as_of, found.simulation.horizon)


def costs(found: Outcome) -> pl.DataFrame:
    """Cost by kind and strategy, in cents, kinds that cost nothing anywhere left out."""
    rows = found.said(cost_by_kind)
    some = rows.group_by("kind").agg(pl.col("mean").abs().sum()).filter(pl.col("mean") > 0)["kind"]
    table = rows.filter(pl.col("kind").is_in(some.to_list())).with_columns(
        kind=pl.col("kind").replace_strict(COSTS, default=pl.col("kind")),
        cost_cents=pl.col("mean") * 100,
    )
    if table.is_empty():
        return table
    wide = table.pivot(on="plan", index="kind", values="cost_cents", maintain_order=True)
    renamed = {name: f"{name}_cents" for name in found.simulation.names}
    return wide.rename(renamed)


def in_cents(rows: pl.DataFrame) -> pl.DataFrame:
    """A chart's rows for a table: what is drawn in cents is named so."""
    return rows.rename({name: f"{name}_cents" for name in _MONEY}, strict=False)


def in_currency(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of a simulation for a table: what is in currency is named so."""
    return rows.rename({name: f"{name}_amount" for name in _MONEY}, strict=False)


def inputs(rows: pl.DataFrame) -> pl.DataFrame:
    """The tornado's rows for a table: an input's ends in log odds, the benefit there in cents."""
    told = rows.select("name", "note", "at_low", "at_high", "low", "high", "width", "middle")
    return in_cents(told).rename({"note": "evidence", "at_low": "log_odds_at_its_low_end",
                                  "at_high": "log_odds_at_its_high_end"})  # fmt: skip


def segments(found: Outcome, plan: int) -> pl.DataFrame:
    """Benefit by segment before fixed costs, in cents, the largest first; those after the twelfth
    together, as `others`."""
    name = found.simulation.names[plan]
    rows = found.said(by_segment).filter(pl.col("plan") == name, pl.col("mean") != 0)
    rows = rows.sort(pl.col("mean").abs(), descending=True)
    if rows.height > MOST_SEGMENTS:
        rows = rows.head(MOST_SEGMENTS)
        rest = rest_of_segments(found.simulation, plan, rows["segment"].to_list())
        rows = pl.concat(
            [rows, pl.DataFrame([{"segment": OTHERS, **(rest or {})}])], how="diagonal"
        )
    return rows.select(
        name=pl.col("segment").map_elements(told, return_dtype=pl.String),
        value=pl.col("mean") * 100,
        low=pl.col("low") * 100,
        high=pl.col("high") * 100,
        better_probability="p_better",
        is_beyond_noise=(pl.col("low") > 0) | (pl.col("high") < 0),
    )


def told(code: str) -> str:
    """A segment's code in words, for charts and tables."""
    return ", ".join(code.split("|"))


def hangs_on(found: Outcome, ground: Ground, plan: int) -> pl.DataFrame:
    """The tornado's rows, in cents, the widest first."""
    rolls = ground.draws(found.simulation.n)
    rows = found.once(
        ("hangs on", plan),
        lambda: tornado(found.simulation, rolls, found.inputs, found.theta, plan=plan),
    )
    names = {row["code"]: effect_label(row) for row in found.effects.iter_rows(named=True)}
    middle = float(found.simulation.benefit[plan].mean()) * 100
    return rows.with_columns(
        code="input",
        name=pl.col("input").replace_strict(names | _INPUTS, default=pl.col("input")),
        is_known=pl.col("evidence").fill_null("estimated") == "estimated",
        note=pl.col("evidence").fill_null("estimated").replace_strict(EVIDENCE, default=""),
        low=pl.col("low") * 100,
        high=pl.col("high") * 100,
        width=pl.col("width") * 100,
        middle=pl.lit(middle),
    ).head(MOST_BARS)


def waterfall_rows(rows: pl.DataFrame, found: Outcome) -> tuple[pl.DataFrame, list[str]]:
    """From nothing to the benefit in steps, in cents, with the names in order."""
    effects = {row["code"]: effect_label(row) for row in found.effects.iter_rows(named=True)}
    labels = effects | COST_LABELS | LEVERS | {"other": "Other levers"}
    steps = [
        {"name": labels.get(row["step"], row["step"]), "kind": "step",
         "value": row["mean"] * 100}
        for row in rows.iter_rows(named=True)
    ]  # fmt: skip
    whole = sum(step["value"] for step in steps)
    told = [
        {"name": "Baseline", "kind": "start", "value": 0.0},
        *steps,
        {"name": "Net benefit", "kind": "end", "value": whole},
    ]
    return pl.DataFrame(told), [str(row["name"]) for row in told]


def effect_rows(effects: pl.DataFrame) -> pl.DataFrame:
    """Effects as a reader edits them: odds of cure a month, times so much, 95 % range."""
    rows = [
        {
            "code": row["code"],
            "effect": effect_name(row),
            "evidence": EVIDENCE[row["evidence"]],
            "odds": odds(row["mean"]) if row["evidence"] != "none" else None,
            "low": odds(row["mean"] - REACH * row["sd"]) if row["evidence"] != "none" else None,
            "high": odds(row["mean"] + REACH * row["sd"]) if row["evidence"] != "none" else None,
            "cases": row["cases"],
            "why": REASONS.get(row["reason"], row["reason"]) if row["reason"] else None,
        }
        for row in effects.iter_rows(named=True)
    ]
    return pl.DataFrame(
        rows,
        schema={"code": pl.String, "effect": pl.String, "evidence": pl.String, "odds": pl.Float64,
                "low": pl.Float64, "high": pl.Float64, "cases": pl.Int64, "why": pl.String},
    )  # fmt: skip


def odds(value: float) -> float:
    """An odds ratio of its logarithm."""
    return math.exp(value)
