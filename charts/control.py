"""A rate week by week with its limits and the dated signals; and a rate by how often one tried."""

from __future__ import annotations

from collections.abc import Sequence

from charts import intervals
from charts.axes import NARROW, Spec, canvas, value_axis, written
from charts.palette import (
    ACCENT,
    BACKGROUND,
    BETTER,
    GRID,
    INK,
    MUTED,
    NOISE,
    SERIES,
    WORSE,
)

_QUIET: Spec = {"tooltip": None, "aria": False}
_SPAN = "(domain('x')[1] - domain('x')[0])"
_MANY_WEEKS = 120 * 24 * 3_600_000  # milliseconds: over so long ticks are months apart
_WEEK: Spec = {
    "field": "week",
    "timeUnit": "utcyearmonthdate",
    "type": "temporal",
    "scale": {"type": "utc"},
    "title": None,
    "axis": {
        "grid": False,
        "labelExpr": f"utcFormat(datum.value, {_SPAN} < {_MANY_WEEKS} ? '%-d %b %Y' : '%b %Y')",
        "labelAngle": 0,
        "tickCount": {"expr": f"{NARROW} ? 3 : 7"},
        "labelOverlap": "parity",
        "labelSeparation": 24,
        "labelFlush": True,
    },
}


def weekly(*, alt: str, height: int = 300, locale: str | None = None) -> Spec:
    """A rate by week between its limits; weeks outside are orange (high) or blue (low).

    Frame: `week`, `rate`, `low`, `high`, `centre`, `is_outside`, `complaints`, `exposure`,
    `signal` (text on the week of an alarm, else null).  A dashed line marks such a week.
    """
    outside = [
        {"test": "datum.is_outside && datum.rate > datum.high", "value": WORSE.expr},
        {"test": "datum.is_outside", "value": BETTER.expr},
    ]
    band: Spec = {
        "mark": {"type": "area", "interpolate": "step", "opacity": 0.18, "color": NOISE.expr}
        | _QUIET,
        "encoding": {"y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}},
    }
    centre: Spec = {
        "mark": {"type": "line", "strokeWidth": 1, "strokeDash": [4, 3], "color": MUTED.expr}
        | _QUIET,
        "encoding": {"y": {"field": "centre", "type": "quantitative"}},
    }
    line: Spec = {"mark": {"type": "line", "strokeWidth": 1.5, "color": SERIES.expr} | _QUIET}
    point: Spec = {
        "mark": {
            "type": "point",
            "size": {"expr": f"{NARROW} ? 12 : 26"},
            "strokeWidth": 1.5,
            "opacity": 1,
        },
        "encoding": {
            "stroke": {"condition": outside, "value": SERIES.expr},
            "fill": {"condition": outside, "value": SERIES.expr},
            "tooltip": [
                {"field": "week", "type": "temporal", "title": "Week of", "format": "%d %b %Y",
                 "timeUnit": "utcyearmonthdate"},
                {"field": "rate_text", "title": "Per 1,000"},
                {"field": "limits_text", "title": "Limits"},
                {"field": "complaints", "title": "Complaints", "type": "quantitative",
                 "format": ","},
                {"field": "exposure", "title": "Measured by", "type": "quantitative",
                 "format": ",.0f"},
            ],
        },
    }  # fmt: skip
    return canvas(
        [band, centre, *_alarms(), line, point],
        alt=alt,
        height=height,
        locale=locale,
        transform=[
            {"calculate": written("rate", "datum.rate"), "as": "rate_text"},
            {
                "calculate": f"{written('rate', 'datum.low')} + ' to ' +"
                f" {written('rate', 'datum.high')}",
                "as": "limits_text",
            },
        ],
        encoding={
            "x": _WEEK,
            "y": {
                "field": "rate",
                "type": "quantitative",
                "title": None,
                "axis": value_axis("rate"),
                "scale": {"zero": True, "nice": True},
            },
        },
    )


def _alarms() -> list[Spec]:
    """A line on each week in which the signal was raised, with its words at the top."""
    only: list[Spec] = [{"filter": "isValid(datum.signal)"}]
    rule: Spec = {
        "transform": only,
        "mark": {"type": "rule", "strokeDash": [3, 3], "color": ACCENT.expr} | _QUIET,
        "encoding": {"y": None},
    }
    text: Spec = {
        "transform": only,
        "mark": {
            "type": "text",
            "align": "right",
            "baseline": "top",
            "dx": -5,
            "y": 2,
            "fontWeight": 600,
            "color": INK.expr,
        }
        | _QUIET,
        "encoding": {"y": None, "text": {"field": "signal"}},
    }
    return [rule, text]


def excess(*, alt: str, height: int = 180, locale: str | None = None) -> Spec:
    """The running excess by week, and the limit above which it raises a signal.

    Frame: `week`, `cusum`, `limit`, `complaints`, `expected`, `is_signal`.
    """
    raised: Spec = {"test": "datum.is_signal", "value": WORSE.expr}
    bar: Spec = {
        "mark": {"type": "bar", "width": {"expr": f"{NARROW} ? 5 : 9"}},
        "encoding": {
            "color": {"condition": raised, "value": NOISE.expr},
            "tooltip": [
                {"field": "week", "type": "temporal", "title": "Week of", "format": "%d %b %Y",
                 "timeUnit": "utcyearmonthdate"},
                {"field": "cusum", "title": "Excess", "type": "quantitative", "format": ".1f"},
                {"field": "complaints", "title": "Complaints", "type": "quantitative"},
                {"field": "expected", "title": "Expected", "type": "quantitative",
                 "format": ".1f"},
            ],
        },
    }  # fmt: skip
    line: Spec = {
        "mark": {"type": "line", "strokeDash": [4, 3], "strokeWidth": 1.5, "color": ACCENT.expr}
        | _QUIET,
        "encoding": {"y": {"field": "limit", "type": "quantitative"}},
    }
    return canvas(
        [bar, line],
        alt=alt,
        height=height,
        locale=locale,
        encoding={
            "x": _WEEK,
            "y": {
                "field": "cusum",
                "type": "quantitative",
                "title": None,
                "axis": value_axis("rate"),
                "scale": {"zero": True},
            },
        },
    )


REACH = 8  # times as often, or as seldom: intervals that go further leave the picture


def ratios(
    order: Sequence[str], *, alt: str, counted: str = "Loans", locale: str | None = None
) -> Spec:
    """How many times as often, with intervals, on an axis where twice and half are as far from 1.

    Frame: as that of `intervals.dots`.  What lies beyond the axis ends at it, with an arrow.
    """
    spec = intervals.dots(
        order, alt=alt, unit="rate", reference=1.0, counted=counted, locale=locale
    )
    ends = (1 / REACH, REACH)
    times = "datum.value < 1 ? '1/' + format(1 / datum.value, '.0f') : format(datum.value, '.0f')"
    spec["encoding"]["x"] |= {
        "scale": {"type": "log", "base": 2, "domain": ends, "clamp": True, "nice": False},
        "axis": {"title": None, "labelExpr": times, "values": [1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8],
                 "labelOverlap": False},
    }  # fmt: skip
    spec["layer"] += [
        {
            "transform": [{"filter": f"datum.{name} {sign} {end}"}],
            "mark": {"type": "point", "shape": f"triangle-{way}", "size": 55, "filled": True,
                     "opacity": 1, "color": MUTED.expr} | _QUIET,
            "encoding": {"x": {"datum": end}},
        }
        for name, sign, end, way in (("low", "<", ends[0], "left"), ("high", ">", ends[1], "right"))
    ]  # fmt: skip
    return spec


def by_times(*, alt: str, times: str, height: int = 260, locale: str | None = None) -> Spec:
    """A rate by how often something was done: the line that was fitted, and what was counted.

    Frame: `times`, `rate` (fitted), `low`, `high`, `adjusted` (counted, on the line's mix),
    `observed` (counted), `cases`.
    """
    band: Spec = {
        "mark": {"type": "area", "opacity": 0.16, "color": SERIES.expr} | _QUIET,
        "encoding": {"y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}},
    }
    line: Spec = {
        "mark": {"type": "line", "strokeWidth": 2, "color": SERIES.expr} | _QUIET,
        "encoding": {"y": {"field": "rate", "type": "quantitative"}},
    }
    point: Spec = {
        "mark": {"type": "point", "size": 60, "strokeWidth": 1.6, "opacity": 1},
        "encoding": {
            "y": {"field": "adjusted", "type": "quantitative"},
            "stroke": {"value": INK.expr},
            "fill": {"value": BACKGROUND.expr},
            "tooltip": [
                {"field": "times", "title": times, "type": "quantitative"},
                {"field": "observed_text", "title": "Counted, per 1,000"},
                {"field": "adjusted_text", "title": "On everybody’s mix"},
                {"field": "rate_text", "title": "Fitted, per 1,000"},
                {"field": "cases", "title": "Case-months", "type": "quantitative", "format": ","},
            ],
        },
    }
    return canvas(
        [band, line, point],
        alt=alt,
        height=height,
        locale=locale,
        transform=[
            {"calculate": written("rate", "datum.rate"), "as": "rate_text"},
            {"calculate": written("rate", "datum.observed"), "as": "observed_text"},
            {"calculate": written("rate", "datum.adjusted"), "as": "adjusted_text"},
        ],
        encoding={
            "x": {
                "field": "times",
                "type": "quantitative",
                "title": times,
                "axis": {"grid": False, "tickMinStep": 1, "format": "~f"},
                "scale": {"nice": False},
            },
            "y": {
                "type": "quantitative",
                "title": None,
                "axis": value_axis("rate") | {"gridColor": GRID.expr},
                "scale": {"zero": True},
            },
        },
    )
