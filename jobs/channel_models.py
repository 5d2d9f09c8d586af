"""The models of channels: what attempts of the first week caused, fitted on the landmark cases.

Three questions, each by stage and for two outcomes (resolved, and cash): each channel against
without it, more attempts against none, and an earlier first attempt against none.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from functools import partial

import polars as pl
import sqlalchemy as sa

from analytics.channel_effects import EffectFits, fit_outcomes
from analytics.treatment_arms import DOSES, FIRST_CONTACT_DAYS, WITHOUT
from jobs.mart_frames import mart_frame, mart_schema
from queries.loan_states import SEGMENTS
from warehouse.contract import CHANNELS
from warehouse.engines import Connection
from warehouse.recovery_marts import landmark_costs, landmarks

CHANNEL, DOSE, FIRST_DAY = QUESTIONS = ("channel", "dose", "first_day")
COVARIATES = (*SEGMENTS, "bucket", "amount_band", "quarter", "is_owned")
MODEL_MARTS = tuple(f"effect_{field.name}" for field in fields(EffectFits))
WORKERS = 2  # fits at once: each holds its own cells in memory
_SUMS = ("cases", "resolved", "cash_cents", "cash_squares")


def fit(target: Connection) -> dict[str, pl.DataFrame]:
    """Every table of the channel models, from the landmark cases in the marts."""
    rows = _landmark_cases(target)
    parts: list[dict[str, list[pl.DataFrame]]] = []
    if rows.height:
        by_channels = _added(rows, CHANNELS)  # the same cells for each of them
        by_dose, by_day = (_added(rows, [name]) for name in ("dose", "first_day"))
        asked = [partial(_fit_channel, by_channels, channel) for channel in CHANNELS]
        asked += [
            partial(_fit, by_dose, DOSE, pl.col("dose"), DOSES, ()),
            partial(_fit, by_day, FIRST_DAY, pl.col("first_day"), FIRST_CONTACT_DAYS, ()),
        ]
        with ThreadPoolExecutor(WORKERS) as pool:  # the fits leave Python's lock for most of it
            parts = list(pool.map(lambda task: task(), asked))
    found = {name: [frame for part in parts for frame in part[name]] for name in MODEL_MARTS}
    return {name: _whole(name, frames) for name, frames in found.items()} | {
        "effect_costs": _costs(target)
    }


def _fit_channel(rows: pl.DataFrame, channel: str) -> dict[str, list[pl.DataFrame]]:
    """A channel against without it, the channels beside it as covariates."""
    arm = pl.when(pl.col(channel)).then(pl.lit(channel)).otherwise(pl.lit(WITHOUT))
    others = [name for name in CHANNELS if name != channel]
    return _fit(_in_use(rows, channel), CHANNEL, arm, (WITHOUT, channel), others)


def _landmark_cases(target: Connection) -> pl.DataFrame:
    """The landmark cells with the quarter of opening, and whether each channel was attempted."""
    rows = target.fetch(sa.select(landmarks).where(landmarks.c.cases > 0))
    opened = pl.col("opened_month")
    months = rows.select("opened_month").unique()
    quarter = pl.format("{}-Q{}", opened.dt.year(), opened.dt.quarter()).alias("quarter")
    sets = rows.select("attempted").unique()
    attempted = pl.col("attempted").str.split("+")
    flags = [attempted.list.contains(name).alias(name) for name in CHANNELS]
    return (
        rows.join(months.with_columns(quarter), on="opened_month")
        .join(sets.with_columns(flags), on="attempted")
        .with_columns(pl.col("stage", *COVARIATES).cast(pl.Categorical))
    )


def _added(rows: pl.DataFrame, more: Sequence[str]) -> pl.DataFrame:
    return rows.group_by("stage", *COVARIATES, *more).agg(pl.col(_SUMS).sum())


def _in_use(rows: pl.DataFrame, channel: str) -> pl.DataFrame:
    """The cases of those hands (a stage's owners, or its automated queues) that use a channel.

    Where one of them never does, its cases tell nothing of what the channel would cause there.
    """
    used = pl.col(channel).any()
    hands = used.over("stage", "is_owned")
    return rows.filter(hands | ~used.over("stage"))


def _fit(
    rows: pl.DataFrame,
    question: str,
    arm: pl.Expr,
    arms: Sequence[str],
    others: Sequence[str],
) -> dict[str, list[pl.DataFrame]]:
    found: dict[str, list[pl.DataFrame]] = {name: [] for name in MODEL_MARTS}
    covariates = [*COVARIATES, *others]
    cells = rows.select("stage", *covariates, *_SUMS, arm=arm)
    fits = fit_outcomes(cells, arms=arms, covariates=covariates, by=SEGMENTS, reference=arms[0])
    for outcome, tables in fits.items():
        labels = {"question": pl.lit(question), "outcome": pl.lit(outcome)}
        for field in fields(EffectFits):
            frame = getattr(tables, field.name).with_columns(**labels)
            found[f"effect_{field.name}"].append(frame)
    return found


def _whole(name: str, frames: list[pl.DataFrame]) -> pl.DataFrame:
    schema = mart_schema(name)
    return pl.concat([pl.DataFrame(schema=schema), *frames], how="diagonal_relaxed").cast(schema)


def _costs(target: Connection) -> pl.DataFrame:
    costs = target.fetch(sa.select(landmark_costs)).rename({"channel": "arm"})
    return mart_frame("effect_costs", [costs.drop("opened_month")])
