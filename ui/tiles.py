"""Headline figures: a value, how it moved in the month, and whether that is noise."""

from __future__ import annotations

from datetime import date
from math import expm1
from typing import Literal

import polars as pl
import streamlit as st

from analytics.changes import Change
from charts import format as words

TILE_HELP = (
    "Below: the change from the month before. Unusual: beyond the figure's own month-to-month"
    " variation. Unsure: fewer than six earlier changes to judge by, or none but 0."
)


def tile(
    label: str,
    value: str,
    series: pl.DataFrame,
    change: Change | None,
    *,
    means: str,
    as_of: date,
    rise_is_bad: bool | None,
    unit: Literal["points", "%", "per 1,000"],
) -> None:
    """A figure, its change in points of a share (in %, of a logarithm; or as it is), its course.

    `means`: what it is, in words.  `rise_is_bad` None: neither way is good or bad.
    """
    delta, note, sign = None, "no month before", 0
    colour: Literal["gray", "orange", "blue"] = "gray"
    if change is not None and change.month == as_of and change.difference is not None:
        shown = expm1(change.difference) if unit == "%" else change.difference
        delta = f"{words.points(shown)} {unit}"
        if unit == "per 1,000":
            delta = words.points(change.difference / 100)
        sign = (delta[0] == "+") - (delta[0] == words.MINUS)
        note = {True: "unusual", False: "usual", None: "unsure"}[change.is_beyond_noise]
        if change.is_beyond_noise and rise_is_bad is not None:
            colour = "orange" if (change.difference > 0) == rise_is_bad else "blue"
    st.metric(
        label,
        words.plain(value),
        delta,
        delta_color=colour,
        delta_arrow="up" if sign > 0 else "down" if sign < 0 else "off",
        delta_description=note,
        chart_data=series["value"].drop_nulls().to_list() or None,
        border=True,
        width=170,
        help=f"{means} {TILE_HELP}",
    )
