"""Late loans at the start of a month: which go to a new owner, and to whom."""

from __future__ import annotations

import numpy as np

from warehouse.sample import collectors, model, treatments
from warehouse.sample.luck import Numbers
from warehouse.sample.model import Array, at
from warehouse.sample.register import TRANSFERRED
from warehouse.sample.state import World

AGENCY_MONTHS = 4  # an agency hands back what it has not resolved by then
TRIAL_SHARE = 0.25  # of early cases: half champion, half challenger
REASON_SHARES = (0.34, 0.24, 0.08, 0.08, 0.12, 0.12, 0.02)


def stage_of(months_late: Array) -> Array:
    """1 early (1-30 days), 2 middle (31-90), 3 late (91 and more)."""
    return 1 + (months_late >= 2).astype(np.int8) + (months_late >= 4).astype(np.int8)


def open_placements(world: World, t: int, late: Array) -> None:
    """Transfer each late loan whose stage rose, or whose agency's time is up, to a new owner."""
    state, register = world.state, world.register
    stage = stage_of(state.months_late[late])
    case = state.case[late]
    held = case >= 0
    held_stage = np.where(held, register["stage"][case], -1) if register.count else stage * 0 - 1
    moves = ~held | (stage > held_stage)
    if register.count:
        collector = register["collector"][case]
        with_agency = held & (collector >= 0) & (world.staff.agency[collector] >= 0)
        moves |= with_agency & (t - register["opened_month"][case] >= AGENCY_MONTHS)
    pick = np.flatnonzero(moves)
    _place(world, t, late[pick], stage[pick], case[pick])


def _place(world: World, t: int, loan: Array, stage: Array, before: Array) -> None:
    state, loans, register = world.state, world.loans, world.register
    rng = world.numbers("placements", t, loan)
    rows = len(loan)
    latest = np.clip(loans.due_day[loan] - 2, 1, 4)
    opened_on = (world.months.start(t) + np.floor(rng.random(rows) * latest)).astype(np.int32)
    register.close(before[before >= 0], opened_on[before >= 0] - 1, TRANSFERRED)
    fresh = state.episode[loan] < 0
    state.episode[loan[fresh]] = register.new_episodes(int(fresh.sum()))

    months_late = state.months_late[loan]
    placed = state.overdue[loan]
    mix = loans.resolve_mix[loan] + model.RESOLVE_AMOUNT * model.amount_score(placed)
    difficulty = -(mix + at(model.RESOLVE_BASE, months_late))
    oldest_due = world.months.start(t - months_late.astype(np.int64)) + loans.due_day[loan] - 1
    tercile = np.searchsorted([-0.25, 0.35], -mix).astype(np.int8)
    more = world.change.more * (t >= world.change_at)
    plans = world.numbers("plans", t, loan)
    plan, usual = treatments.plan_cases(plans, months_late, -mix, more)
    in_trial = (stage == 1) & (rng.random(rows) < TRIAL_SHARE)
    state.case[loan] = register.open(
        loan=loan,
        episode=state.episode[loan],
        collector=collectors.assign(rng, world.staff, stage, difficulty),
        stage=stage,
        months_late=months_late,
        opened_month=np.full(rows, t),
        opened_on=opened_on,
        opening_days=opened_on - oldest_due,
        placed=placed,
        placed_balance=state.balance[loan],
        strategy=np.clip(tercile + stage - 1, 1, 3),
        trial=np.where(in_trial, rng.integers(0, 2, rows), -1),
        reason=_reasons(rng, loans.frailty[loan]),
        plan=plan,
        usual_plan=usual,
    )


def _reasons(rng: Numbers, frailty: Array) -> Array:
    """Why borrowers say they are late: the frail plead hardship, others forgot; often unknown."""
    reason = np.searchsorted(np.cumsum(REASON_SHARES), rng.random(len(frailty)), side="right")
    forgot = (reason == 0) & (frailty < -0.5) & (rng.random(len(frailty)) < 0.5)
    reason = np.where(forgot, 1, np.minimum(reason, len(REASON_SHARES) - 1))
    return np.where(rng.random(len(frailty)) < 0.35, -1, reason)
