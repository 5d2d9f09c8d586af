"""What collecting cost, month by month, and what else happened to people and partners."""

from __future__ import annotations

import numpy as np

from warehouse.contract import CHANNELS, contract
from warehouse.sample import columns as to
from warehouse.sample.model import Array
from warehouse.sample.state import World
from warehouse.sample.write import BookWriter

KINDS = contract.tables["costs"].c.kind.info["codes"]
LABOUR, SYSTEM, TELECOM, LEGAL, AGENCY, BONUS, TRAINING, OTHER = range(8)
EVENTS = contract.tables["events"].c.kind.info["codes"]
TRAINED, SUSPENDED, VETTED, SIGNED, SPOT_CHECK, FINDING, REMEDIED = range(7)
OVERHEAD = 1.18  # labour beyond the collectors' own cost: leads, holidays, contributions


def write_costs(
    writer: BookWriter, world: World, t: int, contact_cost: Array, legal_fees: int, agency_cash: int
) -> None:
    """The month's `costs` in cents by kind, team and channel; `contact_cost` is by channel."""
    staff, rng = world.staff, world.streams["costs"]
    lines: list[tuple[int, int, int, float, bool]] = []
    for team in range(len(staff.team_names)):
        labour = staff.monthly_cost[(staff.team == team) & (staff.agency < 0)].sum()
        if labour:
            lines.append((LABOUR, team, -1, labour * OVERHEAD, False))
            lines.append((BONUS, team, -1, labour * (0.06 + 0.04 * rng.random()), False))
    for channel in np.flatnonzero(contact_cost):
        kind_of = OTHER if CHANNELS[channel] in ("visit", "mediation", "letter") else TELECOM
        lines.append((kind_of, -1, int(channel), contact_cost[channel] * 1.03, False))
    people = len(staff.pool)
    lines.append((SYSTEM, -1, -1, 40_000_00 + people * 450_00, False))
    lines.append((LEGAL, -1, -1, legal_fees, False))
    lines.append((AGENCY, -1, -1, agency_cash * 0.21, False))
    lines.append((TRAINING, -1, -1, people * 60_00 * (1 + (t % 6 == 2)), False))
    lines.append((OTHER, -1, -1, people * 80_00, False))
    if t == world.months.count // 3:
        lines.append((SYSTEM, -1, -1, 250_000_00 + people * 2_000_00, True))
    kind, team_, channel_, cents, once = (np.array(values) for values in zip(*lines, strict=True))
    writer.write(
        "costs",
        {
            "month": to.dates(np.full(len(lines), world.months.end(t))),
            "kind": to.codes(kind, KINDS),
            "team": to.codes(team_, staff.team_names),
            "channel": to.codes(channel_, CHANNELS),
            "amount": to.money(np.round(cents).astype(np.int64)),
            "is_one_off": to.flags(once),
        },
    )


def write_events(writer: BookWriter, world: World) -> None:
    """Vetting and confidentiality at hiring, training, suspensions; checks of agencies."""
    staff, months = world.staff, world.months
    rng = world.streams["events"]
    people = np.arange(len(staff.pool))
    first, last = int(months.start(0)), months.last
    trained = np.flatnonzero(rng.random(len(people)) < 0.7)
    suspended = np.flatnonzero((staff.complaint_factor > 1.6) & (rng.random(len(people)) < 0.3))
    rounds = max(1, months.count // 3)
    checks = np.repeat(np.arange(staff.agencies), rounds)
    check_on = first + (np.arange(len(checks)) % rounds) * (last - first) // rounds
    check_on += rng.integers(0, 28, len(checks))
    failing = np.flatnonzero(rng.random(len(checks)) < 0.15)
    findings = checks[failing]
    groups: list[tuple[int, Array | int, Array | int, Array]] = [
        (VETTED, people, -1, staff.hired_on - 10),
        (SIGNED, people, -1, staff.hired_on),
        (TRAINED, trained, -1, rng.integers(first, last, len(trained))),
        (SUSPENDED, suspended, -1, rng.integers(first, last, len(suspended))),
        (SPOT_CHECK, -1, checks, check_on),
        (FINDING, -1, findings, check_on[failing]),
        (REMEDIED, -1, findings[::2], np.minimum(check_on[failing[::2]] + 21, last)),
    ]
    kind = np.concatenate([np.full(len(on), k) for k, _, _, on in groups])
    on = np.concatenate([on for *_, on in groups])
    collector = np.concatenate([np.broadcast_to(c, len(on)) for _, c, _, on in groups])
    agency = np.concatenate([np.broadcast_to(a, len(on)) for _, _, a, on in groups])
    passed = kind != SPOT_CHECK
    passed[np.flatnonzero(~passed)] = ~np.isin(np.arange(len(checks)), failing)
    judged = np.isin(kind, (VETTED, TRAINED, SPOT_CHECK))
    writer.write(
        "events",
        {
            "event_id": to.ids("V", np.arange(len(kind)), 6),
            "occurred_on": to.dates(on),
            "kind": to.codes(kind, EVENTS),
            "collector_id": to.ids("K", collector, 4, collector >= 0),
            "agency_id": to.ids("A", agency, 3, agency >= 0),
            "is_passed": to.flags(passed, judged),
        },
    )
