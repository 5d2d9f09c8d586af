"""The pages run without a browser: on whole books, on parts of books, and on hostile names."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import streamlit as st
from streamlit import config
from streamlit.testing.v1 import AppTest

from jobs.refresh import refresh
from tests import by_hand
from tests.books import FEB, JAN, MAR, loan, month, put, small_book
from tests.conftest import ROOT
from tests.served import LAST_MONTH, Place, place, synthetic

PORTFOLIO = ("portfolio/health", "portfolio/aging", "portfolio/roll_rates")
PAGES = (*PORTFOLIO, "reference/definitions", "reference/data_quality")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return synthetic(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def here(tmp_path: Path) -> Place:
    return place(tmp_path)


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """What a process remembers of one book must not be shown for the next."""
    st.cache_resource.clear()
    config.set_option("client.showErrorDetails", "full")  # a failing test says why
    yield
    st.cache_resource.clear()


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Open a page on a book, with choices in its address."""

    def opened(where: Place, page: str = PORTFOLIO[0], **query: Any) -> AppTest:
        for name, value in where.environment.items():
            monkeypatch.setenv(name, value)
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        if page != PORTFOLIO[0]:
            app.switch_page(f"pages/{page}.py")
        app.run()
        assert not app.exception, [one.message for one in app.exception]
        return app

    return opened


def publish(where: Place, **tables: list[dict[str, Any]]) -> Place:
    put(where.url, **tables)
    refresh(where.url, where.marts)
    return where


def words(app: AppTest) -> str:
    """Everything that is written outside charts and tables, escapes and joiners taken away."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "info", "warning", "error")
    parts = [str(one.value) for kind in kinds for one in app.get(kind)]
    parts += [f"{one.label} {one.value} {one.delta}" for one in app.metric]
    parts += [str(one.label) for kind in ("selectbox", "multiselect") for one in app.get(kind)]
    parts += [option for one in app.get("button_group") for option in one.options]
    return re.sub(r"\\(.)", r"\1", "\n".join(parts)).replace("\N{WORD JOINER}", "")


def tile(app: AppTest, label: str) -> str:
    value = next(one.value for one in app.metric if one.label == label)
    return value.replace("\\", "").replace("\N{NO-BREAK SPACE}", " ")


def keys(app: AppTest) -> set[str]:
    kinds = ("selectbox", "multiselect", "button_group", "toggle")
    return {one.key for kind in kinds for one in app.get(kind)}


# --- a whole book --------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_a_page_runs_on_every_choice_of_its_filters(whole: Place, show: Any, page: str) -> None:
    app = show(whole, page)
    assert app.title[0].value
    assert not app.error
    choices = [(one.key, option) for one in app.get("button_group") for option in one.options]
    choices += [(one.key, one.options[-1]) for one in app.selectbox]
    choices += [(one.key, one.options[0]) for one in app.multiselect]
    for key, option in choices:
        app = show(whole, page, **{key: option})
        assert app.session_state[key] in (option, [option])
        assert not app.error, (key, option)
        assert re.search(r"\b(nan|inf)\b", words(app)) is None, (key, option)


@pytest.mark.parametrize("page", PORTFOLIO)
def test_the_earliest_month_has_no_month_before_it(whole: Place, show: Any, page: str) -> None:
    app = show(whole, page, month="2025-05")
    assert not app.error
    assert app.selectbox(key="month").value == "2025-05"


def test_months_are_offered_latest_first_and_products_by_name(whole: Place, show: Any) -> None:
    app = show(whole)
    months = app.selectbox(key="month").options
    assert months[0] == f"{LAST_MONTH:%Y-%m}"
    assert months == sorted(months, reverse=True)
    rows = by_hand.history(whole.files)
    assert app.multiselect(key="product").options == sorted(rows["product"].unique())


def test_a_move_of_few_loans_is_told_and_not_judged(here: Place, show: Any) -> None:
    months = [*(dt.date(2024, n, 1) for n in range(2, 13)), dt.date(2025, 1, 1)]
    ends = [day - dt.timedelta(days=1) for day in months]
    few, many = [f"e{number}" for number in range(20)], [f"a{number}" for number in range(60)]
    rows = []
    for turn, end in enumerate(ends):
        late = 12 if end == ends[-1] else 1 + turn % 2  # of the few, in each month
        rows += [month(one, end, 45 if n < late else 0, "10.00") for n, one in enumerate(few)]
        rows += [month(one, end, 45 if n < 3 * late else 0, "10.00") for n, one in enumerate(many)]
    publish(
        here,
        loans=[
            *[loan(one, risk_grade="E") for one in few],
            *[loan(one, risk_grade="A") for one in many],
        ],
        loan_months=rows,
    )
    judged = words(show(here, grade="A"))
    assert "Worse by more than usual" in judged
    assert "Worse: the 30+ rate rose" in judged
    assert "above the limit" in judged
    app = show(here, grade="E")
    said = words(app).replace("\N{NO-BREAK SPACE}", " ")
    assert "Too few loans to judge a change: 20. 60.0 % of the balance" in said
    assert "Worse" not in said
    assert "above the limit" not in said
    shown = next(one for one in app.metric if one.label == "30+ days late")
    assert shown.proto.delta_description == "unsure"


def test_the_first_month_has_loans_and_none_to_add_up_from(whole: Place, show: Any) -> None:
    said = words(show(whole, month="2025-05", weight="Loans"))
    loans = tile(show(whole, month="2025-05", weight="Loans"), "Open loans")
    assert (
        f"**Loans** cannot be judged yet: the data begins in May 2025, with {loans} loans" in said
    )
    assert "**Loans** reconciled" in words(show(whole, month="2025-06"))


def test_every_page_of_a_long_list_is_right_and_the_last_is_the_rest(
    whole: Place, show: Any
) -> None:
    app = show(whole, "portfolio/aging", weight="Loans", late="1 month", list_late="true")
    app.selectbox(key="late").set_value("1 month").run()
    app.toggle(key="list_late").set_value(True).run()
    stock = by_hand.open_now(by_hand.history(whole.files), LAST_MONTH).filter(shown="1-30")
    expected = stock.sort("balance_amount", "loan_id", descending=[True, False])["loan_id"]
    pages = -(-expected.len() // 50)
    assert app.number_input[0].max == pages
    seen: list[str] = []
    for number in range(1, pages + 1):
        app.number_input[0].set_value(number).run()
        seen += app.dataframe[-1].value["loan_id"].tolist()
    assert seen == expected.to_list()


# --- parts of books ------------------------------------------------------------------------


def counted(book: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """The same book without a balance anywhere."""
    return book | {"loan_months": [row | {"balance_amount": None} for row in book["loan_months"]]}


@pytest.mark.parametrize("is_counted", [False, True], ids=["balances", "counted"])
def test_a_book_of_loans_and_their_months_alone_is_shown_as_far_as_it_goes(
    here: Place, show: Any, is_counted: bool
) -> None:
    book = counted(small_book()) if is_counted else small_book()
    publish(here, loans=book["loans"], loan_months=book["loan_months"])
    for page in PAGES:
        app = show(here, page)
        assert not app.error
        assert "region" not in keys(app)  # nobody recorded it
        if page == PORTFOLIO[0]:
            # six loans are open in March by hand: rolls, cures, gap, late_start, foundling
            assert tile(show(here, page, weight="Loans"), "Open loans") == "5"
            needed = app.dataframe[-1].value.to_string()
            assert "payments" in needed
            assert "customers" in needed


def test_a_counted_book_speaks_of_no_money(here: Place, show: Any) -> None:
    book = counted(small_book())
    del book["payments"]
    publish(here, **book)
    for page in PORTFOLIO:
        app = show(here, page, weight="Balance")
        assert "weight" not in keys(app)
        said = words(app).lower()
        shown = [line for line in said.split("\n") if not line.startswith("for want of data")]
        assert (page == PORTFOLIO[0]) == (len(shown) == said.count("\n") + 1)
        said = "\n".join(shown)
        assert "balance" not in said.replace("balances and money at risk", "")
        assert "cash" not in said
        if page == PORTFOLIO[0]:
            assert tile(app, "Open loans") == "5"


def test_a_book_of_one_month_says_that_it_has_no_month_to_compare_with(
    here: Place, show: Any
) -> None:
    publish(
        here,
        loans=[loan("a"), loan("b", "auto")],
        loan_months=[month("a", MAR, 45, "30.00"), month("b", MAR, 0, "70.00")],
    )
    for page in PAGES:
        app = show(here, page)
        assert not app.error
        if page == PORTFOLIO[0]:
            assert tile(app, "30+ days late") == "30.0 %"  # 30 of 100
        if page == "portfolio/roll_rates":
            assert any("two consecutive months" in one.value for one in app.info)


def test_a_book_where_nobody_is_late_says_so(here: Place, show: Any) -> None:
    loans = [f"loan {number}" for number in range(40)]
    publish(
        here,
        loans=[loan(name) for name in loans],
        loan_months=[month(name, day, 0, "10.00") for name in loans for day in (JAN, FEB, MAR)],
    )
    for page in PAGES:
        app = show(here, page)
        assert not app.error
        if page == PORTFOLIO[0]:
            assert tile(app, "30+ days late") == "0.0 %"
        if page == "portfolio/aging":
            assert "Nothing is late in March 2024" in words(app)


@pytest.mark.parametrize("balance", ["12.34", "0.00", "-5.00", None])
def test_a_book_of_one_loan_is_a_book(here: Place, show: Any, balance: str | None) -> None:
    publish(
        here,
        loans=[loan("only")],
        loan_months=[month("only", JAN, 0, balance), month("only", FEB, 31, balance)],
    )
    for page in PAGES:
        app = show(here, page)
        assert not app.error
        if page == PORTFOLIO[0] and balance == "12.34":
            assert tile(app, "30+ days late") == "100.0 %"


def test_a_book_that_has_all_left_is_explained(here: Place, show: Any) -> None:
    publish(
        here,
        loans=[loan("gone")],
        loan_months=[month("gone", JAN, 0, "5"), month("gone", FEB, 0, "0", "paid_off")],
    )
    for page in PORTFOLIO:
        app = show(here, page)
        assert not app.error


def test_without_marts_the_page_says_what_to_do_and_recovers_by_itself(
    here: Place, show: Any
) -> None:
    app = show(here)
    assert "python -m warehouse refresh" in words(app)
    assert not app.error
    publish(here, **small_book())
    app.run()
    assert not app.exception
    assert tile(app, "30+ days late")
    assert not app.info


def test_the_definitions_need_no_book(here: Place, show: Any) -> None:
    app = show(here, "reference/definitions")
    shown = len(app.subheader)
    assert shown > 20
    assert "`" not in app.dataframe[0].value.to_string()  # a grid shows them as they are
    app.text_input(key="search").set_value("wilson").run()
    assert 0 < len(app.subheader) < shown
    app.text_input(key="search").set_value("no such word <b>").run()
    assert len(app.subheader) == 0
    assert not app.exception


def test_the_definitions_say_how_fresh_the_book_is_where_there_is_one(
    whole: Place, here: Place, show: Any
) -> None:
    assert f"Data to {LAST_MONTH.day} " in words(show(whole, "reference/definitions"))
    assert "Data to" not in words(show(here, "reference/definitions"))


def test_marts_made_anew_after_the_folder_was_lost_are_not_taken_for_the_old_ones(
    here: Place, show: Any
) -> None:
    publish(here, loans=[loan("a")], loan_months=[month("a", JAN, 0, "5")])
    app = show(here, weight="Loans")
    assert tile(app, "Open loans") == "1"
    shutil.rmtree(here.marts)
    app.run()
    assert "python -m warehouse refresh" in words(app)
    publish(here, loans=[loan("b")], loan_months=[month("b", JAN, 0, "5")])
    app.run()
    assert tile(app, "Open loans") == "2"


# --- a filter that leaves nothing ----------------------------------------------------------


def test_two_choices_that_together_leave_nothing_are_both_named(here: Place, show: Any) -> None:
    publish(
        here,
        customers=[
            {"customer_id": "N", "region": "North", "is_vulnerable": False},
            {"customer_id": "S", "region": "South", "is_vulnerable": False},
        ],
        loans=[
            loan("a", "card", customer_id="N", risk_grade="A"),
            loan("b", "auto", customer_id="S", risk_grade="A"),
        ],
        loan_months=[month("a", JAN, 0, "5"), month("b", JAN, 0, "5")],
    )
    for page in PORTFOLIO:
        app = show(here, page, product="card", region="South", grade="A")
        said = " ".join(one.value for one in app.info)
        assert "product" in said, page
        assert "region" in said
        assert "grade" not in said  # there is only one: it is no filter here


# --- dates of the world --------------------------------------------------------------------


def test_a_month_is_a_name_not_a_position(here: Place, show: Any) -> None:
    december = dt.date(2023, 12, 31)
    publish(
        here,
        loans=[loan("a")],
        loan_months=[month("a", december, 0, "5"), month("a", JAN, 0, "7")],
    )
    assert tile(show(here, month="2023-12"), "Open balance") == "5"
    assert tile(show(here, month="2024-01"), "Open balance") == "7"


def test_the_numbers_of_a_page_are_those_of_the_files(whole: Place, show: Any) -> None:
    rows = by_hand.history(whole.files)
    for query in ({"region": "South"}, {"product": "credit_card"}, {"grade": "B"}):
        stock = by_hand.open_now(rows, LAST_MONTH, **query)
        app = show(whole, weight="Loans", **query)
        assert tile(app, "Open loans") == f"{stock.height:,}"
        late = 100 * by_hand.late_share(stock, money=False)
        assert float(tile(app, "30+ days late").rstrip(" %")) == pytest.approx(late, abs=0.0501)
    assert pl.Series(["South"]).is_in(rows["region"]).all()


def test_each_headline_rate_can_be_split_and_its_parts_add_up_to_the_change_of_its_tile(
    whole: Place, show: Any
) -> None:
    tiles = {"Charge-offs, a year": "Charge-offs, a year"}
    tiles |= {f"{days}+": f"{days}+ days late" for days in (30, 60, 90)}
    for name, label in tiles.items():
        app = show(whole, explained_rate=name)
        title = next(one.value for one in app.subheader if one.value.startswith("Why the "))
        found = re.search(r"changed by (\S+) points", str(title))
        delta = next(str(one.delta) for one in app.metric if one.label == label)
        assert found, title
        assert found[1] in delta, (name, title, delta)
        assert ("yearly charge-off rate" if "," in name else f"{name} rate") in title
    second = show(whole).selectbox(key="month").options[-2]  # the month before has no opening book
    app = show(whole, month=second, explained_rate="Charge-offs, a year")
    assert "There is no yearly charge-off rate of the month before" in words(app)
