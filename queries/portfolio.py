"""Marts: what the book is, its stocks, transitions and cash, under a filter."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, cast, func

from queries.filters import Filter
from warehouse import marts

STOCK_SUMS = (
    "loans",
    "weight_cents",
    "weight_squares",
    "negative_loans",
    "negative_cents",
    "overdue_cents",
    "paid_cents",
    "restructured_loans",
)
TRANSITION_SUMS = (
    "loans",
    "opening_cents",
    "opening_squares",
    "closing_cents",
    "opening_balance_cents",
    "closing_balance_cents",
    "restructured_loans",
    "restructured_cents",
)


def _sums(table: sa.Table, names: tuple[str, ...]) -> list[Any]:
    return [
        (
            func.sum(table.c[name])
            if name.endswith("squares")
            else cast(func.sum(table.c[name]), BigInteger)
        ).label(name)
        for name in names
    ]


def book() -> sa.Select:
    """One row: what this book is and how far it goes."""
    return sa.select(marts.book)


def buckets() -> sa.Select:
    return sa.select(marts.buckets).order_by(marts.buckets.c.rank)


def products() -> sa.Select:
    """Products, and how many of their loans revolve."""
    return sa.select(marts.products).order_by(marts.products.c.product)


def months() -> sa.Select:
    """One row a month: the facts' totals and what was left out of the marts."""
    return sa.select(marts.months).order_by(marts.months.c.month)


def segment_values() -> sa.Select:
    """Every product, region and grade on book, for the filters; null: not recorded."""
    table = marts.stocks
    statements = [
        sa.select(sa.literal(name).label("segment"), table.c[name].label("value")).distinct()
        for name in ("product", "region", "grade")
    ]
    union = sa.union_all(*statements).subquery("segments")
    return sa.select(*union.c).order_by(union.c.segment, union.c.value)


def stocks(chosen: Filter, *, back: int = 0, by: str | None = None) -> sa.Select:
    """Open loans and money by month and bucket (and a segment), for the window and before."""
    table = marts.industries if by == "industry" else marts.stocks
    first, last = chosen.months(back)
    groups = [table.c.month, table.c.bucket, *([table.c[by]] if by else [])]
    return (
        sa.select(*groups, *_sums(table, STOCK_SUMS))
        .where(
            table.c.basis == chosen.basis,
            table.c.month.between(first, last),
            *chosen.conditions(table),
        )
        .group_by(*groups)
    )


def segment_stocks(chosen: Filter, *, back: int = 0) -> sa.Select:
    """Open loans and money by month, bucket, product, region and grade together."""
    table = marts.stocks
    first, last = chosen.months(back)
    groups = [table.c[name] for name in ("month", "bucket", "product", "region", "grade")]
    return sa.select(*groups, *[table.c[name] for name in STOCK_SUMS]).where(
        table.c.basis == chosen.basis,
        table.c.month.between(first, last),
        *chosen.conditions(table),
    )


def transitions(chosen: Filter, *, back: int = 0, by: str | None = None) -> sa.Select:
    """Loans and money by month and pair of states (and a segment), window and before."""
    table = marts.transitions
    first, last = chosen.months(back)
    groups = [
        table.c.month,
        table.c.from_state,
        table.c.to_state,
        *([table.c[by]] if by else []),
    ]
    return (
        sa.select(*groups, *_sums(table, TRANSITION_SUMS))
        .where(
            table.c.basis == chosen.basis,
            table.c.month.between(first, last),
            *chosen.conditions(table),
        )
        .group_by(*groups)
    )


def segment_transitions(
    chosen: Filter, *, from_states: tuple[str, ...], back: int = 0
) -> sa.Select:
    """The moves out of some states by month and product, region and grade together."""
    table = marts.transitions
    first, last = chosen.months(back)
    names = ("month", "from_state", "to_state", "product", "region", "grade")
    return sa.select(
        *[table.c[name] for name in (*names, "loans", "opening_cents", "opening_squares")]
    ).where(
        table.c.basis == chosen.basis,
        table.c.month.between(first, last),
        table.c.from_state.in_(from_states),
        *chosen.conditions(table),
    )


def cash(chosen: Filter, *, back: int = 0) -> sa.Select:
    """Cash by month: the payments table's and the histories', and where they differ."""
    table = marts.cash
    first, last = chosen.months(back)
    names = (
        "payments",
        "payments_cents",
        "departed_cents",
        "paid_cents",
        "differing_loans",
        "difference_cents",
    )
    return (
        sa.select(table.c.month, *_sums(table, names))
        .where(table.c.month.between(first, last), *chosen.conditions(table))
        .group_by(table.c.month)
        .order_by(table.c.month)
    )


def medians(chosen: Filter) -> sa.Select:
    """The median balance by bucket at the as-of month, whole book."""
    table = marts.medians
    return sa.select(table.c.bucket, table.c.median_balance_amount).where(
        table.c.month == chosen.as_of, table.c.basis == chosen.basis
    )


def concentration(chosen: Filter) -> sa.Select:
    """The share of the largest borrowers (or loans) at the as-of month, whole book."""
    table = marts.concentration
    return sa.select(table).where(table.c.month == chosen.as_of).order_by(table.c.unit)


def ledger(chosen: Filter) -> sa.Select:
    """The general ledger beside the book, by month, product and measure."""
    table = marts.ledger
    first, last = chosen.months()
    return (
        sa.select(table)
        .where(table.c.month.between(first, last))
        .order_by(table.c.month.desc(), table.c.product, table.c.measure)
    )
