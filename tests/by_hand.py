"""Numbers of the pages computed apart: polars on a book's own files, none of the product's code.

Slow and plain on purpose: a loan's rows one month and the next, joined by hand.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl

DAYS = [(30, "1-30"), (60, "31-60"), (90, "61-90"), (120, "91-120"), (150, "121-150")]
DAYS += [(180, "151-180"), (270, "181-270"), (360, "271-360")]
OLD = ("181-270", "271-360", "361+")  # shown together as 181+


def bucket(basis: str) -> pl.Expr:
    """A row's bucket, written out: days, or missed instalments of thirty days each."""
    late = pl.col("days_past_due") if basis == "days" else pl.col("months_past_due")
    unit = 1 if basis == "days" else 30
    rule: Any = pl.when(late == 0).then(pl.lit("current"))
    for last, code in DAYS:
        rule = rule.when(late <= last // unit).then(pl.lit(code))
    return rule.otherwise(pl.lit("361+"))


def history(files: Path, basis: str = "months") -> pl.DataFrame:
    """Every row of every loan with its state, its loan's segments and its weight in currency."""
    loans = pl.read_parquet(files / "loans.parquet")
    customers = pl.read_parquet(files / "customers.parquet")
    about = loans.join(customers, on="customer_id", how="left").select(
        "loan_id", "product", "region", "industry", loan_grade="risk_grade"
    )
    return (
        pl.read_parquet(files / "loan_months.parquet")
        .join(about, on="loan_id")
        .with_columns(
            grade=pl.coalesce("risk_grade", "loan_grade"),
            state=pl.when(status="open").then(bucket(basis)).otherwise("status"),
            weight=pl.col("balance_amount").cast(pl.Float64).clip(0),
        )
        .with_columns(shown=pl.col("state").replace(dict.fromkeys(OLD, "181+")))
    )


def before(month: dt.date) -> dt.date:
    return month.replace(day=1) - dt.timedelta(days=1)


def chosen(rows: pl.DataFrame, **segments: Any) -> pl.DataFrame:
    for name, values in segments.items():
        rows = rows.filter(pl.col(name).is_in([values] if isinstance(values, str) else values))
    return rows


def moves(rows: pl.DataFrame, months: list[dt.date], **segments: Any) -> pl.DataFrame:
    """Open loans of the month before each month and where they are in it; the lost left out."""
    pairs = []
    for month in months:
        then = chosen(rows.filter(month=before(month), status="open"), **segments)
        now = rows.filter(month=month).select("loan_id", to="shown")
        pairs.append(then.join(now, on="loan_id").with_columns(end=pl.lit(month)))
    return pl.concat(pairs)


def roll_rate(pairs: pl.DataFrame, start: str, end: str, *, money: bool) -> float:
    """Of the loans (or opening balance) in `start`, the share that is in `end` a month later."""
    amount = pl.col("weight").sum() if money else pl.len()
    could = pairs.filter(shown=start)
    return float(could.filter(to=end).select(amount).item() / could.select(amount).item())


def moved_ids(pairs: pl.DataFrame, start: str, end: str) -> set[str]:
    return set(pairs.filter(shown=start, to=end)["loan_id"])


def open_now(rows: pl.DataFrame, month: dt.date, **segments: Any) -> pl.DataFrame:
    return chosen(rows.filter(month=month, status="open"), **segments)


def late_share(stock: pl.DataFrame, *, money: bool) -> float:
    """Balance (or loans) beyond the first late bucket, over all open."""
    amount = pl.col("weight").sum() if money else pl.len()
    late = stock.filter(~pl.col("shown").is_in(["current", "1-30"]))
    return float(late.select(amount).item() / stock.select(amount).item())
