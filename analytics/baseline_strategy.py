"""The baseline: what the warehouse shows was done, and what it took and cost."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from analytics.strategies import SCHEMA, Operations, Strategy
from analytics.strategy_fields import CHANNELS, STAGES
from analytics.treated_cases import FEWEST, Treated, by_segment, case_months

Array = npt.NDArray[np.float64]
NAME = "Baseline"


def baseline_strategy(treated: Treated, keys: pl.DataFrame, loans: Array) -> Strategy:
    """What was done, for each segment and stage, in the months measured?

    Attempts: a month, for a case that is open all of it: attempts / cases open at the months'
    starts, added up (not late: / loans).  First contact: mean working day of the first attempt
    among cases that had one.  Days between attempts: from one attempt on a case to the next by any
    channel, on average, in its first 90 days.  Agencies: share of the cases placed with one, their
    commission weighted by cases.  People: the lender's own, their hours and pay; bonus and systems
    from the costs.

    In: sums of the period, `keys` (segment, product, grade), `loans` [segment, stage] at the
    months' starts, added up.  Out: the strategy `Baseline` with the months in `measured`.
    Null: what the book does not record.  A segment with fewer than five case-months in a stage
    has its stage's figures.
    Misleads: attempts go to cases while they are open; a case closed early had fewer.
    """
    rows = pl.DataFrame(
        [(one, stage) for one in keys["segment"] for stage in STAGES],
        schema=["segment", "stage"],
        orient="row",
    )
    months = case_months(treated, keys, loans)
    attempts = by_segment(treated.work, keys, ("stage", "channel"), ("attempts",))
    per_case = _per_case(attempts, months)
    if treated.work.is_empty():  # not recorded is not none
        per_case = per_case.with_columns(pl.lit(None, pl.Float64).alias(c) for c in per_case.columns
                                         if c.startswith("attempts_"))  # fmt: skip
    table = rows.join(per_case, on=["segment", "stage"], how="left")
    table = table.join(_first(treated.first_days, keys), on=["segment", "stage"], how="left")
    if not treated.gaps.is_empty():
        table = table.join(_gaps(treated.gaps, keys), on=["segment", "stage"], how="left")
    table = table.join(_agencies(treated, keys), on=["segment", "stage"], how="left")
    if not treated.offers.is_empty():
        table = table.join(_offers(treated.offers, keys), on=["segment", "stage"], how="left")
    table = table.with_columns(bot_share=pl.lit(0.0))
    empty = [pl.lit(None, pl.Float64).alias(name) for name in SCHEMA if name not in table.columns]
    return Strategy(NAME, table.with_columns(empty), _operations(treated), {}, treated.months)


def _per_case(attempts: pl.DataFrame, months: pl.DataFrame) -> pl.DataFrame:
    """Attempts by channel for a case-month; the stage's where a segment has too few cases."""
    places = {pair: n for n, pair in enumerate(months.select("segment", "stage").iter_rows())}
    made = np.zeros((months.height, len(CHANNELS)))
    for segment, stage, channel, count in attempts.select(
        "segment", "stage", "channel", "attempts"
    ).iter_rows():
        if (segment, stage) in places and channel in CHANNELS:
            made[places[segment, stage], CHANNELS.index(channel)] += count or 0
    stages = months["stage"].to_numpy()
    cases = months["open_cases"].fill_null(0.0).to_numpy()
    rate = _over(made, cases)
    for stage in STAGES:
        few = (stages == stage) & (cases < FEWEST)
        here = stages == stage
        rate[few] = _over(made[here].sum(axis=0), cases[here].sum(keepdims=True))
    names = [f"attempts_{channel}" for channel in CHANNELS]
    table = pl.DataFrame(rate.clip(0.0, 100.0), schema=dict.fromkeys(names, pl.Float64))
    return months.select("segment", "stage").hstack(table)


def _over(made: Array, cases: Array) -> Array:
    """Attempts for a case, 0 where there is none."""
    base = np.broadcast_to(cases.reshape(-1, *[1] * (made.ndim - 1)), made.shape)
    return np.divide(made, base, out=np.zeros_like(made), where=base > 0)


def _first(first_days: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    days = first_days.filter(pl.col("contacted") > 0).with_columns(
        days=pl.col("contacted") * pl.col("working_day")
    )
    summed = by_segment(days, keys, ("stage",), ("contacted", "days"))
    return summed.select("segment", "stage", first_contact_day=pl.col("days") / pl.col("contacted"))


def _gaps(gaps: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """Mean days between attempts; the stage's where a segment has too few."""
    own = by_segment(gaps, keys, ("stage",), ("attempt_gaps", "gap_days"))
    stages = own.group_by("stage").agg(pl.col("attempt_gaps", "gap_days").sum().name.suffix("_s"))
    found = keys.select("segment").join(stages, how="cross")
    found = found.join(own, on=["segment", "stage"], how="left")
    is_own = pl.col("attempt_gaps").fill_null(0) >= FEWEST
    mean = pl.col("gap_days") / pl.col("attempt_gaps")
    of_stage = pl.col("gap_days_s") / pl.col("attempt_gaps_s")
    days = pl.when(is_own).then(mean).otherwise(of_stage).clip(0.0, 90.0)
    return found.select("segment", "stage", gap_days=days)


def _agencies(treated: Treated, keys: pl.DataFrame) -> pl.DataFrame:
    """Share of the cases placed with an agency, and the commission of these agencies."""
    if treated.placed.is_empty():
        names = ("segment", "stage", "agency_share", "commission_rate")
        return pl.DataFrame(schema={name: SCHEMA[name] for name in names})
    rates = treated.partners.select("agency_id", "commission_rate")
    rows = treated.placed.join(rates, on="agency_id", how="left").with_columns(
        with_agency=pl.when(pl.col("agency_id").is_not_null()).then("cases").otherwise(0),
        paid=pl.col("cases") * pl.col("commission_rate"),
    )
    own = by_segment(rows, keys, ("stage",), ("cases", "with_agency", "paid"))
    whole = float(rates["commission_rate"].mean() or 0.0)  # type: ignore[arg-type]
    stages = own.group_by("stage").agg(
        pl.col("cases", "with_agency", "paid").sum().name.suffix("_s")
    )
    grid = keys.select("segment").join(stages, how="cross")
    found = grid.join(own, on=["segment", "stage"], how="left").with_columns(
        pl.col(name).fill_null(pl.col(f"{name}_s")) for name in ("cases", "with_agency", "paid")
    )
    return found.select(
        "segment",
        "stage",
        agency_share=(pl.col("with_agency") / pl.col("cases")).fill_nan(0.0),
        commission_rate=pl.when(pl.col("with_agency") > 0)
        .then(pl.col("paid") / pl.col("with_agency"))
        .otherwise(whole),
    )


_OFFERED = ("plans", "settlements", "settled_cents", "settled_base_cents", "filings", "legal_cents")


def _offers(offers: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """Plans, settlements and suits for a case-month; the stage's where a segment has too few."""
    sums = ("open_cases", *_OFFERED)
    is_known = {name: offers[name].count() > 0 for name in _OFFERED}
    own = by_segment(offers, keys, ("stage",), sums)
    stages = own.group_by("stage").agg(pl.col(*sums).sum().name.suffix("_s"))
    grid = keys.select("segment").join(stages, how="cross")
    found = grid.join(own, on=["segment", "stage"], how="left")
    is_own = pl.col("open_cases").fill_null(0) >= FEWEST
    found = found.with_columns(
        pl.when(is_own).then(pl.col(name)).otherwise(pl.col(f"{name}_s")).alias(name)
        for name in sums
    )

    def share(of: str, base: str) -> pl.Expr:
        known = is_known[of] and (base == "open_cases" or is_known[base])
        value = (pl.col(of) / pl.col(base)).fill_nan(0.0).clip(0.0, 1.0)
        return value if known else pl.lit(None, pl.Float64)

    fee = pl.when(pl.col("filings") > 0).then(pl.col("legal_cents") / pl.col("filings") / 100)
    whole = pl.col("legal_cents").sum() / pl.col("filings").sum() / 100
    has_fee = is_known["filings"] and is_known["legal_cents"]
    return found.select(
        "segment",
        "stage",
        plan_share=share("plans", "open_cases"),
        settlement_share=share("settlements", "open_cases"),
        settlement_discount=1 - share("settled_cents", "settled_base_cents"),
        suit_share=share("filings", "open_cases"),
        suit_fee=fee.otherwise(whole).fill_nan(None) if has_fee else pl.lit(None, pl.Float64),
    ).with_columns(
        settlement_discount=pl.when(pl.col("settlement_share") > 0).then("settlement_discount")
    )


def _operations(treated: Treated) -> Operations:
    people = treated.people
    hours, pay = people["hours_per_month"].drop_nulls(), people["monthly_cost_cents"].drop_nulls()

    def spent(*kinds: str) -> float:
        of = treated.spending.filter(pl.col("kind").is_in(kinds), ~pl.col("is_one_off"))
        return float(of["amount_cents"].sum() or 0) / 100 / max(treated.count, 1)

    count = float(people.height)
    labour = spent("labour")
    mean_pay = float(pay.mean() or 0) / 100 if len(pay) else labour / max(count, 1)  # type: ignore[arg-type]
    return Operations(
        collectors=count,
        hours_per_month=float(hours.mean() or 160.0) if len(hours) else 160.0,  # type: ignore[arg-type]
        monthly_pay=mean_pay,
        monthly_bonus=spent("bonus") / max(count, 1),
        running_cost=spent("system"),
    )
