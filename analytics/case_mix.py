"""Case mix: what would anybody have resolved of the cases this collector was given?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import expit, logit

from analytics.grouped_glm import (
    BINOMIAL,
    Array,
    Codes,
    Design,
    Fit,
    blocks,
    centred_variance,
    fit_cells,
)
from analytics.intervals import divide

NOT_RECORDED = "(not recorded)"
REASONS = {
    "all_or_none": "Every case or no case was resolved: the estimate is held back by half a case.",
    "nothing_to_compare": "All these cases are of kinds that never or always resolve.",
    "one_owner": "There is nobody to compare with.",
    "reference": "The level that the others are compared with.",
    "never_or_always": "No case or every case of this level was resolved: nobody can differ on it.",
    "aliased": "Owners or other covariates already determine this level.",
}
Flags = npt.NDArray[np.bool_]


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
    covariate, by maximum likelihood on cells.  **Owners are in the model**: were they left out,
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
    [('A', 1.13, 0.21), ('B', 0.88, -0.21)]
    """
    table = checked_cells(cells, owner, (cases, resolved))
    if (table[resolved] > table[cases]).any() or (table[resolved] < 0).any():
        raise ValueError(f"{resolved} must lie between 0 and {cases} in every cell")
    levels, design = coded(table, owner, covariates)
    size, outcome = (table[name].to_numpy().astype(float) for name in (cases, resolved))
    aside, inside = _levels_without_choice(design, size, outcome)
    here, n, y = design.taken(inside), size[inside], outcome[inside]
    split = _all_or_none(here.by_owner(n), here.by_owner(y))
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
    reasons = np.where(split, "all_or_none", None)
    reasons[np.isnan(terms)] = "nothing_to_compare"
    owners = owner_frame(owner, levels[0], totals, (terms - intercept, se), reasons)
    deviance = -2 * float(BINOMIAL.likelihood(terms[here.owner] + offset, n, y).sum())
    share = np.full(1, _log_odds(outcome.sum(), size.sum()))
    return CaseMix(
        owner=owner,
        covariates=tuple(covariates),
        coefficients=coefficient_frame(covariates, levels[1:], design.by_level(size), fit, aside),
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


def observed_and_expected(
    model: CaseMix,
    cells: pl.DataFrame,
    *,
    by: Sequence[str] = (),
    cases: str = "cases",
    resolved: str = "resolved",
) -> pl.DataFrame:
    """What pages add up: observed, expected and variance by owner and any other dimension.

    Out: owner and `by`, `cases`, `observed`, `expected` and `variance` **at each owner's own
    effect a_j** (effect of any subset = a_j + (sum of O - sum of E) / sum of V, error
    1 / sqrt(V)), `average_expected` and `average_variance` at the average owner (for observed
    over expected and for funnels).  For owners held back by half a case, `expected` contains
    that correction, so that O - E adds up to 0 over all of an owner's cases, as for the others.
    Null: nothing; owners without an effect have variance 0.
    Refuses: levels or owners that the model has not seen.
    """
    design = model.design(cells)
    inside = model.inside(design)
    size, outcome = (cells[name].to_numpy().astype(float) for name in (cases, resolved))
    offset = design.predictor(np.zeros(design.owners), model.level_terms)
    parts = {"cases": size, "observed": outcome}
    terms = model.owner_terms[design.owner]
    for name, term in (("", terms), ("average_", np.full(terms.shape, model.intercept))):
        known = inside & np.isfinite(term)
        share = expit(np.where(known, term + offset, 0.0))
        parts[f"{name}expected"] = np.where(known, size * share, outcome)
        parts[f"{name}variance"] = np.where(known, size * share * (1 - share), 0.0)
    held = np.array(model.owners["reason"].to_list(), dtype=object) == "all_or_none"
    share = divide(parts["expected"], size)
    total = design.by_owner(parts["variance"])[design.owner]
    pull = np.divide(
        parts["variance"] * (0.5 - share), total, out=np.zeros_like(total), where=total > 0
    )
    parts["expected"] = parts["expected"] - np.where(held[design.owner] & inside, pull, 0.0)
    return (
        cells.select(model.owner, *by)
        .with_columns(**{name: pl.Series(values) for name, values in parts.items()})
        .group_by(model.owner, *by, maintain_order=True)
        .agg(pl.all().sum())
        .with_columns(pl.col("cases", "observed").round().cast(pl.Int64))
    )


def subset_effects(sums: pl.DataFrame, effects: pl.DataFrame, *, owner: str) -> pl.DataFrame:
    """How good is each owner on the cases now chosen: a_j + (O - E) / V?

    One Newton step from the owner's own effect: exact for all its cases, close for a part.
    In: `sums` (owner, observed, expected, variance, summed over the choice) and `effects`
    (owner, effect, reason).  Out: sums with `effect`, `se` = 1 / sqrt(V), `reason`.
    Null: effect and error where V is 0 or the owner has no effect (`nothing_to_compare`).
    Misleads: the covariates' own uncertainty is left out (small beside an owner's).

    >>> sums = pl.DataFrame({"who": ["A"], "observed": [14], "expected": [10.0], "variance": [8.0]})
    >>> model = pl.DataFrame({"who": ["A"], "effect": [0.1], "reason": [None]})
    >>> subset_effects(sums, model, owner="who").select(pl.col("effect", "se").round(3)).row(0)
    (0.6, 0.354)
    """
    known = (pl.col("variance") > 0) & pl.col("effect").is_not_null()
    moved = (pl.col("observed") - pl.col("expected")) / pl.col("variance")
    joined = sums.join(
        effects.select(owner, "effect", pl.col("reason").cast(pl.String)),
        on=owner,
        how="left",
        maintain_order="left",
    )
    return joined.with_columns(
        effect=pl.when(known).then(pl.col("effect") + moved),
        se=pl.when(known).then(pl.col("variance").pow(-0.5)),
        reason=pl.when(~known)
        .then(pl.col("reason").fill_null("nothing_to_compare"))
        .otherwise(pl.col("reason")),
    )


def standard_curve(
    model: CaseMix, cells: pl.DataFrame, *, cases: str = "cases", resolved: str = "resolved"
) -> pl.DataFrame:
    """What share of *all* the book's cases would an owner with a given effect resolve?

    Turns effects (log-odds) into points of resolved share on the same cases for everybody
    (direct standardisation): interpolate `share` at an effect or at the ends of its interval.
    Out: `effect` from -4 to 4, `share`.
    """
    design = model.design(cells)
    inside = model.inside(design)
    size, outcome = (cells[name].to_numpy().astype(float) for name in (cases, resolved))
    eta = model.intercept + design.predictor(np.zeros(design.owners), model.level_terms)[inside]
    heavy, edges = np.histogram(eta, bins=400, weights=size[inside])
    middle = (edges[1:] + edges[:-1]) / 2
    effects = np.linspace(-4, 4, 161)
    resolvable = expit(middle[None, :] + effects[:, None]) @ heavy
    share = (resolvable + outcome[~inside].sum()) / size.sum()
    return pl.DataFrame({"effect": effects, "share": share})


def checked_cells(cells: pl.DataFrame, owner: str, values: Sequence[str]) -> pl.DataFrame:
    """The cells that have cases (the first of `values`), after refusing what cannot be used."""
    if cells[owner].null_count():
        raise ValueError(f"a cell has no {owner}: cases without an owner are not compared")
    for name in values:
        if cells[name].null_count() or not cells[name].cast(pl.Float64).is_finite().all():
            raise ValueError(f"{name} is missing in a cell")
    if (cells[values[0]] < 0).any():
        raise ValueError(f"{values[0]} is negative in a cell")
    table = cells.filter(pl.col(values[0]) > 0)
    if table.is_empty():
        raise ValueError("there are no cases to compare")
    return table


def coded(
    table: pl.DataFrame, owner: str, covariates: Sequence[str]
) -> tuple[tuple[tuple[str, ...], ...], Design]:
    """The levels of the owner and of each covariate, sorted, and the cells' codes."""
    names = (owner, *covariates)
    levels = tuple(tuple(sorted(_text(table[name].unique()))) for name in names)
    codes = [codes_of(table, name, found) for name, found in zip(names, levels, strict=True)]
    widths = tuple(len(found) for found in levels[1:])
    return levels, Design(codes[0], tuple(codes[1:]), len(levels[0]), widths)


def codes_of(cells: pl.DataFrame, name: str, levels: Sequence[str]) -> Codes:
    """Each cell's place in the levels; a stranger among them is refused."""
    place = {level: code for code, level in enumerate(levels)}
    values = cells[name].unique()
    strangers = [text for text in _text(values) if text not in place]
    if strangers:
        raise ValueError(f"{name} {', '.join(sorted(strangers)[:5])} was not in the model")
    codes = pl.Series([place[text] for text in _text(values)], dtype=pl.Int64)
    return cells[name].replace_strict(values, codes, return_dtype=pl.Int64).to_numpy()


def _text(values: pl.Series) -> list[str]:
    return values.cast(pl.String).fill_null(NOT_RECORDED).to_list()


def free_levels(design: Design, size: Array, outcome: Array, *, bounded: bool) -> Codes:
    """The levels that get a coefficient: all but each covariate's commonest (the reference)."""
    n, y = design.by_level(size), design.by_level(outcome)
    estimable = ~_all_or_none(n, y) if bounded else y > 0
    estimable &= n > 0
    for start, width in zip(design.starts, design.widths, strict=False):
        block = slice(start, start + width)
        if estimable[block].any():
            estimable[start + int(np.argmax(np.where(estimable[block], n[block], -1)))] = False
    return np.flatnonzero(estimable)


def owner_frame(
    owner: str,
    names: Sequence[str],
    totals: Sequence[Array],
    estimate: tuple[Array, Array],
    reasons: npt.NDArray[np.object_],
) -> pl.DataFrame:
    """Cases, observed, expected, ratio, effect, error and reason, a row for each owner."""
    if len(names) == 1:
        estimate, reasons = (
            (np.full(1, np.nan), np.full(1, np.nan)),
            np.array(["one_owner"], object),
        )
    cases, observed, expected = totals
    return pl.DataFrame(
        {
            owner: list(names),
            "cases": cases,
            "observed": observed,
            "expected": expected,
            "ratio": np.where(expected > 0, divide(observed, expected), np.nan),
            "effect": estimate[0],
            "se": estimate[1],
            "reason": pl.Series(list(reasons), dtype=pl.String),
        },
        nan_to_null=True,
    ).with_columns(pl.col("cases").cast(pl.Int64))


def coefficient_frame(
    covariates: Sequence[str],
    levels: Sequence[Sequence[str]],
    cases: Array,
    fit: Fit,
    aside: Flags,
) -> pl.DataFrame:
    """A row for each level of each covariate."""
    count = len(cases)
    se, value = np.full(count, np.nan), np.full(count, np.nan)
    se[fit.kept] = np.sqrt(np.diag(fit.inverse))
    value[fit.kept] = fit.coefficients[fit.kept]
    reasons = np.full(count, "reference", dtype=object)
    reasons[fit.kept] = None
    reasons[fit.aliased] = "aliased"
    reasons[aside] = "never_or_always"
    value[reasons == "reference"] = 0.0
    terms = [term for term, names in zip(covariates, levels, strict=True) for _ in names]
    return pl.DataFrame(
        {
            "term": pl.Series(terms, dtype=pl.String),
            "level": pl.Series([name for names in levels for name in names], dtype=pl.String),
            "cases": pl.Series(cases).cast(pl.Int64),
            "coefficient": value,
            "se": se,
            "reason": pl.Series(list(reasons), dtype=pl.String),
        },
        nan_to_null=True,
    )


def _all_or_none(n: Array, y: Array) -> Flags:
    return (n > 0) & ((y <= 0) | (y >= n))


def _log_odds(y: float, n: float) -> float:
    return float(logit((y + 0.5) / (n + 1)))


def _levels_without_choice(design: Design, size: Array, outcome: Array) -> tuple[Flags, Flags]:
    """Levels that always or never resolve, and the cells that are left without them."""
    aside = np.zeros(design.starts[-1], dtype=bool)
    while True:
        flag = design.predictor(np.zeros(design.owners), aside.astype(float))
        inside = flag == 0
        here = design.taken(inside)
        found = _all_or_none(here.by_level(size[inside]), here.by_level(outcome[inside]))
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
        whole, weights, information, np.zeros_like(slopes), np.linalg.inv(fit.inverse)
    )
    return np.where(information > 0, np.sqrt(np.maximum(variance, 0)), np.nan)
