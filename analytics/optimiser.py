"""Which treatment for whom brings most, within the hours, the budget and the rules?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import optimize, sparse

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
ENOUGH = 1e-7  # what is closer to a limit than this share of it is at the limit


@dataclass(frozen=True)
class Mix:
    """The best shares of treatments, and what holds them back.

    `shares` [cell, treatment], each row adding up to one; `value` of the whole.  `limits`: a row
    each with `limit`, `at_most`, `used`, `price` (what one unit more of it would bring), `binds`.
    """

    shares: Array
    value: float
    limits: pl.DataFrame


@dataclass(frozen=True)
class Infeasible:
    """No mix keeps all limits: `limits` names those that must give way (`limit`, `at_most`,
    `least`: the least that is possible for it when all are missed as little as can be, `beyond`).
    """

    limits: pl.DataFrame


def best_mix(
    value: Array,
    usage: Mapping[str, Array],
    limits: Mapping[str, float],
    *,
    allowed: Mask | None = None,
) -> Mix | Infeasible:
    """What share of each cell (a segment in a stage) should get which treatment?

    Maximise sum of share x value, every cell's shares adding up to one, and for each limit: sum
    of share x usage <= limit.  A linear programme, solved by HiGHS.  The price of a limit is what
    one unit more of it would bring: the dual value, in the unit of `value` for one of the limit.
    Where no mix keeps all limits, the least relative overshoot tells which must give way.

    In: `value` [cell, treatment] of treating the whole cell so; `usage` of the same shape by
    limit; `allowed`: treatments that no rule forbids for a cell (all of them where null).
    Out: `Mix`, or `Infeasible`.  Refuses: shapes that differ, values that are no numbers, a
    limit below zero or without usage, a cell in which nothing is allowed.
    Misleads: values are those of one treatment at a time; simulate the mix to see what it brings.
    A price holds for a small change only.
    Reference: Dantzig 1963; Huangfu and Hall 2018 (HiGHS).

    >>> mix = best_mix(np.array([[0.0, 9.0]]), {"hours": np.array([[0.0, 3.0]])}, {"hours": 1.0})
    >>> mix.shares.round(3).tolist(), round(mix.value, 6), mix.limits["price"][0]
    ([[0.667, 0.333]], 3.0, 3.0)
    """
    names = list(limits)
    mask = np.ones(value.shape, bool) if allowed is None else allowed
    _check(value, usage, limits, mask)
    cells, treatments = value.shape
    used = np.stack([usage[name].ravel() for name in names]) if names else None
    at_most = np.array([limits[name] for name in names])
    scale = np.maximum(np.abs(value).max(), 1.0)
    rows = None if used is None else np.maximum(np.abs(used).max(axis=1), 1e-12)
    solved = optimize.linprog(
        -value.ravel() / scale,
        A_ub=None if used is None or rows is None else used / rows[:, None],
        b_ub=None if rows is None else at_most / rows,
        A_eq=_whole(cells, treatments),
        b_eq=np.ones(cells),
        bounds=np.column_stack([np.zeros(mask.size), mask.ravel().astype(float)]),
        method="highs",
    )
    if solved.status == 2:
        assert used is not None
        return _least_overshoot(used, names, at_most, mask)
    if solved.status != 0:
        raise ValueError(f"the best mix was not found: {solved.message}")
    shares = np.clip(solved.x.reshape(value.shape), 0.0, 1.0)
    shares /= shares.sum(axis=1, keepdims=True)
    spent = np.zeros(0) if used is None else used @ shares.ravel()
    price = (
        np.zeros(0) if rows is None else np.maximum(-solved.ineqlin.marginals, 0.0) * scale / rows
    )
    return Mix(shares, float((shares * value).sum()), _limits(names, at_most, spent, price))


def _limits(names: Sequence[str], at_most: Array, used: Array, price: Array) -> pl.DataFrame:
    room = at_most - used
    return pl.DataFrame(
        {
            "limit": list(names),
            "at_most": at_most,
            "used": used,
            "price": np.where(price > 0, price, 0.0),
            "binds": room <= ENOUGH * np.maximum(np.abs(at_most), 1.0),
        },
        schema={"limit": pl.String, "at_most": pl.Float64, "used": pl.Float64,
                "price": pl.Float64, "binds": pl.Boolean},
    )  # fmt: skip


def _whole(cells: int, treatments: int) -> sparse.csr_matrix:
    """The shares of every cell add up to one."""
    return sparse.csr_matrix(sparse.kron(sparse.eye(cells), np.ones((1, treatments))))


def _least_overshoot(used: Array, names: Sequence[str], at_most: Array, mask: Mask) -> Infeasible:
    """The mix that misses the limits least, each miss counted against its limit (elastic)."""
    cells, treatments = mask.shape
    least = np.array([
        np.where(mask, row.reshape(mask.shape), np.inf).min(axis=1).sum() for row in used
    ])  # fmt: skip
    unit = np.maximum(np.maximum(np.abs(at_most), np.abs(least)), 1e-9)
    slack = -np.eye(len(names))
    solved = optimize.linprog(
        np.concatenate([np.zeros(mask.size), np.ones(len(names))]),
        A_ub=np.hstack([used / unit[:, None], slack]),
        b_ub=at_most / unit,
        A_eq=sparse.hstack([_whole(cells, treatments), sparse.csr_matrix((cells, len(names)))]),
        b_eq=np.ones(cells),
        bounds=[*[(0.0, float(one)) for one in mask.ravel()], *[(0.0, None)] * len(names)],
        method="highs",
    )
    if solved.status != 0:
        raise ValueError(f"no mix was found even beyond the limits: {solved.message}")
    beyond = solved.x[mask.size :] * unit
    rows = pl.DataFrame(
        {"limit": list(names), "at_most": at_most, "least": at_most + beyond, "beyond": beyond}
    )
    return Infeasible(rows.filter(pl.col("beyond") > ENOUGH * pl.Series(unit)))


def frontier(
    value: Array,
    usage: Mapping[str, Array],
    limits: Mapping[str, float],
    along: str,
    *,
    allowed: Mask | None = None,
    points: int = 12,
) -> pl.DataFrame:
    """How much more value does each step of a limit allow, from the least to all it could use?

    The best mix at so many levels of the limit `along`, the others as they are.  Out: `at_most`,
    `used`, `value`, `price`, in order of the limit; no rows where the other limits cannot be kept.
    """
    others = {name: most for name, most in limits.items() if name != along}
    mask = np.ones(value.shape, bool) if allowed is None else allowed
    own = usage[along]
    cheapest = best_mix(-own, usage, others, allowed=mask)
    free = best_mix(value, usage, others, allowed=mask)
    if isinstance(cheapest, Infeasible) or isinstance(free, Infeasible):
        return pl.DataFrame(schema=dict.fromkeys(_FRONTIER, pl.Float64))
    low, high = -cheapest.value, float((free.shares * own).sum())
    rows = []
    for level in np.linspace(low * (1 + 1e-9), max(high, low), points):
        found = best_mix(value, usage, {**others, along: float(max(level, 0.0))}, allowed=mask)
        if isinstance(found, Mix):
            row = found.limits.filter(pl.col("limit") == along)
            rows.append((level, row["used"][0], found.value, row["price"][0]))
    return pl.DataFrame(rows, schema=dict.fromkeys(_FRONTIER, pl.Float64), orient="row")


_FRONTIER = ("at_most", "used", "value", "price")


def greedy_mix(
    value: Array, usage: Mapping[str, Array], limits: Mapping[str, float], start: Array
) -> Array:
    """A rule of thumb to be beaten: from the treatments `start`, take the change that gains most
    for what it uses of the scarcest limit, as long as everything fits.  Shares of 0 and 1."""
    chosen = start.copy()
    cells = np.arange(len(value))
    used = {name: usage[name][cells, chosen].sum() for name in limits}
    while True:
        best, move = 0.0, None
        for c in cells:
            for t in range(value.shape[1]):
                gain = value[c, t] - value[c, chosen[c]]
                if gain <= 1e-12:
                    continue
                more = {n: usage[n][c, t] - usage[n][c, chosen[c]] for n in limits}
                if any(used[n] + more[n] > limits[n] + 1e-9 for n in limits):
                    continue
                need = max((more[n] / max(limits[n], 1e-9) for n in limits), default=0.0)
                if gain / max(need, 1e-9) > best:
                    best, move = gain / max(need, 1e-9), (c, t, more)
        if move is None:
            found = np.zeros(value.shape)
            found[cells, chosen] = 1.0
            return found
        c, t, more = move
        chosen[c] = t
        used = {name: used[name] + more[name] for name in limits}


def _check(
    value: Array, usage: Mapping[str, Array], limits: Mapping[str, float], mask: Mask
) -> None:
    if value.ndim != 2 or not value.size or not np.isfinite(value).all():
        raise ValueError("values must be numbers, a row for each cell")
    if mask.shape != value.shape or not mask.any(axis=1).all():
        raise ValueError("a cell has no treatment that is allowed")
    for name, most in limits.items():
        if name not in usage:
            raise ValueError(f"nothing is said of what uses {name}")
        if usage[name].shape != value.shape or not np.isfinite(usage[name]).all():
            raise ValueError(f"the use of {name} must be a number for each value")
        if not most >= 0 or not np.isfinite(most):
            raise ValueError(f"the limit of {name} must be a number of at least 0, not {most}")
