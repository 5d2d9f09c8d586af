"""A report as a PDF: the same bytes for the same report."""

from __future__ import annotations

import io
from typing import Any

import polars as pl
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    LongTable,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    TableStyle,
)

from reports import letters
from reports.headings import heading, printed
from reports.parts import Report, Section, Table

PAGE = landscape(A4)
MARGIN = 14 * mm
WIDTH = PAGE[0] - 2 * MARGIN
MOST_LETTERS = 4_000  # of a paragraph
NARROWEST = 34.0  # of columns, where a page is too narrow for all
MOST_LINES = 28  # of a cell: a row must fit on a page
_INK, _GREY, _LINE = HexColor("#1a1a1a"), HexColor("#5a5a5a"), HexColor("#c8c8c8")
_BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=9, leading=12.5, textColor=_INK,
                       spaceAfter=4)  # fmt: skip
_STYLES = {
    "body": _BODY,
    "title": ParagraphStyle("title", _BODY, fontName="Helvetica-Bold", fontSize=18, leading=22),
    "section": ParagraphStyle(
        "section", _BODY, fontName="Helvetica-Bold", fontSize=13, leading=17, spaceBefore=10
    ),
    "table": ParagraphStyle(
        "table", _BODY, fontName="Helvetica-Bold", fontSize=9.5, spaceBefore=8
    ),
    "note": ParagraphStyle("note", _BODY, fontSize=8, textColor=_GREY),
    "code": ParagraphStyle("code", _BODY, fontName="Courier", fontSize=7, leading=9, spaceAfter=0,
                           wordWrap="CJK"),
}  # fmt: skip
_CELL = ParagraphStyle("cell", _BODY, fontSize=7, leading=8.6, spaceAfter=0, wordWrap="CJK")
_HEAD = ParagraphStyle("head", _CELL, fontName="Helvetica-Bold", wordWrap=None)
_NUMBER = ParagraphStyle("number", _CELL, alignment=2)
_NUMBER_HEAD = ParagraphStyle("number head", _HEAD, alignment=2)
_GRID = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, 0), 0.6, _INK),
        ("LINEBELOW", (0, 1), (-1, -1), 0.25, _LINE),
        ("LEFTPADDING", (0, 0), (-1, -1), 2),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
        ("TOPPADDING", (0, 0), (-1, -1), 1.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
    ]
)


def pdf(report: Report, *, is_compressed: bool = True) -> bytes:
    """The report as a file, landscape A4; longer tables are cut and say so."""
    letters.register()
    buffer = io.BytesIO()
    document = SimpleDocTemplate(
        buffer, pagesize=PAGE, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN,
        bottomMargin=MARGIN + 4 * mm, title=report.title, author="", invariant=1,
        pageCompression=int(is_compressed), lang="en",
    )  # fmt: skip

    def footer(canvas: Canvas, _: Any) -> None:
        canvas.saveState()
        canvas.setFont("Helvetica", 7)
        canvas.setFillColor(_GREY)
        canvas.drawString(MARGIN, 8 * mm, f"{report.title} · fingerprint {report.fingerprint[:16]}")
        canvas.drawRightString(PAGE[0] - MARGIN, 8 * mm, f"page {canvas.getPageNumber()}")
        canvas.restoreState()

    parts: list[Flowable] = []
    for place, section in enumerate(report.sections):
        parts += _section(section, is_first=place == 0)
    document.build(parts, onFirstPage=footer, onLaterPages=footer)
    return buffer.getvalue()


def _words(text: str, style: str) -> Paragraph:
    text = letters.clipped(letters.spelled(text), MOST_LETTERS)
    return Paragraph(letters.marked(text), _STYLES[style])


def _section(section: Section, *, is_first: bool) -> list[Flowable]:
    parts: list[Flowable] = [] if is_first else [CondPageBreak(70 * mm)]
    parts.append(_words(section.title, "title" if is_first else "section"))
    parts += [_words(words, "body") for words in section.words]
    for table in section.tables:
        parts += _table(table)
    parts += [_words(line, "code") if line else Spacer(1, 6) for line in section.code]
    return parts


def _table(table: Table) -> list[Flowable]:
    rows = table.rows.select(table.narrow or pl.all())
    if rows.is_empty():
        return [_words(table.title, "table"), _words("Nothing.", "note")]
    shown = rows if table.printed is None else rows.head(table.printed)
    parts: list[Flowable] = [CondPageBreak(40 * mm), _words(table.title, "table")]
    if shown.height:
        parts.append(_grid(shown))
    if left := rows.height - shown.height:
        note = f"{shown.height:,} of {rows.height:,} rows; the other {left:,} are in the workbook."
        parts.append(_words(note, "note"))
    return parts


def _grid(shown: pl.DataFrame) -> LongTable:
    widths = _widths(shown)
    style = [_NUMBER if kind.is_numeric() else _CELL for kind in shown.dtypes]
    heads = [_NUMBER_HEAD if kind.is_numeric() else _HEAD for kind in shown.dtypes]
    cells = [
        [Paragraph(letters.marked(heading(name)), head)
         for name, head in zip(shown.columns, heads, strict=True)]
    ]  # fmt: skip
    most = [int(MOST_LINES * width / 4.2) for width in widths]
    for values in shown.iter_rows():
        texts = [printed(name, value) for name, value in zip(shown.columns, values, strict=True)]
        cells.append(
            [
                Paragraph(letters.marked(letters.clipped(letters.spelled(text), room)), one)
                for text, room, one in zip(texts, most, style, strict=True)
            ]
        )
    return LongTable(cells, widths, repeatRows=1, style=_GRID, hAlign="LEFT")


def _widths(rows: pl.DataFrame) -> list[float]:
    """Wide enough for what is in them, narrower where a page is too narrow for all."""
    wanted = []
    for name in rows.columns:
        texts = [printed(name, value) for value in rows[name].head(200)]
        longest = max(len(text) * (1 if text.isascii() else 1.6) for text in texts)
        words = max(len(word) for word in heading(name).split())
        wanted.append(min(max(longest, words) * 3.9 + 12, 264.0))
    least = [min(width, NARROWEST) for width in wanted]
    more, room = sum(wanted) - sum(least), WIDTH - sum(least)
    scale = min(1.0, room / more) if more else 0.0
    return [low + (width - low) * scale for low, width in zip(least, wanted, strict=True)]
