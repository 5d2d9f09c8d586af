"""How long the simulator takes, warm, with the book's draws kept; and how much memory.

Run as a program (`python -m bench.simulator_time`), it makes a book of 60 segments and simulates
five strategies for twelve months: so memory is its own.  The peers are numpy as one would write
it first, on the same draws and in the same run: a block of draws at once, and one after the other.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from analytics.simulation import Effects, Plan, Simulation, simulate, warm
from analytics.simulation_draws import posterior
from bench.book import Place
from bench.figures import Figure
from bench.plain_simulator import blocked, looped
from bench.processes import GIB, python
from bench.simulated_books import as_known, lived, process

SEGMENTS, MONTHS, PLANS, EFFECTS = 60, 12, 5, 12
DRAWS, FIRST = 10_000, 1_000
LOOPED = 20  # draws that the plain loop is measured on
QUANTILES = [0.1, 0.5, 0.9]
FULL_MS, FIRST_MS, MEMORY_GIB, AGREE = 350.0, 20.0, 1.0, 1e-6


@dataclass
class Took:
    """What was measured: milliseconds of wall and of processor time, seconds, bytes, a share."""

    warm_seconds: float
    posterior_seconds: float
    full: float
    full_cpu: float
    first: float
    first_cpu: float
    blocked: float
    looped: float
    differs: float
    draws_bytes: int
    peak_bytes: int


def figures(place: Place) -> list[Figure]:
    """Speed, memory and agreement, measured in a process of its own."""
    log = place.folder / "simulator.log"
    used = python("-m", "bench.simulator_time", environment={}, log=log)
    told = Took(**json.loads(log.read_text().splitlines()[-1]))
    size = f"{DRAWS:,} draws, {MONTHS} months, {SEGMENTS} segments, 9 states, {PLANS} strategies"
    many = f"{told.blocked / told.full:.0f} times as long, in single precision"
    one_by_one = f"{told.looped / told.full:,.0f} times; {LOOPED} draws measured, and scaled"
    kept = f"draws kept {told.draws_bytes / GIB:.2f} GiB; whole run {used.peak_bytes / GIB:.2f} GiB"
    return [
        Figure(
            "simulator",
            "all strategies, with quantiles",
            told.full,
            "ms",
            FULL_MS,
            note=f"{size}; CPU {told.full_cpu:.0f} ms",
        ),
        Figure(
            "simulator",
            f"one strategy, {FIRST:,} draws",
            told.first,
            "ms",
            FIRST_MS,
            note=f"CPU {told.first_cpu:.1f} ms",
        ),
        Figure("simulator", "peak memory", told.peak_bytes / GIB, "GiB", MEMORY_GIB, note=kept),
        Figure(
            "simulator", "draws of a new book", told.posterior_seconds, "s", note="once a filter"
        ),
        Figure("simulator", "warming up", told.warm_seconds, "s", note="as the app starts"),
        Figure("simulator", "numpy, a block of draws at once", told.blocked / 1000, "s", note=many),
        Figure("simulator", "numpy, a plain loop", told.looped / 1000, "s", note=one_by_one),
        Figure(
            "simulator",
            "differs from numpy in double precision",
            told.differs * 1e6,
            "millionths",
            AGREE * 1e6,
            note="the largest of all totals of 1,000 draws",
        ),
    ]


def five_plans(segments: int, effects: int = EFFECTS) -> list[Plan]:
    """A baseline and four that differ from it in every segment, stage and cost."""
    rng = np.random.default_rng(1)
    kinds = ("labour", "system", "bonus", "one_off")

    def one(number: int) -> Plan:
        x = number * rng.uniform(-0.2, 0.5, (segments, 4, effects))
        return Plan(
            f"strategy {number}" if number else "baseline",
            x.astype(np.float32),
            rng.uniform(0, 0.01, (segments, 6, 4)).astype(np.float32),
            rng.uniform(0, 0.2, (segments, 6)).astype(np.float32),
            rng.uniform(0, 1_000, (MONTHS, len(kinds))),
            kinds,
        )

    return [one(number) for number in range(PLANS)]


def measure(draws: int, first: int, repeats: int) -> Took:
    """Everything once warm, the median of so many runs."""
    warmed = warm()
    rng = np.random.default_rng(1)
    truth = process(rng, loans=60_000, spread=0.2, persistence=0.6, segments=SEGMENTS)
    book = as_known(lived(truth, [1], before=18, after=0), 18)
    started = time.perf_counter()
    known = posterior(book, draws=draws, horizon=MONTHS)
    posterior_seconds = time.perf_counter() - started
    names = tuple(f"effect {number}" for number in range(EFFECTS))
    effects = Effects(names, np.full(EFFECTS, 0.1), np.full(EFFECTS, 0.1), ("estimated",) * EFFECTS)
    theta, plans = effects.draws(draws), five_plans(SEGMENTS)

    def full() -> Simulation:
        sim = simulate(known, theta, plans, discount_rate=0.08)
        np.quantile(sim.totals[:, :, 0], QUANTILES, axis=-1)
        np.quantile(sim.benefit, QUANTILES, axis=-1)
        return sim

    few = known.first(first)
    full_wall, full_cpu = _median(full, repeats)
    few_theta, one = theta[:first], plans[:1]
    first_wall, first_cpu = _median(lambda: simulate(few, few_theta, one), 5 * repeats)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    # the peers, on fewer draws, scaled to all of them: their time is in proportion
    started = time.perf_counter()
    blocked(few, few_theta, plans, np.float32)
    blocked_ms = (time.perf_counter() - started) * 1000 * draws / first
    started = time.perf_counter()
    looped(few, few_theta, plans, n=LOOPED)
    looped_ms = (time.perf_counter() - started) * 1000 * draws / LOOPED
    compiled = simulate(few, few_theta, plans).totals
    plain = blocked(few, few_theta, plans)
    differs = float(np.abs(compiled / plain - 1).max())
    return Took(
        warmed,
        posterior_seconds,
        full_wall,
        full_cpu,
        first_wall,
        first_cpu,
        blocked_ms,
        looped_ms,
        differs,
        known.nbytes,
        peak,
    )


def _median(run: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Milliseconds of wall and of processor, the median of so many runs after one."""
    run()
    walls, cpus = [], []
    for _ in range(repeats):
        cpu, wall = time.process_time(), time.perf_counter()
        run()
        walls.append((time.perf_counter() - wall) * 1000)
        cpus.append((time.process_time() - cpu) * 1000)
    return statistics.median(walls), statistics.median(cpus)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--first", type=int, default=FIRST)
    parser.add_argument("--repeats", type=int, default=15)
    asked = parser.parse_args()
    print(json.dumps(asdict(measure(asked.draws, asked.first, asked.repeats))))
