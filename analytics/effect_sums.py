"""The estimate for any selection of cases: a page only sums."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from scipy import stats

from analytics.influence import COUNTS, SUMS
from analytics.intervals import Array, divide, wilson
from analytics.sensitivity import e_value, e_value_of_limit
from analytics.stratified import mantel_haenszel

CONFIDENCE = 0.95
MINIMUM_CASES = 30
LEAST_SUPPORT = 0.5
LEAST_SIZE = 10.0
THIN_SHARE = 0.10
REASONS = {
    "no_contacts": "No case was treated, so there is no effect to see.",
    "no_reference": "Every case was treated, so there is nobody to compare with.",
    "too_few": "Too few cases were treated, or left alone, to adjust for anything.",
    "no_overlap": "The treated and the others are too unlike to be compared.",
    "no_variation": "In one of the groups nobody, or everybody, resolved.",
}


def effects(
    influence: pl.DataFrame,
    *,
    over: Sequence[str] = ("stage", "arm"),
    confidence: float = CONFIDENCE,
    minimum: int = MINIMUM_CASES,
) -> pl.DataFrame:
    """What did the treatment change, and what does the raw comparison say, side by side?

    effect = sum of phi / n over the selected cases that can be compared, variance
    (sum of squares / n - effect^2) / n, interval by Student's t on the smaller arm's effective
    size less one.  `alone` is the expected outcome had none been treated (for resolved cases:
    the self-cure rate).  `raw` is the plain difference of the arms, Newcombe's interval (for
    money: Welch's).  `stratified` is Mantel and Haenszel's difference.  `ratio` = (alone +
    effect) / alone, interval by the delta method on its logarithm; E-values from it.

    In: the `influence` rows of `fit_effects`, filtered at will.  Out: a row per `over` with
    `cases` (all landmark cases), `supported_cases`, `treated_cases`, `reference_cases`,
    `treated_mean`, `reference_mean`, the estimates above each with `_low` and `_high`,
    `treated_size` and `reference_size` (effective sizes (sum w)^2 / sum w^2),
    `supported_share`, `outside_share` (fitted chance under 5 % or over 95 %), `overlap` (`good`,
    or `thin` where more than 10 % are outside), `is_small` (an arm's effective size under
    `minimum`, or under 10 of its cases resolved or unresolved), `reason`.
    Null estimates carry a `reason`: no_contacts, no_reference (an arm is empty), too_few (an
    arm has fewer than 10 cases, or too few resolved ones for the models), no_overlap (fewer
    than half of the cases can be compared, or an arm's effective size is under 10),
    no_variation (in an arm nobody or everybody resolved, so no interval can be trusted).  The
    raw difference stays.
    Misleads: see `fit_effects`; an effect of a selection leans on models of the whole stage.
    Reference: Lunceford and Davidian 2004; Newcombe 1998; Kish 1965.
    """
    summed = influence.group_by(*over, "outcome", maintain_order=True).agg(
        pl.col(*COUNTS, *SUMS).sum(),
        pl.when(pl.col("reason").null_count() == 0).then(pl.col("reason").first()).alias("reason"),
    )
    is_share = (summed["outcome"] == "resolved").to_numpy()
    sums = {name: summed[name].to_numpy().astype(float) for name in (*COUNTS, *SUMS)}
    columns = _sizes(sums)
    reason = _reasons(summed["reason"].to_list(), sums, columns)
    stated = np.array([code is None for code in reason], dtype=bool)
    columns |= _raw(sums, is_share, confidence) | _adjusted(sums, columns, is_share, confidence)
    for name in ADJUSTED:
        columns[name] = np.where(stated, columns[name], np.nan)
    thin = (columns["outside_share"] > THIN_SHARE) & stated
    small = np.fmin(columns["treated_size"], columns["reference_size"])
    small = np.where(stated, small, np.fmin(sums["treated_cases"], sums["reference_cases"]))
    rare = is_share & (_events(sums) < LEAST_SIZE)
    return pl.concat(
        [
            summed.select(*over, "outcome", *COUNTS),
            pl.DataFrame(columns, nan_to_null=True),
            mantel_haenszel(summed, confidence),
        ],
        how="horizontal",
    ).with_columns(
        e_value=_e_values(columns["ratio"], is_share),
        e_value_limit=_limits(columns["ratio_low"], columns["ratio_high"], is_share),
        overlap=pl.when(pl.Series(stated)).then(
            pl.when(pl.Series(thin)).then(pl.lit("thin")).otherwise(pl.lit("good"))
        ),
        is_small=pl.Series((small < minimum) | rare),
        reason=pl.Series(reason, dtype=pl.String),
    )


ADJUSTED = ("effect", "low", "high", "alone", "ratio", "ratio_low", "ratio_high")


def _sizes(sums: dict[str, Array]) -> dict[str, Array]:
    kish = {
        f"{arm}_size": divide(sums[f"{arm}_weight"] ** 2, sums[f"{arm}_weight_squares"])
        for arm in ("treated", "reference")
    }
    return kish | {
        "supported_share": divide(sums["supported_cases"], sums["cases"]),
        "outside_share": divide(sums["outside_cases"], sums["cases"]),
    }


def _events(sums: dict[str, Array]) -> Array:
    """The fewest resolved or unresolved cases in either arm."""
    resolved = (sums["treated_sum"], sums["reference_sum"])
    others = (sums[f"{arm}_cases"] - sums[f"{arm}_sum"] for arm in ("treated", "reference"))
    return np.minimum.reduce([*resolved, *others])


def _reasons(
    given: list[str | None], sums: dict[str, Array], sizes: dict[str, Array]
) -> list[str | None]:
    """Why a row has no estimate; the first that holds."""
    few = np.minimum(sums["treated_cases"], sums["reference_cases"]) < LEAST_SIZE
    size = np.fmin(np.nan_to_num(sizes["treated_size"]), np.nan_to_num(sizes["reference_size"]))
    apart = (np.nan_to_num(sizes["supported_share"]) < LEAST_SUPPORT) | (size < LEAST_SIZE)
    level = np.zeros(len(given), dtype=bool)
    for arm in ("treated", "reference"):
        n, total, squares = (sums[f"{arm}_{part}"] for part in ("cases", "sum", "squares"))
        level |= n * squares - total**2 <= 1e-9 * np.maximum(n * squares, 1e-9)
    tests = (
        ("no_contacts", sums["treated_cases"] == 0),
        ("no_reference", sums["reference_cases"] == 0),
        ("too_few", few),
        ("no_overlap", apart),
        ("no_variation", level),
    )
    return [
        code or next((name for name, holds in tests if holds[row]), None)
        for row, code in enumerate(given)
    ]


def _raw(sums: dict[str, Array], is_share: np.ndarray, confidence: float) -> dict[str, Array]:
    """The arms as they are, and their plain difference."""
    n1, n0 = sums["treated_cases"], sums["reference_cases"]
    p1, p0 = divide(sums["treated_sum"], n1), divide(sums["reference_sum"], n0)
    (low1, high1), (low0, high0) = (wilson(p, n, confidence) for p, n in _shares(p1, n1, p0, n0))
    v1 = divide(divide(sums["treated_squares"], n1) - p1**2, n1 - 1)
    v0 = divide(divide(sums["reference_squares"], n0) - p0**2, n0 - 1)
    freedom = divide((v1 + v0) ** 2, divide(v1**2, n1 - 1) + divide(v0**2, n0 - 1))
    welch = stats.t.ppf(0.5 + confidence / 2, freedom) * np.sqrt(v1 + v0)
    below = np.where(is_share, np.hypot(p1 - low1, high0 - p0), welch)
    above = np.where(is_share, np.hypot(high1 - p1, p0 - low0), welch)
    return {
        "treated_mean": p1,
        "reference_mean": p0,
        "raw": p1 - p0,
        "raw_low": p1 - p0 - below,
        "raw_high": p1 - p0 + above,
    }


def _shares(p1: Array, n1: Array, p0: Array, n0: Array) -> list[tuple[Array, Array]]:
    """Shares for Wilson's interval; means of money are not, and are put out of harm's way."""
    return [(np.where((p >= 0) & (p <= 1), p, np.nan), n) for p, n in ((p1, n1), (p0, n0))]


def _adjusted(
    sums: dict[str, Array], sizes: dict[str, Array], is_share: np.ndarray, confidence: float
) -> dict[str, Array]:
    """The adjusted effect, the outcome without treatment, and their ratio."""
    n = sums["supported_cases"]
    effect, alone = divide(sums["effect_sum"], n), divide(sums["alone_sum"], n)
    var = np.maximum(divide(sums["effect_squares"], n) - effect**2, 0.0)
    var_alone = np.maximum(divide(sums["alone_squares"], n) - alone**2, 0.0)
    both = divide(sums["cross_sum"], n) - effect * alone
    freedom = np.fmin(sizes["treated_size"], sizes["reference_size"]) - 1
    t = stats.t.ppf(0.5 + confidence / 2, np.where(freedom > 0, freedom, np.nan))
    margin = t * np.sqrt(divide(var, n))
    with_it = np.where(is_share & (alone > 0) & (alone + effect > 0), alone + effect, np.nan)
    slope, slope_alone = divide(1.0, with_it), divide(1.0, with_it) - divide(1.0, alone)
    var_log = slope**2 * var + slope_alone**2 * var_alone + 2 * slope * slope_alone * both
    factor = np.exp(np.minimum(t * np.sqrt(divide(np.maximum(var_log, 0.0), n)), 50.0))
    bound = np.where(is_share, 1.0, np.inf)
    return {
        "effect": effect,
        "low": np.maximum(effect - margin, -bound),
        "high": np.minimum(effect + margin, bound),
        "alone": alone,
        "ratio": with_it / alone,
        "ratio_low": with_it / alone / factor,
        "ratio_high": with_it / alone * factor,
    }


def _e_values(ratio: Array, is_share: np.ndarray) -> pl.Series:
    values = [
        e_value(value) if share else None for value, share in zip(ratio, is_share, strict=True)
    ]
    return pl.Series(values, dtype=pl.Float64)


def _limits(low: Array, high: Array, is_share: np.ndarray) -> pl.Series:
    known = is_share & np.isfinite(low) & np.isfinite(high)
    values = [
        e_value_of_limit(low[row], high[row]) if known[row] else None for row in range(len(low))
    ]
    return pl.Series(values, dtype=pl.Float64)
