"""Health: is the book getting better or worse, and why?"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import polars as pl
import streamlit as st

import ui
from analytics.changes import Change, latest_change
from analytics.delinquency import charge_off_rates, delinquency_rates
from analytics.groupings import grouped
from analytics.headlines import ranked_changes
from analytics.limits import crossed_limits
from analytics.mix_and_rate import MixAndRate, mix_and_rate
from analytics.reconciliation import (
    loan_flow,
    money_flow,
    payment_differences,
)
from analytics.roll_changes import changed_cells
from charts import bars, curves, sentences, waterfalls
from charts import format as words
from charts.palette import lateness
from queries import portfolio
from queries.filters import months_before

HISTORY = 25
TILE_HELP = (
    "Change from the month before. Unusual: beyond the figure's own month-to-month variation."
    " Not judged: fewer than six earlier changes."
)
SEGMENTS = ("product", "region", "grade")


@dataclass(frozen=True)
class Figures:
    """Everything on the page, made once for each choice."""

    rates: pl.DataFrame
    totals: pl.DataFrame
    charge_offs: pl.DataFrame
    cash: pl.DataFrame
    changes: dict[str, Change]
    splits: dict[str, MixAndRate]
    rolls: pl.DataFrame
    limits: pl.DataFrame
    loans: pl.DataFrame
    money: pl.DataFrame | None
    payments: pl.DataFrame


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def figures(key: str, _view: ui.View) -> Figures | None:
    view = _view
    shared: dict[str, Any] = {"buckets": view.book.buckets, "weight": view.weight}
    stocks = ui.load(view, portfolio.stocks, back=HISTORY)
    moves = ui.load(view, portfolio.transitions, back=HISTORY)
    amount = "weight_cents" if view.is_money else "loans"
    if not stocks.filter(pl.col("month") == view.chosen.as_of)[amount].sum():
        return None
    totals = stocks.group_by("month").agg(value=pl.col(amount).sum()).sort("month")
    rates = delinquency_rates(stocks, **shared)
    charge_offs = charge_off_rates(moves, weight=view.weight)
    cash = ui.load(view, portfolio.cash, back=HISTORY).select(
        "month", value=pl.coalesce("payments_cents", "paid_cents")
    )
    series = {
        f"{threshold}+": rates.filter(pl.col("threshold") == threshold).select(
            "month", value="rate"
        )
        for threshold in (30, 60, 90)
    }
    series["size"] = totals.with_columns(pl.col("value").log())
    series["charge_offs"] = charge_offs.select("month", value="annualised_rate")
    series["cash"] = cash.filter(pl.col("value") > 0).with_columns(pl.col("value").log())
    known = {name: one.drop_nulls() for name, one in series.items() if one["value"].count()}
    # loans change their grade, so a grade's loans do not close: the choice is widened there
    whole = replace(view, chosen=view.chosen.without("grade"))
    flow = ui.load(whole, portfolio.transitions, back=HISTORY)
    paid = ui.load(whole, portfolio.cash, back=HISTORY)
    return Figures(
        rates=rates,
        totals=totals,
        charge_offs=charge_offs,
        cash=cash,
        changes={name: latest_change(one) for name, one in known.items()},
        splits=_splits(view),
        rolls=_changed_rolls(view, moves),
        limits=crossed_limits(rates),
        loans=loan_flow(flow, ui.load(whole, portfolio.stocks, back=HISTORY)),
        money=money_flow(flow, paid) if view.book.has_balances else None,
        payments=payment_differences(paid),
    )


def _changed_rolls(view: ui.View, moves: pl.DataFrame) -> pl.DataFrame:
    """The roll rates that changed in the as-of month, in the buckets of the Roll rates page."""
    cells, codes = grouped(moves, view.book.buckets, by="buckets")
    known = cells.filter(~pl.col("from_state").is_in(["new", "appeared"]))
    seen = known.filter(pl.col("to_state") != "unmatched", pl.col("month") == view.chosen.as_of)
    if seen.is_empty():
        return seen
    changed = changed_cells(known, buckets=codes, weight=view.weight)
    return ranked_changes(changed, buckets=codes)


def _splits(view: ui.View) -> dict[str, MixAndRate]:
    """The change of the 30+ rate over the last month, by each segment with two values or more."""
    found = {}
    cells = ui.load(view, portfolio.segment_stocks, back=1)
    for segment in SEGMENTS:
        rates = delinquency_rates(
            cells, buckets=view.book.buckets, weight=view.weight, thresholds=(30,), by=(segment,)
        )
        months = sorted(rates["month"].unique())
        open_now = rates.group_by("month").agg(pl.col("denominator").sum())["denominator"]
        if len(months) == 2 and rates[segment].n_unique() > 1 and open_now.min():
            before, after = (rates.filter(pl.col("month") == month) for month in months)
            found[segment] = mix_and_rate(before, after, segment=segment)
    return found


def tile(
    changes: dict[str, Change],
    name: str,
    label: str,
    value: str,
    series: pl.DataFrame,
    *,
    rise_is_bad: bool | None,
    unit: str,
) -> None:
    """A headline figure: its value, its change, whether that is noise, and its course."""
    change = changes.get(name)
    delta, note, sign = None, "no month before", 0
    colour: Literal["gray", "orange", "blue"] = "gray"
    current = change is not None and change.month == view.chosen.as_of
    if change is not None and current and change.difference is not None:
        shown = change.difference if unit == "points" else _growth(change.difference)
        delta = f"{words.points(shown)} {unit}"
        sign = (delta[0] == "+") - (delta[0] == words.MINUS)
        note = {True: "unusual", False: "usual", None: "not judged"}[change.is_beyond_noise]
        if change.is_beyond_noise and rise_is_bad is not None:
            colour = "orange" if (change.difference > 0) == rise_is_bad else "blue"
    st.metric(
        label,
        words.plain(value),
        delta,
        delta_color=colour,
        delta_arrow="up" if sign > 0 else "down" if sign < 0 else "off",
        delta_description=note,
        chart_data=series["value"].drop_nulls().to_list() or None,
        border=True,
        width=170,
        help=TILE_HELP,
    )


def _growth(log_difference: float) -> float:
    return float(pl.Series([log_difference]).exp()[0]) - 1


view = ui.open_page("Health", "Is the book getting better or worse, and why?")
found = figures(view.key, view)
if found is None:
    ui.nothing_to_show(view, ui.NOTHING_OPEN)
when = words.month(view.chosen.as_of)
noun = "balance" if view.is_money else "loans"


def at_month(frame: pl.DataFrame, column: str, back: int = 0) -> Any:
    now = frame.filter(pl.col("month") == months_before(view.chosen.as_of, back))[column]
    return now[0] if now.len() else None


# --- the answer ----------------------------------------------------------------------------
late = found.rates.filter(pl.col("threshold") == 30)
sizes = {name: abs(one.by_segment["effect"][0]) for name, one in found.splits.items()}
first_segment = max(sizes, key=lambda name: sizes[name], default="product")
ui.say(
    sentences.health_sentences(
        found.changes["30+"],
        found.splits.get(first_segment),
        first_segment,
        late_cents=int(at_month(late, "numerator") or 0) if view.is_money else None,
        what=noun,
        year_ago=at_month(late, "rate", back=12),
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
    if view.is_money:
        tile(
            found.changes,
            "size",
            "Open balance",
            words.money(size),
            found.totals,
            rise_is_bad=None,
            unit="%",
        )
    else:
        tile(
            found.changes,
            "size",
            "Open loans",
            words.number(size),
            found.totals,
            rise_is_bad=None,
            unit="%",
        )
    for threshold in (30, 60, 90):
        one = found.rates.filter(pl.col("threshold") == threshold)
        tile(
            found.changes,
            f"{threshold}+",
            f"{threshold}+ days late",
            words.percent(at_month(one, "rate")),
            one.select("month", value="rate"),
            rise_is_bad=True,
            unit="points",
        )
    if found.charge_offs["numerator"].sum():
        tile(
            found.changes,
            "charge_offs",
            "Charge-offs, a year",
            words.percent(at_month(found.charge_offs, "annualised_rate")),
            found.charge_offs.select("month", value="annualised_rate"),
            rise_is_bad=True,
            unit="points",
        )
    if found.cash["value"].count():
        cash = at_month(found.cash, "value")
        tile(
            found.changes,
            "cash",
            "Cash paid",
            words.money(cash),
            found.cash,
            rise_is_bad=False,
            unit="%",
        )

ui.evidence("delinquency", found.rates, delinquency_rates, latest_change)

# --- why -----------------------------------------------------------------------------------
if found.splits:
    by = {name.capitalize(): name for name in found.splits}
    segment = by[ui.segmented("Explain by", tuple(by), key="explain")]
    split = found.splits[segment]
    change = found.changes["30+"]
    ui.heading(
        f"Why the 30+ rate changed by {words.points(split.change)} points",
        f"30+ rate of the {noun}, % and points, from the month before to {when}. Mix: the book"
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
st.subheader("Early warnings", anchor=False)
warnings = sentences.limit_sentences(found.limits)
warnings += sentences.warning_sentences(found.changes, found.rolls, basis=view.chosen.basis)
passes = at_month(found.loans, "passes")
if passes is False:
    warnings.append(("reference/data_quality", "The loans of the month do not close."))
judged = [change for change in found.changes.values() if change.is_beyond_noise is not None]
unjudged = len(found.changes) - len(judged)
if not warnings and judged:
    st.markdown(f"Nothing crossed a limit or left its usual variation in {when}.")
if unjudged:
    st.caption(
        f"{words.number(unjudged)} of {words.number(len(found.changes))} figures have too few"
        " earlier changes to judge."
    )
for page, line in warnings:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link(f"pages/{page}.py", label=ui.PAGES[page])
        st.markdown(line, width="content")

# --- does it add up? -----------------------------------------------------------------------
st.subheader("Does the book add up?", anchor=False)
if view.chosen.grades:
    st.caption("Of all grades: loans change their grade, so the loans of one grade do not close.")
ui.reconciliation_strip(found.loans, found.money, found.payments, view.chosen.as_of)
ui.evidence("reconciliation", found.loans, loan_flow, money_flow)

# --- what is missing -----------------------------------------------------------------------
needs = ui.missing_figures(view.book)
if needs:
    st.subheader("What this page would also show", anchor=False)
    st.dataframe(
        pl.DataFrame(needs), hide_index=True, alt="Figures that need tables this book lacks"
    )
st.caption("Not in this version yet: recovery against targets, cost to collect, complaints.")
