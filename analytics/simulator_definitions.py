"""What every number of the Simulator page means: the functions whose docstrings say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from analytics import (
    attempt_complaints,
    attempt_doses,
    backtest,
    baseline_strategy,
    monthly_odds,
    optimiser,
    placement_curves,
    placement_ramps,
    simulation,
    simulation_answers,
    simulation_book,
    simulation_counts,
    simulation_draws,
    simulation_levers,
    strategy_answers,
    strategy_cadence,
    strategy_differences,
    strategy_effects,
    strategy_plans,
    strategy_presets,
    strategy_sales,
    treatment_mix,
    workload,
)

SIMULATOR = ("Simulator",)

METRICS: tuple[tuple[str, tuple[str, ...], Callable[..., Any]], ...] = (
    ("Baseline strategy", SIMULATOR, baseline_strategy.baseline_strategy),
    ("What cases take and cost", SIMULATOR, workload.workload),
    ("Difference of a strategy", SIMULATOR, strategy_differences.differences),
    ("High, medium and low risk of a segment", SIMULATOR, strategy_presets.risk_classes),
    ("Effects and their evidence", SIMULATOR, strategy_effects.effect_table),
    ("What placed and sued balances pay by month", SIMULATOR, placement_curves.placement_curves),
    ("Placements from today on", SIMULATOR, placement_ramps.placed_ramp),
    ("Suits from today on", SIMULATOR, placement_ramps.filed_ramp),
    ("Units of a curve by month", SIMULATOR, placement_ramps.ramp_units),
    ("Monthly odds of cure", SIMULATOR, monthly_odds.monthly_log_odds),
    ("Months at risk", SIMULATOR, monthly_odds.months_at_risk),
    ("Diminishing returns of attempts", SIMULATOR, attempt_doses.doses),
    ("An assumption in place of an estimate", SIMULATOR, strategy_effects.with_assumptions),
    ("What of a strategy can be done", SIMULATOR, strategy_plans.planned),
    ("Money by segment, state and next state", SIMULATOR, simulation_book.roll_book),
    ("Roll rates to come", SIMULATOR, simulation_draws.posterior),
    ("Simulation", SIMULATOR, simulation.simulate),
    ("Net benefit", SIMULATOR, simulation_answers.benefit),
    ("Net benefit so far", SIMULATOR, strategy_answers.benefit_so_far),
    ("Cash, cost, complaints and losses in all", SIMULATOR, strategy_answers.totals),
    ("Cost by kind", SIMULATOR, simulation_answers.cost_by_kind),
    (
        "How well a rate of complaints or breaches is known",
        SIMULATOR,
        simulation_counts.rate_factors,
    ),
    (
        "Complaints at rates that are not known exactly",
        SIMULATOR,
        simulation_counts.with_complaint_rates,
    ),
    ("Complaints for an attempt", SIMULATOR, attempt_complaints.attempt_complaints),
    ("Breaches avoided", SIMULATOR, simulation_counts.breaches),
    ("Cadence and the room that it leaves", SIMULATOR, strategy_cadence.paced),
    ("Benefit by segment", SIMULATOR, simulation_answers.by_segment),
    ("Payback", SIMULATOR, simulation_answers.payback),
    ("Recovery and recovery period", SIMULATOR, simulation_answers.recovery),
    ("What an answer hangs on", SIMULATOR, simulation_levers.tornado),
    ("Break-even", SIMULATOR, simulation_levers.break_even),
    ("From baseline to strategy", SIMULATOR, simulation_levers.waterfall),
    ("Debt sold at once", SIMULATOR, strategy_sales.with_sales),
    ("Worth of a treatment", SIMULATOR, treatment_mix.choices),
    ("Best mix and shadow prices", SIMULATOR, optimiser.best_mix),
    ("Efficient frontier", SIMULATOR, optimiser.frontier),
    ("Back-test", SIMULATOR, backtest.backtest),
    ("Error and coverage by months ahead", SIMULATOR, backtest.by_horizon),
)
