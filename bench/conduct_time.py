"""How long a rule pack's replay takes: over the whole log, and of one new month.

Run as a program (`python -m bench.conduct_time URL FOLDER`), it replays the packs in use into
marts of their own, so that time and memory are the replay's alone.  The one month is the last,
as if a load had touched it; the facts are only read.
"""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

import ui
from bench.book import Place
from bench.data_time import percentile
from bench.figures import Figure
from bench.processes import GIB, python
from bench.recovery_time import cohort_filter
from figures import contact_rules
from jobs.refresh import SCHEMA, book_shape
from jobs.rule_marts import refresh_rules
from jobs.rule_sources import contact_sources
from queries.books import book_months
from queries.marts import open_marts, read_book
from warehouse.buckets import DEFAULT_BOUNDS
from warehouse.conduct_marts import conduct_stamps
from warehouse.engines import DuckDBConnection, create_tables, session
from warehouse.marts import marts
from warehouse.packs import CONTACT, chosen_packs
from warehouse.settings import contact_packs, rule_packs

COLD_GOAL = 150.0  # milliseconds, as of the recovery pages
FULL_SECONDS, FULL_GIB, MONTH_SECONDS = 60.0, 6.0, 5.0


def figures(place: Place, *, seed: int, filters: int) -> list[Figure]:
    """The replay, and the page's data under filters that nobody chose before."""
    return [*replay_figures(place), page_figure(place, seed=seed, filters=filters)]


def page_figure(place: Place, *, seed: int, filters: int) -> Figure:
    """Milliseconds of everything that the page shows before a list is asked for."""
    random_ = random.Random(seed)
    marts = open_marts(place.version)
    book = read_book(marts)
    took = []
    for number in range(filters + 1):
        chosen = cohort_filter(book, random_)
        view = ui.View(place.version, 0, marts, book, chosen, "balance")
        key = f"bench rules {number} {view.key}"
        started = time.perf_counter()
        choice = contact_rules.Choice(contact_rules.rules_in_use(view)[1])
        contact_rules.figures(key, choice, view)
        contact_rules.by_dimension(key, "collector_id", choice, view)
        contact_rules.records(key, view)
        took.append((time.perf_counter() - started) * 1000)
    marts.close()
    slow = percentile(took[1:], 0.95)
    note = f"{filters} random filters, nothing cached; 95th percentile {slow:.0f} ms"
    name = "contact rules: data, cold"
    return Figure("rules", name, statistics.median(took[1:]), "ms", COLD_GOAL, note=note)


def replay_figures(place: Place) -> list[Figure]:
    """Seconds and memory of a full replay, and seconds of one new month."""
    log = place.folder / "rules.log"
    with tempfile.TemporaryDirectory(dir=place.folder) as folder:
        used = python("-m", "bench.conduct_time", place.url, folder, environment={}, log=log)
    told = json.loads(log.read_text().splitlines()[-1])
    note = f"{told['attempts']:,} attempts in {told['months']} months; packs {told['packs']};"
    note += f" CPU {used.cpu_seconds:.0f} s with the runs below"
    peak = used.peak_bytes / GIB
    return [
        Figure("rules", "full replay", told["full"], "s", FULL_SECONDS, note=note),
        Figure("rules", "full replay: peak memory", peak, "GiB", FULL_GIB),
        Figure("rules", "one new month", told["month"], "s", MONTH_SECONDS),
        Figure("rules", "nothing new", told["nothing"], "s"),
    ]


def replay(url: str, folder: Path) -> dict[str, object]:
    """Replay everything, then the last month, then nothing."""
    packs = chosen_packs(CONTACT, contact_packs(), rule_packs())
    target = DuckDBConnection(str(folder / "rules.duckdb"), read_only=False)
    create_tables(target, marts)
    target.commit()
    seconds = {}
    with session(url) as facts:
        shape = book_shape(facts, DEFAULT_BOUNDS)
        as_of = max(facts.fetch(book_months())["month"])
        months: tuple[object, ...] = ()
        for name in ("full", "month", "nothing"):
            if name == "month":  # what a load that touched it would make anew
                last = sa.delete(conduct_stamps).where(conduct_stamps.c.month == as_of)
                target.execute(last)
                target.commit()
            started = time.monotonic()
            sources = contact_sources(facts, shape, SCHEMA)
            made, wrong, _ = refresh_rules(
                facts, target, shape, packs, sources, as_of, lambda _: None
            )
            seconds[name] = time.monotonic() - started
            assert not wrong, wrong
            months = months or made
    table = marts.tables["rule_attempts"]
    attempts = target.fetch(sa.select(sa.func.sum(table.c.attempts))).item()
    target.close()
    used = ", ".join(pack.id for pack in packs)
    return {**seconds, "attempts": int(attempts), "months": len(months), "packs": used}


if __name__ == "__main__":
    print(json.dumps(replay(sys.argv[1], Path(sys.argv[2]))))
