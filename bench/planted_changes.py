"""A planted change of strategy, asked of the simulator beforehand and through the whole chain.

A book is generated twice, with the same luck of every loan: with a change of strategy from a month
on, and with a change of nothing.  What was known before that month is loaded and refreshed as any
book is; the simulator, through the functions that its page calls, is asked what the change will
bring; the difference between the two books is what it brought.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import streamlit as st

import ui
from analytics.simulation_answers import tails
from analytics.strategies import Strategy
from analytics.strategy_fields import STAGES
from analytics.strategy_plans import gain
from figures import simulator
from jobs.refresh import refresh
from queries.filters import Filter, months_before
from queries.marts import open_marts, read_book
from warehouse.load import load
from warehouse.sample import make_book
from warehouse.sample.treatments import Change

Array = npt.NDArray[np.float64]
LAST, MONTHS, AFTER, WINDOW = date(2026, 6, 30), 24, 12, 12
LANDMARK, CONFIDENCE = 7, 0.8
CELL = ["product", "stage", "channel"]
PEOPLE = 20  # times as many: whoever plants a change also hires for it
_DAYS = {  # the day on which a row of a table came to be known
    "loans": "originated_on", "loan_months": "month", "cases": "opened_on",
    "contacts": "contacted_at", "promises": "promised_on", "plans": "agreed_on",
    "payments": "paid_on", "legal_actions": "acted_on", "complaints": "received_at",
    "surveys": "surveyed_on", "costs": "month", "events": "occurred_on", "ledger_totals": "month",
}  # fmt: skip
_STAGE = (
    pl.when(pl.col("opening_days_past_due") <= 30)
    .then(pl.lit("early"))
    .when(pl.col("opening_days_past_due") <= 90)
    .then(pl.lit("middle"))
    .otherwise(pl.lit("late"))
)
_ENDS = {"cases": ("closed_on", "close_reason"), "plans": ("ended_on", "end_reason")}


@dataclass(frozen=True)
class Asked:
    """What the simulator said a change would bring in cash, and what it brought, in currency."""

    change: str
    mean: float
    sd: float
    low: float
    high: float
    real: float
    by_attempts: float  # the mean said of a strategy told in attempts rather than in cases tried
    base: float  # what the book paid in these months without the change

    @property
    def is_inside(self) -> bool:
        return self.low <= self.real <= self.high

    @property
    def miss(self) -> float:
        """Realised less said, in standard deviations of what was said."""
        return (self.real - self.mean) / self.sd


def ask(
    seed: int,
    more: Mapping[str, float],
    *,
    loans: int,
    folder: Path,
    months: int = MONTHS,
    after: int = AFTER,
) -> Asked:
    """One book: the change told to the simulator on the eve, and what came of it."""
    logging.getLogger("streamlit").setLevel(logging.ERROR)
    start = months_before(LAST, after - 1)
    eve = months_before(start, 1)
    usual, changed = folder / "usual", folder / "changed"
    for where, channels in ((usual, dict.fromkeys(more, 0.0)), (changed, dict(more))):
        make_book(where, loans=loans, months=months, seed=seed, last_month=LAST,
                  change=Change(start, channels))  # fmt: skip
    ground = _ground(known(usual, folder / "known", eve), folder, eve, f"planted {seed}")
    tried = {one: _tried(one, more, start) for one in (usual, changed)}
    strategies = [
        _told(ground, _by_share(ground, tried[usual], tried[changed])),
        _told(ground, _by_attempts(ground, usual, changed, more, start)),
    ]
    found = simulator.outcome(ground, strategies, {})
    cash = found.simulation.cash[:, :, :after].sum(axis=2, dtype=float)
    base = _cash(usual, start)
    name = ", ".join(f"{channel} {value:+g}" for channel, value in more.items())
    said = cash[:, 1] - cash[:, 0] + found.simulation.luck[1].sum(axis=0)
    low, high = np.quantile(said, tails(CONFIDENCE))
    st.cache_resource.clear()  # what the page would keep for its readers
    return Asked(
        change=name,
        mean=float(said.mean()),
        sd=float(said.std()),
        low=float(low),
        high=float(high),
        real=_cash(changed, start) - base,
        by_attempts=float((cash[:, 2] - cash[:, 0]).mean()),
        base=base,
    )


def known(book: Path, into: Path, day: date) -> Path:
    """The files of a book as they were known on a day."""
    into.mkdir(parents=True)
    for file in book.glob("*.parquet"):
        rows, table = pl.read_parquet(file), file.stem
        if table in _DAYS:
            rows = rows.filter(pl.col(_DAYS[table]).cast(pl.Date) <= day)
        if table in _ENDS:
            later = pl.col(_ENDS[table][0]) > day
            rows = rows.with_columns(
                pl.when(~later.fill_null(value=False)).then(pl.col(name)).alias(name)
                for name in _ENDS[table]
            )
        rows.write_parquet(into / file.name)
    return into


def _ground(files: Path, folder: Path, eve: date, key: str) -> simulator.Ground:
    url = f"duckdb:///{folder / 'facts.duckdb'}"
    load(files, url=url, progress=lambda _: None)
    path = refresh(url, folder / "marts").path
    marts = open_marts(path)
    chosen = Filter(as_of=eve, window=WINDOW, basis="months")
    return simulator.ground(key, ui.View(path, 0, marts, read_book(marts), chosen, "balance"))


def _tried(book: Path, channels: Mapping[str, float], start: date) -> pl.DataFrame:
    """Of collectors' cases open in the months of the change: the share tried in the first week.

    Weighted by balance and by the months that they were open in; by product, stage and channel.
    """
    first_day = start.replace(day=1)
    until = pl.min_horizontal(pl.col("closed_on").fill_null(LAST), pl.lit(LAST))
    since = pl.max_horizontal("opened_on", pl.lit(first_day))
    months = (until.dt.month_end() - since.dt.month_end()).dt.total_days().floordiv(28) + 1
    weight = pl.col("placed_balance_amount").cast(pl.Float64) * months
    exposed = _cases(book).filter(until >= first_day).with_columns(weight=weight)
    contacts = pl.read_parquet(book / "contacts.parquet")
    days = (pl.col("contacted_at").cast(pl.Date) - pl.col("opened_on")).dt.total_days()
    first = (
        contacts.filter(pl.col("direction") == "outbound", pl.col("channel").is_in(list(channels)))
        .join(exposed.select("case_id", "opened_on"), on="case_id")
        .filter(days < LANDMARK)
        .select("case_id", "channel")
        .unique()
        .with_columns(is_tried=True)
    )
    grid = exposed.join(pl.DataFrame({"channel": list(channels)}), how="cross")
    rows = grid.join(first, on=["case_id", "channel"], how="left")
    tried = pl.col("is_tried").fill_null(value=False) * pl.col("weight")
    return rows.group_by(CELL).agg(value=tried.sum() / pl.col("weight").sum())


def _cases(book: Path) -> pl.DataFrame:
    """The cases of collectors, with their stage and product."""
    loans = pl.read_parquet(book / "loans.parquet", columns=["loan_id", "product"])
    cases = pl.read_parquet(book / "cases.parquet").filter(pl.col("collector_id").is_not_null())
    return cases.join(loans, on="loan_id").with_columns(stage=_STAGE)


def _by_share(ground: simulator.Ground, usual: pl.DataFrame, changed: pl.DataFrame) -> pl.DataFrame:
    """The baseline with the attempts that, by the simulator's own rule, try so many cases more."""
    table = ground.baseline.treatments

    def moved(stage: str, channel: str, before: Array, tried: Array, then: Array) -> Array:
        dose = ground.doses.get(f"{channel}:{stage}", ground.doses[stage])
        cases = ground.workload.cases[:, STAGES.index(stage)]
        low, high = np.zeros_like(before), np.full_like(before, 60.0)
        for _ in range(40):
            middle = (low + high) / 2
            is_more = gain(dose, before, middle, cases) > then - tried
            low, high = np.where(is_more, low, middle), np.where(is_more, middle, high)
        return (low + high) / 2

    return _with_attempts(ground, table, usual, changed, moved)


def _by_attempts(
    ground: simulator.Ground, usual: Path, changed: Path, channels: Mapping[str, float], start: date
) -> pl.DataFrame:
    """The baseline with as many times the attempts as the changed book's collectors made."""
    made, then = (_attempts(book, channels, start) for book in (usual, changed))

    def moved(stage: str, channel: str, before: Array, usual: Array, now: Array) -> Array:
        return before * np.divide(now, usual, out=np.ones_like(usual), where=usual > 0)

    return _with_attempts(ground, ground.baseline.treatments, made, then, moved)


def _attempts(book: Path, channels: Mapping[str, float], start: date) -> pl.DataFrame:
    """Attempts on collectors' cases since the change, by product, stage and channel."""
    contacts = pl.read_parquet(book / "contacts.parquet")
    since = pl.col("contacted_at").cast(pl.Date) >= start.replace(day=1)
    return (
        contacts.filter(
            pl.col("direction") == "outbound", since, pl.col("channel").is_in(list(channels))
        )
        .join(_cases(book).select("case_id", "stage", "product"), on="case_id")
        .group_by(CELL)
        .len("value")
        .cast({"value": pl.Float64})
    )


Moved = Callable[[str, str, Array, Array, Array], Array]


def _with_attempts(
    ground: simulator.Ground,
    table: pl.DataFrame,
    usual: pl.DataFrame,
    changed: pl.DataFrame,
    moved: Moved,
) -> pl.DataFrame:
    """Treatments with other attempts, where the two books differ; elsewhere as they are."""
    both = usual.join(changed, on=CELL, suffix="_then")
    product = ground.book.segment_keys.select("segment", "product")
    for (stage, channel), rows in both.partition_by("stage", "channel", as_dict=True).items():
        column = f"attempts_{channel}"
        own = table.filter(pl.col("stage") == stage).select("segment", before=column)
        own = own.join(product, on="segment", how="left", maintain_order="left")
        own = own.join(rows, on="product", how="left", maintain_order="left")
        own = own.with_columns(pl.col("value", "value_then").fill_null(0.0))
        parts = (own[name].to_numpy() for name in ("before", "value", "value_then"))
        new = own.select(
            "segment", stage=pl.lit(stage), _new=moved(str(stage), str(channel), *parts)
        )
        table = table.join(new, on=["segment", "stage"], how="left", maintain_order="left")
        table = table.with_columns(pl.coalesce("_new", column).alias(column)).drop("_new")
    return table


def _told(ground: simulator.Ground, table: pl.DataFrame) -> Strategy:
    means = ground.baseline.operations
    return replace(
        ground.baseline,
        name="Change",
        treatments=table,
        operations=replace(means, collectors=means.collectors * PEOPLE),
    )


def _cash(book: Path, start: date) -> float:
    """What all loans paid from the month of the change on."""
    rows = pl.read_parquet(book / "loan_months.parquet", columns=["month", "paid_amount"])
    return float(rows.filter(pl.col("month") >= start)["paid_amount"].cast(pl.Float64).sum())
