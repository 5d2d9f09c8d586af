"""The marts of contacts: what counts as an attempt, as reach, as a landmark case, as credit."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from analytics.effect_sums import effects
from jobs import channel_models, contact_marts
from jobs.case_book import CaseBook
from jobs.mart_frames import mart_schema
from queries.cases import CaseSettings
from queries.loan_states import BookShape
from tests.books import loan, month, put
from warehouse import marts, recovery_marts
from warehouse.engines import DuckDBConnection, create_tables, session
from warehouse.sample import make_book

Frames = dict[str, pl.DataFrame]
JAN, FEB, MAR = dt.date(2024, 1, 31), dt.date(2024, 2, 29), dt.date(2024, 3, 31)
MONTHS = [JAN, FEB, MAR, dt.date(2024, 4, 30), dt.date(2024, 5, 31)]
AS_OF = MONTHS[-1]
SEGMENT = {"product": "card", "region": "North", "grade": "B"}


def feb(day: int) -> dt.date:
    return dt.date(2024, 2, day)


def case(case_id: str, opened_on: dt.date, **more: Any) -> dict[str, Any]:
    row = {
        "case_id": case_id,
        "loan_id": f"L{case_id}",
        "collector_id": "K",
        "team": "T",
        "opened_on": opened_on,
        "closed_on": None,
        "opening_days_past_due": 3,
        "placed_amount": "90.00",
        "close_reason": None,
        "agency_id": None,
        "episode_id": f"E{case_id}",
    }
    return row | more


def contacts(*rows: tuple[str, str | None, dt.date, str, str], **more: Any) -> list[dict[str, Any]]:
    """loan, case, day (at noon), channel, outcome."""
    return [
        {
            "contact_id": f"N{number}-{loan_id}",
            "loan_id": loan_id,
            "case_id": case_id,
            "direction": "outbound",
            "channel": channel,
            "contacted_at": dt.datetime.combine(day, dt.time(12, number)),
            "party": "unknown",
            "outcome": outcome,
            "cost_amount": None,
        }
        | more
        for number, (loan_id, case_id, day, channel, outcome) in enumerate(rows)
    ]


def payments(*rows: tuple[str, str | None, dt.date, str]) -> list[dict[str, Any]]:
    """loan, case, day, amount."""
    return [
        {
            "payment_id": f"Y{n}",
            "loan_id": row[0],
            "case_id": row[1],
            "paid_on": row[2],
            "amount": row[3],
        }
        for n, row in enumerate(rows)
    ]


def book_of(cases: Iterable[dict[str, Any]], **tables: list[dict[str, Any]]) -> dict[str, Any]:
    """Cases on loans of their own, of one borrower who prefers texts."""
    cases = list(cases)
    loans = sorted(
        {row["loan_id"] for row in cases} | {row["loan_id"] for row in tables.pop("more", [])}
    )
    customer = {"customer_id": "X", "region": "North", "preferred_channel": "sms"}
    return {
        "customers": [customer | {"is_vulnerable": False}],
        "loans": [loan(name, customer_id="X", risk_grade="A") for name in loans],
        "loan_months": [month(name, JAN, 0, "90.00", risk_grade="B") for name in loans],
        "cases": cases,
    } | tables


class Marts:
    """The marts' frames of a book's months and cohorts."""

    def __init__(self, url: str, tables: Iterable[str], *, has_chains: bool = False) -> None:
        self.url, self.tables = url, frozenset({"loans", "loan_months", *tables})
        self.settings = CaseSettings(AS_OF, (10_000, 50_000, 100_000), has_chains=has_chains)

    def month(self, when: dt.date = FEB) -> Frames:
        with session(self.url) as facts:
            shape = BookShape(tables=self.tables)
            book = CaseBook(facts, shape, self.settings, MONTHS, JAN)
            return contact_marts.compute_month(when, shape, book)

    def cohort(self, when: dt.date = FEB) -> Frames:
        with session(self.url) as facts:
            shape = BookShape(tables=self.tables)
            book = CaseBook(facts, shape, self.settings, MONTHS, JAN)
            return contact_marts.compute_cohort(when, shape, book)


def made(url: str, book: dict[str, Any]) -> Marts:
    put(url, **book)
    return Marts(url, book)


def only(frame: pl.DataFrame, **chosen: str) -> dict[str, Any]:
    found = frame.filter(**chosen)
    assert found.height == 1, found
    return found.row(0, named=True)


def has_nan(frame: pl.DataFrame) -> bool:
    floats = frame.select(pl.selectors.float())
    return any(floats[name].is_nan().any() for name in floats.columns)


# What was done in a month


@pytest.fixture
def worked(facts_url: str) -> Frames:
    attempts = contacts(
        ("LA", "A", feb(6), "call", "third_party_reached"),
        ("LA", "A", feb(7), "call", "promise"),
        ("LA", "A", feb(8), "sms", "delivered"),
        ("LA", None, feb(9), "email", "invalid"),  # names no case, but the loan has one
        ("LA", "A", feb(10), "email", "link_clicked"),
        ("LA", None, feb(1), "sms", "no_answer"),  # before the case: a reminder
        ("LB", "B", feb(10), "call", "no_answer"),
    )
    attempts[1]["cost_amount"] = "1.25"
    inbound = contacts(("LA", "A", feb(11), "call", "right_party"), direction="inbound")
    book = book_of(
        [
            case("A", feb(5)),
            case("B", feb(5), closed_on=feb(20), close_reason="cured"),
            case("idle", feb(20)),
            case("gone", dt.date(2024, 1, 3), closed_on=dt.date(2024, 1, 31)),
        ],
        contacts=[*attempts, inbound[0] | {"contact_id": "in"}],
        payments=payments(
            ("LA", None, feb(10), "40.00"),
            ("LA", "A", feb(12), "-10.01"),
            ("LA", None, feb(2), "7.00"),  # before the opening: nobody's
            ("LA", "A", dt.date(2024, 3, 1), "5.00"),
        ),
    )
    return made(facts_url, book).month()


def test_an_owners_month_by_hand(worked: Frames):
    """Inbound is no attempt (5, not 6); a third party is no reach; a case that three channels
    attempted was worked once; a case closed in January was not open in February."""
    row = only(worked["owner_work"])
    assert (row["collector_id"], row["team"], row["agency_id"]) == ("K", "T", None)
    assert {name: row[name] for name in SEGMENT} == SEGMENT  # the grade of January, not the loan's
    counts = ("open_cases", "worked_cases", "attempts", "reached", "right_party", "promises")
    assert [row[name] for name in counts] == [3, 2, 6, 3, 1, 1]
    assert row["cash_cents"] == 4000 - 1001


def test_a_channels_month_by_hand(worked: Frames):
    work = worked["channel_work"].filter(pl.col("stage") != "reminder")
    names = ("attempts", "reached", "right_party", "promises", "worked_cases", "right_party_cases")
    call = only(work, channel="call")
    assert [call[name] for name in names] == [3, 1, 1, 1, 2, 1]
    assert (call["costed_attempts"], call["cost_cents"]) == (1, 125)
    email = only(work, channel="email")
    assert [email[name] for name in names] == [2, 1, 0, 0, 1, 0]
    told = ("delivered", "invalid", "opened", "clicked")
    assert [email[name] for name in told] == [1, 1, 1, 1]
    assert email["cost_cents"] is None  # no cost is recorded: not a cost of 0
    assert (call["preference_known"], call["preferred"]) == (3, 0)
    sms = only(work, channel="sms")
    assert (sms["preference_known"], sms["preferred"], sms["delivered"]) == (1, 1, 1)


def test_an_attempt_before_any_case_is_a_reminder_and_works_no_case(worked: Frames):
    reminder = only(worked["channel_work"], stage="reminder")
    assert (reminder["channel"], reminder["attempts"], reminder["worked_cases"]) == ("sms", 1, 0)
    assert reminder["grade"] == "B"
    assert worked["channel_fit"]["attempts"].sum() == 6  # suitability is about cases


def test_the_rules_credit_the_same_cash_to_the_cent(worked: Frames):
    """A call, a text and a click reached the debtor by the 10th: three equal parts of 40.00,
    the odd cent to the earliest; of -10.01 three parts of -3.33, and -0.02 to the earliest."""
    cash = worked["channel_cash"]
    found = {(rule, channel): cents for rule, channel, cents in
             cash.select("rule", "channel", "cash_cents").iter_rows()}  # fmt: skip
    assert found == {
        ("last", "email"): 2999,
        ("first", "call"): 2999,
        ("equal", "call"): 1334 - 335,
        ("equal", "sms"): 1333 - 333,
        ("equal", "email"): 1333 - 333,
    }
    totals = cash.group_by("rule").agg(pl.col("cash_cents").sum())
    assert totals["cash_cents"].unique().to_list() == [2999]


def test_a_contact_is_credited_until_the_fourteenth_day(facts_url: str):
    book = book_of(
        [case("A", feb(1))],
        contacts=contacts(("LA", "A", feb(1), "call", "right_party")),
        payments=payments(("LA", None, feb(15), "3.00"), ("LA", None, feb(16), "5.00")),
    )
    cash = made(facts_url, book).month()["channel_cash"].filter(rule="last")
    assert dict(cash.select("channel", "cash_cents").iter_rows()) == {"call": 300, "none": 500}


@pytest.mark.parametrize("outcome", ["no_answer", "invalid", "third_party_reached"])
def test_an_attempt_that_did_not_reach_the_debtor_is_not_credited(duckdb_url: str, outcome: str):
    book = book_of(
        [case("A", feb(1))],
        contacts=contacts(("LA", "A", feb(1), "call", outcome)),
        payments=payments(("LA", "A", feb(2), "3.00")),
    )
    cash = made(duckdb_url, book).month()["channel_cash"]
    assert set(cash["channel"]) == {"none"}
    assert set(cash["cash_cents"]) == {300}


def test_a_payment_after_the_contact_only(duckdb_url: str):
    book = book_of(
        [case("A", feb(1))],
        contacts=contacts(("LA", "A", feb(5), "call", "right_party")),
        payments=payments(("LA", "A", feb(4), "3.00"), ("LA", "A", feb(5), "2.00")),
    )
    cash = made(duckdb_url, book).month()["channel_cash"].filter(rule="first")
    assert dict(cash.select("channel", "cash_cents").iter_rows()) == {"none": 300, "call": 200}


# Promises


def promise(name: str, case_id: str, on: dt.date, due: dt.date, amount: str, **more: Any) -> Any:
    row = {"promise_id": name, "case_id": case_id, "promised_on": on, "due_on": due}
    return row | {"promised_amount": amount, "contact_id": None, "is_written": False} | more


def test_promises_count_in_the_month_in_which_they_mature(facts_url: str):
    """Due on 26 February matures on the 29th; due on the 27th in March.  A transferred case's
    promise stays its own; a cancelled one counts nowhere and uses no cash."""
    call = contacts(("LA", "A", feb(6), "call", "promise"))
    book = book_of(
        [
            case("A", feb(5), closed_on=feb(20), close_reason="transferred"),
            case("A2", feb(20), loan_id="LA", collector_id="K2", episode_id="EA"),
        ],
        contacts=call,
        payments=payments(("LA", "A2", feb(25), "95.00")),
        promises=[
            promise("p", "A", feb(6), feb(26), "100.00", contact_id="N0-LA"),
            promise("q", "A2", feb(24), feb(27), "50.00"),
            promise("x", "A", feb(6), feb(20), "90.00", cancelled_on=feb(8)),
        ],
    )
    marts = made(facts_url, book)
    feb_work, mar_work = (marts.month(when)["owner_work"] for when in (FEB, MAR))
    names = ("matured", "kept", "matured_cents", "kept_cents")
    assert [only(feb_work, collector_id="K")[name] for name in names] == [1, 1, 10_000, 10_000]
    assert [only(feb_work, collector_id="K2")[name] for name in names] == [0, 0, 0, 0]
    # 95.00 went to the promise that was due first
    assert [only(mar_work, collector_id="K2")[name] for name in names] == [1, 0, 5_000, 0]
    channels = marts.month()["channel_work"].filter(pl.col("matured") > 0)
    assert (only(channels)["channel"], only(channels)["kept"]) == ("call", 1)
    # a promise that names no attempt has no channel
    assert marts.month(MAR)["channel_work"]["matured"].sum() == 0


def test_promises_still_open_on_the_last_day_are_not_judged(duckdb_url: str):
    last = dt.date(2024, 5, 31)
    book = book_of(
        [case("A", dt.date(2024, 5, 1))],
        promises=[
            promise("in", "A", dt.date(2024, 5, 2), last - dt.timedelta(days=3), "10.00"),
            promise("out", "A", dt.date(2024, 5, 2), last - dt.timedelta(days=2), "10.00"),
        ],
    )
    assert made(duckdb_url, book).month(last)["owner_work"]["matured"].sum() == 1


# Landmarks


@pytest.fixture
def landmarks(facts_url: str) -> Frames:
    day = {name: feb(1) for name in ("six", "seven", "eight", "late", "called")}
    opened = day | {"oldest": feb(24), "young": feb(25)}
    ended = {"six": (feb(7), "cured"), "seven": (feb(8), "cured"), "eight": (feb(9), "transferred")}
    ended["late"] = (dt.date(2024, 5, 9), "cured")  # day 98
    cases = [
        case(name, on)
        | dict(zip(("closed_on", "close_reason"), ended.get(name, (None, None)), strict=True))
        for name, on in opened.items()
    ]
    attempts = contacts(
        ("Lcalled", "called", feb(1), "sms", "no_answer"),
        ("Lcalled", "called", feb(7), "call", "no_answer"),
        ("Lcalled", "called", feb(7), "call", "no_answer"),
        ("Lseven", "seven", feb(8), "call", "right_party"),  # day 7: after the week
        ("Llate", "late", feb(3), "email", "right_party"),
    )
    inbound = contacts(("Loldest", "oldest", feb(25), "call", "right_party"), direction="inbound")
    book = book_of(
        cases,
        contacts=[*attempts, inbound[0] | {"contact_id": "in"}],
        payments=payments(
            ("Lcalled", "called", feb(7), "1.00"),  # day 6
            ("Lcalled", "called", feb(8), "2.00"),  # day 7
            ("Lcalled", "called", dt.date(2024, 5, 8), "4.00"),  # day 97
            ("Lcalled", "called", dt.date(2024, 5, 9), "8.00"),  # day 98
        ),
    )
    return made(facts_url, book).cohort()


def test_the_landmark_cases_by_hand(landmarks: Frames):
    """Closed on day 6: not at risk, resolved early.  On day 7: at risk, and resolved.  Handed on
    on day 8, cured on day 98: unresolved.  Opened 97 days before the last day: old enough;
    96 days: not."""
    rows = landmarks["landmarks"]
    assert (rows["cases"].sum(), rows["early_resolved"].sum()) == (5, 1)
    without = only(rows, attempts="")
    assert (without["cases"], without["resolved"], without["dose"]) == (3, 1, "0")
    assert without["first_day"] == "none"
    assert (without["bucket"], without["stage"], without["is_owned"]) == ("1-30", "early", "owned")


def test_what_was_attempted_counts_not_what_was_reached(landmarks: Frames):
    """Three attempts that nobody answered are three attempts; a call on day 7 is none."""
    called = only(landmarks["landmarks"], attempts="call:2-3:4-6 sms:1:0-1")
    assert (called["cases"], called["dose"], called["first_day"]) == (1, "2-3", "0-1")
    assert (called["cash_cents"], called["cash_squares"]) == (600, 36.0)
    email = only(landmarks["landmarks"], attempts="email:1:2-3")
    assert (email["dose"], email["first_day"], email["resolved"]) == ("1", "2-3", 0)


@pytest.fixture
def doses(facts_url: str) -> Frames:
    """Five calls and a text; two calls; a call, after three texts; nothing."""
    attempts = [("A", feb(day), "call") for day in (1, 2, 3, 4, 5)] + [("A", feb(6), "sms")]
    attempts += [("B", feb(3), "call"), ("B", feb(4), "call"), ("B", feb(8), "call")]  # day 7
    attempts += [("C", feb(1), "sms")] * 3 + [("C", feb(7), "call")]
    rows = [(f"L{name}", name, day, channel, "no_answer") for name, day, channel in attempts]
    done = {"closed_on": feb(20), "close_reason": "cured"}
    cases = [case("A", feb(1), **done), *(case(name, feb(1)) for name in "BCD")]
    numbered = [row | {"contact_id": f"N{n}"} for n, row in enumerate(contacts(*rows))]
    return made(facts_url, book_of(cases, contacts=numbered)).cohort()


def test_the_attempts_of_each_channel_are_counted_apart(doses: Frames):
    found = doses["landmarks"].select("attempts", "dose", "first_day", "cases", "resolved")
    assert sorted(found.rows()) == [
        ("", "0", "none", 1, 0),
        ("call:1:4-6 sms:2-3:0-1", "4+", "0-1", 1, 0),
        ("call:2-3:2-3", "2-3", "2-3", 1, 0),
        ("call:4+:0-1 sms:1:4-6", "4+", "0-1", 1, 1),
    ]


def test_a_channels_doses_and_first_days_by_hand(doses: Frames):
    """Calls on A five times from day 0, B twice from day 2, C once on day 6, D never; texts on A
    once on day 5, on C three times on day 0."""
    influence = fitted([doses])["effect_influence"].filter(pl.col("question").str.contains(":"))
    found = effects(influence, over=("question", "arm"))
    cells = {
        (question, arm): (treated, alone)
        for question, arm, treated, alone in found.select(
            "question", "arm", "treated_cases", "reference_cases"
        ).iter_rows()
        if treated
    }
    assert cells == {
        **{("dose:call", arm): (1, 1) for arm in ("1", "2-3", "4+")},
        **{("first_day:call", arm): (1, 1) for arm in ("0-1", "2-3", "4-6")},
        **{("dose:sms", arm): (1, 2) for arm in ("1", "2-3")},
        **{("first_day:sms", arm): (1, 2) for arm in ("0-1", "4-6")},
    }
    assert set(found["reason"]) == {"too_few", "no_contacts"}
    assert set(influence["outcome"]) == {"resolved"}
    resolved = influence.filter(question="dose:call", arm="4+")["treated_sum"].sum()
    assert resolved == 1  # case A


def test_costs_are_those_of_cases_all_of_whose_attempts_have_one(duckdb_url: str):
    attempts = contacts(
        ("LA", "A", feb(1), "call", "no_answer"),
        ("LA", "A", feb(2), "call", "no_answer"),
        ("LB", "B", feb(2), "call", "no_answer"),
        cost_amount="2.00",
    )
    unknown = contacts(("LB", "B", feb(3), "call", "no_answer"))[0] | {"contact_id": "no cost"}
    book = book_of([case("A", feb(1)), case("B", feb(1))], contacts=[*attempts, unknown])
    row = only(made(duckdb_url, book).cohort()["landmark_costs"])
    assert (row["treated_cases"], row["treated_cost_cents"]) == (1, 400)
    assert row["treated_cost_squares"] == 16.0


# The timeline


def test_steps_are_taken_in_time_by_days_of_lateness(facts_url: str):
    """Placed 3 days late on 10 February: day 7 is the 14th, day 15 the 22nd."""
    book = book_of(
        [
            case("A", feb(10)),
            case("B", feb(10), closed_on=feb(13), close_reason="cured"),  # day 6: not due
            case("C", feb(10), collector_id=None, team=None),
            case("D", feb(10), opening_days_past_due=8),  # placed after day 7
        ],
        contacts=contacts(
            ("LA", "A", feb(14), "sms", "delivered"),
            ("LA", "A", feb(23), "call", "no_answer"),
            ("LC", "C", feb(15), "sms", "delivered"),
            ("LC", None, feb(8), "messenger", "delivered"),  # a reminder when it was a day late
            ("LD", "D", feb(16), "call", "no_answer"),
        ),
        legal_actions=[
            {"action_id": "G", "case_id": "A", "action": "filing", "fee_amount": "1",
             "acted_on": dt.date(2024, 4, 8)},
        ],
    )  # fmt: skip
    found = made(facts_url, book).cohort()["timeline"].sort("step")
    counts = found.select("step", "due", "on_time", "late").rows()
    assert counts == [
        ("day_15", 3, 1, 1),
        ("day_30", 3, 2, 0),
        ("day_60", 3, 0, 1),
        ("day_7", 2, 2, 0),
    ]


def test_the_calls_and_texts_of_a_later_spell_are_no_late_steps_of_an_earlier_one(facts_url: str):
    """Two loans cured on 24 February, day 17; the first falls late again in April."""
    cured = {"closed_on": feb(24), "close_reason": "cured"}
    book = book_of(
        [
            case("A", feb(10), **cured),
            case("B", feb(10), **cured),
            case("C", dt.date(2024, 4, 10), loan_id="LA"),
        ],
        contacts=contacts(
            ("LA", "C", dt.date(2024, 4, 11), "sms", "delivered"),
            ("LA", "C", dt.date(2024, 4, 11), "call", "no_answer"),
            ("LB", "B", feb(24), "sms", "delivered"),  # on the day it ended
            ("LB", "B", feb(24), "call", "no_answer"),
        ),
    )
    found = made(facts_url, book).cohort()["timeline"].filter(pl.col("step") != "day_30")
    counts = found.sort("step").select("step", "due", "on_time", "late", "resolved_skipped").rows()
    assert counts == [("day_15", 2, 0, 1, 1), ("day_7", 2, 0, 1, 1)]


# What is not there


@pytest.mark.parametrize("missing", ["contacts", "promises", "payments", "customers", "cases"])
def test_a_book_without_a_table_gives_frames_of_the_same_shape(facts_url: str, missing: str):
    book = book_of(
        [case("A", feb(1))],
        contacts=contacts(("LA", "A", feb(2), "call", "promise")),
        payments=payments(("LA", "A", feb(3), "9.00")),
        promises=[promise("p", "A", feb(2), feb(6), "10.00")],
    )
    gone = {"cases", "promises"} if missing == "cases" else {missing}
    book = {name: rows for name, rows in book.items() if name not in gone}
    if missing == "customers":
        book["loans"] = [row | {"customer_id": None} for row in book["loans"]]
    if missing == "cases":
        for row in (*book["contacts"], *book["payments"]):
            row["case_id"] = None
    marts = made(facts_url, book)
    for name, frame in (marts.month() | marts.cohort()).items():
        assert frame.schema == mart_schema(name), name
        assert not has_nan(frame)
    if missing == "cases":
        assert only(marts.month()["channel_work"])["stage"] == "reminder"
    if missing == "customers":
        assert marts.month()["owner_work"]["region"].to_list() == [None]


# The models


def fitted(frames: Iterable[Frames]) -> Frames:
    """The models' tables, from the marts of some cohorts."""
    target = DuckDBConnection(":memory:", read_only=False)
    create_tables(target, marts.marts)
    for found in frames:
        for table in (recovery_marts.landmarks, recovery_marts.landmark_costs):
            target.ingest(table.name, found[table.name])
    return channel_models.fit(target)


def landmark_row(attempted: str, cases: int, resolved: int, **more: Any) -> dict[str, Any]:
    sums = {"cases": cases, "resolved": resolved, "cash_cents": 100 * resolved}
    row = {name: None for name in mart_schema("landmarks")} | sums
    row |= {"opened_month": FEB, "stage": "early", "bucket": "1-30", "amount_step": "1 to 2"}
    row |= {"is_owned": "owned", "product": "card"}
    row["attempts"] = " ".join(f"{name}:1:0-1" for name in attempted.split("+") if name)
    row |= {"dose": "1" if attempted else "0", "first_day": "0-1" if attempted else "none"}
    return row | {"cash_squares": float(resolved), "early_resolved": 0} | more


def fitted_rows(*rows: dict[str, Any]) -> Frames:
    costs = pl.DataFrame(schema=mart_schema("landmark_costs"))
    landmark = pl.DataFrame(list(rows), schema=mart_schema("landmarks"))
    return fitted([{"landmarks": landmark, "landmark_costs": costs}])


def reasons(found: Frames, **chosen: str) -> set[str | None]:
    rows = found["effect_influence"].filter(outcome="resolved", **chosen)
    return set(effects(rows)["reason"])


def test_no_landmark_cases_leave_empty_tables():
    found = fitted_rows()
    assert {frame.height for frame in found.values()} == {0}
    assert set(found) == {*channel_models.MODEL_MARTS, "effect_costs"}
    assert all(frame.schema == mart_schema(name) for name, frame in found.items())


def test_a_channel_that_nobody_or_everybody_got_has_a_reason_instead_of_an_effect():
    found = fitted_rows(landmark_row("call", 60, 30), landmark_row("call+sms", 60, 40))
    assert reasons(found, question="channel", arm="letter") == {"no_contacts"}
    assert reasons(found, question="channel", arm="call") == {"no_reference"}
    assert reasons(found, question="channel", arm="sms") == {None}
    assert reasons(found, question="dose", arm="1") == {"no_reference"}


def test_a_perfect_separator_is_no_overlap_not_an_infinite_effect():
    found = fitted_rows(
        landmark_row("call", 60, 30, grade="A"), landmark_row("", 60, 40, grade="B")
    )
    assert reasons(found, question="channel", arm="call") == {"no_overlap"}
    assert not any(has_nan(frame) for frame in found.values())


def test_few_cases_are_too_few():
    found = fitted_rows(landmark_row("call", 6, 3), landmark_row("", 6, 2))
    assert reasons(found, question="channel", arm="call") == {"too_few"}


def test_hands_that_never_use_a_channel_are_no_part_of_its_question():
    """Automated queues never call, and mostly resolve: they tell nothing of what calls cause."""
    rows = [landmark_row("call", 100, 60), landmark_row("", 100, 40)]
    queue = landmark_row("", 800, 760, is_owned="automated")
    found = fitted_rows(*rows, queue)["effect_influence"].filter(question="channel", arm="call")
    row = effects(found.filter(outcome="resolved")).row(0, named=True)
    assert (row["cases"], row["reference_cases"]) == (200, 100)
    assert row["effect"] == pytest.approx(0.20, abs=0.01)


# The synthetic book


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Frames, dict[str, Any]]:
    """Effects of the synthetic book's channels as the refresh finds them, and the truths."""
    folder = tmp_path_factory.mktemp("book")
    make_book(folder, loans=14_000, months=24, seed=8, last_month=dt.date(2026, 6, 30))
    target = DuckDBConnection(":memory:", read_only=False)
    tables = [path.stem for path in folder.glob("*.parquet")]
    raw = target._raw
    for name in tables:
        raw.execute(f"CREATE TABLE {name} AS FROM '{folder / name}.parquet'")
    create_tables(target, marts.marts)
    first = dt.date(2024, 7, 31)
    months = pl.date_range(first, dt.date(2026, 6, 30), "1mo", eager=True).dt.month_end().to_list()
    shape = BookShape(tables=frozenset(tables))
    settings = CaseSettings(months[-1], (100_000, 300_000, 1_000_000), has_chains=False)
    book = CaseBook(target, shape, settings, months, first)
    for when in months[:-3]:
        for name, frame in contact_marts.compute_cohort(when, shape, book).items():
            target.ingest(name, frame)
    return channel_models.fit(target), json.loads((folder / "truths.json").read_text())


def test_adjusted_effects_find_what_was_planted(sample: tuple[Frames, dict[str, Any]]):
    """Early cases: the truth lies between that of automated queues and of owned cases (calls
    are made by owners alone), over three months where it is planned over one."""
    found, truths = sample
    influence = found["effect_influence"].filter(
        question="channel", outcome="resolved", stage="early"
    )
    rows = {row["arm"]: row for row in effects(influence).iter_rows(named=True)}
    nearer, covered = 0, 0
    for channel in ("sms", "app_push", "messenger", "email", "voice_bot", "call"):
        row = rows[channel]
        parts = [
            truths["channel_effects"][stage][channel]["effect"] for stage in ("automated", "1-30")
        ]
        truth = parts[1] if channel == "call" else sum(parts) / 2
        assert row["reason"] is None, channel
        nearer += abs(row["effect"] - truth) < abs(row["raw"] - truth)
        covered += row["low"] < truth < row["high"]
        if channel == "call":
            assert row["raw"] < 0 < row["low"]
    assert nearer >= 5
    assert covered >= 5


def test_more_attempts_resolve_more(sample: tuple[Frames, dict[str, Any]]):
    influence = sample[0]["effect_influence"].filter(
        question="dose", outcome="resolved", stage="early"
    )
    found = effects(influence)
    by_dose = dict(found.select("arm", "effect").iter_rows())
    assert by_dose["4+"] > by_dose["1"]


def test_a_second_call_adds_nothing_where_none_is_planted(sample: tuple[Frames, dict[str, Any]]):
    """In the synthetic book a call does what it does once; calls are made on the hard cases, so
    that one call looks like harm."""
    influence = sample[0]["effect_influence"].filter(question="dose:call", stage="early")
    found = {row["arm"]: row for row in effects(influence).iter_rows(named=True)}
    assert found["1"]["raw_high"] < 0 < found["1"]["effect"]
    assert found["2-3"]["low"] < found["1"]["effect"] < found["2-3"]["high"]
    assert found["4+"]["reason"] == "no_contacts"


def test_both_engines_give_the_same_marts(duckdb_url: str, postgres_server: str, tmp_path: Path):
    from tests.conftest import new_postgres_database

    make_book(tmp_path, loans=400, months=10, seed=3, last_month=AS_OF)
    found = []
    for url in (duckdb_url, new_postgres_database(postgres_server)):
        names = ("customers", "loans", "loan_months", "collectors", "cases", "contacts")
        names += ("promises", "payments", "legal_actions")
        tables = {name: pl.read_parquet(tmp_path / f"{name}.parquet") for name in names}
        put(url)
        with session(url, read_only=False) as facts:
            for name, frame in tables.items():
                facts.ingest(name, frame)
        sums = Marts(url, names)
        found.append(sums.month(FEB) | sums.cohort(JAN))
    for name, frame in found[0].items():
        assert frame.height > 0, name
        assert_frame_equal(frame, found[1][name], check_row_order=False)
