"""Small books of collectors and cases, planted and counted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

EASE = np.array([0.8, 0.0, -0.8])
PRODUCT = np.array([0.3, -0.3])


def resolved_book(
    seed: int | Sequence[int], effects: np.ndarray, cases: int, *, steering: float = 0.0
) -> pl.DataFrame:
    """Single cases of collectors with given effects; steering gives the better ones hard cases."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(effects.size), cases)
    tilt = np.exp(-steering * (effects / max(effects.std(), 1e-9))[:, None] * EASE)
    odds = tilt / tilt.sum(axis=1, keepdims=True)
    bucket = (rng.random(who.size)[:, None] > np.cumsum(odds, axis=1)[who]).sum(axis=1)
    bucket, product = np.minimum(bucket, 2), rng.integers(0, 2, who.size)
    chance = 1 / (1 + np.exp(-(-0.5 + effects[who] + EASE[bucket] + PRODUCT[product])))
    return pl.DataFrame(
        {
            "who": [f"C{number:02}" for number in who],
            "bucket": pl.Series(bucket).cast(pl.String),
            "product": pl.Series(product).cast(pl.String),
            "cases": 1,
            "resolved": (rng.random(who.size) < chance).astype(int),
        }
    )


def money_book(seed: int, effects: np.ndarray, cases: int) -> pl.DataFrame:
    """Single cases with placed amounts and cash, heavy-tailed; cash is proportional to placed."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(effects.size), cases)
    bucket = rng.integers(0, 3, who.size)
    placed = rng.lognormal(6, 0.8, who.size).round(2)
    mean = placed * np.exp(-1.2 + effects[who] + EASE[bucket] / 2)
    cash = (mean * rng.gamma(0.8, 1 / 0.8, who.size)).round(2)
    return money_cells([f"C{number:02}" for number in who], bucket, placed, cash)


def money_cells(
    who: Sequence[str], bucket: Sequence[int], placed: np.ndarray, cash: np.ndarray
) -> pl.DataFrame:
    """Single cases as cells of one case."""
    placed, cash = np.asarray(placed, float), np.asarray(cash, float)
    frame = {"who": list(who), "bucket": pl.Series(bucket).cast(pl.String), "cases": 1}
    frame |= {"placed_cents": (placed * 100).round().astype(int), "placed_squares": placed**2}
    for name, paid in (("cash", cash), ("clipped", np.minimum(cash, placed))):
        frame[f"{name}_cents"] = (paid * 100).round().astype(int)
        frame[f"{name}_squares"] = paid**2
        frame[f"{name}_placed"] = paid * placed
    return pl.DataFrame(frame)


def grouped(cases: pl.DataFrame) -> pl.DataFrame:
    """The same book as cells."""
    keys = [name for name in ("who", "bucket", "product") if name in cases.columns]
    return cases.group_by(keys, maintain_order=True).agg(pl.all().sum())
