"""The treatments an optimiser may choose from, what each is worth, and the mix as a strategy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from analytics.attempt_doses import Dose
from analytics.simulation import Draws, Floats, simulate
from analytics.strategies import Strategy
from analytics.strategy_edits import MESSAGES
from analytics.strategy_fields import TREATMENTS
from analytics.strategy_hours import Cap
from analytics.strategy_plans import Planned, planned
from analytics.workload import Workload

Array = npt.NDArray[np.float64]
CHOSEN_STAGES = ("early", "middle", "late")
LIMITS = ("hours", "budget", "complaints")
Factors = Mapping[str, float]


@dataclass(frozen=True)
class Treatment:
    """One way to treat a case: attempts times so much, and other fields set."""

    name: str
    times: Factors
    put: Factors


_CALLS, _VISITS = ("call",), ("visit", "mediation")


def _times(**factors: float) -> Factors:
    """Factors by channel, from those of calls, visits, messages and letters."""
    groups = {"calls": _CALLS, "visits": _VISITS, "messages": MESSAGES, "letters": ("letter",),
              "bot": ("voice_bot",)}  # fmt: skip
    return {channel: factor for name, factor in factors.items() for channel in groups[name]}


TREATMENT_OPTIONS = (
    Treatment("As it is done", {}, {}),
    Treatment("Messages only", _times(calls=0, visits=0, letters=0), {}),
    Treatment("Half the calls", _times(calls=0.5), {}),
    Treatment("Calls one and a half times", _times(calls=1.5), {}),
    Treatment("Twice the calls", _times(calls=2), {}),
    Treatment("No visits", _times(visits=0), {}),
    Treatment("Twice the visits", _times(visits=2), {}),
    Treatment("Twice the messages", _times(messages=2), {}),
    Treatment("Half of the calls by bot", {}, {"bot_share": 0.5}),
    Treatment("Calls for visits", _times(calls=2, visits=0), {}),
    Treatment("Twice calls and messages", _times(calls=2, messages=2), {}),
    Treatment("First contact at once", {}, {"first_contact_day": 0.0}),
)


@dataclass(frozen=True)
class Choices:
    """What the optimiser chooses from.

    Cells are segments x early, middle, late, in that order.  `value` [cell, treatment]: mean
    discounted benefit over the baseline before fixed costs; `usage` by limit, a month; `allowed`:
    within the contact rules.
    """

    segments: tuple[str, ...]
    options: tuple[Treatment, ...]
    value: Array
    usage: Mapping[str, Array]
    allowed: npt.NDArray[np.bool_]


def treated(baseline: Strategy, option: Treatment, stage: str | None = None) -> Strategy:
    """The baseline with one treatment for everybody, or in one stage only."""
    where = pl.col("stage") == stage if stage else pl.col("stage") != "reminder"
    changes = [
        (pl.col(f"attempts_{channel}") * factor).clip(0, 100).alias(f"attempts_{channel}")
        for channel, factor in option.times.items()
    ] + [pl.lit(value, pl.Float64).alias(name) for name, value in option.put.items()]
    return baseline.with_treatments(*changes, only=where) if changes else baseline


def choices(
    baseline: Strategy,
    effects: pl.DataFrame,
    doses: Mapping[str, Dose],
    workload: Workload,
    draws: Draws,
    theta: Floats,
    *,
    caps: Sequence[Cap] = (),
    discount_rate: float = 0.0,
    options: Sequence[Treatment] = TREATMENT_OPTIONS,
) -> Choices:
    """What is each treatment worth in each segment and stage, and what does it use?

    Each treatment is simulated in one stage at a time, the rest as in the baseline; its value in a
    segment is the mean of what that segment then brings more.  Hours are not limited here (they
    are the optimiser's to give).  Money and complaints are those of a mean month of the months
    simulated, in which the book changes; hours are those of the caseload measured, as collectors
    are planned for it.  What loans that are not late take is in every choice alike.  A treatment
    that a contact rule would cut is not allowed.
    Misleads: two stages changed together bring less, or more, than the sum of each alone.
    """
    base = planned(baseline, baseline, effects, doses, workload, horizon=draws.horizon,
                   is_limited=False)  # fmt: skip
    cells = len(workload.segments) * len(CHOSEN_STAGES)
    value = np.zeros((cells, len(options)))
    usage = {name: np.zeros_like(value) for name in LIMITS}
    allowed = np.ones(value.shape, bool)
    times = _simulated_over_measured(base, workload, draws, theta)
    for place, option in enumerate(options):
        plans = [
            planned(treated(baseline, option, stage), baseline, effects, doses, workload,
                    caps=caps, horizon=draws.horizon, is_limited=False)
            for stage in CHOSEN_STAGES
        ]  # fmt: skip
        if option.times or option.put:
            sim = simulate(draws, theta, [base.plan, *(one.plan for one in plans)],
                           discount_rate=discount_rate)  # fmt: skip
            net = sim.segment_net.astype(np.float64)
            gain = (net[1:] - net[:1]).mean(axis=-1)
            value[:, place] = gain.T.ravel()
        everywhere = planned(treated(baseline, option), baseline, effects, doses, workload,
                             caps=caps, horizon=draws.horizon, is_limited=False)  # fmt: skip
        for name, used in uses(everywhere, workload).items():
            of_all = used[:, 0].sum() / cells
            usage[name][:, place] = times[name] * (used[:, 1:].ravel() + of_all)
        cut = everywhere.capped.filter(pl.col("stage").is_in(CHOSEN_STAGES))
        for segment, stage in cut.select("segment", "stage").iter_rows():
            row = workload.segments.index(segment) * len(CHOSEN_STAGES)
            allowed[row + CHOSEN_STAGES.index(stage), place] = place == 0
    return Choices(workload.segments, tuple(options), value, usage, allowed)


def _simulated_over_measured(
    base: Planned, workload: Workload, draws: Draws, theta: Floats
) -> dict[str, float]:
    """A mean month of the baseline as simulated, over one of the caseload measured, by limit."""
    sim = simulate(draws, theta, [base.plan])
    contact, legal, complaints, *_ = sim.meters[:, 0].mean(axis=(0, 1), dtype=np.float64)
    month = {"budget": contact + legal, "complaints": complaints}
    measured = {name: float(used.sum()) for name, used in uses(base, workload).items()}
    return {
        name: float(month[name] / measured[name]) if name in month and measured[name] > 0 else 1.0
        for name in LIMITS
    }


def uses(plan: Planned, workload: Workload) -> dict[str, Array]:
    """Hours, money (contacts and suits) and complaints a month [segment, stage], of the caseload
    measured."""
    first_state = [0, 1, 2, 4]
    meters = plan.plan.meters[:, first_state].astype(np.float64) * workload.balance[..., None]
    return {
        "hours": meters[..., 3],
        "budget": meters[..., 0] + meters[..., 1],
        "complaints": meters[..., 2],
    }


def mixed(baseline: Strategy, found: Choices, shares: Array, name: str) -> Strategy:
    """A mix of treatments as a strategy: each field is its mean over the treatments of a cell."""
    table = baseline.treatments
    mine = pl.DataFrame(
        {
            "segment": np.repeat(np.array(found.segments, dtype=object), len(CHOSEN_STAGES)),
            "stage": list(CHOSEN_STAGES) * len(found.segments),
        },
        schema={"segment": pl.String, "stage": pl.String},
    )
    parts = [
        mine.join(treated(baseline, option).treatments, on=["segment", "stage"], how="left",
                  maintain_order="left")
        for option in found.options
    ]  # fmt: skip
    fields = {}
    for field in TREATMENTS:
        values = np.stack([part[field].cast(pl.Float64).to_numpy() for part in parts], axis=-1)
        known = ~np.isnan(values).all(axis=-1)
        mean = (np.nan_to_num(values) * shares).sum(axis=-1)
        fields[field] = pl.Series(np.where(known, mean, np.nan), nan_to_null=True)
    rest = table.filter(~pl.col("stage").is_in(CHOSEN_STAGES))
    whole = pl.concat([mine.with_columns(**fields), rest], how="vertical")
    return Strategy(name, whole, baseline.operations, baseline.assumptions)
