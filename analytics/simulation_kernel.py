"""The inner loop of the simulator, compiled: many draws at once, one segment after the other.

A *lane* is a draw; draws lie in tiles, so that what a step needs is near the processor.  For each
row (state) of mass v, with odds ratio OR on its cures, and e^z on its rolls forward:

    u = v / (1 + (OR - 1) p_cure + (e^z - 1) F)

and the mass moves by u times the packed shares (growth included), cures times OR, forward times
e^z.  No matrix of a strategy is ever built; all strategies share one packed matrix.  Rows of a
tile lie one after the other in flat arrays, so that the compiler sees that they do not overlap.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

TILE = 128  # draws that are stepped together
ROWS = 54  # 36 shares between states on book, 6 cures, 6 forward, 6 losses
CURES, FORWARD, LOSSES = 36, 42, 48
SHOCKS = 13  # on forward by state, on cures by state, on cash
CASH, LATE_CASH, CONTACT, LEGAL, COMPLAINTS, HOURS, COMMISSION, LOST, LATE, ENTERED = range(10)
OUTPUTS = 10
# rows of the workspace: mass, mass after, then u times the multiplier of each kind of move, cash
_V, _NEW, _CURED, _STAYED, _ROLLED, _PAID, _SPENT, _SPACE = (
    row * TILE for row in (0, 6, 12, 18, 24, 30, 36, 37)
)
FAST_MATH = {"contract", "nsz", "arcp"}  # nothing that forgets what is not a number


def compiled(function: Callable[..., None]) -> Any:
    """The function as machine code at its first call, kept beside the module where that may be."""

    def made(*, cache: bool) -> Any:
        make = numba.njit(nogil=True, cache=cache, fastmath=FAST_MATH, error_model="numpy")
        return make(function)

    try:
        return made(cache=True)
    except RuntimeError:  # no folder to keep it in
        return made(cache=False)


@compiled
def run_tile(
    packed: Any,  # float32 [segment, 54 x TILE]
    shock: Any,  # float32 [month, 13 x TILE]
    inflow: Any,  # float32 [month, TILE], a factor
    odds: Any,  # float32 [plan, segment, 4 x TILE]: OR - 1; for stage 0: 1 / OR - 1
    slot: Any,  # int32 [plan, segment, 4]: where its odds change by month, the row; else -1
    later: Any,  # float32 [row, month, TILE]: those odds
    stock: Any,  # float32 [segment, 6]
    entering: Any,  # float32 [segment]
    cash_share: Any,  # float32 [segment, 6, 3]
    meters: Any,  # float32 [plan, segment, 6, 4]
    commission: Any,  # float32 [plan, segment, month, 6]
    discount: Any,  # float32 [month]
    totals: Any,  # out float32 [plan, month, 10 x TILE], zero
    by_segment: Any,  # out float32 [plan, segment, TILE], zero
) -> None:
    w = np.empty(_SPACE, np.float32)
    now = np.empty(4 * TILE, np.float32)
    for s in range(odds.shape[1]):
        for p in range(odds.shape[0]):
            for k in range(4 * TILE):
                now[k] = odds[p, s, k]
            for i in range(6):
                for k in range(TILE):
                    w[_V + i * TILE + k] = stock[s, i]
            for t in range(shock.shape[0]):
                for g in range(4):
                    if slot[p, s, g] >= 0:
                        for k in range(TILE):
                            now[g * TILE + k] = later[slot[p, s, g], t, k]
                _leave(w, packed[s], shock[t], now, cash_share[s])
                for j in range(6):
                    _arrive(w, packed[s], j)
                _count_costs(totals[p, t], w, meters[p, s])
                _count_cash(
                    totals[p, t], by_segment[p, s], w, shock[t], commission[p, s, t], discount[t]
                )
                _count_masses(totals[p, t], w, packed[s])
                for k in range(6 * TILE):
                    w[_V + k] = w[_NEW + k]
                usual = entering[s]
                factor = inflow[t]
                for k in range(TILE):
                    w[_V + k] += usual * factor[k]


@compiled
def _leave(w: Any, a: Any, z: Any, odds: Any, share: Any) -> None:
    """What leaves each row, by kind of move, and the cash that comes with it."""
    one = np.float32(1.0)
    for i in range(6):
        stage = 0 if i == 0 else 1 if i == 1 else 2 if i <= 3 else 3
        on_cure = np.float32(i > 0)
        on_forward = one - on_cure
        of_cure, of_stay, of_forward = share[i, 0], share[i, 1], share[i, 2]
        row, ratio = i * TILE, stage * TILE
        for k in range(TILE):
            cured, rolled = a[CURES * TILE + row + k], a[FORWARD * TILE + row + k]
            c = z[6 * TILE + row + k] * (one + on_cure * odds[ratio + k])
            f = z[row + k] * (one + on_forward * odds[ratio + k])
            u = w[_V + row + k] / (one + (c - one) * cured + (f - one) * rolled)
            w[_CURED + row + k] = u * c
            w[_STAYED + row + k] = u
            w[_ROLLED + row + k] = u * f
            w[_PAID + row + k] = u * (
                of_cure * (c * cured) + of_forward * (f * rolled) + of_stay * (one - cured - rolled)
            )


@compiled
def _arrive(w: Any, a: Any, j: int) -> None:
    """The mass of a state after the moves; rows below it cured into it, rows above rolled."""
    b = _STAYED if j == 0 else _ROLLED
    c = _CURED if j < 1 else _STAYED if j == 1 else _ROLLED
    d = _CURED if j < 2 else _STAYED if j == 2 else _ROLLED
    e = _CURED if j < 3 else _STAYED if j == 3 else _ROLLED
    f = _CURED if j < 4 else _STAYED if j == 4 else _ROLLED
    g = _CURED if j < 5 else _STAYED
    at = j * TILE
    for k in range(TILE):
        w[_NEW + at + k] = (
            w[b + k] * a[at + k]
            + w[c + TILE + k] * a[at + 6 * TILE + k]
            + w[d + 2 * TILE + k] * a[at + 12 * TILE + k]
            + w[e + 3 * TILE + k] * a[at + 18 * TILE + k]
            + w[f + 4 * TILE + k] * a[at + 24 * TILE + k]
            + w[g + 5 * TILE + k] * a[at + 30 * TILE + k]
        )


@compiled
def _count_costs(out: Any, w: Any, meters: Any) -> None:
    """Contact and legal cost, complaints and hours, all in proportion to the mass."""
    a, b, c = meters[0], meters[1], meters[2]
    d, e, f = meters[3], meters[4], meters[5]
    a0, b0, c0, d0, e0, f0 = a[0], b[0], c[0], d[0], e[0], f[0]
    a1, b1, c1, d1, e1, f1 = a[1], b[1], c[1], d[1], e[1], f[1]
    a2, b2, c2, d2, e2, f2 = a[2], b[2], c[2], d[2], e[2], f[2]
    a3, b3, c3, d3, e3, f3 = a[3], b[3], c[3], d[3], e[3], f[3]
    for k in range(TILE):
        p, q, r = w[_V + k], w[_V + TILE + k], w[_V + 2 * TILE + k]
        s, t, u = w[_V + 3 * TILE + k], w[_V + 4 * TILE + k], w[_V + 5 * TILE + k]
        contact = a0 * p + b0 * q + c0 * r + d0 * s + e0 * t + f0 * u
        legal = a1 * p + b1 * q + c1 * r + d1 * s + e1 * t + f1 * u
        complaints = a2 * p + b2 * q + c2 * r + d2 * s + e2 * t + f2 * u
        hours = a3 * p + b3 * q + c3 * r + d3 * s + e3 * t + f3 * u
        out[CONTACT * TILE + k] += contact
        out[LEGAL * TILE + k] += legal
        out[COMPLAINTS * TILE + k] += complaints
        out[HOURS * TILE + k] += hours
        w[_SPENT + k] = contact + legal


@compiled
def _count_cash(out: Any, net: Any, w: Any, z: Any, rate: Any, discount: Any) -> None:
    """Cash, that of late rows, commission on it; and what is left, discounted, by segment."""
    a, b, c, d, e, f = rate[0], rate[1], rate[2], rate[3], rate[4], rate[5]
    for k in range(TILE):
        level = z[12 * TILE + k]
        p, q, r = w[_PAID + k], w[_PAID + TILE + k], w[_PAID + 2 * TILE + k]
        s, t, u = w[_PAID + 3 * TILE + k], w[_PAID + 4 * TILE + k], w[_PAID + 5 * TILE + k]
        late = level * (q + r + s + t + u)
        every = level * p + late
        fees = level * (a * p + b * q + c * r + d * s + e * t + f * u)
        out[CASH * TILE + k] += every
        out[LATE_CASH * TILE + k] += late
        out[COMMISSION * TILE + k] += fees
        net[k] += discount * (every - fees - w[_SPENT + k])


@compiled
def _count_masses(out: Any, w: Any, a: Any) -> None:
    """What was lost, what is late at the month's end, and what became late."""
    for k in range(TILE):
        out[LOST * TILE + k] += (
            w[_ROLLED + k] * a[LOSSES * TILE + k]
            + w[_ROLLED + TILE + k] * a[(LOSSES + 1) * TILE + k]
            + w[_ROLLED + 2 * TILE + k] * a[(LOSSES + 2) * TILE + k]
            + w[_ROLLED + 3 * TILE + k] * a[(LOSSES + 3) * TILE + k]
            + w[_ROLLED + 4 * TILE + k] * a[(LOSSES + 4) * TILE + k]
            + w[_ROLLED + 5 * TILE + k] * a[(LOSSES + 5) * TILE + k]
        )
        out[LATE * TILE + k] += (
            w[_NEW + TILE + k]
            + w[_NEW + 2 * TILE + k]
            + w[_NEW + 3 * TILE + k]
            + w[_NEW + 4 * TILE + k]
            + w[_NEW + 5 * TILE + k]
        )
        out[ENTERED * TILE + k] += w[_ROLLED + k] * (
            a[TILE + k] + a[2 * TILE + k] + a[3 * TILE + k] + a[4 * TILE + k] + a[5 * TILE + k]
        )


@compiled
def log_odds(x: Any, theta: Any, out: Any) -> None:
    """Sums of x [row, effect] times theta [effect, lane], into out [row, lane]: 0 where x is 0."""
    for row in range(x.shape[0]):
        into = out[row]
        for k in range(TILE):
            into[k] = np.float32(0.0)
        for effect in range(x.shape[1]):
            units = x[row, effect]
            if units != np.float32(0.0):
                own = theta[effect]
                for k in range(TILE):
                    into[k] += units * own[k]
