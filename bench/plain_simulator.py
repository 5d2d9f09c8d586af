"""The simulator as one would write it first: to check the compiled one by, and to time it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from analytics.simulation import Plan
from analytics.simulation_book import STAGE_OF_STATE
from analytics.simulation_draws import Draws
from analytics.simulation_kernel import (
    CASH,
    COMMISSION,
    CONTACT,
    CURES,
    ENTERED,
    FORWARD,
    HOURS,
    LATE,
    LATE_CASH,
    LOSSES,
    LOST,
    OUTPUTS,
)

Floats = npt.NDArray[np.floating]
STAGE = list(STAGE_OF_STATE)


def _by_draw(tiled: Floats, n: int) -> Floats:
    """[tile, ..., lane] as [draw, ...]."""
    return np.moveaxis(tiled, -1, 1).reshape(-1, *tiled.shape[1:-1])[:n]


def blocked(
    draws: Draws,
    theta: Floats,
    plans: Sequence[Plan],
    kind: type = np.float64,
    *,
    block: int = 500,
) -> Floats:
    """All draws of a block at once in numpy: the totals, [plan, month, output, draw]."""
    packed, shock, inflow = (
        _by_draw(part, draws.n) for part in (draws.packed, draws.shock, draws.inflow)
    )
    totals = np.empty((len(plans), draws.horizon, OUTPUTS, draws.n), kind)
    for first in range(0, draws.n, block):
        part = slice(first, first + block)
        rows = np.ascontiguousarray(packed[part].transpose(2, 1, 0), kind)  # [54, segment, draw]
        shocks = np.ascontiguousarray(shock[part].transpose(1, 2, 0), kind)  # [month, 13, draw]
        own = (shocks, inflow[part].T.astype(kind), theta[part].T.astype(kind))
        for place, plan in enumerate(plans):
            totals[place, :, :, part] = _one(draws, plan, rows, *own, kind)
    return totals


def _one(
    draws: Draws, plan: Plan, a: Floats, shocks: Floats, inflow: Floats, theta: Floats, kind: type
) -> Floats:
    """One plan's totals in some draws, [month, output, draw]."""
    x = plan.monthly_x(draws.horizon).astype(kind)
    meters = plan.meters.astype(kind)
    rates = plan.monthly_commission(draws.horizon).astype(kind)
    share = draws.cash_share.astype(kind)
    v = [np.repeat(draws.stock[:, i : i + 1].astype(kind), a.shape[2], 1) for i in range(6)]
    out = np.zeros((draws.horizon, OUTPUTS, a.shape[2]), kind)
    for month, (z, total) in enumerate(zip(shocks, out, strict=True)):
        moved: list[tuple[Floats, Floats, Floats]] = []
        if month == 0 or plan.x.ndim == x.ndim:  # [stage, segment, draw]
            odds = np.exp(x[month] @ theta).transpose(1, 0, 2)
        for i in range(6):
            cured, rolled = a[CURES + i], a[FORWARD + i]
            c = z[6 + i] * odds[STAGE[i]] if i else z[6 + i]
            f = z[i] if i else z[i] / odds[0]
            u = v[i] / (1 + (c - 1) * cured + (f - 1) * rolled)
            moved.append((u * c, u, u * f))
            by_kind = (c * cured, 1 - cured - rolled, f * rolled)
            cash = z[12] * u * sum(share[:, i, k, None] * by_kind[k] for k in range(3))
            total[CASH] += cash.sum(axis=0)
            total[LATE_CASH] += cash.sum(axis=0) * (i > 0)
            total[COMMISSION] += rates[:, month, i] @ cash
            total[CONTACT : HOURS + 1] += meters[:, i].T @ v[i]
            total[LOST] += (moved[i][2] * a[LOSSES + i]).sum(axis=0)
        for j in range(6):
            kinds = [0 if j < i else 1 if j == i else 2 for i in range(6)]
            v[j] = sum(moved[i][kinds[i]] * a[6 * i + j] for i in range(6))  # type: ignore[assignment]
            if j:
                total[LATE] += v[j].sum(axis=0)
                total[ENTERED] += (moved[0][2] * a[j]).sum(axis=0)
        v[0] = v[0] + draws.entering[:, None].astype(kind) * inflow[month]
    return out


def looped(draws: Draws, theta: Floats, plans: Sequence[Plan], *, n: int) -> Floats:
    """The late balance of some draws, one draw, plan and month after the other: the matrices of all
    segments are built for each, and multiplied.  [plan, month, draw]."""
    packed, shock, inflow = (
        _by_draw(part, draws.n).astype(float) for part in (draws.packed, draws.shock, draws.inflow)
    )
    below, above = np.tril(np.ones((6, 6)), -1), np.triu(np.ones((6, 6)), 1)
    late = np.zeros((len(plans), draws.horizon, n))
    for draw in range(n):
        a = packed[draw]
        shares, cured, rolled = a[:, :CURES], a[:, CURES:FORWARD], a[:, FORWARD:LOSSES]
        for place, plan in enumerate(plans):
            odds = np.exp(plan.x.astype(float) @ theta[draw])[:, STAGE]
            v = draws.stock.astype(float)
            for month in range(draws.horizon):
                c, f = shock[draw, month, 6:12] * odds, shock[draw, month, :6] + 0 * odds
                c[:, 0] = shock[draw, month, 6]
                f[:, 0] /= odds[:, 0]
                whole = 1 + (c - 1) * cured + (f - 1) * rolled
                weight = c[..., None] * below + np.eye(6) + f[..., None] * above
                matrix = shares.reshape(-1, 6, 6) * weight / whole[..., None]
                v = np.einsum("si,sij->sj", v, matrix)
                late[place, month, draw] = v[:, 1:].sum()
                v[:, 0] += draws.entering * inflow[draw, month]
    return late
