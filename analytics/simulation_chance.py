"""Chance: a finite book does not move by its shares exactly, nor do the loans a strategy turns."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from analytics.gamma_draws import gammas
from analytics.intervals import Array
from analytics.simulation_rates import HERE, Rates
from analytics.simulation_states import STATES

Floats = npt.NDArray[np.float32]
LEAST_SHARE = 1e-6
LEAST_DRAWN, MOST_DRAWN = 0.02, 50.0  # of a share over its mean, in rows of hardly a loan
ORDER = (8, 0, 1, 2, 3, 4, 5, 6, 7)  # next states from the best, paid off, to the worst, sold


def chance(
    rates: Rates, course: Array, n: int, rng: np.random.Generator, seed: int
) -> Iterator[tuple[int, int, Floats, Floats]]:
    """What do forward and cure weights come to in a finite book?  By month and state, around 1.

    A row of M effective loans moves by shares drawn from Dirichlet(M p): the mean is p, the
    variance p (1 - p) / (M + 1).  M = money in the row (`course`, of all segments together) / what
    a loan of it weighs.  Out: month, state, and n draws of what forward and cure are multiplied by.
    """
    share = np.einsum("ij,kij->ik", rates.pooled, rates.kinds)
    mass = course.sum(axis=1)
    normals = _normals(seed, len(course), n)
    for month, i in np.ndindex(mass.shape):
        if mass[month, i] > 0 and rates.pooled_loan[i] > 0:
            there = share[i] > LEAST_SHARE
            sizes = mass[month, i] / rates.pooled_loan[i] * share[i, there]
            moved = np.ones((3, n), np.float32)
            moved[there] = gammas(sizes, normals[month, i, there], rng)
            cured, stayed, rolled = np.clip(moved, LEAST_DRAWN, MOST_DRAWN, out=moved)
            yield month, i, rolled / stayed, cured / stayed


@lru_cache(maxsize=2)  # of a first answer, and of the refined one: 9 MB
def _normals(seed: int, months: int, n: int) -> Floats:
    """[month, state, kind of move, draw]: the same for every choice of segments and months."""
    own = np.random.Generator(np.random.SFC64([seed, 4]))
    found = own.standard_normal((months, HERE, 3, n), dtype=np.float32)
    found.flags.writeable = False
    return found


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
    turned = _turned(p, rates)
    pairs, ahead, now = _two_units(p, paid, grown)
    mean = np.zeros((len(p), len(STATES)))  # cash still to come from a unit in each state
    both = np.zeros((len(p), len(STATES), len(STATES)))  # mean product of two units' cash
    total = np.zeros((len(p), HERE))
    by_state = np.argsort(order)[:HERE]  # where the states on book lie in that order
    for mass in course[::-1]:
        total += mass * rates.loan * (turned * _gap(paid, grown, mean, both)).sum(axis=-1)
        value = paid + grown * mean[:, None, :]
        one_later = np.matmul(ahead, mean[:, :, None]).reshape(now.shape)
        product = np.matmul(pairs, both.reshape(len(p), -1, 1)).reshape(now.shape)
        product += now + one_later + one_later.swapaxes(1, 2)
        mean[:, by_state] = (p * value).sum(axis=-1)
        both[:, by_state[:, None], by_state] = product
    return total


def _two_units(p: Array, paid: Array, grown: Array) -> tuple[Array, Array, Array]:
    """What the mean product of two units' cash is made of, from states x and y, by segment.

    What both bring later, [x y, i j]; what x pays now and y brings later, [x y, j]; what both pay
    now, [x, y].
    """
    together = np.ascontiguousarray(_together(p).transpose(0, 1, 3, 2, 4))  # [s, x, y, i, j]
    by_x, by_y = together * paid[:, :, None, :, None], grown[:, None, :, None, :]
    ahead = (by_x * by_y).sum(axis=3)
    now = (by_x.sum(axis=3) * paid[:, None, :, :]).sum(axis=-1)
    pairs = together * grown[:, :, None, :, None] * by_y
    size = (len(p), HERE * HERE)
    return pairs.reshape(*size, -1), ahead.reshape(*size, -1), now


def _together(p: Array) -> Array:
    """P(one unit goes to i from x and another to j from y), both by one random number."""
    high = np.cumsum(p, axis=-1)
    low = high - p
    tops = np.minimum(high[:, :, :, None, None], high[:, None, None, :, :])
    return np.maximum(tops - np.maximum(low[:, :, :, None, None], low[:, None, None, :, :]), 0.0)


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
