"""What the Channels page asks of the marts of recovery: attempts, cash and effects by channel.

Activity is by calendar month, the timeline by the month of opening, both within the filter's
window.  Effects have no month: they are those of all cases that the models were fitted on.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import sqlalchemy as sa

from queries.filters import Filter
from queries.kept import Kept
from queries.marts import Marts, added, as_text, in_segments
from warehouse import recovery_marts as tables

_landmarks = Kept(tables.landmarks, "opened_month", ("cases",), segments=())
LABELS = ("question", "outcome", "stage", "arm")


def _total(
    marts: Marts, mart: sa.Table, chosen: Filter, keys: Sequence[str], month: str | None = None
) -> pl.DataFrame:
    """A mart's sums in the chosen segments, and in the window where it has months."""
    rows = in_segments(marts.part(mart.name), chosen)
    if month:
        rows = rows.filter(pl.col(month).is_between(*chosen.months()))
    return added(rows, keys, _numbers(mart)).sort(keys, nulls_last=True)


def _numbers(mart: sa.Table) -> list[str]:
    return [
        column.name
        for column in mart.columns
        if not isinstance(column.type, sa.Text | sa.Date | sa.DateTime)
    ]


def work(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Attempts and what came of them by month, channel and stage."""
    return _total(marts, tables.channel_work, chosen, ["month", "channel", "stage"], "month")


def segment_work(marts: Marts, chosen: Filter, *, by: str) -> pl.DataFrame:
    """The same by channel, stage and a segment."""
    return _total(marts, tables.channel_work, chosen, ["channel", "stage", by], "month")


def cash(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Cash by rule, channel and stage."""
    return _total(marts, tables.channel_cash, chosen, ["rule", "channel", "stage"], "month")


def segment_cash(marts: Marts, chosen: Filter, *, by: str) -> pl.DataFrame:
    """The same by rule, channel and a segment."""
    return _total(marts, tables.channel_cash, chosen, ["rule", "channel", by], "month")


def fit(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Attempts by channel, lateness and amount."""
    return _total(marts, tables.channel_fit, chosen, ["channel", "bucket", "amount_band"], "month")


def timeline(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """The steps of the timeline by stage at opening."""
    return _total(marts, tables.timeline, chosen, ["step", "stage"], "opened_month")


def influence(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """The sums that effects are made of, of the chosen segments."""
    return _total(marts, tables.effect_influence, chosen, [*LABELS, "reason"])


def costs(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """What the attempts by an arm's channel cost by the landmark day, on the treated cases."""
    return _total(marts, tables.effect_costs, chosen, ["stage", "arm"])


def histogram(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """The fitted chances of the treated and of the reference, whole stages."""
    return as_text(marts.part(tables.effect_histogram.name))


def balance(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """How alike the arms are before and after weighting, whole stages."""
    return as_text(marts.part(tables.effect_balance.name))


def models(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """How many cases the models were fitted on, and how well they tell them apart."""
    return as_text(marts.part(tables.effect_models.name))


def settings(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """The settings of the refresh: `name`, and `value` as JSON."""
    return as_text(marts.part(tables.recovery_settings.name))


def fitted_period(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """One row: the opening months of the cases that the effects were fitted on."""
    there = _landmarks.total(marts, None, ("opened_month",)).filter(pl.col("cases") > 0)
    return there.select(
        first_month=pl.col("opened_month").min(),
        last_month=pl.col("opened_month").max(),
        cases=pl.col("cases").sum(),
    )
