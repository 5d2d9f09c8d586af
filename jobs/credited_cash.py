"""Which attempts are credited with which payments?"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from jobs.case_book import CaseBook
from queries.contacts import UNREACHED
from queries.loan_states import SEGMENTS

CREDIT_DAYS = 14  # a contact is credited with payments of its day and of this many days after it
RULES = ("last", "first", "equal")


def credited_payments(cash: pl.DataFrame, month: date, book: CaseBook) -> pl.DataFrame:
    """The month's owned payments by the attempts that they are credited to, under three rules.

    The set: attempts on the loan that reached the debtor, from 14 days before the payment to
    its day.  `last` and `first` credit one of them with the whole payment; `equal` shares it out
    evenly, and what does not divide, to the cent, goes to the earliest.  Each rule's cents add
    up to the payment; one without such an attempt has no row.
    """
    paid = cash.select("payment", "paid_on", "cents", "stage", *SEGMENTS, loan_id="paying_loan_id")
    attempts = book.attempts.days(month.replace(day=1) - timedelta(days=CREDIT_DAYS), month)
    since = (pl.col("paid_on") - pl.col("on_day")).dt.total_days()
    reached = attempts.filter(~pl.col("outcome").is_in(UNREACHED))
    pairs = (
        reached.select("loan_id", "channel", "contacted_at", "place", "on_day")
        .join(paid, on="loan_id")
        .filter(since.is_between(0, CREDIT_DAYS))
        .sort("payment", "contacted_at", "place")
    )
    payment = pl.col("payment")
    cents, contacts = pl.col("cents"), pl.len().over("payment").cast(pl.Int64)
    is_first = (payment != payment.shift(1)).fill_null(True)
    is_last = (payment != payment.shift(-1)).fill_null(True)
    share = cents.sign() * (cents.abs() // contacts)  # rounded towards 0
    return pairs.with_columns(
        last=pl.when(is_last).then(cents).otherwise(0),
        first=pl.when(is_first).then(cents).otherwise(0),
        equal=share + pl.when(is_first).then(cents - share * contacts).otherwise(0),
    )
