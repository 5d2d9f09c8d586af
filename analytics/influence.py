"""Each case's own contribution to an effect, summed by cell: counts, sums and squares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics.grouped_designs import GroupedDesign
from analytics.grouped_models import SLOPE_RIDGE, expit, linear, logistic
from analytics.intervals import Array
from analytics.overlap import Overlap, weights
from analytics.stratified import STRATA, strata_sums
from analytics.treatment_arms import Outcome, StageCells

COUNTS = ("cases", "supported_cases", "outside_cases", "treated_cases", "reference_cases")
RAW = ("treated_sum", "treated_squares", "reference_sum", "reference_squares")
INFLUENCE = ("effect_sum", "effect_squares", "alone_sum", "alone_squares", "cross_sum")
WEIGHTS = (
    "treated_weight",
    "treated_weight_squares",
    "reference_weight",
    "reference_weight_squares",
)
PLAIN = ("cases", "treated_cases", "reference_cases", *RAW, *STRATA)  # known without a model
SUMS = (*RAW, *INFLUENCE, *WEIGHTS, *STRATA)


@dataclass(frozen=True)
class OutcomeModel:
    """An arm's expected outcome by cell, fitted on that arm's cases alone."""

    expected: Array
    coefficients: Array
    cases: float
    spent: float  # coefficients, less what the ridge takes back
    events: float  # the fewer of resolved and unresolved cases; for money all cases

    @property
    def widening(self) -> float:
        """Fitted residuals are too small by the coefficients spent on them."""
        return self.cases / max(self.cases - self.spent, 1.0)


def outcome_model(
    stage: StageCells, arm: int, design: GroupedDesign, outcome: Outcome
) -> OutcomeModel:
    """Logistic for resolved cases, least squares for money.

    Slopes of the logistic model are drawn to 0 as if their standard deviation were 2: with few
    resolved cases it else promises certainty to cells that it has never seen.
    """
    cases, sums = stage.cases[:, arm], stage.sums[:, arm]
    count = float(cases.sum())
    if outcome == "resolved":
        coefficients, spent = logistic(design, sums, cases, slope_ridge=SLOPE_RIDGE)
        events = float(min(sums.sum(), count - sums.sum()))
        return OutcomeModel(expit(design @ coefficients), coefficients, count, spent, events)
    coefficients, spent = linear(design, sums, cases)
    return OutcomeModel(design @ coefficients, coefficients, count, spent, count)


def raw_sums(stage: StageCells, arm: int, outcome: Outcome) -> dict[str, Array]:
    """By cell: all landmark cases, the two arms as they are, and the strata's parts."""
    nothing = np.zeros(stage.cells.height)
    pair = [arm, 0]
    strata = dict.fromkeys(STRATA, nothing)
    if outcome == "resolved":
        strata = strata_sums(stage.cases[:, pair], stage.sums[:, pair])
    return (
        dict.fromkeys((*COUNTS, *SUMS), nothing)
        | {
            "cases": stage.everyone,
            "treated_cases": stage.cases[:, arm],
            "reference_cases": stage.cases[:, 0],
            "treated_sum": stage.sums[:, arm],
            "treated_squares": stage.squares[:, arm],
            "reference_sum": stage.sums[:, 0],
            "reference_squares": stage.squares[:, 0],
        }
        | strata
    )


def influence_sums(
    stage: StageCells, arm: int, found: Overlap, treated: OutcomeModel, alone: OutcomeModel
) -> dict[str, Array]:
    """By cell, over supported cases: sums of phi_a - phi_0 and of phi_0, squares and products."""
    inside = found.is_supported.astype(float)
    everyone = stage.everyone * inside
    w1, w0 = (weights(chance, found.is_supported) for chance in (found.arm, found.reference))
    gain, squares1 = _residuals(stage, arm, treated, w1)
    base, squares0 = _residuals(stage, 0, alone, w0)
    apart = treated.expected - alone.expected
    values = (
        apart * everyone + gain - base,
        apart**2 * everyone + 2 * apart * (gain - base) + squares1 + squares0,
        alone.expected * everyone + base,
        alone.expected**2 * everyone + 2 * alone.expected * base + squares0,
        apart * (alone.expected * everyone + base) + alone.expected * (gain - base) - squares0,
    )
    n1, n0 = stage.cases[:, arm], stage.cases[:, 0]
    sizes = (n1 * w1, n1 * w1**2, n0 * w0, n0 * w0**2)
    counts = {
        "supported_cases": everyone,
        "outside_cases": stage.everyone * found.is_outside,
    }
    sums = dict(zip((*INFLUENCE, *WEIGHTS), (*values, *sizes), strict=True))
    return counts | sums


def _residuals(
    stage: StageCells, arm: int, model: OutcomeModel, weight: Array
) -> tuple[Array, Array]:
    """Weighted residuals of an arm's cases: their sum, and the sum of their squares."""
    cases, sums, squares = (part[:, arm] for part in (stage.cases, stage.sums, stage.squares))
    expected = model.expected
    residual = sums - expected * cases
    spread = squares - 2 * expected * sums + expected**2 * cases
    return weight * residual, model.widening * weight**2 * np.maximum(spread, 0.0)
