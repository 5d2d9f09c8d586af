"""From nothing to published marts: sample, load, refresh, and one new month."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.figures import Figure
from bench.processes import GIB, Usage, python
from queries.marts import open_marts, read_book
from warehouse.published import current_version

Progress = Callable[[str], None]
GOALS = {  # seconds, GiB
    "sample": (300.0, 8.0),
    "refresh, one new month": (5.0, None),
    "refresh, all months": (60.0, 3.0),
}
RECOVERY_SECONDS = 60.0
_PARTS = re.compile(r"(Portfolio|Recovery|Conduct|Segments|Publishing): ([\d.]+) s")


@dataclass(frozen=True)
class Place:
    """Where a book of the bench lies."""

    folder: Path

    @property
    def url(self) -> str:
        return f"duckdb:///{self.folder / 'facts.duckdb'}"

    @property
    def marts(self) -> Path:
        return self.folder / "marts"

    @property
    def record(self) -> Path:
        return self.folder / "bench.json"

    @property
    def version(self) -> Path:
        path = current_version(self.marts)
        assert path is not None, f"no marts are published in {self.marts}"
        return path

    @property
    def environment(self) -> dict[str, str]:
        return {"WAREHOUSE_URL": self.url, "MARTS_PATH": str(self.marts)}


def is_there(place: Place, settings: dict[str, int]) -> bool:
    """Is a finished book of these settings in the folder?"""
    if not place.record.exists() or current_version(place.marts) is None:
        return False
    return bool(json.loads(place.record.read_text())["settings"] == settings)


def make(place: Place, settings: dict[str, int], progress: Progress) -> None:
    """Make, load and refresh the book, measuring each step; the last month arrives on its own."""
    places = (place.folder / name for name in ("marts", "sample", "first", "new", "bench.json"))
    for old in (*places, *place.folder.glob("facts.duckdb*")):  # a killed load leaves a folder too
        if old.is_dir():
            shutil.rmtree(old)
        else:
            old.unlink(missing_ok=True)
    usage: dict[str, Usage] = {}
    parts: dict[str, dict[str, float]] = {}

    def step(name: str, *arguments: object) -> None:
        progress(name)
        log = place.folder / f"{name.replace(' ', '_').replace(',', '')}.log"
        usage[name] = python("-m", "warehouse", *arguments, environment=place.environment, log=log)
        parts[name] = _printed_parts(log.read_text())

    options = [part for name, value in settings.items() for part in (f"--{name}", value)]
    sample, first, new = (place.folder / name for name in ("sample", "first", "new"))
    step("sample", "sample", *options, "--out", sample)
    log = place.folder / "split.log"
    python("-m", "bench.splitting", sample, first, new, environment={}, log=log)
    step("load, all months but the last", "load", first)
    step("refresh, all months but the last", "refresh")
    step("load, one new month", "load", new)
    step("refresh, one new month", "refresh")
    shutil.rmtree(place.marts)
    step("refresh, all months", "refresh")
    usages = {name: asdict(used) | {"parts": parts[name]} for name, used in usage.items()}
    place.record.write_text(json.dumps({"settings": settings, "usage": usages}, indent=1))


def _printed_parts(log: str) -> dict[str, float]:
    """The seconds of a refresh's parts, as it printed them."""
    return {name.lower(): float(seconds) for name, seconds in _PARTS.findall(log)}


def figures(place: Place) -> list[Figure]:
    """What each step took, beside its goals, and what the book is."""
    found = []
    for name, used in json.loads(place.record.read_text())["usage"].items():
        seconds, memory = GOALS.get(name, (None, None))
        note = f"CPU {used['cpu_seconds']:.1f} s"
        if used.get("parts"):
            whole = RECOVERY_SECONDS if name == "refresh, all months" else None
            goals = {"portfolio": seconds, "recovery": whole}
            found.append(Figure("book", f"{name}: wall", used["seconds"], "s", note=note))
            for part, took in used["parts"].items():
                found.append(Figure("book", f"{name}: {part} part", took, "s", goals.get(part)))
        else:
            found.append(Figure("book", f"{name}: wall", used["seconds"], "s", seconds, note=note))
        peak = used["peak_bytes"] / GIB
        found.append(Figure("book", f"{name}: peak memory", peak, "GiB", memory))
    return [*found, *_sizes(place)]


def _sizes(place: Place) -> list[Figure]:
    marts = open_marts(place.version)
    rows = read_book(marts).table_rows
    marts.close()
    sizes = {
        "sample's files": sum(path.stat().st_size for path in (place.folder / "sample").iterdir()),
        "facts": (place.folder / "facts.duckdb").stat().st_size,
        "marts": place.version.stat().st_size,
    }
    listed = ", ".join(f"{name} {count:,}" for name, count in sorted(rows.items()))
    return [
        *(Figure("book", f"{name}: size", size / 2**20, "MiB") for name, size in sizes.items()),
        Figure("book", "rows", sum(rows.values()), note=listed),
    ]
