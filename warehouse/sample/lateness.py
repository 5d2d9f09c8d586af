"""Loans that were current: who misses an instalment, and whom the automated queue brings back."""

from __future__ import annotations

import numpy as np

from warehouse.sample import model, treatments
from warehouse.sample.luck import Numbers
from warehouse.sample.model import Array, sigmoid
from warehouse.sample.register import CURED, PAID_OFF
from warehouse.sample.state import OPEN, Work, World, owed_and_scheduled
from warehouse.sample.state import PAID_OFF as LEFT_PAID

REMINDED = (0.02, 0.015)  # share of current loans reminded before the due day, and per grade


def reminded_loans(world: World, t: int, current: Array) -> Array:
    """Which current loans get a text before their due day."""
    constant, slope = REMINDED
    rng = world.numbers("reminders", t, current)
    return rng.random(len(current)) < constant + slope * world.loans.grade[current]


def late_probability(world: World, t: int, current: Array, reminded: Array) -> Array:
    """The first structural equation: a current loan's chance to miss this month's instalment."""
    loans = world.loans
    return sigmoid(
        loans.late_base[current]
        + model.seasoning(t - loans.origin[current])
        + model.LATE_AGAIN * world.state.restructured[current]
        + model.REMINDER * reminded
        + world.climate.late(t)
    )


def step(world: World, t: int, current: Array, reminded: Array) -> tuple[Work, Array]:
    """Move the current loans through month t.

    Returns the automated cases that were worked and the day each current loan paid (0: not).
    """
    loans, state, months = world.loans, world.state, world.months
    rng = world.numbers("lateness", t, current)
    owed, scheduled = owed_and_scheduled(world, current)
    score = model.amount_score(scheduled)
    mix = loans.resolve_mix[current] + np.float32(model.RESOLVE_AMOUNT) * score.astype(np.float32)
    plan = treatments.plan_automated(world.numbers("plans", t, current), -mix)

    missing = np.where(scheduled > 0, late_probability(world, t, current, reminded), 0.0)
    due_on = months.start(t) + loans.due_day[current] - 1
    last_day = months.end(t)
    opened_on = np.minimum(due_on + rng.integers(1, 4, len(current)), last_day)
    left = last_day - opened_on
    early, resolving, queue_score = _queue_probabilities(world, t, current, mix, plan, left)

    missed = rng.random(len(current)) < missing
    draw = rng.random(len(current))
    brought_back = missed & (draw < resolving)
    is_final = (loans.term[current] > 0) & (scheduled == owed)
    prepaid = ~missed & (rng.random(len(current)) < model.PREPAID[loans.product[current]])
    _count_truth(world, t, current, missing, resolving, is_final)

    span = np.where(draw < early, np.minimum(left, 7), left - 7)
    offset = np.where(draw < early, 1, 8) + np.floor(rng.random(len(current)) * span)
    paid = _payments(rng, world, current, owed, scheduled, prepaid)
    paid = np.where(missed, np.where(brought_back, scheduled, 0), paid)
    leaves = (prepaid | is_final) & ~(missed & ~brought_back)
    paid[leaves] = owed[leaves]
    pays_on = np.where(
        missed, opened_on + offset, np.maximum(due_on - rng.integers(0, 3, len(due_on)), due_on
                                               - loans.due_day[current] + 1)
    ).astype(np.int32)  # fmt: skip
    unpaid = missed & ~brought_back
    _settle(world, t, current, owed - paid, unpaid, leaves, scheduled, paid)

    pick = np.flatnonzero(missed)
    watched = pick[left[pick] > 7]
    world.truths.watch_channels("automated", queue_score[watched], plan[watched])
    work = _open_cases(world, t, current, pick, opened_on, due_on, scheduled, plan)
    back = brought_back[pick]
    reason = np.where(leaves[pick], PAID_OFF, CURED)[back]
    world.register.close(work.case[back], pays_on[pick][back], reason)
    state.case[current[pick]] = np.where(back, -1, work.case)
    for name, values in {
        "stops": np.where(back, pays_on[pick], last_day + 1),
        "pays_on": np.where(back, pays_on[pick], -1),
        "cash": paid[pick],
        "is_resolved": back,
    }.items():
        getattr(work, name)[:] = values
    return work, np.where(missed | (paid == 0), 0, pays_on)


def _queue_probabilities(
    world: World, t: int, current: Array, mix: Array, plan: Array, left: Array
) -> tuple[Array, Array, Array]:
    """The chances to be resolved within seven days, and by month-end, and the log-odds after."""
    score = (
        model.RESOLVE_BASE[0]
        + mix
        + model.FRAILTY_RESOLVE * world.loans.frailty[current]
        + world.climate.resolve(t)
        + treatments.EFFECT[plan]
        + model.DAYS_LEFT * np.log(np.maximum(left - 7, 1) / 10.0)
    )
    early = 1.0 - (1.0 - model.EARLY_SHARE_AUTOMATED) ** (np.minimum(left, 7) / 7.0)
    return early, early + (1.0 - early) * sigmoid(score) * (left > 7), score


def _count_truth(
    world: World, t: int, current: Array, missing: Array, resolving: Array, is_final: Array
) -> None:
    rolls = missing * (1.0 - resolving)
    leaving = np.where(is_final, 1.0 - rolls, 0.0)
    prepaying = (1.0 - missing) * model.PREPAID[world.loans.product[current]]
    leaving = np.where(is_final, leaving, prepaying)
    late = np.zeros(len(current), np.int8)
    add = world.truths.expect
    add(t, late, late + 1, rolls)
    add(t, late, late, 1.0 - rolls - leaving)
    add(t, late, "paid_off", leaving)


def _payments(
    rng: Numbers, world: World, current: Array, owed: Array, scheduled: Array,
    prepaid: Array,
) -> Array:  # fmt: skip
    """What loans that pay on time pay: the instalment, now and then more; cards by habit."""
    loans = world.loans
    extra = np.where(rng.random(len(current)) < 0.03, 0.5 + 2.0 * rng.random(len(current)), 0.0)
    instalments = scheduled + np.round(extra * scheduled).astype(np.int64)
    habit = loans.pays_share[current] * (0.8 + 0.2 * rng.random(len(current)))
    card = np.maximum(np.round(habit * owed).astype(np.int64), scheduled)
    paid = np.where(loans.term[current] == 0, card, instalments)
    closes = (loans.term[current] > 0) & (paid >= owed) & (scheduled < owed)
    return np.where(closes, scheduled, np.minimum(paid, owed))


def _settle(
    world: World, t: int, current: Array, left_owing: Array, unpaid: Array, leaves: Array,
    scheduled: Array, paid: Array,
) -> None:  # fmt: skip
    """Write the month's end of the current loans into the state; cards draw again."""
    loans, state = world.loans, world.state
    rng = world.numbers("drawings", t, current)
    draws_again = (loans.term[current] == 0) & ~unpaid & ~leaves
    target = loans.target_use[current] * loans.principal[current]
    target *= 1.0 + 0.06 * (world.months.of_year[t] in (0, 10, 11))
    room = np.maximum(target - left_owing, 0.0) * (0.85 + 0.15 * rng.random(len(current)))
    state.balance[current] = left_owing + np.where(draws_again, np.round(room), 0).astype(np.int64)
    state.scheduled[current] = scheduled
    state.paid[current] = paid
    state.overdue[current] = np.where(unpaid, scheduled, 0)
    state.months_late[current] = unpaid
    state.status[current] = np.where(leaves, LEFT_PAID, OPEN)


def _open_cases(
    world: World, t: int, current: Array, pick: Array, opened_on: Array, due_on: Array,
    placed: Array, plan: Array,
) -> Work:  # fmt: skip
    """An automated case for each missed instalment: the first placement of a new episode."""
    state, register = world.state, world.register
    rows, loan = len(pick), current[pick]
    state.episode[loan] = register.new_episodes(rows)
    zeros, none = np.zeros(rows, np.int32), np.full(rows, -1, np.int32)
    case = register.open(
        loan=loan,
        episode=state.episode[loan],
        collector=none,
        stage=zeros,
        months_late=zeros,
        opened_month=zeros + t,
        opened_on=opened_on[pick],
        opening_days=opened_on[pick] - due_on[pick],
        placed=placed[pick],
        placed_balance=state.balance[loan],
        strategy=zeros,
        trial=none,
        reason=none,
        plan=plan[pick],
        usual_plan=plan[pick],
    )
    return Work(
        loan=loan,
        case=case,
        months_late=zeros,
        collector=none,
        plan=plan[pick],
        is_first=np.ones(rows, bool),
        begins=opened_on[pick],
        stops=zeros.copy(),
        pays_on=none.copy(),
        cash=np.zeros(rows, np.int64),
        is_resolved=np.zeros(rows, bool),
        is_restructured=np.zeros(rows, bool),
        is_settled=np.zeros(rows, bool),
    )
