"""Do a channel's own doses and days of first contact find what was planted?  With the channels.

Simulated books in which hard cases get more calls and sooner ones, so that the raw differences are
far too low.  Each book is drawn anew; the truth of a level is the mean over the population of
cases of what its calls, on the days on which such cases get them, add to the chance of resolving.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from analytics.channel_amounts import ARMS, fit_channel
from analytics.effect_sums import effects
from analytics.treatment_arms import AMOUNTS, DOSES
from bench.truth import Truth
from bench.truths_channels import CELLS, COVARIATES, HARDNESS, NEAR, SHARES, sigmoid

Array = npt.NDArray[np.float64]
CASES = 5_000
DOES = {"0": 0.0, "1": 0.3, "2-3": 0.6, "4+": 0.7}  # log-odds
SOONER = {"0-1": 0.3, "2-3": 0.15, "4-6": 0.0}
NAMES = {"dose": "calls", "first_day": "first call on days"}


@dataclass(frozen=True)
class Called:
    """Chances of each number and first day of calls, and of resolving, by cell."""

    name: str
    chances: Array  # [cell, arm]
    resolves: Array

    def truth(self, question: str, level: str) -> float:
        """What the level adds to the resolved share of an average case."""
        place = list(AMOUNTS).index(question)
        inside = [arm.split(":")[place] == level for arm in ARMS[1:]]
        chance, resolves = self.chances[:, 1:][:, inside], self.resolves[:, 1:][:, inside]
        mean = (chance * resolves).sum(axis=1) / chance.sum(axis=1)
        return float(SHARES @ (mean - self.resolves[:, 0]))

    def book(self, rng: np.random.Generator) -> pl.DataFrame:
        """One book's landmark cells."""
        arms = rng.multinomial(rng.multinomial(CASES, SHARES), self.chances)
        resolved = rng.binomial(arms, self.resolves)
        cells = {name: np.repeat(CELLS[:, i], len(ARMS)) for i, name in enumerate(COVARIATES)}
        return pl.DataFrame(
            {"stage": "early", **cells, "arm": np.tile(ARMS, len(CELLS)),
             "cases": arms.ravel(), "resolved": resolved.ravel(),
             "cash_cents": 100 * resolved.ravel(), "cash_squares": resolved.ravel() * 1.0}
        ).filter(pl.col("cases") > 0)  # fmt: skip


def called(name: str, does: Mapping[str, float], sooner: Mapping[str, float]) -> Called:
    """Harder cases are called more often, more times and sooner."""
    any_call = sigmoid(0.3 + 1.2 * HARDNESS)
    dose = np.exp(np.outer(HARDNESS, [0.0, 0.8, 1.3]) + np.array([0.0, -0.2, -0.5]))
    day = np.exp(np.outer(HARDNESS, [0.5, 0.2, 0.0]))
    dose, day = (part / part.sum(axis=1, keepdims=True) for part in (dose, day))
    kinds = (dose[:, :, None] * day[:, None, :]).reshape(len(CELLS), -1)
    adds = [does[times] + sooner[first] for times, first in (arm.split(":") for arm in ARMS[1:])]
    score = (-0.2 - 1.4 * HARDNESS)[:, None] + np.array([0.0, *adds])
    chances = np.column_stack([1 - any_call, any_call[:, None] * kinds])
    return Called(name, chances, sigmoid(score))


WORLDS = (
    called("more calls do more, sooner ones too", DOES, SOONER),
    called("neither does anything", dict.fromkeys(DOSES, 0.0), dict.fromkeys(SOONER, 0.0)),
)


def run(world: Called, *, books: int, seed: int) -> pl.DataFrame:
    """Every level's estimate in each of the books, with its `truth`."""
    rng, frames = np.random.default_rng(seed), []
    for _ in range(books):
        fits = fit_channel(world.book(rng), channel="call", covariates=COVARIATES, by=())
        frames += [
            effects(rows).with_columns(question=pl.lit(question))
            for question, rows in fits.amounts.items()
        ]
    truths = [
        (question, level, world.truth(question, level))
        for question, levels in AMOUNTS.items()
        for level in levels[1:]
    ]
    known = pl.DataFrame(truths, schema=["question", "arm", "truth"], orient="row")
    return pl.concat(frames).join(known, on=["question", "arm"], maintain_order="left")


def figures(books: int, seed: int) -> list[Truth]:
    """The figures that a channel's own doses and days must reach, in points of resolved share."""
    rows: list[Truth] = []
    for place, world in enumerate(WORLDS):
        found = run(world, books=books, seed=seed + 1_000 * (20 + place))
        for question, levels in AMOUNTS.items():
            for level in levels[1:]:
                own = found.filter(question=question, arm=level)
                rows += _truths(f"{world.name}: {NAMES[question]} {level}", own)
    return rows


def _truths(name: str, rows: pl.DataFrame) -> list[Truth]:
    given = rows.drop_nulls("effect")
    truth, effect, raw, low, high = (
        given[part].to_numpy() for part in ("truth", "effect", "raw", "low", "high")
    )
    real, error = float(truth[0]), float(effect.std(ddof=1) / np.sqrt(len(effect)))
    is_nothing = abs(real) < 1e-9
    inside = float(((low <= truth) & (truth <= high)).mean())
    wrong = "" if is_nothing else f", wrong sign in {(raw < 0).mean():.0%}"
    return [
        Truth("channels", f"{name}, raw difference", f"{100 * raw.mean():+.2f}{wrong}", "", True),
        Truth("channels", "  adjusted", f"{100 * effect.mean():+.2f} (standard error"
              f" {100 * error:.2f})", "0 within noise" if is_nothing else f"{100 * real:+.2f}",
              not is_nothing or abs(float(effect.mean())) <= NEAR * error),
        Truth("channels", "  intervals that hold the truth",
              f"{inside:.1%} ({rows.height - given.height} without estimate)", "92 to 98 %",
              0.92 <= inside <= 0.98),
    ]  # fmt: skip
