"""Cells in memory: the same sums as a frame's own grouping, whatever is chosen."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from queries.cells import cells_of

MONTHS = [date(2025, 1, 31), date(2025, 2, 28), date(2025, 3, 31), date(2025, 4, 30)]


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    random = np.random.default_rng(5)
    size = 4000
    return pl.DataFrame(
        {
            "month": random.choice(np.array(MONTHS, dtype="datetime64[D]"), size),
            "owner": random.choice(np.array(["B", "A", "C", None], dtype=object), size).tolist(),
            "region": random.choice(np.array(["North", "East", None], dtype=object), size).tolist(),
            "cases": random.integers(0, 5, size),
            "cents": random.integers(-(10**12), 10**12, size),
            "squares": random.normal(size=size),
            "paid": [None if here else 1.5 for here in random.random(size) < 0.999],
        },
        schema_overrides={"month": pl.Date, "owner": pl.String, "region": pl.String},
    )


SUMS = ("cases", "cents", "squares", "paid")


@pytest.mark.parametrize("regions", [None, ["North"], ["East", None]])
@pytest.mark.parametrize("by", [("owner",), ("owner", "month"), ("region", "owner"), ()])
def test_cells_add_up_as_grouping_does(
    rows: pl.DataFrame, by: tuple[str, ...], regions: list[str | None] | None
) -> None:
    where = {} if regions is None else {"region": regions}
    found = cells_of(rows, "month", SUMS).total((MONTHS[1], MONTHS[2]), where, by, SUMS)
    chosen = rows.filter(pl.col("month").is_between(MONTHS[1], MONTHS[2]))
    if regions is not None:
        chosen = chosen.filter(pl.col("region").is_in(regions, nulls_equal=True))
    totals = [
        pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name) for name in SUMS
    ]
    expected = chosen.group_by(by).agg(totals) if by else chosen.select(totals)
    assert found["paid"].null_count() == expected["paid"].null_count()
    assert_frame_equal(found, expected.sort(by, nulls_last=True) if by else expected)


def test_a_choice_without_rows_has_no_groups(rows: pl.DataFrame) -> None:
    cells = cells_of(rows, "month", SUMS)
    nothing = cells.total((date(2030, 1, 31), date(2030, 2, 28)), {}, ("owner",), SUMS)
    assert nothing.is_empty()
    assert nothing.columns == ["owner", *SUMS]
    assert cells_of(rows.clear(), "month", SUMS).total(None, {}, ("owner",), SUMS).is_empty()


def test_thousands_of_owners_by_days_add_up_too() -> None:
    """400 x 400 x 20 combinations, of which 3,000 are there."""
    random = np.random.default_rng(6)
    keys = {"owner": 400, "loan": 400, "day": 20}
    rows = pl.DataFrame(
        {"month": [MONTHS[0]] * 3_000, "cases": random.integers(0, 5, 3_000)}
        | {name: random.integers(0, size, 3_000) for name, size in keys.items()}
    )
    found = cells_of(rows, "month", ("cases",)).total(None, {}, tuple(keys), ("cases",))
    expected = rows.group_by(*keys).agg(pl.col("cases").sum()).sort(*keys)
    assert 1_000_000 < 400 * 400 * 20
    assert_frame_equal(found, expected)
