"""Case mix in money: what would anybody have collected on the cases this owner was given?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import polars as pl

from analytics.case_mix import CaseMix
from analytics.case_mix_cells import (
    checked_cells,
    coded,
    coefficient_frame,
    free_levels,
    owner_frame,
)
from analytics.grouped_glm import POISSON, Array, Design, Fit, centred_variance, fit_cells
from analytics.intervals import divide

Cash = Literal["cash", "clipped"]
POOLED_CASES = 10.0  # an owner's own variation counts as its cases, everybody's as ten
REASONS = {
    "no_net_cash": "Nothing net came in: the estimate is held back by half a case's cash.",
    "nothing_to_compare": "Nothing was ever collected on cases like these.",
    "one_owner": "There is nobody to compare with.",
}


def fit_money_mix(
    cells: pl.DataFrame, *, owner: str, covariates: Sequence[str], cash: Cash = "cash"
) -> CaseMix:
    """Who collects more money than others would have on the same cases?

    E(cash) = placed x exp(intercept + the owner's effect + coefficients of the case's levels),
    by quasi-likelihood with variance in proportion to the mean (Poisson, which asks nothing of
    the shape of cash, only of its mean), owners in the model.  Effects are logs of observed over
    expected.  Errors do not trust the Poisson variance: they are the sandwich, from each case's
    distance to its expectation, by sums of squares; an owner's own variation is weighted with
    everybody's (as ten cases), so that few cases cannot look certain by luck.

    In: cells with the owner, the covariates, `cases`, `placed_cents`, `placed_squares`, and of
    `cash` or `clipped` (at most what was placed: the winsorised check, to be shown beside the
    first) `_cents`, `_squares`, `_placed`; squares in currency squared.
    Out: as the case-mix model, `observed` and `expected` in cents.
    Owners without net cash (more reversed than paid, or nothing): the effect is that of half a
    case's expected cash, error 1.41 (`no_net_cash`).  Levels without net cash are set aside.
    Null: an effect and its error where there is nobody, or nothing, to compare (`reason`).
    Refuses: as the case-mix model; cases on which nothing was placed.
    Misleads: a few large payers make most of the money: read it with the winsorised one and with
    the resolved share.  Reference: Gourieroux, Monfort and Trognon 1984; White 1982.
    """
    names = tuple(f"{cash}_{part}" for part in ("cents", "squares", "placed"))
    table = checked_cells(cells, owner, ("cases", "placed_cents", "placed_squares", *names))
    if (table["placed_cents"] <= 0).any():
        raise ValueError("nothing was placed in a cell that has cases")
    levels, design = coded(table, owner, covariates)
    n, placed, observed = _columns(table, ("cases", "placed_cents", names[0]))
    aside, inside = _without_cash(design, observed)
    total = design.by_owner(np.where(inside, observed, 0.0))
    held = (total <= 0) & (design.by_owner(inside.astype(float)) > 0)
    use = inside & ~held[design.owner]
    here = design.taken(use)
    start = float(np.log(observed[use].sum() / placed[use].sum())) if use.any() else 0.0
    free = free_levels(here, placed[use], observed[use], bounded=False)
    fit = fit_cells(here, placed[use] / 100, observed[use] / 100, POISSON, start=start, free=free)
    offset = design.predictor(np.zeros(design.owners), fit.coefficients)
    standard = np.where(inside, placed * np.exp(offset), 0.0)  # cents, at intercept 0
    average = max(float(observed[inside].sum()), 0.0) / max(float(standard.sum()), 1e-300)
    intercept = float(np.log(average)) if average > 0 else 0.0
    expected = np.exp(intercept) * design.by_owner(standard)
    terms = np.where(
        held, intercept + np.log(0.5 / design.by_owner(n * inside).clip(1)), fit.owner_terms
    )
    errors, bread = _errors(design, use, table, names, (terms, offset), fit)
    se, covariance = np.where(held, np.sqrt(2.0), errors), fit.inverse @ bread @ fit.inverse
    reasons = np.full(len(terms), None, dtype=object)
    reasons[held], reasons[np.isnan(terms)] = "no_net_cash", "nothing_to_compare"
    totals = [design.by_owner(n), design.by_owner(observed), expected]
    return CaseMix(
        owner=owner,
        covariates=tuple(covariates),
        coefficients=coefficient_frame(
            covariates, levels[1:], design.by_level(n), (fit, covariance), aside
        ),
        owners=owner_frame(owner, levels[0], totals, (terms - intercept, se), reasons),
        intercept=intercept,
        iterations=fit.iterations,
        converged=fit.converged,
        deviance=None,
        null_deviance=None,
        cases=int(n.sum()),
        levels=levels,
        owner_terms=terms,
        level_terms=fit.coefficients,
        set_aside=aside,
    )


def observed_and_expected_money(
    model: CaseMix, cells: pl.DataFrame, *, by: Sequence[str] = (), cash: Cash = "cash"
) -> pl.DataFrame:
    """What pages add up for money: observed, expected and squared errors by owner and dimension.

    Out: owner and `by`, `cases`, `observed_cents`, `expected_cents` at each owner's own
    effect, `error_squares` (sum over cases of (cash - expected)^2, currency squared),
    `average_cents` (expected of the average owner) and `average_squares` (squared errors to it,
    for funnels).  Effect of a subset = a_j + (O - E) / E, error sqrt(error_squares) / E.
    Owners held back or without an effect: E is O.  Refuses: levels the model has not seen.
    """
    names = tuple(f"{cash}_{part}" for part in ("cents", "squares", "placed"))
    design = model.design(cells)
    inside = model.inside(design)
    n, placed, observed = _columns(cells, ("cases", "placed_cents", names[0]))
    offset = design.predictor(np.zeros(design.owners), model.level_terms)
    known = model.owners["reason"].is_null().to_numpy()
    own = inside & (known | np.array(model.owners.height == 1))[design.owner]
    parts: dict[str, Array] = {"cases": n, "observed_cents": observed}
    own_terms = np.nan_to_num(model.owner_terms)[design.owner]
    terms = (
        ("expected_cents", "error_squares", own_terms, own),
        ("average_cents", "average_squares", np.full(n.shape, model.intercept), inside),
    )
    for mean, squares, term, where in terms:
        share = np.where(where, np.exp(np.where(where, term + offset, 0.0)), 0.0)
        fallback = observed if mean == "expected_cents" else 0.0
        parts[mean] = np.where(where, placed * share, fallback)
        parts[squares] = np.where(where, _squared_errors(cells, names, share), 0.0)
    return (
        cells.select(pl.col(model.owner).cast(pl.String), *by)
        .with_columns(**{name: pl.Series(values) for name, values in parts.items()})
        .group_by(model.owner, *by, maintain_order=True)
        .agg(pl.all().sum())
        .with_columns(pl.col("cases", "observed_cents").round().cast(pl.Int64))
    )


def winsorised_check(net: CaseMix, clipped: CaseMix) -> pl.DataFrame:
    """Whose result hangs on a few large payments?

    The effect in net cash beside the effect with cash on each case cut at what was placed.
    Out: owner, `effect`, `clipped_effect`, `moves` (their difference, less its median: a large
    payment moves the average, too), `is_fragile` (the difference is above the error of the
    clipped effect).  Null where either is unknown.
    """
    both = net.owners.select(net.owner, "effect").join(
        clipped.owners.select(clipped.owner, clipped_effect="effect", se="se"),
        left_on=net.owner,
        right_on=clipped.owner,
        how="left",
        maintain_order="left",
    )
    apart = pl.col("effect") - pl.col("clipped_effect")
    return (
        both.with_columns(moves=apart - apart.median())
        .with_columns(is_fragile=pl.col("moves").abs() > pl.col("se"))
        .drop("se")
    )


def _columns(cells: pl.DataFrame, names: Sequence[str]) -> list[Array]:
    return [cells[name].to_numpy().astype(float) for name in names]


def _without_cash(design: Design, observed: Array) -> tuple[np.ndarray, np.ndarray]:
    """Levels on which nothing net was collected, and the cells that are left without them."""
    aside = np.zeros(design.starts[-1], dtype=bool)
    while True:
        inside = design.predictor(np.zeros(design.owners), aside.astype(float)) == 0
        here = design.taken(inside)
        there = here.by_level(np.ones(int(inside.sum()))) > 0
        found = there & (here.by_level(observed[inside]) <= 0)
        if not found.any():
            return aside, inside
        aside |= found


def _squared_errors(cells: pl.DataFrame, names: Sequence[str], share: Array) -> Array:
    """Sum over a cell's cases of (cash - share x placed)^2, in currency squared."""
    squares, cross, placed = _columns(cells, (names[1], names[2], "placed_squares"))
    return np.maximum(squares - 2 * share * cross + share**2 * placed, 0.0)


def _errors(
    design: Design,
    use: np.ndarray,
    table: pl.DataFrame,
    names: Sequence[str],
    predictor: tuple[Array, Array],
    fit: Fit,
) -> tuple[Array, Array]:
    """Sandwich errors of the effects, and the variance of the coefficients' score."""
    terms, offset = predictor
    here, cells = design.taken(use), table.filter(pl.Series(use))
    share = np.exp(np.nan_to_num(terms)[here.owner] + offset[use])
    errors = _squared_errors(cells, names, share)
    n, placed_squares = _columns(cells, ("cases", "placed_squares"))
    scale = share**2 * placed_squares
    pooled = errors.sum() / max(float(scale.sum()), 1e-300) * scale
    count = here.by_owner(n)[here.owner]
    errors = count * (errors + POOLED_CASES * pooled / count) / (count - 1 + POOLED_CASES)
    cross = here.by_owner_and_level(errors)[:, fit.kept]
    meat = here.by_owner(errors)
    centred = cross - fit.slopes * meat[:, None]
    bread = (
        here.by_levels(errors)[np.ix_(fit.kept, fit.kept)]
        - cross.T @ fit.slopes
        - fit.slopes.T @ cross
        + (fit.slopes * meat[:, None]).T @ fit.slopes
    )
    weights = divide(fit.information, fit.information.sum())
    variance = centred_variance(fit, np.nan_to_num(weights), meat, centred, bread)
    return np.where(fit.information > 0, np.sqrt(np.maximum(variance, 0)), np.nan), bread
