"""What collectors do: first contacts, attempts, promises, cost."""

from typing import Any

import polars as pl
import streamlit as st

import ui
from analytics.work import TARGET_DAYS, cost_and_cash, days_to_contact, work_rates
from charts import format as words
from charts import recovery_sentences as sentences
from figures.collector_work import Work, work
from figures.collectors import Choice
from figures.working_days import calendar_words
from pages.recovery.collector_tables import named_owners, table_height, tiles


def show(view: ui.View, choice: Choice) -> None:
    """How soon, how often and how well debtors are contacted, and what it costs."""
    found = work(f"{view.key} {choice!r}", choice, view)
    ui.heading(
        "The work",
        "First contacts of the collectors' cases opened in this period (without those of automated"
        " queues, which Recovery counts, too); attempts, promises and cash by calendar"
        f" month of the same period, of all stages. {calendar_words(view)}",
    )
    if not found.has_contacts:
        st.info(
            "The book has no rows of the table `contacts`. With them this page shows how soon, how"
            " often and how well debtors are contacted, and whether promises are kept.",
            icon=":material/call:",
        )
    else:
        _tiles(found)
        total = found.total_days["attempt"]
        lines = [
            sentences.contact_sentence(
                total.row(0, named=True) if total.height else None,
                target=TARGET_DAYS,
                is_right_party=False,
            )
        ]
        if view.chosen.regions or view.chosen.grades:
            lines.append(sentences.CONTACTS_OF_ALL)
        st.markdown(" ".join(lines))
    for alt, table in _tables(view, found, choice).items():
        st.dataframe(
            table,
            hide_index=True,
            placeholder=words.MISSING,
            alt=alt,
            height=table_height(table),
            column_config=_config(table),
        )
    if choice.kind == "collector":
        st.caption(_cost_words(found))
    joined = _evidence(found)
    if joined.height:
        ui.evidence("work", joined, days_to_contact, work_rates, cost_and_cash, of="the work")


def _tiles(found: Work) -> None:
    rates = found.total.row(0, named=True)
    days = {
        name: frame.row(0, named=True) if frame.height else {}
        for name, frame in found.total_days.items()
    }
    reach = days["attempt"].get("mean"), days["right_party"].get("mean")
    figures = (
        (
            "Days to first attempt",
            words.number(reach[0], decimals=1),
            "Mean working days from opening, at most 10 counted. Target: a mean of 3.",
        ),
        (
            "Days to first talk",
            words.number(reach[1], decimals=1),
            "Mean working days until the debtor (the right party) was first spoken with, at most 10"
            " counted.",
        ),
        (
            "Attempts a month",
            words.number(rates["intensity"], decimals=1),
            "Intensity, attempts per case-month: attempts over the cases open in each month.",
        ),
        (
            "Spoke to debtor",
            words.percent(rates["right_party_rate"]),
            "Right party rate: attempts that spoke with the debtor, of all attempts.",
        ),
        (
            "Promises kept",
            words.percent(rates["kept_share"], decimals=0),
            f"{words.number(rates['kept'])} of {words.number(rates['matured'])} promises that are"
            f" due; by amount {words.percent(rates['kept_amount_share'], decimals=0)}.",
        ),
    )
    tiles(figures, key="work_tiles")


def _joined(found: Work) -> pl.DataFrame:
    """One row an owner: days, rates, cost."""
    attempt = found.days["attempt"].select(
        "owner", "mean", "median", "within_share", first_cases="cases"
    )
    party = found.days["right_party"].select("owner", party_mean="mean")
    costs = found.costs.select(
        "cost_per_unit", "cash_per_hour_cents", "months", owner="collector_id"
    )
    joined = found.rates.join(attempt, on="owner", how="full", coalesce=True)
    return (
        joined.join(party, on="owner", how="left").join(costs, on="owner", how="left").sort("owner")
    )


def _tables(view: ui.View, found: Work, choice: Choice) -> dict[str, pl.DataFrame]:
    """How soon and how often debtors are contacted; and what came of it, at what cost: two tables,
    so that a screen shows every column."""
    joined = named_owners(view, choice.kind, _joined(found))
    contacts = {
        "Days to first attempt": pl.col("mean"),
        "Median": pl.col("median"),
        "Within 3 days, %": pl.col("within_share") * 100,
        "Days to right party": pl.col("party_mean"),
        "Attempts per case-month": pl.col("intensity"),
        "Right party, % of attempts": pl.col("right_party_rate") * 100,
        "Right party per case worked": pl.col("right_party_per_case"),
    }
    promises = {
        "Promises": pl.col("promises"),
        "Matured": pl.col("matured"),
        "Kept, %": pl.col("kept_share") * 100,
        "Kept, % of amount": pl.col("kept_amount_share") * 100,
    }
    if not found.has_contacts:
        contacts, promises = {}, {}
    if choice.kind == "collector":
        split = pl.lit(None, pl.Float64)
        promises |= {
            "Cost per unit": split if found.is_split else pl.col("cost_per_unit"),
            "Cash per hour": split if found.is_split else pl.col("cash_per_hour_cents") / 100,
        }
    parts = {"Contacts of each owner": contacts, "Promises and cost of each owner": promises}
    return {
        alt: joined.select(pl.col("owner").alias("Name"), **columns)
        for alt, columns in parts.items()
        if columns and joined.height
    }


def _config(table: pl.DataFrame) -> dict[str, Any]:
    formats = {"Cost per unit": "%.3f", "Cash per hour": "localized", "Median": "%d"}
    return {
        name: st.column_config.NumberColumn(
            format=formats.get(name, "%.1f" if kind.is_float() else "localized")
        )
        for name, kind in table.schema.items()
        if kind.is_numeric()
    }


def _evidence(found: Work) -> pl.DataFrame:
    joined = _joined(found)
    names = (
        "owner", "open_cases", "worked_cases", "attempts", "reached", "right_party", "promises",
        "matured", "kept", "matured_cents", "kept_cents", "cash_cents", "intensity",
        "penetration_share", "right_party_rate", "promise_rate", "kept_share", "kept_low",
        "kept_high", "first_cases", "mean", "within_share",
    )  # fmt: skip
    return joined.select(names).rename({"mean": "mean_days"})


def _cost_words(found: Work) -> str:
    if found.is_split:
        return (
            "Cost per unit and cash per hour are not shown: what a collector costs cannot be split"
            " by product, region or grade. Widen the choice to see them."
        )
    costs = found.costs
    if not costs["monthly_cost_cents"].count() + costs["hours_per_month"].count():
        return (
            "Cost per unit and cash per hour are not shown: the book records neither what"
            " collectors cost nor their hours."
        )
    unknown = int(costs["monthly_cost_cents"].null_count())
    return (
        "Cost per unit: what the collector costs in the months of the period over the cash of its"
        " cases; labour only. Cash per hour: the same cash over hours. Cash is gross: part of it"
        " would have come in anyway."
        + (f" Not recorded for {words.number(unknown)}." if unknown else "")
    )
