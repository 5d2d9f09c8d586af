"""Whose complaint rate is really high, once chance is taken out?  Gamma-Poisson shrinkage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import special, stats
from statsmodels.stats.multitest import multipletests

from analytics.intervals import divide
from analytics.poisson_rates import CONFIDENCE, poisson_interval

Array = npt.NDArray[np.float64]
MINIMUM = 30
MEANS = 21
SPREADS = np.concatenate([[0.01], np.arange(0.05, 1.0, 0.05), np.arange(1.0, 3.01, 0.2)])
NEGLIGIBLE = 1e-4
ESTIMATES = ("shrunk", "low", "high", "p_above", "reliability", "p_value", "effect", "se")


@dataclass(frozen=True)
class ShrunkRates:
    """Collectors' complaint rates with chance taken out.

    `owners`: the frame that was given with `rate`, `raw_low`, `raw_high` (exact Poisson),
    `shrunk`, `low`, `high`, `p_above` (the average), `reliability` (how much of its own rate is
    kept, 0 to 1), `p_value`, `is_different`, `effect` (observed over expected, less 1) with `se`,
    `is_small`.  `mean` of the rates; `spread` between owners beyond chance, as a share of the
    mean, and its interval.  `reason` says why there is no comparison (`no_owners`, `one_owner`,
    `no_complaints`), else null.
    """

    owners: pl.DataFrame
    mean: float | None
    spread: float | None
    spread_low: float | None
    spread_high: float | None
    reason: str | None


def shrink_rates(
    owners: pl.DataFrame,
    *,
    owner: str,
    measure: str = "attempts",
    per: float = 1_000.0,
    confidence: float = CONFIDENCE,
    false_discoveries: float = 0.05,
    minimum: int = MINIMUM,
) -> ShrunkRates:
    """Which collectors draw more complaints than the average one, and how sure is that?

    Complaints are Poisson around attempts x the collector's own rate; own rates vary around the
    mean as a gamma distribution.  Mean m and spread c are those under which the counts are likely
    (negative binomial), averaged over what remains uncertain about them.  An owner's rate given
    y complaints at t attempts: (y + a) / (t + a / m), a = 1 / c^2: few attempts, near the mean.

    In: `owner`, `complaints` and `measure`, one row an owner; complaints that nobody could be
    given stay out.
    Out: rates per 1,000: the owner's own with its exact interval (raw low and high), the shrunk one
    with its interval, the probability that it is above the average, its reliability (how much of
    the own rate is kept), whether it is different (exact test against the rate of all the others,
    after Benjamini-Hochberg: of those flagged, at most 5 % are expected to be false), and whether
    the complaints are few.
    Null: everything but the count of an owner without attempts; the shrunk figures where fewer
    than two owners have attempts or nobody complained (the raw interval is still there).
    Refuses: missing or negative values, an owner twice.
    Misleads: attempts differ (a visit draws more complaints than a message), and the rate is of
    attempts, not of harm; a bad week of a whole team counts against each of its members.
    Reference: Clayton and Kaldor 1987; Morris and Lysy 2012; Benjamini and Hochberg 1995.

    >>> done = pl.DataFrame({"who": ["A", "B", "C", "D"], "complaints": [2, 3, 4, 30],
    ...                      "attempts": [1_000, 1_100, 900, 1_000]})
    >>> found = shrink_rates(done, owner="who").owners
    >>> found.select("who", "is_different", pl.col("rate", "shrunk").round(1)).row(3)
    ('D', True, 30.0, 28.5)
    """
    y, t = _counts(owners, owner, measure)
    use = t > 0
    raw_low, raw_high = poisson_interval(y, t, per=per, confidence=confidence)
    raw = {"rate": divide(y, t) * per, "raw_low": raw_low, "raw_high": raw_high}
    columns = {name: np.full(len(y), np.nan) for name in ESTIMATES}
    reason = None if use.sum() > 1 else ("one_owner" if use.any() else "no_owners")
    if reason is None and y[use].sum() == 0:
        reason = "no_complaints"
    if reason is not None:
        return ShrunkRates(
            _with(owners, raw, columns, None, minimum), None, None, None, None, reason
        )
    means, weights = _prior(y[use], t[use])
    found = _posterior(y[use], t[use], means, weights, confidence)
    for name in ("shrunk", "low", "high"):
        found[name] = found[name] * per
    found["p_value"] = _against_the_others(y[use], t[use])
    expected = t[use] * y[use].sum() / t[use].sum()
    found["effect"], found["se"] = y[use] / expected - 1, expected**-0.5
    for name, values in found.items():
        columns[name][use] = values
    flags = np.full(len(y), None, dtype=object)
    flags[use] = multipletests(found["p_value"], alpha=false_discoveries, method="fdr_bh")[0]
    plausible = np.cumsum(weights.sum(axis=0))
    ends = SPREADS[np.searchsorted(plausible, [(1 - confidence) / 2, (1 + confidence) / 2])]
    return ShrunkRates(
        owners=_with(owners, raw, columns, flags, minimum),
        mean=float((weights.sum(axis=1) * means).sum()) * per,
        spread=float(weights.sum(axis=0) @ SPREADS),
        spread_low=float(ends[0]),
        spread_high=float(ends[1]),
        reason=None,
    )


def _counts(owners: pl.DataFrame, owner: str, measure: str) -> tuple[Array, Array]:
    if missing := {owner, "complaints", measure} - set(owners.columns):
        raise ValueError(f"owners lack {', '.join(sorted(missing))}")
    if owners[owner].n_unique() < owners.height:
        raise ValueError("an owner is there twice")
    y, t = (
        owners[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        for name in ("complaints", measure)
    )
    if not np.isfinite(np.concatenate([y, t])).all() or (y < 0).any() or (t < 0).any():
        raise ValueError("complaints and attempts must be there and not negative")
    return y, t


def _with(
    owners: pl.DataFrame,
    raw: dict[str, Array],
    columns: dict[str, Array],
    flags: npt.NDArray[np.object_] | None,
    minimum: int,
) -> pl.DataFrame:
    different = [None] * owners.height if flags is None else list(flags)
    return owners.hstack(pl.DataFrame(raw | columns, nan_to_null=True)).with_columns(
        pl.Series("is_different", different, dtype=pl.Boolean),
        is_small=pl.col("complaints") < minimum,
    )


def _prior(y: Array, t: Array) -> tuple[Array, Array]:
    """Means on a grid, and how plausible each pair of mean and spread is [mean, spread].

    Negative binomial likelihood.  A priori every variance between owners is as likely as any
    other (slightly less so beyond a spread of 1), which is what keeps intervals honest where few
    owners say little about it.
    """
    overall = y.sum() / t.sum()
    apart = np.sqrt(np.mean((y / t - overall) ** 2) / y.size) / overall
    error = min(np.sqrt(1 / y.sum()) + apart, 1.0)
    means, a = overall * np.exp(np.linspace(-4, 4, MEANS) * error), 1 / SPREADS**2
    log = special.gammaln(y + a[:, None]) - special.gammaln(a)[:, None] + (a * np.log(a))[:, None]
    log = log.sum(axis=1) + y.sum() * np.log(means)[:, None]
    total = np.log(a[None, :, None] + means[:, None, None] * t) @ y
    ones = np.log(a[None, :, None] + means[:, None, None] * t).sum(axis=2)
    log = log - total - a * ones - SPREADS**2 / 2
    weights = np.exp(log - log.max()) * SPREADS * np.gradient(SPREADS)
    return means, weights / weights.sum()


def _posterior(
    y: Array, t: Array, means: Array, weights: Array, confidence: float
) -> dict[str, Array]:
    """Rates, intervals and P(above the mean), averaged over means and spreads."""
    mean, spread = np.nonzero(weights > NEGLIGIBLE * weights.max())
    w = weights[mean, spread] / weights[mean, spread].sum()
    m = means[mean][:, None]
    shape = 1 / SPREADS[spread][:, None] ** 2
    top, bottom = y + shape, t + shape / m
    rate = top / bottom
    centre = w @ rate
    variance = w @ (rate / bottom + rate**2) - centre**2
    tail = (1 - confidence) / 2
    k, scale = centre**2 / variance, variance / centre
    return {
        "shrunk": centre,
        "low": stats.gamma.ppf(tail, k, scale=scale),
        "high": stats.gamma.ppf(1 - tail, k, scale=scale),
        "p_above": w @ special.gammaincc(top, bottom * m),
        "reliability": w @ (t / bottom),
    }


def _against_the_others(y: Array, t: Array) -> Array:
    """Exact two-sided p-values: is this owner's rate that of all the others together?"""
    share, total = t / t.sum(), y.sum()
    below, above = stats.binom.cdf(y, total, share), stats.binom.sf(y - 1, total, share)
    return np.minimum(2 * np.minimum(below, above), 1.0)
