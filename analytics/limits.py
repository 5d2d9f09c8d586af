"""Limits that a book should not cross, whatever its own history says."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from analytics.delinquency import months_before


@dataclass(frozen=True)
class Limits:
    """What collections people call high: settings, from the sources of the requirements.

    `rate`: 30+ rate (S075: beyond 10 % on some platforms); `year_rise`: relative rise of the 30+
    rate over a year (S074: 15 %).
    """

    rate: float = 0.10
    year_rise: float = 0.15


def crossed_limits(
    rates: pl.DataFrame, *, threshold: int = 30, limits: Limits | None = None
) -> pl.DataFrame:
    """Is the book beyond a fixed limit this month, however usual that may be for it?

    Two rules on the 30+ rate of the latest month: its level, and its rise over the rate of the
    same month a year ago, relative to that.  Out: a row for each rule that can be judged:
    `rule` (`level`, `year_rise`), `value`, `limit`, `is_crossed` (above the limit, not at it).
    Null: `year_rise` is left out where the month a year ago is missing or 0.
    Misleads: a limit knows neither season nor chance: see what is beyond noise beside it.
    """
    limits = limits or Limits()
    series = rates.filter(pl.col("threshold") == threshold).select("month", "rate").drop_nulls()
    if series.is_empty():
        return pl.DataFrame(schema=_SCHEMA)
    last = series.sort("month").tail(1)
    rows = [("level", last["rate"][0], limits.rate)]
    year_ago = last.select(then=months_before(pl.lit(12))).join(
        series.rename({"month": "then"}), on="then"
    )
    if year_ago.height and year_ago["rate"][0]:
        rise = last["rate"][0] / year_ago["rate"][0] - 1
        rows.append(("year_rise", rise, limits.year_rise))
    return pl.DataFrame(
        [(rule, value, limit, value - limit > 1e-9) for rule, value, limit in rows],
        schema=_SCHEMA,
        orient="row",
    )


_SCHEMA = {
    "rule": pl.String,
    "value": pl.Float64,
    "limit": pl.Float64,
    "is_crossed": pl.Boolean,
}
