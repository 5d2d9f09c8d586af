"""What came of a simulation, draw by draw."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analytics import simulation_kernel as kernel
from analytics.intervals import Array
from analytics.simulation_plans import Floats

METERS = ("contact", "legal", "complaints", "hours", "commission")


@dataclass(frozen=True)
class Simulation:
    """What came of each plan: arrays [draw, plan, month], in currency of the month.

    `late_*` is about loans that are late: cash of those late as the month began, balance at its
    end; `entered_late` is what rolled from `current`; `charged_off` counts sales too.
    """

    names: tuple[str, ...]
    segments: tuple[str, ...]
    totals: Floats  # [plan, month, output, draw]
    segment_net: Floats  # [plan, segment, draw]: discounted cash less costs, before fixed ones
    fixed: Array  # [plan, month, kind]
    fixed_kinds: tuple[str, ...]
    discount: Array  # [month]
    late_stock: float  # late money as it starts
    luck: (
        Floats  # [plan, segment, draw]: discounted, from the loans turned being few; 0 of the first
    )

    def of(self, output: int) -> Floats:
        return np.moveaxis(self.totals[:, :, output], -1, 0)

    @property
    def n(self) -> int:
        return int(self.totals.shape[-1])

    @property
    def horizon(self) -> int:
        return int(self.totals.shape[1])

    @property
    def cash(self) -> Floats:
        return self.of(kernel.CASH)

    @property
    def late_cash(self) -> Floats:
        return self.of(kernel.LATE_CASH)

    @property
    def charged_off(self) -> Floats:
        return self.of(kernel.LOST)

    @property
    def late_balance(self) -> Floats:
        return self.of(kernel.LATE)

    @property
    def entered_late(self) -> Floats:
        return self.of(kernel.ENTERED)

    @property
    def meters(self) -> Floats:
        """[draw, plan, month, 5]: contact, legal, complaints, hours, commission."""
        return np.moveaxis(self.totals[:, :, kernel.CONTACT : kernel.COMMISSION + 1], -1, 0)

    @property
    def by_segment(self) -> Floats:
        """[draw, plan, segment]: discounted cash less contact, legal and commission."""
        return np.moveaxis(self.segment_net, -1, 0)

    @cached_property
    def variable_cost(self) -> Array:
        """[plan, month, draw]: contact, legal and commission together."""
        parts = [self.totals[:, :, one] for one in (kernel.CONTACT, kernel.LEGAL)]
        return np.add(*parts, dtype=np.float64) + self.totals[:, :, kernel.COMMISSION]

    @cached_property
    def benefit(self) -> Array:
        """Discounted net benefit of each plan over the first [plan, draw].

        Cash and costs are compared before they are summed, so what does not differ is exactly 0.
        The luck of a finite book is in it; without any effect there is none.
        """
        cash = self.totals[:, :, kernel.CASH].astype(np.float64)
        gain = np.einsum("ptn,t->pn", cash - cash[:1], self.discount)
        return gain + self.luck.sum(axis=1, dtype=np.float64) - self.extra_cost

    @cached_property
    def extra_cost(self) -> Array:
        """Discounted cost of each plan over that of the first [plan, draw]."""
        spent = self.variable_cost
        more = np.einsum("ptn,t->pn", spent - spent[:1], self.discount)
        fixed = self.fixed.sum(axis=-1)
        return more + ((fixed - fixed[:1]) @ self.discount)[:, None]
