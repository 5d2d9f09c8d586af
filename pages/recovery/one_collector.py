"""One collector's own view: strengths, months, team, caseload and cases."""

from typing import Any

import polars as pl
import streamlit as st

import ui
from analytics.owners import choice_effects, segment_strengths
from analytics.work import work_rates
from charts import format as words
from charts import intervals
from charts import owners as owner_charts
from charts import recovery_sentences as sentences
from figures.collectors import OUTCOMES, Choice, Comparison, comparison, levels
from figures.one_collector import Own, own, own_work
from pages.recovery import collector_cases
from pages.recovery.collector_tables import NEXT, tiles
from queries import collectors as queries


def chosen_collector(view: ui.View) -> str | None:
    """The collector of the address, of a click or of the search, if there is such a one."""
    ids = ui.load(view, queries.owners)["collector_id"].to_list()
    asked = st.query_params.get("collector")
    if NEXT in st.session_state:
        st.session_state["collector"] = st.session_state.pop(NEXT)
    with st.sidebar:
        found = ui.find("One collector", ids, key="collector", placeholder="All; type an id")
    if found is None and asked and asked not in ids:
        st.warning(
            f"There is no collector {words.plain(asked[:40])} in this book: you see all.",
            icon=":material/link_off:",
        )
    return found


def _all_collectors() -> None:
    st.session_state["collector"] = None


def show(view: ui.View, collector_id: str, stage: str | None) -> None:
    """Draw the view of one collector, with the way back."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="breadcrumb"):
        st.button(
            "All collectors",
            icon=":material/arrow_back:",
            on_click=_all_collectors,
            type="tertiary",
            key="all_collectors",
        )
        outcome = OUTCOMES[ui.segmented("By", tuple(OUTCOMES), key="outcome")]
    choice = Choice(outcome=outcome, stage=stage)
    teams_choice = Choice(kind="team", outcome=outcome, stage=stage)
    found = comparison(f"{view.key} {choice!r}", choice, view)
    teams = levels(f"{view.key} {teams_choice!r}", teams_choice, view)
    mine = own(f"{view.key} {choice!r}", collector_id, choice, view, found, teams)
    st.header(words.plain(collector_id), anchor=False)
    st.caption(_who(mine.person, is_alone=mine.is_alone))
    ui.say(
        sentences.own_sentences(
            mine.row,
            compared=found.compared.height,
            team=mine.team if teams.reason is None else None,
            is_money=choice.is_money,
        )
    )
    if mine.row is not None and mine.row["shrunk"] is not None:
        _tiles(mine.row, found, choice)
        left, right = st.columns(2, gap="medium")
        with left:
            _strengths(mine, choice)
        with right:
            _trend(mine, collector_id, choice)
    _beside_the_team(view, collector_id, mine, choice)
    collector_cases.caseload(view, collector_id)
    collector_cases.cases(view, collector_id, stage)


def _who(person: dict[str, Any] | None, *, is_alone: bool) -> str:
    if person is None:
        return "Not among the collectors of the book."
    parts = [sentences.who_words(person["team"], is_alone=is_alone)]
    if person["agency_id"]:
        parts.append(f"agency {words.plain(person['agency_id'])}")
    if person["hired_on"]:
        parts.append(f"hired {words.day(person['hired_on'])}")
    return " · ".join(parts)


def _tiles(row: dict[str, Any], found: Comparison, choice: Choice) -> None:
    """Where the collector stands, in five figures."""
    money = choice.is_money
    decimals = 0 if money else 1
    shift = {end: words.points(row[f"advantage{end}"], decimals=decimals) for end in _ENDS}
    write = (lambda value: words.compact(value / 100)) if money else words.number
    figures = (
        (
            "Above average",
            f"{shift['']} {'%' if money else 'points'}",
            f"95 % interval {shift['_low']} to {shift['_high']}.",
        ),
        (
            "Better than average",
            sentences.chance_words(row["p_better"]),
            "The probability, with chance taken out.",
        ),
        ("Rank", f"{row['rank']} of {found.compared.height}", "On the same cases."),
        (
            "Collected" if money else "Resolved",
            write(row["observed"]),
            f"Of {sentences.cases_words(row['cases'])} that had 90 days.",
        ),
        (
            "Expected",
            write(row["average_expected"]),
            "What the average collector would have reached with the same cases.",
        ),
    )
    tiles(figures, key="own_tiles")


_ENDS = ("", "_low", "_high")


def _strengths(mine: Own, choice: Choice) -> None:
    unit = "% of cash" if choice.is_money else "points"
    ui.heading(
        "Strengths by kind of case",
        f"Above or below the average collector, {unit}, with 95 % interval, shrunk. The line is"
        " the collector's own level. Hollow: fewer than 30 cases.",
    )
    strengths = mine.strengths
    if strengths.is_empty():
        st.caption("All cases are of one kind, so there is nothing to set beside each other.")
        return
    differ = strengths.group_by("segment", maintain_order=True).agg(
        beyond=pl.col("shrunk").abs().max() > 1e-9
    )
    alike = differ.filter(~pl.col("beyond"))["segment"].str.to_lowercase().to_list()
    shown = strengths.join(differ.filter("beyond"), on="segment", how="semi").with_columns(
        name=pl.col("level").replace(sentences.STAGES)
    )
    if shown.height:
        rows = shown.select(
            "name", "value", "is_small", low="value_low", high="value_high", loans="cases"
        )
        ui.chart(
            rows,
            intervals.dots(
                rows["name"].to_list(),
                alt="The collector's level by stage, product and region.",
                unit="points",
                reference=mine.row["advantage"] if mine.row else None,
                from_zero=False,
                counted="Cases",
            ),
            key="strengths",
        )
    named = [(row["name"], row) for row in shown.iter_rows(named=True)]
    st.caption(
        sentences.strength_sentence(named)
        + (
            f" Between {words.listing([f'{name}s' for name in alike])} collectors do not differ"
            " beyond chance."
            if alike
            else ""
        )
    )
    ui.evidence(
        "strengths",
        strengths.select(
            "segment", "level", "cases", difference="value", low_difference="value_low",
            high_difference="value_high", log_interaction="interaction", log_shrunk="shrunk",
        ),
        segment_strengths,
    )  # fmt: skip


def _trend(mine: Own, collector_id: str, choice: Choice) -> None:
    unit = "% of cash" if choice.is_money else "points"
    ui.heading(
        "Month by month",
        f"Above or below the average collector on the same cases, {unit}, by month of opening,"
        f" with 95 % interval{'' if mine.is_alone else '; the grey line is the team'}. Not shrunk:"
        " single months jump by chance. Hollow: fewer than 30 cases; an arrow: the interval goes on"
        " beyond the picture.",
    )
    months = mine.months
    if months.is_empty() or months["month"].n_unique() < 2:
        st.caption("There are fewer than two months to compare.")
        return
    names = [collector_id, *[name for name in months["series"].unique() if name != collector_id]]
    ui.chart(
        months,
        owner_charts.months(
            months,
            names,
            alt="The collector's and the team's level by month of opening.",
        ),
        key="trend",
    )
    ui.evidence(
        "month_by_month",
        months.select("month", "series", "cases", difference="value", low_difference="low",
                      high_difference="high"),
        choice_effects,
    )  # fmt: skip


def _beside_the_team(view: ui.View, collector_id: str, mine: Own, choice: Choice) -> None:
    """The collector's work beside the team's and everybody's."""
    ui.heading(
        "The work, beside everybody's" if mine.is_alone else "The work, beside the team's",
        "First contacts of the cases of this period; attempts and promises by calendar month.",
    )
    if not view.book.table_rows.get("contacts"):
        st.caption("Contacts are not recorded in this book.")
        return
    team = mine.person["team"] if mine.person and not mine.is_alone else None
    found = own_work(view.key, collector_id, team or None, choice.stage, view)
    labels = {"own": "This collector", "team": "The team", "all": "Everybody"}
    rows = [_row(labels[whose], found.rates[whose], found.days[whose]) for whose in found.rates]
    st.dataframe(
        pl.DataFrame(rows, infer_schema_length=None),
        hide_index=True,
        placeholder=words.MISSING,
        alt="The collector's work beside the team's",
        column_config=_work_config(),
    )
    ui.evidence("own_work", found.rates["own"], work_rates, of="this collector's work")


def _row(label: str, rates: pl.DataFrame, days: pl.DataFrame) -> dict[str, Any]:
    def read(frame: pl.DataFrame, name: str, scale: float = 1.0) -> float | None:
        value = frame[name][0] if frame.height else None
        return None if value is None else value * scale

    return {
        "Whose": label,
        "Days to first attempt": read(days, "mean"),
        "Within 3 days, %": read(days, "within_share", 100),
        "Attempts per case-month": read(rates, "intensity"),
        "Right party, % of attempts": read(rates, "right_party_rate", 100),
        "Promises, % of right party": read(rates, "promise_rate", 100),
        "Kept, %": read(rates, "kept_share", 100),
        "Kept, % of amount": read(rates, "kept_amount_share", 100),
    }


def _work_config() -> dict[str, Any]:
    return {
        name: st.column_config.NumberColumn(format="%.1f")
        for name in _row("", pl.DataFrame(), pl.DataFrame())
        if name != "Whose"
    }
