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


def rates_in_force(
    names: Sequence[str], broken: pl.DataFrame, exposed: pl.DataFrame
) -> tuple[Array, Array] | None:
    """How many breaches comes an attempt to by channel, now that the rules are in force?

    Breaches of a rule over the attempts on days on which it was in force, added up over rules:
    the days before count neither above nor below.  In: `broken` (channel, month, rule, contacts),
    `exposed` (channel, month, rule, attempts in force).  Out: by channel of `names` the rate, and
    the breaches that it is known from over their dispersion between months.
    Null: no attempt was made while a rule was in force.

    >>> months = pl.DataFrame({"channel": ["call"] * 2, "month": [1, 2], "rule": ["night"] * 2})
    >>> broken = months.with_columns(contacts=pl.Series([4, 4]))
    >>> rate, shape = rates_in_force(
    ...     ["call", "sms"], broken, months.with_columns(attempts=pl.Series([100, 100]))
    ... )
    >>> rate.tolist(), shape.tolist()
    ([0.04, 0.0], [8.0, 0.0])
    """
    exposed = exposed.filter(pl.col("attempts") > 0)
    if exposed.is_empty():
        return None
    keys = ["channel", "rule"]
    cells = exposed.join(broken, on=[*keys, "month"], how="left")
    cells = cells.with_columns(pl.col("contacts").fill_null(0))
    cells = cells.with_columns(
        rate=pl.sum("contacts").over(keys) / pl.sum("attempts").over(keys),
    ).with_columns(expected=pl.col("rate") * pl.col("attempts"))
    months = cells.group_by("month").agg(pl.col("contacts", "expected").sum().cast(pl.Float64))
    spread = dispersion(months["contacts"].to_numpy(), months["expected"].to_numpy())
    rules = cells.group_by(keys).agg(pl.first("rate"), pl.sum("contacts"))
    sums = rules.group_by("channel").agg(pl.col("rate", "contacts").sum())
    found = pl.DataFrame({"channel": list(names)}).join(
        sums, on="channel", how="left", maintain_order="left"
    )
    rate, counts = (found[name].fill_null(0).to_numpy().astype(float) for name in sums.columns[1:])
    return rate, counts / spread


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
