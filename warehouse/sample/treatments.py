"""Which channels are planned for a case's first seven days, and what they truly do.

A plan is one whole number: bit c says that channel c will be attempted within seven days
of opening.  Harder and later cases get calls and visits, easier and earlier ones texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from warehouse.contract import CHANNELS
from warehouse.sample.luck import Numbers
from warehouse.sample.model import CHANNEL, Array, sigmoid
from warehouse.sample.months import NoSuchBook

AUTOMATED = ("sms", "app_push", "messenger", "email", "voice_bot")
HUMAN = CHANNELS
LEAST, SPAN = 0.04, 0.92  # every plan has a chance: the overlap that adjustment needs

# log-odds of being planned: constant, from 31 days, from 91 days, per unit of difficulty
PLANS = {
    "sms": (0.9, -0.6, -0.4, -0.9),
    "app_push": (-0.3, -0.5, -0.5, -0.5),
    "messenger": (-0.8, 0.0, -0.3, -0.4),
    "email": (-1.3, 0.1, 0.0, 0.0),
    "letter": (-3.0, 1.6, 0.6, 0.6),
    "voice_bot": (-1.2, -0.8, -0.8, -0.3),
    "call": (-0.5, 0.9, 0.4, 3.6),
    "visit": (-4.5, 2.2, 0.9, 2.8),
    "mediation": (-6.0, 1.0, 1.5, 0.5),
}
AUTOMATED_PLANS = {
    "sms": (1.2, -0.6),
    "app_push": (0.3, -0.3),
    "messenger": (-0.6, 0.0),
    "email": (-1.3, 0.0),
    "voice_bot": (-0.5, 1.2),
}
_BITS = (np.arange(512)[:, None] >> np.arange(len(CHANNELS))) & 1
EFFECT = (_BITS @ CHANNEL).astype(np.float32)  # a plan's log-odds of resolution


@dataclass(frozen=True)
class Change:
    """Another strategy for collectors' cases, planted: from the month that ends on `month` on, a
    channel is planned with so much more (or less) log-odds; what it truly does stays the same.
    With 0 nothing changes, but each loan has the luck that it has with any other change.

    Refuses a channel that the contract does not know, and no channel.
    """

    month: date | None = None
    channels: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if unknown := set(self.channels) - set(CHANNELS):
            raise NoSuchBook(f"no channel is called {', '.join(sorted(unknown))}")
        if (self.month is None) != (not self.channels):
            raise NoSuchBook("a change of strategy has a month and at least one channel")

    @property
    def more(self) -> Array:
        """Log-odds by channel."""
        return np.array([self.channels.get(channel, 0.0) for channel in CHANNELS])


def bit(channel: str) -> int:
    return 1 << CHANNELS.index(channel)


def has(plan: Array, channel: str) -> Array:
    """Whether the plan holds the channel."""
    return (plan & bit(channel)) > 0


def plan_automated(rng: Numbers, difficulty: Array) -> Array:
    """Channels of the automated queue: no person, so neither calls nor visits."""
    plan = np.zeros(len(difficulty), np.int16)
    for channel, (constant, slope) in AUTOMATED_PLANS.items():
        planned = LEAST + SPAN * sigmoid(np.float32(constant) + np.float32(slope) * difficulty)
        chosen = rng.random(len(plan), dtype=np.float32) < planned
        plan |= chosen.astype(np.int16) * np.int16(bit(channel))
    return plan


def plan_cases(
    rng: Numbers, months_late: Array, difficulty: Array, more: Array
) -> tuple[Array, Array]:
    """Channels of a collector's case, chosen because of how late and how hard it is; and the
    channels that the usual strategy would have chosen, by the same chance.

    `more`: log-odds by channel that a changed strategy adds; with zeros both plans are one.
    """
    plan, usual = np.zeros((2, len(difficulty)), np.int16)
    for channel, (constant, middle, late, slope) in PLANS.items():
        score = constant + middle * (months_late >= 2) + late * (months_late >= 4)
        score = score + slope * difficulty
        least, span = (0.0, 1.0) if constant < -2.0 else (LEAST, SPAN)
        draw = rng.random(len(plan))
        usual |= (draw < least + span * sigmoid(score)).astype(np.int16) * np.int16(bit(channel))
        planned = draw < least + span * sigmoid(score + more[CHANNELS.index(channel)])
        plan |= planned.astype(np.int16) * np.int16(bit(channel))
    return plan, usual
