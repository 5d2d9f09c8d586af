"""Observed and expected: what pages add up, and what an effect means in points of share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from scipy.special import expit

from analytics.case_mix import CaseMix
from analytics.intervals import divide


def observed_and_expected(
    model: CaseMix,
    cells: pl.DataFrame,
    *,
    by: Sequence[str] = (),
    cases: str = "cases",
    resolved: str = "resolved",
) -> pl.DataFrame:
    """What pages add up: observed, expected and variance by owner and any other dimension.

    Out: owner and `by`, `cases`, `observed`, `expected` and `variance` at each owner's own
    effect a_j (effect of any subset = a_j + (sum of O - sum of E) / sum of V, error
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
        cells.select(pl.col(model.owner).cast(pl.String), *by)
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
    """What share of all the book's cases would an owner with a given effect resolve?

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
