"""The promises that a refresh works on: were they kept, and in attempts of which channel made?"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from datetime import date
from threading import Lock
from typing import Any

import polars as pl

from analytics.promises import furthest_before, kept_promises
from jobs.months import as_categories
from jobs.reading import MonthsAhead
from queries.cases import CaseSettings
from queries.loan_states import BookShape
from queries.promises import GRACE_DAYS, competing_promises, promise_channels, promised_payments
from warehouse.engines import Connection

MONTHS_AT_ONCE = 6


class PromiseBook:
    """Promises by the month in which they matured, some months read at once.

    `months`: those that will be asked for, in order.
    """

    def __init__(
        self,
        facts: Connection,
        shape: BookShape,
        settings: CaseSettings,
        months: Sequence[date],
        pool: Executor | None,
    ) -> None:
        self._facts, self._shape, self._settings = facts, shape, settings
        self._lock = Lock()
        self._coming = MonthsAhead(self._by_month, months, MONTHS_AT_ONCE, pool)

    def matured(self, month: date) -> pl.DataFrame:
        """The promises that matured in a month, each with whether and how far it was kept."""
        with self._lock:
            return self._coming.take(month)

    def _by_month(self, months: list[date]) -> dict[date, pl.DataFrame]:
        rows = self._read(months[0], months[-1])
        on = pl.col("matured_on")
        return {
            each: rows.filter(on.is_between(each.replace(day=1), each)).drop("matured_on")
            for each in months
        }

    def _read(self, first: date, last: date) -> pl.DataFrame:
        settings, tables = self._settings, self._shape.tables
        promises = _competing(self._facts.fetch(competing_promises(first, last, settings)))
        ids = dict.fromkeys(("payment_id", "loan_id"), pl.String)
        payments = pl.DataFrame(schema=ids | {"paid_on": pl.Date, "paid_cents": pl.Int64})
        texts = dict.fromkeys(("promise_id", "channel"), pl.String)
        channels = pl.DataFrame(schema=texts | {"made_on": pl.Date})
        if promises.height:
            since: Any = promises["promised_on"].min()
            if "payments" in tables:
                payments = self._facts.fetch(promised_payments(since, first, last, settings))
            if "contacts" in tables:
                channels = self._facts.fetch(promise_channels(since, first, last, settings))
        kept = pl.col("is_kept").cast(pl.Int64)
        matured_on = pl.col("due_on") + pl.duration(days=GRACE_DAYS)
        is_made = (pl.col("made_on") <= matured_on.dt.month_end()).fill_null(False)
        rows = (
            kept_promises(promises, payments)
            .filter(pl.col("matures") == 1)
            .join(channels, on="promise_id", how="left")
            .select(
                "case_id",
                channel=pl.when(is_made).then("channel"),
                matured_on=matured_on,
                matured=pl.lit(1, pl.Int64),
                kept=kept,
                matured_cents="promised_cents",
                kept_cents=pl.col("promised_cents") * kept,
            )
        )
        return as_categories(rows)


def _competing(promises: pl.DataFrame) -> pl.DataFrame:
    """Promises that mature, and those whose windows lead up to theirs without a gap."""
    grace = pl.duration(days=GRACE_DAYS)
    ordered = promises.sort("loan_id", "promised_on", "promise_id")
    begins = (pl.col("promised_on") > furthest_before("due_on") + grace).fill_null(True)
    matures = pl.col("matures").max().over("chain") == 1
    return ordered.with_columns(chain=begins.cum_sum()).filter(matures)
