"""Attempts to reach borrowers: when, through what, and what came of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warehouse.contract import CHANNELS, contract
from warehouse.sample import columns as to
from warehouse.sample import treatments
from warehouse.sample.model import Array
from warehouse.sample.state import Work, World

SMS, APP_PUSH, MESSENGER, EMAIL, LETTER, VOICE_BOT, CALL, VISIT, MEDIATION = range(9)
OUTCOMES = contract.tables["contacts"].c.outcome.info["codes"]
NO_ANSWER, INVALID, DELIVERED, OPENED, CLICKED, THIRD, RIGHT, PROMISE, REFUSAL, DISPUTE = range(10)
REPEATED, PLANNED, BURST = range(3)
BY_PERSON = np.array([False, False, True, False, True, False, True, True, True])

# attempts beyond the first of a planned channel, in a month: automated queue, 1-30, 31-90, 91+
REPEATS = np.array(
    [[0.6, 0.5, 0.4, 0.4], [0.4, 0.3, 0.2, 0.2], [0.2, 0.4, 0.4, 0.3], [0.1, 0.1, 0.1, 0.1],
     [0.0, 0.1, 0.2, 0.3], [0.7, 0.5, 0.3, 0.2], [0.0, 1.2, 2.2, 2.4], [0.0, 0.0, 0.2, 0.4],
     [0.0, 0.0, 0.1, 0.1]]
)  # fmt: skip
# attempts through a channel that was not planned, after day seven only
UNPLANNED = np.array([0.15, 0.05, 0.05, 0.03, 0.08, 0.05, 0.45, 0.04, 0.0])
# no_answer, invalid, delivered, opened, link_clicked, third_party_reached, right_party, promise,
# refusal, dispute
SHARES = np.array(
    [[0.00, 0.05, 0.88, 0.00, 0.07, 0.00, 0.000, 0.000, 0.000, 0.000],
     [0.00, 0.08, 0.66, 0.21, 0.05, 0.00, 0.000, 0.000, 0.000, 0.000],
     [0.00, 0.03, 0.52, 0.25, 0.06, 0.00, 0.080, 0.030, 0.020, 0.010],
     [0.00, 0.06, 0.68, 0.23, 0.03, 0.00, 0.000, 0.000, 0.000, 0.000],
     [0.00, 0.14, 0.86, 0.00, 0.00, 0.00, 0.000, 0.000, 0.000, 0.000],
     [0.62, 0.04, 0.00, 0.00, 0.00, 0.09, 0.170, 0.050, 0.025, 0.005],
     [0.59, 0.04, 0.00, 0.00, 0.00, 0.11, 0.100, 0.110, 0.040, 0.010],
     [0.36, 0.04, 0.00, 0.00, 0.00, 0.20, 0.200, 0.120, 0.065, 0.015],
     [0.10, 0.00, 0.00, 0.00, 0.00, 0.00, 0.480, 0.280, 0.090, 0.050]]
)  # fmt: skip
_BOUNDS = np.cumsum(SHARES, axis=1)
NIGHT_SHARE = 0.003  # of calls, bots, texts: between 22:00 and 08:00
BURST_SHARE = 0.0012  # of months of a called case: eight calls in a day, or in five
RESPECT = 0.97  # share of calls that wait seven days after a conversation
HOUR = 3_600_000_000


@dataclass(frozen=True)
class Attempts:
    """The month's outbound attempts on cases, ordered by case and time."""

    number: Array  # the contact's number
    work: Array  # place in the month's work
    channel: Array
    at: Array  # microseconds since 1970
    outcome: Array


def attempts_of_month(world: World, t: int, work: Work, first_number: int) -> Attempts:
    """Draw the attempts on every case worked in the month."""
    rng = world.streams["contacts"]
    row, on, channel, kind = _drafts(rng, world, t, work)
    moment = on.astype(np.int64) * to.MICROSECONDS_A_DAY + _time_of_day(rng, on, channel)
    outcome = np.where(kind == BURST, NO_ANSWER, _outcomes(rng, work, row, channel, on))
    order = np.lexsort((moment, row))
    row, moment, channel = row[order], moment[order], channel[order]
    outcome, kind = outcome[order], kind[order]
    kept = _wait_after_conversations(rng, row, moment, channel, outcome) | (kind > REPEATED)
    row, moment, channel, outcome = row[kept], moment[kept], channel[kept], outcome[kept]
    outcome = _third_parties_after_failures(rng, row, outcome)
    outcome = _one_promise_a_month(row, outcome)
    return Attempts(first_number + np.arange(len(row)), row, channel, moment, outcome)


def _drafts(
    rng: np.random.Generator, world: World, t: int, work: Work
) -> tuple[Array, Array, Array, Array]:
    """Each attempt's case, day and channel, and whether it is a repeat, planned, or of a burst."""
    stage = np.where(work.collector < 0, 0, 1 + (work.months_late >= 2) + (work.months_late >= 4))
    delay = _delays(rng, world, work)
    span = np.maximum(world.months.end(t) + 1 - work.begins, 1)  # planned before anybody pays
    parts = [
        (channel, *_days_of_channel(rng, work, span, stage, delay, channel))
        for channel in range(len(CHANNELS))
    ]
    parts.append((CALL, *_bursts(rng, work)))
    row = np.concatenate([rows for _, rows, _, _ in parts])
    on = np.concatenate([days for _, _, days, _ in parts])
    kind = np.concatenate([kinds for _, _, _, kinds in parts])
    channel = np.repeat([c for c, *_ in parts], [len(rows) for _, rows, _, _ in parts])
    keep = on < work.stops[row]
    return row[keep], on[keep], channel[keep].astype(np.int8), kind[keep]


def _delays(rng: np.random.Generator, world: World, work: Work) -> Array:
    """Days until a collector gets to a new case, six at most: some are quicker than others."""
    patience = np.where(work.collector >= 0, world.staff.patience[work.collector], 1.0)
    return np.floor(7.0 * rng.random(len(work.loan)) ** (1.0 / patience))


def _days_of_channel(
    rng: np.random.Generator, work: Work, span: Array, stage: Array, delay: Array, channel: int
) -> tuple[Array, Array, Array]:
    """A channel's planned first attempts, their repeats, and unplanned ones after day seven."""
    planned = ((work.plan >> channel) & 1) == 1
    horizon = np.where(work.is_first, 7, span)
    pick = np.flatnonzero(planned)
    first = np.floor(horizon[pick] * rng.random(len(pick)) ** 2.0)
    waits = work.is_first[pick] & (work.collector[pick] >= 0)
    first = np.where(waits, np.maximum(first, delay[pick]), first)
    repeats = rng.poisson(REPEATS[channel][stage[pick]])
    again = np.repeat(np.arange(len(pick)), repeats)
    place = pick[again]
    gap = first[again] + np.floor(
        np.maximum(span[place] - first[again], 1) * rng.random(len(again))
    )

    loose = ~planned & ((stage > 0) | ~BY_PERSON[channel]) & ((stage > 1) | (channel != VISIT))
    other = np.flatnonzero(loose)
    other = np.repeat(other, rng.poisson(UNPLANNED[channel], len(other)))
    least = np.where(work.is_first[other], 8, 0)
    late = least + np.floor(np.maximum(span[other] - least, 0) * rng.random(len(other)))
    rows = np.concatenate([pick, place, other])
    kinds = np.where(np.arange(len(rows)) < len(pick), PLANNED, REPEATED)
    days = work.begins[rows] + np.concatenate([first, gap, late])
    return rows, days.astype(np.int32), kinds


def _bursts(rng: np.random.Generator, work: Work) -> tuple[Array, Array, Array]:
    """A handful of called cases get eight calls in one day, or over five days."""
    called = np.flatnonzero(treatments.has(work.plan, "call") & (work.collector >= 0))
    struck = called[rng.random(len(called)) < BURST_SHARE]
    rows = np.repeat(struck, 8)
    spread = np.repeat(np.where(rng.random(len(struck)) < 0.5, 0, 1), 8)
    day = 8 + spread * np.tile([0, 0, 1, 1, 2, 3, 3, 4], len(struck))
    return rows, (work.begins[rows] + day).astype(np.int32), np.full(len(rows), BURST)


def _time_of_day(rng: np.random.Generator, on: Array, channel: Array) -> Array:
    """Working hours, 08:30 to 20:30; a few at night."""
    u = rng.random(len(on))
    daytime = (8.5 + 12.0 * u) * HOUR
    night = np.where(u < 0.5, 22.0 + 3.9 * u, 6.0 + 3.9 * (u - 0.5)) * HOUR
    at_night = (rng.random(len(on)) < NIGHT_SHARE) & (channel != LETTER) & (channel != EMAIL)
    return np.where(at_night, night, daytime).astype(np.int64) // 1_000_000 * 1_000_000


def _outcomes(rng: np.random.Generator, work: Work, row: Array, channel: Array, on: Array) -> Array:
    """What came of each attempt; who is about to pay promises more often."""
    u = rng.random(len(row))
    outcome = np.empty(len(row), np.int8)
    for which in range(len(CHANNELS)):
        inside = channel == which
        outcome[inside] = np.searchsorted(_BOUNDS[which], u[inside], side="right")
    outcome = np.minimum(outcome, DISPUTE).astype(np.int8)
    pays_soon = (work.pays_on[row] >= on) & (work.pays_on[row] <= on + 12)
    change = rng.random(len(row))
    outcome[(outcome == RIGHT) & pays_soon & (change < 0.45)] = PROMISE
    outcome[(outcome == PROMISE) & ~pays_soon & (change < 0.42)] = RIGHT
    return outcome


def _wait_after_conversations(
    rng: np.random.Generator, row: Array, moment: Array, channel: Array, outcome: Array
) -> Array:
    """Keep nearly every call at least seven days away from the case's last conversation."""
    calls = (channel == CALL) | (channel == VOICE_BOT)
    day = moment // to.MICROSECONDS_A_DAY
    stride = 100_000  # more days than there are dates
    spoken = np.where(calls & (outcome >= RIGHT), row.astype(np.int64) * stride + day, -1)
    last = np.concatenate([[-1], np.maximum.accumulate(spoken)[:-1]]) if len(row) else spoken
    near = (last // stride == row) & (day - last % stride < 7)
    return ~(calls & near & (rng.random(len(row)) < RESPECT))


def _third_parties_after_failures(rng: np.random.Generator, row: Array, outcome: Array) -> Array:
    """Third parties: nearly always after three failures in a row, or an invalid number."""
    failed = outcome <= INVALID
    ready = np.zeros(len(row), bool)
    if len(row) > 3:
        same = (row[3:] == row[2:-1]) & (row[3:] == row[1:-2]) & (row[3:] == row[:-3])
        ready[3:] = same & failed[2:-1] & failed[1:-2] & failed[:-3]
        ready[1:] |= (row[1:] == row[:-1]) & (outcome[:-1] == INVALID)
    early = (outcome == THIRD) & ~ready & (rng.random(len(row)) < 0.95)
    return np.where(early, NO_ANSWER, outcome).astype(np.int8)


def _one_promise_a_month(row: Array, outcome: Array) -> Array:
    """A case's first promise of the month stands; what it says later is talk."""
    said = np.flatnonzero(outcome == PROMISE)
    _, first = np.unique(row[said], return_index=True)
    outcome[np.delete(said, first)] = RIGHT
    return outcome
