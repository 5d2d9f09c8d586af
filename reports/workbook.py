"""A report as an Excel workbook: a sheet for each section, the same bytes for the same report."""

from __future__ import annotations

import io
from datetime import date, datetime
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from reports.headings import exact, heading, is_share
from reports.parts import Report, Section, Table

LONGEST = 32_000  # letters: Excel's cells hold 32,767
WORDS_ACROSS, LETTERS_ACROSS = 10, 110  # columns that a sentence lies over, and its line
WIDEST, MEASURED = 48, 300  # letters of a column, and rows that it is measured by
_FORMULA_LIKE = ("=", "+", "-", "@", "\t", "\r")
_FORMATS: dict[str, dict[str, Any]] = {
    "title": {"bold": True, "font_size": 15},
    "table": {"bold": True, "font_size": 12},
    "head": {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"},
    "words": {"text_wrap": True, "valign": "top"},
    "text": {},
    "quoted": {"quote_prefix": True},  # stays text when somebody edits the cell
    "count": {"num_format": "#,##0"},
    "rate": {"num_format": "0.00"},
    "share": {"num_format": "0.0%"},
    "day": {"num_format": "yyyy-mm-dd", "align": "left"},
    "code": {"font_name": "Courier New"},
}
Formats = dict[str, Format]


def workbook(report: Report) -> bytes:
    """The report as a file.  No text is ever a formula or a link, whatever it begins with."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
               "strings_to_numbers": False}  # fmt: skip
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"title": report.title, "created": report.dated})
        formats = {name: book.add_format(options) for name, options in _FORMATS.items()}
        for section in report.sections:
            sheet = book.add_worksheet(section.name)
            _write_section(sheet, section, formats)
    return buffer.getvalue()


def _write_section(sheet: Worksheet, section: Section, formats: Formats) -> None:
    sheet.hide_gridlines(2)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    _text(sheet, 0, 0, section.title, formats, "title")
    row = 2
    for words in section.words:
        sheet.merge_range(row, 0, row, WORDS_ACROSS - 1, "", formats["words"])
        _text(sheet, row, 0, words, formats, "words")
        lines = -(-_breadth(words) // LETTERS_ACROSS)
        sheet.set_row(row, min(15 * lines + 3, 400))
        row += 1
    for table in section.tables:
        row = _write_table(sheet, row + 1, table, formats)
    for line in section.code:
        _text(sheet, row, 0, line, formats, "code")
        row += 1
    for place, width in enumerate(_widths(section)):
        sheet.set_column(place, place, width)


def _write_table(sheet: Worksheet, row: int, table: Table, formats: Formats) -> int:
    """The row after the table's last."""
    _text(sheet, row, 0, table.title, formats, "table")
    for place, name in enumerate(table.rows.columns):
        _text(sheet, row + 1, place, heading(name), formats, "head")
    for number, values in enumerate(table.rows.iter_rows(), start=row + 2):
        for place, (name, value) in enumerate(zip(table.rows.columns, values, strict=True)):
            _value(sheet, number, place, name, value, formats)
    return row + 2 + table.rows.height + 1


def _value(sheet: Worksheet, row: int, place: int, name: str, value: Any, formats: Formats) -> None:
    if value is None or value != value:  # missing, or not a number
        return
    if isinstance(value, bool):
        sheet.write_string(row, place, "yes" if value else "no")
    elif isinstance(value, int):
        sheet.write_number(row, place, value, formats["count"])
    elif isinstance(value, float):
        kind = "share" if is_share(name) else "rate"
        sheet.write_number(row, place, value, formats[kind])
    elif isinstance(value, datetime):  # as text: Excel's own times lose what 22:00:00 turns on
        sheet.write_string(row, place, exact(value))
    elif isinstance(value, date) and value.year >= 1900:
        sheet.write_datetime(row, place, value, formats["day"])
    else:
        _text(sheet, row, place, str(value), formats, "text")


def _text(sheet: Worksheet, row: int, place: int, text: str, formats: Formats, kind: str) -> None:
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}… (cut: {len(text):,} letters)"
    if kind == "text" and text.startswith(_FORMULA_LIKE):
        kind = "quoted"
    sheet.write_string(row, place, text, formats[kind])


def _breadth(text: str) -> int:
    """In Latin letters: others may be twice as wide."""
    return sum(1 if ord(letter) < 0x2E80 else 2 for letter in text)


def _widths(section: Section) -> list[int]:
    widths: list[int] = []
    for table in section.tables:
        for place, name in enumerate(table.rows.columns):
            if place == len(widths):
                widths.append(10)
            words = [_breadth(str(value)) for value in table.rows[name].head(MEASURED)]
            longest = max([*words, min(len(heading(name)), 16)])
            widths[place] = max(widths[place], min(longest + 2, WIDEST))
    return widths
