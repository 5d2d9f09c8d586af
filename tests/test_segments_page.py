"""The Segments page: on a synthetic book, and on books that lack something."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import streamlit as st
from streamlit import config
from streamlit.testing.v1 import AppTest

from jobs.refresh import refresh
from tests.books import FEB, JAN, loan, month, put
from tests.conftest import ROOT
from tests.recovery_books import case, day
from tests.served import Place, place, synthetic
from tests.test_app import words
from warehouse.published import current_version

IMAGE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return synthetic(tmp_path_factory.mktemp("segments_page"))


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
        page = ROOT / "pages" / "strategy" / "segments.py"
        app = AppTest.from_file(str(page), default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception, [one.message for one in app.exception]
        assert re.search(r"\b(nan|inf|None)\b", words(app)) is None
        return app

    return opened


def in_sql(where: Place, text: str) -> list[Any]:
    path = current_version(where.marts)
    assert path
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.sql(text).pl().rows()


def table(app: AppTest) -> dict[str, dict[str, Any]]:
    rows = pl.from_pandas(app.dataframe[0].value)
    return {row["class"]: row for row in rows.iter_rows(named=True)}


@pytest.mark.parametrize(
    ("shown", "scheme", "name", "code"),
    [
        ("Grade", "grade", "Heavy (over 90)", "heavy"),
        ("Risk", "risk", "High risk", "high"),
        ("Payments (RFM)", "rfm", "Low risk", "low"),
    ],
)
def test_the_table_is_what_the_marts_say(
    book: Place, show: Any, shown: str, scheme: str, name: str, code: str
) -> None:
    app = show(book, scheme=shown)
    row = table(app)[name]
    where = f"scheme = '{scheme}' AND class = '{code}'"
    (late,) = in_sql(
        book,
        f"SELECT sum(late_loans) FROM segment_months WHERE {where} AND month = '2026-06-30'",
    )
    assert row["late_loans"] == late[0]
    window = "BETWEEN '2025-07-31' AND '2026-06-30'"
    (found,) = in_sql(
        book,
        "SELECT sum(cases), sum(resolved) * 100.0 / sum(cases), sum(cash_cents) * 100.0 /"
        f" sum(placed_cents) FROM segment_cases WHERE {where} AND opened_month {window}",
    )
    assert row["cases"] == found[0]
    assert row["resolved_share"] == pytest.approx(float(found[1]), abs=0.005)
    assert row["cash_rate"] == pytest.approx(float(found[2]), abs=0.005)
    (moved,) = in_sql(
        book,
        "SELECT sum(forward_cents) * 100.0 / sum(opening_cents) FROM segment_moves WHERE"
        f" scheme = '{scheme}' AND from_class = '{code}' AND to_class <> 'unmatched' AND month"
        f" {window}",
    )
    assert row["got_later_share"] == pytest.approx(float(moved[0]), abs=0.005)


def test_a_filter_changes_every_number(book: Place, show: Any) -> None:
    everything = table(show(book, scheme="Risk"))["High risk"]
    st.cache_resource.clear()
    cards = table(show(book, scheme="Risk", product="credit_card"))["High risk"]
    assert cards["late_loans"] < everything["late_loans"]
    assert cards["cases"] < everything["cases"]
    (late,) = in_sql(
        book,
        "SELECT sum(late_loans) FROM segment_months WHERE scheme = 'risk' AND class = 'high' AND"
        " month = '2026-06-30' AND product = 'credit_card'",
    )
    assert cards["late_loans"] == late[0]


def test_the_model_is_judged_on_later_months_only(book: Place, show: Any) -> None:
    app = show(book)
    tiles = {one.label: one.value.replace("\\", "") for one in app.metric}
    (later,) = in_sql(
        book, "SELECT sum(mature), sum(resolved) FROM resolution_scores WHERE period = 'later'"
    )
    assert tiles["Later cases judged"].replace(",", "") == str(later[0])
    assert re.fullmatch(r"0\.\d{3}", tiles["AUC, later months"])
    assert "it ranks the first higher" in words(app)


def test_a_treated_class_is_chosen_by_its_name(book: Place, show: Any) -> None:
    app = show(book, scheme="Risk")
    picker = next(one for one in app.selectbox if one.label == "Cases opened as")
    assert picker.options == ["All classes", "Low risk", "Medium risk", "High risk"]
    picker.select("High risk").run()
    assert not app.exception


def test_a_book_without_cases_shows_classes_and_says_what_it_needs(
    tmp_path: Path, show: Any
) -> None:
    where = place(tmp_path)
    put(
        where.url,
        loans=[loan("a"), loan("b")],
        loan_months=[month("a", JAN, 45), month("a", FEB, 50), month("b", FEB, 0)],
    )
    refresh(where.url, where.marts)
    app = show(where, scheme="Risk")
    assert "The book has no cases. With the tables" in words(app)
    assert table(app)["High risk"]["late_loans"] == 1
    assert "cases" not in table(app)["High risk"]
    assert not app.metric
    rfm = show(where, scheme="Payments (RFM)")
    assert "loan_months.paid_amount" in words(rfm)


def test_a_choice_without_late_loans_says_so(tmp_path: Path, show: Any) -> None:
    where = place(tmp_path)
    put(where.url, loans=[loan("a")], loan_months=[month("a", JAN, 0, "10")])
    refresh(where.url, where.marts)
    assert "No loan was late at the end of January 2024" in words(show(where))


def test_few_young_cases_with_a_hostile_plan_are_shown_as_they_are(
    tmp_path: Path, show: Any
) -> None:
    where = place(tmp_path)
    months = [month("a", JAN, 45, "100"), month("a", FEB, 50, "100")]
    put(
        where.url,
        loans=[loan("a", IMAGE)],
        loan_months=months,
        cases=[case("c", "a", "01-05", strategy=IMAGE)],
    )
    refresh(where.url, where.marts)
    app = show(where)
    text = words(app)
    assert "No case of this choice is 90 days old yet." in text
    assert "A model needs at least 6 months" in text
    assert IMAGE not in text
    put(where.url, loan_months=[month("a", day("06-30"), 0, "100")])
    refresh(where.url, where.marts)
    st.cache_resource.clear()
    assert IMAGE not in words(show(where, month="2024-02"))


def test_marts_of_an_older_version_are_told_to_be_refreshed(
    book: Place, tmp_path: Path, show: Any
) -> None:
    shutil.copytree(book.marts, tmp_path / "marts")
    older = current_version(tmp_path / "marts")
    assert older
    with duckdb.connect(str(older)) as connection:
        connection.execute("DROP TABLE segment_months")
    where = Place(book.files, book.url, tmp_path / "marts")
    assert "older than this page" in words(show(where))
