"""Composite score: one number for an owner, and what it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import stats

from analytics.shrinkage import paule_mandel

MONEY = "recovery"
MONEY_AT_MOST = 0.5
WEIGHTS = {
    "recovery": 0.40,
    "promises_kept": 0.20,
    "first_contact": 0.10,
    "rule_breaches": 0.15,
    "complaints": 0.15,
}
LOWER_IS_BETTER = ("first_contact", "rule_breaches", "complaints")


@dataclass(frozen=True)
class Composite:
    """Scores by owner (0 to 100), the weights that were used, and the parts that are missing.

    `owners`: the owner, `score`, and for each part its own 0 to 100.  `weights`: what each part
    that is there weighs (they add up to 1; recovery at most one half).  `missing`: parts without
    figures.  `is_held`: whether recovery was held back to one half.  `reason`: why there is no
    score (`money_alone`, `no_parts`), else null.
    """

    owners: pl.DataFrame
    weights: dict[str, float]
    missing: tuple[str, ...]
    is_held: bool
    reason: str | None


def check_weights(weights: Mapping[str, float]) -> str | None:
    """Why these weights cannot be used, or null: `negative`, `money`, `nothing`.

    >>> check_weights({"recovery": 0.6, "promises_kept": 0.4})
    'money'
    """
    if any(not 0 <= value < np.inf for value in weights.values()):
        return "negative"
    total = sum(weights.values())
    if total <= 0:
        return "nothing"
    return "money" if weights.get(MONEY, 0.0) / total > MONEY_AT_MOST + 1e-9 else None


def used_weights(weights: Mapping[str, float], present: set[str]) -> tuple[dict[str, float], bool]:
    """The weights of the parts that are there, adding up to 1, recovery at most one half.

    >>> used_weights({"recovery": 40, "promises_kept": 20, "complaints": 40},
    ...              {"recovery", "promises_kept"})
    ({'recovery': 0.5, 'promises_kept': 0.5}, True)
    """
    kept = {name: float(value) for name, value in weights.items() if name in present and value > 0}
    total = sum(kept.values())
    if not total:
        return {}, False
    shares = {name: value / total for name, value in kept.items()}
    if shares.get(MONEY, 0.0) <= MONEY_AT_MOST + 1e-9:
        return shares, False
    others = sum(share for name, share in kept.items() if name != MONEY)
    if not others:
        return {}, True
    return {
        name: MONEY_AT_MOST if name == MONEY else (1 - MONEY_AT_MOST) * share / others
        for name, share in kept.items()
    }, True


def composite_score(
    parts: Mapping[str, pl.DataFrame], *, owner: str, weights: Mapping[str, float] | None = None
) -> Composite:
    """Taking everything together, how good is an owner's work?

    Mean of 100 x Phi(z) over the parts, by weight: case-mix-adjusted recovery .40, promises kept
    .20, first contact .10, rule breaches .15, complaints .15.  z: the owner's shrunk estimate less
    the average, over the spread between owners (both with chance taken out), signed so that more
    is better.  So 50 is the average owner, 84 one standard deviation above, and an owner of few
    cases is near 50.  Recovery is the share resolved on the same cases.
    Parts that are missing for everybody are left out and the others weigh more in proportion;
    one missing for a single owner counts 50.  Recovery never weighs more than one half.
    In: for each part a frame of owner, `effect`, `se` (any scale).
    Out: by owner the score and its parts, each from 0 to 100; what each part weighs, and the parts
    that are missing.
    Null: a score where recovery is the only part (`money_alone`), or where there is none
    (`no_parts`); a score of an owner without any part.
    Refuses: weights below zero or all zero, recovery above one half, unknown parts.
    Misleads: weights are a choice; where owners do not differ beyond chance in a part, it is 50
    for everybody.

    >>> two = pl.DataFrame({"who": ["A", "B"], "effect": [1.0, -1.0], "se": [0.1, 0.1]})
    >>> score = composite_score({"recovery": two, "promises_kept": two}, owner="who")
    >>> score.weights, score.is_held
    ({'recovery': 0.5, 'promises_kept': 0.5}, True)
    """
    weights = WEIGHTS if weights is None else weights
    if {*parts, *weights} - {*WEIGHTS}:
        raise ValueError(f"parts are {', '.join(WEIGHTS)}")
    if problem := check_weights(weights):
        raise ValueError(f"these weights cannot be used: {problem}")
    scores = {name: part_score(part, name, owner) for name, part in parts.items()}
    present = {name for name, part in scores.items() if part.height}
    missing = tuple(name for name in WEIGHTS if name not in present)
    used, held = used_weights(weights, present)
    empty = pl.DataFrame(schema={owner: pl.String, "score": pl.Float64})
    if not used:
        return Composite(empty, {}, missing, held, "money_alone" if held else "no_parts")
    frame = pl.concat([part.select(owner) for part in scores.values()]).unique().sort(owner)
    for name in [one for one in WEIGHTS if one in present]:
        frame = frame.join(scores[name], on=owner, how="left", maintain_order="left")
    total = pl.sum_horizontal(pl.col(name).fill_null(50.0) * share for name, share in used.items())
    return Composite(frame.with_columns(score=total), used, missing, held, None)


def part_score(part: pl.DataFrame, name: str, owner: str) -> pl.DataFrame:
    """100 x Phi(z) of one part; without rows where fewer than two owners have it.

    z = B (a - mean) / tau, B = tau^2 / (tau^2 + se^2), tau^2 by Paule and Mandel.
    """
    known = part.filter(pl.col("effect").is_not_null(), pl.col("se").is_not_null())
    if known.height < 2:
        return pl.DataFrame(schema={owner: pl.String, name: pl.Float64})
    effect, variance = known["effect"].to_numpy(), known["se"].to_numpy() ** 2
    spread = paule_mandel(effect, variance)
    weight = 1 / (spread + variance)
    centre = float((weight * effect).sum() / weight.sum())
    sign = -1.0 if name in LOWER_IS_BETTER else 1.0
    z = sign * np.sqrt(spread) * weight * (effect - centre)
    return known.select(owner).with_columns(pl.Series(name, 100 * stats.norm.cdf(z)))
