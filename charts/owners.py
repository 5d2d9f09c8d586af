"""Owners beside each other: who is better than the average, who is outside the funnel, who moves.

A point is blue (better) or orange (worse) where it differs beyond noise, else grey, and hollow
where there are few cases.  A click on a point selects its owner: selection `owner`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal

import polars as pl

from charts.axes import MONTH_SHOWN, NARROW, Spec, canvas, value_axis, written
from charts.axes import months as month_axis
from charts.palette import ACCENT, BACKGROUND, BETTER, INK, MUTED, NOISE, SERIES, WORSE

OWNER = "owner"  # the name of the selection
ROWS = 24  # so many owners get a row with their name; more are drawn side by side
ROW = 22
HEIGHT = 400
Measure = Literal["points", "percent"]


def compared(
    owners: int, *, alt: str, measure: Measure = "points", locale: str | None = None
) -> Spec:
    """Owners by their advantage over the average one, with intervals, best first.

    Frame: `owner`, `rank`, `advantage`, `advantage_low`, `advantage_high`, `p_better`, `cases`,
    `is_different`, `is_small`.  Few owners have a row each, many stand side by side.
    """
    in_rows = owners <= ROWS
    value, place = ("x", "y") if in_rows else ("y", "x")
    line: Spec = {
        "mark": {"type": "rule", "tooltip": None, "aria": False, "strokeWidth": 1},
        "encoding": {value: {"datum": 0}, place: None, "color": {"value": MUTED.expr}},
    }
    whisker: Spec = {
        "mark": {
            "type": "rule",
            "strokeWidth": 1.5 if in_rows else 1,
            "tooltip": None,
            "aria": False,
        },
        "encoding": {
            value: {"field": "advantage_low", "type": "quantitative"},
            f"{value}2": {"field": "advantage_high"},
            "color": _tone(),
            "opacity": {"condition": {"test": "datum.is_different", "value": 1}, "value": 0.55},
        },
    }
    shown = [line, whisker, _points(80 if in_rows else 26, in_rows), *_names(in_rows, owners)]
    by_name: Spec = {
        "field": "owner",
        "type": "nominal",
        "sort": {"field": "rank"},
        "axis": {
            "title": None,
            "labelColor": INK.expr,
            "labelFontSize": 13,
            "labelLimit": {"expr": f"{NARROW} ? 110 : 200"},
        },
    }
    by_rank: Spec = {
        "field": "rank",
        "type": "quantitative",
        "title": None,
        "axis": {"title": "Rank", "grid": False, "tickCount": 6, "tickMinStep": 1},
        "scale": {"domain": [0, owners + 1], "nice": False},
    }
    return canvas(
        shown,
        alt=alt,
        height={"step": ROW} if in_rows else HEIGHT,
        autosize="fit-x" if in_rows else "fit",
        locale=locale,
        transform=[
            {"calculate": _written(measure, "datum.advantage"), "as": "advantage_text"},
            {
                "calculate": f"{_written(measure, 'datum.advantage_low', unit=False)} + ' to ' +"
                f" {_written(measure, 'datum.advantage_high')}",
                "as": "interval_text",
            },
            {"calculate": _chance("datum.p_better"), "as": "chance_text"},
        ],
        encoding={
            value: {
                "field": "advantage",
                "type": "quantitative",
                "title": None,
                "axis": value_axis("points"),
            },
            place: by_name if in_rows else by_rank,
            "tooltip": [
                {"field": "owner", "title": "Name"},
                {"field": "advantage_text", "title": "Above average"},
                {"field": "interval_text", "title": "95 % interval"},
                {"field": "chance_text", "title": "Better than average"},
                {"field": "rank", "title": "Rank"},
                {"field": "cases", "title": "Cases", "type": "quantitative", "format": ","},
            ],
        },
    )


def months(
    frame: pl.DataFrame, names: Sequence[str], *, alt: str, locale: str | None = None
) -> Spec:
    """The level of the first name month by month with intervals, the others as grey lines.

    Frame: `month`, `series`, `value`, `low`, `high`, `is_small`, `cases`.  Intervals of few cases
    may leave the picture, so that they do not flatten the others: an arrow then says so.
    """
    clear = frame.filter(~pl.col("is_small"))
    seen = (clear if clear.height else frame).select(
        low=pl.min_horizontal("low", "value").min(), high=pl.max_horizontal("high", "value").max()
    )
    room = 0.05 * ((seen["high"][0] or 0) - (seen["low"][0] or 0))
    ends = [min(seen["low"][0] or 0, 0) - room, max(seen["high"][0] or 0, 0) + room]
    mine = {"filter": f"datum.series === {json.dumps(names[0])}"}
    others = {"filter": f"datum.series !== {json.dumps(names[0])}"}
    hollow = {"test": "datum.is_small", "value": BACKGROUND.expr}
    quiet: Spec = {"tooltip": None, "aria": False, "clip": True}
    zero: Spec = {
        "mark": {"type": "rule", **quiet},
        "encoding": {"y": {"datum": 0}, "x": None, "color": {"value": MUTED.expr}},
    }
    line: Spec = {
        "transform": [others],
        "mark": {"type": "line", "strokeWidth": 1.5, "color": NOISE.expr, **quiet},
        "encoding": {"detail": {"field": "series"}},
    }
    own_line: Spec = {
        "transform": [mine],
        "mark": {"type": "line", "strokeWidth": 1, "opacity": 0.5, "color": SERIES.expr, **quiet},
    }
    whisker: Spec = {
        "transform": [mine],
        "mark": {"type": "rule", "strokeWidth": 1.5, "color": SERIES.expr, **quiet},
        "encoding": {
            "y": {"field": "low"},
            "y2": {"field": "high"},
            "opacity": {"condition": {"test": "datum.is_small", "value": 0.4}, "value": 1},
        },
    }
    dot: Spec = {
        "transform": [mine],
        "mark": {"type": "point", "size": 60, "strokeWidth": 1.6, "opacity": 1, "clip": True},
        "encoding": {
            "stroke": {"value": SERIES.expr},
            "fill": {"condition": [hollow], "value": SERIES.expr},
            "tooltip": [
                MONTH_SHOWN,
                {"field": "value_text", "title": "Above average"},
                {"field": "interval_text", "title": "95 % interval"},
                {"field": "cases", "title": "Cases", "type": "quantitative", "format": ","},
            ],
        },
    }
    arrows = [
        {
            "transform": [mine, {"filter": f"datum.{end} {sign} {limit}"}],
            "mark": {"type": "point", "shape": f"triangle-{way}", "size": 55, "filled": True,
                     "opacity": 1, "color": SERIES.expr, "tooltip": None, "aria": False},
            "encoding": {"y": {"datum": limit}},
        }
        for end, sign, limit, way in (("low", "<", ends[0], "down"), ("high", ">", ends[1], "up"))
    ]  # fmt: skip
    return canvas(
        [zero, line, own_line, whisker, dot, *arrows],
        alt=alt,
        height=260,
        locale=locale,
        transform=[
            {"calculate": written("points", "datum.value"), "as": "value_text"},
            {
                "calculate": f"{written('points', 'datum.low')} + ' to ' +"
                f" {written('points', 'datum.high')}",
                "as": "interval_text",
            },
        ],
        encoding={
            "x": month_axis() | {"scale": {"type": "utc", "padding": 14}},
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": None,
                "axis": value_axis("points"),
                "scale": {"domain": ends, "nice": False},
            },
        },
    )


def _tone() -> Spec:
    """Blue, orange or grey: only what differs beyond noise has a colour."""
    return {
        "condition": [
            {"test": "datum.is_different && datum.advantage > 0", "value": BETTER.expr},
            {"test": "datum.is_different && datum.advantage < 0", "value": WORSE.expr},
        ],
        "value": NOISE.expr,
    }


def selection(*, nearest: bool) -> Spec:
    found: Spec = {"type": "point", "fields": ["owner"], "on": "click", "toggle": False}
    return {"name": OWNER, "select": found | ({"nearest": True} if nearest else {})}


def _points(size: int, in_rows: bool) -> Spec:
    fill = _tone()
    hollow = {"test": "datum.is_small", "value": BACKGROUND.expr}
    return {
        "params": [selection(nearest=not in_rows)],
        "mark": {
            "type": "point",
            "size": size,
            "strokeWidth": 1.6,
            "opacity": 1,
            "cursor": "pointer",
        },
        "encoding": {
            "stroke": _tone(),
            "fill": {"condition": [hollow, *fill["condition"]], "value": fill["value"]},
        },
    }


def dot(size: int) -> Spec:
    return {"type": "point", "size": size, "strokeWidth": 1.5, "opacity": 1, "cursor": "pointer"}


def _names(in_rows: bool, owners: int) -> list[Spec]:
    """The names of the first and the last, where there is no room for all."""
    if in_rows:
        return []
    return [
        {
            "transform": [{"filter": f"datum.rank === {rank}"}],
            "mark": {
                "type": "text",
                "align": align,
                "baseline": baseline,
                "dy": shift,
                "tooltip": None,
                "aria": False,
            },
            "encoding": {
                "y": {"field": end},
                "text": {"field": "owner"},
                "color": {"value": ACCENT.expr},
            },
        }
        for rank, align, baseline, shift, end in (
            (1, "left", "bottom", -6, "advantage_high"),
            (owners, "right", "top", 6, "advantage_low"),
        )
    ]


def _written(measure: Measure, value: str, *, unit: bool = True) -> str:
    end = {"points": " points", "percent": "\N{NO-BREAK SPACE}%"}[measure] if unit else ""
    return f"{written('points', value)} + '{end}'"


def _chance(value: str) -> str:
    """A probability in whole per cent, never 0 or 100."""
    whole = f"format({value} * 100, '.0f') + ' %'"
    return (
        f"!isValid({value}) ? '–' : {value} > 0.995 ? 'over 99 %'"
        f" : {value} < 0.005 ? 'under 1 %' : {whole}"
    )
