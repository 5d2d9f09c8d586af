"""The numbers behind the synthetic book: who goes late, who pays, and what moves them.

Three structural equations, all on the log-odds scale, drive every loan.

1. A current loan misses its instalment in a month with
       logit q = LATE_BASE + grade + product + region + industry + frailty
                 + seasoning(months on book) + season(month) + recession(month)
                 + noise(month) + again(restructured before) + reminder.
2. A missed instalment opens a case.  A case is resolved within its first seven days
   with a constant probability (nobody has had time to matter); among cases unresolved
   on day seven it is resolved by the end of the calendar month with
       logit r = RESOLVE_BASE[bucket] + grade + product + region + amount + frailty
                 + recession + noise + skill(collector) + trial
                 + sum over channels attempted within seven days of opening of CHANNEL[channel].
   A case still open in a later month is resolved in that month with the same r.
3. An unresolved loan is charged off, sold or restructured with the probabilities below,
   else it pays nothing and rolls one bucket further with
       logit f = FORWARD_BASE[bucket] + frailty + recession + noise,
   else it pays one instalment (stays) or two (one bucket better).

Collectors and channels are chosen from what is recorded at opening (bucket, grade,
product, region, amount) and never from frailty, so that adjusting for those recovers
both.  Attempts after day seven, promises and complaints move nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from warehouse.contract import CHANNELS

Array = npt.NDArray[Any]

PRODUCTS = ("credit_card", "personal_loan", "auto_loan", "small_business_loan")
PRODUCT_SHARES = (0.42, 0.30, 0.16, 0.12)
CARD, PERSONAL, AUTO, BUSINESS = range(4)
TERMS = ((0,), (36, 48, 60), (48, 60, 72), (36, 48, 60))
MEDIAN_PRINCIPAL = (20_000, 45_000, 110_000, 260_000)
ANNUAL_RATES = (0.170, 0.125, 0.065, 0.085)
REGIONS = ("North", "Northeast", "East", "Central", "South", "Southwest", "Northwest")
REGION_SHARES = (0.18, 0.08, 0.24, 0.17, 0.18, 0.10, 0.05)
INDUSTRIES = (
    "manufacturing",
    "retail",
    "construction",
    "transport",
    "catering",
    "services",
    "agriculture",
    "public_sector",
)
GRADES = ("A", "B", "C", "D", "E")
INCOME_BANDS = ("under 5k", "5k-10k", "10k-20k", "over 20k")

LATE_BASE = -3.22
LATE_GRADE = np.array([-0.85, -0.40, 0.0, 0.45, 0.90])
LATE_PRODUCT = np.array([0.10, 0.05, -0.35, 0.20])
LATE_REGION = np.array([0.0, 0.25, -0.15, 0.0, -0.05, 0.15, 0.10])
LATE_INDUSTRY = np.array([0.0, 0.05, 0.30, 0.10, 0.25, 0.0, 0.05, -0.35])
LATE_AGAIN = 0.80
REMINDER = -0.15
FRAILTY_LATE, FRAILTY_RESOLVE, FRAILTY_FORWARD = 0.60, -0.30, 0.25

# index = months past due at the start of the month, the last one for all beyond; 0 = the
# automated queue in the month of the missed instalment
RESOLVE_BASE = np.array([-0.55, 0.45, -1.40, -2.50, -3.10, -3.25, -3.50])
RESOLVE_GRADE = np.array([0.70, 0.35, 0.0, -0.40, -0.80])
RESOLVE_PRODUCT = np.array([0.0, 0.05, 0.25, -0.20])
RESOLVE_REGION = np.array([0.15, -0.40, 0.30, 0.0, 0.10, -0.25, -0.10])
RESOLVE_AMOUNT = -0.38  # per unit of amount_score
DAYS_LEFT = 0.45  # automated queue: per log of the days from day seven to month-end, over 10
EARLY_SHARE_AUTOMATED, EARLY_SHARE = 0.30, 0.08
DAYS_POWER = 1.2  # of the share of a month that has gone by: resolved cases pay rather early
TRIAL_CHALLENGER = 0.20
SKILL_SD = 0.24

CHANNEL = np.array(
    [{"sms": 0.13, "app_push": 0.05, "messenger": 0.10, "email": 0.02, "letter": 0.0,
      "voice_bot": 0.15, "call": 0.45, "visit": 0.40, "mediation": 0.30}[name]
     for name in CHANNELS]
)  # fmt: skip

FORWARD_BASE = np.array([0.0, 0.28, 0.32, 0.88, 1.90, 1.92, 2.10])
CHARGE_OFF = np.array([0.0, 0.0, 0.0, 0.004, 0.004, 0.006, 0.10, 0.13, 0.16, 0.20])
SOLD = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.015, 0.02, 0.02, 0.02])
RESTRUCTURED = np.array([0.0, 0.006, 0.025, 0.045, 0.040, 0.030, 0.020])
STAY_SHARE = 0.65  # of late loans that neither resolve nor roll: the rest goes one bucket back
SETTLED_SHARE = 0.20  # of resolved cases four or more months late: paid off at a discount
PREPAID = np.array([0.003, 0.006, 0.004, 0.005])  # a month, of current loans
LAST_MONTH_PAST_DUE = 18  # charged off for certain beyond

SEASON = np.array([0.06, 0.20, 0.12, 0.03, 0.0, -0.03, -0.02, 0.0, 0.02, 0.0, -0.06, -0.14])
RECESSION_PEAK = 0.40
NOISE_SD, NOISE_PERSISTENCE = 0.06, 0.60
RECESSION_RESOLVE, RECESSION_FORWARD = -0.45, 0.40
NOISE_RESOLVE, NOISE_FORWARD = -0.50, 0.50


def sigmoid(value: Array) -> Array:
    """The probability that belongs to a log-odds value."""
    return 1.0 / (1.0 + np.exp(-value))


def at(table: Array, index: Array) -> Array:
    """The table's entry, its last one for every index beyond it."""
    return table[np.minimum(index, len(table) - 1)]


def seasoning(age: Array) -> Array:
    """Lateness by months on book: little at first, a peak around a year, then slowly less."""
    ages = np.arange(401.0)
    curve = 1.05 * np.exp(-0.5 * (np.log((ages + 1.0) / 14.0) / 0.75) ** 2) - 0.55
    return curve[np.minimum(age, 400)]


def amount_score(cents: Array) -> Array:
    """How large an arrears amount is, on a log scale around 1,800, within -2 and 2."""
    return np.clip((np.log(np.maximum(cents, 100) / 100.0) - 7.5) / 1.2, -2.0, 2.0)


def recession(months: int) -> Array:
    """The recession's height in each month: a bump in the middle of the book."""
    place = np.arange(months) / max(months - 1, 1)
    return RECESSION_PEAK * np.exp(-0.5 * ((place - 0.55) / 0.13) ** 2)


def noise(rng: np.random.Generator, months: int) -> Array:
    """The book-wide surprise of each month: a stationary first-order autoregression."""
    values = np.empty(months)
    values[0] = rng.normal(0.0, NOISE_SD)
    for t in range(1, months):
        fresh = rng.normal(0.0, NOISE_SD * np.sqrt(1.0 - NOISE_PERSISTENCE**2))
        values[t] = NOISE_PERSISTENCE * values[t - 1] + fresh
    return values
