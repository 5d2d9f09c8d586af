"""Collectors and agencies: pools by stage, true skill, and who gets the hard cases."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from warehouse.sample import columns as to
from warehouse.sample import model
from warehouse.sample.luck import Numbers
from warehouse.sample.model import Array
from warehouse.sample.months import Months
from warehouse.sample.write import BookWriter

EARLY, MIDDLE, LATE, AGENCY = 1, 2, 3, 4  # pools; 0 is the automated queue
POOL_NAMES = ("Automated", "Early", "Middle", "Late", "Agency")
POOL_SHARES = ((EARLY, 0.42), (MIDDLE, 0.25), (LATE, 0.13), (AGENCY, 0.20))
TEAM_SIZE = 14
AGENCY_SHARE = 0.60  # of cases 91 and more days late
CROSSED_SHARE = 0.10  # of in-house cases handed to another pool: it ties the pools together
PREFERENCE_NOISE = 0.90
DIFFICULTY_NOISE = 1.40


@dataclass(frozen=True)
class Staff:
    """One entry per collector; `skill` and `complaint_factor` are true and recorded nowhere."""

    pool: Array
    team: Array  # place in team_names
    team_names: tuple[str, ...]
    agency: Array  # -1: in-house
    agencies: int
    skill: Array  # log-odds of resolution
    preference: Array  # the higher, the harder the cases handed over
    capacity: Array
    complaint_factor: Array
    patience: Array  # the higher, the later the first contact
    hired_on: Array
    monthly_cost: Array  # cents
    hours: Array


def make_staff(rng: np.random.Generator, loans: int, months: Months) -> Staff:
    """One collector per 2,000 loans, twelve at least, in pools by stage."""
    count = max(12, round(loans / 2000))
    sizes = [max(2, round(share * count)) for _, share in POOL_SHARES]
    sizes[0] += count - sum(sizes)
    pool = np.repeat([name for name, _ in POOL_SHARES], sizes)
    agencies = max(2, min(8, sizes[3] // 10))
    agency = np.where(pool == AGENCY, np.arange(count) % agencies, -1)
    team, team_names = _teams(pool, agency)
    skill = np.clip(rng.standard_normal(count), -2.2, 2.2)
    for name, _ in POOL_SHARES:  # the same spread and no average advantage in any pool
        inside = pool == name
        skill[inside] -= skill[inside].mean()
    skill *= model.SKILL_SD
    tenure = 200 + 900 * rng.random(count) + 1200 * np.clip(skill + 0.3, 0.0, 1.0)
    cost = np.where(pool == AGENCY, 0.0, 7_000 + 900 * pool + 700 * rng.standard_normal(count))
    return Staff(
        pool=pool,
        team=team,
        team_names=team_names,
        agency=agency,
        agencies=agencies,
        skill=skill,
        preference=skill / model.SKILL_SD + PREFERENCE_NOISE * rng.standard_normal(count),
        capacity=0.7 + 0.6 * rng.random(count),
        complaint_factor=rng.gamma(4.0, 0.25, count),
        patience=0.35 + 0.9 * rng.random(count),
        hired_on=(months.start(0) - tenure).astype(np.int32),
        monthly_cost=np.round(np.maximum(cost, 0.0), -1).astype(np.int64) * 100,
        hours=np.where(pool == AGENCY, 150.0, 160.0),
    )


def _teams(pool: Array, agency: Array) -> tuple[Array, tuple[str, ...]]:
    names: list[str] = []
    team = np.empty(len(pool), np.int16)
    for name, _ in POOL_SHARES:
        inside = np.flatnonzero(pool == name)
        parts = agency[inside] if name == AGENCY else np.arange(len(inside)) // TEAM_SIZE
        for part in np.unique(parts):
            team[inside[parts == part]] = len(names)
            names.append(f"{POOL_NAMES[name]} {part + 1}")
    return team, tuple(names)


def assign(rng: Numbers, staff: Staff, stage: Array, difficulty: Array) -> Array:
    """A collector for each case: the harder it looks, the better the collector, with noise.

    `stage` is 1 early, 2 middle, 3 late; `difficulty` is what is recorded at opening.
    """
    pool = stage.copy()
    crossed = rng.random(len(pool)) < CROSSED_SHARE
    pool[crossed] = rng.integers(EARLY, AGENCY, int(crossed.sum()))
    pool[(pool == LATE) & ~crossed & (rng.random(len(pool)) < AGENCY_SHARE)] = AGENCY
    collector = np.empty(len(pool), np.int16)
    noise = rng.standard_normal(len(pool))
    for name, _ in POOL_SHARES:
        cases = np.flatnonzero(pool == name)
        if len(cases) == 0:
            continue
        spread = difficulty[cases].std() or 1.0
        seen = difficulty[cases] + DIFFICULTY_NOISE * spread * noise[cases]
        place = (np.argsort(np.argsort(seen)) + 0.5) / len(cases)
        people = np.flatnonzero(staff.pool == name)
        people = people[np.argsort(staff.preference[people], kind="stable")]
        edges = np.cumsum(staff.capacity[people])
        collector[cases] = people[np.searchsorted(edges / edges[-1], place)]
    return collector


def write_agencies(writer: BookWriter, staff: Staff, months: Months) -> None:
    which = np.arange(staff.agencies)
    writer.write(
        "agencies",
        {
            "agency_id": to.ids("A", which, 3),
            "name": to.codes(which, [f"Agency {n + 1}" for n in which]),
            "commission_rate": to.floats(0.18 + 0.02 * (which % 4)),
            "contract_from_on": to.dates(months.start(-12) + 0 * which),
            "contract_to_on": to.dates(months.end(0 * which + months.count - 1) + 184),
            "listed_from_on": to.dates(months.start(-12) + 20 + 0 * which),
            "listed_to_on": to.dates(0 * which, which < 0),
        },
    )


def write_collectors(writer: BookWriter, staff: Staff) -> None:
    writer.write(
        "collectors",
        {
            "collector_id": to.ids("K", np.arange(len(staff.pool)), 4),
            "team": to.codes(staff.team, staff.team_names),
            "agency_id": to.ids("A", staff.agency, 3, staff.agency >= 0),
            "hired_on": to.dates(staff.hired_on),
            "monthly_cost_amount": to.money(staff.monthly_cost, staff.agency < 0),
            "hours_per_month": to.floats(staff.hours),
        },
    )
