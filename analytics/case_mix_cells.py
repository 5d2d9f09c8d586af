"""The cells of a case-mix model: checking and coding them, and the frames that come out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from analytics.grouped_glm import Array, Codes, Design, Fit
from analytics.intervals import divide

NOT_RECORDED = "(not recorded)"
Flags = npt.NDArray[np.bool_]


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
    estimable = ~all_or_none(n, y) if bounded else y > 0
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
    estimate: tuple[Fit, Array],
    aside: Flags,
) -> pl.DataFrame:
    """A row for each level of each covariate; `estimate`: the fit and its covariance."""
    fit, covariance = estimate
    count = len(cases)
    se, value = np.full(count, np.nan), np.full(count, np.nan)
    variance = np.diag(covariance)  # rounding of a nearly singular design may leave it below zero
    se[fit.kept] = np.sqrt(np.where(variance > 0, variance, np.nan))
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


def all_or_none(n: Array, y: Array) -> Flags:
    return (n > 0) & ((y <= 0) | (y >= n))
