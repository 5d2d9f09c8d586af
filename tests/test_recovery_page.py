"""The Recovery page: planted recoveries, targets that a reader may change, and what is missing."""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
import streamlit as st
from playwright.sync_api import Browser
from streamlit import config
from streamlit.testing.v1 import AppTest

from analytics.agencies import complete_steps
from analytics.money import cost_to_collect
from analytics.targets import contact_attainment
from appdata.targets import current_targets, set_target, target_history
from charts import recovery_page_sentences as sentences
from charts import target_sentences as targets_said
from figures.recovery import with_empty_months
from queries.filters import Filter
from tests.browser import Reader
from tests.conftest import ROOT
from tests.planted_recoveries import MONTH_ENDS, altered, planted_cases, refreshed
from tests.served import Place, served
from tests.test_app import tile, words

HORIZON = {"early": 30, "late": 180}
LAST_DAY = MONTH_ENDS[-1]


@pytest.fixture(scope="module")
def cases() -> list[dict[str, Any]]:
    return planted_cases()


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return refreshed(tmp_path_factory.mktemp("recovery"))


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    st.cache_resource.clear()
    config.set_option("client.showErrorDetails", "full")
    yield
    st.cache_resource.clear()


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The app's own database of a test."""
    path = tmp_path / "kept.sqlite"
    monkeypatch.setenv("APP_DATABASE_URL", f"sqlite:///{path}")
    return path


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch, kept: Path) -> Any:
    def opened(where: Place, page: str = "recovery/recovery", **query: Any) -> AppTest:
        for name, value in where.environment.items():
            monkeypatch.setenv(name, value)
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        if page != "portfolio/health":
            app.switch_page(f"pages/{page}.py")
        app.run()
        assert not app.exception, [one.message for one in app.exception]
        assert re.search(r"\b(nan|inf|None)\b", words(app)) is None
        return app

    return opened


def by_hand(cases: list[dict[str, Any]], stage: str, *, clipped: bool = False) -> float:
    """Recovery of the cases that have had their days, counted apart."""
    old = [
        one
        for one in cases
        if one["stage"] == stage
        and one["opened_on"] + dt.timedelta(days=HORIZON[stage]) <= LAST_DAY
    ]
    cash = [min(one["paid"], one["placed"]) if clipped else one["paid"] for one in old]
    return 100 * sum(cash) / sum(one["placed"] for one in old)


def plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text).translate({0xA0: " ", 0x2060: None})


def of(app: AppTest, owner: str, label: str) -> dict[str, Any]:
    table = next(one.value for one in app.dataframe if "Attained" in one.value.columns)
    found = pl.from_pandas(table).filter(pl.col("Owner") == owner, pl.col("Target") == label)
    return found.row(0, named=True)


EARLY, LATE = (targets_said.IN_A_TABLE[name] for name in ("recovery_early", "recovery_late"))


# --- numbers -------------------------------------------------------------------------------


def test_cohort_recovery_is_the_planted_one(
    book: Place, cases: list[dict[str, Any]], show: Any
) -> None:
    app = show(book)
    for stage, label in (("early", "Early, in 30 days"), ("late", "Late, in 180 days")):
        shown = float(tile(app, label).rstrip(" %"))
        assert shown == pytest.approx(by_hand(cases, stage, clipped=True), abs=0.051)
        # what came in in all is said, and which of the two the target is judged on
        everything = f"{by_hand(cases, stage):.1f} %"
        assert everything in words(app).replace("\N{NO-BREAK SPACE}", " ")
    assert "32 cases too young" in words(app)  # late ones of March: 180 days end in September


def test_the_target_is_judged_on_cash_up_to_what_was_placed(
    book: Place, cases: list[dict[str, Any]], show: Any
) -> None:
    app = show(book)
    row = of(app, "The book", EARLY)
    assert row["Attained"] == pytest.approx(by_hand(cases, "early", clipped=True))
    assert row["Chance, %"] < 1
    shown = next(one for one in app.metric if one.label == "Early, in 30 days")
    assert float(plain(shown.value).rstrip(" %")) == pytest.approx(row["Attained"], abs=0.051)
    assert plain(shown.delta) == "target 85 %"
    assert "every case of these months has had its days: missed" in plain(shown.help).lower()
    assert "85 %" in words(app).replace("\N{NO-BREAK SPACE}", " ")
    assert "which is missed" in words(app)


def test_half_of_the_cases_are_resolved_on_the_day_counted_by_hand(book: Place, show: Any) -> None:
    # every second case is cured on day 25, the others stay open
    assert tile(show(book), "Half resolved within") == "25 days"


def test_owners_and_nobody_add_up_to_all_payments(
    book: Place, cases: list[dict[str, Any]], show: Any
) -> None:
    said = words(show(book)).replace("\N{NO-BREAK SPACE}", " ")
    assert f"{sum(one['paid'] for one in cases) / 1000:.1f} k in all" in said
    assert "to the cent what the payments table has" in said


def test_a_case_is_complete_only_when_its_months_last_case_is() -> None:
    frame = pl.DataFrame({"placed_month": [dt.date(2024, 1, 31), dt.date(2024, 2, 29)]})
    steps = complete_steps(frame, last_day=dt.date(2024, 3, 30))["complete_to"].to_list()
    assert steps == [1, 0]  # 30 days from 29 February end on 29 March, 60 from 31 January on 30
    steps = complete_steps(frame, last_day=dt.date(2024, 3, 28))["complete_to"].to_list()
    assert steps == [0, None]


# --- targets -------------------------------------------------------------------------------


def choose(app: AppTest, metric: str, scope: str, value: float) -> AppTest:
    app.selectbox(key="target_metric").set_value(metric).run()
    app.selectbox(key="target_scope").set_value(scope).run()
    app.number_input[0].set_value(value).run()
    app.button(key="target_save").click().run()
    assert not app.exception
    return app


def test_few_cases_that_are_all_old_have_no_verdict_no_median_and_no_warning(
    book: Place, tmp_path: Path, show: Any
) -> None:
    few = "opened_month <> DATE '2024-01-31' OR product IS NULL OR region <> 'North'"
    left = altered(
        book,
        tmp_path,
        f"DELETE FROM cohorts WHERE {few}",
        "UPDATE cohorts SET cases = least(cases, 3), resolved = least(resolved, 1)",
        f"DELETE FROM resolution_days WHERE {few}",
        "UPDATE resolution_days SET resolved = least(resolved, 1), censored = least(censored, 1)",
    )
    app = show(left)
    assert of(app, "The book", EARLY)["Chance, %"] is None
    assert re.search(r"too few cases \(\d+\) to judge", words(app))
    fast = next(one.value for one in app.dataframe if "median days" in one.value.columns)
    assert fast["cases"].sum() < 30
    assert fast[["median days", "mean days of 90", "mean days of 180"]].isna().all(axis=None)
    health = words(show(left, "portfolio/health", month="2024-03"))
    assert "Worse than planned: recovery of cases up to 30" not in health


def test_what_is_too_young_to_draw_is_said_instead_of_an_empty_picture(
    book: Place, tmp_path: Path, show: Any
) -> None:
    young = altered(
        book,
        tmp_path,
        "UPDATE cohorts SET immature_cases = cases, immature_cents = placed_cents, cases = 0,"
        " placed_cents = 0, placed_squares = 0, cash_cents = 0, cash_squares = 0, cash_placed = 0,"
        " clipped_cents = 0, clipped_squares = 0, clipped_placed = 0, resolved = 0"
        " WHERE horizon = 180",
    )
    said = "No case of these months is 180 days old yet, so there is nothing to draw."
    charts = {}
    for within in ("180", "30"):
        app = show(young, within=within)
        charts[within] = len(app.get("vega_lite_chart"))
        assert (said in words(app)) == (within == "180")
    assert charts["180"] == charts["30"] - 1


def test_months_without_a_case_are_gaps_and_the_target_runs_over_the_whole_window() -> None:
    chosen = Filter(as_of=dt.date(2024, 6, 30), window=12)
    view: Any = SimpleNamespace(chosen=chosen, book=SimpleNamespace(first_month=MONTH_ENDS[0]))
    course = pl.DataFrame(
        {"month": [MONTH_ENDS[1], MONTH_ENDS[3]], "series": "early", "value": [0.1, 0.2]}
    )
    found = with_empty_months(course, view)
    assert found["month"].to_list() == MONTH_ENDS[:6]  # of the window and of the book
    assert found["value"].to_list() == [None, 0.1, None, 0.2, None, None]


def test_health_says_to_which_day_the_cases_of_an_earlier_month_were_followed() -> None:
    june, last = dt.date(2025, 6, 30), dt.date(2026, 6, 30)
    told = [
        sentences.collecting_words({}, False, None, as_of=as_of, last_day=last)
        for as_of in (june, last)
    ]
    assert ["followed to 30 June 2026" in one for one in told] == [True, False]


def test_a_target_is_changed_kept_and_judged_at_once(book: Place, show: Any) -> None:
    app = show(book)
    before = of(app, "The book", EARLY)["Chance, %"]
    choose(app, "recovery_early", "The book", 40.0)
    assert "saved as 40.0" in words(app) + str([one.value for one in app.success])
    row = of(app, "The book", EARLY)
    assert row["Set to"] == pytest.approx(40)
    assert row["Chance, %"] > 99 > before
    kept_row = current_targets().row("recovery_early", "book")
    assert kept_row is not None
    assert (kept_row.value, kept_row.set_by) == (pytest.approx(0.4), "local")
    again = show(book)
    assert of(again, "The book", EARLY)["Set to"] == pytest.approx(40)
    assert "Set by local" in words(again)


def test_a_team_has_its_own_target_and_taking_it_back_leaves_the_books(
    book: Place, show: Any
) -> None:
    app = show(book, level="Teams")
    choose(app, "recovery_early", "Team Field", 55.0)
    assert of(app, "Field", EARLY)["Set to"] == pytest.approx(55)
    app.button(key="target_erase").click().run()
    assert of(app, "Field", EARLY)["Set to"] == pytest.approx(85)
    assert app.number_input[0].value == pytest.approx(85)  # what counts now, not what was typed
    assert [row.value for row in target_history()] == [None, pytest.approx(0.55)]


def test_a_collector_is_judged_by_its_teams_target(book: Place, show: Any) -> None:
    set_target("recovery_early", "team", "Field", 0.44, by="ana")
    app = show(book, level="Collectors")
    assert of(app, "K1", EARLY)["Set to"] == pytest.approx(44)


@pytest.mark.parametrize("value", [0.0, 100.0, -5.0, 850.0])
def test_a_target_that_cannot_be_right_is_an_error_and_nothing_is_saved(
    book: Place, show: Any, value: float
) -> None:
    app = choose(show(book), "recovery_early", "The book", value)
    assert any("Nothing was saved" in one.value for one in app.error)
    assert target_history() == []


def test_a_locked_database_leaves_the_page_with_its_targets(
    book: Place, kept: Path, show: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from appdata import database

    monkeypatch.setattr(database, "WAIT_SECONDS", 1)
    database._engine.cache_clear()
    set_target("recovery_early", "book", "", 0.4, by="ana")
    app = show(book)
    with closing(sqlite3.connect(kept)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        choose(app, "recovery_early", "The book", 70.0)
        said = [one.value for one in app.error]
        assert any("somebody else is writing" in one and "Nothing was saved" in one for one in said)
        assert of(app, "The book", EARLY)["Set to"] == pytest.approx(40)
    database._engine.cache_clear()


def test_an_unreadable_database_leaves_the_page_with_the_documents_targets(
    book: Place, kept: Path, show: Any
) -> None:
    kept.write_text("no database " * 200)
    app = show(book)
    assert "The targets below are those that the product comes with" in words(app)
    assert of(app, "The book", EARLY)["Set to"] == pytest.approx(85)


def test_the_signed_in_user_is_named_and_nobody_else_may_save(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from ui import targets

    def signed(user: dict[str, Any]) -> Any:
        return type("User", (), {"to_dict": lambda _: user})()

    for user, expected in (
        ({}, "local"),
        ({"is_logged_in": False}, None),
        ({"is_logged_in": True, "email": "ana@bank.example", "name": "Ana"}, "ana@bank.example"),
        ({"is_logged_in": True, "name": "Ana"}, "Ana"),
        ({"is_logged_in": True}, "signed in"),
    ):
        monkeypatch.setattr(targets.st, "user", signed(user))
        assert targets.signed_in() == expected


# --- Health --------------------------------------------------------------------------------


def test_health_shows_recovery_against_targets_and_the_cost(
    book: Place, cases: list[dict[str, Any]], show: Any, tmp_path: Path
) -> None:
    app = show(book, "portfolio/health", month="2024-03")
    paid = {one["id"]: one for one in cases}
    march = sum(
        one["paid"]
        for one in paid.values()
        if (one["opened_on"] + dt.timedelta(days=20)).month == 3
    )
    cash = tile(app, "Cash on cases").replace(" k", "")
    assert float(cash) == pytest.approx(march / 1000, abs=0.051)
    cost = float(tile(app, "Cost to collect").rstrip(" %"))
    assert cost == pytest.approx(100 * 140 / march, abs=0.051)  # labour and agency; system apart
    assert "one-off costs of 1.0 k are not in it" in words(app).replace("\N{NO-BREAK SPACE}", " ")
    assert float(tile(app, "Early, in 30 days").rstrip(" %")) == pytest.approx(
        by_hand([one for one in cases if one["opened_on"].month <= 3], "early", clipped=True),
        abs=0.051,
    )
    assert "Worse than planned" in words(app)


@pytest.mark.parametrize(
    ("table", "hidden"), [("cases", "Cash on cases"), ("costs", "Cost to collect")]
)
def test_health_hides_what_has_no_table_and_names_the_need(
    book: Place, tmp_path: Path, show: Any, table: str, hidden: str
) -> None:
    statement = f"""UPDATE book SET tables = regexp_replace(tables, '"{table}": [0-9]+, ', '')"""
    app = show(altered(book, tmp_path, statement), "portfolio/health")
    assert hidden not in [one.label for one in app.metric]
    assert table in app.dataframe[-1].value.to_string()


# --- what is missing -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (["DELETE FROM cohorts"], "No case was opened in this choice"),
        (
            [
                "UPDATE cohorts SET immature_cases = cases, immature_cents = placed_cents,"
                " cases = 0, placed_cents = 0, placed_squares = 0, cash_cents = 0,"
                " cash_squares = 0, cash_placed = 0, clipped_cents = 0, clipped_squares = 0,"
                " clipped_placed = 0, resolved = 0"
            ],
            "none of these cases is old enough yet",
        ),
        (
            [
                "UPDATE cohorts SET cash_cents = -cash_cents, cash_placed = -cash_placed,"
                " clipped_cents = -clipped_cents, clipped_placed = -clipped_placed"
            ],
            "−",
        ),
        (
            [
                "DELETE FROM placements WHERE placed_month = DATE '2024-02-29'",
                "DELETE FROM liquidation_cash WHERE placed_month = DATE '2024-02-29'",
                "DELETE FROM cohorts WHERE opened_month = DATE '2024-02-29'",
            ],
            "Half of the spells of lateness",
        ),
        (["DELETE FROM placements", "DELETE FROM liquidation_cash"], "followed for 30 days yet"),
        (
            ["DELETE FROM collections_months", "DELETE FROM channel_cash"],
            "No payment came in in these months",
        ),
        (["DELETE FROM resolution_days"], "No case has an ending or an age to go by"),
        (["DELETE FROM first_contacts"], "Half of the spells of lateness"),
        (["DELETE FROM owner_cases"], "Half of the spells of lateness"),
        (["DELETE FROM cohorts WHERE stage = 'late'"], "No spell of lateness began beyond"),
        (["UPDATE collections_months SET open_cents = 0"], "Half of the spells of lateness"),
    ],
)
@pytest.mark.parametrize("level", ["Book", "Collectors"])
def test_what_is_missing_is_a_sentence(
    book: Place, tmp_path: Path, show: Any, statements: list[str], said: str, level: str
) -> None:
    where = altered(book, tmp_path, *statements)
    app = show(where, level=level)
    assert said in words(app)
    assert not app.error
    show(where, "portfolio/health")


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>", "'; DROP TABLE targets; --"])
def test_a_hostile_team_is_shown_as_characters_and_can_have_a_target(
    book: Place, tmp_path: Path, show: Any, name: str
) -> None:
    quoted = name.replace("'", "''")
    where = altered(
        book, tmp_path, f"UPDATE owner_cases SET team = '{quoted}' WHERE team IS NOT NULL"
    )
    app = show(where, level="Teams")
    choose(app, "recovery_early", f"Team {name}", 50.0)
    assert of(app, name, EARLY)["Set to"] == pytest.approx(50)
    assert current_targets().for_team("recovery_early", name) == 0.5
    raw = "".join(str(one.value) for kind in ("markdown", "success") for one in app.get(kind))
    assert name not in raw


def test_a_link_to_an_unknown_month_is_answered(book: Place, show: Any) -> None:
    app = show(book, page="portfolio/health", month="1999-01")
    assert [one.value.replace("\\", "") for one in app.toast] == [
        "The link asks for 1999-01, which is not a month of this book: you see the latest."
    ]
    assert not show(book, page="portfolio/health").toast


def test_a_window_that_begins_before_the_book_says_so(book: Place, show: Any) -> None:
    assert "The book begins in" in words(show(book, cohort_window="24"))


def test_every_choice_of_the_page_shows_numbers(book: Place, show: Any) -> None:
    app = show(book)
    choices = [(one.key, option) for one in app.get("button_group") for option in one.options]
    for key, option in choices:
        assert not show(book, **{key: option}).error, (key, option)


# --- words and small sums ------------------------------------------------------------------


def test_a_rate_below_zero_is_written_as_one() -> None:
    row = {"rate": -0.05, "attained": -0.05, "probability": 0.0, "reason": None}
    said = " ".join(sentences.recovery_sentences({"early": row}, None, {"early": 0.85}))
    assert "−5.0" in said


def test_costs_without_cash_have_no_rate() -> None:
    costs = pl.DataFrame(
        {"month": [1, 2], "kind": ["labour"] * 2, "is_one_off": [False] * 2, "amount_cents": [9, 9]}
    )
    cash = pl.DataFrame({"month": [1], "cash_cents": [-5]})
    assert cost_to_collect(costs, cash)["rate"].to_list() == [None, None]


def test_an_unknown_mean_has_no_probability() -> None:
    one = pl.DataFrame(
        {"cases": [1], "mean": [None], "mean_low": [None], "mean_high": [None], "mean_se": [None],
         "target": [3.0]},
        schema_overrides=dict.fromkeys(("mean", "mean_low", "mean_high", "mean_se"), pl.Float64),
    )  # fmt: skip
    assert contact_attainment(one)["probability"].to_list() == [None]


def test_two_wrong_totals_are_said_to_differ() -> None:
    said = sentences.attribution_sentence(100, 50, 160, {"last": 90}, is_whole_book=True)
    assert "differs by 0.10" in said
    assert "refresh the marts" in said


# --- in a browser --------------------------------------------------------------------------


@pytest.mark.browser
def test_a_reader_edits_a_target_and_finds_it_again_with_who_and_when(
    book: Place, cases: list[dict[str, Any]], browser: Browser, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("APP_DATABASE_URL", f"sqlite:///{tmp_path / 'browser.sqlite'}")
    with served(book) as address:
        reader = Reader(browser, address)
        reader.page.goto(f"{address}/recovery")
        reader.settle()
        shown = float(reader.tile("Late, in 180 days").rstrip(" %"))
        assert shown == pytest.approx(by_hand(cases, "late", clipped=True), abs=0.051)
        box = reader.page.get_by_label("Value, %")
        box.fill("66.5")
        box.press("Enter")
        reader.settle()
        reader.box("target_save").get_by_role("button").click()
        reader.page.get_by_text("saved as 66.5").wait_for()
        reader.page.reload()
        reader.settle()
        today = dt.datetime.now(dt.UTC)
        assert reader.page.get_by_label("Value, %").input_value() == "66.5"
        assert f"Set by local, {today.day} " in reader.text
        reader.box("target_history").locator("summary").click()
        reader.settle()
        reader.sees(lambda: "66.5 %" in reader.text and "book" in reader.text)
        reader.page.set_viewport_size({"width": 390, "height": 844})
        for page in ("recovery", "agencies"):
            reader.page.goto(f"{address}/{page}")
            reader.settle()
            wide = reader.page.evaluate(
                "() => { const m = document.querySelector('[data-testid=stMain]');"
                " return m.scrollWidth - m.clientWidth; }"
            )
            assert wide <= 0, page
        reader.close()
        assert reader.errors == []
