"""Landmark cells as arrays of cell x arm: what every channel estimate starts from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import polars as pl

from analytics.grouped_models import levels
from analytics.intervals import Array

Outcome = Literal["resolved", "cash"]
WITHOUT = "without"
PARTS: dict[Outcome, tuple[str, ...]] = {
    "resolved": ("resolved",),
    "cash": ("cash_cents", "cash_squares"),
}
LARGEST_CODE = 1 << 40
DOSES = ("0", "1", "2-3", "4+")  # attempts by the landmark; "0" is the reference
FIRST_CONTACT_DAYS = ("none", "0-1", "2-3", "4-6")  # of the first attempt; "none": the reference
AMOUNTS = {"dose": DOSES, "first_day": FIRST_CONTACT_DAYS}


def attempts_text(attempts: Mapping[str, tuple[str, str]]) -> str:
    """What was attempted on a case, by channel: how many times, and the day of the first.

    >>> attempts_text({"sms": ("1", "4-6"), "call": ("2-3", "0-1")})
    'call:2-3:0-1 sms:1:4-6'
    """
    return " ".join(f"{name}:{dose}:{day}" for name, (dose, day) in sorted(attempts.items()))


@dataclass(frozen=True)
class StageCells:
    """A stage's landmark cases: a row of `cells` per combination of covariates.

    Arrays are [cell, arm], the reference first: cases, and the sum and the sum of squares of
    their outcome (1 and 0, or currency).  `levels`: each covariate's levels, and the place of
    each cell's among them.
    """

    stage: str
    cells: pl.DataFrame
    arms: tuple[str, ...]
    levels: dict[str, tuple[list[str], np.ndarray]]
    cases: Array
    sums: Array
    squares: Array

    @cached_property
    def everyone(self) -> Array:
        """Each cell's cases of all arms."""
        return np.asarray(self.cases.sum(axis=1))


def stage_cells(
    landmark: pl.DataFrame,
    *,
    arms: Sequence[str],
    reference: str,
    covariates: Sequence[str],
    outcomes: Sequence[Outcome],
) -> Iterator[dict[Outcome, StageCells]]:
    """The cells of each stage by outcome, checked; arms that no case has are empty, not absent."""
    parts = list(dict.fromkeys(["cases", *(name for each in outcomes for name in PARTS[each])]))
    _check(landmark, arms, reference, covariates, parts)
    ordered = (reference, *(arm for arm in arms if arm != reference))
    for (stage,), rows in sorted(landmark.group_by(["stage"]), key=lambda part: str(part[0][0])):
        known = {name: levels(rows[name]) for name in covariates}
        first, cell = _numbered(known, rows)
        column = rows["arm"].replace_strict(ordered, range(len(ordered))).to_numpy()
        shape = len(first), len(ordered)
        place = cell * shape[1] + column
        summed = {name: _summed(place, rows[name], shape) for name in parts}
        _check_outcomes(summed, outcomes)
        cells = rows.select(covariates)[first]
        placed = {name: (texts, where[first]) for name, (texts, where) in known.items()}
        yield {
            outcome: StageCells(
                str(stage), cells, ordered, placed, summed["cases"], *_of(outcome, summed)
            )
            for outcome in outcomes
        }


def regrouped(stage: StageCells, arms: Sequence[str], of: Sequence[int]) -> StageCells:
    """The same cells with arms taken together: `of` says which of `arms` each of theirs joins."""
    joins = np.eye(len(arms))[list(of)]
    cases, sums, squares = (
        np.asfortranarray(part @ joins) for part in (stage.cases, stage.sums, stage.squares)
    )
    return replace(stage, arms=tuple(arms), cases=cases, sums=sums, squares=squares)


def _summed(place: np.ndarray, values: pl.Series, shape: tuple[int, int]) -> Array:
    total = np.bincount(place, values.to_numpy(), shape[0] * shape[1])
    return total.reshape(shape).astype(np.float64)


def _of(outcome: Outcome, summed: dict[str, Array]) -> tuple[Array, Array]:
    """Sum and sum of squares of an outcome."""
    if outcome == "resolved":
        return summed["resolved"], summed["resolved"]
    return summed["cash_cents"] / 100.0, summed["cash_squares"]


def _numbered(
    known: dict[str, tuple[list[str], np.ndarray]], rows: pl.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """A row of each different cell, and the cell's number of every row.

    What is not recorded is a cell of its own beside a level that has its name.
    """
    code = np.zeros(rows.height, dtype=np.int64)
    for name, (texts, place) in known.items():
        code = code * len(texts) + place
        if rows[name].null_count():
            code = code * 2 + rows[name].is_null().to_numpy()
        if code.max(initial=0) > LARGEST_CODE:  # many covariates: what is there is not that many
            code = np.unique(code, return_inverse=True)[1]
    _, first, cell = np.unique(code, return_index=True, return_inverse=True)
    return first, cell


def _check(
    landmark: pl.DataFrame,
    arms: Sequence[str],
    reference: str,
    covariates: Sequence[str],
    parts: Sequence[str],
) -> None:
    missing = {"stage", "arm", *covariates, *parts} - set(landmark.columns)
    if missing:
        raise ValueError(f"the landmark cells lack {', '.join(sorted(missing))}")
    if not covariates:
        raise ValueError("without covariates there is nothing to adjust for")
    if reference not in arms or len(set(arms)) < 2 or len(set(arms)) < len(arms):
        raise ValueError(f"arms must be the reference {reference!r} and others, each once")
    unknown = set(landmark["arm"].unique()) - set(arms)
    if unknown:
        raise ValueError(f"unknown arm: {', '.join(sorted(map(str, unknown)))}")
    for name in ("stage", *parts):
        if landmark[name].null_count():
            raise ValueError(f"{name} is missing in some cells")
    if (landmark["cases"] < 0).any():
        raise ValueError("a number of cases is negative")


def _check_outcomes(summed: dict[str, Array], outcomes: Sequence[Outcome]) -> None:
    cases = summed["cases"]
    if "resolved" in outcomes and not (
        (summed["resolved"] >= 0).all() and (summed["resolved"] <= cases).all()
    ):
        raise ValueError("resolved cases must lie between none and all of a cell's cases")
    if "cash" in outcomes:
        least = summed["cash_cents"] ** 2 / 1e4  # sum^2 <= n x sum of squares
        if (least > cases * summed["cash_squares"] * (1 + 1e-9) + 1e-6).any():
            raise ValueError("cash_squares are too small for cash_cents: check their units")
