"""Products, regions, grades and industries whose names are code: shown as those characters."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator

import duckdb
import fastexcel
import polars as pl
import pytest
from playwright.sync_api import Browser

from tests import by_hand
from tests.browser import PATHS, Reader
from tests.served import LAST_MONTH, Place, take, write_book
from warehouse.engines import duckdb_path

pytestmark = pytest.mark.browser

IMAGE = "<img src=x onerror=alert(1)>"
DROP = "'; DROP TABLE loans; --"
MARKDOWN = "**bold** $x$ [a](http://b)"
DIRECTIVE = ":material/home: :red[x]"
NAMES = {
    "product": [IMAGE, DROP, MARKDOWN, "=1+1"],
    "region": [DIRECTIVE, "华东 地区", "🏦 bank", "-2+3", "@SUM(A1)", IMAGE, 'a & b, "c" #d?e=f'],
    "risk_grade": [MARKDOWN, "+1", DIRECTIVE, "<b>A</b>", "甲"],
    "industry": [
        IMAGE,
        DROP,
        MARKDOWN,
        DIRECTIVE,
        "=1+1",
        "\\alpha `code` ~~no~~",
        "制造业",
        "_u_",
    ],
}


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A synthetic book whose names were replaced, one for one."""
    found = write_book(tmp_path_factory.mktemp("hostile"), loans=600, months=4)
    for path in found.files.glob("*.parquet"):
        table = pl.read_parquet(path)
        for column, names in NAMES.items():
            if column in table.columns:
                known = sorted(_values(found, column))
                table = table.with_columns(
                    pl.col(column).replace(dict(zip(known, names, strict=True)))
                )
        table.write_parquet(path.with_suffix(".new"))
    for path in found.files.glob("*.new"):
        path.rename(path.with_suffix(".parquet"))
    take(found)
    return found


def _values(book: Place, column: str) -> list[str]:
    table = "customers" if column in ("region", "industry") else "loans"
    return pl.read_parquet(book.files / f"{table}.parquet")[column].drop_nulls().unique().to_list()


@pytest.fixture(scope="module")
def rows(book: Place) -> pl.DataFrame:
    return by_hand.history(book.files)


@pytest.fixture
def reader(browser: Browser, address: str) -> Iterator[Reader]:
    found = Reader(browser, address)
    yield found
    harmless(found)
    found.close()


def harmless(reader: Reader) -> None:
    """Nothing was carried out, loaded, linked to or set in bold."""
    assert reader.errors == []  # a dialog would be one
    assert reader.broken == []
    main = reader.page.get_by_test_id("stMain")
    assert main.locator("img").count() == 0
    assert main.locator(".katex").count() == 0
    assert reader.page.locator("a[href^='http://b']").count() == 0
    assert not [url for url in reader.requests if not re.match(r"(http|ws)://127\.0\.0\.1", url)]
    assert "\\" not in reader.box("answer").inner_text() if reader.box("answer").count() else True


def is_shown(name: str, texts: list[str]) -> bool:
    """Among the texts of a chart, whole or cut short with an ellipsis."""
    return any(text == name or (text[-1:] == "…" and name.startswith(text[:-1])) for text in texts)


def test_every_page_offers_the_names_as_they_are(reader: Reader, rows: pl.DataFrame) -> None:
    for page in PATHS:
        reader.open(page)
        for segment in ("product", "region", "grade"):
            if not reader.box(segment).count():
                continue
            assert {*reader.offered(segment)} >= set(rows[segment].unique()), page
            reader.page.keyboard.press("Escape")
        reader.settle()
        harmless(reader)


@pytest.mark.parametrize("split", ["Product", "Region", "Grade", "Industry"])
def test_charts_and_sentences_show_the_names_as_they_are(
    reader: Reader, rows: pl.DataFrame, split: str
) -> None:
    reader.open("Aging", split=split)
    names = set(by_hand.open_now(rows, LAST_MONTH)[split.lower()].drop_nulls().unique())
    texts = reader.page.locator("svg.marks text")
    reader.sees(lambda: all(is_shown(name, texts.all_text_contents()) for name in names))
    answer = reader.box("answer").inner_text().replace("\N{WORD JOINER}", "")
    named = re.search(rf"{split} (.+?) (has|is)\b", answer)
    assert named, answer
    assert named[1] in names
    if split != "Industry":  # the contributions on Health, by the same segment
        reader.open("Health", explain=split)
        reader.sees(lambda: any(is_shown(name, texts.all_text_contents()) for name in names))


def test_a_name_chosen_in_a_filter_counts_its_loans_and_survives_a_link(
    reader: Reader, browser: Browser, rows: pl.DataFrame
) -> None:
    stock = by_hand.open_now(rows, LAST_MONTH)
    for segment, name in (
        ("product", DROP),
        ("product", "=1+1"),
        ("region", DIRECTIVE),
        ("region", NAMES["region"][-1]),
        ("grade", "甲"),
    ):
        expected = f"{stock.filter(pl.col(segment) == name).height:,}"
        reader.open("Health", weight="Loans", **{segment: name})
        reader.sees(lambda: reader.tile("Open loans"), expected)
    reader.open("Health", weight="Loans")
    reader.pick("product", IMAGE)
    reader.pick("product", MARKDOWN)
    expected = f"{stock.filter(pl.col('product').is_in([IMAGE, MARKDOWN])).height:,}"
    reader.sees(lambda: reader.tile("Open loans"), expected)
    friend = Reader(browser, reader.address, stranger=True)
    friend.page.goto(reader.page.url)
    friend.settle()
    friend.sees(lambda: friend.tile("Open loans"), expected)
    harmless(friend)
    friend.close()


def test_a_list_of_loans_holds_the_names_and_the_facts_hold_every_row(
    reader: Reader, book: Place, rows: pl.DataFrame
) -> None:
    stock = by_hand.open_now(rows, LAST_MONTH, product=DROP).filter(shown="1-30")
    assert stock.height
    reader.open("Aging", product=DROP, late="1 month")
    reader.box("list_late").locator("label").click()
    reader.box("list_late_1-30").wait_for()
    reader.settle()
    found = reader.listed("list_late_1-30")
    assert set(found["loan_id"]) == set(stock["loan_id"])
    assert set(found["product"]) == {DROP}
    assert set(found["region"]) == set(stock["region"])
    with duckdb.connect(str(duckdb_path(book.url)), read_only=True) as facts:
        kept = facts.execute("SELECT count(*) FROM loan_months").fetchone()
    assert kept == (rows.height,)


@pytest.mark.parametrize(("split", "column"), [("Product", "product"), ("Region", "region")])
def test_downloads_hold_the_names_as_text_and_no_formula(
    reader: Reader, rows: pl.DataFrame, split: str, column: str
) -> None:
    names = set(by_hand.open_now(rows, LAST_MONTH)[column].unique())
    assert any(name[0] in "=+-@" for name in names)
    reader.open("Aging", split=split)
    reader.unfold("evidence_aging_by_segment")
    path = reader.download("excel_aging_by_segment")
    excel = fastexcel.read_excel(path.read_bytes()).load_sheet(0, dtypes="string").to_polars()
    assert set(excel[column]) == names
    book = zipfile.ZipFile(path)
    assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")
    assert not [name for name in book.namelist() if "hyperlink" in name.lower()]
    content = reader.download("csv_aging_by_segment")
    csv = pl.read_csv(content, infer_schema=False)
    # a spreadsheet would run these: a quote before them says that they are text
    assert set(csv[column]) == {f"'{name}" if name[0] in "=+-@" else name for name in names}
