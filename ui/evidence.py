"""Around a chart: its answer, its title, its numbers, its definition and a download."""

from __future__ import annotations

import io
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


def month_table(frame: pl.DataFrame, *, alt: str) -> None:
    """A table by month, a screen high."""
    readable_table(frame, alt=alt, height=300)


def readable_table(
    frame: pl.DataFrame, *, alt: str, height: int | Literal["auto", "content"] = "auto"
) -> None:
    """A table for reading: cents as money, shares in per cent, their differences in points."""
    shown = frame.select(_readable(name, kind) for name, kind in frame.schema.items())
    st.dataframe(
        shown,
        hide_index=True,
        placeholder=words.MISSING,
        alt=alt,
        height=height,
        column_config={name: _head(name, kind) for name, kind in frame.schema.items()},
    )


_WAYS = ("forward", "one", "skip", "off", "stay", "backward", "cure", "payment", "restructure")
_SHARES = ("rate", "share", "low", "high", "probability", "unknown", "exit", *_WAYS)
_DIFFERENCES = ("difference", "effect")
_P_VALUES = ("p", "q")


def _unit(name: str, kind: pl.DataType) -> str | None:
    """Per cent for a share, points for a difference of two shares, None for anything else."""
    last = name.rstrip("01").split("_")[-1]
    if not kind.is_float():
        return None
    return "%" if last in _SHARES else "points" if last in _DIFFERENCES else None


def _readable(name: str, kind: pl.DataType) -> pl.Expr:
    if name.endswith("_cents"):
        return pl.col(name) / 100
    return pl.col(name) * 100 if _unit(name, kind) else pl.col(name)


def _head(name: str, kind: pl.DataType) -> Any:
    """A column's title, unit and format, from its name and type."""
    title = name.removesuffix("_cents").removeprefix("is_").replace("_", " ").capitalize()
    if kind == pl.Date:
        return st.column_config.DateColumn(title, format="MMM YYYY")
    if kind == pl.Boolean:
        return st.column_config.CheckboxColumn(title)
    if unit := _unit(name, kind):
        return st.column_config.NumberColumn(f"{title}, {unit}", format="%.2f")
    if name in _P_VALUES:
        return st.column_config.NumberColumn(name, format="%.2g")
    if name.endswith("_cents"):
        return st.column_config.NumberColumn(title, format="localized", step=0.01)
    if kind.is_numeric():
        return st.column_config.NumberColumn(title, format="localized")
    return st.column_config.TextColumn(title)
