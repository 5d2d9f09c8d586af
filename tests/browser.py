"""A reader of the running app in Chromium: opens pages, chooses, clicks, reads what is there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import polars as pl
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright

from tests.chromium import find_chromium
from tests.served import until

PATHS = {
    "Health": "",
    "Aging": "aging",
    "Roll rates": "roll_rates",
    "Recovery": "recovery",
    "Collectors": "collectors",
    "Channels": "channels",
    "Agencies": "agencies",
    "Complaints": "complaints",
    "Contact rules": "contact_rules",
    "Segments": "segments",
    "Simulator": "simulator",
    "Decisions": "decisions",
    "Definitions": "definitions",
    "Data quality": "data_quality",
}
JOINER = "\N{WORD JOINER}"  # `charts.format.plain` leaves some; nobody can see them


@contextmanager
def chromium() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium: `python -m tests.chromium` installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


# What a page has sent and heard by its websocket tells when an answer is still to come.
_LISTEN = """
const Native = window.WebSocket;
window.__sent = 0; window.__heard = 0;
window.WebSocket = class extends Native {
  constructor(...options) {
    super(...options);
    this.addEventListener('message', () => { window.__heard = performance.now(); });
  }
  send(data) { window.__sent = performance.now(); super.send(data); }
};
delete window.showSaveFilePicker;
"""
_SETTLED = """
() => {
  const app = document.querySelector('[data-testid=stApp]');
  const calm = app
    && app.dataset.testConnectionState === 'CONNECTED'
    && app.dataset.testScriptState === 'notRunning'
    && window.__heard > window.__sent
    && !document.querySelector('[data-testid=stSkeleton]')
    && !document.querySelector('[data-stale="true"]');
  if (!calm) { window.__calm = 0; return false; }
  window.__calm = window.__calm || performance.now();
  return performance.now() - window.__calm > 150;
}
"""


_contexts: dict[tuple[Browser, str], BrowserContext] = {}


def _new_context(browser: Browser, **options: Any) -> BrowserContext:
    made = browser.new_context(
        **{"viewport": {"width": 1440, "height": 900}, "locale": "en-GB"} | options
    )
    made.add_init_script(_LISTEN)
    return made


class Reader:
    """One browser tab on the app, with all that it asked for and complained about.

    A session of its own.  Tabs of a browser share what it keeps of the server's files, which
    costs half a page; a `stranger` has a browser that was never on the app.
    """

    def __init__(
        self, browser: Browser, address: str, *, stranger: bool = False, **options: Any
    ) -> None:
        self.address = address
        self._own = _new_context(browser, **options) if stranger else None
        key = browser, repr(options)
        if self._own is None and key not in _contexts:
            _contexts[key] = _new_context(browser, **options)
        self.page: Page = (self._own or _contexts[key]).new_page()
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("websocket", lambda socket: self.requests.append(socket.url))
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", self._dismiss)

    def _note(self, message: Any) -> None:
        # On a deep link Streamlit first looks for its server below the page's own path.
        source = message.location.get("url", "")
        if message.type == "error" and not re.search(r"/\w+/_stcore/(health|host-config)$", source):
            self.errors.append(f"{message.text} {source}")

    def _dismiss(self, dialog: Any) -> None:
        self.errors.append(f"a dialog opened: {dialog.message}")
        dialog.dismiss()

    # --- going about -----------------------------------------------------------------------
    def open(self, name: str, **query: Any) -> Reader:
        asked = f"?{urlencode(query, doseq=True)}" if query else ""
        self.page.goto(f"{self.address}/{PATHS[name]}{asked}")
        self.settle()
        return self

    def settle(self) -> None:
        self.page.wait_for_function(_SETTLED, timeout=30_000, polling=50)

    def walk_to(self, name: str) -> None:
        """By the link in the sidebar, as a reader does."""
        self.page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
        self.page.get_by_role("heading", level=1, name=name, exact=True).wait_for()
        self.settle()

    def box(self, key: str) -> Locator:
        return self.page.locator(f".st-key-{key}")

    def press(self, key: str, label: str) -> None:
        """Choose an option of a segmented control."""
        self.box(key).get_by_role("radio", name=label, exact=True).click()
        self.settle()

    def offered(self, key: str) -> list[str]:
        """Open the list of a selectbox or multiselect: its options."""
        box = self.box(key).get_by_role("combobox")
        box.scroll_into_view_if_needed()
        self.page.evaluate(  # a list that opens while the page still scrolls closes at once
            "() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))"
        )
        box.click()
        options = self.page.get_by_role("option")
        options.first.wait_for()
        return [option.strip() for option in options.all_inner_texts()]

    def pick(self, key: str, label: str) -> None:
        """Choose an option of a selectbox, or add one to a multiselect."""
        self.offered(key)
        self.page.get_by_role("option", name=label, exact=True).click()
        self.page.keyboard.press("Escape")
        self.settle()

    def click_cell(self, start: str, end: str) -> str:
        """On the middle of a matrix cell, where its number is; the key of the list it opens."""
        cell = self.cell(start, end)
        cell.scroll_into_view_if_needed()
        area = cell.bounding_box()
        assert area
        self.page.mouse.click(area["x"] + area["width"] / 2, area["y"] + area["height"] / 2)
        self.box(f"list_{start}_{end}").wait_for()
        self.settle()
        return f"list_{start}_{end}"

    def listed(self, key: str) -> pl.DataFrame:
        """A list of loans, by its table's own download."""
        table = self.box(key).get_by_test_id("stDataFrame")
        table.hover()
        with self.page.expect_download() as found:
            table.get_by_role("button", name=re.compile("^Download as CSV")).click()
        return pl.read_csv(found.value.path(), infer_schema=False)

    def unfold(self, key: str) -> None:
        """Open an expander."""
        self.box(key).locator("summary").click()
        self.box(key).get_by_role("button").first.wait_for()
        self.settle()

    def download(self, key: str) -> Path:
        with self.page.expect_download() as found:
            self.box(key).get_by_role("button").click()
        return Path(found.value.path())

    # --- reading ---------------------------------------------------------------------------
    @property
    def text(self) -> str:
        """What is on the screen, the cells of tables and charts included."""
        tables = self.page.locator("[data-testid=data-grid-canvas] [role=gridcell]")
        shown = [self.page.inner_text("body"), *tables.all_text_contents()]
        return "\n".join(shown).replace(JOINER, "").replace("\N{NO-BREAK SPACE}", " ")

    @property
    def alerts(self) -> list[str]:
        return self.page.get_by_test_id("stAlert").all_inner_texts()

    @property
    def broken(self) -> list[str]:
        """Errors that the page shows."""
        return [
            *self.page.get_by_test_id("stException").all_inner_texts(),
            *self.page.locator(".stAlert:has([data-testid=stAlertContentError])").all_inner_texts(),
        ]

    def tile(self, label: str) -> str:
        """The value of a headline figure."""
        tile = self.page.get_by_test_id("stMetric").filter(
            has=self.page.get_by_test_id("stMetricLabel").get_by_text(label, exact=True)
        )
        return _words(tile.get_by_test_id("stMetricValue").inner_text())

    def cell(self, start: str, end: str) -> Locator:
        """The matrix's rectangle of a move."""
        name = f"to_state: {end}; from_state: {start};"
        return self.box("matrix").locator(
            f'[aria-roledescription="rect mark"][aria-label^="{name}"]'
        )

    def written(self, start: str, end: str) -> str:
        """What the matrix prints upon a cell, found by where it is drawn."""
        if not self.cell(start, end).count():
            return ""
        return str(
            self.cell(start, end).evaluate(
                """(mark) => {
                  const area = mark.getBoundingClientRect();
                  const inside = (text) => {
                    const spot = text.getBoundingClientRect();
                    const x = (spot.left + spot.right) / 2, y = (spot.top + spot.bottom) / 2;
                    return x > area.left && x < area.right && y > area.top && y < area.bottom;
                  };
                  const texts = mark.closest('svg').querySelectorAll('text');
                  return [...texts].filter(inside).map((text) => text.textContent)[0];
                }"""
            )
        )

    def sees(self, read: Callable[[], Any], expected: Any = True, *, timeout: float = 15) -> None:
        """Wait until the screen shows what is expected."""
        until(read, expected, timeout=timeout, what=self.page.url, pause=self.page.wait_for_timeout)

    def close(self) -> None:
        self.page.close()
        if self._own is not None:
            self._own.close()


def _words(text: str) -> str:
    return text.replace(JOINER, "").replace("\N{NO-BREAK SPACE}", " ").strip()
