"""One language for four engines: what differs is compiled, the rest is plain Core."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
import sqlalchemy as sa

from queries.loan_states import BookShape, open_stocks, state_changes
from tests.books import JAN, loan, month, put
from warehouse.contract import loan_months
from warehouse.dialects import add_months, month_start, quantile
from warehouse.engines import DUCKDB, POSTGRESQL, compile_statement, session

DAY = sa.column("d", sa.Date)
EXPRESSIONS = {
    "month_start": month_start(DAY),
    "add_months": add_months(DAY, 1),
    "quantile": quantile(sa.column("x"), sa.literal_column("0.5")),
}


class _Named(sa.engine.default.DefaultDialect):
    """A dialect that only has a name: for compile hooks of engines that are not installed."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


@pytest.mark.parametrize(
    ("expression", "engine", "text"),
    [
        ("month_start", "clickhousedb", "toStartOfMonth(d)"),
        ("month_start", "spark", "CAST(date_trunc('month', d) AS DATE)"),
        ("add_months", "clickhousedb", "addMonths(d, :add_months_1)"),
        ("add_months", "databricks", "add_months(d, :add_months_1)"),
        ("quantile", "clickhousedb", "quantileExactInclusive(0.5)(x)"),
        ("quantile", "spark", "percentile(x, 0.5)"),
    ],
)
def test_engines_that_spell_it_differently_get_their_spelling(
    expression: str, engine: str, text: str
) -> None:
    assert str(EXPRESSIONS[expression].compile(dialect=_Named(engine))) == text


def test_dates_and_medians_mean_the_same_on_both_engines(facts_url: str) -> None:
    amounts = ["1.00", "2.00", "10.00", "20.00"]
    rows = [month(f"l{n}", JAN, 0, amount) for n, amount in enumerate(amounts)]
    put(facts_url, loans=[loan(f"l{n}") for n in range(4)], loan_months=rows)
    start = month_start(loan_months.c.month)
    amount = sa.cast(loan_months.c.balance_amount, sa.Double)
    with session(facts_url) as facts:
        dates = facts.fetch(
            sa.select(start.label("a"), add_months(start, 1).label("b")).limit(1)
        ).row(0)
        middle = facts.fetch(sa.select(quantile(amount, sa.literal_column("0.5")).label("m")))
    assert dates == (dt.date(2024, 1, 1), dt.date(2024, 2, 1))
    assert middle.item() == 6.0  # between 2 and 10, not one of them
    assert middle.schema["m"] == pl.Float64


def test_values_travel_as_parameters_never_in_the_text() -> None:
    hostile = "'; DROP TABLE loans; --"
    statement = sa.select(loan_months).where(loan_months.c.loan_id.in_([hostile, "b"]))
    for dialect in (DUCKDB, POSTGRESQL):
        text, parameters = compile_statement(statement, dialect)
        assert hostile not in text
        assert parameters == [hostile, "b"]


def test_the_heavy_statements_use_no_filter_clause_and_no_interval_arithmetic() -> None:
    shape = BookShape(tables=frozenset({"loans", "loan_months", "customers"}))
    for statement in (open_stocks(JAN, shape), state_changes(JAN, None, JAN, shape)):
        text, _ = compile_statement(statement, DUCKDB)
        assert "FILTER (" not in text
        assert "INTERVAL" not in text
