"""Marts of recovery written by hand, beside those of a published book: for the Channels page.

Calls go to hard cases, so that their raw difference has the wrong sign; what they truly add is
planted.  Everything else is small and can be added up with a pencil.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl
import sqlalchemy as sa

from analytics.channel_amounts import ARMS, fit_channel
from analytics.channel_effects import fit_effects
from analytics.treatment_arms import DOSES, FIRST_CONTACT_DAYS
from warehouse import recovery_marts
from warehouse.published import publish, start_building

STAGES = {"early": ("1-30",), "middle": ("31-60", "61-90"), "late": ("91-120", "181-270")}
PLANTED = {"sms": 0.15, "call": 0.7, "letter": 0.0}  # log-odds that an attempt adds
TABLES = {
    name: table
    for name, table in vars(recovery_marts).items()
    if isinstance(table, sa.Table) and name == table.name
}
_POLARS = {
    sa.Text: pl.String,
    sa.Date: pl.Date,
    sa.DateTime: pl.Datetime("us"),
    sa.Double: pl.Float64,
    sa.Boolean: pl.Boolean,
    sa.BigInteger: pl.Int64,
}


def typed(name: str, rows: pl.DataFrame | Sequence[dict[str, Any]] = ()) -> pl.DataFrame:
    """Rows with a mart's columns and types; what is not given is null."""
    frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(list(rows))
    columns = {column.name: _POLARS[type(column.type)] for column in TABLES[name].columns}
    return (
        frame.select(
            (pl.col(column).cast(kind) if column in frame.columns else pl.lit(None, kind)).alias(
                column
            )
            for column, kind in columns.items()
        )
        if frame.width
        else pl.DataFrame(schema=columns)
    )


def write_marts(folder: Path, **frames: Any) -> None:
    """A new version with these marts of recovery: empty where none is given."""
    with duckdb.connect(str(start_building(folder))) as marts:
        for name in TABLES:
            marts.register("given", typed(name, frames.get(name, ())).to_arrow())
            marts.execute(f'CREATE OR REPLACE TABLE "{name}" AS SELECT * FROM given')
            marts.unregister("given")
    publish(folder)


def cases(seed: int, count: int, segments: dict[str, Sequence[str | None]]) -> pl.DataFrame:
    """Single landmark cases: hard ones are called more, and resolve less."""
    rng = np.random.default_rng(seed)
    stage = rng.integers(0, 3, count)
    names = list(STAGES)
    bucket = [rng.choice(STAGES[names[place]]) for place in stage]
    chosen = {name: rng.integers(0, len(values), count) for name, values in segments.items()}
    hard = 0.9 * (chosen["grade"] - (len(segments["grade"]) - 1) / 2) + 0.2 * chosen["product"]
    chance = lambda score: 1 / (1 + np.exp(-score))  # noqa: E731
    called = {
        "sms": rng.random(count) < chance(0.6 - 0.5 * hard),
        "call": rng.random(count) < chance(-0.3 + 1.2 * hard),
        "letter": rng.random(count) < chance(-1.2 + 0.4 * hard),
        "visit": (rng.random(count) < 0.004) & (stage == 2),
    }
    score = -0.2 - 0.5 * stage - 1.1 * hard
    score = score + sum(PLANTED.get(name, 0.0) * done for name, done in called.items())
    resolved = rng.random(count) < chance(score)
    attempts = sum(done.astype(int) for done in called.values()) * rng.integers(1, 3, count)
    dose = np.array(DOSES)[np.select([attempts < 1, attempts < 2, attempts < 4], [0, 1, 2], 3)]
    first = np.where(rng.random(count) < 0.6, FIRST_CONTACT_DAYS[1], FIRST_CONTACT_DAYS[2])
    own = np.random.default_rng(seed + 1)  # how often, and when first: no part in what comes of it
    amounts = {
        f"{name}_arm": np.where(done, own.choice(ARMS[1:6], count), ARMS[0])
        for name, done in called.items()
    }
    cash = np.where(resolved, rng.lognormal(5, 0.6, count), 0.0).round(2)
    return pl.DataFrame(
        {
            "stage": [names[place] for place in stage],
            "bucket": bucket,
            **{
                name: [values[place] for place in chosen[name]] for name, values in segments.items()
            },
            **called,
            **amounts,
            "dose": dose,
            "first_day": np.where(attempts < 1, FIRST_CONTACT_DAYS[0], first),
            "cases": 1,
            "resolved": resolved.astype(int),
            "cash_cents": (cash * 100).astype(int),
            "cash_squares": cash**2,
        }
    )


def effects(found: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """The five effect marts, by the estimators, and the costs of the treated."""
    channels = ("sms", "call", "letter", "visit")
    base = ["product", "region", "grade", "bucket"]
    questions = {
        ("channel", name): (("without", name), [*base, *(c for c in channels if c != name)])
        for name in channels
    }
    questions[("dose", "dose")] = (DOSES, base)
    questions[("first_day", "first_day")] = (FIRST_CONTACT_DAYS, base)
    parts: dict[str, list[pl.DataFrame]] = {}
    for (question, column), (arms, covariates) in questions.items():
        arm = pl.col(column).cast(pl.String)
        if question == "channel":
            arm = pl.when(pl.col(column)).then(pl.lit(column)).otherwise(pl.lit("without"))
        sums = ["cases", "resolved", "cash_cents", "cash_squares"]
        cells = (
            found.with_columns(arm=arm)
            .group_by("stage", "arm", *covariates, maintain_order=True)
            .agg(pl.col(sums).sum())
        )
        for outcome in ("resolved", "cash"):
            fits = fit_effects(
                cells,
                arms=arms,
                reference=arms[0],
                covariates=covariates,
                by=("product", "region", "grade"),
                outcome=outcome,  # type: ignore[arg-type]
            )
            label = [pl.lit(question).alias("question"), pl.lit(outcome).alias("outcome")]
            for name in ("influence", "histogram", "balance", "models", "coefficients"):
                frame = getattr(fits, name).with_columns(label)
                parts.setdefault(f"effect_{name}", []).append(typed(f"effect_{name}", frame))
    for name in ("sms", "call"):
        covariates = questions["channel", name][1]
        cells = (
            found.rename({f"{name}_arm": "arm"})
            .group_by("stage", "arm", *covariates, maintain_order=True)
            .agg(pl.col("cases", "resolved", "cash_cents", "cash_squares").sum())
        )
        own = fit_channel(
            cells, channel=name, covariates=covariates, by=("product", "region", "grade")
        )
        for question, rows in own.amounts.items():
            labels = {"question": pl.lit(f"{question}:{name}"), "outcome": pl.lit("resolved")}
            parts["effect_influence"].append(typed("effect_influence", rows.with_columns(**labels)))
    treated = [
        found.filter(pl.col(name))
        .group_by("stage", "product", "region", "grade")
        .agg(
            arm=pl.lit(name),
            treated_cases=pl.len(),
            treated_cost_cents=pl.len() * price,
            treated_cost_squares=pl.len() * (price / 100) ** 2,
        )
        for name, price in (("sms", 8), ("call", 250), ("letter", 180), ("visit", 5200))
    ]
    costs = [typed("effect_costs", frame) for frame in treated]
    return {name: pl.concat(frames) for name, frames in (*parts.items(), ("effect_costs", costs))}


def activity(
    months: Sequence[dt.date], segments: dict[str, Sequence[str | None]]
) -> dict[str, pl.DataFrame]:
    """What the channels did: the same in each month and segment."""
    here = [
        {"month": month, "product": product, "region": region, "grade": grade}
        for month in months
        for product in segments["product"]
        for region in segments["region"]
        for grade in segments["grade"]
    ]
    counts = {
        "sms": (100, 92, 4, 40, 12, 92, 0, 0, 80, 0, 0, 0, 0, 0, 100, 800, 60, 24),
        "call": (80, 0, 6, 0, 0, 40, 25, 10, 50, 18, 8, 6, 80_000, 50_000, 80, 20_000, 50, 15),
        "letter": (20, 17, 3, 0, 0, 17, 0, 0, 20, 0, 0, 0, 0, 0, 20, 3_600, 12, 1),
        "voice_bot": (30, 0, 3, 0, 0, 12, 6, 2, 28, 5, 2, 1, 12_000, 6_000, 30, 300, 20, 2),
        "visit": (1, 0, 0, 0, 0, 1, 1, 0, 1, 1, 0, 0, 0, 0, 1, 5_200, 1, 0),
    }
    names = [
        *("attempts", "delivered", "invalid", "opened", "clicked", "reached", "right_party"),
        *("promises", "worked_cases", "right_party_cases", "matured", "kept"),
        *("matured_cents", "kept_cents", "costed_attempts", "cost_cents"),
        *("preference_known", "preferred"),
    ]
    stages = ("reminder", *STAGES)
    work = [
        row | {"channel": channel, "stage": stage} | dict(zip(names, values, strict=True))
        for row in here
        for channel, values in counts.items()
        for stage in stages[: 1 if channel == "reminder" else 4]
        if stage != "reminder" or channel == "sms"
    ]
    fits = [
        row | {"channel": channel, "bucket": bucket, "amount_band": band, "attempts": 5 + place}
        for row in here
        for channel in ("sms", "call", "letter", "visit")
        for bucket in ("1-30", "31-60", "91-120", "361+")
        for place, band in enumerate(("small", "middle", "large", "huge"))
    ]
    shares = {
        "last": {"sms": 30_000, "call": 50_000, "letter": 5_000, "none": 40_000},
        "first": {"sms": 45_000, "call": 38_000, "letter": 2_000, "none": 40_000},
        "equal": {"sms": 37_001, "call": 43_999, "letter": 4_000, "none": 40_000},
    }
    cash = [
        row | {"rule": rule, "channel": channel, "stage": stage, "cash_cents": cents}
        for row in here
        for stage in STAGES
        for rule, parts in shares.items()
        for channel, cents in parts.items()
    ]
    steps = {
        "day_7": (90, 70, 10, 40, 4),
        "day_15": (70, 40, 10, 15, 8),
        "day_30": (50, 20, 10, 5, 3),
        "day_60": (30, 6, 4, 1, 2),
    }
    parts = ("due", "on_time", "late", "resolved_on_time", "resolved_skipped")
    taken = [
        {"opened_month" if name == "month" else name: value for name, value in row.items()}
        | {"stage": stage, "step": step}
        | dict(zip(parts, values, strict=True))
        for row in here
        for stage in STAGES
        for step, values in steps.items()
    ]
    return {
        "channel_work": typed("channel_work", work),
        "channel_fit": typed("channel_fit", fits),
        "channel_cash": typed("channel_cash", cash),
        "timeline": typed("timeline", taken),
    }


def whole(
    months: Sequence[dt.date], segments: dict[str, Sequence[str | None]], *, count: int = 6000
) -> dict[str, pl.DataFrame]:
    """Every mart that the Channels page reads."""
    found = cases(7, count, segments)
    landmark = typed("landmarks", [{"opened_month": months[0], "cases": count}])
    return effects(found) | activity(months, segments) | {"landmarks": landmark}
