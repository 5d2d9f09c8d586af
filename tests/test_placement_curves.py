"""Curves of placements and suits: from the facts, as estimates, and as a strategy's months."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from analytics import simulation_kernel as kernel
from analytics.attempt_doses import doses
from analytics.baseline_strategy import baseline_strategy
from analytics.placement_curves import AGENCY, STEPS, SUIT, placement_curves
from analytics.placement_ramps import Ramp, filed_ramp, placed_ramp, ramp_units
from analytics.simulation import Effects, Plan, simulate
from analytics.simulation_book import roll_book
from analytics.simulation_draws import Draws, posterior
from analytics.strategies import Strategy
from analytics.strategy_effects import effect_table, goes_by_curve, with_assumptions
from analytics.strategy_plans import planned
from analytics.workload import workload
from bench.plain_simulator import blocked
from charts.curve_sentences import curve_sentences
from jobs.refresh import book_shape
from queries.cases import CaseSettings
from queries.curve_windows import curve_windows
from tests import strategy_books
from tests.books import loan, month, put
from tests.recovery_books import case, day, pay
from warehouse.buckets import DEFAULT_BOUNDS
from warehouse.engines import session

LATE = {"opening_days_past_due": 100, "placed_amount": "1000"}


def test_windows_are_counted_from_the_opening_until_a_suit_and_then_from_its_filing(
    facts_url: str,
) -> None:
    put(
        facts_url,
        agencies=[{"agency_id": "A1", "name": "Swift", "commission_rate": 0.2,
                   "contract_from_on": day("01-01")}],
        loans=[loan(name, risk_grade="C") for name in "UAS"],
        loan_months=[month("U", dt.date(2024, 3, 31), 100, "1000")],
        cases=[
            case("u", "U", "03-01", **LATE),
            case("a", "A", "03-01", "04-14", agency_id="A1", close_reason="transferred", **LATE),
            case("s", "S", "03-01", "06-15", close_reason="cured", **LATE),
        ],
        legal_actions=[{"action_id": "l", "case_id": "s", "action": "filing",
                        "acted_on": day("05-10"), "fee_amount": "1"}],
        payments=[
            pay(1, "U", "03-30", "10"),  # day 29: the last of the first window
            pay(2, "U", "03-31", "5"),
            pay(3, "A", "04-14", "40"),  # the day on which it was handed back
            pay(4, "A", "04-20", "99"),  # after it
            pay(5, "S", "05-09", "7"),  # in a window that the suit cut short
            pay(6, "S", "05-10", "20"),
            pay(7, "S", "06-10", "30"),
        ],
    )  # fmt: skip
    with session(facts_url) as facts:
        shape = book_shape(facts, DEFAULT_BOUNDS)
        rows = facts.fetch(curve_windows("card", shape, CaseSettings(dt.date(2024, 7, 31))))
    assert rows.select("stage", "product", "grade").unique().rows() == [("late", "card", "C")]
    by = ("owner", "since_filing", "since_opening", "cases", "exposed_amount", "cash_amount",
          "left_cases", "transferred_cases")  # fmt: skip
    assert sorted(rows.select(by).rows(), key=repr) == sorted([
        ("in_house", None, 0, 2, 2000, 10, 0, 0),  # u and s
        ("in_house", None, 1, 2, 2000, 5, 0, 0),
        *[("in_house", None, n, 1, 1000, 0, 0, 0) for n in (2, 3, 4)],  # July has no whole sixth
        ("agency", None, 0, 1, 1000, 0, 0, 0),
        ("agency", None, 1, 1, 500, 40, 0, 1),  # days 30 to 44: half of the window
        ("in_house", 0, 2, 1, 1000, 20, 0, 0),  # filed on day 70
        ("in_house", 1, 3, 1, 1000, 30, 1, 0),
    ], key=repr)  # fmt: skip
    squares = rows.filter(pl.col("transferred_cases") == 1).row(0, named=True)
    assert (squares["exposed_squares"], squares["cash_squares"], squares["cash_exposed"],
            squares["paying_cases"]) == (250_000, 1_600, 20_000, 1)  # fmt: skip


# estimates


def cells(owner: str, n: int, paid: np.ndarray, balance: np.ndarray, grade: str = "A",
          filed: int | None = None) -> dict[str, object]:  # fmt: skip
    return {
        "stage": "late", "product": "card", "grade": grade, "owner": owner, "since_opening": n,
        "since_filing": filed, "cases": len(paid), "left_cases": 0, "transferred_cases": 0,
        "paying_cases": int((paid > 0).sum()), "exposed_amount": balance.sum(),
        "cash_amount": paid.sum(), "exposed_squares": (balance**2).sum(),
        "cash_squares": (paid**2).sum(), "cash_exposed": (paid * balance).sum(),
    }  # fmt: skip


def windows(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema_overrides={"since_filing": pl.Int64})


def paying(count: int, payers: int, amount: float) -> tuple[np.ndarray, np.ndarray]:
    return np.repeat([amount, 0.0], [payers, count - payers]), np.full(count, 100.0)


def test_a_curve_by_hand() -> None:
    # 40 placements of 100 of which 10 pay 40; of the like cases every tenth pays 50
    found = placement_curves(windows(cells("agency", 0, *paying(40, 10, 40.0)),
                                     cells("in_house", 0, *paying(1_000, 100, 50.0))))  # fmt: skip
    row = found.steps.filter(kind=AGENCY, step="1").row(0, named=True)
    assert found.started == {AGENCY: 40, SUIT: 0}
    assert (row["rate"], row["like_rate"]) == pytest.approx((0.1, 0.05))
    # 10 x (40 - 10)^2 + 30 x 10^2 = 12,000; its root over 4,000
    assert (row["high"] - row["rate"]) / 1.959964 == pytest.approx(12_000**0.5 / 4_000)
    # five more like cases: (400 + 25) / 4,500 = 0.0944, odds 0.1043, against 0.05 / 0.95 = 0.0526
    assert np.exp(row["theta"]) == pytest.approx(425 / 4_075 / (0.05 / 0.95))
    assert found.steps.filter(kind=SUIT).is_empty()
    assert found.steps.filter(step="2")["reason"].to_list() == ["too_few"]


def test_without_like_cases_there_is_a_rate_and_no_effect() -> None:
    found = placement_curves(windows(cells("agency", 0, *paying(40, 10, 40.0)),
                                     cells("in_house", 0, *paying(99, 9, 9.0), "B")))  # fmt: skip
    row = found.steps.row(0, named=True)
    assert (row["rate"], row["theta"], row["reason"]) == (0.1, None, "no_reference")
    assert placement_curves(windows().clear()).steps.is_empty()


def test_planted_odds_by_month_are_found_though_worse_cases_are_placed() -> None:
    truth = {"1": 0.2, "2": 3.0, "3": 1.5}
    usual = {"A": 0.20, "B": 0.05}  # and nine of ten placements are of grade B
    sizes = {("agency", "A"): 60, ("agency", "B"): 540, ("in_house", "A"): 900,
             ("in_house", "B"): 300}  # fmt: skip
    rng, inside, found = np.random.default_rng(5), [], []
    for _ in range(60):
        rows = []
        for (owner, grade), count in sizes.items():
            for n, times in enumerate(truth.values()):
                odds = usual[grade] / (1 - usual[grade]) * (times if owner == "agency" else 1)
                balance = rng.lognormal(8, 0.6, count)
                paid = balance * rng.binomial(1, odds / (1 + odds), count)
                rows.append(cells(owner, n, paid, balance, grade))
        steps = placement_curves(windows(*rows)).steps.filter(pl.col("step").is_in(list(truth)))
        gap = steps["theta"].to_numpy() - np.log(list(truth.values()))
        inside.append(np.abs(gap) < 1.96 * steps["se"].to_numpy())
        found.append(gap)
    assert np.mean(found, axis=0) == pytest.approx([0, 0, 0], abs=0.15)
    assert 0.88 < np.mean(inside) <= 1.0


def test_a_suit_is_compared_with_cases_of_its_own_age_and_lasts_through_transfers() -> None:
    rows = [
        cells("in_house", 2, *paying(50, 10, 10.0), filed=0),
        cells("in_house", 3, *paying(40, 4, 10.0), filed=1),
        cells("in_house", 0, *paying(500, 250, 10.0)),  # as young as no sued one
        cells("in_house", 2, *paying(500, 100, 10.0)),
        cells("in_house", 3, *paying(500, 25, 10.0)),
    ]
    rows[0] |= {"left_cases": 5, "transferred_cases": 20}
    found = placement_curves(windows(*rows))
    first, second = found.steps.head(2).iter_rows(named=True)
    assert first["like_rate"] == pytest.approx(0.02)
    assert first["theta"] == pytest.approx(0.0, abs=1e-9)
    assert second["like_rate"] == pytest.approx(0.005)
    assert found.lasting[SUIT][:2].tolist() == [1.0, 0.9]


# a strategy's months

LASTING = np.array([1.0, 0.8, 0.6, 0.4, *[0.0] * 8])
THETA = np.log([0.05, 3.0, 2.0, 1.0, 1.0])


def test_a_change_of_placements_is_a_mix_of_what_was_and_what_is_new() -> None:
    before, after = np.array([[0.25]]), np.array([[0.75]])
    units, cash = ramp_units(placed_ramp(LASTING, 4), before, after, THETA)
    # usual ages 1, .8, .6, .4 over 2.8: odds times (.05 + 2.4 + 1.2 + .4) / 2.8 = 1.4464
    usual = 0.75 + 0.25 * 4.05 / 2.8
    first = 0.25 + 0.25 * 4.05 / 2.8 + 0.5 * 0.05  # half of the stage is placed today
    second = 0.25 + 0.25 * 4.05 / 2.8 + 0.5 * (0.05 / 2.8 + 3 * 1.8 / 2.8)
    told = (units[:2, 0, 0] * THETA).sum(axis=-1)
    assert np.exp(told) == pytest.approx([first / usual, second / usual])
    assert cash[0, 0, 0] == pytest.approx((first - 0.25) / first)
    less, _ = ramp_units(placed_ramp(LASTING, 4), after, before, THETA)
    told = (less[:, 0, 0] * THETA).sum(axis=-1)  # what is taken back is of every age, at once
    assert np.exp(told) == pytest.approx([usual / (0.25 + 0.75 * 4.05 / 2.8)] * 4)
    same, _ = ramp_units(placed_ramp(LASTING, 4), after, after, THETA)
    assert not same.any()


def test_units_are_in_proportion_to_the_balance_where_the_effects_are_small() -> None:
    ramp: Ramp = filed_ramp(LASTING, 3)
    units, _ = ramp_units(ramp, np.array([0.0]), np.array([0.01]), np.full(5, 1e-9))
    assert units[:, 0, :3] == pytest.approx(0.01 * np.array([[1, 0, 0], [1, 0.8, 0],
                                                             [1, 0.8, 0.6]]))  # fmt: skip


@pytest.fixture(scope="module")
def ground():
    """The book of strategies with a curve of agencies: nothing at once, a peak, a tail."""
    book = roll_book(strategy_books.transitions(), strategy_books.stocks(),
                     by=("product", "grade"), buckets=strategy_books.BUCKETS,
                     as_of=strategy_books.AS_OF)  # fmt: skip
    ones = np.ones((4, 4))
    given = strategy_books.treated()
    base = baseline_strategy(given, book.segment_keys, ones)
    load = replace(workload(given, book.segment_keys, ones, ones * 1e5),
                   lasting={AGENCY: LASTING, SUIT: LASTING})  # fmt: skip
    steps = pl.DataFrame({"kind": [AGENCY] * 5, "step": list(STEPS), "cases": [100] * 5,
                          "theta": THETA, "se": [1e-6] * 5, "reason": [None] * 5},
                         schema_overrides={"reason": pl.String})  # fmt: skip
    rows = strategy_books.influence_rows()
    effects = effect_table(rows, strategy_books.AGENCIES, None, steps)
    return book, base, load, effects, doses(rows), posterior(book, draws=200, seed=1)


def run(ground, strategy: Strategy, effects: pl.DataFrame | None = None):
    _, base, load, table, curve, draws = ground
    used = table if effects is None else effects
    inputs = Effects(tuple(used["code"]), used["mean"].to_numpy(), used["sd"].to_numpy(),
                     tuple(used["evidence"]))  # fmt: skip
    plans = [planned(one, base, used, curve, load).plan for one in (base, strategy.named("New"))]
    return simulate(draws, inputs.draws(draws.n), plans), plans


def more_placed(base: Strategy, share: float) -> Strategy:
    late = pl.col("stage") == "late"
    return base.with_treatments(pl.lit(share).alias("agency_share"), only=late)


def test_a_placement_pays_as_its_curve_does(ground) -> None:
    _, base, *_, draws = ground
    # of money 91 to 180 days late alone, of which a cure brings a half and nothing else anything
    late = np.arange(6) == 4
    old = replace(draws, stock=draws.stock * late, entering=draws.entering * 0,
                  cash_share=np.full_like(draws.cash_share, [0.5, 0, 0]))  # fmt: skip
    sim, _ = run((*ground[:-1], old), more_placed(base, 0.9))
    paid = sim.late_cash.mean(axis=0)
    ratio = paid[1, :4] / paid[0, :4]
    # a quarter was placed: odds 1 + (4.05 / 2.8 - 1) / 4; of the rest 65 points are placed today
    usual = 0.75 + 0.25 * 4.05 / 2.8
    first = (0.10 + 0.25 * 4.05 / 2.8 + 0.65 * 0.05) / usual
    cured = 0.10  # of such money a month
    assert ratio[0] == pytest.approx(first / (1 + (first - 1) * cured), rel=0.02)
    assert ratio[1] > 1.25  # then the peak, though what was cured to 61-90 days pays as before
    assert ratio[1] > ratio[2] > ratio[3]  # and the tail
    fees = sim.meters[:, 1, :, 4].mean(axis=0) / sim.meters[:, 0, :, 4].mean(axis=0)
    theirs = 0.25 * 4.05 / 2.8  # and the agencies' part of the cash, then and now
    now = (theirs + 0.65 * 0.05) / (theirs + 0.65 * 0.05 + 0.10)
    assert fees[0] == pytest.approx(ratio[0] * now / (theirs / usual), rel=0.001)
    assert fees[1] > 2.5


def test_the_laws_hold_with_curves(ground) -> None:
    _, base, *_ = ground
    table = ground[3]
    sim, plans = run(ground, base)
    assert (sim.totals[0] == sim.totals[1]).all()
    assert not plans[0].x.any()
    nothing = table.with_columns(mean=pl.lit(0.0), sd=pl.lit(0.0))
    sim, _ = run(ground, more_placed(base, 0.9), nothing)
    assert (sim.benefit[1] == -sim.extra_cost[1]).all()
    assert sim.extra_cost[1].min() > 0  # the commission


def test_an_assumption_takes_the_curves_place_in_all_months(ground) -> None:
    _, base, *_ = ground
    said = with_assumptions(ground[3], {"agency": (0.1, 0.3)})
    assert goes_by_curve(ground[3], AGENCY)
    assert not goes_by_curve(said, AGENCY)
    assert not goes_by_curve(ground[3], SUIT)  # nobody was sued
    _, plans = run(ground, more_placed(base, 0.75), said)
    x = plans[1].x[0, 3]
    codes = said["code"].to_list()
    assert x[codes.index("agency")] == pytest.approx(0.5)
    assert not any(x[place] for place, code in enumerate(codes) if code.startswith("agency:"))


def test_suits_without_a_curve_grow_with_the_filings(ground) -> None:
    _, base, load, table, curve, _ = ground
    late = pl.col("stage") == "late"
    more = base.with_treatments(pl.lit(0.2).alias("suit_share"), only=late)
    x = planned(more, base, table, curve, load).plan.x[
        :, 0, 3, table["code"].to_list().index("suit")
    ]
    # a tenth was sued each month, 60 % under suit; a fifth from now on, and nobody is sued twice
    assert x[:7] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4, 0.4])


def by_month(plan: Plan, months: int) -> Plan:
    ramp = np.linspace(0, 1, months)[:, None, None, None] * (np.arange(4) >= 2)[:, None]
    return replace(plan, name="by month", x=(plan.x * ramp).astype(np.float32))


def test_odds_by_month_agree_with_plain_numpy_and_start_when_they_say(ground) -> None:
    draws: Draws = ground[-1]
    rng = np.random.default_rng(2)
    shape = (len(draws.segments), 6)
    base = Plan("now", np.zeros((shape[0], 4, 2), np.float32),
                rng.uniform(0, 0.01, (*shape, 4)).astype(np.float32),
                rng.uniform(0, 0.2, (12, *shape)).astype(np.float32), np.zeros((12, 1)),
                ("a",))  # fmt: skip
    steady = replace(base, name="steady", x=rng.normal(0, 0.5, base.x.shape).astype(np.float32))
    theta = rng.normal(0.2, 0.3, (draws.n, 2)).astype(np.float32)
    plans = [base, steady, by_month(steady, 12)]
    found = simulate(draws, theta, plans).totals
    assert np.abs(found / blocked(draws, theta, plans) - 1).max() < 1e-6
    assert (found[2, 0, kernel.CASH] == found[0, 0, kernel.CASH]).all()  # in month 1 nothing yet
    told = replace(steady, x=np.broadcast_to(steady.x, (12, *steady.x.shape)))
    again = simulate(draws, theta, [base, told]).totals
    assert (again[1] == found[1]).all()


def test_a_curve_in_words() -> None:
    row = {"step": "2", "theta": 1.0, "se": 0.1, "rate": 0.05, "like_rate": 0.02}
    said = " ".join(curve_sentences(AGENCY, 120, [row], in_use=True)).replace("\u00a0", " ")
    assert said == ("Estimated. 120 placements with agencies are seen. They paid more than like"
                    " cases in the second month (5.0 %, like cases 2.0 %).")  # fmt: skip
    assert curve_sentences(SUIT, 0, [], in_use=False) == [
        "No estimate: no filings are seen whole."
    ]  # fmt: skip
