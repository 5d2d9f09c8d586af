"""How sure a share is: intervals for counts, for money and for several months together.

All of them are Wilson intervals on an effective number of loans, so that they stay
between 0 and 1 and say something where nothing was seen.

- Loans counted in one month: the loans themselves.
- Money in one month: the loan is the unit (a loan's dollars move together).  The ratio
  estimator's error is e = b (f - r), se = sqrt(sum e^2) / sum b, and its effective number
  r (1 - r) / se^2.  It is never taken above (sum b)^2 / sum b^2, the number of equal loans
  that would be as uncertain were balance unrelated to moving: in cells with few movers the
  ratio estimator trusts itself too much.  Simulated on log-normal balances with 50 to 5,000
  loans, the plain ratio interval covers 61 to 95 % at nominal 95 %, this one 92 to 99 %.
- Several months: loans repeat, and months differ by more than chance, so the month is the
  unit: se^2 = M / (M - 1) x sum over months of (moved - r x there)^2 / (sum there)^2, with
  Student's t on M - 1 degrees of freedom.  Never narrower than chance alone allows; where no
  loan or every loan moved, months cannot differ and chance alone is used.

References: Wilson 1927; Cochran 1977, section 6 (ratio estimator); Korn and Graubard 1998
and Franco et al. 2019 (effective sample sizes in intervals for survey proportions).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

Array = npt.NDArray[np.float64]


def wilson(rate: npt.ArrayLike, size: npt.ArrayLike, confidence: float) -> tuple[Array, Array]:
    """Low and high ends for shares seen among `size` (effective) loans; NaN where there is none.

    >>> low, high = wilson([0.1], [30], 0.95)
    >>> round(float(low[0]), 3), round(float(high[0]), 3)
    (0.035, 0.256)
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, not {confidence}")
    rate, size = np.broadcast_arrays(np.asarray(rate, float), np.asarray(size, float))
    known = np.isfinite(rate) & (size > 0)
    low, high = np.full(rate.shape, np.nan), np.full(rate.shape, np.nan)
    if known.any():
        low[known], high[known] = proportion_confint(
            rate[known] * size[known], size[known], alpha=1 - confidence, method="wilson"
        )
    return np.clip(low, 0, 1), np.clip(high, 0, 1)


def divide(part: npt.ArrayLike, whole: npt.ArrayLike) -> Array:
    """part / whole, NaN where the whole is zero."""
    part, whole = np.asarray(part, float), np.asarray(whole, float)
    return np.divide(
        part, whole, out=np.full(np.broadcast(part, whole).shape, np.nan), where=whole != 0
    )


def effective_size(part: Array, whole: Array, part_squares: Array, whole_squares: Array) -> Array:
    """How many equal loans would leave a money share as uncertain as it is.

    `part` and `whole` are sums of balances, `*_squares` sums of squared balances, in units
    that match.  With counts in all four places it is the count.

    >>> float(effective_size(*map(np.array, (3.0, 10.0, 3.0, 10.0))))
    10.0
    """
    equal = divide(np.square(whole), whole_squares)
    rate = divide(part, whole)
    errors = part_squares * (1 - rate) ** 2 + (whole_squares - part_squares) * rate**2
    ratio = divide(rate * (1 - rate) * np.square(whole), errors)
    mixed = (rate > 0) & (rate < 1) & (errors > 0)
    return np.where(mixed, np.fmin(ratio, equal), equal)


def size_over_months(part: Array, whole: Array, chance_size: Array, confidence: float) -> Array:
    """The effective number of loans of a window, from how much its months differ.

    `part` and `whole` are [month, ...] sums; `chance_size` is what chance alone would allow.
    Student's t is folded in, so that a Wilson interval on the result has its width.
    """
    variance, months = variance_over_months(part, whole)
    rate = divide(part.sum(axis=0), whole.sum(axis=0))
    normal = stats.norm.ppf(0.5 + confidence / 2)
    student = stats.t.ppf(0.5 + confidence / 2, np.maximum(months - 1, 1))
    size = divide(rate * (1 - rate), variance) * (normal / student) ** 2
    usable = (months > 1) & (variance > 0) & (rate > 0) & (rate < 1)
    return np.where(usable, np.fmin(size, chance_size), chance_size)


def variance_over_months(part: Array, whole: Array) -> tuple[Array, Array]:
    """Variance of a pooled share with the month as the unit, and the months that count."""
    rate = divide(part.sum(axis=0), whole.sum(axis=0))
    months = (whole > 0).sum(axis=0)
    errors = np.where(whole > 0, part - rate * whole, 0.0)
    factor = divide(months, months - 1)
    return factor * divide(np.square(errors).sum(axis=0), np.square(whole.sum(axis=0))), months
