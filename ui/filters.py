"""The shared filters: they follow the reader from page to page and live in the address."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, Literal

import streamlit as st

from charts import format as words
from queries.filters import Basis, Filter
from queries.marts import Book

WINDOWS = ("1", "3", "6", "12")
COHORT_WINDOWS = ("3", "6", "12", "24")
BASIS_HELP = (
    "Month-ends are 28 to 31 days apart, so by days alone a loan can seem to skip a bucket."
    " Months missed counts unpaid instalments."
)
Weight = Literal["loans", "balance"]


def choose_filters(book: Book, *, has_window: bool) -> tuple[Filter, Weight]:
    """The shared filters; a link's address holds their labels, so labels stay as they are."""
    month = _as_of(book, "As of")
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
    segments = _segments(book)
    basis: Basis = "days"
    if book.has_months_past_due:
        by = segmented("Buckets by", ("Months missed", "Days"), key="basis", help=BASIS_HELP)
        basis = "days" if by == "Days" else "months"
    chosen = Filter(
        as_of=month,
        window=int(window),
        products=segments["product"],
        regions=segments["region"],
        grades=segments["grade"],
        basis=basis,
    )
    return chosen, weight


def choose_cohorts(book: Book) -> tuple[Filter, Weight]:
    """The filters of recovery: which cases, by the month in which they were opened."""
    month = _as_of(book, "Cases opened up to")
    window = segmented(
        "In how many months",
        COHORT_WINDOWS,
        key="cohort_window",
        default="12",
        help="Cases opened in so many months. What came of them is followed to the data's last"
        " day, whichever month is chosen.",
    )
    segments = _segments(book)
    chosen = Filter(
        as_of=month,
        window=int(window),
        products=segments["product"],
        regions=segments["region"],
        grades=segments["grade"],
    )
    return chosen, default_weight(book)


def choose_periods(book: Book) -> tuple[Filter, Weight]:
    """The filters of conduct: in which months something happened, on what, and where."""
    month = _as_of(book, "Up to")
    window = segmented(
        "In how many months",
        COHORT_WINDOWS,
        key="cohort_window",
        default="12",
        help="What happened in so many months.",
    )
    chosen = Filter(
        as_of=month,
        window=int(window),
        products=_segment("product", book.segments["product"]),
        regions=_segment("region", book.segments["region"]),
    )
    return chosen, default_weight(book)


def _as_of(book: Book, label: str) -> date:
    """A month of the book; the choice is shared by all pages."""
    by_name = {f"{month:%Y-%m}": month for month in reversed(book.months)}
    _say_unknown("month", by_name, "a month of this book: you see the latest")
    return by_name[_choose(st.selectbox(label, list(by_name), **_bound("month")), list(by_name))]


def _segments(book: Book) -> dict[str, tuple[str | None, ...]]:
    return {name: _segment(name, book.segments[name]) for name in book.segments}


def default_weight(book: Book) -> Weight:
    return "balance" if book.has_balances else "loans"


def _bound(key: str) -> dict[str, Any]:
    """A widget that keeps its value from page to page and in the address."""
    if key in st.session_state:  # else a link's choice is lost if the next run is another page's
        st.session_state[key] = st.session_state[key]
    return {"key": key, "bind": "query-params", "persist_state": "session"}


def _choose(value: Any, options: Sequence[str]) -> str:
    """What a browser sent, if it is one of the options; else the first."""
    return value if value in options else options[0]


def segmented(
    label: str,
    options: Sequence[str],
    *,
    key: str,
    help: str | None = None,
    default: str | None = None,
) -> str:
    """One of a few options, kept from page to page and in the address."""
    value = st.segmented_control(
        label, options, default=default or options[0], required=True, help=help, **_bound(key)
    )
    return _choose(value, options)


def tabs(labels: Sequence[str], *, key: str) -> Sequence[Any]:
    """Parts of a page, named in the address; only the one that is `open` need be made."""
    return st.tabs(labels, key=key, on_change="rerun", bind="query-params")


def pick(label: str, options: Sequence[str], *, key: str, default: str | None = None) -> str:
    """One of many options, kept from page to page and in the address."""
    first = options.index(default) if default else 0
    return _choose(st.selectbox(label, options, first, width=260, **_bound(key)), options)


def find(label: str, options: Sequence[str], *, key: str, placeholder: str) -> str | None:
    """One of very many options by typing, or none; kept and in the address like the others.

    A link to one that is not among the options finds none: the page says so.
    """
    value = st.selectbox(label, options, index=None, placeholder=placeholder, **_bound(key))
    return value if value in options else None


def _say_unknown(key: str, options: Collection[str], what: str) -> None:
    """Once: that a link asks for something that is not among the options."""
    asked = st.query_params.get(key)
    if not asked or asked in options or st.session_state.get(f"unknown {key}") == asked:
        return
    st.session_state[f"unknown {key}"] = asked
    st.toast(
        f"The link asks for {words.plain(asked[:40])}, which is not {what}.",
        icon=":material/link_off:",
        duration="infinite",
    )


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
