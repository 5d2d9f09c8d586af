"""Main-effects models fitted on cells: with categorical covariates they are the case-level fits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from analytics.intervals import Array

RIDGE = 1e-6  # keeps a perfect separator's coefficient finite; moves no other digit that shows
NOT_RECORDED = "(not recorded)"
INTERCEPT = "(intercept)"
_MOST_STEPS, _TOLERANCE = 60, 1e-9


def design(cells: pl.DataFrame, covariates: Sequence[str]) -> tuple[Array, list[tuple[str, str]]]:
    """A column of ones, then one of 0 and 1 for each level but the first met most often.

    What is not recorded is a level of its own.  Beside it the (covariate, level) of each column.
    """
    columns = [np.ones(cells.height)]
    names = [(INTERCEPT, "")]
    for covariate in covariates:
        levels = cells[covariate].cast(pl.String).fill_null(NOT_RECORDED).to_numpy()
        found, place, seen = np.unique(levels, return_inverse=True, return_counts=True)
        for index in np.delete(np.arange(len(found)), np.argmax(seen)):
            columns.append((place == index).astype(float))
            names.append((covariate, str(found[index])))
    return np.column_stack(columns), names


def logistic(design: Array, successes: Array, trials: Array) -> Array:
    """Coefficients of a grouped logistic model: `successes` of `trials` in each cell.

    Maximum likelihood by Newton's method with halved steps, and a ridge so light that only a
    level in which everybody, or nobody, succeeded is held back from infinity.
    """
    used = trials > 0
    x, successes, trials = design[used], successes[used], trials[used]
    coefficients = np.zeros(design.shape[1])
    if not used.any():
        return coefficients
    now = _likelihood(x, successes, trials, coefficients)
    for _ in range(_MOST_STEPS):
        share = expit(x @ coefficients)
        slope = x.T @ (successes - trials * share) - RIDGE * coefficients
        bend = x.T @ (x * (trials * share * (1 - share))[:, None])
        step = np.linalg.solve(bend + RIDGE * np.eye(len(coefficients)), slope)
        promised, new = slope @ step, now
        for _ in range(30):
            new = _likelihood(x, successes, trials, coefficients + step)
            if new >= now:
                break
            step = step / 2
        coefficients, now = coefficients + step, new
        if promised < _TOLERANCE:
            break
    return coefficients


def linear(design: Array, sums: Array, counts: Array) -> Array:
    """Coefficients of least squares over cases, from each cell's sum and number of cases."""
    bend = design.T @ (design * counts[:, None])
    scale = RIDGE * np.eye(design.shape[1])
    return np.linalg.solve(bend + scale, design.T @ sums).astype(np.float64)


def expit(score: Array) -> Array:
    """The probability that belongs to a log-odds score, without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * score))


def discrimination(score: Array, successes: Array, trials: Array) -> float | None:
    """How well a score tells successes from failures: 0.5 is a coin, 1 is perfect (c-statistic).

    >>> discrimination(np.array([0.2, 0.8]), np.array([1.0, 3.0]), np.array([4.0, 4.0]))
    0.75
    """
    _, place = np.unique(score, return_inverse=True)
    good = np.bincount(place, successes)
    bad = np.bincount(place, trials - successes)
    pairs = good.sum() * bad.sum()
    below = np.concatenate([[0.0], np.cumsum(bad)[:-1]])
    return float((good * (below + bad / 2)).sum() / pairs) if pairs > 0 else None


def _likelihood(x: Array, successes: Array, trials: Array, coefficients: Array) -> float:
    score = x @ coefficients
    fit = successes @ score - trials @ np.logaddexp(0.0, score)
    return float(fit - 0.5 * RIDGE * coefficients @ coefficients)
