"""Chance: a finite book does not move by its shares exactly, nor do the loans a strategy turns."""

from __future__ import annotations

import numpy as np

from analytics.intervals import Array
from analytics.simulation_rates import HERE, Rates
from analytics.simulation_states import STATES

LEAST_SHARE = 1e-6
LEAST_DRAWN, MOST_DRAWN = 0.02, 50.0  # of a share over its mean, in rows of hardly a loan
ORDER = (8, 0, 1, 2, 3, 4, 5, 6, 7)  # next states from the best, paid off, to the worst, sold


def chance(rates: Rates, course: Array, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """What do forward and cure weights come to in a finite book?  [draw, month, state], around 1.

    A row of M effective loans moves by shares drawn from Dirichlet(M p): the mean is p, the
    variance p (1 - p) / (M + 1).  M = money in the row (`course`, of all segments together) / what
    a loan of it weighs.
    """
    share = np.einsum("ij,kij->ik", rates.pooled, rates.kinds)
    mass = course.sum(axis=1)
    shape = (n, len(course), HERE)
    forward, cure = np.ones(shape), np.ones(shape)
    for month, i in np.ndindex(mass.shape):
        if mass[month, i] > 0 and rates.pooled_loan[i] > 0:
            size = mass[month, i] / rates.pooled_loan[i]
            cure[:, month, i], forward[:, month, i] = _moved(share[i], size, n, rng)
    return forward, cure


def _moved(share: Array, size: float, n: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Drawn over true shares of cures and of rolls, against those of staying, in n draws."""
    cured, stayed, rolled = (
        np.clip(rng.standard_gamma(size * true, n) / (size * true), LEAST_DRAWN, MOST_DRAWN)
        if true > LEAST_SHARE
        else np.ones(n)
        for true in share
    )
    return cured / stayed, rolled / stayed


def luck(rates: Rates, course: Array) -> Array:
    """How uncertain is what a strategy brings, were its effects known?  The loans it turns are few.

    A strategy turns a share d of a row's moves.  A turned loan brings, until the horizon, the
    cash from where it now goes less that from where it would have gone, both left to chance: the
    second moment of that, G, comes from the rows, month by month from the last.  Money v in loans
    that weigh b, of which d is turned, adds a variance of d v b G.  The loan's luck is held to be
    the same with the strategy and without: one random number a month, from best to worst.
    Out: the sum over months of v b G, by segment and state; `simulate` multiplies it by d.
    """
    order = list(ORDER)
    p = rates.shares[..., order]
    paid = np.einsum("sik,kij->sij", rates.cash, rates.kinds)[..., order]
    grown = np.where(np.arange(len(STATES)) < HERE, rates.growth, 0.0)[..., order]
    together = _together(p)
    turned = _turned(p, rates)
    mean = np.zeros((len(p), len(STATES)))  # cash still to come from a unit in each state
    both = np.zeros((len(p), len(STATES), len(STATES)))  # mean product of two units' cash
    total = np.zeros((len(p), HERE))
    by_state = np.argsort(order)[:HERE]  # where the states on book lie in that order
    for mass in course[::-1]:
        total += mass * rates.loan * (turned * _gap(paid, grown, mean, both)).sum(axis=-1)
        value = paid + grown * mean[:, None, :]
        product = np.einsum("sxiyj,sij->sxy", together * _pairs(grown), both, optimize=True)
        product += np.einsum("sxiyj,sxi,syj->sxy", together, paid, value, optimize=True)
        product += np.einsum("sxiyj,sxi,syj->sxy", together, value - paid, paid, optimize=True)
        mean[:, by_state] = (p * value).sum(axis=-1)
        both[:, by_state[:, None], by_state] = product
    return total


def _together(p: Array) -> Array:
    """P(one unit goes to i from x and another to j from y), both by one random number."""
    high = np.cumsum(p, axis=-1)
    low = high - p
    tops = np.minimum(high[:, :, :, None, None], high[:, None, None, :, :])
    return np.maximum(tops - np.maximum(low[:, :, :, None, None], low[:, None, None, :, :]), 0.0)


def _pairs(grown: Array) -> Array:
    return grown[:, :, :, None, None] * grown[:, None, None, :, :]


def _turned(p: Array, rates: Rates) -> Array:
    """Loans that pass each border between neighbouring next states, for a share d = 1 turned.

    A strategy acts on cures; of `current` loans on not rolling forward.
    """
    acts = rates.kinds[0].copy()
    acts[0] = 1 - rates.kinds[2][0]
    acts = acts[:, list(ORDER)]
    better, worse = p * acts, p * (1 - acts)
    ends = [part.sum(axis=-1, keepdims=True) for part in (better, worse)]
    gained, lost = (
        np.divide(part, end, out=np.zeros_like(part), where=end > 0)
        for part, end in zip((better, worse), ends, strict=True)
    )
    return np.maximum(np.cumsum(gained - lost, axis=-1), 0.0)[..., :-1]


def _gap(paid: Array, grown: Array, mean: Array, both: Array) -> Array:
    """Mean square of the cash of a unit that goes to a state less that of one to its neighbour."""
    now = paid[..., :-1] - paid[..., 1:]
    later = grown * mean[:, None, :]
    own = grown**2 * np.einsum("sjj->sj", both)[:, None, :]
    across = grown[..., :-1] * grown[..., 1:] * np.einsum("sjj->sj", both[:, :-1, 1:])[:, None, :]
    square = own[..., :-1] - 2 * across + own[..., 1:]
    return np.maximum(now**2 + 2 * now * (later[..., :-1] - later[..., 1:]) + square, 0.0)
