"""Late loans through a month: resolved, restructured, charged off, sold, rolled or held."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warehouse.sample import fates, landmarks, model, register, treatments
from warehouse.sample.fates import Fates
from warehouse.sample.luck import Numbers
from warehouse.sample.model import Array, at, sigmoid
from warehouse.sample.state import (
    CHARGED_OFF,
    OPEN,
    PAID_OFF,
    SOLD,
    Work,
    World,
    owed_and_scheduled,
)


@dataclass(frozen=True)
class Bills:
    """What each late loan owes: all of it, this month's instalment, and the arrears, in cents."""

    owed: Array
    scheduled: Array
    overdue: Array
    is_final: Array  # the arrears and this instalment are all that is left


def resolve_score(world: World, t: int, late: Array) -> Array:
    """The second structural equation: log-odds of resolution after day seven."""
    loans, state, cases = world.loans, world.state, world.register
    case = state.case[late]
    return (
        at(model.RESOLVE_BASE, state.months_late[late])
        + loans.resolve_mix[late]
        + model.RESOLVE_AMOUNT * model.amount_score(cases["placed"][case])
        + model.FRAILTY_RESOLVE * loans.frailty[late]
        + world.climate.resolve(t)
        + world.staff.skill[cases["collector"][case]]
        + model.TRIAL_CHALLENGER * (cases["trial"][case] == 1)
        + treatments.EFFECT[cases["plan"][case]]
    )


def step(world: World, t: int, late: Array) -> Work:
    """Move the late loans through month t; returns their cases as worked."""
    state, cases, months = world.state, world.register, world.months
    rng = world.numbers("resolution", t, late)
    case, before = state.case[late], state.months_late[late].copy()
    is_first = cases["opened_month"][case] == t
    score = resolve_score(world, t, late)
    skill = world.staff.skill[cases["collector"][case[is_first]]]
    world.truths.watch_cases(cases, case[is_first], score[is_first], skill)
    landmarks.watch(world, t, case[is_first], score[is_first])

    early = np.where(is_first, model.EARLY_SHARE, 0.0)
    if t >= world.change_at:
        usual = score - treatments.EFFECT[cases["plan"][case]]
        usual = usual + treatments.EFFECT[cases["usual_plan"][case]]
        world.truths.watch_change(t, (1.0 - early) * (sigmoid(score) - sigmoid(usual)))
    resolving = early + (1.0 - early) * sigmoid(score)
    bills = _bills(world, late)
    chances = fates.chances(world, t, late)
    fates.count_truth(world, t, before, resolving, bills.is_final, chances)
    fate, is_early = fates.draw(rng, before, early, resolving, bills.is_final, chances)

    cash = _cash(rng, before, fate, bills)
    pays_on, stops = _days(rng, world, t, case, is_first, is_early, fate)
    pays_on = np.where(cash > 0, pays_on, -1)
    due_on = months.start(t) + world.loans.due_day[late] - 1
    stays_open = fate.resolved & ~fate.pays_off & (pays_on < due_on)
    ahead = np.where(stays_open, bills.scheduled, 0)  # paid on its own due day, out of the case
    _settle(world, late, before, fate, bills, cash)
    _close(world, late, case, stops, fate)
    return Work(
        loan=late,
        case=case,
        months_late=before,
        collector=cases["collector"][case].copy(),
        plan=cases["plan"][case].copy(),
        is_first=is_first,
        begins=np.where(is_first, cases["opened_on"][case], months.start(t)),
        stops=stops,
        pays_on=pays_on,
        cash=cash - ahead,
        is_resolved=fate.resolved,
        is_restructured=fate.restructured,
        is_settled=fate.settled,
    )


def _bills(world: World, late: Array) -> Bills:
    owed, scheduled = owed_and_scheduled(world, late)
    overdue = world.state.overdue[late]
    is_final = (world.loans.term[late] > 0) & (overdue + scheduled >= owed)
    return Bills(owed, scheduled, overdue, is_final)


def _cash(rng: Numbers, before: Array, fate: Fates, bills: Bills) -> Array:
    """What each late loan pays in the month, in cents."""
    owed, scheduled, overdue = bills.owed, bills.scheduled, bills.overdue
    months_late = np.maximum(before.astype(np.int64), 1)
    one = np.where(scheduled > 0, scheduled, overdue // (months_late + 1))
    cash = np.select(
        [fate.settled, fate.pays_off, fate.resolved, fate.better, fate.stays, fate.sold],
        [
            np.round(owed * (0.55 + 0.3 * rng.random(len(owed)))),
            owed,
            overdue + scheduled,
            np.minimum(scheduled + overdue // months_late, owed),
            one,
            np.round(owed * 0.08),  # what a buyer of the debt pays
        ],
        0,
    )
    partly = fate.rolls & (rng.random(len(owed)) < 0.08) & (overdue > 2 * scheduled // 5)
    part = np.round(scheduled * (0.2 + 0.2 * rng.random(len(owed))))
    return np.where(partly, part, cash).astype(np.int64)


def _days(
    rng: Numbers,
    world: World,
    t: int,
    case: Array,
    is_first: Array,
    is_early: Array,
    fate: Fates,
) -> tuple[Array, Array]:
    """The day on which a case pays, and the first day on which nobody works it any more."""
    start, last = world.months.start(t), world.months.end(t)
    opened = np.where(is_first, world.register["opened_on"][case], start - 8)
    u = rng.random(len(case))
    after_seven = opened + 8 + np.floor((last - opened - 7) * u**model.DAYS_POWER)
    pays_on = np.where(is_early, opened + 1 + np.floor(7 * u), after_seven).astype(np.int32)
    exit_on = last - rng.integers(0, 4, len(case))
    pays_on = np.where(fate.sold, exit_on, pays_on)
    ended = fate.charged_off | fate.sold | fate.restructured
    return pays_on, np.where(ended, exit_on, np.where(fate.resolved, pays_on, last + 1))


def _settle(
    world: World, late: Array, before: Array, fate: Fates, bills: Bills, cash: Array
) -> None:
    """Write the month's end of the late loans into the state."""
    state = world.state
    cleared = fate.resolved | fate.restructured
    worse = fate.rolls | fate.charged_off | fate.sold
    state.scheduled[late] = bills.scheduled
    state.paid[late] = cash
    balance = np.where(fate.pays_off, 0, bills.owed - cash)
    state.balance[late] = np.where(fate.sold, bills.owed, balance)
    left = np.maximum(bills.overdue + bills.scheduled - cash, 0)
    state.overdue[late] = np.where(cleared, 0, left)
    state.months_late[late] = np.where(cleared, 0, before + worse - fate.better)
    state.restructured[late] |= fate.restructured
    state.status[late] = np.select(
        [fate.pays_off, fate.charged_off, fate.sold], [PAID_OFF, CHARGED_OFF, SOLD], OPEN
    )


def _close(world: World, late: Array, case: Array, on: Array, fate: Fates) -> None:
    closed = fate.resolved | fate.restructured | fate.charged_off | fate.sold
    reason = np.select(
        [fate.settled, fate.pays_off, fate.resolved, fate.restructured, fate.charged_off],
        [
            register.SETTLED,
            register.PAID_OFF,
            register.CURED,
            register.RESTRUCTURED,
            register.CHARGED_OFF,
        ],
        register.SOLD,
    )
    world.register.close(case[closed], on[closed], reason[closed])
    world.state.case[late[closed]] = -1
    world.state.episode[late[closed]] = -1
