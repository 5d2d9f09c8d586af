"""How long until something is done: the share done by day, each line named where half are."""

from __future__ import annotations

from collections.abc import Mapping

from charts.axes import NARROW, Spec, canvas, exactly, lookup, value_axis
from charts.palette import INK, Shade, scale

_QUIET: Spec = {"tooltip": None, "aria": False}


def done_by_day(
    shades: Mapping[str, Shade],
    labels: Mapping[str, str],
    *,
    alt: str,
    title: str,
    height: int = 280,
    locale: str | None = None,
) -> Spec:
    """Shares done by days since a start, with bands.

    Frame: `day`, `series`, `value`, `low`, `high`, `at_risk`, `is_named` (the one row of a series
    beside which its name is written).
    """
    colour: Spec = {
        "field": "series",
        "type": "nominal",
        "scale": scale(dict(shades)),
        "legend": None,
    }
    band: Spec = {
        "mark": {"type": "area", "opacity": 0.16, "interpolate": "step-after"} | _QUIET,
        "encoding": {"y": {"field": "low"}, "y2": {"field": "high"}, "color": colour},
    }
    line: Spec = {
        "mark": {"type": "line", "strokeWidth": 2, "interpolate": "step-after"} | _QUIET,
        "encoding": {"color": colour},
    }
    text: Spec = {
        "transform": [{"filter": "datum.is_named"}],
        "mark": {
            "type": "text",
            "align": "left",
            "baseline": "middle",
            "dx": 8,
            "dy": 12,
            "fontWeight": 600,
            "fontSize": {"expr": f"{NARROW} ? 11 : 12"},
        }
        | _QUIET,
        "encoding": {"text": {"field": "series_label"}, "color": {"value": INK.expr}},
    }
    hover: Spec = {
        "mark": {"type": "point", "size": 120, "opacity": 0},
        "encoding": {
            "tooltip": [
                {"field": "series_label", "title": "Step"},
                {"field": "day", "title": title, "type": "quantitative"},
                {"field": "value_text", "title": "Share"},
                {"field": "at_risk", "title": "Waiting then", "type": "quantitative",
                 "format": ","},
            ]
        },
    }  # fmt: skip
    return canvas(
        [band, line, text, hover],
        alt=alt,
        height=height,
        locale=locale,
        transform=[
            lookup(labels, "series"),
            {"calculate": exactly("share", "datum.value"), "as": "value_text"},
        ],
        encoding={
            "x": {
                "field": "day",
                "type": "quantitative",
                "title": title,
                "axis": {"grid": False, "tickCount": 7, "format": "~f"},
                "scale": {"nice": False, "zero": True},
            },
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": None,
                "axis": value_axis("share"),
                "scale": {"domain": [0, 1]},
            },
        },
    )
