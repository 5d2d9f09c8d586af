"""Intensity against complaints: what does one more attempt a month cost in complaints?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import stats
from statsmodels.genmod.families import Poisson
from statsmodels.genmod.generalized_linear_model import GLM

from analytics.intervals import divide
from analytics.poisson_rates import CONFIDENCE, poisson_interval

Array = npt.NDArray[np.float64]
PER = 1_000.0
FEWEST_COMPLAINTS = 10
FEWEST_AT_LEVEL = 5
CURVE = (
    *("attempts", "rate", "low", "high", "observed", "adjusted"),
    *("cases", "complaints", "expected", "is_fitted"),
)
SURELY = 0.99  # a number of attempts whose count leaves this interval is not fitted
LEAST = 0.5  # attempts where there were none: their logarithm is wanted


@dataclass(frozen=True)
class IntensityCost:
    """What more attempts cost.

    `per_thousand`: complaints for 1,000 additional attempts, with `low`, `high`; `curve`: by
    number of attempts the model's complaints per 1,000 case-months (`rate`, `low`, `high`, on
    everybody's mix of controls), the `observed` ones and these `adjusted` to everybody's mix
    (rate x complaints / `expected`, those that the model has for the cases that were), the
    `cases`, their `complaints`, and `is_fitted`: the model lies within the count's own chance.
    `dispersion`: Pearson's chi-square over its degrees of freedom, by which errors were widened
    (at least 1). `controls`: what is held equal. `reason`: why there is no answer
    (`few_complaints`, `one_intensity`), else null.
    """

    per_thousand: float | None
    low: float | None
    high: float | None
    cases: int
    complaints: int
    dispersion: float | None
    curve: pl.DataFrame
    controls: tuple[str, ...]
    reason: str | None


def intensity_cells(
    complaints: pl.DataFrame, cases: pl.DataFrame, *, controls: Sequence[str] = ()
) -> pl.DataFrame:
    """Case-months and their complaints by number of attempts: what the model needs.

    In: complaints with `worked_month` and `case_attempts`, case-months with `month`,
    `case_attempts` (the highest number means that many or more), `cases` and `attempts`, both with
    the controls.  Out: by control and number `attempts` (their mean), `cases`, `complaints`.
    A complaint whose case had no attempt in that month has no cell and is left out.
    """
    keys = [*controls, "case_attempts"]
    most = cases.select(pl.col("case_attempts").max().fill_null(1)).item()
    months = cases["month"].unique().to_list()
    counted = (
        complaints.filter(pl.col("worked_month").is_in(months), pl.col("case_attempts") > 0)
        .with_columns(pl.col("case_attempts").clip(upper_bound=most), month="worked_month")
        .group_by(keys)
        .agg(complaints=pl.len().cast(pl.Int64))
    )
    mean = pl.sum("attempts").over("case_attempts") / pl.sum("cases").over("case_attempts")
    return (
        cases.group_by(keys)
        .agg(pl.col("cases", "attempts").sum())
        .filter(pl.col("cases") > 0)
        .with_columns(attempts=mean)
        .join(counted, on=keys, how="left", nulls_equal=True)
        .with_columns(pl.col("complaints").fill_null(0))
        .sort(keys, nulls_last=True)
    )


def intensity_cost(
    cells: pl.DataFrame,
    *,
    controls: Sequence[str] = (),
    attempts: str = "attempts",
    confidence: float = CONFIDENCE,
) -> IntensityCost:
    """How many more complaints come if every case gets one more attempt a month?

    Complaints of a cell are Poisson around case-months x exp(b log a + c a + controls), a being
    the attempts on the case in that month (none: counted as one half).  The cost of one more
    attempt is the mean over all case-months of the modelled rate at a + 1 less that at a, times
    1,000.  Errors widened by Pearson's dispersion; interval by the delta method.

    In: `attempts`, `cases`, `complaints` and the controls by cell (a few hundred).  Levels with
    fewer than five complaints are put to the commonest level.
    Out: the cost with its interval; by number of attempts the modelled rate with its interval on
    everybody's mix of controls, the counted rate (observed) and the same brought to that mix
    (adjusted: rate x complaints / expected), case-months, complaints, those expected by the model,
    and whether it fits: it lies in the exact 99 % interval of the count.
    Null: with fewer than ten complaints (`few_complaints`) or one number of attempts only
    (`one_intensity`).  Refuses: missing or negative values, cells without cases.
    Misleads: cases are not called more by lot. It is the cost of attempts only if, within the
    controls, cases that were called more would have complained as much at the same number of
    attempts as those called less; angry borrowers who are left alone make it too low, hard
    cases too high. Cases with many attempts are mostly harder ones, so the counted rate rises
    faster than the modelled one; set the adjusted rate beside it. Between few and the most
    attempts seen it is a smooth curve, not each number's own.
    Reference: McCullagh and Nelder 1989, chapter 6 (Poisson, over-dispersion).
    """
    _check(cells, attempts, controls)
    grouped = cells.group_by([attempts, *controls], maintain_order=True).agg(
        pl.col("cases", "complaints").sum()
    )
    seen = _observed(grouped, attempts)
    facts = int(grouped["cases"].sum()), int(grouped["complaints"].sum())
    reason = "few_complaints" if facts[1] < FEWEST_COMPLAINTS else None
    if reason is None and seen.height < 2:
        reason = "one_intensity"
    if reason is not None:
        names = ("rate", "low", "high", "adjusted", "expected")
        nulls = {name: pl.lit(None, pl.Float64) for name in names}
        curve = seen.with_columns(**nulls, is_fitted=pl.lit(None, pl.Boolean)).select(CURVE)
        return IntensityCost(None, None, None, *facts, None, curve, tuple(controls), reason)
    model = _fit(grouped, attempts, controls, is_straight=seen.height == 2)
    reach = float(stats.norm.ppf(0.5 + confidence / 2))
    more, now = model.rate(model.attempts + 1), model.rate(model.attempts)
    cost, error = more[0] - now[0], reach * model.error(more[1] - now[1])
    rows = []
    for value in seen["attempts"]:
        rate, slope = model.rate(np.full_like(model.attempts, value))
        wide = np.exp(reach * model.error(slope) / rate)
        rows.append((rate * PER, rate / wide * PER, rate * wide * PER))
    curve = seen.hstack(pl.DataFrame(rows, schema=["rate", "low", "high"], orient="row"))
    curve = _held_against(curve, grouped, model, attempts)
    ends = (cost * PER, (cost - error) * PER, (cost + error) * PER)
    return IntensityCost(
        *ends, *facts, model.dispersion, curve.select(CURVE), tuple(controls), None
    )


@dataclass(frozen=True)
class _Model:
    """A fitted Poisson regression; `attempts` and `weight` (share of case-months) by cell."""

    attempts: Array
    weight: Array
    others: Array
    is_straight: bool
    beta: Array
    covariance: Array
    dispersion: float

    def rate(self, at: Array) -> tuple[float, Array]:
        """Mean rate of all case-months at these numbers of attempts, and its gradient."""
        x = _design(at, self.others, self.is_straight)
        rate = self.weight * np.exp(x @ self.beta)
        return float(rate.sum()), rate @ x

    def of_each_cell(self) -> pl.Series:
        """The modelled rate of each cell as it was."""
        return pl.Series(np.exp(_design(self.attempts, self.others, self.is_straight) @ self.beta))

    def error(self, gradient: Array) -> float:
        return float(np.sqrt(gradient @ self.covariance @ gradient))


def _fit(
    grouped: pl.DataFrame, attempts: str, controls: Sequence[str], *, is_straight: bool
) -> _Model:
    a, n, y = (
        grouped[name].cast(pl.Float64).to_numpy() for name in (attempts, "cases", "complaints")
    )
    others = _controls(grouped, controls, y)
    x = _design(a, others, is_straight)
    model: Any = GLM(y, x, family=Poisson(), offset=np.log(n))
    fit = model.fit(scale=1.0, tol=1e-10)
    dispersion = max(float(fit.pearson_chi2 / fit.df_resid), 1.0) if fit.df_resid > 0 else 1.0
    covariance = np.asarray(fit.normalized_cov_params) * dispersion
    beta = np.asarray(fit.params)
    return _Model(a, n / n.sum(), others, is_straight, beta, covariance, dispersion)


def _design(at: Array, others: Array, is_straight: bool) -> Array:
    """1, log of attempts, attempts (not where only two numbers were seen), controls."""
    terms = [np.ones(len(at)), np.log(np.maximum(at, LEAST))]
    return np.column_stack([*terms, *([] if is_straight else [at / 10]), others])


def _observed(grouped: pl.DataFrame, attempts: str) -> pl.DataFrame:
    sums = grouped.group_by(pl.col(attempts).alias("attempts")).agg(
        pl.col("cases", "complaints").sum()
    )
    n, y = (sums[name].to_numpy().astype(float) for name in ("cases", "complaints"))
    return sums.with_columns(observed=pl.Series(divide(y, n) * PER)).sort("attempts")


def _held_against(
    curve: pl.DataFrame, grouped: pl.DataFrame, model: _Model, attempts: str
) -> pl.DataFrame:
    """What the model expects of the cases that were, and whether the count agrees."""
    cells = grouped.select(attempts=attempts, expected=pl.col("cases") * model.of_each_cell())
    curve = curve.join(cells.group_by("attempts").sum(), on="attempts", maintain_order="left")
    low, high = poisson_interval(curve["complaints"], np.ones(curve.height), confidence=SURELY)
    return curve.with_columns(
        adjusted=pl.col("rate") * pl.col("complaints") / pl.col("expected"),
        is_fitted=pl.col("expected").is_between(pl.Series(low), pl.Series(high)),
    )


def _controls(grouped: pl.DataFrame, controls: Sequence[str], y: Array) -> Array:
    """Indicator columns: one for each level but the commonest, small levels among that one."""
    columns: list[Array] = []
    for name in controls:
        codes = grouped[name].cast(pl.String).fill_null("(none)").to_numpy()
        levels, place = np.unique(codes, return_inverse=True)
        events = np.bincount(place, y, len(levels))
        kept = [i for i in range(len(levels)) if events[i] >= FEWEST_AT_LEVEL]
        columns += [(place == i).astype(float) for i in kept if i != int(events.argmax())]
    return np.column_stack(columns) if columns else np.empty((len(y), 0))


def _check(cells: pl.DataFrame, attempts: str, controls: Sequence[str]) -> None:
    if missing := {attempts, "cases", "complaints", *controls} - set(cells.columns):
        raise ValueError(f"cells lack {', '.join(sorted(missing))}")
    numbers = cells.select(attempts, "cases", "complaints")
    if sum(numbers.null_count().row(0)):
        raise ValueError("attempts, cases or complaints are missing")
    if (cells[attempts] < 0).any() or (cells["complaints"] < 0).any():
        raise ValueError("attempts or complaints are negative")
    if (cells["cases"] <= 0).any():
        raise ValueError("a cell has no cases")
