"""The only shared Streamlit code: opening a page, loading a query, the evidence under a chart."""

from __future__ import annotations

import gc
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal, NoReturn

import duckdb
import polars as pl
import polars.selectors as cs
import sqlalchemy as sa
import streamlit as st
import xlsxwriter

from analytics.definitions import paragraphs_of, with_bold_label
from charts import format as words
from charts.sentences import plural
from queries import portfolio
from queries.filters import Basis, Filter
from queries.loan_lists import PAGE_ROWS
from queries.marts import Book, open_marts, read_book
from warehouse.checks import CheckOutcome, last_outcome, load_summaries
from warehouse.contract import contract
from warehouse.engines import DRIVER_ERRORS, DuckDBConnection, WarehouseUnavailable, session
from warehouse.published import current_version
from warehouse.settings import ROOT, marts_path, warehouse_url

gc.freeze()  # once, at import: asking in every run whether it was done costs 20 ms a run
ICON = str(ROOT / "static" / "icon.svg")
WINDOWS = ("1", "3", "6", "12")
BASIS_HELP = (
    "Month-ends are 28 to 31 days apart, so by days alone a loan can seem to skip a bucket."
    " Months missed counts unpaid instalments."
)
Weight = Literal["loans", "balance"]


@dataclass(frozen=True)
class View:
    """What a page works with: the book and the reader's choices."""

    path: Path
    written: int
    book: Book
    chosen: Filter
    weight: Weight

    @property
    def key(self) -> str:
        """What decides every figure on a page, for its cache."""
        return f"{self.version} {self.weight} {self.chosen!r}"

    @property
    def version(self) -> str:
        """The published file: its name, and when it was written, should a name come back."""
        return f"{self.path} {self.written}"

    @property
    def is_money(self) -> bool:
        return self.weight == "balance"


def open_reference(title: str, question: str) -> None:
    """Start a page that needs no book."""
    st.title(title, anchor=False)
    st.caption(question)


def open_page(
    title: str, question: str, *, has_window: bool = False, has_filters: bool = True
) -> View:
    """Start a page: its question, the shared filters and the freshness line.

    Stops the page with an explanation where there are no marts to read.
    """
    words.write_for(st.context.locale)
    path = current_version(marts_path())
    if path is None:
        _explain_empty(title)
    written = path.stat().st_mtime_ns
    book = _book(path, written)
    chosen, weight = Filter(as_of=book.as_of), _no_weight(book)
    if has_filters:
        with st.sidebar:
            chosen, weight = _filters(book, has_window=has_window)
    st.title(title, anchor=False)
    st.caption(question)
    _freshness(book, path, chosen)
    return View(path, written, book, chosen, weight)


def _explain_empty(title: str) -> NoReturn:
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
def _marts(path: Path, written: int) -> DuckDBConnection:
    return open_marts(path)


@st.cache_resource(max_entries=3, show_spinner=False)
def _read_book(path: Path, written: int) -> Book:
    return read_book(_marts(path, written))


def _book(path: Path, written: int) -> Book:
    try:
        return _read_book(path, written)
    except duckdb.Error:
        st.error(
            "The published marts cannot be read just now. Reload the page in a moment; if it"
            " stays, run `python -m warehouse refresh`.",
            icon=":material/error:",
        )
        st.stop()


@st.cache_resource(max_entries=512, ttl=3600, show_spinner=False)
def _load(key: str, _view: View, _select: sa.Select) -> pl.DataFrame:
    return _marts(_view.path, _view.written).fetch(_select)


def load(view: View, query: Callable[..., sa.Select], **options: Any) -> pl.DataFrame:
    """The rows of `query(view.chosen, **options)` on the marts.

    Cached by version, query, filter and options, which decide the statement's
    text and parameters; the frame is shared, so it is never changed in place.
    """
    asked = f"{query.__module__}.{query.__name__} {sorted(options.items())!r}"
    key = f"{view.version} {asked} {view.chosen!r}"
    try:
        return _load(key, view, query(view.chosen, **options))
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
    except DRIVER_ERRORS:
        reason = "The warehouse did not answer this question"
    st.warning(
        f"{reason}, so single loans cannot be listed just now. The figures above come from the"
        " published marts and stay right. Try again in a moment.",
        icon=":material/hourglass:",
    )
    return None


# --- filters -------------------------------------------------------------------------------


def _filters(book: Book, *, has_window: bool) -> tuple[Filter, Weight]:
    """The shared filters; a link's address holds their labels, so labels stay as they are."""
    by_name = {f"{month:%Y-%m}": month for month in reversed(book.months)}
    month = _choose(st.selectbox("As of", list(by_name), **_bound("month")), list(by_name))
    window = "1"
    if has_window:
        window = segmented("Window, months", WINDOWS, key="window")
    weight: Weight = "loans"
    if book.has_balances:
        weight = (
            "loans"
            if segmented("Measure", ("Balance", "Loans"), key="weight") == "Loans"
            else "balance"
        )
    segments = {name: _segment(name, book.segments[name]) for name in book.segments}
    basis: Basis = "days"
    if book.has_months_past_due:
        by = segmented("Buckets by", ("Months missed", "Days"), key="basis", help=BASIS_HELP)
        basis = "days" if by == "Days" else "months"
    chosen = Filter(
        as_of=by_name[month],
        window=int(window),
        products=segments["product"],
        regions=segments["region"],
        grades=segments["grade"],
        basis=basis,
    )
    return chosen, weight


def _no_weight(book: Book) -> Weight:
    return "balance" if book.has_balances else "loans"


def _bound(key: str) -> dict[str, Any]:
    """A widget that keeps its value from page to page and in the address."""
    if key in st.session_state:  # else a link's choice is lost if the next run is another page's
        st.session_state[key] = st.session_state[key]
    return {"key": key, "bind": "query-params", "persist_state": "session"}


def _choose(value: Any, options: Sequence[str]) -> str:
    """What a browser sent, if it is one of the options; else the first."""
    return value if value in options else options[0]


def segmented(label: str, options: Sequence[str], *, key: str, help: str | None = None) -> str:
    """One of a few options, kept from page to page and in the address."""
    value = st.segmented_control(
        label, options, default=options[0], required=True, help=help, **_bound(key)
    )
    return _choose(value, options)


def pick(label: str, options: Sequence[str], *, key: str) -> str:
    """One of many options, kept from page to page and in the address."""
    return _choose(st.selectbox(label, options, width=260, **_bound(key)), options)


def _segment(name: str, values: Sequence[str | None]) -> tuple[str | None, ...]:
    """A multiselect of a segment's values; empty means all."""
    if len(values) < 2:
        return ()
    labels = option_labels(values)
    picked = st.multiselect(
        name.capitalize(),
        list(labels),
        placeholder="All",
        **_bound(name),
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


def _freshness(book: Book, path: Path, chosen: Filter) -> None:
    """Data as of when, refreshed when, findings open, and whether the book is synthetic."""
    outcome = last_check()
    parts = [f"Data to {words.day(book.as_of)}"]
    if chosen.as_of != book.as_of:
        parts.insert(0, f"You see {words.month(chosen.as_of)}")
    parts.append(f"refreshed {words.moment(book.refreshed_at)} UTC")
    if outcome is None:
        parts.append("not checked yet")
    elif outcome.version != path.name:
        parts.append("not checked since")
    else:
        count = len(outcome.findings)
        parts.append("no findings" if not count else f"{plural(count, 'finding')} open")
    with st.container(horizontal=True, vertical_alignment="center", key="freshness"):
        if book.is_synthetic:
            st.badge("Synthetic book", icon=":material/science:", color="orange")
        st.caption(" · ".join(parts), width="content")


def say(sentences: Sequence[str]) -> None:
    """The answer, in one or two sentences; values in them are already plain text."""
    with st.container(key="answer"):
        st.markdown("##### " + " ".join(sentence for sentence in sentences if sentence))


def heading(title: str, subtitle: str) -> None:
    """Above a chart: what it shows, then what is measured, of what, in what unit, as of when."""
    st.subheader(title, anchor=False)
    st.caption(subtitle)


def chart(
    frame: pl.DataFrame, spec: dict[str, Any], *, key: str, select: str | None = None
) -> list[dict[str, Any]]:
    """Draw a specification; with `select`, what the reader clicked (a list of field values)."""
    options: dict[str, Any] = {"key": key, "alt": spec["description"]}
    spec = {name: part for name, part in spec.items() if name != "description"}
    if select is None:
        st.vega_lite_chart(frame, spec, **options)
        return []
    event = st.vega_lite_chart(frame, spec, on_select="rerun", selection_mode=select, **options)
    return list(event["selection"].get(select) or [])


def evidence(
    name: str, frame: pl.DataFrame, *definitions: Callable[..., Any], of: str | None = None
) -> None:
    """Data and definition under a chart: its numbers, its formula, a download."""
    label = f"Data and definition: {of or name.replace('_', ' ')}"
    box = st.expander(label, key=f"evidence_{name}", on_change="rerun", icon=":material/table:")
    if not box.open:
        return
    with box:
        readable_table(frame, alt=label)
        with st.container(horizontal=True):
            st.download_button(
                "CSV",
                data=lambda: spreadsheet_csv(frame),
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
            st.caption("Downloads hold exact values: money in cents, shares from 0 to 1.")
        for definition in definitions:
            question, *rest = paragraphs_of(definition)
            st.markdown(f"**{question}**")
            for paragraph in rest:
                st.markdown(with_bold_label(paragraph))


def spreadsheet_csv(frame: pl.DataFrame) -> bytes:
    """A frame as CSV for spreadsheets; text that begins like a formula gets a quote before it."""
    quoted = frame.with_columns(
        pl.when(pl.col(name).str.contains(r"^[=+\-@\t\r]"))
        .then(pl.lit("'") + pl.col(name))
        .otherwise(pl.col(name))
        .alias(name)
        for name in frame.select(cs.string()).columns
    )
    return quoted.write_csv().encode("utf-8-sig")


def workbook(frame: pl.DataFrame) -> bytes:
    """A frame as an Excel file; text that begins like a formula stays text."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(
        buffer, {"strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        frame.write_excel(book, autofit=True)
    return buffer.getvalue()


def months_of(view: View, back: int) -> list[date]:
    """The book's months up to the as-of month, at most `back` of them, earliest first."""
    return [month for month in view.book.months if month <= view.chosen.as_of][-back:]


NOTHING_OPEN = (
    "There are no open loans in this choice, or none with a balance above zero: choose Loans as"
    " the measure, or widen the choice."
)


def basis_words(view: View) -> str:
    """How rows were put into buckets, in words."""
    return "Buckets by months missed." if view.chosen.basis == "months" else "Buckets by days."


def nothing_to_show(view: View, reason: str) -> NoReturn:
    """Say why the page has no numbers, naming a filter that leaves nothing, and stop."""
    guilty = [
        name
        for name, chosen in view.chosen.segments().items()
        if chosen
        and not load(view, portfolio.stocks)["loans"].sum()
        and load_for(view, view.chosen.without(name), portfolio.stocks)["loans"].sum()
    ]
    if guilty:
        reason = f"The choice of {words.listing(guilty)} leaves no loans. Widen it to see numbers."
    st.info(reason, icon=":material/filter_alt_off:")
    st.stop()


def load_for(view: View, chosen: Filter, query: Callable[..., sa.Select]) -> pl.DataFrame:
    """The rows of a query under another filter than the reader's."""
    return load(replace(view, chosen=chosen), query)


def loan_list(
    view: View, title: str, query: Callable[[int], sa.Select], *, key: str, empty: str
) -> None:
    """A page of single loans from the facts, with the way to the next."""
    with st.container(border=True, key=f"list_{key}"):
        st.subheader(title, anchor=False)
        key = f"{key} {view.key}"  # another choice begins at its first page
        number = st.session_state.get(f"page_{key}", 1)
        frame = drill(query(number - 1))
        if frame is None:
            return
        if not frame.height and number == 1:
            st.caption(empty)
            return
        rows = int(frame["all_rows"][0]) if frame.height else 0
        shown = frame.drop("all_rows").with_columns(cs.decimal().cast(pl.Float64))
        for column in _STATE_COLUMNS:
            if column in shown.columns:
                codes = shown[column].unique().to_list()
                labels = {code: words.state(code, basis=view.chosen.basis) for code in codes}
                shown = shown.with_columns(pl.col(column).replace(labels))
        st.dataframe(
            shown,
            hide_index=True,
            placeholder=words.MISSING,
            column_config={
                name: st.column_config.Column(LOAN_COLUMNS[name])
                if not name.endswith("_amount")
                else st.column_config.NumberColumn(LOAN_COLUMNS[name], format="localized")
                for name in shown.columns
            },
            alt=title,
        )
        pages = -(-rows // PAGE_ROWS)
        st.number_input(
            f"Page (of {pages}; {words.number(rows)} loans)",
            min_value=1,
            max_value=max(pages, 1),
            key=f"page_{key}",
            width=220,
        )


PAGES = {
    "portfolio/aging": "Aging",
    "portfolio/roll_rates": "Roll rates",
    "reference/data_quality": "Data quality",
}
NEEDED = (
    ("Balance, and every share by balance", ("balance_amount",)),
    ("Cash paid", ("payments",)),
    ("The change by region", ("customers",)),
)


def missing_figures(book: Book) -> list[dict[str, str]]:
    """What this book cannot show, and the tables it would need."""
    present = {*book.table_rows, *(["balance_amount"] if book.has_balances else [])}
    return [
        {"Figure": figure, "Needs": words.listing([name for name in needs if name not in present])}
        for figure, needs in NEEDED
        if not set(needs) <= present
    ]


def reconciliation_strip(
    loans: pl.DataFrame, money: pl.DataFrame | None, payments: pl.DataFrame, month: date
) -> None:
    """One line for each check of the as-of month: it holds, it fails, or it cannot be made."""
    row = loans.filter(pl.col("month") == month).row(0, named=True)
    text = _equation(
        row, "opening", (("+", "new"), ("+", "appeared")), _LEFT, words.number, "loans"
    )
    _check_line(row["passes"], "Loans", text)
    if money is not None and money.height:
        line = money.filter(pl.col("month") == month).row(0, named=True)
        if line["residual_rate"] is not None:
            cents = {name.removesuffix("_cents"): value for name, value in line.items()}
            entered = (("+", "new"), ("+", "appeared"), ("+", "residual"))
            left = (("−", "payments"), *_LEFT[1:])
            rate = words.percent(line["residual_rate"])
            note = f". The residual, {rate} of the opening, is interest, fees and drawings"
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
        True: (":material/check:", "add up"),
        False: (":material/error:", "do not add up"),
        None: (":material/help:", "cannot be judged yet"),
    }[holds]
    if name == "Money":
        verdict = verdict.replace("add", "adds").replace("do not adds", "does not add")
    st.markdown(f"{icon} **{name}** {verdict}: {text}.")


_STATE_COLUMNS = ("from_state", "to_state", "bucket")
LOAN_COLUMNS = {
    "loan_id": "Loan",
    "product": "Product",
    "region": "Region",
    "grade": "Grade",
    "from_state": "From",
    "to_state": "To",
    "bucket": "Lateness",
    "opening_balance_amount": "Balance before",
    "closing_balance_amount": "Balance after",
    "balance_amount": "Balance",
    "overdue_amount": "Arrears",
    "paid_amount": "Paid in the month",
}


# --- data quality --------------------------------------------------------------------------
CONTRACT_TABLES = tuple(contract.tables)


def last_check() -> CheckOutcome | None:
    """What the last `check` found, or None where none was run."""
    return last_outcome(marts_path())


def month_table(frame: pl.DataFrame, *, alt: str) -> None:
    """A table by month, a screen high."""
    readable_table(frame, alt=alt, height=300)


def readable_table(
    frame: pl.DataFrame, *, alt: str, height: int | Literal["auto"] = "auto"
) -> None:
    """A table for reading: cents as money, shares in per cent, dates as dates."""
    shown = frame.select(_readable(name, kind) for name, kind in frame.schema.items())
    st.dataframe(
        shown,
        hide_index=True,
        placeholder=words.MISSING,
        alt=alt,
        height=height,
        column_config={name: _head(name, kind) for name, kind in frame.schema.items()},
    )


_SHARES = ("rate", "share", "low", "high", "probability", "difference", "numerator_share", "p", "q")


def _is_share(name: str) -> bool:
    last = name.rstrip("01").split("_")[-1]
    return last in (*_SHARES, "effect", *_WAYS)


_WAYS = ("forward", "one", "skip", "off", "stay", "backward", "cure", "payment", "restructure")


def _readable(name: str, kind: pl.DataType) -> pl.Expr:
    if name.endswith("_cents"):
        return pl.col(name) / 100
    if kind.is_float() and _is_share(name):
        return pl.col(name) * 100
    return pl.col(name)


def _head(name: str, kind: pl.DataType) -> Any:
    """A column's title, unit and format, from its name and type."""
    title = name.removesuffix("_cents").removeprefix("is_").replace("_", " ").capitalize()
    if kind == pl.Date:
        return st.column_config.DateColumn(title, format="MMM YYYY")
    if kind == pl.Boolean:
        return st.column_config.CheckboxColumn(title)
    if kind.is_float() and _is_share(name):
        return st.column_config.NumberColumn(f"{title}, %", format="%.2f")
    if name.endswith("_cents"):
        return st.column_config.NumberColumn(title, format="localized", step=0.01)
    if kind.is_numeric():
        return st.column_config.NumberColumn(title, format="localized")
    return st.column_config.TextColumn(title)


def load_history() -> None:
    """The last loads: what came in, what was refused and why."""
    summaries = load_summaries(marts_path())
    if not summaries:
        return
    heading("Loads", "The last twenty, newest first. A refused load changes nothing.")
    rows = [
        {
            "When": one["loaded_at"],
            "From": one["source"],
            "Outcome": one["outcome"],
            "New rows": sum(table["new"] for table in one.get("tables", {}).values()),
            "Changed rows": sum(table["changed"] for table in one.get("tables", {}).values()),
            "Problems": one.get("count", 0),
            "First problem": _first_problem(one),
        }
        for one in summaries
    ]
    st.dataframe(pl.DataFrame(rows), hide_index=True, placeholder=words.MISSING, alt="Loads")


def _first_problem(summary: dict[str, Any]) -> str | None:
    for group in summary.get("problems", []):
        for problem in group["first"][:1]:
            place = [problem["file"], f"row {problem['row']}", problem["column"]]
            found = ", ".join(part for part in place if part and part != "row None")
            return f"{found}: {problem['value']}, expected {problem['expected']}"
    return None
