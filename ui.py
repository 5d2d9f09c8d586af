"""The only shared Streamlit code: opening a page, loading a query, the evidence under a chart."""

from __future__ import annotations

import inspect
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import duckdb
import polars as pl
import sqlalchemy as sa
import streamlit as st

from charts import format as words
from queries.filters import Basis, Filter
from queries.marts import Book, open_marts, read_book
from warehouse.checks import last_outcome
from warehouse.engines import (
    DUCKDB,
    DuckDBConnection,
    WarehouseUnavailable,
    compile_statement,
    session,
)
from warehouse.published import current_version
from warehouse.settings import ROOT, marts_path, warehouse_url

ICON = str(ROOT / "static" / "icon.svg")
WINDOWS = (1, 3, 6, 12)
Weight = Literal["loans", "balance"]


@dataclass(frozen=True)
class View:
    """What a page works with: the book, the reader's choices, and the colour mode."""

    path: Path
    book: Book
    chosen: Filter
    weight: Weight
    mode: Literal["light", "dark"]

    @property
    def is_money(self) -> bool:
        return self.weight == "balance"


def open_page(title: str, question: str, *, has_window: bool = False) -> View:
    """Start a page: its question, the shared filters and the freshness line.

    Stops the page with an explanation where there are no marts to read.
    """
    path = current_version(marts_path())
    if path is None:
        _explain_empty(title)
    book = _book(path)
    with st.sidebar:
        chosen, weight = _filters(book, has_window=has_window)
    st.title(title, anchor=False)
    st.caption(question)
    _freshness(book)
    theme = st.context.theme.type
    return View(path, book, chosen, weight, "dark" if theme == "dark" else "light")


def _explain_empty(title: str) -> Any:
    st.title(title, anchor=False)
    st.info(
        "Load a book with `python -m warehouse load FOLDER`, then `python -m warehouse refresh`."
        " `make run` does both with a synthetic book. This page shows numbers as soon as a"
        " refresh has been published.",
        title="There is no book to show yet",
        icon=":material/database:",
    )
    st.stop()


@st.cache_resource(max_entries=3, show_spinner=False)
def _marts(path: Path) -> DuckDBConnection:
    return open_marts(path)


@st.cache_resource(max_entries=3, show_spinner=False)
def _read_book(path: Path) -> Book:
    return read_book(_marts(path))


def _book(path: Path) -> Book:
    try:
        return _read_book(path)
    except duckdb.Error:
        st.error(
            "The published marts cannot be read just now. Reload the page in a moment; if it"
            " stays, run `python -m warehouse refresh`.",
            icon=":material/error:",
        )
        st.stop()


@st.cache_data(max_entries=512, ttl=3600, show_spinner=False)
def _load(path: Path, text: str, parameters: tuple[Any, ...], _select: sa.Select) -> pl.DataFrame:
    return _marts(path).fetch(_select)


def load(view: View, select: sa.Select) -> pl.DataFrame:
    """The rows of a Select on the marts; cached by version, text and parameters."""
    text, parameters = compile_statement(select, DUCKDB)
    try:
        return _load(view.path, text, tuple(parameters), select)
    except duckdb.Error:
        st.error(
            "These figures cannot be read just now. Reload the page in a moment.",
            icon=":material/error:",
        )
        st.stop()


def drill(select: sa.Select) -> pl.DataFrame | None:
    """A page of single loans from the facts, or None (and a plain message) when they are busy."""
    try:
        with session(warehouse_url(), wait_seconds=1.0) as facts:
            return facts.fetch(select)
    except WarehouseUnavailable:
        reason = "The warehouse is being loaded or does not answer"
    except Exception as error:  # a driver's own error: the reader gets a sentence, the log all
        if not type(error).__module__.startswith(("duckdb", "_duckdb", "adbc", "sqlalchemy")):
            raise
        reason = "The warehouse did not answer this question"
    st.warning(
        f"{reason}, so single loans cannot be listed just now. The figures above come from the"
        " published marts and stay right. Try again in a moment.",
        icon=":material/hourglass:",
    )
    return None


# --- filters -------------------------------------------------------------------------------


def _filters(book: Book, *, has_window: bool) -> tuple[Filter, Weight]:
    months = [f"{month:%Y-%m}" for month in reversed(book.months)]
    by_name = {f"{month:%Y-%m}": month for month in book.months}
    month = st.selectbox(
        "As of",
        months,
        key="month",
        format_func=lambda name: words.month(by_name[name]),
        bind="query-params",
        persist_state="session",
    )
    window = 1
    if has_window:
        window = st.segmented_control(
            "Window",
            WINDOWS,
            key="window",
            default=1,
            required=True,
            format_func=lambda count: "1 month" if count == 1 else f"{count} months",
            bind="query-params",
            persist_state="session",
        )
    weight = _weight(book)
    segments = {
        name: _segment(name, book.segments[name]) for name in ("product", "region", "grade")
    }
    chosen = Filter(
        as_of=by_name.get(month or months[0], book.as_of),
        window=int(window or 1),
        products=segments["product"],
        regions=segments["region"],
        grades=segments["grade"],
        basis=_basis(book),
    )
    return chosen, weight


def _weight(book: Book) -> Weight:
    if not book.has_balances:
        st.caption("This book has no balances: it is counted, not weighed.")
        return "loans"
    chosen = st.segmented_control(
        "Measure",
        ("balance", "loans"),
        key="weight",
        default="balance",
        required=True,
        format_func=lambda code: {"balance": "Balance", "loans": "Loans"}[code],
        bind="query-params",
        persist_state="session",
    )
    return "loans" if chosen == "loans" else "balance"


def _basis(book: Book) -> Basis:
    if not book.has_months_past_due:
        st.caption("Buckets by days past due.")
        return "days"
    chosen = st.segmented_control(
        "Buckets by",
        ("months", "days"),
        key="basis",
        default="months",
        required=True,
        format_func=lambda code: {"months": "Months missed", "days": "Days"}[code],
        help="Month-ends are 28 to 31 days apart, so on days alone a loan can seem to skip a"
        " bucket. Months missed counts unpaid instalments.",
        bind="query-params",
        persist_state="session",
    )
    return "days" if chosen == "days" else "months"


def _segment(name: str, values: Sequence[str | None]) -> tuple[str | None, ...]:
    """A multiselect of a segment's values; empty means all."""
    if len(values) < 2:
        return ()
    labels = option_labels(values)
    picked = st.multiselect(
        name.capitalize(),
        list(labels),
        key=name,
        placeholder="All",
        bind="query-params",
        persist_state="session",
    )
    return tuple(labels[label] for label in picked if label in labels)


def option_labels(values: Sequence[str | None]) -> dict[str, str | None]:
    """Labels for a choice, `not recorded` for null; two values never share a label."""
    labels: dict[str, str | None] = {value: value for value in values if value is not None}
    if None in values:
        label = words.NOT_RECORDED
        while label in labels:
            label += " "
        labels[label] = None
    return labels


# --- around a chart ------------------------------------------------------------------------


def _freshness(book: Book) -> None:
    outcome = last_outcome(marts_path())
    parts = [
        f"Data as of {words.day(book.as_of)}",
        f"refreshed {words.moment(book.refreshed_at)} UTC",
    ]
    if outcome is None:
        parts.append("not checked yet")
    else:
        count = len(outcome.findings)
        parts.append("no findings" if not count else f"{count} findings open")
    line = " · ".join(parts)
    with st.container(horizontal=True, vertical_alignment="center", key="freshness"):
        if book.is_synthetic:
            st.badge("Synthetic book", icon=":material/science:", color="orange")
        st.caption(line, width="content")


def say(*sentences: str) -> None:
    """The answer, in one or two sentences; values in them are already plain text."""
    st.markdown(" ".join(sentence for sentence in sentences if sentence))


def evidence(
    name: str,
    frame: pl.DataFrame,
    *definitions: Callable[..., Any],
    columns: dict[str, Any] | None = None,
) -> None:
    """Data and definition under a chart: its numbers, its formula, a download."""
    box = st.expander(
        "Data and definition", key=f"evidence_{name}", on_change="rerun", icon=":material/table:"
    )
    if not box.open:
        return
    with box:
        st.dataframe(frame, column_config=columns, hide_index=True)
        with st.container(horizontal=True):
            st.download_button(
                "CSV",
                data=lambda: frame.write_csv().encode("utf-8-sig"),
                file_name=f"{name}.csv",
                on_click="ignore",
                key=f"csv_{name}",
            )
            st.download_button(
                "Excel",
                data=lambda: workbook(frame),
                file_name=f"{name}.xlsx",
                on_click="ignore",
                key=f"excel_{name}",
            )
        for definition in definitions:
            st.text(inspect.getdoc(definition) or "")


def workbook(frame: pl.DataFrame) -> bytes:
    """A frame as an Excel file; text that begins like a formula stays text."""
    buffer = io.BytesIO()
    frame.write_excel(buffer, autofit=True)
    return buffer.getvalue()


def months_of(view: View, back: int) -> list[date]:
    """The book's months up to the as-of month, at most `back` of them, earliest first."""
    return [month for month in view.book.months if month <= view.chosen.as_of][-back:]
