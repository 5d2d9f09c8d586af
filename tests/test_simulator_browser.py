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


def test_a_changed_strategy_is_saved_and_opens_from_its_link_with_the_same_numbers(
    browser: Browser, address: str
) -> None:
    reader, friend = Reader(browser, address), Reader(browser, address)
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
        assert any("calls" in line and "late" in line for line in different(reader))
        assert float(reader.tile("Collectors")) > people  # more calls take more hours

        open_part(reader, "Save and decide")
        box = reader.box("strategy_name").get_by_role("textbox")
        box.fill(NAME)
        box.press("Enter")
        reader.settle()
        reader.box("save_strategy").get_by_role("button").click()
        reader.settle()
        reader.sees(lambda: "Saved as" in reader.text)
        open_part(reader, "Answer")
        assert answer(reader).startswith(NAME)  # the name's characters, not a tag
        link = reader.page.url
        assert "strategy=" in link

        friend.page.goto(link)
        friend.settle()
        assert shown(friend) == shown(reader)
        assert different(friend) == different(reader)
        assert not reader.errors + friend.errors + reader.broken + friend.broken
    finally:
        reader.close()
        friend.close()
