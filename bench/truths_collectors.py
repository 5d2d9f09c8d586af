"""Are planted collectors found, and equals left alone?  `python -m bench.truths collectors`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import stats
from scipy.special import expit

from analytics.case_mix import fit_case_mix
from analytics.expected import standard_curve
from analytics.shrinkage import shrink
from bench.truth import Truth

COLLECTORS, CASES, SKILL = 100, 300, 0.05
LEVELS = {
    "bucket": (0.9, 0.3, -0.4, -0.9, -1.4),
    "product": (0.3, 0.0, -0.4),
    "size": (0.2, 0, -0.3),
}
STEERING = 0.3  # how strongly better collectors are given harder cases


@dataclass(frozen=True)
class Book:
    """Cells by collector and kind of case, and every collector's true share on all cases."""

    cells: pl.DataFrame
    true_shares: np.ndarray


@dataclass(frozen=True)
class Found:
    """What one book shows: rank correlations with the truth, coverage, anyone different."""

    raw: float
    unadjusted_slope: float
    adjusted: float
    coverage: float
    is_anyone_different: bool


def collectors_book(seed: Sequence[int], *, skill: float = SKILL) -> Book:
    """A hundred collectors of 300 cases each; the better, the harder the cases given to them.

    `skill`: standard deviation of the true resolved share on the same cases for everybody.
    """
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*LEVELS.values(), indexing="ij"), -1).reshape(-1, len(LEVELS))
    ease = grid.sum(axis=1)
    usual = rng.dirichlet(np.full(len(ease), 8.0))
    per_point = usual @ (expit(ease) * (1 - expit(ease)))
    better = rng.standard_normal(COLLECTORS)
    effects = better * skill / per_point
    given = usual * np.exp(-STEERING * better[:, None] * (ease - usual @ ease))
    cases = np.stack([rng.multinomial(CASES, row / row.sum()) for row in given])
    resolved = rng.binomial(cases, expit(ease + effects[:, None]))
    mix = cases.sum(axis=0) / cases.sum()
    places = np.stack(np.meshgrid(*map(np.arange, map(len, LEVELS.values())), indexing="ij"), -1)
    kinds = dict(
        zip(LEVELS, np.tile(places.reshape(-1, len(LEVELS)), (COLLECTORS, 1)).T, strict=True)
    )
    collector = np.repeat([f"C{number:03}" for number in range(COLLECTORS)], len(ease))
    counts = {"cases": cases.ravel(), "resolved": resolved.ravel()}
    cells = pl.DataFrame({"collector": collector, **kinds, **counts})
    return Book(cells, expit(ease + effects[:, None]) @ mix)


def judged(book: Book) -> Found:
    """The book as the page would judge it."""
    model = fit_case_mix(book.cells, owner="collector", covariates=list(LEVELS))
    owners = shrink(model.owners).owners.sort("collector")
    curve = standard_curve(model, book.cells)
    low, high = (
        np.interp(owners[end].to_numpy(), curve["effect"], curve["share"])
        for end in ("low", "high")
    )
    raw = (owners["observed"] / owners["cases"]).to_numpy()
    slope = _without_collectors(book.cells)
    is_constant = np.ptp(book.true_shares) < 1e-12
    ranks = [
        float("nan") if is_constant else float(stats.spearmanr(book.true_shares, value).statistic)
        for value in (raw, slope, owners["shrunk"].to_numpy())
    ]
    held = (low <= book.true_shares) & (book.true_shares <= high)
    return Found(
        *(ranks[0], ranks[1], ranks[2]), float(held.mean()), bool(owners["is_different"].any())
    )


def _without_collectors(cells: pl.DataFrame) -> np.ndarray:
    """Observed over expected from a model that leaves the collectors out: the usual mistake."""
    pooled = cells.with_columns(everybody=pl.lit("all"))
    model = fit_case_mix(pooled, owner="everybody", covariates=list(LEVELS))
    design = model.design(pooled)
    share = expit(model.intercept + design.predictor(np.zeros(1), model.level_terms))
    sums = cells.with_columns(expected=pl.col("cases") * pl.Series(share)).group_by("collector")
    ratio = sums.agg(pl.col("resolved").sum() / pl.col("expected").sum()).sort("collector")
    return ratio["resolved"].to_numpy()


def figures(books: int, seed: int) -> list[Truth]:
    """The figures that collectors must reach."""
    found = [judged(collectors_book([seed, book])) for book in range(books)]
    null = [judged(collectors_book([seed, book, 0], skill=0.0)) for book in range(books)]
    raw, slope, adjusted, coverage = (
        np.array([getattr(one, name) for one in found])
        for name in ("raw", "unadjusted_slope", "adjusted", "coverage")
    )
    flagged = sum(one.is_anyone_different for one in null)
    most = int(stats.binom.ppf(0.97, books, 0.05)) if books != 500 else 34
    null_coverage = np.mean([one.coverage for one in null])
    held = bool(0.92 <= coverage.mean() <= 0.98)
    rows = [
        ("rank correlation, raw rate", _spread(raw), "at most 0.50", bool(raw.max() <= 0.5)),
        ("  observed / expected, collectors not in the model", _spread(slope), "", True),
        ("rank correlation, adjusted (mean)", _spread(adjusted), "0.80", adjusted.mean() >= 0.8),
        ("95 % intervals that hold the truth", f"{coverage.mean():.1%}", "92 to 98 %", held),
        ("  the same where nobody differs", f"{null_coverage:.1%}", "", True),
        ("books of equals showing a difference", f"{flagged}", f"at most {most}", flagged <= most),
    ]
    return [Truth("collectors", *row) for row in rows]


def _spread(values: np.ndarray) -> str:
    return f"{values.mean():.2f} ({values.min():.2f} to {values.max():.2f})"
