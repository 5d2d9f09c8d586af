"""The models of channels: what attempts of the first week caused, fitted on the landmark cases.

By stage: each channel against without it, more attempts against none, and an earlier first
attempt against none; the last two of all channels together, and of each channel.  Outcomes are
resolved, and cash (not of a channel's own amounts).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from functools import partial

import polars as pl
import sqlalchemy as sa

from analytics.channel_amounts import ARMS, fit_channel
from analytics.channel_effects import fit_outcomes
from analytics.stage_effects import EffectFits
from analytics.treatment_arms import AMOUNTS, WITHOUT, Outcome
from jobs.mart_frames import mart_frame, mart_schema
from queries.loan_states import SEGMENTS
from warehouse.contract import CHANNELS
from warehouse.engines import Connection
from warehouse.recovery_marts import landmark_costs, landmarks

CHANNEL = "channel"
COVARIATES = (*SEGMENTS, "first_grade", "bucket", "amount_step", "quarter", "is_owned")
MODEL_MARTS = tuple(f"effect_{field.name}" for field in fields(EffectFits))
WORKERS = 2  # fits at once: each holds its own cells in memory
Tables = dict[str, list[pl.DataFrame]]
_SUMS = ("cases", "resolved", "cash_cents", "cash_squares")


def fit(target: Connection) -> dict[str, pl.DataFrame]:
    """Every table of the channel models, from the landmark cases in the marts."""
    rows = _landmark_cases(target)
    parts: list[Tables] = []
    if rows.height:
        attempts = _attempts(rows)
        cells = _added(rows, ["attempts"]).join(attempts, on="attempts")
        by_channels = _added(cells, CHANNELS)  # the same cells for each of them
        asked = [partial(_fit_channel, by_channels, cells, channel) for channel in CHANNELS]
        asked += [partial(_fit_amount, _added(rows, [name]), name) for name in AMOUNTS]
        del rows  # a million cells, which the fits need no more
        with ThreadPoolExecutor(WORKERS) as pool:  # the fits leave Python's lock for most of it
            parts = list(pool.map(lambda task: task(), asked))
    found = {name: [frame for part in parts for frame in part[name]] for name in MODEL_MARTS}
    return {name: _whole(name, frames) for name, frames in found.items()} | {
        "effect_costs": _costs(target)
    }


def own_amount(question: str, channel: str) -> str:
    """The question of a channel's own doses, or days of its first attempt: `dose:call`."""
    return f"{question}:{channel}"


def _landmark_cases(target: Connection) -> pl.DataFrame:
    """The landmark cells with the quarter of opening."""
    rows = target.fetch(sa.select(landmarks).where(landmarks.c.cases > 0))
    opened = pl.col("opened_month")
    months = rows.select("opened_month").unique()
    quarter = pl.format("{}-Q{}", opened.dt.year(), opened.dt.quarter()).alias("quarter")
    rows = rows.join(months.with_columns(quarter), on="opened_month").drop("opened_month")
    known = {name: rows[name].drop_nulls().unique().sort()
             for name in ("stage", "attempts", *COVARIATES)}  # fmt: skip
    return rows.with_columns(pl.col(name).cast(pl.Enum(texts)) for name, texts in known.items())


def _attempts(rows: pl.DataFrame) -> pl.DataFrame:
    """For each `attempts` that there is and channel, whether it was attempted, and its arm."""
    sets = rows.select("attempts").unique()
    text = pl.col("attempts").cast(pl.String)
    arms = {
        channel: text.str.extract(rf"(?:^| ){channel}:(\S+)").fill_null(WITHOUT).cast(pl.Enum(ARMS))
        for channel in CHANNELS
    }
    return sets.with_columns(
        *[(arm != WITHOUT).alias(channel) for channel, arm in arms.items()],
        *[arm.alias(_arm(channel)) for channel, arm in arms.items()],
    )


def _arm(channel: str) -> str:
    return f"{channel}_arm"


def _added(rows: pl.DataFrame, more: Sequence[str]) -> pl.DataFrame:
    return rows.group_by("stage", *COVARIATES, *more).agg(pl.col(_SUMS).sum())


def _fit_channel(by_channels: pl.DataFrame, cells: pl.DataFrame, channel: str) -> Tables:
    """A channel, and its own amounts, against without it; channels beside it are covariates."""
    others = [name for name in CHANNELS if name != channel]
    columns = ["stage", *COVARIATES, *others, "arm", *_SUMS]
    without = by_channels.filter(~pl.col(channel)).with_columns(arm=pl.lit(WITHOUT, pl.Enum(ARMS)))
    treated = cells.filter(channel).with_columns(arm=pl.col(_arm(channel)))
    rows = pl.concat([without.select(columns), _added(treated, [*others, "arm"]).select(columns)])
    fits = fit_channel(
        _in_use(rows), channel=channel, covariates=[*COVARIATES, *others], by=SEGMENTS
    )
    found = _tables(fits.whole, CHANNEL)
    for question, influence in fits.amounts.items():
        labels = _labels(own_amount(question, channel), "resolved")
        found["effect_influence"].append(influence.with_columns(**labels))
    return found


def _in_use(rows: pl.DataFrame) -> pl.DataFrame:
    """The cases of those hands (a stage's owners, or its automated queues) that use a channel.

    Where one of them never does, its cases tell nothing of what the channel would cause there.
    """
    used = (pl.col("arm") != WITHOUT).any()
    hands = used.over("stage", "is_owned")
    return rows.filter(hands | ~used.over("stage"))


def _fit_amount(rows: pl.DataFrame, question: str) -> Tables:
    """Each level of an amount of all channels together against none."""
    levels = AMOUNTS[question]
    cells = rows.rename({question: "arm"})
    fits = fit_outcomes(cells, arms=levels, covariates=COVARIATES, by=SEGMENTS, reference=levels[0])
    return _tables(fits, question)


def _tables(fits: Mapping[Outcome, EffectFits], question: str) -> Tables:
    """The rows of the marts, with what they answer."""
    return {
        f"effect_{field.name}": [
            getattr(tables, field.name).with_columns(**_labels(question, outcome))
            for outcome, tables in fits.items()
        ]
        for field in fields(EffectFits)
    }


def _labels(question: str, outcome: Outcome) -> dict[str, pl.Expr]:
    return {"question": pl.lit(question), "outcome": pl.lit(outcome)}


def _whole(name: str, frames: list[pl.DataFrame]) -> pl.DataFrame:
    schema = mart_schema(name)
    return pl.concat([pl.DataFrame(schema=schema), *frames], how="diagonal_relaxed").cast(schema)


def _costs(target: Connection) -> pl.DataFrame:
    costs = target.fetch(sa.select(landmark_costs)).rename({"channel": "arm"})
    return mart_frame("effect_costs", [costs.drop("opened_month")])
