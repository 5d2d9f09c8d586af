"""Bars: stacked by month, ranked by segment, and changes to both sides of zero."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from charts.axes import (
    ARROW,
    MONTH_SHOWN,
    NARROW,
    Spec,
    Unit,
    canvas,
    exactly,
    lookup,
    months,
    names,
    names_down,
    text_after,
    value_axis,
    written,
)
from charts.format import Basis, state
from charts.palette import BACKGROUND, INK, MUTED, NOISE, SERIES, scale, state_shades, tone

BAR = 30  # pixels for one bar and its gap
PICKED = "bar"  # the name of the selection


def stacked(
    buckets: Sequence[str],
    *,
    alt: str,
    unit: Unit = "count",
    shown: Sequence[str] | None = None,
    basis: Basis = "days",
    height: int = 320,
    locale: str | None = None,
) -> Spec:
    """The buckets of a book month by month, the latest late at the bottom, where it can be read.

    Frame: `month`, `bucket`, `value`.  `shown` leaves buckets out (say, current); the colours stay
    those of the whole book.
    """
    kept = [code for code in buckets if shown is None or code in shown]
    shades = {code: shade for code, shade in state_shades(buckets).items() if code in kept}
    labels = {code: state(code, basis=basis) for code in kept}
    return canvas(
        [
            {
                "mark": {
                    "type": "bar",
                    "width": {"band": 0.88},
                    "stroke": BACKGROUND.expr,
                    "strokeWidth": {"expr": f"{NARROW} ? 0.4 : 0.8"},
                },
                "encoding": {
                    "color": {
                        "field": "bucket",
                        "type": "nominal",
                        "scale": scale(shades),
                        "legend": _key(labels),
                    },
                    "order": {"field": "depth", "sort": "descending"},
                },
            }
        ],
        alt=alt,
        height=height,
        locale=locale,
        transform=[
            {"filter": {"field": "bucket", "oneOf": kept}},
            {"calculate": f"indexof({json.dumps(kept)}, datum.bucket)", "as": "depth"},
            {"calculate": exactly(unit, "datum.value"), "as": "value_text"},
            lookup(labels, "bucket"),
        ],
        encoding={
            "x": months(banded=True),
            "y": {
                "field": "value",
                "type": "quantitative",
                "stack": "zero",
                "title": None,
                "axis": value_axis(unit),
            },
            "tooltip": [
                MONTH_SHOWN,
                {"field": "bucket_label", "title": "Bucket"},
                {"field": "value_text", "title": "Value"},
            ],
        },
    )


def _key(labels: Mapping[str, str]) -> Spec:
    """The colours in order, in a line above: a stack has no line ends to write on."""
    return {
        "orient": "top",
        "direction": "horizontal",
        "columns": {"expr": f"{NARROW} ? 3 : 10"},
        "title": None,
        "labelExpr": names(labels),
        "labelColor": INK.expr,
        "labelFontSize": 12,
        "symbolType": "square",
        "symbolSize": 110,
        "symbolStrokeWidth": 0,
        "columnPadding": 12,
        "padding": 0,
        "offset": 10,
    }


def ranked(
    order: Sequence[str],
    *,
    alt: str,
    unit: Unit = "share",
    with_interval: bool = False,
    pickable: bool = False,
    locale: str | None = None,
) -> Spec:
    """A bar for each name, in the order given, with its value at the end.

    Frame: `name`, `value`; with intervals also `low`, `high`, `is_small` (hollow).  If pickable, a
    click selects a bar: selection `bar` with `name`.
    """
    hollow = "datum.is_small" if with_interval else "false"
    bar: Spec = {
        "mark": {"type": "bar", "height": {"band": 0.62}, "strokeWidth": 1.5},
        "encoding": {
            "fill": {"condition": {"test": hollow, "value": BACKGROUND.expr}, "value": SERIES.expr},
            "stroke": {"condition": {"test": hollow, "value": NOISE.expr}, "value": SERIES.expr},
        },
    }
    if pickable:
        bar["params"] = [
            {"name": PICKED, "select": {"type": "point", "fields": ["name"], "toggle": False}}
        ]
        bar["encoding"]["opacity"] = {"condition": {"param": PICKED, "value": 1}, "value": 0.4}
    layers = [bar]
    if with_interval:
        layers.append(
            {
                "mark": {"type": "rule", "strokeWidth": 1.5, "tooltip": None, "aria": False},
                "encoding": {
                    "x": {"field": "low", "type": "quantitative"},
                    "x2": {"field": "high"},
                    "color": {"value": INK.expr},
                },
            }
        )
    end = "high" if with_interval else "value"
    layers.append(text_after(end, "short_text"))
    return canvas(
        layers,
        alt=alt,
        height={"step": BAR},
        autosize="fit-x",
        locale=locale,
        transform=[{"calculate": exactly(unit, "datum.value"), "as": "value_text"}, _short(unit)],
        encoding=_across(order) | {"tooltip": _tooltip(with_interval)},
    )


def changes(
    order: Sequence[str],
    *,
    alt: str,
    unit: Unit = "points",
    rise_is_bad: bool = True,
    locale: str | None = None,
) -> Spec:
    """What rose and what fell: bars to both sides of zero, signed, grey within noise.

    Frame: `name`, `value` (the change), `is_beyond_noise`.
    """
    bar: Spec = {
        "mark": {"type": "bar", "height": {"band": 0.62}},
        "encoding": {"color": tone("!datum.is_beyond_noise", rise_is_bad=rise_is_bad)},
    }
    zero: Spec = {
        "mark": {"type": "rule", "strokeWidth": 1, "tooltip": None, "aria": False},
        "encoding": {"x": {"datum": 0}, "y": None, "color": {"value": MUTED.expr}},
    }
    texts = [_signed("datum.value >= 0", "left", 6), _signed("datum.value < 0", "right", -6)]
    return canvas(
        [bar, zero, *texts],
        alt=alt,
        height={"step": BAR},
        autosize="fit-x",
        locale=locale,
        transform=[{"calculate": exactly(unit, "datum.value"), "as": "value_text"}, _short(unit)],
        encoding=_across(order, room=64) | {"tooltip": _tooltip(False)},
    )


def _across(order: Sequence[str], *, room: int = 0) -> Spec:
    """Names down the side, values to the right; the values are written, so no axis.

    `room`: pixels kept free at both ends for what is written there.
    """
    return {
        "y": names_down(order),
        "x": {
            "field": "value",
            "type": "quantitative",
            "axis": None,
            "scale": {"zero": True, "padding": room, "nice": False},
        },
    }


def _short(unit: Unit) -> Spec:
    return {"calculate": written(unit, "datum.value"), "as": "short_text"}


def _signed(side: str, align: str, shift: int) -> Spec:
    return {
        "transform": [
            {"filter": side},
            {"calculate": f"{ARROW} + datum.short_text", "as": "signed_text"},
        ],
        "mark": {"type": "text", "align": align, "dx": shift, "tooltip": None, "aria": False},
        "encoding": {"text": {"field": "signed_text"}},
    }


def _tooltip(with_interval: bool) -> list[Spec]:
    rows: list[Spec] = [
        {"field": "name", "title": "Name"},
        {"field": "value_text", "title": "Value"},
    ]
    if with_interval:
        rows += [{"field": "loans", "title": "Loans", "type": "quantitative", "format": ","}]
    return rows
