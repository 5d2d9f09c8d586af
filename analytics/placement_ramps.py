"""How a change of placements or suits works itself in, month by month since it began."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analytics.intervals import Array
from analytics.placement_curves import STEPS, WINDOWS

STEP_OF_AGE = np.array([step for step, months in enumerate(STEPS.values()) for _ in months])


@dataclass(frozen=True)
class Ramp:
    """Balance by months since placement (or filing), for a unit of it.

    `new` [month, age]: of a change that began now; `usual` [age]: of what has long been done.
    """

    new: Array
    usual: Array


def placed_ramp(lasting: Array, months: int) -> Ramp:
    """How old are the placements of a share of a stage that is placed from today on?

    The share of the stage that is to be with agencies is placed today; what leaves is replaced by
    new cases, of which the same share is placed as they come.  b = 1 / sum of `lasting` is new in
    a month; in month t ages below t - 1 hold b x lasting, and the rest is what was placed today.
    Once none of that is left, it is as it has long been.

    >>> placed_ramp(np.array([1.0, 0.5, 0.5, 0.0]), 3).new.tolist()
    [[1.0, 0.0, 0.0, 0.0], [0.5, 0.5, 0.0, 0.0], [0.5, 0.25, 0.25, 0.0]]
    """
    usual = lasting / lasting.sum()
    new = np.zeros((months, len(lasting)))
    for month in range(months):
        oldest = min(month, len(lasting) - 1)
        new[month, :oldest] = usual[:oldest]
        if lasting[oldest] > 0:
            new[month, oldest] = 1 - usual[:oldest].sum()
        else:
            new[month] = usual
    return Ramp(new, usual)


def filed_ramp(lasting: Array, months: int) -> Ramp:
    """How old are the suits of filing one more case a month from today on?

    In month t those filed a months ago, a < t, that last.

    >>> filed_ramp(np.array([1.0, 0.5]), 3).new.tolist()
    [[1.0, 0.0], [1.0, 0.5], [1.0, 0.5]]
    """
    ages = np.arange(len(lasting))
    begun = ages[None, :] <= np.arange(months)[:, None]
    return Ramp(np.where(begun, lasting, 0.0), lasting)


def ramp_units(ramp: Ramp, before: Array, after: Array, theta: Array) -> tuple[Array, Array]:
    """How many units of each step's effect does a change of a share add, by month?

    Balance of age a pays and is cured at e^theta times the odds; shares are mixed as balances are:
    log odds ratio = log(1 + D), D = sum over a of (after - before) w(a) (e^theta - 1) / B, B = 1 +
    sum of before w(a) (e^theta - 1); D is shared among the steps by their terms, so that it is
    exact at the thetas given, 0 where nothing changes, and in proportion to each around them.
    What is no longer placed is taken from all ages.

    In: shares [...] before and after, `theta` by step.  Out: units [month, ..., step]; the share
    of the cash that comes from what is placed, after, [month, ...].
    """
    odds = np.exp(theta[STEP_OF_AGE])
    more = (after - before)[..., None]
    months, ages = ramp.new.shape
    new, usual = ramp.new.reshape(months, *[1] * before.ndim, ages), ramp.usual
    changed = more * np.where(more > 0, new, usual)
    base = 1 + before * float(usual @ (odds - 1))
    terms = changed * (odds - 1) / base[..., None]
    whole = terms.sum(axis=-1)
    bend = np.where(np.abs(whole) > 1e-12, np.log1p(whole) / np.where(whole == 0, 1.0, whole), 1.0)
    slope = np.where(np.abs(theta) > 1e-12, np.expm1(theta) / np.where(theta == 0, 1.0, theta), 1.0)
    each = changed * slope[STEP_OF_AGE] * (bend / base)[..., None]
    units = np.zeros((*each.shape[:-1], len(STEPS)))
    for age, step in enumerate(STEP_OF_AGE):
        units[..., step] += each[..., age]
    own = before * float(usual @ odds) + (changed * odds).sum(axis=-1)
    rest = 1 - before * usual.sum() - changed.sum(axis=-1)
    return units, own / np.maximum(own + rest, 1e-12)


assert len(STEP_OF_AGE) == WINDOWS
