"""How sure is a rate of counted events, and do two rates differ?  Exact Poisson answers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special, stats

Array = npt.NDArray[np.float64]
CONFIDENCE = 0.95


def poisson_interval(
    count: npt.ArrayLike,
    exposure: npt.ArrayLike,
    *,
    per: float = 1.0,
    confidence: float = CONFIDENCE,
) -> tuple[Array, Array]:
    """Between which rates does the truth lie, given so many events?

    Exact (Garwood): the lowest rate under which so many or more would come with 2.5 %, and the
    highest under which so few or fewer would: chi-square quantiles with 2n and 2n + 2 degrees of
    freedom, halved, over the exposure.  Without events the low end is 0.

    In: counts and exposures (arrays).  Out: low and high ends, times `per`.
    Null: no value where the exposure is zero or unknown.
    Refuses: negative counts, negative exposures.
    Misleads: it is too short where events come in clusters (one campaign, one bad week).
    Reference: Garwood 1936; the same as the "exact-c" interval of statsmodels.

    >>> low, high = poisson_interval([12], [8_400], per=1_000)
    >>> round(float(low[0]), 2), round(float(high[0]), 2)
    (0.74, 2.5)
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, not {confidence}")
    n, t = np.broadcast_arrays(np.asarray(count, float), np.asarray(exposure, float))
    if (n < 0).any() or (t < 0).any():
        raise ValueError("a count or an exposure is negative")
    known = np.isfinite(n) & np.isfinite(t) & (t > 0)
    low, high = np.full(n.shape, np.nan), np.full(n.shape, np.nan)
    tail = (1 - confidence) / 2
    low[known] = np.where(
        n[known] > 0, stats.chi2.ppf(tail, np.maximum(2 * n[known], 1)) / 2 / t[known], 0.0
    )
    high[known] = stats.chi2.ppf(1 - tail, 2 * n[known] + 2) / 2 / t[known]
    return low * per, high * per


def rate_ratios(
    count: npt.ArrayLike,
    exposure: npt.ArrayLike,
    other_count: npt.ArrayLike,
    other_exposure: npt.ArrayLike,
    *,
    confidence: float = CONFIDENCE,
) -> tuple[Array, Array, Array, Array]:
    """How many times the other rate is this one, and could that be chance?

    Given the events of both, those on this side are binomial with the share of exposure that is
    here: Clopper and Pearson's interval of that share, turned into a ratio of rates.  p: twice
    the smaller tail, at most 1.

    In: counts need not be whole (weighed down where weeks vary more than chance).
    Out: ratio, low, high, p.  Null: no value without exposure on either side or without any event;
    the ratio and its high end are infinite where only the other side has none.
    Refuses: negative counts or exposures.
    Misleads: as every Poisson answer, too sure where events come in clusters.
    Reference: Przyborowski and Wilenski 1940; Clopper and Pearson 1934.

    >>> ratio, low, high, p = rate_ratios([20], [100.0], [10], [100.0])
    >>> [round(float(value[0]), 3) for value in (ratio, low, high, p)]
    [2.0, 0.894, 4.785, 0.099]
    """
    n, t, m, s = np.broadcast_arrays(
        *(np.asarray(one, float) for one in (count, exposure, other_count, other_exposure))
    )
    if min(n.min(initial=0), m.min(initial=0), t.min(initial=0), s.min(initial=0)) < 0:
        raise ValueError("a count or an exposure is negative")
    with np.errstate(divide="ignore", invalid="ignore"):
        known = (t > 0) & (s > 0) & (n + m > 0)
        tail, odds = (1 - confidence) / 2, s / t
        low = np.where(n > 0, stats.beta.ppf(tail, n, m + 1), 0.0)
        high = np.where(m > 0, stats.beta.ppf(1 - tail, n + 1, m), 1.0)
        here = t / (t + s)
        below = np.where(m > 0, special.betainc(m, n + 1, 1 - here), 1.0)
        above = np.where(n > 0, special.betainc(n, m + 1, here), 1.0)
        p = np.minimum(2 * np.minimum(below, above), 1.0)
        parts = ((n / m) * odds, low / (1 - low) * odds, high / (1 - high) * odds, p)
    ratio, low, high, p = (np.where(known, part, np.nan) for part in parts)
    return ratio, low, high, p
