"""How high may the running excess of complaints go by chance?  The limits of the signal."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

Array = npt.NDArray[np.float64]
ALARMS = 0.0055  # false alarms a week; held below 0.008, so that a bad draw stays below it too
# how much a week's true rate may differ from the year's: standard deviation over mean
DISPERSIONS = np.array([0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0])
RATES = 25  # points of the rate's grid, four standard errors to either side
WARM, COUNTED = 13, 52  # simulated weeks before alarms are counted, and while they are
WEEKS_SIMULATED = 100_000
LONGEST = 104


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
    rate = n.sum() / t.sum()
    excess = max(float(np.mean((n - rate * t) ** 2)), rate * float(t.mean()))
    error = np.sqrt(excess / n.size) / (rate * t.mean())
    rates = rate * np.exp(np.linspace(-4, 4, RATES) * min(error, 1.0))
    mean, shape = rates[:, None, None] * t, (1 / DISPERSIONS**2)[None, :, None]
    fit = gammaln(n + shape) - gammaln(shape) + shape * np.log(shape) + n * np.log(mean)
    likelihood = (fit - (n + shape) * np.log(shape + mean)).sum(axis=2)
    log = likelihood - (DISPERSIONS / 0.5) ** 2 / 2
    weights = np.exp(log - log.max())
    weights /= weights.sum()
    return Baseline(rate, float(weights.sum(axis=0) @ DISPERSIONS), rates, weights, n.size)


def alarm_limit(
    baseline: Baseline, exposure: Array, *, ratio: float, alarms: float = ALARMS, seed: int = 0
) -> float:
    """The height h that the running excess passes by chance in `alarms` of all weeks.

    Simulated: 1,500 series of 65 weeks (the exposures of the weeks judged, repeated), each with a
    rate and a variation drawn as plausible as the baseline makes them, so the baseline's own
    error is in; the excess starts anew after each alarm; the first 13 weeks do not count.
    """
    exposure = np.resize(exposure[exposure > 0], WARM + COUNTED)
    series = WEEKS_SIMULATED // exposure.size
    at = (np.arange(series) + 0.5) / series
    cell = np.searchsorted(np.cumsum(baseline.weights), at * baseline.weights.sum())
    cell = np.minimum(cell, baseline.weights.size - 1)
    rate, spread = np.unravel_index(cell, baseline.weights.shape)
    rng = np.random.default_rng(seed)
    mean = exposure[:, None] * baseline.rates[rate]
    counts = weekly_counts(rng, mean, DISPERSIONS[spread])
    steps = counts - allowance(ratio) * baseline.rate * exposure[:, None]
    return _height(steps, alarms)


def weekly_counts(rng: np.random.Generator, mean: Array, dispersion: Array | float) -> Array:
    """Gamma-Poisson counts with those means and that variation of the mean between weeks."""
    shape = np.broadcast_to(1 / np.square(dispersion), mean.shape)
    return rng.poisson(rng.standard_gamma(shape) / shape * mean).astype(float)


def allowance(ratio: float) -> float:
    """k over the expected number: (r - 1) / ln r, halfway between usual and r times usual.

    >>> round(allowance(2.0), 4)
    1.4427
    """
    if not 1 < ratio < np.inf:
        raise ValueError(f"the ratio sought must lie above 1, not {ratio}")
    return float((ratio - 1) / np.log(ratio))


def _height(steps: Array, alarms: float) -> float:
    """The h at which `alarms` of the counted weeks [week, series] raise one (bisection)."""
    if not 0 < alarms < 0.5:
        raise ValueError(f"false alarms a week must lie between 0 and one half, not {alarms}")
    high = float(np.quantile(_without_restart(steps)[WARM:], 1 - alarms))
    low, wanted = 0.0, alarms * (steps.shape[0] - WARM) * steps.shape[1]
    middle = high / 2
    while high - low > 0.02 * max(low, 1.0):
        if _crossings(steps, middle)[WARM:].sum() > wanted:
            low = middle
        else:
            high = middle
        middle = (low + high) / 2
    return high


def _without_restart(steps: Array) -> Array:
    """The excess of each week [week, series] if alarms are not heeded: never below the real one.

    It is the sum so far less the lowest sum so far, so all weeks come at once.
    """
    total = np.cumsum(steps, axis=0)
    return total - np.minimum(np.minimum.accumulate(total, axis=0), 0.0)


def _crossings(steps: Array, limit: float | Array) -> npt.NDArray[np.bool_]:
    """Whether each week raises an alarm; the excess starts anew after one."""
    excess, found = np.zeros(steps.shape[1]), np.zeros(steps.shape, bool)
    for week, step in enumerate(steps):
        excess = np.maximum(excess + step, 0.0)
        found[week] = excess > limit
        excess[found[week]] = 0.0
    return found


def weeks_to_find(
    mu_per_week: float,
    dispersion: float,
    *,
    ratio: float = 2.0,
    power: float = 0.9,
    baseline_weeks: int = 52,
    alarms: float = ALARMS,
) -> int | None:
    """In how many weeks would a doubling show, with so few complaints a week?

    The weeks after which nine of ten simulated series have raised the signal since their rate
    doubled, with limits made for so many complaints, so much variation and such a baseline.
    Out: weeks.  None: more than 104.
    Refuses: no complaints expected, a ratio not above 1, a power outside 0 to 1.
    Misleads: complaints are rounded to a tenth of their size, variation to 0.05; where variation
    is not known well, it takes somewhat longer.
    Reference: simulation; Hawkins and Olwell 1998, Cumulative Sum Charts, for the chart.
    """
    if not 0 < mu_per_week < np.inf or not 0 < power < 1 or dispersion < 0 or baseline_weeks < 1:
        raise ValueError("complaints a week and power must lie above 0, power below 1")
    step = 10 ** np.floor(np.log10(mu_per_week) - 1 + 1e-9) * 5
    mean = max(round(mu_per_week / step) * step, step) if mu_per_week >= 0.05 else mu_per_week
    spread = max(round(dispersion / 0.05) * 0.05, float(DISPERSIONS[0]))
    return _weeks_to_find(float(mean), spread, ratio, power, baseline_weeks, alarms)


@lru_cache(maxsize=4_096)
def _weeks_to_find(
    mean: float, dispersion: float, ratio: float, power: float, weeks: int, alarms: float
) -> int | None:
    series, rng = 1_000, np.random.default_rng(0)
    error = np.sqrt((mean + (mean * dispersion) ** 2) / weeks) / mean
    shape = 1 / error**2
    true = mean * rng.standard_gamma(shape, series) / shape
    before = weekly_counts(rng, np.tile(true, (WARM + COUNTED, 1)), dispersion)
    k = allowance(ratio) * mean
    limit = _height(before - k, alarms)
    excess = np.zeros(series)
    for count in before[-2 * WARM :]:
        excess = np.maximum(excess + count - k, 0.0)
        excess[excess > limit] = 0.0
    found = np.zeros(series, bool)
    for week in range(1, LONGEST + 1):
        excess = np.maximum(excess + weekly_counts(rng, true * ratio, dispersion) - k, 0.0)
        found |= excess > limit
        if found.mean() >= power:
            return week
    return None
