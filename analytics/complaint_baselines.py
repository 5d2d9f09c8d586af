"""What does a series' own past say of its complaints: their rate, and how much weeks differ?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import gammaln
from scipy.stats import nbinom

Array = npt.NDArray[np.float64]
# how much a week's true rate may differ from the year's: standard deviation over mean
DISPERSIONS = np.array([0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0])
RATES = 25  # points of the rate's grid, four standard errors to either side
_STEEPEST = 10_000.0  # as good as certain
_LEAST = 1e-280  # nothing is impossible
_PROBABLE = 1e-9  # counts rarer than this are left out of a typical baseline
_COUNTS = 1_000  # where there are more different ones, so many quantiles stand for them


@dataclass(frozen=True)
class Baseline:
    """What a series' own past says: complaints per unit of exposure, and how weeks differ.

    `rates` (grid) and `weights` [rate, dispersion]: how plausible each pair is, given the counts.
    """

    rate: float
    dispersion: float
    rates: Array
    weights: Array
    weeks: int


def learn_baseline(complaints: Array, exposure: Array) -> Baseline:
    """What rate, and what weekly variation, fit these weeks?

    Complaints of a week are Poisson around rate x exposure x a gamma factor with mean 1 (negative
    binomial).  The likelihood of every pair on a grid, times a prior that prefers small
    variation (half-normal, 0.5).  Refuses: no weeks, no complaints, weeks without exposure.
    Reference: Hilbe 2011, Negative Binomial Regression (the likelihood).
    """
    n, t = np.asarray(complaints, float), np.asarray(exposure, float)
    if not n.size or n.sum() <= 0 or (t <= 0).any():
        raise ValueError("a baseline needs weeks with exposure, and complaints in them")
    return _learnt(n, t, np.ones(n.size))


def _learnt(n: Array, t: Array, times: Array) -> Baseline:
    """The baseline of weeks with counts n and exposure t, each there so many `times`."""
    weeks, whole = times.sum(), times @ t
    rate = (times @ n) / whole
    excess = max(float(times @ (n - rate * t) ** 2) / weeks, float(times @ n) / weeks)
    error = np.sqrt(excess / weeks) / (rate * whole / weeks)
    rates = rate * np.exp(np.linspace(-4, 4, RATES) * min(error, 1.0))
    mean, shape = rates[:, None] * t, 1 / DISPERSIONS**2
    # what does not depend on the rate is asked for once, not for every rate
    fixed = (gammaln(n + shape[:, None]) - gammaln(shape)[:, None]) @ times
    fixed += weeks * shape * np.log(shape)
    both = np.log(shape[:, None] + mean[:, None, :])  # [rate, dispersion, week]
    fit = fixed + (np.log(mean) @ (times * n))[:, None]
    likelihood = fit - both @ (times * n) - shape * (both @ times)
    log = likelihood - (DISPERSIONS / 0.5) ** 2 / 2
    weights = np.exp(log - log.max())
    weights /= weights.sum()
    dispersion = float(weights.sum(axis=0) @ DISPERSIONS)
    return Baseline(float(rate), dispersion, rates, weights, round(float(weeks)))


def typical_baseline(expected: float, dispersion: float, weeks: int) -> Baseline:
    """The baseline of a typical series with so many complaints a week, per week of exposure 1.

    Counts occur as often as the negative binomial says.  Few complaints say little of how weeks
    differ, so the estimated dispersion would not be the true one: its plausibility is then
    tilted (exponentially) until the estimate is `dispersion`, as it is of a series of which
    that was estimated.
    """
    shape = 1 / max(dispersion, float(DISPERSIONS[0])) ** 2
    counts = nbinom(shape, shape / (shape + expected))
    low, high = counts.ppf([_PROBABLE, 1 - _PROBABLE])
    if high - low <= _COUNTS:
        n = np.arange(low, high + 2)
        often = counts.pmf(n)
    else:
        n = counts.ppf((np.arange(_COUNTS) + 0.5) / _COUNTS)
        often = np.ones(n.size)
    found = _learnt(n, np.ones(n.size), weeks * often / often.sum())
    weights = np.maximum(found.weights, _LEAST)
    weights *= _tilt(weights.sum(axis=0), dispersion)
    weights /= weights.sum()
    reached = float(weights.sum(axis=0) @ DISPERSIONS)
    return Baseline(found.rate, reached, found.rates, weights, weeks)


def _tilt(weights: Array, mean: float) -> Array:
    """Factors of the dispersions, exp(a x dispersion), under which they have this mean."""

    def factors(steepness: float) -> Array:
        log = steepness * DISPERSIONS
        return np.asarray(np.exp(log - (log + np.log(weights)).max()))

    def beyond(steepness: float) -> float:
        tilted = weights * factors(steepness)
        return float(tilted @ DISPERSIONS / tilted.sum()) - mean

    if beyond(-_STEEPEST) >= 0:
        return factors(-_STEEPEST)
    if beyond(_STEEPEST) <= 0:
        return factors(_STEEPEST)
    return factors(float(brentq(beyond, -_STEEPEST, _STEEPEST)))
