"""Recovery: how much of what was placed came back, by when, and will the target be met?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import stats

from analytics.intervals import divide, wilson

Array = npt.NDArray[np.float64]
Cash = Literal["cash", "clipped"]
CONFIDENCE = 0.95
MINIMUM_CASES = 30
ESTIMATES = ("rate", "se", "low", "high", "immature_cases", "immature_cents")
PLACED = ("cases", "placed_cents", "placed_squares")


def cohort_recovery(
    cells: pl.DataFrame,
    *,
    by: Sequence[str] = (),
    cash: Cash = "cash",
    confidence: float = CONFIDENCE,
    minimum: int = MINIMUM_CASES,
) -> pl.DataFrame:
    """Of what was owed when cases were opened, what share came back within h days?

    rate = net cash from day 0 to day h (reversals taken off) / arrears at opening, over mature
    cases (opened + h not after the as-of date).  `cash="clipped"` counts at most what was placed
    on each case: sum of min(cash, placed) / sum of placed, on which targets are judged.

    In: cells of one horizon h, any rows (they are added up): `cases`, `placed_cents`,
    `placed_squares`, `cash_cents`, `cash_squares`, `cash_placed` (sum of cash x placed), the
    same three for `clipped`, all of mature cases; `immature_cases`, `immature_cents`.  Squares
    and cross sums in currency squared.
    Out: by group `cases`, `placed_cents`, `cash_cents` (or clipped), `rate`, `se`, `low`, `high`,
    `immature_cases`, `immature_cents`, `is_small`, `reason`.
    Interval: ratio estimator, the case is the unit (cases of 10,000 count as one case, not as
    10,000 units); clipped: Wilson on the effective number of cases; else Student's t.
    Null: rate where nothing matured (`all_immature`, `no_cases`); interval of a single case
    (`one_case`).  Net cash below zero (more reversed than paid) is a rate below zero.
    Refuses: missing columns, null sums.
    Misleads: rates of different h do not compare; young cohorts leave their late payers out only
    by being left out whole (`immature_cases`).
    Reference: Cochran 1977, chapter 6; Wilson 1927.

    >>> cells = pl.DataFrame({
    ...     "cases": [2], "placed_cents": [30_000], "placed_squares": [50_000.0],
    ...     "cash_cents": [15_000], "cash_squares": [12_500.0], "cash_placed": [25_000.0],
    ...     "immature_cases": [1], "immature_cents": [5_000]})
    >>> cohort_recovery(cells).select("rate", "se", "immature_cases").row(0)
    (0.5, 0.0, 1)
    """
    names = (f"{cash}_cents", f"{cash}_squares", f"{cash}_placed")
    table = added(cells, by, (*PLACED, *names, "immature_cases", "immature_cents"))
    rate, se, size = ratio_of_cash(table, names)
    if cash == "clipped":
        low, high = wilson(np.clip(rate, 0, 1), size, confidence)
        low = np.where(rate < 0, np.minimum(low, rate), low)
    else:
        low, high = _students(rate, se, size, table["cases"].to_numpy(), confidence)
    one = table["cases"].to_numpy() < 2
    low, high, se = (np.where(one, np.nan, value) for value in (low, high, se))
    estimates = pl.DataFrame({"rate": rate, "se": se, "low": low, "high": high}, nan_to_null=True)
    return (
        table.hstack(estimates)
        .with_columns(is_small=pl.col("cases") < minimum, reason=why_unknown())
        .select(*by, "cases", "placed_cents", names[0], *ESTIMATES, "is_small", "reason")
    )


def resolved_share(
    cells: pl.DataFrame,
    *,
    by: Sequence[str] = (),
    confidence: float = CONFIDENCE,
    minimum: int = MINIMUM_CASES,
) -> pl.DataFrame:
    """Of the cases opened, what share was cured, paid off or settled within h days?

    share = resolved / cases, mature cases only.  In: `cases`, `resolved`, `immature_cases`.
    Out: by group these, `share`, `low`, `high` (Wilson), `is_small`, `reason`.
    Null: share where nothing matured (`all_immature`, `no_cases`).  Refuses: missing columns,
    more resolved than cases.  Misleads: a case resolved by a small settlement counts as one
    paid in full.  Reference: Wilson 1927.

    >>> frame = pl.DataFrame({"cases": [20], "resolved": [5], "immature_cases": [3]})
    >>> resolved_share(frame).select(pl.col("share", "low", "high").round(3)).row(0)
    (0.25, 0.112, 0.469)
    """
    table = added(cells, by, ("cases", "resolved", "immature_cases"))
    if (table["resolved"] > table["cases"]).any() or (table["resolved"] < 0).any():
        raise ValueError("resolved must lie between 0 and cases")
    n = table["cases"].to_numpy().astype(float)
    share = divide(table["resolved"].to_numpy(), n)
    low, high = wilson(share, n, confidence)
    estimates = pl.DataFrame({"share": share, "low": low, "high": high}, nan_to_null=True)
    reason = pl.when(pl.col("cases") > 0).then(None).otherwise(why_unknown())
    return table.hstack(estimates).with_columns(
        is_small=pl.col("cases") < minimum, reason=reason.cast(pl.String)
    )


def liquidation_curves(cash: pl.DataFrame, placements: pl.DataFrame) -> pl.DataFrame:
    """How does each month's placement pay down?

    rate(m) = cash from placement to step m / placed, for each placement month.  In: `cash`:
    `placed_month`, `elapsed` (days or months since placement, 0 = the first), `cash_cents` net
    in that step; `placements`: `placed_month`, `cases`, `placed_cents`, `complete_to` (the last
    step that every case of the month has reached; null: none).
    Out: `placed_month`, `elapsed`, `cash_cents` (cumulative), `placed_cents`, `cases`, `rate`;
    every step from 0 to `complete_to`: later ones would be flattered or cut short.
    Null: nothing; months without a complete step, or without placements, have no rows.
    Refuses: cash of a month without placements, steps before placement, nothing placed.
    Misleads: curves of different months are different cases; a curve may fall (reversals).

    >>> paid = pl.DataFrame({"placed_month": [1, 1], "elapsed": [0, 2], "cash_cents": [10, 30]})
    >>> placed = pl.DataFrame({"placed_month": [1], "cases": [4], "placed_cents": [100],
    ...                        "complete_to": [2]})
    >>> liquidation_curves(paid, placed)["rate"].to_list()
    [0.1, 0.1, 0.4]
    """
    if (cash["elapsed"] < 0).any():
        raise ValueError("cash before placement: it is not this placement's")
    if (placements["placed_cents"] <= 0).any():
        raise ValueError("a month with placements has nothing placed")
    strangers = cash.join(placements, on="placed_month", how="anti")
    if strangers.height:
        raise ValueError(f"cash of {strangers['placed_month'][0]}, when nothing was placed")
    steps = (
        placements.filter(pl.col("complete_to") >= 0)
        .with_columns(elapsed=pl.int_ranges(0, pl.col("complete_to") + 1))
        .explode("elapsed")
    )
    paid = cash.group_by("placed_month", "elapsed").agg(pl.col("cash_cents").sum())
    return (
        steps.join(
            paid.with_columns(pl.col("elapsed").cast(pl.Int64)),
            on=["placed_month", "elapsed"],
            how="left",
        )
        .sort("placed_month", "elapsed")
        .with_columns(pl.col("cash_cents").fill_null(0).cum_sum().over("placed_month"))
        .with_columns(rate=pl.col("cash_cents") / pl.col("placed_cents"))
        .select("placed_month", "elapsed", "cash_cents", "placed_cents", "cases", "rate")
    )


def period_rate(months: pl.DataFrame, *, by: Sequence[str] = ("month",)) -> pl.DataFrame:
    """How much came in in the month, of what was in collections at its start?

    rate = cash in the month / amount in collections at its start.  In: `cash_cents`,
    `open_cents`.  Out: by group both and `rate`, `reason`.  Null: rate where nothing was in
    collections at the start (`nothing_in_collections`).  Refuses: missing columns, null sums.
    Misleads: it mixes old and new cases, so growth and write-offs move it without anyone
    collecting better; cash on cases opened in the month is in it, their amount is not.
    """
    table = added(months, by, ("cash_cents", "open_cents"))
    there = pl.col("open_cents") > 0
    return table.with_columns(
        rate=pl.when(there).then(pl.col("cash_cents") / pl.col("open_cents")),
        reason=pl.when(~there).then(pl.lit("nothing_in_collections")),
    )


def added(cells: pl.DataFrame, by: Sequence[str], names: Sequence[str]) -> pl.DataFrame:
    """The columns added up by group; missing ones and nulls are refused."""
    missing = {*by, *names} - set(cells.columns)
    if missing:
        raise ValueError(f"cells lack {', '.join(sorted(missing))}")
    chosen = cells.select(*by, *names)
    empty = [name for name in names if chosen[name].null_count()]
    if empty:
        raise ValueError(f"{', '.join(empty)} is missing in a cell")
    sums = [pl.col(name).sum() for name in names]
    return chosen.group_by(by, maintain_order=True).agg(sums) if by else chosen.select(sums)


def ratio_of_cash(table: pl.DataFrame, names: tuple[str, str, str]) -> tuple[Array, Array, Array]:
    """Rate, its error, and the number of equal cases that would be as uncertain."""
    cents, squares, cross = (table[name].to_numpy().astype(float) for name in names)
    n, placed = (table[name].to_numpy().astype(float) for name in ("cases", "placed_cents"))
    rate = divide(cents, placed)
    errors = squares - 2 * rate * cross + rate**2 * table["placed_squares"].to_numpy()
    errors = np.where(errors > 1e-9 * np.abs(squares), errors, 0.0)
    variance = divide(n, n - 1) * divide(errors, (placed / 100) ** 2)
    equal = divide((placed / 100) ** 2, table["placed_squares"].to_numpy())
    size = np.where(variance > 0, np.fmin(divide(rate * (1 - rate), variance), equal), equal)
    size = np.where((rate > 0) & (rate < 1), size, equal)
    return rate, np.sqrt(variance), size


def _students(
    rate: Array, se: Array, size: Array, n: Array, confidence: float
) -> tuple[Array, Array]:
    """Rate -+ t x error; Wilson at the nearest end where all cases paid the same share."""
    reach = stats.t.ppf(0.5 + confidence / 2, np.maximum(n - 1, 1)) * se
    low, high = wilson(np.clip(rate, 0, 1), size, confidence)
    inside = (rate >= 0) & (rate <= 1)
    flat = ~(se > 0) & inside
    return np.where(flat, low, rate - reach), np.where(flat, high, rate + reach)


def why_unknown() -> pl.Expr:
    """Reason codes of a group without a rate, or without an interval."""
    return (
        pl.when((pl.col("cases") == 0) & (pl.col("immature_cases") > 0))
        .then(pl.lit("all_immature"))
        .when(pl.col("cases") == 0)
        .then(pl.lit("no_cases"))
        .when(pl.col("cases") == 1)
        .then(pl.lit("one_case"))
    )
