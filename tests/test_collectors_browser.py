"""A reader of the Collectors page in a real browser: click, back, deep link, hostile names."""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl
import pytest
from playwright.sync_api import Browser, Locator

from queries.filters import months_before
from tests.browser import Reader
from tests.served import LAST_MONTH, Place, take, write_book

pytestmark = pytest.mark.browser

IMAGE = "<img src=x onerror=alert(1)>"
BOLD = "**bold** $x$"
RESOLVED = ["cured", "paid_off", "settled"]


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A synthetic book in which a collector and its team have names that are code."""
    found = write_book(tmp_path_factory.mktemp("people"), loans=900)
    for path in [found.files / "collectors.parquet", *found.files.glob("*.parquet")]:
        table = pl.read_parquet(path)
        for column, old, new in (("collector_id", "K0002", IMAGE), ("team", "Early 1", BOLD)):
            if column in table.columns:
                table = table.with_columns(pl.col(column).replace(old, new))
        table.write_parquet(path)
    take(found)
    return found


@pytest.fixture
def reader(browser: Browser, address: str) -> Iterator[Reader]:
    found = Reader(browser, address)
    yield found
    found.close()
    assert found.errors == []  # a dialog would be one
    assert not [url for url in found.requests if not re.match(r"(http|ws)://127\.0\.0\.1", url)]


def counted(book: Place, collector_id: str, window: int) -> tuple[int, int]:
    """Cases that had their 90 days, and those resolved within them, from the files."""
    age = (pl.col("closed_on") - pl.col("opened_on")).dt.total_days()
    rows = pl.read_parquet(book.files / "cases.parquet").filter(
        pl.col("collector_id") == collector_id,
        pl.col("opened_on") > months_before(LAST_MONTH, window),
        pl.col("opened_on") + pl.duration(days=90) <= LAST_MONTH,
    )
    resolved = rows.filter(pl.col("close_reason").is_in(RESOLVED), age <= 90)
    return rows.height, resolved.height


def point(reader: Reader, collector_id: str) -> Locator:
    """The mark of a collector in the comparison."""
    marks = reader.box("compared").locator('[aria-roledescription="point"]')
    return marks.and_(reader.page.locator(f'[aria-label*="{collector_id}"]')).first


def test_a_click_on_a_collector_opens_its_view_and_a_link_to_it_works_elsewhere(
    reader: Reader, browser: Browser, book: Place
) -> None:
    reader.open("Collectors", cohort_window="6")
    assert "compared on the same cases" in reader.box("answer").inner_text()
    mark = point(reader, "K0004")
    mark.scroll_into_view_if_needed()
    mark.click(force=True)
    reader.page.get_by_role("heading", level=2, name="K0004", exact=True).wait_for()
    reader.settle()
    cases, resolved = counted(book, "K0004", 6)
    everything, _ = counted(book, "K0004", 12)
    assert 0 < cases < everything
    reader.sees(lambda: reader.tile("Resolved"), f"{resolved}")
    link = reader.page.url
    assert "collector=K0004" in link

    friend = Reader(browser, reader.address, stranger=True)
    friend.page.goto(link)
    friend.settle()
    friend.page.get_by_role("heading", level=2, name="K0004", exact=True).wait_for()
    friend.sees(lambda: friend.tile("Resolved"), f"{resolved}")
    assert friend.box("answer").inner_text() == reader.box("answer").inner_text()
    friend.close()
    assert friend.errors == []

    reader.box("all_collectors").get_by_role("button").click()
    reader.settle()
    reader.sees(lambda: reader.page.get_by_role("heading", level=2, name="K0004").count(), 0)
    assert "collector=" not in reader.page.url
    assert "compared on the same cases" in reader.box("answer").inner_text()
    assert reader.broken == []


def test_names_that_are_code_are_shown_as_those_characters(reader: Reader, book: Place) -> None:
    reader.open("Collectors")
    reader.sees(lambda: IMAGE in reader.text)
    reader.open("Collectors", collector=IMAGE)
    assert reader.page.get_by_role("heading", level=2, name=IMAGE, exact=True).count() == 1
    assert f"Team {BOLD}" in reader.text
    cases, resolved = counted(book, IMAGE, 12)
    assert cases > 0
    reader.sees(lambda: reader.tile("Resolved"), f"{resolved}")
    main = reader.page.get_by_test_id("stMain")
    assert main.locator("img").count() == 0
    assert main.locator(".katex").count() == 0
    assert main.locator("strong", has_text="bold").count() == 0
    assert "\\" not in reader.box("answer").inner_text()
    assert reader.broken == []


def test_an_unknown_collector_in_the_address_shows_all(reader: Reader) -> None:
    reader.open("Collectors", collector="nobody", compare="?", outcome="x", case_stage="y")
    assert "compared on the same cases" in reader.box("answer").inner_text()
    assert reader.broken == []
