"""Effects as monthly log odds, doses, and what a strategy becomes for the engine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy import stats

from analytics.attempt_doses import DOSES, Dose, doses
from analytics.baseline_strategy import baseline_strategy
from analytics.monthly_odds import monthly_log_odds, months_at_risk
from analytics.optimiser import Mix, best_mix
from analytics.simulation import Effects, posterior, simulate
from analytics.simulation_book import roll_book
from analytics.simulation_states import RollBook
from analytics.strategies import Strategy
from analytics.strategy_answers import benefit_so_far, totals
from analytics.strategy_edits import QuickChanges, quickly
from analytics.strategy_effects import effect_table, with_assumptions
from analytics.strategy_fields import CHANNELS
from analytics.strategy_hours import Cap
from analytics.strategy_plans import Planned, planned
from analytics.strategy_presets import risk_classes
from analytics.strategy_sales import with_sales
from analytics.treated_cases import Treated, durations
from analytics.treatment_mix import LIMITS, choices, mixed
from analytics.workload import PRODUCTIVE, workload
from tests.strategy_books import (
    AGENCIES,
    AS_OF,
    BUCKETS,
    influence_of,
    influence_rows,
    stocks,
    transitions,
    treated,
)

# the monthly log odds ratio


def test_a_known_monthly_odds_ratio_is_found_again() -> None:
    # hazards of 0.15 and 0.15 with odds times 1.3, over three months
    h0 = 0.15
    odds = 1.3 * h0 / (1 - h0)
    h1 = odds / (1 + odds)
    p0, p1 = 1 - (1 - h0) ** 3, 1 - (1 - h1) ** 3
    row = influence_of(p1 - p0, p0, n=10_000)
    assert monthly_log_odds(row)["theta"][0] == pytest.approx(np.log(1.3), rel=1e-9)


def test_a_case_that_is_handed_on_after_a_month_had_one_month_to_resolve() -> None:
    row = influence_of(0.1, 0.6).with_columns(stage=pl.lit("early"))
    theta = monthly_log_odds(row, {"early": 1.0})["theta"][0]
    assert theta == pytest.approx(np.log(0.7 / 0.3) - np.log(0.6 / 0.4), rel=1e-9)
    assert theta > monthly_log_odds(row, {"early": 3.0})["theta"][0]


@pytest.mark.parametrize("months", [1.0, 1.7, 2.6])
def test_months_at_risk_are_those_of_cases_that_were_drawn(months: float) -> None:
    draw = np.random.default_rng(3)
    day = draw.exponential(1 / 0.5, 200_000)  # half a case resolves in a month, on average
    p, lasts = (day < months).mean(), np.minimum(day, months).mean()
    rows = pl.DataFrame({
        "question": ["dose", "dose"], "stage": ["late"] * 2, "treated_sum": [600.0 * p, 300 * p],
        "treated_cases": [600, 300], "reference_sum": [100.0 * p] * 2,
        "reference_cases": [100] * 2,
    })  # fmt: skip
    found = months_at_risk(rows, {"late": lasts})
    assert found["late"] == pytest.approx(months, rel=0.01)
    assert found["early"] == 3.0  # nothing is known of it


def test_cases_last_as_long_as_case_months_over_cases_say() -> None:
    assert durations(treated()) == {
        "early": pytest.approx(480 / 300), "middle": pytest.approx(480 / 300),
        "late": pytest.approx(480 / 400),
    }  # fmt: skip


def test_the_error_is_that_of_drawing_the_cases_again() -> None:
    # two halves of 3,000 cases, resolved at 50 and 40 %: effect and p0 are not independent
    draw = np.random.default_rng(0)
    n, p1, p0 = 3_000, 0.5, 0.4
    found = []
    for _ in range(4_000):
        t, r = draw.binomial(n, p1) / n, draw.binomial(n, p0) / n
        h1, h0 = 1 - (1 - t) ** (1 / 3), 1 - (1 - r) ** (1 / 3)
        found.append(np.log(h1 / (1 - h1)) - np.log(h0 / (1 - h0)))
    y1, y0 = (
        np.repeat([1.0, 0.0], [n * p1, n - n * p1]),
        np.repeat([1.0, 0.0], [n * p0, n - n * p0]),
    )
    # influence values of the two means over all 2n cases: twice the residual on the own arm
    alone = np.concatenate([np.full(n, p0), p0 + 2 * (y0 - p0)])
    treated_part = np.concatenate([p1 + 2 * (y1 - p1), np.full(n, p1)])
    effect = treated_part - alone
    row = pl.DataFrame([{
        "supported_cases": 2 * n, "effect_sum": effect.sum(), "effect_squares": (effect**2).sum(),
        "alone_sum": alone.sum(), "alone_squares": (alone**2).sum(),
        "cross_sum": (effect * alone).sum(), "reason": None,
    }])  # fmt: skip
    out = monthly_log_odds(row).row(0, named=True)
    assert out["theta"] == pytest.approx(np.mean(found), abs=0.003)
    assert out["se"] == pytest.approx(np.std(found), rel=0.05)


def test_an_estimate_that_was_refused_stays_refused() -> None:
    row = influence_of(0.1, 0.4).with_columns(reason=pl.lit("too_few"))
    assert monthly_log_odds(row).select("theta", "se").row(0) == (None, None)


# doses


def dose_rows(*gains: float, stage: str = "early") -> pl.DataFrame:
    return pl.concat([
        influence_of(gain, 0.4, n=20_000).with_columns(
            question=pl.lit("dose"), stage=pl.lit(stage), arm=pl.lit(arm)
        )
        for arm, gain in zip(DOSES, gains, strict=True)
    ])  # fmt: skip


def test_the_first_attempts_do_most_where_that_was_seen() -> None:
    curve = doses(dose_rows(0.08, 0.10, 0.11))["early"]
    gains = curve.at(np.array([0.0, 1.0, 2.0, 3.0, 9.0]))
    steps = np.diff(gains)
    assert gains[0] == 0
    assert steps[0] > 3 * steps[1] > 0
    assert steps[3] == 0  # nothing was seen beyond


def test_gains_never_grow_even_where_the_estimates_do() -> None:
    curve = doses(dose_rows(0.01, 0.03, 0.20))["early"]
    steps = np.diff(curve.at(np.array([0.0, 1.0, 2.0, 2.4])))
    assert (np.diff(steps[:2]) <= 1e-12).all()


def test_a_falling_response_gains_nothing_and_no_estimate_means_the_first_alone() -> None:
    nothing = doses(dose_rows(0.1, 0.1, 0.1).clear())["late"]
    assert not nothing.is_estimated
    assert nothing.at(np.array([1.0, 3.0])).tolist() == [1.0, 1.0]


def test_the_expected_gain_is_that_of_a_poisson_number() -> None:
    curve = Dose((0.05, 0.03, 0.02), is_estimated=True)
    counts = np.arange(60)
    for mean in (0.1, 0.9, 3.0):
        expected = stats.poisson.pmf(counts, mean) @ curve.at(counts.astype(float))
        assert curve.of(np.array([mean]))[0] == pytest.approx(expected, rel=1e-6)


# the table


def test_every_effect_has_its_evidence() -> None:
    table = effect_table(influence_rows(), AGENCIES)
    assert table["code"].is_unique().all()
    by = {row["code"]: row for row in table.iter_rows(named=True)}
    assert by["call:late"]["evidence"] == "estimated"
    assert by["visit:late"]["evidence"] == "none"
    assert (by["suit"]["mean"], by["suit"]["sd"], by["suit"]["evidence"]) == (0, 0, "none")
    assert by["agency"]["mean"] < 0  # these agencies did worse than in-house
    assert by["first_contact:early"]["mean"] > 0
    assert by["first_contact:late"]["evidence"] == "none"


def test_channels_are_drawn_to_their_mean() -> None:
    table = effect_table(influence_rows(), AGENCIES).filter(pl.col("evidence") == "estimated")
    channels = table.filter(pl.col("kind") == "channel")
    assert channels["mean"].std() < channels["own"].std()
    assert channels["mean"].mean() == pytest.approx(channels["own"].mean(), abs=0.1)


def test_an_assumption_takes_the_place_of_an_estimate_with_its_range() -> None:
    table = effect_table(influence_rows(), AGENCIES)
    said = with_assumptions(table, {"suit": (0.1, 0.5), "unheard": (0.0, 1.0)})
    row = said.filter(pl.col("code") == "suit").row(0, named=True)
    assert row["evidence"] == "assumed"
    assert stats.norm.ppf([0.025, 0.975], row["mean"], row["sd"]) == pytest.approx([0.1, 0.5])
    others = pl.col("code") != "suit"
    assert said.filter(others).equals(table.filter(others))


# the baseline


@pytest.fixture(scope="module")
def book() -> RollBook:
    return roll_book(transitions(), stocks(), by=("product", "grade"), buckets=BUCKETS, as_of=AS_OF)


@pytest.fixture(scope="module")
def parts(book: RollBook):
    opened, loans = book.opening[-12:].sum(axis=(0, 3)), book.loans[-12:].sum(axis=(0, 3))
    group = [slice(0, 1), slice(1, 2), slice(2, 4), slice(4, 6)]
    balance = np.stack([opened[:, one].sum(axis=1) for one in group], axis=1)
    counts = np.stack([loans[:, one].sum(axis=1) for one in group], axis=1)
    given = treated()
    base = baseline_strategy(given, book.segment_keys, counts)
    load = workload(given, book.segment_keys, counts, balance)
    rows = influence_rows()
    return base, load, effect_table(rows, AGENCIES), doses(rows)


def plan_of(strategy: Strategy, parts, **options) -> Planned:
    base, load, effects, curve = parts
    return planned(strategy, base, effects, curve, load, **options)


def test_the_baseline_is_what_was_done(parts) -> None:
    base, load, *_ = parts
    row = base.treatments.filter(segment="card|A", stage="late").row(0, named=True)
    assert row["attempts_call"] == pytest.approx(240 / 120)  # calls over case-months
    assert row["agency_share"] == pytest.approx(0.25)
    assert row["commission_rate"] == pytest.approx(0.2)
    assert row["first_contact_day"] == pytest.approx(2.0)
    assert row["suit_share"] == pytest.approx(12 / 120)
    assert row["suit_fee"] == pytest.approx(400.0)
    assert row["settlement_discount"] == pytest.approx(0.3)
    assert row["plan_share"] == pytest.approx(6 / 120)
    assert base.operations.collectors == 2
    assert base.operations.monthly_pay == pytest.approx(5_000)
    assert base.operations.running_cost == pytest.approx(1_000)
    assert base.measured == treated().months
    assert load.cases[0].tolist()[1:] == pytest.approx([10.0, 10.0, 10.0])
    assert load.missing == ()


def test_a_segment_with_few_cases_takes_its_stages_figures(book: RollBook) -> None:
    few = treated()
    cases = few.cases.with_columns(
        open_cases=pl.when((pl.col("product") == "card") & (pl.col("grade") == "A"))
        .then(2)
        .otherwise(pl.col("open_cases"))
    )
    base = baseline_strategy(replace(few, cases=cases), book.segment_keys, np.ones((4, 4)))
    late = base.treatments.filter(segment="card|A", stage="late")["attempts_call"][0]
    assert late == pytest.approx((4 * 240) / (2 + 3 * 120))


def test_what_is_not_recorded_is_null_and_named(book: RollBook) -> None:
    whole = treated()
    bare = Treated(whole.months, 12, *(getattr(whole, name).clear() for name in (
        "work", "cases", "first_days", "placed", "partners", "people", "spending",
        "complaint_counts", "complaints", "intensity", "offers")))  # fmt: skip
    ones = np.ones((4, 4))
    base = baseline_strategy(bare, book.segment_keys, ones)
    assert base.treatments["attempts_call"].null_count() == base.treatments.height
    assert base.treatments["agency_share"].null_count() == base.treatments.height
    load = workload(bare, book.segment_keys, ones, ones)
    assert load.missing == ("contacts", "costs", "complaints", "people")
    rows = influence_rows()
    found = planned(base, base, effect_table(rows, AGENCIES), doses(rows), load)
    assert np.isfinite(found.plan.meters).all()


# plans


def test_the_baseline_is_no_distance_from_itself_and_costs_what_it_did(parts) -> None:
    base, load, *_ = parts
    found = plan_of(base, parts)
    assert not found.plan.x.any()
    assert found.shortfall == 0
    assert found.capped.is_empty()
    # a month's contact cost at the mean balance: 4 segments x 3 stages x (20 calls at 2, 10 texts
    # at 0.05), as was recorded
    states = np.array([0, 1, 2, 4])
    cost = (found.plan.meters[:, states, 0] * load.balance).sum()
    assert cost == pytest.approx(12 * (20 * 2 + 10 * 0.05), rel=1e-5)
    legal = (found.plan.meters[:, states, 1] * load.balance).sum()
    assert legal == pytest.approx(12 * 400.0, rel=1e-5)  # one suit a month in each cell


def test_twice_the_calls_is_more_of_the_calls_effect_and_nothing_else(parts) -> None:
    base, _, effects, _ = parts
    found = plan_of(quickly(base, QuickChanges(calls=2.0)), parts)
    moved = [code for k, code in enumerate(effects["code"]) if found.plan.x[..., k].any()]
    assert moved == ["call:early", "call:middle", "call:late"]
    late = found.plan.x[:, 3, effects["code"].to_list().index("call:late")]
    assert (late > 0).all()
    assert (found.plan.x[:, [0, 1, 2], effects["code"].to_list().index("call:late")] == 0).all()
    thrice = plan_of(quickly(base, QuickChanges(calls=3.0)), parts)
    more = thrice.plan.x[:, 3, effects["code"].to_list().index("call:late")]
    assert (more > late).all()
    assert (more < 2 * late).all()  # the third step adds less than the second


def test_none_at_all_takes_the_whole_effect_away_from_those_who_had_it(parts) -> None:
    base, _, effects, _ = parts
    found = plan_of(quickly(base, QuickChanges(calls=0.0)), parts)
    k = effects["code"].to_list().index("call:late")
    rate = 2.0 * 7 / (365.25 / 12)  # a week
    # those who had a call (1 - e^-rate) lose one unit each
    assert found.plan.x[0, 3, k] == pytest.approx(-(1 - np.exp(-rate)), rel=1e-5)


def test_calls_given_to_the_bot_save_hours_and_move_both_effects(parts) -> None:
    base, _, effects, _ = parts
    found = plan_of(quickly(base, QuickChanges(bot_share=0.5)), parts)
    plain = plan_of(base, parts)
    assert found.hours == pytest.approx(plain.hours / 2)
    codes = effects["code"].to_list()
    assert (found.plan.x[:, 3, codes.index("call:late")] < 0).all()
    assert (found.plan.x[:, 3, codes.index("voice_bot:late")] > 0).all()
    assert found.attempts.sum() == pytest.approx(plain.attempts.sum())


def test_contact_comes_no_sooner_than_at_once(parts) -> None:
    base, _, effects, _ = parts
    k = effects["code"].to_list().index("first_contact:early")
    sooner = plan_of(quickly(base, QuickChanges(days_sooner=1.0)), parts).plan.x[0, 1, k]
    far = plan_of(quickly(base, QuickChanges(days_sooner=9.0)), parts).plan.x[0, 1, k]
    assert sooner == pytest.approx(1.4 / 4.5)  # a working day is 1.4 days, of 4.5 compared
    assert far == pytest.approx(2 * sooner)  # it was on working day 2


def test_a_contact_rule_cuts_attempts_and_says_where(parts) -> None:
    base = parts[0]
    strategy = quickly(base, QuickChanges(calls=3.0))
    found = plan_of(strategy, parts, caps=[Cap("seven in seven", ("call", "voice_bot"), 4.0)])
    call = CHANNELS.index("call")
    assert found.attempts[:, 1:, call].max() == pytest.approx(4.0)
    assert found.capped.height == 4 * 3
    assert found.capped.row(0)[-2:] == (pytest.approx(6.0), pytest.approx(4.0))


def test_a_rule_that_the_baseline_breaks_cuts_no_deeper_than_the_baseline(parts) -> None:
    base = parts[0]
    cap = [Cap("strict", ("call",), 0.5)]
    found = plan_of(quickly(base, QuickChanges(calls=3.0)), parts, caps=cap)
    assert found.attempts[0, 3, CHANNELS.index("call")] == pytest.approx(2.0)
    assert not plan_of(base, parts, caps=cap).plan.x.any()


def test_when_hours_are_short_work_is_done_in_order_and_the_rest_is_told(parts) -> None:
    base, load, *_ = parts
    whole = plan_of(base, parts)
    half = base.with_operations(collectors=base.operations.collectors * whole.hours / 2
                                / whole.capacity)  # fmt: skip
    latest = plan_of(half, parts)
    assert latest.shortfall == pytest.approx(whole.hours / 2)
    assert latest.served[:, 3].min() == pytest.approx(1.0)  # the latest first
    assert latest.served[:, 1].max() < 1.0
    used = latest.plan.meters[:, [0, 1, 2, 4], 3] * load.balance
    assert used.sum() == pytest.approx(latest.capacity, rel=1e-5)
    earliest = plan_of(half.with_operations(priority="early_first"), parts)
    assert earliest.served[:, 1].min() == pytest.approx(1.0)
    assert earliest.served[:, 3].max() < 1.0
    sms = CHANNELS.index("sms")
    assert (latest.attempts[..., sms] == whole.attempts[..., sms]).all()  # nobody sends those


def test_minutes_are_scaled_where_the_baseline_would_not_fit(parts) -> None:
    base = parts[0]
    few = base.with_operations(collectors=0.1)
    found = planned(few, few, parts[2], parts[3], parts[1])
    assert found.hours == pytest.approx(0.1 * 160 * PRODUCTIVE)
    assert found.shortfall == pytest.approx(0, abs=1e-9)


def test_where_nobody_knows_the_people_hours_do_not_end(parts) -> None:
    base = parts[0].with_operations(collectors=0.0)
    found = planned(base, base, parts[2], parts[3], parts[1])
    assert not found.plan.x.any()
    assert found.served.min() == 1.0
    assert found.shortfall == 0


def test_agencies_cost_their_commission_and_free_hours(parts) -> None:
    base, _, effects, _ = parts
    more = base.with_treatments(pl.lit(0.75).alias("agency_share"), only=pl.col("stage") == "late")
    found, plain = plan_of(more, parts), plan_of(base, parts)
    assert found.plan.commission[0, 4] == pytest.approx(0.75 * 0.2)
    assert plain.plan.commission[0, 4] == pytest.approx(0.25 * 0.2)
    assert found.hours < plain.hours
    assert found.plan.x[0, 3, effects["code"].to_list().index("agency")] == pytest.approx(0.5)


def test_a_later_day_of_placement_places_fewer(parts) -> None:
    base, _, effects, _ = parts
    later = base.with_treatments(pl.lit(227.5).alias("agency_day"), only=pl.col("stage") == "late")
    x = plan_of(later, parts).plan.x[0, 3, effects["code"].to_list().index("agency")]
    assert x == pytest.approx(-0.25 / 2)  # half of the stage's days (90 to 365) are before it


def test_a_settlement_gives_a_part_of_the_cash_away(parts) -> None:
    base = parts[0]
    twice = base.with_treatments((pl.col("settlement_share") + 0.1).alias("settlement_share"))
    found, plain = plan_of(twice, parts), plan_of(base, parts)
    given = found.plan.commission - plain.plan.commission
    assert given[0, 4] == pytest.approx(0.1 * 0.3)


def test_more_attempts_bring_more_complaints(parts) -> None:
    base = parts[0]
    plain, more = (plan_of(quickly(base, QuickChanges(calls=times)), parts).plan.meters[..., 2]
                   for times in (1.0, 2.0))  # fmt: skip
    assert (more[:, 1:] > plain[:, 1:]).all()


def test_one_off_costs_are_paid_at_once_or_spread_over_their_years(parts) -> None:
    base = parts[0]
    dear = base.with_operations(one_off_cost=36_000.0, years_of_use=3.0)
    at_once, spread = (
        plan_of(dear, parts, is_spread=one).plan.fixed[:, 3] for one in (False, True)
    )
    assert at_once.tolist() == [36_000.0, *[0.0] * 11]
    assert spread.tolist() == pytest.approx([1_000.0] * 12)


# simulated


@pytest.fixture(scope="module")
def draws(book: RollBook):
    return posterior(book, draws=400, seed=1)


def simulated(parts, draws, strategy: Strategy, effects: pl.DataFrame | None = None):
    base, load, table, curve = parts
    used = table if effects is None else effects
    inputs = Effects(tuple(used["code"]), used["mean"].to_numpy(), used["sd"].to_numpy(),
                     tuple(used["evidence"]))  # fmt: skip
    both = (base, strategy.named("Another"))
    plans = [planned(one, base, used, curve, load).plan for one in both]
    theta = inputs.draws(draws.n)
    return simulate(draws, theta, plans, discount_rate=0.06), theta, plans


def test_without_any_effect_a_strategy_costs_what_it_costs(parts, draws) -> None:
    base = parts[0]
    nothing = parts[2].with_columns(mean=pl.lit(0.0), sd=pl.lit(0.0))
    strategy = quickly(base, QuickChanges(calls=2.0, collectors=3.0)).with_operations(
        one_off_cost=10_000.0
    )
    sim, *_ = simulated(parts, draws, strategy, nothing)
    assert (sim.benefit[1] == -sim.extra_cost[1]).all()  # exactly
    assert sim.benefit[1].max() < 0


def test_benefit_so_far_ends_at_the_benefit(parts, draws) -> None:
    sim, *_ = simulated(parts, draws, quickly(parts[0], QuickChanges(calls=2.0)))
    rows = benefit_so_far(sim).filter(pl.col("plan") == sim.names[1])
    assert rows["mean"][0] == 0
    assert rows["mean"][-1] == pytest.approx(sim.benefit[1].mean(), rel=1e-6)
    ends = np.quantile(sim.benefit[1], [0.1, 0.9])
    assert rows.row(-1)[3] == pytest.approx(ends[0], rel=1e-4)


def test_totals_add_up(parts, draws) -> None:
    sim, *_ = simulated(parts, draws, quickly(parts[0], QuickChanges(calls=2.0)))
    rows = {(row["plan"], row["measure"]): row for row in totals(sim).iter_rows(named=True)}
    cash = rows[sim.names[1], "cash"]
    assert cash["mean"] == pytest.approx(sim.cash[:, 1].sum(axis=1).mean(), rel=1e-5)
    assert rows[sim.names[0], "cash"]["more"] is None
    assert cash["more"] > 0


def test_debt_sold_brings_its_price_and_no_more_cash(parts, draws) -> None:
    base = parts[0]
    sim, theta, plans = simulated(parts, draws, base.named("sale"))
    means = [base.operations, replace(base.operations, sale_share=1.0, sale_price=0.1)]
    sold = with_sales(sim, draws, theta, plans, means, discount_rate=0.06)
    oldest = float(draws.stock[:, 5].sum())
    assert (sold.cash[:, 0] == sim.cash[:, 0]).all()
    first = sold.cash[:, 1, 0] - sim.cash[:, 1, 0]
    assert (first <= 0.1 * oldest + 1).all()  # the price, less the month's cash of what is gone
    assert (sold.late_balance[:, 1, 0] < sim.late_balance[:, 1, 0]).all()
    assert sold.charged_off[:, 1].sum(axis=1).mean() > sim.charged_off[:, 1].sum(axis=1).mean()
    half = [means[0], replace(means[1], sale_share=0.5)]
    part = with_sales(sim, draws, theta, plans, half, discount_rate=0.06)
    assert part.benefit[1].mean() == pytest.approx(sold.benefit[1].mean() / 2, rel=0.01)


def test_no_sale_leaves_everything_as_it_is(parts, draws) -> None:
    sim, theta, plans = simulated(parts, draws, parts[0])
    means = [parts[0].operations] * 2
    assert with_sales(sim, draws, theta, plans, means, discount_rate=0.06) is sim


def test_the_mix_keeps_its_limits_and_brings_what_was_promised(parts, draws) -> None:
    base, load, effects, curve = parts
    inputs = Effects(tuple(effects["code"]), effects["mean"].to_numpy(), effects["sd"].to_numpy(),
                     tuple(effects["evidence"]))  # fmt: skip
    theta = inputs.draws(draws.n)
    found = choices(base, effects, curve, load, draws, theta, discount_rate=0.06)
    assert not found.value[:, 0].any()  # as it is done brings nothing more
    limits = {name: 1.1 * float(found.usage[name][:, 0].sum()) for name in LIMITS}
    mix = best_mix(found.value, found.usage, limits, allowed=found.allowed)
    assert isinstance(mix, Mix)
    strategy = mixed(base, found, mix.shares, "best")
    sim, *_ = simulated(parts, draws, strategy)
    assert mix.value > 0
    assert sim.benefit[1].mean() == pytest.approx(mix.value, rel=0.25)
    asked = plan_of(strategy, parts).hours
    assert asked <= limits["hours"] * 1.001


def test_a_treatment_beyond_a_contact_rule_is_not_offered(parts, draws) -> None:
    base, load, effects, curve = parts
    theta = np.zeros((draws.n, effects.height), np.float32)
    cap = [Cap("three calls", ("call",), 3.0)]
    found = choices(base, effects, curve, load, draws, theta, caps=cap)
    names = [option.name for option in found.options]
    assert not found.allowed[:, names.index("Twice the calls")].any()
    assert found.allowed[:, names.index("Calls one and a half times")].all()
    assert found.allowed[:, 0].all()


def test_risk_is_by_the_share_of_late_money_that_got_worse(book: RollBook) -> None:
    classes = risk_classes(book)
    worse = book.opening[-12:, :, 1:].sum(axis=0)
    share = (worse * book.kinds[2][1:]).sum(axis=(1, 2)) / worse.sum(axis=(1, 2))
    order = [book.segments[s] for s in np.argsort(share)]
    assert classes[order[0]] == "low"
    assert classes[order[-1]] == "high"
