"""Work: how soon, how often and how well are debtors contacted, and what does it cost?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import stats

from analytics.intervals import divide, wilson

Array = npt.NDArray[Any]
CONFIDENCE = 0.95
DAYS = 32  # working days 0 to 30, and 31 for later
TARGET_DAYS = 3  # working days to the first contact
FOLLOWED_DAYS = 10  # working days up to which the mean counts
POOLED_CASES = 10.0
MINIMUM_CASES = 30


def days_to_contact(
    counts: pl.DataFrame, *, by: Sequence[str] = (), days: int = FOLLOWED_DAYS
) -> pl.DataFrame:
    """How many working days pass until a case is contacted for the first time?

    By the share of cases contacted by each working day after opening (0: the day itself), where
    a case without a contact counts as long as it was open: it is censored when it closes, or on
    the data's last day.  `median`: the first working day by which half are contacted;
    `within_share`: contacted within 3 working days; `mean`: mean working days up to 10, where a
    case not contacted by then counts 10 (restricted mean).
    In: `working_day` (0 to 30, 31: later), `contacted`, `closed`, `open`.
    Out: by group `cases`, `contacted`, `median`, `within_share`, `within_low`, `within_high`,
    `mean`, `mean_low`, `mean_high`, `mean_se`, `is_small`.
    Null: a median where fewer than half are contacted; a mean where no case was open for 10
    working days and some were never contacted.
    Misleads: holidays count as worked unless the lender's calendar names them; the plain mean over
    contacted cases is not shown: it leaves out those who were never reached.
    Reference: Kaplan and Meier 1958; Klein and Moeschberger 2003, section 4.5 (mean).
    """
    keys, contacted, left = _counts(counts, by)
    if not len(contacted):
        return pl.DataFrame(schema={name: counts.schema[name] for name in by} | _CONTACT_SCHEMA)
    n = (contacted + left).sum(axis=1)
    at_risk = n[:, None] - np.cumsum(contacted + left, axis=1) + contacted + left
    hazard = np.nan_to_num(divide(contacted, at_risk))
    waiting = np.cumprod(1 - hazard, axis=1)  # not contacted by the end of the day
    variance = _greenwood(contacted, at_risk)
    within = 1 - waiting[:, TARGET_DAYS]
    size = _equal_cases(within, waiting, variance, at_risk)
    low, high = wilson(within, size, CONFIDENCE)
    mean, mean_se, followed = _restricted_mean(waiting, variance, at_risk, days)
    reach = stats.norm.ppf(0.5 + CONFIDENCE / 2) * mean_se
    half = (waiting <= 0.5).any(axis=1)
    values = {
        "median": np.where(half, np.argmax(waiting <= 0.5, axis=1), np.nan),
        "within_share": within,
        "within_low": low,
        "within_high": high,
        "mean": np.where(followed, mean, np.nan),
        "mean_low": np.where(followed, np.maximum(mean - reach, 0), np.nan),
        "mean_high": np.where(followed, np.minimum(mean + reach, days), np.nan),
        "mean_se": np.where(followed, _mixed_error(mean_se, n), np.nan),
    }
    whole = pl.DataFrame({"cases": n, "contacted": contacted.sum(axis=1)}).cast(pl.Int64)
    found = pl.DataFrame(values, nan_to_null=True).with_columns(pl.col("median").cast(pl.Int64))
    shown = whole.hstack(found).with_columns(is_small=pl.col("cases") < MINIMUM_CASES)
    return keys.hstack(shown) if by else shown


def _counts(counts: pl.DataFrame, by: Sequence[str]) -> tuple[pl.DataFrame, Array, Array]:
    """The groups, and [group, working day] contacted and left without a contact."""
    there = counts.filter(pl.sum_horizontal("contacted", "closed", "open") > 0)
    if not by:
        there = there.with_columns(_=pl.lit(0))
    names = list(by) or ["_"]
    keys = there.select(names).unique(maintain_order=True)
    row = there.select(names).join(
        keys.with_row_index("row"), on=names, how="left", nulls_equal=True, maintain_order="left"
    )["row"]
    place = row.to_numpy().astype(int) * DAYS + there["working_day"].to_numpy().astype(int)
    left = (there["closed"] + there["open"]).to_numpy()
    parts = [
        np.bincount(place, values.astype(float), keys.height * DAYS).reshape(-1, DAYS)
        for values in (there["contacted"].to_numpy(), left)
    ]
    return keys.select(list(by)), parts[0], parts[1]


def _greenwood(contacted: Array, at_risk: Array) -> Array:
    """Each day's part of the variance of the log of the share still waiting."""
    staying = at_risk - contacted
    return np.nan_to_num(divide(contacted, at_risk * np.where(staying > 0, staying, np.nan)))


def _equal_cases(share: Array, waiting: Array, variance: Array, at_risk: Array) -> Array:
    """So many cases without any that left early would be as uncertain."""
    error = waiting[:, TARGET_DAYS] ** 2 * variance[:, : TARGET_DAYS + 1].sum(axis=1)
    size = divide(share * (1 - share), np.where(error > 0, error, np.nan))
    return np.fmin(np.where(np.isfinite(size), size, at_risk[:, 0]), at_risk[:, 0])


def _restricted_mean(
    waiting: Array, variance: Array, at_risk: Array, days: int
) -> tuple[Array, Array, Array]:
    """Mean working days up to `days`, its error, and whether anybody was followed that long."""
    mean = waiting[:, :days].sum(axis=1)
    later = np.cumsum(waiting[:, :days][:, ::-1], axis=1)[:, ::-1]  # area from each day on
    error = np.sqrt((later**2 * variance[:, :days]).sum(axis=1))
    followed = (at_risk[:, days - 1] > 0) | (waiting[:, days - 1] < 1e-12)
    return mean, error, followed


def _mixed_error(error: Array, n: Array) -> Array:
    """An owner's error of its mean, mixed with everybody's as ten cases: never nothing."""
    own = error**2 * n
    pooled = float((own * n).sum() / n.sum())
    mixed = (n * own + POOLED_CASES * pooled) / (n + POOLED_CASES)
    return np.sqrt(divide(np.maximum(mixed, 1e-4), n))


_SHOWN = (
    "median",
    "within_share",
    "within_low",
    "within_high",
    "mean",
    "mean_low",
    "mean_high",
    "mean_se",
    "is_small",
)
_CONTACT_SCHEMA: dict[str, pl.DataType] = {
    **{name: pl.Int64() for name in ("cases", "contacted", "median")},
    **{name: pl.Float64() for name in _SHOWN[1:-1]},
    "is_small": pl.Boolean(),
}


def work_rates(sums: pl.DataFrame) -> pl.DataFrame:
    """How much is worked, whom does it reach, and are promises kept?

    Intensity = attempts / case-months (cases open in a month, month by month).  Penetration =
    cases attempted in a month / cases open in it.  Right-party contact = attempts that spoke with
    the debtor, per attempt and per case worked.  Promise rate = promises / right-party contacts.
    Kept = promises kept / matured (due day + 3 is past, not cancelled), by count (Wilson
    interval) and by amount.
    In: sums of `open_cases`, `worked_cases`, `attempts`, `right_party`, `promises`, `matured`,
    `kept`, `matured_cents`, `kept_cents`.  Out: them with `intensity`, `penetration_share`,
    `right_party_rate`, `right_party_per_case`, `promise_rate`, `kept_share`, `kept_low`,
    `kept_high`, `kept_se`, `kept_amount_share`.
    Null: where the denominator is 0.
    Misleads: rates by month count a case in each month it is open; kept promises are not
    adjusted for whose promises they are.
    """
    n, kept = (sums[name].cast(pl.Float64).to_numpy() for name in ("matured", "kept"))
    low, high = wilson(divide(kept, n), n, 0.95)
    everybody = kept.sum() / n.sum() if n.sum() else np.nan
    mixed = (kept + POOLED_CASES * everybody) / (n + POOLED_CASES)
    ends = {"kept_low": low, "kept_high": high, "kept_se": np.sqrt(divide(mixed * (1 - mixed), n))}
    return sums.with_columns(
        intensity=_over("attempts", "open_cases"),
        penetration_share=_over("worked_cases", "open_cases"),
        right_party_rate=_over("right_party", "attempts"),
        right_party_per_case=_over("right_party", "worked_cases"),
        promise_rate=_over("promises", "right_party"),
        kept_share=_over("kept", "matured"),
        kept_amount_share=_over("kept_cents", "matured_cents"),
        **{name: pl.Series(value, nan_to_null=True) for name, value in ends.items()},
    )


def cost_and_cash(owners: pl.DataFrame) -> pl.DataFrame:
    """What does a unit of cash cost, and how much comes in per hour?

    Cost per unit collected = monthly cost x months / cash.  Cash per hour = cash / (hours per
    month x months).  Months are those of the window since the collector was hired.
    In: `cash_cents`, `monthly_cost_cents`, `hours_per_month`, `months`.  Out: them with
    `cost_per_unit`, `cash_per_hour_cents`.
    Null: where cost or hours are not recorded, or no net cash came in (cost per unit).
    Misleads: labour only (no telephone, agency or legal costs), of one person; cash is gross of
    what would have come in anyway.
    """
    cost = pl.col("monthly_cost_cents") * pl.col("months")
    hours = pl.col("hours_per_month") * pl.col("months")
    return owners.with_columns(
        cost_per_unit=pl.when(pl.col("cash_cents") > 0).then(cost / pl.col("cash_cents")),
        cash_per_hour_cents=pl.when(hours > 0)
        .then(pl.col("cash_cents") / hours)
        .round()
        .cast(pl.Int64),
    )


def _over(part: str, whole: str) -> pl.Expr:
    return pl.when(pl.col(whole) > 0).then(pl.col(part) / pl.col(whole))
