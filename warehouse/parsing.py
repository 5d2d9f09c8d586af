"""From what a file holds to the contract's types: strictly, and column by column.

A value that is not of its type becomes null in the result; the caller compares
with what was there.  Accepted:

    text      any text, the empty one as null; whole numbers (ids) as their digits
    integer   digits, also written 30.0; any number without a fraction
    number    digits with or without a point or exponent; no NaN, no infinity
    amount    at most 16 digits before the point and 2 after it (further zeros do not
              count); a floating-point number only if it is a whole number of cents
    date      2024-01-31 or 2024/1/31; a time only at midnight
    time      2024-01-31 09:05[:30[.5]], also with `T` or slashes; no zone, nothing
              finer than a microsecond
    flag      true, false, yes, no, 1, 0 in any case
"""

from __future__ import annotations

import polars as pl
import sqlalchemy as sa

AMOUNT = pl.Decimal(18, 2)
_EXACT_FLOAT = 2**53 / 100  # beyond this a double does not hold every cent
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def blank_to_null(raw: pl.Series) -> pl.Series:
    """Text columns with '' as null; categories as text; other columns as they are."""
    if raw.dtype in (pl.Categorical, pl.Enum):
        raw = raw.cast(pl.String)
    if raw.dtype != pl.String:
        return raw
    return raw.set(raw == "", None) if (raw == "").any() else raw


def expectation(type_: sa.types.TypeEngine[object]) -> tuple[str, str]:
    """The kind of problem that another type is, and what was expected, in words."""
    match type_:
        case sa.Text():
            return "type", "text without NUL characters"
        case sa.Integer():
            return "type", "a whole number"
        case sa.Double():
            return "type", "a number"
        case sa.Numeric():
            return "amount", "an amount: at most 16 digits before the point and 2 after it"
        case sa.DateTime():
            return "type", "a time as 2024-01-31 09:05:00, without a zone"
        case sa.Date():
            return "type", "a date as 2024-01-31"
        case sa.Boolean():
            return "type", "true, false, yes, no, 1 or 0"
    raise TypeError(f"the contract has no columns of type {type_!r}")


def parse(raw: pl.Series, type_: sa.types.TypeEngine[object]) -> pl.Series:
    """The values as the column's type; null where they are not of that type."""
    match type_:
        case sa.Text():
            return _text(raw)
        case sa.Integer():
            return _integer(raw)
        case sa.Double():
            return _number(raw)
        case sa.Numeric():
            return _amount(raw)
        case sa.DateTime():
            return _time(raw)
        case sa.Date():
            return _date(raw)
        case sa.Boolean():
            return _flag(raw)
    raise TypeError(f"the contract has no columns of type {type_!r}")


def _none(raw: pl.Series, type_: pl.DataType | type[pl.DataType]) -> pl.Series:
    return pl.Series(raw.name, [None], type_).new_from_index(0, len(raw))


def _where(values: pl.Series, keep: pl.Series) -> pl.Series:
    """The values, and null where `keep` is not true."""
    drop = ~keep.fill_null(False)
    return values.set(drop, None) if drop.any() else values


def _text(raw: pl.Series) -> pl.Series:
    if raw.dtype == pl.String:
        return _where(raw, ~raw.str.contains("\x00", literal=True).fill_null(False))
    if raw.dtype.is_integer():
        return raw.cast(pl.String)
    return _none(raw, pl.String)


def _integer(raw: pl.Series) -> pl.Series:
    if raw.dtype == pl.String:
        values = raw.cast(pl.Int32, strict=False)
        if values.null_count() > raw.null_count():
            values = raw.str.replace(r"^([+-]?\d+)\.0*$", "${1}").cast(pl.Int32, strict=False)
        return values
    if not raw.dtype.is_numeric():
        return _none(raw, pl.Int32)
    values = raw.cast(pl.Int32, strict=False)
    return values if raw.dtype.is_integer() else _where(values, values.cast(raw.dtype) == raw)


def _number(raw: pl.Series) -> pl.Series:
    if raw.dtype != pl.String and not raw.dtype.is_numeric():
        return _none(raw, pl.Float64)
    values = raw.cast(pl.Float64, strict=False)
    return _where(values, values.is_finite())


def _amount(raw: pl.Series) -> pl.Series:
    if raw.dtype == pl.String:
        values = raw.cast(AMOUNT, strict=False)
        return _where(values, ~raw.str.contains(r"[eE]|\.\d\d\d*[1-9]"))
    if raw.dtype.is_integer():
        return raw.cast(AMOUNT, strict=False)
    if raw.dtype.is_float():
        values = raw.cast(pl.Float64)
        cents = (values * 100).round()
        nearest = pl.Series(cents.to_numpy() / 100)  # polars would multiply by 0.01
        whole = (nearest == values) & (values.abs() < _EXACT_FLOAT)
        return _cents(_where(cents, whole).cast(pl.Int64, strict=False))
    if raw.dtype.is_decimal():
        values = raw.cast(AMOUNT, strict=False)
        return _where(values, values.cast(raw.dtype, strict=False) == raw)
    return _none(raw, AMOUNT)


def _cents(cents: pl.Series) -> pl.Series:
    return (cents.cast(pl.Decimal(38, 2)) / 100).cast(AMOUNT)


def _date(raw: pl.Series) -> pl.Series:
    if raw.dtype == pl.Date:
        return raw
    if raw.dtype == pl.String:
        dashed = raw.str.replace_all("/", "-", literal=True)
        return dashed.str.to_date("%Y-%m-%d", strict=False)
    if _is_local_time(raw):
        values = raw.dt.date()
        return _where(values, values.cast(raw.dtype) == raw)
    return _none(raw, pl.Date)


def _time(raw: pl.Series) -> pl.Series:
    type_ = pl.Datetime("us")
    if _is_local_time(raw):
        values = raw.cast(type_)
        return _where(values, values.cast(raw.dtype) == raw)
    if raw.dtype != pl.String:
        return _none(raw, type_)
    spaced = raw.str.replace_all("/", "-", literal=True).str.replace("T", " ", literal=True)
    values = spaced.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
    if values.null_count() > raw.null_count():
        minutes = spaced.str.to_datetime("%Y-%m-%d %H:%M", time_unit="us", strict=False)
        values = values.zip_with(values.is_not_null(), minutes)
    return values


def _is_local_time(raw: pl.Series) -> bool:
    return isinstance(raw.dtype, pl.Datetime) and raw.dtype.time_zone is None


def _flag(raw: pl.Series) -> pl.Series:
    if raw.dtype == pl.Boolean:
        return raw
    if raw.dtype.is_integer():
        return _where(raw == 1, raw.is_in([0, 1]))
    if raw.dtype == pl.String:
        return raw.str.to_lowercase().replace_strict(_FLAGS, default=None, return_dtype=pl.Boolean)
    return _none(raw, pl.Boolean)
