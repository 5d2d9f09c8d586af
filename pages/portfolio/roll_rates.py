"""Roll rates: who gets worse next month?"""

from dataclasses import dataclass

import numpy as np
import polars as pl
import streamlit as st

import ui
from analytics.flows import flow_to_loss, flow_to_loss_product, net_flow_rates
from analytics.groupings import Grouping, grouped
from analytics.headlines import explain_roll, ranked_changes
from analytics.roll_changes import changed_cells
from analytics.roll_rates import movements, roll_rate_matrix, unmatched
from charts import format as words
from charts import sentences
from queries import portfolio
from queries.filters import months_before

HISTORY = 25
GROUPINGS: dict[str, Grouping] = {
    "Buckets": "buckets",
    "Every bucket": "every_bucket",
    "Four grades": "grades",
    "Regulatory classes": "classes",
}


@dataclass(frozen=True)
class Figures:
    """Everything on the page, made once for each choice."""

    codes: tuple[str, ...]
    matrix: pl.DataFrame
    changed: pl.DataFrame
    ranked: pl.DataFrame
    driver: tuple[str, str | None, float] | None
    moves: pl.DataFrame
    lost: pl.DataFrame
    loss: pl.DataFrame
    net_flow: pl.DataFrame
    product: pl.DataFrame


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def figures(key: str, grouping: Grouping, _view: ui.View) -> Figures | None:
    by = "product" if grouping == "classes" else None
    raw = ui.load(_view, portfolio.transitions, back=HISTORY, by=by)
    options = {"by": grouping, "revolving": _view.book.revolving_products}
    cells, codes = grouped(raw, _view.book.buckets, **options)
    cells = cells.filter(pl.col("month") > _view.book.first_month)
    first = months_before(_view.chosen.as_of, _view.chosen.window - 1)
    window = cells.filter(pl.col("month") >= first)
    if window.filter(~pl.col("from_state").is_in(["new", "appeared"])).is_empty():
        return None
    shared = {"buckets": codes, "weight": _view.weight}
    matrix = roll_rate_matrix(window, **shared)
    changed = changed_cells(cells, **shared)
    ranked = ranked_changes(changed, buckets=codes)
    stocks, _ = grouped(
        ui.load(_view, portfolio.stocks, back=HISTORY, by=by), _view.book.buckets, **options
    )
    net_flow = net_flow_rates(stocks, **shared)
    return Figures(
        codes=codes,
        matrix=matrix,
        changed=changed,
        ranked=ranked,
        driver=_driver(_view, ranked, options, codes),
        moves=movements(cells, **shared),
        lost=unmatched(window),
        loss=flow_to_loss(matrix, buckets=codes, generator=np.random.default_rng(7)),
        net_flow=net_flow,
        product=flow_to_loss_product(net_flow.filter(pl.col("month") >= first)),
    )
