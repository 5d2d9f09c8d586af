"""Around a chart: its answer, its title, its numbers, its definition and a download."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

import polars as pl
import polars.selectors as cs
import streamlit as st
import xlsxwriter

from analytics.definitions import paragraphs_of, with_bold_label
from charts import format as words


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
    name: str,
    frame: pl.DataFrame,
    *definitions: Callable[..., Any],
    of: str | None = None,
    in_cents: bool = False,
    basis: words.Basis = "days",
) -> None:
    """Data and definition under a chart: its numbers, its formula, a download.

    `in_cents`: the columns named in `WEIGHTS` hold money, and say so.  `basis`: buckets are called
    by days late, or by missed instalments, as on the page.
    """
    if in_cents:
        frame = frame.rename({name: f"{name}_cents" for name in WEIGHTS}, strict=False)
    label = f"Data and definition: {of or name.replace('_', ' ')}"
    box = st.expander(label, key=f"evidence_{name}", on_change="rerun", icon=":material/table:")
    if not box.open:
        return
    with box:
        readable_table(frame, alt=label, basis=basis)
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


ROWS_IN_SIGHT = 7


def month_table(frame: pl.DataFrame, *, alt: str) -> None:
    """A table by month, at most a screen high."""
    readable_table(frame, alt=alt, height=300 if frame.height > ROWS_IN_SIGHT else "content")


WEIGHTS = ("amount", "numerator", "denominator")  # money, or loans
_STATES = ("bucket", "from_state", "to_state")


def readable_table(
    frame: pl.DataFrame,
    *,
    alt: str,
    height: int | Literal["auto", "content"] = "auto",
    basis: words.Basis = "days",
) -> None:
    """A table for reading: cents as money, shares in per cent, their differences in points, and
    buckets and other states by their names."""
    shown = frame.select(_readable(name, frame.schema) for name in frame.columns)
    for name in {*_STATES} & {*shown.select(cs.string()).columns}:
        codes = shown[name].drop_nulls().unique().to_list()
        called = {code: words.state(code, basis=basis) for code in codes}
        shown = shown.with_columns(pl.col(name).replace(called))
    st.dataframe(
        shown,
        hide_index=True,
        placeholder=words.MISSING,
        alt=alt,
        height=height,
        column_config={name: _head(name, frame.schema, shown[name]) for name in frame.columns},
    )


_WIDE = 9  # characters from which on a number needs a column as wide as its widest


def _width(values: pl.Series) -> int | None:
    """Pixels for the longest number: a grid sizes columns by most of their values, and would cut
    the few longer ones.  None: as the grid has it."""
    if not values.dtype.is_numeric() or not values.count():
        return None
    ends = (float(value) for value in (values.min(), values.max()))  # type: ignore[arg-type]
    decimals = 3 if values.dtype.is_float() else 0
    longest = max((len(f"{end:,.0f}") for end in ends if math.isfinite(end)), default=0) + decimals
    return 22 + 7 * longest if longest >= _WIDE else None


_WAYS = ("forward", "one", "skip", "off", "stay", "backward", "cure", "payment", "restructure")
_RATES = ("rate", "share", "probability")
_SHARES = (*_RATES, "unknown", "exit", "attained", "net", *_WAYS)
_DIFFERENCES = ("difference", "effect")
_ENDS = ("low", "high")
_P_VALUES = ("p", "q")


def _unit(name: str, schema: pl.Schema) -> str | None:
    """Per cent for a share, points for a difference of two shares, None for anything else.

    An end of an interval has the unit of what it is of: `cure_low` that of `cure`, or of
    `cure_rate`; `low` alone that of the table's rate.
    """
    if not schema[name].is_float():
        return None
    stem, _, last = name.rstrip("01").rpartition("_")
    if last in _ENDS:
        of = [stem, *(f"{stem}_{rate}" for rate in _RATES)] if stem else _rates_of(schema)
        return next((_unit(one, schema) for one in of if one in schema), None)
    return "%" if last in _SHARES else "points" if last in _DIFFERENCES else None


def _rates_of(schema: pl.Schema) -> list[str]:
    return [name for name in schema if name.rsplit("_", 1)[-1] in _RATES]


def _readable(name: str, schema: pl.Schema) -> pl.Expr:
    if name.endswith("_cents"):
        return pl.col(name) / 100
    if _unit(name, schema):
        hundredths = (pl.col(name) * 100).round(2)
        return pl.when(hundredths == 0).then(0.0).otherwise(hundredths).alias(name)  # no -0.00
    return pl.col(name)


_TIMES = {"0": " before", "1": " now"}  # share0, share1


def _title(name: str) -> str:
    text = (
        name.removesuffix("_cents")
        .removesuffix("_amount")
        .removeprefix("is_")
        .replace("_", " ")
        .capitalize()
    )
    return text[:-1] + _TIMES[text[-1]] if text[-1] in _TIMES and text[-2].isalpha() else text


def _head(name: str, schema: pl.Schema, values: pl.Series) -> Any:
    """A column's title, unit and format, from its name and type; month-ends stand for months."""
    title, kind, width = _title(name), schema[name], _width(values)
    if kind == pl.Date:
        is_month = bool((values == values.dt.month_end()).all())
        return st.column_config.DateColumn(title, format="MMM YYYY" if is_month else "D MMM YYYY")
    if kind == pl.Boolean:
        return st.column_config.CheckboxColumn(title)
    if unit := _unit(name, schema):
        return st.column_config.NumberColumn(f"{title}, {unit}", format="%.2f")
    if name in _P_VALUES:
        return st.column_config.NumberColumn(name, format="%.2g")
    if name.endswith(("_cents", "_amount")):
        return st.column_config.NumberColumn(title, format="localized", step=0.01, width=width)
    if kind.is_numeric():
        return st.column_config.NumberColumn(title, format="localized", width=width)
    return st.column_config.TextColumn(title)
