"""The app's real server in a process of its own, on 127.0.0.1, and its log of script runs."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.book import Place
from bench.processes import ROOT, Failed

START_SECONDS = 60.0


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int
    log: Path
    process: psutil.Process

    def runs(self) -> list[dict[str, float]]:
        """Every script run so far: see `measured_server`."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def cpu_seconds(self) -> float:
        used = self.process.cpu_times()
        return float(used.user + used.system)


@contextmanager
def running(place: Place) -> Iterator[Server]:
    """The app over this book's marts, ready for its first reader."""
    log, output = place.folder / "runs.jsonl", place.folder / "server.log"
    log.write_text("")
    port = _free_port()
    with output.open("w") as out:
        child = subprocess.Popen(
            [
                *(sys.executable, "-m", "bench.measured_server", str(log)),
                *("--server.port", str(port), "--server.address", "127.0.0.1"),
            ],
            cwd=ROOT,
            env=os.environ | place.environment,
            stdout=out,
            stderr=out,
        )
    try:
        _wait_until_healthy(port, child, output)
        yield Server(port, log, psutil.Process(child.pid))
    finally:
        child.terminate()
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait_until_healthy(port: int, child: subprocess.Popen[bytes], output: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and child.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise Failed(f"the server did not start:\n{output.read_text()[-2000:]}")
