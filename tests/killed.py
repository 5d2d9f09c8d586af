"""Work in a process of its own, which may be killed at any moment.

The processes are copies of one that has imported the product already: what is killed is at work.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.synchronize import Event

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["jobs.refresh", "warehouse.load"])


def killed(work: Callable[[], object], after: float) -> bool:
    """Begin the work elsewhere and kill it so many seconds later; whether it was still at work."""
    begun = _processes.Event()
    process = _processes.Process(target=_work, args=(begun, work))
    process.start()
    assert begun.wait(60)
    time.sleep(after)
    is_at_work = process.is_alive()
    process.kill()
    process.join()
    return is_at_work


def _work(begun: Event, work: Callable[[], object]) -> None:
    begun.set()
    work()
