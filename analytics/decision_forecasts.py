"""What is forecast of a strategy when it is decided on, in the form in which it is kept."""

from __future__ import annotations

import calendar
from datetime import date

import numpy as np
import polars as pl

from analytics.simulation import Simulation
from analytics.simulation_answers import CONFIDENCE, monthly, spread_of

MEASURES = ("cash", "late_cash", "charged_off")
ROWS = ("month", "measure", "series", "mean", "low", "high")


def forecast_of(
    sim: Simulation, plan: int, *, as_of: date, confidence: float = CONFIDENCE
) -> pl.DataFrame:
    """What does a decision forecast, month by month?

    Cash, cash from late loans and what is charged off or sold, of the strategy and of the
    baseline, with the interval of the simulation's draws; and the benefit: cash less costs of the
    strategy less that of the baseline, draw by draw, not discounted.

    In: a simulation whose first plan is the baseline, the plan decided on, the last month-end that
    it knows.  Out: by month-end, measure and series (`strategy`, `baseline`, `benefit`) `mean`,
    `low`, `high`, in currency.
    Refuses: a plan that is the baseline or not there.
    """
    if not 0 < plan < len(sim.names):
        raise ValueError(f"there is no strategy {plan} beside the baseline")
    ends = [month_end(as_of, ahead) for ahead in range(1, sim.horizon + 1)]
    parts = []
    for measure in MEASURES:
        rows = monthly(sim, measure, confidence=confidence)
        for series, of in (("strategy", plan), ("baseline", 0)):
            mine = rows.slice(of * sim.horizon, sim.horizon)
            parts.append(
                mine.with_columns(
                    month=pl.Series(ends), measure=pl.lit(measure), series=pl.lit(series)
                ).select(ROWS)
            )
    net = _net(sim)[[0, plan]]
    spread = spread_of(net[1] - net[0], confidence)
    benefit = pl.DataFrame(
        {"month": ends, "measure": "cash", "series": "benefit"}
        | {name: spread[name] for name in ("mean", "low", "high")}
    )
    return pl.concat([*parts, benefit.select(ROWS)])


def _net(sim: Simulation) -> np.ndarray:
    """Cash less all costs [plan, month, draw]."""
    cash = np.moveaxis(sim.cash, 0, -1).astype(np.float64)
    return cash - sim.variable_cost - sim.fixed.sum(axis=-1)[..., None]


def month_end(from_month: date, ahead: int) -> date:
    """The month-end so many months after another.

    >>> month_end(date(2026, 11, 30), 3)
    datetime.date(2027, 2, 28)
    """
    years, month = divmod(from_month.month - 1 + ahead, 12)
    year = from_month.year + years
    return date(year, month + 1, calendar.monthrange(year, month + 1)[1])
