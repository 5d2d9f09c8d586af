"""How much CPU a page's script takes in the real server: warm, and after a changed filter.

The Simulator answers twice in a run, first from fewer draws: its first answer after a changed
filter or a moved slider has the goal, and the whole run, refined answer and all, is told beside it.
"""

from __future__ import annotations

import asyncio
import random
import statistics
from dataclasses import replace

from bench.book import Place
from bench.browser import Browser, Run
from bench.data_time import percentile
from bench.figures import Figure
from bench.processes import Failed
from bench.server import Server, running

TITLES = (
    "Health",
    "Aging",
    "Roll rates",
    "Recovery",
    "Collectors",
    "One collector",
    "Channels",
    "Agencies",
    "Complaints",
    "Contact rules",
    "Segments",
    "Simulator",
    "Decisions",
)
WITHIN = {"One collector": ("Collectors", "collector")}  # a page's view of one: page, and filter
FILTERS = ("month", "weight", "product", "region", "grade", "basis", "window", "cohort_window")
SLIDERS = {"Simulator": ("quick_calls", "quick_messages", "quick_days", "quick_bot")}
KINDS = {"warm": "same view", "changed": "changed filter", "moved": "moved slider"}
TWICE = "first answer"  # pages with sliders answer twice
WARM_GOAL, CHANGED_GOAL = 60.0, 150.0
RECENT = 12  # months that a reader goes back: the first ones have too little history to draw
SETTLE = 5  # runs of a page before the first that counts: imports, compiled statements


def other_value(browser: Browser, key: str, random_: random.Random) -> tuple[str, ...]:
    """A value of a filter that it does not have now."""
    widget = browser.widgets[key]
    options = widget.options[:RECENT] if key == "month" else widget.options  # newest first
    while True:
        value: tuple[str, ...] = (random_.choice(options),)
        if widget.kind == "multiselect":
            chosen = random_.sample(widget.options, random_.randint(0, len(widget.options) - 1))
            value = tuple(option for option in widget.options if option in chosen)
        if value != widget.value:
            return value


def changeable(browser: Browser) -> list[str]:
    """The shared filters on the page that have another value."""
    return [
        key for key in FILTERS if key in browser.widgets and len(browser.widgets[key].options) > 1
    ]


class Drive:
    """One reader clicking through the pages; `runs` are the numbers of the runs that count."""

    def __init__(
        self, browser: Browser, random_: random.Random, repeats: int, settle: int = SETTLE
    ) -> None:
        self._browser = browser
        self._random = random_
        self._repeats = repeats
        self._settle = settle
        self._count = 0
        self._seen: set[str] = set()
        self.runs: dict[tuple[str, str], list[int]] = {}

    async def through_all_pages(self) -> None:
        self._note(await self._browser.rerun())
        for title in TITLES:
            await self._open(title)
            for number in range(self._settle + self._repeats):
                self._note(await self._browser.rerun(), title, "warm", number)
            for number in range(self._settle + self._repeats if changeable(self._browser) else 0):
                key, value = self._unseen()
                self._note(await self._browser.choose(key, *value), title, "changed", number)
            if title in SLIDERS:
                await self._whole_book()
            for number in range(self._settle + self._repeats if title in SLIDERS else 0):
                at = self._moved(self._random.choice(SLIDERS[title]))
                self._note(await self._browser.move(*at), title, "moved", number)

    async def _open(self, title: str) -> None:
        page, key = WITHIN.get(title, (title, ""))
        self._note(await self._browser.go_to(page))
        if key:
            one = self._random.choice(self._browser.widgets[key].options)
            self._note(await self._browser.choose(key, one))

    async def _whole_book(self) -> None:
        """Every filter back to where it began: of a small part there may be nothing to move."""
        for key in changeable(self._browser):
            default = self._browser.widgets[key].default
            self._note(await self._browser.choose(key, *default))

    def _unseen(self) -> tuple[str, tuple[str, ...]]:
        """A change to a view that was not drawn before, so that nothing of it is cached."""
        browser = self._browser
        while True:
            key = self._random.choice(changeable(browser))
            value = other_value(browser, key, self._random)
            changed = browser.widgets | {key: replace(browser.widgets[key], value=value)}
            view = repr([browser.page, *((name, changed[name].value) for name in sorted(changed))])
            if view not in self._seen:
                self._seen.add(view)
                return key, value

    def _moved(self, key: str) -> tuple[str, float]:
        """A place of a slider where nothing was moved to before."""
        slider = self._browser.sliders[key]
        steps = round((slider.most - slider.least) / slider.step)
        while True:
            value = slider.least + slider.step * self._random.randint(0, steps)
            places = self._browser.sliders | {key: replace(slider, value=value)}
            view = repr(sorted((name, one.value) for name, one in places.items()))
            if view not in self._seen:
                self._seen.add(view)
                return key, value

    def _note(self, run: Run, title: str = "", kind: str = "", number: int = -1) -> None:
        if run.errors:
            raise Failed(f"a page failed: {run.errors[0]}")
        if number >= self._settle:
            self.runs.setdefault((title, kind), []).append(self._count)
        self._count += 1


async def _drive(server: Server, random_: random.Random, repeats: int, settle: int) -> Drive:
    async with Browser(server.port) as browser:
        drive = Drive(browser, random_, repeats, settle)
        await drive.through_all_pages()
    return drive


def figures(place: Place, *, seed: int, repeats: int, settle: int = SETTLE) -> list[Figure]:
    """Milliseconds of process CPU while the script ran, by page, warm and after a change."""
    with running(place) as server:
        drive = asyncio.run(_drive(server, random.Random(seed), repeats, settle))
        log = server.runs()
    return [
        figure
        for (title, kind), numbers in drive.runs.items()
        for figure in _kind_figures(title, kind, numbers, log)
    ]


def _kind_figures(
    title: str, kind: str, numbers: list[int], log: list[dict[str, float]]
) -> list[Figure]:
    """A page's runs of a kind: its whole run, and the first answer of a page that gives two."""
    runs = [log[number] for number in numbers]
    used = [run["run_ms"] for run in runs]
    thread = statistics.median(run["thread_ms"] for run in runs)
    wall = statistics.median(run["wall_ms"] for run in runs)
    whole = [log[at + 1]["began_ms"] - log[at]["began_ms"] for at in numbers[:-1]]
    note = (
        f"95th percentile {percentile(used, 0.95):.0f}; its own thread {thread:.0f};"
        f" with sending {statistics.median(whole):.0f}; wall {wall:.0f} ms;"
        f" {len(used)} runs"
    )
    name = f"{title}: script CPU, {KINDS[kind]}"
    goal = WARM_GOAL if kind == "warm" else CHANGED_GOAL
    if title not in SLIDERS or kind == "warm":
        return [Figure("pages", name, statistics.median(used), "ms", goal, note=note)]
    first = [run["first_ms"] or run["run_ms"] for run in runs]  # nothing to say: at its end
    late = f"95th percentile {percentile(first, 0.95):.0f}; {len(first)} runs"
    return [
        Figure("pages", f"{name}, {TWICE}", statistics.median(first), "ms", goal, note=late),
        Figure("pages", f"{name}, refined", statistics.median(used), "ms", note=note),
    ]
