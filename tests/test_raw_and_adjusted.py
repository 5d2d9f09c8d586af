"""Where a raw comparison misleads, and what comes of cases left alone."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from analytics.channel_effects import fit_effects
from analytics.raw_and_adjusted import VERDICTS, left_alone, raw_and_adjusted
from analytics.treatment_arms import DOSES

COLUMNS = ("raw", "raw_low", "raw_high", "effect", "low", "high")


@pytest.mark.parametrize(
    ("verdict", "values"),
    [
        ("opposite", (-0.20, -0.22, -0.18, 0.12, 0.10, 0.14)),
        ("opposite", (0.05, 0.01, 0.09, -0.05, -0.09, -0.01)),
        ("hidden", (-0.01, -0.04, 0.02, 0.12, 0.10, 0.14)),
        ("spurious", (0.17, 0.15, 0.19, 0.01, -0.01, 0.03)),
        ("other_size", (0.20, 0.18, 0.22, 0.10, 0.08, 0.12)),
        ("alike", (0.10, 0.06, 0.14, 0.12, 0.08, 0.16)),
        ("alike", (0.20, 0.18, 0.22, 0.10, 0.01, 0.21)),  # one interval holds the other's estimate
        ("alike", (-0.01, -0.04, 0.02, 0.01, -0.02, 0.04)),  # neither is news
        (None, (0.10, 0.06, 0.14, None, None, None)),
        (None, (None, None, None, 0.12, 0.08, 0.16)),
    ],
)
def test_a_verdict_for_each_way_that_raw_and_adjusted_can_lie(
    verdict: str | None, values: tuple[float | None, ...]
) -> None:
    schema = dict.fromkeys(COLUMNS, pl.Float64)
    found = raw_and_adjusted(pl.DataFrame([values], schema=schema, orient="row"))
    assert found["verdict"][0] == verdict
    assert verdict is None or verdict in VERDICTS
    if values[0] is not None and values[3] is not None:
        assert found["apart"][0] == pytest.approx(abs(values[0] - values[3]))


def influence(seed: int, *, cases: int = 8000, least: float = 0.0) -> tuple[pl.DataFrame, float]:
    """Landmark cells in which hard cases get more attempts, and the share that heals alone."""
    rng = np.random.default_rng(seed)
    hard = rng.integers(0, 4, cases)
    weights = np.exp(np.outer(hard - 1.5, [0.0, 0.3, 0.6, 0.9]))
    if least:
        weights[:, 0] *= least
    chance = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
    dose = (rng.random(cases)[:, None] > chance).sum(axis=1)
    alone = 1 / (1 + np.exp(-(0.2 - 0.7 * (hard - 1.5))))
    resolved = rng.random(cases) < np.minimum(alone + 0.05 * dose, 1)
    rows = pl.DataFrame({"hard": hard, "dose": dose, "resolved": resolved.astype(int)})
    cells = rows.group_by("hard", "dose").agg(cases=pl.len(), resolved=pl.col("resolved").sum())
    fits = fit_effects(
        cells.with_columns(
            pl.lit("early").alias("stage"),
            arm=pl.col("dose").replace_strict(range(4), DOSES, return_dtype=pl.String),
        ),
        arms=DOSES,
        reference="0",
        covariates=["hard"],
        by=(),
    )
    return fits.influence, float(alone.mean())


def test_the_share_that_heals_alone_is_found_though_the_easy_are_left_alone() -> None:
    found, misses = [], 0
    for seed in range(40):
        sums, truth = influence(seed)
        row = left_alone(sums).row(0, named=True)
        found.append(row["alone"] - truth)
        misses += not row["low"] <= truth <= row["high"]
    assert abs(np.mean(found)) < 0.01
    assert misses <= 6  # 95 % intervals of 40 books: more would be one chance in two hundred


def test_a_stage_with_hardly_anybody_left_alone_has_no_row() -> None:
    assert left_alone(influence(1, cases=300, least=0.01)[0]).is_empty()
    assert left_alone(influence(1)[0].clear()).is_empty()
