"""Main-effects models fitted on cells: with categorical covariates they are the case-level fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from analytics.grouped_designs import GroupedDesign
from analytics.intervals import Array

RIDGE = 1e-6  # keeps a perfect separator's coefficient finite; moves no other digit that shows
SLOPE_RIDGE = 0.25  # of outcome models: slopes drawn around 0 with a standard deviation of 2
NOT_RECORDED = "(not recorded)"
INTERCEPT = "(intercept)"
_MOST_STEPS = 60
_TOLERANCE = 1e-5  # promised by the last step, which is taken: what is left is its square


def design(
    cells: pl.DataFrame,
    covariates: Sequence[str],
    known: Mapping[str, tuple[list[str], npt.NDArray[np.int64]]] | None = None,
) -> tuple[GroupedDesign, list[tuple[str, str]]]:
    """A column of ones, then one of 0 and 1 for each level but the first met most often.

    What is not recorded is a level of its own.  Beside it the (covariate, level) of each column.
    `known`: the covariates' `levels`, where they are at hand.
    """
    known = known or {covariate: levels(cells[covariate]) for covariate in covariates}
    found = [known[covariate] for covariate in covariates]
    kinds = np.array([len(texts) for texts, _ in found], dtype=float)
    sizes = [kinds[:cut].prod() + kinds[cut:].prod() for cut in range(1, len(kinds) + 1)]
    cut = int(np.argmin(sizes)) + 1
    names = [(INTERCEPT, "")]
    halves = []
    for part in (slice(0, cut), slice(cut, None)):
        columns, labels = [], []
        for covariate, (texts, place) in zip(covariates[part], found[part], strict=True):
            most = np.argmax(np.bincount(place))
            for index in np.delete(np.arange(len(texts)), most):
                columns.append((place == index).astype(np.int8))
                labels.append((covariate, texts[index]))
        names += labels
        halves.append(_half(found[part], columns, cells.height))
    (left, left_place), (right, right_place) = halves
    ones = np.ones((len(left), 1))
    return GroupedDesign(np.hstack([ones, left]), left_place, right, right_place), names


def _half(
    found: list[tuple[list[str], npt.NDArray[np.int64]]], columns: list[Array], cells: int
) -> tuple[Array, npt.NDArray[np.intp]]:
    """The different rows of some columns, and which of them each cell has."""
    code = np.zeros(cells, dtype=np.int64)
    for texts, place in found:
        code = code * len(texts) + place
    _, first, where = np.unique(code, return_index=True, return_inverse=True)
    rows = [column[first].astype(float) for column in columns]
    return np.array(rows).T.reshape(len(first), len(rows)), where


def levels(values: pl.Series) -> tuple[list[str], npt.NDArray[np.int64]]:
    """A covariate's levels as text, in order, and the place of each value among them."""
    codes, texts = _coded(values)
    is_there = np.bincount(codes, minlength=len(texts)) > 0
    found = sorted({text for text, there in zip(texts, is_there, strict=True) if there})
    places = {text: place for place, text in enumerate(found)}
    return found, np.array([places.get(text, -1) for text in texts], dtype=np.int64)[codes]


def _coded(values: pl.Series) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Numbers for the values, and the text of each number; the last is of what is missing."""
    if isinstance(values.dtype, pl.Enum):
        texts, codes = values.dtype.categories.to_list(), values.to_physical()
    elif values.dtype == pl.Boolean:
        texts, codes = ["false", "true"], values.cast(pl.UInt8)
    else:
        known = values.unique().drop_nulls()
        texts = known.cast(pl.String).to_list()
        codes = values.replace_strict(
            known, range(len(known)), default=None, return_dtype=pl.UInt32
        )
    numbers = codes.cast(pl.Int64).fill_null(len(texts)).to_numpy()
    return numbers, [*texts, NOT_RECORDED]


def logistic(
    design: GroupedDesign, successes: Array, trials: Array, *, slope_ridge: float = RIDGE
) -> tuple[Array, float]:
    """A grouped logistic model, `successes` of `trials` in each cell: coefficients, and how many.

    Maximum likelihood by Newton's method with halved steps, less ridge x slope^2 / 2.  The
    default ridge holds back from infinity only a level in which everybody, or nobody, succeeded.
    Their number is what the data spend on them: the trace of the ridged fit, at most the columns.
    """
    x, used = design.ordered(trials > 0)
    successes, trials = successes[used], trials[used]
    ridge = np.full(design.shape[1], slope_ridge)
    ridge[0] = RIDGE
    coefficients = np.zeros(design.shape[1])
    coefficients[0] = np.log((successes.sum() + 0.5) / ((trials - successes).sum() + 0.5))
    score = x @ coefficients
    now = _likelihood(score, successes, trials, coefficients, ridge)
    for _ in range(_MOST_STEPS):
        share = expit(score)
        slope = x.sums(successes - trials * share) - ridge * coefficients
        bend = x.squares(trials * share * (1 - share))
        step = np.linalg.solve(bend + np.diag(ridge), slope)
        promised, new, change = float(slope @ step), now, x @ np.asarray(step)
        for _ in range(30):
            new = _likelihood(score + change, successes, trials, coefficients + step, ridge)
            if new >= now:
                break
            step, change = step / 2, change / 2
        coefficients, score, now = coefficients + step, score + change, new
        if promised < _TOLERANCE:
            break
    return coefficients, float(np.trace(np.linalg.solve(bend + np.diag(ridge), bend)))


def linear(design: GroupedDesign, sums: Array, counts: Array) -> tuple[Array, float]:
    """Least squares over cases, from each cell's sum and number: coefficients, and how many."""
    x, used = design.ordered(counts > 0)
    bend = x.squares(counts[used])
    ridged = bend + RIDGE * np.eye(design.shape[1])
    found = np.linalg.solve(ridged, x.sums(sums[used]))
    return found.astype(np.float64), float(np.trace(np.linalg.solve(ridged, bend)))


def expit(score: Array) -> Array:
    """The probability that belongs to a log-odds score, without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * score))


def discrimination(score: Array, successes: Array, trials: Array) -> float | None:
    """How well a score tells successes from failures: 0.5 is a coin, 1 is perfect (c-statistic).

    >>> discrimination(np.array([0.2, 0.8]), np.array([1.0, 3.0]), np.array([4.0, 4.0]))
    0.75
    """
    if not score.size:
        return None
    order = np.argsort(score)
    ordered = score[order]
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))  # of its equals
    good = np.add.reduceat(successes[order], first)
    bad = np.add.reduceat((trials - successes)[order], first)
    pairs = good.sum() * bad.sum()
    below = np.concatenate([[0.0], np.cumsum(bad)[:-1]])
    return float((good * (below + bad / 2)).sum() / pairs) if pairs > 0 else None


def _likelihood(
    score: Array, good: Array, trials: Array, coefficients: Array, ridge: Array
) -> float:
    above = np.maximum(score, 0.0) + np.log1p(np.exp(-np.abs(score)))  # log(1 + e^score)
    fit = good @ score - trials @ above
    return float(fit - 0.5 * ridge @ coefficients**2)
