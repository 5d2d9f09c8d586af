"""The marts of strategy: on books followed by hand on both engines, and against the other marts."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from jobs.refresh import RefreshRefused, book_shape, refresh
from queries.cases import RESOLVED, CaseSettings
from queries.segment_cases import case_outcomes
from tests.books import FEB, JAN, MAR, loan, month, put, small_book
from tests.conftest import new_postgres_database
from tests.recovery_books import ENDS, case_book, day, mart
from tests.served import LAST_MONTH, Place, synthetic
from warehouse.buckets import DEFAULT_BOUNDS
from warehouse.contract import load_months, loan_months
from warehouse.engines import session
from warehouse.strategy_marts import SCHEMES

SEGMENT = ["product", "region", "grade"]


def strategy_book() -> dict[str, list[dict[str, Any]]]:
    """The book of cases with promises, plans, suits, scores and what loans paid."""
    book = case_book()
    history = {"A": ["10", "10", "0", "10", "0", "0", "0"]}
    book["loan_months"] = [
        month("A", end, late, "1000", risk_grade="B", paid_amount=paid, score=600.0)
        for end, late, paid in zip(ENDS, (5, 5, 40, 0, 5, 95, 120), history["A"], strict=True)
    ] + [
        month("B", ENDS[3], 90, "1000", risk_grade="A", paid_amount="0", score=400.0),
        month("B", ENDS[4], 100, "1000", risk_grade="D", paid_amount="0", score=400.0),
        month("C", ENDS[5], 20, "500", paid_amount="50"),
        month("C", ENDS[6], 0, "450", "paid_off", paid_amount="450"),
    ]
    for one in book["cases"]:
        one["strategy"] = "negotiate" if one["case_id"] == "b1" else "soft_contact"
        one["placed_balance_amount"] = "2000" if one["case_id"] == "b1" else None
    book["promises"] = [
        {"promise_id": "r1", "case_id": "a2", "promised_on": day("02-01"),
         "due_on": day("02-10"), "promised_amount": "11", "is_written": False},
        {"promise_id": "r2", "case_id": "a2", "promised_on": day("03-01"),
         "due_on": day("03-30"), "promised_amount": "5", "is_written": False},
    ]  # fmt: skip
    book["plans"] = [
        {"plan_id": "l1", "loan_id": "B", "case_id": None, "kind": "settlement",
         "agreed_on": day("05-20"), "plan_amount": "500"},
        {"plan_id": "l2", "loan_id": "A", "case_id": "a1", "kind": "instalment",
         "agreed_on": day("01-15"), "plan_amount": "40"},
    ]  # fmt: skip
    book["legal_actions"] = [
        {"action_id": "s1", "case_id": "c1", "action": "filing", "acted_on": day("05-05"),
         "fee_amount": "12.34"},
        {"action_id": "s2", "case_id": "c1", "action": "formal_letter",
         "acted_on": day("06-05"), "fee_amount": "1"},
    ]  # fmt: skip
    return book


@pytest.fixture(scope="module")
def engines(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The marts of the book of strategy, made once on each engine."""
    folder = tmp_path_factory.mktemp("strategy")
    urls = {
        "duckdb": f"duckdb:///{folder / 'facts.duckdb'}",
        "postgresql": new_postgres_database(postgres_server),
    }
    for engine, url in urls.items():
        put(url, **strategy_book())
        refresh(url, folder / engine)
    return {engine: folder / engine for engine in urls}


@pytest.fixture(params=["duckdb", "postgresql"])
def made(request: pytest.FixtureRequest, engines: dict[str, Path]) -> Path:
    return engines[request.param]


def only(frame: pl.DataFrame) -> dict[str, Any]:
    assert frame.height == 1, frame
    return frame.row(0, named=True)


# --- by hand -------------------------------------------------------------------------------


def test_a_loan_is_of_one_class_under_each_scheme(made: Path) -> None:
    march = mart(made, "segment_months", month=ENDS[2])
    found = {row["scheme"]: row for row in march.iter_rows(named=True)}
    assert {scheme: row["class"] for scheme, row in found.items()} == {
        "grade": "medium",  # 40 days
        # 40 days: 1; two of three months paid, and neither promise kept (10 of 11 in February is
        # 91 %: kept; 0 of 5 in March, due on the 30th: not over on the 31st): 3 / 4: 0; no
        # collateral: 2; score in the best third or middle: at most 1
        "risk": "medium",
        "rfm": found["rfm"]["class"],
    }
    assert all(row["late_loans"] == 1 and row["late_cents"] == 100000 for row in found.values())
    april = mart(made, "segment_months", month=ENDS[3], scheme="grade").sort("class")
    assert april.select("class", "loans", "late_loans", "late_cents").rows() == [
        ("medium", 1, 1, 100000),  # B at 90 days
        ("normal", 1, 0, 0),  # A is current again
    ]


def test_loans_that_are_not_late_have_no_class_of_risk(made: Path) -> None:
    april = mart(made, "segment_months", month=ENDS[3], scheme="risk")
    assert april.filter(pl.col("class") == "current")["loans"].to_list() == [1]


def test_a_move_says_where_from_where_to_and_whether_it_got_later(made: Path) -> None:
    def moved(end: dt.date) -> list[Any]:
        rows = mart(made, "segment_moves", month=end, scheme="grade").sort("from_class")
        return rows.select(
            "from_class", "to_class", "loans", "opening_cents", "forward_loans", "cured_cents"
        ).rows()

    assert moved(ENDS[1]) == [("light", "light", 1, 100000, 0, 0)]
    assert moved(ENDS[2]) == [("light", "medium", 1, 100000, 1, 0)]
    assert moved(ENDS[3]) == [("medium", "normal", 1, 100000, 0, 100000), *moved(ENDS[3])[1:]]
    assert moved(ENDS[3])[1][:3] == ("new", "medium", 1)
    june = moved(ENDS[5])
    # B is not found again; C appeared
    assert june[0][:3] == ("heavy", "unmatched", 1)
    assert june[1][:5] == ("light", "heavy", 1, 100000, 1)
    assert moved(ENDS[6])[1] == ("light", "paid_off", 1, 50000, 0, 50000)


def test_a_case_is_classed_by_what_was_known_before_it_was_opened(made: Path) -> None:
    may = mart(made, "segment_cases", opened_month=ENDS[4], scheme="grade").sort("class")
    b1 = only(may.filter(pl.col("class") == "heavy"))
    # 100 days late at opening though the month-end before had 90
    assert (b1["cases"], b1["placed_cents"], b1["cash_cents"]) == (1, 100000, 150000)
    assert (b1["resolved"], b1["call_attempts"], b1["costed_attempts"]) == (0, 1, 0)
    assert b1["grade"] == "A"  # of April, the month-end before
    c1 = only(may.filter(pl.col("class") == "light"))
    assert (c1["opened_cases"], c1["cases"], c1["opened_cents"]) == (1, 0, 10000)  # too young
    january = only(mart(made, "segment_cases", opened_month=ENDS[0], scheme="risk"))
    # both contacts of a1 count; that after the close of a2 names it, so it counts too
    assert (january["cash_cents"], january["call_attempts"], january["resolved"]) == (2900, 3, 1)


def test_nothing_is_known_of_how_a_new_loan_pays(made: Path) -> None:
    march = mart(made, "segment_cases", opened_month=ENDS[2], scheme="rfm")
    assert march["class"].unique().to_list() == ["unknown"]  # F and G have no history at all


def test_the_gravest_step_is_what_was_done(made: Path) -> None:
    found = mart(made, "segment_treatments", scheme="grade")
    heavy = only(found.filter(pl.col("class") == "heavy"))
    assert (heavy["planned"], heavy["actual"], heavy["cases"]) == ("negotiate", "plan", 1)
    january = found.filter(pl.col("opened_month") == ENDS[0]).sort("actual")
    # a plan was agreed while a1 was held; a2 is an agency's, which also talked
    assert january["actual"].to_list() == ["agency", "plan"]
    assert january["resolved"].to_list() == [1, 0]  # a1 was handed on, a2 cured
    march = found.filter(pl.col("opened_month") == ENDS[2])
    assert march["actual"].unique().to_list() == ["none"]


def test_what_was_done_lands_in_its_month_and_stage(made: Path) -> None:
    found = mart(made, "treatment_months")
    sums = ["letters", "filings", "legal_cents", "instalments", "settlements", "agency_cases"]
    by_month = {
        (row["month"], row["stage"]): row
        for row in found.filter(pl.sum_horizontal(sums) > 0).iter_rows(named=True)
    }
    assert by_month[ENDS[4], "early"]["filings"] == 1
    assert by_month[ENDS[4], "early"]["legal_cents"] == 1234
    assert by_month[ENDS[5], "early"]["letters"] == 1
    settled = by_month[ENDS[4], "late"]
    # a plan that names no case is its loan's; the discount is off the balance: 1 - 500 / 2000
    assert (settled["settled_cents"], settled["settled_base_cents"]) == (50000, 200000)
    january = by_month[ENDS[0], "early"]
    assert (january["instalments"], january["agency_cases"], january["grade"]) == (1, 1, "C")
    calls = found.filter(pl.col("month") == ENDS[0], pl.col("stage") == "early")
    assert (calls["calls"].sum(), calls["bot_calls"].sum()) == (2, 0)


def test_both_engines_have_the_same_marts_of_strategy(engines: dict[str, Path]) -> None:
    names = ("segment_months", "segment_moves", "segment_cases", "segment_treatments",
             "resolution_cases", "treatment_months", "segment_settings")  # fmt: skip
    for name in names:
        frame, other = (mart(folder, name).sort(pl.all()) for folder in engines.values())
        assert_frame_equal(frame, other, rel_tol=1e-12, abs_tol=0)
        assert frame.height


# --- against the other marts -----------------------------------------------------------------


@pytest.fixture(scope="module")
def synthetic_book(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return synthetic(tmp_path_factory.mktemp("segments"))


@pytest.fixture
def synthetic_marts(synthetic_book: Place) -> Path:
    return synthetic_book.marts


@pytest.mark.parametrize("scheme", SCHEMES)
def test_classes_hold_every_open_loan_to_the_cent(synthetic_marts: Path, scheme: str) -> None:
    keys = ["month", *SEGMENT]
    sums = ["loans", "weight_cents", "paid_cents"]
    stocks = mart(synthetic_marts, "stocks", basis="days")
    late = pl.col("bucket") != "current"
    expected = stocks.group_by(keys).agg(
        pl.col(sums).sum(),
        late_loans=pl.col("loans").filter(late).sum(),
        late_cents=pl.col("weight_cents").filter(late).sum(),
    )
    made = mart(synthetic_marts, "segment_months", scheme=scheme)
    found = made.group_by(keys).agg(pl.col(*sums, "late_loans", "late_cents").sum())
    assert_frame_equal(found.sort(keys), expected.sort(keys), check_column_order=False)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_moves_between_classes_are_the_moves_between_states(
    synthetic_marts: Path, scheme: str
) -> None:
    keys = ["month", *SEGMENT, "ended"]
    sums = ["loans", "opening_cents", "opening_squares"]
    moved = mart(synthetic_marts, "transitions", basis="days")
    made = mart(synthetic_marts, "segment_moves", scheme=scheme)
    ends = ("paid_off", "charged_off", "sold", "unmatched")

    def by_end(rows: pl.DataFrame, to: str) -> pl.DataFrame:
        ended = pl.when(pl.col(to).is_in(ends)).then(to).otherwise(pl.lit("open")).alias("ended")
        return rows.group_by(*keys[:-1], ended).agg(pl.col(sums).sum()).sort(keys)

    assert_frame_equal(by_end(made, "to_class"), by_end(moved, "to_state"), rel_tol=1e-9)
    late = ~pl.col("from_state").is_in(["current", "new", "appeared"])
    cured = moved.filter(late, pl.col("to_state").is_in(["current", "paid_off"]))
    assert made["cured_loans"].sum() == cured["loans"].sum()
    assert made["cured_cents"].sum() == cured["opening_cents"].sum()


def test_cases_that_open_an_episode_fare_as_the_recovery_marts_say(synthetic_book: Place) -> None:
    last = LAST_MONTH
    months = mart(synthetic_book.marts, "cohorts")["opened_month"].unique().sort()
    with session(synthetic_book.url) as facts:
        shape = book_shape(facts, DEFAULT_BOUNDS)
        rows = pl.concat(
            facts.fetch(case_outcomes(one, shape, CaseSettings(last))) for one in months
        )
    days = (pl.col("closed_on") - pl.col("opened_on")).dt.total_days()
    opening = rows.filter(is_opening=1, place_in_stage=1).filter(
        pl.col("opened_on") + pl.duration(days=90) <= last
    )
    keys = ["opened_month", "stage"]
    found = opening.group_by(pl.col("opened_on").dt.month_end().alias("opened_month"), "stage").agg(
        cases=pl.len().cast(pl.Int64),
        placed_cents=pl.col("placed_cents").sum(),
        cash_cents=pl.col("cash_cents").sum(),
        resolved=(pl.col("close_reason").is_in(RESOLVED) & (days <= 90)).sum().cast(pl.Int64),
    )
    sums = ["cases", "placed_cents", "cash_cents", "resolved"]
    cohorts = mart(synthetic_book.marts, "cohorts", horizon=90)
    expected = cohorts.group_by(keys).agg(pl.col(sums).sum()).filter(pl.col("cases") > 0)
    assert_frame_equal(found.sort(keys), expected.sort(keys))
    made = mart(synthetic_book.marts, "segment_cases")
    first = rows.filter(place_in_stage=1).height
    for scheme in SCHEMES:
        assert made.filter(scheme=scheme)["opened_cases"].sum() == first
    assert first < rows.height  # cases that are handed on in their stage count once
    treated = mart(synthetic_book.marts, "segment_treatments", scheme="risk")
    is_mature = pl.col("opened_on") + pl.duration(days=90) <= last
    assert treated["cases"].sum() == rows.filter(is_mature).height


def test_the_scores_hold_every_case_once(synthetic_marts: Path) -> None:
    cases = mart(synthetic_marts, "resolution_cases")
    scores = mart(synthetic_marts, "resolution_scores")
    keys = ["opened_month", *SEGMENT]
    sums = ["cases", "mature", "resolved"]
    assert_frame_equal(
        scores.group_by(keys).agg(pl.col(sums).sum()).sort(keys),
        cases.group_by(keys).agg(pl.col(sums).sum()).sort(keys),
    )
    model = only(mart(synthetic_marts, "resolution_models"))
    fitted = scores.filter(period="fitted")
    assert fitted["opened_month"].max() == model["last_month"]
    assert scores.filter(period="later")["opened_month"].min() > model["last_month"]
    # maximum likelihood with an intercept: forecasts add up to what happened
    assert fitted["expected"].sum() == pytest.approx(model["resolved"], abs=1e-3)


# --- only what changed, and refusals -----------------------------------------------------------


def stamps(folder: Path) -> dict[Any, str]:
    rows = mart(folder, "segment_stamps").drop_nulls("month")
    return {(row["part"], row["month"]): row["stamp"] for row in rows.iter_rows(named=True)}


def test_a_new_month_makes_that_month_only_and_leaves_the_cut_points(
    duckdb_url: str, tmp_path: Path
) -> None:
    book = small_book()
    for one in book["loans"]:
        one["score"] = 500.0
    put(duckdb_url, **book)
    first = refresh(duckdb_url, tmp_path)
    assert first.segments.months == (JAN, FEB, MAR)
    before, drawn = stamps(tmp_path), mart(tmp_path, "segment_settings").sort("name")
    april = dt.date(2024, 4, 30)
    put(duckdb_url, loan_months=[month("rolls", april, 95, "70.00", score=900.0)])
    later = refresh(duckdb_url, tmp_path)
    assert later.segments.months == (april,)
    assert {key: stamps(tmp_path)[key] for key in before} == before
    assert_frame_equal(mart(tmp_path, "segment_settings").sort("name"), drawn)
    assert drawn.filter(name="score")["value"].to_list() == ["[500.0, 500.0]"]


def test_a_restated_month_changes_the_classes_of_the_year_after_it(
    duckdb_url: str, tmp_path: Path
) -> None:
    put(duckdb_url, **small_book())
    refresh(duckdb_url, tmp_path)
    with session(duckdb_url, read_only=False) as facts:
        changed = loan_months.c.loan_id == "rolls", loan_months.c.month == FEB
        facts.execute(loan_months.update().where(*changed).values(balance_amount=90.21))
        touched = pl.DataFrame({"load_id": [1, 1], "month": [FEB, MAR]})
        facts.ingest(load_months.name, touched.cast({"load_id": pl.Int32}))
        facts.commit()
    assert refresh(duckdb_url, tmp_path).segments.months == (FEB, MAR)


def test_a_book_of_loans_alone_has_classes_and_no_cases(duckdb_url: str, tmp_path: Path) -> None:
    put(
        duckdb_url,
        loans=[loan("a")],
        loan_months=[month("a", JAN, 45), month("a", FEB, 0)],
    )
    refresh(duckdb_url, tmp_path)
    found = mart(tmp_path, "segment_months", month=JAN).sort("scheme")
    assert found.select("scheme", "class", "loans", "late_cents").rows() == [
        ("grade", "medium", 1, None),
        ("rfm", "unknown", 1, None),
        ("risk", "high", 1, None),  # lateness 1, nothing to secure it 2, the rest unknown
    ]
    assert mart(tmp_path, "treatment_months").is_empty()
    assert mart(tmp_path, "resolution_models").is_empty()
    cured = only(mart(tmp_path, "segment_moves", month=FEB, scheme="risk"))
    assert (cured["to_class"], cured["cured_loans"], cured["cured_cents"]) == ("current", 1, None)


def test_cut_points_of_a_file_class_anew_and_a_bad_file_changes_nothing(
    duckdb_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, folder = tmp_path / "cuts.json", tmp_path / "marts"
    monkeypatch.setenv("CLASS_CUTS", str(file))
    put(duckdb_url, loans=[loan("a")], loan_months=[month("a", JAN, 45)])
    with pytest.raises(RefreshRefused, match=r"CLASS_CUTS: .*cuts\.json cannot be read"):
        refresh(duckdb_url, folder)
    monkeypatch.delenv("CLASS_CUTS")
    refresh(duckdb_url, folder)
    before = mart(folder, "segment_months", scheme="grade")["class"].to_list()
    monkeypatch.setenv("CLASS_CUTS", str(file))
    file.write_text('{"lateness_days": [50, 90]}')
    assert refresh(duckdb_url, folder).segments.months == (JAN,)
    assert (before, mart(folder, "segment_months", scheme="grade")["class"].to_list()) == (
        ["medium"],
        ["light"],
    )
    file.write_text('{"lateness_days": [90, 50]}')
    with pytest.raises(RefreshRefused, match="lateness_days must be above"):
        refresh(duckdb_url, folder)
    assert mart(folder, "segment_months", scheme="grade")["class"].to_list() == ["light"]


def test_classes_that_lose_a_loan_are_not_published(
    duckdb_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs import segment_marts

    put(duckdb_url, **small_book())
    made = segment_marts.compute_month

    def losing(*given: Any) -> Any:
        frames = made(*given)
        return frames | {"segment_months": frames["segment_months"].filter(scheme="grade")}

    monkeypatch.setattr(segment_marts, "compute_month", losing)
    with pytest.raises(RefreshRefused, match="classes by rfm of 2024-01: 5 open loans"):
        refresh(duckdb_url, tmp_path)
    monkeypatch.undo()
    assert refresh(duckdb_url, tmp_path).segments.months == (JAN, FEB, MAR)
