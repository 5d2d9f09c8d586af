"""What a strategy changes of placements and suits, by month since it began."""

from __future__ import annotations

import numpy as np
import polars as pl

from analytics.intervals import Array
from analytics.placement_curves import AGENCY, STEPS, SUIT
from analytics.placement_ramps import filed_ramp, placed_ramp, ramp_units
from analytics.strategy_effects import CURVED, goes_by_curve
from analytics.strategy_treatments import SUIT_MONTHS, Treatment
from analytics.workload import Workload


def curve_units(
    effects: pl.DataFrame, base: Treatment, mine: Treatment, workload: Workload, months: int
) -> tuple[dict[str, Array], Array | None]:
    """Units of the curves' effects, and the agencies' share of the cash, by month.

    Suits without a curve act alike in each of six months from their filing.
    Out: by effect code [month, segment, stage], of suits and what else goes by its curve; the
    share [month, segment, stage], null where agencies have no curve.
    """
    found: dict[str, Array] = {}
    cash = None
    if _is_known(effects, workload, AGENCY):
        ramp = placed_ramp(workload.lasting[AGENCY], months)
        shares = (base.placed(), mine.placed())
        units, cash = ramp_units(ramp, *shares, _theta(effects, AGENCY))
        found |= _named(units, AGENCY)
    if _is_known(effects, workload, SUIT):
        ramp = filed_ramp(workload.lasting[SUIT], months)
        most = 1 / float(ramp.usual.sum())  # nobody is sued twice at once
        before, after = (np.minimum(one.filed(), most) for one in (base, mine))
        units, _ = ramp_units(ramp, before, after, _theta(effects, SUIT))
        found |= _named(units, SUIT)
    else:
        found[SUIT] = _under_suit(base, mine, months)
    return found, cash


def _under_suit(base: Treatment, mine: Treatment, months: int) -> Array:
    """How much larger a share is under suit [month, segment, stage]: those filed in six months."""
    usual = base.filed() * SUIT_MONTHS
    filed = np.minimum(np.arange(1, months + 1), SUIT_MONTHS)[:, None, None]
    share = usual + (mine.filed() - base.filed()) * filed
    return np.asarray(np.minimum(share, 1.0) - np.minimum(usual, 1.0))


def _is_known(effects: pl.DataFrame, workload: Workload, kind: str) -> bool:
    return kind in workload.lasting and goes_by_curve(effects, kind)


def _theta(effects: pl.DataFrame, kind: str) -> Array:
    of = effects.filter(pl.col("kind") == CURVED[kind])
    mean = dict(of.select("step", "mean").iter_rows())
    return np.array([mean.get(step, 0.0) for step in STEPS])


def _named(units: Array, kind: str) -> dict[str, Array]:
    return {f"{kind}:{step}": units[..., place] for place, step in enumerate(STEPS)}
