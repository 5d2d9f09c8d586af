"""What a simulation says: benefit and how sure it is, money by month, costs, people, recovery."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from analytics.intervals import Array
from analytics.simulation_recovery import DAYS_A_MONTH, recovery
from analytics.simulation_result import METERS, Simulation
from analytics.simulation_spreads import CONFIDENCE, Floating, rows_of, spread_of, tails

MONTHLY = ("cash", "late_cash", "charged_off", "late_balance", "entered_late")
MONEY_METERS = ("contact", "legal", "commission")

__all__ = [
    "CONFIDENCE",
    "DAYS_A_MONTH",
    "METERS",
    "MONEY_METERS",
    "benefit",
    "by_segment",
    "cost_by_kind",
    "monthly",
    "over_all_months",
    "payback",
    "people",
    "recovery",
    "spread_of",
    "tails",
]


def benefit(sim: Simulation, *, confidence: float = CONFIDENCE) -> pl.DataFrame:
    """How much better than the baseline is each strategy, and how sure is that?

    Benefit = discounted (cash - cost) of the strategy less that of the baseline, draw by draw, so
    that what both share cancels.  Costs are contact, legal action, commission and every fixed
    kind.  Out: one row a plan: `plan`, `mean`, `low`, `middle`, `high`, `p_better` (share of draws
    above 0), `is_noise` (the interval holds 0), `extra_cost` (mean) with `_low` and `_high`,
    `return_` (mean benefit over mean extra cost) with `return_low` and `return_high`, draw by draw.
    Null: `return_` and its ends where the interval of the extra cost or the mean benefit is not
    above 0 (a loss has no return); an end of it where that draw costs nothing more; `p_better` of a
    plan that is as the baseline in every draw; of the baseline itself, `p_better` and `is_noise`.
    Misleads: effects are those put in; what nobody measured has no interval that is true.
    """
    gain = spread_of(sim.benefit, confidence)
    cost = spread_of(sim.extra_cost, confidence)
    is_other = (sim.benefit != 0).any(axis=-1)
    p_better = np.where(is_other, (sim.benefit > 0).mean(axis=-1), np.nan)
    is_noise = (gain["low"] <= 0) & (gain["high"] >= 0)
    return pl.DataFrame(
        {
            "plan": list(sim.names),
            **gain,
            "p_better": [None, *(None if np.isnan(p) else float(p) for p in p_better[1:])],
            "is_noise": [None, *is_noise[1:].tolist()],
            "extra_cost": cost["mean"],
            "extra_cost_low": cost["low"],
            "extra_cost_high": cost["high"],
            **_returns(
                sim,
                list((cost["low"] > 0) & (gain["mean"] > 0)),
                gain["mean"] / np.maximum(cost["mean"], 1e-12),
                tails(confidence),
            ),
        },
        schema_overrides={"p_better": pl.Float64, "is_noise": pl.Boolean},
    )


def _returns(
    sim: Simulation, is_paid: Sequence[bool], mean: Array, ends: tuple[float, float]
) -> dict[str, pl.Series]:
    """Benefit over extra cost, of plans that surely cost more and bring more than that."""
    spent = sim.extra_cost
    each = np.where(spent > 0, sim.benefit / np.where(spent > 0, spent, 1.0), np.inf)
    low, high = np.quantile(each, ends, axis=-1, method="inverted_cdf")
    found = {"return_": mean, "return_low": low, "return_high": high}
    return {
        name: pl.Series(
            [
                float(value) if sure and np.isfinite(value) else None
                for value, sure in zip(values, is_paid, strict=True)
            ],
            dtype=pl.Float64,
        )
        for name, values in found.items()
    }


def monthly(sim: Simulation, what: str = "cash", *, confidence: float = CONFIDENCE) -> pl.DataFrame:
    """How much cash (or late money, loss, ...) comes each month under each strategy?

    `what`: `cash`, `late_cash` (of loans late as the month began), `charged_off` (sold included),
    `late_balance` (at its end), `entered_late`, or a meter (`contact`, `legal`, `complaints`,
    `hours`, `commission`).  Out: `plan`, `month` (1 is the first to come), `mean`, `low`,
    `middle`, `high`; currency of the month, not discounted.
    """
    months = range(1, sim.horizon + 1)
    return rows_of(sim, _flow(sim, what), "month", months, confidence)


def over_all_months(
    sim: Simulation, what: str = "complaints", *, confidence: float = CONFIDENCE
) -> pl.DataFrame:
    """How many complaints (or hours, cash, ...) in all months together, and how many more?

    `what`: as of `monthly` but for stocks (`late_balance`), which are not summed.  Out, one row a
    plan: `mean`, `low`, `middle`, `high`; `more`, `more_low`, `more_high`: over the baseline.
    Null: `more` of the baseline.
    """
    if what == "late_balance":
        raise ValueError("a balance of one month cannot be added to that of the next")
    total = _flow(sim, what).sum(axis=1, dtype=np.float64)
    own, more = (spread_of(part, confidence) for part in (total, total - total[:1]))
    is_baseline = pl.int_range(pl.len()) == 0
    against = {
        "more": more["mean"],
        "more_low": more["low"],
        "more_high": more["high"],
    }
    return pl.DataFrame({"plan": list(sim.names), **own, **against}).with_columns(
        pl.when(~is_baseline).then(pl.col(name)).alias(name) for name in against
    )


def _flow(sim: Simulation, what: str) -> Floating:
    """Draws of a measure, [plan, month, draw]."""
    if what in METERS:
        return np.moveaxis(sim.meters[..., METERS.index(what)], 0, -1)
    if what in MONTHLY:
        return np.moveaxis(getattr(sim, what), 0, -1)
    raise ValueError(f"{what!r} is none of {[*MONTHLY, *METERS]}")


def cost_by_kind(sim: Simulation, *, confidence: float = CONFIDENCE) -> pl.DataFrame:
    """What does each strategy cost, by kind, over all months?

    Discounted sums: contact, legal action and commission as the simulated money moves, then each
    fixed kind (which has no interval).  Out: `plan`, `kind`, `mean`, `low`, `middle`, `high`.
    """
    flows = [sim.meters[..., METERS.index(kind)] for kind in MONEY_METERS]
    moving = np.stack([np.einsum("npt,t->pn", flow, sim.discount) for flow in flows], axis=1)
    fixed = np.einsum("ptk,t->pk", sim.fixed, sim.discount)
    still = np.repeat(fixed[:, :, None], sim.n, axis=2)
    kinds = [*MONEY_METERS, *sim.fixed_kinds]
    return rows_of(sim, np.concatenate([moving, still], axis=1), "kind", kinds, confidence)


def by_segment(sim: Simulation, *, confidence: float = CONFIDENCE) -> pl.DataFrame:
    """Where does the benefit come from?  Cash less contact, legal and commission, by segment.

    Discounted, against the baseline, before fixed costs, with the luck of a finite book.  Out:
    `plan`, `segment`, `mean`, `low`, `middle`, `high`, `p_better`.
    Null: `p_better` of the baseline.
    """
    net = sim.segment_net.astype(np.float64)
    gain = net - net[:1] + sim.luck
    rows = rows_of(sim, gain, "segment", sim.segments, confidence)
    p_better = pl.Series((gain > 0).mean(axis=-1).ravel())
    is_baseline = pl.int_range(pl.len()) < len(sim.segments)
    return rows.with_columns(p_better=pl.when(~is_baseline).then(p_better))


def payback(
    sim: Simulation, *, one_off: Sequence[str] = ("one_off",), confidence: float = CONFIDENCE
) -> pl.DataFrame:
    """In which month has the one-off spending come back?

    The first month by whose end the discounted benefit so far, without the extra one-off
    spending (fixed kinds named in `one_off`), has reached that spending, draw by draw.  Out:
    `plan`, `spending` (extra, discounted), `within` (share of draws that are paid back within
    the months simulated), `low`, `middle`, `high` (months).
    Null: an end that is beyond the months simulated; everything where nothing more is spent once.
    """
    is_once = np.array([kind in one_off for kind in sim.fixed_kinds], bool)
    fixed = sim.fixed - sim.fixed[:1]
    once = np.einsum("ptk,t->p", fixed[..., is_once], sim.discount)
    running = fixed[..., ~is_once].sum(axis=-1)
    cash = np.moveaxis(sim.cash, 0, -1).astype(np.float64)
    spent = sim.variable_cost
    gain = (cash - cash[:1]) - (spent - spent[:1]) - running[:, :, None]
    so_far = np.cumsum(gain * sim.discount[:, None], axis=1)
    rows: list[tuple[object, ...]] = []
    for place, name in enumerate(sim.names):
        if once[place] <= 0:
            rows.append((name, float(once[place]), None, None, None, None))
            continue
        paid = so_far[place] >= once[place]
        month = np.where(paid.any(axis=0), paid.argmax(axis=0) + 1.0, np.inf)
        low, high = tails(confidence)
        ends = np.quantile(month, [low, 0.5, high], method="inverted_cdf")
        months = [float(end) if np.isfinite(end) else None for end in ends]
        rows.append((name, float(once[place]), float(np.isfinite(month).mean()), *months))
    names = ["plan", "spending", "within", "low", "middle", "high"]
    kinds = [pl.String, *[pl.Float64] * 5]
    return pl.DataFrame(rows, schema=dict(zip(names, kinds, strict=True)), orient="row")


def people(
    sim: Simulation, *, hours_per_person: float, confidence: float = CONFIDENCE
) -> pl.DataFrame:
    """How many people does the work of each month take?  Hours of work over a person's hours.

    Out: `plan`, `month`, `mean`, `low`, `middle`, `high`, `needed` (the high end, rounded up).
    Refuses: hours of a person that are not above 0.
    """
    if not hours_per_person > 0:
        raise ValueError(f"a person works some hours a month, not {hours_per_person}")
    hours = np.moveaxis(sim.meters[..., METERS.index("hours")], 0, -1) / hours_per_person
    rows = rows_of(sim, hours, "month", range(1, sim.horizon + 1), confidence)
    return rows.with_columns(needed=pl.col("high").ceil().cast(pl.Int64))
