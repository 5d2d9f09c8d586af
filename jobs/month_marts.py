"""The marts of one month: computed on the facts, written to the marts file."""

from __future__ import annotations

from datetime import date

import polars as pl
import sqlalchemy as sa
from sqlalchemy import BigInteger, cast, func, literal

from queries.books import ledger_lines, new_principal
from queries.loan_states import (
    SEGMENTS,
    BookShape,
    largest_shares,
    median_balances,
    open_stocks,
    state_changes,
    total,
)
from queries.payments import cash_by_month
from warehouse import marts
from warehouse.engines import Connection

BY_MONTH = (
    "stocks",
    "industries",
    "transitions",
    "medians",
    "cash",
    "concentration",
    "months",
    "ledger",
)
_SEGMENTS = list(SEGMENTS)


def compute(
    facts: Connection, month: date, earlier: date | None, first: date, shape: BookShape
) -> dict[str, pl.DataFrame]:
    """Every mart's rows of one month, by mart name."""
    stocks = facts.fetch(open_stocks(month, shape))
    changes = facts.fetch(state_changes(month, earlier, first, shape))
    cash = facts.fetch(cash_by_month(month, shape))
    bases = ("days", "months") if shape.has_months_past_due else ("days",)
    by_industry = _by_basis(stocks, bases, {"state": "bucket"}, [*_SEGMENTS, "industry"])
    frames = {
        "industries": by_industry,
        "stocks": _by_basis(stocks.drop("industry"), bases, {"state": "bucket"}, _SEGMENTS),
        "transitions": _by_basis(
            changes, bases, {"from": "from_state", "to": "to_state"}, _SEGMENTS
        ),
        "cash": cash,
        "months": stocks.select(
            pl.col("loans").sum(),
            (pl.col("weight_cents").sum() + pl.col("negative_cents").sum()).alias("balance_cents")
            if shape.has_balances
            else pl.lit(None, pl.Int64).alias("balance_cents"),
            pl.col("unbalanced_rows", "unscheduled_rows").sum(),
        ).with_columns(pl.lit(changes["gap_rows"].sum()).alias("gap_rows")),
        "ledger": _ledger(facts, month, shape, stocks, changes, cash),
    }
    if shape.has_balances:
        frames["medians"] = facts.fetch(median_balances(month, bases, shape))
        unit = "customer" if "customers" in shape.tables else "loan"
        largest = facts.fetch(largest_shares(month, unit, shape))
        frames["concentration"] = largest.filter(pl.col("units") > 0)
    return {name: frame.with_columns(month=pl.lit(month)) for name, frame in frames.items()}


def _by_basis(
    frame: pl.DataFrame, bases: tuple[str, ...], states: dict[str, str], keys: list[str]
) -> pl.DataFrame:
    """Sum a month's cells once by days and once by months past due."""
    drop = {"gap_rows", "unbalanced_rows", "unscheduled_rows"}
    measures = [
        name
        for name in frame.columns
        if name not in keys
        and name not in drop
        and not any(name.startswith(f"{prefix}_") for prefix in states)
    ]
    sums = [
        pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name) for name in measures
    ]
    parts = []
    for basis in bases:
        named = frame.rename({f"{prefix}_{basis}": name for prefix, name in states.items()})
        groups = [*states.values(), *keys]
        parts.append(
            named.group_by(groups).agg(sums).sort(groups).with_columns(basis=pl.lit(basis))
        )
    return pl.concat(parts)


def _ledger(
    facts: Connection,
    month: date,
    shape: BookShape,
    stocks: pl.DataFrame,
    changes: pl.DataFrame,
    cash: pl.DataFrame,
) -> pl.DataFrame:
    """The ledger's lines of the month beside the same totals of the book."""
    empty = pl.DataFrame(
        schema={
            "product": pl.String,
            "measure": pl.String,
            "ledger_cents": pl.Int64,
            "book_cents": pl.Int64,
        }
    )
    if "ledger_totals" not in shape.tables:
        return empty
    lines = facts.fetch(ledger_lines(month)).drop("month")
    paid = "payments_cents" if "payments" in shape.tables else "paid_cents"
    left = changes.with_columns(
        pl.when(pl.col("to_days") == "charged_off")
        .then(pl.col("closing_balance_cents"))
        .otherwise(0 if shape.has_balances else None)
    )
    book = pl.concat(
        frame.group_by("product")
        .agg(amount.sum().alias("book_cents"))
        .with_columns(measure=pl.lit(measure))
        for measure, frame, amount in (
            ("balance", stocks, pl.col("weight_cents") + pl.col("negative_cents")),
            ("payments", cash, pl.col(paid)),
            ("charged_off", left, pl.col("closing_balance_cents")),
            ("new_loans", facts.fetch(new_principal(month)), pl.col("book_cents")),
        )
    )
    recorded = set(book.filter(pl.col("book_cents").is_not_null())["measure"])
    joined = lines.join(book, on=["product", "measure"], how="left").with_columns(
        # a product without, say, a charge-off in the month has charged off 0
        pl.when(pl.col("measure").is_in(recorded))
        .then(pl.col("book_cents").fill_null(0))
        .otherwise(pl.col("book_cents"))
    )
    return pl.concat([empty, joined.select(empty.columns).cast(empty.schema)])


def erase(target: Connection, month: date) -> None:
    for name in BY_MONTH:
        table = marts.marts.tables[name]
        target.execute(sa.delete(table).where(table.c.month == month))


def sort(target: Connection) -> None:
    """Lay the large marts out by basis and month, so that a page reads only its own part."""
    for table in (marts.stocks, marts.industries, marts.transitions):
        rows = target.fetch(sa.select(table))
        order = [column.name for column in table.columns][:5]
        target.execute(sa.delete(table))
        target.ingest(table.name, rows.sort(order))


def write(target: Connection, frames: dict[str, pl.DataFrame], stamp: str) -> None:
    for name, frame in frames.items():
        known = [column.name for column in marts.marts.tables[name].columns]
        rows = frame.with_columns(stamp=pl.lit(stamp)) if name == "months" else frame
        if rows.height:
            target.ingest(name, rows.select([column for column in known if column in rows.columns]))


def mart_totals() -> sa.Select:
    """Open loans and balance by mart, basis and month, as the marts have them."""
    stocks, moves, months = marts.stocks, marts.transitions, marts.months
    terminal = ("paid_off", "charged_off", "sold", "unmatched")
    statements = [
        sa.select(
            literal("stocks").label("mart"),
            stocks.c.basis,
            stocks.c.month,
            total(stocks.c.loans).label("loans"),
            total(stocks.c.weight_cents + stocks.c.negative_cents).label("balance_cents"),
        ).group_by(stocks.c.basis, stocks.c.month),
        sa.select(
            literal("industries").label("mart"),
            marts.industries.c.basis,
            marts.industries.c.month,
            total(marts.industries.c.loans).label("loans"),
            total(marts.industries.c.weight_cents + marts.industries.c.negative_cents).label(
                "balance_cents"
            ),
        ).group_by(marts.industries.c.basis, marts.industries.c.month),
        sa.select(
            literal("transitions").label("mart"),
            moves.c.basis,
            moves.c.month,
            total(moves.c.loans).label("loans"),
            total(moves.c.closing_balance_cents).label("balance_cents"),
        )
        .where(moves.c.to_state.not_in(terminal))
        .group_by(moves.c.basis, moves.c.month),
        sa.select(
            literal("months").label("mart"),
            literal("").label("basis"),
            months.c.month,
            cast(func.sum(months.c.loans), BigInteger).label("loans"),
            cast(func.sum(months.c.balance_cents), BigInteger).label("balance_cents"),
        ).group_by(months.c.month),
    ]
    union = sa.union_all(*statements).subquery("totals")
    return sa.select(*union.c)
