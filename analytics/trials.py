"""A trial of two ways of working: how many accounts it needs, and what it can show."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
from scipy.optimize import brentq
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    samplesize_proportions_2indep_onetail,
)

POWER = 0.8
ERROR = 0.05


def accounts_needed(
    share: float, hoped: float, *, power: float = POWER, error: float = ERROR
) -> int:
    """How many accounts does each arm need, to find a difference if it is there?

    n = (z_a sqrt(2 p (1 - p)) + z_b sqrt(p1 (1 - p1) + p2 (1 - p2)))^2 / (p2 - p1)^2, p the mean
    of both shares, z_a the normal quantile of half the `error` (two-sided) and z_b that of the
    `power`; rounded up.

    In: the share that resolves today, the share hoped for, the probability of finding the
    difference, the probability of finding one where there is none.  Out: accounts in each arm.
    Refuses: shares outside 0 to 1 or equal to each other; a power not above the error.
    Misleads: an account is drawn to an arm at random, once, and its outcome does not depend on
    the others'; accounts of one collector are alike, so a trial by collector needs more.
    Reference: Fleiss, Levin and Paik 2003, section 4.2, without the continuity correction.

    >>> accounts_needed(0.30, 0.33)
    3763
    """
    for name, value in (("share", share), ("hoped for", hoped)):
        if not 0 < value < 1:
            raise ValueError(f"the {name} lies between 0 and 1, not {value}")
    if share == hoped:
        raise ValueError("a trial looks for a difference: both shares are the same")
    check_errors(power, error)
    needed = samplesize_proportions_2indep_onetail(
        hoped - share, share, power, alpha=error, alternative="two-sided"
    )
    return ceil(needed)


def difference_found(
    share: float, accounts: int, *, power: float = POWER, error: float = ERROR
) -> float | None:
    """What is the smallest rise that a trial of so many accounts an arm would find?

    The difference for which the accounts needed are those at hand.

    Null: None where even a rise to all accounts would need more.
    Refuses: as the accounts needed; fewer than 2 accounts.
    Misleads: as the accounts needed.

    >>> round(difference_found(0.30, 3763), 4)
    0.03
    """
    if accounts < 2:
        raise ValueError("an arm has at least two accounts")
    last = 1 - 1e-9

    def excess(hoped: float) -> float:
        needed = samplesize_proportions_2indep_onetail(hoped - share, share, power, alpha=error)
        return float(np.log(needed / accounts))

    accounts_needed(share, (share + 1) / 2, power=power, error=error)  # refuses what is wrong
    if excess(last) > 0:
        return None
    return float(brentq(excess, share + 1e-9, last, xtol=1e-12)) - share


@dataclass(frozen=True)
class Shown:
    """The difference between two arms with its interval, as shares."""

    difference: float
    low: float
    high: float

    @property
    def is_beyond_noise(self) -> bool:
        return self.low > 0 or self.high < 0


def trial_shows(
    resolved: int, accounts: int, resolved_before: int, accounts_before: int,
    *, error: float = ERROR,
) -> Shown:  # fmt: skip
    """What does a trial show?

    The difference of two shares, the new way's less the present one's, with Newcombe's hybrid
    score interval (from the Wilson intervals of both).

    In: resolved and accounts of the new way, then of the present one.  Out: difference, low, high.
    Refuses: more resolved than accounts; an arm without accounts.
    Misleads: looking often and stopping when the interval leaves 0 finds differences where there
    are none; decide beforehand when to look.
    Reference: Newcombe 1998, Statistics in Medicine 17:873, method 10.

    >>> one = trial_shows(330, 1000, 300, 1000)
    >>> round(one.difference, 3), round(one.low, 3), round(one.high, 3)
    (0.03, -0.011, 0.071)
    """
    for count, of in ((resolved, accounts), (resolved_before, accounts_before)):
        if of < 1 or not 0 <= count <= of:
            raise ValueError(f"{count} of {of} accounts is no result of an arm")
    low, high = confint_proportions_2indep(
        resolved, accounts, resolved_before, accounts_before,
        compare="diff", method="newcomb", alpha=error,
    )  # fmt: skip
    difference = resolved / accounts - resolved_before / accounts_before
    return Shown(difference, float(low), float(high))


def weeks_needed(
    accounts: int, new_a_week: float, *, share: float = 1.0, days: int = 30
) -> int | None:
    """How long does the trial take?

    Weeks until both arms are full, from the share of the book's new cases that goes into the
    trial, and the days until the last account's outcome is known; rounded up.

    In: accounts of each arm, new cases a week, the share of them in the trial, days to the
    outcome.  Out: weeks.
    Null: None where no new case comes.
    Refuses: a share outside 0 to 1, negative numbers.
    Misleads: it takes the coming weeks to be like those it was measured on.

    >>> weeks_needed(3763, 700, share=0.5, days=30)
    26
    """
    if accounts < 1 or new_a_week < 0 or days < 0 or not 0 < share <= 1:
        raise ValueError("a trial takes accounts, a share above 0 and at most 1, and days")
    if new_a_week == 0:
        return None
    return ceil(2 * accounts / (new_a_week * share) + days / 7)


def check_errors(power: float, error: float) -> None:
    """Refuses what can be neither a power nor an error."""
    if not 0 < error < 0.5 or not error < power < 1:
        raise ValueError("the error lies between 0 and 1/2, the power above it and below 1")
