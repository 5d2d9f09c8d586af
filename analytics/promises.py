"""Which promises to pay were kept?"""

from __future__ import annotations

import polars as pl

KEPT_SHARE = 0.90
GRACE_DAYS = 3


def kept_promises(
    promises: pl.DataFrame,
    payments: pl.DataFrame,
    *,
    kept_share: float = KEPT_SHARE,
    grace_days: int = GRACE_DAYS,
) -> pl.DataFrame:
    """Did the debtor pay what was promised, in time?

    A promise is kept when the net cash on the loan from the promised day to the due day + 3 is
    at least 90 % of the promised amount.  A unit of cash keeps one promise: where several of a
    loan compete, the earliest due comes first (then the earlier made, then by id) and uses the
    earliest cash in its window, up to the promised amount.  A reversal undoes the latest cash
    before it in the window, and what is left of it the cash after it.

    In: `promises` with `promise_id`, `loan_id`, `promised_on`, `due_on`, `promised_cents`, none
    of them cancelled; `payments` with `payment_id`, `loan_id`, `paid_on`, `paid_cents` (negative:
    a reversal), at least those in the promises' windows.  Out: the promises, in the order given,
    with `used_cents` (cash used, at most what was promised) and `is_kept`.
    Null: nothing.  Refuses: missing values, repeated ids, a promise of nothing, a share that is
    not in (0, 1], days below 0.
    Misleads: a payment that would have come anyway keeps a promise too; reversals after the
    window do not break it.

    >>> from datetime import date
    >>> day = date(2024, 5, 1)
    >>> promise = {"promise_id": ["p"], "loan_id": ["l"], "promised_on": [day], "due_on": [day]}
    >>> payment = {"payment_id": ["a"], "loan_id": ["l"], "paid_on": [date(2024, 5, 4)]}
    >>> kept_promises(
    ...     pl.DataFrame(promise | {"promised_cents": [1000]}),
    ...     pl.DataFrame(payment | {"paid_cents": [900]}),
    ... )["is_kept"].item()
    True
    """
    _check(promises, payments, kept_share, grace_days)
    windows = promises.select(
        "promise_id",
        "loan_id",
        "promised_on",
        "due_on",
        "promised_cents",
        last_on=pl.col("due_on") + pl.duration(days=grace_days),
    ).sort("loan_id", "promised_on", "promise_id")
    touches = (pl.col("promised_on") <= furthest_before("last_on")).fill_null(False)
    windows = windows.with_columns(competes=touches.any().over("loan_id"))
    in_window = pl.col("paid_on").is_between("promised_on", "last_on")
    pairs = windows.join(payments, on="loan_id").filter(in_window)
    alone = _net_cash(windows.filter(~pl.col("competes")), pairs)
    among = _shared_cash(windows.filter("competes"), pairs.filter("competes"))
    available = pl.concat([alone, among])
    needed = pl.col("promised_cents") * kept_share
    return (
        promises.join(available, on="promise_id", maintain_order="left")
        .with_columns(
            used_cents=pl.min_horizontal("available_cents", "promised_cents"),
            is_kept=pl.col("available_cents") >= needed - 1e-6,
        )
        .drop("available_cents")
    )


def furthest_before(day: str) -> pl.Expr:
    """The furthest of a day among the earlier rows of a loan, null in its first.

    Rows lie by `loan_id`.  One pass over all rows (each loan lifted above the one before), because
    a window for each of many loans takes ten times as long.

    >>> from datetime import date
    >>> days = [date(2024, 5, day) for day in (9, 3, 4, 1)]
    >>> rows = pl.DataFrame({"loan_id": ["a", "a", "a", "b"], "day": days})
    >>> [each and each.day for each in rows.select(furthest_before("day")).to_series()]
    [None, 9, 9, None]
    """
    loan = pl.col("loan_id").rle_id().cast(pl.Int64)
    furthest = (loan * _FAR + pl.col(day).to_physical()).cum_max().shift(1) - loan * _FAR
    is_first = loan != loan.shift(1, fill_value=-1)
    return pl.when(~is_first).then(furthest).cast(pl.Int32).cast(pl.Date)


_FAR = 1 << 32  # days; farther than any two dates lie apart


def _net_cash(windows: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Cash in the window of promises that compete with no other."""
    net = pairs.group_by("promise_id").agg(pl.col("paid_cents").sum())
    joined = windows.select("promise_id").join(net, on="promise_id", how="left")
    return joined.select(
        "promise_id", available_cents=pl.col("paid_cents").fill_null(0).clip(0).cast(pl.Int64)
    )


def _shared_cash(windows: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Cash that is left for each of the promises that compete, the earliest due first."""
    inside: dict[str, list[tuple[str, int]]] = {}
    rows = pairs.sort("paid_on", "payment_id").select("promise_id", "payment_id", "paid_cents")
    for promise, payment, paid in rows.iter_rows():
        inside.setdefault(promise, []).append((payment, paid))
    used: dict[str, int] = {}
    found = []
    order = windows.sort("loan_id", "due_on", "promised_on", "promise_id")
    for promise, promised in order.select("promise_id", "promised_cents").iter_rows():
        left = _left(inside.get(promise, []), used)
        found.append((promise, sum(cash for _, cash in left)))
        for payment, cash in left:
            taken = min(cash, promised)
            used[payment] = used.get(payment, 0) + taken
            promised -= taken
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "promise_id": windows.schema["promise_id"],
        "available_cents": pl.Int64,
    }
    return pl.DataFrame(found, schema=schema, orient="row")


def _left(movements: list[tuple[str, int]], used: dict[str, int]) -> list[tuple[str, int]]:
    """What is left of each payment of a window, in order of time, after its reversals."""
    left: list[tuple[str, int]] = []
    owed = 0  # of reversals that found no cash before them
    for payment, paid in movements:
        if paid >= 0:
            cash = paid - used.get(payment, 0)
            undone = min(owed, cash)
            owed -= undone
            left.append((payment, cash - undone))
            continue
        owed -= paid
        for place in range(len(left) - 1, -1, -1):
            undone = min(owed, left[place][1])
            left[place] = (left[place][0], left[place][1] - undone)
            owed -= undone
    return left


def _check(
    promises: pl.DataFrame, payments: pl.DataFrame, kept_share: float, grace_days: int
) -> None:
    if not 0 < kept_share <= 1 or grace_days < 0:
        raise ValueError("a share in (0, 1] and days from 0 are needed to judge a promise")
    for frame, columns in (
        (promises, ["promise_id", "loan_id", "promised_on", "due_on", "promised_cents"]),
        (payments, ["payment_id", "loan_id", "paid_on", "paid_cents"]),
    ):
        if missing := set(columns) - set(frame.columns):
            raise ValueError(f"missing columns: {', '.join(sorted(missing))}")
        if frame.select(pl.col(columns).null_count()).sum_horizontal().item():
            raise ValueError(f"values of {', '.join(columns)} are missing in some rows")
        if frame[columns[0]].is_duplicated().any():
            raise ValueError(f"{columns[0]} is repeated")
    if (promises["promised_cents"] <= 0).any():
        raise ValueError("a promise of nothing cannot be kept")
