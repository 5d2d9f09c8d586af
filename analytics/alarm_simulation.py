"""How high may the running excess of complaints go by chance, and how soon does a doubling show?

The simulation from which the table of limits is made (`python -m bench.alarm_limits`), and which
stands in where the table does not reach.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from analytics.complaint_baselines import DISPERSIONS, Baseline

Array = npt.NDArray[np.float64]
RATIO = 2.0  # the rise that is looked for
ALARMS = 0.0055  # false alarms a week; held below 0.008, so that a bad draw stays below it too
POWER = 0.9  # of the doublings are found in so many weeks
WARM, COUNTED = 13, 52  # simulated weeks before alarms are counted, and while they are
SERIES = 1_500
LONGEST = 208  # simulated weeks after a rise


def allowance(ratio: float = RATIO) -> float:
    """k over the expected number: (r - 1) / ln r, halfway between usual and r times usual.

    >>> round(allowance(2.0), 4)
    1.4427
    """
    if not 1 < ratio < np.inf:
        raise ValueError(f"the ratio sought must lie above 1, not {ratio}")
    return float((ratio - 1) / np.log(ratio))


def weekly_counts(rng: np.random.Generator, mean: Array, dispersion: Array | float) -> Array:
    """Gamma-Poisson counts with those means and that variation of the mean between weeks."""
    shape = np.broadcast_to(1 / np.square(dispersion), mean.shape)
    return rng.poisson(rng.standard_gamma(shape) / shape * mean).astype(float)


def simulated_limit(
    baseline: Baseline,
    exposure: Array,
    *,
    series: int = SERIES,
    seed: int = 0,
) -> float:
    """The height h that the running excess passes by chance in 0.55 % of all weeks.

    Simulated: series of 65 weeks (the exposures of the weeks judged, repeated), each with a
    rate and a variation drawn as plausible as the baseline makes them, so the baseline's own
    error is in; the excess starts anew after each alarm; the first 13 weeks do not count.
    """
    rng = np.random.default_rng(seed)
    return _height(_null_steps(rng, baseline, exposure, *_pairs(baseline, series)))


def simulated_weeks(
    baseline: Baseline, limit: float, *, series: int = SERIES, seed: int = 0
) -> float:
    """Weeks after which nine of ten series have passed the limit since their rate doubled.

    Each has a rate and a variation as plausible as the baseline makes them.  A part of a week by
    the straight line between two weeks' shares; LONGEST where they are not enough by then.
    """
    rng = np.random.default_rng(seed)
    rates, spreads = _pairs(baseline, series)
    excess = np.zeros(series)
    for step in _null_steps(rng, baseline, np.ones(1), rates, spreads)[-2 * WARM :]:
        excess = np.maximum(excess + step, 0.0)
        excess[excess > limit] = 0.0
    found, before = np.zeros(series, bool), 0.0
    for week in range(LONGEST):
        count = weekly_counts(rng, rates * RATIO, spreads)
        excess = np.maximum(excess + count - allowance() * baseline.rate, 0.0)
        found |= excess > limit
        share = float(found.mean())
        if share >= POWER:
            return week + (POWER - before) / (share - before)
        before = share
    return float(LONGEST)


def _pairs(baseline: Baseline, series: int) -> tuple[Array, Array]:
    """A rate and a dispersion for each series, as often as they are plausible."""
    at = (np.arange(series) + 0.5) / series
    cell = np.searchsorted(np.cumsum(baseline.weights), at * baseline.weights.sum())
    cell = np.minimum(cell, baseline.weights.size - 1)
    rate, spread = np.unravel_index(cell, baseline.weights.shape)
    return baseline.rates[rate], DISPERSIONS[spread]


def _null_steps(
    rng: np.random.Generator, baseline: Baseline, exposure: Array, rates: Array, spreads: Array
) -> Array:
    """What each week [week, series] adds to the excess where nothing changed."""
    exposure = np.resize(exposure[exposure > 0], WARM + COUNTED)[:, None]
    counts = weekly_counts(rng, exposure * rates, spreads)
    return counts - allowance() * baseline.rate * exposure


def _height(steps: Array) -> float:
    """The h at which ALARMS of the counted weeks [week, series] raise one (bisection)."""
    high = float(np.quantile(_without_restart(steps)[WARM:], 1 - ALARMS))
    low, wanted = 0.0, ALARMS * (steps.shape[0] - WARM) * steps.shape[1]
    middle = high / 2
    while high - low > 0.005 * max(low, 1.0):
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
