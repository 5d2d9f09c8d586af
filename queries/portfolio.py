"""What pages ask of the marts under a filter: stocks, transitions and cash, as small frames.

Sums leave out what is not recorded, and are null where nothing is.  Text comes
as String, months as month-ends.
"""

from __future__ import annotations

import polars as pl

from queries.filters import Filter
from queries.marts import Marts, added, as_text, in_segments

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
MOVE_SUMS = ("loans", "opening_cents", "opening_squares", "closing_cents", "paid_cents")
CASH_SUMS = (
    "payments",
    "payments_cents",
    "departed_cents",
    "paid_cents",
    "differing_loans",
    "difference_cents",
)


def _chosen(marts: Marts, mart: str, chosen: Filter, back: int = 0) -> pl.DataFrame:
    """A mart's rows under a filter: every question on cells by segment starts here."""
    return in_segments(marts.between(mart, chosen.basis, *chosen.months(back)), chosen)


def months(marts: Marts) -> pl.DataFrame:
    """One row a month: the facts' totals and what was left out of the marts."""
    return marts.part("months")


def stocks(marts: Marts, chosen: Filter, *, back: int = 0, by: str | None = None) -> pl.DataFrame:
    """Open loans and money by month and bucket (and a segment), for the window and before."""
    rows = _chosen(marts, "industries" if by == "industry" else "stocks", chosen, back)
    return added(rows, ["month", "bucket", *([by] if by else [])], STOCK_SUMS)


def segment_stocks(marts: Marts, chosen: Filter, *, back: int = 0) -> pl.DataFrame:
    """Open loans and money by month, bucket, product, region and grade together."""
    return as_text(_chosen(marts, "stocks", chosen, back))


def transitions(
    marts: Marts, chosen: Filter, *, back: int = 0, by: str | None = None
) -> pl.DataFrame:
    """Loans and money by month and pair of states (and a segment), window and before."""
    keys = ["month", "from_state", "to_state", *([by] if by else [])]
    return added(_chosen(marts, "transitions", chosen, back), keys, TRANSITION_SUMS)


def paid_transitions(
    marts: Marts,
    chosen: Filter,
    *,
    back: int = 0,
    by: tuple[str, ...] = ("product", "grade"),
) -> pl.DataFrame:
    """Loans, money and what was paid by month, pair of states and segments, window and before.

    `paid_cents` is null where no history of the cell records payments.
    """
    keys = ["month", "from_state", "to_state", *by]
    return added(_chosen(marts, "transitions", chosen, back), keys, MOVE_SUMS)


def segment_transitions(
    marts: Marts, chosen: Filter, *, from_states: tuple[str, ...], back: int = 0
) -> pl.DataFrame:
    """The moves out of some states by month and product, region and grade together."""
    rows = _chosen(marts, "transitions", chosen, back)
    moved = rows.filter(pl.col("from_state").is_in(list(from_states)))
    names = ("month", "from_state", "to_state", "product", "region", "grade")
    return as_text(moved.select(*names, "loans", "opening_cents", "opening_squares"))


def cash(marts: Marts, chosen: Filter, *, back: int = 0) -> pl.DataFrame:
    """Cash by month: the payments table's and the histories', and where they differ."""
    return added(_chosen(marts, "cash", chosen, back), ["month"], CASH_SUMS).sort("month")


def medians(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """The median balance by bucket at the as-of month, whole book."""
    rows = marts.between("medians", chosen.basis, chosen.as_of, chosen.as_of)
    return as_text(rows.select("bucket", "median_balance_amount"))


def concentration(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """The share of the largest borrowers (or loans) at the as-of month, whole book."""
    rows = marts.between("concentration", None, chosen.as_of, chosen.as_of)
    return as_text(rows).sort("unit")


def ledger(marts: Marts, chosen: Filter) -> pl.DataFrame:
    """The general ledger beside the book, by month, product and measure."""
    rows = as_text(marts.between("ledger", None, *chosen.months()))
    return rows.sort("month", "product", "measure", descending=[True, False, False])
