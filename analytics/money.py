"""Money: what does collecting cost, against what it brings in?"""

from __future__ import annotations

import polars as pl


def cost_to_collect(spending: pl.DataFrame, cash: pl.DataFrame) -> pl.DataFrame:
    """What does a unit of cash collected cost?

    rate = all recurring costs of the month (labour, system, telecom, legal, agency, bonus,
    training, other) / net cash collected on cases in the month.  One-off costs are shown apart.

    In: `spending`: `month`, `kind`, `is_one_off`, `amount_cents`; `cash`: `month`, `cash_cents`.
    Out: by month with costs `cost_cents`, `one_off_cents`, `kinds` (what the costs hold),
    `cash_cents`, `rate`.
    Null: rate where no net cash came in; cash of a month without any.
    Misleads: costs and the cash that they bring in fall in different months; cash is gross of
    what would have come in anyway; a kind that is not recorded makes it cheaper (`kinds`).

    >>> costs = pl.DataFrame({"month": [1, 1], "kind": ["labour", "system"],
    ...                       "is_one_off": [False, True], "amount_cents": [20, 500]})
    >>> cost_to_collect(costs, pl.DataFrame({"month": [1], "cash_cents": [100]})).row(0)
    (1, 20, 500, 'labour', 100, 0.2)
    """
    lasting = ~pl.col("is_one_off").fill_null(value=False)
    amount = pl.col("amount_cents")
    by_month = spending.group_by("month").agg(
        cost_cents=amount.filter(lasting).sum(),
        one_off_cents=amount.filter(~lasting).sum(),
        kinds=pl.col("kind").filter(lasting).unique().sort().str.join(", "),
    )
    added = cash.group_by("month").agg(pl.col("cash_cents").sum())
    rate = pl.col("cost_cents") / pl.col("cash_cents")
    return (
        by_month.join(added, on="month", how="left")
        .with_columns(rate=pl.when(pl.col("cash_cents") > 0).then(rate))
        .sort("month")
    )
