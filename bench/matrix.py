"""The roll-rate matrix from the marts, from pandas and from a self-join, and that they agree."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import psutil
import sqlalchemy as sa
from sqlalchemy import BigInteger, case, cast, func

from analytics.roll_rates import roll_rate_matrix
from bench.book import Place
from bench.figures import Figure
from queries import portfolio
from queries.filters import Filter, whole_book
from queries.loan_states import BookShape, bucket_by, cents, weight
from queries.marts import Book, open_marts, read_book
from warehouse.contract import loan_months
from warehouse.engines import DuckDBConnection

CELL = ["month", "from_state", "to_state"]
GOALS = {"one month": 20.0, "all months": 100.0}
REPEATS = {"marts": 30, "rivals": {"one month": 7, "all months": 3}}


class Disagree(Exception):
    """Two ways to the same matrix gave different totals."""


@dataclass(frozen=True)
class Timed:
    """A matrix by one way, and the median milliseconds it took."""

    cells: pl.DataFrame
    milliseconds: float


def timed(way: Callable[[], Any], repeats: int) -> tuple[Any, float]:
    took = []
    for _ in range(repeats + 1):  # the first one warms up and does not count
        gc.collect()
        started = time.perf_counter()
        result = way()
        took.append((time.perf_counter() - started) * 1000)
    return result, statistics.median(took[1:])


def figures(place: Place) -> list[Figure]:
    """Milliseconds of each way, how many times faster the marts are, and equal totals."""
    marts = open_marts(place.version)
    book = read_book(marts)
    spans = {
        "one month": Filter(as_of=book.as_of),
        "all months": whole_book(book.months[1], book.as_of),
    }
    found: list[Figure] = []
    cubes = {}
    for span, chosen in spans.items():
        rows, took = timed(lambda c=chosen: marts.fetch(portfolio.transitions(c)), 30)
        cubes[span] = Timed(rolled(rows, book.buckets), took)
        found.append(Figure("matrix", f"{span}: marts", took, "ms"))
        options = {"buckets": book.buckets, "weight": "balance" if book.has_balances else "loans"}
        _, took = timed(lambda r=rows, o=options: roll_rate_matrix(r, **o), 30)
        found.append(Figure("matrix", f"  {span}: rates and intervals of it", took, "ms"))
    marts.close()
    found += against("self-join", _self_joins(place, book, spans), cubes)
    found += against("pandas", _pandas(place, book, spans, found), cubes)
    return found
