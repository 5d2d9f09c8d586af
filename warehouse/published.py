"""Published marts: versioned DuckDB files and a pointer that moves.

A refresh builds `building.duckdb`; when it is whole, the file is renamed to
`marts-N.duckdb` and the pointer file `current` is replaced in one step.  A
reader that holds an older version finishes on it; the next look at the pointer
finds the new one.  The last two versions are kept.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from warehouse.engines import WarehouseUnavailable

BUILDING = "building.duckdb"
POINTER = "current"


def current_version(folder: Path) -> Path | None:
    """The marts that readers should open now, or None when nothing is published."""
    try:
        name = (folder / POINTER).read_text().strip()
    except FileNotFoundError:
        return None
    path = folder / name
    return path if name and path.exists() else None


def is_readable(path: Path) -> bool:
    """Whether a version can be opened; one that was damaged is made anew by the next refresh."""
    try:
        duckdb.connect(str(path), read_only=True).close()
    except duckdb.Error:
        return False
    return True


def start_building(folder: Path) -> Path:
    """The file that a refresh works on: what a killed refresh left, else a copy of the current."""
    folder.mkdir(parents=True, exist_ok=True)
    building = folder / BUILDING
    if building.exists():
        try:
            duckdb.connect(str(building)).close()
            return building
        except duckdb.Error:
            discard_building(folder)
    published = current_version(folder)
    if published is not None and is_readable(published):
        copy = folder / "copying.duckdb"
        shutil.copyfile(published, copy)
        os.replace(copy, building)
    return building


def discard_building(folder: Path) -> None:
    for path in folder.glob(BUILDING + "*"):
        path.unlink(missing_ok=True)


def publish(folder: Path) -> Path:
    """Make the built file the current version, in one step, and drop all but the last two."""
    numbers = [int(path.stem.split("-")[1]) for path in folder.glob("marts-*.duckdb")]
    # Never a name that a reader may hold open, not even after files or the folder were lost.
    number = max([*numbers, time.time_ns() // 1_000_000]) + 1
    target = folder / f"marts-{number:06d}.duckdb"
    os.replace(folder / BUILDING, target)
    pointer = folder / f"{POINTER}.new"
    with pointer.open("w") as file:
        file.write(target.name)
        file.flush()
        os.fsync(file.fileno())
    os.replace(pointer, folder / POINTER)
    for path in sorted(folder.glob("marts-*.duckdb*"))[:-2]:
        path.unlink(missing_ok=True)
    return target


@contextmanager
def refresh_lock(
    folder: Path, *, wait_seconds: float, progress: Callable[[str], None]
) -> Iterator[None]:
    """One refresh at a time; the lock falls with the process that holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "refresh.lock").open("w") as file:
        deadline = time.monotonic() + wait_seconds
        told = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    progress("another refresh is running; waiting for it")
                    told = True
                if time.monotonic() > deadline:
                    raise WarehouseUnavailable("another refresh is still running") from None
                time.sleep(0.2)
        yield
