"""Check: does the book close, do marts equal facts, and what would a careful reader question?

The result is kept beside the marts (`check.json`), where the data-quality page
reads it.  A finding is shown; a failure also makes the command exit with 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from analytics import reconciliation
from jobs.month_proof import mart_differences
from jobs.refresh import book_shape, published_bounds, stale_months
from jobs.segment_proof import segment_differences
from queries import findings as asked
from queries import portfolio
from queries.filters import whole_book
from queries.loan_states import BookShape, month_totals
from queries.marts import Marts
from queries.payments import differing_payments
from warehouse import published
from warehouse.checks import CheckOutcome, Finding, keep_outcome
from warehouse.contract import contract
from warehouse.engines import Connection, DuckDBConnection, session


def check(
    url: str,
    folder: Path,
    *,
    progress: Callable[[str], None] = lambda _: None,
    wait_seconds: float = 60.0,
) -> CheckOutcome:
    """Reconcile the book and list its findings; the outcome is also kept beside the marts."""
    current = published.current_version(folder)
    with session(url, wait_seconds=wait_seconds) as facts:
        facts.snapshot()
        shape = book_shape(facts, published_bounds(current))
        found = [*_contract_findings(facts, shape, progress)]
        found += _fact_findings(facts, shape, progress)
        found += _mart_findings(facts, shape, current, progress)
        coverage = _coverage(facts, shape, progress)
    outcome = CheckOutcome(
        checked_at=datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="seconds"),
        version=current.name if current else None,
        findings=tuple(sorted(found, key=lambda one: (not one.is_failure, one.table, one.kind))),
        coverage=tuple(coverage),
    )
    keep_outcome(folder, outcome)
    return outcome


def _found(facts: Connection, kind: str, table: str, keys: Any, **more: Any) -> Iterator[Finding]:
    rows = facts.fetch(asked.counted(keys)).item()
    if rows:
        first = tuple(facts.fetch(asked.examples(keys))["key"].cast(pl.String).to_list())
        yield Finding(kind, table, rows, first, **more)


def _contract_findings(
    facts: Connection, shape: BookShape, progress: Callable[[str], None]
) -> Iterator[Finding]:
    """What a loaded warehouse cannot have, but a lender's own views can."""
    for name in sorted(shape.tables):
        progress(f"checking {name} against the contract")
        table = contract.tables[name]
        breaches = asked.column_breaches(table)
        if breaches is not None:
            counts = facts.fetch(breaches).row(0, named=True)
            yield from (
                Finding("not_in_contract", name, rows, column=column, is_failure=True)
                for column, rows in counts.items()
                if rows
            )
        repeated = asked.repeated_keys(table)
        yield from _found(facts, "repeated_key", name, repeated, is_failure=True)
        for column in table.columns:
            target = column.info.get("references", "").split(".")[0]
            if target and not (target == "customers" and target not in shape.tables):
                broken = asked.broken_references(column)
                more = {"column": column.name, "is_failure": True}
                yield from _found(facts, "broken_reference", name, broken, **more)


def _fact_findings(
    facts: Connection, shape: BookShape, progress: Callable[[str], None]
) -> Iterator[Finding]:
    for kind, (name, keys) in asked.FINDINGS.items():
        if name in shape.tables:
            progress(f"looking for {kind.replace('_', ' ')}")
            yield from _found(facts, kind, name, keys())
    for name in asked.EVENT_TABLES:
        if name in shape.tables:
            progress(f"looking for duplicates in {name}")
            yield from _found(facts, "duplicate", name, asked.duplicates(contract.tables[name]))


def _mart_findings(
    facts: Connection,
    shape: BookShape,
    current: Path | None,
    progress: Callable[[str], None],
) -> Iterator[Finding]:
    progress("reconciling marts and facts")
    if current is None:
        yield Finding("no_marts", "marts", 1, ("python -m warehouse refresh",), is_failure=True)
        return
    target = DuckDBConnection(str(current), read_only=True)
    try:
        differing = mart_differences(facts.fetch(month_totals()), target, shape)
        differing += segment_differences(target)
        stale = tuple(f"{month:%Y-%m}" for month in stale_months(facts, target, shape))
        if stale:
            yield Finding("marts_behind_facts", "marts", len(stale), stale, is_failure=True)
        if differing:
            examples = tuple(differing[: asked.EXAMPLES])
            yield Finding("marts_differ", "marts", len(differing), examples, is_failure=True)
        yield from _book_findings(facts, target, shape)
    finally:
        target.close()


def _book_findings(
    facts: Connection, target: DuckDBConnection, shape: BookShape
) -> Iterator[Finding]:
    """Reconciliation of every month, from the marts."""
    marts = Marts(target)
    months = portfolio.months(marts)
    dates = months["month"].sort()
    whole = whole_book(dates[0], dates[-1])
    moves = portfolio.transitions(marts, whole)
    cash = portfolio.cash(marts, whole)
    stocks = portfolio.stocks(marts, whole)
    yield from _flow_findings(moves, stocks, cash, shape)
    for kind in ("unbalanced_rows", "unscheduled_rows"):
        matters = shape.has_balances if kind == "unbalanced_rows" else shape.has_months_past_due
        rows = int(months[kind].sum() or 0)
        if matters and rows:
            yield Finding(kind, "loan_months", rows)
    differing = cash.filter(pl.col("differing_loans") > 0)
    if differing.height:
        worst = differing.sort("differing_loans", descending=True)["month"][0]
        keys = facts.fetch(differing_payments(worst, shape, limit=asked.EXAMPLES))["loan_id"]
        rows = int(differing["differing_loans"].sum())
        yield Finding("payments_differ", "payments", rows, tuple(keys), _months(differing))
    ledger = portfolio.ledger(marts, whole)
    if ledger.height:
        wrong = reconciliation.ledger_differences(ledger).filter(~pl.col("passes"))
        lines = wrong.select(pl.format("{} {} {}", "month", "product", "measure")).to_series()
        if wrong.height:
            first = tuple(lines.head(asked.EXAMPLES))
            when = _months(wrong)
            yield Finding("ledger_differs", "ledger_totals", wrong.height, first, when, None, True)


def _months(frame: pl.DataFrame) -> str:
    """The months of a finding: one, or the first and last and how many."""
    months = frame["month"].unique().sort()
    first, last = f"{months[0]:%Y-%m}", f"{months[-1]:%Y-%m}"
    return first if len(months) == 1 else f"{first} to {last}, {len(months)} months"


def _flow_findings(
    moves: pl.DataFrame, stocks: pl.DataFrame, cash: pl.DataFrame, shape: BookShape
) -> Iterator[Finding]:
    flow = reconciliation.loan_flow(moves, stocks)
    wrong = flow.filter(~pl.col("passes")).with_columns(
        rows=pl.col("unmatched") + pl.col("appeared")
    )
    yield from _monthly("loans_do_not_close", wrong, "rows", is_failure=True)
    jumps = [("loans_jump", flow.select("month", value=pl.col("closing")))]
    if shape.has_balances:
        money = reconciliation.money_flow(moves, cash)
        jumps.append(("balance_jump", money.select("month", value=pl.col("closing_cents"))))
        jumps.append(("residual_jump", money.select("month", value=pl.col("residual_rate"))))
    for kind, series in jumps:
        if kind != "residual_jump":
            series = series.with_columns(pl.col("value").cast(pl.Float64).log().diff())
        series = series.filter(pl.col("value").is_finite())
        outliers = reconciliation.robust_outliers(series).with_columns(rows=pl.lit(1))
        yield from _monthly(kind, outliers, "rows")


def _monthly(
    kind: str, wrong: pl.DataFrame, rows: str, *, is_failure: bool = False
) -> Iterator[Finding]:
    """One finding for all months of a kind, the worst months first."""
    if wrong.height:
        worst = wrong.sort(rows, descending=True).head(asked.EXAMPLES)
        first = tuple(
            f"{month:%Y-%m}: {count}" for month, count in worst.select("month", rows).rows()
        )
        total = int(wrong[rows].sum())
        yield Finding(kind, "loan_months", total, first, _months(wrong), None, is_failure)


def _coverage(
    facts: Connection, shape: BookShape, progress: Callable[[str], None]
) -> list[dict[str, Any]]:
    rows = []
    for name in sorted(shape.tables):
        progress(f"measuring coverage of {name}")
        table = contract.tables[name]
        counts = facts.fetch(asked.recorded(table)).row(0, named=True)
        for column in table.columns:
            is_dated = column.name.endswith(("_on", "_at")) or column.name == "month"
            dates = (
                facts.fetch(asked.date_range(column)).row(0, named=True)
                if is_dated
                else {"first_value": None, "last_value": None}
            )
            rows.append(
                {
                    "table": name,
                    "column": column.name,
                    "rows": counts["all_rows"],
                    "recorded": counts[f"n_{column.name}"],
                    **dates,
                }
            )
    return rows
