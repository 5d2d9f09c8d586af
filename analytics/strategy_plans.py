"""From a strategy to what the simulation needs: work done, its price, and how far it differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from analytics.attempt_doses import Dose
from analytics.simulation import Plan
from analytics.simulation_states import STAGE_OF_STATE
from analytics.strategies import Strategy
from analytics.strategy_cadence import paced
from analytics.strategy_effects import CURVED, FIRST_DAYS
from analytics.strategy_fields import CHANNELS, STAGES
from analytics.strategy_hours import Cap, capacity_of, hours_scale, within_rules, worked
from analytics.strategy_ramps import curve_units
from analytics.strategy_treatments import Treatment, filled
from analytics.workload import Workload

Array = npt.NDArray[np.float64]
DAYS_A_MONTH = 365.25 / 12
WEEK = 7 / DAYS_A_MONTH
CALENDAR = 7 / 5  # days for a working day
SEEN_DAYS = 5.0  # working days: the estimates look at the first week only
FIXED = ("labour", "bonus", "system", "one_off")


@dataclass(frozen=True)
class Planned:
    """A strategy as it can be carried out.

    `attempts` [segment, stage, channel] after contact rules and hours; `hours` asked for and
    `capacity`, a month; `served` [segment, stage]: share of the people's attempts that the hours
    allow; `capped`: `what` (`attempts` a month; `gap_days` between them; `room`, attempts for
    which the gap leaves none) by rule, segment, stage, with `wanted` and `allowed`; `complaints`
    expected a month [stage, channel].
    """

    plan: Plan
    attempts: Array
    hours: float
    capacity: float
    served: Array
    capped: pl.DataFrame
    complaints: Array

    def only(self, effects: npt.NDArray[np.bool_]) -> Planned:
        """The same with these effects alone."""
        return replace(self, plan=replace(self.plan, x=self.plan.x[..., effects]))

    @property
    def shortfall(self) -> float:
        """Hours a month that are asked for and not there."""
        return max(self.hours - self.capacity, 0.0)


def planned(
    strategy: Strategy,
    baseline: Strategy,
    effects: pl.DataFrame,
    doses: Mapping[str, Dose],
    workload: Workload,
    *,
    caps: Sequence[Cap] = (),
    horizon: int = 12,
    minutes_scale: float | None = None,
    is_spread: bool = False,
    is_limited: bool = True,
) -> Planned:
    """What of a strategy can be done, what does it cost, and how far is it from the baseline?

    Attempts are cut to what the contact rules allow (a rule that the baseline itself passes cuts
    to the baseline), to what fits at the strategy's cadence (see `paced`), then to the people's
    hours: collectors x hours x 75 % productive, given out in the strategy's order of priority;
    in-house people do not work the cases of agencies.
    Distance on an effect, x: for a channel (H(d) - H(d0)) / h, where d are attempts in seven
    days, H their expected gain by `doses` and h that of an average case that had any; first
    contact: working days sooner within the first week, in steps of the 4.5 days between the two
    groups compared; cadence: how often the days between attempts are halved; agencies, plans and
    settlements: the difference in share; suits: in the share that was sued within six months,
    month by month from today.  Agencies and suits that have a curve: the balance by months since
    placement or filing, month by month from today (see `ramp_units`), of what is placed or sued
    more or less.

    `effects`: the table of `effect_table`; its order is that of x.  `is_spread`: one-off costs
    are charged month by month over their years of use, not when they are paid; `is_limited`
    False: hours do not end; nor do they where the baseline has no collectors.  Null: what
    neither strategy nor baseline says counts as none.
    Misleads: effects of channels add up; two channels at once may do less than their sum.
    """
    base, mine = Treatment(baseline, workload.segments), Treatment(filled(strategy, baseline),
                                                                   workload.segments)  # fmt: skip
    before = base.attempts
    allowed, capped = within_rules(mine.attempts, before, caps, workload.segments)
    allowed, closer, cut = paced(allowed, base, mine, caps)
    capped = pl.concat([capped, cut])
    scale = hours_scale(baseline, workload) if minutes_scale is None else minutes_scale
    minutes = workload.minutes * scale
    is_known = capacity_of(baseline) > 0  # nobody knows how many hours there were, else
    capacity = capacity_of(strategy) if is_limited and is_known else np.inf
    attempts, asked, served = worked(allowed, minutes, mine, workload, capacity)
    curved, agency_cash = curve_units(effects, base, mine, workload, horizon)
    x = _distance(effects, doses, base, mine, before, attempts, workload, curved, closer)
    meters, commission = _meters(mine, base, attempts, minutes, workload, agency_cash)
    plan = Plan(
        name=strategy.name,
        x=x.astype(np.float32),
        meters=meters.astype(np.float32),
        commission=commission.astype(np.float32),
        fixed=_fixed(strategy, horizon, is_spread),
        fixed_kinds=FIXED,
    )
    said = _complaints(attempts, workload) * workload.cases[..., None]
    return Planned(plan, attempts, asked, capacity, served, capped, said.sum(axis=0))


def _distance(
    effects: pl.DataFrame,
    doses: Mapping[str, Dose],
    base: Treatment,
    mine: Treatment,
    before: Array,
    after: Array,
    workload: Workload,
    curved: Mapping[str, Array],
    closer: Array,
) -> Array:
    """How far the strategy is from the baseline on each effect [segment, stage, effect], by month
    where a curve's units are not the same in all of them."""
    x = np.zeros((*workload.cases.shape, effects.height))
    sooner = _days(base) - _days(mine)
    step = (FIRST_DAYS["4-6"] - FIRST_DAYS["0-1"]) / CALENDAR
    shares = {
        "first_contact": sooner / step,
        "cadence": closer,
        "agency": mine.placed() - base.placed(),
        "plan": mine.of("plan_share") - base.of("plan_share"),
        "settlement": mine.of("settlement_share") - base.of("settlement_share"),
    }
    by_curve = {code.split(":")[0] for code in curved}
    for k, row in enumerate(effects.iter_rows(named=True)):
        if row["kind"] in CURVED.values() or row["kind"] in by_curve:
            continue
        stages = range(len(STAGES)) if row["stage"] is None else [STAGES.index(row["stage"])]
        for stage in stages:
            if row["kind"] == "channel":
                c = CHANNELS.index(row["channel"])
                dose = doses.get(row["code"], doses[STAGES[stage]])
                did, does = before[:, stage, c], after[:, stage, c]
                x[:, stage, k] = gain(dose, did, does, workload.cases[:, stage])
            else:
                x[:, stage, k] = shares[row["kind"]][:, stage]
    return _with_curves(x, effects["code"].to_list(), curved)


def _with_curves(x: Array, codes: Sequence[str], curved: Mapping[str, Array]) -> Array:
    if not any(units.any() for units in curved.values()):
        return x
    months = len(next(iter(curved.values())))
    by_month = np.broadcast_to(x, (months, *x.shape)).copy()
    for code, units in curved.items():
        by_month[..., codes.index(code)] = units
    return by_month


def gain(dose: Dose, before: Array, after: Array, cases: Array) -> Array:
    """What another number of attempts a month gives, in effects of having been tried at all."""
    found = np.zeros_like(before)
    moved = np.abs(after - before) > 1e-12
    if not moved.any():
        return found
    mean = float(np.average(before, weights=cases)) * WEEK if cases.sum() > 0 else 0.0
    if mean > 0:
        typical = float(dose.of(np.array([mean]))[0]) / -np.expm1(-mean)
    else:
        typical = float(dose.at(np.array([1.0]))[0])
    typical = typical if typical > 0 else float(dose.at(np.array([2.4]))[0])
    found[moved] = (dose.of(after[moved] * WEEK) - dose.of(before[moved] * WEEK)) / typical
    return found


def _days(treatment: Treatment) -> Array:
    """Working days to the first contact, no more than the estimates look at."""
    days = np.minimum(treatment.of("first_contact_day"), SEEN_DAYS)
    return np.where(treatment.given("first_contact_day"), days, SEEN_DAYS)


def _meters(
    mine: Treatment,
    base: Treatment,
    attempts: Array,
    minutes: Array,
    workload: Workload,
    agency_cash: Array | None,
) -> tuple[Array, Array]:
    """Contact cost, legal cost, complaints and hours for a unit of balance; the agencies' share.

    `agency_cash`: what part of the cash is theirs by month; null: as large as that of the cases.
    """
    complaints = _complaints(attempts, workload).sum(axis=-1)
    legal = mine.of("suit_share") * mine.of("suit_fee") * mine.after("suit_day")
    own = 1 - mine.placed()
    each = np.stack(
        [attempts @ workload.unit_cost, legal, complaints, attempts @ minutes / 60 * own], axis=-1
    )
    per_unit = each * workload.per_unit[..., None]
    theirs = mine.placed() if agency_cash is None else agency_cash
    fees = theirs * mine.of("commission_rate")
    given = [t.of("settlement_share") * t.of("settlement_discount") for t in (mine, base)]
    shares = fees + given[0] - given[1]
    stages = list(STAGE_OF_STATE)
    return per_unit[:, stages], shares[..., stages]


def _complaints(attempts: Array, workload: Workload) -> Array:
    """Complaints of a case in a month [segment, stage, channel]."""
    total = attempts.sum(axis=-1)
    crowded = np.where(total > 0, np.interp(total, workload.crowding_at, workload.crowding), 1.0)
    return np.asarray(attempts * workload.complaints.rate * crowded[..., None])


def _fixed(strategy: Strategy, horizon: int, is_spread: bool) -> Array:
    """What is spent whatever the cases: pay, bonus, systems [month, kind]."""
    means = strategy.operations
    found = np.zeros((horizon, len(FIXED)))
    found[:, 0] = means.collectors * means.monthly_pay
    found[:, 1] = means.collectors * means.monthly_bonus
    found[:, 2] = means.running_cost
    if is_spread:
        found[:, 3] = means.one_off_cost / (means.years_of_use * 12)
    elif horizon:
        found[0, 3] = means.one_off_cost
    return found
