"""Complaints as a trial's guard-rail: the rise that it would notice, and when it stops."""

from __future__ import annotations

from math import isfinite

import numpy as np
import polars as pl
from scipy import stats
from scipy.optimize import brentq

from analytics.trials import ERROR, POWER, check_errors

STOP_ERROR = 0.001
MOST_COMPLAINTS = 1_000_000  # expected in an arm


def rise_noticed(
    rate: float, attempts: float, *, power: float = POWER, error: float = ERROR
) -> float | None:
    """What is the smallest rise in complaints that the trial would notice?

    If nothing changed, each complaint is as likely the new way's as the present one's: k of n, with
    probability 1/2.  A rise is noticed where P(k or more) <= `error` (exact, one-sided); the rise
    is the one that is noticed with probability `power`, both arms' complaints being Poisson.

    In: complaints per 1,000 attempts today, attempts in each arm.  Out: the rise per 1,000
    attempts.
    Null: None where a million complaints or more would be expected.
    Refuses: a negative rate, no attempts, a power not above the error.
    Misleads: complaints that come in bunches vary more than Poisson's, and the rise must be
    larger; a trial too small to notice a doubling is no guard at all.
    Reference: Przyborowski and Wilenski 1940 (the conditional test).

    >>> round(rise_noticed(1.4, 20_000), 2)
    1.15
    """
    if not (isfinite(rate) and rate >= 0) or not (isfinite(attempts) and attempts > 0):
        raise ValueError("complaints per 1,000 attempts are no fewer than 0, attempts more")
    check_errors(power, error)
    before = rate * attempts / 1000
    if before > MOST_COMPLAINTS:
        return None
    enough = before + 20 * np.sqrt(before + 1) + 30

    def short(after: float) -> float:
        return _notices(before, after, error) - power

    after = brentq(short, before, enough, xtol=1e-6 * (before + 1))
    return float(after - before) / attempts * 1000


def _notices(before: float, after: float, error: float) -> float:
    """P(the conditional test notices a rise) for the expected complaints of both arms."""
    mean = before + after
    reach = 9 * np.sqrt(mean + 1) + 10
    totals = np.arange(max(0, int(mean - reach)), int(mean + reach) + 1)
    limit = _noticed_from(totals, error)
    found = stats.binom.sf(limit - 1, totals, after / mean if mean else 0.5)
    return float((stats.poisson.pmf(totals, mean) * found).sum())


def _noticed_from(totals: np.ndarray, error: float) -> np.ndarray:
    """The fewest complaints of the new way, of so many of both, that chance seldom brings."""
    return stats.binom.isf(error, totals, 0.5).astype(np.int64) + 1


def stop_limits(
    present: list[int], *, error: float = ERROR, stop_error: float = STOP_ERROR
) -> pl.DataFrame:
    """When does a trial stop for complaints?

    With as many attempts in both arms: at any look before the end, stop where chance alone would
    bring as many complaints of the new way, or more, once in a thousand trials; at the end, a
    rise is taken as shown at one in twenty.  So many looks hardly raise the chance of stopping
    for nothing.

    In: counts of the present way's complaints.  Out: `present`, `stop_at` (so many of the new
    way's, at any look), `risen_at` (at the end).
    Refuses: a negative count.
    Misleads: grave complaints are not to be counted but acted on, the first one already.
    Reference: Haybittle 1971; Peto et al. 1976.

    >>> stop_limits([0, 4, 20]).rows()
    [(0, 10, 5), (4, 20, 12), (20, 46, 33)]
    """
    if any(count < 0 for count in present):
        raise ValueError("complaints are counted from 0")

    def limit(count: int, chance: float) -> int:
        new = count + np.arange(int(12 * np.sqrt(count + 1)) + 40)
        rare = stats.binom.sf(new - 1, count + new, 0.5) <= chance
        return int(new[np.argmax(rare)])

    return pl.DataFrame(
        {
            "present": present,
            "stop_at": [limit(count, stop_error) for count in present],
            "risen_at": [limit(count, error) for count in present],
        },
        schema={"present": pl.Int64, "stop_at": pl.Int64, "risen_at": pl.Int64},
    )
