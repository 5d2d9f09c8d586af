"""Landmark cells as arrays of cell x arm: what every channel estimate starts from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import polars as pl

from analytics.grouped_models import levels
from analytics.intervals import Array

Outcome = Literal["resolved", "cash"]
WITHOUT = "without"
CASH = ("cash_cents", "cash_squares")
DOSES = ("0", "1", "2-3", "4+")  # attempts by the landmark; "0" is the reference
FIRST_CONTACT_DAYS = ("none", "0-1", "2-3", "4-6")  # of the first attempt; "none": the reference


@dataclass(frozen=True)
class StageCells:
    """A stage's landmark cases: a row of `cells` per combination of covariates.

    Arrays are [cell, arm], the reference first: cases, and the sum and the sum of squares of
    their outcome (1 and 0, or currency).
    """

    stage: str
    cells: pl.DataFrame
    arms: tuple[str, ...]
    cases: Array
    sums: Array
    squares: Array

    @cached_property
    def levels(self) -> dict[str, tuple[list[str], np.ndarray]]:
        """Each covariate's levels, and the place of each cell's among them."""
        return {name: levels(self.cells[name]) for name in self.cells.columns}


def stage_cells(
    landmark: pl.DataFrame,
    *,
    arms: Sequence[str],
    reference: str,
    covariates: Sequence[str],
    outcome: Outcome,
) -> Iterator[StageCells]:
    """The cells of each stage, checked; arms that no case has are empty, not absent."""
    parts = ["cases", "resolved"] if outcome == "resolved" else ["cases", *CASH]
    _check(landmark, arms, reference, covariates, parts)
    ordered = (reference, *(arm for arm in arms if arm != reference))
    summed = landmark.group_by("stage", *covariates, "arm", maintain_order=True).agg(
        pl.col(parts).sum().cast(pl.Float64)
    )
    _check_outcomes(summed, outcome)
    for (stage,), rows in sorted(summed.group_by(["stage"]), key=lambda part: str(part[0][0])):
        cells = rows.select(covariates).unique(maintain_order=True).with_row_index("_cell")
        place = rows.join(cells, on=covariates, how="left", nulls_equal=True, maintain_order="left")
        column = rows["arm"].replace_strict(ordered, range(len(ordered))).to_numpy()
        shape = (cells.height, len(ordered))
        columns = [rows[name].to_numpy() for name in parts]
        if outcome == "resolved":
            columns.append(columns[1])
        else:
            columns[1] = columns[1] / 100.0
        arrays = [np.zeros(shape) for _ in columns]
        for array, values in zip(arrays, columns, strict=True):
            array[place["_cell"].to_numpy(), column] = values
        yield StageCells(str(stage), cells.drop("_cell"), ordered, *arrays)


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


def _check_outcomes(summed: pl.DataFrame, outcome: Outcome) -> None:
    if outcome == "resolved":
        if not summed["resolved"].is_between(0, summed["cases"]).all():
            raise ValueError("resolved cases must lie between none and all of a cell's cases")
        return
    least = summed["cash_cents"] ** 2 / 1e4  # sum^2 <= n x sum of squares
    if (least > summed["cases"] * summed["cash_squares"] * (1 + 1e-9) + 1e-6).any():
        raise ValueError("cash_squares are too small for cash_cents: check their units")
