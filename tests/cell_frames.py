"""Cells written by hand, loan by loan, for tests of the analytics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from analytics.states import ENTRIES, UNMATCHED

BUCKETS = ("current", "1-30", "31-60", "61+")
MONEY = (
    "opening_cents",
    "opening_squares",
    "closing_cents",
    "opening_balance_cents",
    "closing_balance_cents",
)
Loans = int | Sequence[float]  # that many loans of 1.00, or the balance of each


def month_ends(count: int, first: date = date(2022, 1, 31)) -> list[date]:
    last = first.replace(day=1)
    months = pl.date_range(last, last.replace(year=last.year + 9), "1mo", eager=True)
    return months.dt.month_end().to_list()[:count]


def measured(loans: Loans) -> tuple[int, int, float]:
    """How many loans, their balance in cents, and the sum of their squared balances."""
    if isinstance(loans, int):
        return loans, 100 * loans, float(loans)
    return len(loans), sum(round(100 * owed) for owed in loans), float(sum(x * x for x in loans))


def transitions(
    by_month: Mapping[date, Mapping[tuple[str, str], Loans]],
    *,
    restructured: Mapping[tuple[str, str], Loans] | None = None,
    **segments: str,
) -> pl.DataFrame:
    """A row per month and move; `restructured` names which of the moves' loans were."""
    rows = []
    for month, moves in by_month.items():
        for (start, end), loans in moves.items():
            count, cents, squares = measured(loans)
            turned = measured((restructured or {}).get((start, end), 0))
            opening = None if start in ENTRIES else cents
            closing = None if end == UNMATCHED else 0 if end == "paid_off" else cents
            rows.append(
                {
                    "month": month,
                    "from_state": start,
                    "to_state": end,
                    "loans": count,
                    "opening_cents": opening,
                    "opening_squares": None if opening is None else squares,
                    "closing_cents": closing,
                    "opening_balance_cents": opening,
                    "closing_balance_cents": closing,
                    "restructured_loans": turned[0],
                    "restructured_cents": turned[1],
                    **segments,
                }
            )
    schema: dict[str, type[pl.DataType]] = {
        name: pl.Float64 if name.endswith("squares") else pl.Int64 for name in MONEY
    }
    return pl.DataFrame(rows, schema_overrides=schema)


def stocks(by_month: Mapping[date, Mapping[str, Loans]], **segments: str) -> pl.DataFrame:
    """A row per month and bucket."""
    columns = ("loans", "weight_cents", "weight_squares")
    return pl.DataFrame(
        {"month": month, "bucket": bucket}
        | dict(zip(columns, measured(loans), strict=True))
        | segments
        for month, buckets in by_month.items()
        for bucket, loans in buckets.items()
    )


def cell(frame: pl.DataFrame, **where: object) -> dict[str, object]:
    """The one row of a frame that has these values."""
    found = frame.filter(**where)
    assert found.height == 1, f"{found.height} rows where {where}"
    return found.row(0, named=True)
