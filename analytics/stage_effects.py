"""The effects of a stage's arms, each fitted against the reference on the same cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import polars as pl
from scipy import sparse

from analytics.grouped_designs import GroupedDesign
from analytics.grouped_models import design, discrimination
from analytics.influence import (
    COUNTS,
    PLAIN,
    SUMS,
    OutcomeModel,
    influence_sums,
    outcome_model,
    raw_sums,
)
from analytics.intervals import Array
from analytics.overlap import Overlap, balance, level_chances, overlap, propensity_histogram
from analytics.treatment_arms import Outcome, StageCells

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


@dataclass(frozen=True)
class StageDesign:
    """What a stage's models adjust for, and `by` what its sums are kept."""

    columns: GroupedDesign
    names: list[tuple[str, str]]
    by: pl.DataFrame
    members: sparse.csr_matrix  # 1 where a cell (column) is of a row of `by`

    @classmethod
    def of(
        cls, same: Mapping[Outcome, StageCells], covariates: Sequence[str], by: Sequence[str]
    ) -> StageDesign:
        """That of a stage's cells, which are the same for every outcome."""
        stage = next(iter(same.values()))
        cells, keys = stage.cells.height, stage.cells.select(by)
        groups, place = keys, np.zeros(cells, dtype=np.int64)
        if by:
            groups = keys.unique(maintain_order=True)
            numbered = groups.with_row_index("place")
            placed = keys.join(numbered, on=by, how="left", nulls_equal=True, maintain_order="left")
            place = placed["place"].cast(pl.Int64).to_numpy()
        shape = max(groups.height, 1), cells
        members = sparse.csr_matrix((np.ones(cells), (place, np.arange(cells))), shape=shape)
        return cls(*design(stage.cells, covariates, stage.levels), groups, members)


@dataclass(frozen=True)
class _Model:
    """A fitted model, as its tables tell of it."""

    name: str
    coefficients: Array
    cases: float
    discrimination: float | None

    @classmethod
    def of(
        cls,
        name: str,
        coefficients: Array,
        at: StageDesign,
        successes: Array,
        trials: Array,
        *,
        is_share: bool = True,
    ) -> _Model:
        score = at.columns @ coefficients
        told = discrimination(score, successes, trials) if is_share else None
        return cls(name, coefficients, float(trials.sum()), told)


@dataclass(frozen=True)
class StageFits:
    """A stage's arms by outcome, and the models of its reference, which all arms share."""

    arms: dict[Outcome, list[EffectFits]]
    alone: dict[Outcome, OutcomeModel]
    chances: Overlap  # of the last arm and of the reference


def stage_fits(same: Mapping[Outcome, StageCells], at: StageDesign) -> StageFits:
    """Every arm of a stage against the reference, with what the models tell."""
    alone = {outcome: outcome_model(cells, 0, at.columns, outcome)
             for outcome, cells in same.items()}  # fmt: skip
    arms: dict[Outcome, list[EffectFits]] = {outcome: [] for outcome in same}
    references = {outcome: _outcome("outcome_reference", cells, 0, at, alone[outcome], outcome)
                  for outcome, cells in same.items()}  # fmt: skip
    stage, found = next(iter(same.values())), None
    for arm in range(1, len(stage.arms)):
        found = overlap(stage, arm, at.columns, found)
        shown = (propensity_histogram(stage, arm, found), balance(stage, arm, found))
        chances = (
            _Model.of("chance_treated", found.arm_coefficients, at, stage.cases[:, arm],
                      stage.everyone),
            _Model.of("chance_reference", found.reference_coefficients, at, stage.cases[:, 0],
                      stage.everyone),
        )  # fmt: skip
        for outcome, cells in same.items():
            treated = outcome_model(cells, arm, at.columns, outcome)
            of_arm = _outcome("outcome_treated", cells, arm, at, treated, outcome)
            rows = _influence(cells, arm, at, outcome, found, treated, alone[outcome])
            models = _models(at, (*chances, of_arm, references[outcome]))
            tables = (rows, *shown, *models)
            label = _label(stage, arm)
            arms[outcome].append(EffectFits(*(one.select(*label, pl.all()) for one in tables)))
    if found is None:
        raise ValueError("there is no arm beside the reference")
    return StageFits(arms, alone, found)


def influence_only(stage: StageCells, at: StageDesign, known: StageFits) -> list[pl.DataFrame]:
    """The influence sums of resolved cases by arm: levels of the one arm whose fits are `known`.

    An arm that cannot be estimated is not fitted.
    """
    found, alone = [], known.alone["resolved"]
    chances = level_chances(stage, at.columns, known.chances)
    for arm in range(1, len(stage.arms)):
        sums = raw_sums(stage, arm, "resolved")
        cases, resolved = stage.cases[:, arm].sum(), stage.sums[:, arm].sum()
        reason = _too_few(cases, min(resolved, cases - resolved), alone)
        if reason is None:
            treated = outcome_model(stage, arm, at.columns, "resolved")
            reason = _why_not(treated, alone)
            if reason is None:
                sums |= influence_sums(stage, arm, chances(arm), treated, alone)
        rows = _by_cell(sums, at, "resolved", reason)
        found.append(rows.select(*_label(stage, arm), pl.all()))
    return found


def together(fits: Sequence[EffectFits]) -> EffectFits:
    """The tables of all stages and arms."""
    tables = [field.name for field in fields(EffectFits)]
    return EffectFits(*(pl.concat([getattr(one, name) for one in fits]) for name in tables))


def _label(stage: StageCells, arm: int) -> tuple[pl.Expr, pl.Expr]:
    return pl.lit(stage.stage).alias("stage"), pl.lit(stage.arms[arm]).alias("arm")


def _outcome(
    name: str, stage: StageCells, arm: int, at: StageDesign, model: OutcomeModel, outcome: Outcome
) -> _Model:
    """What is told of an arm's expected outcome."""
    cases, sums = stage.cases[:, arm], stage.sums[:, arm]
    return _Model.of(name, model.coefficients, at, sums, cases, is_share=outcome == "resolved")


def _influence(
    stage: StageCells,
    arm: int,
    at: StageDesign,
    outcome: Outcome,
    found: Overlap,
    treated: OutcomeModel,
    alone: OutcomeModel,
) -> pl.DataFrame:
    """An arm's influence sums by what a page may filter by."""
    reason = _why_not(treated, alone)
    sums = raw_sums(stage, arm, outcome)
    if reason is None:
        sums |= influence_sums(stage, arm, found, treated, alone)
    return _by_cell(sums, at, outcome, reason)


def _why_not(treated: OutcomeModel, alone: OutcomeModel) -> str | None:
    if reason := _too_few(treated.cases, treated.events, alone):
        return reason
    if any(one.cases < CASES_A_COEFFICIENT * one.spent for one in (treated, alone)):
        return "too_few"
    return None


def _too_few(cases: float, events: float, alone: OutcomeModel) -> str | None:
    """Why an arm cannot be estimated, as far as counts tell."""
    if not cases:
        return "no_contacts"
    if not alone.cases:
        return "no_reference"
    return "too_few" if min(events, alone.events) < FEWEST else None


def _by_cell(
    sums: dict[str, Array], at: StageDesign, outcome: Outcome, reason: str | None
) -> pl.DataFrame:
    """The cells' sums by what a page may filter by."""
    nothing = np.zeros(max(at.by.height, 1))
    known = sums if reason is None else PLAIN
    added = {
        name: at.members @ sums[name] if name in known else nothing for name in (*COUNTS, *SUMS)
    }
    counts = {name: np.rint(added[name]).astype(np.int64) for name in COUNTS}
    columns = [pl.Series(name, values) for name, values in (added | counts).items()]
    return pl.DataFrame([*at.by, *columns]).with_columns(
        outcome=pl.lit(outcome), reason=pl.lit(reason, dtype=pl.String)
    )


def _models(at: StageDesign, told: Sequence[_Model]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """How well models tell cases apart, and their coefficients."""
    models = [
        (one.name, round(one.cases), len(one.coefficients), one.discrimination) for one in told
    ]
    coefficients = [
        (one.name, *name, float(value))
        for one in told
        for name, value in zip(at.names, one.coefficients, strict=True)
    ]
    return (
        pl.DataFrame(models, schema=_MODELS, orient="row"),
        pl.DataFrame(coefficients, schema=_COEFFICIENTS, orient="row"),
    )
