"""Late loans through a month: resolved, restructured, charged off, sold, rolled or held."""

from __future__ import annotations

import numpy as np

from warehouse.sample import model, register, treatments
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


def resolve_score(world: World, t: int, late: Array) -> Array:
    """The second structural equation: log-odds of resolution after day seven."""
    loans, state, cases = world.loans, world.state, world.register
    case = state.case[late]
    placed = cases["placed"][case]
    return (
        at(model.RESOLVE_BASE, state.months_late[late])
        + loans.resolve_mix[late]
        + model.RESOLVE_AMOUNT * model.amount_score(placed)
        + model.FRAILTY_RESOLVE * loans.frailty[late]
        + world.climate.resolve(t)
        + world.staff.skill[cases["collector"][case]]
        + model.TRIAL_CHALLENGER * (cases["trial"][case] == 1)
        + treatments.EFFECT[cases["plan"][case]]
    )


def step(world: World, t: int, late: Array) -> Work:
    """Move the late loans through month t; returns their cases as worked."""
    loans, state, cases, months = world.loans, world.state, world.register, world.months
    rng = world.streams["resolution"]
    rows, case = len(late), state.case[late]
    before = state.months_late[late].copy()
    owed, scheduled = owed_and_scheduled(world, late)
    overdue = state.overdue[late]
    is_first = cases["opened_month"][case] == t
    score = resolve_score(world, t, late)
    early = np.where(is_first, model.EARLY_SHARE, 0.0)
    resolving = early + (1.0 - early) * sigmoid(score)
    skill = world.staff.skill[cases["collector"][case[is_first]]]
    world.truths.watch_cases(cases, case[is_first], score[is_first], skill)

    draw = rng.random(rows)
    resolved = draw < resolving
    settled = resolved & (before >= 4) & (rng.random(rows) < model.SETTLED_SHARE)
    final = (loans.term[late] > 0) & (overdue + scheduled >= owed)
    rolling = sigmoid(
        at(model.FORWARD_BASE, before)
        + model.FRAILTY_FORWARD * loans.frailty[late]
        + world.climate.forward(t)
    )
    losing = np.where(before >= model.LAST_MONTH_PAST_DUE, 1.0, at(model.CHARGE_OFF, before))
    chances = np.stack(
        [losing, (1.0 - losing) * at(model.SOLD, before), at(model.RESTRUCTURED, before), rolling]
    )
    chances[2] *= 1.0 - chances[0] - chances[1]
    chances[3] *= 1.0 - chances[0] - chances[1] - chances[2]
    bounds = np.cumsum(chances, axis=0)
    second = rng.random(rows)
    fate = (second[None, :] >= bounds).sum(axis=0)  # 0 loss, 1 sold, 2 restructured, 3 rolls, 4
    charged_off = ~resolved & (fate == 0)
    sold = ~resolved & (fate == 1)
    restructured = ~resolved & (fate == 2)
    rolls = ~resolved & (fate == 3)
    holds = ~resolved & (fate == 4)
    better = holds & (before >= 2) & (rng.random(rows) >= model.STAY_SHARE)
    _count_truth(world, t, before, resolving, final, chances)

    gone_paid = resolved & (settled | final)
    cash = np.select(
        [settled, gone_paid, resolved, better, holds, sold],
        [
            np.round(owed * (0.55 + 0.3 * rng.random(rows))).astype(np.int64),
            owed,
            overdue + scheduled,
            np.minimum(scheduled + overdue // np.maximum(before, 1), owed),
            np.where(scheduled > 0, scheduled, overdue // (before.astype(np.int64) + 1)),
            np.round(owed * 0.08).astype(np.int64),
        ],
        0,
    )
    partly = rolls & (rng.random(rows) < 0.08) & (overdue > 2 * scheduled // 5)
    cash = np.where(partly, np.round(scheduled * (0.2 + 0.2 * rng.random(rows))), cash)
    cash = cash.astype(np.int64)
    pays_on, stops = _days(rng, world, t, late, case, is_first, draw < early, resolved)
    ended = charged_off | sold | restructured
    exit_on = months.end(t) - rng.integers(0, 4, rows)
    pays_on = np.where(sold, exit_on, np.where(cash > 0, pays_on, -1))
    stops = np.where(ended, exit_on, stops)
    due_later = pays_on < months.start(t) + loans.due_day[late] - 1
    ahead = np.where(resolved & ~gone_paid & due_later, scheduled, 0)  # paid on its own due day

    state.scheduled[late] = scheduled
    state.paid[late] = cash
    balance = np.where(gone_paid, 0, owed - cash)
    state.balance[late] = np.where(sold, owed, balance)
    left = np.maximum(overdue + scheduled - cash, 0)
    state.overdue[late] = np.where(resolved | restructured, 0, left)
    worse = rolls | charged_off | sold
    months_late = np.where(resolved | restructured, 0, before + worse - better)
    state.months_late[late] = months_late
    state.restructured[late] |= restructured
    state.status[late] = np.select(
        [gone_paid, charged_off, sold], [PAID_OFF, CHARGED_OFF, SOLD], OPEN
    )
    _close(world, late, case, stops, resolved, settled, final, restructured, charged_off, sold)
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
        is_resolved=resolved,
        is_restructured=restructured,
        is_settled=settled,
    )


def _days(
    rng: np.random.Generator, world: World, t: int, late: Array, case: Array, is_first: Array,
    early: Array, resolved: Array,
) -> tuple[Array, Array]:  # fmt: skip
    """The day on which a case pays, and the first day on which nobody works it any more."""
    start, last = world.months.start(t), world.months.end(t)
    opened = np.where(is_first, world.register["opened_on"][case], start - 8)
    u = rng.random(len(late))
    after_seven = opened + 8 + np.floor((last - opened - 7) * u**1.2)
    pays_on = np.where(early, opened + 1 + np.floor(7 * u), after_seven).astype(np.int32)
    return pays_on, np.where(resolved, pays_on, last + 1)


def _close(
    world: World, late: Array, case: Array, on: Array, resolved: Array, settled: Array,
    final: Array, restructured: Array, charged_off: Array, sold: Array,
) -> None:  # fmt: skip
    closed = resolved | restructured | charged_off | sold
    reason = np.select(
        [settled, resolved & final, resolved, restructured, charged_off],
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


def _count_truth(
    world: World, t: int, before: Array, resolving: Array, final: Array, chances: Array
) -> None:
    """Add each late loan's chances to the month's true matrix."""
    add = world.truths.expect
    settling = np.where(before >= 4, model.SETTLED_SHARE, 0.0)
    leaving = resolving * np.where(final, 1.0, settling)
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
