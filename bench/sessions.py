"""Many readers at once: sessions that think, click, and wait for the page."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field

import psutil
from websockets.exceptions import WebSocketException

from bench.book import Place
from bench.browser import Browser, Run
from bench.data_time import percentile
from bench.figures import Figure
from bench.script_time import TITLES, changeable, other_value
from bench.server import running

PAGE_SHARE = 0.2  # of the clicks that go to another page


@dataclass
class Crowd:
    """What all readers together saw."""

    first: list[float] = field(default_factory=list)  # seconds, opening the app
    clicks: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    def note(self, run: Run, *, is_first: bool = False) -> None:
        (self.first if is_first else self.clicks).append(run.seconds)
        self.errors.update(run.errors)


async def _read(
    port: int, crowd: Crowd, random_: random.Random, *, think: float, until: float
) -> None:
    """One reader: open the app, then think and click until the time is up."""
    await asyncio.sleep(random_.uniform(0, min(think, until - time.monotonic())))
    try:
        async with Browser(port) as browser:
            crowd.note(await browser.rerun(), is_first=True)
            while time.monotonic() + think < until:
                await asyncio.sleep(think)
                crowd.note(await _click(browser, random_))
    except TimeoutError:
        crowd.errors["no answer in time"] += 1
    except (OSError, WebSocketException) as error:
        crowd.errors[f"disconnected: {error}"[:200]] += 1


async def _click(browser: Browser, random_: random.Random) -> Run:
    keys = changeable(browser)
    if not keys or random_.random() < PAGE_SHARE:
        return await browser.go_to(random_.choice([one for one in TITLES if one != browser.page]))
    key = random_.choice(keys)
    return await browser.choose(key, *other_value(browser, key, random_))


async def _all(
    port: int, crowd: Crowd, *, sessions: int, think: float, until: float, seed: int
) -> None:
    await asyncio.gather(
        *(
            _read(port, crowd, random.Random(f"{seed} {number}"), think=think, until=until)
            for number in range(sessions)
        )
    )


def figures(
    place: Place, *, sessions: int, seconds: float, think: float, seed: int
) -> list[Figure]:
    """Errors, and seconds from click to finished script, of readers on one server."""
    crowd = Crowd()
    with running(place) as server:
        began, cpu, own = time.monotonic(), server.cpu_seconds(), psutil.Process().cpu_times()
        asyncio.run(
            _all(
                server.port,
                crowd,
                sessions=sessions,
                think=think,
                until=began + seconds,
                seed=seed,
            )
        )
        took = time.monotonic() - began
        busy = (server.cpu_seconds() - cpu) / took
        memory = server.process.memory_info().rss / 2**20
        after = psutil.Process().cpu_times()
    client = (after.user - own.user + after.system - own.system) / took
    clicks = [1000 * one for one in crowd.clicks] or [float("nan")]
    runs = len(crowd.first) + len(crowd.clicks)
    told = "; ".join(f"{count} x {text}" for text, count in crowd.errors.most_common(5))
    name = f"{sessions} sessions, {seconds:g} s, thinking {think:g} s"
    return [
        Figure("sessions", f"{name}: errors", sum(crowd.errors.values()), "", 1, note=told),
        Figure("sessions", "script runs finished", runs, note=f"{len(crowd.first)} of them first"),
        Figure("sessions", "click to finished: median", statistics.median(clicks), "ms"),
        Figure("sessions", "click to finished: 95th percentile", percentile(clicks, 0.95), "ms"),
        Figure("sessions", "click to finished: slowest", max(clicks), "ms"),
        Figure(
            "sessions",
            "first page of a session: median",
            1000 * statistics.median(crowd.first or [float("nan")]),
            "ms",
        ),
        Figure("sessions", "server's CPU", busy, "cores", note=f"the readers' {client:.2f}"),
        Figure("sessions", "server's memory at the end", memory, "MiB"),
    ]
