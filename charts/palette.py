"""Colours: one for each meaning, on every page, in light and in dark.

Each colour is a pair, and the browser takes the one that fits the background it draws on, so a
chart follows the reader's theme at once.  Text has a contrast of 4.5 to 1 and more with both
backgrounds, marks 3 to 1; `.streamlit/config.toml` holds the same values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple


class Shade(NamedTuple):
    """A colour in light and in dark."""

    light: str
    dark: str

    @property
    def expr(self) -> dict[str, str]:
        """The colour as Vega-Lite takes it: chosen in the browser, by the background."""
        return {"expr": f"luminance(background) < 0.3 ? '{self.dark}' : '{self.light}'"}


BACKGROUND = Shade("#fdfcf9", "#16171b")
SIDEBAR = Shade("#f3f0e9", "#1b1d21")
INK = Shade("#171513", "#e9e6df")
MUTED = Shade("#625d56", "#a9a59c")  # subtitles, axis labels
GRID = Shade("#e8e4da", "#2c2f35")
ACCENT = Shade("#7d2b4b", "#eda0bd")  # links, what is selected
SERIES = Shade("#7d2b4b", "#c27a96")  # a single series

BETTER = Shade("#0072b2", "#56a8e0")
WORSE = Shade("#c9560a", "#ee8a3c")
NOISE = Shade("#8a857c", "#8b8880")  # a change that is no more than usual
BETTER_TEXT = Shade("#00619a", "#6cb6ea")
WORSE_TEXT = Shade("#a84808", "#f39a55")

CURRENT = Shade("#918c83", "#74716b")
PAID_OFF = Shade("#6f8796", "#7f97a6")
SOLD = Shade("#4a6274", "#a9c0cf")
CHARGED_OFF = Shade("#1b1918", "#f6f3ec")
OTHER = Shade("#8a857c", "#8b8880")  # new, appeared, unmatched, and all series after the seventh

# Okabe and Ito's order without black, each step darkened or lightened to 3 to 1.
CATEGORIES = (
    Shade("#b57200", "#e69f00"),
    Shade("#2f90c9", "#56b4e9"),
    Shade("#00805c", "#1fb389"),
    Shade("#877c00", "#d9cf3c"),
    Shade("#0a5c9e", "#4a93d6"),
    Shade("#c24a00", "#ee7733"),
    Shade("#b0508a", "#d58fb6"),
)


def tone(is_noise: str, *, rise_is_bad: bool) -> dict[str, object]:
    """The colour of a change, as Vega-Lite takes it: grey where the expression says noise."""
    up, down = (WORSE, BETTER) if rise_is_bad else (BETTER, WORSE)
    return {
        "condition": [
            {"test": is_noise, "value": NOISE.expr},
            {"test": "datum.value > 0", "value": up.expr},
        ],
        "value": down.expr,
    }


@cache
def lateness(count: int) -> tuple[Shade, ...]:
    """So many steps from a little late to very late, even to the eye (in OKLab's lightness)."""
    steps = [step / max(count - 1, 1) for step in range(count)]
    return tuple(
        Shade(
            _hex(0.655 - 0.355 * t, 0.130 - 0.045 * t, 22 - 47 * t),
            _hex(0.540 + 0.335 * t, 0.120 - 0.040 * t, -18 + 76 * t),
        )
        for t in steps
    )


def state_shades(buckets: Sequence[str]) -> dict[str, Shade]:
    """The colour of every state of a book: its buckets in order, and how loans leave it."""
    return {
        buckets[0]: CURRENT,
        **dict(zip(buckets[1:], lateness(len(buckets) - 1), strict=True)),
        "charged_off": CHARGED_OFF,
        "sold": SOLD,
        "paid_off": PAID_OFF,
        "unmatched": OTHER,
        "new": OTHER,
        "appeared": OTHER,
    }


def series_shades(names: Sequence[str]) -> dict[str, Shade]:
    """Colours for series that are no states: the eighth and all after it are grey."""
    if len(names) == 1:
        return {names[0]: SERIES}
    after = max(len(names) - len(CATEGORIES), 0)
    return dict(zip(names, (*CATEGORIES, *[OTHER] * after), strict=False))


def scale(shades: dict[str, Shade]) -> dict[str, object]:
    """A Vega-Lite colour scale."""
    return {"domain": list(shades), "range": [shade.expr for shade in shades.values()]}


def _hex(lightness: float, chroma: float, hue: float) -> str:
    """An OKLCH colour as sRGB (Ottosson 2020)."""
    a = chroma * math.cos(math.radians(hue))
    b = chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    channels = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    return "#" + "".join(f"{round(255 * _gamma(channel)):02x}" for channel in channels)


def _gamma(linear: float) -> float:
    linear = min(max(linear, 0.0), 1.0)
    return 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
