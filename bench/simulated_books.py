"""Books of loans made from a known process, and their twins under another strategy.

Each loan moves by itself: its row of the segment's matrix, with a common AR(1) shock on the odds
of every roll forward, and from a month on with odds ratios on its cures.  Twins share every random
number, so that they differ only where the strategy does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from analytics.simulation_book import ON_BOOK, STAGE_OF_STATE, STATES, RollBook

Array = npt.NDArray[np.float64]
HERE, THERE = len(ON_BOOK), len(STATES)
ORDER = [8, 0, 1, 2, 3, 4, 5, 6, 7]  # from best (paid off) to worst, for the loan's random number
CURES = np.array([[j < i or j == 8 for j in range(THERE)] for i in range(HERE)])
ROLLS = np.array([[j > i and j != 8 for j in range(THERE)] for i in range(HERE)])
USUAL = np.array(
    [
        [0.955, 0.035, 0, 0, 0, 0, 0, 0, 0.010],
        [0.55, 0.17, 0.27, 0, 0, 0, 0, 0, 0.01],
        [0.24, 0.08, 0.16, 0.51, 0, 0, 0, 0, 0.01],
        [0.12, 0.02, 0.04, 0.18, 0.63, 0, 0, 0, 0.01],
        [0.06, 0, 0.01, 0.02, 0.64, 0.23, 0.02, 0.01, 0.01],
        [0.03, 0, 0, 0, 0.01, 0.80, 0.14, 0.01, 0.01],
    ]
)
GROWTH = np.where(ROLLS, 1.008, np.where(CURES, 0.93, 0.97)) * (np.arange(THERE) != 8)
PAID = np.where(ROLLS, 0.0, np.where(CURES, 0.09, 0.035))
PAID[:, 8] = 1.0


@dataclass(frozen=True)
class Process:
    """The truth of a book."""

    shares: Array  # [segment, 6, 9]
    size: Array  # [segment] share of the loans
    loans: int
    entering: float  # new loans a month
    spread: float  # of the common shock, in the long run
    persistence: float
    balance_spread: float = 0.8  # of the logarithm of a loan's balance


@dataclass(frozen=True)
class History:
    """Months of a book: money by segment, state and next state, and what entered."""

    opening: Array  # [month, segment, 6, 9]
    closing: Array
    paid: Array
    squares: Array
    loans: Array
    inflow: Array
    stock: Array  # [segment, 6] after the last month
    stock_loans: Array

    @property
    def cash(self) -> Array:
        return self.paid.sum(axis=(1, 2, 3))

    @property
    def late_balance(self) -> Array:
        return self.closing[..., 1:HERE].sum(axis=(1, 2, 3))

    @property
    def charged_off(self) -> Array:
        return self.closing[..., HERE : HERE + 2].sum(axis=(1, 2, 3))


def process(
    rng: np.random.Generator, *, loans: int, spread: float, persistence: float, segments: int = 4
) -> Process:
    """A book whose segments differ from the usual matrix by their own log-weights."""
    tilt = rng.normal(0, 0.25, (segments, HERE, 1)) * (1.0 * ROLLS - 1.0 * CURES)
    shares = USUAL * np.exp(tilt)
    shares /= shares.sum(axis=-1, keepdims=True)
    size = rng.dirichlet(np.full(segments, 4.0))
    return Process(shares, size, loans, loans * 0.02, spread, persistence)


def lived(
    truth: Process, seed: list[int], *, before: int, after: int, log_odds: Array | None = None
) -> History:
    """A book's months: `before` as usual, then `after` with the strategy (log odds ratios of cures
    by segment and stage), if any.  The same seed is the same book, whatever the strategy."""
    rng = np.random.default_rng(seed)
    months, segments = before + after, len(truth.size)
    z = _shocks(truth, months, rng)
    segment = rng.choice(segments, truth.loans, p=truth.size)
    state = _settled(truth, segment, rng)
    balance = np.exp(rng.normal(0, truth.balance_spread, truth.loans)) * 1_000
    shape = (months, segments, HERE, THERE)
    kept = {name: np.zeros(shape) for name in ("opening", "closing", "paid", "squares", "loans")}
    inflow = np.zeros((months, segments))
    identity = np.arange(truth.loans)  # a loan's random numbers are its own
    made = truth.loans
    usual = np.zeros((segments, 4)) if log_odds is None else log_odds
    for month in range(months):
        shares = _of_month(truth.shares, z[month], usual if month >= before else None)
        own = np.random.default_rng([*seed, 1, month]).random(made)[identity]
        row = segment * HERE + state
        ladder = np.cumsum(shares.reshape(-1, THERE)[:, ORDER], axis=1)[:, :-1]
        to = np.array(ORDER)[(own[:, None] > ladder[row]).sum(axis=1)]
        place = row * THERE + to
        closing, paid = balance * GROWTH[state, to], balance * PAID[state, to]
        values = {"opening": balance, "closing": closing, "paid": paid, "squares": balance**2}
        for name, value in {**values, "loans": np.ones_like(balance)}.items():
            cells = np.bincount(place, value, segments * HERE * THERE)
            kept[name][month] = cells.reshape(shape[1:])
        stays = to < HERE
        count = rng.poisson(truth.entering)
        new_segment = rng.choice(segments, count, p=truth.size)
        new_balance = np.exp(rng.normal(0, truth.balance_spread, count)) * 1_000
        inflow[month] = np.bincount(new_segment, new_balance, segments)
        segment = np.concatenate([segment[stays], new_segment])
        state = np.concatenate([to[stays], np.zeros(count, int)])
        balance = np.concatenate([closing[stays], new_balance])
        identity = np.concatenate([identity[stays], made + np.arange(count)])
        made += count
    cells = segment * HERE + state
    stock, stock_loans = (
        np.bincount(cells, value, segments * HERE).reshape(segments, HERE)
        for value in (balance, np.ones_like(balance))
    )
    return History(**kept, inflow=inflow, stock=stock, stock_loans=stock_loans)


def _shocks(truth: Process, months: int, rng: np.random.Generator) -> Array:
    normal = rng.standard_normal(months)
    z = np.empty(months)
    now = truth.spread * normal[0]
    for month in range(months):
        if month:
            step = truth.spread * np.sqrt(1 - truth.persistence**2)
            now = truth.persistence * now + step * normal[month]
        z[month] = now
    return z


def _of_month(shares: Array, z: float, log_odds: Array | None) -> Array:
    found = shares * np.where(ROLLS, np.exp(z), 1.0)
    if log_odds is not None:
        odds = np.exp(log_odds[:, list(STAGE_OF_STATE)])
        odds[:, 0] = 1.0
        found = found * np.where(CURES, odds[:, :, None], 1.0)
    return found / found.sum(axis=-1, keepdims=True)


def _settled(truth: Process, segment: Array, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """States as they come to be where the matrix has worked for long."""
    state = np.zeros(len(segment), int)
    for place, shares in enumerate(truth.shares):
        stays = shares[:, :HERE]
        mass = np.eye(HERE)[0]
        for _ in range(60):
            mass = mass @ stays
            mass[0] += 1 - mass.sum()
        own = segment == place
        state[own] = rng.choice(HERE, int(own.sum()), p=mass / mass.sum())
    return state


def as_known(history: History, months: int, *, window: int = 12) -> RollBook:
    """The first months of a history as the simulator would be given them."""
    names = tuple(f"segment {place + 1}" for place in range(history.inflow.shape[1]))
    dates = [date(2020 + at // 12, at % 12 + 1, 28) for at in range(months)]
    later = months < len(history.opening)
    return RollBook(
        names,
        pl.DataFrame({"segment": names}),
        STATES,
        tuple(dates),
        min(window, months),
        history.opening[:months],
        history.closing[:months],
        history.paid[:months],
        history.squares[:months],
        history.loans[:months],
        history.opening[months].sum(axis=-1) if later else history.stock,
        history.loans[months].sum(axis=-1) if later else history.stock_loans,
        history.inflow[:months],
        is_counted=False,
        is_cash_derived=False,
    )
