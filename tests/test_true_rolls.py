"""From planted truth to the page's interval: how often is the true roll rate inside it?"""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl

from analytics.roll_rates import roll_rate_matrix
from jobs.refresh import refresh
from queries import portfolio
from queries.filters import whole_book
from queries.marts import open_marts, read_book
from warehouse.load import load
from warehouse.sample import make_book


def covered(folder: Path, seed: int) -> list[bool]:
    """For each month and cell with enough loans: is the true probability in the interval?"""
    make_book(folder / "files", loans=8000, months=12, seed=seed)
    for path in (folder / "files").glob("*.parquet"):
        if path.stem not in ("customers", "loans", "loan_months"):  # rolls need no more
            path.unlink()
    url = f"duckdb:///{folder / 'facts.duckdb'}"
    load(folder / "files", url=url, reports=folder / "reports")
    connection = open_marts(refresh(url, folder / "marts").path)
    book = read_book(connection)
    everything = whole_book(book.first_month, book.as_of, basis="months")
    moves = portfolio.transitions(connection, everything)
    truths = json.loads((folder / "files" / "truths.json").read_text())
    hits = []
    for true in truths["roll_matrices"]:
        month = moves.filter(pl.col("month").cast(pl.String) == true["month"])
        matrix = roll_rate_matrix(month, buckets=book.buckets, weight="loans")
        cells = {(row["from_state"], row["to_state"]): row for row in matrix.to_dicts()}
        for start, row in true["rows"].items():
            assert cells[start, "current"]["from_loans"] == row["loans"]
            for end, chance in row["to"].items():
                if min(chance, 1 - chance) * row["loans"] >= 5:
                    cell = cells[start, end]
                    hits.append(cell["low"] <= chance <= cell["high"])
    return hits


def test_intervals_hold_the_planted_roll_rates_as_often_as_they_claim(tmp_path: Path) -> None:
    hits = [hit for seed in (11, 12) for hit in covered(tmp_path / str(seed), seed)]
    assert len(hits) > 300
    # 95 % of them, give or take three standard errors of so many
    assert 0.91 < sum(hits) / len(hits) < 0.985
