"""What would another strategy bring?  Draws of the book's future, the same for every strategy.

The order: `roll_book` (what moved), `posterior` (slow, once a book and filter; its result is
kept), `Effects.draws`, `simulate` (fast, at every change of a slider), then the summaries of
`simulation_answers`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from analytics import simulation_kernel as kernel
from analytics.intervals import Array
from analytics.shocks import learn_shocks
from analytics.simulation_draws import Draws, posterior
from analytics.simulation_kernel import TILE
from analytics.simulation_odds import Odds
from analytics.simulation_plans import EVIDENCE, Effects, Floats, Plan, check_plans
from analytics.simulation_result import METERS, Simulation
from analytics.simulation_states import STAGE_OF_STATE

THREADS = 2
BLOCK = 512  # draws that a thread takes at a time
_pool: list[ThreadPoolExecutor] = []
_lock = threading.Lock()

__all__ = [
    "EVIDENCE",
    "METERS",
    "Draws",
    "Effects",
    "Floats",
    "Plan",
    "Simulation",
    "posterior",
    "simulate",
    "warm",
]


def simulate(
    draws: Draws, effects_theta: Floats, plans: Sequence[Plan], *, discount_rate: float = 0.0
) -> Simulation:
    """What cash, costs and late money follow from each plan?  The first plan is the baseline.

    Every plan meets the same draws: of the roll rates, of the common shock, of the effects
    (`effects_theta`, [draw, effect], from `Effects.draws`).  The log odds ratio of a cure in a
    segment and stage is the sum of x times effect; of `reminder` it is the odds of not becoming
    late.  u = v / (1 + (OR - 1) p_cure + (e^z - 1) F).  `discount_rate` is a year's; a month's
    flows are discounted to today from the month's end.
    Refuses: no plan, plans that do not fit the book's segments, the horizon or the effects.
    """
    theta = np.ascontiguousarray(effects_theta, dtype=np.float32)
    check_plans(draws, theta, plans, discount_rate)
    discount = (1.0 + discount_rate) ** (-np.arange(1, draws.horizon + 1) / 12.0)
    odds = Odds(plans, theta, draws)
    totals, nets = _run(draws, odds, plans, discount)
    return Simulation(
        names=tuple(plan.name for plan in plans),
        segments=draws.segments,
        totals=totals[..., : draws.n],
        segment_net=nets[..., : draws.n],
        fixed=np.stack([np.asarray(plan.fixed, float) for plan in plans]),
        fixed_kinds=plans[0].fixed_kinds,
        discount=discount,
        late_stock=float(draws.stock[:, 1:].sum(dtype=np.float64)),
        luck=_luck(draws, odds),
    )


def _run(
    draws: Draws, odds: Odds, plans: Sequence[Plan], discount: np.ndarray
) -> tuple[Floats, Floats]:
    """The kernel over all tiles: totals [plan, month, output, draw], nets [plan, segment, draw]."""
    segments, months, rate = len(draws.segments), draws.horizon, discount.astype(np.float32)
    totals = np.empty((len(plans), months, kernel.OUTPUTS, draws.padded), np.float32)
    nets = np.empty((len(plans), segments, draws.padded), np.float32)
    meters, commission = (
        np.ascontiguousarray(np.stack(parts), dtype=np.float32)
        for parts in (
            [plan.meters for plan in plans],
            [plan.monthly_commission(months) for plan in plans],
        )
    )

    def run(tile: int) -> None:
        own = np.zeros((len(plans), months, kernel.OUTPUTS * TILE), np.float32)
        own_nets = np.zeros((len(plans), segments, TILE), np.float32)
        usual, later = odds.of(tile)
        kernel.run_tile(
            draws.packed[tile].reshape(segments, -1),
            draws.shock[tile].reshape(months, -1),
            draws.inflow[tile],
            usual.reshape(len(plans), segments, -1),
            odds.slot,
            later,
            draws.stock,
            draws.entering,
            draws.cash_share,
            meters,
            commission,
            rate,
            own,
            own_nets,
        )
        lanes = slice(tile * TILE, (tile + 1) * TILE)
        totals[..., lanes] = own.reshape(*totals.shape[:3], TILE)
        nets[..., lanes] = own_nets

    _in_two_threads(run, len(draws.packed))
    return totals, nets


def _luck(draws: Draws, odds: Odds) -> Floats:
    """What chance adds to or takes from each plan's benefit, by segment and draw.

    The share of a row that a strategy turns is d = o p (1 - p) / (1 + o p), o = OR - 1, averaged
    over a tile of draws of the effects, and over the months where they change.
    """
    acts = np.concatenate([draws.usual[:, :1, 2], draws.usual[:, 1:, 0]], axis=1)
    usual, later = (part[..., : draws.n].astype(np.float64) for part in odds.of(0))
    turned = _turned(usual[:, :, list(STAGE_OF_STATE)], acts[None, :, :, None]).mean(axis=-1)
    for state, stage in enumerate(STAGE_OF_STATE):
        plan, segment = np.nonzero(odds.slot[..., stage] >= 0)
        if len(plan):
            rows = later[odds.slot[plan, segment, stage]]
            by_month = _turned(rows, acts[segment, state, None, None])
            turned[plan, segment, state] = by_month.mean(axis=(1, 2))
    spread = np.sqrt((turned * draws.luck).sum(axis=-1)).astype(np.float32)
    return spread[:, :, None] * draws.normals


def _turned(o: Array, p: Array) -> Array:
    return np.abs(o * p * (1 - p) / (1 + o * p))


def _in_two_threads(run: Callable[[int], None], tiles: int) -> None:
    """Every tile once, two at a time; the kernel lets go of the interpreter."""
    if tiles == 1:
        run(0)
        return
    with _lock:
        if not _pool:
            _pool.append(ThreadPoolExecutor(THREADS, thread_name_prefix="simulation"))
    steps = max(1, min(BLOCK // TILE, tiles // THREADS))

    def block(first: int) -> None:
        for tile in range(first, min(first + steps, tiles)):
            run(tile)

    list(_pool[0].map(block, range(0, tiles, steps)))


def warm() -> float:
    """Compile the kernel, so that nobody waits for it; seconds it took.

    Called as the app starts.  The machine code is kept beside the module where the folder can be
    written to, so that only the first start after an installation compiles.
    """
    started = time.perf_counter()
    ones = [np.ones(shape, np.float32) for shape in ((1, 6, 4), (1, 6), (1,), (1, 6, 3))]
    meters, flat, entering, share = ones
    plan = Plan("", np.zeros((1, 4, 1), np.float32), meters, flat, np.zeros((1, 0)), ())
    shocks = learn_shocks((), np.zeros(0), np.zeros(0))
    packed = np.zeros((1, 1, kernel.ROWS, TILE), np.float32)
    shock = np.ones((1, 1, kernel.SHOCKS, TILE), np.float32)
    draws = Draws(
        segments=("",),
        n=1,
        horizon=1,
        packed=packed,
        shock=shock,
        inflow=shock[:, :, 0].copy(),
        stock=flat,
        entering=entering,
        cash_share=share,
        shocks=shocks,
        effective_loans=flat.astype(float),
        usual=share.astype(float) / 3,
        luck=flat.astype(float),
        normals=flat[:, :1],
    )
    simulate(draws, np.zeros((1, 1), np.float32), [plan])
    return time.perf_counter() - started
