"""What the book's cases take: hours, money and complaints for each attempt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from analytics.attempt_complaints import AttemptComplaints, attempt_complaints
from analytics.intensity import intensity_cells, intensity_cost
from analytics.intervals import Array
from analytics.strategy_fields import CHANNELS, STAGES
from analytics.treated_cases import Treated, case_months

# Minutes that an attempt takes, with what goes before and after it; automated ones take none.
MINUTES = {"call": 8.0, "visit": 90.0, "mediation": 60.0, "letter": 5.0}
PRODUCTIVE = 0.75  # of the paid hours


@dataclass(frozen=True)
class Workload:
    """What the book's cases take: how many there are, and what an attempt costs and brings.

    `cases` and `balance` [segment, stage]: open at a month's start, on average (reminder: loans
    that are not late); `per_unit`: cases for a unit of balance.  By channel: `unit_cost` in
    currency, `minutes`; `complaints` of an attempt by stage and channel.  `crowding`: complaints
    of an attempt on cases with so many a month, against the average (`crowding_at`).  `missing`:
    what the book does not record, in codes (`contacts`, `costs`, `complaints`, `people`).
    `lasting`: of placements and suits (`agency`, `suit`), the share still there by month, where it
    is known.
    """

    segments: tuple[str, ...]
    keys: pl.DataFrame
    cases: Array
    balance: Array
    unit_cost: Array
    costed: npt.NDArray[np.bool_]
    minutes: Array
    complaints: AttemptComplaints
    crowding_at: Array
    crowding: Array
    missing: tuple[str, ...]
    lasting: Mapping[str, Array] = field(default_factory=dict)

    @property
    def per_unit(self) -> Array:
        return np.divide(self.cases, self.balance, out=np.zeros_like(self.cases),
                         where=self.balance > 0)  # fmt: skip


def workload(treated: Treated, keys: pl.DataFrame, loans: Array, balance: Array) -> Workload:
    """What do the cases of the book take: hours, money and complaints for each attempt?

    `loans` and `balance` [segment, stage] at the months' starts, added up over the period.
    Cost of an attempt: costs recorded with contacts / contacts that have one; 0, and named as
    missing, where none has.  Complaints of an attempt by stage and channel (see
    `attempt_complaints`); more on cases that get many a month, by the Poisson model of
    `intensity_cost`.
    """
    months = case_months(treated, keys, loans)
    shape = (keys.height, len(STAGES))
    cases = months["open_cases"].to_numpy().reshape(shape) / max(treated.count, 1)
    cost, costed = _unit_costs(treated.work)
    said = attempt_complaints(treated)
    at, crowding = _crowding(treated)
    missing = [
        name
        for name, is_missing in (
            ("contacts", treated.work.is_empty()),
            ("costs", treated.spending.is_empty()),
            ("unit_costs", not treated.work.is_empty() and not costed.any()),
            ("complaints", not said.rate.any()),
            ("people", treated.people.is_empty()),
        )
        if is_missing
    ]
    return Workload(
        segments=tuple(keys["segment"]),
        keys=keys,
        cases=cases,
        balance=balance / max(treated.count, 1),
        unit_cost=cost,
        costed=costed,
        minutes=np.array([MINUTES.get(channel, 0.0) for channel in CHANNELS]),
        complaints=said,
        crowding_at=at,
        crowding=crowding,
        missing=tuple(missing),
    )


def _unit_costs(work: pl.DataFrame) -> tuple[Array, npt.NDArray[np.bool_]]:
    by = {
        row["channel"]: row
        for row in work.group_by("channel")
        .agg(pl.col("costed_attempts", "cost_cents").sum())
        .iter_rows(named=True)
    }
    found = np.array([
        (by[one]["cost_cents"] / by[one]["costed_attempts"] / 100)
        if one in by and by[one]["costed_attempts"] else np.nan
        for one in CHANNELS
    ])  # fmt: skip
    return np.nan_to_num(found), np.isfinite(found)


def _crowding(treated: Treated) -> tuple[Array, Array]:
    """Complaints of one attempt at so many a month, against the average; 1 where unknown."""
    flat = np.array([0.5, 20.0]), np.ones(2)
    if treated.complaints.is_empty() or treated.intensity.is_empty():
        return flat
    cells = intensity_cells(treated.complaints, treated.intensity, controls=["stage"])
    if cells.is_empty():
        return flat
    cost = intensity_cost(cells, controls=["stage"])
    if cost.reason is not None:
        return flat
    curve = cost.curve.filter(pl.col("attempts") > 0).sort("attempts")
    at = curve["attempts"].to_numpy()
    rate = np.maximum.accumulate(curve["rate"].to_numpy())  # more attempts, no fewer complaints
    weights = curve["cases"].to_numpy() * at
    each = rate / at
    return at, each / np.average(each, weights=weights)
