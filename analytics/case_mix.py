"""Case mix: what would anybody have resolved of the cases this collector was given?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import expit, logit

from analytics.case_mix_cells import (
    Flags,
    all_or_none,
    checked_cells,
    coded,
    codes_of,
    coefficient_frame,
    free_levels,
    owner_frame,
)
from analytics.grouped_glm import (
    BINOMIAL,
    Array,
    Design,
    Fit,
    blocks,
    centred_variance,
    fit_cells,
)
from analytics.intervals import divide

REASONS = {
    "all_or_none": "Every case or no case was resolved: the estimate is held back by half a case.",
    "nothing_to_compare": "All these cases are of kinds that never or always resolve.",
    "one_owner": "There is nobody to compare with.",
    "reference": "The level that the others are compared with.",
    "never_or_always": "No case or every case of this level was resolved: nobody can differ on it.",
    "aliased": "Owners or other covariates already determine this level.",
}


@dataclass(frozen=True)
class CaseMix:
    """A fitted case-mix model: what each kind of case and each owner does to the outcome.

    `coefficients`: term, level, cases, coefficient, se, reason.  `owners`: the owner's column,
    cases, observed, expected (at the average owner), ratio (observed / expected), effect (a_j:
    log-odds, or log of money, against the average owner), se, reason.  `intercept`: the average
    owner, who would have had the same total.  `deviance`: -2 log-likelihood of the cases,
    `null_deviance` that of one share for all (both null for money).  `levels`: each covariate's
    levels in code order, the owner's first; `owner_terms` (intercept + effect, NaN where there
    is none), `level_terms` and `set_aside` (levels) are what expected outcomes are made of.
    """

    owner: str
    covariates: tuple[str, ...]
    coefficients: pl.DataFrame
    owners: pl.DataFrame
    intercept: float
    iterations: int
    converged: bool
    deviance: float | None
    null_deviance: float | None
    cases: int
    levels: tuple[tuple[str, ...], ...]
    owner_terms: Array
    level_terms: Array
    set_aside: Flags

    def design(self, cells: pl.DataFrame) -> Design:
        """The codes of any cells; a level or an owner that was not fitted is refused."""
        owner, *codes = (
            codes_of(cells, name, levels)
            for name, levels in zip((self.owner, *self.covariates), self.levels, strict=True)
        )
        widths = tuple(len(levels) for levels in self.levels[1:])
        return Design(owner, tuple(codes), len(self.levels[0]), widths)

    def inside(self, design: Design) -> Flags:
        """Which cells are of kinds on which owners can differ."""
        return design.predictor(np.zeros(design.owners), self.set_aside.astype(float)) == 0


def fit_case_mix(
    cells: pl.DataFrame,
    *,
    owner: str,
    covariates: Sequence[str],
    cases: str = "cases",
    resolved: str = "resolved",
) -> CaseMix:
    """Which cases are easy, and who resolves more of them than others would have?

    logit P(resolved) = intercept + the owner's effect + one coefficient for each level of each
    covariate, by maximum likelihood on cells.  Owners are in the model: were they left out,
    good collectors who are given hard cases would make hard cases look easy, and themselves
    average.

    In: any cells with the owner, the covariates (categories; null is a level, "(not recorded)"),
    cases and resolved cases.  Out: coefficients, and by owner O, E, O/E, a_j and its error.
    Owners with all or none resolved: likelihood has no finite estimate, and they say nothing of
    the covariates, which are fitted without them; their own effect has Jeffreys' penalty
    (Firth), about half a case resolved and half not.  Levels with all or none resolved are set
    aside: nobody does better or worse on them.  A level that owners or other covariates already
    determine (`aliased`) cannot be told from them and is part of their effects.
    Null: an effect and its error where there is nobody, or nothing, to compare (`reason`).
    Refuses: no cases, negative counts, more resolved than cases, a missing owner or count.
    Misleads: it adjusts for what is recorded only; owners who share no kind of case (an agency
    with all the late ones) are compared by assumption, not by data: look for `aliased`.
    Reference: McCullagh and Nelder 1989, chapter 4; Firth 1993; Correia, Guimaraes and Zylkin
    2019 (separation).

    >>> cells = pl.DataFrame({
    ...     "who": ["A", "A", "B", "B"], "bucket": ["early", "late"] * 2,
    ...     "cases": [20, 80, 80, 20], "resolved": [12, 32, 40, 6]})
    >>> model = fit_case_mix(cells, owner="who", covariates=["bucket"])
    >>> model.owners.select("who", pl.col("ratio", "effect").round(2)).rows()
    [('A', 1.13, 0.21), ('B', 0.9, -0.21)]
    """
    table = checked_cells(cells, owner, (cases, resolved))
    if (table[resolved] > table[cases]).any() or (table[resolved] < 0).any():
        raise ValueError(f"{resolved} must lie between 0 and {cases} in every cell")
    levels, design = coded(table, owner, covariates)
    size, outcome = (table[name].to_numpy().astype(float) for name in (cases, resolved))
    aside, inside = _levels_without_choice(design, size, outcome)
    here, n, y = design.taken(inside), size[inside], outcome[inside]
    split = all_or_none(here.by_owner(n), here.by_owner(y))
    used = ~split[here.owner]
    fit = fit_cells(
        here.taken(used),
        n[used],
        y[used],
        BINOMIAL,
        start=_log_odds(y[used].sum(), n[used].sum()),
        free=free_levels(here.taken(used), n[used], y[used], bounded=True),
    )
    offset = here.predictor(np.zeros(here.owners), fit.coefficients)
    terms = np.where(split, _held_back(here, n, y, fit, split), fit.owner_terms)
    intercept = _average(offset, n, y)
    se = _errors(here, n, terms, offset, fit, split)
    average = outcome.copy()
    average[inside] = n * expit(intercept + offset)
    totals = [design.by_owner(values) for values in (size, outcome, average)]
    reasons = np.full(len(terms), None, dtype=object)
    reasons[split], reasons[np.isnan(terms)] = "all_or_none", "nothing_to_compare"
    owners = owner_frame(owner, levels[0], totals, (terms - intercept, se), reasons)
    deviance = -2 * float(BINOMIAL.likelihood(terms[here.owner] + offset, n, y).sum())
    share = np.full(1, _log_odds(outcome.sum(), size.sum()))
    return CaseMix(
        owner=owner,
        covariates=tuple(covariates),
        coefficients=coefficient_frame(
            covariates, levels[1:], design.by_level(size), (fit, fit.inverse), aside
        ),
        owners=owners,
        intercept=intercept,
        iterations=fit.iterations,
        converged=fit.converged,
        deviance=deviance,
        null_deviance=-2 * float(BINOMIAL.likelihood(share, size.sum(), outcome.sum())[0]),
        cases=int(size.sum()),
        levels=levels,
        owner_terms=terms,
        level_terms=fit.coefficients,
        set_aside=aside,
    )


def _log_odds(y: float, n: float) -> float:
    return float(logit((y + 0.5) / (n + 1)))


def _levels_without_choice(design: Design, size: Array, outcome: Array) -> tuple[Flags, Flags]:
    """Levels that always or never resolve, and the cells that are left without them."""
    aside = np.zeros(design.starts[-1], dtype=bool)
    while True:
        flag = design.predictor(np.zeros(design.owners), aside.astype(float))
        inside = flag == 0
        here = design.taken(inside)
        found = all_or_none(here.by_level(size[inside]), here.by_level(outcome[inside]))
        if not found.any():
            return aside, inside
        aside |= found


def _held_back(design: Design, size: Array, outcome: Array, fit: Fit, split: Flags) -> Array:
    """The terms of owners with all or none under Jeffreys' penalty: O - E + pull = 0."""
    cells = split[design.owner]
    here, n, y = design.taken(cells), size[cells], outcome[cells]
    offset = here.predictor(np.zeros(design.owners), fit.coefficients)
    low, high = np.full(design.owners, -30.0), np.full(design.owners, 30.0)
    observed = here.by_owner(y)
    for _ in range(50 if cells.any() else 0):
        middle = (low + high) / 2
        share = expit(middle[here.owner] + offset)
        variance = n * share * (1 - share)
        pull = divide(here.by_owner(variance * (0.5 - share)), here.by_owner(variance))
        score = observed - here.by_owner(n * share) + np.nan_to_num(pull)
        low, high = np.where(score > 0, middle, low), np.where(score > 0, high, middle)
    return (low + high) / 2


def _average(offset: Array, size: Array, outcome: Array) -> float:
    """The term of the average owner: with it everybody together resolves what was resolved."""
    total = min(max(outcome.sum(), 0.5), max(size.sum() - 0.5, 0.5))
    term = _log_odds(outcome.sum(), size.sum())
    for _ in range(50 if size.size else 0):
        share = expit(term + offset)
        step = (total - (size * share).sum()) / (size * share * (1 - share)).sum()
        term += float(np.clip(step, -2, 2))
        if abs(step) < 1e-12:
            break
    return term


def _errors(
    design: Design, size: Array, terms: Array, offset: Array, fit: Fit, split: Flags
) -> Array:
    """Standard errors of the effects: each owner's term less the average one's."""
    weight = BINOMIAL.information(np.nan_to_num(terms)[design.owner] + offset, size)
    information, slopes, _ = blocks(design, weight, fit.kept)
    weights = np.where(split, 0.0, information)
    weights = weights / max(weights.sum(), 1e-300)
    whole = Fit(
        terms,
        fit.coefficients,
        fit.kept,
        fit.aliased,
        information,
        slopes,
        fit.inverse,
        fit.iterations,
        fit.converged,
    )
    variance = centred_variance(
        whole, weights, information, np.zeros_like(slopes), np.linalg.inv(fit.inverse).astype(float)
    )
    return np.where(information > 0, np.sqrt(np.maximum(variance, 0)), np.nan)
