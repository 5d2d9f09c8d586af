"""The register of cases: opened once, closed once, looked up by number."""

from __future__ import annotations

from typing import Any

import numpy as np

from warehouse.sample import columns as to
from warehouse.sample.collectors import Staff
from warehouse.sample.model import Array
from warehouse.sample.write import BookWriter

CURED, PAID_OFF, SETTLED, RESTRUCTURED, CHARGED_OFF, SOLD, TRANSFERRED = range(7)
CLOSE_REASONS = (
    "cured",
    "paid_off",
    "settled",
    "restructured",
    "charged_off",
    "sold",
    "transferred",
)
STRATEGIES = ("reminder", "soft_contact", "negotiate", "legal_first")
TRIAL_ARMS = ("champion", "challenger")
REASONS = (
    "hardship",
    "forgot",
    "dispute",
    "misunderstanding",
    "unwilling",
    "unreachable",
    "fraud",
)
_FIELDS: dict[str, Any] = {
    "loan": np.int32,
    "episode": np.int32,
    "collector": np.int16,  # -1: automated queue
    "stage": np.int8,  # at opening: 0 automated, 1 early, 2 middle, 3 late
    "months_late": np.int8,  # at opening
    "opened_month": np.int16,
    "opened_on": np.int32,
    "opening_days": np.int32,
    "placed": np.int64,
    "placed_balance": np.int64,
    "strategy": np.int8,
    "trial": np.int8,  # -1: not in the trial
    "reason": np.int8,  # -1: unknown
    "plan": np.int16,
    "usual_plan": np.int16,  # what an unchanged strategy would have planned
    "closed_on": np.int32,  # -1: still open
    "close_reason": np.int8,
}


class Register:
    """All cases so far, one array per field."""

    def __init__(self) -> None:
        self.count = 0
        self.episodes = 0
        self._fields = {name: np.empty(1024, kind) for name, kind in _FIELDS.items()}

    def __getitem__(self, field: str) -> Array:
        return self._fields[field][: self.count]

    def open(self, **fields: Array) -> Array:
        """Add cases and return their numbers."""
        rows = len(fields["loan"])
        fresh = np.arange(self.count, self.count + rows, dtype=np.int32)
        self.count += rows
        fields |= {"closed_on": np.full(rows, -1), "close_reason": np.full(rows, -1)}
        for name, values in self._fields.items():
            if self.count > len(values):
                values = np.concatenate([values, np.empty(self.count, values.dtype)])
                self._fields[name] = values
            values[fresh] = fields[name]
        return fresh

    def new_episodes(self, rows: int) -> Array:
        fresh = np.arange(self.episodes, self.episodes + rows, dtype=np.int32)
        self.episodes += rows
        return fresh

    def close(self, cases: Array, closed_on: Array, reason: Array | int) -> None:
        self._fields["closed_on"][cases] = closed_on
        self._fields["close_reason"][cases] = reason


def write_cases(writer: BookWriter, register: Register, staff: Staff) -> None:
    collector = register["collector"]
    owned = collector >= 0
    agency = np.where(owned, staff.agency[collector], -1)
    writer.write(
        "cases",
        {
            "case_id": to.ids("C", np.arange(register.count), 8),
            "loan_id": to.ids("L", register["loan"], 7),
            "episode_id": to.ids("E", register["episode"], 8),
            "collector_id": to.ids("K", collector, 4, owned),
            "team": to.codes(np.where(owned, staff.team[collector], -1), staff.team_names),
            "agency_id": to.ids("A", agency, 3, agency >= 0),
            "opened_on": to.dates(register["opened_on"]),
            "closed_on": to.dates(register["closed_on"], register["closed_on"] >= 0),
            "opening_days_past_due": to.integers(register["opening_days"]),
            "placed_amount": to.money(register["placed"]),
            "placed_balance_amount": to.money(register["placed_balance"]),
            "strategy": to.codes(register["strategy"], STRATEGIES),
            "trial_arm": to.codes(register["trial"], TRIAL_ARMS),
            "close_reason": to.codes(register["close_reason"], CLOSE_REASONS),
            "delinquency_reason": to.codes(register["reason"], REASONS),
        },
    )
