"""Fixed limits: crossed above, not at; a year is twelve months, not thirteen rows."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from analytics.limits import Limits, crossed_limits


def rates(**by_month: float | None) -> pl.DataFrame:
    months = [dt.date.fromisoformat(name[1:].replace("_", "-")) for name in by_month]
    return pl.DataFrame(
        {
            "month": months,
            "threshold": [30] * len(months),
            "rate": list(by_month.values()),
        },
        schema_overrides={"rate": pl.Float64},
    )


def crossed(frame: pl.DataFrame, **more: Limits) -> dict[str, tuple[float, bool]]:
    return {
        row["rule"]: (round(row["value"], 6), row["is_crossed"])
        for row in crossed_limits(frame, **more).to_dicts()
    }


def test_a_limit_is_crossed_above_it_not_at_it() -> None:
    assert crossed(rates(m2024_01_31=0.10)) == {"level": (0.10, False)}
    assert crossed(rates(m2024_01_31=0.1001)) == {"level": (0.1001, True)}


def test_a_year_ago_is_the_same_month_whatever_rows_lie_between() -> None:
    book = rates(m2023_01_31=0.04, m2023_02_28=0.06, m2024_02_29=0.069)
    # 0.069 / 0.06 - 1, not / 0.04; and the 29th of February finds the 28th
    assert crossed(book)["year_rise"] == (0.15, pytest.approx(False))
    assert crossed(rates(m2023_02_28=0.06, m2024_02_29=0.07))["year_rise"][1] is True


def test_without_a_year_there_is_no_yearly_rule() -> None:
    assert "year_rise" not in crossed(rates(m2023_03_31=0.01, m2024_02_29=0.02))
    assert "year_rise" not in crossed(rates(m2023_02_28=0.0, m2024_02_29=0.02))
    assert crossed_limits(rates(m2024_01_31=None)).is_empty()


def test_the_limits_are_settings() -> None:
    assert crossed(rates(m2024_01_31=0.05), limits=Limits(rate=0.04))["level"][1] is True
