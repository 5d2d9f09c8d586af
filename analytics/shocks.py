"""What months have in common: a shock to all rolls forward, that fades as it did in the past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from analytics.intervals import Array

PERSISTENCES = np.array([0.0, 0.15, 0.3, 0.45, 0.6, 0.7, 0.8, 0.87, 0.92, 0.96, 0.985])
SPREADS = np.geomspace(0.003, 1.2, 30)  # standard deviation of the shock in the long run
USUAL_SPREAD = 0.3  # scale of the prior on it
LEVEL_SPREAD = 1.0  # of the prior on the level that shocks are measured from
FEWEST_MONTHS = 6
NEWTON_STEPS = 25


@dataclass(frozen=True)
class Shocks:
    """How far the rolls forward of each month lay from usual, in log-odds, and what is known.

    `level`, `error` by month; `weights` [persistence, spread]: how plausible each pair is;
    `mean` and `root` [persistence, spread, ...]: the present shock and level under each pair.
    """

    months: tuple[date, ...]
    level: Array
    error: Array
    weights: Array
    mean: Array
    root: Array

    @property
    def persistence(self) -> float:
        return float(self.weights.sum(axis=1) @ PERSISTENCES)

    @property
    def spread(self) -> float:
        return float(self.weights.sum(axis=0) @ SPREADS)

    def table(self) -> pl.DataFrame:
        """`month`, `shock`, `low`, `high` (two standard errors)."""
        return pl.DataFrame(
            {
                "month": pl.Series(self.months, dtype=pl.Date),
                "shock": self.level,
                "low": self.level - 2 * self.error,
                "high": self.level + 2 * self.error,
            }
        )


def monthly_levels(forward: Array, size: Array, usual: Array) -> tuple[Array, Array, Array]:
    """By how much were the log-odds of all rolls forward higher in a month than usual?

    One number d a month, such that sum n (f - F e^d / (1 + F (e^d - 1))) = 0 over the cells:
    the maximum likelihood of a common shift.  In, by month x cell: `forward` (share of money
    that rolled forward), `size` (effective number of loans), `usual` (F, the share of all
    months, by cell).  Out: d, its standard error, and the dispersion of the cells around d
    (chi-square over degrees of freedom, at least 1) by which the error is widened.
    Null: NaN and an infinite error where nothing could roll.
    """
    held = (size > 0) & (usual > 0) & (usual < 1)
    size, usual = np.where(held, size, 0.0), np.where(held, np.broadcast_to(usual, held.shape), 0.5)
    share = np.where(held, forward, 0.0)
    logit = np.log(usual / (1 - usual))
    level = np.zeros(len(size))
    for _ in range(NEWTON_STEPS):
        expected = 1 / (1 + np.exp(-(logit + level[:, None])))
        information = (size * expected * (1 - expected)).sum(axis=1) + 1e-12
        step = (size * (share - expected)).sum(axis=1) / information
        level = np.clip(level + np.clip(step, -1, 1), -6, 6)
        if np.abs(step).max(initial=0.0) < 1e-10:
            break
    expected = 1 / (1 + np.exp(-(logit + level[:, None])))
    unit = expected * (1 - expected)
    chi = (size * (share - expected) ** 2 / unit).sum(axis=1)
    freedom = held.sum(axis=1) - 1
    dispersion = np.where(freedom > 0, np.maximum(chi / np.maximum(freedom, 1), 1.0), 1.0)
    information = (size * unit).sum(axis=1)
    is_known = information > 0
    error = np.full(len(level), np.inf)
    error[is_known] = np.sqrt(dispersion[is_known] / information[is_known])
    return np.where(is_known, level, np.nan), error, dispersion


def learn_shocks(months: Sequence[date], level: Array, error: Array) -> Shocks:
    """How large are common shocks, and how long do they last?

    A Bayesian AR(1): y_t = m + z_t + e_t, z_t = a z_(t-1) + noise, with e_t of the standard error
    given, z of standard deviation s in the long run.  The likelihood of each pair (a, s) of a
    grid by Kalman's filter, m being part of the state; the prior on a is flat, that on s
    half-normal (0.3).  With fewer than six known months the prior speaks.
    References: Durbin and Koopman 2012, Time Series Analysis by State Space Methods;
    Office of the Comptroller of the Currency: forecasts from roll rates are good to about nine
    months and lag turning points.
    """
    a, s = PERSISTENCES[:, None], SPREADS[None, :]
    shape = (PERSISTENCES.size, SPREADS.size)
    mean = np.zeros((*shape, 2))  # of the shock z and of the level m
    cov = np.zeros((*shape, 2, 2))
    cov[..., 0, 0], cov[..., 1, 1] = s**2, LEVEL_SPREAD**2
    log = np.broadcast_to(-0.5 * (s / USUAL_SPREAD) ** 2 + np.log(s), shape).copy()
    log += np.log(np.gradient(PERSISTENCES))[
        :, None
    ]  # the grid of `a` is uneven, that of s in logs
    for number, (y, e) in enumerate(zip(level, error, strict=True)):
        if number:
            mean[..., 0] *= a
            cov[..., 0, :] *= a[..., None]
            cov[..., :, 0] *= a[..., None]
            cov[..., 0, 0] += s**2 * (1 - a**2)
        if not np.isfinite(y) or not np.isfinite(e):
            continue
        gain = cov.sum(axis=-1)  # the observation is the sum of both
        variance = gain.sum(axis=-1) + e**2
        miss = y - mean.sum(axis=-1)
        log += -0.5 * (miss**2 / variance + np.log(variance))
        mean += gain * (miss / variance)[..., None]
        cov -= gain[..., :, None] * gain[..., None, :] / variance[..., None, None]
    weights = np.exp(log - log.max())
    root = _roots(cov)
    return Shocks(tuple(months), level, error, weights / weights.sum(), mean, root)


def _roots(cov: Array) -> Array:
    """Cholesky factors of 2 x 2 covariances, lower triangle as (aa, ab, bb)."""
    first = np.sqrt(np.maximum(cov[..., 0, 0], 0.0))
    across = np.divide(cov[..., 0, 1], first, out=np.zeros_like(first), where=first > 1e-12)
    rest = np.sqrt(np.maximum(cov[..., 1, 1] - across**2, 0.0))
    return np.stack([first, across, rest], axis=-1)


def future_shocks(shocks: Shocks, *, draws: int, horizon: int, rng: np.random.Generator) -> Array:
    """Paths of the shock in the months to come, started from the present: [draw, month].

    Each path has a persistence and a spread as plausible as the past makes them, and its own
    idea of where the present stands.
    """
    cell = np.searchsorted(np.cumsum(shocks.weights), (np.arange(draws) + rng.random()) / draws)
    cell = rng.permutation(np.minimum(cell, shocks.weights.size - 1))
    row, column = np.unravel_index(cell, shocks.weights.shape)
    a, s = PERSISTENCES[row], SPREADS[column]
    normal = rng.standard_normal((draws, 2 + horizon))
    root, mean = shocks.root[row, column], shocks.mean[row, column]
    z = mean[:, 0] + root[:, 0] * normal[:, 0]
    level = mean[:, 1] + root[:, 1] * normal[:, 0] + root[:, 2] * normal[:, 1]
    paths = np.empty((draws, horizon))
    for month in range(horizon):
        z = a * z + s * np.sqrt(1 - a**2) * normal[:, 2 + month]
        paths[:, month] = level + z
    return paths
