"""The loans' month-ends: what state they begin in, and the rows and totals of each month."""

from __future__ import annotations

import numpy as np

from warehouse.contract import STATUSES
from warehouse.sample import columns as to
from warehouse.sample import model
from warehouse.sample.borrowers import Loans
from warehouse.sample.model import Array, at, sigmoid
from warehouse.sample.state import CHARGED_OFF, OPEN, PAID_OFF, World
from warehouse.sample.write import BookWriter

BURN_IN = 20  # months that seasoned loans live before the book begins
TYPICAL_PLAN = 0.20  # log-odds that an average plan of channels adds
QUEUE_SHARE = 0.50  # of missed instalments that the automated queue brings back by month-end


def months_late_at_start(rng: np.random.Generator, loans: Loans) -> Array:
    """How late each seasoned loan is when the book begins, after months of the same process."""
    seasoned = np.flatnonzero(loans.origin < 0)
    state = np.zeros(len(seasoned), np.int8)
    age = -1 - loans.origin[seasoned].astype(np.int64)
    base, frailty = loans.late_base[seasoned], loans.frailty[seasoned]
    mix = loans.resolve_mix[seasoned] + model.FRAILTY_RESOLVE * frailty + TYPICAL_PLAN
    for back in range(BURN_IN, 0, -1):
        on_book = age - back
        entering = sigmoid(base + model.seasoning(np.maximum(on_book, 0))) * (1.0 - QUEUE_SHARE)
        resolving = model.EARLY_SHARE + (1.0 - model.EARLY_SHARE) * sigmoid(
            at(model.RESOLVE_BASE, state) + mix
        )
        rolling = sigmoid(at(model.FORWARD_BASE, state) + model.FRAILTY_FORWARD * frailty)
        lost = at(model.CHARGE_OFF, state) + at(model.SOLD, state) + at(model.RESTRUCTURED, state)
        first, second = rng.random((2, len(seasoned)))
        late = np.where(second < lost, 0, np.where(second < lost + rolling, state + 1, state))
        late = np.where(first < resolving, 0, late)
        state = np.where(state == 0, first < entering, late).astype(np.int8)
        state[on_book <= 0] = 0
    everyone = np.zeros(len(loans.origin), np.int8)
    everyone[seasoned] = np.minimum(state, np.maximum(age - 1, 0))
    return everyone


def originate(world: World, t: int) -> Array:
    """Put the month's new loans on the book, current and with nothing due; returns them."""
    loans, state = world.loans, world.state
    fresh = np.flatnonzero(loans.origin == t)
    used = np.where(loans.term[fresh] > 0, 1.0, loans.target_use[fresh])
    state.status[fresh] = OPEN
    state.balance[fresh] = np.round(loans.principal[fresh] * used)
    return fresh


def write_month(writer: BookWriter, world: World, t: int, rows: Array) -> None:
    """The month's `loan_months`, one row per loan that was on the book."""
    loans, state, months = world.loans, world.state, world.months
    late = state.months_late[rows].astype(np.int64)
    late[state.status[rows] == PAID_OFF] = 0
    oldest_due = months.start(t + 1 - late) + loans.due_day[rows] - 1
    days = np.where(late > 0, months.end(t) - oldest_due, 0)
    worse = (late >= 1).astype(np.int8) + (late >= 3) + state.restructured[rows]
    score = loans.score[rows] - 18.0 * np.minimum(late, 6) - 25.0 * state.restructured[rows]
    writer.write(
        "loan_months",
        {
            "loan_id": to.ids("L", rows, 7),
            "month": to.dates(np.full(len(rows), months.end(t))),
            "days_past_due": to.integers(days),
            "months_past_due": to.integers(late),
            "balance_amount": to.money(state.balance[rows]),
            "overdue_amount": to.money(state.overdue[rows]),
            "scheduled_amount": to.money(state.scheduled[rows]),
            "paid_amount": to.money(state.paid[rows]),
            "status": to.codes(state.status[rows], STATUSES),
            "is_restructured": to.flags(state.restructured[rows]),
            "risk_grade": to.codes(np.minimum(loans.grade[rows] + worse, 4), model.GRADES),
            "score": to.floats(score, ~np.isnan(score)),
        },
    )


class Ledger:
    """What the general ledger would say: totals by month and product, in cents."""

    def __init__(self, months: int) -> None:
        shape = (months, len(model.PRODUCTS))
        self.totals = {
            measure: np.zeros(shape, np.int64)
            for measure in ("balance", "payments", "charged_off", "new_loans")
        }

    def add(self, measure: str, t: int, product: Array, cents: Array) -> None:
        for place in range(len(model.PRODUCTS)):
            self.totals[measure][t, place] += cents[product == place].sum()

    def close_month(self, world: World, t: int, rows: Array, fresh: Array) -> None:
        """Take the month's book totals; payments are added by whoever makes them."""
        loans, state = world.loans, world.state
        still_open = rows[state.status[rows] == OPEN]
        lost = rows[state.status[rows] == CHARGED_OFF]
        self.add("balance", t, loans.product[still_open], state.balance[still_open])
        self.add("charged_off", t, loans.product[lost], state.balance[lost])
        self.add("new_loans", t, loans.product[fresh], loans.principal[fresh])

    def write(self, writer: BookWriter, world: World) -> None:
        """`ledger_totals`; of new loans from the second month on, when they can be told apart."""
        for measure, totals in self.totals.items():
            first = 1 if measure == "new_loans" else 0
            t, product = (grid.ravel() for grid in np.indices(totals.shape))
            keep = t >= first
            writer.write(
                "ledger_totals",
                {
                    "month": to.dates(world.months.end(t[keep])),
                    "product": to.codes(product[keep], model.PRODUCTS),
                    "measure": to.codes(np.zeros(int(keep.sum()), np.int8), [measure]),
                    "amount": to.money(totals.ravel()[keep]),
                },
            )
