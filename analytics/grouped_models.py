"""Main-effects models fitted on cells: with categorical covariates they are the case-level fits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from analytics.intervals import Array

RIDGE = 1e-6  # keeps a perfect separator's coefficient finite; moves no other digit that shows
SLOPE_RIDGE = 0.25  # of outcome models: slopes drawn around 0 with a standard deviation of 2
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
        found, place = levels(cells[covariate])
        most = np.argmax(np.bincount(place))
        for index in np.delete(np.arange(len(found)), most):
            columns.append((place == index).astype(float))
            names.append((covariate, found[index]))
    return np.column_stack(columns), names


def levels(values: pl.Series) -> tuple[list[str], npt.NDArray[np.int64]]:
    """A covariate's levels as text, in order, and the place of each value among them."""
    texts = values.cast(pl.String).fill_null(NOT_RECORDED)
    found = texts.unique().sort()
    place = texts.replace_strict(found, pl.arange(0, len(found), eager=True))
    return found.to_list(), place.to_numpy()


def logistic(
    design: Array, successes: Array, trials: Array, *, slope_ridge: float = RIDGE
) -> tuple[Array, float]:
    """A grouped logistic model, `successes` of `trials` in each cell: coefficients, and how many.

    Maximum likelihood by Newton's method with halved steps, less ridge x slope^2 / 2.  The
    default ridge holds back from infinity only a level in which everybody, or nobody, succeeded.
    Their number is what the data spend on them: the trace of the ridged fit, at most the columns.
    """
    used = trials > 0
    x, successes, trials = design[used], successes[used], trials[used]
    ridge = np.full(design.shape[1], slope_ridge)
    ridge[0] = RIDGE
    coefficients = np.zeros(design.shape[1])
    now = _likelihood(x, successes, trials, coefficients, ridge)
    for _ in range(_MOST_STEPS):
        share = expit(x @ coefficients)
        slope = x.T @ (successes - trials * share) - ridge * coefficients
        bend = x.T @ (x * (trials * share * (1 - share))[:, None])
        step = np.linalg.solve(bend + np.diag(ridge), slope)
        promised, new = slope @ step, now
        for _ in range(30):
            new = _likelihood(x, successes, trials, coefficients + step, ridge)
            if new >= now:
                break
            step = step / 2
        coefficients, now = coefficients + step, new
        if promised < _TOLERANCE:
            break
    return coefficients, float(np.trace(np.linalg.solve(bend + np.diag(ridge), bend)))


def linear(design: Array, sums: Array, counts: Array) -> tuple[Array, float]:
    """Least squares over cases, from each cell's sum and number: coefficients, and how many."""
    bend = design.T @ (design * counts[:, None])
    ridged = bend + RIDGE * np.eye(design.shape[1])
    found = np.linalg.solve(ridged, design.T @ sums)
    return found.astype(np.float64), float(np.trace(np.linalg.solve(ridged, bend)))


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


def _likelihood(x: Array, good: Array, trials: Array, coefficients: Array, ridge: Array) -> float:
    score = x @ coefficients
    fit = good @ score - trials @ np.logaddexp(0.0, score)
    return float(fit - 0.5 * ridge @ coefficients**2)
