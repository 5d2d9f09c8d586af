"""What a channel tried in a case's first week does to it until day 97: the chances, month by month.

This is what an estimate from the records can find: of cases still open when day seven begins, those
resolved by day 97 as the same case, which ends where the loan is handed to the next owner.  By the
month's end (`Truths.channel_effects`) early cases show more of an effect, later ones far less.
"""

from __future__ import annotations

import numpy as np

from warehouse.sample import fates, model
from warehouse.sample.model import Array, at, sigmoid
from warehouse.sample.placements import stage_of
from warehouse.sample.state import World

LAST_DAY = 97
_MONTHS = 4  # that the days from 7 to 97 touch: collectors' cases open as a month begins
_STEPS = np.arange(1 - _MONTHS, _MONTHS)
_EARLY_ON_DAY_SEVEN = 1 / 7  # of those resolved in the first week: still open as that day begins


def watch(world: World, t: int, case: Array, score: Array) -> None:
    """Add to the truths the collectors' cases opened in month t that are old enough to be followed.

    `score`: their log-odds of resolution in that month.
    """
    cases = world.register
    old_enough = cases["opened_on"][case] + LAST_DAY <= world.months.last
    case, score = case[old_enough], score[old_enough]
    offset = score - at(model.RESOLVE_BASE, cases["months_late"][case]) - world.climate.resolve(t)
    plan = cases["plan"][case]
    early = model.EARLY_SHARE * _EARLY_ON_DAY_SEVEN
    later = (1.0 - model.EARLY_SHARE) / (1.0 - model.EARLY_SHARE + early)
    gains = np.zeros((len(case), len(model.CHANNEL)))
    for place, effect in enumerate(model.CHANNEL):
        without = offset - effect * ((plan >> place) & 1)
        if effect:
            with_it = _resolved(world, t, case, without + effect)
            gains[:, place] = later * (with_it - _resolved(world, t, case, without))
    share = 1.0 - later * (1.0 - _resolved(world, t, case, offset))
    world.truths.watch_landmark(cases["stage"][case] - 1, share, gains)


def _resolved(world: World, t: int, case: Array, offset: Array) -> Array:
    """The chance to be resolved by day 97 of cases that were not in their first week.

    `offset`: what a case's log-odds of resolution have beside lateness and the month.
    """
    cases, months, climate = world.register, world.months, world.climate
    opened = cases["months_late"][case].astype(np.int64)[:, None]
    frailty = world.loans.frailty[cases["loan"][case]][:, None]
    late = np.maximum(opened + _STEPS, 1)
    is_kept = stage_of(late) <= stage_of(opened)
    mass = np.where((_STEPS == 0) & (opened > 0), 1.0, 0.0)
    found = np.zeros(len(case))
    for now in range(t, min(t + _MONTHS, months.count)):
        resolving = mass * sigmoid(
            at(model.RESOLVE_BASE, late) + offset[:, None] + climate.resolve(now)
        )
        first, days = months.start(now), months.length(now)
        until = np.clip(cases["opened_on"][case] + LAST_DAY - first + 1, 0, days)
        found += resolving.sum(axis=1) * (until / days) ** (1 / model.DAYS_POWER)
        left = mass - resolving
        losing, selling, easing, rolling = left * fates.exits(late, frailty, climate.forward(now))
        holding = left - losing - selling - easing - rolling
        better = np.where(late >= 2, holding * (1.0 - model.STAY_SHARE), 0.0)
        mass = holding - better
        mass[:, 1:] += rolling[:, :-1] * is_kept[:, 1:]
        mass[:, :-1] += better[:, 1:]
    return found
