"""Complaints for an attempt by stage and channel, and how well they are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from analytics.intervals import Array
from analytics.simulation_counts import dispersion
from analytics.strategy_fields import CHANNELS, STAGES
from analytics.treated_cases import Treated

PRIOR_COMPLAINTS = 5.0  # a channel's or stage's complaints count as its own, the book's as so many


@dataclass(frozen=True)
class AttemptComplaints:
    """`rate` [stage, channel] for an attempt; `by_channel`, `by_stage`: how many complaints each
    part of it is known from, over the dispersion of the months' (0: it is not drawn)."""

    rate: Array
    by_channel: Array
    by_stage: Array


def attempt_complaints(treated: Treated) -> AttemptComplaints:
    """How many complaints does an attempt bring, by the channel and the stage of its case?

    rate = rate of the channel x what the stage has over what its channels would bring.  Channel:
    complaints / attempts, the book's rate counting as five complaints; complaints of no channel
    raise all alike.  Stage likewise, from the attempts on open cases; all together stay as they
    were.  How well each is known: its complaints and those five, over the dispersion of the months
    (chi-square around one rate over degrees of freedom, at least 1).
    In: `complaint_counts` by channel; `complaints` and `intensity` with their stage.
    Null: stages are alike where complaints have no stage; all are 0 without named complaints.
    Misleads: a complaint names the last channel, not all that led to it.
    """
    channels = _by_channel(treated.complaint_counts)
    counts = treated.complaint_counts.filter(pl.col("channel").is_not_null())
    said = dict(counts.select("channel", pl.col("complaints").fill_null(0)).iter_rows())
    known = np.array([said.get(one, 0) + PRIOR_COMPLAINTS for one in CHANNELS], float)
    stages, seen = _by_stage(treated, channels)
    over = _dispersion(treated)
    return AttemptComplaints(stages[:, None] * channels, known / over, seen / over)


def _by_channel(counts: pl.DataFrame) -> Array:
    known = counts.filter(pl.col("channel").is_not_null(), pl.col("attempts") > 0)
    attempts = float(known["attempts"].sum() or 0)
    said = float(counts["complaints"].sum() or 0)  # those of no channel raise all alike
    named = float(known["complaints"].sum() or 0)
    if not attempts or not named:
        return np.zeros(len(CHANNELS))
    mean = named / attempts
    by = {row["channel"]: row for row in known.iter_rows(named=True)}
    rates = [
        ((by[one]["complaints"] or 0) + PRIOR_COMPLAINTS)
        / (by[one]["attempts"] + PRIOR_COMPLAINTS / mean)
        if one in by
        else mean
        for one in CHANNELS
    ]
    expected = sum(rate * by[one]["attempts"] for one, rate in zip(CHANNELS, rates, strict=True)
                   if one in by)  # fmt: skip
    return np.array(rates) * said / expected


def _by_stage(treated: Treated, channels: Array) -> tuple[Array, Array]:
    """A stage's complaints over what its channels would bring, and how many it is known from."""
    alike = np.ones(len(STAGES)), np.zeros(len(STAGES))
    tried = treated.intensity
    if treated.complaints.is_empty() or tried.is_empty():
        return alike
    months = tried["month"].unique().implode()
    told = treated.complaints.filter(pl.col("worked_month").is_in(months))
    complaints = dict(told.group_by("stage").len().iter_rows())
    attempts = dict(tried.group_by("stage").agg(pl.col("attempts").sum()).iter_rows())
    made = np.array([float(complaints.get(stage, 0)) for stage in STAGES])
    mix = np.array([_mean_rate(treated.work, stage, channels) for stage in STAGES])
    expected = mix * [float(attempts.get(stage) or 0) for stage in STAGES]
    if not made.sum() or not expected.sum():
        return alike
    expected *= made.sum() / expected.sum()
    ratio = (made + PRIOR_COMPLAINTS) / (expected + PRIOR_COMPLAINTS)
    ratio *= expected.sum() / float(ratio @ expected)
    there = expected > 0
    return np.where(there, ratio, 1.0), np.where(there, made + PRIOR_COMPLAINTS, 0.0)


def _mean_rate(work: pl.DataFrame, stage: str, channels: Array) -> float:
    here = work.filter(pl.col("stage") == stage)
    by = dict(here.group_by("channel").agg(pl.col("attempts").sum()).iter_rows())
    attempts = np.array([float(by.get(one) or 0) for one in CHANNELS])
    return float(attempts @ channels / attempts.sum()) if attempts.sum() else 0.0


def _dispersion(treated: Treated) -> float:
    """Of the months' complaints around one rate for an attempt."""
    if treated.complaints.is_empty() or treated.intensity.is_empty():
        return 1.0
    tried = treated.intensity.group_by("month").agg(pl.col("attempts").sum())
    said = treated.complaints.group_by(month="worked_month").len("complaints")
    both = tried.join(said, on="month", how="left").with_columns(pl.col("complaints").fill_null(0))
    made, attempts = (both[name].to_numpy().astype(float) for name in ("complaints", "attempts"))
    return dispersion(made, attempts * made.sum() / max(attempts.sum(), 1.0))
