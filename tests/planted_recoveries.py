"""A small book of cases with planted recoveries, by owner and lateness, made by hand."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from jobs.refresh import refresh
from tests.books import loan, month, put
from tests.served import Place, place
from warehouse.published import current_version

MONTH_ENDS = [
    dt.date(2024, number, day)
    for number, day in ((1, 31), (2, 29), (3, 31), (4, 30), (5, 31), (6, 30), (7, 31), (8, 31))
]
OPENINGS = (dt.date(2024, 1, 10), dt.date(2024, 2, 12), dt.date(2024, 3, 11))
BASE = {"early": 0.6, "late": 0.3}  # what an owner with skill 1 gets of what is placed
SKILL = {"house": 1.0, "A1": 1.4, "A2": 0.8}
EARLY = {"house": 0.7, "A1": 0.2, "A2": 0.5}  # share of early cases: agency A1 gets the hard ones
COMMISSION = {"A1": 0.2, "A2": 0.2}
CASES = 60
Rows = list[dict[str, Any]]


def planted_cases() -> list[dict[str, Any]]:
    """One row a case, with all that was planted in it."""
    rows = []
    for owner, skill in SKILL.items():
        for number in range(CASES):
            stage = "early" if number < round(CASES * EARLY[owner]) else "late"
            placed = 100 if (number // 8) % 2 else 200
            share = BASE[stage] * skill * (1.2 if number % 2 else 0.8)
            rows.append(
                {
                    "id": f"{owner}-{number:03}",
                    "owner": owner,
                    "stage": stage,
                    "opened_on": OPENINGS[number % len(OPENINGS)],
                    "placed": placed,
                    "paid": round(placed * share, 2),
                    "is_cured": number % 2 == 1,
                }
            )
    return rows


def case_book(cases: list[dict[str, Any]]) -> dict[str, Rows]:
    """The book's tables."""
    ids = [case["id"] for case in cases]
    return {
        "customers": [
            {"customer_id": "N", "region": "North", "is_vulnerable": False},
            {"customer_id": "S", "region": "South", "is_vulnerable": False},
        ],
        "loans": [
            loan(name, "auto" if number % 5 else "card", customer_id="NS"[(number // 2) % 2])
            for number, name in enumerate(ids)
        ],
        "loan_months": [month(name, day, 35, "500.00") for name in ids for day in MONTH_ENDS],
        "agencies": [
            {
                "agency_id": name,
                "name": f"Agency {name}",
                "commission_rate": COMMISSION[name],
                "contract_from_on": dt.date(2023, 1, 1),
                "contract_to_on": None,
                "listed_from_on": dt.date(2023, 1, 1),
                "listed_to_on": None,
            }
            for name in ("A1", "A2")
        ],
        "collectors": [{"collector_id": "K1", "team": "Field", "agency_id": None}],
        "cases": [_case(case) for case in cases],
        "payments": [
            {
                "payment_id": f"p{number}",
                "loan_id": case["id"],
                "case_id": case["id"],
                "paid_on": case["opened_on"] + dt.timedelta(days=20),
                "amount": str(case["paid"]),
            }
            for number, case in enumerate(cases)
        ],
        "costs": [
            _cost(day, kind, amount)
            for day in MONTH_ENDS
            for kind, amount in (("labour", "100.00"), ("agency", "40.00"), ("system", "1000.00"))
        ],
    }


def _cost(day: dt.date, kind: str, amount: str) -> dict[str, Any]:
    where = {"month": day, "kind": kind, "team": None, "channel": None}
    return where | {"amount": amount, "is_one_off": kind == "system"}


def _case(case: dict[str, Any]) -> dict[str, Any]:
    is_house = case["owner"] == "house"
    opened = case["opened_on"]
    return {
        "case_id": case["id"],
        "loan_id": case["id"],
        "episode_id": f"e-{case['id']}",
        "collector_id": "K1" if is_house else None,
        "team": "Field" if is_house else None,
        "agency_id": None if is_house else case["owner"],
        "opened_on": opened,
        "closed_on": opened + dt.timedelta(days=25) if case["is_cured"] else None,
        "opening_days_past_due": 15 if case["stage"] == "early" else 120,
        "placed_amount": str(case["placed"]),
        "close_reason": "cured" if case["is_cured"] else None,
    }


def refreshed(folder: Path) -> Place:
    """The book in a warehouse of its own, with its marts published."""
    where = place(folder)
    put(where.url, **case_book(planted_cases()))
    refresh(where.url, where.marts)
    return where


def altered(where: Place, folder: Path, *statements: str) -> Place:
    """The same place with a copy of its marts in which something is different."""
    marts = folder / "altered"
    shutil.copytree(where.marts, marts)
    path = current_version(marts)
    assert path is not None
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)
    return replace(where, marts=marts)
