"""Health: is the book getting better or worse, and why?"""

from collections.abc import Mapping
from typing import Any

import polars as pl
import streamlit as st

import ui
from analytics.breach_rates import breach_trend
from analytics.changes import Change, latest_change
from analytics.cusum import complaint_signal
from analytics.delinquency import delinquency_rates
from analytics.mix_and_rate import mix_and_rate
from analytics.money import cost_to_collect
from analytics.reconciliation import loan_flow, money_flow
from analytics.targets import target_attainment
from charts import bars, curves, sentences, waterfalls
from charts import format as words
from charts import recovery_page_sentences as recovery_sentences
from charts.complaint_sentences import rise_warnings
from charts.palette import lateness
from charts.sentences import FEWEST_LOANS
from charts.target_sentences import target_warnings
from charts.veto_sentences import vetoed_sentence
from charts.warning_sentences import (
    better_sentences,
    limit_sentences,
    tile_meaning,
    warning_sentences,
)
from figures.collecting import collecting
from figures.conduct_health import conduct
from figures.health import CHARGE_OFFS, HEADLINE, figures, splits, unjudged
from queries import portfolio
from queries.filters import months_before

view = ui.open_page("Health", "Is the book getting better or worse, and why?")
found = figures(view.key, view)
if found is None:
    ui.nothing_to_show(view, ui.NOTHING_OPEN, of=portfolio.stocks, counts=["loans"])
changes = found.changes
is_few = found.fewest < FEWEST_LOANS
rolls = found.rolls.filter(~pl.col("is_mirror")) if found.rolls.height else found.rolls
when = words.month(view.chosen.as_of)
noun = "balance" if view.is_money else "loans"


def at_month(frame: pl.DataFrame, column: str, back: int = 0) -> Any:
    now = frame.filter(pl.col("month") == months_before(view.chosen.as_of, back))[column]
    return now[0] if now.len() else None


def tile(
    name: str,
    label: str,
    value: str,
    series: pl.DataFrame,
    changes: Mapping[str, Change],
    **options: Any,
) -> None:
    ui.tile(
        label,
        value,
        series,
        changes.get(name),
        means=tile_meaning(name, is_money=view.is_money)
        + (f" With fewer than {FEWEST_LOANS} open loans no change is judged." if is_few else ""),
        as_of=view.chosen.as_of,
        **options,
    )


def linked(lines: list[tuple[str, str]]) -> None:
    """Sentences, each beside the page that explains it."""
    for page, line in lines:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.page_link(f"pages/{page}.py", label=ui.PAGES[page])
            st.markdown(line, width="content")


# --- the answer ----------------------------------------------------------------------------
late = found.rates.filter(pl.col("threshold") == 30)
sizes = {name: abs(one.by_segment["effect"][0]) for name, one in found.splits.items()}
first_segment = max(sizes, key=lambda name: sizes[name], default="product")
ui.say(
    sentences.health_sentences(
        changes["30+"],
        found.splits.get(first_segment),
        first_segment,
        late_cents=int(at_month(late, "numerator") or 0) if view.is_money else None,
        what=noun,
        year_ago=None if at_month(late, "is_small", back=12) else at_month(late, "rate", back=12),
        others=changes,
        rolls=rolls.height,
        loans=found.fewest,
    )
)

# --- the picture ---------------------------------------------------------------------------
is_first = pl.col("threshold") == 30  # one band is legible, three are not
course = found.rates.select(
    "month",
    low=pl.when(is_first).then("low"),
    high=pl.when(is_first).then("high"),
    series=pl.format("{}+", "threshold"),
    value="rate",
)
shades = dict(zip(("30+", "60+", "90+"), lateness(3), strict=True))
labels = {name: f"{name} days" for name in shades}
left, right = st.columns([3, 2], gap="medium")
with left:
    ui.heading(
        "How much of the book is late",
        f"Share of the open {noun} more than 30, 60 and 90 days late, %, month-ends to {when};"
        f" 95 % interval of 30+. {ui.basis_words(view)}",
    )
    ui.chart(
        course,
        curves.lines(
            course,
            shades,
            alt=f"Delinquency rates of the {noun} by month.",
            labels=labels,
            with_band=True,
            height=400,
        ),
        key="course",
    )

# --- headline figures ----------------------------------------------------------------------
with right, st.container(horizontal=True, key="tiles"):
    size = at_month(found.totals, "value")
    tile(
        "size",
        "Open balance" if view.is_money else "Open loans",
        words.money(size) if view.is_money else words.number(size),
        found.totals,
        changes,
        rise_is_bad=None,
        unit="%",
    )
    for threshold in (30, 60, 90):
        name = f"{threshold}+"
        one = found.rates.filter(pl.col("threshold") == threshold).select("month", value="rate")
        rate = words.percent(at_month(one, "value"))
        tile(name, f"{name} days late", rate, one, changes, rise_is_bad=True, unit="points")
    if found.charge_offs["numerator"].sum():
        yearly = found.charge_offs.select("month", value="annualised_rate")
        rate = words.percent(at_month(yearly, "value"))
        label = "Charge-offs, a year"
        tile("charge_offs", label, rate, yearly, changes, rise_is_bad=True, unit="points")
    if found.cash["value"].count():
        paid = words.money(at_month(found.cash, "value"))
        tile("cash", "Cash paid", paid, found.cash, changes, rise_is_bad=False, unit="%")

ui.evidence("delinquency", found.rates, delinquency_rates, latest_change, in_cents=view.is_money)

# --- collecting ----------------------------------------------------------------------------
targets = ui.read_targets()
collected = collecting(view, targets)
if collected is not None:
    moved = dict(collected.changes)
    if is_few and "collected" in moved:  # the cost is of the whole book
        moved["collected"] = unjudged(moved["collected"])
    cost = collected.cost.filter(month=view.chosen.as_of) if collected.cost.height else None
    ui.heading(
        "What collecting brings",
        recovery_sentences.collecting_words(
            collected.attained,
            collected.late_by_case,
            cost,
            as_of=view.chosen.as_of,
            last_day=view.book.as_of,
        ),
    )
    with st.container(horizontal=True, key="collecting"):
        tile(
            "collected",
            "Cash on cases",
            words.money(at_month(collected.cash, "value")),
            collected.cash,
            moved,
            rise_is_bad=False,
            unit="%",
        )
        for metric, row in collected.attained.items():
            ui.target_tile(metric, row, collected.recovery[metric])
        if cost is not None and cost.height:
            tile(
                "cost",
                "Cost to collect",
                words.percent(cost["rate"][0]),
                collected.cost.select("month", value="rate"),
                moved,
                rise_is_bad=True,
                unit="points",
            )
    numbers = collected.cost if collected.cost.height else collected.cash
    ui.evidence("collecting", numbers, cost_to_collect, target_attainment, of="collecting")

# --- conduct -------------------------------------------------------------------------------
conducted = conduct(view)
if conducted is not None and conducted.rates:
    ui.heading(
        "Conduct",
        "Complaints received and breaches of contact rules in force, per 1,000 attempts of the"
        f" month, {when}. Unusual: as Complaints judges its weeks, and Contact rules its months."
        + (" Of all grades." if view.chosen.grades else ""),
    )
    names = {"complaints": "Complaints", "breaches": "Rule breaches"}
    with st.container(horizontal=True, key="conduct"):
        for name, series in conducted.rates.items():
            tile(
                name,
                names[name],
                words.number(at_month(series, "value"), decimals=2),
                series,
                conducted.changes,
                rise_is_bad=True,
                unit="per 1,000",
            )
    named = [one.with_columns(series=pl.lit(names[name])) for name, one in conducted.rates.items()]
    if conducted.vetoed is not None:
        st.markdown(vetoed_sentence(conducted.vetoed, view.chosen.as_of))
    ui.evidence("conduct", pl.concat(named), complaint_signal, breach_trend, of="conduct")

# --- why -----------------------------------------------------------------------------------
if found.splits:
    with st.container(horizontal=True, key="explained"):
        rates = {name: name for name in ("30+", "60+", "90+")}
        if found.charge_offs["numerator"].sum():
            rates["Charge-offs, a year"] = CHARGE_OFFS
        rate = rates[ui.segmented("Explain", tuple(rates), key="explained_rate")]
        parted = found.splits if rate == HEADLINE else splits(view.key, rate, view)
        by = {name.capitalize(): name for name in found.splits}
        segment = by[ui.segmented("By", tuple(by), key="explain")]
    of = "yearly charge-off" if rate == CHARGE_OFFS else rate
if found.splits and segment not in parted:
    st.caption(f"There is no {of} rate of the month before by {segment} to compare with.")
elif found.splits:
    split = parted[segment]
    change = changes[rate]
    ui.heading(
        f"Why the {of} rate changed by {words.points(split.change)} points",
        f"{of.capitalize()} rate of the {noun}, % and points, from the month before to {when}."
        " Mix: the book"
        f" moved between {segment}s. Rate: {segment}s themselves got better or worse.",
    )
    stairs = pl.DataFrame(
        {
            "name": ["Month before", "Mix", "Rate", when],
            "kind": ["start", "step", "step", "end"],
            "value": [split.before, split.mix, split.rate, split.after],
        }
    )
    left, right = st.columns(2, gap="large")
    with left:
        ui.chart(
            stairs,
            waterfalls.steps(
                stairs["name"].to_list(),
                alt=f"From {words.percent(split.before)} by mix and rate to"
                f" {words.percent(split.after)}.",
            ),
            key="stairs",
        )
    with right:
        parts = split.by_segment.head(8).select(
            name=pl.col(segment).fill_null(words.NOT_RECORDED),
            value="effect",
            is_beyond_noise=pl.lit(bool(change.is_beyond_noise)),
        )
        ui.chart(
            parts,
            bars.changes(
                parts["name"].to_list(),
                alt=f"Contribution of each {segment}, points.",
                unit="hundredths",
            ),
            key="parts",
        )
    ui.evidence("mix_and_rate", split.by_segment, mix_and_rate)

# --- early warnings ------------------------------------------------------------------------
every = {
    **changes,
    **(moved if collected else {}),
    **(conducted.changes if conducted else {}),
}
told = {name: one for name, one in every.items() if one.month == view.chosen.as_of}
warnings = limit_sentences(found.limits)
warnings += warning_sentences(told, rolls, basis=view.chosen.basis)
warnings += target_warnings(collected.attained) if collected else []
if conducted is not None and conducted.signal is not None:
    warnings += rise_warnings(conducted.signal)
passes = at_month(found.loans, "passes")
if passes is False:
    warnings.append(("reference/data_quality", "The loans of the month do not close."))
better = better_sentences(told, rolls, basis=view.chosen.basis)
judged = [change for change in told.values() if change.is_beyond_noise is not None]
unknown = len(told) - len(judged)
st.subheader("Early warnings", anchor=False)
if not warnings and judged:
    crossed = "left" if is_few else "crossed a limit or left"
    if better:
        crossed = crossed.replace("left", "got worse beyond")
    st.markdown(
        f"Nothing {'that can be judged ' if is_few else ''}{crossed} its usual variation in {when}."
    )
if unknown:
    st.caption(
        f"{words.number(unknown)} of {words.number(len(told))} figures"
        f" {'has' if unknown == 1 else 'have'} too few"
        f" {'loans or ' if is_few else ''}earlier changes to judge."
    )
linked(warnings)
if better:
    st.subheader("Better than usual", anchor=False)
    linked(better)

# --- does it add up? -----------------------------------------------------------------------
st.subheader("Does the book add up?", anchor=False)
if view.chosen.grades:
    st.caption("Of all grades: loans change their grade, so the loans of one grade do not close.")
ui.reconciliation_strip(
    found.loans, found.money, found.payments, view.chosen.as_of, first=view.book.first_month
)
ui.evidence("reconciliation", found.loans, loan_flow, money_flow)

# --- what is missing -----------------------------------------------------------------------
needs = ui.missing_figures(view.book)
if needs:
    st.subheader("What this page would also show", anchor=False)
    st.dataframe(
        pl.DataFrame(needs), hide_index=True, alt="Figures that need tables this book lacks"
    )
