"""What the contract's tables and columns mean, for docs/contract.md and the app."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from warehouse.contract import REQUIRED, contract

TABLES = {
    "customers": "One row per borrower. May be left out when loans carry no borrower.",
    "loans": "One row per loan.",
    "loan_months": "One row per loan per month-end, from its first month on book to the month it"
    " leaves, inclusive. A row after a terminal one is a finding and is left out; a month missing"
    " between two others is a gap: counted and shown, never bridged.",
    "agencies": "One row per collection agency.",
    "collectors": "One row per person who collects, in-house or at an agency.",
    "cases": "One row per placement: a late loan in one owner's hands. A transfer closes one case"
    " and opens the next.",
    "contacts": "One row per attempt to reach somebody, or per contact received.",
    "promises": "One row per promise to pay.",
    "plans": "One row per agreed plan or change of terms.",
    "payments": "One row per cash movement on a loan.",
    "legal_actions": "One row per legal step on a case.",
    "complaints": "One row per complaint received.",
    "surveys": "One row per answered satisfaction survey.",
    "costs": "What collecting cost: one row per month, kind, team, channel and whether one-off.",
    "events": "What else happened to people and partners.",
    "ledger_totals": "What the general ledger says, to reconcile with.",
}

COLUMNS = {
    "loans.customer_id": "the borrower",
    "loans.originated_on": "without it there are no vintages",
    "loans.principal_amount": "amount lent; the limit of a revolving loan",
    "loans.term_months": "null: revolving",
    "loans.score": "credit score at origination",
    "loan_months.month": "month-end date",
    "loan_months.days_past_due": "days since the due date of the oldest unpaid instalment",
    "loan_months.months_past_due": "instalments missed; where given, it decides the bucket",
    "loan_months.balance_amount": "balance at month-end; on a charged_off or sold row the amount"
    " charged off or sold, on a paid_off row 0; null on every row: the book is counted, not"
    " weighed",
    "loan_months.overdue_amount": "arrears at month-end",
    "loan_months.scheduled_amount": "instalment due in the month",
    "loan_months.paid_amount": "paid in the month, net",
    "loan_months.status": "at month-end",
    "loan_months.is_restructured": "terms have been changed by month-end",
    "loan_months.risk_grade": "as known then; else the loan's",
    "loan_months.score": "as known then; else the loan's",
    "agencies.listed_from_on": "on the lender's public list from",
    "agencies.listed_to_on": "on the lender's public list until",
    "collectors.agency_id": "null: in-house",
    "cases.episode_id": "one spell of lateness; else placements chained through `transferred`",
    "cases.collector_id": "null: an automated queue",
    "cases.team": "the collector's team at the time",
    "cases.placed_amount": "arrears at opening; the whole balance where the loan is accelerated",
    "cases.strategy": "planned treatment",
    "cases.trial_arm": "arm of a trial, where the case was in one",
    "contacts.case_id": "null: a reminder before lateness",
    "contacts.contacted_at": "on the debtor's clock",
    "contacts.contact_point": "a hash that tells which number or address, never the number",
    "payments.case_id": "null: paid outside collections",
    "payments.amount": "negative: a reversal",
    "complaints.grade": "1 service, 2 process or information, 3 harassment, frequency or privacy,"
    " 4 threat or violence",
    "surveys.satisfaction": "1 to 5",
}

_TYPES = {
    "TEXT": "text",
    "DATE": "date",
    "DATETIME": "date and time",
    "INTEGER": "whole number",
    "DOUBLE": "number",
    "BOOLEAN": "true or false",
    "NUMERIC(18, 2)": "money",
}


def rules(column: sa.Column[Any]) -> list[str]:
    """What a value of a column must be, in words."""
    info = column.info
    found = []
    if info.get("key"):
        found.append("key")
    if column.nullable:
        found.append("may be empty")
    if "default" in info:
        found.append(f"empty means {str(info['default']).lower()}")
    if "codes" in info:
        found.append("one of " + ", ".join(f"`{code}`" for code in info["codes"]))
    if "references" in info and not (info.get("key") and column.table.name == "loans"):
        found.append(f"a row of `{info['references'].split('.')[0]}`")
    if info.get("month_end"):
        found.append("the last day of a month")
    if "above" in info:
        found.append(f"above {info['above']}")
    low, high = info.get("minimum"), info.get("maximum")
    if low is not None:
        found.append(f"{low:g} to {high:g}" if high is not None else f"{low:g} or more")
    if info.get("future"):
        found.append("may lie ahead")
    return found


def described_columns() -> Iterator[dict[str, str]]:
    """One row per column of the contract: table, column, type, rules and meaning."""
    for table in contract.tables.values():
        for column in table.columns:
            yield {
                "table": table.name,
                "column": column.name,
                "type": _TYPES[str(column.type)],
                "rules": "; ".join(rules(column)),
                "meaning": COLUMNS.get(f"{table.name}.{column.name}", ""),
            }


def contract_page() -> str:
    """docs/contract.md."""
    lines = [
        "# The warehouse contract",
        "",
        "Made by `python -m warehouse contract`; do not edit by hand.",
        "",
        "Sixteen tables. Only " + " and ".join(f"`{name}`" for name in REQUIRED) + " are required:"
        " with nothing else, every page that can be right is right, and every other page says"
        " which table it misses.",
        "",
        "- Ids are opaque text. A month is a month-end date. Times have no zone and are on the"
        " debtor's clock.",
        "- Money has at most 16 digits before the point and two after it, in one currency. Rates"
        " are shares: 0.05 is 5 %.",
        "- Dates lie between 1970-01-01 and the day after the load, unless a column says that"
        " they may lie ahead.",
        "- No names, numbers, addresses or texts of calls. A column that is not listed here is"
        " reported and not loaded.",
        "- Files are CSV (UTF-8, with or without a byte-order mark, or GB18030) or Parquet, one"
        " per table, named after it: `loans.csv`, `loan_months.parquet`. An empty CSV field is no"
        " value.",
        "",
    ]
    for name, table in contract.tables.items():
        lines += [f"## {name}", "", TABLES[name], "", "| column | type | rules | meaning |"]
        lines += ["|---|---|---|---|"]
        lines += [
            f"| `{row['column']}` | {row['type']} | {row['rules']} | {row['meaning']} |"
            for row in described_columns()
            if row["table"] == table.name
        ]
        lines.append("")
    return "\n".join(lines)
