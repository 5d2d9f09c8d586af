"""Funnel plots: who lies outside what owners of that size show anyway?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import stats

Array = npt.NDArray[np.float64]
Method = Literal["additive", "multiplicative", "none"]
WINSORISED = 0.1
LEVELS = (0.95, 0.998)
FEWEST = 5  # owners from which over-dispersion is estimated
CURVE = 80  # points of a limit's curve


@dataclass(frozen=True)
class Dispersion:
    """How much more owners vary than chance: phi, tau^2, and how often chance would do that."""

    phi: float
    tau2: float
    p_value: float
    owners: int


@dataclass(frozen=True)
class Funnel:
    """A funnel plot's points and limits.

    `points`: owner, observed, expected, precision, ratio, z (against 1, over-dispersion in), zone
    ("in", "warning" beyond the first level, "alarm" beyond the second), reason.  `limits`:
    precision, level, low, high (of the ratio).  `dispersion` is null, and limits are those of
    chance alone, with fewer than five owners (`reason`).
    """

    points: pl.DataFrame
    limits: pl.DataFrame
    dispersion: Dispersion | None
    method: Method
    reason: str | None


def dispersion(
    z: npt.ArrayLike, se: npt.ArrayLike, *, winsorised: float = WINSORISED
) -> Dispersion:
    """Do owners vary more than chance allows, and by which factor?

    phi = mean of z^2 after the lowest and highest 10 % of the z-scores were pulled in to the 10th
    and 90th percentile, so that real outliers do not widen the limits that should show them.
    tau^2 = (I phi - (I - 1)) / (sum w - sum w^2 / sum w), w = 1 / se^2, at least 0: the variance
    between owners that explains it.  p: I phi against chi-square on I.

    In: z-scores of the owners against the target, standard errors on the scale of the plot.
    Refuses: no owners, values that are not finite, errors not above zero, pulling in half or more.
    Misleads: where nothing is wrong, pulling in makes phi about 0.7, not 1, so slight
    over-dispersion is not seen.
    Reference: Spiegelhalter 2005, Funnel plots for comparing institutional performance,
    Statistics in Medicine 24:1185-1202, and Handling over-dispersion of performance indicators,
    Quality and Safety in Health Care 14:347-351.

    >>> dispersion([-1, 1, -1, 1, 3, -3], [0.1] * 6, winsorised=0).phi
    3.6666666666666665
    """
    z, se = np.asarray(z, float), np.asarray(se, float)
    if not 0 <= winsorised < 0.5:
        raise ValueError(f"winsorised must lie between 0 and one half, not {winsorised}")
    if z.size == 0 or not (np.isfinite(z).all() and np.isfinite(se).all() and (se > 0).all()):
        raise ValueError("a funnel needs finite z-scores and errors above zero")
    held = np.clip(z, *np.quantile(z, [winsorised, 1 - winsorised]))
    phi, weights = float(np.mean(held**2)), 1 / se**2
    room = weights.sum() - (weights**2).sum() / weights.sum()
    excess = z.size * phi - (z.size - 1)
    tau2 = max(0.0, float(excess / room)) if room > 0 else 0.0
    return Dispersion(phi, tau2, float(stats.chi2.sf(z.size * phi, z.size)), z.size)


def funnel(
    owners: pl.DataFrame,
    *,
    owner: str,
    method: Method = "additive",
    winsorised: float = WINSORISED,
) -> Funnel:
    """Observed over expected against precision: which owners are outside the funnel?

    z = (O - E) / sqrt(V).  precision = E^2 / V, what is known of the owner's ratio (of counts about
    the expected number).  Limits around 1 at a precision: 1 -+ z_p s, where chance has s^2 = 1 /
    precision, so that every owner's own limits are those drawn; over-dispersion makes it phi s^2
    (multiplicative) or s^2 + tau^2 (additive, the default: large owners are not expected to lie on
    1 exactly).  Limits are never narrowed: with phi below 1 they are those of chance.  95 % and
    99.8 % (two and three standard errors).

    In: by owner `observed`, `expected` and `variance` at the average owner (any unit; for
    counts and for money).  Null: z and zone of an owner without variance (`no_variance`) or
    without anything expected (`nothing_expected`).
    Refuses: an unknown method, missing or not finite values, negative variances.
    Misleads: a funnel shows who stands out, not who is good; limits for small owners are rough
    (normal) and their low end is cut at 0 (or where the lowest owner is, below).
    """
    if method not in ("additive", "multiplicative", "none"):
        raise ValueError(f"method must be additive, multiplicative or none, not {method}")
    observed, expected, variance = (
        owners[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        for name in ("observed", "expected", "variance")
    )
    if (
        not np.isfinite(np.concatenate([observed, expected, variance])).all()
        or (variance < 0).any()
    ):
        raise ValueError("observed, expected and variance must be there for every owner")
    usable = (variance > 0) & (expected > 0)
    safe = np.where(usable, expected, 1.0)
    se = np.where(usable, np.sqrt(variance) / safe, np.nan)
    ratio = np.where(expected > 0, observed / safe, np.nan)
    found: Dispersion | None = None
    if usable.sum() >= FEWEST:
        found = dispersion((ratio[usable] - 1) / se[usable], se[usable], winsorised=winsorised)
    used: Method = method if found else "none"
    wide = _widened(se, found, used)
    points = _points(owners[owner], (observed, expected, ratio, se), (ratio - 1) / wide, usable)
    limits = _limits(se[usable] ** -2.0, ratio[usable], found, used)
    return Funnel(points, limits, found, used, None if found else "few_owners")


def _widened(se: Array, found: Dispersion | None, method: str) -> Array:
    if found is None or method == "none":
        return se
    if method == "multiplicative":
        return se * np.sqrt(max(found.phi, 1.0))
    return np.sqrt(se**2 + found.tau2)


def _points(
    names: pl.Series, values: tuple[Array, ...], z: Array, usable: npt.NDArray[np.bool_]
) -> pl.DataFrame:
    observed, expected, ratio, se = values
    size = np.abs(np.where(usable, z, np.nan))
    first, second = (stats.norm.ppf(0.5 + level / 2) for level in LEVELS)
    zone = np.where(size > second, "alarm", np.where(size > first, "warning", "in")).astype(object)
    zone[~usable] = None
    reason = np.where(expected > 0, "no_variance", "nothing_expected").astype(object)
    reason[usable] = None
    return pl.DataFrame(
        {
            names.name: names,
            "observed": observed,
            "expected": expected,
            "precision": se**-2.0,
            "ratio": ratio,
            "z": np.where(usable, z, np.nan),
            "zone": pl.Series(list(zone), dtype=pl.String),
            "reason": pl.Series(list(reason), dtype=pl.String),
        },
        nan_to_null=True,
    )


def _limits(precision: Array, ratio: Array, found: Dispersion | None, method: str) -> pl.DataFrame:
    """Curves from below the least precise owner to above the most precise one."""
    if not precision.size:
        return pl.DataFrame(schema=dict.fromkeys(("precision", "level", "low", "high"), pl.Float64))
    sizes = np.geomspace(precision.min() * 0.8, precision.max() * 1.1, CURVE)
    wide = _widened(sizes**-0.5, found, method)
    lowest = min(0.0, float(ratio.min()))
    parts = []
    for level in LEVELS:
        reach = stats.norm.ppf(0.5 + level / 2) * wide
        ends = {"low": np.maximum(1 - reach, lowest), "high": 1 + reach}
        parts.append(pl.DataFrame({"precision": sizes, "level": [level] * CURVE} | ends))
    return pl.concat(parts)
