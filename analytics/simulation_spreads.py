"""Draws as a mean and an interval, and as rows of a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from analytics.intervals import Array
from analytics.simulation_result import Simulation

Floating = npt.NDArray[np.floating]
CONFIDENCE = 0.8


def tails(confidence: float) -> tuple[float, float]:
    """The two quantiles of an interval.

    >>> [round(tail, 2) for tail in tails(0.8)]
    [0.1, 0.9]
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, not {confidence}")
    return (1 - confidence) / 2, (1 + confidence) / 2


def spread_of(values: Floating, confidence: float) -> dict[str, Array]:
    """Mean, low and high ends and middle of draws, which lie along the last axis."""
    low, high = tails(confidence)
    ends = np.quantile(values, [low, 0.5, high], axis=-1)
    mean = values.mean(axis=-1, dtype=np.float64)
    return {"mean": mean, "low": ends[0], "middle": ends[1], "high": ends[2]}


def rows_of(
    sim: Simulation, values: Floating, name: str, names: Sequence[object], confidence: float
) -> pl.DataFrame:
    """Draws [plan, name, draw] as rows."""
    found = spread_of(values, confidence)
    keys = {
        "plan": np.repeat(np.array(sim.names, dtype=object), len(names)).tolist(),
        name: list(names) * len(sim.names),
    }
    return pl.DataFrame({**keys, **{one: part.ravel() for one, part in found.items()}})
