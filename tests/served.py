"""The app as a process: a book of files, facts and marts, and `python serve.py` on a free port."""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from jobs.refresh import refresh
from tests.conftest import ROOT
from warehouse.load import load
from warehouse.sample import make_book

LAST_MONTH = dt.date(2026, 6, 30)


@dataclass(frozen=True)
class Place:
    """Where a test's book is: its files, its facts and its marts."""

    files: Path
    url: str
    marts: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"WAREHOUSE_URL": self.url, "MARTS_PATH": str(self.marts)}

    @property
    def log(self) -> Path:
        return self.marts.parent / "commands.log"

    def command(self, *arguments: str) -> subprocess.Popen[bytes]:
        """`python -m warehouse ...` on this book, as a process of its own."""
        with self.log.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "warehouse", *arguments],
                cwd=ROOT,
                env={**os.environ, **self.environment},
                stdout=output,
                stderr=output,
            )

    def run(self, *arguments: str) -> None:
        """The same to its end, which must be a good one."""
        status = self.command(*arguments).wait(120)
        assert status == 0, self.log.read_text()[-2000:]


def place(folder: Path, url: str | None = None) -> Place:
    return Place(folder / "files", url or f"duckdb:///{folder / 'facts.duckdb'}", folder / "marts")


def synthetic(folder: Path, **options: Any) -> Place:
    """A synthetic book of 2,000 loans over 14 months, loaded and refreshed, to change at will.

    `folder` comes from `mktemp`.  A book of the same options is made once for all files of tests,
    whichever worker runs them; each gets a copy.
    """
    is_worker = "PYTEST_XDIST_WORKER" in os.environ  # its folder lies in that of the whole run
    books = (folder.parent.parent if is_worker else folder.parent) / "books"
    books.mkdir(exist_ok=True)
    made = books / "-".join(["book", *(f"{name}_{one}" for name, one in sorted(options.items()))])
    with Path(f"{made}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            building = Path(f"{made}.building")
            take(write_book(building, **options))
            building.rename(made)
    shutil.copytree(made, folder, dirs_exist_ok=True)
    return place(folder)


def write_book(folder: Path, **options: Any) -> Place:
    """The files of a synthetic book.

    Here an instalment counts as missed once it is thirty days old, so that buckets by days and
    by months differ.
    """
    found = place(folder)
    defaults: dict[str, Any] = {"loans": 2000, "months": 14, "last_month": LAST_MONTH}
    make_book(found.files, **defaults | options)
    path = found.files / "loan_months.parquet"
    days = pl.col("days_past_due")
    missed = pl.when(days > 0).then(pl.max_horizontal(days // 30, 1)).otherwise(0)
    pl.read_parquet(path).with_columns(months_past_due=missed.cast(pl.Int32)).write_parquet(path)
    return found


def take(where: Place) -> None:
    """Load the files of a place and publish its marts."""
    load(
        where.files,
        url=where.url,
        progress=lambda _: None,
        today=dt.date(2026, 7, 15),
        reports=where.files.parent / "reports",
    )
    refresh(where.url, where.marts)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def served(where: Place) -> Iterator[str]:
    """`python serve.py` on a book; yields its address."""
    port = free_port()
    log = where.marts.parent / f"server-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "serve.py", f"--server.port={port}", "--server.address=127.0.0.1"],
            cwd=ROOT,
            env={**os.environ, **where.environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _is_healthy(address), timeout=60, what=f"{address} answers")
        yield address
        assert process.poll() is None, f"the server ended by itself:\n{log.read_text()}"
    finally:
        process.terminate()
        process.wait(20)
    assert "Traceback" not in log.read_text(), log.read_text()


def _is_healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def until(
    read: Callable[[], Any],
    expected: Any = True,
    *,
    timeout: float = 15,
    what: str = "",
    pause: Callable[[float], None] = lambda milliseconds: time.sleep(milliseconds / 1000),
) -> None:
    """Wait until `read()` gives what is expected; fail with what it gave last."""
    deadline = time.monotonic() + timeout
    while (found := read()) != expected:
        assert time.monotonic() < deadline, f"{what}: still {found!r}, not {expected!r}"
        pause(50)
