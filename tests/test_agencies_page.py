"""The Agencies page: like for like on a planted book, and on books that lack something."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import streamlit as st
from streamlit import config
from streamlit.testing.v1 import AppTest

from analytics.agencies import agency_results, batches, pooled_curve, resolved_results
from charts import agency_sentences as sentences
from tests.conftest import ROOT
from tests.planted_recoveries import (
    BASE,
    COMMISSION,
    SKILL,
    altered,
    planted_cases,
    refreshed,
)
from tests.served import Place
from tests.test_app import words

IMAGE, DROP = "<img src=x onerror=alert(1)>", "'; DROP TABLE loans; --"


@pytest.fixture(scope="module")
def cases() -> list[dict[str, Any]]:
    return planted_cases()


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return refreshed(tmp_path_factory.mktemp("agencies"))


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    st.cache_resource.clear()
    config.set_option("client.showErrorDetails", "full")
    yield
    st.cache_resource.clear()


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    def opened(where: Place, **query: Any) -> AppTest:
        monkeypatch.setenv("APP_DATABASE_URL", f"sqlite:///{tmp_path / 'app.sqlite'}")
        for name, value in where.environment.items():
            monkeypatch.setenv(name, value)
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        app.switch_page("pages/recovery/agencies.py").run()
        assert not app.exception, [one.message for one in app.exception]
        assert re.search(r"\b(nan|inf|None)\b", words(app)) is None
        return app

    return opened


def comparison(app: AppTest) -> dict[str, dict[str, Any]]:
    table = pl.from_pandas(app.dataframe[0].value)
    return {row["Party"]: row for row in table.iter_rows(named=True)}


# --- like for like -------------------------------------------------------------------------


def test_the_agency_with_the_worst_raw_rate_is_the_one_that_earns_its_fee(
    book: Place, cases: list[dict[str, Any]], show: Any
) -> None:
    raw = {
        owner: sum(one["paid"] for one in cases if one["owner"] == owner)
        / sum(one["placed"] for one in cases if one["owner"] == owner)
        for owner in SKILL
    }
    assert raw["house"] > raw["A1"]  # A1 was given the hard cases
    app = show(book)
    rows = comparison(app)
    # skill 1.4 less a fifth is 1.12 of in-house; skill 0.8 less a fifth 0.64
    assert "Agency A1 earns its fee" in words(app)
    assert "Agency A2 does not earn its fee" in words(app)
    assert rows["Agency A1"]["Chance it earns, %"] > 90
    assert rows["Agency A2"]["Chance it earns, %"] < 1


def test_recovery_on_like_cases_is_the_planted_one_and_net_is_what_is_left(
    book: Place, cases: list[dict[str, Any]], show: Any
) -> None:
    theirs = [one for one in cases if one["owner"] != "house"]
    placed = sum(one["placed"] for one in theirs)
    # what an owner of skill 1 gets of the agencies' cases, counted apart
    anybody = sum(one["paid"] / SKILL[one["owner"]] for one in theirs) / placed
    rows = comparison(show(book))
    for owner, name in (("house", "In-house"), ("A1", "Agency A1"), ("A2", "Agency A2")):
        expected = 100 * anybody * SKILL[owner]
        assert rows[name]["Recovery, %"] == pytest.approx(expected, rel=0.06), name  # shrunk
        if owner != "house":
            gross = rows[name]["Recovery, %"]
            assert rows[name]["Net, %"] == pytest.approx(gross * (1 - COMMISSION[owner]))
            assert rows[name]["Net from, %"] < rows[name]["Net, %"] < rows[name]["Net to, %"]
    # A1 would break even with in-house at a commission of 1 - 1/1.4
    assert rows["Agency A1"]["Break-even, %"] == pytest.approx(100 * (1 - 1 / 1.4), abs=3)
    assert rows["Agency A2"]["Break-even, %"] is None
    assert BASE["early"] > BASE["late"]


def test_a_filter_changes_the_comparison(book: Place, show: Any) -> None:
    every, some = comparison(show(book)), comparison(show(book, region="North"))
    assert some["Agency A1"]["Cases"] == every["Agency A1"]["Cases"] / 2
    assert some["Agency A1"]["Net, %"] != every["Agency A1"]["Net, %"]


def test_commissions_are_the_cash_times_the_rate_beside_what_was_spent(
    book: Place, cases: list[dict[str, Any]], show: Any
) -> None:
    cash = sum(one["paid"] for one in cases if one["owner"] != "house")
    said = words(show(book)).replace("\N{NO-BREAK SPACE}", " ")
    assert f"that is a commission of {cash * 0.2 / 1000:.1f} k" in said
    spent = 8 * 40
    assert f"The table of costs has {spent} for agencies" in said
    in_part = words(show(book, region="North"))  # commissions can be split, spending cannot
    assert "costs cannot be split by product, region or grade" in in_part
    assert "than the rates explain" not in in_part


# --- what is missing -----------------------------------------------------------------------


@pytest.mark.parametrize("name", [IMAGE, DROP, "**bold** $x$ [a](http://b.example)"])
def test_a_hostile_name_is_shown_as_characters(
    book: Place, tmp_path: Path, show: Any, name: str
) -> None:
    quoted = name.replace("'", "''")
    where = altered(book, tmp_path, f"UPDATE partners SET name = '{quoted}' WHERE agency_id = 'A1'")
    app = show(where)
    assert name in words(app)
    raw = "".join(str(one.value) for one in app.markdown)
    assert name not in raw  # escaped where Markdown is read
    assert name in comparison(app)


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (["DELETE FROM spending"], "no spending on agencies"),
        (["DELETE FROM owner_work"], "No cash came in on agencies' cases"),
        (
            ["DELETE FROM partners WHERE agency_id = 'A2'"],
            "The commission of A2 is not recorded, so its net is not known",
        ),
        (
            ["DELETE FROM owner_expected WHERE owner = 'in-house'"],
            "no fee can be judged against it",
        ),
        (
            ["DELETE FROM owner_expected WHERE owner <> 'A1'"],
            "there is nobody to compare it with",
        ),
        (["DELETE FROM owner_expected"], "no model of case mix"),
        (
            [
                "UPDATE owner_cases SET immature_cases = cases, immature_cents = placed_cents,"
                " cases = 0, placed_cents = 0, placed_squares = 0, cash_cents = 0,"
                " cash_squares = 0, cash_placed = 0"
            ],
            "No case of an agency is 90 days old yet",
        ),
        (
            ["DELETE FROM owner_cases WHERE agency_id IS NOT NULL"],
            "No case was given to an agency in this choice",
        ),
        (
            ["UPDATE owner_work SET cash_cents = -cash_cents"],
            "More was reversed than paid on agencies' cases",
        ),
        (
            ["UPDATE partners SET contract_to_on = DATE '2023-12-31'"],
            "was given cases outside its contract or listing",
        ),
        (["DELETE FROM people_events"], "No vetting is recorded for Agency A1 and Agency A2"),
        (
            [
                "DELETE FROM placements WHERE placed_month = DATE '2024-02-29'",
                "DELETE FROM liquidation_cash WHERE placed_month = DATE '2024-02-29'",
            ],
            "earns its fee",
        ),
        (
            ["UPDATE liquidation_cash SET cash_cents = -cash_cents"],
            "earns its fee",
        ),
    ],
)
def test_what_is_missing_is_a_sentence(
    book: Place, tmp_path: Path, show: Any, statements: list[str], said: str
) -> None:
    app = show(altered(book, tmp_path, *statements))
    assert said in words(app)
    assert not app.error


def test_a_book_without_agencies_says_what_it_needs(book: Place, tmp_path: Path, show: Any) -> None:
    where = altered(book, tmp_path, """UPDATE book SET tables = replace(tables, '"agencies": 2', '"agencies": 0')""")  # fmt: skip  # noqa: E501
    assert "`agencies`" in words(show(where))


# --- numbers by hand -----------------------------------------------------------------------


def test_net_is_the_shrunk_rate_less_the_commission_by_hand() -> None:
    money = pl.DataFrame(
        {
            "owner": ["in-house", "A", "B"],
            "is_in_house": [True, False, False],
            "commission_rate": [0.0, 0.25, None],
            "effect": [0.0, 0.0, 0.0],
            "se": [0.1, 0.1, 0.1],
            "cases": [500, 20, 100],
            "average_expected": [90_000.0, 3_000.0, 1_000.0],
        }
    )
    found, _ = agency_results(money, placed_cents=10_000)
    rows = {row["owner"]: row for row in found.iter_rows(named=True)}
    assert rows["A"]["rate"] == pytest.approx(0.4)  # 4,000 of 10,000, and all are average
    assert rows["A"]["net"] == pytest.approx(0.3)
    assert rows["B"]["net"] is None
    assert rows["B"]["p_earns"] is None
    assert rows["in-house"]["p_earns"] is None
    assert rows["A"]["p_earns"] < 0.05
    assert rows["A"]["is_small"]
    with pytest.raises(ValueError, match="nothing was placed"):
        agency_results(money, placed_cents=0)


def test_a_batch_that_is_not_whole_is_left_out() -> None:
    placed = pl.DataFrame(
        {
            "placed_month": [1, 2, 3],
            "cases": [10, 10, 10],
            "placed_cents": [10_000, 10_000, 0],
            "immature_cases": [0, 1, 0],
        }
    )
    expected = pl.DataFrame(
        {
            "placed_month": [1, 2, 3],
            "observed": [4_000.0, 1.0, 1.0],
            "average_expected": [5_000.0, 1.0, 1.0],
            "average_variance": [100.0, 1.0, 1.0],
        }
    )
    row = batches(expected, placed).row(0, named=True)
    assert batches(expected, placed).height == 1
    assert (row["rate"], row["expected_rate"]) == (0.4, 0.5)
    assert row["high"] == pytest.approx(0.4 + 1.96 * 10 / 100, abs=1e-3)
    assert (row["net"], row["net_high"]) == (None, None)
    net = batches(expected, placed, commission_rate=0.25).row(0, named=True)
    assert net["net"] == pytest.approx(0.3)
    assert net["net_high"] == pytest.approx(0.75 * row["high"])
    assert net["net_low"] == pytest.approx(0.75 * row["low"])


def test_each_batch_is_drawn_net_of_commission_with_its_interval(
    book: Place, tmp_path: Path, show: Any
) -> None:
    def drawn(where: Place) -> pl.DataFrame:
        charts = [one.proto for one in show(where, agency="Agency A1").get("vega_lite_chart")]
        chart = next(one for one in charts if one.alt.startswith("Collected within 90 days"))
        return pl.read_ipc_stream(io.BytesIO(chart.data.data or chart.datasets[0].data.data))

    frame = drawn(book)
    gross, net = (
        frame.filter(series=series).sort("month")["value"].to_numpy() for series in ("own", "net")
    )
    assert net == pytest.approx(gross * (1 - COMMISSION["A1"]))
    assert frame.filter(series="net").select("low", "high").null_count().row(0) == (0, 0)
    nobody_knows = altered(book, tmp_path, "UPDATE partners SET commission_rate = NULL")
    assert set(drawn(nobody_knows)["series"]) == {"own", "expected"}


def test_the_pooled_curve_does_not_fall_when_a_good_month_is_too_young() -> None:
    curves = pl.DataFrame(
        {
            "placed_month": [1, 1, 2],
            "elapsed": [0, 1, 0],
            "cash_cents": [10, 20, 90],
            "placed_cents": [100, 100, 100],
        }
    )
    # rates of the months that reached a step would be 0.5, then 0.2
    assert pooled_curve(curves)["rate"].to_list() == pytest.approx([0.5, 0.6])


def test_resolved_shares_are_unknown_where_nothing_was_expected() -> None:
    sums = pl.DataFrame(
        {
            "owner": ["in-house", "A"],
            "is_in_house": [True, False],
            "effect": [0.1, -0.1],
            "se": [0.1, 0.2],
            "cases": [10, 10],
            "average_expected": [5.0, 0.0],
            "average_variance": [2.0, 0.0],
        }
    )
    found, _ = resolved_results(sums)
    assert found["share"].to_list() == [None, None]
    found, _ = resolved_results(
        sums.with_columns(average_expected=pl.lit(5.0), average_variance=pl.lit(2.5), effect=0.0)
    )
    assert found["share"].to_list() == pytest.approx([0.5, 0.5])


def test_two_agencies_of_one_name_are_told_apart() -> None:
    partners = pl.DataFrame({"agency_id": ["A", "B", "C"], "name": ["X", "X", None]})
    names = sentences.agency_names(partners, ["A", "B", "C", "D"])
    assert names == {"A": "X (A)", "B": "X (B)", "C": "C", "D": "D"}


def test_many_agencies_are_counted_not_listed() -> None:
    results = pl.DataFrame(
        {
            "owner": ["in-house", *"ABCDE"],
            "is_in_house": [True, *[False] * 5],
            "rate": [0.3] * 6,
            "rate_low": [0.25] * 6,
            "rate_high": [0.35] * 6,
            "net": [0.3, 0.4, 0.1, 0.25, 0.26, 0.27],
            "net_low": [0.2] * 6,
            "net_high": [0.5] * 6,
            "p_earns": [None, 0.99, 0.01, 0.5, 0.5, 0.5],
            "commission_rate": [0.0] + [0.2] * 5,
            "is_small": [False] * 4 + [True] * 2,
        }
    )
    said = " ".join(sentences.agency_sentences(results, {}))
    assert "Of 5 agencies, 1 earn their fee, 1 do not and 3 cannot be told" in said
    assert "D and E had few cases" in said
    assert "In-house would bring in 30.0 % (25.0–35.0 %)" in said.replace("\N{NO-BREAK SPACE}", " ")
