"""Which debts a channel was used on, and which of them the rules say it suits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from charts.axes import NARROW, Spec, canvas, lookup, names, written
from charts.palette import BACKGROUND, BETTER, GRID, INK, MUTED, WORSE

VERDICTS = {
    "fits": "fits",
    "wrong_duration": "wrong lateness",
    "wrong_amount": "wrong amount",
    "wrong_both": "neither fits",
    "no_rule": "no rule",
}
_ROW = 40


def suited(
    buckets: Mapping[str, str],
    amounts: Mapping[str, str],
    *,
    alt: str,
    locale: str | None = None,
) -> Spec:
    """A channel's attempts by lateness (down) and amount (across), each cell with its verdict.

    Frame: `bucket`, `amount`, `share_of_channel`, `attempts`, `verdict`.  Blue and framed fits,
    orange does not; the stronger the colour, the more of the channel's attempts.
    """
    fits = "datum.verdict === 'fits'"
    cell: Spec = {
        "mark": {"type": "rect", "cornerRadius": 1, "strokeWidth": 2},
        "encoding": {
            "fill": {
                "condition": [
                    {"test": "datum.verdict === 'no_rule'", "value": GRID.expr},
                    {"test": fits, "value": BETTER.expr},
                ],
                "value": WORSE.expr,
            },
            "fillOpacity": {
                "field": "share_of_channel",
                "type": "quantitative",
                "scale": {"type": "sqrt", "domain": [0, 1], "range": [0.04, 0.55]},
                "legend": None,
            },
            "stroke": {
                "condition": {"test": fits, "value": BETTER.expr},
                "value": BACKGROUND.expr,
            },
        },
    }

    def text(field: str, shift: int, size: str, shade: dict[str, str]) -> Spec:
        return {
            "mark": {
                "type": "text",
                "dy": shift,
                "fontSize": {"expr": size},
                "tooltip": None,
                "aria": False,
            },
            "encoding": {"text": {"field": field}, "color": {"value": shade}},
        }

    return canvas(
        [
            cell,
            text("share_text", -7, f"{NARROW} ? 10 : 13", INK.expr),
            text("verdict_text", 9, f"{NARROW} ? 8 : 11", INK.expr),
        ],
        alt=alt,
        height={"step": _ROW},
        autosize="fit-x",
        locale=locale,
        transform=[
            lookup(buckets, "bucket"),
            lookup(amounts, "amount"),
            {"calculate": written("share", "datum.share_of_channel"), "as": "share_text"},
            {"calculate": f"{json.dumps(VERDICTS)}[datum.verdict]", "as": "verdict_text"},
        ],
        encoding={
            "y": _axis("bucket", buckets, "left"),
            "x": _axis("amount", amounts, "top"),
            "tooltip": [
                {"field": "bucket_label", "title": "Lateness"},
                {"field": "amount_label", "title": "Placed amount"},
                {"field": "verdict_text", "title": "By the rule"},
                {"field": "share_text", "title": "Share of the channel"},
                {"field": "attempts", "title": "Attempts", "type": "quantitative", "format": ","},
            ],
        },
    )


def _axis(field: str, labels: Mapping[str, str], orient: str) -> Spec:
    codes: Sequence[str] = list(labels)
    axis: Spec = {
        "orient": orient,
        "title": None,
        "grid": False,
        "labelExpr": f"split({names(labels)}, {NARROW} ? ' (' : '\\n')[0]",
        "labelColor": INK.expr if orient == "left" else MUTED.expr,
        "labelAngle": 0,
        "labelLimit": {"expr": f"{NARROW} ? 80 : 170"},
        "labelFontSize": {"expr": f"{NARROW} ? 9 : 12"},
        "labelOverlap": False,
    }
    channel = "y" if orient == "left" else "x"
    return {
        "field": field,
        "type": "nominal",
        "scale": {"domain": codes, "paddingInner": 0.05 if channel == "x" else 0.08},
        "axis": axis,
    }
