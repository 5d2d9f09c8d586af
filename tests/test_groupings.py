"""The same counts as buckets, grades and regulatory classes."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from analytics.groupings import Grouping, grouped

BUCKETS = (
    "current",
    "1-30",
    "31-60",
    "61-90",
    "91-120",
    "121-150",
    "151-180",
    "181-270",
    "271-360",
    "361+",
)


def stocks(rows: list[tuple[str, str, int]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "month": [dt.date(2024, 1, 31)] * len(rows),
            "bucket": [row[0] for row in rows],
            "product": [row[1] for row in rows],
            "loans": [row[2] for row in rows],
            "weight_cents": [row[2] * 100 for row in rows],
        }
    )


EVERY = stocks([(bucket, "card", 1) for bucket in BUCKETS])


def counts(by: Grouping, cells: pl.DataFrame = EVERY, **more: object) -> dict[str, int]:
    frame, codes = grouped(cells, BUCKETS, by=by, **more)  # type: ignore[arg-type]
    found = dict(frame.group_by("bucket").agg(pl.col("loans").sum()).iter_rows())
    assert set(found) <= set(codes)
    return {code: found.get(code, 0) for code in codes}


def test_over_180_days_is_one_bucket_unless_asked() -> None:
    assert counts("buckets")["181+"] == 3
    assert len(counts("every_bucket")) == 10


def test_the_four_grades_are_1_1_2_and_6_buckets() -> None:
    assert counts("grades") == {"normal": 1, "light": 1, "medium": 2, "heavy": 6}


def test_cards_reach_a_class_sooner_than_other_loans() -> None:
    card = counts("classes", EVERY, revolving={"card"})
    other = counts("classes", EVERY)
    # cards: 1-90, 91-120, 121-180, over 180; others: 1-90, 91-270, 271-360, over 360
    assert list(card.values()) == [1, 3, 1, 2, 3]
    assert list(other.values()) == [1, 3, 4, 1, 1]


def test_both_kinds_of_product_are_added_up_in_one_matrix() -> None:
    cells = stocks([("121-150", "card", 5), ("121-150", "auto", 7)])
    found = counts("classes", cells, revolving={"card"})
    assert (found["substandard"], found["doubtful"]) == (7, 5)
    frame, _ = grouped(cells, BUCKETS, by="classes", revolving={"card"})
    assert frame["weight_cents"].sum() == 1200
    assert "product" not in frame.columns


def test_edges_that_the_bounds_do_not_meet_are_refused() -> None:
    odd = ("current", "1-45", "46+")
    with pytest.raises(ValueError, match="no bucket ends at 30"):
        grouped(EVERY.filter(pl.col("bucket") == "current"), odd, by="grades")
