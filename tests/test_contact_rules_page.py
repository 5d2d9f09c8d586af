"""The page of contact rules: its numbers against a row-by-row count, and words of strangers."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import streamlit as st
from streamlit import config
from streamlit.testing.v1 import AppTest

from charts.rule_record_sentences import capacity_parts
from jobs.refresh import refresh
from tests.books import put
from tests.conftest import ROOT
from tests.lender import write
from tests.planted_recoveries import altered
from tests.rules_by_hand import kinds
from tests.served import Place
from tests.test_app import tile, words
from tests.test_conduct_marts import MINE, book

EVIL = "<img src=x onerror=alert(1)> [x](http://evil) $1$"
LISTED = """
[[rules]]
id = "listed"
kind = "listed_agency"
sentence = "On the list. <script>alert(1)</script>"
"""
SINCE = dt.date(2024, 7, 1)


def evil_book() -> dict[str, list[dict[str, Any]]]:
    found = book()
    found["agencies"][0] |= {"name": EVIL, "listed_from_on": SINCE}
    for row in (*found["collectors"], *found["contacts"]):
        if row.get("collector_id") == "K2":
            row["collector_id"] = EVIL
    found["cases"] = [
        row | {"collector_id": EVIL} if row["collector_id"] == "K2" else row
        for row in found["cases"]
    ]
    return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    folder = tmp_path_factory.mktemp("rules")
    where = Place(folder, f"duckdb:///{folder / 'facts.duckdb'}", folder / "marts")
    put(where.url, **evil_book())
    write(folder / "packs" / "contact", mine__toml=MINE + LISTED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RULE_PACKS", str(folder / "packs"))
        patch.setenv("CONTACT_PACK", "mine")
        refresh(where.url, where.marts)
    return where


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def opened(where: Place, **state: Any) -> AppTest:
        st.cache_resource.clear()
        config.set_option("client.showErrorDetails", "full")
        for name, value in where.environment.items():
            monkeypatch.setenv(name, value)
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        for name, value in state.items():
            app.session_state[name] = value
        app.switch_page("pages/conduct/contact_rules.py").run()
        assert not app.exception, [one.message for one in app.exception]
        return app

    yield opened
    st.cache_resource.clear()


def by_hand(*, is_early: bool) -> dict[str, int]:
    """Breaches by rule, from the rows."""
    pack = tomllib.loads(MINE + LISTED)
    tables = evil_book()
    of_agency = {row["collector_id"]: row.get("agency_id") for row in tables["collectors"]}
    log = [row | {"agency_id": of_agency.get(row.get("collector_id"))}
           for row in tables["contacts"]]  # fmt: skip
    for row in log:  # nobody by name: the case's agency
        if row.get("collector_id") is None and row["case_id"] == "a2":
            row["agency_id"] = "A1"
    days = {row["contact_id"]: row["contacted_at"].date() for row in log}
    found = {}
    for rule in pack["rules"]:
        first = rule.get("valid_from", pack["valid_from"])
        broken = kinds(rule, log, {"A1": {"listed_from_on": SINCE}})
        found[rule["id"]] = sum(
            kind == "breach" and (is_early or days[contact_id] >= first)
            for contact_id, kind in broken.items()
        )
    return found


def rule_table(app: AppTest) -> dict[str, int]:
    table = app.dataframe[0].value
    return dict(zip(table["Rule"], table["Breaches"], strict=True))


def test_breaches_are_those_of_a_count_row_by_row(place: Place, show: Any) -> None:
    expected = by_hand(is_early=False)
    assert expected == {"night": 2, "weekly": 1, "listed": 3}
    app = show(place)
    assert rule_table(app) == {"Night": 2, "Weekly": 1, "Listed": 3}
    assert tile(app, "Breaches") == "6"
    assert "6 breaches in 8 attempts" in words(app)  # of ten; two before the 15th of January
    assert "Not legal advice" in words(app)
    early = by_hand(is_early=True)
    app.toggle(key="early_days").set_value(True).run()
    assert tile(app, "Breaches") == str(sum(early.values()))
    assert tile(app, "Attempts") == "10"
    assert "on all days" in words(app)
    app.segmented_control(key="breach_kind").set_value("Near misses").run()
    table = app.dataframe[0].value
    assert table["Near misses"].sum() > 0
    assert table["Per 1,000"].to_list() == [100 * count for count in table["Near misses"]]


def test_evidence_lists_the_contacts_behind_a_breach(place: Place, show: Any) -> None:
    app = show(place)
    app.toggle(key="list_breaches").set_value(True).run()
    app.selectbox(key="rule_listed").set_value("Weekly").run()
    assert not app.exception
    rows = app.dataframe[1].value
    assert rows[["Role", "Contact"]].to_numpy().tolist() == [
        ["Before it", "t7"],
        ["This one", "t8"],
    ]
    assert rows["Collector"].to_list() == [EVIL, EVIL]  # in a cell, as its characters
    assert "Of 1 contact listed, 0 had the debtor’s consent" in words(app)


def test_words_of_strangers_are_shown_as_characters(place: Place, show: Any) -> None:
    app = show(place, breaches_by_choice="Agency")
    told = [str(one.value) for one in app.markdown]
    (line,) = [one for one in told if "not on the list that day" in one]
    assert r"\[x\]\(http" in line
    assert r"\<img" in line
    assert r"\$1\$" in line
    assert any(r"\<script\>" in one for one in told)  # the rule's own words


def test_what_the_rules_allow_says_what_it_counts_and_what_not(place: Place, show: Any) -> None:
    rows = pl.DataFrame(
        {
            "pack": ["mine"] * 3,
            "rule": ["calls_a_day", "all", "calls_a_day"],
            "unit": ["contact_point", "loan", "contact_point"],
            "stage": ["late", "early", "early"],
            "units": [10, 4, 5000],
            "used": [1, None, 2],
            "allowed": [20, 8, 30],
            "exhausted": [0, 0, 1],
            "uncounted": [7, 0, 2],
        }
    )
    (first, whole, none), (second, points, note) = capacity_parts(rows)
    assert (first, second) == ("All caps together, by loan", "Calls a day, by contact point")
    assert whole.columns == ["Stage", "Loans", "Attempts left", "None left on"]
    assert points.rows() == [("Early", 5000, 30, 1, 2), ("Late", 10, 20, 0, 1)]
    assert points.columns[1] == "Contact points"
    assert none == ""
    assert note.startswith("Not counted are 9 loans with an open case (early 2, late 7):")
    app = show(place)  # a book whose pack has a cap by loan
    assert "**Weekly, by loan**" in words(app)
    assert "Of July 2024 and the whole book" in words(app).replace("\N{NO-BREAK SPACE}", " ")


def test_what_a_refresh_noted_is_shown_and_older_marts_say_so(
    place: Place, show: Any, tmp_path: Path
) -> None:
    note = "A rule pack was refused: mine.toml, rule *x*"
    changed = altered(place, tmp_path, f"INSERT INTO rule_notes VALUES (NULL, NULL, '{note}')")
    assert note in words(show(changed))
    older = altered(place, tmp_path / "older", "DROP TABLE breaches")
    assert "python -m warehouse refresh" in words(show(older))


def test_packs_about_records_alone_show_the_records(
    place: Place, show: Any, tmp_path: Path
) -> None:
    text = (ROOT / "packs" / "contact" / "cn-card.toml").read_text().replace("'", "''")
    where = "subject = 'contact'"
    changed = altered(place, tmp_path, f"UPDATE rule_packs SET text = '{text}' WHERE {where}")
    told = re.sub(r"\s", " ", words(show(changed)))
    assert "The log reaches back to January 2024, 7 months, 2 of them without an attempt" in told
    assert "less than the 2 years asked for" in told
    assert "Of 4 connected calls 0.0" in told
    assert "less than the 100.0" in told
