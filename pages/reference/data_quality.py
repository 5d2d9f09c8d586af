"""Data quality: can the data be trusted?"""

from collections.abc import Callable

import polars as pl
import streamlit as st

import ui
from analytics.reconciliation import (
    ledger_differences,
    loan_flow,
    money_flow,
    payment_differences,
)
from charts import format as words
from charts import sentences
from queries import portfolio
from queries.filters import whole_book


def _by_month(
    title: str,
    subtitle: str,
    frame: pl.DataFrame,
    definition: Callable[..., pl.DataFrame],
    *,
    alt: str,
) -> None:
    """A part of the page: its heading, its table, its numbers to take away."""
    ui.heading(title, subtitle)
    ui.month_table(frame, alt=alt)
    ui.evidence(definition.__name__, frame, definition)


view = ui.open_page("Data quality", "Can the data be trusted?", has_filters=False)
book = view.book
outcome = ui.last_check()
ui.say(sentences.quality_sentences(outcome, view.path.name))

# --- findings ------------------------------------------------------------------------------
if outcome and outcome.findings:
    ui.heading("Findings", f"From the check of {outcome.checked_at.replace('T', ', ')} UTC.")
    findings = pl.DataFrame(
        {
            "What": [sentences.finding_words(one.kind) for one in outcome.findings],
            "Table": [one.table for one in outcome.findings],
            "Column": [one.column for one in outcome.findings],
            "Month": [one.month for one in outcome.findings],
            "Rows": [one.rows for one in outcome.findings],
            "Fails the check": [one.is_failure for one in outcome.findings],
            "First": [", ".join(one.examples[:5]) or None for one in outcome.findings],
        },
        schema_overrides={"Column": pl.String, "Month": pl.String, "First": pl.String},
    )
    st.dataframe(
        findings,
        hide_index=True,
        placeholder=words.MISSING,
        alt="Findings of the check",
        column_config={
            "What": st.column_config.TextColumn(width=300),
            "Rows": st.column_config.NumberColumn(format="localized"),
            "Fails the check": st.column_config.CheckboxColumn(width=120),
            "First": st.column_config.TextColumn(width=195),
        },
    )
    ui.evidence("findings", findings)

# --- reconciliation ------------------------------------------------------------------------
everything = whole_book(book.first_month, book.as_of)
moves = ui.load_for(view, everything, portfolio.transitions)
stocks = ui.load_for(view, everything, portfolio.stocks)
cash = ui.load_for(view, everything, portfolio.cash)
_by_month(
    "Loans, month by month",
    "Opening + new + appeared − paid off − charged off − sold − unmatched = closing. It fails"
    " where a difference is not 0, or more than 0.1 % are unmatched or appeared. In the first month"
    " of the data all loans seem new.",
    loan_flow(moves, stocks).sort("month", descending=True),
    loan_flow,
    alt="Reconciliation of loans by month",
)
if book.has_balances:
    _by_month(
        "Money, month by month",
        "Opening + new + appeared + residual − payments − charged off − sold − unmatched = closing,"
        " in currency. The residual is interest, fees and drawings; an outlier leaves its own"
        " history.",
        money_flow(moves, cash).sort("month", descending=True),
        money_flow,
        alt="Reconciliation of money by month",
    )
paid = payment_differences(cash).filter(pl.col("difference_cents").is_not_null())
if paid.height:
    _by_month(
        "Payments and histories",
        "Payments of a month beside what the histories say, in currency: payments = departed (on"
        " loans that had left the book before) + paid (by the histories) + difference.",
        paid.sort("month", descending=True),
        payment_differences,
        alt="Payments beside the paid amounts of the histories",
    )
ledger = ui.load_for(view, everything, portfolio.ledger)
if ledger.height:
    lines = ledger_differences(ledger)
    wrong = lines.filter(~pl.col("passes")).height
    _by_month(
        "The general ledger",
        f"{words.number(lines.height)} totals compared; {words.number(wrong)} beyond 0.01 %.",
        lines.sort("passes", "month", descending=[False, True], maintain_order=True),
        ledger_differences,
        alt="The general ledger beside the book",
    )

# --- coverage ------------------------------------------------------------------------------
if outcome and outcome.coverage:
    ui.heading("Coverage", "Share of the rows of each table in which a column is recorded, %.")
    coverage = pl.DataFrame(list(outcome.coverage), infer_schema_length=None).select(
        pl.col("table").alias("Table"),
        pl.col("column").alias("Column"),
        pl.col("rows").alias("Rows"),
        (100 * pl.col("recorded") / pl.col("rows")).alias("Recorded, %"),
        pl.col("first_value").alias("First"),
        pl.col("last_value").alias("Last"),
    )
    st.dataframe(
        coverage,
        hide_index=True,
        placeholder=words.MISSING,
        alt="Coverage of every column",
        height=420,
        column_config={
            "Rows": st.column_config.NumberColumn(format="localized"),
            "Recorded, %": st.column_config.ProgressColumn(
                format="%.1f", min_value=0, max_value=100
            ),
        },
    )
    ui.evidence("coverage", coverage)
absent = [name for name in ui.CONTRACT_TABLES if name not in book.table_rows]
if absent:
    st.caption("Tables without rows: " + ", ".join(absent) + ".")

# --- loads ---------------------------------------------------------------------------------
ui.load_history()
