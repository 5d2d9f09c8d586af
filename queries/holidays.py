"""Marts: the holidays that the marts were made with."""

from __future__ import annotations

import json
from datetime import date

import polars as pl

from queries.filters import Filter
from queries.marts import Marts, as_text
from warehouse.holidays import Holidays
from warehouse.recovery_marts import recovery_settings

HOLIDAYS = "holidays"


def written(days: Holidays) -> str:
    """The days as JSON, as `recovery_settings` keeps them."""
    return json.dumps([[day.isoformat(), is_worked] for day, is_worked in days])


def holidays(marts: Marts, chosen: Filter | None = None) -> pl.DataFrame:
    """`day`, and whether it `is_worked` (a weekend day) or free; no row without a calendar."""
    rows: list[tuple[date, bool]] = []
    if marts.holds(recovery_settings):
        kept = as_text(marts.part(recovery_settings.name)).filter(name=HOLIDAYS)["value"]
        rows = [
            (date.fromisoformat(day), is_worked)
            for text in kept
            for day, is_worked in json.loads(text)
        ]
    return pl.DataFrame(rows, schema={"day": pl.Date, "is_worked": pl.Boolean}, orient="row")
