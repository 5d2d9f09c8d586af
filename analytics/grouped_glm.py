"""Models with a term for every owner, fitted on cells: the core of the case-mix models.

The linear predictor of a cell is a_owner + the sum of its levels' coefficients.  All covariates
are categories, so a fit on cells is the fit on single cases, exactly.  Nothing as wide as
owners x covariates is built: the Hessian's blocks are `bincount`s over level codes (those without
owners over the kinds of case that there are), and the owner block, which is diagonal, is
eliminated (Schur complement), so that a step costs one solve of the size of the covariates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import expit

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
MOST_STEPS = 50
LARGEST_CODE = 1 << 40
TOLERANCE = 1e-9
ALIASED = 1e-8  # a pivot below this share of its column is no information of its own


@dataclass(frozen=True)
class Family:
    """Mean and information of a cell at a linear predictor, and its log-likelihood."""

    mean: Callable[[Array, Array], Array]
    information: Callable[[Array, Array], Array]
    likelihood: Callable[[Array, Array, Array], Array]


def _binomial_information(eta: Array, size: Array) -> Array:
    share = expit(eta)
    return size * share * (1 - share)


BINOMIAL = Family(
    mean=lambda eta, size: size * expit(eta),
    information=_binomial_information,
    likelihood=lambda eta, size, outcome: outcome * eta - size * np.logaddexp(0, eta),
)
POISSON = Family(
    mean=lambda eta, size: size * np.exp(eta),
    information=lambda eta, size: size * np.exp(eta),
    likelihood=lambda eta, size, outcome: outcome * eta - size * np.exp(eta),
)


@dataclass(frozen=True)
class Design:
    """Which owner and which level of each covariate a cell has (codes from 0)."""

    owner: Codes
    levels: tuple[Codes, ...]
    owners: int
    widths: tuple[int, ...]

    @property
    def starts(self) -> Sequence[int]:
        return [0, *np.cumsum(self.widths, dtype=int)]

    @cached_property
    def _kinds(self) -> tuple[Codes, tuple[Codes, ...]]:
        """Cells alike in all covariates are of a kind: each cell's, and the levels of each."""
        code = np.zeros(len(self.owner), dtype=np.int64)
        for codes, width in zip(self.levels, self.widths, strict=True):
            code = code * width + codes
            if code.max(initial=0) > LARGEST_CODE:
                code = np.unique(code, return_inverse=True)[1]
        _, first, kind = np.unique(code, return_index=True, return_inverse=True)
        return kind, tuple(codes[first] for codes in self.levels)

    def _by_kind(self, values: Array) -> Array:
        kind, levels = self._kinds
        return np.bincount(kind, values, len(levels[0]) if levels else 1).astype(float)

    def predictor(self, owner_terms: Array, coefficients: Array) -> Array:
        kind, levels = self._kinds
        score = np.zeros(len(levels[0]) if levels else 1)
        for start, codes in zip(self.starts, levels, strict=False):
            score = score + coefficients[start + codes]
        return owner_terms[self.owner] + score[kind]

    def by_owner(self, values: Array) -> Array:
        return np.bincount(self.owner, values, self.owners).astype(float)

    def by_level(self, values: Array) -> Array:
        summed = self._by_kind(values)
        parts = [
            np.bincount(codes, summed, width)
            for codes, width in zip(self._kinds[1], self.widths, strict=True)
        ]
        return np.concatenate([*parts, np.empty(0)])

    def by_owner_and_level(self, values: Array) -> Array:
        parts = [
            np.bincount(self.owner * width + codes, values, self.owners * width).reshape(-1, width)
            for codes, width in zip(self.levels, self.widths, strict=True)
        ]
        return np.hstack([*parts, np.empty((self.owners, 0))])

    def by_levels(self, values: Array) -> Array:
        starts, table = self.starts, np.zeros((self.starts[-1], self.starts[-1]))
        summed, levels = self._by_kind(values), self._kinds[1]
        for i, (rows, height) in enumerate(zip(levels, self.widths, strict=True)):
            for j, (columns, width) in enumerate(zip(levels, self.widths, strict=True)):
                if j < i:
                    continue
                block = np.bincount(rows * width + columns, summed, height * width)
                here = slice(starts[i], starts[i + 1]), slice(starts[j], starts[j + 1])
                table[here] = block.reshape(height, width)
                table[here[::-1]] = table[here].T
        return table

    def taken(self, cells: npt.NDArray[np.bool_]) -> Design:
        """The same owners and levels, fewer cells."""
        if cells.all():
            return self
        return Design(
            self.owner[cells], tuple(c[cells] for c in self.levels), self.owners, self.widths
        )


@dataclass(frozen=True)
class Fit:
    """Owner terms and coefficients (NaN where not estimated), and what their errors need.

    `information` is each owner's own; `slopes` the change of an owner's term per unit of each
    kept coefficient; `inverse` the inverse of the Schur complement of those coefficients.
    """

    owner_terms: Array
    coefficients: Array
    kept: Codes
    aliased: Codes
    information: Array
    slopes: Array
    inverse: Array
    iterations: int
    converged: bool


def fit_cells(
    design: Design, size: Array, outcome: Array, family: Family, *, start: float, free: Codes
) -> Fit:
    """Newton's method with the owner block eliminated.  `free`: the coefficients to estimate.

    Every owner and every free level must have a finite estimate (the caller leaves perfect
    separators out).  Steps that do not raise the likelihood are halved.
    """
    used = np.unique(design.owner)
    terms, coefficients = np.full(design.owners, start), np.zeros(design.starts[-1])
    weight = family.information(design.predictor(terms, coefficients), size)
    kept = _identified(blocks(design, weight, free)[2], design.by_level(weight)[free], free)
    converged = False
    for iterations in range(1, MOST_STEPS + 1):  # noqa: B007 (kept for the report)
        eta = design.predictor(terms, coefficients)
        residual = outcome - family.mean(eta, size)
        information, slopes, schur = blocks(design, family.information(eta, size), kept)
        by_owner = design.by_owner(residual)
        score = design.by_level(residual)[kept] - slopes.T @ by_owner
        step = np.zeros(design.starts[-1])
        step[kept] = np.linalg.solve(schur, score)
        term_step = np.zeros(design.owners)
        term_step[used] = by_owner[used] / information[used]
        gain = score @ step[kept] + by_owner[used] @ term_step[used]
        term_step -= slopes @ step[kept]
        share = _share_of_step(design, family, (size, outcome, eta), term_step, step)
        terms, coefficients = terms + share * term_step, coefficients + share * step
        converged = bool(gain < TOLERANCE)
        if converged or share == 0:
            break
    weight = family.information(design.predictor(terms, coefficients), size)
    information, slopes, schur = blocks(design, weight, kept)
    terms[np.setdiff1d(np.arange(design.owners), used)] = np.nan
    aliased = np.setdiff1d(free, kept)
    inverse: Array = np.linalg.inv(schur).astype(float)
    return Fit(
        terms, coefficients, kept, aliased, information, slopes, inverse, iterations, converged
    )


def _share_of_step(
    design: Design,
    family: Family,
    cells: tuple[Array, Array, Array],
    term_step: Array,
    step: Array,
) -> float:
    """1, or the first of its halves that does not lower the likelihood, or 0."""
    size, outcome, eta = cells
    direction = design.predictor(term_step, step)
    before = family.likelihood(eta, size, outcome).sum()
    share = 1.0
    with np.errstate(over="ignore", invalid="ignore"):
        while share > 1e-4:
            after = family.likelihood(eta + share * direction, size, outcome).sum()
            if after >= before - 1e-10 * abs(before):
                return share
            share /= 2
    return 0.0


def blocks(design: Design, weight: Array, kept: Codes) -> tuple[Array, Array, Array]:
    """Owners' information, slopes of their terms on the coefficients, Schur complement."""
    information = design.by_owner(weight)
    cross = design.by_owner_and_level(weight)[:, kept]
    safe = np.where(information > 0, information, 1.0)
    slopes = cross / safe[:, None]
    schur = design.by_levels(weight)[np.ix_(kept, kept)] - cross.T @ slopes
    return information, slopes, schur


def _identified(schur: Array, whole: Array, free: Codes) -> Codes:
    """The coefficients that owners and earlier coefficients do not already determine."""
    left, kept = schur.copy(), []
    for column in range(len(free)):
        pivot = left[column, column]
        if pivot > ALIASED * whole[column]:
            kept.append(column)
            left = left - np.outer(left[:, column], left[column, :]) / pivot
    return free[np.array(kept, dtype=np.int64)]


def centred_variance(fit: Fit, weights: Array, meat: Array, cross: Array, bread: Array) -> Array:
    """Variance of each owner's term less the weighted mean of the terms.

    `meat`: the variance of each owner's score; `cross`: its covariance with the coefficients'
    score (after elimination), [owner, kept]; `bread`: the variance of the latter.  For a
    likelihood the first is the information, the second zero, the third the Schur complement.
    """
    safe = np.where(fit.information > 0, fit.information, np.inf)
    own = meat / safe**2
    slopes = fit.slopes - weights @ fit.slopes
    through = slopes @ fit.inverse
    both = cross / safe[:, None]
    return (
        (1 - 2 * weights) * own
        + weights**2 @ own
        + np.einsum("ij,jk,ik->i", through, bread, through)
        - 2 * np.einsum("ij,ij->i", through, both - weights @ both)
    )
