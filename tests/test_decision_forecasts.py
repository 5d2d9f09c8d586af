"""What is forecast when a strategy is decided on is what the simulation says, draw by draw."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from analytics.decision_forecasts import forecast_of
from analytics.simulation import Effects, Plan, Simulation, simulate
from analytics.simulation_answers import benefit, monthly
from analytics.simulation_draws import posterior
from bench.simulated_books import as_known, lived, process

SEGMENTS, MONTHS, DRAWS = 2, 6, 400
JUNE = dt.date(2026, 6, 30)


def plan(name: str, units: float, cost: float = 1.0) -> Plan:
    rng = np.random.default_rng(7)
    return Plan(
        name,
        np.full((SEGMENTS, 4, 1), units, np.float32),
        (cost * rng.uniform(0.001, 0.01, (SEGMENTS, 6, 4))).astype(np.float32),
        (cost * rng.uniform(0.0, 0.2, (SEGMENTS, 6))).astype(np.float32),
        np.full((MONTHS, 1), cost * 100.0),
        ("labour",),
    )


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    rng = np.random.default_rng(1)
    truth = process(rng, loans=2_000, spread=0.2, persistence=0.6, segments=SEGMENTS)
    draws = posterior(as_known(lived(truth, [1], before=20, after=0), 20), draws=DRAWS,
                      horizon=MONTHS)  # fmt: skip
    theta = Effects(("calls",), [0.3], [0.1], ("estimated",)).draws(DRAWS)
    plans = [plan("baseline", 0), plan("more", 1, 1.5), plan("dearer", 0, 2.0)]
    return simulate(draws, theta, plans)


def test_every_month_of_every_measure_is_the_simulations(simulation: Simulation) -> None:
    found = forecast_of(simulation, 1, as_of=JUNE)
    assert found["month"].unique().sort().to_list() == [
        dt.date(2026, 7, 31), dt.date(2026, 8, 31), dt.date(2026, 9, 30),
        dt.date(2026, 10, 31), dt.date(2026, 11, 30), dt.date(2026, 12, 31),
    ]  # fmt: skip
    for measure in ("cash", "late_cash", "charged_off"):
        rows = monthly(simulation, measure)
        for series, name in (("strategy", "more"), ("baseline", "baseline")):
            mine = found.filter(measure=measure, series=series).sort("month")
            of = rows.filter(pl.col("plan") == name)
            for column in ("mean", "low", "high"):
                assert mine[column].to_list() == of[column].to_list()


def test_the_benefit_adds_up_to_the_simulations_and_is_minus_the_cost_where_nothing_acts(
    simulation: Simulation,
) -> None:
    for number, name in ((1, "more"), (2, "dearer")):
        mine = forecast_of(simulation, number, as_of=JUNE).filter(series="benefit")
        whole = benefit(simulation).filter(pl.col("plan") == name)["mean"][0]
        assert mine["mean"].sum() == pytest.approx(whole, rel=1e-3)
    dearer = forecast_of(simulation, 2, as_of=JUNE).filter(series="benefit")
    cost = np.asarray(simulation.variable_cost[2] - simulation.variable_cost[0]).mean(axis=-1)
    assert dearer["mean"].to_list() == pytest.approx((-cost - 100).tolist())


@pytest.mark.parametrize("number", [0, -1, 3])
def test_only_a_strategy_beside_the_baseline_can_be_decided_on(
    simulation: Simulation, number: int
) -> None:
    with pytest.raises(ValueError, match="beside the baseline"):
        forecast_of(simulation, number, as_of=JUNE)
