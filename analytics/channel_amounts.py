"""What more attempts by one channel, and an earlier first one by it, did: beside what it did."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from analytics.stage_effects import (
    EffectFits,
    StageDesign,
    StageFits,
    influence_only,
    stage_fits,
    together,
)
from analytics.treatment_arms import (
    AMOUNTS,
    DOSES,
    FIRST_CONTACT_DAYS,
    WITHOUT,
    Outcome,
    StageCells,
    regrouped,
    stage_cells,
)

OUTCOMES: tuple[Outcome, ...] = ("resolved", "cash")
_KINDS = tuple(itertools.product(DOSES[1:], FIRST_CONTACT_DAYS[1:]))
ARMS = (WITHOUT, *(f"{dose}:{day}" for dose, day in _KINDS))
# into which level of `dose` and of `first_day` each arm goes; the first is the reference
_LEVELS = {
    "dose": [0, *(DOSES.index(dose) for dose, _ in _KINDS)],
    "first_day": [0, *(FIRST_CONTACT_DAYS.index(day) for _, day in _KINDS)],
}


@dataclass(frozen=True)
class ChannelFits:
    """A channel against without it, by outcome, and the influence sums of its own amounts.

    `amounts`: by question (`dose`, `first_day`) as `EffectFits.influence`, outcome: resolved.
    """

    whole: dict[Outcome, EffectFits]
    amounts: dict[str, pl.DataFrame]


def fit_channel(
    landmark: pl.DataFrame, *, channel: str, covariates: Sequence[str], by: Sequence[str]
) -> ChannelFits:
    """Do more attempts by a channel, or an earlier first one by it, do more?

    By stage: the cases attempted 1, 2 to 3 and 4 or more times by this channel before the
    landmark day, each against those not attempted by it; and the cases first attempted by it on
    days 0 to 1, 2 to 3 and 4 to 6 in the same way.  Landmark, estimator, adjustment and refusals
    are those of `fit_effects`: each level's mean is that of all landmark cases of the stage, so
    that levels can be compared.  Other channels attempted are covariates, whatever their number.
    Cases without the channel are the same in every question, and so are their models; the chance
    of a level is that of any attempt by the channel times that of the level among the attempted.

    In: a row per `stage`, covariates and `arm` with `cases`, `resolved`, `cash_cents`,
    `cash_squares`; arm: `without`, or the dose and the day of the first attempt (`2-3:0-1`).
    Out: the channel's own effect on both outcomes, and by dose and by day on resolution.
    No estimate (`reason`): see `fit_effects`; a level with fewer than 10 resolved or unresolved
    cases is not fitted.
    Misleads: whether a case is attempted again may hang on what came of the attempt before (no
    answer, a promise to remind of), which adjusting for the case at opening cannot remove.  A
    dose's cases and a day's are the same cases told apart in two ways: more attempts mostly begin
    earlier.
    Reference: see `fit_effects`.

    >>> rows = [("early", "A", arm, 40, good, 0, 0.0) for arm, good in
    ...         (("without", 12), ("1:0-1", 16), ("1:4-6", 14), ("2-3:0-1", 24))]
    >>> cells = pl.DataFrame(rows, orient="row", schema=["stage", "grade", "arm", "cases",
    ...                      "resolved", "cash_cents", "cash_squares"])
    >>> fits = fit_channel(cells, channel="call", covariates=["grade"], by=())
    >>> fits.amounts["dose"].select("arm", "treated_cases", "treated_sum", "reason").rows()
    [('1', 80, 30.0, None), ('2-3', 40, 24.0, None), ('4+', 0, 0.0, 'no_contacts')]
    """
    if set(by) - set(covariates):
        raise ValueError("a page may filter only by what both models adjust for")
    fits: list[StageFits] = []
    amounts: dict[str, list[pl.DataFrame]] = {question: [] for question in AMOUNTS}
    for same in stage_cells(
        landmark, arms=ARMS, reference=WITHOUT, covariates=covariates, outcomes=OUTCOMES
    ):
        at = StageDesign.of(same, covariates, by)
        fits.append(stage_fits({what: _whole(cells, channel) for what, cells in same.items()}, at))
        for question, levels in _LEVELS.items():
            cells = regrouped(same["resolved"], AMOUNTS[question], levels)
            amounts[question] += influence_only(cells, at, fits[-1])
    if not fits:
        raise ValueError("there are no landmark cells")
    return ChannelFits(
        {what: together([one for fit in fits for one in fit.arms[what]]) for what in OUTCOMES},
        {question: pl.concat(frames) for question, frames in amounts.items()},
    )


def _whole(cells: StageCells, channel: str) -> StageCells:
    """Attempted by the channel at all, or not."""
    return regrouped(cells, (WITHOUT, channel), [0] + [1] * len(_KINDS))
