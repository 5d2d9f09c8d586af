"""Hand-made books for tests: a few loans a reader can follow with a finger."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import polars as pl
import sqlalchemy as sa

from warehouse.contract import bookkeeping, contract
from warehouse.engines import create_tables, session

JAN, FEB, MAR = dt.date(2024, 1, 31), dt.date(2024, 2, 29), dt.date(2024, 3, 31)
POLARS = {
    sa.Text: pl.String,
    sa.Date: pl.Date,
    sa.DateTime: pl.Datetime("us"),
    sa.Double: pl.Float64,
    sa.Boolean: pl.Boolean,
    sa.Integer: pl.Int32,
    sa.Numeric: pl.Decimal(18, 2),
}


def rows_of(table_name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows as a frame of a contract table's types; money may be given as text."""
    table = contract.tables[table_name]
    names = [column.name for column in table.columns if any(column.name in row for row in rows)]
    schema = {name: POLARS[type(table.c[name].type)] for name in names}
    columns = {
        name: [
            Decimal(str(row[name]))
            if schema[name] == pl.Decimal(18, 2) and row.get(name) is not None
            else row.get(name)
            for row in rows
        ]
        for name in names
    }
    return pl.DataFrame(columns, schema=schema)


def put(url: str, **tables: list[dict[str, Any]]) -> None:
    """Append rows to the facts, past the loader: for tests of what comes after it."""
    with session(url, read_only=False, wait_seconds=10) as facts:
        create_tables(facts, contract)
        create_tables(facts, bookkeeping)
        for name, rows in tables.items():
            facts.ingest(name, rows_of(name, rows))


def month(
    loan_id: str,
    month: dt.date,
    days: int,
    balance: str | None = None,
    status: str = "open",
    **more: Any,
) -> dict[str, Any]:
    row = {
        "loan_id": loan_id,
        "month": month,
        "days_past_due": days,
        "balance_amount": balance,
        "status": status,
        "is_restructured": False,
    }
    return row | more


def loan(loan_id: str, product: str = "card", **more: Any) -> dict[str, Any]:
    return {"loan_id": loan_id, "product": product, "is_secured": False} | more


def small_book() -> dict[str, list[dict[str, Any]]]:
    """Seven loans over three months, with one of every turn a history can take."""
    return {
        "customers": [
            {"customer_id": "X", "region": "North", "industry": "farming", "is_vulnerable": False},
            {"customer_id": "Y", "region": "South", "industry": None, "is_vulnerable": False},
        ],
        "loans": [
            loan("rolls", customer_id="X", risk_grade="A"),
            loan("cures", customer_id="X", risk_grade="B"),
            loan("charged", customer_id="Y", risk_grade="B"),
            loan("gap", customer_id="Y", risk_grade="A"),
            loan("overpaid", "auto"),
            loan("late_start", "auto", originated_on=dt.date(2024, 2, 10)),
            loan("foundling", "auto", originated_on=dt.date(2023, 5, 10)),
        ],
        "loan_months": [
            month("rolls", JAN, 0, "100.10"),
            month("rolls", FEB, 29, "90.20"),
            month("rolls", MAR, 60, "80.30"),
            month("cures", JAN, 45, "200.00"),
            month("cures", FEB, 0, "190.00", is_restructured=True),
            month("cures", MAR, 0, "180.00", is_restructured=True),
            month("charged", JAN, 170, "1000.00"),
            month("charged", FEB, 199, "990.00", "charged_off"),
            month("charged", MAR, 228, "990.00"),  # after the end: left out everywhere
            month("gap", JAN, 0, "50.00"),
            month("gap", MAR, 0, "40.00"),  # February is missing
            month("overpaid", JAN, 0, "-5.10"),
            month("overpaid", FEB, 0, "10.00"),
            month("overpaid", MAR, 0, "0.00", "paid_off"),
            month("late_start", FEB, 0, "300.00"),
            month("late_start", MAR, 31, "310.00"),
            month("foundling", MAR, 0, "7.00"),
        ],
        "payments": [
            {"payment_id": "p1", "loan_id": "rolls", "paid_on": FEB, "amount": "9.90"},
            {"payment_id": "p2", "loan_id": "charged", "paid_on": MAR, "amount": "20.00"},
            {
                "payment_id": "p3",
                "loan_id": "rolls",
                "paid_on": dt.date(2024, 2, 1),
                "amount": "-1.00",
            },
        ],
    }
