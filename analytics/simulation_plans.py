"""What goes into a simulation beside the book: effects with their evidence, and strategies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analytics.intervals import Array
from analytics.simulation_draws import Draws
from analytics.simulation_states import STAGES
from analytics.strategy_fields import CHANNELS

Floats = npt.NDArray[np.float32]
EVIDENCE = ("estimated", "assumed", "none")
SHARED = 0.8  # correlation of the errors of a channel's estimates in two stages


@dataclass(frozen=True)
class Effects:
    """What a unit of each effect does to the log-odds of a cure: normal, with its evidence."""

    names: tuple[str, ...]
    mean: Array
    sd: Array
    evidence: tuple[str, ...]

    def __post_init__(self) -> None:
        mean, sd = np.asarray(self.mean, float), np.asarray(self.sd, float)
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "sd", sd)
        count = len(self.names)
        if mean.shape != (count,) or sd.shape != (count,) or len(self.evidence) != count:
            raise ValueError("each effect needs a name, a mean, a standard deviation and evidence")
        if len(set(self.names)) != count:
            raise ValueError("each effect has a name of its own")
        if not np.isfinite(mean).all() or not np.isfinite(sd).all() or (sd < 0).any():
            raise ValueError(
                "effects must be finite numbers, their standard deviations not below 0"
            )
        if unknown := set(self.evidence) - set(EVIDENCE):
            raise ValueError(f"evidence must be one of {EVIDENCE}, not {sorted(unknown)}")

    def draws(self, n: int, seed: int = 0) -> Floats:
        """Draws of each effect [draw, effect]; which others there are does not change them.

        Estimates of one channel in several stages lean on each other, so they err together:
        their draws have most of their error in common (`SHARED`).
        """
        found = np.empty((n, len(self.names)))
        for place, name in enumerate(self.names):
            error = _normal(seed, name, n)
            channel = name.split(":")[0]
            if channel in CHANNELS and self.evidence[place] == EVIDENCE[0]:
                error = np.sqrt(SHARED) * _normal(seed, channel, n) + np.sqrt(1 - SHARED) * error
            found[:, place] = self.mean[place] + self.sd[place] * error
        return found.astype(np.float32)


def _normal(seed: int, name: str, n: int) -> Array:
    return np.random.default_rng([seed, *name.encode()]).standard_normal(n)


@dataclass(frozen=True)
class Plan:
    """A strategy as the simulator takes it: its distance from the baseline, and its costs.

    `x` [segment, stage, effect]: how many units of each effect it adds in a segment and stage (0
    for the baseline); [month, segment, stage, effect] where that changes with the months since
    the strategy began.  `meters` [segment, state, 4]: contact cost, legal cost, complaints and
    hours per unit of money and month; `commission` [segment, state], or by month before those:
    share of the state's cash; `fixed` [month, kind]: currency a month whatever moves.
    """

    name: str
    x: Floats
    meters: Floats
    commission: Floats
    fixed: Array
    fixed_kinds: tuple[str, ...]

    def monthly_x(self, months: int) -> Floats:
        """`x` by month, whether it changes or not."""
        return _by_month(self.x, 3, months)

    def monthly_commission(self, months: int) -> Floats:
        """[segment, month, state]"""
        return np.moveaxis(_by_month(self.commission, 2, months), 0, 1)


def _by_month(values: Floats, size: int, months: int) -> Floats:
    found = np.asarray(values, np.float32)
    return np.broadcast_to(found, (months, *found.shape[-size:]))


def check_plans(draws: Draws, theta: Floats, plans: Sequence[Plan], discount_rate: float) -> None:
    """Refuse plans and effects that do not fit the book, the horizon or each other."""
    segments, effects = len(draws.segments), theta.shape[-1]
    if not plans:
        raise ValueError("at least one plan is needed, the baseline")
    if theta.shape != (draws.n, effects):
        raise ValueError(f"effects must be [{draws.n}, effects], not {list(theta.shape)}")
    if not -0.99 < discount_rate < 10:
        raise ValueError(f"a discount rate is a share a year, not {discount_rate}")
    for plan in plans:
        shapes = {
            "x": (_a_month(plan.x, 3, draws.horizon), (segments, len(STAGES), effects)),
            "meters": (np.shape(plan.meters), (segments, 6, 4)),
            "commission": (_a_month(plan.commission, 2, draws.horizon), (segments, 6)),
            "fixed": (np.shape(plan.fixed), (draws.horizon, len(plan.fixed_kinds))),
        }
        for what, (found, wanted) in shapes.items():
            if found != wanted:
                raise ValueError(f"{plan.name}: {what} must be {wanted}, not {found}")
            if not np.isfinite(getattr(plan, what)).all():
                raise ValueError(f"{plan.name}: {what} holds what is not a number")
        if plan.fixed_kinds != plans[0].fixed_kinds:
            raise ValueError(f"{plan.name}: its fixed costs are of other kinds than the baseline's")
    if np.any(np.asarray(plans[0].x) != 0):
        raise ValueError("the baseline cannot differ from itself: its x must be 0")


def _a_month(values: Floats, size: int, months: int) -> tuple[int, ...]:
    """The shape of a month's values, where they are by month and there are as many months."""
    shape = np.shape(values)
    return shape[1:] if len(shape) == size + 1 and shape[0] == months else shape
