"""What may become of a late loan in a month, how likely, and which it was."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warehouse.sample import model
from warehouse.sample.luck import Numbers
from warehouse.sample.model import Array, at, sigmoid
from warehouse.sample.state import World


@dataclass(frozen=True)
class Fates:
    """Exactly one of resolved, charged off, sold, restructured, rolls, better, stays is true."""

    resolved: Array
    settled: Array  # resolved at a discount
    pays_off: Array  # resolved, with nothing left to pay
    charged_off: Array
    sold: Array
    restructured: Array
    rolls: Array
    better: Array
    stays: Array


def chances(world: World, t: int, late: Array) -> Array:
    """Of each unresolved loan: charge-off, sale, restructure, rolling forward (rows 0 to 3)."""
    return exits(world.state.months_late[late], world.loans.frailty[late], world.climate.forward(t))


def exits(before: Array, frailty: Array, climate: float) -> Array:
    """The same from how late loans are, how frail, and what the month does to all."""
    rolling = sigmoid(at(model.FORWARD_BASE, before) + model.FRAILTY_FORWARD * frailty + climate)
    losing = np.where(before >= model.LAST_MONTH_PAST_DUE, 1.0, at(model.CHARGE_OFF, before))
    selling = (1.0 - losing) * at(model.SOLD, before)
    easing = (1.0 - losing - selling) * at(model.RESTRUCTURED, before)
    rolling = (1.0 - losing - selling - easing) * rolling
    return np.stack([losing, selling, easing, rolling])


def draw(
    rng: Numbers,
    before: Array,
    early: Array,
    resolving: Array,
    is_final: Array,
    chances: Array,
) -> tuple[Fates, Array]:
    """Draw each loan's fate, and whether it was resolved within its case's first seven days."""
    rows = len(before)
    first = rng.random(rows)
    resolved = first < resolving
    settled = resolved & (before >= 4) & (rng.random(rows) < model.SETTLED_SHARE)
    second = rng.random(rows)
    which = (second[None, :] >= np.cumsum(chances, axis=0)).sum(axis=0)
    open_, holds = ~resolved, ~resolved & (which == 4)
    better = holds & (before >= 2) & (rng.random(rows) >= model.STAY_SHARE)
    fates = Fates(
        resolved=resolved,
        settled=settled,
        pays_off=resolved & (settled | is_final),
        charged_off=open_ & (which == 0),
        sold=open_ & (which == 1),
        restructured=open_ & (which == 2),
        rolls=open_ & (which == 3),
        better=better,
        stays=holds & ~better,
    )
    return fates, first < early


def count_truth(
    world: World, t: int, before: Array, resolving: Array, is_final: Array, chances: Array
) -> None:
    """Add each late loan's chances to the month's true matrix."""
    add = world.truths.expect
    settling = np.where(before >= 4, model.SETTLED_SHARE, 0.0)
    leaving = resolving * np.where(is_final, 1.0, settling)
    left = 1.0 - resolving
    losing, selling, restructuring, rolling = left * chances
    holding = left - losing - selling - restructuring - rolling
    easing = np.where(before >= 2, holding * (1.0 - model.STAY_SHARE), 0.0)
    add(t, before, before * 0, resolving - leaving + restructuring)
    add(t, before, "paid_off", leaving)
    add(t, before, "charged_off", losing)
    add(t, before, "sold", selling)
    add(t, before, before + 1, rolling)
    add(t, before, before - 1, easing)
    add(t, before, before, holding - easing)
