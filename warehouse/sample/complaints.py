"""Complaints and surveys: what borrowers say about how they were treated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warehouse.contract import CHANNELS, contract
from warehouse.sample import columns as to
from warehouse.sample.contacts import HOUR, Attempts
from warehouse.sample.model import Array
from warehouse.sample.state import Work, World
from warehouse.sample.write import BookWriter

_COLUMNS = contract.tables["complaints"].c
INTAKES, CATEGORIES = _COLUMNS.intake.info["codes"], _COLUMNS.category.info["codes"]
OUTCOMES, DEADLINES = _COLUMNS.outcome.info["codes"], _COLUMNS.deadline_class.info["codes"]
APPEALS = _COLUMNS.appeal_outcome.info["codes"]
GRADE_OF = np.array([1, 2, 2, 3, 3, 3, 3, 3, 4, 1])  # by category
CATEGORY_SHARES = (0.26, 0.16, 0.14, 0.16, 0.06, 0.05, 0.05, 0.04, 0.015, 0.065)

BASE_RATE = 0.0016  # complaints per attempt: average collector, channel, week and intensity
CHANNEL_FACTOR = np.array(
    [{"sms": 0.25, "app_push": 0.15, "messenger": 0.5, "email": 0.2, "letter": 0.6,
      "voice_bot": 1.1, "call": 1.6, "visit": 3.5, "mediation": 0.5}[name] for name in CHANNELS]
)  # fmt: skip
INTENSITY = 0.15  # each earlier attempt of the month on the case adds this share
WEEK_VARIANCE = 0.60  # of the weekly team factor, gamma with mean one
ALLOWED_DAYS = np.array([15, 30, 60])


@dataclass(frozen=True)
class Weeks:
    """Good and bad weeks of each team: gamma factors that make counts more variable."""

    first_day: int
    factor: Array  # week x team; team 0 is the automated queue


def make_weeks(rng: np.random.Generator, world: World) -> Weeks:
    first, last = int(world.months.start(0)), world.months.last
    weeks = (last - first) // 7 + 2
    shape = 1.0 / WEEK_VARIANCE
    factor = rng.gamma(shape, WEEK_VARIANCE, (weeks, len(world.staff.team_names) + 1))
    return Weeks(first, factor)


def complaint_probability(world: World, weeks: Weeks, work: Work, attempts: Attempts) -> Array:
    """Each attempt's chance to cause a complaint."""
    staff, row = world.staff, attempts.work
    collector = work.collector[row]
    owned = collector >= 0
    personal = np.where(owned, staff.complaint_factor[collector], 1.0)
    team = np.where(owned, staff.team[collector] + 1, 0)
    week = (attempts.at // to.MICROSECONDS_A_DAY - weeks.first_day) // 7
    begins = np.concatenate([[True], row[1:] != row[:-1]]) if len(row) else np.zeros(0, bool)
    place = np.arange(len(row))
    earlier = place - np.maximum.accumulate(np.where(begins, place, 0))
    return (
        BASE_RATE
        * CHANNEL_FACTOR[attempts.channel]
        * personal
        * weeks.factor[week, team]
        * (1.0 + INTENSITY * np.minimum(earlier, 12))
    )


def write_complaints(
    writer: BookWriter, world: World, weeks: Weeks, work: Work, attempts: Attempts
) -> None:
    """The month's complaints; those received after the book's last day are not in it yet."""
    rng = world.streams["complaints"]
    chance = complaint_probability(world, weeks, work, attempts)
    hit = np.flatnonzero(rng.random(len(chance)) < chance)
    received = attempts.at[hit] + (rng.exponential(1.5, len(hit)) * 24 * HOUR).astype(np.int64)
    received = received // 60_000_000 * 60_000_000
    now = (world.months.last + 1) * to.MICROSECONDS_A_DAY - 1
    hit, received = hit[received <= now], received[received <= now]
    rows = len(hit)
    row = attempts.work[hit]
    category = np.searchsorted(np.cumsum(CATEGORY_SHARES), rng.random(rows), side="right")
    category = np.minimum(category, len(CATEGORIES) - 1)
    grade = GRADE_OF[category]
    deadline = np.where(grade >= 4, 1, np.where(rng.random(rows) < 0.03, 2, 0))
    allowed = ALLOWED_DAYS[deadline]
    day = to.MICROSECONDS_A_DAY
    acknowledged = received + (rng.gamma(1.5, 0.5, rows) * day).astype(np.int64)
    responded = acknowledged + (rng.gamma(2.0, 1.2, rows) * day).astype(np.int64)
    resolved = responded + (rng.gamma(2.2, 0.17, rows) * allowed * day).astype(np.int64)
    done = resolved <= now
    upheld = np.searchsorted([0.22, 0.40, 0.92], rng.random(rows) - 0.06 * (grade - 2))
    appealed = resolved + (rng.gamma(2.0, 4.0, rows) * day).astype(np.int64)
    appeals = done & (upheld == 2) & (rng.random(rows) < 0.10) & (appealed <= now)
    answered = appeals & (appealed + 25 * day <= now)
    paid = done & (upheld <= 1) & (rng.random(rows) < 0.2)
    named, linked = rng.random(rows) < 0.80, rng.random(rows) < 0.95
    writer.write(
        "complaints",
        {
            "complaint_id": to.ids("G", writer.rows["complaints"] + np.arange(rows), 7),
            "customer_id": to.ids("B", world.loans.customer[work.loan[row]], 7),
            "case_id": to.ids("C", work.case[row], 8, named | linked),
            "contact_id": to.ids("N", attempts.number[hit], 9, named),
            "received_at": to.times(received),
            "intake": to.codes(_intakes(rng, rows), INTAKES),
            "category": to.codes(category, CATEGORIES),
            "grade": to.integers(grade),
            "acknowledged_at": to.times(acknowledged, acknowledged <= now),
            "responded_at": to.times(responded, responded <= now),
            "resolved_at": to.times(resolved, done),
            "outcome": to.codes(np.where(done, upheld, -1), OUTCOMES),
            "deadline_class": to.codes(deadline, DEADLINES),
            "appealed_at": to.times(appealed, appeals),
            "appeal_outcome": to.codes(
                np.where(answered, (rng.random(rows) < 0.2).astype(int), -1), APPEALS
            ),
            "compensation_amount": to.money(
                np.round(rng.gamma(2.0, 10_000, rows)).astype(np.int64), paid
            ),
        },
    )


def _intakes(rng: np.random.Generator, rows: int) -> Array:
    return np.searchsorted(np.cumsum([0.52, 0.24, 0.08, 0.08]), rng.random(rows), side="right")


def write_surveys(writer: BookWriter, world: World, t: int, work: Work) -> None:
    """One in twenty resolved cases answers a survey, some days after the case was closed."""
    rng = world.streams["surveys"]
    row = np.flatnonzero(work.is_resolved & (rng.random(len(work.loan)) < 0.05))
    on = work.pays_on[row] + rng.integers(1, 10, len(row))
    row, on = row[on <= world.months.last], on[on <= world.months.last]
    owned = work.collector[row] >= 0
    factor = np.where(owned, world.staff.complaint_factor[work.collector[row]], 0.9)
    score = 3.9 - 0.35 * (factor - 1.0) - 0.2 * owned + 0.95 * rng.standard_normal(len(row))
    writer.write(
        "surveys",
        {
            "survey_id": to.ids("S", writer.rows["surveys"] + np.arange(len(row)), 7),
            "customer_id": to.ids("B", world.loans.customer[work.loan[row]], 7),
            "case_id": to.ids("C", work.case[row], 8),
            "surveyed_on": to.dates(on),
            "satisfaction": to.integers(np.clip(np.round(score), 1, 5)),
        },
    )
