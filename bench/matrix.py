"""The roll-rate matrix from the marts, from pandas and from a self-join, and that they agree."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl

from analytics.cells import Weight
from analytics.roll_rates import roll_rate_matrix
from bench import rivals
from bench.book import Place
from bench.figures import Figure
from queries import portfolio
from queries.filters import Filter, whole_book
from queries.marts import Book, Marts, open_marts, read_book
from warehouse.engines import DuckDBConnection

GOALS = {"one month": 20.0, "all months": 100.0}  # times faster than either rival
CELL = ["month", "from_state", "to_state"]
TOTALS = ["loans", "opening_cents"]


class Disagree(Exception):
    """Two ways to the same matrix gave different numbers."""


@dataclass(frozen=True)
class Timed:
    """The cells of a matrix by one way, and the median milliseconds it took."""

    cells: pl.DataFrame
    milliseconds: float


def timed(way: Callable[[], Any], repeats: int) -> tuple[Any, float]:
    """A result and its median time; a first run warms up and does not count."""
    result, took = way(), []
    for _ in range(repeats):
        started = time.perf_counter()
        result = way()
        took.append((time.perf_counter() - started) * 1000)
    return result, statistics.median(took)


def figures(place: Place) -> list[Figure]:
    """Milliseconds of each way, how many times faster the marts are, and equal totals."""
    marts = open_marts(place.version)
    book = read_book(marts)
    spans = {
        "one month": Filter(as_of=book.as_of),
        "all months": whole_book(book.months[1], book.as_of),
    }
    cubes, found = _from_marts(marts, book, spans)
    marts.close()
    facts = DuckDBConnection(str(place.folder / "facts.duckdb"), read_only=True)
    try:
        for span, chosen in spans.items():
            repeats = 7 if span == "one month" else 2
            cells, took = timed(partial(_self_join, facts, chosen, book), repeats)
            found += _against("self-join in DuckDB", span, Timed(cells, took), cubes[span])
        frame = rivals.pandas_frame(facts, book)
    finally:
        facts.close()
    for span, chosen in spans.items():
        repeats = 7 if span == "one month" else 2
        cells, took = timed(partial(rivals.pandas_matrix, frame, chosen, book), repeats)
        found += _against("pandas", span, Timed(cells, took), cubes[span])
    note = "loan and state as integers, cents; loading is not counted"
    size = frame.memory_usage(deep=True).sum() / 2**20
    found.append(Figure("matrix", "pandas: frame in memory", size, "MiB", note=note))
    return found


def _from_marts(
    marts: Marts, book: Book, spans: dict[str, Filter]
) -> tuple[dict[str, Timed], list[Figure]]:
    cubes, found = {}, []
    weight: Weight = "balance" if book.has_balances else "loans"
    for span, chosen in spans.items():
        rows, took = timed(partial(_cube, marts, chosen), 30)
        cubes[span] = Timed(observed(rows, book), took)
        found.append(Figure("matrix", f"{span}: marts", took, "ms"))
        rates_of = partial(roll_rate_matrix, rows, buckets=book.buckets, weight=weight)
        _, rates = timed(rates_of, 30)
        found.append(Figure("matrix", f"{span}: rates and intervals of it", rates, "ms"))
    return cubes, found


def _cube(marts: Marts, chosen: Filter) -> pl.DataFrame:
    return portfolio.transitions(marts, chosen)


def _self_join(facts: DuckDBConnection, chosen: Filter, book: Book) -> pl.DataFrame:
    return facts.fetch(rivals.self_join(chosen, book))


def observed(cells: pl.DataFrame, book: Book) -> pl.DataFrame:
    """The cells of loans that were open a month before and have a row now."""
    inside = pl.col("from_state").is_in(book.buckets) & (pl.col("to_state") != "unmatched")
    return cells.filter(inside)


def _against(rival: str, span: str, theirs: Timed, ours: Timed) -> list[Figure]:
    differing = differences(theirs.cells, ours.cells)
    if differing:
        raise Disagree(f"{span}: marts and {rival} differ in {differing} cells")
    loans, cents = (int(ours.cells[name].sum()) for name in TOTALS)
    same = f"equal in each of {ours.cells.height} cells: {loans:,} loans, {cents / 100:,.2f}"
    ratio = theirs.milliseconds / ours.milliseconds
    return [
        Figure("matrix", f"{span}: {rival}", theirs.milliseconds, "ms", note=same),
        Figure(
            "matrix",
            f"{span}: marts are faster than {rival}",
            ratio,
            "times",
            GOALS[span],
            at_least=True,
        ),
    ]


def differences(theirs: pl.DataFrame, ours: pl.DataFrame) -> int:
    """Cells whose loans or opening cents are not the same in both."""
    joined = ours.join(theirs, on=CELL, how="full", suffix="_theirs", coalesce=True)
    wrong = [~pl.col(name).eq_missing(pl.col(f"{name}_theirs")) for name in TOTALS]
    return joined.filter(pl.any_horizontal(wrong)).height
