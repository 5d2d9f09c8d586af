"""The best mix under limits: by hand, against rules of thumb, against finite differences."""

from __future__ import annotations

import time
from itertools import product

import numpy as np
import pytest
from scipy import optimize

from analytics.optimiser import Infeasible, Mix, best_mix, frontier, greedy_mix

LIMITS = ("hours", "budget", "complaints")


def instance(seed: int, cells: int = 20, treatments: int = 6) -> tuple:
    """Values and usage that grow with effort, the first treatment being the baseline."""
    draw = np.random.default_rng(seed)
    effort = np.sort(draw.random((cells, treatments)), axis=1)
    size = draw.lognormal(0, 1, (cells, 1))
    value = size * (effort**0.6 - effort[:, :1] ** 0.6) * draw.uniform(0.2, 2, (cells, 1))
    usage = {name: size * effort * draw.uniform(0.3, 1.5, (cells, treatments)) for name in LIMITS}
    limits = {name: float(1.15 * usage[name][:, 0].sum()) for name in LIMITS}
    return value, usage, limits


def solved(value, usage, limits, **options) -> Mix:
    found = best_mix(value, usage, limits, **options)
    assert isinstance(found, Mix)
    return found


def test_a_tiny_instance_is_solved_as_by_hand():
    # Two segments, nothing or a call each; a call brings 10 and 6, takes 2 and 1 hours; 2 hours.
    # Per hour the second brings more (6 against 5): all of it, then half of the first.
    value = np.array([[0.0, 10.0], [0.0, 6.0]])
    usage = {"hours": np.array([[0.0, 2.0], [0.0, 1.0]])}
    mix = solved(value, usage, {"hours": 2.0})
    assert mix.shares == pytest.approx(np.array([[0.5, 0.5], [0.0, 1.0]]))
    assert mix.value == pytest.approx(11.0)
    assert mix.limits.row(0) == ("hours", 2.0, pytest.approx(2.0), pytest.approx(5.0), True)


def test_a_limit_with_room_has_no_price():
    value, usage, limits = instance(1)
    mix = solved(value, usage, {**limits, "hours": 1e6})
    row = mix.limits.row(0, named=True)
    assert row["price"] == 0
    assert not row["binds"]


@pytest.mark.parametrize("seed", range(30))
def test_the_mix_beats_greedy_and_baseline_and_keeps_the_limits(seed: int):
    value, usage, limits = instance(seed)
    mix = solved(value, usage, limits)
    greedy = greedy_mix(value, usage, limits, np.zeros(len(value), int))
    for name in LIMITS:
        assert (greedy * usage[name]).sum() <= limits[name] * (1 + 1e-9)
        assert (mix.shares * usage[name]).sum() <= limits[name] * (1 + 1e-7)
    assert mix.value >= (greedy * value).sum() - 1e-9
    assert mix.value > value[:, 0].sum() + 1e-6
    assert mix.shares.sum(axis=1) == pytest.approx(1.0)


@pytest.mark.parametrize("seed", range(5))
def test_no_pure_choice_of_a_small_instance_is_better(seed: int):
    value, usage, limits = instance(seed, cells=5, treatments=3)
    best = -np.inf
    for choice in product(range(3), repeat=5):
        at = np.arange(5), np.array(choice)
        if all(usage[name][at].sum() <= limits[name] for name in LIMITS):
            best = max(best, value[at].sum())
    assert solved(value, usage, limits).value >= best - 1e-9


@pytest.mark.parametrize("name", LIMITS)
def test_a_shadow_price_is_what_one_unit_more_brings(name: str):
    value, usage, limits = instance(3)
    mix = solved(value, usage, limits)
    price = dict(mix.limits.select("limit", "price").iter_rows())[name]
    step = 1e-4 * limits[name]
    more = solved(value, usage, {**limits, name: limits[name] + step}).value
    less = solved(value, usage, {**limits, name: limits[name] - step}).value
    assert price == pytest.approx((more - mix.value) / step, rel=1e-3, abs=1e-6)
    assert price == pytest.approx((mix.value - less) / step, rel=1e-3, abs=1e-6)


def test_prices_and_units_scale_with_money():
    value, usage, limits = instance(3)
    one, double = solved(value, usage, limits), solved(2 * value, usage, limits)
    assert double.value == pytest.approx(2 * one.value)
    assert double.limits["price"].to_list() == pytest.approx(
        [2 * price for price in one.limits["price"]]
    )


def test_forbidden_treatments_are_not_used():
    value, usage, limits = instance(2)
    allowed = np.ones(value.shape, bool)
    allowed[:, -1] = False
    mix = solved(value, usage, limits, allowed=allowed)
    assert mix.shares[:, -1].max() == 0
    assert mix.value <= solved(value, usage, limits).value


def test_an_infeasible_limit_is_named_and_by_how_much():
    value = np.array([[0.0, 1.0], [0.0, 1.0]])
    usage = {"hours": np.array([[3.0, 5.0], [4.0, 5.0]]), "complaints": np.ones((2, 2))}
    found = best_mix(value, usage, {"hours": 5.0, "complaints": 2.0})
    assert isinstance(found, Infeasible)
    assert found.limits.rows() == [("hours", 5.0, pytest.approx(7.0), pytest.approx(2.0))]


def test_of_two_limits_in_each_others_way_the_cheaper_miss_is_told():
    # either 10 hours and no complaint, or no hour and 3 complaints: hours at most 9, complaints 0
    value, usage = np.array([[1.0, 1.0]]), {
        "hours": np.array([[10.0, 0.0]]), "complaints": np.array([[0.0, 3.0]])
    }  # fmt: skip
    found = best_mix(value, usage, {"hours": 9.0, "complaints": 0.0})
    assert isinstance(found, Infeasible)
    assert found.limits["limit"].to_list() == ["hours"]
    assert found.limits["beyond"][0] == pytest.approx(1.0)


def test_the_frontier_rises_and_its_slope_falls():
    value, usage, limits = instance(4)
    line = frontier(value, usage, limits, "complaints", points=9)
    gains = np.diff(line["value"].to_numpy())
    assert line.height == 9
    assert (gains >= -1e-9).all()
    assert (np.diff(gains) <= 1e-6).all()  # equal steps: each brings less than the one before


def test_sixty_segments_and_twelve_treatments_take_less_than_two_seconds():
    value, usage, limits = instance(5, cells=180, treatments=12)
    start = time.process_time()
    solved(value, usage, limits)
    assert time.process_time() - start < 2


def test_another_solver_finds_the_same():
    value, usage, limits = instance(6, cells=8, treatments=4)
    a = np.stack([usage[name].ravel() for name in LIMITS])
    with pytest.warns(DeprecationWarning, match="revised simplex"):
        other = optimize.linprog(
            -value.ravel(), A_ub=a, b_ub=[limits[n] for n in LIMITS],
            A_eq=np.kron(np.eye(8), np.ones(4)), b_eq=np.ones(8), method="revised simplex",
        )  # fmt: skip
    assert solved(value, usage, limits).value == pytest.approx(-other.fun)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"limits": {"hours": -1.0}}, "hours"),
        ({"limits": {"people": 1.0}}, "people"),
        ({"value": np.array([[np.nan, 1.0]])}, "numbers"),
        ({"allowed": np.zeros((1, 2), bool)}, "no treatment"),
    ],
)
def test_nonsense_is_refused(change: dict, said: str):
    given = {"value": np.ones((1, 2)), "usage": {"hours": np.ones((1, 2))},
             "limits": {"hours": 1.0}, "allowed": None} | change  # fmt: skip
    with pytest.raises(ValueError, match=said):
        best_mix(given["value"], given["usage"], given["limits"], allowed=given["allowed"])
