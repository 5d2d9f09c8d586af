"""What `truths.json` says: the settings, the equations with their numbers, and the answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np

from warehouse.contract import CHANNELS
from warehouse.sample import complaints, model
from warehouse.sample.collectors import POOL_NAMES
from warehouse.sample.months import EPOCH
from warehouse.sample.state import World

NOTES = {
    "roll_matrices": "By closing month and bucket of months past due: the mean probability of the"
    " loans that were in the bucket a month before, given their plans and collectors.",
    "channel_effects": "Mean change, over cases open on day seven, of the probability to be"
    " resolved by month-end when the channel is attempted within seven days of opening; stage is"
    " the case's at opening. Planned from what is recorded at opening alone.",
    "landmark_effects": "What an estimate from the records can find: of collectors' cases still"
    " open as day seven begins and old enough to be followed, the expected share resolved by day"
    " 97 as the same case (until the loan is handed to the next owner), and by how much each"
    " channel attempted by then raises it. By month-end, as in channel_effects, later cases show"
    " far less of an effect and early ones rather more.",
    "collectors": "skill_log_odds adds to the log-odds of resolution after day seven;"
    " skill_points is what that adds to the resolved share of an average case of the own pool.",
    "change_of_strategy": "By month: how many more of the month's late loans resolve, by their"
    " chances, than with the plans that the usual strategy would have made for the same cases.",
    "complaints": "Chance per attempt = base_rate x channel_factor x the collector's"
    " complaint_factor x the team's weekly gamma factor (mean 1, variance week_variance)"
    " x (1 + intensity x earlier attempts on the case in the month, 12 at most).",
    "training": "Training, tenure and surveys change nothing; reminders lower the log-odds of"
    " lateness by their coefficient and are sent by grade alone.",
}


def report(world: World, settings: dict[str, Any], rows: dict[str, int]) -> dict[str, Any]:
    """Everything true of the book that its tables do not say."""
    months = world.months
    month_ends = [str(EPOCH + timedelta(days=int(months.end(t)))) for t in range(months.count)]
    return {
        "is_synthetic": True,
        "settings": settings,
        "rows": rows,
        "model": (model.__doc__ or "").strip(),
        "notes": NOTES,
        "coefficients": _coefficients(),
        "months": [
            {
                "month": month_ends[t],
                "season": float(world.climate.season[t]),
                "recession": float(world.climate.recession[t]),
                "noise": float(world.climate.noise[t]),
            }
            for t in range(months.count)
        ],
        "roll_matrices": world.truths.roll_matrices(month_ends),
        "channel_effects": world.truths.channel_effects(),
        "landmark_effects": world.truths.landmark_effects(),
        "resolved_without_contact": world.truths.resolved_without_contact(),
        "trial_challenger_effect": world.truths.trial_effect(),
        "change_of_strategy": world.truths.change_effect(month_ends),
        "collectors": _collectors(world),
    }


def _coefficients() -> dict[str, Any]:
    named = {
        name.lower(): value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in vars(model).items()
        if name.isupper() and isinstance(value, float | np.ndarray)
    }
    named["channel"] = dict(zip(CHANNELS, model.CHANNEL.tolist(), strict=True))
    factors = dict(zip(CHANNELS, complaints.CHANNEL_FACTOR.tolist(), strict=True))
    named["complaints"] = {
        "base_rate": complaints.BASE_RATE,
        "channel_factor": factors,
        "intensity": complaints.INTENSITY,
        "week_variance": complaints.WEEK_VARIANCE,
    }
    return named


def _collectors(world: World) -> list[dict[str, Any]]:
    staff = world.staff
    points = world.truths.skill_points(staff.skill, staff.pool)
    return [
        {
            "collector_id": f"K{place + 1:04d}",
            "pool": POOL_NAMES[staff.pool[place]],
            "skill_log_odds": round(float(staff.skill[place]), 5),
            "skill_points": round(float(points[place]), 5),
            "complaint_factor": round(float(staff.complaint_factor[place]), 5),
        }
        for place in range(len(staff.pool))
    ]
