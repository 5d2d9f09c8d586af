"""The limits of the signal, from a table that was simulated once.

`analytics/alarm_limits.csv` is made by `python -m bench.alarm_limits`.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from pathlib import Path

import numpy as np
import numpy.typing as npt

from analytics.alarm_simulation import simulated_limit, simulated_weeks
from analytics.complaint_baselines import Baseline, typical_baseline

Array = npt.NDArray[np.float64]
TABLE = Path(__file__).with_name("alarm_limits.csv")
COLUMNS = ("expected", "dispersion", "baseline_weeks", "limit", "weeks_to_find")
LONGEST = 104  # weeks; a doubling that takes longer is not said to be found
UNEVEN = 1.0  # exposures that differ by more (deviation over mean) are simulated as they are


@dataclass(frozen=True)
class Limits:
    """The table's axes and its values [weeks, dispersion, expected], scaled to run smoothly."""

    expected: Array  # logs
    dispersion: Array
    weeks: Array  # 1 / weeks, falling
    limit: Array  # over 1 + expected
    weeks_to_find: Array  # logs

    def at(self, expected: float, dispersion: float, weeks: float) -> tuple[float, float] | None:
        """Limit and weeks to find a doubling, by straight lines between the nodes; None outside."""
        inside = expected > 0 and weeks > 0
        wanted = (1 / weeks, dispersion, np.log(expected)) if inside else (np.nan,) * 3
        places = []
        for axis, value in zip((self.weeks, self.dispersion, self.expected), wanted, strict=True):
            place = _between(axis, float(value))
            if place is None:
                return None
            places.append(place)
        height = _blended(self.limit, places) * (1 + expected)
        return height, float(np.exp(_blended(self.weeks_to_find, places)))


def _between(axis: Array, value: float) -> tuple[int, float] | None:
    """The node before a value, and how far it is on the way to the next one."""
    slack = 1e-9 * float(axis[-1] - axis[0])
    if not axis[0] - slack <= value <= axis[-1] + slack:
        return None
    start = min(int(np.searchsorted(axis, value, "right")) - 1, axis.size - 2)
    start = max(start, 0)
    return start, float((value - axis[start]) / (axis[start + 1] - axis[start]))


def _blended(values: Array, places: list[tuple[int, float]]) -> float:
    for start, share in places:  # one axis after the other is done with
        values = (1 - share) * values[start] + share * values[start + 1]
    return float(values)


@lru_cache(maxsize=1)
def limits() -> Limits:
    """The table, read once."""
    with TABLE.open() as file:
        rows = np.array([[float(row[name]) for name in COLUMNS] for row in csv.DictReader(file)])
    expected, dispersion, weeks = (np.unique(column) for column in rows.T[:3])
    rows = rows[np.lexsort((rows[:, 0], rows[:, 1], -rows[:, 2]))]
    shape = (weeks.size, dispersion.size, expected.size)
    limit, found = (column.reshape(shape) for column in rows.T[3:])
    return Limits(
        np.log(expected), dispersion, 1 / weeks[::-1], limit / (1 + expected), np.log(found)
    )


def alarm_limit(baseline: Baseline, exposure: Array) -> float:
    """The height h that the running excess passes by chance in 0.55 % of all weeks.

    Read off the table by the complaints expected in a judged week, the dispersion that the
    baseline's weeks showed, and their number.  Weeks of uneven exposure (c: deviation over mean)
    are like even ones with 1 + c^2 times as many complaints, which is how many the week of an
    average complaint has, and a dispersion sqrt(1 + c^2 / 2) times as large (which fits best
    what was simulated for such weeks); and the limit is not below that of the quietest quarter's
    weeks, in which chance weighs most.  Simulated where the table does not reach, or c is above 1.
    """
    there = exposure[exposure > 0]
    uneven = float(there.var() / there.mean() ** 2)
    if uneven <= UNEVEN**2:
        table, factor = limits(), 1 + uneven
        spread = baseline.dispersion * (1 + uneven / 2) ** 0.5
        dispersion = min(spread, float(table.dispersion[-1]))
        whole = table.at(baseline.rate * float(there.mean()) * factor, dispersion, baseline.weeks)
        quiet = baseline.rate * float(np.sort(there)[there.size // 4])
        least = table.at(quiet, baseline.dispersion, baseline.weeks)
        if whole is not None:
            return max(whole[0], least[0] if least else 0.0)
    return simulated_limit(baseline, there)


def weeks_to_find(mu_per_week: float, dispersion: float, *, baseline_weeks: int = 52) -> int | None:
    """In how many weeks would a doubling show, with so few complaints a week?

    The weeks after which nine of ten simulated series have raised the signal since their rate
    doubled, with the limit that belongs to so many complaints, so much variation as estimated,
    and such a baseline; their true rates and variation differ as much as the baseline leaves
    open.  Read off a table of simulated limits by straight lines (in the logarithm of the
    complaints); simulated where the table does not reach.
    Out: weeks.  Null: more than 104.
    Refuses: no complaints expected, a negative dispersion, a baseline without weeks.
    Misleads: of series like this one; one's own doubling may be found sooner, or (one in ten)
    later; and later where the exposure differs much between weeks.
    Reference: simulation; Hawkins and Olwell 1998, Cumulative Sum Charts, for the chart.
    """
    if not 0 < mu_per_week < np.inf or not 0 <= dispersion < np.inf or baseline_weeks < 1:
        raise ValueError("complaints a week must lie above 0, and so must the baseline's weeks")
    table = limits()
    nearest = float(np.clip(dispersion, table.dispersion[0], table.dispersion[-1]))
    found = table.at(mu_per_week, nearest, baseline_weeks)
    weeks = found[1] if found else _simulated(mu_per_week, nearest, baseline_weeks)
    return ceil(weeks - 1e-6) if weeks <= LONGEST else None


@lru_cache(maxsize=1_024)
def _simulated(expected: float, dispersion: float, weeks: int) -> float:
    baseline = typical_baseline(expected, dispersion, weeks)
    return simulated_weeks(baseline, simulated_limit(baseline, np.ones(1)))
