"""Where does a raw comparison mislead?"""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy import stats

from analytics.effect_sums import LEAST_SIZE, LEAST_SUPPORT
from analytics.intervals import divide

VERDICTS = {
    "opposite": "Raw and adjusted point in opposite ways.",
    "hidden": "The raw difference hides an effect.",
    "spurious": "The raw difference shows an effect where adjusted there is none to see.",
    "other_size": "Both point the same way, but differ in size beyond their intervals.",
    "alike": "Raw and adjusted do not differ beyond chance.",
}


def raw_and_adjusted(effects: pl.DataFrame) -> pl.DataFrame:
    """Does the raw difference say the same as the adjusted effect?

    opposite: both differ from 0 beyond noise, in opposite ways.  hidden: only the adjusted effect
    differs from 0.  spurious: only the raw difference does.  other_size: both differ from 0 the
    same way, and neither interval holds the other's estimate.  alike: none of these.

    In: rows of `effects` with `raw`, `raw_low`, `raw_high`, `effect`, `low`, `high`.
    Out: the same rows with `verdict`, and `apart`, the distance between the two.
    Null: the verdict where there is no estimate, or no interval.
    Misleads: both are made from the same cases, so the two intervals are not independent; a raw
    difference is a fact about who was treated, not a wrong number.
    """
    raw_is_news = (pl.col("raw_low") > 0) | (pl.col("raw_high") < 0)
    is_news = (pl.col("low") > 0) | (pl.col("high") < 0)
    same_way = (pl.col("raw") > 0) == (pl.col("effect") > 0)
    outside = ~pl.col("effect").is_between("raw_low", "raw_high")
    outside &= ~pl.col("raw").is_between("low", "high")
    verdict = (
        pl.when(pl.any_horizontal(pl.col("raw_low", "raw_high", "low", "high").is_null()))
        .then(None)
        .when(raw_is_news & is_news & ~same_way)
        .then(pl.lit("opposite"))
        .when(is_news & ~raw_is_news)
        .then(pl.lit("hidden"))
        .when(raw_is_news & ~is_news)
        .then(pl.lit("spurious"))
        .when(raw_is_news & is_news & outside)
        .then(pl.lit("other_size"))
        .otherwise(pl.lit("alike"))
    )
    apart = (pl.col("raw") - pl.col("effect")).abs()
    return effects.with_columns(verdict=verdict, apart=apart)


def left_alone(influence: pl.DataFrame, *, confidence: float = 0.95) -> pl.DataFrame:
    """What would come of the cases if nobody attempted anything in the first week?

    share = sum of phi_0 / n over the cases that can be compared with others of their kind that
    nobody attempted to reach (for resolved cases: the self-cure rate; for money: cash a case),
    interval by Student's t on the effective size of those left alone, less one.

    In: `influence` rows of the question how many attempts.  Out: a row per `stage` and `outcome`
    with `cases`, `alone`, `low`, `high`; of the arm that compares most cases.
    Left out: stages in which fewer than half of the cases can be compared, or the effective size
    of those left alone is under 10.
    Misleads: as every adjusted estimate; what is not recorded is not adjusted for.
    Reference: see `fit_effects`.
    """
    sums = ["cases", "supported_cases", "alone_sum", "alone_squares"]
    sums += ["reference_weight", "reference_weight_squares"]
    squares = pl.col("reference_weight_squares")  # 0: nobody was left alone
    size = pl.when(squares > 0).then(pl.col("reference_weight") ** 2 / squares).otherwise(0.0)
    compared = pl.col("supported_cases") >= LEAST_SUPPORT * pl.col("cases")
    summed = (
        influence.filter(pl.col("reason").is_null())
        .group_by("stage", "outcome", "arm", maintain_order=True)
        .agg(pl.col(sums).sum())
        .sort("supported_cases", descending=True)
        .unique(["stage", "outcome"], keep="first", maintain_order=True)
        .filter(pl.col("supported_cases") > 0, compared, size >= LEAST_SIZE)
    )
    n = summed["supported_cases"].to_numpy().astype(float)
    alone = divide(summed["alone_sum"], n)
    variance = np.maximum(divide(summed["alone_squares"], n) - alone**2, 0.0)
    freedom = summed.select(size - 1).to_series().to_numpy()
    t = stats.t.ppf(0.5 + confidence / 2, freedom)
    margin = t * np.sqrt(variance / n)
    is_share = (summed["outcome"] == "resolved").to_numpy()
    low = np.where(is_share, np.maximum(alone - margin, 0.0), alone - margin)
    high = np.where(is_share, np.minimum(alone + margin, 1.0), alone + margin)
    estimates = pl.DataFrame({"alone": alone, "low": low, "high": high}, nan_to_null=True)
    return pl.concat(
        [summed.select("stage", "outcome", cases="supported_cases"), estimates], how="horizontal"
    )
