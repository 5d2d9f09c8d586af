"""How long the data of a page takes under a filter that nobody chose before."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from typing import Any

import polars as pl

import ui
from analytics.groupings import possible_groupings
from bench.book import Place
from bench.figures import Figure
from figures import aging, health, roll_rates
from queries.filters import Filter
from queries.marts import Book, open_marts, read_book

MEDIAN_GOAL, P95_GOAL = 10.0, 30.0
OPENINGS = 5
Took = dict[str, float]  # milliseconds by query


def _health(key: str, view: ui.View, random_: random.Random) -> None:
    health.figures(key, view)


def _aging(key: str, view: ui.View, random_: random.Random) -> None:
    segment = random_.choice([*aging.SEGMENTS.values()])
    aging.figures(f"{key} {segment}", segment, view)


def _roll_rates(key: str, view: ui.View, random_: random.Random) -> None:
    grouping = random_.choice(possible_groupings(view.book.buckets))
    roll_rates.figures(f"{key} {grouping}", grouping, view)


PAGES = {"health": _health, "aging": _aging, "roll_rates": _roll_rates}


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def random_filter(book: Book, random_: random.Random) -> Filter:
    """Any month, window and basis, and of each segment all or some."""

    def some(values: tuple[str | None, ...]) -> tuple[str | None, ...]:
        if random_.random() < 0.5:
            return ()
        return tuple(random_.sample(values, random_.randint(1, len(values))))

    return Filter(
        as_of=random_.choice(book.months),
        window=random_.choice((1, 3, 6, 12)),
        products=some(book.segments["product"]),
        regions=some(book.segments["region"]),
        grades=some(book.segments["grade"]),
        basis=random_.choice(("days", "months")) if book.has_months_past_due else "days",
    )


def _random_view(place: Place, random_: random.Random) -> Callable[[], ui.View]:
    """Views on a version that is opened once, whose marts are read as pages ask for them."""
    path = place.version
    marts = open_marts(path)
    book = read_book(marts)
    weights: tuple[Any, ...] = ("balance", "loans") if book.has_balances else ("loans",)

    def view() -> ui.View:
        chosen = random_filter(book, random_)
        return ui.View(path, 0, marts, book, chosen, random_.choice(weights))

    return view


class Listener:
    """Stands in for `ui.load`: it adds up the time that each query of a page takes."""

    def __init__(self) -> None:
        self._load = ui.load
        self.took: Took = {}
        self.cpu = 0.0

    def __call__(
        self, view: ui.View, query: Callable[..., pl.DataFrame], **options: Any
    ) -> pl.DataFrame:
        cpu, wall = time.process_time(), time.perf_counter()
        try:
            return self._load(view, query, **options)
        finally:
            name = f"{query.__name__}({', '.join(_words(options))})"
            self.took[name] = self.took.get(name, 0) + (time.perf_counter() - wall) * 1000
            self.cpu += (time.process_time() - cpu) * 1000

    def __enter__(self) -> Listener:
        ui.load = self  # type: ignore[assignment]
        return self

    def __exit__(self, *_: object) -> None:
        ui.load = self._load


def _words(options: dict[str, Any]) -> list[str]:
    """Options that tell one query of a page from another."""
    return [f"{name}={value}" for name, value in options.items() if value and name != "from_states"]


def figures(place: Place, *, seed: int, filters: int) -> list[Figure]:
    """Milliseconds of opening a version, of all that a page loads, and of each query."""
    random_ = random.Random(seed)
    view = _random_view(place, random_)
    found = _opening_figures(place)
    for page, make in PAGES.items():
        listeners = []
        for number in range(filters + 1):
            with Listener() as listener:
                make(f"bench {number} {place.version}", view(), random_)
            listeners.append(listener)
        found += _page_figures(page, listeners[1:])  # the first reads the page's marts
    return found


def _opening_figures(place: Place) -> list[Figure]:
    """What the first reader of a new version waits for: reading all marts of these pages."""
    took, size = [], 0
    for _ in range(OPENINGS):
        started = time.perf_counter()
        marts = open_marts(place.version)
        book = read_book(marts)
        for mart in ("transitions", "industries", "cash", "medians", "concentration"):
            marts.part(mart)
        took.append((time.perf_counter() - started) * 1000)
        size = marts.bytes_in_memory
        marts.close()
    assert book.months
    note = f"once a version and process; median of {OPENINGS}, slowest {max(took):.0f} ms"
    return [
        Figure("pages", "marts read into memory", statistics.median(took), "ms", note=note),
        Figure("pages", "marts in memory", size / 2**20, "MiB", note="of one version"),
    ]


def _page_figures(page: str, listeners: list[Listener]) -> list[Figure]:
    whole = [sum(one.took.values()) for one in listeners]
    cpu = statistics.mean(one.cpu for one in listeners)
    names = sorted({name for one in listeners for name in one.took})
    note = f"{len(whole)} random filters, nothing cached; mean CPU {cpu:.1f} ms"
    median, late = statistics.median(whole), percentile(whole, 0.95)
    found = [
        Figure("pages", f"{page}: data, median", median, "ms", MEDIAN_GOAL, note=note),
        Figure("pages", f"{page}: data, 95th percentile", late, "ms", P95_GOAL),
    ]
    for name in names:
        times = [one.took[name] for one in listeners if name in one.took]
        views = f"{len(times)} of {len(listeners)} views"
        note = f"95th percentile {percentile(times, 0.95):.1f} ms; in {views}"
        found.append(Figure("pages", f"  {name}", statistics.median(times), "ms", note=note))
    return found
