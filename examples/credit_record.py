"""Map a million account-months of "Credit Card Approval Prediction" to the warehouse contract.

    python examples/credit_record.py credit_record.zip OUT_DIR --month0 2020-12-31
    python -m warehouse load OUT_DIR

The source (Kaggle, rikdifos) has an account, a month counted back from an
undated extract, and a status.  No balances: the book is counted, not weighed.
"""

import argparse
import io
import zipfile
from datetime import date
from pathlib import Path

import polars as pl

# X: no loan in that month; C: nothing owed; 0 to 5: late by 1-29, 30-59, ... and 150 days or
# more (or written off).  A range becomes a day near its middle.
DAYS_PAST_DUE = {"X": 0, "C": 0, "0": 15, "1": 45, "2": 75, "3": 105, "4": 135, "5": 165}


def records(source: Path) -> pl.DataFrame:
    """The source's rows, from the zip or the CSV in it."""
    content = source.read_bytes()
    if source.suffix == ".zip":
        with zipfile.ZipFile(source) as archive:
            content = archive.read(archive.namelist()[0])
    types = {"ID": pl.String, "MONTHS_BALANCE": pl.Int32, "STATUS": pl.String}
    return pl.read_csv(io.BytesIO(content), schema_overrides=types)


def loans(records: pl.DataFrame) -> pl.DataFrame:
    """All that is known of an account is that it is one."""
    return records.select(loan_id="ID", product=pl.lit("credit card")).unique().sort("loan_id")


def loan_months(records: pl.DataFrame, month0: date) -> pl.DataFrame:
    """Month 0 is the last of the extract, -1 the one before it, and so on."""
    first_of_month = pl.lit(month0.replace(day=1)).dt.offset_by(
        pl.format("{}mo", pl.col("MONTHS_BALANCE"))
    )
    return records.select(
        loan_id="ID",
        month=first_of_month.dt.month_end(),
        days_past_due=pl.col("STATUS").replace_strict(DAYS_PAST_DUE, return_dtype=pl.Int32),
        status=pl.lit("open"),
    ).sort("month", "loan_id")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="credit_record.zip, or the CSV in it")
    parser.add_argument("out_dir", type=Path, help="where to write the contract's files")
    parser.add_argument(
        "--month0", type=date.fromisoformat, required=True, help="the month-end that is month 0"
    )
    arguments = parser.parse_args()
    arguments.out_dir.mkdir(parents=True, exist_ok=True)
    rows = records(arguments.source)
    tables = {"loans": loans(rows), "loan_months": loan_months(rows, arguments.month0)}
    for name, table in tables.items():
        table.write_parquet(arguments.out_dir / f"{name}.parquet")  # typed, and far smaller
        print(f"{name}: {table.height:,} rows")
