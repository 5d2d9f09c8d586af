"""Contact intensity of vulnerable borrowers beside that of others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.stats import norm

CONFIDENCE = 0.95
FEWEST = 30  # loans of vulnerable borrowers below which a stage is hollow


@dataclass(frozen=True)
class Fairness:
    """By stage, and over all cells: the vulnerable's attempts a loan over what others get.

    `stages`: stage, loans (of the vulnerable), attempts_each, others_each, ratio, low, high,
    is_small.  `ratio`, `low`, `high`: over all, on the vulnerable's own mix; None without both.
    """

    stages: pl.DataFrame
    ratio: float | None
    low: float | None
    high: float | None


def contact_fairness(
    cells: pl.DataFrame,
    *,
    within: Sequence[str] = ("stage", "product"),
    confidence: float = CONFIDENCE,
) -> Fairness:
    """Are vulnerable borrowers contacted more than others in the same situation?

    Attempts on the loans of vulnerable borrowers over what they would have been had each loan got
    the mean of other borrowers' loans of the same stage and product.  Above 1: contacted more.
    The interval is normal on the logarithm, from the spread of attempts between loans, but at
    least that of chance (Poisson: the variance of a number of attempts is that number): one loan
    shows no spread, and is not known exactly for that.

    In: `is_vulnerable`, the columns of `within`, `loans`, `attempts`, `attempt_squares`, a row a
    cell (loan-months).  Out: by stage the vulnerable's loan-months, attempts on each of them and
    on each of the others', the ratio with its interval, and whether they are few (under 30).
    Null: a stage without loans of both kinds; a ratio of no attempts.
    Refuses: columns that are not there.
    Misleads: who is known to be vulnerable is not all who are; a loan counts once in each month,
    so that the interval of many months is somewhat too narrow; where a plan gives every loan about
    as many attempts it is too wide.
    Reference: direct standardisation (Fleiss, Levin & Paik 2003, Statistical Methods for Rates and
    Proportions, 19.4).

    >>> cells = pl.DataFrame({"stage": ["early"] * 2, "is_vulnerable": [True, False],
    ...     "loans": [100, 400], "attempts": [300, 800], "attempt_squares": [1000.0, 2000.0]})
    >>> found = contact_fairness(cells, within=["stage"])
    >>> round(found.ratio, 2), round(found.low, 2), round(found.high, 2)
    (1.5, 1.31, 1.71)
    """
    needed = {"is_vulnerable", "loans", "attempts", "attempt_squares", *within}
    if missing := needed - set(cells.columns):
        raise ValueError(f"cells lack {', '.join(sorted(missing))}")
    z = float(norm.ppf(0.5 + confidence / 2))
    sums = pl.col("loans", "attempts", "attempt_squares").sum()
    kinds = cells.group_by(*within, "is_vulnerable").agg(sums)
    own = kinds.filter("is_vulnerable").drop("is_vulnerable")
    others = kinds.filter(~pl.col("is_vulnerable")).drop("is_vulnerable")
    both = own.join(others, on=list(within), how="inner", nulls_equal=True, suffix="_other")
    both = both.filter(pl.col("loans") > 0, pl.col("loans_other") > 0).with_columns(
        expected=pl.col("loans") * pl.col("attempts_other") / pl.col("loans_other"),
        spread=_spread(""),
        # the expected sum is loans times a mean: its variance
        expected_spread=_spread("_other") * (pl.col("loans") / pl.col("loans_other")) ** 2,
    )
    stage = within[0]
    stages = both.group_by(stage).agg(
        pl.col("loans", "attempts", "expected", "spread", "expected_spread").sum()
    )
    rows = [_judged(row, z) | {stage: row[stage]} for row in stages.sort(stage).to_dicts()]
    columns = [stage, "loans", "attempts_each", "others_each", "ratio", "low", "high", "is_small"]
    numbers = dict.fromkeys(columns[2:-1], pl.Float64)
    schema = {stage: pl.String, "loans": pl.Int64, **numbers, "is_small": pl.Boolean}
    table = pl.DataFrame([{name: row[name] for name in columns} for row in rows], schema=schema)
    names = ("loans", "attempts", "expected", "spread", "expected_spread")
    whole = _judged({name: float(both[name].sum() or 0) for name in names}, z)
    return Fairness(table, whole["ratio"], whole["low"], whole["high"])


def _spread(suffix: str) -> pl.Expr:
    """The variance of a cell's attempts: loans times the variance between loans, or chance's."""
    loans, attempts = pl.col(f"loans{suffix}"), pl.col(f"attempts{suffix}")
    own = pl.col(f"attempt_squares{suffix}") - attempts**2 / loans
    return pl.max_horizontal(own, attempts.cast(pl.Float64))


def _judged(row: dict[str, float], z: float) -> dict[str, float | bool | None]:
    loans, attempts, expected = row["loans"], row["attempts"], row["expected"]
    found: dict[str, float | bool | None] = {
        "loans": loans,
        "attempts_each": attempts / loans if loans else None,
        "others_each": expected / loans if loans else None,
        "ratio": None,
        "low": None,
        "high": None,
        "is_small": loans < FEWEST,
    }
    if attempts and expected:
        ratio = attempts / expected
        error = np.sqrt(row["spread"] / attempts**2 + row["expected_spread"] / expected**2)
        found |= {"ratio": ratio, "low": float(ratio * np.exp(-z * error)),
                  "high": float(ratio * np.exp(z * error))}  # fmt: skip
    return found
