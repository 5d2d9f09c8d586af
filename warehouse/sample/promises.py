"""Promises to pay, and plans agreed: what borrowers say they will do."""

from __future__ import annotations

import numpy as np

from warehouse.contract import contract
from warehouse.sample import columns as to
from warehouse.sample.contacts import PROMISE, Attempts
from warehouse.sample.model import Array
from warehouse.sample.state import Work, World
from warehouse.sample.write import BookWriter

KINDS = contract.tables["plans"].c.kind.info["codes"]
INSTALMENT, DEFERRAL, RATE_CUT, TERM, SETTLEMENT, RESTRUCTURE = range(6)
ENDS = ("completed", "broken")


def write_promises(writer: BookWriter, world: World, work: Work, attempts: Attempts) -> None:
    """The promises of the month; those who are about to pay mean it, most of the time."""
    rng = world.streams["promises"]
    said = np.flatnonzero(attempts.outcome == PROMISE)
    row = attempts.work[said]
    promised_on = (attempts.at[said] // to.MICROSECONDS_A_DAY).astype(np.int64)
    wait = work.pays_on[row] - promised_on
    pays = (work.pays_on[row] >= 0) & (wait >= 0) & (work.cash[row] > 0)
    sincere = pays & (wait <= 14) & (rng.random(len(said)) < 0.92)
    due_on = promised_on + np.where(
        sincere, wait + rng.integers(0, 3, len(said)), rng.integers(1, 8, len(said))
    )
    arrears = np.maximum(world.register["placed"][work.case[row]], 1)
    full = np.where(sincere, work.cash[row], arrears)
    amount = np.maximum(np.round(full * (0.6 + 0.4 * rng.random(len(said)))), 1).astype(np.int64)
    dropped = ~pays & (rng.random(len(said)) < 0.03)
    writer.write(
        "promises",
        {
            "promise_id": to.ids("Q", writer.rows["promises"] + np.arange(len(said)), 8),
            "case_id": to.ids("C", work.case[row], 8),
            "contact_id": to.ids("N", attempts.number[said], 9),
            "promised_on": to.dates(promised_on),
            "due_on": to.dates(due_on),
            "promised_amount": to.money(amount),
            "is_written": to.flags(rng.random(len(said)) < 0.12),
            "cancelled_on": to.dates(promised_on, dropped),
        },
    )


def write_plans(writer: BookWriter, world: World, t: int, work: Work, talks: Array) -> None:
    """Plans: of restructured and settled loans, and instalment plans of some who were reached."""
    rng = world.streams["plans_agreed"]
    eased = np.flatnonzero(work.is_restructured)
    settled = np.flatnonzero(work.is_settled)
    open_to = np.where(work.is_resolved[talks], 0.14, 0.04)  # who agrees means to pay
    offered = talks[(work.months_late[talks] >= 2) & (rng.random(len(talks)) < open_to)]
    offered = offered[~work.is_restructured[offered] & ~work.is_settled[offered]]
    rows = np.concatenate([eased, settled, offered])
    kind = np.concatenate(
        [
            rng.choice([RESTRUCTURE, TERM, RATE_CUT, DEFERRAL], len(eased), p=[0.4, 0.3, 0.2, 0.1]),
            np.full(len(settled), SETTLEMENT),
            np.full(len(offered), INSTALMENT),
        ]
    )
    last_day = np.minimum(work.stops[rows], world.months.end(t))
    agreed_on = np.where(kind == INSTALMENT, np.maximum(last_day - 1, work.begins[rows]), last_day)
    amount = _plan_amounts(world, work, rows, kind)
    is_done = (kind == SETTLEMENT) | ((kind == INSTALMENT) & work.is_resolved[rows])
    is_broken = ~is_done & (kind == INSTALMENT) & (rng.random(len(rows)) < 0.6)
    ended_on = np.where(is_done, last_day, agreed_on + rng.integers(20, 90, len(rows)))
    is_broken &= ended_on <= world.months.last
    ended_on = np.maximum(ended_on, agreed_on)
    writer.write(
        "plans",
        {
            "plan_id": to.ids("R", writer.rows["plans"] + np.arange(len(rows)), 7),
            "loan_id": to.ids("L", work.loan[rows], 7),
            "case_id": to.ids("C", work.case[rows], 8),
            "kind": to.codes(kind, KINDS),
            "agreed_on": to.dates(agreed_on),
            "plan_amount": to.money(amount),
            "ended_on": to.dates(ended_on, is_done | is_broken),
            "end_reason": to.codes(np.where(is_done, 0, np.where(is_broken, 1, -1)), ENDS),
        },
    )


def _plan_amounts(world: World, work: Work, rows: Array, kind: Array) -> Array:
    """Settlements: the cash agreed; instalment plans: the arrears; the others: the balance."""
    arrears = world.register["placed"][work.case[rows]]
    balance = world.state.balance[work.loan[rows]]
    return np.where(
        kind == SETTLEMENT, work.cash[rows], np.where(kind == INSTALMENT, arrears, balance)
    )
