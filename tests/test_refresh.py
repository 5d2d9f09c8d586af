"""From facts to published marts, on DuckDB and PostgreSQL: the same numbers to the cent."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import sqlalchemy as sa
from polars.testing import assert_frame_equal

from jobs.refresh import RefreshRefused, book_shape, refresh
from queries import portfolio
from queries.filters import Filter, whole_book
from queries.loan_lists import late_loans, loans_that_moved
from queries.loan_states import month_totals, open_stocks, state_changes
from queries.marts import open_marts, read_book
from tests.books import FEB, JAN, MAR, loan, month, put, small_book
from tests.conftest import new_postgres_database
from tests.killed import killed
from warehouse import marts
from warehouse.buckets import DEFAULT_BOUNDS
from warehouse.contract import load_months, loan_months
from warehouse.engines import KEPT_PAGES, DuckDBConnection, session
from warehouse.published import current_version


def cell(frame: pl.DataFrame, **where: Any) -> dict[str, Any]:
    found = frame.filter([pl.col(name).eq_missing(pl.lit(value)) for name, value in where.items()])
    assert found.height == 1, (where, found)
    return found.row(0, named=True)


def moves(folder: Path, **chosen: Any) -> pl.DataFrame:
    path = current_version(folder)
    assert path
    connection = open_marts(path)
    book = read_book(connection)
    return portfolio.transitions(connection, Filter(as_of=MAR, window=3, **chosen)).with_columns(
        pl.lit(book.version).alias("version")
    )


def test_each_turn_of_a_history_lands_in_its_cell(facts_url: str, tmp_path: Path) -> None:
    put(facts_url, **small_book())
    refresh(facts_url, tmp_path)
    found = moves(tmp_path)
    rolled = cell(found, month=FEB, from_state="current", to_state="1-30")
    # opening 100.10 and closing 90.20; a closing balance is not the weight
    assert (rolled["loans"], rolled["opening_cents"], rolled["closing_cents"]) == (1, 10010, 9020)
    assert rolled["opening_squares"] == pytest.approx(100.10**2)
    cured = cell(found, month=FEB, from_state="31-60", to_state="current")
    assert (cured["restructured_loans"], cured["restructured_cents"]) == (1, 20000)
    stayed = cell(found, month=MAR, from_state="current", to_state="current")
    # restructured in February: not again in March
    assert (stayed["loans"], stayed["restructured_loans"]) == (1, 0)
    left = cell(found, month=FEB, from_state="151-180", to_state="charged_off")
    assert (left["opening_cents"], left["closing_cents"]) == (100000, 99000)
    lost = cell(found, month=FEB, from_state="current", to_state="unmatched")
    assert (lost["loans"], lost["opening_cents"]) == (1, 5000)
    # an overpaid loan weighs nothing but is counted, and its balance is kept
    overpaid = cell(found, month=FEB, from_state="current", to_state="current")
    assert (overpaid["loans"], overpaid["opening_cents"]) == (1, 0)
    assert overpaid["opening_balance_cents"] == -510
    new = cell(found, month=FEB, from_state="new", to_state="current")
    assert (new["loans"], new["closing_cents"]) == (1, 30000)
    # back after a gap, and a first row long after origination: appeared, not new
    assert cell(found, month=MAR, from_state="appeared", to_state="current")["loans"] == 2
    assert found.filter(month=MAR, from_state="new").is_empty()
    # the book's first month is all new, whatever the loans' dates
    assert found.filter(month=JAN)["from_state"].unique().to_list() == ["new"]
    # a row after the terminal one is nowhere
    assert found.filter(month=MAR)["loans"].sum() == 6


def test_what_was_paid_goes_with_the_move_it_was_paid_in(facts_url: str, tmp_path: Path) -> None:
    book = small_book()
    book["loan_months"][1]["paid_amount"] = "9.90"  # rolls, February
    book["loan_months"][7]["paid_amount"] = "20.00"  # charged, February: the month it left
    put(facts_url, **book)
    path = refresh(facts_url, tmp_path).path
    found = portfolio.paid_transitions(open_marts(path), Filter(as_of=MAR, window=3))
    rolled = cell(found, month=FEB, from_state="current", to_state="1-30")
    left = cell(found, month=FEB, from_state="151-180", to_state="charged_off")
    assert (rolled["paid_cents"], left["paid_cents"]) == (990, 2000)
    paid_nothing_known = cell(found, month=FEB, from_state="31-60", to_state="current")
    assert paid_nothing_known["paid_cents"] is None  # not 0: the history does not say


def test_both_engines_give_the_same_marts(postgres_server: str, tmp_path: Path) -> None:
    frames: dict[str, dict[str, pl.DataFrame]] = {}
    for engine, url in {
        "duckdb": f"duckdb:///{tmp_path / 'facts.duckdb'}",
        "postgresql": new_postgres_database(postgres_server, empty=True),
    }.items():
        put(url, **small_book())
        connection = open_marts(refresh(url, tmp_path / engine).path)
        frames[engine] = {
            table.name: connection.fetch(sa.select(table)).sort(pl.all())
            for table in marts.marts.sorted_tables
            if table.name != "book"
        }
    for name, frame in frames["duckdb"].items():
        assert_frame_equal(frame, frames["postgresql"][name], rel_tol=1e-12, abs_tol=0)
    assert frames["duckdb"]["stocks"].height > 5


def test_cash_is_net_of_reversals_and_compared_with_the_histories(
    facts_url: str, tmp_path: Path
) -> None:
    book = small_book()
    book["loan_months"][1]["paid_amount"] = "8.90"  # rolls, February: 9.90 - 1.00
    book["loan_months"][0]["paid_amount"] = "5.00"  # rolls, January: no payment at all
    put(facts_url, **book)
    connection = open_marts(refresh(facts_url, tmp_path).path)
    found = portfolio.cash(connection, whole_book(JAN, MAR))
    february = cell(found, month=FEB)
    assert (february["payments"], february["payments_cents"]) == (2, 890)
    assert february["differing_loans"] == 0
    january = cell(found, month=JAN)
    assert (january["differing_loans"], january["difference_cents"]) == (1, -500)
    # paid after the charge-off: cash of the month all the same
    assert cell(found, month=MAR)["payments_cents"] == 2000


def test_months_past_due_decide_the_bucket_where_the_book_has_them(
    facts_url: str, tmp_path: Path
) -> None:
    # due on 1 July and unpaid: 30 days on 31 July, 61 on 31 August, but one month, then two
    put(
        facts_url,
        loans=[loan("a")],
        loan_months=[
            month("a", dt.date(2024, 7, 31), 30, "10", months_past_due=1),
            month("a", dt.date(2024, 8, 31), 61, "10", months_past_due=2),
        ],
    )
    connection = open_marts(refresh(facts_url, tmp_path).path)
    for basis, state in (("months", "31-60"), ("days", "61-90")):
        chosen = Filter(as_of=dt.date(2024, 8, 31), basis=basis)
        found = portfolio.transitions(connection, chosen)
        assert found["to_state"].to_list() == [state]


def test_other_bounds_move_the_edges(duckdb_url: str, tmp_path: Path) -> None:
    put(
        duckdb_url,
        loans=[loan("a"), loan("b")],
        loan_months=[month("a", JAN, 30, "1"), month("b", JAN, 29, "2")],
    )
    path = refresh(duckdb_url, tmp_path, bounds=(29, 59, 89)).path
    found = portfolio.stocks(open_marts(path), Filter(as_of=JAN))
    assert dict(found.select("bucket", "weight_cents").iter_rows()) == {"30-59": 100, "1-29": 200}
    # the next refresh keeps them
    assert read_book(open_marts(refresh(duckdb_url, tmp_path).path)).bounds == (29, 59, 89)


def test_segments_filter_by_their_value(facts_url: str, tmp_path: Path) -> None:
    put(facts_url, **small_book())
    connection = open_marts(refresh(facts_url, tmp_path).path)

    def loans(**chosen: Any) -> int:
        frame = portfolio.stocks(connection, Filter(as_of=JAN, **chosen))
        return int(frame["loans"].sum())

    assert loans() == 5
    assert loans(products=("auto",)) == 1
    assert loans(regions=("North",)) == 2
    assert loans(regions=(None,)) == 1  # no customer: not recorded
    assert loans(regions=(None, "North")) == 3
    assert loans(grades=("B",), regions=("South",)) == 1
    assert loans(products=("'; DROP TABLE loans; --",)) == 0


def test_a_click_on_a_cell_lists_its_loans(facts_url: str, tmp_path: Path) -> None:
    put(facts_url, **small_book())
    shape = read_book(open_marts(refresh(facts_url, tmp_path).path)).shape
    with session(facts_url) as facts:
        chosen = Filter(as_of=FEB)
        found = facts.fetch(loans_that_moved(chosen, FEB, ["current"], ["1-30"], shape))
        lost = facts.fetch(loans_that_moved(chosen, FEB, ["current"], ["unmatched"], shape))
        late = facts.fetch(late_loans(Filter(as_of=MAR), ["31-60"], shape))
    assert found["loan_id"].to_list() == ["rolls"]
    assert float(found["opening_balance_amount"][0]) == 100.10
    assert lost["loan_id"].to_list() == ["gap"]
    assert late["loan_id"].to_list() == ["late_start", "rolls"]  # largest balance first
    assert late["all_rows"].to_list() == [2, 2]


def test_only_what_a_load_touched_is_recomputed(facts_url: str, tmp_path: Path) -> None:
    put(facts_url, **small_book())
    assert refresh(facts_url, tmp_path).recomputed == (JAN, FEB, MAR)
    assert refresh(facts_url, tmp_path).recomputed == ()
    with session(facts_url, read_only=False) as facts:
        facts.execute(sa.insert(load_months).values(load_id=1, month=MAR))
    assert refresh(facts_url, tmp_path).recomputed == (MAR,)


def test_a_new_ledger_line_recomputes_its_month(duckdb_url: str, tmp_path: Path) -> None:
    put(duckdb_url, **small_book())
    refresh(duckdb_url, tmp_path)
    line = {"month": FEB, "product": "auto", "measure": "charged_off", "amount": "1.00"}
    put(duckdb_url, ledger_totals=[line, line | {"product": "card"}])
    result = refresh(duckdb_url, tmp_path)
    assert result.recomputed == (FEB,)
    found = portfolio.ledger(open_marts(result.path), whole_book(JAN, MAR))
    # the card charged off in February; no auto loan was, which is 0 and not unknown
    assert dict(found.select("product", "book_cents").iter_rows()) == {"card": 99000, "auto": 0}


def test_a_warehouse_that_others_load_is_watched_by_fingerprint(
    facts_url: str, tmp_path: Path
) -> None:
    put(facts_url, **small_book())
    with session(facts_url, read_only=False) as facts:
        for name in ("warehouse_loads", "warehouse_load_months"):
            facts.execute(sa.schema.DropTable(sa.Table(name, sa.MetaData())))
    refresh(facts_url, tmp_path)
    with session(facts_url, read_only=False) as facts:
        facts.execute(
            sa.update(loan_months)
            .where(loan_months.c.loan_id == "cures", loan_months.c.month == FEB)
            .values(balance_amount=191)
        )
    # February's closing and March's opening both hang on it
    assert refresh(facts_url, tmp_path).recomputed == (FEB, MAR)


def test_a_month_that_left_the_facts_leaves_the_marts(duckdb_url: str, tmp_path: Path) -> None:
    put(duckdb_url, **small_book())
    refresh(duckdb_url, tmp_path)
    with session(duckdb_url, read_only=False) as facts:
        facts.execute(sa.delete(loan_months).where(loan_months.c.month == MAR))
    result = refresh(duckdb_url, tmp_path)
    assert result.removed == (MAR,)
    assert read_book(open_marts(result.path)).as_of == FEB


def test_marts_that_differ_from_the_facts_are_not_published(
    duckdb_url: str, tmp_path: Path
) -> None:
    put(duckdb_url, **small_book())
    published = refresh(duckdb_url, tmp_path).path
    with session(duckdb_url, read_only=False) as facts:  # behind the loader's back
        facts.execute(
            sa.update(loan_months)
            .where(loan_months.c.loan_id == "rolls", loan_months.c.month == MAR)
            .values(balance_amount=sa.literal(80.31))
        )
    with pytest.raises(RefreshRefused, match="2024-03: 5 loans and 61731 cents in the facts"):
        refresh(duckdb_url, tmp_path)
    assert current_version(tmp_path) == published


def test_a_refused_refresh_is_healed_by_the_next(facts_url: str, tmp_path: Path) -> None:
    put(facts_url, **small_book())
    whole = refresh(facts_url, tmp_path).path
    expected = open_marts(whole).fetch(sa.select(marts.transitions)).sort(pl.all())
    with duckdb.connect(str(whole)) as tampered:  # February's stamp stays as it was
        tampered.execute("UPDATE stocks SET loans = loans + 1 WHERE month = '2024-02-29'")
        tampered.execute("DELETE FROM transitions WHERE month = '2024-02-29'")
    with pytest.raises(RefreshRefused, match="makes these months anew: stocks days 2024-02"):
        refresh(facts_url, tmp_path)
    assert current_version(tmp_path) == whole
    result = refresh(facts_url, tmp_path)
    assert result.recomputed == (FEB, MAR)  # and March, whose loans come from February's states
    healed = open_marts(result.path).fetch(sa.select(marts.transitions)).sort(pl.all())
    assert_frame_equal(healed, expected)
    assert current_version(tmp_path) == result.path


def test_marts_of_another_version_are_made_anew(duckdb_url: str, tmp_path: Path) -> None:
    put(duckdb_url, **small_book())
    path = refresh(duckdb_url, tmp_path).path
    with duckdb.connect(str(path)) as old:
        old.execute("ALTER TABLE cash DROP COLUMN departed_cents")
    result = refresh(duckdb_url, tmp_path)
    assert result.recomputed == (JAN, FEB, MAR)
    cash = portfolio.cash(open_marts(result.path), whole_book(JAN, MAR))
    # paid in March on the loan that was charged off in February, whose later row is left out
    assert cash.sort("month")["departed_cents"].to_list() == [0, 0, 0]


def test_a_month_in_which_nothing_is_open_is_published(facts_url: str, tmp_path: Path) -> None:
    put(
        facts_url,
        loans=[loan("a")],
        loan_months=[month("a", JAN, 0, "5.00"), month("a", FEB, 0, "0.00", "paid_off")],
    )
    assert read_book(open_marts(refresh(facts_url, tmp_path).path)).as_of == FEB


def test_an_empty_warehouse_is_refused_in_words(duckdb_url: str, tmp_path: Path) -> None:
    put(duckdb_url)
    with pytest.raises(RefreshRefused, match="no loans and loan_months yet"):
        refresh(duckdb_url, tmp_path)


def test_a_counted_book_has_counts_and_no_money(facts_url: str, tmp_path: Path) -> None:
    put(facts_url, loans=[loan("a")], loan_months=[month("a", JAN, 0), month("a", FEB, 15)])
    connection = open_marts(refresh(facts_url, tmp_path).path)
    assert not read_book(connection).has_balances
    found = portfolio.transitions(connection, Filter(as_of=FEB))
    assert found.select("loans", "opening_cents", "closing_cents").row(0) == (1, None, None)


def test_a_reader_keeps_its_version_while_a_new_one_is_published(
    duckdb_url: str, tmp_path: Path
) -> None:
    put(duckdb_url, **small_book())
    old = open_marts(refresh(duckdb_url, tmp_path).path)
    for load_id in (1, 2, 3):
        with session(duckdb_url, read_only=False) as facts:
            facts.execute(sa.insert(load_months).values(load_id=load_id, month=MAR))
        refresh(duckdb_url, tmp_path)
    assert portfolio.months(old).height == 3
    assert len([*tmp_path.glob("marts-*.duckdb")]) == 2


@pytest.mark.faults
def test_a_refresh_killed_at_any_moment_loses_nothing(duckdb_url: str, tmp_path: Path) -> None:
    ends = [dt.date(2020, number + 1, 1) - dt.timedelta(days=1) for number in range(1, 5)]
    rows = [month(f"l{n}", end, (n * 7) % 90, "10") for end in ends for n in range(200)]
    put(duckdb_url, loans=[loan(f"l{n}") for n in range(200)], loan_months=rows)
    folder = tmp_path / "marts"
    expected = open_marts(refresh(duckdb_url, tmp_path / "whole").path)
    refresh(duckdb_url, folder)
    whole, undone = 0.0, 0
    for attempt in range(11):  # the first is not killed: it tells how long one takes
        touched = {"load_id": attempt + 1}
        with session(duckdb_url, read_only=False, wait_seconds=5) as facts:
            for end in ends:
                facts.execute(sa.insert(load_months).values(**touched, month=end))
        if not attempt:
            whole = refresh(duckdb_url, folder).seconds
            continue
        undone += killed(partial(refresh, duckdb_url, folder), whole * 0.09 * attempt)
        path = current_version(folder)
        assert path  # what readers see is whole, old or new
        assert read_book(open_marts(path)).months == tuple(ends)
    assert undone >= 3  # some were killed at work, not when all was done
    result = refresh(duckdb_url, folder)
    assert_frame_equal(
        open_marts(result.path).fetch(sa.select(marts.stocks)).sort(pl.all()),
        expected.fetch(sa.select(marts.stocks)).sort(pl.all()),
    )


def test_not_looking_for_reopened_rows_changes_nothing_where_there_are_none(
    facts_url: str,
) -> None:
    """The short way past a costly look back; with such a row it would count one loan more."""
    closed = small_book()
    reopened = closed["loan_months"].pop(8)
    assert (reopened["loan_id"], reopened["month"]) == ("charged", MAR)
    put(facts_url, **closed)

    def march(*, looking: bool) -> list[pl.DataFrame]:
        with session(facts_url) as facts:
            shape = replace(book_shape(facts, DEFAULT_BOUNDS), has_reopened=looking)
            found = (open_stocks(MAR, shape), state_changes(MAR, FEB, JAN, shape))
            return [rows.sort(rows.columns) for rows in map(facts.fetch, found)]

    for with_look, without in zip(march(looking=True), march(looking=False), strict=True):
        assert_frame_equal(with_look, without)
    with session(facts_url) as facts:
        assert facts.fetch(month_totals())["reopened_rows"].to_list() == [0, 0, 0]
    put(facts_url, loan_months=[reopened])
    looked, blind = (march(looking=look)[0]["loans"].sum() for look in (True, False))
    assert blind == looked + 1


def test_pages_that_were_read_are_given_back_and_the_limit_of_memory_stays(tmp_path: Path) -> None:
    path = tmp_path / "large.duckdb"
    with duckdb.connect(str(path)) as raw:
        raw.execute("CREATE TABLE large AS SELECT random() AS value FROM range(20000000)")
    limit = sa.select(sa.func.current_setting("memory_limit"))
    held = sa.select(sa.func.sum(sa.column("memory_usage_bytes"))).select_from(
        sa.func.duckdb_memory().table_valued("memory_usage_bytes")
    )
    for read_only in (True, False):
        connection = DuckDBConnection(str(path), read_only=read_only)
        before = connection.fetch(limit).item()
        connection.fetch(sa.select(sa.func.sum(sa.column("value"))).select_from(sa.table("large")))
        assert connection.fetch(held).item() > 2 * KEPT_PAGES
        connection.let_pages_go()
        assert connection.fetch(held).item() <= KEPT_PAGES
        assert connection.fetch(limit).item() == before
        connection.close()
