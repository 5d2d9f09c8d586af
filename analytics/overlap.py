"""Were the treated and the others alike enough to be compared, before and after weighting?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from analytics.grouped_designs import GroupedDesign
from analytics.grouped_models import expit, logistic
from analytics.intervals import Array, divide
from analytics.treatment_arms import StageCells

TRIM = 0.01  # below it, or above one minus it, nobody alike is in the other arm
COMFORTABLE = (0.05, 0.95)
BINS = 20


@dataclass(frozen=True)
class Overlap:
    """Arrays by cell: the chance of the arm and of the reference, and who can be compared."""

    arm: Array
    reference: Array
    is_supported: np.ndarray
    is_outside: np.ndarray  # beyond COMFORTABLE
    arm_coefficients: Array
    reference_coefficients: Array


def overlap(
    stage: StageCells, arm: int, design: GroupedDesign, other: Overlap | None = None
) -> Overlap:
    """Each cell's chance of the arm and of the reference among all the stage's landmark cases.

    Grouped logistic models with main effects.  A cell is supported where both chances are at
    least TRIM; a level that only one arm has is not.  `other`: that of another arm, with
    the same reference.
    """
    everyone = stage.everyone
    coefficients, _ = logistic(design, stage.cases[:, arm], everyone)
    treated = expit(design @ coefficients)
    if stage.cases[:, 0].sum() + stage.cases[:, arm].sum() == everyone.sum():
        alone, others = 1.0 - treated, -coefficients
    else:
        others = (
            logistic(design, stage.cases[:, 0], everyone)[0]
            if other is None
            else other.reference_coefficients
        )
        alone = expit(design @ others)
    return _supported(treated, alone, coefficients, others)


def level_chances(
    stage: StageCells, design: GroupedDesign, whole: Overlap
) -> Callable[[int], Overlap]:
    """The same for the levels of a treatment, by arm: `whole` is that of any level of it.

    A level's chance is that of any times that of the level among the cases that had any (a
    logistic model of its own, whose coefficients are given).
    """
    treated = stage.everyone - stage.cases[:, 0]

    def of_level(arm: int) -> Overlap:
        coefficients, _ = logistic(design, stage.cases[:, arm], treated)
        chance = whole.arm * expit(design @ coefficients)
        return _supported(chance, whole.reference, coefficients, whole.reference_coefficients)

    return of_level


def _supported(treated: Array, alone: Array, coefficients: Array, others: Array) -> Overlap:
    least = np.minimum(treated, alone)
    outside = least < COMFORTABLE[0]
    return Overlap(treated, alone, least >= TRIM, outside, coefficients, others)


def weights(chance: Array, is_supported: np.ndarray) -> Array:
    """One over the chance, and nothing where there is no support."""
    return np.where(is_supported, divide(1.0, np.where(is_supported, chance, 1.0)), 0.0)


def propensity_histogram(stage: StageCells, arm: int, found: Overlap) -> pl.DataFrame:
    """How likely was the treatment, for those who had it and for the reference?

    Cases by `group` (treated, reference) and bin of the fitted chance, `low` to `high`.  Where
    only one group has cases there is nobody to compare with.
    """
    edges = np.linspace(0, 1, BINS + 1)
    place = np.minimum((found.arm * BINS).astype(int), BINS - 1)
    counts = [np.bincount(place, stage.cases[:, column], BINS) for column in (arm, 0)]
    return pl.DataFrame(
        {
            "group": np.repeat(["treated", "reference"], BINS),
            "low": np.tile(edges[:-1], 2),
            "high": np.tile(edges[1:], 2),
            "cases": np.concatenate(counts).round().astype(np.int64),
        }
    )


def balance(stage: StageCells, arm: int, found: Overlap) -> pl.DataFrame:
    """Did weighting make the treated and the reference alike in what is recorded?

    For each level of each covariate its share of the treated and of the reference, and the
    standardised difference d = (p1 - p0) / sqrt((p1 (1 - p1) + p0 (1 - p0)) / 2), before
    (`smd_before`) and after weighting by one over the fitted chance (`smd_after`, the same
    divisor).  Beyond 0.1 after weighting is poor.
    Null: a level that all of one group and none of the other have has no finite difference.
    Misleads: balance in what is recorded says nothing of what is not.
    Reference: Austin and Stuart 2015.
    """
    treated, alone = stage.cases[:, arm], stage.cases[:, 0]
    after = [
        count * weights(chance, found.is_supported)
        for count, chance in ((treated, found.arm), (alone, found.reference))
    ]
    frames = []
    for covariate in stage.cells.columns:
        names, place = stage.levels[covariate]
        p1, p0, w1, w0 = (_shares(part, place, len(names)) for part in (treated, alone, *after))
        spread = np.sqrt((p1 * (1 - p1) + p0 * (1 - p0)) / 2)
        columns = {
            "treated_share": p1,
            "reference_share": p0,
            "smd_before": divide(p1 - p0, spread),
            "smd_after": divide(w1 - w0, spread),
        }
        labels = {"covariate": [covariate] * len(names), "level": names}
        frames.append(pl.DataFrame(labels | columns, nan_to_null=True))
    return pl.concat(frames)


def _shares(part: Array, place: np.ndarray, levels: int) -> Array:
    return divide(np.bincount(place, part, levels), part.sum())
