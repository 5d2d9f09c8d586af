"""The six expressions that SQL engines spell differently.

Everything else in `queries` is SQLAlchemy Core that DuckDB, PostgreSQL,
ClickHouse and Spark all accept as it stands.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Date, Double, Integer, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class month_start(FunctionElement[Any]):  # noqa: N801 - reads as an SQL function
    """The first day of a date's month, as a date."""

    type = Date()
    name = "month_start"
    inherit_cache = True


class add_months(FunctionElement[Any]):  # noqa: N801
    """A first-of-month date moved by whole months: `add_months(day, n)`."""

    type = Date()
    name = "add_months"
    inherit_cache = True


class quantile(FunctionElement[Any]):  # noqa: N801
    """A continuous quantile of a group: `quantile(value, 0.5)` is its median."""

    type = Double()
    name = "quantile"
    inherit_cache = True


class days_between(FunctionElement[Any]):  # noqa: N801
    """Whole days from one date to a later one: `days_between(opened_on, paid_on)`."""

    type = Integer()
    name = "days_between"
    inherit_cache = True


class month_end_before(FunctionElement[Any]):  # noqa: N801
    """The last day of the month before a date's own."""

    type = Date()
    name = "month_end_before"
    inherit_cache = True


class byte_order(FunctionElement[Any]):  # noqa: N801
    """A text to sort by, in the same order on every engine: byte by byte."""

    type = Text()
    name = "byte_order"
    inherit_cache = True


def _arguments(element: FunctionElement[Any], compiler: Any, **kw: Any) -> list[str]:
    return [compiler.process(clause, **kw) for clause in element.clauses]


@compiles(month_start)
def _month_start(element: Any, compiler: Any, **kw: Any) -> str:
    (day,) = _arguments(element, compiler, **kw)
    return f"CAST(date_trunc('month', {day}) AS DATE)"


@compiles(month_start, "clickhousedb", "clickhouse")
def _month_start_clickhouse(element: Any, compiler: Any, **kw: Any) -> str:
    (day,) = _arguments(element, compiler, **kw)
    return f"toStartOfMonth({day})"


@compiles(add_months)
def _add_months(element: Any, compiler: Any, **kw: Any) -> str:
    day, months = _arguments(element, compiler, **kw)
    return f"CAST({day} + ({months}) * INTERVAL '1' MONTH AS DATE)"


@compiles(add_months, "clickhousedb", "clickhouse")
def _add_months_clickhouse(element: Any, compiler: Any, **kw: Any) -> str:
    day, months = _arguments(element, compiler, **kw)
    return f"addMonths({day}, {months})"


@compiles(add_months, "databricks", "hive", "spark")
def _add_months_spark(element: Any, compiler: Any, **kw: Any) -> str:
    day, months = _arguments(element, compiler, **kw)
    return f"add_months({day}, {months})"


@compiles(quantile)
def _quantile(element: Any, compiler: Any, **kw: Any) -> str:
    value, share = _arguments(element, compiler, **kw)
    return f"percentile_cont({share}) WITHIN GROUP (ORDER BY {value})"


@compiles(quantile, "duckdb")
def _quantile_duckdb(element: Any, compiler: Any, **kw: Any) -> str:
    value, share = _arguments(element, compiler, **kw)
    return f"quantile_cont({value}, {share})"


@compiles(quantile, "clickhousedb", "clickhouse")
def _quantile_clickhouse(element: Any, compiler: Any, **kw: Any) -> str:
    value, share = _arguments(element, compiler, **kw)
    return f"quantileExactInclusive({share})({value})"


@compiles(quantile, "databricks", "hive", "spark")
def _quantile_spark(element: Any, compiler: Any, **kw: Any) -> str:
    value, share = _arguments(element, compiler, **kw)
    return f"percentile({value}, {share})"


@compiles(days_between)
def _days_between(element: Any, compiler: Any, **kw: Any) -> str:
    earlier, later = _arguments(element, compiler, **kw)
    return f"CAST(({later}) - ({earlier}) AS INTEGER)"


@compiles(days_between, "databricks", "hive", "spark")
def _days_between_spark(element: Any, compiler: Any, **kw: Any) -> str:
    earlier, later = _arguments(element, compiler, **kw)
    return f"datediff({later}, {earlier})"


@compiles(month_end_before)
def _month_end_before(element: Any, compiler: Any, **kw: Any) -> str:
    (day,) = _arguments(element, compiler, **kw)
    return f"CAST(CAST(date_trunc('month', {day}) AS DATE) - 1 AS DATE)"


@compiles(month_end_before, "clickhousedb", "clickhouse")
def _month_end_before_clickhouse(element: Any, compiler: Any, **kw: Any) -> str:
    (day,) = _arguments(element, compiler, **kw)
    return f"toStartOfMonth({day}) - 1"


@compiles(month_end_before, "databricks", "hive", "spark")
def _month_end_before_spark(element: Any, compiler: Any, **kw: Any) -> str:
    (day,) = _arguments(element, compiler, **kw)
    return f"date_sub(trunc({day}, 'MM'), 1)"


@compiles(byte_order)
def _byte_order(element: Any, compiler: Any, **kw: Any) -> str:
    (text,) = _arguments(element, compiler, **kw)
    return text


@compiles(byte_order, "postgresql")
def _byte_order_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    (text,) = _arguments(element, compiler, **kw)
    return f'({text}) COLLATE "C"'
