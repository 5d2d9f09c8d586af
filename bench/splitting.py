"""The book as it was a month ago, and what its last month brought: `python -m bench.splitting`.

A command of its own, so that the memory it takes is not counted as that of the
steps that the bench starts after it.
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import duckdb

BY_MONTH = {"loan_months": "month", "payments": "paid_on"}


def split_last_month(sample: Path, first: Path, new: Path) -> date:
    """Everything but the last month's histories and payments in `first`, those in `new`.

    Every other table is in `first` whole, so that the new month is the month
    and nothing else.  Returns the last month.
    """
    first.mkdir()
    new.mkdir()
    for path in sample.iterdir():
        if path.stem not in BY_MONTH:
            (first / path.name).hardlink_to(path)
    (new / "truths.json").hardlink_to(sample / "truths.json")
    with duckdb.connect() as session:
        months = session.read_parquet(str(sample / "loan_months.parquet")).aggregate("max(month)")
        last = months.fetchall()[0][0]
        for table, column in BY_MONTH.items():
            rows = session.read_parquet(str(sample / f"{table}.parquet"))
            opening = duckdb.ConstantExpression(last.replace(day=1))
            day = duckdb.ColumnExpression(column)
            rows.filter(day < opening).write_parquet(str(first / f"{table}.parquet"))
            rows.filter(day >= opening).write_parquet(str(new / f"{table}.parquet"))
    assert isinstance(last, date)
    return last


if __name__ == "__main__":
    split_last_month(*map(Path, sys.argv[1:]))
