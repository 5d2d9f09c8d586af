"""Does the simulator say how sure it is, rightly?  On books whose process is known.

`python -m bench.truths simulator`.  Books are made loan by loan (`bench.simulated_books`): 24
months known, 12 to come; 8,000 loans; a common shock of differing spread and persistence.  *Fan*:
the baseline projected against what came.  *Planted change*: a strategy from month 25, what the
simulator is told of its effects drawn around the truth; the same book without it, loan by loan with
the same luck; benefit net of costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle, islice
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from analytics.backtest import MEASURES, do_nothing
from analytics.simulation import Effects, Plan, Simulation, simulate
from analytics.simulation_answers import tails
from analytics.simulation_draws import Draws, posterior
from bench.simulated_books import Array, History, as_known, lived, process
from bench.truth import Truth

BEFORE, AFTER, LOANS, SEGMENTS, DRAWS = 24, 12, 8_000, 4, 1_000
VOLATILITIES = (
    (0.0, 0.0),
    (0.1, 0.3),
    (0.1, 0.9),
    (0.25, 0.3),
    (0.25, 0.8),
    (0.4, 0.5),
    (0.4, 0.9),
)
FAN, PLANTED = (0.72, 0.88), (0.70, 0.90)
LOW, HIGH = tails(0.8)
RATE, USUAL_COST, MORE_COST = 0.08, 0.002, 0.003
MIDDLE, BETWEEN = np.array([0.30, 0.25, 0.20]), 0.10  # true effects by stage, across books
ERROR, SMALL_ERROR = 0.10, 0.03  # of their estimates


class Fan(NamedTuple):
    """Whether each month's interval holds what came [measure, month], three ways."""

    full: npt.NDArray[np.bool_]
    shares_only: npt.NDArray[np.bool_]
    months_again: npt.NDArray[np.bool_]


def fan(seed: Sequence[int], volatility: tuple[float, float]) -> Fan:
    """One book: its own course projected, with the shocks, without any, and with months redrawn."""
    spread, persistence = volatility
    rng = np.random.default_rng([*seed, 1])
    truth = process(rng, loans=LOANS, spread=spread, persistence=persistence, segments=SEGMENTS)
    history = lived(truth, [*seed, 2], before=BEFORE, after=AFTER)
    draws = posterior(as_known(history, BEFORE), draws=DRAWS, seed=seed[-1], horizon=AFTER)
    plain = np.ones_like(draws.shock)
    again = plain.copy()
    level = draws.shocks.level[-12:]
    picked = rng.choice(level, (*again.shape[:2], 1, again.shape[3]))
    again[:, :, :6] = np.exp(picked)
    ways = (draws, replace(draws, shock=plain), replace(draws, shock=again))
    return Fan(*(_inside(_own_course(way), history) for way in ways))


def _own_course(draws: Draws) -> Simulation:
    nothing = do_nothing(SEGMENTS, AFTER)
    return simulate(draws, np.zeros((draws.n, 1), np.float32), [nothing])


def _inside(sim: Simulation, history: History) -> npt.NDArray[np.bool_]:
    found = []
    for measure in MEASURES:
        low, high = np.quantile(getattr(sim, measure)[:, 0], [LOW, HIGH], axis=0)
        actual = getattr(history, measure)[BEFORE:]
        found.append((low <= actual) & (actual <= high))
    return np.array(found)


class Planted(NamedTuple):
    """Whether the interval holds the realised benefit, with the book's luck and without it."""

    inside: bool
    without_luck: bool
    error: float  # realised less forecast, over the forecast's standard deviation


def planted(
    seed: Sequence[int], volatility: tuple[float, float], *, error: float = ERROR
) -> Planted:
    """One book twice, alike but for the strategy: was its benefit within what was said before?"""
    spread, persistence = volatility
    rng = np.random.default_rng([*seed, 3])
    truth = process(rng, loans=LOANS, spread=spread, persistence=persistence, segments=SEGMENTS)
    true = MIDDLE + rng.normal(0, BETWEEN, 3)
    told = Effects(
        ("early", "middle", "late"),
        true + rng.normal(0, error, 3),
        np.full(3, error),
        ("estimated",) * 3,
    )
    plans = two_plans()
    odds = (plans[1].x @ true).astype(float)
    without = lived(truth, [*seed, 4], before=BEFORE, after=AFTER)
    after = lived(truth, [*seed, 4], before=BEFORE, after=AFTER, log_odds=odds)
    draws = posterior(as_known(without, BEFORE), draws=DRAWS, seed=seed[-1], horizon=AFTER)
    sim = simulate(draws, told.draws(DRAWS, seed[-1]), plans, discount_rate=RATE)
    real = _net(after, plans[1], sim.discount) - _net(without, plans[0], sim.discount)
    plain = replace(sim, luck=np.zeros_like(sim.luck))
    said = sim.benefit[1]
    miss = float((real - said.mean()) / said.std())
    return Planted(_holds(said, real), _holds(plain.benefit[1], real), miss)


def two_plans() -> tuple[Plan, Plan]:
    """Nothing new, and an effect in each stage of lateness that costs half as much again."""
    x = np.zeros((SEGMENTS, 4, 3), np.float32)
    x[:, 1, 0] = x[:, 2, 1] = x[:, 3, 2] = 1
    meters = np.zeros((SEGMENTS, 6, 4), np.float32)
    meters[:, 1:, 0] = USUAL_COST
    fixed, commission = np.zeros((AFTER, 0)), np.zeros((SEGMENTS, 6), np.float32)
    baseline = Plan("baseline", np.zeros_like(x), meters, commission, fixed, ())
    more = meters * np.float32(MORE_COST / USUAL_COST)
    return baseline, Plan("more", x, more, commission, fixed, ())


def _net(history: History, plan: Plan, discount: Array) -> float:
    there = history.opening[BEFORE:].sum(axis=-1)
    cost = (there * plan.meters[None, :, :, 0]).sum(axis=(1, 2))
    return float((history.cash[BEFORE:] - cost) @ discount)


def _holds(draws: Array, value: float) -> bool:
    low, high = np.quantile(draws, [LOW, HIGH])
    return bool(low <= value <= high)


def figures(books: int, seed: int) -> list[Truth]:
    """The figures that the simulator must reach."""
    rows = [*_fans(books, seed), *_changes(books, seed)]
    return [Truth("simulator", *row) for row in rows]


Row = tuple[str, str, str, bool]


def _volatilities(books: int) -> list[tuple[float, float]]:
    return list(islice(cycle(VOLATILITIES), books))


def _fans(books: int, seed: int) -> list[Row]:
    kinds = _volatilities(books)
    found = [fan([seed, 11, book], kind) for book, kind in enumerate(kinds)]
    full = np.array([one.full for one in found])  # [book, measure, month]
    rows: list[Row] = []
    for place, measure in enumerate(MEASURES):
        ahead = full[:, place].mean(axis=0)
        error = full[:, place].mean(axis=1).std() / np.sqrt(books)
        share = float(ahead.mean())
        rows.append(
            (
                f"80 % fan of {measure.replace('_', ' ')}, months 1 to {AFTER}",
                f"{share:.1%} (standard error {error:.1%};"
                f" months 1, 6, 12: {ahead[0]:.0%}, {ahead[5]:.0%}, {ahead[-1]:.0%})",
                f"{FAN[0]:.0%} to {FAN[1]:.0%}",
                FAN[0] <= share <= FAN[1],
            )
        )
    late = MEASURES.index("late_balance")
    for kind in VOLATILITIES[:books]:
        own = np.array([one == kind for one in kinds])
        text = f"  late balance where shocks spread {kind[0]}, persistence {kind[1]}"
        rows.append((text, f"{full[own, late].mean():.0%}", "", True))
    shaky = np.array([spread >= 0.25 for spread, _ in kinds])
    if shaky.any():
        for name, text in (
            ("shares_only", "shares drawn (Dirichlet) without a shock"),
            ("months_again", "months drawn again"),
        ):
            parts = [
                getattr(one, name)[late]
                for one, is_shaky in zip(found, shaky, strict=True)
                if is_shaky
            ]
            rows.append(
                (f"  spread 0.25 or more, by {text} alone", f"{np.mean(parts):.0%}", "", True)
            )
    return rows


def _changes(books: int, seed: int) -> list[Row]:
    kinds = _volatilities(books)
    rows: list[Row] = []
    for error in (ERROR, SMALL_ERROR):
        found = [planted([seed, 12, book], kind, error=error) for book, kind in enumerate(kinds)]
        share = float(np.mean([one.inside for one in found]))
        misses = np.array([one.error for one in found])
        bare = float(np.mean([one.without_luck for one in found]))
        rows.append(
            (
                f"realised benefits within the 80 % said before, effects known to {error}",
                f"{share:.1%} (standard error {np.sqrt(share * (1 - share) / books):.1%};"
                f" error {misses.mean():+.2f} sd on average, spread {misses.std():.2f};"
                f" without luck of a finite book {bare:.0%})",
                f"{PLANTED[0]:.0%} to {PLANTED[1]:.0%}",
                PLANTED[0] <= share <= PLANTED[1],
            )
        )
    return rows
