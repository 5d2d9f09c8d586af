"""The simulator: what it reads, what must hold exactly, and the plain form it agrees with."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from analytics import simulation_kernel as kernel
from analytics.simulation import Effects, Plan, Simulation, simulate, warm
from analytics.simulation_book import RollBook, merged, roll_book
from analytics.simulation_draws import Draws, posterior
from analytics.simulation_rates import Rates
from bench.plain_simulator import blocked, looped
from bench.simulated_books import as_known, lived, process
from bench.simulator_time import measure

BUCKETS = ("current", "1-30", "31-60", "61-90", "91-120", "121-150", "151-180", "181+")
JANUARY, FEBRUARY, MARCH = date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)
DRAWS, SEGMENTS, MONTHS = 300, 5, 12
TOLERANCE = 1e-6


def moved(month: date, start: str, to: str, cents: int, product: str = "card", **more: int) -> dict:
    closing = 0 if to == "paid_off" else cents
    row = {"opening_cents": cents, "closing_cents": closing, "loans": 1, **more}
    row["opening_squares"] = (row["opening_cents"] / 100) ** 2
    return {"month": month, "from_state": start, "to_state": to, "product": product, **row}


def frames(rows: list[dict], stock: list[tuple[str, int]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    cells = [
        {"month": MARCH, "bucket": bucket, "product": "card", "loans": 1, "weight_cents": cents}
        for bucket, cents in stock
    ]
    return pl.DataFrame(rows), pl.DataFrame(cells)


@pytest.fixture(scope="module")
def book() -> RollBook:
    rng = np.random.default_rng(1)
    truth = process(rng, loans=5_000, spread=0.2, persistence=0.6, segments=SEGMENTS)
    return as_known(lived(truth, [1], before=20, after=0), 20)


@pytest.fixture(scope="module")
def draws(book: RollBook) -> Draws:
    return posterior(book, draws=DRAWS, horizon=MONTHS)


EFFECTS = Effects(("calls", "bot"), [0.3, -0.1], [0.1, 0.2], ("estimated", "assumed"))


def plan(name: str, units: float, cost: float = 1.0, segments: int = SEGMENTS) -> Plan:
    """`units` more of each effect, in every segment and stage but differently; costs in meters."""
    rng = np.random.default_rng(7)
    shape = (segments, 6)
    return Plan(
        name,
        (units * rng.uniform(0.5, 1.5, (segments, 4, 2))).astype(np.float32),
        (cost * rng.uniform(0.001, 0.01, (*shape, 4))).astype(np.float32),
        (cost * rng.uniform(0.0, 0.2, shape)).astype(np.float32),
        np.full((MONTHS, 2), cost * 100.0),
        ("labour", "one_off"),
    )


def compared(draws: Draws, theta: np.ndarray | None = None) -> Simulation:
    theta = EFFECTS.draws(draws.n) if theta is None else theta
    plans = [plan("baseline", 0), plan("more", 1, 1.2), plan("less", -0.5, 0.7)]
    return simulate(draws, theta, plans, discount_rate=0.08)


def test_moves_are_summed_by_segment_state_and_next_state() -> None:
    transitions, stocks = frames(
        [
            moved(JANUARY, "new", "current", 0, closing_cents=90_000),
            moved(FEBRUARY, "current", "1-30", 60_000, region=1),
            moved(FEBRUARY, "current", "1-30", 30_000, region=2),
            moved(FEBRUARY, "new", "current", 0, closing_cents=5_000),
            moved(MARCH, "1-30", "unmatched", 700),
            moved(MARCH, "121-150", "151-180", 40_000),
            moved(MARCH, "91-120", "paid_off", 20_000, "loan"),
        ],
        [("current", 1_000), ("91-120", 2_000), ("121-150", 4_000)],
    )
    found = roll_book(transitions, stocks, by=["product"], buckets=BUCKETS, as_of=MARCH, window=12)
    assert found.segments == ("card", "loan")
    assert found.months == (FEBRUARY, MARCH)  # in January every loan is new
    assert found.opening[0, 0, 0, 1] == 900
    assert found.squares[0, 0, 0, 1] == 600**2 + 300**2
    assert found.inflow.tolist() == [[50, 0], [0, 0]]
    assert found.opening[1, 0, 4, 4] == 400  # both buckets are one state of the simulator
    assert found.opening[1, 1, 4, 8] == found.paid[1, 1, 4, 8] == 200
    assert found.opening.sum() == 900 + 400 + 200  # what went missing is left out
    assert found.stock.tolist() == [[10, 0, 0, 0, 60, 0], [0] * 6]
    assert found.is_cash_derived


def test_payments_by_move_are_used_where_they_are_known() -> None:
    rows = [moved(MARCH, "1-30", "current", 10_000, closing_cents=9_000, paid_cents=1_500)]
    transitions, stocks = frames(rows, [("current", 1)])
    options = {"by": ["product"], "buckets": BUCKETS, "as_of": MARCH}
    known = roll_book(transitions, stocks, **options)
    derived = roll_book(transitions.drop("paid_cents"), stocks, **options)
    assert (known.paid.sum(), derived.paid.sum()) == (15, 10)
    assert (known.is_cash_derived, derived.is_cash_derived) == (False, True)


def test_the_smallest_segments_become_one_and_no_money_is_lost() -> None:
    rows = [moved(MARCH, "current", "current", 100 * size, f"p{size}") for size in range(1, 8)]
    transitions, stocks = frames(rows, [("current", 500)])
    found = roll_book(transitions, stocks, by=["product"], buckets=BUCKETS, as_of=MARCH, most=3)
    assert found.segments == ("p6", "p7", "other")
    assert found.opening.sum(axis=(0, 2, 3)).tolist() == [6, 7, 15]
    assert found.stock[-1, 0] == 5


def test_a_book_without_balances_is_counted() -> None:
    rows = [moved(MARCH, "current", to, 0) | {"opening_cents": None} for to in ("1-30", "paid_off")]
    transitions, stocks = frames(rows, [("1-30", 0)])
    found = roll_book(transitions, stocks, by=[], buckets=BUCKETS, as_of=MARCH)
    assert found.is_counted
    assert found.opening.sum() == 2
    assert found.closing.sum() == found.paid.sum() == 1
    assert found.segments == ("all",)


def test_buckets_that_reach_over_an_edge_are_refused() -> None:
    with pytest.raises(ValueError, match="31-90 reaches over 60 days"):
        merged(("current", "1-30", "31-90", "91+"))


def test_an_empty_past_is_refused() -> None:
    transitions, stocks = frames([moved(MARCH, "new", "current", 1)], [("current", 1)])
    with pytest.raises(ValueError, match="no loan is seen"):
        roll_book(transitions, stocks, by=[], buckets=BUCKETS, as_of=MARCH)


def test_an_earlier_month_knows_nothing_of_later_ones(book: RollBook) -> None:
    then = book.until(book.months[9])
    assert then.months == book.months[:10]
    assert then.stock == pytest.approx(book.opening[10].sum(axis=-1))
    changed = replace(book, opening=book.opening.copy(), paid=book.paid * 1)
    changed.paid[10:] += 7
    assert (changed.until(book.months[9]).paid == then.paid).all()


def test_with_all_effects_zero_every_benefit_is_minus_its_cost_to_the_bit(draws: Draws) -> None:
    sim = compared(draws, np.zeros((DRAWS, 2), np.float32))
    assert (sim.totals[0, :, kernel.CASH] == sim.totals[1, :, kernel.CASH]).all()
    assert (sim.benefit == -sim.extra_cost).all()
    assert (sim.extra_cost[1] > 0).all()
    assert (sim.extra_cost[2] < 0).all()


def test_the_baseline_is_worth_nothing_more_than_itself(draws: Draws) -> None:
    assert (compared(draws).benefit[0] == 0).all()


def test_doubling_all_money_doubles_all_money_to_the_bit(book: RollBook) -> None:
    twice = replace(
        book,
        **{part: 2 * getattr(book, part) for part in ("opening", "closing", "paid", "stock")},
        inflow=2 * book.inflow,
        squares=4 * book.squares,
    )
    once, double = (compared(posterior(one, draws=DRAWS)) for one in (book, twice))
    assert (double.totals == 2 * once.totals).all()
    fixed = (once.fixed - once.fixed[:1]).sum(axis=-1) @ once.discount
    assert double.benefit + fixed[:, None] == pytest.approx(2 * (once.benefit + fixed[:, None]))
    assert (double.luck == 2 * once.luck).all()


def test_more_draws_change_no_mean_beyond_its_error(book: RollBook) -> None:
    few, many = (
        compared(posterior(book, draws=n, seed=seed), EFFECTS.draws(n, seed))
        for n, seed in ((1_000, 1), (4_000, 2))
    )
    for values in ("cash", "late_balance", "charged_off"):
        one, other = getattr(few, values), getattr(many, values)
        error = np.sqrt(one.var(axis=0) / 1_000 + other.var(axis=0) / 4_000)
        assert (np.abs(one.mean(axis=0) - other.mean(axis=0)) < 4 * error).all()
    error = np.sqrt(few.benefit.var(axis=1) / 1_000 + many.benefit.var(axis=1) / 4_000)
    gap = np.abs(few.benefit.mean(axis=1) - many.benefit.mean(axis=1))
    assert (gap <= 4 * error).all()


def test_the_compiled_form_agrees_with_plain_numpy_in_double_precision(draws: Draws) -> None:
    theta = EFFECTS.draws(DRAWS)
    plans = [plan("baseline", 0), plan("more", 1, 1.2), plan("less", -0.5, 0.7)]
    found = simulate(draws, theta, plans).totals
    plain = blocked(draws, theta, plans)
    assert np.abs(found / plain - 1).max() < TOLERANCE


def test_it_agrees_with_matrices_built_one_by_one(draws: Draws) -> None:
    theta = EFFECTS.draws(DRAWS)
    plans = [plan("baseline", 0), plan("more", 1)]
    late = simulate(draws, theta, plans).totals[:, :, kernel.LATE, :4]
    assert np.abs(late / looped(draws, theta, plans, n=4) - 1).max() < TOLERANCE


def only_one_month(draws: Draws) -> Draws:
    """Without shocks, chance or new business."""
    return replace(draws, shock=np.ones_like(draws.shock), entering=np.zeros_like(draws.entering))


def test_an_effect_multiplies_the_odds_of_a_cure(draws: Draws) -> None:
    """Of what stood at 1-30 days alone: the odds of not being late a month later."""
    stock = np.zeros_like(draws.stock)
    stock[:, 1] = 1
    plain = replace(only_one_month(draws), stock=stock)
    theta = np.full((DRAWS, 2), np.log(2) / 2, np.float32)
    more = replace(plan("more", 1), x=np.ones((SEGMENTS, 4, 2), np.float32))
    sim = simulate(plain, theta, [plan("baseline", 0), more])
    late = sim.late_balance[:, :, 0]
    reference = blocked(plain, theta, [plan("baseline", 0), more])[:, 0, kernel.LATE].T
    assert late == pytest.approx(reference, rel=TOLERANCE)
    # one segment by hand: stay and forward shares fall by 1 / (1 + p), p the share cured
    one = replace(
        plain,
        segments=("a",),
        packed=np.ascontiguousarray(plain.packed[:, :1]),
        stock=stock[:1],
        entering=plain.entering[:1],
        cash_share=plain.cash_share[:1],
        usual=plain.usual[:1],
        luck=plain.luck[:1],
        normals=plain.normals[:1],
    )
    plans = [plan("baseline", 0, segments=1), replace(more, **_first_segment(more))]
    found = simulate(one, theta, plans).late_balance[:, :, 0]
    cured = plain.packed[:, 0, kernel.CURES + 1].ravel()[:DRAWS]
    assert found[:, 1] == pytest.approx(found[:, 0] / (1 + cured), rel=1e-5)


def _first_segment(one: Plan) -> dict[str, np.ndarray]:
    return {name: getattr(one, name)[:1] for name in ("x", "meters", "commission")}


def test_a_reminder_keeps_current_loans_from_becoming_late(draws: Draws) -> None:
    x = np.zeros((SEGMENTS, 4, 2), np.float32)
    x[:, 0] = 1
    reminded = replace(plan("reminded", 0), x=x)
    theta = np.full((DRAWS, 2), 0.2, np.float32)
    sim = simulate(draws, theta, [plan("baseline", 0), reminded])
    entered = sim.entered_late.sum(axis=2)
    assert (entered[:, 1] < entered[:, 0]).all()


def test_every_strategy_meets_the_same_draws(draws: Draws) -> None:
    """Common random numbers: a difference is far surer than its parts."""
    sim = compared(draws, np.full((DRAWS, 2), 0.1, np.float32))
    cash = sim.cash.sum(axis=2, dtype=float)
    assert (cash[:, 1] - cash[:, 0]).std() < cash[:, 0].std() / 5


def test_draws_of_an_effect_do_not_depend_on_the_others() -> None:
    alone = Effects(("bot",), [-0.1], [0.2], ("assumed",)).draws(50, 3)
    assert (EFFECTS.draws(50, 3)[:, 1] == alone[:, 0]).all()


def test_the_first_draws_give_the_first_answers(draws: Draws) -> None:
    theta = EFFECTS.draws(DRAWS)
    few, plans = draws.first(140), [plan("baseline", 0), plan("more", 1)]
    first = simulate(few, theta[:140], plans).totals
    assert (first == simulate(draws, theta, plans).totals[..., :140]).all()
    with pytest.raises(ValueError, match="300 draws"):
        draws.first(301)


def test_the_kernel_is_compiled_once_by_warming_up(draws: Draws) -> None:
    warm()
    compiled = len(kernel.run_tile.signatures), len(kernel.log_odds.signatures)
    compared(draws)
    simulate(draws.first(100), EFFECTS.draws(100), [plan("baseline", 0)])
    simulate(draws, np.asfortranarray(EFFECTS.draws(DRAWS, 1)), [plan("baseline", 0)])
    assert compiled == (1, 1) == (len(kernel.run_tile.signatures), len(kernel.log_odds.signatures))


def test_shares_drawn_have_the_mean_and_spread_of_a_dirichlet(book: RollBook) -> None:
    found = posterior(book, draws=4_000)
    cured = found.packed[:, 0, kernel.CURES + 1].ravel()[:4_000].astype(float)
    size, mean = found.effective_loans[0, 1] + 5, found.usual[0, 1, 0]
    assert cured.mean() == pytest.approx(mean, abs=4 * cured.std() / np.sqrt(4_000))
    assert cured.std() == pytest.approx(np.sqrt(mean * (1 - mean) / (size + 1)), rel=0.06)


def test_a_state_never_seen_keeps_its_money(book: RollBook) -> None:
    empty = {
        part: getattr(book, part).copy()
        for part in ("opening", "closing", "paid", "squares", "loans")
    }
    for values in empty.values():
        values[:, :, 5] = 0
    draws = posterior(replace(book, **empty), draws=10)
    assert (draws.packed[:, :, 35] == 1).all()
    assert np.isfinite(compared(draws, EFFECTS.draws(10)).totals).all()


def test_a_state_seen_of_a_few_loans_grows_no_faster_than_the_others(book: RollBook) -> None:
    assert book.hardly_seen().is_empty()
    few = {
        part: getattr(book, part).copy()
        for part in ("opening", "closing", "paid", "squares", "loans")
    }
    for values in few.values():
        values[:, :, 1] = 0
    few["opening"][-1, 0, 1, 1], few["closing"][-1, 0, 1, 1] = 400.0, 960.0  # 2.4 times, in a month
    few["squares"][-1, 0, 1, 1], few["loans"][-1, 0, 1, 1] = 40_000.0, 4.0
    thin = replace(book, **few)
    rates, usual = Rates(thin), Rates(book)
    stays = [usual.pooled_growth[i, i] for i in (0, 2, 3, 4, 5)]
    assert rates.growth[:, 1, 1].max() <= max(stays) + 1e-9
    assert rates.growth[:, 2, 2] == pytest.approx(usual.growth[:, 2, 2])
    row = thin.hardly_seen().row(0, named=True)
    assert (row["state"], row["seen"]) == ("1-30", 4)


def test_a_segment_without_data_moves_as_all_together(book: RollBook) -> None:
    empty = {
        part: getattr(book, part).copy()
        for part in ("opening", "closing", "paid", "squares", "loans")
    }
    for values in empty.values():
        values[:, 0] = 0
    draws = posterior(replace(book, **empty), draws=500)
    rest = empty["opening"][-12:].sum(axis=(0, 1))[1]
    expected = rest[0] / rest.sum()
    lanes = draws.packed[:, 0, 6].ravel()[:500] / draws.packed[:, 0, 6].max()
    assert np.isfinite(draws.packed).all()
    assert draws.usual[0, 1, 0] == pytest.approx(expected + rest[8] / rest.sum(), rel=1e-9)
    assert lanes.std() > 0.05  # five loans' worth: hardly known


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"x": np.zeros((2, 4, 2), np.float32)}, "x must be"),
        ({"fixed": np.zeros((3, 2))}, "fixed must be"),
        ({"commission": np.full((SEGMENTS, 6), np.nan, np.float32)}, "not a number"),
        ({"fixed_kinds": ("labour", "rent")}, "other kinds"),
    ],
)
def test_plans_that_do_not_fit_are_refused(draws: Draws, wrong: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        simulate(
            draws, EFFECTS.draws(DRAWS), [plan("baseline", 0), replace(plan("more", 1), **wrong)]
        )


def test_a_baseline_that_differs_from_itself_is_refused(draws: Draws) -> None:
    with pytest.raises(ValueError, match="baseline"):
        simulate(draws, EFFECTS.draws(DRAWS), [plan("more", 1)])
    with pytest.raises(ValueError, match="at least one plan"):
        simulate(draws, EFFECTS.draws(DRAWS), [])


@pytest.mark.parametrize(
    ("mean", "sd", "evidence"), [(0.1, -1, "assumed"), (np.nan, 1, "assumed"), (0.1, 1, "guessed")]
)
def test_effects_that_make_no_sense_are_refused(mean: float, sd: float, evidence: str) -> None:
    with pytest.raises(ValueError, match=r"effects|evidence"):
        Effects(("calls",), [mean], [sd], (evidence,))


def test_its_speed_is_measured_beside_its_peers() -> None:
    took = measure(256, 128, 1)
    assert 0 < took.first_cpu < took.full_cpu < took.blocked < took.looped
    assert took.differs < TOLERANCE
