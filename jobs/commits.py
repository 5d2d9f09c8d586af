"""Commits now and then: a kill loses some seconds of work, and few commits are made."""

from __future__ import annotations

import time

from warehouse.engines import Connection

SECONDS = 5.0


class Commits:
    """Of work that is written to `target` in parts, each of which is whole by itself."""

    def __init__(self, target: Connection) -> None:
        self._target = target
        self._last = time.monotonic()

    def now_and_then(self) -> None:
        """Commit what was written, if that is some seconds of work."""
        if time.monotonic() - self._last >= SECONDS:
            self._target.commit()
            self._last = time.monotonic()
