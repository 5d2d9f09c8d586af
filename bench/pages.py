"""A page: the time of its data, and the CPU of its script."""

from __future__ import annotations

from bench import data_time, recovery_time, script_time
from bench.book import Place
from bench.figures import Figure


def figures(place: Place, *, seed: int, filters: int, repeats: int) -> list[Figure]:
    data = data_time.figures(place, seed=seed, filters=filters)
    data += recovery_time.figures(place, seed=seed, filters=max(filters // 4, 3))
    return [*data, *script_time.figures(place, seed=seed, repeats=repeats)]
