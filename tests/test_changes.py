"""Is the latest move of a monthly figure more than its usual one?"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import stats

from analytics.changes import Change, latest_change
from tests.cell_frames import month_ends


def series(values: list[float | None]) -> pl.DataFrame:
    return pl.DataFrame(
        {"month": month_ends(len(values)), "value": values}, schema_overrides={"value": pl.Float64}
    )


# Worked by hand


def test_the_move_is_held_against_the_moves_before():
    """Up and down by 1 eight times (root mean square 1), then up by 3: t = 3 on 8 degrees."""
    change = latest_change(series([5, 6, 5, 6, 5, 6, 5, 6, 5, 8]))
    assert (change.value, change.previous, change.difference) == (8, 5, 3)
    assert (change.usual_difference, change.months) == (1, 8)
    assert change.p == pytest.approx(2 * stats.t.sf(3, 8))
    assert change.is_beyond_noise is True
    assert change.month == month_ends(10)[-1]


def test_a_level_far_from_its_old_mean_is_no_news_if_this_months_move_is_usual():
    """Rising by 1 or 2 each month: the last level is far above the mean, its move is not."""
    change = latest_change(series([float(x) for x in np.cumsum([1, 2] * 8)]))
    assert change.is_beyond_noise is False


def test_a_smooth_drift_is_usual_not_sure():
    """Ten moves of exactly 1: an eleventh of 1.1 is no sensation, although they never varied."""
    change = latest_change(series([*map(float, range(11)), 11.1]))
    assert change.is_beyond_noise is False


def test_few_months_have_a_difference_but_no_verdict():
    change = latest_change(series([1, 2, 3, 9]))
    assert (change.difference, change.months) == (6, 2)
    assert (change.p, change.is_beyond_noise) == (None, None)


def test_a_gap_has_no_difference_on_either_side():
    change = latest_change(series([1, 2, None, 9, 1, 2, 1, 2, 1, 2]))
    assert change.months == 6
    assert change.usual_difference == pytest.approx(((1 + 64 + 4) / 6) ** 0.5)


def test_a_figure_without_its_month_before_did_not_move():
    frame = series([1, 2, 1, 2, 1, 2, 1, 2, 1, 2])
    change = latest_change(frame.filter(pl.col("month") != month_ends(9)[-1]))
    assert (change.value, change.previous, change.difference, change.p) == (2, None, None, None)


def test_a_figure_that_never_moved_has_no_yardstick():
    change = latest_change(series([3.0] * 12))
    assert (change.difference, change.usual_difference) == (0, 0)
    assert change.is_beyond_noise is None


def test_order_does_not_matter():
    frame = series([5, 6, 5, 7, 5, 6, 5, 6, 5, 8])
    assert latest_change(frame.reverse()) == latest_change(frame)


# Refusals


def test_no_months_and_a_month_twice_are_refused():
    with pytest.raises(ValueError, match="at least one month"):
        latest_change(series([]))
    with pytest.raises(ValueError, match="once"):
        latest_change(pl.concat([series([1.0]), series([2.0])]))


# Independent: simulation


@pytest.mark.parametrize("persistence", [0.0, 0.8, 1.0])
@pytest.mark.parametrize("months", [9, 24])
def test_an_unchanged_figure_is_beyond_noise_one_month_in_twenty(persistence: float, months: int):
    generator = np.random.default_rng(8)
    calls = []
    for _ in range(500):
        level, values = 0.0, []
        for shock in generator.standard_normal(months):
            level = persistence * level + shock
            values.append(level)
        calls.append(latest_change(series(values)).is_beyond_noise)
    assert 0.025 <= np.mean(calls) <= 0.08


def test_a_change_is_a_frozen_record():
    assert Change.__dataclass_params__.frozen  # type: ignore[attr-defined]
