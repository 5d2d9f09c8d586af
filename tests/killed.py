"""Work in a process of its own, which may be killed at any moment.

The processes are copies of one that has imported the product already: what is killed is at work.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.synchronize import Event
from typing import Protocol

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["jobs.refresh", "warehouse.load"])


class Work(Protocol):
    """What tells how far it is, as loads and refreshes do."""

    def __call__(self, *, progress: Callable[[str], None]) -> object: ...


def killed(work: Work, moment: float | str) -> bool:
    """Begin the work elsewhere and kill it so many seconds later, or when it says such words.

    Whether it was still at work.
    """
    begun, said = _processes.Event(), _processes.Event()
    words = moment if isinstance(moment, str) else None
    process = _processes.Process(target=_work, args=(begun, said, words, work))
    process.start()
    assert begun.wait(60)
    if isinstance(moment, str):
        assert said.wait(60), moment
    else:
        time.sleep(moment)
    is_at_work = process.is_alive()
    process.kill()
    process.join()
    return is_at_work


def _work(begun: Event, said: Event, words: str | None, work: Work) -> None:
    def tell(message: str) -> None:
        if words is not None and message.startswith(words):
            said.set()

    begun.set()
    work(progress=tell)
