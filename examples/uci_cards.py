"""Map 30,000 Taiwanese credit cards, April to September 2005, to the warehouse contract.

    python examples/uci_cards.py uci_credit_card_default.csv OUT_DIR
    python -m warehouse load OUT_DIR

The source is UCI's "default of credit card clients" (Yeh and Lien 2009, CC BY
4.0): one row a card, its months side by side, September first.
"""

import argparse
from pathlib import Path

import polars as pl

# Each month-end with its columns: lateness (there is no PAY_1), statement balance, paid.
MONTHS = {
    "2005-09-30": ("PAY_0", "BILL_AMT1", "PAY_AMT1"),
    "2005-08-31": ("PAY_2", "BILL_AMT2", "PAY_AMT2"),
    "2005-07-31": ("PAY_3", "BILL_AMT3", "PAY_AMT3"),
    "2005-06-30": ("PAY_4", "BILL_AMT4", "PAY_AMT4"),
    "2005-05-31": ("PAY_5", "BILL_AMT5", "PAY_AMT5"),
    "2005-04-30": ("PAY_6", "BILL_AMT6", "PAY_AMT6"),
}


def cards(source: Path) -> pl.DataFrame:
    """The source has no ids: a card's id is its row number.

    Sex, education, marriage and age are left where they are: nobody may be
    treated differently for them, and no table of the contract asks for them.
    """
    return pl.read_csv(source).with_row_index("loan_id", offset=1)


def loans(cards: pl.DataFrame) -> pl.DataFrame:
    """A card's limit is its principal; no term: it revolves."""
    return cards.select(
        "loan_id", product=pl.lit("credit card"), principal_amount=pl.col("LIMIT_BAL")
    )


def loan_months(cards: pl.DataFrame) -> pl.DataFrame:
    """Codes 1 to 8 are months late; -2, -1 and 0 (unused, paid in full, revolving) are not late.

    The balance is the month's statement and may be below zero (overpaid).  What
    was paid in a month mostly settles the statement of the month before:
    PAY_AMT1 is September's cash and equals BILL_AMT2 more often than BILL_AMT1.
    """
    months_late = [
        cards.select(
            "loan_id",
            month=pl.lit(month),
            days_past_due=30 * pl.col(late).clip(0),
            months_past_due=pl.col(late).clip(0),
            balance_amount=pl.col(balance),
            paid_amount=pl.col(paid),
            status=pl.lit("open"),
        )
        for month, (late, balance, paid) in MONTHS.items()
    ]
    return pl.concat(months_late).sort("month", "loan_id")


def payments(loan_months: pl.DataFrame) -> pl.DataFrame:
    """One payment a month, on its last day: the source knows the month only."""
    return loan_months.filter(pl.col("paid_amount") > 0).select(
        payment_id=pl.format("{}/{}", "loan_id", "month"),
        loan_id="loan_id",
        paid_on="month",
        amount="paid_amount",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="uci_credit_card_default.csv")
    parser.add_argument("out_dir", type=Path, help="where to write the contract's files")
    arguments = parser.parse_args()
    arguments.out_dir.mkdir(parents=True, exist_ok=True)
    book = cards(arguments.source)
    months = loan_months(book)
    tables = {"loans": loans(book), "loan_months": months, "payments": payments(months)}
    for name, table in tables.items():
        table.write_csv(arguments.out_dir / f"{name}.csv")
        print(f"{name}: {table.height:,} rows")
