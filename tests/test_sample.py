"""The synthetic book: whole, reproducible, plausible, and honest about its own truths."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import sqlalchemy as sa
from scipy.stats import spearmanr
from statsmodels.stats.proportion import proportion_confint

from warehouse.contract import contract, key_columns
from warehouse.sample import make_book
from warehouse.sample.months import NoSuchBook
from warehouse.sample.treatments import Change

LAST = date(2026, 6, 30)
RESOLVED = ("cured", "paid_off", "settled")
RIGHT_PARTY = ("right_party", "promise", "refusal", "dispute")
# upper ends of the buckets counted in instalments missed, written out rather than imported
BUCKETS = {0: "current", 1: "1-30", 2: "31-60", 3: "61-90", 4: "91-120", 5: "121-150", 6: "151-180"}


class Book:
    """A book's files and truths."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.truths: dict[str, Any] = json.loads((folder / "truths.json").read_text())
        self._tables: dict[str, pl.DataFrame] = {}

    def __getitem__(self, table: str) -> pl.DataFrame:
        if table not in self._tables:
            self._tables[table] = pl.read_parquet(self.folder / f"{table}.parquet")
        return self._tables[table]


def _make(tmp_path_factory: pytest.TempPathFactory, seed: int, loans: int, months: int) -> Book:
    folder = tmp_path_factory.mktemp(f"book{seed}")
    make_book(folder, loans=loans, months=months, seed=seed, last_month=LAST)
    return Book(folder)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    return _make(tmp_path_factory, 7, 8_000, 24)


@pytest.fixture(scope="module")
def books(book: Book, tmp_path_factory: pytest.TempPathFactory) -> list[Book]:
    return [book, *(_make(tmp_path_factory, seed, 8_000, 24) for seed in (11, 12, 13))]


def test_a_planted_change_of_strategy_does_what_its_truth_says(tmp_path: Path) -> None:
    """The same book up to the month; in it more cases resolve, as many more as planted."""
    month = date(2025, 12, 31)
    change = Change(month, dict.fromkeys(("sms", "call", "visit", "mediation"), 6.0))
    found = expected = resolved = 0.0
    for seed in (3, 4, 5):
        counts = []
        for name, planted in (("usual", None), ("changed", change)):
            folder = tmp_path / f"{name}{seed}"
            make_book(folder, loans=20_000, months=3, seed=seed, last_month=month, change=planted)
            cases = Book(folder)["cases"].filter(pl.col("collector_id").is_not_null())
            ended = pl.col("closed_on").dt.month_end() == month
            counts.append(cases.filter(ended, pl.col("close_reason").is_in(RESOLVED)).height)
        usual, changed = Book(tmp_path / f"usual{seed}"), Book(tmp_path / f"changed{seed}")
        before = pl.col("month") < month
        assert usual["loan_months"].filter(before).equals(changed["loan_months"].filter(before))
        assert usual.truths["change_of_strategy"] == []
        (truth,) = changed.truths["change_of_strategy"]
        assert truth["month"] == str(month)
        found, expected = found + counts[1] - counts[0], expected + truth["resolved"]
        resolved += sum(counts)
    assert abs(found - expected) < 3 * resolved**0.5 < expected


def test_a_change_of_nothing_gives_the_same_luck_as_a_change(tmp_path: Path) -> None:
    """Loans that the change does not reach live on as they would have without it."""
    month, end = date(2025, 10, 31), pl.col("month") == date(2025, 12, 31)
    held: dict[str, Book] = {}
    for name, channels in (("usual", {"sms": 0.0}), ("changed", {"call": 1.5}), ("none", {})):
        change = Change(month, channels) if channels else None
        make_book(tmp_path / name, loans=3_000, months=6, last_month=date(2025, 12, 31),
                  change=change)  # fmt: skip
        held[name] = Book(tmp_path / name)
    last = {name: book["loan_months"].filter(end) for name, book in held.items()}
    unlike = {}
    for name in ("changed", "none"):
        both = last["usual"].join(last[name], on="loan_id", suffix="_b")
        unlike[name] = (both["balance_amount"] != both["balance_amount_b"]).mean()
    assert 0 < unlike["changed"] < 0.02 < 0.1 < unlike["none"]
    before = pl.col("month") < month
    same = [book["loan_months"].filter(before) for book in held.values()]
    assert same[0].equals(same[1])
    assert same[0].equals(same[2])


@pytest.mark.parametrize(
    ("month", "channels", "why"),
    [
        (date(2025, 12, 30), {"call": 1.0}, "no month-end of the book"),
        (date(2025, 12, 31), {"phone": 1.0}, "no channel is called phone"),
        (None, {"call": 1.0}, "a month and at least one channel"),
        (date(2025, 12, 31), {}, "a month and at least one channel"),
    ],
)
def test_a_change_that_cannot_be_is_refused(
    tmp_path: Path, month: date | None, channels: dict[str, float], why: str
) -> None:
    with pytest.raises(NoSuchBook, match=why):
        make_book(tmp_path, loans=300, months=12, change=Change(month, channels))


# The contract


def test_every_table_has_a_file_with_exactly_the_contracts_columns_and_types(book: Book) -> None:
    kinds = {
        sa.Text: pl.String,
        sa.Double: pl.Float64,
        sa.Integer: pl.Int32,
        sa.Boolean: pl.Boolean,
        sa.Date: pl.Date,
        sa.DateTime: pl.Datetime("us"),
        sa.Numeric: pl.Decimal(18, 2),
    }
    assert len(contract.tables) == 16
    for name, table in contract.tables.items():
        wanted = {column.name: kinds[type(column.type)] for column in table.columns}
        assert dict(book[name].schema) == wanted, name
        assert book[name].height > 0, name


def test_keys_are_unique_and_required_values_present(book: Book) -> None:
    for name, table in contract.tables.items():
        keys = [column.name for column in key_columns(table)]
        assert not book[name].select(keys).is_duplicated().any(), name
        for column in table.columns:
            assert column.nullable or book[name][column.name].null_count() == 0, column


def test_references_codes_and_limits_hold(book: Book) -> None:
    for name, table in contract.tables.items():
        for column in table.columns:
            values, info = book[name][column.name].drop_nulls(), column.info
            if "references" in info:
                target, key = info["references"].split(".")
                assert values.is_in(book[target][key].implode()).all(), column
            if "codes" in info:
                assert set(values.unique()) <= set(info["codes"]), column
            if "minimum" in info and info["minimum"] is not None:
                assert (values >= info["minimum"]).all(), column
            if "above" in info:
                assert (values > info["above"]).all(), column
            if info.get("month_end"):
                assert (values == values.dt.month_end()).all(), column


def test_nothing_is_dated_after_the_books_last_day(book: Book) -> None:
    for name, table in contract.tables.items():
        for column in table.columns:
            if isinstance(column.type, sa.Date | sa.DateTime) and not column.info.get("future"):
                days = book[name][column.name].drop_nulls().cast(pl.Date)
                assert days.is_empty() or days.max() <= LAST, column
                assert days.is_empty() or days.min() >= date(1970, 1, 1), column


def test_ids_are_fixed_width(book: Book) -> None:
    assert book["loans"]["loan_id"].to_list()[:2] == ["L0000001", "L0000002"]
    for name in ("cases", "contacts", "payments"):
        key = key_columns(contract.tables[name])[0].name
        assert book[name][key].str.len_bytes().n_unique() == 1


def test_same_seed_gives_the_same_rows_and_another_seed_others(tmp_path: Path) -> None:
    first, again, other = (tmp_path / name for name in ("first", "again", "other"))
    for folder, seed in ((first, 3), (again, 3), (other, 4)):
        make_book(folder, loans=400, months=4, seed=seed, last_month=LAST)
    for name in contract.tables:
        file = f"{name}.parquet"
        assert (first / file).read_bytes() == (again / file).read_bytes(), name
    assert (first / "truths.json").read_bytes() == (again / "truths.json").read_bytes()
    for name in ("loans", "loan_months", "cases", "contacts", "payments"):
        file = f"{name}.parquet"
        assert not pl.read_parquet(first / file).equals(pl.read_parquet(other / file)), name


@pytest.mark.parametrize("wrong", [{"loans": 10}, {"months": 1}, {"last_month": date(2026, 6, 29)}])
def test_a_book_that_cannot_be_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        make_book(tmp_path, **wrong)


# The book closes


def test_histories_have_no_gaps_and_end_where_a_loan_leaves(book: Book) -> None:
    rows = book["loan_months"].sort("loan_id", "month")
    after = rows.with_columns(
        next_month=pl.col("month").shift(-1).over("loan_id"),
    )
    inside = after.filter(pl.col("next_month").is_not_null())
    assert (inside["status"] == "open").all()
    gaps = inside.filter(pl.col("month").dt.offset_by("1mo").dt.month_end() != pl.col("next_month"))
    assert gaps.is_empty()
    ends = after.filter(pl.col("next_month").is_null() & (pl.col("month") < LAST))
    assert (ends["status"] != "open").all()


def test_every_payment_of_a_month_is_in_its_paid_amount_to_the_cent(book: Book) -> None:
    # Breaks when a cured loan's later instalment or a reversal's second leg is forgotten.
    paid = (
        book["payments"]
        .group_by("loan_id", month=pl.col("paid_on").dt.month_end())
        .agg(pl.col("amount").sum())
    )
    both = book["loan_months"].join(paid, on=["loan_id", "month"], how="left")
    assert (both["paid_amount"] == both["amount"].fill_null(0)).all()
    off_book = paid.join(book["loan_months"], on=["loan_id", "month"], how="anti")
    gone = book["loan_months"].filter(pl.col("status") == "charged_off")["loan_id"]
    assert off_book["loan_id"].is_in(gone.implode()).all()  # recoveries after charge-off


def test_loans_close_month_by_month(book: Book) -> None:
    rows = book["loan_months"]
    born = rows.group_by("loan_id").agg(first=pl.col("month").min())
    first = rows["month"].min()
    held = 0
    for month in sorted(rows["month"].unique()):
        now = rows.filter(pl.col("month") == month)
        new = born.filter(pl.col("first") == month).height
        left = now.filter(pl.col("status") != "open").height
        closing = now.filter(pl.col("status") == "open").height
        assert held + new - left == closing
        held = closing
        if month > first:  # nobody appears that was not originated in the month
            loans = born.filter(pl.col("first") == month).join(book["loans"], on="loan_id")
            assert (loans["originated_on"].dt.month_end() == month).all()


def test_interest_is_what_is_left_of_term_loans_money(book: Book) -> None:
    # closing - opening + paid of a term loan is a month's interest: between 0.2 and 2 %.
    term = book["loans"].filter(pl.col("term_months").is_not_null()).select("loan_id")
    rows = book["loan_months"].join(term, on="loan_id").sort("loan_id", "month")
    rows = rows.with_columns(opening=pl.col("balance_amount").shift(1).over("loan_id")).filter(
        pl.col("opening").is_not_null() & (pl.col("status") == "open")
    )
    interest = (rows["balance_amount"] - rows["opening"] + rows["paid_amount"]).cast(pl.Float64)
    rate = interest / rows["opening"].cast(pl.Float64)
    assert rate.min() > 0.002
    assert rate.max() < 0.02


def test_the_ledger_says_what_the_book_says(book: Book) -> None:
    product = book["loans"].select("loan_id", "product", "originated_on", "principal_amount")
    rows = book["loan_months"].join(product, on="loan_id")
    group = ["month", "product"]
    paid = book["payments"].join(product, on="loan_id")
    new = rows.filter(pl.col("originated_on").dt.month_end() == pl.col("month"))
    wanted = {
        "balance": rows.filter(pl.col("status") == "open").group_by(group).agg(
            pl.col("balance_amount").sum().alias("book")
        ),
        "charged_off": rows.filter(pl.col("status") == "charged_off").group_by(group).agg(
            pl.col("balance_amount").sum().alias("book")
        ),
        "payments": paid.group_by(pl.col("paid_on").dt.month_end().alias("month"), "product").agg(
            pl.col("amount").sum().alias("book")
        ),
        "new_loans": new.group_by(group).agg(pl.col("principal_amount").sum().alias("book")),
    }  # fmt: skip
    for measure, totals in wanted.items():
        lines = book["ledger_totals"].filter(pl.col("measure") == measure)
        assert lines.height >= 4 * 23
        both = lines.join(totals, on=group, how="left")
        assert (both["amount"] == both["book"].fill_null(0)).all(), measure


def test_days_and_months_past_due_put_most_loans_in_one_bucket(book: Book) -> None:
    late = book["loan_months"].filter(pl.col("months_past_due").is_between(1, 6))
    by_days = (late["days_past_due"] + 29) // 30
    assert (by_days == late["months_past_due"]).mean() > 0.97
    assert ((late["months_past_due"] > 0) == (late["days_past_due"] > 0)).all()


# Shapes a collections manager knows


def _transitions(book: Book) -> pl.DataFrame:
    """Loans by month, bucket a month before, and where they are now."""
    late = pl.col("months_past_due")
    bucket = (
        pl.when(late <= 6)
        .then(late.replace_strict(BUCKETS, default="", return_dtype=pl.String))
        .when(late <= 9)
        .then(pl.lit("181-270"))
        .when(late <= 12)
        .then(pl.lit("271-360"))
        .otherwise(pl.lit("361+"))
    )
    state = pl.when(pl.col("status") == "open").then(bucket).otherwise(pl.col("status"))
    rows = book["loan_months"].sort("loan_id", "month").with_columns(to=state)
    rows = rows.with_columns(before=pl.col("to").shift(1).over("loan_id"))
    return rows.drop_nulls("before").group_by("month", "before", "to").agg(loans=pl.len())


def test_roll_rates_rise_with_lateness_and_early_cures_dominate(book: Book) -> None:
    moves = _transitions(book).group_by("before", "to").agg(pl.col("loans").sum())
    moves = moves.with_columns(rate=pl.col("loans") / pl.col("loans").sum().over("before"))
    rate = {(b, t): r for b, t, r in moves.select("before", "to", "rate").iter_rows()}
    assert 0.02 < rate["current", "1-30"] < 0.04
    assert 0.15 < rate["1-30", "31-60"] < 0.25
    assert 0.40 < rate["31-60", "61-90"] < 0.53
    assert 0.60 < rate["61-90", "91-120"] < 0.73
    assert 0.73 < rate["91-120", "121-150"] < 0.87
    assert 0.58 < rate["1-30", "current"] < 0.75
    assert rate["1-30", "current"] > 2 * rate["31-60", "current"] > 2 * rate["61-90", "current"]


def test_the_book_is_as_late_as_consumer_books_are(books: list[Book]) -> None:
    rows = pl.concat([book["loan_months"] for book in books])
    open_ = rows.filter(pl.col("status") == "open")
    balance = pl.col("balance_amount").cast(pl.Float64)
    late = open_.filter(pl.col("months_past_due") >= 2).select(balance.sum()).item()
    assert 0.035 < late / open_.select(balance.sum()).item() < 0.07
    charged = rows.filter(pl.col("status") == "charged_off").height
    assert 0.01 < 12 * charged / rows.height < 0.03


def test_lateness_peaks_after_a_season_on_book(books: list[Book]) -> None:
    # Months 10 to 18 on book against the first three.
    entering = pl.concat([
        book["loan_months"].join(book["loans"].select("loan_id", "originated_on"), on="loan_id")
        for book in books
    ])  # fmt: skip
    age = (pl.col("month").dt.year() - pl.col("originated_on").dt.year()) * 12 + (
        pl.col("month").dt.month() - pl.col("originated_on").dt.month()
    )
    late = pl.col("months_past_due") == 1
    young = entering.filter(age.is_between(1, 3)).select(late.mean()).item()
    seasoned = entering.filter(age.is_between(10, 18)).select(late.mean()).item()
    old = entering.filter(age >= 40).select(late.mean()).item()
    assert seasoned > 1.5 * young
    assert seasoned > 1.2 * old


def test_worse_grades_are_late_more_often(book: Book) -> None:
    rows = book["loan_months"].drop("risk_grade").join(book["loans"], on="loan_id")
    shares = rows.group_by("risk_grade").agg(late=(pl.col("months_past_due") > 0).mean())
    shares = shares.sort("risk_grade")["late"].to_list()
    assert shares == sorted(shares)
    assert shares[-1] > 4 * shares[0]


def test_a_quarter_of_calls_reach_the_right_party_and_half_the_promises_are_kept(
    book: Book,
) -> None:
    calls = book["contacts"].filter(
        (pl.col("channel") == "call") & (pl.col("direction") == "outbound")
    )
    assert 0.22 < calls["outcome"].is_in(RIGHT_PARTY).mean() < 0.30
    due = book["promises"].filter(
        (pl.col("due_on") < date(2026, 6, 27)) & pl.col("cancelled_on").is_null()
    )
    due = due.join(book["cases"].select("case_id", "loan_id"), on="case_id")
    cash = due.join(book["payments"], on="loan_id").filter(
        pl.col("paid_on").is_between(pl.col("promised_on"), pl.col("due_on").dt.offset_by("3d"))
    )
    cash = cash.group_by("promise_id").agg(cash=pl.col("amount").sum())
    due = due.join(cash, on="promise_id", how="left").with_columns(pl.col("cash").fill_null(0))
    kept = due["cash"].cast(pl.Float64) >= 0.9 * due["promised_amount"].cast(pl.Float64)
    assert 0.42 < kept.mean() < 0.60


def test_contact_rules_are_broken_now_and_then(book: Book) -> None:
    outbound = book["contacts"].filter(pl.col("direction") == "outbound")
    hour = outbound["contacted_at"].dt.hour()
    assert 0.001 < ((hour >= 22) | (hour < 8)).mean() < 0.006
    calls = outbound.filter(pl.col("outcome") == "no_answer")
    daily = calls.group_by("contact_point", pl.col("contacted_at").dt.date()).len()
    assert 1 <= (daily["len"] > 6).sum() < 0.001 * daily.height


def test_cases_follow_their_loans(book: Book) -> None:
    cases = book["cases"].sort("loan_id", "opened_on")
    assert (cases["closed_on"].is_null() == cases["close_reason"].is_null()).all()
    assert (cases["closed_on"] >= cases["opened_on"]).all()
    ordered = cases.with_columns(
        next_opened=pl.col("opened_on").shift(-1).over("loan_id"),
        next_episode=pl.col("episode_id").shift(-1).over("loan_id"),
    ).filter(pl.col("next_opened").is_not_null())
    assert (ordered["closed_on"] < ordered["next_opened"]).all()  # one owner at a time
    moved = ordered.filter(pl.col("close_reason") == "transferred")
    assert (moved["episode_id"] == moved["next_episode"]).all()
    at_close = cases.drop_nulls("closed_on").join(
        book["loan_months"].with_columns(closed_month=pl.col("month")),
        left_on=["loan_id", pl.col("closed_on").dt.month_end()],
        right_on=["loan_id", "month"],
    )
    expected = {"cured": "open", "restructured": "open", "paid_off": "paid_off",
                "settled": "paid_off", "charged_off": "charged_off", "sold": "sold"}  # fmt: skip
    for reason, status in expected.items():
        ended = at_close.filter(pl.col("close_reason") == reason)
        assert (ended["status"] == status).all(), reason
    assert (at_close.filter(pl.col("close_reason") == "cured")["months_past_due"] == 0).all()


def test_late_loans_are_always_in_somebodys_hands(book: Book) -> None:
    late = book["loan_months"].filter(
        (pl.col("months_past_due") > 0) & (pl.col("status") == "open")
    )
    held = late.join(book["cases"], on="loan_id").filter(
        (pl.col("opened_on") <= pl.col("month"))
        & (pl.col("closed_on").is_null() | (pl.col("closed_on") >= pl.col("month")))
    )
    assert held.select("loan_id", "month").n_unique() == late.height


# The truths


def test_monthly_roll_counts_agree_with_the_true_matrices(books: list[Book]) -> None:
    # Breaks when a fate is drawn with other odds than those summed into the truths: 95 %
    # Wilson intervals of single months must cover the true value about as often as they claim.
    covered = []
    for book in books:
        moves = _transitions(book)
        counts = {(str(m), b, t): n for m, b, t, n in moves.iter_rows()}
        for matrix in book.truths["roll_matrices"]:
            for before, row in matrix["rows"].items():
                seen = {to: counts.get((matrix["month"], before, to), 0) for to in row["to"]}
                total = sum(seen.values())
                assert total == row["loans"]
                for to, true in row["to"].items():
                    if min(true, 1 - true) * total >= 5:
                        low, high = proportion_confint(seen[to], total, method="wilson")
                        covered.append(low <= true <= high)
    assert len(covered) > 1_000
    assert 0.93 < np.mean(covered) < 0.985


def test_no_cell_of_the_matrix_drifts_from_its_true_odds(books: list[Book]) -> None:
    # Each cell's surplus over all months and books, in standard deviations of its own months;
    # chances a twentieth too high somewhere are enough to fail.
    surplus: dict[tuple[str, str], float] = {}
    variance: dict[tuple[str, str], float] = {}
    for book in books:
        counts = {(str(m), b, t): n for m, b, t, n in _transitions(book).iter_rows()}
        for matrix in book.truths["roll_matrices"]:
            for before, row in matrix["rows"].items():
                for to, true in row["to"].items():
                    cell, seen = (before, to), counts.get((matrix["month"], before, to), 0)
                    surplus[cell] = surplus.get(cell, 0.0) + seen - row["loans"] * true
                    spread = row["loans"] * true * (1 - true)
                    variance[cell] = variance.get(cell, 0.0) + spread
    scores = [surplus[cell] / variance[cell] ** 0.5 for cell in surplus if variance[cell] > 10]
    assert len(scores) > 40
    assert np.abs(scores).max() < 4.0
    assert np.mean(np.square(scores)) ** 0.5 < 1.3


def _worked_cases(book: Book) -> pl.DataFrame:
    """Collectors' cases old enough to judge, with what is recorded at opening."""
    loans = book["loans"].join(book["customers"].select("customer_id", "region"), on="customer_id")
    days = (pl.col("closed_on") - pl.col("opened_on")).dt.total_days()
    bucket = ((pl.col("opening_days_past_due") - 1) // 30 + 1).clip(1, 7)
    amount = pl.col("placed_amount").cast(pl.Float64).log()
    good = pl.col("close_reason").is_in(RESOLVED).fill_null(False)
    return (
        book["cases"]
        .filter(pl.col("collector_id").is_not_null() & (pl.col("opened_on") < date(2026, 5, 20)))
        .join(loans.select("loan_id", "product", "risk_grade", "region"), on="loan_id")
        .with_columns(days=days.fill_null(9_999), bucket=bucket, amount=amount.round(0), good=good)
    )


MIX = ["bucket", "product", "risk_grade", "region", "amount"]


def _dummies(frame: pl.DataFrame, columns: list[str]) -> np.ndarray:
    parts = [frame.select(column).to_dummies(drop_first=True).to_numpy() for column in columns]
    return np.hstack([np.ones((frame.height, 1)), *parts]).astype(float)


def _logit(design: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """Coefficients of a logistic regression, by Newton's method (a whisper of ridge)."""
    beta = np.zeros(design.shape[1])
    for _ in range(12):
        fitted = 1.0 / (1.0 + np.exp(-design @ beta))
        hessian = (design.T * (fitted * (1.0 - fitted))) @ design
        step = design.T @ (outcome - fitted) - 1e-3 * beta
        beta += np.linalg.solve(hessian + 1e-3 * np.eye(len(beta)), step)
    return beta


def test_a_raw_league_table_misleads_and_adjustment_finds_the_skilled(books: list[Book]) -> None:
    # Breaks when cases are handed out at random (raw would do well within a pool) or on what is
    # not recorded (adjusting would not help).
    raw_ranks, pool_ranks, adjusted_ranks = [], [], []
    for book in books:
        cases = _worked_cases(book)
        resolved = pl.col("good") & (pl.col("days") <= 30)
        people = pl.DataFrame(book.truths["collectors"]).select(
            "collector_id", "pool", skill="skill_log_odds"
        )
        raw = people.join(
            cases.group_by("collector_id").agg(raw=resolved.mean()), on="collector_id"
        )
        cases = cases.sort("collector_id")
        outcome = cases.select(resolved).to_series().to_numpy().astype(float)
        beta = _logit(_dummies(cases, [*MIX, "collector_id"]), outcome)
        effects = [0.0, *beta[-(people.height - 1) :]]
        raw = raw.sort("collector_id").with_columns(adjusted=pl.Series(effects))
        own = [pl.col(name) - pl.col(name).mean().over("pool") for name in ("raw", "skill")]
        raw_ranks.append(spearmanr(raw["raw"], raw["skill"]).statistic)
        adjusted_ranks.append(spearmanr(raw["adjusted"], raw["skill"]).statistic)
        early = raw.with_columns(own).filter(pl.col("pool") == "Early")
        pool_ranks.append(spearmanr(early["raw"], early["skill"]).statistic)
    assert np.mean(raw_ranks) <= 0.5
    assert np.mean(pool_ranks) <= 0.5
    assert np.mean(adjusted_ranks) > max(0.5, np.mean(raw_ranks) + 0.3)


def test_calls_look_harmful_until_the_case_mix_is_held_fixed(books: list[Book]) -> None:
    # Attempted within seven days, among cases open on day seven, resolved in the thirty after.
    naive, adjusted, true = [], [], []
    for book in books:
        cases = _worked_cases(book).filter(
            (pl.col("days") > 7) & (pl.col("opening_days_past_due") <= 30)
        )
        calls = book["contacts"].filter(pl.col("channel") == "call")
        calls = calls.join(cases.select("case_id", "opened_on"), on="case_id").filter(
            (pl.col("contacted_at").dt.date() - pl.col("opened_on")).dt.total_days() <= 7
        )
        cases = cases.with_columns(called=pl.col("case_id").is_in(calls["case_id"].implode()))
        resolved = pl.col("good") & (pl.col("days") <= 37)
        share = dict(cases.group_by("called").agg(resolved.mean()).iter_rows())
        naive.append(share[True] - share[False])
        design = _dummies(cases.sort("called"), [*MIX[1:], "called"])
        outcome = cases.sort("called").select(resolved).to_series().to_numpy().astype(float)
        beta = _logit(design, outcome)
        rest = design[:, :-1] @ beta[:-1]
        adjusted.append(np.mean(1 / (1 + np.exp(-rest - beta[-1])) - 1 / (1 + np.exp(-rest))))
        true.append(book.truths["channel_effects"]["1-30"]["call"]["effect"])
    assert 0.08 < np.mean(true) < 0.12
    assert np.mean(naive) < 0.0
    assert np.mean(adjusted) == pytest.approx(np.mean(true), abs=0.03)


def test_channels_are_chosen_because_of_lateness(book: Book) -> None:
    sent = book["contacts"].join(
        book["cases"].select("case_id", "opening_days_past_due"), on="case_id"
    )
    median = sent.group_by("channel").agg(pl.col("opening_days_past_due").median())
    days = dict(median.iter_rows())
    assert days["sms"] < days["call"] < days["visit"]
    effects = book.truths["channel_effects"]
    assert effects["91+"]["visit"]["planned_share"] > 3 * effects["1-30"]["visit"]["planned_share"]
    assert effects["1-30"]["letter"]["effect"] == 0.0


def test_complaints_vary_more_than_poisson(books: list[Book]) -> None:
    # Variance over mean of a team's weekly counts: 1 for Poisson; weeks differ, so more.
    ratios = []
    for book in books:
        owned = book["complaints"].join(book["cases"].select("case_id", "team"), on="case_id")
        week = (pl.col("received_at").dt.date() - date(2024, 7, 1)).dt.total_days() // 7
        counts = owned.drop_nulls("team").group_by("team", week.alias("week")).len()
        for team in counts["team"].unique():
            weekly = np.zeros(104)
            for place, number in counts.filter(team=team).select("week", "len").iter_rows():
                weekly[min(place, 103)] += number
            ratios.append(weekly.var(ddof=1) / weekly.mean())
    assert np.mean(ratios) > 1.05  # expected 1.10 at a fifth of a complaint a week; noise 0.03


def test_costs_are_of_the_order_of_salaries_and_contacts(book: Book) -> None:
    costs = book["costs"].group_by("kind").agg(pl.col("amount").sum().cast(pl.Float64))
    by_kind = dict(costs.iter_rows())
    salaries = float(book["collectors"]["monthly_cost_amount"].sum()) * 24
    assert 1.0 < by_kind["labour"] / salaries < 1.4
    contacts = float(book["contacts"]["cost_amount"].sum())
    channels = book["costs"].drop_nulls("channel")["amount"].sum()
    assert 0.9 < float(channels) / contacts < 1.2
    collected = float(book["payments"].drop_nulls("case_id")["amount"].sum())
    assert 0.02 < sum(by_kind.values()) / collected < 0.30


def test_cases_resolve_by_day_97_as_often_as_the_landmark_truths_expect(books: list[Book]) -> None:
    """Of collectors' cases open as day seven begins and old enough to be followed."""
    day, days = pl.col("closed_on") - pl.col("opened_on"), pl.col("opening_days_past_due")
    day = day.dt.total_days()
    stage = pl.when(days <= 30).then(pl.lit("early")).when(days <= 90).then(pl.lit("middle"))
    seen = pl.concat(
        book["cases"].filter(
            pl.col("collector_id").is_not_null(),
            pl.col("opened_on") <= LAST - timedelta(days=97),
            day.is_null() | (day >= 7),
        )
        for book in books
    ).group_by(stage.otherwise(pl.lit("late")).alias("stage"))
    good = (pl.col("close_reason").is_in(RESOLVED) & (day <= 97)).fill_null(value=False)
    found = seen.agg(pl.len().alias("cases"), good.mean().alias("share"))
    assert found.height == 3
    for stage_name, cases, share in found.iter_rows():
        truths = [book.truths["landmark_effects"][stage_name] for book in books]
        expected = np.average(
            [truth["resolved_share"] for truth in truths], weights=[t["cases"] for t in truths]
        )
        assert abs(share - expected) < 3.5 * np.sqrt(expected * (1 - expected) / cases)
        assert all(truth["effect"]["call"] > truth["effect"]["sms"] > 0 for truth in truths)
