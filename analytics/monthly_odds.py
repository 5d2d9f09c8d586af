"""From a difference in the share resolved to the monthly odds of cure."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import polars as pl

from analytics.intervals import Array
from analytics.strategy_fields import STAGES

MOST_MONTHS = 90 / 30  # the outcome of the adjusted estimates is resolution within 90 days
Months = Mapping[str, float]  # by stage: how long an unresolved case is at risk, in months
LEAST, MOST = 0.005, 0.995  # shares closer to 0 or 1 than this have no usable odds


def months_at_risk(influence: pl.DataFrame, durations: Mapping[str, float]) -> dict[str, float]:
    """For how many months can a case of a stage still resolve, within the 90 days looked at?

    Cases end early where they are handed on, so an early case may be at risk for one month only.
    With a constant rate r of resolution and m months at risk, p = 1 - e^(-r m) resolve and a case
    lasts D = p / r on average, so m = -ln(1 - p) D / p; between one month and three.

    In: influence sums by `stage` (for p: of all arms of the doses), `durations`: case-months over
    cases opened, by stage.  Out: months by stage; three where a stage's duration is not known.
    Misleads: p is of cases still open on day seven, D of all.

    >>> rows = pl.DataFrame({"question": ["dose"], "stage": ["middle"], "treated_sum": [42.0],
    ...     "treated_cases": [100], "reference_sum": [0.0], "reference_cases": [0]})
    >>> round(months_at_risk(rows, {"middle": 1.63})["middle"], 2)
    2.11
    """
    doses_only = influence.filter(pl.col("question") == "dose")
    sums = doses_only.group_by("stage").agg(
        pl.col("treated_sum", "treated_cases").sum(),
        # every arm of a stage has the same reference
        pl.col("reference_sum", "reference_cases").max(),
    )
    found = dict.fromkeys(STAGES, MOST_MONTHS)
    for row in sums.iter_rows(named=True):
        cases = row["treated_cases"] + row["reference_cases"]
        lasts = durations.get(row["stage"])
        if not cases or lasts is None:
            continue
        p = float(np.clip((row["treated_sum"] + row["reference_sum"]) / cases, LEAST, MOST))
        found[row["stage"]] = float(np.clip(-math.log(1 - p) * lasts / p, 1.0, MOST_MONTHS))
    return found


def monthly_log_odds(effects: pl.DataFrame, months: Months | None = None) -> pl.DataFrame:
    """By how much do the monthly odds of cure rise, where of 100 cases so many more resolve?

    The share resolved within 90 days without the treatment p0 and with it p1 = p0 + effect are
    those of a constant chance in each of the m months at risk, h = 1 - (1 - p)^(1/m); theta =
    logit h1 - logit h0, its error by the delta method from the variances of effect and p0 and
    what they share.  m by stage (see `months_at_risk`), three where it is not given.

    In: rows of influence sums (`stage` where months are given, `supported_cases`, `effect_sum`,
    `effect_squares`, `alone_sum`, `alone_squares`, `cross_sum`, `reason`).  Out: the rows with
    `theta`, `se`.
    Null: where the estimate is (`reason`), or a share is no share.
    Misleads: the chance is not constant over three months; what an early attempt does may fade.

    >>> row = {"supported_cases": 100, "effect_sum": 10.0, "effect_squares": 101.0,
    ...        "alone_sum": 40.0, "alone_squares": 40.0, "cross_sum": 4.0, "reason": None}
    >>> monthly_log_odds(pl.DataFrame([row])).select(pl.col("theta", "se").round(3)).row(0)
    (0.337, 0.324)
    """
    n, e, ee, a, aa, ea = (
        effects[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        for name in ("supported_cases", "effect_sum", "effect_squares", "alone_sum",
                     "alone_squares", "cross_sum")
    )  # fmt: skip
    with np.errstate(divide="ignore", invalid="ignore"):
        effect, alone = e / n, a / n
        of_effect = np.maximum(ee / n - effect**2, 0) / n
        of_alone = np.maximum(aa / n - alone**2, 0) / n
        both = (ea / n - effect * alone) / n
    m = np.full(len(n), MOST_MONTHS)
    if months is not None:
        m = np.array([months.get(stage, MOST_MONTHS) for stage in effects["stage"]], float)
    p0, p1 = np.clip(alone, LEAST, MOST), np.clip(alone + effect, LEAST, MOST)
    slope0, slope1 = odds_slope(p0, m), odds_slope(p1, m)
    variance = (
        slope1**2 * of_effect
        + (slope1 - slope0) ** 2 * of_alone
        + 2 * slope1 * (slope1 - slope0) * both
    )
    theta = _monthly(p1, m) - _monthly(p0, m)
    usable = effects["reason"].is_null().to_numpy() & np.isfinite(theta) & (variance > 0)
    found = {"theta": theta, "se": np.sqrt(np.maximum(variance, 0))}
    return effects.with_columns(
        pl.Series(name, np.where(usable, values, np.nan)).fill_nan(None)
        for name, values in found.items()
    )


def _monthly(p: Array, months: Array) -> Array:
    """The log odds of cure within a month, at a constant chance that gives p in so many."""
    h = 1 - (1 - p) ** (1 / months)
    return np.asarray(np.log(h / (1 - h)))


def odds_slope(p: Array, months: Array) -> Array:
    h = 1 - (1 - p) ** (1 / months)
    return np.asarray((1 - p) ** (1 / months - 1) / months / (h * (1 - h)))
