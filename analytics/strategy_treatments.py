"""A strategy's treatments as arrays, and what it leaves as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from analytics.intervals import Array
from analytics.strategies import KEYS, Strategy
from analytics.strategy_fields import CHANNELS, STAGES, TREATMENTS

SUIT_MONTHS = 6.0  # a suit lasts, and acts, so long
STAGE_DAYS = {"reminder": (0, 1), "early": (0, 30), "middle": (30, 90), "late": (90, 365)}
_PLACE = {name: place for place, name in enumerate(TREATMENTS)}
BOT, CALL = CHANNELS.index("voice_bot"), CHANNELS.index("call")


@dataclass(frozen=True)
class Treatment:
    """A strategy's treatments as arrays [segment, stage]."""

    strategy: Strategy
    segments: tuple[str, ...]

    def of(self, name: str) -> Array:
        """A field [segment, stage]; 0 where it is not said."""
        return self._said[..., _PLACE[name]]

    def given(self, name: str) -> npt.NDArray[np.bool_]:
        return np.isfinite(self._values[..., _PLACE[name]])

    @cached_property
    def _said(self) -> Array:
        return np.nan_to_num(self._values)

    @cached_property
    def _values(self) -> Array:
        rows = self.strategy.treatments
        if rows["segment"].to_list() != _repeated(self.segments):
            grid = pl.DataFrame(
                {"segment": _repeated(self.segments), "stage": list(STAGES) * len(self.segments)},
                schema={"segment": pl.String, "stage": pl.String},
            )
            rows = grid.join(rows, on=["segment", "stage"], how="left", maintain_order="left")
        values = rows.select(*TREATMENTS).to_numpy()
        return np.asarray(values, float).reshape(len(self.segments), len(STAGES), len(TREATMENTS))

    @cached_property
    def attempts(self) -> Array:
        """Attempts [segment, stage, channel], calls that the bot makes counted as the bot's."""
        found = self._said[..., [_PLACE[f"attempts_{channel}"] for channel in CHANNELS]].copy()
        bot = found[..., CALL] * self.of("bot_share")
        found[..., CALL] -= bot
        found[..., BOT] += bot
        return found

    def placed(self) -> Array:
        """Share of the cases with agencies: those past the day of placement."""
        return self.of("agency_share") * self.after("agency_day")

    def filed(self) -> Array:
        """Share of the cases sued in a month."""
        return self.of("suit_share") * self.after("suit_day")

    def after(self, name: str) -> Array:
        """The part of each stage that lies after a day; all of it where no day is said."""
        ends = np.array([STAGE_DAYS[stage] for stage in STAGES], dtype=float)
        left = (ends[:, 1] - self.of(name)) / (ends[:, 1] - ends[:, 0])
        return np.where(self.given(name), np.clip(left, 0.0, 1.0), 1.0)


def _repeated(segments: Sequence[str]) -> list[str]:
    return [segment for segment in segments for _ in STAGES]


def filled(strategy: Strategy, baseline: Strategy) -> Strategy:
    """What a strategy does not say stays as in the baseline."""
    base = baseline.treatments
    if strategy.treatments.select(KEYS).equals(base.select(KEYS)) and (
        not _forgets(strategy.treatments, base)
    ):
        return strategy
    said = strategy.treatments.join(base, on=["segment", "stage"], how="full", coalesce=True,
                                    suffix="_base")  # fmt: skip
    rows = said.select(
        "segment", "stage", *[pl.coalesce(name, f"{name}_base").alias(name) for name in TREATMENTS]
    )
    rows = rows.join(base.select("segment", "stage"), on=["segment", "stage"], how="semi")
    return Strategy(strategy.name, rows, strategy.operations, strategy.assumptions,
                    strategy.measured)  # fmt: skip


def _forgets(rows: pl.DataFrame, base: pl.DataFrame) -> bool:
    """Whether something is null that the baseline has."""
    lost = [
        bool((rows[name].is_null() & base[name].is_not_null()).any())
        for name in TREATMENTS
        if rows[name].null_count()
    ]
    return any(lost)
