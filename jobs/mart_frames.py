"""Frames in the shape of a mart: its columns in order, rows of equal cells added up."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl
from sqlalchemy import BigInteger, Boolean, Date, DateTime, Double, Text

from warehouse import recovery_marts

_TYPES: dict[type, pl.DataType] = {
    Text: pl.String(),
    Date: pl.Date(),
    DateTime: pl.Datetime("us"),
    BigInteger: pl.Int64(),
    Double: pl.Float64(),
    Boolean: pl.Boolean(),
}


def mart_schema(name: str) -> pl.Schema:
    columns = recovery_marts.marts.tables[name].columns
    return pl.Schema({column.name: _TYPES[type(column.type)] for column in columns})


def mart_frame(name: str, frames: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Frames of some of a mart's columns as one of all: a row a cell, sums 0 where nothing is."""
    schema = mart_schema(name)
    sums = [column for column, kind in schema.items() if kind.is_numeric()]
    keys = [column for column in schema if column not in sums]
    whole = pl.concat([pl.DataFrame(schema=schema), *frames], how="diagonal_relaxed")
    added = whole.group_by(keys).agg(pl.col(sums).sum())
    return added.select(list(schema)).cast(schema).sort(keys)
