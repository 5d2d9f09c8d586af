"""Legal steps on late cases: letter, suit, judgment, enforcement, collateral, credit bureau."""

from __future__ import annotations

import numpy as np

from warehouse.contract import contract
from warehouse.sample import columns as to
from warehouse.sample.model import Array
from warehouse.sample.state import Work, World
from warehouse.sample.write import BookWriter

ACTIONS = contract.tables["legal_actions"].c.action.info["codes"]
LETTER, FILING, JUDGMENT, ENFORCEMENT, APPRAISAL, COLLATERAL_SALE, BUREAU = range(7)
ADVANCE = np.array([0.30, 0.14, 0.30, 0.35])  # a month: to letter, filing, judgment, enforcement
FEES = np.array([6_000, 120_000, 45_000, 80_000, 60_000, 90_000, 200])  # cents


def write_legal_actions(writer: BookWriter, world: World, t: int, work: Work) -> int:
    """Advance each late case's suit and write the steps; returns the month's fees in cents.

    What a court or a sale of collateral brought in is the payment of the same day.
    """
    state, loans = world.state, world.loans
    rng = world.streams["legal"]
    late = np.flatnonzero((work.months_late >= 3) & (work.collector >= 0))
    stage = state.legal[work.loan[late]]
    ready = (stage < 4) & ((stage < 1) | (work.months_late[late] >= 4))
    moves = ready & (rng.random(len(late)) < ADVANCE[np.minimum(stage, 3)])
    step, step_stage = late[moves], stage[moves]
    state.legal[work.loan[step]] = step_stage + 1

    filed = step[step_stage == 1]
    secured = filed[loans.collateral[work.loan[filed]] > 0]
    told = late[(work.months_late[late] == 4) & work.is_first[late]]
    in_court = state.legal[work.loan] >= 3
    brought = np.flatnonzero(in_court & (work.cash > 0) & work.is_resolved)
    pledged = loans.collateral[work.loan[brought]] > 0
    rows = np.concatenate([step, secured, told, brought])
    action = np.concatenate(
        [
            step_stage,
            np.full(len(secured), APPRAISAL),
            np.full(len(told), BUREAU),
            np.where(pledged, COLLATERAL_SALE, ENFORCEMENT),
        ]
    )
    first, last = work.begins[rows], np.minimum(work.stops[rows], world.months.end(t) + 1)
    on = first + np.floor(np.maximum(last - first, 1) * rng.random(len(rows)))
    proceeds = np.arange(len(rows)) >= len(rows) - len(brought)
    on = np.where(proceeds, work.pays_on[rows], on)
    value = loans.collateral[work.loan[rows]] * (0.7 + 0.3 * rng.random(len(rows)))
    fees = np.round(FEES[action] * (0.8 + 0.4 * rng.random(len(rows)))).astype(np.int64)
    writer.write(
        "legal_actions",
        {
            "action_id": to.ids("J", writer.rows["legal_actions"] + np.arange(len(rows)), 7),
            "case_id": to.ids("C", work.case[rows], 8),
            "action": to.codes(action, ACTIONS),
            "acted_on": to.dates(on),
            "fee_amount": to.money(fees),
            "proceeds_amount": to.money(work.cash[rows], proceeds),
            "appraised_amount": to.money(_appraisals(value), action == APPRAISAL),
        },
    )
    return int(fees.sum())


def _appraisals(cents: Array) -> Array:
    """Valuers round to whole thousands."""
    return np.round(cents / 100_000).astype(np.int64) * 100_000
