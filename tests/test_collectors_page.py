"""The Collectors page without a browser: whole books, bad input, and numbers counted apart."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import streamlit as st
from streamlit import config
from streamlit.testing.v1 import AppTest

from jobs.refresh import refresh
from queries.filters import months_before
from tests.books import loan, month, put
from tests.conftest import ROOT
from tests.served import LAST_MONTH, Place, place, synthetic

PAGE = "pages/recovery/collectors.py"
WORK = {"collectors_part": "The work"}
RESOLVED = ["cured", "paid_off", "settled"]
MONTHS = [months_before(LAST_MONTH, back) for back in range(7, -1, -1)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return synthetic(tmp_path_factory.mktemp("collectors"))


@pytest.fixture
def here(tmp_path: Path) -> Place:
    return place(tmp_path)


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    st.cache_resource.clear()
    config.set_option("client.showErrorDetails", "full")
    yield
    st.cache_resource.clear()


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Open the page on a book; a traceback or a missing number fails the test."""

    def opened(where: Place, **query: str) -> AppTest:
        for name, value in where.environment.items():
            monkeypatch.setenv(name, value)
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        for name, value in query.items():
            app.query_params[name] = value
        app.switch_page(PAGE).run()
        return sound(app)

    return opened


def sound(app: AppTest) -> AppTest:
    assert not app.exception, [one.message for one in app.exception]
    assert not app.error, [one.value for one in app.error]
    assert re.search(r"\b(nan|inf|None|null)\b", words(app)) is None, words(app)
    for table in app.dataframe:
        numbers = table.value.select_dtypes("number").to_numpy()
        assert not np.isinf(numbers).any()
    return app


def words(app: AppTest) -> str:
    """What is written, escapes and joiners taken away."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "info", "warning", "error")
    parts = [str(one.value) for kind in kinds for one in app.get(kind)]
    parts += [f"{one.label} {one.value}" for one in app.metric]
    text = re.sub(r"\\(.)", r"\1", "\n".join(parts))
    return text.replace("\N{WORD JOINER}", "").replace("\N{NO-BREAK SPACE}", " ")


def tile(app: AppTest, label: str) -> str:
    value = next(one.value for one in app.metric if one.label == label)
    return value.replace("\\", "").replace("\N{NO-BREAK SPACE}", " ")


def table(app: AppTest, column: str) -> pl.DataFrame:
    """The first table that has such a column."""
    return next(pl.from_pandas(one.value) for one in app.dataframe if column in one.value.columns)


def press(app: AppTest, key: str, label: str) -> AppTest:
    next(one for one in app.get("button_group") if one.key == key).set_value(label).run()
    return sound(app)


def answer(app: AppTest) -> str:
    return next(one.value for one in app.markdown if one.value.startswith("#####"))


# --- hand-made books -----------------------------------------------------------------------


def case(number: int, collector: str | None, opened: dt.date, **more: Any) -> dict[str, Any]:
    row = {
        "case_id": f"C{number}",
        "loan_id": f"L{number}",
        "collector_id": collector,
        "opened_on": opened,
        "opening_days_past_due": 20 + 40 * (number % 2),
        "placed_amount": str(100 + number % 7),
    }
    return row | more


def closed(row: dict[str, Any], reason: str, days: int = 20) -> dict[str, Any]:
    day = row["opened_on"] + dt.timedelta(days=days)
    return row | {"closed_on": day, "close_reason": reason}


def payment(row: dict[str, Any], amount: str, number: int = 0) -> dict[str, Any]:
    return {
        "payment_id": f"P{row['case_id']}-{number}",
        "loan_id": row["loan_id"],
        "case_id": row["case_id"],
        "paid_on": row["opened_on"] + dt.timedelta(days=5),
        "amount": amount,
    }


def collector(name: str, **more: Any) -> dict[str, Any]:
    return {"collector_id": name, "team": "T"} | more


def publish(
    where: Place, cases: list[dict[str, Any]], collectors: list[dict[str, Any]], **more: Any
) -> Place:
    """A book of these cases, each on a loan of its own that is late in every month."""
    put(
        where.url,
        loans=[
            loan(row["loan_id"], "card" if (i // 7) % 3 else "auto") for i, row in enumerate(cases)
        ],
        loan_months=[month(row["loan_id"], day, 20, "100.00") for row in cases for day in MONTHS],
        cases=cases,
        collectors=collectors,
        **more,
    )
    refresh(where.url, where.marts)
    return where


def mixed(names: list[str], each: int = 40, opened: dt.date = MONTHS[2]) -> list[dict[str, Any]]:
    """Cases of which about half are resolved, in the same proportion for everybody."""
    rows = []
    for number in range(each * len(names)):
        row = case(number, names[number % len(names)], opened - dt.timedelta(days=number % 20))
        rows.append(closed(row, "cured") if (number // len(names)) % 2 else row)
    return rows


# --- a whole book --------------------------------------------------------------------------


def mature(book: Place) -> pl.DataFrame:
    """Cases with a collector opened in the last 12 months that had their 90 days."""
    first = months_before(LAST_MONTH, 12)
    rows = pl.read_parquet(book.files / "cases.parquet").filter(
        pl.col("collector_id").is_not_null(),
        pl.col("opened_on") > first,
        pl.col("opened_on") + pl.duration(days=90) <= LAST_MONTH,
    )
    in_time = (pl.col("closed_on") - pl.col("opened_on")).dt.total_days() <= 90
    known = pl.col("closed_on") <= LAST_MONTH
    return rows.with_columns(
        resolved=(pl.col("close_reason").is_in(RESOLVED) & in_time & known).fill_null(value=False)
    )


def test_cases_and_resolved_cases_are_those_of_the_files(whole: Place, show: Any) -> None:
    by_hand = (
        mature(whole)
        .group_by("collector_id")
        .agg(Cases=pl.len(), Observed=pl.col("resolved").sum())
    )
    shown = table(show(whole), "Observed")
    both = shown.join(by_hand, left_on="Name", right_on="collector_id", suffix="_by_hand")
    assert both.height == by_hand.height == shown.height > 5
    assert both["Cases"].to_list() == both["Cases_by_hand"].to_list()
    assert both["Observed"].to_list() == both["Observed_by_hand"].to_list()
    assert both["Observed"].sum() == pytest.approx(both["Expected"].sum(), rel=0.1)


def test_the_first_attempt_is_counted_in_working_days(whole: Place, show: Any) -> None:
    first = months_before(LAST_MONTH, 12)
    cases = pl.read_parquet(whole.files / "cases.parquet").filter(
        pl.col("collector_id").is_not_null(), pl.col("opened_on") > first
    )
    contacts = pl.read_parquet(whole.files / "contacts.parquet")
    day = pl.col("contacted_at").dt.date().alias("day")
    outbound = (
        contacts.filter(direction="outbound") if "direction" in contacts.columns else contacts
    )
    tried = (
        outbound.select("case_id", day)
        .join(cases.select("case_id", "opened_on"), on="case_id")
        .filter(pl.col("day") >= pl.col("opened_on"), pl.col("day") <= LAST_MONTH)
        .group_by("case_id")
        .agg(pl.col("day").min())
    )
    rows = cases.join(tried, on="case_id", how="left")
    days, seen, step = [], [], dt.timedelta(days=1)
    for opened, closed_on, at in rows.select("opened_on", "closed_on", "day").iter_rows():
        last = min(closed_on or LAST_MONTH, LAST_MONTH)
        tried_in_time = at is not None and at <= last
        days.append(np.busday_count(opened + step, (at if tried_in_time else last) + step))
        seen.append(tried_in_time)
    left, within = np.array(days), 1.0
    for at in range(4):
        there = (left >= at).sum()
        within *= 1 - ((left == at) & np.array(seen)).sum() / there
    said = re.search(r"(\d+) % within 3", words(show(whole, **WORK)))
    assert said is not None
    assert float(said[1]) == pytest.approx(100 * (1 - within), abs=0.51)


@pytest.mark.parametrize("compare", ["Collectors", "Teams", "In-house and agencies"])
@pytest.mark.parametrize("outcome", ["Resolved share", "Cash"])
def test_every_comparison_answers_in_a_sentence(
    whole: Place, show: Any, compare: str, outcome: str
) -> None:
    app = press(press(show(whole), "compare", compare), "outcome", outcome)
    assert "compared on the same cases" in answer(app)
    assert "beyond noise" in answer(app)
    app.toggle(key="raw").set_value(True).run()
    assert "easy cases" in words(sound(app))


def test_agencies_are_called_as_agencies_calls_them(whole: Place, show: Any) -> None:
    names = dict(
        pl.read_parquet(whole.files / "agencies.parquet").select("agency_id", "name").iter_rows()
    )
    assert set(names) - set(names.values())  # a name is not an id
    app = press(show(whole), "compare", "In-house and agencies")
    assert set(table(app, "Observed")["Name"]) <= {*names.values(), "In-house"}
    assert not any(one in words(app) for one in names)
    app = press(show(whole, **WORK), "compare", "In-house and agencies")
    assert set(table(app, "Promises")["Name"]) <= {*names.values(), "In-house"}


def test_the_work_is_two_tables_that_a_screen_holds_and_no_limit_is_minus_nothing(
    whole: Place, show: Any
) -> None:
    app = show(whole, **WORK)
    assert "Kept, %" not in table(app, "Days to first attempt").columns
    assert {"Kept, %", "Matured", "Cost per unit"} <= set(table(app, "Promises").columns)
    limits = table(press(show(whole), "outcome", "Cash"), "Observed").select("Low", "High")
    assert not any("-0.0" in f"{value:+.1f}" for column in limits for value in column.drop_nulls())


def test_levels_of_what_is_expected_are_in_their_order(whole: Place, show: Any) -> None:
    levels = table(show(whole), "Of a case")
    late, amount = (
        levels.filter(pl.col("Of a case") == name)["Level"].to_list()
        for name in ("Lateness at opening", "Placed amount")
    )
    assert late == sorted(late, key=lambda code: int(re.split(r"[-+]", code)[0]))
    assert amount == [one for one in ("small", "middle", "large", "huge") if one in amount]
    assert min(len(late), len(amount)) > 2


def test_a_stage_narrows_the_cases(whole: Place, show: Any) -> None:
    app = show(whole)
    everything = table(app, "Observed")["Cases"].sum()
    parts = [
        table(press(app, "case_stage", stage), "Observed")["Cases"].sum()
        for stage in ("Early", "Middle", "Late")
    ]
    assert sum(parts) == everything
    assert min(parts) > 0


def test_cost_is_not_split_by_product(whole: Place, show: Any) -> None:
    app = show(whole, **WORK)
    assert table(app, "Cost per unit")["Cost per unit"].count() > 0
    app.multiselect(key="product").set_value(["credit_card"]).run()
    assert table(sound(app), "Cost per unit")["Cost per unit"].count() == 0
    assert "cannot be split" in words(app)


def test_a_collector_has_a_view_of_its_own_and_a_way_back(whole: Place, show: Any) -> None:
    app = show(whole)
    best = table(app, "Observed").row(0, named=True)
    app.selectbox(key="collector").set_value(best["Name"]).run()
    sound(app)
    assert app.header[0].value == best["Name"]
    assert tile(app, "Resolved") == str(best["Observed"])
    assert tile(app, "Above average") == f"{best['Above average, points']:+.1f} points"
    app.toggle(key="list_cases").set_value(True).run()
    listed = pl.from_pandas(app.dataframe[-1].value)
    mine = pl.read_parquet(whole.files / "cases.parquet").filter(
        pl.col("collector_id") == best["Name"],
        pl.col("opened_on") > months_before(LAST_MONTH, 12),
        pl.col("opened_on") <= LAST_MONTH,
    )
    expected = mine.sort("opened_on", "case_id", descending=[True, False])["case_id"]
    assert listed["case_id"].to_list() == expected.head(50).to_list()
    app.button(key="all_collectors").click().run()
    assert not sound(app).header
    assert table(app, "Observed").height > 1
    app = show(whole, collector="nobody")
    assert [one.value for one in app.warning] == [
        "There is no collector nobody in this book: you see all."
    ]
    assert table(app, "Observed").height > 1


def test_a_collector_alone_in_its_team_is_not_set_beside_it(whole: Place, show: Any) -> None:
    cases = pl.read_parquet(whole.files / "cases.parquet").filter(pl.col("collector_id") != "")
    sizes = cases.group_by("team").agg(pl.col("collector_id").n_unique(), pl.col("case_id").len())
    for alone in (True, False):
        team = sizes.filter((pl.col("collector_id") == 1) == alone).sort("case_id")["team"][-1]
        mine = cases.filter(team=team)["collector_id"].mode().sort()[0]
        app = show(whole, collector=mine)
        assert ("as a whole is at" in answer(app)) != alone
        assert ("no team is set beside it" in words(app)) == alone


def test_recovery_may_weigh_at_most_half(whole: Place, show: Any) -> None:
    app = show(whole, collectors_part="Score")
    before = table(app, "Score")
    app.number_input(key="weight_recovery").set_value(80).run()
    assert not app.exception
    assert any("at most half" in one.value for one in app.error)
    assert table(app, "Score").equals(before)
    app.number_input(key="weight_recovery").set_value(10).run()
    assert not app.error
    assert not table(app, "Score").equals(before)
    assert "rule breaches 21 % and complaints 21 %" in words(app)  # 15 of 70


# --- parts of books and bad input ----------------------------------------------------------


def test_a_book_without_cases_is_told_what_the_page_needs(here: Place, show: Any) -> None:
    put(here.url, loans=[loan("a")], loan_months=[month("a", day, 0, "5") for day in MONTHS])
    refresh(here.url, here.marts)
    app = show(here)
    assert any("`cases` and `collectors`" in one.value for one in app.info)
    assert not app.dataframe


def test_no_contacts_and_no_costs_are_said(here: Place, show: Any) -> None:
    book = publish(here, mixed(["A", "B", "C"]), [collector(name) for name in "ABC"])
    app = show(book, **WORK)
    assert "no rows of the table `contacts`" in words(app)
    assert "neither what collectors cost nor their hours" in words(app)
    said = answer(app)
    assert "none is shown to differ from the average beyond noise" in said
    assert "That does not show that they are alike: their intervals reach from" in said
    app.selectbox(key="collector").set_value("A").run()
    assert "Contacts are not recorded" in words(sound(app))


def test_one_collector_has_nobody_to_be_compared_with(here: Place, show: Any) -> None:
    app = show(publish(here, mixed(["A"]), [collector("A")]))
    assert any("only one collector" in one.value for one in app.info)
    app.selectbox(key="collector").set_value("A").run()
    assert "cannot be compared" in words(sound(app))


def test_cases_that_are_all_too_young_are_said_to_be(here: Place, show: Any) -> None:
    rows = mixed(["A", "B"], opened=LAST_MONTH)
    app = show(publish(here, rows, [collector("A"), collector("B")]))
    assert any("younger than 90 days" in one.value for one in app.info)


def test_cases_of_queues_alone_have_no_collector(here: Place, show: Any) -> None:
    rows = [row | {"collector_id": None} for row in mixed(["A", "B"])]
    app = show(publish(here, rows, [collector("A")]))
    assert any("automated queues" in one.value for one in app.info)


def test_a_collector_of_one_case_is_shown_and_marked(here: Place, show: Any) -> None:
    rows = mixed(["A", "B", "C"])
    single = closed(case(999, "D", MONTHS[2]), "cured")
    app = show(publish(here, [*rows, single], [collector(name) for name in "ABCD"]))
    row = table(app, "Observed").filter(Name="D").row(0, named=True)
    assert row["Cases"] == 1
    assert row["Beyond noise"] == ""
    assert row["Note"]
    app.selectbox(key="collector").set_value("D").run()
    assert "Only 1 case" in words(sound(app))


def test_collectors_with_all_and_with_none_resolved_have_finite_estimates(
    here: Place, show: Any
) -> None:
    rows = mixed(["A", "B", "C"])
    rows += [closed(case(1000 + i, "all", MONTHS[2]), "cured") for i in range(40)]
    rows += [case(2000 + i, "nothing", MONTHS[2]) for i in range(40)]
    names = ["A", "B", "C", "all", "nothing"]
    app = show(publish(here, rows, [collector(name) for name in names]))
    found = table(app, "Observed")
    assert found["Name"][0] == "all"
    assert found["Name"][-1] == "nothing"
    assert found.filter(Name="all")["Note"][0].startswith("All or none")
    assert found["Above average, points"].abs().max() < 100
    assert "all resolves" in answer(app)


def test_a_month_without_placements_leaves_a_gap_not_an_error(here: Place, show: Any) -> None:
    names = ["A", "B"]
    early, late = mixed(names, opened=MONTHS[0]), mixed(names, opened=MONTHS[3])
    late = [
        row | {"case_id": f"x{row['case_id']}", "loan_id": f"x{row['loan_id']}"} for row in late
    ]
    app = show(publish(here, early + late, [collector(name) for name in names]))
    app.selectbox(key="collector").set_value("A").run()
    assert "Month by month" in words(sound(app))


def test_more_reversed_than_paid_is_a_held_back_estimate(here: Place, show: Any) -> None:
    rows = mixed(["A", "B", "C"])
    paid = [payment(row, "-30.00" if row["collector_id"] == "A" else "60.00") for row in rows]
    paid += [
        payment(row, "1.00", 1) | {"paid_on": row["opened_on"] - dt.timedelta(days=9)}
        for row in rows
    ]  # before the opening: nobody's
    app = press(
        show(publish(here, rows, [collector(n) for n in "ABC"], payments=paid)), "outcome", "Cash"
    )
    row = table(app, "Observed").filter(Name="A").row(0, named=True)
    assert row["Observed"] == -30 * 40
    assert row["Note"].startswith("No net cash")
    app.selectbox(key="collector").set_value("A").run()
    sound(app)


def test_a_team_of_markdown_and_a_collector_of_html_are_characters(here: Place, show: Any) -> None:
    image, bold = "<img src=x onerror=alert(1)>", "**bold** $x$"
    rows = mixed([image, "B"])
    people = [collector(image, team=bold), collector("B", team=bold)]
    app = show(publish(here, [row | {"team": bold} for row in rows], people))
    assert image in table(app, "Observed")["Name"].to_list()
    app.selectbox(key="collector").set_value(image).run()
    sound(app)
    assert app.header[0].value.startswith("\\<img")
    assert any(r"\*\*bold\*\* \$x\$" in one.value for one in app.caption)


# --- conduct in the score ------------------------------------------------------------------


def gravest(number: int, contact: str | None, **more: Any) -> dict[str, Any]:
    """An upheld complaint of grade 4, resolved in the last month."""
    row = {
        "complaint_id": f"G{number}",
        "contact_id": contact,
        "case_id": "C0",
        "received_at": dt.datetime.combine(LAST_MONTH - dt.timedelta(days=20), dt.time(9)),
        "resolved_at": dt.datetime.combine(LAST_MONTH - dt.timedelta(days=10), dt.time(9)),
        "intake": "hotline",
        "category": "threat",
        "grade": 4,
        "outcome": "upheld",
    }
    return row | more


def attempt(row: dict[str, Any]) -> dict[str, Any]:
    at = dt.datetime.combine(row["opened_on"] + dt.timedelta(days=1), dt.time(10))
    return {
        "contact_id": f"T{row['case_id']}",
        "loan_id": row["loan_id"],
        "case_id": row["case_id"],
        "direction": "outbound",
        "channel": "call",
        "collector_id": row["collector_id"],
        "contacted_at": at,
        "party": "debtor",
        "outcome": "right_party",
    }


NOT_GRAVE = (
    {"outcome": "partly_upheld"},
    {"contact_id": None},  # the case's owner is not named by anybody
    {"appeal_outcome": "reversed"},
)


@pytest.mark.parametrize(("complaints", "is_aside"), [(({},), True), (NOT_GRAVE, False)])
def test_an_upheld_complaint_of_grade_4_that_names_a_collector_sets_the_score_aside(
    here: Place, show: Any, complaints: tuple[dict[str, Any], ...], is_aside: bool
) -> None:
    rows = mixed(["A", "B", "C"])
    people = [collector(name) for name in "ABC"]
    contacts = [attempt(row) for row in rows]
    told = [gravest(number, "TC0") | one for number, one in enumerate(complaints, start=1)]
    book = publish(here, rows, people, contacts=contacts, complaints=told)
    app = show(book, collectors_part="Score")
    shown = table(app, "Score").filter(pl.col("Name") == "A").row(0, named=True)
    assert (shown["Score"] is None) == is_aside
    assert ("set aside for an upheld complaint" in words(app)) == is_aside
    if is_aside:
        assert shown["Without the veto"] > 0
        assert "A until" in words(app)
        assert "(complaint G1)" in words(app)
    assert table(app, "Complaints").height == 3
