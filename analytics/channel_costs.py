"""What does a channel cost: an attempt, a case more resolved, a unit of cash more?"""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl
from scipy import stats

CONFIDENCE = 0.95
COST_REASONS = {
    "no_cost": "What the channel costs is not recorded.",
    "no_cases": "No case was treated, so there is no cost a case.",
    "no_estimate": "There is no adjusted effect to divide by.",
    "effect_includes_zero": "The effect may be nothing, so the cost of one more has no limit.",
    "effect_is_harm": "The effect is negative: nothing is gained to divide by.",
}


def ratio_interval(
    top: float, top_error: float, bottom: float, bottom_error: float, confidence: float = CONFIDENCE
) -> tuple[float, float] | None:
    """Between which values does a ratio of two independent estimates lie?

    Fieller's interval: all r for which top - r x bottom is within noise of 0.  With a top that
    is known it is top / high to top / low.  None where the bottom may be 0: it has no end.
    Reference: Fieller 1954.

    >>> low, high = ratio_interval(10.0, 0.0, 0.10, 0.02)
    >>> round(low, 1), round(high, 1)
    (71.8, 164.5)
    """
    z2 = float(stats.norm.ppf(0.5 + confidence / 2)) ** 2
    a = bottom**2 - z2 * bottom_error**2
    if not a > 0:
        return None
    b, c = top * bottom, top**2 - z2 * top_error**2
    root = math.sqrt(max(b * b - a * c, 0.0))
    return (b - root) / a, (b + root) / a


def channel_costs(channels: pl.DataFrame, *, confidence: float = CONFIDENCE) -> pl.DataFrame:
    """What does one more resolved case, or one more unit of cash, cost through a channel?

    cost per attempt = cost / attempts; cost a treated case = cost of the attempts by the
    landmark on treated cases / treated cases; cost per incremental resolved case = cost a
    treated case / adjusted effect; per incremental unit of cash = cost a treated case /
    adjusted effect on cash.  Intervals by Fieller's theorem; costs are taken as independent
    of effects.

    In: a row per channel (and anything else, kept) with `attempts`, `cost_cents`,
    `treated_cases`, `treated_cost_cents`, `treated_cost_squares` (currency squared; null where
    the spread is not known, then the cost is taken as known), and from `effects` `effect`,
    `low`, `high` for resolved cases and `cash_effect`, `cash_low`, `cash_high` (currency a case).
    Out: the same rows with `cost_per_attempt`, `cost_per_case`, and `cost_per_resolved`,
    `cost_per_cash` each with `_low`, `_high` and `_reason`; all in currency.
    Null with a reason: no_cost, no_cases, no_estimate, effect_includes_zero (the interval of
    the effect holds 0, so the cost has no upper end), effect_is_harm.
    Refuses: negative costs or counts.
    Misleads: the effect is the average over all landmark cases, the cost that of the treated;
    cases that get several channels cost more than this one's attempts; cost / effect of
    channels at different stages is no ranking of channels.
    """
    _check(channels)
    rows = [_row(row, confidence) for row in channels.iter_rows(named=True)]
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "cost_per_attempt": pl.Float64(),
        "cost_per_case": pl.Float64(),
    }
    for name in ("cost_per_resolved", "cost_per_cash"):
        schema |= {name: pl.Float64, f"{name}_low": pl.Float64, f"{name}_high": pl.Float64}
        schema[f"{name}_reason"] = pl.String
    return channels.hstack(pl.DataFrame(rows, schema=schema, orient="row"))


_COUNTS = ("attempts", "cost_cents", "treated_cases", "treated_cost_cents", "treated_cost_squares")


def _check(channels: pl.DataFrame) -> None:
    wanted = (*_COUNTS, "effect", "low", "high", "cash_effect", "cash_low", "cash_high")
    if missing := set(wanted) - set(channels.columns):
        raise ValueError(f"missing columns: {', '.join(sorted(missing))}")
    for name in _COUNTS:
        if (channels[name].cast(pl.Float64) < 0).any():
            raise ValueError(f"{name} is negative in some rows")


def _row(row: dict[str, float | None], confidence: float) -> Sequence[float | str | None]:
    cost, attempts = row["cost_cents"], row["attempts"]
    per_attempt = cost / 100 / attempts if cost is not None and attempts else None
    per_case, error, reason = _cost_a_case(row)
    names = (("effect", "low", "high"), ("cash_effect", "cash_low", "cash_high"))
    found: list[float | str | None] = [per_attempt, per_case]
    for effect, low, high in names:
        found += _per_gain(per_case, error, reason, (row[effect], row[low], row[high]), confidence)
    return found


def _cost_a_case(row: dict[str, float | None]) -> tuple[float | None, float, str | None]:
    """The mean cost of a treated case, its standard error, and why there is none."""
    cents, cases, squares = (
        row[name] for name in ("treated_cost_cents", "treated_cases", "treated_cost_squares")
    )
    if cents is None:
        return None, 0.0, "no_cost"
    if not cases:
        return None, 0.0, "no_cases"
    mean = cents / 100 / cases
    if squares is None or cases < 2:
        return mean, 0.0, None
    spread = max(squares / cases - mean**2, 0.0) * cases / (cases - 1)
    return mean, math.sqrt(spread / cases), None


def _per_gain(
    cost: float | None,
    error: float,
    reason: str | None,
    effect: tuple[float | None, float | None, float | None],
    confidence: float,
) -> list[float | str | None]:
    """Cost over effect with its interval, or nulls and why."""
    value, low, high = effect
    if reason or cost is None:
        return [None, None, None, reason]
    if value is None or low is None or high is None:
        return [None, None, None, "no_estimate"]
    if low <= 0:
        harm = high < 0
        return [None, None, None, "effect_is_harm" if harm else "effect_includes_zero"]
    z = float(stats.norm.ppf(0.5 + confidence / 2))
    ends = ratio_interval(cost, error, value, (value - low) / z, confidence)
    if ends is None:
        return [None, None, None, "effect_includes_zero"]
    return [cost / value, max(ends[0], 0.0), ends[1], None]
