"""The Simulator: what a reader sees and does, on a whole book and on books that lack things."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest
import streamlit as st
from streamlit import config
from streamlit.testing.v1 import AppTest

from analytics.simulation_book import roll_book
from analytics.strategies import Strategy, make_strategy
from analytics.strategy_files import from_text, to_text
from analytics.strategy_presets import PRESETS
from appdata import strategies as kept
from figures import simulator as figures
from jobs.refresh import refresh
from pages.strategy import simulator_effects as effects_page
from pages.strategy import strategy_editor as editor
from tests import strategy_books
from tests.books import FEB, JAN, MAR, loan, month, put
from tests.conftest import ROOT
from tests.served import Place, place, synthetic

PAGE = str(ROOT / "pages" / "strategy" / "simulator.py")
PARTS = ("Answer", "Strategy", "Effects", "Side by side", "Best under limits", "Back-test",
         "Save and decide")  # fmt: skip
IMAGE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return synthetic(tmp_path_factory.mktemp("simulator"), loans=400, months=8)


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    """A few hundred draws are enough to see what the page says of them."""
    config.set_option("client.showErrorDetails", "full")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "DRAWS", 600)
        patch.setattr(figures, "FIRST_DRAWS", 200)
        yield
    st.cache_resource.clear()


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Open the page on a book, with a database of its own for what is saved."""
    database = tmp_path_factory.mktemp("app") / "app.sqlite"

    def opened(where: Place, **query: str) -> AppTest:
        for name, value in where.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("APP_DATABASE_URL", f"sqlite:///{database}")
        app = AppTest.from_file(PAGE, default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        return checked(app.run())

    return opened


def checked(app: AppTest) -> AppTest:
    assert not app.exception, [one.message for one in app.exception]
    assert re.search(r"\b(nan|inf|None|null)\b", words(app)) is None, words(app)
    return app


def words(app: AppTest) -> str:
    parts = [*app.markdown, *app.caption, *app.info, *app.warning, *app.error, *app.success,
             *app.subheader]  # fmt: skip
    return " ".join(part.value for part in parts).replace("\N{NO-BREAK SPACE}", " ")


def headline(app: AppTest) -> str:
    told = next(one.value for one in app.markdown if one.value.startswith("##### "))
    return told.replace("\\/", "/")


def screen(app: AppTest) -> Strategy:
    """The strategy in the reader's hand."""
    return app.session_state[editor.BASE][1]


def test_it_begins_with_what_is_done_now(whole: Place, show: Any) -> None:
    app = show(whole)
    assert "This is what is done now" in headline(app)
    assert "measured from Dec 2025 to Jun 2026" in words(app)  # months into which loans moved


def test_what_is_done_now_costs_what_the_files_say_of_the_months_measured(
    whole: Place, show: Any
) -> None:
    costs = pl.read_parquet(whole.files / "costs.parquet").filter(
        pl.col("month") > date(2025, 11, 30), ~pl.col("is_one_off"), kind="system"
    )
    found = screen(show(whole)).operations.running_cost
    assert found == pytest.approx(float(costs["amount"].sum()) / 7)


def test_a_moved_slider_gives_another_answer_with_its_interval(whole: Place, show: Any) -> None:
    app = show(whole)
    app.slider(key="quick_calls").set_value(2.0)
    checked(app.run())
    assert re.search(r"Your strategy .*80 % interval .* to ", words(app)), headline(app)
    assert "All cases over 90 days late: calls" in words(app)
    twice = headline(app)
    app.slider(key="quick_calls").set_value(3.0)
    assert headline(checked(app.run())) != twice
    app.button(key="begin_again").click()
    assert "This is what is done now" in headline(checked(app.run()))


def test_a_saved_strategy_has_the_quick_changes_in_it_once(whole: Place, show: Any) -> None:
    app = show(whole, simulator_part="Save and decide")
    app.slider(key="quick_people").set_value(3)
    checked(app.run())
    mine = screen(app).operations.collectors + 3
    app.button(key="save_strategy").click()
    checked(app.run())
    assert app.slider(key="quick_people").value == 0
    checked(app.run())
    assert screen(app).operations.collectors == mine


@pytest.mark.parametrize("part", PARTS)
def test_every_part_opens(whole: Place, show: Any, part: str) -> None:
    app = show(whole, simulator_part=part, begin_with=PRESETS["timeline"].name)
    assert PRESETS["timeline"].name in headline(app)
    assert not app.error


@pytest.mark.parametrize("code", PRESETS)
def test_every_preset_says_what_it_would_bring(whole: Place, show: Any, code: str) -> None:
    app = show(whole, begin_with=PRESETS[code].name, simulator_part="Strategy")
    told = headline(app)
    is_told = "80 % interval" in told.replace("\N{NO-BREAK SPACE}", " ")
    assert is_told or "no cash and no cost" in told or code == "as_measured"
    if code == "legal_first":
        assert re.search(r"Nothing is known of what this does, .* being sued", told)


def test_people_who_are_not_there_cannot_call(whole: Place, show: Any) -> None:
    app = show(whole, begin_with=PRESETS["more_calls"].name)
    app.slider(key="quick_people").set_value(-20)
    checked(app.run())
    assert "hours of people's work are not done, and not counted" in words(app)


def test_a_changed_number_of_collectors_is_a_difference_and_a_cost(whole: Place, show: Any) -> None:
    app = show(whole, simulator_part="Strategy")
    field = next(one for one in app.number_input if one.label == "Collectors")
    field.set_value(field.value + 3)
    checked(app.run())
    assert "would cost" in headline(app)
    app.number_input[0].set_value(app.number_input[0].value - 3)
    assert "This is what is done now" in headline(checked(app.run()))


def test_limits_that_cannot_be_kept_are_named(whole: Place, show: Any) -> None:
    app = show(whole, simulator_part="Best under limits")
    assert "The best mix brings" in words(app)
    app.number_input(key="limit_budget").set_value(0.0)
    app.run()
    assert not app.exception
    assert "No mix keeps all limits" in app.error[0].value
    assert "the budget for contacts and suits" in app.error[0].value


def test_the_best_mix_opens_in_the_form(whole: Place, show: Any) -> None:
    app = show(whole, simulator_part="Best under limits")
    app.button(key="take_best").click()
    checked(app.run())
    assert headline(app).startswith("##### Best under limits")


def test_a_strategy_is_saved_and_its_link_opens_it(whole: Place, show: Any) -> None:
    app = show(whole, simulator_part="Save and decide", begin_with=PRESETS["half_by_bot"].name)
    app.text_input(key="strategy_name").set_value("Bots **first**")
    app.button(key="save_strategy").click()
    checked(app.run())
    assert "Saved as Bots \\*\\*first\\*\\*, version 1" in words(app)
    link = app.query_params["strategy"]
    link = link[0] if isinstance(link, list) else link
    again = show(whole, strategy=link, simulator_part="Strategy")
    assert "Bots \\*\\*first\\*\\*" in headline(again)
    kept.forget("Bots **first**", seen=1, by="her")
    gone = show(whole, strategy=link, simulator_part="Strategy")
    assert "was deleted by her" in gone.error[0].value
    assert "This is what is done now" in headline(gone)


def test_what_rests_on_an_assumption_says_so_and_what_it_is_without(
    whole: Place, show: Any
) -> None:
    legal = screen(show(whole, begin_with=PRESETS["legal_first"].name, simulator_part="Strategy"))
    said = replace(legal, assumptions={"suit": (1.0, 2.0)})
    row = kept.save("Suits work", to_text(said.named("Suits work")), by="her")
    app = show(whole, strategy=row.id, simulator_part="Effects")
    assert "your assumption about being sued" in headline(app)
    assert "; without it: " in headline(app)
    editor_rows = app.dataframe[0].value
    suit = editor_rows[editor_rows["effect"] == "Being sued"].iloc[0]
    assert suit["evidence"] == "Your assumption"
    assert suit["own_low"] == pytest.approx(2.718, abs=1e-3)


def test_a_link_to_nothing_is_a_sentence(whole: Place, show: Any) -> None:
    app = show(whole, strategy="0123456789ab", simulator_part="Strategy")
    assert "There is no saved strategy of this link" in app.error[0].value


def test_two_people_saving_one_name_lose_nothing(whole: Place, show: Any) -> None:
    app = show(whole, simulator_part="Save and decide", begin_with=PRESETS["more_calls"].name)
    theirs = to_text(make_strategy("Mine", [{"segment": "a", "stage": "late"}]))
    kept.save("Mine", theirs, by="her")
    app.text_input(key="strategy_name").set_value("Mine")
    app.button(key="save_strategy").click()
    app.run()
    assert not app.exception
    assert "Not saved: her saved Mine" in app.error[0].value
    (only,) = kept.versions("Mine")
    assert kept.one(only.id).text == theirs


def test_a_name_that_cannot_be_kept_is_refused(whole: Place, show: Any) -> None:
    app = show(whole, simulator_part="Save and decide")
    app.text_input(key="strategy_name").set_value("   ")
    app.button(key="save_strategy").click()
    app.run()
    assert "is empty" in app.error[0].value
    assert kept.saved() == []


def test_a_strategy_of_another_book_is_refused(whole: Place, show: Any) -> None:
    show(whole)
    other = make_strategy("Other", [{"segment": IMAGE, "stage": "late", "attempts_call": 1}])
    row = kept.save("Other", to_text(other), by="her")
    app = show(whole, strategy=row.id, simulator_part="Strategy")
    assert "for another book" in app.error[0].value


def test_four_strategies_stand_side_by_side(whole: Place, show: Any) -> None:
    app = show(whole, simulator_part="Side by side", begin_with=PRESETS["more_calls"].name)
    names = [PRESETS[code].name for code in ("timeline", "half_by_bot", "legal_first")]
    app.multiselect(key="simulator_beside").set_value(names)
    checked(app.run())
    table = app.dataframe[0].value
    assert list(table.columns) == ["measure", PRESETS["more_calls"].name, *names, "Baseline"]


def test_a_file_is_opened_or_refused_whole(whole: Place, show: Any) -> None:
    timeline = show(whole, begin_with=PRESETS["timeline"].name, simulator_part="Strategy")
    text = to_text(screen(timeline).named("From a file"))
    app = show(whole, simulator_part="Save and decide")
    app.file_uploader(key="strategy_file").upload("s.json", b'{"format": 1}')
    app.run()
    assert not app.exception
    assert "nothing of it is used" in app.error[0].value
    assert "This is what is done now" in headline(app)
    app.file_uploader(key="strategy_file").upload("s.json", text.encode())
    assert headline(checked(app.run())).startswith("##### From a file")


# books that lack things


def book_of(folder: Any, **tables: Any) -> Place:
    where = place(folder)
    put(where.url, **tables)
    refresh(where.url, where.marts)
    return where


def rows(balance: str | None) -> dict[str, Any]:
    days = {JAN: 0, FEB: 10, MAR: 40}
    return {
        "loans": [loan(str(n), IMAGE if n % 2 else "card") for n in range(40)],
        "loan_months": [
            month(str(n), day, days[day] if n % 4 == 0 else 0, balance)
            for n in range(40)
            for day in (JAN, FEB, MAR)
        ],
    }


def test_without_contacts_costs_and_people_it_says_so(tmp_path: Any, show: Any) -> None:
    app = show(book_of(tmp_path, **rows("1000")))
    for said in ("No contacts are recorded", "No costs are recorded", "No collectors are recorded"):
        assert said in words(app)
    app.slider(key="quick_people").set_value(5)
    assert "Collectors: 0 → 5" in words(checked(app.run()))
    for part in PARTS[1:]:
        checked(show(Place(tmp_path / "files", f"duckdb:///{tmp_path / 'facts.duckdb'}",
                           tmp_path / "marts"), simulator_part=part))  # fmt: skip


def test_without_balances_it_says_what_it_needs(tmp_path: Any, show: Any) -> None:
    app = show(book_of(tmp_path, **rows(None)))
    assert "has no balances" in words(app)


def test_one_month_is_too_few(tmp_path: Any, show: Any) -> None:
    only = rows("1000")
    only["loan_months"] = [one for one in only["loan_months"] if one["month"] == MAR]
    app = show(book_of(tmp_path, **only))
    assert "Nothing can be simulated here" in words(app)


def test_a_saved_file_reads_back_as_the_strategy_on_the_screen(whole: Place, show: Any) -> None:
    app = show(whole, simulator_part="Save and decide", begin_with=PRESETS["timeline"].name)
    app.button(key="save_strategy").click()
    checked(app.run())
    (row,) = kept.saved()
    again = from_text(kept.one(row.id).text)
    assert again.name == PRESETS["timeline"].name
    assert again.treatments.filter(stage="middle")["attempts_letter"].min() >= 1.0


# edits of the tables: what the browser sends, taken as the page takes it


@pytest.fixture
def in_hand(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A session with a strategy in hand, without a browser."""
    state: dict[str, Any] = {}
    monkeypatch.setattr(editor.st, "session_state", state)
    rows = [{"segment": one, "stage": "late", "attempts_call": calls, "plan_share": 0.1}
            for one, calls in (("a", 2.0), ("b", 4.0))]  # fmt: skip
    strategy = make_strategy("Mine", rows, {"collectors": 5.0})
    editor.begin("here", strategy)
    return state, strategy


def edit(state: dict[str, Any], strategy: Strategy, **values: float | None) -> Strategy:
    state["key"] = {"edited_rows": {0: values}}
    groups = {"All": strategy.treatments}
    weights = {("a", "late"): 3.0, ("b", "late"): 1.0}
    editor.take_table("key", strategy, groups, list(values), weights)
    return editor.held("here") or strategy


def test_an_edited_cell_becomes_the_strategy_in_hand(in_hand: Any) -> None:
    state, strategy = in_hand
    made = edit(state, strategy, attempts_call=5.0, plan_share=25.0)
    # its mean by cases was (3 x 2 + 4) / 4 = 2.5, and becomes 5
    assert made.treatments["attempts_call"].to_list() == [4.0, 8.0]
    assert made.treatments["plan_share"].to_list() == [0.25, 0.25]
    assert state[editor.REV] == 2  # the tables are drawn anew


def test_an_emptied_cell_says_nothing(in_hand: Any) -> None:
    state, strategy = in_hand
    assert edit(state, strategy, plan_share=None).treatments["plan_share"].null_count() == 2


def test_a_wrong_cell_changes_nothing_and_is_told_beside_the_field(in_hand: Any) -> None:
    state, strategy = in_hand
    made = edit(state, strategy, plan_share=50.0, attempts_call=-1.0)
    assert made == strategy  # the right half of it neither
    assert "Calls" in state[editor.SAID][0]


def test_a_range_needs_both_ends(in_hand: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    state, strategy = in_hand
    monkeypatch.setattr(effects_page.st, "session_state", state)

    def typed(**values: float | None) -> Strategy:
        state["key"] = {"edited_rows": {0: values}}
        effects_page.take_range("key", editor.held("here") or strategy, ["suit"])
        return editor.held("here") or strategy

    assert typed(own_low=1.1).assumptions == {}
    assert "both ends" in state[effects_page.SAID][0]
    low, high = typed(own_high=1.5).assumptions["suit"]
    assert (low, high) == pytest.approx((0.0953, 0.4055), abs=1e-4)
    assert typed(own_low=3.0).assumptions["suit"] == pytest.approx((low, high))  # ends crossed
    assert "above the high end" in state[effects_page.SAID][0]
    assert typed(own_low=None, own_high=None).assumptions == {}


def test_a_month_without_an_opening_counts_as_the_mean_of_the_others() -> None:
    book = roll_book(strategy_books.transitions(), strategy_books.stocks(), by=("product", "grade"),
                     buckets=strategy_books.BUCKETS, as_of=strategy_books.AS_OF)  # fmt: skip
    whole = figures.by_stage(book.opening, book)
    first = book.opening.copy()
    first[0] = 0.0  # nothing is known before the first month
    assert figures.by_stage(first, book) == pytest.approx(whole, rel=1e-9)
