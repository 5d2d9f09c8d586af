"""A book of complaints with a planted rise: two teams, one of which doubles in the last weeks."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np

from jobs.refresh import refresh
from tests.books import loan, month, put
from tests.served import Place, place

FIRST, WEEKS = dt.date(2024, 1, 1), 82  # Mondays, to 27 July 2025
AS_OF = dt.date(2025, 7, 31)
RISE = 74  # the week from which team Beta draws more
ATTEMPTS, USUAL, RISEN = 40, 5.0, 13.0  # by team and week
TEAMS = {"Alpha": ("K1", "K2"), "Beta": ("K3", "K4")}
MONTHS = [
    dt.date(year, number % 12 + 1, 1) - dt.timedelta(days=1) if number < 12
    else dt.date(year, 12, 31)
    for year in (2024, 2025)
    for number in range(1, 13)
    if (year, number) <= (2025, 7)
]  # fmt: skip
RISE_ON = FIRST + dt.timedelta(weeks=RISE)


def _at(day: dt.date, hour: int = 10, minute: int = 0) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour, minute))


def complaint(number: object, received: dt.datetime, **more: Any) -> dict[str, Any]:
    row = {
        "complaint_id": f"G{number}",
        "received_at": received,
        "intake": "hotline",
        "category": "service",
        "grade": 1,
        "deadline_class": "normal",
        "acknowledged_at": received + dt.timedelta(days=1),
        "responded_at": received + dt.timedelta(days=2),
        "resolved_at": received + dt.timedelta(days=5),
        "outcome": "not_upheld",
    }
    return row | more


def planted() -> dict[str, list[dict[str, Any]]]:
    """Contacts and complaints week by week (seeded), and a few complaints of every odd kind."""
    rng = np.random.default_rng(4)
    owners = [(who, team) for team, people in TEAMS.items() for who in people]
    contacts: list[dict[str, Any]] = []
    complaints: list[dict[str, Any]] = []
    for week in range(WEEKS):
        for team, people in TEAMS.items():
            made = []
            for place_ in range(ATTEMPTS):
                who = people[place_ % 2]
                day = FIRST + dt.timedelta(weeks=week, days=place_ % 5)
                contact_id = f"T{len(contacts)}"
                made.append((contact_id, day, who))
                contacts.append({
                    "contact_id": contact_id, "loan_id": f"L{who}", "case_id": f"C{who}",
                    "direction": "outbound", "channel": "call", "collector_id": who,
                    "contacted_at": _at(day, 10, place_), "party": "debtor",
                    "outcome": "no_answer",
                })  # fmt: skip
            mean = RISEN if team == "Beta" and week >= RISE else USUAL
            for contact_id, day, _ in made[: min(int(rng.poisson(mean)), ATTEMPTS)]:
                complaints.append(
                    complaint(len(complaints), _at(day, 15), contact_id=contact_id)
                )  # the same day: within its week
    return {
        "customers": [{"customer_id": "X", "region": "North", "is_vulnerable": False}],
        "collectors": [{"collector_id": who, "team": team} for who, team in owners],
        "loans": [
            loan(f"L{who}", "auto" if who == "K4" else "card", customer_id="X") for who, _ in owners
        ] + [loan("idle", "home")],
        "loan_months": [
            month(name, end, 5, "1000")
            for name in [*(f"L{who}" for who, _ in owners), "idle"]
            for end in MONTHS
        ],
        "cases": [
            {"case_id": f"C{who}", "loan_id": f"L{who}", "collector_id": who, "team": team,
             "opened_on": FIRST, "opening_days_past_due": 5, "placed_amount": "100"}
            for who, team in owners
        ],
        "contacts": contacts,
        "complaints": complaints + odd_ones(),
    }  # fmt: skip


def odd_ones() -> list[dict[str, Any]]:
    """Of grade 4, open, overdue, backwards, and nobody's."""
    june, july = dt.date(2025, 6, 10), dt.date(2025, 7, 29)
    worst: dict[str, Any] = {"category": "threat", "grade": 4, "outcome": "upheld"}
    waits: dict[str, Any] = {
        name: None for name in ("acknowledged_at", "responded_at", "resolved_at", "outcome")
    }
    return [
        complaint("veto", _at(june), contact_id="T0", **worst),
        complaint("fallback", _at(june), case_id="CK3", **worst),  # it names no contact
        complaint("lifted", _at(june), contact_id="T1", **worst,
                  appealed_at=_at(dt.date(2025, 6, 20)), appeal_outcome="reversed"),
        complaint("waits", _at(july), case_id="CK1", **waits),
        complaint("overdue", _at(dt.date(2025, 7, 1)), case_id="CK1", **waits),
        complaint("soon", _at(dt.date(2025, 7, 20)), case_id="CK1", **waits),
        complaint("late", _at(dt.date(2025, 5, 1)), case_id="CK1",
                  **({"resolved_at": _at(dt.date(2025, 5, 30))})),
        complaint("backwards", _at(dt.date(2025, 5, 2)), case_id="CK1",
                  **({"acknowledged_at": None, "responded_at": None,
                      "resolved_at": _at(dt.date(2025, 5, 1))})),
        complaint("nobody", _at(dt.date(2025, 5, 5)), deadline_class=None),
    ]  # fmt: skip


def refreshed(folder: Path, *without: str) -> Place:
    """The book in a warehouse of its own, with its marts published."""
    where = place(folder)
    put(where.url, **{name: rows for name, rows in planted().items() if name not in without})
    refresh(where.url, where.marts)
    return where
