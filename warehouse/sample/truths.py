"""The truths behind a book, which no table records: what an estimate should find."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from warehouse.buckets import DEFAULT_BOUNDS, bucket_codes, month_bounds
from warehouse.contract import CHANNELS
from warehouse.sample import model, treatments
from warehouse.sample.model import Array, sigmoid
from warehouse.sample.register import Register

BUCKETS = bucket_codes()
TO_STATES = (*BUCKETS, "paid_off", "charged_off", "sold")
LANDMARK_STAGES = ("early", "middle", "late")  # of collectors' cases, at opening
STAGES = ("automated", "1-30", "31-60", "61-90", "91+")
_RANK = np.searchsorted([0, *month_bounds(DEFAULT_BOUNDS)], np.arange(200))  # of months late
_GRID = np.linspace(-9.0, 6.0, 301)


class Truths:
    """Sums kept while the book is made."""

    def __init__(self, months: int) -> None:
        self._expected = np.zeros((months, len(BUCKETS), len(TO_STATES)))
        self._effects = {stage: np.zeros(len(CHANNELS)) for stage in STAGES}
        self._planned = {stage: np.zeros(len(CHANNELS)) for stage in STAGES}
        self._alone = dict.fromkeys(STAGES, 0.0)  # resolved had nobody contacted them
        self._change: dict[int, float] = defaultdict(float)
        self._trial = np.zeros(2)  # early cases, and what the challenger would add
        self._cases = dict.fromkeys(STAGES, 0)
        self._landmark = np.zeros((len(LANDMARK_STAGES), 2 + len(CHANNELS)))
        self._scores = np.zeros((4, len(_GRID)))  # by stage at opening, without skill

    def expect(self, t: int, before: Array, after: Array | str, probability: Array) -> None:
        """Add the loans' probabilities to move from a bucket to a bucket or out."""
        rank = _RANK[before]
        to = TO_STATES.index(after) if isinstance(after, str) else _RANK[after]
        cells = len(TO_STATES) * rank + to
        sums = np.bincount(cells, probability, len(BUCKETS) * len(TO_STATES))
        self._expected[t] += sums.reshape(len(BUCKETS), len(TO_STATES))

    def watch_change(self, t: int, gained: Array) -> None:
        """Add what a changed strategy adds to the chances of the month's late loans to resolve."""
        self._change[t] += float(gained.sum())

    def change_effect(self, month_ends: list[str]) -> list[dict[str, Any]]:
        """By month: how many more late loans the change brings to resolve, given who is late."""
        return [
            {"month": month_ends[t], "resolved": round(gained, 3)}
            for t, gained in sorted(self._change.items())
        ]

    def watch_channels(self, stage: str, score: Array, plan: Array) -> None:
        """Add what each channel would change in these cases' chance of resolution."""
        self._cases[stage] += len(score)
        self._alone[stage] += float(sigmoid(score - treatments.EFFECT[plan]).sum())
        for place, effect in enumerate(model.CHANNEL):
            planned = (plan >> place) & 1
            without = score - effect * planned
            self._planned[stage][place] += planned.sum()
            self._effects[stage][place] += (sigmoid(without + effect) - sigmoid(without)).sum()

    def watch_cases(self, cases: Register, case: Array, score: Array, skill: Array) -> None:
        """Add a month's newly opened collectors' cases."""
        plan, late = cases["plan"][case], cases["months_late"][case]
        for months_late, stage in enumerate(STAGES[1:], start=1):
            inside = late == months_late if months_late < 4 else late >= 4
            self.watch_channels(stage, score[inside], plan[inside])
        stages = cases["stage"][case]
        base = (score - model.TRIAL_CHALLENGER * (cases["trial"][case] == 1))[stages == 1]
        gain = sigmoid(base + model.TRIAL_CHALLENGER) - sigmoid(base)
        self._trial += [len(base), gain.sum()]
        places = np.clip(np.searchsorted(_GRID, score - skill), 0, len(_GRID) - 1)
        cells = stages.astype(np.int64) * len(_GRID) + places
        self._scores += np.bincount(cells, minlength=self._scores.size).reshape(self._scores.shape)

    def watch_landmark(self, stage: Array, share: Array, gains: Array) -> None:
        """Add cases still open on day seven: chances to be resolved by day 97, and what channels
        would add to them."""
        sums = np.column_stack([np.ones(len(stage)), share, gains])
        np.add.at(self._landmark, stage, sums)

    def skill_points(self, skill: Array, pool: Array) -> Array:
        """What a skill adds to the resolved share (0..1) of an average case of the own stage."""
        points = np.zeros(len(skill))
        for place, value in enumerate(skill):
            weights = self._scores[min(int(pool[place]), 3)]
            gain = sigmoid(_GRID + value) - sigmoid(_GRID)
            points[place] = (1.0 - model.EARLY_SHARE) * np.average(gain, weights=weights + 1e-12)
        return points

    def roll_matrices(self, month_ends: list[str]) -> list[dict[str, Any]]:
        """The true matrix of each month after the first: rows with loans, shares that sum to 1."""
        matrices = []
        for t in range(1, len(month_ends)):
            rows = {}
            for rank, bucket in enumerate(BUCKETS):
                sums = self._expected[t, rank]
                if (loans := sums.sum()) > 0.5:
                    shares = {s: float(v) for s, v in zip(TO_STATES, sums / loans, strict=True)}
                    rows[bucket] = {"loans": round(float(loans)), "to": shares}
            matrices.append({"month": month_ends[t], "rows": rows})
        return matrices

    def resolved_without_contact(self) -> dict[str, float]:
        """By stage: the share of cases open on day seven that would resolve with no contact."""
        return {
            stage: round(self._alone[stage] / cases, 5)
            for stage, cases in self._cases.items()
            if cases
        }

    def trial_effect(self) -> float:
        """What the challenger adds to the resolution of early cases open on day seven."""
        return round(float(self._trial[1] / max(self._trial[0], 1.0)), 5)

    def landmark_effects(self) -> dict[str, Any]:
        """By stage at opening: cases, the share expected to resolve, and each channel's effect."""
        return {
            stage: {
                "cases": round(row[0]),
                "resolved_share": round(row[1] / row[0], 5),
                "effect": {
                    channel: round(gain / row[0], 5)
                    for channel, gain in zip(CHANNELS, row[2:], strict=True)
                },
            }
            for stage, row in zip(LANDMARK_STAGES, self._landmark.tolist(), strict=True)
            if row[0]
        }

    def channel_effects(self) -> dict[str, Any]:
        """By stage at opening and channel: the effect on resolution, and the share planned."""
        return {
            stage: {
                channel: {
                    "effect": round(float(self._effects[stage][place] / self._cases[stage]), 5),
                    "planned_share": round(
                        float(self._planned[stage][place] / self._cases[stage]), 5
                    ),
                }
                for place, channel in enumerate(CHANNELS)
            }
            for stage in STAGES
            if self._cases[stage]
        }


def write_truths(out_dir: Path, truths: dict[str, Any]) -> None:
    """`truths.json`, with a stable order of keys."""
    text = json.dumps(truths, indent=1, ensure_ascii=False)
    (out_dir / "truths.json").write_text(text + "\n", encoding="utf-8")
