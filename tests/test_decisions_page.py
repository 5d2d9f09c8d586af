"""The Decisions page: planted decisions, what came of them by hand, the form, the trial desk."""

from __future__ import annotations

import datetime as dt
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import streamlit as st
from streamlit import config
from streamlit.testing.v1 import AppTest

from analytics.decisions import actual_months
from analytics.simulation_book import roll_book
from appdata import database
from appdata.decisions import (
    Assumption,
    Draft,
    Forecast,
    all_decisions,
    annotate,
    decide,
    notes_of,
)
from appdata.strategies import forget, save
from figures.trials import count_problems, wish_problems
from jobs.refresh import refresh
from tests.books import FEB, JAN, MAR, loan, month, put
from tests.conftest import ROOT
from tests.served import Place, place
from tests.test_app import tile, words

TEXT = json.dumps({"format": "collections-strategy", "version": 1})
HOSTILE = "<img src=x onerror=alert(1)> **b** $x$ [a](http://b)"
PAGE = str(ROOT / "pages/strategy/decisions.py")
NOON = dt.datetime(2024, 2, 5, 12, tzinfo=dt.UTC)
APRIL = dt.date(2024, 4, 30)


def little_book() -> dict[str, list[dict[str, Any]]]:
    """Paid in February 60 (10 late), in March 75 (30 late), and 500 charged off in March."""
    return {
        "loans": [
            loan("pays", "card", risk_grade="A"),
            loan("late", "card", risk_grade="A"),
            loan("lost", "auto", risk_grade="B"),
            loan("new", "auto", risk_grade="B", originated_on=FEB),
        ],
        "loan_months": [
            month("pays", JAN, 0, "1000.00", paid_amount="50.00"),
            month("pays", FEB, 0, "950.00", paid_amount="50.00"),
            month("pays", MAR, 0, "905.00", paid_amount="45.00"),
            month("late", JAN, 45, "200.00", paid_amount="0.00"),
            month("late", FEB, 75, "190.00", paid_amount="10.00"),
            month("late", MAR, 15, "160.00", paid_amount="30.00"),
            month("lost", JAN, 150, "500.00", paid_amount="0.00"),
            month("lost", FEB, 179, "500.00", paid_amount="0.00"),
            month("lost", MAR, 209, "500.00", "charged_off", paid_amount="0.00"),
            month("new", FEB, 0, "80.00", paid_amount="7.00"),  # new: in no measure
            month("new", MAR, 0, "80.00", paid_amount="0.00"),
        ],
    }


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Place:
    where = place(tmp_path_factory.mktemp("decisions"))
    put(where.url, **little_book())
    refresh(where.url, where.marts)
    return where


@pytest.fixture(autouse=True)
def _here(book: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    st.cache_resource.clear()
    config.set_option("client.showErrorDetails", "full")
    for name, value in book.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("APP_DATABASE_URL", f"sqlite:///{tmp_path / 'app.sqlite'}")
    yield
    st.cache_resource.clear()


def show(part: str | None = None, **query: str) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=60)
    if part:
        app.query_params["decisions_part"] = part
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, [one.message for one in app.exception]
    assert re.search(r"\b(nan|inf|None)\b", words(app)) is None
    return app


def plant(name: str = "Sooner", mean: float = 60, half: float = 5, **more: Any) -> str:
    """A decision of 5 February on data to January; the baseline is expected to bring 58."""
    rows = tuple(
        Forecast(when, series, measure, at, at - half, at + half)
        for measure in ("cash", "late_cash", "charged_off")
        for when in (FEB, MAR, APRIL)
        for series, at in (("strategy", mean), ("baseline", 58.0))
    )
    by = more.pop("by", "ana")
    draft = Draft(save(name, TEXT, by=by).id, by, NOON.date(), JAN, "marts-0", rows, **more)
    return decide(draft, by=by, at=NOON).id


# --- what came -----------------------------------------------------------------------------


def transitions(book: Place) -> pl.DataFrame:
    from queries import portfolio
    from queries.filters import Filter
    from queries.marts import open_marts
    from warehouse.published import current_version

    path = current_version(book.marts)
    assert path is not None
    marts = open_marts(path)
    try:
        chosen = Filter(as_of=MAR, window=3)
        return portfolio.paid_transitions(marts, chosen, by=("product",))
    finally:
        marts.close()


def test_what_came_is_what_the_little_book_paid(book: Place) -> None:
    found = actual_months(transitions(book)).pivot("measure", index="month", values="actual")
    assert found.sort("month").to_dicts() == [
        {"month": FEB, "cash": 60.0, "charged_off": 0.0, "late_cash": 10.0},
        {"month": MAR, "cash": 75.0, "charged_off": 500.0, "late_cash": 30.0},
    ]


def test_what_came_is_counted_as_the_simulator_counts_it(book: Place) -> None:
    moved = transitions(book)
    buckets = ["current", "1-30", "31-60", "61-90", "91-120", "121-150", "151-180", "181+"]
    stocks = pl.DataFrame(
        schema={"month": pl.Date, "bucket": pl.String, "product": pl.String, "loans": pl.Int64,
                "weight_cents": pl.Int64}
    )  # fmt: skip
    for frame, counted in (
        (moved, False),
        (moved.with_columns(paid_cents=pl.lit(None, pl.Int64)), False),
        (moved.with_columns(opening_cents=pl.lit(None, pl.Int64)), True),
    ):
        book_of = roll_book(
            frame.with_columns(pl.col("from_state", "to_state").replace({"181-270": "181+"})),
            stocks, by=["product"], buckets=buckets, as_of=MAR, window=2,
        )  # fmt: skip
        assert book_of.is_counted == counted
        found = actual_months(frame, is_counted=counted)
        for place_, when in enumerate(book_of.months):
            paid = book_of.paid[place_].sum(axis=0)
            came = dict(found.filter(month=when).select("measure", "actual").iter_rows())
            assert came["cash"] == pytest.approx(paid.sum())
            assert came["late_cash"] == pytest.approx(paid[1:].sum())
            lost = [book_of.states.index(state) for state in ("charged_off", "sold")]
            amount = book_of.closing[place_].sum(axis=0)[:, lost].sum()
            if counted:
                amount = book_of.loans[place_].sum(axis=0)[:, lost].sum()
            assert came["charged_off"] == pytest.approx(amount)


# --- the page ------------------------------------------------------------------------------


def test_without_a_decision_the_page_says_how_to_make_one() -> None:
    app = show()
    assert "Open the Simulator, save a strategy and decide on it" in words(app)
    assert not app.metric
    assert not app.error


def test_february_inside_and_march_above_are_scored_by_hand() -> None:
    plant(mean=62, half=5)  # 57 to 67: February's 60 inside, March's 75 above
    app = show()
    said = words(app)
    assert "1 decision, 1 of them scored on 2 months: 50 % of the months" in said.replace(
        "\N{NO-BREAK SPACE}", " "
    )
    assert "1 of 2 months inside" in said
    assert tile(app, "Months scored") == "2"
    assert tile(app, "Bias") == "+8.9 %"  # (60 + 75 - 124) / 124
    table = app.dataframe[0].value
    row = table.to_dict("records")[0]
    assert (row["Strategy"], row["Owner"], row["Months"], row["Inside"]) == ("Sooner", "ana", 2, 1)
    assert row["Verdict"] == "Within chance"
    assert row["Bias, %"] == pytest.approx(100 * 11 / 124)


def test_a_decision_is_about_its_own_products() -> None:
    link = plant(mean=500, half=1, scope={"product": ("auto",)})
    app = show(decision=link)
    assert "product auto" in words(app)
    assert "0 of 2 months inside, less came than was forecast" in words(app)
    assert all_decisions()[0].scope == {"product": ("auto",)}


def test_one_decision_shows_what_it_rested_on_and_takes_notes() -> None:
    link = plant(
        assumptions=(Assumption("Calls, early", "estimated", 0.12, 0.05, 0.2),),
        p_better=0.871, note="For the board",
    )  # fmt: skip
    app = show(decision=link)
    said = words(app)
    for text in (
        "Sooner",
        "decided on 5 February 2024",
        "The chance that it is better was given as 87",
        "marts-0",
    ):
        assert text in said.replace("\N{NO-BREAK SPACE}", " ")
    assert [one.value for one in app.text] == ["For the board"]
    table = next(one.value for one in app.dataframe if "Evidence" in one.value.columns)
    assert table.to_dict("records") == [
        {"Effect": "Calls, early", "Evidence": "Estimated", "Value": 0.12, "From": 0.05, "To": 0.2}
    ]
    app.text_area[0].set_value("Budget came late")
    app.button(key=f"decision_add {link}").click().run()
    assert not app.exception
    assert [one.words for one in notes_of(link)] == ["Budget came late"]
    assert "Budget came late" in [one.value for one in app.text]
    assert app.text_area[0].value == ""
    app.button(key=f"decision_add {link}").click().run()
    assert "A note cannot be empty. Nothing was saved." in app.error[0].value
    app.button(key="all_decisions").click().run()
    assert "Every decision" in words(app)


def test_a_link_to_no_decision_says_so_and_shows_all() -> None:
    app = show(decision=HOSTILE)
    assert "There is no decision" in app.warning[0].value
    assert "No decision was made yet" in str([one.proto for one in app.info])
    plant()
    app = show(decision="0" * 12)
    assert "There is no decision" in app.warning[0].value
    assert "Every decision" in words(app)


def test_hostile_words_are_shown_as_characters() -> None:
    link = plant(
        HOSTILE, by=HOSTILE, note=HOSTILE, assumptions=(Assumption(HOSTILE, "none"),),
        scope={"region": (HOSTILE, None)},
    )  # fmt: skip
    annotate(link, HOSTILE, by=HOSTILE)
    for app in (show(), show(decision=link)):
        kinds = ("markdown", "caption", "header", "subheader", "success", "warning")
        raw = "\n".join(str(one.value) for kind in kinds for one in app.get(kind))
        assert not re.search(r"(?<!\\)<img|(?<!\\)\*\*b|(?<!\\)\[a\]", raw)
        assert "<img src=x" in words(app)
    assert [one.value for one in app.text] == [HOSTILE, HOSTILE]


def test_a_deleted_strategy_leaves_its_decision() -> None:
    link = plant()
    forget("Sooner", seen=1, by="bob")
    assert "Sooner" in words(show(decision=link))


def test_a_measure_of_another_version_waits_for_what_came_of_it() -> None:
    rows = (
        Forecast(FEB, "strategy", "profit", 1.0, 0.0, 2.0),
        Forecast(FEB, "baseline", "profit", 1.0, 0.0, 2.0),
    )
    made = decide(
        Draft(save("Other", TEXT, by="a").id, "a", NOON.date(), JAN, "m", rows), by="a", at=NOON
    )
    assert "No month is known yet" in words(show(decision=made.id))


def test_an_unreadable_database_is_a_sentence_and_the_desk_still_works(tmp_path: Path) -> None:
    (tmp_path / "app.sqlite").write_text("no database " * 200)
    app = show()
    assert "Decisions are not shown" in app.warning[0].value
    assert "each arm needs" in words(show("Plan a trial"))


def test_with_a_login_nobody_reads_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from ui import targets

    plant("Secret")
    user = type("User", (), {"to_dict": lambda _: {"is_logged_in": False}})()
    monkeypatch.setattr(targets.st, "user", user)
    app = show()
    assert "Sign in to see what was decided" in app.info[0].value
    assert "Secret" not in words(app)


# --- deciding ------------------------------------------------------------------------------


def form(strategy_id: str | None, as_of: str = "2024-03", **changes: Any) -> AppTest:
    def page(strategy_id: str | None, changes: dict) -> None:
        import datetime as dt

        import polars as pl

        import ui

        view = ui.open_page("Simulator", "What if?")
        rows = [
            {"month": when, "measure": "cash", "series": series, "mean": mean, "low": 50.0,
             "high": 90.0}
            for when in (dt.date(2024, 4, 30), dt.date(2024, 5, 31))
            for series, mean in (("strategy", 70.0), ("baseline", 60), ("benefit", 65))
        ]  # fmt: skip
        frame = pl.DataFrame(rows, strict=False).with_columns(
            pl.col("mean", "low", "high").cast(pl.Float32), pl.col("series").cast(pl.Categorical)
        )
        options = {
            "forecast": frame.head(changes.pop("rows", 99)),
            "assumptions": pl.DataFrame({"name": ["Calls"], "evidence": ["assumed"], "mean": [1]}),
            "p_better": 0.9,
        }
        ui.decide(view, strategy_id, **(options | changes))

    app = AppTest.from_function(page, args=(strategy_id, changes), default_timeout=30)
    app.query_params["month"] = as_of
    app.run()
    assert not app.exception, [one.message for one in app.exception]
    return app


def press(app: AppTest, link: str, **typed: Any) -> AppTest:
    if "owner" in typed:
        app.text_input[0].set_value(typed["owner"])
    if "day" in typed:
        app.date_input[0].set_value(typed["day"])
    if "note" in typed:
        app.text_area[0].set_value(typed["note"])
    app.button(key=f"decide_save {link}").click().run()
    assert not app.exception, [one.message for one in app.exception]
    return app


def test_a_reader_decides_and_the_forecast_is_frozen() -> None:
    link = save("Sooner", TEXT, by="ana").id
    today = dt.datetime.now(dt.UTC).date()
    app = press(form(link), link, owner="Ana Li", note="Because")
    assert "decided on" in app.success[0].value
    (made,) = all_decisions()
    assert (made.owner, made.note, made.decided_on, made.as_of) == ("Ana Li", "Because", today, MAR)
    assert made.data_version.startswith("marts-")
    assert made.forecast[0] == Forecast(APRIL, "strategy", "cash", 70.0, 50.0, 90.0)
    assert len(made.forecast) == 6
    assert made.assumptions == (Assumption("Calls", "assumed", 1.0),)
    assert (made.p_better, made.level, made.scope) == (0.9, 0.8, {})
    assert f"decisions?decision={made.id}" in str([one.value for one in app.markdown])
    again = form(link)  # another reader: it is decided
    assert "Ana Li" in again.success[0].value
    assert not again.text_input
    assert "Sooner: no month is known yet" in words(show())


def test_a_decision_that_cannot_be_right_is_a_sentence_beside_its_field_and_the_words_stay() -> (
    None
):
    link = save("Sooner", TEXT, by="ana").id
    tomorrow = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=2)
    app = press(form(link), link, note="My words", day=tomorrow)
    said = [one.value.replace("\\", "") for one in app.error]
    assert said == [
        "A decision needs an owner.",
        "A decision is dated today or earlier: this day lies in the future.",
    ]
    assert app.text_area[0].value == "My words"
    press(app, link, owner="x" * 10_000, day=dt.date(2024, 3, 1))
    said = [one.value.replace("\\", "") for one in app.error]
    assert "this one has 10,000" in said[0]
    assert "data to 2024-03-31" in said[1]
    assert all_decisions() == []
    press(app, link, owner="ana", day=dt.date(2024, 4, 1))
    assert [one.note for one in all_decisions()] == ["My words"]


def test_a_forecast_that_cannot_be_right_is_a_sentence() -> None:
    link = save("Sooner", TEXT, by="ana").id
    app = press(form(link, rows=1), link, owner="ana")
    assert "The forecast needs the strategy and the baseline. Nothing was saved." in str(
        app.error[0].value
    )
    assert all_decisions() == []


def test_nobody_decides_on_another_strategy_than_was_saved() -> None:
    link = save("Sooner", TEXT, by="ana").id
    app = form(link, text=TEXT.replace("1", "2"))
    assert "was edited since it was saved" in app.info[0].value
    assert not app.text_input
    assert form(link, text=TEXT).text_input
    assert "There is no strategy of this link." in form("0" * 12).error[0].value


def test_nobody_decides_on_what_is_not_saved_or_with_hindsight() -> None:
    assert "Save the strategy first" in form(None).info[0].value
    link = save("Sooner", TEXT, by="ana").id
    app = form(link, as_of="2024-02")
    assert "choose March 2024 to decide" in app.info[0].value
    assert not app.text_input


def test_a_strategy_deleted_meanwhile_is_a_sentence_that_says_by_whom() -> None:
    link = save("Sooner", TEXT, by="ana").id
    app = form(link)
    forget("Sooner", seen=1, by="bob <b>")
    press(app, link, owner="ana")
    assert "was deleted by bob <b>" in app.error[0].value.replace("\\", "")
    assert all_decisions() == []


def test_the_second_of_two_sees_who_decided_first() -> None:
    link = save("Sooner", TEXT, by="ana").id
    first, second = form(link), form(link)
    press(first, link, owner="first")
    press(second, link, owner="second")
    assert "owner first" in second.success[0].value
    assert [one.owner for one in all_decisions()] == ["first"]


def test_a_locked_database_leaves_the_form_with_what_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "WAIT_SECONDS", 1)
    database._engine.cache_clear()
    link = save("Sooner", TEXT, by="ana").id
    app = form(link)
    with closing(sqlite3.connect(tmp_path / "app.sqlite")) as holder:
        holder.execute("BEGIN IMMEDIATE")
        press(app, link, owner="ana", note="My words")
        assert "somebody else is writing" in app.error[0].value
        assert app.text_area[0].value == "My words"
    press(app, link)
    assert [one.note for one in all_decisions()] == ["My words"]
    database._engine.cache_clear()


# --- the desk for a trial ------------------------------------------------------------------


def fill(app: AppTest, **values: float | None) -> AppTest:
    for name, value in values.items():
        found = next(one for one in app.number_input if one.key.split()[0] == name)
        found.set_value(value)
    app.run()
    assert not app.exception, [one.message for one in app.exception]
    return app


def test_the_desk_says_how_many_accounts_and_weeks_a_trial_takes() -> None:
    app = fill(show("Plan a trial"), trial_share=30.0, trial_hoped=33.0)
    said = words(app).replace("\N{NO-BREAK SPACE}", " ")
    assert "To find 30.0 % rising to 33.0 % with 80 % probability, each arm needs 3,763" in said
    assert "week" not in said  # the little book has no cases
    assert "Give complaints and attempts above" in said
    fill(app, trial_new_a_week=100.0, trial_in_trial=50.0, trial_complaints=1.4)
    fill(app, trial_attempts=20_000 / 3763)
    said = words(app).replace("\N{NO-BREAK SPACE}", " ")
    assert "it takes 155 weeks" in said  # 2 * 3763 / 50 + 30 / 7 = 154.8
    rise = "is one of 1.15, from 1.40 to 2.55 per 1,000 attempts: 1.8 times today's rate."
    assert f"The smallest rise that the trial would notice {rise}" in said
    assert "A smaller rise would mostly go unseen." in said
    assert "chance brings that once in a thousand" in said


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("trial_share", -30.0, "From 0.1 to 99.9 %."),
        ("trial_hoped", 130.0, "From 0.1 to 99.9 %."),
        ("trial_hoped", 30.0, "Not today's share: a trial looks for a difference."),
        ("trial_hoped", 30.04, "Not today's share: a trial looks for a difference."),  # as shown
        ("trial_power", 100.0, "From 50 to 99 %."),
        ("trial_error", 0.0, "From 0.1 to 20 %."),
        ("trial_new_a_week", -1.0, "From 0 to 10,000,000."),
        ("trial_in_trial", 0.0, "From 0.1 to 100.0 %."),
        ("trial_complaints", -0.5, "From 0 to 10,000,000."),
        ("trial_attempts", 1e9, "From 0 to 10,000,000."),
    ],
)
def test_a_wish_that_cannot_be_right_is_a_sentence_beside_its_field(
    field: str, value: float | None, said: str
) -> None:
    app = fill(show("Plan a trial"), trial_share=30.0)
    fill(app, **{field: value})
    assert [one.value for one in app.error] == [said]
    assert "each arm needs" not in words(app)


def test_a_difference_too_small_for_any_trial_is_a_sentence() -> None:
    app = fill(show("Plan a trial"), trial_share=30.0, trial_hoped=30.1)
    fill(app, trial_power=99.0, trial_error=0.1)
    assert "the difference is too small for a trial" in app.warning[0].value


def test_the_desk_reads_a_trial() -> None:
    app = show("Read a trial")
    assert "+3.0 points is within noise: −1.1 to +7.1 points" in words(app)
    fill(app, shown_new_resolved=400)
    assert "The new way resolves more: +10.0 points" in words(app)
    fill(app, shown_new_resolved=1001)
    assert [one.value for one in app.error] == ["No more than the arm's accounts."]
    fill(app, shown_new_resolved=-1, shown_accounts=0)
    assert len(app.error) == 3


def test_an_empty_field_is_a_sentence_too() -> None:
    wish = dict.fromkeys(
        ("share", "hoped", "power", "error", "in_trial", "new_a_week", "complaints", "attempts")
    )
    assert set(wish_problems(wish)) == {"share", "hoped", "power", "error", "in_trial"}
    assert "hoped" not in wish_problems({**wish, "hoped": 99.9 / 100})  # a little above 0.999
    counts = dict.fromkeys(("new_resolved", "new_accounts", "resolved", "accounts"))
    assert set(count_problems(counts)) == set(counts)
