"""What an answer hangs on: tornado, break-even, the way from baseline to strategy by lever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from analytics.intervals import Array
from analytics.simulation import Effects, Floats, Plan, Simulation, simulate
from analytics.simulation_answers import CONFIDENCE, METERS, MONEY_METERS, spread_of
from analytics.simulation_draws import Draws

BISECTIONS = 18
SHOCK, ROLLS = "shock", "rolls"
MOST_EFFECT = 3.0  # log-odds a unit: where the search for a break-even ends


def tornado(
    sim: Simulation, draws: Draws, effects: Effects, theta: Floats, *, plan: int = 1
) -> pl.DataFrame:
    """What does the benefit hang on most?  Each input from its 10 % to its 90 % value.

    The benefit's draws are explained by each effect, and by the common shock's mean over the
    months, with its square (least squares over the draws); `low` and `high` are what that gives at
    an input's 10 % and 90 % values, the others at their means.  `rolls`: what those leave
    unexplained (roll rates and chance), as its own 10 % and 90 %.  Out, the widest first: `input`,
    `evidence`, `at_low`, `at_high` (the input's values), `low`, `high` (the benefit there) and
    `width`.
    Null: `at_low`, `at_high` and `evidence` of `rolls`.
    Misleads: one input at a time; two together may do more than their sum.
    """
    luck = sim.luck[plan].sum(axis=0, dtype=np.float64)
    gain = sim.benefit[plan] - luck
    names = [*effects.names, SHOCK]
    common = np.log(np.moveaxis(draws.shock[:, :, 2], 1, -1)).mean(axis=-1).ravel()[: sim.n]
    inputs = np.column_stack([theta[: sim.n].astype(float), common])
    middle, sd = inputs.mean(axis=0), inputs.std(axis=0)
    moves = sd > 1e-12
    unit = (inputs - middle)[:, moves] / sd[moves]
    design = np.column_stack([np.ones(sim.n), unit, unit**2 - 1])
    weights, *_ = np.linalg.lstsq(design, gain, rcond=None)
    rest = gain - design @ weights + luck
    evidence = [*effects.evidence, "estimated"]
    low, high = np.quantile(unit, [0.1, 0.9], axis=0) if moves.any() else (np.zeros(0), np.zeros(0))
    count = int(moves.sum())
    rows = []
    for place, at in enumerate(np.flatnonzero(moves)):
        linear, square = weights[1 + place], weights[1 + count + place]
        ends = [
            float(weights[0] + linear * x + square * (x**2 - 1)) for x in (low[place], high[place])
        ]
        values = [float(middle[at] + sd[at] * x) for x in (low[place], high[place])]
        rows.append((names[at], evidence[at], *values, *ends))
    tenths = np.quantile(rest, [0.1, 0.9]) + gain.mean()
    rows.append((ROLLS, None, None, None, float(tenths[0]), float(tenths[1])))
    kinds = [pl.String, pl.String, *[pl.Float64] * 4]
    columns = ["input", "evidence", "at_low", "at_high", "low", "high"]
    frame = pl.DataFrame(rows, schema=dict(zip(columns, kinds, strict=True)), orient="row")
    width = (pl.col("high") - pl.col("low")).abs()
    return frame.with_columns(width=width).sort("width", descending=True)


def break_even(
    draws: Draws,
    theta: Floats,
    plans: tuple[Plan, Plan],
    effect: int,
    *,
    discount_rate: float,
    between: tuple[float, float] = (-MOST_EFFECT, MOST_EFFECT),
) -> float | None:
    """How large must one effect be for the strategy to be worth as much as the baseline?

    In: baseline and strategy; the place of the effect, whose draws are all set to one value, the
    others staying as they are.  Out: that value, in log-odds a unit, by bisection on the mean
    benefit.  Null: no value in the range `between` makes it even.
    """

    def mean(value: float) -> float:
        tried = theta.copy()
        tried[:, effect] = value
        sim = simulate(draws, tried, plans, discount_rate=discount_rate)
        return float((sim.benefit[1] - sim.luck[1].sum(axis=0)).mean())

    low, high = between
    at_low, at_high = mean(low), mean(high)
    if at_low * at_high > 0 or at_low == at_high:
        return None
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        at_middle = mean(middle)
        if at_middle * at_low > 0:
            low, at_low = middle, at_middle
        else:
            high = middle
    return (low + high) / 2


def break_even_cost(sim: Simulation, kind: str, *, plan: int = 1) -> float | None:
    """By what must one kind of cost be multiplied for the strategy to be worth nothing more?

    The benefit falls in proportion to the extra cost of that kind, so no search is needed:
    1 + mean benefit / mean extra cost of the kind.  Null: that kind costs no more than in the
    baseline, or even at nothing the benefit would stay below 0.
    """
    if kind in MONEY_METERS:
        flow = sim.meters[..., METERS.index(kind)].astype(np.float64)
        more = float(((flow[:, plan] - flow[:, 0]) @ sim.discount).mean())
    elif kind in sim.fixed_kinds:
        place = sim.fixed_kinds.index(kind)
        more = float((sim.fixed[plan, :, place] - sim.fixed[0, :, place]) @ sim.discount)
    else:
        raise ValueError(f"{kind!r} is none of {[*MONEY_METERS, *sim.fixed_kinds]}")
    if more <= 0:
        return None
    factor = 1 + float(sim.benefit[plan].mean()) / more
    return factor if factor >= 0 else None


def waterfall(
    draws: Draws,
    theta: Floats,
    baseline: Plan,
    plan: Plan,
    levers: Mapping[str, Sequence[int]],
    *,
    discount_rate: float,
    confidence: float = CONFIDENCE,
) -> pl.DataFrame:
    """How does the benefit come about: cash by lever, then what each kind of cost takes away?

    `levers`: names of groups of effects (places), switched on one after the other in that order;
    effects in none of them come last, as `other`.  A lever's step is the discounted cash that it
    adds to those before it; the costs are those of the whole strategy less the baseline's.
    Out: `step`, `kind` (`lever` or `cost`), `mean`, `low`, `middle`, `high`, `so_far` (mean); the
    means add up to the benefit.
    Misleads: a lever that comes later finds less to do; another order splits it otherwise.
    Refuses: an effect in two levers.
    """
    groups = {name: list(places) for name, places in levers.items()}
    taken = [place for places in groups.values() for place in places]
    if len(set(taken)) != len(taken):
        raise ValueError("an effect belongs to one lever only")
    if rest := [place for place in range(theta.shape[1]) if place not in taken]:
        groups["other"] = rest
    x, plans = np.zeros_like(plan.x), [baseline]
    for name, places in groups.items():
        x = x.copy()
        x[..., places] = plan.x[..., places]
        plans.append(replace(plan, name=name, x=x))
    sim = simulate(draws, theta, plans, discount_rate=discount_rate)
    cash = np.einsum("npt,t->pn", sim.cash.astype(np.float64), sim.discount)
    steps: list[tuple[str, str, Array]] = [
        (name, "lever", cash[place + 1] - cash[place]) for place, name in enumerate(groups)
    ]
    for kind in MONEY_METERS:
        flow = sim.meters[..., METERS.index(kind)].astype(np.float64)
        steps.append((kind, "cost", -((flow[:, -1] - flow[:, 0]) @ sim.discount)))
    for place, kind in enumerate(sim.fixed_kinds):
        more = float((sim.fixed[-1, :, place] - sim.fixed[0, :, place]) @ sim.discount)
        steps.append((kind, "cost", np.full(sim.n, -more)))
    rows = [
        {
            "step": name,
            "kind": kind,
            **{k: float(v) for k, v in spread_of(part, confidence).items()},
        }
        for name, kind, part in steps
        if kind == "lever" or part.any()
    ]
    return pl.DataFrame(rows).with_columns(so_far=pl.col("mean").cum_sum())
