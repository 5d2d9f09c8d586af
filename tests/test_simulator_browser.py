"""A reader of the Simulator in a real browser: change a strategy, save it, share its link."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser

from tests.browser import Reader
from tests.served import Place, synthetic

pytestmark = pytest.mark.browser

NAME = "Two more people <b>"
TILES = ("Return", "Complaints", "Breaches", "Collectors", "Recovery", "Period")


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return synthetic(tmp_path_factory.mktemp("simulator_browser"))


def answer(reader: Reader) -> str:
    """The page's first sentences."""
    told = reader.box("answer").inner_text().replace("\N{WORD JOINER}", "")
    return told.replace("\N{NO-BREAK SPACE}", " ")


def open_part(reader: Reader, name: str) -> None:
    reader.page.get_by_role("tab", name=name, exact=True).click()
    reader.settle()


def different(reader: Reader) -> list[str]:
    """The sentences of what is different, and the tiles under them."""
    lines = [line.strip() for line in reader.text.splitlines()]
    return [line for line in lines if " → " in line or "calls" in line.lower()]


def shown(reader: Reader) -> dict[str, str]:
    return {name: reader.tile(name) for name in TILES} | {"answer": answer(reader)}


def edit_cell(reader: Reader, row: int, column: int, text: str) -> None:
    """Open a cell of the first table with the keyboard, and type; rows and columns from 1."""
    table = reader.page.get_by_test_id("stDataFrame").first
    table.click(position={"x": 60, "y": 50})  # the first row's name
    keys = reader.page.keyboard
    for key in ["ArrowDown"] * (row - 1) + ["ArrowRight"] * (column - 1) + ["Enter"]:
        keys.press(key)
    cell = reader.page.locator("#portal input")
    cell.fill(text)
    cell.press("Enter")
    reader.settle()


def test_a_number_typed_into_the_table_is_told_and_answered(browser: Browser, address: str) -> None:
    reader = Reader(browser, address)
    try:
        reader.open("Simulator")
        reader.sees(lambda: "This is what is done now" in answer(reader))
        open_part(reader, "Strategy")
        cells = reader.page.locator("[role=gridcell]")
        early = cells.nth(10)  # ten columns: the second row begins here
        reader.sees(lambda: early.inner_text(), "Early (to 30 days)")
        calls = float(cells.nth(17).inner_text())
        edit_cell(reader, 2, 8, "2.5")
        reader.sees(lambda: float(cells.nth(17).inner_text()), 2.5)
        open_part(reader, "Answer")
        reader.sees(lambda: answer(reader).startswith("Your strategy"))
        told = next(line for line in different(reader) if "1–30 days late: calls" in line)
        was, now = (float(one) for one in re.findall(r"[\d.]+", told.split("calls")[1])[:2])
        assert (was, now) == (pytest.approx(calls, rel=0.01), 2.5)
        assert not reader.errors + reader.broken
    finally:
        reader.close()


def test_a_changed_strategy_is_saved_and_opens_from_its_link_with_the_same_numbers(
    browser: Browser, address: str
) -> None:
    reader, friend = Reader(browser, address), Reader(browser, address, stranger=True)
    try:
        reader.open("Simulator")
        assert "This is what is done now" in answer(reader)
        people = float(reader.tile("Collectors"))

        for key, steps in (("quick_people", 2), ("quick_calls", 2)):
            thumb = reader.box(key).get_by_role("slider")
            thumb.focus()
            for _ in range(steps):
                thumb.press("ArrowRight")
            reader.settle()
        reader.sees(lambda: "80 % interval" in answer(reader))
        assert answer(reader).startswith("Your strategy")
        told = next(line for line in different(reader) if "Collectors" in line and "→" in line)
        before, after = (float(one) for one in re.findall(r"[\d.]+", told)[:2])
        assert after == before + 2
        reader.sees(lambda: any("calls" in line and "late" in line for line in different(reader)))
        reader.sees(lambda: float(reader.tile("Collectors")) > people)  # more calls, more hours

        open_part(reader, "Save and decide")
        box = reader.box("strategy_name").get_by_role("textbox")
        box.fill(NAME)
        box.press("Enter")
        reader.settle()
        reader.box("save_strategy").get_by_role("button").click()
        reader.settle()
        reader.sees(lambda: "Saved as" in reader.text)
        open_part(reader, "Answer")
        reader.sees(lambda: answer(reader).startswith(NAME))  # the name's characters, not a tag
        link = reader.page.url
        assert "strategy=" in link

        friend.page.goto(link)
        friend.settle()
        friend.sees(lambda: shown(friend) == shown(reader))
        friend.sees(lambda: different(friend) == different(reader))
        assert not reader.errors + friend.errors + reader.broken + friend.broken
    finally:
        reader.close()
        friend.close()
