"""The same comparison within strata: Mantel and Haenszel's."""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy import stats

from analytics.intervals import Array, divide

STRATA = ("strata_weight", "strata_gained", "strata_lost", "strata_spread")


def strata_sums(cases: Array, resolved: Array) -> dict[str, Array]:
    """What a stratum adds to the estimate; arrays are [stratum, (treated, reference)].

    With n1, n0 cases, y1, y0 resolved, n = n1 + n0: weight n1 n0 / n, gained y1 (n0 - y0) / n,
    lost y0 (n1 - y1) / n, and Sato's spread.  A stratum without one of the arms adds nothing.
    """
    n1, n0, y1, y0 = cases[:, 0], cases[:, 1], resolved[:, 0], resolved[:, 1]
    n = np.where((n1 > 0) & (n0 > 0), n1 + n0, np.inf)
    spread = (n1**2 * y0 - n0**2 * y1 + n1 * n0 * (n0 - n1) / 2) / n**2
    sums = (n1 * n0 / n, y1 * (n0 - y0) / n, y0 * (n1 - y1) / n, spread)
    return dict(zip(STRATA, sums, strict=True))


def mantel_haenszel(sums: pl.DataFrame, confidence: float = 0.95) -> pl.DataFrame:
    """What is the difference between like cases, where the strata have both?

    Difference = (sum gained - sum lost) / sum weight; odds ratio = sum gained / sum lost.  The
    interval of the difference is by Sato's variance, right for few large and many small strata.

    In: rows with `strata_weight`, `strata_gained`, `strata_lost`, `strata_spread` (sums over
    strata).  Out: `stratified`, `stratified_low`, `stratified_high`, `odds_ratio` by row.
    Null: no stratum has both arms; the odds ratio where nothing was lost.
    Misleads: it weighs strata by how evenly they are split, so where the effect differs among
    strata it is the effect on another mix of cases than the adjusted one.
    Reference: Mantel and Haenszel 1959; Sato, Greenland and Robins 1989.
    """
    weight, gained, lost, spread = (sums[name].to_numpy().astype(float) for name in STRATA)
    difference = divide(gained - lost, weight)
    variance = divide(difference * spread + (gained + lost) / 2, weight**2)
    margin = stats.norm.ppf(0.5 + confidence / 2) * np.sqrt(np.maximum(variance, 0.0))
    return pl.DataFrame(
        {
            "stratified": difference,
            "stratified_low": np.maximum(difference - margin, -1.0),
            "stratified_high": np.minimum(difference + margin, 1.0),
            "odds_ratio": divide(gained, lost),
        },
        nan_to_null=True,
    )
