"""Every cash movement on a loan: what the month's paid amounts are made of."""

from __future__ import annotations

import numpy as np

from warehouse.contract import contract
from warehouse.sample import columns as to
from warehouse.sample import treatments
from warehouse.sample.histories import Ledger
from warehouse.sample.model import AUTO, Array
from warehouse.sample.state import SOLD, Work, World
from warehouse.sample.write import BookWriter

SOURCES = contract.tables["payments"].c.source.info["codes"]
REVERSED_SHARE = 0.0005
RECOVERING_SHARE = 0.03  # of charged-off loans that pay something in a month
VOLUNTARY, PAY_LINK, COLLECTOR, AGENCY, LEGAL, COLLATERAL, SALE = range(7)


def write_payments(
    writer: BookWriter, ledger: Ledger, world: World, t: int, current: Array, paid_on: Array,
    work: Work, written_off: Array,
) -> int:  # fmt: skip
    """The month's `payments`: by current loans, by worked cases, and what follows a cure or a loss.

    `paid_on` is each current loan's day, 0 where it paid nothing outside a case;
    `written_off` are the loans charged off in earlier months.
    Returns the cents collected by agencies.
    """
    state, loans, months = world.state, world.loans, world.months
    rng = world.streams["payments"]
    pays = np.flatnonzero(paid_on > 0)
    plain_loan, plain_on = current[pays], paid_on[pays]
    plain = state.paid[plain_loan]

    with_cash = np.flatnonzero((work.pays_on >= 0) & (work.cash > 0))
    source = _sources(rng, world, work, with_cash)
    rest = state.paid[work.loan] - work.cash  # the instalment of a loan cured before its due day
    later = np.flatnonzero((rest > 0) & (work.months_late > 0))
    due_on = months.start(t) + loans.due_day[work.loan[later]] - 1

    lost, lost_on, recovered, lost_source = _recoveries(rng, world, t, written_off)
    reversible = np.flatnonzero(plain_on + 2 <= months.end(t))
    back = reversible[rng.random(len(reversible)) < REVERSED_SHARE]
    loan = np.concatenate(
        [plain_loan, work.loan[with_cash], work.loan[later], plain_loan[back], plain_loan[back],
         lost]
    )  # fmt: skip
    cents = np.concatenate(
        [plain, work.cash[with_cash], rest[later], -plain[back], plain[back], recovered]
    )
    on = np.concatenate(
        [plain_on, work.pays_on[with_cash], due_on, plain_on[back] + 1, plain_on[back] + 2, lost_on]
    )
    case = np.full(len(loan), -1, np.int64)
    in_case = slice(len(pays), len(pays) + len(with_cash))
    case[in_case] = work.case[with_cash]
    sources = np.full(len(loan), VOLUNTARY, np.int8)
    sources[in_case] = source
    sources[len(loan) - len(lost) :] = lost_source
    writer.write(
        "payments",
        {
            "payment_id": to.ids("P", writer.rows["payments"] + np.arange(len(loan)), 9),
            "loan_id": to.ids("L", loan, 7),
            "case_id": to.ids("C", case, 8, case >= 0),
            "paid_on": to.dates(on),
            "amount": to.money(cents),
            "source": to.codes(sources, SOURCES),
        },
    )
    ledger.add("payments", t, loans.product[loan], cents)
    return int(work.cash[with_cash][source == AGENCY].sum())


def _recoveries(
    rng: np.random.Generator, world: World, t: int, lost: Array
) -> tuple[Array, Array, Array, Array]:
    """Now and then a charged-off loan pays a part of what it owed; the rest stays owed."""
    state, months = world.state, world.months
    lost = lost[rng.random(len(lost)) < RECOVERING_SHARE]
    cents = np.round(state.balance[lost] * (0.03 + 0.15 * rng.random(len(lost)))).astype(np.int64)
    state.balance[lost] -= cents
    on = months.start(t) + rng.integers(0, months.length(t), len(lost))
    return lost, on, cents, rng.choice([VOLUNTARY, AGENCY, LEGAL], len(lost)).astype(np.int8)


def _sources(rng: np.random.Generator, world: World, work: Work, pick: Array) -> Array:
    """Through what a case's cash came: the court, the agency, a link, a collector, by itself."""
    collector, plan, loan = work.collector[pick], work.plan[pick], work.loan[pick]
    u = rng.random(len(pick))
    in_court = world.state.legal[loan] >= 3
    with_agency = (collector >= 0) & (world.staff.agency[collector] >= 0)
    worked = (collector >= 0) & (treatments.has(plan, "call") | treatments.has(plan, "visit"))
    linked = treatments.has(plan, "sms") | treatments.has(plan, "messenger")
    return np.select(
        [
            world.state.status[loan] == SOLD,
            in_court & (world.loans.product[loan] == AUTO) & (u < 0.5),
            in_court & (u < 0.8),
            with_agency,
            worked & (u < 0.7),
            linked & (u < 0.4),
        ],
        [SALE, COLLATERAL, LEGAL, AGENCY, COLLECTOR, PAY_LINK],
        VOLUNTARY,
    ).astype(np.int8)
