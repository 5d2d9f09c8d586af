"""What the bench ran on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import psutil

from bench.figures import Figure

PACKAGES = ("duckdb", "polars", "pandas", "streamlit", "sqlalchemy", "pyarrow", "numpy")


def figures(settings: str) -> list[Figure]:
    """The machine, its software and how busy it was before the bench began."""
    one, five, _ = os.getloadavg()
    cores = len(os.sched_getaffinity(0))
    rows = [
        ("book", settings),
        ("processor", f"{_processor()}, {cores} cores"),
        ("memory", f"{psutil.virtual_memory().total / 2**30:.1f} GiB"),
        ("system", f"{_system()}, {platform.platform(terse=True)}"),
        ("Python", platform.python_version()),
        ("packages", ", ".join(f"{name} {version(name)}" for name in PACKAGES)),
        ("load before", f"{one:.2f} over 1 minute, {five:.2f} over 5, on {cores} cores"),
    ]
    if one > 0.3:
        rows.append(("beware", "other work was running: wall times below are upper bounds"))
    return [Figure("machine", name, value) for name, value in rows]


def load_after() -> Figure:
    one, five, fifteen = os.getloadavg()
    return Figure(
        "machine", "load after", f"{one:.2f}, {five:.2f}, {fifteen:.2f} over 1, 5, 15 minutes"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _system() -> str:
    return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
