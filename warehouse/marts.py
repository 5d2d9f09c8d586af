"""The marts: small aggregates that the pages read, in a versioned DuckDB file.

Money is in whole cents (BigInteger); squares are in currency squared (Double).
A null dimension means that the warehouse does not record it.  `basis` says how
rows were put into buckets: `days` (days past due) or `months` (instalments
missed); a book without `months_past_due` has `days` only.

A `weight` is the balance with balances below zero counted as zero; what that
leaves out is `negative_cents`, so weight + negative = the facts to the cent.
Both are null in a book without balances.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Double, MetaData, Table, Text

marts = MetaData()


def _segments() -> list[Column[str]]:
    return [Column(name, Text) for name in ("product", "region", "grade")]


# One row: what this book is.  `as_of` is its last month.
book = Table(
    "book",
    marts,
    Column("version", Text),
    Column("refreshed_at", DateTime),
    Column("first_month", Date),
    Column("as_of", Date),
    Column("is_synthetic", Boolean),
    Column("has_balances", Boolean),
    Column("has_months_past_due", Boolean),
    Column("bucket_bounds", Text),  # JSON list of days
    Column("tables", Text),  # JSON object: table -> rows
)

# The buckets in order: rank 0 is current.
buckets = Table(
    "buckets",
    marts,
    Column("rank", BigInteger),
    Column("code", Text),
    Column("lower_days", BigInteger),
    Column("upper_days", BigInteger),  # null: no upper bound
)

# Products, and whether their loans revolve (no term): it decides the regulatory classes.
products = Table(
    "products",
    marts,
    Column("product", Text),
    Column("loans", BigInteger),
    Column("revolving_loans", BigInteger),
)


def _stock_sums() -> list[Column[int]]:
    return [
        Column("loans", BigInteger),
        Column("weight_cents", BigInteger),
        Column("weight_squares", Double),
        Column("negative_loans", BigInteger),
        Column("negative_cents", BigInteger),
        Column("overdue_cents", BigInteger),
        Column("paid_cents", BigInteger),
        Column("restructured_loans", BigInteger),
    ]


# Open loans at each month-end.
stocks = Table(
    "stocks",
    marts,
    Column("basis", Text),
    Column("month", Date),
    Column("bucket", Text),
    *_segments(),
    *_stock_sums(),
)

# The same by industry too: several times as many cells, for the one view that asks for it.
industries = Table(
    "industries",
    marts,
    Column("basis", Text),
    Column("month", Date),
    Column("bucket", Text),
    *_segments(),
    Column("industry", Text),
    *_stock_sums(),
)

# Loans by where they were at the end of the month before and where they are now.
# `month` is the later month-end.  from_state: a bucket, `new` or `appeared`;
# to_state: a bucket, `paid_off`, `charged_off`, `sold` or `unmatched`.
# opening_*: at the month before (the weights of roll rates); closing_*: now (the
# amount charged off or sold on such a row).  paid_cents: what the later row says was paid in
# the month, null where no history of the cell records it.  restructured_*: of these, those
# whose `is_restructured` turned true in the month.  The segments are the opening ones (of
# `new` and `appeared`: the closing ones).
transitions = Table(
    "transitions",
    marts,
    Column("basis", Text),
    Column("month", Date),
    Column("from_state", Text),
    Column("to_state", Text),
    *_segments(),
    Column("loans", BigInteger),
    Column("opening_cents", BigInteger),
    Column("opening_squares", Double),
    Column("closing_cents", BigInteger),
    Column("opening_balance_cents", BigInteger),  # negative balances included
    Column("closing_balance_cents", BigInteger),
    Column("paid_cents", BigInteger),
    Column("restructured_loans", BigInteger),
    Column("restructured_cents", BigInteger),
)

# The median late balance, which cannot be summed from cells (whole book only).
medians = Table(
    "medians",
    marts,
    Column("month", Date),
    Column("basis", Text),
    Column("bucket", Text),
    Column("median_balance_amount", Double),
)

# Cash by month: what the payments table says, and what loan_months.paid_amount says.
cash = Table(
    "cash",
    marts,
    Column("month", Date),
    *_segments(),
    Column("payments", BigInteger),
    Column("payments_cents", BigInteger),
    Column("departed_cents", BigInteger),  # of these: on loans without a row in the month
    Column("paid_cents", BigInteger),
    Column("differing_loans", BigInteger),
    Column("difference_cents", BigInteger),
)

# Share of the largest borrowers and the Herfindahl index of the open balance.
concentration = Table(
    "concentration",
    marts,
    Column("month", Date),
    Column("unit", Text),  # customer or loan
    Column("units", BigInteger),
    Column("herfindahl", Double),
    Column("largest_cents", BigInteger),
    Column("largest_ten_cents", BigInteger),
    Column("total_cents", BigInteger),
)

# One row a month: how the facts looked when its marts were made, and what was left out.
months = Table(
    "months",
    marts,
    Column("month", Date),
    Column("stamp", Text),
    Column("loans", BigInteger),  # open loans in the facts
    Column("balance_cents", BigInteger),  # their balance in the facts, negatives included
    Column("reopened_rows", BigInteger),  # rows after a terminal one, left out everywhere
    Column("gap_rows", BigInteger),  # loans back after a month without a row
    Column("unbalanced_rows", BigInteger),  # open rows without a balance
    Column("unscheduled_rows", BigInteger),  # open rows without months_past_due
)

# The general ledger's totals beside the book's.
ledger = Table(
    "ledger",
    marts,
    Column("month", Date),
    Column("product", Text),
    Column("measure", Text),
    Column("ledger_cents", BigInteger),
    Column("book_cents", BigInteger),
)
