"""What comes of attempts: a strip of steps for each name, and the steps of a timeline."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import polars as pl

from charts import curves
from charts.axes import NARROW, Spec, canvas, few_characters, names_down, written
from charts.format import SPACE
from charts.palette import BACKGROUND, BETTER, GRID, INK, MUTED, NOISE, SERIES, WORSE

_ROW = 34
_WIDE = 0.62  # of a column's width is a share of 1


def strip(
    order: Sequence[str],
    steps: Mapping[str, str],
    *,
    alt: str,
    locale: str | None = None,
) -> Spec:
    """A row of bars for each name, one for each step, each a share from 0 to 1 of its own.

    Frame: `name`, `step`, `share`, `low`, `high` (null: no interval), `is_small` (hollow),
    `numerator`, `denominator`.  `steps`: their codes and what is written above them, in order.
    """
    codes = list(steps)
    heads = json.dumps([steps[code] for code in codes])
    place = f"indexof({json.dumps(codes)}, datum.step)"
    known = {"filter": "isValid(datum.share)"}
    x = {"type": "quantitative"}
    track: Spec = {
        "mark": {"type": "bar", "height": {"band": 0.5}, "tooltip": None, "aria": False},
        "encoding": {
            "x": {"field": "place"} | x,
            "x2": {"field": "full"},
            "color": {"value": GRID.expr},
        },
    }
    small = {"test": "datum.is_small"}
    bar: Spec = {
        "transform": [known],
        "mark": {"type": "bar", "height": {"band": 0.5}, "strokeWidth": 1.2},
        "encoding": {
            "x": {"field": "place"} | x,
            "x2": {"field": "end"},
            "fill": {"condition": small | {"value": BACKGROUND.expr}, "value": SERIES.expr},
            "stroke": {"condition": small | {"value": NOISE.expr}, "value": SERIES.expr},
        },
    }
    whisker: Spec = {
        "transform": [{"filter": "isValid(datum.low)"}],
        "mark": {"type": "rule", "strokeWidth": 1.5, "tooltip": None, "aria": False},
        "encoding": {
            "x": {"field": "from"} | x,
            "x2": {"field": "to"},
            "color": {"value": INK.expr},
        },
    }
    text: Spec = {
        "mark": {
            "type": "text",
            "align": "left",
            "dx": {"expr": f"{NARROW} ? 2 : 4"},
            "fontSize": {"expr": f"{NARROW} ? 9 : 12"},
            "tooltip": None,
            "aria": False,
        },
        "encoding": {
            "x": {"field": "full"} | x,
            "text": {"field": "short_text"},
            "color": {
                "condition": {"test": "isValid(datum.share)", "value": INK.expr},
                "value": MUTED.expr,
            },
        },
    }
    at = {name: f"datum.place + {_WIDE} * datum.{field}" for name, field in _ENDS.items()}
    return canvas(
        [track, bar, whisker, text],
        alt=alt,
        height={"step": _ROW},
        autosize="fit-x",
        locale=locale,
        transform=[
            {"calculate": place, "as": "place"},
            {"calculate": f"datum.place + {_WIDE}", "as": "full"},
            *({"calculate": value, "as": name} for name, value in at.items()),
            {"calculate": written("share", "datum.share"), "as": "share_text"},
            {
                "calculate": f"{few_characters('datum.share')}"
                f" + (!isValid(datum.share) ? '' : {NARROW} ? '%' : '{SPACE}%')",
                "as": "short_text",
            },
            {
                "calculate": f"isValid(datum.low) ? {written('share', 'datum.low')} + ' to ' +"
                f" {written('share', 'datum.high')} : '–'",
                "as": "interval_text",
            },
            {"calculate": f"{heads}[datum.place]", "as": "step_text"},
        ],
        encoding={
            "y": names_down(order),
            "x": {
                "type": "quantitative",
                "title": None,
                "scale": {"domain": [0, len(codes) - 0.02], "nice": False},
                "axis": {
                    "orient": "top",
                    "values": list(range(len(codes))),
                    "labelExpr": f"{NARROW} ? split({heads}[datum.value], ' ')[0]"
                    f" : {heads}[datum.value]",
                    "labelAlign": "left",
                    "labelColor": INK.expr,
                    "labelFontSize": {"expr": f"{NARROW} ? 9 : 12"},
                    "labelLimit": {"expr": f"width / {len(codes)} - 4"},
                    "grid": False,
                    "title": None,
                },
            },
            "tooltip": [
                {"field": "name", "title": "Name"},
                {"field": "step_text", "title": "Step"},
                {"field": "share_text", "title": "Share"},
                {"field": "interval_text", "title": "95 % interval"},
                {"field": "numerator", "title": "Of these", "type": "quantitative"}
                | {"format": ","},
                {"field": "denominator", "title": "Out of", "type": "quantitative"}
                | {"format": ","},
            ],
        },
    )


def spread(frame: pl.DataFrame, *, alt: str, locale: str | None = None) -> Spec:
    """Over how many equal channels attempts are spread, by month: frame `month`, `value`."""
    spec = curves.lines(
        frame, {"channels": SERIES}, alt=alt, labels={"channels": "channels"}, height=190
    )
    spec["encoding"]["y"]["axis"] = {"title": None, "grid": True, "tickMinStep": 1, "format": "d"}
    spec["transform"].append({"calculate": "format(datum.value, '.1f')", "as": "value_text"})
    return spec


_ENDS = {"end": "share", "from": "low", "to": "high"}
WAYS = {"on_time": "In time", "late": "Late", "skipped": "Skipped"}


def taken(order: Sequence[str], *, alt: str, locale: str | None = None) -> Spec:
    """Of the cases due for a step, which took it in time, late, or not at all: a bar of 100 %.

    Frame: `name`, `way` (on_time, late, skipped), `share`, `cases`.
    """
    shades = {"on_time": BETTER, "late": NOISE, "skipped": WORSE}
    codes = list(WAYS)
    steps = names_down(order)
    steps["axis"] = steps["axis"] | {"labelFontSize": 12, "labelLimit": 180}
    return canvas(
        [
            {
                "mark": {"type": "bar", "height": {"band": 0.6}, "stroke": BACKGROUND.expr},
                "encoding": {
                    "x": _share_axis(),
                    "color": {
                        "field": "way",
                        "type": "nominal",
                        "scale": {"domain": codes, "range": [shades[way].expr for way in codes]},
                        "legend": {
                            "orient": "top",
                            "title": None,
                            "labelExpr": f"{json.dumps(WAYS)}[datum.label]",
                            "labelColor": INK.expr,
                            "labelFontSize": 12,
                            "symbolType": "square",
                            "padding": 0,
                            "offset": 6,
                        },
                    },
                    "order": {"field": "rank"},
                },
            },
            {
                "transform": [{"filter": f"datum.share >= ({NARROW} ? 0.15 : 0.07)"}],
                "mark": {"type": "text", "tooltip": None, "aria": False, "fontWeight": 600},
                "encoding": {
                    "x": _share_axis() | {"bandPosition": 0.5},
                    "text": {"field": "short_text"},
                    "detail": {"field": "way"},
                    "order": {"field": "rank"},
                    "color": {"value": BACKGROUND.expr},
                },
            },
        ],
        alt=alt,
        height={"step": _ROW},
        autosize="fit-x",
        locale=locale,
        transform=[
            {"calculate": f"indexof({json.dumps(codes)}, datum.way)", "as": "rank"},
            {"calculate": f"{json.dumps(WAYS)}[datum.way]", "as": "way_text"},
            {"calculate": written("share", "datum.share"), "as": "share_text"},
            {"calculate": written("share", "datum.share", decimals=0), "as": "short_text"},
        ],
        encoding={
            "y": steps,
            "tooltip": [
                {"field": "name", "title": "Step"},
                {"field": "way_text", "title": "Taken"},
                {"field": "share_text", "title": "Share of those due"},
                {"field": "cases", "title": "Cases", "type": "quantitative", "format": ","},
            ],
        },
    )


def _share_axis() -> Spec:
    return {
        "field": "share",
        "type": "quantitative",
        "stack": "zero",
        "title": None,
        "axis": None,
        "scale": {"domain": [0, 1], "nice": False},
    }
