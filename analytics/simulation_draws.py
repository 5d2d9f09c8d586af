"""What is known of the book's rolls, as draws: the slow part of the simulator, to be kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from analytics.gamma_draws import gammas
from analytics.intervals import Array, divide
from analytics.shocks import Shocks, future_shocks, learn_shocks, monthly_levels
from analytics.simulation_chance import chance as by_chance
from analytics.simulation_chance import luck as by_luck
from analytics.simulation_kernel import CURES, FORWARD, LOSSES, ROWS, SHOCKS, TILE
from analytics.simulation_rates import HERE, Rates
from analytics.simulation_states import STATES, RollBook

Floats = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]
LEAVING = [STATES.index("charged_off"), STATES.index("sold")]
CASH_ERROR = 0.002  # standard error of a month's cash over usual, as a logarithm
CASH_DRIFT = 0.004  # a month, either way: as loans age, the same instalment is more of the balance
FEW = 1024  # draws whose normals are kept
MOST_SHOCK = 4.0  # in log-odds: beyond it a draw says nothing that 4 does not


@dataclass(frozen=True)
class Draws:
    """Roll rates, shocks and new business in `n` draws, laid out in tiles for the kernel."""

    segments: tuple[str, ...]
    n: int
    horizon: int
    packed: Floats  # [tile, segment, 54, lane]
    shock: Floats  # [tile, month, 13, lane]: on forward, then on cures, by state; then on cash
    inflow: Floats  # [tile, month, lane]: new business over usual
    stock: Floats  # [segment, 6]
    entering: Floats  # [segment] new business of a usual month
    cash_share: Floats  # [segment, 6, kind of move]
    shocks: Shocks
    effective_loans: Array  # [segment, 6] in the months of the roll rates
    usual: Array  # [segment, 6, kind of move]: the shares' means
    luck: Array  # [segment, 6]: variance of what a switch of all the money there would bring
    normals: Floats  # [segment, draw], for the luck

    @property
    def padded(self) -> int:
        return int(self.packed.shape[0]) * TILE

    @property
    def nbytes(self) -> int:
        return self.packed.nbytes + self.shock.nbytes + self.inflow.nbytes

    def first(self, n: int) -> Draws:
        """The first `n` draws of these, for a first answer; the large arrays are shared."""
        if not 0 < n <= self.n:
            raise ValueError(f"there are {self.n} draws, so not {n} of them")
        tiles = -(-n // TILE)
        return replace(
            self,
            n=n,
            packed=self.packed[:tiles],
            shock=self.shock[:tiles],
            inflow=self.inflow[:tiles],
            normals=_centred(self.normals[:, :n]),
        )


@dataclass(frozen=True)
class Basis:
    """What draws of a book are made from, however many are made: rates, shocks, new business."""

    book: RollBook
    horizon: int
    rates: Rates
    shocks: Shocks
    cash: Shocks
    entering: Array  # [segment] new business of a usual month
    course: Array  # [month, segment, 6]: the baseline's money as its shares would have it
    luck: Array  # [segment, 6], see `simulation_chance.luck`


def basis_of(book: RollBook, *, horizon: int = 12) -> Basis:
    """What does a book say of its rolls?  Made once, for a first answer and the refined one.

    Refuses: a horizon below one month.
    """
    if horizon < 1:
        raise ValueError(f"months must be at least 1, not {horizon}")
    shocks, dispersion = book_shocks(book)
    rates = Rates(book, dispersion)
    entering = book.inflow[-book.window :].mean(axis=0)
    course = rates.course(book, entering, horizon)
    cash = cash_shocks(book, rates.cash)
    return Basis(book, horizon, rates, shocks, cash, entering, course, by_luck(rates, course))


def posterior(
    book: RollBook,
    *,
    draws: int = 10_000,
    seed: int = 0,
    horizon: int = 12,
    chance: bool = True,
    basis: Basis | None = None,
) -> Draws:
    """What may the book's rolls be in the months to come?

    Rows: shares by money of the window's moves; Dirichlet with the effective number of loans,
    (sum b)^2 / sum b^2, over the dispersion of months and segments beyond the common shock, plus
    five loans of all segments together.  Shock: a Bayesian AR(1) on the log-odds of the rolls
    forward, from all months of the book (see `learn_shocks`).  New business: the window's mean,
    months drawn again.  Chance (`chance`): a finite book does not move by shares exactly; rows of
    all segments together move as so many effective loans would.  `basis`: what `basis_of` made of
    the same book and horizon, where it is at hand.
    Out: draws, which do not depend on any strategy.
    Refuses: fewer draws than one, a horizon below one month, the basis of another book.
    Misleads: growth and cash shares are those of the window without error; turning points are
    seen late; chance is that of the whole book, so a single segment's is understated.
    Reference: statistics on roll rates in the definitions; OCC on roll-rate forecasts.
    """
    if draws < 1 or horizon < 1:
        raise ValueError(f"draws and months must be at least 1, not {draws} and {horizon}")
    rng = np.random.default_rng([seed, 1])
    basis = basis or basis_of(book, horizon=horizon)
    if basis.book is not book or basis.horizon != horizon:
        raise ValueError("the basis is of another book or horizon")
    segments, tiles = len(book.segments), -(-draws // TILE)
    n = tiles * TILE
    packed = np.zeros((tiles, segments, ROWS, TILE), np.float32)
    for place in range(segments):
        _pack(packed[:, place], basis.rates, place, n, seed)
    return Draws(
        segments=book.segments,
        n=draws,
        horizon=horizon,
        packed=packed,
        shock=_shocked(basis, n, rng, seed if chance else None),
        inflow=_tiled(_new_business(book, n, horizon, rng)),
        stock=book.stock.astype(np.float32),
        entering=basis.entering.astype(np.float32),
        cash_share=basis.rates.cash.astype(np.float32),
        shocks=basis.shocks,
        effective_loans=basis.rates.effective,
        usual=basis.rates.kind_shares,
        luck=basis.luck if chance else np.zeros((segments, HERE)),
        normals=_centred(rng.standard_normal((segments, draws), dtype=np.float32)),
    )


def _shocked(basis: Basis, n: int, rng: np.random.Generator, seed: int | None) -> Floats:
    """The multipliers of a month in tiles [tile, month, 13, lane]; without chance: no `seed`."""
    months = basis.horizon
    found = np.ones((n // TILE, months, SHOCKS, TILE), np.float32)
    lanes = np.moveaxis(found, 0, 2)  # [month, 13, tile, lane]
    paths = future_shocks(basis.shocks, draws=n, horizon=months, rng=rng)
    common = np.exp(paths.T.clip(-MOST_SHOCK, MOST_SHOCK), dtype=np.float32)
    lanes[:, :HERE] = common.reshape(months, 1, -1, TILE)
    if seed is not None:
        for month, state, forward, cure in by_chance(basis.rates, basis.course, n, rng, seed):
            lanes[month, state] *= forward.reshape(-1, TILE)
            lanes[month, HERE + state] = cure.reshape(-1, TILE)
    level = future_shocks(basis.cash, draws=n, horizon=months, rng=rng)
    lanes[:, -1] = np.exp(level.T).reshape(months, -1, TILE)
    return found


def _centred(normals: Floats) -> Floats:
    """Luck is as often good as bad: it moves no mean."""
    return normals - normals.mean(axis=1, keepdims=True) if normals.shape[1] > 1 else normals


def _tiled(values: Array) -> Floats:
    """[draw, ...] as [tile, ..., lane]."""
    parts = values.reshape(-1, TILE, *values.shape[1:])
    return np.ascontiguousarray(np.moveaxis(parts, 1, -1), dtype=np.float32)


def _pack(into: Floats, rates: Rates, place: int, n: int, seed: int) -> None:
    """Draw a segment's rows: gammas over their sum, times growth, in the kernel's order."""
    own = np.random.Generator(np.random.SFC64([seed, 2, place]))
    for i, alpha in enumerate(rates.alpha[place]):
        seen = np.flatnonzero(alpha > 0)
        drawn = _drawn(alpha, seen, n, own, (seed, place, i))
        total = drawn.sum(axis=0)
        drawn /= np.where(total > 0, total, 1)
        for j, values in zip(seen, drawn, strict=True):
            lanes = values.reshape(-1, TILE)
            grown = lanes * np.float32(rates.growth[place, i, j])
            if j < HERE:
                into[:, HERE * i + j] = grown
            if j in LEAVING:
                into[:, LOSSES + i] += grown
            if rates.kinds[0, i, j]:
                into[:, CURES + i] += lanes
            elif rates.kinds[2, i, j]:
                into[:, FORWARD + i] += lanes


def _drawn(
    alpha: Array, seen: Places, n: int, rng: np.random.Generator, at: tuple[int, int, int]
) -> Floats:
    """A row's gammas; of few draws from normals that are kept for the row, as that takes less."""
    if n > FEW:
        return np.stack([rng.standard_gamma(alpha[j], n, dtype=np.float32) for j in seen])
    drawn = gammas(alpha[seen], _normals(at, n)[seen], rng)
    drawn *= alpha[seen, None].astype(np.float32)
    return drawn


@lru_cache(maxsize=360)  # the rows of 60 segments: 13 MB
def _normals(at: tuple[int, int, int], n: int) -> Floats:
    """For a row of a segment, [next state, draw]: the same whatever a reader looks at."""
    own = np.random.Generator(np.random.SFC64([5, *at]))
    found = own.standard_normal((len(STATES), n), dtype=np.float32)
    found.flags.writeable = False
    return found


def book_shocks(book: RollBook) -> tuple[Shocks, float]:
    """The common shocks of all months against the window's usual; and how cells differ beyond them.

    The dispersion is the middle one of the window's months: chi-square over degrees of freedom
    of the cells around the month's common shift, at least 1.
    """
    months, segments = len(book.months), len(book.segments)
    total = book.opening.sum(axis=-1)
    forward = np.einsum("tsij,ij->tsi", book.opening, book.kinds[2])
    size = np.nan_to_num(divide(total**2, book.squares.sum(axis=-1)))
    recent = slice(-book.window, None)
    usual = np.nan_to_num(divide(forward[recent].sum(axis=0), total[recent].sum(axis=0)))
    cells = (months, segments * HERE)
    share = np.nan_to_num(divide(forward, total)).reshape(cells)
    level, error, dispersion = monthly_levels(share, size.reshape(cells), usual.reshape(1, -1))
    return learn_shocks(book.months, level, error), float(np.median(dispersion[recent]))


def cash_shocks(book: RollBook, cash: Array) -> Shocks:
    """By how much did a month's cash lie above what its moves usually bring, as a logarithm?

    In: `cash` [segment, state, kind of move], the window's shares.  Learnt as the shocks of rolls
    are: with a level, a spread and a persistence of its own, and a drift, for the book ages.
    """
    moves = np.einsum("tsij,kij->tsik", book.opening, book.kinds)
    usual = np.einsum("tsik,sik->t", moves, cash)
    paid = book.paid.sum(axis=(1, 2, 3))
    known = (usual > 0) & (paid > 0)
    level = np.where(known, np.log(np.where(known, paid, 1) / np.where(known, usual, 1)), np.nan)
    error = np.where(known, CASH_ERROR, np.inf)
    return learn_shocks(book.months, level, error, drift_spread=CASH_DRIFT)


def _new_business(book: RollBook, n: int, horizon: int, rng: np.random.Generator) -> Array:
    """A month's new money over a usual month's: months of the window drawn again."""
    total = book.inflow[-book.window :].sum(axis=1)
    if total.sum() <= 0:
        return np.ones((n, horizon))
    return np.asarray((total / total.mean())[rng.integers(0, len(total), (n, horizon))])
