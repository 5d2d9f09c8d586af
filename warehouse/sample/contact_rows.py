"""The month's contacts as rows of the contract: attempts, reminders, and borrowers who call."""

from __future__ import annotations

import numpy as np

from warehouse.contract import CHANNELS
from warehouse.sample import columns as to
from warehouse.sample.contacts import (
    APP_PUSH,
    BY_PERSON,
    CALL,
    CLICKED,
    DELIVERED,
    HOUR,
    INVALID,
    MEDIATION,
    OPENED,
    OUTCOMES,
    RIGHT,
    SMS,
    THIRD,
    VISIT,
    VOICE_BOT,
    Attempts,
)
from warehouse.sample.model import Array
from warehouse.sample.state import Work, World
from warehouse.sample.write import BookWriter

PARTIES = ("debtor", "third_party", "unknown")
DIRECTIONS = ("outbound", "inbound")
COST_CENTS = np.array([5, 1, 2, 1, 400, 30, 180, 6_000, 12_000])


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
