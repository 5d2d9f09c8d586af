"""What each page loads, and how long its queries take on the marts, uncached."""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bench.book import Place
from bench.figures import Figure
from bench.processes import ROOT
from queries.filters import Filter
from queries.marts import Book, open_marts, read_book

PAGES = ("health", "aging", "roll_rates")
RECORDED_VIEWS = 6
MEDIAN_GOAL, P95_GOAL = 10.0, 30.0


@dataclass(frozen=True)
class Call:
    """A query that a page loads, whatever the filter."""

    name: str
    options: tuple[tuple[str, Any], ...]

    def __str__(self) -> str:
        options = ", ".join(f"{name}={value}" for name, value in self.options if value)
        return f"{self.name}({options})"


Calls = dict[Call, Callable[..., sa.Select]]


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


def recorded_calls(place: Place, book: Book, random_: random.Random) -> dict[str, Calls]:
    """What each page loads, found by running it on a few views and listening to `ui.load`."""
    os.environ.update(place.environment)
    from streamlit.testing.v1 import AppTest

    import ui

    load = ui.load
    found: dict[str, Calls] = {page: {} for page in PAGES}
    page = PAGES[0]

    def listening(view: ui.View, query: Callable[..., sa.Select], **options: Any) -> Any:
        found[page][Call(query.__name__, tuple(sorted(options.items())))] = query
        return load(view, query, **options)

    ui.load = listening
    try:
        for number in range(RECORDED_VIEWS):
            app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
            chosen = random_filter(book, random_)
            if number:  # the first view is the one a reader opens
                app.query_params["month"] = f"{chosen.as_of:%Y-%m}"
                app.query_params["window"] = str(chosen.window)
                app.query_params["weight"] = random_.choice(("Balance", "Loans"))
            page = PAGES[0]
            app.run()
            for page in PAGES:
                app.switch_page(f"pages/portfolio/{page}.py").run()
                assert not app.exception, f"{page}: {app.exception[0].message}"
    finally:
        ui.load = load
    return found


def figures(place: Place, *, seed: int, filters: int) -> list[Figure]:
    """Milliseconds of each page's whole set of queries, and of each query."""
    random_ = random.Random(seed)
    marts = open_marts(place.version)
    try:
        book = read_book(marts)
        calls = recorded_calls(place, book, random_)
        chosen = [random_filter(book, random_) for _ in range(filters)]
        warm = Filter(as_of=book.as_of)
        found = []
        for page in PAGES:
            took: dict[Call, list[float]] = {call: [] for call in calls[page]}
            cpu = 0.0
            for one in [warm, *chosen]:
                cpu = 0.0 if one is warm else cpu - time.process_time()
                for call, query in calls[page].items():
                    started = time.perf_counter()
                    marts.fetch(query(one, **dict(call.options)))
                    took[call].append((time.perf_counter() - started) * 1000)
                cpu += 0.0 if one is warm else time.process_time()
            times = {call: times[1:] for call, times in took.items()}
            found += _page_figures(page, times, cpu * 1000 / len(chosen))
    finally:
        marts.close()
    return found


def _page_figures(page: str, took: dict[Call, list[float]], cpu: float) -> list[Figure]:
    whole = [sum(times) for times in zip(*took.values(), strict=True)]
    note = f"{len(took)} queries, {len(whole)} random filters, uncached; mean CPU {cpu:.1f} ms"
    median, late = statistics.median(whole), percentile(whole, 0.95)
    found = [
        Figure("pages", f"{page}: data, median", median, "ms", MEDIAN_GOAL, note=note),
        Figure("pages", f"{page}: data, 95th percentile", late, "ms", P95_GOAL),
    ]
    for call, times in sorted(took.items(), key=str):
        note = f"95th percentile {percentile(times, 0.95):.1f} ms"
        found.append(Figure("pages", f"  {call}", statistics.median(times), "ms", note=note))
    return found
