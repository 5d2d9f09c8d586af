"""Which owners really differ, and by how much, once chance is taken out?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import stats
from statsmodels.stats.multitest import multipletests

Array = npt.NDArray[np.float64]
CONFIDENCE = 0.95
FALSE_DISCOVERIES = 0.05
DRAWS = 41  # equally likely values of the spread between owners


@dataclass(frozen=True)
class Shrunk:
    """Owners' effects with chance taken out.

    `owners`: the frame that was given with `reliability` (how much of an effect's distance from
    the mean is kept, 0 to 1), `shrunk`, `low`, `high`, `p_better`, `p_value`, `is_different`.
    `mean` of the effects with its error `mean_se`; `spread`: Paule-Mandel standard deviation
    between owners, `spread_low` and `spread_high` its interval; `heterogeneity_p`: how often so
    much variation would come by chance.  `reason` says why there is no comparison, else null.
    """

    owners: pl.DataFrame
    mean: float | None
    mean_se: float | None
    spread: float | None
    spread_low: float | None
    spread_high: float | None
    heterogeneity_p: float | None
    reason: str | None


def paule_mandel(effects: npt.ArrayLike, variances: npt.ArrayLike) -> float:
    """How much do owners differ beyond chance?  The variance between them.

    The tau^2 at which the weighted squares sum (a - mean)^2 / (v + tau^2) equals its expected
    value, owners less one; 0 where chance alone explains more than was seen.
    Reference: Paule and Mandel 1982; DerSimonian and Kacker 2007.

    >>> round(paule_mandel([-0.4, -0.1, 0.2, 0.5], [0.01] * 4), 4)
    0.14
    """
    a, v = np.asarray(effects, float), np.asarray(variances, float)
    return float(_spread_at(a, v, np.array([a.size - 1.0]))[0])


def shrink(
    effects: pl.DataFrame,
    *,
    confidence: float = CONFIDENCE,
    false_discoveries: float = FALSE_DISCOVERIES,
    higher_is_better: bool = True,
) -> Shrunk:
    """Who is better than the average, and how sure is that?

    An owner's effect a with error s is partly chance: shrunk = mean + B (a - mean) with
    B = tau^2 / (tau^2 + s^2), tau^2 being the variance between owners (Paule-Mandel).  tau^2
    itself is uncertain, so all is averaged over 41 equally likely values of it (the Q-profile:
    each value where Q would be at its 1/82, 3/82, ... quantile), whose middle is Paule-Mandel's;
    so intervals hold the truth as often as they claim with few owners too.

    In: `effect` and `se` by owner (any other columns are kept); owners without either are kept
    with nulls.
    Out: by owner how much of the effect's distance from the mean is kept (`reliability`), the
    shrunk effect with its interval, the probability that the owner is better than the average of
    all (`p_better`; owners weighted by their information, about their cases), and whether it is
    different (`is_different`: p-value against the average of the others, after
    Benjamini-Hochberg: of those flagged, at most 5 % are expected to be false); the spread between
    owners with its interval.
    Null: all estimates where fewer than two owners have one (`one_owner`, `no_owners`).
    Refuses: an error that is not above zero, or not finite.
    Misleads: shrunk effects are closer together than the truth is (each alone is right, their
    spread is not); better than average is not better than a named colleague.
    Reference: Paule and Mandel 1982; Viechtbauer 2007 (Q-profile); Morris 1983; Jones, Ohlssen
    and Spiegelhalter 2008 (false discoveries among providers).

    >>> two = pl.DataFrame({"who": ["A", "B", "C"], "effect": [0.9, 0.0, -0.9], "se": [0.3] * 3})
    >>> shrink(two).owners.select("who", pl.col("shrunk", "p_better").round(2)).row(0)
    ('A', 0.8, 1.0)
    """
    if not 0 < confidence < 1 or not 0 < false_discoveries < 1:
        raise ValueError("confidence and false_discoveries must lie between 0 and 1")
    a, s = (effects[name].cast(pl.Float64).to_numpy() for name in ("effect", "se"))
    known = effects.select(pl.col("effect").is_not_null() & pl.col("se").is_not_null()).to_series()
    use = known.to_numpy()
    if not (np.isfinite(a[use]).all() and np.isfinite(s[use]).all() and (s[use] > 0).all()):
        raise ValueError("effects and their errors must be finite, and the errors above zero")
    columns = {name: np.full(len(a), np.nan) for name in ESTIMATES}
    if use.sum() < 2:
        reason = "one_owner" if use.any() else "no_owners"
        return Shrunk(_with(effects, columns, []), None, None, None, None, None, None, reason)
    a, v = a[use], s[use] ** 2
    quantiles = stats.chi2.ppf((np.arange(DRAWS) + 0.5) / DRAWS, a.size - 1)
    draws = _spread_at(a, v, quantiles)
    found = _posterior(a, v, draws, confidence)
    tau2 = paule_mandel(a, v)
    mean, mean_variance = _mean(a, v, np.array([tau2]))
    found["reliability"] = tau2 / (tau2 + v)
    found["p_value"] = _against_the_others(a, v)
    for name, values in found.items():
        columns[name][use] = values
    if not higher_is_better:
        columns["p_better"] = 1 - columns["p_better"]
    different, *_ = multipletests(found["p_value"], alpha=false_discoveries, method="fdr_bh")
    flags = np.full(len(use), None, dtype=object)
    flags[use] = different
    ends = stats.chi2.ppf([0.5 + confidence / 2, 0.5 - confidence / 2], a.size - 1)
    low, high = np.sqrt(_spread_at(a, v, ends))
    excess = float(_q(a, v, np.zeros(1))[0])
    return Shrunk(
        owners=_with(effects, columns, list(flags)),
        mean=float(mean[0]),
        mean_se=float(np.sqrt(mean_variance[0])),
        spread=float(np.sqrt(tau2)),
        spread_low=float(low),
        spread_high=float(high),
        heterogeneity_p=float(stats.chi2.sf(excess, a.size - 1)),
        reason=None,
    )


ESTIMATES = ("reliability", "shrunk", "low", "high", "p_better", "p_value")


def _with(effects: pl.DataFrame, columns: dict[str, Array], flags: list[bool]) -> pl.DataFrame:
    flagged = pl.Series("is_different", flags or [None] * effects.height, dtype=pl.Boolean)
    estimates = pl.DataFrame({name: columns[name] for name in ESTIMATES}, nan_to_null=True)
    return effects.hstack(estimates).with_columns(flagged)


def _mean(a: Array, v: Array, tau2: Array) -> tuple[Array, Array]:
    """The weighted mean of the effects and its variance, at each value of tau^2."""
    weights = 1 / (v + tau2[:, None])
    return weights @ a / weights.sum(axis=1), 1 / weights.sum(axis=1)


def _q(a: Array, v: Array, tau2: Array) -> Array:
    mean, _ = _mean(a, v, tau2)
    return np.sum((a - mean[:, None]) ** 2 / (v + tau2[:, None]), axis=1)


def _spread_at(a: Array, v: Array, q: Array) -> Array:
    """The tau^2 at which Q takes each value; 0 where it is lower even without any spread.

    Newton's steps on 1/Q, which rises with tau^2 and is concave, so that no step goes too far
    (with equal variances it is a straight line, and the first step is the answer).
    """
    tau2 = np.zeros(q.shape)
    for _ in range(60):
        weights = 1 / (v + tau2[:, None])
        left = weights * (a - (weights @ a / weights.sum(axis=1))[:, None])
        slope, value = np.einsum("ij,ij->i", left, left), left @ a
        step = np.divide((value / q - 1) * value, slope, out=np.zeros(q.shape), where=slope > 0)
        before, tau2 = tau2, np.maximum(tau2 + step, 0.0)
        if (np.abs(tau2 - before) <= 1e-13 * tau2).all():
            break
    return tau2


def _posterior(a: Array, v: Array, tau2: Array, confidence: float) -> dict[str, Array]:
    """Shrunk effects, intervals and P(better), averaged over the values of tau^2."""
    mean, mean_variance = _mean(a, v, tau2)
    keep = tau2[:, None] / (tau2[:, None] + v)
    centre = mean[:, None] + keep * (a - mean[:, None])
    own, towards = keep * v, 1 - keep
    variance = own + towards**2 * mean_variance[:, None]
    share = (1 / v) / (1 / v).sum()  # the average owner, by information
    distance = centre - (centre @ share)[:, None]
    common = (towards - (towards @ share)[:, None]) ** 2 * mean_variance[:, None]
    apart = np.sqrt(np.maximum((1 - 2 * share) * own + (own @ share**2)[:, None] + common, 0))
    z = np.divide(distance, apart, out=np.zeros_like(distance), where=apart > 1e-12)
    shrunk = centre.mean(axis=0)
    width = np.sqrt(variance.mean(axis=0) + centre.var(axis=0))
    reach = stats.norm.ppf(0.5 + confidence / 2)
    return {
        "shrunk": shrunk,
        "low": shrunk - reach * width,
        "high": shrunk + reach * width,
        "p_better": stats.norm.cdf(z).mean(axis=0),
    }


def _against_the_others(a: Array, v: Array) -> Array:
    """Two-sided p-values: is this owner where the others' average (by information) is?"""
    left = (1 / v).sum() - 1 / v
    others = ((a / v).sum() - a / v) / left
    return 2 * stats.norm.sf(np.abs(a - others) / np.sqrt(v + 1 / left))
