"""Reading ahead: the facts of the next months are read while these months are worked on.

The facts have one connection, and a connection serves one thread at a time: whoever reads
ahead does so on the one thread of a pool made for it, and nobody else reads meanwhile.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from datetime import date
from typing import Generic, TypeVar

Key = TypeVar("Key")
Part = TypeVar("Part")


def on_its_thread(pool: Executor | None, read: Callable[[], Part]) -> Part:
    """What is read now, on the thread that reads ahead where there is one."""
    return read() if pool is None else pool.submit(read).result()


def in_order(
    pool: Executor, make: Callable[[Key], Part], keys: Sequence[Key], at_once: int
) -> Iterator[Part]:
    """What is made of each key, in their order; so many are at work beside the one in hand."""
    waiting: deque[Future[Part]] = deque()
    for key in keys:
        waiting.append(pool.submit(make, key))
        if len(waiting) > at_once:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


class MonthsAhead(Generic[Part]):
    """What is read `count` months at once, the next of them as soon as these are asked for.

    `months`: those that will be asked for, in order; others are read one by one.  Without a
    `pool` everything is read when it is asked for.
    """

    def __init__(
        self,
        read: Callable[[list[date]], dict[date, Part]],
        months: Sequence[date],
        count: int,
        pool: Executor | None,
    ) -> None:
        self._read, self._months, self._count, self._pool = read, list(months), count, pool
        self._coming: dict[date, Future[dict[date, Part]]] = {}

    def take(self, month: date) -> Part:
        """What was read of a month; it is not kept."""
        if month not in self._coming:
            self._ask(month)
        coming = self._coming.pop(month)
        following = next((each for each in self._months if each > month), None)
        while following in self._coming:  # the rest of what is read with it
            following = next((each for each in self._months if each > following), None)
        if self._pool is not None and following is not None:
            self._ask(following)
        return coming.result().pop(month)

    def _ask(self, month: date) -> None:
        at_once = [month]
        if month in self._months:
            place = self._months.index(month)
            at_once = self._months[place : place + self._count]
        at_once = [each for each in at_once if each not in self._coming]
        coming: Future[dict[date, Part]]
        if self._pool is None:
            coming = Future()
            coming.set_result(self._read(at_once))
        else:
            coming = self._pool.submit(self._read, at_once)
        self._coming.update(dict.fromkeys(at_once, coming))
