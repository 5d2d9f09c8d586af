"""What the Channels page asks of the marts of recovery: attempts, cash and effects by channel.

Activity is by calendar month, the timeline by the month of opening, both within the filter's
window.  Effects have no month: they are those of all cases that the models were fitted on.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import polars.selectors as cs
import sqlalchemy as sa

from queries.filters import Filter
from queries.marts import Marts, as_text
from warehouse import recovery_marts as tables

SEGMENTS = ("product", "region", "grade")
LABELS = ("question", "outcome", "stage", "arm")


def _chosen(marts: Marts, mart: sa.Table, chosen: Filter, month: str | None = None) -> pl.DataFrame:
    """A mart's rows of the chosen segments, and of the window where it has months."""
    wanted = [
        pl.col(name).is_in(list(values), nulls_equal=True)
        for name, values in chosen.segments().items()
        if values
    ]
    if month:
        wanted.append(pl.col(month).is_between(*chosen.months()))
    rows = marts.part(mart.name)
    return rows.filter(*wanted) if wanted else rows


def _added(rows: pl.DataFrame, keys: Sequence[str], sums: Sequence[str]) -> pl.DataFrame:
    """Rows of equal keys added up; what is recorded nowhere stays null."""
    totals = [
        pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name) for name in sums
    ]
    return as_text(rows.group_by(keys).agg(totals).sort(keys, nulls_last=True))


def _numbers(mart: sa.Table) -> list[str]:
    return [
        column.name
        for column in mart.columns
        if not isinstance(column.type, sa.Text | sa.Date | sa.DateTime)
    ]


def work(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Attempts and what came of them by month, channel and stage."""
    rows = _chosen(marts, tables.channel_work, chosen, "month")
    return _added(rows, ["month", "channel", "stage"], _numbers(tables.channel_work))


def segment_work(marts: Marts, chosen: Filter, *, by: str) -> pl.DataFrame:
    """The same by channel, stage and a segment."""
    rows = _chosen(marts, tables.channel_work, chosen, "month")
    return _added(rows, ["channel", "stage", by], _numbers(tables.channel_work))


def cash(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Cash by rule, channel and stage."""
    rows = _chosen(marts, tables.channel_cash, chosen, "month")
    return _added(rows, ["rule", "channel", "stage"], ["cash_cents"])


def fit(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """Attempts by channel, lateness and amount."""
    rows = _chosen(marts, tables.channel_fit, chosen, "month")
    return _added(rows, ["channel", "bucket", "amount_band"], ["attempts"])


def timeline(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """The steps of the timeline by stage at opening."""
    rows = _chosen(marts, tables.timeline, chosen, "opened_month")
    return _added(rows, ["step", "stage"], _numbers(tables.timeline))


def influence(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """The sums that effects are made of, of the chosen segments."""
    rows = _chosen(marts, tables.effect_influence, chosen)
    return _added(rows, [*LABELS, "reason"], _numbers(tables.effect_influence))


def costs(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """What the attempts by an arm's channel cost by the landmark day, on the treated cases."""
    rows = _chosen(marts, tables.effect_costs, chosen)
    return _added(rows, ["stage", "arm"], _numbers(tables.effect_costs))


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
    """One row: the opening months of the cases that the effects were fitted on.

    The landmark cells are many, and only this is wanted of them: they are not kept in memory.
    """
    table = tables.landmarks
    statement = sa.select(
        sa.func.min(table.c.opened_month).label("first_month"),
        sa.func.max(table.c.opened_month).label("last_month"),
        sa.func.sum(table.c.cases).label("cases"),
    ).where(table.c.cases > 0)
    return marts.fetch(statement).with_columns(cs.decimal().cast(pl.Int64))
