"""Marts = facts: the classes of every scheme hold the portfolio's open loans, to the cent."""

from __future__ import annotations

import polars as pl
import sqlalchemy as sa

from queries.loan_states import total
from warehouse import strategy_marts as tables
from warehouse.engines import Connection
from warehouse.marts import marts


def segment_differences(target: Connection) -> tuple[str, ...]:
    """Sentences, one for each scheme and month that does not hold the portfolio's open loans."""
    if tables.segment_months.name not in target.tables():  # of an older version
        return ()
    return sentences(wrong_months(target))


def sentences(wrong: pl.DataFrame) -> tuple[str, ...]:
    return tuple(
        f"classes by {row['scheme']} of {row['month']:%Y-%m}: {row['loans']} open loans and"
        f" {row['cents']} cents, {row['loans_mart']} and {row['cents_mart']} in the mart"
        for row in wrong.sort("month", "scheme").iter_rows(named=True)
    )


def wrong_months(target: Connection) -> pl.DataFrame:
    """Open loans and balance of every scheme, month by month, where they are not the stocks'."""
    stocks, made = marts.tables["stocks"], tables.segment_months
    expected = target.fetch(
        sa.select(stocks.c.month, *_open_sums(stocks))
        .where(stocks.c.basis == "days")
        .group_by(stocks.c.month)
    )
    found = target.fetch(
        sa.select(made.c.scheme, made.c.month, *_open_sums(made)).group_by(
            made.c.scheme, made.c.month
        )
    )
    schemes = pl.DataFrame({"scheme": tables.SCHEMES})
    both = expected.join(schemes, how="cross").join(
        found, on=["scheme", "month"], how="left", suffix="_mart"
    )
    return both.filter(
        pl.any_horizontal(
            pl.col(name).fill_null(0) != pl.col(f"{name}_mart").fill_null(0)
            for name in ("loans", "cents")
        )
    )


def _open_sums(table: sa.Table) -> list[sa.ColumnElement[int]]:
    return [total(table.c.loans).label("loans"), total(table.c.weight_cents).label("cents")]
