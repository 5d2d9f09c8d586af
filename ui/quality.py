"""Can the numbers be trusted: reconciliation, what is missing, what was loaded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl
import streamlit as st

from charts import format as words
from charts.sentences import plural
from queries.marts import Book
from ui.evidence import heading
from warehouse.checks import load_summaries
from warehouse.contract import contract
from warehouse.settings import marts_path

CONTRACT_TABLES = tuple(contract.tables)
PAGES = {
    "portfolio/aging": "Aging",
    "portfolio/roll_rates": "Roll rates",
    "recovery/recovery": "Recovery",
    "conduct/complaints": "Complaints",
    "conduct/contact_rules": "Contact rules",
    "reference/data_quality": "Data quality",
}
NEEDED = {
    "portfolio/health": (
        ("Balance, and every share by balance", ("balance_amount",)),
        ("Cash paid", ("payments",)),
        ("The change by region", ("customers",)),
        ("Cash collected on cases, recovery against targets", ("cases", "payments")),
        ("Cost to collect", ("cases", "payments", "costs")),
        ("Breaches of contact rules", ("contacts",)),
        ("Complaints, their rise, and scores set aside for them", ("contacts", "complaints")),
    ),
    "portfolio/aging": (
        ("balances and the ten largest loans", ("balance_amount",)),
        ("a split by region and by industry", ("customers",)),
        ("a split by grade", ("risk_grade",)),
        ("the ten largest borrowers", ("customers", "balance_amount")),
    ),
    "portfolio/roll_rates": (
        ("rates of the balance", ("balance_amount",)),
        ("which region drives a change", ("customers",)),
        ("which grade drives a change", ("risk_grade",)),
        ("buckets by instalments missed", ("months_past_due",)),
    ),
}


def missing_figures(book: Book, page: str = "portfolio/health") -> list[dict[str, str]]:
    """What this book cannot show on a page, and the tables or columns it would need."""
    recorded = {
        "balance_amount": book.has_balances,
        "months_past_due": book.has_months_past_due,
        "risk_grade": any(book.segments["grade"]),
    }
    present = {*book.table_rows, *(name for name, is_there in recorded.items() if is_there)}
    return [
        {"Figure": figure, "Needs": words.listing([name for name in needs if name not in present])}
        for figure, needs in NEEDED[page]
        if not set(needs) <= present
    ]


def say_missing(book: Book, page: str) -> None:
    """In a sentence, what the page would also show; nothing where nothing is missing."""
    needs = missing_figures(book, page)
    if needs:
        told = [f"{one['Figure']} (it needs {words.plain(one['Needs'])})" for one in needs]
        st.caption(f"For want of data, this page does not show {words.listing(told)}.")


def reconciliation_strip(
    loans: pl.DataFrame,
    money: pl.DataFrame | None,
    payments: pl.DataFrame,
    month: date,
    *,
    first: date,
) -> None:
    """One line for each check of the as-of month: it holds, it fails, or it cannot be made.

    `first`: the first month of the data, in which all loans seem new.
    """
    row = loans.filter(pl.col("month") == month).row(0, named=True)
    text = _equation(
        row, "opening", (("+", "new"), ("+", "appeared")), _LEFT, words.number, "loans"
    )
    holds = row["passes"]
    if holds and month == first and not row["opening"]:
        holds = None
        text = (
            f"the data begins in {words.month(month)}, with {plural(row['closing'], 'loan')}; there"
            " is no month before to add up from"
        )
    _check_line(holds, "Loans", text)
    if money is not None and money.height:
        line = money.filter(pl.col("month") == month).row(0, named=True)
        if line["residual_rate"] is not None:
            cents = {name.removesuffix("_cents"): value for name, value in line.items()}
            entered = (("+", "new"), ("+", "appeared"), ("+", "residual"))
            left = (("−", "payments"), *_LEFT[1:])
            rate = words.percent(line["residual_rate"])
            note = f". The residual, {rate} of the opening, is interest, fees and drawings"
            note += _gone(payments, month)
            outlier = line["is_outlier"]
            text = _equation(cents, "opening", entered, left, words.money, "") + note
            _check_line(None if outlier is None else not outlier, "Money", text)
    found = payments.filter(pl.col("month") == month)
    if found.height and found["difference_cents"][0] is not None:
        differing = found["differing_loans"][0] or 0
        text = (
            "payments add up to what the histories say was paid"
            if not differing
            else f"the payments of {plural(differing, 'loan')} differ from what the histories say"
        )
        _check_line(not differing, "Payments", text)


def _gone(payments: pl.DataFrame, month: date) -> str:
    """That the cash paid is more than the payments above, where loans that had left paid too."""
    if "departed_cents" not in payments.columns:
        return ""
    gone = payments.filter(pl.col("month") == month)["departed_cents"].sum()
    if not gone:
        return ""
    return f". Cash paid has {words.money(int(gone))} more, of loans that had left the book before"


_LEFT = (
    ("−", "paid_off"),
    ("−", "charged_off"),
    ("−", "sold"),
    ("−", "unmatched"),
)


def _equation(
    row: dict[str, Any],
    opening: str,
    entered: tuple[tuple[str, str], ...],
    left: tuple[tuple[str, str], ...],
    write: Callable[[Any], str],
    unit: str,
) -> str:
    """opening + ... − ... = closing, without the parts that are zero."""
    parts = [f"{write(row[opening])} opening"]
    for sign, name in (*entered, *left):
        if row[name]:
            parts.append(f"{sign} {write(row[name])} {name.replace('_', ' ')}")
    return f"{' '.join(parts)} = {write(row['closing'])} {unit}".rstrip()


def _check_line(holds: bool | None, name: str, text: str) -> None:
    icon, verdict = {
        True: (":material/check:", "reconciled"),
        False: (":material/error:", "not reconciled"),
        None: (":material/help:", "cannot be judged yet"),
    }[holds]
    st.markdown(f"{icon} **{name}** {verdict}: {text}.")


def load_history() -> None:
    """The last loads: what came in, what was refused and why."""
    summaries = load_summaries(marts_path())
    if not summaries:
        return
    heading("Loads", "The last twenty, newest first. A refused load changes nothing.")
    rows = [
        {
            "When (UTC)": one["loaded_at"],
            "From": one["source"],
            "Outcome": one["outcome"],
            "New rows": sum(table["new"] for table in one.get("tables", {}).values()),
            "Changed rows": sum(table["changed"] for table in one.get("tables", {}).values()),
            "Problems": one.get("count", 0),
            "First problem": _first_problem(one),
        }
        for one in summaries
    ]
    counts = ("New rows", "Changed rows", "Problems")
    st.dataframe(
        pl.DataFrame(rows),
        hide_index=True,
        placeholder=words.MISSING,
        alt="Loads",
        column_config={
            "When (UTC)": st.column_config.TextColumn(width=170),
            "From": st.column_config.TextColumn(width=260),
            "First problem": st.column_config.TextColumn(width=330),
            **{name: st.column_config.NumberColumn(format="localized") for name in counts},
        },
    )


def _first_problem(summary: dict[str, Any]) -> str | None:
    for group in summary.get("problems", []):
        for problem in group["first"][:1]:
            place = [problem["file"], f"row {problem['row']}", problem["column"]]
            found = ", ".join(part for part in place if part and part != "row None")
            return f"{found}: {problem['value']}, expected {problem['expected']}"
    return None
