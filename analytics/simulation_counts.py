"""Complaints and breaches of a simulation: counts whose rates are known from few cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from analytics.intervals import Array, divide
from analytics.simulation_kernel import COMPLAINTS
from analytics.simulation_result import Simulation
from analytics.simulation_spreads import CONFIDENCE, spread_of


def rate_factors(names: Sequence[str], shape: Array, n: int, seed: int = 0) -> Array:
    """How far may each rate lie from its estimate?  Draws of it over its mean, [draw, rate].

    A rate known from so many counts (`shape`, prior included, over their dispersion) is Gamma with
    that shape: mean 1, variance 1 / shape.  Draws of a name depend on nothing else, so all
    strategies meet the same.  Null: a rate that no count is behind (shape 0) is as it is, 1.

    >>> rate_factors(["call"], np.array([100.0]), 20_000).std().round(2)
    np.float64(0.1)
    """
    found = np.ones((n, len(names)))
    for place, (name, counts) in enumerate(zip(names, shape, strict=True)):
        if counts > 0:
            own = np.random.default_rng([seed, 3, *name.encode()])
            found[:, place] = own.standard_gamma(counts, n) / counts
    return found


def with_complaint_rates(
    sim: Simulation, expected: Array, by_stage: Array, by_channel: Array
) -> Simulation:
    """The simulation with complaints whose rates are not known exactly.

    In: `expected` [plan, stage, channel] complaints a month at the rates' means, factors of the
    rates `by_stage` [draw, stage] and `by_channel` [draw, channel].  Complaints of a draw are
    multiplied by sum of expected x both factors / sum of expected; what costs and cash come to
    does not change.
    Misleads: the mix of stages and channels is that of the caseload measured, in all months; how
    much more a crowded case complains is not drawn.
    """
    whole = expected.sum(axis=(1, 2))[:, None]
    mix = np.nan_to_num(divide(expected, whole[..., None]))
    times = np.einsum("psc,ns,nc->pn", mix, by_stage, by_channel, optimize=True)
    times = np.where(whole > 0, times, 1.0)
    totals = sim.totals.copy()
    totals[:, :, COMPLAINTS] *= times[:, None, : sim.n].astype(np.float32)
    return replace(sim, totals=totals)


def breaches(
    names: Sequence[str],
    attempts: Array,
    rates: Array,
    factors: Array,
    *,
    confidence: float = CONFIDENCE,
) -> pl.DataFrame:
    """How many breaches of contact rules a month, and how many are avoided?

    attempts a month of a channel x breaches for an attempt of it, added up, draw by draw of the
    rates, the same for every strategy.  In: `attempts` [plan, channel] on the caseload measured,
    `rates` by channel, `factors` of `rate_factors`.  Out: a row a plan: `mean`, `low`, `high`;
    `avoided`, `avoided_low`, `avoided_high`: fewer than the first plan.
    Null: `avoided` of the first plan.
    Misleads: an attempt more is thought to break rules as often as those made now; a channel
    that has broken none so far breaks none.
    """
    drawn = (attempts * rates) @ factors.T
    own, fewer = (spread_of(part, confidence) for part in (drawn, drawn[:1] - drawn))
    told = {
        "avoided": fewer["mean"],
        "avoided_low": fewer["low"],
        "avoided_high": fewer["high"],
    }
    is_first = pl.int_range(pl.len()) == 0
    frame = pl.DataFrame({"plan": list(names), **own, **told}).drop("middle")
    return frame.with_columns(pl.when(~is_first).then(pl.col(name)).alias(name) for name in told)


def dispersion(counts: Array, expected: Array) -> float:
    """How much more do counts vary than by chance?  Chi-square over degrees of freedom, at least 1.

    >>> dispersion(np.array([4.0, 16.0]), np.array([10.0, 10.0]))
    7.2
    """
    known = expected > 0
    if known.sum() < 2:
        return 1.0
    square = (counts[known] - expected[known]) ** 2 / expected[known]
    return max(1.0, float(square.sum()) / (int(known.sum()) - 1))
