"""What a simulation says, worked by hand where a hand can, and adding up everywhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from analytics import simulation_kernel as kernel
from analytics.simulation import Effects, Plan, Simulation, simulate
from analytics.simulation_answers import (
    DAYS_A_MONTH,
    benefit,
    by_segment,
    cost_by_kind,
    monthly,
    over_all_months,
    payback,
    people,
    recovery,
)
from analytics.simulation_draws import Draws, posterior
from analytics.simulation_levers import break_even, break_even_cost, tornado, waterfall
from bench.simulated_books import as_known, lived, process

SEGMENTS, MONTHS, DRAWS, RATE = 3, 12, 500, 0.08
EFFECTS = Effects(("calls", "bot"), [0.3, 0.1], [0.1, 0.1], ("estimated", "assumed"))


def by_hand(cash: list[list[float]], fixed: list[list[float]], **outputs: list) -> Simulation:
    """Two plans, two months, two draws alike; not discounted."""
    totals = np.zeros((2, 2, kernel.OUTPUTS, 2), np.float32)
    totals[:, :, kernel.CASH] = np.array(cash)[:, :, None]
    for name, values in outputs.items():
        totals[:, :, getattr(kernel, name)] = np.array(values)[:, :, None]
    return Simulation(
        ("baseline", "other"),
        ("all",),
        totals,
        np.zeros((2, 1, 2), np.float32),
        np.array(fixed, float)[:, :, None] if np.ndim(fixed) == 2 else np.array(fixed, float),
        ("one_off",) if np.ndim(fixed) == 2 else ("labour", "one_off"),
        np.ones(2),
        100.0,
        np.zeros((2, 1, 2), np.float32),
    )


@pytest.fixture(scope="module")
def draws() -> Draws:
    rng = np.random.default_rng(2)
    truth = process(rng, loans=6_000, spread=0.15, persistence=0.6, segments=SEGMENTS)
    return posterior(as_known(lived(truth, [2], before=18, after=0), 18), draws=DRAWS)


@pytest.fixture(scope="module")
def plans() -> tuple[Plan, Plan]:
    x = np.zeros((SEGMENTS, 4, 2), np.float32)
    x[:, 1, 0], x[:, 2:, 1] = 1, 0.5
    meters = np.zeros((SEGMENTS, 6, 4), np.float32)
    meters[:, 1:] = 0.002
    commission = np.full((SEGMENTS, 6), 0.02, np.float32)
    fixed, kinds = np.full((MONTHS, 2), 1_000.0), ("labour", "one_off")
    baseline = Plan("baseline", np.zeros_like(x), meters, commission, fixed, kinds)
    return baseline, Plan("more", x, meters * np.float32(1.1), commission, fixed * 1.5, kinds)


@pytest.fixture(scope="module")
def sim(draws: Draws, plans: tuple[Plan, Plan]) -> Simulation:
    return simulate(draws, EFFECTS.draws(DRAWS), plans, discount_rate=RATE)


def test_a_benefit_is_more_cash_less_more_cost() -> None:
    worked = by_hand(
        [[10, 10], [15, 12]],
        [[1, 1], [2, 3]],
        CONTACT=[[1, 1], [2, 1]],
        COMMISSION=[[0, 0], [0, 1]],
    )
    row = benefit(worked).row(1, named=True)
    assert row["mean"] == row["low"] == row["high"] == 7 - 2 - 3
    assert row["extra_cost"] == 5
    assert row["return_"] == row["return_low"] == row["return_high"] == pytest.approx(2 / 5)
    assert row["p_better"] == 1
    assert row["is_noise"] is False


def test_a_loss_has_no_return() -> None:
    worked = by_hand([[10, 10], [10, 12]], [[1, 1], [2, 3]])  # 2 more cash for 3 more cost
    row = benefit(worked).row(1, named=True)
    assert (row["mean"], row["extra_cost"]) == (-1, 3)
    assert row["return_"] is row["return_low"] is row["return_high"] is None


def test_the_baseline_has_no_chance_of_beating_itself(sim: Simulation) -> None:
    row = benefit(sim).row(0, named=True)
    assert row["mean"] == 0
    assert row["p_better"] is row["is_noise"] is row["return_"] is None
    copied = replace(sim, segment_net=sim.segment_net, totals=np.repeat(sim.totals[:1], 2, axis=0),
                     fixed=np.repeat(sim.fixed[:1], 2, axis=0), luck=0 * sim.luck)  # fmt: skip
    assert benefit(copied).row(1, named=True)["p_better"] is None  # the same has none either


def test_what_comes_in_a_year_is_discounted_by_a_year(
    draws: Draws, plans: tuple[Plan, Plan]
) -> None:
    theta = EFFECTS.draws(DRAWS)
    at_a_rate = simulate(draws, theta, plans, discount_rate=RATE)
    assert at_a_rate.discount[-1] == pytest.approx(1 / (1 + RATE))
    plain = simulate(draws, theta, plans)
    assert (plain.discount == 1).all()
    assert (plain.cash == at_a_rate.cash).all()


def test_costs_add_up_to_the_extra_cost(sim: Simulation) -> None:
    means = cost_by_kind(sim).group_by("plan", maintain_order=True).agg(pl.col("mean").sum())
    more = means["mean"][1] - means["mean"][0]
    assert more == pytest.approx(sim.extra_cost[1].mean(), rel=1e-6)


def test_segments_add_up_to_the_benefit_before_fixed_costs(sim: Simulation) -> None:
    total = by_segment(sim).filter(pl.col("plan") == "more")["mean"].sum()
    fixed = float((sim.fixed[1] - sim.fixed[0]).sum(axis=-1) @ sim.discount)
    assert total - fixed == pytest.approx(sim.benefit[1].mean(), rel=1e-3)


def test_the_cash_of_a_month_lies_within_its_interval(sim: Simulation) -> None:
    rows = monthly(sim, "cash")
    assert rows.height == 2 * MONTHS
    assert (rows["low"] <= rows["middle"]).all()
    assert (rows["middle"] <= rows["high"]).all()
    inside = np.quantile(sim.cash[:, 1, 4], [0.1, 0.9])
    row = rows.filter(pl.col("plan") == "more", pl.col("month") == 5).row(0, named=True)
    assert (row["low"], row["high"]) == pytest.approx(tuple(inside))
    with pytest.raises(ValueError, match="none of"):
        monthly(sim, "luck")


def test_what_is_counted_in_all_months_is_compared_with_the_baseline() -> None:
    worked = by_hand([[0, 0], [0, 0]], [[0, 0], [0, 0]], COMPLAINTS=[[4, 6], [5, 8]])
    rows = over_all_months(worked, "complaints")
    assert rows["mean"].to_list() == [10, 13]
    assert rows["more"].to_list() == [None, 3]
    with pytest.raises(ValueError, match="cannot be added"):
        over_all_months(worked, "late_balance")


def test_one_off_spending_is_paid_back_in_the_month_that_reaches_it() -> None:
    worked = by_hand([[10, 10], [14, 17]], [[[0, 0], [0, 0]], [[1, 8], [1, 0]]])
    row = payback(worked).row(1, named=True)
    assert row["spending"] == 8
    assert row["middle"] == 2  # 3 by the first month, 9 by the second
    assert row["within"] == 1


def test_spending_that_does_not_come_back_has_no_month() -> None:
    worked = by_hand([[10, 10], [14, 13]], [[[0, 0], [0, 0]], [[1, 8], [1, 0]]])
    row = payback(worked).row(1, named=True)
    assert row["within"] == 0
    assert row["middle"] is row["high"] is None
    nothing = payback(worked).row(0, named=True)
    assert nothing["within"] is None


def test_people_are_hours_over_a_persons_hours() -> None:
    worked = by_hand([[0, 0], [0, 0]], [[0, 0], [0, 0]], HOURS=[[240, 250], [361, 0]])
    rows = people(worked, hours_per_person=120)
    assert rows["mean"].to_list() == pytest.approx([2, 250 / 120, 361 / 120, 0])
    assert rows["needed"].to_list() == [2, 3, 4, 0]
    with pytest.raises(ValueError, match="hours"):
        people(worked, hours_per_person=0)


def test_recovery_and_its_period_by_hand() -> None:
    worked = by_hand(
        [[0, 0], [0, 0]],
        [[0, 0], [0, 0]],
        LATE_CASH=[[20, 20], [24, 24]],
        ENTERED=[[50, 50], [50, 50]],
        LATE=[[100, 100], [80, 60]],
    )
    rows = {(row["plan"], row["measure"]): row for row in recovery(worked).iter_rows(named=True)}
    other = rows["other", "recovery"]
    assert rows["baseline", "recovery"]["mean"] == pytest.approx(40 / 200)
    assert other["relative"] == pytest.approx(0.2)
    assert other["difference"] == pytest.approx(0.04)
    assert other["p_goal"] == 1
    period = rows["other", "period"]
    assert rows["baseline", "period"]["mean"] == pytest.approx(200 / 100 * DAYS_A_MONTH)
    assert period["mean"] == pytest.approx((90 + 70) / 100 * DAYS_A_MONTH)
    assert period["relative"] == pytest.approx(-0.2)
    assert rows["baseline", "period"]["relative"] is None


def test_a_tornado_finds_what_the_answer_hangs_on(
    draws: Draws, plans: tuple[Plan, Plan], sim: Simulation
) -> None:
    theta = EFFECTS.draws(DRAWS)
    found = tornado(sim, draws, EFFECTS, theta)
    widths = dict(zip(found["input"], found["width"], strict=True))
    assert set(widths) == {"calls", "bot", "shock", "rolls"}
    assert found["width"].is_sorted(descending=True)
    ends = []
    for tenth in (0.1, 0.9):  # the same by simulating anew with the effect held
        held = theta.copy()
        held[:, 0] = np.quantile(theta[:, 0], tenth)
        again = simulate(draws, held, plans, discount_rate=RATE)
        ends.append(float(again.benefit[1].mean()))
    assert widths["calls"] == pytest.approx(ends[1] - ends[0], rel=0.05)


def test_an_effect_that_is_certain_is_not_in_the_tornado(
    draws: Draws, plans: tuple[Plan, Plan]
) -> None:
    sure = Effects(EFFECTS.names, EFFECTS.mean, [0.1, 0.0], EFFECTS.evidence)
    theta = sure.draws(DRAWS)
    found = tornado(simulate(draws, theta, plans), draws, sure, theta)
    assert "bot" not in found["input"].to_list()


def test_at_its_break_even_an_effect_is_worth_nothing(
    draws: Draws, plans: tuple[Plan, Plan]
) -> None:
    theta = EFFECTS.draws(DRAWS)
    value = break_even(draws, theta, plans, 0, discount_rate=RATE)
    assert value is not None
    held = theta.copy()
    held[:, 0] = value
    even = simulate(draws, held, plans, discount_rate=RATE).benefit[1].mean()
    full = simulate(draws, theta, plans, discount_rate=RATE).benefit[1].mean()
    assert abs(even) < 1e-3 * abs(full)
    assert break_even(draws, theta, plans, 0, discount_rate=RATE, between=(2.0, 3.0)) is None


def test_at_its_break_even_a_cost_eats_the_benefit(
    draws: Draws, plans: tuple[Plan, Plan], sim: Simulation
) -> None:
    factor = break_even_cost(sim, "labour")
    assert factor is not None
    baseline, more = plans
    fixed = more.fixed.copy()
    fixed[:, 0] = baseline.fixed[:, 0] + factor * (more.fixed[:, 0] - baseline.fixed[:, 0])
    dear = Plan(more.name, more.x, more.meters, more.commission, fixed, more.fixed_kinds)
    even = simulate(draws, EFFECTS.draws(DRAWS), [baseline, dear], discount_rate=RATE)
    assert abs(even.benefit[1].mean()) < 1e-6 * sim.cash.sum(axis=2).mean()
    with pytest.raises(ValueError, match="rent"):
        break_even_cost(sim, "rent")


def test_a_waterfall_adds_up_to_the_benefit(
    draws: Draws, plans: tuple[Plan, Plan], sim: Simulation
) -> None:
    theta = EFFECTS.draws(DRAWS)
    steps = waterfall(draws, theta, *plans, {"calls": [0]}, discount_rate=RATE)
    assert steps["step"].to_list()[:2] == ["calls", "other"]
    assert steps["so_far"][-1] == pytest.approx(float(sim.benefit[1].mean()), rel=1e-3)
    with pytest.raises(ValueError, match="one lever"):
        waterfall(draws, theta, *plans, {"calls": [0], "again": [0, 1]}, discount_rate=RATE)
