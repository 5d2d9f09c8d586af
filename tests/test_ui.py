"""What surrounds a chart: its table, the reconciliation strip, the lists of single loans."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

import ui.page
from tests.conftest import new_postgres_database


def run(page: Any) -> AppTest:
    app = AppTest.from_function(page, default_timeout=60).run()
    assert not app.exception, [one.message for one in app.exception]
    return app


def test_a_tables_columns_carry_the_unit_of_what_they_hold() -> None:
    def page() -> None:
        from datetime import date

        import polars as pl

        import ui

        row = {"rate": 0.25, "rate_effect": -0.0125, "difference": 0.5, "p": 0.04, "q": 0.000012}
        counted = {"difference": [3], "balance_cents": [1050], "month": [date(2024, 1, 31)],
                   "week": [date(2024, 1, 29)]}  # fmt: skip
        ui.readable_table(pl.DataFrame(row), alt="shares")
        ui.readable_table(pl.DataFrame(counted), alt="counts")

    shares, counts = run(page).dataframe
    heads = {
        name: one for name, one in json.loads(shares.proto.columns).items() if name != "_index"
    }
    shown = {one["label"]: shares.value[name][0] for name, one in heads.items()}
    assert shown == {
        "Rate, %": 25.0,
        "Rate effect, points": -1.25,
        "Difference, points": 50.0,
        "p": 0.04,
        "q": 0.000012,
    }
    heads = {name: one for name, one in json.loads(counts.proto.columns).items() if "label" in one}
    labels = [one["label"] for one in heads.values()]
    assert labels == ["Difference", "Balance", "Month", "Week"]  # a count of loans, and money
    assert counts.value.iloc[0].to_list()[:2] == [3, 10.5]
    dates = [heads[name]["type_config"]["format"] for name in ("month", "week")]
    assert dates == ["MMM YYYY", "D MMM YYYY"]  # a month-end stands for its month


def test_a_table_names_states_and_gives_the_ends_of_an_interval_the_unit_of_their_estimate() -> (
    None
):
    def page() -> None:
        import polars as pl

        import ui

        rates = {"to_state": ["61-90", "charged_off"], "share0": 0.5, "low": 0.25, "net_low": 0.1,
                 "rate": -0.00001, "cure_rate": 0.3, "cure_low": 0.2, "net": 0.4}  # fmt: skip
        odds = {"odds": 1.5, "low": 1.25, "mean_90_low": 27.5, "spent_amount": 123456789.5}
        ui.readable_table(pl.DataFrame(rates), alt="rates", basis="months")
        ui.readable_table(pl.DataFrame(odds), alt="odds")

    rates, odds = run(page).dataframe
    assert rates.value["to_state"].to_list() == ["3 months", "Charged off"]
    heads = [json.loads(one.proto.columns) for one in (rates, odds)]
    assert {name: (head["label"], rates.value[name][0]) for name, head in heads[0].items()
            if name not in ("_index", "to_state")} == {
        "share0": ("Share before, %", 50.0),
        "low": ("Low, %", 25.0),
        "net_low": ("Net low, %", 10.0),
        "rate": ("Rate, %", 0.0),
        "cure_rate": ("Cure rate, %", 30.0),
        "cure_low": ("Cure low, %", 20.0),
        "net": ("Net, %", 40.0),
    }  # fmt: skip
    assert str(rates.value["rate"][0]) == "0.0"  # not -0.0
    assert odds.value.iloc[0].to_list() == [1.5, 1.25, 27.5, 123456789.5]
    labels = [head["label"] for name, head in heads[1].items() if name != "_index"]
    assert labels == ["Odds", "Low", "Mean 90 low", "Spent"]
    # a grid fits columns to most of their values: the long ones are given the room they need
    assert heads[1]["spent_amount"]["width"] >= 7 * len("123,456,789.50")


def test_a_check_holds_or_fails_or_cannot_be_judged_in_the_same_words_for_all() -> None:
    def page() -> None:
        from datetime import date

        import polars as pl

        import ui

        end = date(2024, 1, 31)
        parts = ("new", "appeared", "paid_off", "charged_off", "sold", "unmatched")
        none = dict.fromkeys(parts, 0)
        loans = {"month": end, "opening": 5, **none, "closing": 6, "passes": False}
        cents = {f"{name}_cents": 0 for name in (*parts, "residual", "payments")}
        money = {"month": end, "opening_cents": 500, **cents, "closing_cents": 500}
        money |= {"residual_rate": 0.0, "is_outlier": None}
        paid = {"month": end, "difference_cents": 0, "differing_loans": 0, "departed_cents": 2_500}
        frames = [pl.DataFrame([row]) for row in (loans, money, paid)]
        ui.reconciliation_strip(frames[0], frames[1], frames[2], end, first=date(2023, 12, 31))

    lines = [one.value.split(" ", 1)[1] for one in run(page).markdown]
    assert lines[0] == "**Loans** not reconciled: 5 opening = 6 loans."
    assert lines[1].startswith("**Money** cannot be judged yet: 5 opening = 5.")
    assert lines[1].endswith("Cash paid has 25 more, of loans that had left the book before.")
    assert lines[2].startswith("**Payments** reconciled: ")


def test_a_server_that_looks_too_long_for_single_loans_is_given_up_in_plain_words(
    postgres_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def page() -> None:
        import sqlalchemy as sa
        import streamlit as st

        from ui.page import drill

        forever = sa.func.generate_series(1, 10**11).table_valued("n")
        st.write(drill(sa.select(sa.func.max(forever.c.n).label("n"))) is None)
        found = drill(sa.select(sa.literal(7).label("n")))  # the next question is answered
        st.write(None if found is None else found["n"].item())

    monkeypatch.setenv("WAREHOUSE_URL", new_postgres_database(postgres_server, empty=True))
    monkeypatch.setattr(ui.page, "DRILL_SECONDS", 0.5)
    began = time.monotonic()
    app = run(page)
    assert time.monotonic() - began < 30
    assert [one.value for one in app.markdown] == ["`True`", "`7`"]
    (warning,) = app.warning
    assert "The warehouse did not answer this question" in warning.value
    assert "timeout" not in warning.value  # no driver's words
