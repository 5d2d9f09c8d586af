"""A decision held against what happened, month by month: inside or outside, and how far off."""

from __future__ import annotations

from datetime import date

import polars as pl
from scipy import stats

from analytics.intervals import Array, divide
from analytics.states import CURRENT, ENTRIES, UNMATCHED


def actual_months(transitions: pl.DataFrame, *, is_counted: bool = False) -> pl.DataFrame:
    """What came of the measures that a decision forecasts?

    cash = paid in the month by the loans on book at its start; late cash = by those of them that
    were late then; charged off = what was charged off or sold, at its amount.  Just as the
    simulator counts them: where payments by move are not known, a fall in balance stands for
    them, and a counted book counts loans paid off.

    In: transitions by month and states with `loans`, `opening_cents`, `closing_cents`,
    `paid_cents`.  Out: `month`, `measure` (`cash`, `late_cash`, `charged_off`), `actual`, in
    currency (loans, in a counted book).
    Misleads: what loans that are new in the month pay is in none of them.
    """
    lost = pl.col("to_state").is_in(["charged_off", "sold"])
    moved = transitions.filter(
        ~pl.col("from_state").is_in(ENTRIES), pl.col("to_state") != UNMATCHED
    )
    fall = (pl.col("opening_cents") - pl.col("closing_cents")).clip(lower_bound=0)
    paid = pl.col("paid_cents").fill_null(0)
    if is_counted:
        paid, loss = (pl.col("to_state") == "paid_off") * pl.col("loans"), pl.col("loans")
    else:
        loss = pl.col("closing_cents").fill_null(0) / 100
        if moved["paid_cents"].drop_nulls().is_empty():
            paid = pl.when(lost).then(0).otherwise(fall.fill_null(0))
        paid = paid / 100
    sums = moved.group_by("month").agg(
        cash=paid.sum().cast(pl.Float64),
        late_cash=paid.filter(pl.col("from_state") != CURRENT).sum().cast(pl.Float64),
        charged_off=loss.filter(lost).sum().cast(pl.Float64),
    )
    return sums.unpivot(index="month", variable_name="measure", value_name="actual").sort(
        "measure", "month"
    )


def score_months(
    forecast: pl.DataFrame, actuals: pl.DataFrame, *, decided_on: date, level: float = 0.8
) -> pl.DataFrame:
    """Did the month come as it was forecast?

    Inside, where the actual lies in the forecast's interval, both ends included; else below or
    above.  error = actual - forecast mean.  P(above) = P(actual > baseline's mean) under the
    forecast of the strategy, normal with the interval's width; is above = whether it was.

    In: `forecast` with `month`, `measure`, `series` (`baseline`, `strategy`), `mean`, `low`,
    `high`; `actuals` with `month`, `measure`, `actual`, whole months only; the intervals' `level`.
    Out: by month and measure `mean`, `low`, `high`, `baseline`, `actual`, `place` (`inside`,
    `below`, `above`, `before`, `ahead`), `error`, `p_above`, `is_above`, `is_scored`.
    Null: actual and all that follows from it in a month that is not known yet (`ahead`).  A
    month that had ended when the decision was made is shown but not scored (`before`).
    Refuses: a level outside 0 to 1.
    Misleads: the baseline is what was expected, not what would have happened: above it is no
    proof that the strategy did it.
    """
    if not 0 < level < 1:
        raise ValueError(f"intervals hold a share between 0 and 1, not {level}")
    keys = ["month", "measure"]
    of = {name: forecast.filter(pl.col("series") == name) for name in ("strategy", "baseline")}
    table = (
        of["strategy"]
        .select(*keys, "mean", "low", "high")
        .join(of["baseline"].select(*keys, baseline="mean"), on=keys, how="left")
        .join(actuals.select(*keys, "actual"), on=keys, how="left")
        .sort("measure", "month")
    )
    actual, ended = pl.col("actual"), pl.col("month") <= decided_on
    place = (
        pl.when(actual.is_null())
        .then(pl.lit("ahead"))
        .when(ended)
        .then(pl.lit("before"))
        .when(actual < pl.col("low"))
        .then(pl.lit("below"))
        .when(actual > pl.col("high"))
        .then(pl.lit("above"))
        .otherwise(pl.lit("inside"))
    )
    return table.with_columns(
        place=place,
        error=actual - pl.col("mean"),
        p_above=pl.Series(_chance_above(table, level), dtype=pl.Float64, nan_to_null=True),
        is_above=actual > pl.col("baseline"),
    ).with_columns(is_scored=pl.col("place").is_in(["inside", "below", "above"]))


def _chance_above(table: pl.DataFrame, level: float) -> Array:
    """P(actual > baseline's mean), where both are known; an interval without width is certain."""
    mean, low, high, baseline = (
        table[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        for name in ("mean", "low", "high", "baseline")
    )
    spread = (high - low) / (2 * stats.norm.ppf(0.5 + level / 2))
    sure = (mean > baseline) + 0.5 * (mean == baseline)
    chance = stats.norm.cdf(divide(mean - baseline, spread))
    chance[spread == 0] = sure[spread == 0]
    chance[baseline != baseline] = float("nan")
    return chance
