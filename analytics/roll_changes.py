"""Which roll rates really changed, beyond what they do every month?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from scipy import stats
from statsmodels.stats.multitest import multipletests

from analytics.cells import TransitionCube, Weight, check_buckets, transition_cube
from analytics.intervals import Array, divide, effective_size
from analytics.roll_rates import cells_frame

FEWEST_MONTHS, MOST_MONTHS = 12, 24
YEAR = 12


@dataclass(frozen=True)
class _Contrast:
    """What a cell usually does, how far one month strays from it, and how sure that is."""

    usual: Array
    error: Array  # of the difference
    freedom: Array
    months: Array


def changed_cells(
    transitions: pl.DataFrame,
    *,
    buckets: Sequence[str],
    weight: Weight,
    history: int = MOST_MONTHS,
    smallest: float = 0.005,
    fdr: float = 0.05,
    minimum: int = 30,
    seasonal: bool | None = None,
) -> pl.DataFrame:
    """Which roll rates of the latest month differ from what they usually are?

    Months differ by more than chance, so the yardstick is the cell's own variation between
    months: t = (latest - mean of the months before) / (s sqrt(1 + 1/n)), s the standard
    deviation of the n monthly rates before (up to `history` of them), n - 1 degrees of
    freedom.  Where chance alone would give so many loans a larger error, that is taken instead
    (with the normal distribution): a cell that never moved is sure of nothing.
    Benjamini-Hochberg over the cells tested; and a change must be at least `smallest` to count.

    Where the book has seasons and 24 months before the latest, the yardstick is the same month
    a year ago: the usual rate is that month's, the error the root mean square of the
    year-on-year differences.  The book has seasons if, in the median cell, year-on-year differences
    vary less than months do (decided once for the book, not by cell; `seasonal` overrides).

    Out: one row per bucket x state: `rate`, `usual_rate`, `difference`, `usual_low` and
    `usual_high` (where 95 % of unchanged months would fall), `p`, `q` (adjusted over cells),
    `is_changed`, `months` (of history), `from_loans` (latest), `reference` (`months` or
    `year_ago`), `verdict`: `changed`; `within_noise` (not shown to differ, or by less than
    matters); `too_few_months` (under 12); `too_few_loans` (under `minimum` in the latest month
    or in the mean month before).  Null p: not tested; a move that never happens is not.
    Misleads: a rate that drifts slowly away is called changed late, and then every month; in a
    persistent series somewhat more than 5 % of unchanged cells have p < 5 %.  A binomial test
    in its place calls 44 % of unchanged cells changed, at 100,000 loans and 5 % variation.
    Reference: Benjamini and Hochberg 1995; t prediction of one further observation.
    """
    if not FEWEST_MONTHS <= history <= MOST_MONTHS:
        raise ValueError(f"history must be {FEWEST_MONTHS} to {MOST_MONTHS} months, not {history}")
    check_buckets(buckets)
    cube = transition_cube(transitions, buckets=buckets, weight=weight)
    if not cube.months:
        raise ValueError("there are no transitions between months to compare")
    cube = _calendar(cube, history)
    amount, there = cube.amount, cube.amount.sum(axis=2, keepdims=True)
    rates = divide(amount, there)
    season = _has_seasons(rates) if seasonal is None else seasonal
    floor = _chance_error(cube, weight)
    contrast = _against_year_ago(rates, floor) if season else _against_months(rates, floor)
    return _verdicts(cube, rates, contrast, smallest, fdr, minimum, season)


def _calendar(cube: TransitionCube, history: int) -> TransitionCube:
    """The latest month and the `history` calendar months before it; absent ones are empty."""
    last = cube.months[-1]
    number = {
        month: (last.year - month.year) * YEAR + last.month - month.month for month in cube.months
    }
    kept = [month for month in cube.months if number[month] <= history]
    where = [history - number[month] for month in kept]
    first = len(cube.months) - len(kept)

    def spread(array: Array) -> Array:
        out = np.zeros((history + 1, *array.shape[1:]))
        out[where] = array[first:]
        return out

    arrays = (cube.loans, cube.amount, cube.squares, cube.restructured)
    months: tuple[date, ...] = tuple(kept)
    return TransitionCube(months, cube.buckets, cube.states, *map(spread, arrays))


def _has_seasons(rates: Array) -> bool:
    """Whether, in the median cell, months differ less from a year ago than from their mean."""
    if rates.shape[0] <= 2 * YEAR or np.isnan(rates[:-1]).all(axis=(1, 2)).any():
        return False
    before = rates[:-1]
    yearly = np.mean(np.square(before[YEAR:] - before[:-YEAR]), axis=0)
    ratio = divide(yearly, 2 * np.var(before, axis=0, ddof=1))
    ratio = ratio[np.isfinite(ratio)]
    return bool(ratio.size and np.median(ratio) < 0.5)


def _chance_error(cube: TransitionCube, weight: Weight) -> Array:
    """The error of (latest - history) from chance alone, at the rate of both together."""
    amount, squares = cube.amount, cube.squares
    there = amount.sum(axis=2, keepdims=True)
    there_squares = squares.sum(axis=2, keepdims=True)
    rate = divide(amount.sum(axis=0), there.sum(axis=0))

    def size(part: slice) -> Array:
        sums = [array[part].sum(axis=0) for array in (amount, there, squares, there_squares)]
        if weight == "loans":
            return np.broadcast_to(sums[1], sums[0].shape)
        return effective_size(*sums)

    latest, before = size(slice(-1, None)), size(slice(None, -1))
    return np.sqrt(rate * (1 - rate) * (divide(1.0, latest) + divide(1.0, before)))


def _against_months(rates: Array, floor: Array) -> _Contrast:
    before = rates[:-1]
    months = np.isfinite(before).sum(axis=0)
    usual = divide(np.nansum(before, axis=0), months)
    squares = np.nansum(np.square(before - usual), axis=0)
    spread = np.sqrt(divide(squares, months - 1) * (1 + divide(1.0, months)))
    return _floored(usual, spread, floor, months - 1, months)


def _against_year_ago(rates: Array, floor: Array) -> _Contrast:
    before = rates[:-1]
    yearly = before[YEAR:] - before[:-YEAR]
    months = np.isfinite(yearly).sum(axis=0)
    spread = np.sqrt(divide(np.nansum(np.square(yearly), axis=0), months))
    return _floored(rates[-1 - YEAR], spread, floor, months, months)


def _floored(usual: Array, spread: Array, floor: Array, freedom: Array, months: Array) -> _Contrast:
    """An error no smaller than chance; chance's own is known, so its t is the normal."""
    by_chance = ~(spread > floor)
    return _Contrast(
        usual, np.where(by_chance, floor, spread), np.where(by_chance, np.inf, freedom), months
    )


def _verdicts(
    cube: TransitionCube,
    rates: Array,
    contrast: _Contrast,
    smallest: float,
    fdr: float,
    minimum: int,
    season: bool,
) -> pl.DataFrame:
    row_loans = cube.loans.sum(axis=2)
    latest_loans = row_loans[-1]
    mean_loans = divide(row_loans[:-1].sum(axis=0), (row_loans[:-1] > 0).sum(axis=0))
    few_loans = ~((latest_loans >= minimum) & (mean_loans >= minimum))[:, None]
    few_months = contrast.months < FEWEST_MONTHS
    difference = rates[-1] - contrast.usual
    happens = cube.amount.sum(axis=0) > 0
    tested = happens & ~few_loans & ~few_months & (contrast.error > 0) & np.isfinite(difference)
    freedom = np.maximum(contrast.freedom, 1)
    p, q = (np.full(difference.shape, np.nan) for _ in range(2))
    p[tested] = 2 * stats.t.sf(np.abs(difference[tested]) / contrast.error[tested], freedom[tested])
    if tested.any():
        q[tested] = multipletests(p[tested], method="fdr_bh")[1]
    with np.errstate(invalid="ignore"):
        changed = tested & (q <= fdr) & (np.abs(difference) >= smallest)
    verdict = np.select(
        [few_months, np.broadcast_to(few_loans, changed.shape), changed],
        ["too_few_months", "too_few_loans", "changed"],
        "within_noise",
    )
    reach = stats.t.ppf(0.975, freedom) * contrast.error
    known = (contrast.months >= FEWEST_MONTHS) & np.isfinite(reach)
    reach = np.where(known, reach, np.nan)
    columns: dict[str, Any] = {
        "rate": rates[-1],
        "usual_rate": contrast.usual,
        "difference": difference,
        "usual_low": np.clip(contrast.usual - reach, 0, 1),
        "usual_high": np.clip(contrast.usual + reach, 0, 1),
        "p": p,
        "q": q,
        "is_changed": changed,
        "months": contrast.months,
        "from_loans": latest_loans[:, None],
        "reference": np.array("year_ago" if season else "months"),
        "verdict": verdict,
    }
    return cells_frame(cube.buckets, cube.states, columns)
