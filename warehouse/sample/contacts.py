"""Attempts to reach borrowers: when, through what, and what came of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warehouse.contract import CHANNELS, contract
from warehouse.sample import columns as to
from warehouse.sample import treatments
from warehouse.sample.model import Array
from warehouse.sample.state import Work, World
from warehouse.sample.write import BookWriter

SMS, APP_PUSH, MESSENGER, EMAIL, LETTER, VOICE_BOT, CALL, VISIT, MEDIATION = range(9)
OUTCOMES = contract.tables["contacts"].c.outcome.info["codes"]
NO_ANSWER, INVALID, DELIVERED, OPENED, CLICKED, THIRD, RIGHT, PROMISE, REFUSAL, DISPUTE = range(10)
PARTIES = ("debtor", "third_party", "unknown")
DIRECTIONS = ("outbound", "inbound")
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
COST_CENTS = np.array([5, 1, 2, 1, 400, 30, 180, 6_000, 12_000])
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


def attempts_of_month(world: World, work: Work, first_number: int) -> Attempts:
    """Draw the attempts on every case worked in the month."""
    rng = world.streams["contacts"]
    kind = np.where(work.collector < 0, 0, 1 + (work.months_late >= 2) + (work.months_late >= 4))
    delay = _delays(rng, world, work)
    rows, channels, days, forced = [], [], [], []
    for channel in range(len(CHANNELS)):
        place, day = _days_of_channel(rng, work, kind, delay, channel)
        rows.append(place)
        days.append(day)
        channels.append(np.full(len(place), channel, np.int8))
        forced.append(np.zeros(len(place), bool))
    place, day = _bursts(rng, work)
    row, on = np.concatenate([*rows, place]), np.concatenate([*days, day])
    channel = np.concatenate([*channels, np.full(len(place), CALL, np.int8)])
    burst = np.concatenate([*forced, np.ones(len(place), bool)])
    keep = on < work.stops[row]
    row, on, channel, burst = row[keep], on[keep], channel[keep], burst[keep]

    moment = on.astype(np.int64) * to.MICROSECONDS_A_DAY + _time_of_day(rng, on, channel)
    outcome = _outcomes(rng, work, row, channel, on)
    outcome[burst] = NO_ANSWER
    order = np.lexsort((moment, row))
    row, moment, channel = row[order], moment[order], channel[order]
    outcome, burst = outcome[order], burst[order]
    kept = _wait_after_conversations(rng, row, moment, channel, outcome, burst)
    row, moment, channel, outcome = row[kept], moment[kept], channel[kept], outcome[kept]
    outcome = _third_parties_after_failures(rng, row, outcome)
    outcome = _one_promise_a_month(row, outcome)
    return Attempts(first_number + np.arange(len(row)), row, channel, moment, outcome)


def _delays(rng: np.random.Generator, world: World, work: Work) -> Array:
    """Days until a collector gets to a new case, six at most: some are quicker than others."""
    patience = np.where(work.collector >= 0, world.staff.patience[work.collector], 1.0)
    return np.floor(7.0 * rng.random(len(work.loan)) ** (1.0 / patience))


def _days_of_channel(
    rng: np.random.Generator, work: Work, kind: Array, delay: Array, channel: int
) -> tuple[Array, Array]:
    planned = ((work.plan >> channel) & 1) == 1
    span = np.maximum(work.stops, work.begins + 1) - work.begins
    horizon = np.where(work.is_first, 7, span)
    pick = np.flatnonzero(planned)
    first = np.floor(horizon[pick] * rng.random(len(pick)) ** 2.0)
    waits = work.is_first[pick] & (work.collector[pick] >= 0)
    first = np.where(waits, np.maximum(first, delay[pick]), first)
    repeats = rng.poisson(REPEATS[channel][kind[pick]])
    again = np.repeat(np.arange(len(pick)), repeats)
    place = pick[again]
    gap = first[again] + np.floor(
        np.maximum(span[place] - first[again], 1) * rng.random(len(again))
    )

    loose = ~planned & ((kind > 0) | ~BY_PERSON[channel]) & ((kind > 1) | (channel != VISIT))
    other = np.flatnonzero(loose)
    other = np.repeat(other, rng.poisson(UNPLANNED[channel], len(other)))
    least = np.where(work.is_first[other], 8, 0)
    late = least + np.floor(np.maximum(span[other] - least, 0) * rng.random(len(other)))
    rows = np.concatenate([pick, place, other])
    return rows, (work.begins[rows] + np.concatenate([first, gap, late])).astype(np.int32)


def _bursts(rng: np.random.Generator, work: Work) -> tuple[Array, Array]:
    """A handful of called cases get eight calls in one day, or over five days."""
    called = np.flatnonzero(treatments.has(work.plan, "call") & (work.collector >= 0))
    struck = called[rng.random(len(called)) < BURST_SHARE]
    rows = np.repeat(struck, 8)
    spread = np.repeat(np.where(rng.random(len(struck)) < 0.5, 0, 1), 8)
    day = 8 + spread * np.tile([0, 0, 1, 1, 2, 3, 3, 4], len(struck))
    return rows, (work.begins[rows] + day).astype(np.int32)


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
    rng: np.random.Generator,
    row: Array,
    moment: Array,
    channel: Array,
    outcome: Array,
    burst: Array,
) -> Array:
    """Keep nearly every call at least seven days away from the case's last conversation."""
    calls = (channel == CALL) | (channel == VOICE_BOT)
    day = moment // to.MICROSECONDS_A_DAY
    stride = 100_000  # more days than there are dates
    spoken = np.where(calls & (outcome >= RIGHT), row.astype(np.int64) * stride + day, -1)
    last = np.concatenate([[-1], np.maximum.accumulate(spoken)[:-1]]) if len(row) else spoken
    near = (last // stride == row) & (day - last % stride < 7)
    return ~(calls & near & ~burst & (rng.random(len(row)) < RESPECT))


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


def write_attempts(writer: BookWriter, world: World, work: Work, attempts: Attempts) -> Array:
    """The attempts as `contacts`; returns what they cost, in cents by channel."""
    rng = world.streams["contact_details"]
    rows, channel, outcome = attempts.work, attempts.channel, attempts.outcome
    talks = outcome >= RIGHT
    spoken = np.isin(channel, (VOICE_BOT, CALL, VISIT, MEDIATION))
    seconds = np.where(
        talks, 40 + rng.gamma(2.2, 80.0, len(rows)), np.where(outcome == THIRD, 45, 18)
    ) * np.where(channel >= VISIT, 6.0, 1.0)
    seconds = np.where(talks | (outcome == THIRD), seconds, 18.0)
    party = np.where(talks | np.isin(outcome, (DELIVERED, OPENED, CLICKED)), 0, 2)
    party[outcome == THIRD] = 1
    loan = work.loan[rows]
    hour = attempts.at % to.MICROSECONDS_A_DAY // HOUR
    at_night = (hour >= 22) | (hour < 8)
    cost = COST_CENTS[channel] + np.where(spoken, (seconds / 60.0 * 12).astype(np.int64), 0)
    collector = np.where(BY_PERSON[channel], work.collector[rows], -1)
    point = world.loans.customer[loan].astype(np.int64) * 8 + np.where(
        outcome == THIRD, 3, np.minimum(channel // 3, 2)
    )
    writer.write(
        "contacts",
        {
            "contact_id": to.ids("N", attempts.number, 9),
            "loan_id": to.ids("L", loan, 7),
            "case_id": to.ids("C", work.case[rows], 8),
            "direction": to.codes(np.zeros(len(rows), np.int8), DIRECTIONS),
            "channel": to.codes(channel, CHANNELS),
            "collector_id": to.ids("K", collector, 4, collector >= 0),
            "contacted_at": to.times(attempts.at),
            "contact_point": to.hashes(point),
            "party": to.codes(party, PARTIES),
            "outcome": to.codes(outcome, OUTCOMES),
            "duration_seconds": to.integers(seconds, spoken),
            "cost_amount": to.money(cost),
            "is_recorded": to.flags(rng.random(len(rows)) < 0.985, spoken),
            "has_consent": to.flags(at_night & (rng.random(len(rows)) < 0.15), at_night),
        },
    )
    return np.bincount(channel, cost, len(CHANNELS))


def write_others(
    writer: BookWriter, world: World, t: int, reminded: Array, work: Work, talks: Array
) -> None:
    """Reminders before the due day (no case), and borrowers who call back."""
    rng = world.streams["other_contacts"]
    months, loans = world.months, world.loans
    due_on = months.start(t) + loans.due_day[reminded] - 1
    on = np.maximum(due_on - rng.integers(1, 4, len(reminded)), months.start(t))
    push = rng.random(len(reminded)) < 0.4
    back = talks[rng.random(len(talks)) < 0.06]
    on_back = np.maximum(np.minimum(work.stops[back] - 1, months.end(t)), work.begins[back])
    loan = np.concatenate([reminded, work.loan[back]])
    inbound = np.arange(len(loan)) >= len(reminded)
    days = np.concatenate([on, on_back]).astype(np.int64)
    case = np.concatenate([np.full(len(reminded), -1), work.case[back]])
    collector = np.concatenate([np.full(len(reminded), -1), work.collector[back]])
    outcome = np.where(inbound, RIGHT, np.where(rng.random(len(loan)) < 0.05, INVALID, DELIVERED))
    channel = np.where(inbound, CALL, np.concatenate([np.where(push, APP_PUSH, SMS), back * 0]))
    hour = ((9.0 + 10.0 * rng.random(len(loan))) * 3600).astype(np.int64) * 1_000_000
    seconds = (60 + rng.gamma(2.0, 90.0, len(loan))).astype(np.int64)
    numbers = writer.rows["contacts"] + np.arange(len(loan))
    writer.write(
        "contacts",
        {
            "contact_id": to.ids("N", numbers, 9),
            "loan_id": to.ids("L", loan, 7),
            "case_id": to.ids("C", case, 8, inbound),
            "direction": to.codes(inbound.astype(np.int8), DIRECTIONS),
            "channel": to.codes(channel, CHANNELS),
            "collector_id": to.ids("K", collector, 4, collector >= 0),
            "contacted_at": to.times(days * to.MICROSECONDS_A_DAY + hour),
            "contact_point": to.hashes(loans.customer[loan].astype(np.int64) * 8),
            "party": to.codes(np.where(outcome == INVALID, 2, 0), PARTIES),
            "outcome": to.codes(outcome, OUTCOMES),
            "duration_seconds": to.integers(seconds, inbound),
            "cost_amount": to.money(COST_CENTS[channel] * ~inbound),
            "is_recorded": to.flags(inbound, inbound),
            "has_consent": to.flags(inbound, inbound & False),
        },
    )
