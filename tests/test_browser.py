"""A reader in a real browser: every page, its filters, links, clicks and downloads.

Numbers on the screen are compared with those that `by_hand` makes from the book's own files.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import fastexcel
import polars as pl
import pytest
from playwright.sync_api import Browser

from tests import by_hand
from tests.browser import PATHS, Reader
from tests.conftest import ROOT
from tests.served import LAST_MONTH, Place, served, synthetic
from warehouse.checks import last_outcome

pytestmark = pytest.mark.browser

APRIL = dt.date(2026, 4, 30)
WINDOWS = {"wide": (1440, 900), "narrow": (390, 844)}
PORTFOLIO = ("Health", "Aging", "Roll rates")
MISSING = re.compile(r"\b(nan|NaN|None|inf|undefined|null|Infinity|NaT)\b")
IN_PROSE = {"null", "None"}  # words of the definitions


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return synthetic(tmp_path_factory.mktemp("book"))


@pytest.fixture(scope="module")
def rows(book: Place) -> pl.DataFrame:
    """The book's histories with buckets by missed instalments, read apart."""
    return by_hand.history(book.files)


@pytest.fixture(scope="module")
def tabs(browser: Browser, address: str) -> Iterator[dict[tuple[str, str], Reader]]:
    """A tab for each colour scheme and size."""
    found = {
        (scheme, name): Reader(
            browser,
            address,
            color_scheme=scheme,
            viewport={"width": size[0], "height": size[1]},
        )
        for scheme in ("light", "dark")
        for name, size in WINDOWS.items()
    }
    yield found
    for tab in found.values():
        tab.close()


@pytest.fixture
def reader(browser: Browser, address: str) -> Iterator[Reader]:
    """A fresh tab: nothing chosen, nothing remembered; it must not have complained."""
    found = Reader(browser, address)
    yield found
    found.close()
    assert found.errors == []
    assert outside(found) == []


def outside(reader: Reader) -> list[str]:
    """Requests that left the machine."""
    inside = re.compile(r"(https?|wss?)://(127\.0\.0\.1|localhost)[:/]|data:|blob:")
    return [url for url in reader.requests if not inside.match(url)]


def near(text: str, share: float) -> bool:
    """A percentage of one decimal says this share."""
    digits = re.match(r"[\d.]+", text or "")
    return digits is not None and abs(float(digits[0]) - 100 * share) < 0.0501


# --- every page ----------------------------------------------------------------------------


@pytest.mark.parametrize("page", PATHS)
@pytest.mark.parametrize(("scheme", "size"), [("light", "wide"), ("dark", "narrow")])
def test_a_page_opens_whole_in_both_schemes_and_sizes(
    tabs: dict[tuple[str, str], Reader], scheme: str, size: str, page: str
) -> None:
    tab = tabs[scheme, size]
    tab.open(page)
    tab.page.get_by_role("heading", level=1, name=page, exact=True).wait_for()
    assert tab.broken == []
    assert tab.errors == []
    assert outside(tab) == []
    assert any(url.startswith("ws://127.0.0.1") for url in tab.requests)  # they are recorded
    widths = tab.page.evaluate(
        """() => [document.documentElement, document.body,
                  document.querySelector('[data-testid=stMain]')]
                 .map((part) => part.scrollWidth - part.clientWidth)"""
    )
    assert max(widths) <= 0, f"scrolls sideways by {widths} pixels"
    prose = IN_PROSE if page == "Definitions" else set()
    tab.sees(lambda: {*MISSING.findall(tab.text)} <= prose)
    lightness = tab.page.evaluate(
        """() => Math.max(...getComputedStyle(document.querySelector('[data-testid=stApp]'))
                   .backgroundColor.match(/\\d+/g).slice(0, 3).map(Number))"""
    )
    assert (lightness < 80) == (scheme == "dark")


@pytest.mark.parametrize("page", PORTFOLIO)
def test_all_evidence_opens_with_numbers_and_without_missing_words(
    reader: Reader, page: str
) -> None:
    reader.open(page)
    keys = reader.page.locator("[class*='st-key-evidence_']").evaluate_all(
        "boxes => boxes.map((box) => box.className.match(/st-key-(evidence_\\w+)/)[1])"
    )
    assert len(keys) >= 3
    for key in dict.fromkeys(keys):
        reader.unfold(key)
        grid = reader.box(key).locator("[role=gridcell]")
        grid.first.wait_for(state="attached")
        assert MISSING.findall("\n".join(grid.all_text_contents())) == [], key
        assert len(reader.box(key).inner_text()) > 300, f"{key} has no definition"
    assert reader.broken == []


def test_the_page_says_what_it_shows_and_how_fresh_it_is(reader: Reader, book: Place) -> None:
    reader.open("Health")
    freshness = reader.box("freshness").inner_text()
    assert "30 June 2026" in freshness
    assert "Synthetic book" in freshness
    assert last_outcome(book.marts) is None
    assert "not checked" in freshness


# --- a filter's value, a number, the same number apart -------------------------------------


def test_the_count_roll_rate_of_a_month_is_the_one_counted_apart(
    reader: Reader, rows: pl.DataFrame
) -> None:
    reader.open("Roll rates")
    reader.press("weight", "Loans")
    reader.pick("month", "2026-04")
    pairs = by_hand.moves(rows, [APRIL])
    june = by_hand.moves(rows, [LAST_MONTH])
    for start, end in (("1-30", "31-60"), ("1-30", "current"), ("31-60", "61-90")):
        rate = by_hand.roll_rate(pairs, start, end, money=False)
        assert abs(rate - by_hand.roll_rate(june, start, end, money=False)) > 0.002  # it moved
        reader.sees(lambda start=start, end=end, rate=rate: near(reader.written(start, end), rate))


def test_the_balance_roll_rate_of_a_product_over_a_window_by_days(
    reader: Reader, book: Place
) -> None:
    reader.open("Roll rates")
    reader.pick("product", "personal_loan")
    reader.press("basis", "Days")
    reader.press("window", "3")
    rows = by_hand.history(book.files, "days")
    months = [APRIL, dt.date(2026, 5, 31), LAST_MONTH]
    pairs = by_hand.moves(rows, months, product="personal_loan")
    rate = by_hand.roll_rate(pairs, "1-30", "31-60", money=True)
    # not what counts, all products, one month or the other buckets would give
    for other in (
        by_hand.roll_rate(pairs, "1-30", "31-60", money=False),
        by_hand.roll_rate(by_hand.moves(rows, months), "1-30", "31-60", money=True),
        by_hand.roll_rate(pairs.filter(end=LAST_MONTH), "1-30", "31-60", money=True),
        by_hand.roll_rate(
            by_hand.moves(by_hand.history(book.files), months, product="personal_loan"),
            "1-30",
            "31-60",
            money=True,
        ),
    ):
        assert abs(other - rate) > 0.001
    reader.sees(lambda: near(reader.written("1-30", "31-60"), rate))


def test_the_thirty_plus_rate_is_the_balance_late_over_the_balance_open(
    reader: Reader, rows: pl.DataFrame
) -> None:
    reader.open("Health")
    whole = by_hand.late_share(by_hand.open_now(rows, LAST_MONTH), money=True)
    reader.sees(lambda: near(reader.tile("30+ days late"), whole))
    reader.pick("product", "credit_card")
    reader.pick("product", "auto_loan")
    reader.pick("region", "East")
    part = by_hand.open_now(rows, LAST_MONTH, product=["credit_card", "auto_loan"], region="East")
    rate = by_hand.late_share(part, money=True)
    assert abs(rate - whole) > 0.002
    reader.sees(lambda: near(reader.tile("30+ days late"), rate))
    reader.press("weight", "Loans")
    reader.sees(lambda: near(reader.tile("30+ days late"), by_hand.late_share(part, money=False)))
    assert reader.tile("Open loans") == f"{part.height:,}"


def test_a_buckets_balance_in_the_download_is_the_files_to_the_cent(
    reader: Reader, rows: pl.DataFrame
) -> None:
    reader.open("Aging")
    reader.pick("product", "credit_card")
    reader.unfold("evidence_aging")
    table = pl.read_csv(reader.download("csv_aging"), try_parse_dates=True)
    stock = by_hand.open_now(rows, LAST_MONTH, product="credit_card")
    assert stock["shown"].n_unique() > 4
    for code in stock["shown"].unique():
        part = stock.filter(shown=code)
        row = table.filter(month=LAST_MONTH, bucket=code).row(0, named=True)
        assert row["loans"] == part.height
        assert row["amount_cents"] == int(part["balance_amount"].sum() * 100)  # whole cents
    assert table.filter(month=LAST_MONTH)["share"].sum() == pytest.approx(1)


def test_numbers_are_written_as_the_readers_language_writes_them(
    browser: Browser, address: str, rows: pl.DataFrame
) -> None:
    reader = Reader(browser, address, locale="de-DE").open("Health", weight="Loans")
    stock = by_hand.open_now(rows, LAST_MONTH)
    assert stock.height > 1000
    reader.sees(lambda: reader.tile("Open loans"), f"{stock.height:,}".replace(",", "."))
    assert re.fullmatch(r"\d+,\d %", reader.tile("30+ days late"))
    reader.open("Roll rates", weight="Loans")
    reader.sees(lambda: bool(re.fullmatch(r"\d+,\d", reader.written("1-30", "31-60"))))
    reader.close()
    assert reader.errors == []


# --- filters follow the reader, and a link opens the same view -----------------------------


def test_filters_follow_from_page_to_page_and_a_link_opens_the_same_view(
    reader: Reader, browser: Browser, rows: pl.DataFrame
) -> None:
    reader.open("Roll rates")
    reader.pick("product", "personal_loan")
    reader.pick("month", "2026-04")
    reader.press("weight", "Loans")
    stock = by_hand.open_now(rows, APRIL, product="personal_loan")
    rate = by_hand.late_share(stock, money=False)
    reader.walk_to("Health")
    reader.sees(lambda: reader.tile("Open loans"), f"{stock.height:,}")
    reader.sees(lambda: near(reader.tile("30+ days late"), rate))
    reader.walk_to("Definitions")  # draws none of the filters
    reader.walk_to("Aging")
    assert "April 2026" in reader.box("answer").inner_text()
    reader.walk_to("Roll rates")
    pairs = by_hand.moves(rows, [APRIL], product="personal_loan")
    roll = by_hand.roll_rate(pairs, "1-30", "31-60", money=False)
    reader.sees(lambda: near(reader.written("1-30", "31-60"), roll))

    link = reader.page.url
    assert {"product=personal_loan", "month=2026-04", "weight=Loans"} <= set(
        link.split("?")[1].split("&")
    )
    friend = Reader(browser, reader.address, stranger=True)
    friend.page.goto(link)
    friend.settle()
    friend.sees(lambda: friend.written("1-30", "31-60"), reader.written("1-30", "31-60"))
    assert friend.box("answer").inner_text() == reader.box("answer").inner_text()
    friend.walk_to("Health")
    friend.sees(lambda: friend.tile("Open loans"), f"{stock.height:,}")
    friend.close()
    assert friend.errors == []

    reader.page.go_back()  # one step back is the page before, with what was chosen
    reader.sees(lambda: "/aging?" in reader.page.url)
    reader.settle()
    assert "April 2026" in reader.box("answer").inner_text()
    assert "product=personal_loan" in reader.page.url


def test_an_unknown_or_empty_choice_in_the_address_shows_the_whole_book(reader: Reader) -> None:
    reader.open("Health")
    usual = [reader.tile("Open balance"), reader.tile("30+ days late")]
    for query in (
        {"product": "nonsense", "month": "1999-01", "weight": "zzz", "basis": "?", "foo": "bar"},
        {"product": "", "region": "", "grade": "", "month": "", "weight": "", "basis": ""},
    ):
        reader.open("Health", **query)
        reader.sees(lambda: [reader.tile("Open balance"), reader.tile("30+ days late")], usual)
        assert reader.broken == []
    # of several values the known one counts
    reader.open("Health", product=["nonsense", "auto_loan"])
    assert reader.tile("Open balance") != usual[0]
    # every page takes an address made of nonsense
    for page in ("Aging", "Roll rates"):
        reader.open(page, window="0", states="x", split="y", horizon="-1", month="2026-13", late="")
        assert reader.broken == []


def test_a_filter_that_leaves_nothing_is_named(reader: Reader, rows: pl.DataFrame) -> None:
    stock = by_hand.open_now(rows, LAST_MONTH)
    ever = rows.filter(status="open").select("product", "region", "grade")
    pairs = set(ever.unique().iter_rows())
    nothing = next(
        (product, region, grade)
        for product in sorted(stock["product"].unique())
        for region in sorted(stock["region"].unique())
        for grade in sorted(stock["grade"].unique())
        if (product, region, grade) not in pairs
        and stock.filter(product=product, region=region).height
    )
    query = dict(zip(("product", "region", "grade"), nothing, strict=True))
    rates = stock.filter(product=nothing[0], region=nothing[1])
    assert rates.height  # it is the grade that leaves nothing
    for page in PORTFOLIO:
        reader.open(page, **query)
        assert any("grade" in alert.lower() for alert in reader.alerts), (page, reader.alerts)
        assert reader.broken == []
    # widening that filter alone brings the numbers back
    reader.open("Health", **{**query, "grade": ""}, weight="Loans")
    assert reader.tile("Open loans") == f"{rates.height:,}"


def test_a_deep_link_opened_first_in_a_fresh_process_is_the_right_page(
    browser: Browser, book: Place, rows: pl.DataFrame
) -> None:
    stock = by_hand.open_now(rows, APRIL, product="auto_loan")
    with served(book) as address:
        reader = Reader(browser, address, stranger=True)
        reader.open("Roll rates", product="auto_loan", month="2026-04", weight="Loans")
        reader.page.get_by_role("heading", level=1, name="Roll rates", exact=True).wait_for()
        assert reader.page.get_by_role("dialog").count() == 0
        assert "not found" not in reader.text
        pairs = by_hand.moves(rows, [APRIL], product="auto_loan")
        rate = by_hand.roll_rate(pairs, "current", "1-30", money=False)
        reader.sees(lambda: near(reader.written("current", "1-30"), rate))
        reader.walk_to("Health")
        assert reader.tile("Open loans") == f"{stock.height:,}"
        reader.close()
        assert reader.errors == []


# --- deeper, and away with it --------------------------------------------------------------


def test_a_click_on_a_cell_lists_its_loans_and_no_others(
    reader: Reader, rows: pl.DataFrame
) -> None:
    reader.open("Roll rates", weight="Loans", product="credit_card")
    pairs = by_hand.moves(rows, [LAST_MONTH], product="credit_card")
    for start, end in (("current", "1-30"), ("current", "paid_off"), ("1-30", "31-60")):
        expected = by_hand.moved_ids(pairs, start, end)
        assert 0 < len(expected) <= 50
        found = reader.listed(reader.click_cell(start, end))
        assert set(found["loan_id"]) == expected
        assert found["product"].unique().to_list() == ["credit_card"]
    assert reader.broken == []


def test_a_long_list_is_paged_and_every_loan_is_on_one_page(
    reader: Reader, rows: pl.DataFrame
) -> None:
    reader.open("Roll rates", weight="Loans", product="auto_loan")
    expected = by_hand.moves(rows, [LAST_MONTH], product="auto_loan").filter(
        shown="current", to="current"
    )
    assert expected.height > 100
    key = reader.click_cell("current", "current")
    assert f"{expected.height:,} loans" in reader.box(key).inner_text()
    seen: list[str] = []
    for number in range(1, -(-expected.height // 50) + 1):
        page = reader.box(key).get_by_role("spinbutton")
        page.fill(str(number))
        page.press("Enter")
        reader.settle()
        before = {*seen}
        reader.sees(lambda old=before: not {*reader.listed(key)["loan_id"]} & old)  # drawn anew
        seen += reader.listed(key)["loan_id"].to_list()
    assert len(seen) == len(set(seen))
    assert set(seen) == set(expected["loan_id"])
    # largest balance first
    largest = expected.sort("balance_amount", "loan_id", descending=[True, False])["loan_id"]
    assert seen == largest.to_list()


def test_the_toggle_on_aging_lists_a_buckets_loans(reader: Reader, rows: pl.DataFrame) -> None:
    reader.open("Aging", region="South")
    reader.pick("late", "1 month")
    reader.box("list_late").locator("label").click()
    stock = by_hand.open_now(rows, LAST_MONTH, region="South").filter(shown="1-30")
    key = "list_late_1-30"
    reader.box(key).wait_for()
    reader.settle()
    assert set(reader.listed(key)["loan_id"]) == set(stock["loan_id"])


def test_csv_and_excel_hold_the_numbers_of_the_chart(reader: Reader, rows: pl.DataFrame) -> None:
    reader.open("Roll rates", weight="Loans", month="2026-04")
    reader.unfold("evidence_roll_rates")
    csv = pl.read_csv(reader.download("csv_roll_rates"))
    path = reader.download("excel_roll_rates")
    excel = fastexcel.read_excel(path.read_bytes()).load_sheet(0).to_polars()
    assert csv.height == excel.height == 8 * 11
    pairs = by_hand.moves(rows, [APRIL])
    for table in (csv, excel):
        row = table.filter(from_state="1-30", to_state="31-60").row(0, named=True)
        assert row["loans"] == len(by_hand.moved_ids(pairs, "1-30", "31-60")) > 0
        assert row["rate"] == pytest.approx(
            by_hand.roll_rate(pairs, "1-30", "31-60", money=False), abs=1e-6
        )
    sheet = zipfile.ZipFile(path).read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in sheet


def test_the_auditors_report_is_a_click_away(reader: Reader, book: Place) -> None:
    """Of the month on the page, with the attempts that the files have of it."""
    reader.open("Contact rules", month="2026-04")
    excel = fastexcel.read_excel(reader.download("auditors_report_Excel").read_bytes())
    coverage = excel.load_sheet("Coverage", header_row=None, dtypes="string").to_polars()
    contacts = pl.read_parquet(book.files / "contacts.parquet").filter(
        pl.col("contacted_at").dt.date().is_between(APRIL.replace(day=1), APRIL),
        direction="outbound",
        channel="sms",
    )
    (row,) = [row for row in coverage.rows() if row[0] == "sms"]
    assert float(row[1]) == contacts.height > 0
    assert reader.download("auditors_report_PDF").read_bytes().startswith(b"%PDF-")


def test_a_screenshot_of_the_roll_rates_page(reader: Reader) -> None:
    reader.open("Roll rates", window="12")
    reader.sees(lambda: bool(reader.written("1-30", "31-60")), True)
    to_docs = os.environ.get("UPDATE_DOCS") == "1"
    path: Path = ROOT / ("docs" if to_docs else "tests/output") / "roll_rates.png"
    path.parent.mkdir(exist_ok=True)
    reader.page.mouse.move(0, 0)
    reader.page.screenshot(path=path)
    assert path.stat().st_size > 20_000
