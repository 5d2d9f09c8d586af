"""Do the channel estimates find what was planted? `python -m bench.truths channels`.

Small simulated books in which hard cases are the ones that get called, so that the raw
difference mostly has the wrong sign.  Each book is drawn anew: its cases, who is called, who
resolves.  The truth is the mean over the population of cases, known exactly.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from analytics.channel_effects import fit_effects
from analytics.effect_sums import effects
from analytics.treatment_arms import DOSES
from bench.truth import Truth

Array = npt.NDArray[np.float64]
NEAR = 3  # standard errors within which an estimate of nothing is nothing
COVARIATES = ("product", "region", "grade", "bucket")
LEVELS = (3, 4, 5, 2)
CELLS = np.array(list(itertools.product(*map(range, LEVELS))))
SHARES = np.prod(
    [np.array(shares)[CELLS[:, place]] for place, shares in enumerate(
        ((0.5, 0.3, 0.2), (0.4, 0.3, 0.2, 0.1), (0.15, 0.25, 0.3, 0.2, 0.1), (0.6, 0.4))
    )],
    axis=0,
)  # fmt: skip
HARDNESS = (
    np.array([-0.2, 0.0, 0.4])[CELLS[:, 0]]
    + np.array([-0.3, 0.0, 0.2, 0.4])[CELLS[:, 1]]
    + np.array([-0.9, -0.4, 0.0, 0.5, 0.9])[CELLS[:, 2]]
    + np.array([-0.3, 0.4])[CELLS[:, 3]]
)
TWISTED = np.where((CELLS[:, 2] >= 3) == (CELLS[:, 3] == 1), 0.4, -0.4)  # grade with bucket


def sigmoid(score: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-score))


@dataclass(frozen=True)
class World:
    """How likely each arm is by cell, and how likely a case of each arm is to resolve."""

    name: str
    arms: tuple[str, ...]  # the reference first
    chances: Array  # [cell, arm]
    resolves: Array
    cases: int = 2_000

    @property
    def truths(self) -> Array:
        """What each arm adds to the resolved share of an average case."""
        return SHARES @ (self.resolves[:, 1:] - self.resolves[:, :1])

    def book(self, rng: np.random.Generator) -> pl.DataFrame:
        """One book's landmark cells."""
        cases = rng.multinomial(self.cases, SHARES)
        arms = rng.multinomial(cases, self.chances)
        resolved = rng.binomial(arms, self.resolves)
        count = len(self.arms)
        cells = {name: np.repeat(CELLS[:, i], count) for i, name in enumerate(COVARIATES)}
        return pl.DataFrame(
            {"stage": "31-90", **cells, "arm": np.tile(self.arms, len(CELLS)),
             "cases": arms.ravel(), "resolved": resolved.ravel()}
        ).filter(pl.col("cases") > 0)  # fmt: skip


def called(
    name: str,
    effect: float,
    chance: Callable[[Array], Array] = sigmoid,
    twist: float = 0.0,
    slope: float = 1.4,
    cases: int = 2_000,
) -> World:
    """A book in which the chance of a call grows with hardness; `effect` in log-odds."""
    treated = chance(-0.2 + slope * HARDNESS)
    score = -0.2 - 1.1 * HARDNESS + twist * TWISTED
    resolves = np.column_stack([sigmoid(score), sigmoid(score + effect)])
    chances = np.column_stack([1 - treated, treated])
    return World(name, ("without", "call"), chances, resolves, cases)


def dosed(name: str, effects: Sequence[float]) -> World:
    """A book in which harder cases get more attempts."""
    steps = np.array([0.0, 0.3, 0.1, -0.5]) + np.outer(HARDNESS, [0.0, 0.4, 0.8, 1.2])
    weights = np.exp(steps)
    score = (-0.2 - 1.1 * HARDNESS)[:, None] + np.array([0.0, *effects])
    return World(name, DOSES, weights / weights.sum(axis=1, keepdims=True), sigmoid(score), 4_000)


WORLDS = (
    called("a real effect", 0.55),
    called("no effect", 0.0),
    called("real effect, few cases", 0.55, cases=600),
    called("chances not logistic", 0.55, chance=lambda s: 0.04 + 0.92 * sigmoid(2 * s)),
    called("outcome model wrong", 0.55, twist=1.0),
    called("outcome model wrong, no effect", 0.0, twist=1.0),
    dosed("doses 1, 2-3, 4+", (0.2, 0.4, 0.5)),
)


@dataclass(frozen=True)
class Found:
    """What the books of a world showed of one arm."""

    world: str
    arm: str
    truth: float
    books: int
    refused: int
    raw: float
    wrong_sign: float  # share of books whose raw difference has not the truth's sign
    estimate: float
    noise: float  # standard error of the mean estimate
    stratified: float
    coverage: float
    width: float


def run(world: World, *, books: int, seed: int) -> list[Found]:
    """Estimate in every book, and hold it against the truth."""
    rng = np.random.default_rng(seed)
    frames = []
    for _ in range(books):
        fits = fit_effects(
            world.book(rng),
            arms=world.arms,
            reference=world.arms[0],
            covariates=COVARIATES,
            by=(),
        )
        frames.append(effects(fits.influence))
    every = pl.concat(frames)
    return [
        _found(world, every.filter(pl.col("arm") == arm), arm, float(truth))
        for arm, truth in zip(world.arms[1:], world.truths, strict=True)
    ]


def _found(world: World, rows: pl.DataFrame, arm: str, truth: float) -> Found:
    given = rows.drop_nulls("effect")
    effect, low, high, raw = (given[name].to_numpy() for name in ("effect", "low", "high", "raw"))
    return Found(
        world=world.name,
        arm=arm,
        truth=truth,
        books=rows.height,
        refused=rows.height - given.height,
        raw=float(raw.mean()),
        wrong_sign=float((raw < 0).mean()) if truth > 0 else float("nan"),
        estimate=float(effect.mean()),
        noise=float(effect.std(ddof=1) / np.sqrt(len(effect))),
        stratified=float(given["stratified"].to_numpy().mean()),
        coverage=float(((low <= truth) & (truth <= high)).mean()),
        width=float((high - low).mean()),
    )


def figures(books: int, seed: int) -> list[Truth]:
    """The figures that the channels' effects must reach, in points of resolved share."""
    rows = [
        row
        for place, world in enumerate(WORLDS)
        for row in run(world, books=books, seed=seed + 1_000 * place)
    ]
    return [truth for row in rows for truth in _truths(row)]


def _truths(row: Found) -> list[Truth]:
    name = f"{row.world}: {row.arm}"
    near = abs(row.estimate - row.truth) <= NEAR * row.noise
    bias = (
        f"{100 * row.estimate:+.2f} (standard error {100 * row.noise:.2f}; Mantel-Haenszel"
        f" {100 * row.stratified:+.2f})"
    )
    asked = f"{100 * row.truth:+.2f}" + (" within noise" if row.truth == 0 else "")
    wrong = "" if np.isnan(row.wrong_sign) else f", wrong sign in {row.wrong_sign:.0%}"
    width = f"{row.coverage:.1%} (width {100 * row.width:.1f}; {row.refused} without estimate)"
    return [
        Truth("channels", f"{name}, raw difference", f"{100 * row.raw:+.2f}{wrong}", "", True),
        Truth("channels", "  adjusted", bias, asked, near or row.truth != 0),
        Truth(
            "channels", "  intervals that hold the truth", width, "92 to 98 %",
            0.92 <= row.coverage <= 0.98,
        ),
    ]  # fmt: skip
