"""How long the data and the models of a recovery page take: under a new filter, and again."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import ui
from analytics.composite import WEIGHTS
from appdata.targets import Targets
from bench.book import Place
from bench.data_time import percentile, random_filter
from bench.figures import Figure
from figures import (
    agencies,
    channels,
    collecting,
    collector_conduct,
    collector_work,
    collectors,
    recovery,
)
from queries.filters import Filter
from queries.marts import Book, open_marts, read_book

COLD_GOAL, WARM_GOAL = 150.0, 30.0
WINDOWS = (3, 6, 12, 24)
TARGETS = Targets()


def _recovery(key: str, view: ui.View) -> None:
    found = recovery.figures(key, view)
    if found is not None:
        recovery.book_attainment(view, found, TARGETS)


def _collectors(key: str, view: ui.View) -> None:
    choice = collectors.Choice()
    compared = collectors.comparison(key, choice, view)
    done = collector_work.work(key, choice, view)
    conducted = collector_conduct.conduct(key, view)
    collector_work.scores(key, tuple(WEIGHTS.items()), compared, done, conducted)
    collectors.learning(key, choice, view)


def _channels(key: str, view: ui.View) -> None:
    found = channels.figures(key, view)
    for part in ("effects", "funnel", "costs", "cash", "totals", "concentration", "suited",
                 "steps", "stage_steps", "preferences"):  # fmt: skip
        getattr(found, part)


def _agencies(key: str, view: ui.View) -> None:
    agencies.figures(key, view)


def _health(key: str, view: ui.View) -> None:
    collecting.collecting(view, TARGETS)


PAGES: dict[str, Callable[[str, ui.View], None]] = {
    "recovery": _recovery,
    "collectors": _collectors,
    "channels": _channels,
    "agencies": _agencies,
    "health, collecting": _health,
}


def cohort_filter(book: Book, random_: random.Random) -> Filter:
    """Any segments, and opening months that end in the younger half of the book."""
    chosen = random_filter(book, random_)
    recent = book.months[len(book.months) // 2 :]
    return replace(chosen, as_of=random_.choice(recent), window=random_.choice(WINDOWS))


def figures(place: Place, *, seed: int, filters: int) -> list[Figure]:
    """Milliseconds of everything that a page's figures take: queries, models, intervals."""
    random_ = random.Random(seed)
    marts = open_marts(place.version)
    book = read_book(marts)
    found = []
    for page, make in PAGES.items():
        cold, warm, cpu = [], [], 0.0
        for number in range(filters + 1):
            chosen = cohort_filter(book, random_)
            view = ui.View(place.version, 0, marts, book, chosen, "balance")
            key = f"bench {page} {view.key}"
            before = time.process_time()
            cold.append(_milliseconds(make, key, view))
            cpu += (time.process_time() - before) * (number > 0)
            warm.append(_milliseconds(make, key, view))
        found += _page_figures(page, cold[1:], warm[1:], cpu * 1000 / filters)
    marts.close()
    return found


def _milliseconds(make: Callable[..., None], *arguments: Any) -> float:
    started = time.perf_counter()
    make(*arguments)
    return (time.perf_counter() - started) * 1000


def _page_figures(page: str, cold: list[float], warm: list[float], cpu: float) -> list[Figure]:
    note = (
        f"{len(cold)} random filters; 95th percentile {percentile(cold, 0.95):.0f} ms;"
        f" mean CPU {cpu:.0f} ms"
    )
    median, again = statistics.median(cold), statistics.median(warm)
    return [
        Figure("pages", f"{page}: data and model, cold", median, "ms", COLD_GOAL, note=note),
        Figure("pages", f"{page}: data and model, warm", again, "ms", WARM_GOAL),
    ]
