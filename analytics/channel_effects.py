"""What did a channel cause? Fitted at refresh on landmark cells; pages sum what it leaves."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from analytics.stage_effects import EffectFits, StageDesign, stage_fits, together
from analytics.treatment_arms import WITHOUT, Outcome, stage_cells

ASSUMPTION = "like_cases_by_chance"
ASSUMPTIONS = {
    ASSUMPTION: "Among cases alike in all that is adjusted for, it was chance who was attempted:"
    " what was not recorded is not adjusted for.",
}


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
    attempted (not what was reached) before day d; its outcome is resolution, or cash, from
    day d to day d + h.  Without the landmark, or with reached cases as the treated, cases that
    resolve early cannot be treated and the answer is built in.
    With e the chance of an arm and m its expected outcome, both given the covariates, a case
    has  phi_a = m_a + 1(arm = a) (outcome - m_a) / e_a  and the same for the reference; the
    effect is the mean of phi_a - phi_0 (augmented inverse-probability weighting): right if
    either model is right.  It is the average over all landmark cases of the stage that can
    be compared (ATE), not over those who were treated.  Models are logistic with main effects
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
        for outcome, fits in stage_fits(same, StageDesign.of(same, covariates, by)).arms.items():
            parts[outcome] += fits
    if not all(parts.values()):
        raise ValueError("there are no landmark cells")
    return {outcome: together(fits) for outcome, fits in parts.items()}
