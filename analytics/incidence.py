"""Recovery period: how long until a case is resolved, when some never will be?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import stats

from analytics.intervals import divide, wilson

Array = npt.NDArray[np.float64]
COUNTS = ("resolved", "competing", "censored")
CONFIDENCE = 0.95
MINIMUM_CASES = 30
TAUS = (90, 180)


@dataclass(frozen=True)
class _Curves:
    """By group and day: at risk, still open before the day, hazards, incidence."""

    days: npt.NDArray[np.int64]
    at_risk: Array
    open_before: Array
    resolving: Array
    leaving: Array
    incidence: Array
    last_day: Array  # of each group: nobody was followed longer


def incidence_curve(
    events: pl.DataFrame,
    *,
    opened: int | None = None,
    by: Sequence[str] = (),
    confidence: float = CONFIDENCE,
) -> pl.DataFrame:
    """What share of cases is resolved by each day, charge-off and sale being other ways out?

    Aalen-Johansen: incidence(d) = sum over days up to d of (share still open before the day) x
    (resolved on the day / at risk on the day).  Cases still open leave the risk set after their
    last day (censored); cases charged off or sold never can be resolved (competing).

    In: counts by `day` since placement (0 = the day itself): `resolved`, `competing`,
    `censored`, for each `by`; `opened`, where given, must be their sum.
    Out: by group and each day up to its last: `at_risk`, the counts, `incidence`, `se`, `low`,
    `high` (Wilson on the effective number of cases), `competing_incidence`, `open_share`.
    Null: nothing; a group without cases has no rows.
    Refuses: days before placement, missing or negative counts, counts that do not add up.
    Misleads: one minus Kaplan-Meier, which treats charge-off as if it could still be resolved,
    is too high; the end of the curve rests on the few cases that are old enough (`at_risk`).
    Reference: Aalen and Johansen 1978; Marubini and Valsecchi 1995, chapter 10 (variance).

    >>> events = pl.DataFrame({"day": [1, 2, 5], "resolved": [2, 0, 1], "competing": [0, 1, 0],
    ...                        "censored": [0, 0, 0]})
    >>> incidence_curve(events)["incidence"].to_list()[1:3]
    [0.5, 0.5]
    """
    keys, table, curves = _curves(events, by, opened)
    variance = _variance_of_curve(curves)
    censored = np.cumsum(table["censored"], axis=1) - table["censored"]
    followed = table["opened"][:, None] - censored
    low, high = _interval(curves.incidence, variance, followed, confidence)
    competing = np.cumsum(curves.open_before * (curves.leaving - curves.resolving), axis=1)
    here = curves.days[None, :] <= curves.last_day[:, None]
    rows, columns = np.nonzero(here)
    counts = {name: table[name][here].astype(int) for name in COUNTS}
    return (
        keys[rows]
        .with_columns(
            day=pl.Series(curves.days[columns]),
            at_risk=pl.Series(curves.at_risk[here].astype(int)),
            **{name: pl.Series(values) for name, values in counts.items()},
            incidence=pl.Series(curves.incidence[here]),
            se=pl.Series(np.sqrt(variance)[here]),
            low=pl.Series(low[here]),
            high=pl.Series(high[here]),
            competing_incidence=pl.Series(competing[here]),
            open_share=pl.Series((1 - curves.incidence - competing)[here]),
        )
        .drop("_")
    )


def recovery_period(
    events: pl.DataFrame,
    *,
    by: Sequence[str] = (),
    taus: Sequence[int] = TAUS,
    confidence: float = CONFIDENCE,
    minimum: int = MINIMUM_CASES,
) -> pl.DataFrame:
    """How many days does it take to resolve a case, of all cases, not of the resolved ones?

    `median`: the first day on which at least half of all cases are resolved.  `mean_90`,
    `mean_180`: the restricted mean, tau less the area under the incidence up to tau = the mean
    days to resolution, where a case that is not resolved by tau (or never) counts tau.

    In: as for the incidence curve.  Out: by group `cases`, `resolved`, `competing`, `censored`,
    `median`, `median_low`, `median_high`, `median_reason`, for each tau `mean_90`, `mean_90_low`,
    `mean_90_high`, `mean_90_reason`, and `is_small` (fewer than `minimum` cases).
    Null: a median where incidence stays under one half (`under_half`; an upper end likewise); a
    mean where no case was followed for tau days (`not_followed`).
    Refuses: as the incidence curve.
    Misleads: the mean over those already resolved is not shown because it is too short: slow
    cases are still open.  Restricted means of different tau do not compare.
    Reference: Andersen 2013 (restricted mean with competing risks); Brookmeyer and Crowley 1982
    (interval of the median).

    >>> events = pl.DataFrame({"day": [10, 40, 90], "resolved": [1, 1, 0], "competing": [0, 0, 0],
    ...                        "censored": [0, 0, 2]})
    >>> recovery_period(events, taus=[90]).select("median", "mean_90").row(0)
    (40, 57.5)
    """
    keys, table, curves = _curves(events, by, None)
    out: dict[str, pl.Series] = {
        name: pl.Series(table[key].sum(axis=-1) if key != "opened" else table[key]).cast(pl.Int64)
        for name, key in (("cases", "opened"), *((name, name) for name in COUNTS))
    }
    curve = incidence_curve(events, by=by, confidence=confidence)
    first = [
        pl.col("day").filter(pl.col(name) >= 0.5).min().alias(alias)
        for name, alias in (("incidence", "median"), ("high", "median_low"), ("low", "median_high"))
    ]
    medians = (
        curve.group_by(list(by), maintain_order=True).agg(first) if by else curve.select(first)
    )
    reach = stats.norm.ppf(0.5 + confidence / 2)
    for tau in taus:
        lengths = np.maximum(tau - curves.days, 0.0)
        steps = np.diff(curves.incidence, axis=1, prepend=0.0)
        mean = tau - steps @ lengths
        still_open = np.isclose(curves.open_before[:, -1] * (1 - curves.leaving[:, -1]), 0)
        known = (curves.last_day >= tau - 1) | still_open
        wide = reach * np.sqrt(_variance(curves, lengths))
        values = {
            "": mean,
            "_low": np.maximum(mean - wide, 0),
            "_high": np.minimum(mean + wide, tau),
        }
        for end, value in values.items():
            out[f"mean_{tau}{end}"] = pl.Series(np.where(known, value, np.nan)).fill_nan(None)
        reasons = [None if flag else "not_followed" for flag in known]
        out[f"mean_{tau}_reason"] = pl.Series(reasons, dtype=pl.String)
    unreached = pl.when(pl.col("median").is_null()).then(pl.lit("under_half"))
    return (
        keys.drop("_")
        .hstack(medians.select("median", "median_low", "median_high"))
        .with_columns(median_reason=unreached, **out, is_small=out["cases"] < minimum)
        .select(*by, "cases", *COUNTS, pl.exclude(*by, "cases", *COUNTS))
    )


def _curves(
    events: pl.DataFrame, by: Sequence[str], opened: int | None
) -> tuple[pl.DataFrame, dict[str, Array], _Curves]:
    """The groups, their counts [group, day] on every day to the last, and their curves."""
    _check(events, by, opened)
    events = events.filter(pl.sum_horizontal(COUNTS) > 0)
    keys = events.select(*by, _=pl.lit(0)).unique(maintain_order=True)
    codes = events.select(*by, _=pl.lit(0)).join(
        keys.with_row_index("code"), on=[*by, "_"], how="left", nulls_equal=True,
        maintain_order="left",
    )["code"]  # fmt: skip
    group, day = codes.to_numpy().astype(int), events["day"].to_numpy().astype(int)
    shape = (keys.height, int(day.max()) + 1)
    place = group * shape[1] + day
    table = {
        name: np.bincount(place, events[name].to_numpy().astype(float), shape[0] * shape[1])
        .reshape(shape)
        .astype(float)
        for name in COUNTS
    }
    out = np.sum([table[name] for name in COUNTS], axis=0)
    table["opened"] = out.sum(axis=1)
    at_risk = np.cumsum(out[:, ::-1], axis=1)[:, ::-1]
    resolving = np.nan_to_num(divide(table["resolved"], at_risk))
    leaving = np.nan_to_num(divide(table["resolved"] + table["competing"], at_risk))
    after = np.cumprod(1 - leaving, axis=1)
    before = np.hstack([np.ones((shape[0], 1)), after[:, :-1]])
    incidence = np.cumsum(before * resolving, axis=1)
    last = shape[1] - 1 - np.argmax(out[:, ::-1] > 0, axis=1)
    days = np.arange(shape[1])
    return keys, table, _Curves(days, at_risk, before, resolving, leaving, incidence, last)


def _check(events: pl.DataFrame, by: Sequence[str], opened: int | None) -> None:
    missing = {"day", *COUNTS, *by} - set(events.columns)
    if missing:
        raise ValueError(f"events lack {', '.join(sorted(missing))}")
    numbers = events.select("day", *COUNTS)
    if sum(numbers.null_count().row(0)):
        raise ValueError("a day or a count is missing")
    if (events["day"] < 0).any():
        raise ValueError("a case ended before it was placed: days count from placement")
    if any((events[name] < 0).any() for name in COUNTS):
        raise ValueError("a count is negative")
    total = sum(int(events[name].sum()) for name in COUNTS)
    if total == 0:
        raise ValueError("there are no cases")
    if opened is not None and opened != total:
        raise ValueError(f"{opened} cases were opened, but {total} are resolved, out or open")


def _variance_of_curve(curves: _Curves) -> Array:
    """Variance of the incidence on each day: the formula below for all days at once."""
    n, incidence = np.maximum(curves.at_risk, 1), curves.incidence
    staying = 1 - curves.leaving
    left = np.divide(curves.leaving, staying * n, out=np.zeros_like(n), where=staying > 1e-12)
    own = curves.open_before**2 * curves.resolving * (1 - curves.resolving) / n
    shared = curves.open_before * curves.resolving / n

    def summed(values: Array) -> Array:
        return np.cumsum(values, axis=1)

    variance = incidence**2 * summed(left) - 2 * incidence * summed(incidence * left)
    variance += summed(incidence**2 * left) + summed(own)
    variance += 2 * (summed(incidence * shared) - incidence * summed(shared))
    return np.maximum(variance, 0)


def _variance(curves: _Curves, weights: Array) -> Array:
    """Variance of sum over days of weight x step of the incidence, for each group.

    Delta method on each day's multinomial (resolved, left otherwise, stayed): a change of a
    day's hazards moves that day's step and, through those still open, all later ones.
    """
    steps = curves.open_before * curves.resolving * weights
    later = steps.sum(axis=1, keepdims=True) - np.cumsum(steps, axis=1)
    staying = 1 - curves.leaving
    through = np.divide(later, staying, out=np.zeros_like(later), where=staying > 1e-12)
    to_resolved, to_other = weights * curves.open_before - through, -through
    other = curves.leaving - curves.resolving
    mean = to_resolved * curves.resolving + to_other * other
    spread = to_resolved**2 * curves.resolving + to_other**2 * other - mean**2
    return np.maximum(np.nan_to_num(divide(spread, curves.at_risk)), 0).sum(axis=1)


def _interval(
    incidence: Array, variance: Array, followed: Array, confidence: float
) -> tuple[Array, Array]:
    """Wilson on the number of cases that would be as uncertain were none censored."""
    spread = incidence * (1 - incidence)
    certain = (variance <= 1e-15) | (spread <= 1e-12)
    size = np.where(certain, followed, np.minimum(divide(spread, variance), followed))
    return wilson(incidence, np.maximum(size, 1.0), confidence)
