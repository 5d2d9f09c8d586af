"""Which roll rates really changed?"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import stats

from analytics.headlines import explain_roll, ranked_changes
from analytics.roll_changes import changed_cells
from analytics.states import state_order
from tests.cell_frames import BUCKETS, cell, month_ends, transitions

STATES = state_order(BUCKETS)
# current, 1-30, 31-60, 61+ -> the four buckets, charged off, sold, paid off
TRUE = np.array(
    [
        [0.92, 0.05, 0.005, 0.0, 0.001, 0.004, 0.02],
        [0.60, 0.15, 0.20, 0.0, 0.01, 0.01, 0.03],
        [0.30, 0.10, 0.15, 0.40, 0.02, 0.01, 0.02],
        [0.05, 0.02, 0.03, 0.70, 0.15, 0.02, 0.03],
    ]
)


def book(
    generator: np.random.Generator,
    *,
    months: int = 24,
    loans: int = 100_000,
    variation: float = 0.05,
    season: float = 0.0,
    latest: dict[tuple[str, str], float] | None = None,
) -> pl.DataFrame:
    """Rolls whose odds differ by `variation` from month to month and nothing else; `latest`
    adds to rates of the last month."""
    rows = []
    for number, month in enumerate(month_ends(months)):
        wave = season * np.sin(2 * np.pi * number / 12)
        rates = TRUE * np.exp(variation * generator.standard_normal(TRUE.shape) + wave)
        for (start, end), extra in (latest or {}).items() if number == months - 1 else ():
            rates[BUCKETS.index(start), STATES.index(end)] += extra
        for rank, row in enumerate(rates):
            row[rank] = TRUE[rank, rank]
            row /= row.sum()
            counts = generator.multinomial(loans, row)
            rows += [
                (month, BUCKETS[rank], state, int(count), 0)
                for state, count in zip(STATES, counts, strict=True)
            ]
    columns = ["month", "from_state", "to_state", "loans", "restructured_loans"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def changes(frame: pl.DataFrame, **options: object) -> pl.DataFrame:
    return changed_cells(frame, buckets=BUCKETS, weight="loans", **options)  # type: ignore


def history(latest: int, before: list[int], of: int = 1_000) -> pl.DataFrame:
    """Of 1,000 loans at 1-30 in each month, so many got worse and the others were cured."""
    worse = [*before, latest]
    return transitions(
        {
            month: {("1-30", "31-60"): count, ("1-30", "current"): of - count}
            for month, count in zip(month_ends(len(worse)), worse, strict=True)
        }
    )


# Worked by hand


def test_the_latest_month_is_held_against_the_cells_own_months():
    """180 and 220 in turn, 12 months: mean .2, s = .02 sqrt(12/11) = .020889; latest .26:
    t = .06 / (.020889 sqrt(13/12)) = 2.7596 on 11 degrees of freedom."""
    found = cell(changes(history(260, [180, 220] * 6)), from_state="1-30", to_state="31-60")
    assert (found["rate"], found["usual_rate"]) == (0.26, pytest.approx(0.2))
    assert found["difference"] == pytest.approx(0.06)
    assert found["p"] == pytest.approx(2 * stats.t.sf(2.7596, 11), rel=1e-3)
    assert (found["months"], found["verdict"], found["is_changed"]) == (12, "changed", True)
    reach = 2.200985 * 0.020889 * (13 / 12) ** 0.5
    assert found["usual_high"] == pytest.approx(0.2 + reach, rel=1e-4)


def test_a_cell_that_varies_more_needs_a_larger_move():
    """The same 6 points, where months lie at 14 and 26 %."""
    found = cell(changes(history(260, [140, 260] * 6)), from_state="1-30", to_state="31-60")
    assert (found["verdict"], found["is_changed"]) == ("within_noise", False)


def test_a_difference_too_small_to_matter_is_none():
    """20.0 and 20.1 % in turn, then 20.5 %, of a million loans: sure, and not half a point."""
    before = [200_000, 201_000] * 6
    frame = history(204_900, before, of=1_000_000)
    found = cell(changes(frame), from_state="1-30", to_state="31-60")
    assert found["p"] < 0.001
    assert not found["is_changed"]
    assert cell(changes(frame, smallest=0.001), from_state="1-30", to_state="31-60")["is_changed"]


def test_a_cell_that_never_varied_is_judged_by_chance():
    """Twelve months of exactly 200 of 1,000 do not make 201 a sensation."""
    found = cell(changes(history(201, [200] * 12)), from_state="1-30", to_state="31-60")
    assert found["p"] > 0.5
    found = cell(changes(history(300, [200] * 12)), from_state="1-30", to_state="31-60")
    assert found["is_changed"]


def test_a_move_seen_for_the_first_time_can_be_a_change():
    frame = history(300, [0] * 12)
    assert cell(changes(frame), from_state="1-30", to_state="31-60")["is_changed"]
    never = cell(changes(frame), from_state="1-30", to_state="sold")
    assert (never["p"], never["verdict"]) == (None, "within_noise")


def test_eleven_months_are_too_few_and_a_month_without_the_bucket_is_not_one_of_them():
    found = cell(changes(history(260, [180, 220] * 5 + [200])), from_state="1-30", to_state="31-60")
    assert (found["verdict"], found["p"], found["months"]) == ("too_few_months", None, 11)
    gap = history(260, [180, 220] * 6).with_columns(
        from_state=pl.when(pl.col("month") == month_ends(5)[4])
        .then(pl.lit("61+"))
        .otherwise("from_state")
    )
    assert cell(changes(gap), from_state="1-30", to_state="31-60")["months"] == 11


def test_too_few_loans_now_are_not_judged():
    frame = history(10, [5, 6] * 6, of=29)
    found = cell(changes(frame), from_state="1-30", to_state="31-60")
    assert (found["verdict"], found["p"], found["from_loans"]) == ("too_few_loans", None, 29)


def test_months_older_than_the_history_do_not_count():
    frame = history(260, [900] * 6 + [180, 220] * 6)
    found = cell(changes(frame, history=12), from_state="1-30", to_state="31-60")
    assert (found["usual_rate"], found["months"]) == (pytest.approx(0.2), 12)


def test_in_a_book_with_seasons_the_yardstick_is_the_month_a_year_ago():
    """Three years of 100, 300, 100, ...: a 31 % in a high month is usual, beside a mean of 20."""
    wave = [100 + 4 * step + 200 * (step % 2) for step in range(25)]
    high = cell(changes(history(wave[0] + 205, wave[1:])), from_state="1-30", to_state="31-60")
    assert high["reference"] == "year_ago"
    assert high["usual_rate"] == wave[13] / 1_000


# Independent: simulation


@pytest.mark.parametrize("months", [13, 24])
def test_unchanged_cells_are_called_changed_as_often_as_said(months: int):
    generator = np.random.default_rng(20)
    p, binomial = [], []
    for _ in range(60):
        frame = book(generator, months=months)
        p += changes(frame)["p"].drop_nulls().to_list()
        last, previous = (
            frame.filter(month=month).get_column("loans").to_numpy()
            for month in month_ends(months)[:-3:-1]
        )
        pooled = (last + previous) / 200_000
        error = np.sqrt(2 * pooled * (1 - pooled) / 100_000)
        moved = pooled > 0
        z = np.abs(last - previous)[moved] / 100_000 / error[moved]
        binomial += (2 * stats.norm.sf(z)).tolist()
    assert 0.04 <= np.mean(np.array(p) < 0.05) <= 0.07
    assert np.mean(np.array(binomial) < 0.05) > 0.40


def test_seasons_are_noticed_and_do_not_raise_false_alarms():
    generator = np.random.default_rng(21)
    frames = [changes(book(generator, months=25, season=0.2)) for _ in range(40)]
    assert sum(frame["reference"][0] == "year_ago" for frame in frames) >= 38
    p = pl.concat(frames)["p"].drop_nulls().to_numpy()
    assert 0.025 <= np.mean(p < 0.05) <= 0.07
    flat = [changes(book(generator, months=25)) for _ in range(20)]
    assert all(frame["reference"][0] == "months" for frame in flat)


def test_a_planted_change_is_found_and_little_else():
    generator = np.random.default_rng(22)
    found = [
        changes(book(generator, loans=20_000, latest={("31-60", "61+"): 0.25})).filter("is_changed")
        for _ in range(20)
    ]
    pairs = [set(zip(one["from_state"], one["to_state"], strict=True)) for one in found]
    assert sum(("31-60", "61+") in one for one in pairs) >= 19
    others = [pair for one in pairs for pair in one if pair[0] != "31-60"]
    assert len(others) <= 3


# Refusals


def test_a_history_outside_its_limits_is_refused():
    for months in (11, 25):
        with pytest.raises(ValueError, match="history"):
            changes(history(1, [1]), history=months)


def test_a_book_with_no_moves_is_refused():
    with pytest.raises(ValueError, match="no transitions"):
        changes(transitions({month_ends(1)[0]: {("new", "current"): 3}}))


# What to say first


def test_the_change_that_moves_most_loans_comes_first():
    frame = pl.DataFrame(
        {
            "from_state": ["61+", "1-30", "1-30", "1-30", "31-60"],
            "to_state": ["charged_off", "31-60", "current", "1-30", "61+"],
            "difference": [0.20, 0.03, -0.04, 0.01, 0.5],
            "from_loans": [100, 5_000, 5_000, 5_000, 900],
            "is_changed": [True, True, True, True, False],
        }
    )
    ranked = ranked_changes(frame, buckets=BUCKETS)
    assert ranked["extra_loans"].to_list() == pytest.approx([-200, 150, 20, 50])
    assert ranked["is_worse"].to_list() == [True, True, True, None]
    assert ranked["is_mirror"].to_list() == [False, False, False, True]


def test_staying_current_is_better_and_staying_late_alone_is_told():
    frame = pl.DataFrame(
        {
            "from_state": ["current", "31-60"],
            "to_state": ["current", "31-60"],
            "difference": [0.02, 0.05],
            "from_loans": [1_000, 100],
            "is_changed": [True, True],
        }
    )
    ranked = ranked_changes(frame, buckets=BUCKETS)
    assert ranked["is_worse"].to_list() == [False, None]
    assert not ranked["is_mirror"].any()


def test_a_roll_is_explained_by_the_segment_that_moved():
    """North goes from 20 to 40 % of its 500 loans, south stays at 20: 10 points, all north's."""
    parts = []
    for region, latest in (("north", 200), ("south", 100)):
        worse = [90, 110] * 6 + [latest]
        parts.append(
            transitions(
                {
                    month: {("1-30", "31-60"): count, ("1-30", "current"): 500 - count}
                    for month, count in zip(month_ends(13), worse, strict=True)
                },
                region=region,
            )
        )
    frame = pl.concat(parts)
    options = {"buckets": BUCKETS, "weight": "loans", "segment": "region"}
    why = explain_roll(frame, from_state="1-30", to_states=["31-60"], **options)  # type: ignore
    usual = cell(changes(frame), from_state="1-30", to_state="31-60")
    assert (why.before, why.after) == pytest.approx((usual["usual_rate"], usual["rate"]))
    assert why.change == pytest.approx(0.1)
    assert why.by_segment.row(0, named=True)["region"] == "north"
    assert why.by_segment["effect"].to_list() == pytest.approx([0.1, 0])
    with pytest.raises(ValueError, match="no bucket or state"):
        explain_roll(frame, from_state="1-30", to_states=["45"], **options)  # type: ignore
