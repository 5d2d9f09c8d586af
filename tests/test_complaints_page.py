"""The Complaints page: on a book with a planted rise, and on books that lack something."""

from __future__ import annotations

import datetime as dt
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit import config
from streamlit.testing.v1 import AppTest

from tests.conftest import ROOT
from tests.planted_complaints import AS_OF, ATTEMPTS, RISE_ON, WEEKS, planted, refreshed
from tests.planted_recoveries import altered
from tests.served import Place
from tests.test_app import words
from warehouse.packs import COMPLAINTS, FOLDER

PARTS = ("Week by week", "Whose", "Answered in time", "What about")
IMAGE, DROP = "<img src=x onerror=alert(1)>", "'; DROP TABLE loans; --"
YEAR_AGO = dt.date(2024, 8, 1)
WHOSE, ANSWERED = {"complaints_part": "Whose"}, {"complaints_part": "Answered in time"}


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return refreshed(tmp_path_factory.mktemp("complaints"))


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
        app.switch_page("pages/conduct/complaints.py").run()
        assert not app.exception, [one.message for one in app.exception]
        assert re.search(r"\b(nan|inf|None)\b", words(app)) is None
        return app

    return opened


def tiles(app: AppTest) -> dict[str, str]:
    return {one.label: str(one.value).replace("\\", "") for one in app.metric}


def in_window(rows: list[dict[str, Any]], at: str) -> int:
    return sum(YEAR_AGO <= row[at].date() <= AS_OF for row in rows)


# --- is it getting worse, and whose is it ----------------------------------------------------


def test_the_rates_are_complaints_over_attempts_of_the_same_months(book: Place, show: Any) -> None:
    facts = planted()
    count = in_window(facts["complaints"], "received_at")
    tried = in_window(facts["contacts"], "contacted_at")
    app = show(book)
    assert tiles(app)["Complaints"] == str(count)
    assert tiles(app)["Per 1,000 attempts"] == f"{1000 * count / tried:.2f}"
    # four cases are open all the time
    per_case = float(tiles(app)["Per 1,000 open cases"].replace(",", ""))
    assert per_case == pytest.approx(1000 * count / (4 * 12), rel=0.02)


def test_a_planted_rise_is_signalled_named_and_dated(book: Place, show: Any) -> None:
    answer = next(
        str(one.value) for one in show(book).markdown if str(one.value).startswith("####")
    )
    said = re.search(r"\*\*Beta\*\*: more complaints since the week of (\d+ \w+ 2025)", answer)
    assert said, answer
    since = dt.datetime.strptime(said[1], "%d %B %Y").date()
    assert abs((since - RISE_ON).days) <= 21
    assert "**Alpha**" not in answer


def test_where_nothing_rises_the_page_says_so(book: Place, show: Any) -> None:
    said = words(show(book, month="2025-04"))  # before the rise
    assert re.search(r"No rise since .* is beyond the usual variation between weeks", said)
    assert "a doubling would be signalled within" in said


def test_a_book_of_few_weeks_has_no_signal_but_says_why(book: Place, show: Any) -> None:
    said = words(show(book, month="2024-06", cohort_window="6"))
    assert "A signal needs a year of weeks before those it judges" in said
    assert "Nothing could be judged: a signal needs a year of measured weeks" in said
    assert "chance alone would raise" not in said


def test_a_few_weeks_are_drawn_without_a_verdict(book: Place, show: Any) -> None:
    few = words(show(book, month="2024-02", cohort_window="3"))
    assert "Complaints week by week" in few
    assert "too few weeks or complaints to say where weeks usually lie" in few
    many = words(show(book, month="2025-04"))
    for verdict in ("Weeks differ", "above the limits", "Band: where weeks usually lie"):
        assert verdict in many
        assert verdict not in few


def test_complaints_are_split_by_what_they_are_and_whose(book: Place, show: Any) -> None:
    app = show(book, per="1,000 open cases")
    for by in ("Channel", "Agency", "Region", "Product", "Grade", "Category", "Intake"):
        app.selectbox(key="complaints_by").select(by).run()
        assert not app.exception
        assert f"Signals by {by.lower()}" in words(app)


def test_nobodys_complaints_are_counted_and_kept_out_of_rates(book: Place, show: Any) -> None:
    said = words(show(book, **WHOSE))
    assert "1 complaint belongs to nobody" in said
    assert "1 complaint that cannot be attributed to anybody" in said


def test_what_was_not_yet_resolved_in_an_earlier_month_has_no_outcome_there(
    book: Place, show: Any
) -> None:
    last = dt.date(2025, 6, 30)
    known = [row for row in planted()["complaints"] if row["received_at"].date() <= last]
    window = [row for row in known if row["received_at"].date() >= dt.date(2024, 7, 1)]
    resolved = [row for row in window if row["resolved_at"] and row["resolved_at"].date() <= last]
    assert len(resolved) < len([row for row in window if row["resolved_at"]])  # some came later
    said = words(show(book, month="2025-06", complaints_part="What about"))
    assert f"of {len(resolved)} resolved complaints were" in said


# --- answered in time ------------------------------------------------------------------------


def test_the_share_in_time_is_of_those_due_and_the_queue_says_what_falls_due(
    book: Place, show: Any
) -> None:
    facts = planted()["complaints"]
    due = [
        row
        for row in facts
        if YEAR_AGO <= row["received_at"].date() + dt.timedelta(days=15) <= AS_OF
        and row["complaint_id"] != "Gbackwards"
    ]
    in_time = [row for row in due if row["complaint_id"] not in ("Glate", "Goverdue")]
    app, later = show(book), show(book, **ANSWERED)
    assert f"Of {len(due)} complaints due" in words(later)
    assert tiles(app)["In time"].startswith(f"{100 * len(in_time) / len(due):.1f}")
    # received 1, 20 and 29 July, due 15 days later: the second by 4 August
    assert "3 complaints are open: 1 overdue, 1 due within seven days" in words(later)
    assert tiles(app)["Overdue"] == "1"


def test_a_complaint_resolved_before_it_was_received_is_left_out_of_times_and_said(
    book: Place, show: Any
) -> None:
    said = words(show(book, **ANSWERED))
    assert "1 complaint was closed before it was received" in said
    assert re.search(r"acknowledged within 1 day.* resolved within 5 days", said)


def test_another_pack_of_deadlines_is_shown_by_its_own_words(
    book: Place, tmp_path: Path, show: Any
) -> None:
    text = (FOLDER / COMPLAINTS / "uk.toml").read_text().replace("'", "''")
    where = altered(
        book, tmp_path, f"UPDATE rule_packs SET text = '{text}' WHERE subject = '{COMPLAINTS}'"
    )
    said = words(show(where, **ANSWERED))
    assert "United Kingdom" in said
    assert "within 8 weeks" in said
    assert "Waiting for" in said
    assert "no holiday calendar is set" in said


def test_a_deadline_of_working_days_passes_over_the_lenders_holidays(
    book: Place, tmp_path: Path, show: Any
) -> None:
    text = (FOLDER / COMPLAINTS / "uk.toml").read_text().replace("'", "''")
    pack = f"UPDATE rule_packs SET text = '{text}' WHERE subject = '{COMPLAINTS}'"
    plain = altered(book, tmp_path, pack)
    # received on Tuesday 10 June: three working days
    assert "Due to be resolved** 13 June 2025" in words(show(plain, complaint="Gveto"))
    days = '[["2025-06-11", false], ["2025-06-12", false], ["2025-06-14", true]]'
    known = f"UPDATE recovery_settings SET value = '{days}' WHERE name = 'holidays'"
    where = altered(book, tmp_path / "known", pack, known)
    assert "Due to be resolved** 16 June 2025" in words(show(where, complaint="Gveto"))
    said = words(show(where, **ANSWERED))
    assert "knows 2 holidays and 1 worked weekend day, 11 June 2025 to 14 June 2025" in said


# --- the veto, and one complaint ---------------------------------------------------------------


def test_only_an_upheld_grade_4_complaint_that_names_the_contact_sets_a_score_aside(
    book: Place, show: Any
) -> None:
    said = words(show(book, **WHOSE))
    assert "Set aside on 31 July 2025: K1." in said  # not K3 by fallback, not K2: reversed
    later = words(show(book, month="2025-05", **WHOSE))
    assert "score is set aside on 31 May 2025" in later


def test_a_choice_of_product_lifts_nobodys_veto(book: Place, show: Any) -> None:
    said = words(show(book, product="auto", **WHOSE))  # what set K1 aside was about a card
    assert "Set aside on 31 July 2025: K1." in said


def test_a_complaint_can_be_followed_by_its_address(book: Place, show: Any) -> None:
    app = show(book, complaint="Gveto")
    said = words(app)
    assert re.search(r"Complaint Gveto\n", said)
    assert "4 Threat or violence" in said
    assert "Belongs to the contact it names." in said
    assert "Due to be resolved** 25 June 2025" in said
    assert "Case CK1" in said
    assert len(app.dataframe) == 1  # the contacts around it
    assert "Weeks of" not in said  # this complaint only


@pytest.mark.parametrize("name", ["nobody", "backwards", "waits"])
def test_a_complaint_without_much_can_be_followed_too(book: Place, show: Any, name: str) -> None:
    said = words(show(book, complaint=f"G{name}"))
    expected = {
        "nobody": "It names no contact, case or borrower.",
        "backwards": "recorded as resolved before it was received",
        "waits": "**Open**",
    }
    assert expected[name] in said


def test_a_complaint_that_is_not_there_is_said_and_all_are_shown(book: Place, show: Any) -> None:
    said = words(show(book, complaint=IMAGE))
    assert f"There is no complaint {IMAGE} in this book" in said
    assert "Per 1,000 open cases" in said


# --- what is missing, and hostile ----------------------------------------------------------------


def test_a_hostile_name_is_shown_as_characters(book: Place, tmp_path: Path, show: Any) -> None:
    name = f"{IMAGE} **bold** $x$ [a](http://b.example) {DROP}"
    quoted = name.replace("'", "''")
    where = altered(
        book,
        tmp_path,
        *[
            f"UPDATE {table} SET team = '{quoted}' WHERE team = 'Beta'"
            for table in ("complaints", "complaint_attempts", "complaint_cases")
        ],
        *[
            f"UPDATE {table} SET collector_id = '{quoted}' WHERE collector_id = 'K3'"
            for table in ("complaints", "complaint_collectors")
        ],
        f"UPDATE complaints SET complaint_id = '{quoted}' WHERE complaint_id = 'Gveto'",
    )
    for part in PARTS[:3]:
        assert name in words(show(where, complaints_part=part)), part
    assert name in words(show(where, complaint=name))


def test_a_choice_without_complaints_names_the_filter(book: Place, show: Any) -> None:
    assert "The choice of product leaves nothing" in words(show(book, product="home"))


def test_marts_of_an_older_version_are_said_to_be_older(
    book: Place, tmp_path: Path, show: Any
) -> None:
    where = altered(book, tmp_path, "DROP TABLE complaints")
    assert "older than this page" in words(show(where))


def test_a_book_without_complaints_is_told_what_they_would_show(
    book: Place, tmp_path: Path, show: Any
) -> None:
    where = altered(
        book,
        tmp_path,
        """UPDATE book SET tables = replace(tables, '"complaints"', '"complained"')""",
    )
    app = show(where)
    assert "This page needs the table `complaints`" in words(app)
    health = app.switch_page("pages/portfolio/health.py").run()
    needs = health.dataframe[-1].value.set_index("Figure")["Needs"].to_dict()
    assert needs["Complaints, their rise, and scores set aside for them"] == "complaints"
    assert "score" not in words(health)


def test_health_says_how_many_scores_are_set_aside(book: Place, show: Any) -> None:
    for month, said in (
        ("2025-06", "The score of 1 collector is set aside on 30 June 2025"),
        ("2025-05", "Nobody’s score is set aside on 31 May 2025"),
    ):
        health = show(book, month=month).switch_page("pages/portfolio/health.py").run()
        assert said in words(health).replace("\N{NO-BREAK SPACE}", " ")


def test_health_says_which_table_breaches_of_rules_would_need(
    book: Place, tmp_path: Path, show: Any
) -> None:
    where = altered(
        book, tmp_path, """UPDATE book SET tables = replace(tables, '"contacts"', '"contacted"')"""
    )
    health = show(where).switch_page("pages/portfolio/health.py").run()
    needs = health.dataframe[-1].value.set_index("Figure")["Needs"].to_dict()
    assert needs["Breaches of contact rules"] == "contacts"


def test_without_contacts_complaints_are_counted_and_measured_by_cases(
    book: Place, tmp_path: Path, show: Any
) -> None:
    where = altered(
        book,
        tmp_path,
        *[
            f"DELETE FROM {table}"
            for table in ("complaint_attempts", "complaint_collectors", "complaint_intensity")
        ],
        "UPDATE complaints SET contact_at = NULL, contact_id = NULL, channel = NULL,"
        " case_attempts = NULL, named_collector_id = NULL, attributed_by = 'case_owner'",
    )
    app = show(where)
    assert "there are no attempts to measure them by" in words(app)
    assert "No complaint has a contact before it" in words(
        show(where, complaints_part="What about")
    )
    assert tiles(app)["Per 1,000 attempts"] == "–"
    assert tiles(app)["Per 1,000 open cases"] == tiles(show(book))["Per 1,000 open cases"]


def test_a_hundred_thousand_complaints_are_shown(book: Place, tmp_path: Path, show: Any) -> None:
    where = altered(
        book,
        tmp_path,
        "INSERT INTO complaints SELECT * EXCLUDE (range) REPLACE ('M' || range AS complaint_id)"
        " FROM (SELECT * FROM complaints WHERE complaint_id = 'Glate'), range(100000)",
    )
    started = time.monotonic()
    app = show(where)
    assert time.monotonic() - started < 15  # two seconds, on a machine with nothing else to do
    assert int(tiles(app)["Complaints"].replace(",", "")) > 100_000


def test_the_planted_book_is_as_large_as_the_tests_think() -> None:
    assert len(planted()["contacts"]) == WEEKS * 2 * ATTEMPTS
