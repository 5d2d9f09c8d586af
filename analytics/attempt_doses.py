"""Diminishing returns: what each further attempt in a week does."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import optimize

from analytics.intervals import Array
from analytics.monthly_odds import Months, monthly_log_odds
from analytics.strategy_fields import STAGES

DOSES = {"1": 1.0, "2-3": 2.4, "4+": 5.0}  # attempts in seven days that an arm stands for
_COUNTS = np.arange(0.0, 12.0)
_FACTORIALS = np.array([math.factorial(int(count)) for count in _COUNTS], dtype=float)


@dataclass(frozen=True)
class Dose:
    """How much so many attempts in seven days do, as log odds.

    `steps`: what is gained by each attempt up to the first, to the third and to the fifth; each
    next attempt's gain is the sum of those that still count, so it never grows.  `of`: for one
    channel, of which more than 2 to 3 a week were hardly ever seen: flat beyond.
    """

    steps: tuple[float, float, float]
    is_estimated: bool

    def of(self, attempts: Array) -> Array:
        """The expected gain of a Poisson number of attempts with this mean; 0 of none.

        >>> flat = Dose((1.0, 0.0, 0.0), False)
        >>> flat.of(np.array([0.0, 0.7])).round(3).tolist()
        [0.0, 0.503]
        """
        mean = np.minimum(attempts, 15.0)[..., None]
        chance = np.exp(-mean) * mean**_COUNTS / _FACTORIALS
        gains = self.at(_COUNTS)
        # what lies beyond the last count gains as much as the last
        return np.asarray(chance @ gains + (1 - chance.sum(axis=-1)) * gains[-1])

    def at(self, counts: Array) -> Array:
        knots = np.array(list(DOSES.values()))
        seen = np.minimum(counts, DOSES["2-3"])
        return np.asarray(np.minimum(seen[..., None], knots) @ np.array(self.steps))


def doses(influence: pl.DataFrame, months: Months | None = None) -> dict[str, Dose]:
    """Does the third attempt in a week do as much as the first?

    The gain of 1, 2-3 and 4 or more attempts in the first seven days, against none, as log odds;
    through them the rising curve whose steps never grow (weighted least squares), flat beyond the
    last, where nothing was seen.  A stage without estimates takes that of all stages together; a
    channel whose own doses were estimated in a stage has a curve of its own.

    In: influence sums of the questions `dose` and `dose:<channel>`.  Out: curves by stage, and by
    `<channel>:<stage>` where a channel has its own.
    Null: without any estimate only the first attempt counts (`is_estimated` is false).
    Reference: Groeneboom and Jongbloed 2014 (concave regression), with three knots.
    """
    of_doses = influence.filter(pl.col("question").str.starts_with("dose"))
    every = monthly_log_odds(of_doses, months)
    at = pl.col("arm").cast(pl.String).replace_strict(
        DOSES, default=None, return_dtype=pl.Float64
    )  # fmt: skip
    every = every.with_columns(at=at).drop_nulls(["theta", "at"])
    known = every.filter(pl.col("question") == "dose")
    pooled = _concave(known)
    found = {}
    for stage in STAGES:
        own = known.filter(pl.col("stage") == stage)
        found[stage] = (_concave(own) if own["at"].n_unique() > 1 else None) or pooled
    first_only = Dose((1.0, 0.0, 0.0), is_estimated=False)
    curves = {stage: dose or first_only for stage, dose in found.items()}
    for (question, stage), own in every.partition_by("question", "stage", as_dict=True).items():
        if question != "dose" and own["at"].n_unique() > 1 and (dose := _concave(own)):
            curves[f"{str(question).removeprefix('dose:')}:{stage}"] = dose
    return curves


def _concave(known: pl.DataFrame) -> Dose | None:
    """The steps that fit best, or None where nothing rises."""
    if known.is_empty():
        return None
    at = known["at"].to_numpy()
    design = np.minimum(at[:, None], np.array(list(DOSES.values())))
    weight = 1 / known["se"].to_numpy()
    steps, _ = optimize.nnls(design * weight[:, None], known["theta"].to_numpy() * weight)
    if not steps.any():
        return None
    return Dose((float(steps[0]), float(steps[1]), float(steps[2])), is_estimated=True)
