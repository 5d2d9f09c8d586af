"""Recovery's marts on a book followed by hand, on DuckDB and PostgreSQL."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import sqlalchemy as sa

from analytics.incidence import recovery_period
from analytics.recovery import cohort_recovery, liquidation_curves, resolved_share
from jobs.refresh import RefreshRefused, refresh
from tests.books import loan, month, put, small_book
from tests.conftest import new_postgres_database
from tests.recovery_books import AS_OF, ENDS, case, case_book, day, mart, pay, tables
from warehouse.contract import cases, contacts
from warehouse.engines import session
from warehouse.published import current_version

JAN, FEB, MAR, APR, MAY, JUN, JUL = ENDS


def without(book: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: rows for name, rows in book.items() if name not in names}


@pytest.fixture(scope="module", params=["duckdb", "postgresql"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The marts of the book of cases, made once on each engine."""
    folder = tmp_path_factory.mktemp("made")
    url = f"duckdb:///{folder / 'facts.duckdb'}"
    if request.param == "postgresql":
        url = new_postgres_database(request.getfixturevalue("postgres_server"))
    book = case_book()
    first = day("01-02").replace(year=2023)  # before the book's first month
    book["payments"].append(pay(99, "A", "01-02", "6") | {"paid_on": first})
    put(url, **book)
    refresh(url, folder / "marts")
    return folder / "marts"


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The book of cases and its marts on DuckDB, to be copied."""
    folder = tmp_path_factory.mktemp("refreshed")
    put(f"duckdb:///{folder / 'facts.duckdb'}", **case_book())
    refresh(f"duckdb:///{folder / 'facts.duckdb'}", folder / "marts")
    return folder


@pytest.fixture
def copy(refreshed: Path, tmp_path: Path) -> tuple[str, Path]:
    """Facts and marts of the book of cases to change at will, for what no engine differs in."""
    shutil.copytree(refreshed, tmp_path / "copy")
    return f"duckdb:///{tmp_path / 'copy' / 'facts.duckdb'}", tmp_path / "copy" / "marts"


def test_cash_within_a_horizon_counts_from_the_opening_day_net_of_reversals(made: Path) -> None:
    found = {
        row["horizon"]: row["cash_cents"]
        for row in mart(made, "cohorts", opened_month=JAN).iter_rows(named=True)
    }
    # 10 + 20 - 5 to 9 February; 4 more, named, on 1 March (day 51); never the 7 or 3 of day -1
    assert found == {30: 2500, 60: 2900, 90: 2900, 180: 2900}
    episode = mart(made, "cohorts", opened_month=JAN, horizon=90)
    assert episode["placed_cents"].to_list() == [10000]  # the opening placement, not 180
    assert cohort_recovery(episode)["rate"].to_list() == [0.29]


def test_an_owners_cash_is_of_its_own_case_and_days(made: Path) -> None:
    found = mart(made, "owner_cases", opened_month=JAN).sort("collector_id")
    # the payment of the day on which both were open is the earlier case's
    assert found["cash_cents"].to_list() == [1400, 1500]
    assert found["target_cash_cents"].to_list() == [1000, 1500]  # 30 days: early stage
    assert found["resolved"].to_list() == [0, 1]
    assert found["transferred"].to_list() == [1, 0]
    # a team that a case does not name is its collector's; one that it does stays
    assert found["team"].to_list() == ["T1", "T2"]
    assert found["agency_id"].to_list() == [None, "A1"]
    shares = resolved_share(found, by=["collector_id"])
    assert shares["share"].to_list() == [0.0, 1.0]


def test_a_case_is_mature_when_its_last_day_is_the_datas_last(made: Path) -> None:
    # opened on 2 May: day 90 is 31 July; on 3 May: 1 August
    may = mart(made, "cohorts", opened_month=MAY, horizon=90).sort("placed_cents")
    assert may.select("cases", "immature_cases", "immature_cents").rows() == [
        (0, 1, 10000),
        (1, 0, 0),
    ]
    late = mart(made, "owner_cases", opened_month=MAY, stage="late")
    # paid on day 90 inclusive; 1,500 on 1,000 counts whole as cash and is cut where clipped
    assert late.select("cash_cents", "clipped_cents").row(0) == (150000, 100000)
    assert late.select("cash_squares", "cash_placed", "clipped_placed").row(0) == (
        1500.0**2,
        1500.0 * 1000,
        1000.0**2,
    )
    # the late stage's target is at 180 days, which have not passed
    assert late.select("target_cases", "target_immature_cases").row(0) == (0, 1)
    assert late["collector_id"].to_list() == [None]


def test_the_middle_stage_has_no_target(duckdb_url: str, tmp_path: Path) -> None:
    book = without(case_book(), "contacts", "payments")
    put(duckdb_url, **(book | {"cases": [case("m", "A", "01-05", opening_days_past_due=31)]}))
    refresh(duckdb_url, tmp_path)
    found = mart(tmp_path, "owner_cases", stage="middle")
    assert found.select("cases", "target_cases").row(0) == (1, None)
    assert found["bucket"].to_list() == ["31-60"]


def test_cases_and_cash_after_the_last_day_are_left_out(made: Path) -> None:
    assert mart(made, "owner_cases")["opened_cases"].sum() == 9  # not the one of 1 August
    assert mart(made, "collections_months")["month"].max() == AS_OF
    june = mart(made, "owner_cases", opened_month=JUN)
    assert june.select("target_cases", "target_cash_cents", "resolved").row(0) == (1, 0, 0)
    days = mart(made, "resolution_days", opened_month=JUN)
    # closed on 5 August: on the last day it is open, 58 days old
    assert days.select("day", "resolved", "censored").row(0) == (58, 0, 1)


def test_an_episode_is_a_chain_of_transfers_a_day_apart(made: Path) -> None:
    march = mart(made, "cohorts", opened_month=MAR, horizon=30)
    assert march["cases"].sum() == 3  # G's two cases are one; F's, two days apart, are two
    days = mart(made, "resolution_days", opened_month=MAR)
    rows = days.select("day", "resolved", "competing", "censored").rows()
    # G cured on day 31 of the episode, not day 20 of its second case; F charged off on day 19;
    # F's first was handed to nobody that is known: open to the end, 152 days
    assert sorted(rows) == [(19, 0, 1, 0), (31, 1, 0, 0), (152, 0, 0, 1)]
    assert mart(made, "resolution_days", opened_month=JAN)["day"].to_list() == [26]
    period = recovery_period(days, taus=[90])
    assert period.select("cases", "median").row(0) == (3, None)


def test_net_cash_below_zero_stays_below_zero(made: Path) -> None:
    found = mart(made, "cohorts", opened_month=MAR, horizon=30)
    assert found["cash_cents"].sum() == -3000
    assert found["clipped_cents"].sum() == -3000


def test_the_grade_is_that_of_the_month_end_before_the_opening(made: Path) -> None:
    # B's grade was A in April and D in May; the loan's own is C
    assert mart(made, "owner_cases", opened_month=MAY, stage="late")["grade"].to_list() == ["A"]
    # before A's first month-end there is none: the loan's
    january = mart(made, "owner_cases", opened_month=JAN)
    assert january["grade"].unique().to_list() == ["C"]
    assert january["region"].unique().to_list() == ["North"]


def test_owners_and_nobody_add_up_to_all_cash(made: Path) -> None:
    months = mart(made, "collections_months").group_by("month").agg(pl.selectors.numeric().sum())
    found = {row[0]: row[1:] for row in months.sort("month").iter_rows()}
    # month: open at its start, placed on them, owners', nobody's
    assert found[JAN] == (0, 0, 3000, 1000)  # 10 + 20; 7 and the named 3 of day -1
    assert found[FEB] == (1, 8000, -500, 900)  # only the second case was open on 1 February
    assert found[MAR] == (0, 0, 400 - 3000, 0)
    assert found[JUL] == (3, 120000, 150000, 0)  # opened on 2 May, 3 May and 3 June
    nobody = mart(made, "collections_months").filter(pl.col("nobody_cents") != 0)
    assert nobody["stage"].unique().to_list() == [None]


def test_liquidation_goes_by_steps_of_thirty_days_of_each_case(made: Path) -> None:
    cash = mart(made, "liquidation_cash", placed_month=JAN, unit="episode")
    steps = dict(cash.group_by("elapsed").agg(pl.col("cash_cents").sum()).iter_rows())
    assert steps == {0: 2500, 1: 400}  # 1 March is day 51 of the episode
    by_agency = mart(made, "liquidation_cash", placed_month=JAN, unit="case")
    sums = by_agency.group_by("agency_id", "elapsed").agg(pl.col("cash_cents").sum())
    assert sorted(sums.rows(), key=str) == [("A1", 0, 1500), (None, 0, 1000), (None, 1, 400)]
    placed = mart(made, "placements", placed_month=JAN)
    assert sorted(placed.select("unit", "agency_id", "cases", "placed_cents").rows(), key=str) == [
        ("case", "A1", 1, 8000),
        ("case", None, 1, 10000),
        ("episode", None, 1, 10000),
    ]
    curve = liquidation_curves(
        cash.select("placed_month", "elapsed", "cash_cents"),
        placed.filter(pl.col("unit") == "episode").select(
            "placed_month", "cases", "placed_cents", complete_to=pl.lit(2)
        ),
    )
    assert curve["rate"].to_list() == pytest.approx([0.25, 0.29, 0.29])


def test_days_to_the_first_contact_are_working_days_and_censored(made: Path) -> None:
    def days(kind: str, **where: object) -> list[tuple[int, ...]]:
        rows = mart(made, "first_contacts", kind=kind, **where)
        return rows.select("working_day", "contacted", "closed", "open").sort(pl.all()).rows()

    # opened on Wednesday 10 January: attempted on Friday, spoken to on Monday
    assert days("attempt", opened_month=JAN, collector_id="K1") == [(2, 1, 0, 0)]
    assert days("right_party", opened_month=JAN, collector_id="K1") == [(3, 1, 0, 0)]
    # K2's promise came after the close, eleven working days on
    assert days("right_party", opened_month=JAN, collector_id="K2") == [(11, 0, 1, 0)]
    # an inbound call and one from before the opening are no attempts: followed for 30, still open
    assert days("attempt", opened_month=MAY, stage="early") == [(31, 0, 0, 1)]
    # somebody else answered: an attempt, not a right party
    assert days("attempt", opened_month=MAY, stage="late") == [(1, 1, 0, 0)]
    assert days("right_party", opened_month=MAY, stage="late") == [(31, 0, 0, 1)]


def test_a_first_contact_that_names_no_case_is_with_the_loans_case_of_that_day(
    copy: tuple[str, Path],
) -> None:
    url, folder = copy
    with session(url, read_only=False) as facts:
        facts.execute(sa.update(contacts).values(case_id=None))
        facts.execute(recovery_touch("cohort", JAN))
    assert refresh(url, folder).recovery.cohorts == (JAN,)
    for kind, days in (("attempt", (2, 1)), ("right_party", (3, 1))):
        found = mart(folder, "first_contacts", kind=kind, opened_month=JAN, collector_id="K1")
        assert found.select("working_day", "contacted").rows() == [days]


def test_first_contacts_are_counted_by_the_lenders_holidays_and_a_change_counts_anew(
    copy: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, folder = copy
    file = tmp_path / "days.csv"
    monkeypatch.setenv("HOLIDAYS", str(file))
    # opened on Wednesday 10 January, attempted on Friday, spoken with on Monday
    for text, attempt, spoken, month_count in (
        ("2024-01-11,false\n2024-01-13,true\n", 1, 3, 1),
        ("2024-01-11,FALSE\n2024-01-12,false\n2024-01-14,false\n", 0, 1, 1),
        ("2027-10-01,false\n", 2, 3, 1),
    ):
        file.write_text("day,is_worked\n" + text)
        done = refresh(url, folder)
        assert len(done.recovery.cohorts) == month_count  # January's
        for kind, working_day in (("attempt", attempt), ("right_party", spoken)):
            found = mart(folder, "first_contacts", kind=kind, opened_month=JAN, collector_id="K1")
            assert found["working_day"].to_list() == [working_day]
    assert not refresh(url, folder).recovery.cohorts


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot be read"),
        ("date\n2024-01-01\n", "its columns must be day and is_worked"),
        ("day,is_worked\n2024-01-01,false\n1 May,false\n", "line 3: '1 May' is no day"),
        ("day,is_worked\n2024-01-01,no\n", "line 2: is_worked must be true or false, not 'no'"),
        ("day,is_worked\n2024-01-01\n", "line 2: is_worked must be true or false, not ''"),
        ("day,is_worked\n2024-01-06,true\n2024-01-06,false\n", "2024-01-06 more than once"),
        ("day,is_worked\n2024-01-02,true\n", "2024-01-02 is no weekend: it is worked anyway"),
    ],
)
def test_a_wrong_file_of_holidays_is_refused_by_name(
    duckdb_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str | None,
    said: str,
) -> None:
    file = tmp_path / "days.csv"
    if text is not None:
        file.write_text(text)
    monkeypatch.setenv("HOLIDAYS", str(file))
    with pytest.raises(RefreshRefused, match=re.escape("days.csv")) as refused:
        refresh(duckdb_url, tmp_path)
    assert said in str(refused.value)
    assert current_version(tmp_path) is None


def test_people_and_money_are_as_the_contract_has_them(made: Path) -> None:
    assert mart(made, "owners")["monthly_cost_cents"].to_list() == [None, 1050]
    assert mart(made, "partners")["commission_rate"].to_list() == [0.2]
    assert mart(made, "spending").select("month", "amount_cents").row(0) == (JAN, 9999)
    assert mart(made, "people_events")["occurred_on"].to_list() == [day("02-02")]


def test_amount_bands_stay_where_they_were_drawn(copy: tuple[str, Path]) -> None:
    url, folder = copy
    before = mart(folder, "recovery_settings", name="amount_bounds")["value"].item()
    rows = [case(f"n{n}", "A", "06-10", placed_amount="90000") for n in range(20)]
    put(url, cases=rows)
    with session(url, read_only=False) as facts:
        touched = recovery_touch("cohort", JUN)
        facts.execute(touched)
    refresh(url, folder)
    assert mart(folder, "recovery_settings", name="amount_bounds")["value"].item() == before
    june = mart(folder, "owner_cases", opened_month=JUN, amount_band="huge")
    assert june["opened_cases"].sum() == 20


def recovery_touch(part: str, month: object) -> sa.Insert:
    from warehouse.contract import load_recovery

    return sa.insert(load_recovery).values(load_id=1, part=part, month=month)


def test_models_that_cannot_be_fitted_say_why(facts_url: str, tmp_path: Path) -> None:
    put(facts_url, **small_book())  # no cases at all
    refresh(facts_url, tmp_path)
    models = mart(tmp_path, "owner_models")
    assert models.height == 9
    assert set(models["reason"]) == {"no_cases"}
    put(facts_url, loans=[loan("new")], cases=[case("one", "new", "03-20")])
    with session(facts_url, read_only=False) as facts:
        facts.execute(recovery_touch("cohort", MAR))
    refresh(facts_url, tmp_path)
    assert set(mart(tmp_path, "owner_models")["reason"]) == {"all_immature"}


def test_one_collector_is_compared_with_nobody(duckdb_url: str, tmp_path: Path) -> None:
    rows = [case(f"n{n}", "A", "01-10", "01-15", close_reason="cured") for n in range(3)]
    rows += [case(f"o{n}", "A", "01-10") for n in range(3)]
    put(duckdb_url, **(without(case_book(), "contacts", "payments") | {"cases": rows}))
    refresh(duckdb_url, tmp_path)
    model = mart(tmp_path, "owner_models", owner_kind="collector", outcome="resolved")
    assert model.select("cases", "owners", "reason").row(0) == (6, 1, "one_owner")
    effect = mart(tmp_path, "owner_effects", owner_kind="collector", outcome="resolved")
    assert effect.select("owner", "observed", "effect").row(0) == ("K1", 3.0, None)
    in_house = mart(tmp_path, "owner_effects", owner_kind="agency", outcome="resolved")
    assert in_house["owner"].to_list() == ["in-house"]


@pytest.mark.parametrize("absent", [("payments", "agencies"), ("collectors", "costs", "customers")])
def test_a_book_without_a_table_has_the_rest(
    duckdb_url: str, tmp_path: Path, absent: tuple[str, ...]
) -> None:
    book = case_book()
    if "customers" in absent:
        del book["loans"][0]["customer_id"]
    put(duckdb_url, **without(book, *absent))
    with session(duckdb_url, read_only=False) as facts:  # not there at all, as others' may be
        for name in absent:
            facts.execute(sa.schema.DropTable(sa.Table(name, sa.MetaData())))
    refresh(duckdb_url, tmp_path)
    assert mart(tmp_path, "owner_cases")["opened_cases"].sum() == 9
    cash = mart(tmp_path, "cohorts", horizon=30)["cash_cents"].sum()
    assert cash == (0 if "payments" in absent else 2500 - 3000 + 100)


def test_marts_that_differ_from_the_facts_are_refused_and_then_healed(
    copy: tuple[str, Path],
) -> None:
    url, folder = copy
    whole, expected = current_version(folder), tables(folder)
    with duckdb.connect(str(whole)) as tampered:
        tampered.execute("UPDATE owner_cases SET opened_cents = opened_cents + 1")
        tampered.execute("DELETE FROM collections_months WHERE month = '2024-02-29'")
        tampered.execute("UPDATE liquidation_cash SET cash_cents = 0 WHERE elapsed = 1")
    with pytest.raises(RefreshRefused, match="cases opened in 2024-01: 2 cases and 18000 cents"):
        refresh(url, folder)
    assert current_version(folder) == whole
    result = refresh(url, folder)
    assert result.recovery.cohorts == (JAN, MAR, MAY, JUN)
    assert result.recovery.months == (FEB, MAR)
    healed = tables(folder)
    for name in ("owner_cases", "collections_months", "liquidation_cash"):
        assert healed[name].equals(expected[name])


def test_a_warehouse_that_others_load_is_watched_whole(facts_url: str, tmp_path: Path) -> None:
    opened = [case("c1", "C", "05-03"), case("e1", "E", "06-03")]
    closings = [month("A", end, 5, "1000") for end in (APR, MAY, JUN, JUL)]
    put(facts_url, **(case_book() | {"cases": opened, "loan_months": closings}))
    with session(facts_url, read_only=False) as facts:
        for name in ("warehouse_loads", "warehouse_load_months", "warehouse_load_recovery"):
            facts.execute(sa.schema.DropTable(sa.Table(name, sa.MetaData())))
    refresh(facts_url, tmp_path)
    assert refresh(facts_url, tmp_path).recovery.cohorts == ()
    with session(facts_url, read_only=False) as facts:
        closed = {"closed_on": day("05-20"), "close_reason": "cured"}
        facts.execute(sa.update(cases).where(cases.c.case_id == "c1").values(**closed))
    assert refresh(facts_url, tmp_path).recovery.cohorts == (MAY, JUN)
    days = mart(tmp_path, "resolution_days", opened_month=MAY, stage="early")
    assert days.select("day", "resolved").row(0) == (17, 1)


def test_cash_from_before_the_books_first_month_is_counted(made: Path) -> None:
    early = mart(made, "collections_months", month=JAN.replace(year=2023))
    assert early.select("owner_cents", "nobody_cents").row(0) == (0, 600)


def test_a_cohort_is_made_again_until_its_horizons_have_passed(copy: tuple[str, Path]) -> None:
    url, folder = copy
    assert refresh(url, folder).recovery.cohorts == ()
    put(url, loan_months=[month("A", day("08-31"), 5, "1000")])
    result = refresh(url, folder)
    # on 31 July the youngest possible case of January was 182 days old: it is final
    assert JAN not in result.recovery.cohorts
    assert result.recovery.cohorts == (MAR, MAY, JUN, day("08-31"))
    assert result.recovery.months == (day("08-31"),)
