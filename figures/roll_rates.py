"""Roll rates: who gets worse next month?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import streamlit as st

import ui
from analytics.flows import flow_to_loss, flow_to_loss_product, net_flow_rates
from analytics.groupings import Grouping, grouped
from analytics.headlines import explain_roll, ranked_changes
from analytics.roll_changes import changed_cells
from analytics.roll_rates import movements, roll_rate_matrix, unmatched
from analytics.states import collapse_late, day_range, four_grades, remap
from queries import portfolio
from queries.filters import months_before

HISTORY = 25


@dataclass(frozen=True)
class Figures:
    """Everything on the page, made once for each choice.

    `narrow`: the late buckets that net flow can compare; `product` of net flow to the last of them
    that it reaches; None where it reaches none.
    """

    codes: tuple[str, ...]
    matrix: pl.DataFrame
    changed: pl.DataFrame
    ranked: pl.DataFrame
    driver: tuple[str, str | None, float] | None
    moves: pl.DataFrame
    lost: pl.DataFrame
    loss: pl.DataFrame
    net_flow: pl.DataFrame
    narrow: tuple[str, ...]
    product: pl.DataFrame | None


@st.cache_resource(max_entries=128, ttl=3600, show_spinner=False)
def figures(key: str, grouping: Grouping, _view: ui.View) -> Figures | None:
    by = "product" if grouping == "classes" else None
    raw = ui.load(_view, portfolio.transitions, back=HISTORY, by=by)
    options: dict[str, Any] = {"by": grouping, "revolving": _view.book.revolving_products}
    cells, codes = grouped(raw, _view.book.buckets, **options)
    cells = cells.filter(~pl.col("from_state").is_in(["new", "appeared"]))
    first = months_before(_view.chosen.as_of, _view.chosen.window - 1)
    window = cells.filter(pl.col("month") >= first)
    if window.is_empty():
        return None
    shared: dict[str, Any] = {"buckets": codes, "weight": _view.weight}
    matrix = roll_rate_matrix(window, **shared)
    seen = window.filter(pl.col("to_state") != "unmatched")
    if seen.is_empty():
        return None
    is_current = seen["month"].max() == _view.chosen.as_of
    changed = changed_cells(cells, **shared)
    if not is_current:  # no loan of the choice was seen in the as-of month: nothing to judge
        changed = changed.with_columns(pl.lit(None, pl.Float64).alias("p"), is_changed=False)
    ranked = ranked_changes(changed, buckets=codes)
    stocks, _ = grouped(
        ui.load(_view, portfolio.stocks, back=HISTORY, by=by), _view.book.buckets, **options
    )
    net_flow = net_flow_rates(stocks, **shared)
    narrow = _monthly_buckets(codes[1:]) if grouping in ("buckets", "every_bucket") else ()
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
        narrow=narrow,
        product=_product(net_flow.filter(pl.col("month") >= first), narrow),
    )


def _monthly_buckets(late: Sequence[str]) -> tuple[str, ...]:
    """The late buckets that are a month wide: net flow compares neighbours a month apart."""
    widths = [(code, day_range(code)) for code in late]
    return tuple(code for code, (low, high) in widths if high is not None and high - low < 31)


def _product(net_flow: pl.DataFrame, narrow: Sequence[str]) -> pl.DataFrame | None:
    """The product of net flow up to the last bucket that it is known to reach."""
    known = net_flow.filter(~pl.col("is_small"), pl.col("rate").is_not_null())["bucket"]
    reached = [code for code in narrow if code in known]
    return flow_to_loss_product(net_flow, last=reached[-1]) if reached else None


def _driver(
    view: ui.View, ranked: pl.DataFrame, options: dict[str, Any], codes: tuple[str, ...]
) -> tuple[str, str | None, float] | None:
    """The segment that explains most of the first changed roll rate."""
    if not ranked.height:
        return None
    row = ranked.row(0, named=True)
    if options["by"] == "classes":  # a class has different buckets by product
        return None
    mapping = mapping_of(view.book.buckets, options["by"])
    starts = tuple(bucket for bucket, code in mapping.items() if code == row["from_state"])
    raw = ui.load(view, portfolio.segment_transitions, from_states=starts, back=HISTORY)
    cells = remap(raw, mapping)
    best: tuple[str, str | None, float] | None = None
    for segment in ("product", "region", "grade"):
        if cells[segment].n_unique() < 2:
            continue
        split = explain_roll(
            cells,
            buckets=codes,
            weight=view.weight,
            from_state=row["from_state"],
            to_states=[row["to_state"]],
            segment=segment,
            year_ago=row["reference"] == "year_ago",
        )
        first = split.by_segment.row(0, named=True)
        share = first["effect"] / split.change if split.change else 0.0
        if split.by_segment.height > 1 and (best is None or share > best[2]):
            best = (segment, first[segment], share)
    return best if best and 0.3 <= best[2] <= 1.05 else None


def mapping_of(buckets: Sequence[str], by: Grouping) -> dict[str, str]:
    """Which code each bucket goes by, under a grouping that is the same for all products."""
    if by == "grades":
        return four_grades(buckets)
    return collapse_late(buckets) if by == "buckets" else {bucket: bucket for bucket in buckets}
