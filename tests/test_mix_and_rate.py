"""Why did a rate change?"""

from __future__ import annotations

import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.mix_and_rate import MixAndRate, mix_and_rate
from tests.cell_frames import cell


def parts(**segments: tuple[float, float]) -> pl.DataFrame:
    """Numerator and denominator by region."""
    return pl.DataFrame(
        [(name, *amounts) for name, amounts in segments.items()],
        schema={"region": pl.String, "numerator": pl.Float64, "denominator": pl.Float64},
        orient="row",
    )


def split(before: pl.DataFrame, after: pl.DataFrame) -> MixAndRate:
    return mix_and_rate(before, after, segment="region")


# Worked by hand


def test_mix_and_rate_by_hand():
    """North 20 % of half the book, then 30 % of three quarters; south 10 %, then 8 %: from 15 to
    24.5 %.  mix = .25 (.25) - .25 (.09) = 4 points; rate = .1 (.625) - .02 (.375) = 5.5."""
    found = split(parts(north=(10, 50), south=(5, 50)), parts(north=(22.5, 75), south=(2, 25)))
    assert (found.before, found.after) == (0.15, 0.245)
    assert (found.mix, found.rate) == (pytest.approx(0.04), pytest.approx(0.055))
    south = cell(found.by_segment, region="south")
    # its share fell by .25, and its rate of .09 lies .1075 below the book's .1975
    assert south["mix_effect"] == pytest.approx(0.25 * 0.1075)
    assert south["rate_effect"] == pytest.approx(-0.0075)
    assert found.by_segment["region"].to_list() == ["north", "south"]


def test_segments_that_all_improve_in_a_book_that_gets_worse_are_mix():
    """Simpson's paradox: both rates fall, the book's rises from 11 to 17.2 %."""
    found = split(parts(good=(9, 900), bad=(101, 100)), parts(good=(4, 500), bad=(500, 500)))
    assert found.change > 0
    assert found.rate < 0
    assert found.mix > found.change


def test_a_segment_that_appears_is_all_mix():
    """South joins with half the book at 30 %, north stays at 10: ten points, all mix."""
    found = split(parts(north=(10, 100)), parts(north=(10, 100), south=(30, 100)))
    assert (found.mix, found.rate) == (pytest.approx(0.1), 0)
    south = cell(found.by_segment, region="south")
    assert (south["rate0"], south["share0"], south["rate1"]) == (None, 0, 0.3)


def test_a_segment_that_vanishes_is_all_mix():
    found = split(parts(north=(10, 100), south=(30, 100)), parts(north=(15, 100)))
    assert found.rate == pytest.approx(0.05 * 0.75)  # north's own 5 points at its mean share
    assert cell(found.by_segment, region="south")["rate_effect"] == 0
    assert found.mix + found.rate == pytest.approx(-0.05)


def test_what_is_not_recorded_is_a_segment():
    nameless = parts(north=(1, 10)).with_columns(region=pl.lit(None, pl.String))
    found = split(nameless, nameless.with_columns(numerator=2.0))
    assert found.by_segment.height == 1
    assert (found.change, found.rate, found.mix) == (pytest.approx(0.1), pytest.approx(0.1), 0)


# Published value


def test_the_published_split_of_the_american_death_rates_is_reproduced():
    """Das Gupta (1993), Standardization and decomposition of rates, example 5.3: deaths per
    1,000 in 1970 and 1985 by age (11 groups) for two races; population in thousands.  The R
    package DasGuptR gives crude rates 9.421833 and 8.735618, mix 1.5415096, rate -2.2277254."""
    found = mix_and_rate(deaths(*DEATHS_1970), deaths(*DEATHS_1985), segment="group")
    assert (found.before, found.after) == pytest.approx((9.421833, 8.735618), abs=5e-7)
    assert found.mix == pytest.approx(1.5415096, abs=5e-8)
    assert found.rate == pytest.approx(-2.2277254, abs=5e-8)
    assert found.change == pytest.approx(-0.6862158, abs=5e-8)


def deaths(people: str, rates: str) -> pl.DataFrame:
    size, rate = (pl.Series(text.split()).cast(pl.Float64) for text in (people, rates))
    groups = pl.Series(range(22)).cast(pl.String)
    return pl.DataFrame({"group": groups, "numerator": size * rate, "denominator": size})


DEATHS_1970 = (
    "2968 11484 34614 30992 21983 20314 20928 16897 11339 5720 1315 "
    "535 2162 6120 4781 3096 2718 2363 1767 1149 448 117",
    "18.469 0.751 0.391 1.146 1.287 2.672 6.636 15.691 34.723 79.763 176.837 "
    "36.993 1.352 0.541 2.040 3.523 6.746 12.967 24.471 45.091 74.902 123.205",
)
DEATHS_1985 = (
    "3041 11577 27450 32711 35480 27411 19555 19795 15254 8022 2472 "
    "707 2692 6473 6841 6547 4352 3034 2540 1749 804 236",
    "9.163 0.462 0.248 0.929 1.084 1.810 4.715 12.187 27.728 64.068 157.570 "
    "17.208 0.738 0.328 1.103 2.045 3.724 8.052 17.812 34.128 68.276 125.161",
)


# Refusals


def test_nothing_to_split_is_refused():
    with pytest.raises(ValueError, match="denominator is zero"):
        split(parts(north=(0, 0)), parts(north=(1, 2)))
    with pytest.raises(ValueError, match="missing"):
        split(parts(north=(1, 2)).with_columns(numerator=None), parts(north=(1, 2)))
    with pytest.raises(ValueError, match="over nothing"):
        split(parts(north=(1, 0), south=(1, 5)), parts(north=(1, 2)))
    with pytest.raises(ValueError, match="negative"):
        split(parts(north=(1, -4)), parts(north=(1, 2)))


# Laws

amounts = st.tuples(st.integers(0, 10**9), st.integers(1, 10**9))
books = st.dictionaries(st.sampled_from("abcdefgh"), amounts, min_size=1).map(
    lambda found: parts(**{name: (min(n, d), d) for name, (n, d) in found.items()})
)


@settings(max_examples=60, deadline=None)
@given(books, books)
def test_mix_and_rate_are_the_change_to_the_last_digit(before: pl.DataFrame, after: pl.DataFrame):
    found = split(before, after)
    assert math.isclose(found.mix + found.rate, found.change, rel_tol=1e-12, abs_tol=5e-15)
    assert math.isclose(math.fsum(found.by_segment["effect"]), found.change, abs_tol=5e-15)


@settings(max_examples=30, deadline=None)
@given(books, books)
def test_going_back_undoes_it(before: pl.DataFrame, after: pl.DataFrame):
    there, back = split(before, after), split(after, before)
    assert there.mix == pytest.approx(-back.mix, abs=1e-12)
    assert there.rate == pytest.approx(-back.rate, abs=1e-12)


@settings(max_examples=30, deadline=None)
@given(books, books)
def test_order_and_currency_do_not_matter(before: pl.DataFrame, after: pl.DataFrame):
    doubled = after.reverse().with_columns(pl.col("numerator", "denominator") * 2)
    one, two = split(before, after), split(before.reverse(), doubled)
    assert (one.mix, one.rate) == pytest.approx((two.mix, two.rate), abs=1e-12)
