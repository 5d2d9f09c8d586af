"""Recovery: how much comes back, and how fast?"""

from typing import Any

import polars as pl
import streamlit as st

import ui
from analytics.agencies import pooled_curve
from analytics.incidence import incidence_curve, recovery_period
from analytics.recovery import cohort_recovery, liquidation_curves, period_rate, resolved_share
from analytics.targets import contact_attainment, target_attainment
from charts import ages, curves
from charts import format as words
from charts import recovery_page_sentences as sentences
from charts import target_sentences as targets_said
from charts.palette import NOISE, SERIES, lateness
from charts.recovery_sentences import CONTACTS_OF_ALL
from charts.sentences import plural
from figures.choices import of_the_book
from figures.recovery import (
    HORIZONS,
    OWN_HORIZON,
    STAGES,
    book_attainment,
    figures,
    owner_attainment,
    with_empty_months,
)
from queries import portfolio, recovery

OWN_DAYS = "Its target's"

view = ui.open_recovery_page(
    "Recovery",
    "How much comes back, and how fast?",
    shows="how much of what was placed came back, by when, and whether the targets are met",
)
found = figures(view.key, view)
if found is None:
    ui.nothing_to_show(
        view,
        "No case was opened in this choice. Widen it to see numbers.",
        of=recovery.cohorts,
        counts=["cases", "immature_cases"],
    )
targets = ui.read_targets()
attained = book_attainment(view, found, targets)
book = attained.recovery
whole = found.whole

# --- the answer ----------------------------------------------------------------------------
by_stage = {stage: book.get(metric) for metric, (stage, _) in recovery.TARGETED.items()}
goals = {stage: targets.for_book(metric) for metric, (stage, _) in recovery.TARGETED.items()}
ui.say(sentences.recovery_sentences(by_stage, whole, goals))

# --- the picture ---------------------------------------------------------------------------
left, right = st.columns([3, 2], gap="medium")
with left:
    choice = ui.segmented("Cash within, days", (OWN_DAYS, *map(str, HORIZONS)), key="within")
    own = choice == OWN_DAYS
    horizons = OWN_HORIZON if own else dict.fromkeys(STAGES, int(choice))
    rates = found.by_month_capped if own else found.by_month
    course = pl.concat(
        [
            rates.filter(stage=stage, horizon=horizon).select(
                "low", "high", month="opened_month", series="stage", value="rate"
            )
            for stage, horizon in horizons.items()
        ]
    ).sort("month")
    has_rates = course["value"].count() > 0
    course = with_empty_months(course, view)
    ui.heading(
        "How much came back, by month of opening",
        "Cohort recovery: cash collected of what was owed at the opening, %, with 95 % interval"
        + (", counting no case beyond what it owed, as the targets do." if own else ".")
        + sentences.without_interval(course)
        + f" {sentences.UNITS[found.late_by_case]} {sentences.left_out(found.by_stage, horizons)}",
    )
    shades = dict(zip(STAGES, lateness(len(STAGES)), strict=True))
    labels = {stage: sentences.within_words(stage, horizons[stage]) for stage in STAGES}
    if own:
        for stage, goal in goals.items():
            if course.filter(series=stage).is_empty():
                continue
            line = f"target {stage}"
            months = course.select("month").unique().sort("month")
            nothing = pl.lit(None, pl.Float64)
            course = pl.concat(
                [
                    course,
                    months.select(
                        low=nothing,
                        high=nothing,
                        month="month",
                        series=pl.lit(line),
                        value=pl.lit(goal),
                    ),
                ]
            )
            shades[line] = NOISE
            labels[line] = f"{sentences.SHORT[stage]} target {words.percent(goal, decimals=0)}"
    if not has_rates:
        st.caption(sentences.nothing_drawn(found.by_stage, horizons))
    else:
        ui.chart(
            course,
            curves.lines(
                course,
                shades,
                alt="Cohort recovery by month of opening and lateness at the opening.",
                labels=labels,
                with_band=True,
                height=330,
            ),
            key="cohorts",
        )


def tile(label: str, value: str, delta: str | None, note: str | None, help: str) -> None:
    st.metric(
        label,
        words.plain(value),
        delta,
        delta_color="gray",
        delta_arrow="off",
        delta_description=note,
        border=True,
        width=170,
        help=help,
    )


with right, st.container(horizontal=True, key="tiles"):
    for metric, (stage, horizon) in recovery.TARGETED.items():
        row: dict[str, Any] = book.get(metric, {})
        tile(
            sentences.within_words(stage, horizon),
            words.percent(row.get("attained")),
            targets_said.target_words(goals[stage]),
            # the answer above says whether it is met
            plural(row["cases"], "case") if targets_said.has_few_cases(row) else None,
            words.plain(targets_said.judged_words(row)),
        )
    if whole is not None:
        tile(
            "Half resolved within",
            sentences.median_words(whole),
            None,
            sentences.mean_words(whole),
            "Days from the beginning of a spell of lateness until half of those that began in these"
            " months, whoever had them, are cured, paid off or settled; charge-off and sale are"
            " other ways out. In the mean, a spell that is not resolved within 180 days counts"
            " 180.",
        )
    share = found.resolved_whole.filter(horizon=90).row(0, named=True)
    tile(
        "Resolved in 90 days",
        words.percent(share["share"]),
        None,
        "no case is old enough"
        if share["share"] is None
        else words.span(share["low"], share["high"]),
        "Cured, paid off or settled within 90 days, of the cases that are old enough.",
    )
    if found.months.height:
        last = found.months.row(-1, named=True)
        tile(
            "Cash on cases",
            words.money(last["owner_cents"]),
            None,
            f"in {words.month(last['month'], short=True)}",
            "Payments of the month that belong to a case, reversals taken off.",
        )
        tile(
            "Period rate",
            words.percent(last["rate"]),
            None,
            f"in {words.month(last['month'], short=True)}",
            "Cash on cases in the month over the amount of the cases open at its start. Old and"
            " new cases are mixed in it: growth moves it, too.",
        )
ui.evidence("cohort_recovery", rates, cohort_recovery, resolved_share, of="cohort recovery")

# --- targets -------------------------------------------------------------------------------
ui.heading(
    "Are the targets met?",
    "Attained so far by the cases that are old enough, the chance that the target is met, and what"
    " is to be expected of all cases of these months, with 95 % interval; no chance is given on"
    " fewer than 30 cases, which are too few to judge. Recovery is"
    " cash up to what was placed on each case; a team's or collector's case ends with a transfer."
    " First contacts of the book are of all cases, those of automated queues too; Collectors leaves"
    " these out." + (f" {CONTACTS_OF_ALL}" if view.chosen.regions or view.chosen.grades else ""),
)
known = ui.load(of_the_book(view), recovery.known_owners)
teams: dict[str, list[str]] = {}
for team, collector in known.iter_rows():
    teams.setdefault(team, []).extend([collector] if collector is not None else [])
level = ui.segmented("Targets of", ("Book", "Teams", "Collectors"), key="level")
if level == "Book":
    parts = [targets_said.book_rows(book), attained.contact]
    kept = [part for part in parts if part.height]
    rows = pl.concat(kept, how="diagonal_relaxed") if kept else pl.DataFrame()
else:
    which = ui.segmented("Which target", tuple(targets_said.SHORT_METRICS), key="which_target")
    by = "team" if level == "Teams" else "collector_id"
    rows = owner_attainment(view, targets, by=by, metric=targets_said.SHORT_METRICS[which])
if rows.height:
    ui.target_table(rows, targets_said.IN_A_TABLE, alt=f"Targets and attainment: {level.lower()}")
else:
    st.caption("Nobody's cases can be judged in this choice.")
ui.edit_targets(targets_said.METRICS, teams, targets)
ui.target_changes(targets_said.METRICS)
ui.evidence("targets", rows, target_attainment, contact_attainment)

# --- how fast ------------------------------------------------------------------------------
if whole is None:
    st.caption("No case has an ending or an age to go by, so how fast is not known.")
else:
    ui.heading(
        sentences.period_title(whole),
        "Share of the spells of lateness that were cured, paid off or settled by each day since"
        " they began, and that left otherwise (charged off, sold, restructured), %; 95 % interval."
        f" {plural(whole['cases'], 'spell')} that began in these months, whoever had them; those"
        " still open count as long as they were followed.",
    )
    ends = found.curve.filter(pl.col("day") <= 180)
    two = pl.concat(
        [
            ends.select("day", "low", "high", value="incidence", series=pl.lit("resolved")),
            ends.select(
                "day",
                low=pl.lit(None, pl.Float64),
                high=pl.lit(None, pl.Float64),
                value="competing_incidence",
                series=pl.lit("otherwise"),
            ),
        ]
    ).with_columns(batch=pl.lit(None, pl.String))
    ui.chart(
        two,
        ages.by_age(
            two,
            {"resolved": SERIES, "otherwise": NOISE},
            alt="Share of cases resolved, and left otherwise, by day since placement.",
            title="Days since the spell began",
            labels={"resolved": "Resolved", "otherwise": "Left otherwise"},
            with_band=True,
        ),
        key="incidence",
    )
    ui.readable_table(
        sentences.period_rows(found.period),
        alt="Recovery period by lateness at the opening",
    )
    ui.evidence("recovery_period", found.period, incidence_curve, recovery_period)

# --- how placements pay down ---------------------------------------------------------------
ui.heading(
    "How each month's placement pays down",
    "Cash collected since the placement of what was placed, %, by 30-day steps: a grey line for"
    " each month, as far as every case of it was followed; the coloured one is all of them. Above"
    " 100 %: instalments that fell due after the placement are paid, too.",
)
if found.liquidation.is_empty():
    st.caption("No month's cases have all been followed for 30 days yet.")
else:
    lines = ages.with_names(found.liquidation_points)
    ui.chart(
        lines,
        ages.by_age(
            lines,
            {"all": SERIES},
            alt="Liquidation curves by month of placement.",
            title="Days since placement",
            labels={"all": "All months"},
        ),
        key="liquidation",
    )
ui.evidence("liquidation", found.liquidation, liquidation_curves, pooled_curve)

# --- whose cash ----------------------------------------------------------------------------
totals = ui.load(view, portfolio.cash)
paid = int(totals["payments_cents"].sum()) if totals["payments_cents"].count() else None
owned, free = (int(found.months[name].sum() or 0) for name in ("owner_cents", "nobody_cents"))
ui.heading(
    "Whose cash it is",
    "Payments by calendar month, reversals taken off; the rate is the cash of cases over what was"
    " in collections at the month's start. A payment belongs to the case that it"
    " names, else to the loan's case open on its day, else to nobody.",
)
whole_book = not any(view.chosen.segments().values())
st.markdown(
    sentences.attribution_sentence(owned, free, paid, found.rules, is_whole_book=whole_book)
)
ui.month_table(
    found.months.sort("month", descending=True).select(
        "month",
        "rate",
        on_cases_cents="owner_cents",
        no_open_case_cents="nobody_cents",
        in_collections_cents="open_cents",
    ),
    alt="Cash by month and whose it is",
)
ui.evidence("period_rate", found.months, period_rate)
