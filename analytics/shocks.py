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
SHOCK, LEVEL, DRIFT = range(3)  # places in the filter's state
FEWEST_MONTHS = 6
NEWTON_STEPS = 25


@dataclass(frozen=True)
class Shocks:
    """How far the rolls forward of each month lay from usual, in log-odds, and what is known.

    `level`, `error` by month; `weights` [persistence, spread]: how plausible each pair is;
    `mean` [persistence, spread, 3] and `root` [persistence, spread, 3, 3]: the present shock, the
    level and its drift a month under each pair, and the root of their covariance.
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


def learn_shocks(
    months: Sequence[date], level: Array, error: Array, *, drift_spread: float = 0.0
) -> Shocks:
    """How large are common shocks, and how long do they last?

    A Bayesian AR(1): y_t = m_t + z_t + e_t, z_t = a z_(t-1) + noise, with e_t of the standard error
    given, z of standard deviation s in the long run.  The level m_t is one, or drifts by g a month,
    g being normal with mean 0 and `drift_spread` beforehand.  The likelihood of each pair (a, s) of
    a grid by Kalman's filter, m and g being part of the state; the prior on a is flat, that on s
    half-normal (0.3).  With fewer than six known months the prior speaks.
    Misleads: a drift is held to go on as it was.
    References: Durbin and Koopman 2012, Time Series Analysis by State Space Methods;
    Office of the Comptroller of the Currency: forecasts from roll rates are good to about nine
    months and lag turning points.
    """
    a, s = PERSISTENCES[:, None], SPREADS[None, :]
    shape = (PERSISTENCES.size, SPREADS.size)
    mean = np.zeros((*shape, 3))
    cov = np.zeros((*shape, 3, 3))
    cov[..., SHOCK, SHOCK], cov[..., LEVEL, LEVEL] = s**2, LEVEL_SPREAD**2
    cov[..., DRIFT, DRIFT] = drift_spread**2
    log = np.broadcast_to(-0.5 * (s / USUAL_SPREAD) ** 2 + np.log(s), shape).copy()
    log += np.log(np.gradient(PERSISTENCES))[
        :, None
    ]  # the grid of `a` is uneven, that of s in logs
    for number, (y, e) in enumerate(zip(level, error, strict=True)):
        if number:
            mean, cov = _next_month(mean, cov, a, s)
        if not np.isfinite(y) or not np.isfinite(e):
            continue
        gain = cov[..., SHOCK] + cov[..., LEVEL]  # the observation is the sum of both
        variance = gain[..., SHOCK] + gain[..., LEVEL] + e**2
        miss = y - mean[..., SHOCK] - mean[..., LEVEL]
        log += -0.5 * (miss**2 / variance + np.log(variance))
        mean += gain * (miss / variance)[..., None]
        cov -= gain[..., :, None] * gain[..., None, :] / variance[..., None, None]
    weights = np.exp(log - log.max())
    root = _roots(cov)
    return Shocks(tuple(months), level, error, weights / weights.sum(), mean, root)


def _next_month(mean: Array, cov: Array, a: Array, s: Array) -> tuple[Array, Array]:
    """The filter's state a month later, before anything is seen of it."""
    step = np.zeros((*mean.shape, 3))
    step[..., SHOCK, SHOCK] = a
    step[..., LEVEL, LEVEL] = step[..., LEVEL, DRIFT] = step[..., DRIFT, DRIFT] = 1.0
    later = step @ cov @ np.swapaxes(step, -1, -2)
    later[..., SHOCK, SHOCK] += s**2 * (1 - a**2)
    return (step @ mean[..., None])[..., 0], later


def _roots(cov: Array) -> Array:
    """Cholesky factors, also of what does not vary at all."""
    root = np.zeros_like(cov)
    for column in range(cov.shape[-1]):
        done = root[..., :column]
        rest = cov[..., column] - (done * done[..., column, None, :]).sum(axis=-1)
        top = np.sqrt(np.maximum(rest[..., column], 0.0))[..., None]
        below = np.divide(rest, top, out=np.zeros_like(rest), where=top > 1e-9)
        root[..., column:, column] = below[..., column:]
    return root


def future_shocks(shocks: Shocks, *, draws: int, horizon: int, rng: np.random.Generator) -> Array:
    """Paths of the shock in the months to come, started from the present: [draw, month].

    Each path has a persistence and a spread as plausible as the past makes them, and its own
    idea of where the present stands.
    """
    cell = np.searchsorted(np.cumsum(shocks.weights), (np.arange(draws) + rng.random()) / draws)
    cell = rng.permutation(np.minimum(cell, shocks.weights.size - 1))
    row, column = np.unravel_index(cell, shocks.weights.shape)
    a, s = PERSISTENCES[row], SPREADS[column]
    normal = rng.standard_normal((draws, 3 + horizon))
    now = shocks.mean[row, column] + np.einsum(
        "nij,nj->ni", shocks.root[row, column], normal[:, :3]
    )
    z, level = now[:, SHOCK], now[:, LEVEL]
    paths = np.empty((draws, horizon))
    for month in range(horizon):
        z = a * z + s * np.sqrt(1 - a**2) * normal[:, 3 + month]
        level = level + now[:, DRIFT]
        paths[:, month] = level + z
    return paths
