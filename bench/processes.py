"""Running a command and measuring it: wall and CPU seconds, peak memory."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent
GIB = 2**30


class Failed(Exception):
    """A command that the bench needs did not succeed."""


@dataclass(frozen=True)
class Usage:
    """What a command took.  Peak: the largest of its own high-water mark and its tree's sum."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int


def python(*arguments: object, environment: Mapping[str, str], log: Path) -> Usage:
    """Run our Python on something and measure it; its output goes to `log`."""
    command = [sys.executable, *(str(argument) for argument in arguments)]
    with log.open("w") as output:
        started = time.monotonic()
        child = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | environment, stdout=output, stderr=output
        )
        tree = _TreePeak(child.pid)
        tree.start()
        _, status, used = os.wait4(child.pid, 0)
        seconds = time.monotonic() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        tree.stop()
    if child.returncode:
        raise Failed(f"{' '.join(command[1:])} failed:\n{_tail(log)}")
    peak = max(used.ru_maxrss * 1024, tree.peak_bytes)
    return Usage(seconds, used.ru_utime + used.ru_stime, peak)


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-20:])


class _TreePeak(threading.Thread):
    """Watches the resident memory of a process and all its children, five times a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(pid)
        self._stopped = threading.Event()
        self.peak_bytes = 0

    def run(self) -> None:
        while not self._stopped.wait(0.2):
            try:
                family = [self._process, *self._process.children(recursive=True)]
                held = sum(one.memory_info().rss for one in family)
            except psutil.Error:
                continue
            self.peak_bytes = max(self.peak_bytes, held)

    def stop(self) -> None:
        self._stopped.set()
        self.join()
