"""Targets: will this period's recovery reach its target?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from scipy import stats

from analytics.intervals import divide
from analytics.recovery import (
    CONFIDENCE,
    MINIMUM_CASES,
    PLACED,
    Array,
    added,
    ratio_of_cash,
    why_unknown,
)

IMMATURE = ("immature_cases", "immature_cents", "immature_squares")


def target_attainment(
    cells: pl.DataFrame,
    *,
    target: float,
    by: Sequence[str] = (),
    confidence: float = CONFIDENCE,
    minimum: int = MINIMUM_CASES,
) -> pl.DataFrame:
    """Will the recovery target be met once every case of the period has had its h days?

    Judged on sum of min(cash, placed) / sum of placed.  Mature cases are known.  The others are
    taken to be drawn from the same process: they bring rate x placed, with an error from not
    knowing the rate (ratio estimator) and one from each case's own luck (in proportion to what
    is placed on it, as among the mature).  `probability` = P(final rate >= target), normal, with
    Student's t on the mature cases; never surer than all-or-nothing cases of the same sizes
    would allow where the mature ones show no variation.  The others can bring no less than nothing
    and no more than what is placed on them: what lies beyond is put at these two ends, for the
    interval and for `probability` alike.

    In: as cohort recovery (`clipped`), with `immature_cents` and `immature_squares` of the
    cases still to mature (add the placements still expected, if the period is not over).
    Out: by group `cases`, `attained` (rate so far), `immature_cases`, `placed_share` (of the
    amount that is mature), `forecast`, `low`, `high` (of the final rate), `probability`,
    `is_decided` (nothing is left to mature), `is_small`, `reason`.
    Null: all of it where nothing matured (`all_immature`, `no_cases`); forecast interval on one
    mature case (`one_case`) while others are open; probability on fewer than `minimum` mature
    cases (`is_small`), decided or not: too few to judge by.
    Refuses: a target that is not between 0 and 1.
    Misleads: the probability knows nothing of a season, a new strategy or a change of case mix
    between the mature and the others; cash already in on open cases is not used.
    Reference: Cochran 1977, chapter 6 (ratio estimator); Valliant, Dorfman and Royall 2000
    (predicting a finite total).
    """
    if not 0 < target < 1:
        raise ValueError(f"a target is a share between 0 and 1, not {target}")
    names = ("clipped_cents", "clipped_squares", "clipped_placed")
    table = added(cells, by, (*PLACED, *names, *IMMATURE))
    rate, se, size = ratio_of_cash(table, names)
    n, placed, left = (
        table[name].to_numpy().astype(float) for name in ("cases", "placed_cents", "immature_cents")
    )
    whole, squares = placed + left, table["immature_squares"].to_numpy().astype(float)
    held = np.clip(rate, 0, 1) * size  # as many equal cases, all or nothing
    cautious = divide((held + 0.5) * (size - held + 0.5), (size + 1) ** 2)
    per_square = np.where(
        se > 0, se**2 * (placed / 100) ** 2 / _squares(table), np.nan_to_num(cautious)
    )
    mean_error = np.where(se > 0, se**2, divide(cautious, size)) * left**2
    error = np.sqrt(mean_error + per_square * squares * 100**2) / whole
    forecast, decided = rate, (left == 0) & (n > 0)
    freedom = np.maximum(n - 1, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = stats.t.cdf((forecast - target) / error, freedom)
    reach = stats.t.ppf(0.5 + confidence / 2, freedom) * error
    least = divide(table["clipped_cents"].to_numpy(), whole)
    most, least = least + divide(left, whole), np.minimum(least, rate)
    chance = np.where(target > most, 0.0, np.where(target <= least, 1.0, chance))
    chance = np.where(decided, (rate >= target).astype(float), chance)
    low = np.where(decided, rate, np.maximum(forecast - reach, least))
    high = np.where(decided, rate, np.minimum(forecast + reach, most))
    unknown = (n < 1) | ((n < 2) & ~decided)
    low, high = (np.where(unknown, np.nan, value) for value in (low, high))
    chance = np.where(unknown | (n < minimum), np.nan, chance)
    estimates = {"attained": rate, "placed_share": divide(placed, whole), "forecast": forecast}
    estimates |= {"low": low, "high": high, "probability": chance}
    reason = pl.when(pl.col("is_decided")).then(None).otherwise(why_unknown())
    return (
        table.select(*by, "cases", "immature_cases")
        .hstack(pl.DataFrame(estimates, nan_to_null=True))
        .with_columns(is_decided=pl.Series(decided), is_small=pl.col("cases") < minimum)
        .with_columns(reason=reason.cast(pl.String))
    )


def _squares(table: pl.DataFrame) -> Array:
    squares = table["placed_squares"].to_numpy().astype(float)
    return np.where(squares > 0, squares, np.nan)


def contact_attainment(contact: pl.DataFrame, *, minimum: int = MINIMUM_CASES) -> pl.DataFrame:
    """Is the first contact as soon as it should be, on average?

    attained = mean working days to the first attempt, up to 10 (a case without one counts as
    long as it was open); probability = P(mean <= target), normal with the mean's error.

    In: `cases`, `mean`, `mean_low`, `mean_high`, `mean_se`, `target` (working days).
    Out: the other columns with `attained`, `forecast`, `low`, `high`, `probability`,
    `immature_cases` (0: a case that waits is counted as it waits), `is_small`.
    Null: all of it where the mean is not known (no case was open for 10 working days);
    probability on fewer than `minimum` cases (`is_small`): too few to judge by.
    Misleads: one case never tried counts as 10 days, however long it waits.

    >>> one = pl.DataFrame({"cases": [50], "mean": [2.5], "mean_low": [2.1], "mean_high": [2.9],
    ...                     "mean_se": [0.2], "target": [3.0]})
    >>> contact_attainment(one)["probability"].round(3).to_list()
    [0.994]
    """
    distance = (contact["target"] - contact["mean"]) / contact["mean_se"]
    chance = stats.norm.cdf(distance.cast(pl.Float64).fill_null(np.nan).to_numpy())
    return contact.with_columns(
        attained=pl.col("mean"),
        forecast=pl.col("mean"),
        low=pl.col("mean_low"),
        high=pl.col("mean_high"),
        probability=pl.when(pl.col("cases") >= minimum).then(pl.Series(chance, nan_to_null=True)),
        immature_cases=pl.lit(0, pl.Int64),
        is_small=pl.col("cases") < minimum,
    ).drop("mean", "mean_low", "mean_high", "mean_se")
