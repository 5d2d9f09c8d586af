"""The portfolio's marts against the facts: every month's loans and balance, to the cent."""

from __future__ import annotations

import polars as pl

from jobs import month_marts
from queries.loan_states import BookShape
from warehouse.engines import Connection


def mart_differences(expected: pl.DataFrame, target: Connection, shape: BookShape) -> list[str]:
    """Sentences, one for each month and mart that does not equal the facts' `month_totals`."""
    return sentences(wrong_rows(expected, target, shape))


def sentences(wrong: pl.DataFrame) -> list[str]:
    return [
        f"{row['mart']} {row['basis']} {row['month']:%Y-%m}: {row['loans']} loans and"
        f" {row['balance_cents']} cents in the facts,"
        f" {row['loans_mart']} and {row['balance_cents_mart']} in the mart"
        for row in wrong.iter_rows(named=True)
    ]


def wrong_rows(expected: pl.DataFrame, target: Connection, shape: BookShape) -> pl.DataFrame:
    """By mart, basis and month: the facts' loans and cents beside the mart's, where they differ."""
    expected = expected.sort("month")
    found = target.fetch(month_marts.mart_totals()).sort("mart", "basis", "month")
    bases = ["days", "months"] if shape.has_months_past_due else ["days"]
    parts = []
    for mart in ("stocks", "industries", "transitions", "months"):
        for basis in bases if mart != "months" else [""]:
            got = found.filter(pl.col("mart") == mart, pl.col("basis") == basis)
            got = got.drop("mart", "basis")
            joined = expected.join(got, on="month", how="full", suffix="_mart", coalesce=True)
            joined = joined.with_columns(  # a month in which nothing is open has no mart rows
                pl.when(pl.col("loans") == 0)
                .then(pl.col("loans_mart").fill_null(0))
                .otherwise(pl.col("loans_mart")),
                mart=pl.lit(mart),
                basis=pl.lit(basis),
            )
            parts.append(
                joined.filter(
                    ~pl.col("loans").eq_missing(pl.col("loans_mart"))
                    | ~pl.col("balance_cents")
                    .fill_null(0)
                    .eq_missing(pl.col("balance_cents_mart").fill_null(0))
                )
            )
    return pl.concat(parts)
