"""What did a channel cause? Fitted at refresh on landmark cells; pages sum what it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import polars as pl

from analytics.grouped_designs import GroupedDesign
from analytics.grouped_models import design, discrimination
from analytics.influence import (
    COUNTS,
    SUMS,
    OutcomeModel,
    influence_sums,
    outcome_model,
    raw_sums,
)
from analytics.intervals import Array
from analytics.overlap import Overlap, balance, overlap, propensity_histogram
from analytics.treatment_arms import WITHOUT, Outcome, StageCells, stage_cells

ASSUMPTION = "like_cases_by_chance"
ASSUMPTIONS = {
    ASSUMPTION: "Among cases alike in all that is adjusted for, it was chance who was attempted:"
    " what was not recorded is not adjusted for.",
}
FEWEST = 10  # resolved, and unresolved, cases of an arm: with fewer nothing is adjusted
CASES_A_COEFFICIENT = 2

_MODELS = {
    "model": pl.String,
    "cases": pl.Int64,
    "coefficients": pl.Int64,
    "discrimination": pl.Float64,
}
_COEFFICIENTS = {
    "model": pl.String,
    "covariate": pl.String,
    "level": pl.String,
    "coefficient": pl.Float64,
}


@dataclass(frozen=True)
class EffectFits:
    """What a refresh keeps: `influence` for pages to sum, and how good the models are.

    All by `stage` and `arm`.  `histogram` and `balance`: see the functions of those names.
    `models`: `model` (chance_treated, chance_reference, outcome_treated, outcome_reference),
    `cases`, `coefficients`, `discrimination` (c-statistic; null for money).  `coefficients`:
    `model`, `covariate`, `level`, `coefficient` (log-odds, or currency for money).
    """

    influence: pl.DataFrame
    histogram: pl.DataFrame
    balance: pl.DataFrame
    models: pl.DataFrame
    coefficients: pl.DataFrame


def fit_effects(
    landmark: pl.DataFrame,
    *,
    arms: Sequence[str],
    covariates: Sequence[str],
    by: Sequence[str],
    reference: str = WITHOUT,
    outcome: Outcome = "resolved",
) -> EffectFits:
    """What did a treatment change, compared with like cases that did not have it?

    Landmark: only cases still unresolved when day d begins count; a case's arm is what was
    *attempted* (not what was reached) before day d; its outcome is resolution, or cash, from
    day d to day d + h.  Without the landmark, or with reached cases as the treated, cases that
    resolve early cannot be treated and the answer is built in.
    With e the chance of an arm and m its expected outcome, both given the covariates, a case
    has  phi_a = m_a + 1(arm = a) (outcome - m_a) / e_a  and the same for the reference; the
    effect is the mean of phi_a - phi_0 (augmented inverse-probability weighting): right if
    either model is right.  It is the **average over all landmark cases of the stage that can
    be compared** (ATE), not over those who were treated.  Models are logistic with main effects
    (for money: least squares), fitted on cells, which with categorical covariates is the fit on
    cases; the outcome's slopes are drawn to 0 (a ridge of 0.25) so that few resolved cases promise
    no certainty; residuals are widened by n / (n - coefficients).

    In: a row per `stage`, covariates and `arm` with `cases` and `resolved` (or `cash_cents` and
    `cash_squares`, in currency squared).  The arms share out the stage's cases: each case once.
    A channel: its code against `without`, the channels beside it as covariates; doses 0, 1,
    2-3, 4+ and days of first contact in the same way, each level against the reference.  `by`:
    the covariates a page may filter by.
    Out: `influence`, a row per stage, arm and `by` with counts, sums and sums of squares, which
    `effects` turns into estimates for any selection; and the models' diagnostics.
    No estimate (`reason`): no_contacts, no_reference: an arm is empty; too_few: an arm has
    fewer than 10 resolved or 10 unresolved cases (for money 10 cases), or 2 cases a coefficient.
    Cases with a fitted chance of either arm under 1 % (a level that only one arm has, a perfect
    separator) are left out and counted.
    Refuses: unknown arms, a missing covariate, negative counts, more resolved than cases.
    Misleads: adjustment cannot remove what was not recorded; the covariates must be known at
    opening, never what came of the attempts.
    Reference: Robins, Rotnitzky and Zhao 1994; Lunceford and Davidian 2004; Anderson, Cain and
    Gelber 1983 (landmark); Crump et al. 2009 (trimming).
    """
    return fit_outcomes(
        landmark,
        arms=arms,
        covariates=covariates,
        by=by,
        reference=reference,
        outcomes=(outcome,),
    )[outcome]


def fit_outcomes(
    landmark: pl.DataFrame,
    *,
    arms: Sequence[str],
    covariates: Sequence[str],
    by: Sequence[str],
    reference: str = WITHOUT,
    outcomes: Sequence[Outcome] = ("resolved", "cash"),
) -> dict[Outcome, EffectFits]:
    """`fit_effects` for several outcomes of the same cases, whose chances are fitted once."""
    if set(by) - set(covariates):
        raise ValueError("a page may filter only by what both models adjust for")
    parts: dict[Outcome, list[EffectFits]] = {outcome: [] for outcome in outcomes}
    stages = stage_cells(
        landmark, arms=arms, reference=reference, covariates=covariates, outcomes=outcomes
    )
    for same in stages:
        stage = same[outcomes[0]]
        columns, names = design(stage.cells, covariates, stage.levels)
        for arm in range(1, len(stage.arms)):
            label = (pl.lit(stage.stage).alias("stage"), pl.lit(stage.arms[arm]).alias("arm"))
            found = overlap(stage, arm, columns)
            shown = (propensity_histogram(stage, arm, found), balance(stage, arm, found))
            for outcome, cells in same.items():
                fit = _fit(cells, arm, columns, names, by, outcome, found, shown)
                parts[outcome].append(
                    EffectFits(*(frame.select(*label, pl.all()) for frame in fit))
                )
    if not all(parts.values()):
        raise ValueError("there are no landmark cells")
    tables = [field.name for field in fields(EffectFits)]
    return {
        outcome: EffectFits(*(pl.concat([getattr(part, name) for part in fits]) for name in tables))
        for outcome, fits in parts.items()
    }


def _fit(
    stage: StageCells,
    arm: int,
    columns: GroupedDesign,
    names: list[tuple[str, str]],
    by: Sequence[str],
    outcome: Outcome,
    found: Overlap,
    shown: tuple[pl.DataFrame, pl.DataFrame],
) -> tuple[pl.DataFrame, ...]:
    """The five tables of one stage and arm."""
    treated = outcome_model(stage, arm, columns, outcome)
    alone = outcome_model(stage, 0, columns, outcome)
    reason = _why_not(treated, alone)
    sums = raw_sums(stage, arm, outcome)
    if reason is None:
        sums |= influence_sums(stage, arm, found, treated, alone)
    models, coefficients = _models(stage, arm, columns, names, found, treated, alone, outcome)
    return (_by_cell(stage, sums, by, outcome, reason), *shown, models, coefficients)


def _why_not(treated: OutcomeModel, alone: OutcomeModel) -> str | None:
    for model, reason in ((treated, "no_contacts"), (alone, "no_reference")):
        if not model.cases:
            return reason
    for model in (treated, alone):
        if model.events < FEWEST or model.cases < CASES_A_COEFFICIENT * model.spent:
            return "too_few"
    return None


def _by_cell(
    stage: StageCells,
    sums: dict[str, Array],
    by: Sequence[str],
    outcome: Outcome,
    reason: str | None,
) -> pl.DataFrame:
    """The cells' sums by what a page may filter by."""
    frame = pl.DataFrame(
        [*stage.cells.select(by), *(pl.Series(name, sums[name]) for name in (*COUNTS, *SUMS))]
    )
    totals = [pl.col(*COUNTS).sum().round().cast(pl.Int64), pl.col(*SUMS).sum()]
    added = frame.group_by(by, maintain_order=True).agg(totals) if by else frame.select(totals)
    return added.with_columns(outcome=pl.lit(outcome), reason=pl.lit(reason, dtype=pl.String))


def _models(
    stage: StageCells,
    arm: int,
    columns: GroupedDesign,
    names: list[tuple[str, str]],
    found: Overlap,
    treated: OutcomeModel,
    alone: OutcomeModel,
    outcome: Outcome,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """How well the four models tell cases apart, and their coefficients."""
    everyone = stage.cases.sum(axis=1)
    fits = {
        "chance_treated": (found.arm_coefficients, stage.cases[:, arm], everyone),
        "chance_reference": (found.reference_coefficients, stage.cases[:, 0], everyone),
        "outcome_treated": (treated.coefficients, stage.sums[:, arm], stage.cases[:, arm]),
        "outcome_reference": (alone.coefficients, stage.sums[:, 0], stage.cases[:, 0]),
    }
    models, coefficients = [], []
    for model, (values, successes, trials) in fits.items():
        counted = outcome == "resolved" or model.startswith("chance")
        told = discrimination(columns @ values, successes, trials) if counted else None
        models.append((model, round(trials.sum()), len(values), told))
        coefficients += [
            (model, *name, float(value)) for name, value in zip(names, values, strict=True)
        ]
    return (
        pl.DataFrame(models, schema=_MODELS, orient="row"),
        pl.DataFrame(coefficients, schema=_COEFFICIENTS, orient="row"),
    )
