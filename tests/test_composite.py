"""The composite score by hand: parts, weights, what is missing, and what is refused."""

from __future__ import annotations

import polars as pl
import pytest
from scipy import stats

from analytics.composite import (
    WEIGHTS,
    check_weights,
    composite_score,
    part_score,
    used_weights,
)


def part(effects: dict[str, float | None], se: float = 0.1) -> pl.DataFrame:
    rows = [(who, value, None if value is None else se) for who, value in effects.items()]
    schema = {"who": pl.String, "effect": pl.Float64, "se": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def scores(parts: dict[str, pl.DataFrame], **options: object) -> dict[str, float]:
    found = composite_score(parts, owner="who", **options)  # type: ignore[arg-type]
    return dict(found.owners.select("who", "score").iter_rows())


# --- worked by hand ------------------------------------------------------------------------


def test_a_part_is_the_normal_share_below_the_shrunk_standardised_estimate() -> None:
    # Four owners, equal errors of 0.1: the variance between them by Paule-Mandel is the sample's,
    # 0.15, less the errors', 0.01; so tau = sqrt(0.14), and about 0.14 / 0.15 of a distance from
    # the mean (0.05) is kept.
    found = part_score(part({"A": 0.5, "B": 0.2, "C": -0.1, "D": -0.4}), "recovery", "who")
    by_hand = 100 * stats.norm.cdf((0.5 - 0.05) * 0.14 / 0.15 / 0.14**0.5)
    assert found["recovery"][0] == pytest.approx(by_hand, abs=1.0)
    # not of the plain estimate (z = 0.45 / 0.387) nor in units of its error (z = 4.2)
    assert abs(found["recovery"][0] - 100 * stats.norm.cdf(0.45 / 0.15**0.5)) < 2
    assert found["recovery"][0] < 90
    assert found["recovery"].to_list() == pytest.approx(
        [found["recovery"][0], 66, 34, 100 - found["recovery"][0]], abs=4
    )


def test_the_score_is_the_weighted_mean_of_its_parts() -> None:
    good, bad = part({"A": 1.0, "B": 0.0, "C": -1.0}), part({"A": -1.0, "B": 0.0, "C": 1.0})
    found = composite_score(
        {"recovery": good, "promises_kept": good, "complaints": bad},
        owner="who",
        weights={"recovery": 0.2, "promises_kept": 0.3, "complaints": 0.5},
    )
    first = found.owners.row(0, named=True)
    assert found.weights == {"recovery": 0.2, "promises_kept": 0.3, "complaints": 0.5}
    assert first["score"] == pytest.approx(
        0.2 * first["recovery"] + 0.3 * first["promises_kept"] + 0.5 * first["complaints"]
    )
    assert first["complaints"] > 70  # fewer complaints than the others: better, not worse
    assert found.owners["score"][1] == pytest.approx(50)


def test_fewer_days_to_the_first_contact_are_better() -> None:
    found = scores(
        {
            "first_contact": part({"slow": 6.0, "usual": 4.0, "quick": 2.0}),
            "promises_kept": part({"slow": 0.5, "usual": 0.5, "quick": 0.5}),
        }
    )
    assert found["quick"] > 60 > 50 > found["slow"]


def test_owners_who_do_not_differ_beyond_chance_all_have_fifty() -> None:
    found = scores(
        {
            name: part({"A": 0.01, "B": 0.0, "C": -0.01}, se=1.0)
            for name in ("recovery", "promises_kept")
        }
    )
    assert list(found.values()) == pytest.approx([50, 50, 50], abs=0.5)


# --- weights -------------------------------------------------------------------------------


def test_missing_parts_are_named_and_the_others_weigh_more() -> None:
    both = part({"A": 1.0, "B": -1.0})
    found = composite_score({"promises_kept": both, "first_contact": both}, owner="who")
    assert found.missing == ("recovery", "rule_breaches", "complaints")
    assert found.weights == pytest.approx({"promises_kept": 2 / 3, "first_contact": 1 / 3})
    assert not found.is_held


def test_recovery_never_weighs_more_than_half_even_where_others_are_missing() -> None:
    # .40 of .70 would be 57 %
    weights, held = used_weights(WEIGHTS, {"recovery", "promises_kept", "first_contact"})
    assert held
    assert weights == pytest.approx(
        {"recovery": 0.5, "promises_kept": 1 / 3, "first_contact": 1 / 6}
    )
    assert used_weights(WEIGHTS, {*WEIGHTS}) == (pytest.approx(WEIGHTS), False)


def test_recovery_alone_gives_no_score() -> None:
    found = composite_score({"recovery": part({"A": 1.0, "B": -1.0})}, owner="who")
    assert found.reason == "money_alone"
    assert found.owners.is_empty()


def test_without_figures_there_is_no_score() -> None:
    nothing = part({"A": None, "B": None})
    one = part({"A": 1.0, "B": None})
    for parts in ({}, {"recovery": nothing, "promises_kept": one}):
        found = composite_score(parts, owner="who")
        assert found.reason == "no_parts"
        assert set(found.missing) == set(WEIGHTS)


def test_an_owner_without_one_part_counts_fifty_there() -> None:
    found = composite_score(
        {
            "recovery": part({"A": 1.0, "B": 0.0, "C": -1.0}),
            "promises_kept": part({"A": 1.0, "B": -1.0}),
        },
        owner="who",
    )
    last = found.owners.filter(who="C").row(0, named=True)
    assert last["promises_kept"] is None
    assert last["score"] == pytest.approx(0.5 * last["recovery"] + 0.5 * 50)


# --- refusals ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weights", "problem"),
    [
        ({"recovery": 51, "promises_kept": 49}, "money"),
        ({"recovery": 1}, "money"),
        ({"recovery": 50, "promises_kept": 50}, None),
        ({"recovery": -1, "promises_kept": 50}, "negative"),
        ({"recovery": 0, "promises_kept": 0}, "nothing"),
        ({"recovery": 0, "promises_kept": float("nan")}, "negative"),
    ],
)
def test_weights_that_cannot_be_used_are_told_apart(
    weights: dict[str, float], problem: str | None
) -> None:
    assert check_weights(weights) == problem
    if problem:
        with pytest.raises(ValueError, match=problem):
            composite_score({}, owner="who", weights=weights)


def test_unknown_parts_are_refused() -> None:
    with pytest.raises(ValueError, match="parts are"):
        composite_score({"charm": part({"A": 1.0})}, owner="who")
