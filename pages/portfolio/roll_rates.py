"""Roll rates: who gets worse next month?"""

import polars as pl
import streamlit as st

import ui
from analytics.flows import flow_to_loss, flow_to_loss_product, net_flow_rates
from analytics.groupings import Grouping, possible_groupings
from analytics.roll_changes import changed_cells
from analytics.roll_rates import movements, roll_rate_matrix
from charts import curves, intervals, matrices, sentences
from charts import format as words
from charts.palette import state_shades
from figures.roll_rates import figures, mapping_of
from queries import portfolio
from queries.loan_lists import loans_that_moved

LABELS: dict[Grouping, str] = {
    "buckets": "Buckets",
    "every_bucket": "Every bucket",
    "grades": "Four grades",
    "classes": "Regulatory classes",
}


def _list_loans(cell: dict[str, str]) -> None:
    """The loans behind a clicked cell, of the latest month of the window."""
    buckets = view.book.buckets
    full = mapping_of(buckets, grouping)
    from_states = [bucket for bucket in buckets if full[bucket] == cell["from_state"]]
    to_states = [bucket for bucket in buckets if full[bucket] == cell["to_state"]]
    start, end = (words.state(cell[side], basis=basis) for side in ("from_state", "to_state"))
    ui.loan_list(
        view,
        f"{start} to {end.lower()}, {when}" + (", the window's last month" if window > 1 else ""),
        lambda page: loans_that_moved(
            view.chosen,
            view.chosen.as_of,
            from_states,
            to_states or [cell["to_state"]],
            view.book.shape,
            page=page,
        ),
        key=f"{cell['from_state']}_{cell['to_state']}",
        empty="No loan made this move in the latest month.",
    )


view = ui.open_page("Roll rates", "Who gets worse next month?", has_window=True)
with st.sidebar:
    offered = {LABELS[one]: one for one in possible_groupings(view.book.buckets)}
    grouping = offered[ui.segmented("Show as", tuple(offered), key="states")]
found = figures(f"{view.key} {grouping}", grouping, view)
if found is None:
    ui.nothing_to_show(
        view,
        "Roll rates need two consecutive months; this choice has none up to the as-of month.",
        of=portfolio.transitions,
        counts=["loans"],
    )
when = words.month(view.chosen.as_of)
noun = "opening balance" if view.is_money else "loans"
basis = view.chosen.basis

verdicts = found.changed["verdict"].unique().to_list()
early = found.moves.filter(
    pl.col("month") == view.chosen.as_of, pl.col("from_state").is_in(found.codes[1:4])
)
worsening = sentences.worsening_sentence(early, as_of=view.chosen.as_of, basis=basis)
answer = sentences.roll_sentences(
    found.ranked,
    found.changed.filter(pl.col("p").is_not_null()).height,
    found.changed.filter(pl.col("rate") > 0, verdict="too_few_loans").height,
    verdicts[0] if len(verdicts) == 1 else None,
    found.driver,
    as_of=view.chosen.as_of,
    basis=basis,
)
ui.say([worsening or "", *answer])

# --- the matrix ----------------------------------------------------------------------------
to_states = [*found.codes, "charged_off", "sold", "paid_off"]
window = view.chosen.window
pooled = max(found.matrix["months"].to_list())
span = when if window == 1 else f"the {pooled} months to {when}, pooled"
hint = "Click a cell for its loans."
if grouping == "classes":
    cards = words.listing([words.plain(name) for name in sorted(view.book.revolving_products)])
    hint = "Classes by days late alone; cards reach a class sooner, and the book"
    hint += f"'s cards are {cards}." if cards else " has none."
shown_changes = found.ranked if window == 1 else found.ranked.clear()
hint = f"{hint} {sentences.outline_words(found.matrix, shown_changes)}".rstrip()
ui.heading(
    "Where the loans of each state are a month later",
    f"Share of the {noun} of a row, %, {span}. Rows add up to 100. {hint}",
)
cell = ["from_state", "to_state"]
changes = found.changed.select(*cell, "usual_rate", "difference", "is_changed")
cells = found.matrix.join(changes, on=cell, how="left").join(
    found.ranked.select(*cell, "is_worse"), on=cell, how="left"
)
clicked = ui.chart(
    cells,
    matrices.roll_matrix(
        found.codes,
        to_states,
        alt=f"Roll-rate matrix, {span}: rows are states, columns the state a month later.",
        basis=basis,
        with_changes=window == 1,
    ),
    key="matrix",
    select=None if grouping == "classes" else matrices.CELL,
)
lost = int(found.lost["unmatched_loans"].sum())
if lost:
    have, are = ("has", "is") if lost == 1 else ("have", "are")
    st.caption(
        f"{sentences.plural(lost, 'loan')} {have} no row a month later and {are} in no rate."
    )
ui.evidence(
    "roll_rates", cells, roll_rate_matrix, changed_cells, in_cents=view.is_money, basis=basis
)
if clicked:
    _list_loans(clicked[0])

# --- through time --------------------------------------------------------------------------
late = found.codes[1:]
if len(found.moves["month"].unique()) > 1:
    names = {words.state(code, basis=basis): code for code in late}
    latest = found.moves.filter(pl.col("month") == view.chosen.as_of, ~pl.col("is_small"))
    enough = latest["from_state"].to_list()
    first = next((name for name, code in names.items() if code in enough), None)
    picked = names[ui.pick("Bucket", tuple(names), key="bucket", default=first)]
    counts = sentences.bucket_words(
        found.moves.filter(pl.col("from_state").is_in(late)),
        picked,
        as_of=view.chosen.as_of,
        basis=basis,
    )
    ui.heading(
        f"What became of loans at {words.state(picked, basis=basis).lower()}, month by month",
        f"Share of the {noun} of the bucket, %, by month. {counts}",
    )
    ways = found.moves.filter(pl.col("from_state") == picked).unpivot(
        on=list(curves.WAYS), index="month", variable_name="series"
    )
    ui.chart(
        ways,
        curves.lines(
            ways,
            curves.WAY_SHADES,
            alt=f"Shares that got worse, stayed, improved or were cured from {picked}, by month.",
            labels=curves.WAYS,
        ),
        key="ways",
    )
    ui.evidence("movements", found.moves, movements, in_cents=view.is_money, basis=basis)

# --- flows ---------------------------------------------------------------------------------
has_loss = found.matrix.filter(pl.col("to_state") == "charged_off")["loans"].sum() > 0
if not has_loss:
    st.caption(f"No loan was charged off in {span}, so no flow to loss can be shown.")
else:
    rows = found.matrix.unique("from_state")
    sizes = dict(rows.select("from_state", "from_loans").iter_rows())
    small = dict(rows.select("from_state", "is_small").iter_rows())
    horizon = int(ui.segmented("Months ahead", ("12", "6", "24"), key="horizon"))
    ahead = found.loss.filter(pl.col("horizon") == horizon).with_columns(
        name=pl.col("bucket").replace_strict(
            {code: words.state(code, basis=basis) for code in found.codes}
        )
    )
    ui.heading(
        f"Share charged off within {horizon} months, if loans keep moving like this",
        f"Probability of charge-off by state, %, with 95 % interval, from the matrix of {span}. The"
        " interval says how well the matrix is known, not how the future may differ.",
    )
    ahead = ahead.select(
        "name",
        "bucket",
        "low",
        "high",
        "unknown",
        value="probability",
        loans=pl.col("bucket").replace_strict(sizes, return_dtype=pl.Int64),
        is_small=pl.col("bucket").replace_strict(small, return_dtype=pl.Boolean),
    )
    ui.chart(
        ahead,
        intervals.dots(
            ahead["name"].to_list(), alt=f"Flow to loss within {horizon} months by state."
        ),
        key="loss",
    )
    ui.evidence("flow_to_loss", found.loss, flow_to_loss, basis=basis)

flows = found.net_flow.filter(pl.col("bucket").is_in(found.narrow))
if flows["rate"].count():
    known = flows.select("month", series="bucket", value=pl.when(~pl.col("is_small")).then("rate"))
    ui.heading(
        "Net flow: what stands in a bucket for each unit one bucket earlier a month ago",
        f"{'Balance' if view.is_money else 'Loans'} over the earlier bucket's a month before, %."
        " Not a probability: it may pass 100."
        f" {sentences.few_flows_sentence(flows, basis=basis) or ''}",
    )
    shades = {
        code: shade for code, shade in state_shades(found.codes).items() if code in found.narrow
    }
    if known["value"].count():
        ui.chart(
            known,
            curves.lines(
                known,
                shades,
                alt="Net flow rates by bucket and month.",
                labels={code: words.state(code, basis=basis) for code in found.codes},
            ),
            key="net_flow",
        )
    ui.evidence("net_flow", found.net_flow, net_flow_rates, in_cents=view.is_money, basis=basis)
product = found.product
if product is not None:
    reached = words.state(product["bucket"][-1], basis=basis)
    notes = [" A dash: a rate on the way is of fewer than 30 loans."]
    notes = notes if product["factor"].null_count() else []
    notes += [" Another number than the probability above."] if has_loss else []
    ui.heading(
        f"What net flow would carry from each bucket to {reached}",
        f"Onward rate: the product of the net flow rates of {span}, from the bucket to {reached},"
        f" %. It may pass 100.{''.join(notes)}",
    )
    ui.readable_table(
        product.select(
            pl.col("bucket").replace(
                {code: words.state(code, basis=basis) for code in found.codes}
            ),
            net_flow_rate="rate",
            onward_rate="factor",
        ),
        alt="Product of net flow rates by bucket",
    )
    ui.evidence("net_flow_product", product, flow_to_loss_product, basis=basis)
ui.say_missing(view.book, "portfolio/roll_rates")
