"""What the charts and `plain` look like in a real browser, in a small app of its own."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chromium import find_chromium

sync_api = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parent.parent
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "'; DROP TABLE loans; --",
    "**bold** $x$ [a](http://b)",
    ":red[hi] :material/home: :smile: :streamlit:",
    "`code` ~~s~~ _i_ \\*esc\\* $\\frac{1}{2}$",
    "a -> b <- c -- d <-> e >= f",
    "https://evil.example www.evil.example x@y.com",
    "![i](http://b/i.png) [^1] :red-badge[x]",
    "# head",
    "1. one",
]
APP = """
from datetime import date
import polars as pl
import streamlit as st
from charts import bars, control, crossings, matrices
from charts.format import plain
from tests.test_charts_in_a_browser import HOSTILE

for number, text in enumerate(HOSTILE):
    st.container(key=f"text{number}").markdown(plain(text))
    st.container(key=f"badge{number}").badge(plain(text, badge=True))
states = ["current", "1-30", "31+"]
ends = ["charged_off", "sold", "paid_off"]
cells = pl.DataFrame(
    [
        {"from_state": a, "to_state": b, "rate": 0.0, "low": 0.0, "high": 0.01, "loans": 0,
         "from_loans": 12 if a == "31+" else 1000, "is_small": a == "31+",
         "difference": 0.0, "usual_rate": 0.0, "is_changed": False}
        for a in states for b in [*states, *ends]
    ]
)
here = (pl.col("from_state") == "1-30") & (pl.col("to_state") == "31+")
cells = cells.with_columns(
    rate=pl.when(here).then(0.2741).otherwise("rate"),
    difference=pl.when(here).then(0.031).otherwise("difference"),
    is_changed=here,
)
spec = matrices.roll_matrix(states, [*states, *ends], alt="Roll rates", with_changes=True)
with st.container(key="matrix"):
    st.write(st.vega_lite_chart(cells, spec, key="m", on_select="rerun"))
names = HOSTILE[:3]
values = pl.DataFrame({"name": names, "value": [0.3, 0.2, 0.1]})
with st.container(key="bars"):
    st.vega_lite_chart(values, bars.ranked(names, alt="By product"), key="b")
shares = pl.DataFrame({"column": ["a", "b", "c", "d"], "share": [0.0, 0.002, 0.005, 0.0002]})
shares = shares.with_columns(row=pl.lit("r"), count=1, is_small=False, low=None, high=None)
codes = {one: one for one in shares["column"]}
crossed = crossings.crossing({"r": "r"}, codes, alt="x", row_title="", column_title="")
weeks = pl.DataFrame({"week": [date(2024, 7, day) for day in (1, 8, 15, 22)], "rate": 1.0})
weeks = weeks.with_columns(
    low=0.0, high=2.0, centre=1.0, is_outside=False, complaints=1, exposure=9,
    signal=pl.lit(None, pl.String),
)
for name, width in (("narrow", 390), ("wide", 800)):
    with st.container(key=name, width=width):
        st.vega_lite_chart(shares, crossed, key=f"c {name}")
with st.container(key="weeks", width=800):
    st.vega_lite_chart(weeks, control.weekly(alt="Weekly"), key="w")
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("charts")
    (folder / "charts_app.py").write_text(APP)
    (folder / ".streamlit").symlink_to(ROOT / ".streamlit")
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "charts_app.py", "--server.port"]
    server = subprocess.Popen(
        [*command, str(port)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=1)
                break
            except OSError:
                time.sleep(0.2)
        yield f"http://localhost:{port}"
    finally:
        server.terminate()
        server.wait(timeout=10)


@pytest.fixture(scope="module")
def chromium() -> Iterator[sync_api.Browser]:
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium: run `python -m tests.chromium`")
    quiet = ["--disable-background-networking", "--disable-component-update"]
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", *quiet]
        )
        yield browser
        browser.close()


@pytest.fixture
def page(address: str, chromium: sync_api.Browser) -> Iterator[sync_api.Page]:
    context = chromium.new_context(color_scheme="light", viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page.goto(address)
    cell(page, "1–30 days", "31+ days").wait_for(state="attached", timeout=30_000)
    page.wait_for_selector(".st-key-bars path[aria-roledescription=bar]", state="attached")
    yield page
    context.close()


def cell(page: sync_api.Page, start: str, end: str) -> sync_api.Locator:
    named = f"[aria-label*='From: {start}; To: {end}']"
    return page.locator(f".st-key-matrix path[aria-roledescription='rect mark']{named}")


def test_hostile_text_is_shown_as_its_characters(page: sync_api.Page) -> None:
    for number, text in enumerate(HOSTILE):
        for kind in ("text", "badge"):
            box = page.locator(f".st-key-{kind}{number} [data-testid=stMarkdownContainer]").first
            shown = (box.text_content() or "").replace("\N{WORD JOINER}", "")
            assert " ".join(shown.split()) == text
            tags = set(re.findall(r"<(\w+)", box.inner_html()))
            assert tags <= {"p", "span"}, (text, tags)


def test_hostile_names_are_shown_in_a_chart_and_call_nobody(
    address: str, chromium: sync_api.Browser
) -> None:
    context = chromium.new_context()
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: asked.append(f"dialog {dialog.message}"))
    page.goto(address)
    bars = page.locator(".st-key-bars path[aria-roledescription=bar]")
    bars.first.wait_for(state="attached", timeout=30_000)
    bars.first.hover(force=True)
    tooltip = page.locator("#vg-tooltip-element")
    tooltip.get_by_text(HOSTILE[0]).wait_for()
    assert tooltip.locator("img").count() == 0
    assert [bar.get_attribute("aria-label").split("Name: ")[1] for bar in bars.all()] == [
        f"{name}; Value: {value}\N{NO-BREAK SPACE}%"
        for name, value in zip(HOSTILE, ("30.0", "20.0", "10.0"), strict=False)
    ]
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    context.close()


def test_a_share_above_nothing_is_never_written_as_nothing(page: sync_api.Page) -> None:
    for width, written in (
        ("narrow", ["0", "<1", "1", "<1"]),
        ("wide", ["0", "0.2", "0.5", "<0.1"]),
    ):
        numbers = page.locator(f".st-key-{width} .mark-text.role-mark text")
        numbers.first.wait_for(state="attached", timeout=30_000)
        assert numbers.all_text_contents() == written


def test_a_few_weeks_are_marked_by_days_and_none_twice(page: sync_api.Page) -> None:
    labels = page.locator(".st-key-weeks .role-axis-label text")
    labels.first.wait_for(state="attached", timeout=30_000)
    days = [text for text in labels.all_text_contents() if text.endswith(" 2024")]
    assert len(days) > 3
    assert len(set(days)) == len(days)
    assert "8 Jul 2024" in days or "10 Jul 2024" in days


def test_a_cell_says_its_states_its_rate_and_its_change(page: sync_api.Page) -> None:
    label = cell(page, "1–30 days", "31+ days").get_attribute("aria-label") or ""
    assert "Rate: 27.4\N{NO-BREAK SPACE}%" in label
    assert "Change, points: +3.1" in label
    assert "Loans that could: 1,000" in label
    written = page.locator(".st-key-matrix svg text").all_text_contents()
    assert written.count("27.4") == 1
    assert written.count("▲ +3.1") == 1


def test_a_click_gives_the_cell_and_few_loans_are_hollow(page: sync_api.Page) -> None:
    assert cell(page, "31+ days", "Sold").get_attribute("fill") == "transparent"
    cell(page, "1–30 days", "31+ days").click(force=True)
    answer = page.locator(".st-key-matrix [data-testid=stJson]")
    page.wait_for_function(
        "document.querySelector('.st-key-matrix [data-testid=stJson]').innerText.includes('31+')"
    )
    assert "1-30" in answer.inner_text()


def test_colours_follow_the_readers_theme_without_asking_the_server(page: sync_api.Page) -> None:
    bar = page.locator(".st-key-bars path[aria-roledescription=bar]").first
    light = bar.get_attribute("fill")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "old => document.querySelector('.st-key-bars path[aria-roledescription=bar]')"
        ".getAttribute('fill') !== old",
        arg=light,
    )
    assert (light, bar.get_attribute("fill")) == ("#7d2b4b", "#c27a96")
