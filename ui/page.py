"""Opening a page: the book at hand, the reader's choices, and loading what a page shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import duckdb
import polars as pl
import sqlalchemy as sa
import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from charts import format as words
from charts.sentences import plural
from queries.filters import Filter
from queries.marts import Book, Marts, open_marts, read_book
from ui.filters import Weight, choose_filters, default_weight
from warehouse.checks import CheckOutcome, last_outcome
from warehouse.engines import DRIVER_ERRORS, WarehouseUnavailable, session
from warehouse.published import current_version
from warehouse.settings import ROOT, marts_path, warehouse_url

DRILL_SECONDS = 10.0  # how long a server may look for single loans
ICON = str(ROOT / "static" / "icon.svg")
NOTHING_OPEN = (
    "There are no open loans in this choice, or none with a balance above zero: choose Loans as"
    " the measure, or widen the choice."
)


@dataclass(frozen=True)
class View:
    """What a page works with: the published marts, their book and the reader's choices."""

    path: Path
    written: int
    marts: Marts
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
    """Start a page that needs no book; where there is one, it says how fresh that is."""
    words.write_for(st.context.locale)
    st.title(title, anchor=False)
    st.caption(question)
    path = current_version(marts_path())
    if path is None:
        return
    try:
        _, book = _open(path, path.stat().st_mtime_ns)
    except (duckdb.Error, OSError):  # what words mean can be read all the same
        return
    _freshness(book, path, Filter(as_of=book.as_of))


def open_page(
    title: str,
    question: str,
    *,
    has_window: bool = False,
    has_filters: bool = True,
    choose: Callable[[Book], tuple[Filter, Weight]] | None = None,
) -> View:
    """Start a page: its question, the shared filters and the freshness line.

    `choose` puts other filters in the sidebar than the shared ones.  Stops the page with an
    explanation where there are no marts to read.
    """
    words.write_for(st.context.locale)
    path = current_version(marts_path())
    if path is None:
        _explain_empty(title)
    written = path.stat().st_mtime_ns
    marts, book = _opened(path, written)
    chosen, weight = Filter(as_of=book.as_of), default_weight(book)
    if has_filters:
        with st.sidebar, _shared():
            chosen, weight = choose(book) if choose else choose_filters(book, has_window=has_window)
    st.title(title, anchor=False)
    st.caption(question)
    _freshness(book, path, chosen)
    return View(path, written, marts, book, chosen, weight)


@contextmanager
def _shared() -> Iterator[None]:
    """What is chosen within is the app's, as if app.py drew it, and not this page's.

    The address of another page would otherwise lose it on the way back: Streamlit takes what a
    page's own widgets put into an address out of it as the reader leaves the page.
    """
    run = get_script_run_ctx()
    assert run is not None  # a page is always drawn in a run
    with run.run_with_active_hash(run.pages_manager.main_script_hash):
        yield


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


@st.cache_resource(max_entries=2, show_spinner=False)
def _open(path: Path, written: int) -> tuple[Marts, Book]:
    """A version is opened once for all sessions; the one before may still be on screens."""
    marts = open_marts(path)
    return marts, read_book(marts)


def _opened(path: Path, written: int) -> tuple[Marts, Book]:
    try:
        return _open(path, written)
    except duckdb.Error:
        st.error(
            "The published marts cannot be read just now. Reload the page in a moment; if it"
            " stays, run `python -m warehouse refresh`.",
            icon=":material/error:",
        )
        st.stop()


def load(view: View, query: Callable[..., pl.DataFrame], **options: Any) -> pl.DataFrame:
    """The rows of `query(view.marts, view.chosen, **options)`: the only way from page to marts."""
    try:
        return query(view.marts, view.chosen, **options)
    except duckdb.Error:
        st.error(
            "These figures cannot be read just now. Reload the page in a moment.",
            icon=":material/error:",
        )
        st.stop()


def load_for(view: View, chosen: Filter, query: Callable[..., pl.DataFrame]) -> pl.DataFrame:
    """The rows of a query under another filter than the reader's."""
    return load(replace(view, chosen=chosen), query)


def drill(select: sa.Select) -> pl.DataFrame | None:
    """A page of single loans from the facts, or None (and a plain message) when they are busy."""
    try:
        with session(warehouse_url(), wait_seconds=1.0, statement_seconds=DRILL_SECONDS) as facts:
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


def last_check() -> CheckOutcome | None:
    """What the last `check` found, or None where none was run."""
    return last_outcome(marts_path())


def basis_words(view: View) -> str:
    """How rows were put into buckets, in words."""
    return "Buckets by months missed." if view.chosen.basis == "months" else "Buckets by days."


def nothing_to_show(
    view: View, reason: str, *, of: Callable[..., pl.DataFrame], counts: Sequence[str]
) -> NoReturn:
    """Say why the page has no numbers, naming a filter that leaves nothing, and stop.

    `of` is the query of the page whose `counts` are then 0.
    """

    def count(chosen: Filter) -> int:
        return int(load_for(view, chosen, of).select(pl.sum_horizontal(counts).sum()).item())

    guilty = [
        name
        for name, chosen in view.chosen.segments().items()
        if chosen and not count(view.chosen) and count(view.chosen.without(name))
    ]
    if guilty:
        reason = f"The choice of {words.listing(guilty)} leaves nothing. Widen it to see numbers."
    st.info(reason, icon=":material/filter_alt_off:")
    st.stop()
