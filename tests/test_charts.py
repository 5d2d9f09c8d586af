"""Colours that can be told apart and read, numbers written one way, charts that say what is there.

Contrast is WCAG 2's formula, lightness CIE L*, colour blindness Machado, Oliveira and Fernandes
2009 (severity 1.0); none of them is what the palette was made with (OKLab).
"""

from __future__ import annotations

import json
import re
import tomllib
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charts import bars, control, curves, format, intervals, matrices, palette, waits, waterfalls
from charts.palette import Shade

ROOT = Path(__file__).resolve().parent.parent
MODES = ("light", "dark")
BUCKETS = ("current", "1-30", "31-60", "61-90", "91-120", "121+")
OUT = ("charged_off", "sold", "paid_off")


# --- yardsticks ----------------------------------------------------------------------------


def linear(colour: str) -> list[float]:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]


def luminance(colour: str) -> float:
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear(colour), strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def lightness(colour: str) -> float:
    y = luminance(colour)
    return 116 * y ** (1 / 3) - 16 if y > 0.008856 else 903.3 * y


def mixed(top: str, below: str, share: float) -> str:
    pairs = [(int(top[i : i + 2], 16), int(below[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)


BLINDNESS = {
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
}


def lab(channels: list[float]) -> tuple[float, float, float]:
    matrix = (
        (0.4124, 0.3576, 0.1805),
        (0.2126, 0.7152, 0.0722),
        (0.0193, 0.1192, 0.9505),
    )
    xyz = [sum(m * c for m, c in zip(row, channels, strict=True)) for row in matrix]
    f = [
        (v / w) ** (1 / 3) if v / w > 0.008856 else 7.787 * v / w + 16 / 116
        for v, w in zip(xyz, (0.9505, 1.0, 1.089), strict=True)
    ]
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


def difference(one: str, other: str, blindness: str | None = None) -> float:
    seen = []
    for colour in (one, other):
        rgb = linear(colour)
        if blindness:
            rgb = [
                min(max(sum(m * c for m, c in zip(row, rgb, strict=True)), 0.0), 1.0)
                for row in BLINDNESS[blindness]
            ]
        seen.append(lab(rgb))
    return sum((a - b) ** 2 for a, b in zip(*seen, strict=True)) ** 0.5


def test_the_yardsticks_give_the_published_values() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)  # WebAIM
    assert lightness("#777777") == pytest.approx(50.0, abs=0.1)


# --- colours -------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["INK", "MUTED", "ACCENT", "BETTER_TEXT", "WORSE_TEXT"])
def test_text_has_a_contrast_of_at_least_four_and_a_half(mode: str, name: str) -> None:
    colour = getattr(getattr(palette, name), mode)
    for below in (palette.BACKGROUND, palette.SIDEBAR):
        assert contrast(colour, getattr(below, mode)) >= 4.5


@pytest.mark.parametrize("mode", MODES)
def test_captions_are_readable_though_streamlit_fades_them_to_sixty_percent(mode: str) -> None:
    for shade in (palette.BACKGROUND, palette.SIDEBAR):
        below = getattr(shade, mode)
        assert contrast(mixed(getattr(palette.INK, mode), below, 0.6), below) >= 4.5


def all_marks() -> list[Shade]:
    named = [palette.BETTER, palette.WORSE, palette.NOISE, palette.SERIES, palette.OTHER]
    states = [shade for count in range(2, 14) for shade in palette.lateness(count)]
    ends = [palette.CURRENT, palette.CHARGED_OFF, palette.SOLD, palette.PAID_OFF]
    return [*named, *states, *ends, *palette.CATEGORIES]


@pytest.mark.parametrize("mode", MODES)
def test_marks_have_a_contrast_of_at_least_three(mode: str) -> None:
    background = getattr(palette.BACKGROUND, mode)
    assert min(contrast(getattr(shade, mode), background) for shade in all_marks()) >= 3


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("count", [3, 5, 9, 12])
def test_lateness_moves_away_from_the_background_in_even_steps(mode: str, count: int) -> None:
    ramp = [lightness(getattr(shade, mode)) for shade in palette.lateness(count)]
    sign = -1 if mode == "light" else 1
    steps = [sign * (b - a) for a, b in pairwise(ramp)]
    assert min(steps) > 0
    assert max(steps) < 1.35 * min(steps)


@pytest.mark.parametrize("mode", MODES)
def test_the_end_of_the_book_stands_out_from_the_latest_bucket(mode: str) -> None:
    latest = palette.lateness(9)[-1]
    ends = (palette.CHARGED_OFF, palette.CURRENT)
    for end in ends:
        assert difference(getattr(latest, mode), getattr(end, mode)) > 15


@pytest.mark.parametrize("blindness", [None, *BLINDNESS])
@pytest.mark.parametrize("mode", MODES)
def test_better_and_worse_differ_for_colour_blind_readers(mode: str, blindness: str | None) -> None:
    better, worse = getattr(palette.BETTER, mode), getattr(palette.WORSE, mode)
    noise = getattr(palette.NOISE, mode)
    assert difference(better, worse, blindness) > 40
    assert difference(better, noise, blindness) > 15
    assert difference(worse, noise, blindness) > 15


def theme() -> dict[str, Any]:
    return tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]


@pytest.mark.parametrize("mode", MODES)
def test_the_theme_has_the_colours_of_the_charts(mode: str) -> None:
    section = theme()[mode]
    expected = {
        "backgroundColor": palette.BACKGROUND,
        "textColor": palette.INK,
        "linkColor": palette.ACCENT,
        "blueColor": palette.BETTER,
        "blueTextColor": palette.BETTER_TEXT,
        "orangeColor": palette.WORSE,
        "orangeTextColor": palette.WORSE_TEXT,
        "grayColor": palette.NOISE,
        "dataframeHeaderTextColor": palette.MUTED,
    }
    assert {key: section[key] for key in expected} == {
        key: getattr(shade, mode) for key, shade in expected.items()
    }
    assert section["sidebar"]["backgroundColor"] == getattr(palette.SIDEBAR, mode)
    categories = [getattr(shade, mode) for shade in (*palette.CATEGORIES, palette.OTHER)]
    assert section["chartCategoricalColors"] == categories


@pytest.mark.parametrize("mode", MODES)
def test_badges_and_deltas_are_readable_on_their_own_backgrounds(mode: str) -> None:
    section = theme()[mode]
    for name in ("blue", "orange", "red", "green", "yellow", "violet", "gray"):
        text, below = section[f"{name}TextColor"], section[f"{name}BackgroundColor"]
        assert contrast(text, below) >= 4.5, name
        assert contrast(section[f"{name}Color"], section["backgroundColor"]) >= 3, name


@pytest.mark.parametrize("mode", MODES)
def test_the_percentage_in_a_cell_is_readable_on_every_colour_of_the_matrix(mode: str) -> None:
    ramp = theme()[mode]["chartSequentialColors"]
    assert len(ramp) == 10  # any other number, and Streamlit takes its own colours
    between = [mixed(b, a, t / 10) for a, b in pairwise(ramp) for t in range(11)]
    for cell in between:
        text = "#ffffff" if luminance(cell) < matrices.DARK_CELL else "#000000"
        assert contrast(text, cell) >= 4.5
    assert contrast(getattr(palette.MUTED, mode), ramp[0]) >= 4.5
    assert contrast(getattr(palette.INK, mode), getattr(palette.GRID, mode)) >= 4.5
    assert len({luminance(cell) for cell in ramp}) == 10
    order = sorted(ramp, key=luminance, reverse=mode == "light")
    assert order == ramp


@pytest.mark.parametrize("mode", MODES)
def test_the_chosen_segment_is_readable_on_its_tint(mode: str) -> None:
    section = theme()[mode]
    primary, below = section["primaryColor"], section["backgroundColor"]
    assert contrast(primary, mixed(primary, below, 0.2)) >= 4.5
    side = section["sidebar"]
    primary, below = side.get("primaryColor", primary), side["backgroundColor"]
    assert contrast(primary, mixed(primary, below, 0.2)) >= 3
    assert contrast("#ffffff", primary) >= 3  # the chips of a filter: Streamlit writes in white


def test_nothing_in_the_theme_comes_over_the_network() -> None:
    text = (ROOT / ".streamlit" / "config.toml").read_text()
    assert not re.search(r"https?:", text)
    assert "gatherUsageStats = false" in text


# --- charts --------------------------------------------------------------------------------


def scales(spec: Any) -> list[dict[str, str]]:
    """Every colour scale in a specification: what is coloured -> how."""
    found = []
    if isinstance(spec, dict):
        colour = spec.get("color")
        if isinstance(colour, dict) and "domain" in colour.get("scale", {}):
            pairs = zip(colour["scale"]["domain"], colour["scale"]["range"], strict=True)
            found.append({name: value["expr"] for name, value in pairs if isinstance(value, dict)})
        found += [inner for value in spec.values() for inner in scales(value)]
    elif isinstance(spec, list):
        found += [inner for value in spec for inner in scales(value)]
    return found


def series(names: tuple[str, ...]) -> pl.DataFrame:
    months = [date(2026, 5, 31), date(2026, 6, 30)]
    return pl.DataFrame(
        [
            {"month": month, "series": name, "value": 0.1 * (place + 1)}
            for place, name in enumerate(names)
            for month in months
        ]
    )


def test_a_bucket_has_one_colour_in_every_chart_whatever_else_is_shown() -> None:
    shades = palette.state_shades(BUCKETS)
    late = BUCKETS[1:]
    whole = scales(bars.stacked(BUCKETS, alt="x"))[0]
    part = scales(bars.stacked(BUCKETS, shown=late[2:], alt="x"))[0]
    chosen = {name: shades[name] for name in late}
    lines = scales(curves.lines(series(late), chosen, alt="x"))[0]
    for bucket in late[2:]:
        assert whole[bucket] == part[bucket] == lines[bucket] == shades[bucket].expr["expr"]
    assert len(set(whole.values())) == len(BUCKETS)


def test_the_eighth_series_and_all_after_it_are_grey() -> None:
    names = [f"s{number}" for number in range(10)]
    shades = palette.series_shades(names)
    assert [name for name in names if shades[name] == palette.OTHER] == names[7:]
    assert len({shades[name] for name in names[:7]}) == 7


def matrix_spec(**options: Any) -> dict[str, Any]:
    return matrices.roll_matrix(BUCKETS, [*BUCKETS, *OUT], alt="Roll rates", **options)


def test_a_cell_of_the_matrix_is_where_its_states_say() -> None:
    spec = matrix_spec()
    assert spec["encoding"]["y"]["field"] == "from_state"
    assert spec["encoding"]["x"]["field"] == "to_state"
    assert spec["encoding"]["y"]["scale"]["domain"] == list(BUCKETS)
    assert spec["encoding"]["x"]["scale"]["domain"] == [*BUCKETS, *OUT]
    assert spec["layer"][0]["encoding"]["color"]["field"] == "rate"
    assert spec["layer"][0]["encoding"]["color"]["scale"]["domain"] == [0, 1]
    select = spec["layer"][0]["params"][0]
    assert select["name"] == matrices.CELL
    assert select["select"]["fields"] == ["from_state", "to_state"]


def test_changes_are_only_drawn_when_they_are_asked_for() -> None:
    assert "is_changed" not in json.dumps(matrix_spec())
    assert "is_changed" in json.dumps(matrix_spec(with_changes=True))


def test_bars_and_the_matrix_begin_at_zero_and_so_do_lines_unless_told() -> None:
    assert bars.ranked(["a"], alt="x")["encoding"]["x"]["scale"]["zero"] is True
    assert bars.stacked(BUCKETS, alt="x")["encoding"]["y"]["stack"] == "zero"
    lines = curves.lines(series(("a",)), palette.series_shades(["a"]), alt="x")
    assert lines["encoding"]["y"]["scale"]["zero"] is True


def test_weeks_within_their_limits_are_not_hollow_as_few_are_elsewhere() -> None:
    spec = control.weekly(alt="x")
    points = [layer["encoding"] for layer in spec["layer"] if "stroke" in layer.get("encoding", {})]
    assert [point["fill"] for point in points] == [point["stroke"] for point in points]
    assert points[0]["fill"]["value"] == palette.SERIES.expr


def test_steps_that_all_end_at_the_top_are_named_in_a_legend_not_across_the_lines() -> None:
    spec = waits.done_by_day(palette.series_shades(["a"]), {"a": "Answered"}, alt="x", title="y")
    legends = [layer["encoding"]["color"]["legend"] for layer in spec["layer"][:2]]
    assert all("Answered" in legend["labelExpr"] for legend in legends)
    assert not [layer for layer in spec["layer"] if layer["mark"]["type"] == "text"]


def test_every_chart_has_a_text_alternative_and_a_pair_of_colours() -> None:
    one = palette.series_shades(["a"])
    specs = [
        matrix_spec(with_changes=True) | {"description": "said"},
        curves.lines(series(("a",)), one, alt="said"),
        curves.usual_range(alt="said"),
        curves.sparkline(alt="said"),
        bars.stacked(BUCKETS, alt="said"),
        bars.ranked(["a"], alt="said"),
        bars.changes(["a"], alt="said"),
        intervals.dots(["a"], alt="said"),
        waterfalls.steps(["a"], alt="said"),
    ]
    for spec in specs:
        assert spec["description"] == "said"
        fixed = set(re.findall(r'"(?:value|color)": "(#\w+)"', json.dumps(spec)))
        assert fixed <= {"#ffffff", "#000000"}  # the numbers in a cell; all else has two modes


def test_a_month_between_gaps_is_a_point_and_what_is_named_is_dashed() -> None:
    shades = palette.series_shades(["a", "b"])
    spec = curves.lines(series(("a", "b")), shades, alt="x", dashed=["b"])
    line = next(layer for layer in spec["layer"] if layer["mark"]["type"] == "line")
    dashes = line["encoding"]["strokeDash"]["scale"]
    assert dict(zip(dashes["domain"], dashes["range"], strict=True)) == {"a": [1, 0], "b": [5, 4]}
    lone = "isValid(datum.value) && !isValid(datum.lag_value) && !isValid(datum.lead_value)"
    (points,) = [layer for layer in spec["layer"] if {"filter": lone} in layer.get("transform", [])]
    assert points["mark"]["type"] == "point"


def test_names_from_the_data_stay_text_in_a_specification() -> None:
    hostile = "']; alert(1); //\"</script>"
    spec = curves.lines(series((hostile, "b")), palette.series_shades([hostile, "b"]), alt="x")
    calculated = " ".join(step.get("calculate", "") for step in spec["transform"])
    assert json.dumps(hostile) in calculated
    assert hostile not in calculated


def test_labels_of_lines_that_end_together_keep_their_distance() -> None:
    assert curves._spread([0.0, 100.0]) == [0.0, 100.0]
    assert curves._spread([0.0, 0.0]) == [-curves.LABEL / 2, curves.LABEL / 2]


def test_labels_keep_their_distance_on_an_axis_that_holds_a_wide_band_too() -> None:
    """1.0 and 2.0 on an axis to 20, not to 2: 13 pixels lie between them, and 2 are missing."""
    frame = series(("own", "usual")).with_columns(
        value=pl.col("series").replace_strict({"own": 1.0, "usual": 2.0}, return_dtype=pl.Float64),
        low=pl.lit(0.0),
        high=pl.lit(20.0),
    )
    shades = palette.series_shades(["own", "usual"])
    assert curves._apart(frame, shades, 300, True) == {}
    shifts = curves._apart(frame, shades, 300, True, with_band=True)
    assert shifts == {"usual": -1.0, "own": 1.0}
    spec = json.dumps(curves.lines(frame, shades, alt="x", with_band=True))
    assert json.dumps(json.dumps(shifts))[1:-1] in spec


@given(st.lists(st.floats(-500, 500), min_size=1, max_size=9))
def test_labels_keep_their_order_and_their_distance(places: list[float]) -> None:
    spread = curves._spread(sorted(places))
    assert len(spread) == len(places)
    assert all(b - a >= curves.LABEL - 1e-6 for a, b in pairwise(spread))


# --- words and numbers ---------------------------------------------------------------------

NBSP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("written", "expected", "not_this"),
    [
        (format.percent(0.27449), f"27.4{NBSP}%", f"0.3{NBSP}%"),
        (format.percent(1), f"100.0{NBSP}%", f"1.0{NBSP}%"),
        (format.percent(None), "–", f"0.0{NBSP}%"),
        (format.percent(float("nan")), "–", f"nan{NBSP}%"),
        (format.points(0.031), "+3.1", "3.1"),
        (format.points(-0.02), "−2.0", "-2.0"),
        (format.points(-0.0004), "0.0", "−0.0"),
        (format.points(0.0004), "0.0", "+0.0"),
        (format.money(1_240_000_000), f"12.4{NBSP}M", f"1.2{NBSP}B"),
        (format.money(99_996_000), f"1.0{NBSP}M", f"1,000.0{NBSP}k"),
        (format.money(-1_240_000_000), f"−12.4{NBSP}M", f"12.4{NBSP}M"),
        (format.money(95_000), "950", f"1.0{NBSP}k"),
        (format.money(1_240_000_050, exact=True), "12,400,000.50", "12,400,000.5"),
        (format.money(None), "–", "0"),
        (format.money(1_240_000_050, exact=True, locale="de-DE"), "12.400.000,50", "12,400,000.50"),
        (format.percent(0.5, locale="fr"), f"50,0{NBSP}%", f"50.0{NBSP}%"),
        (format.number(1234567), "1,234,567", "1234567"),
        (format.span(0.261, 0.287), f"26.1–28.7{NBSP}%", f"0.3–0.3{NBSP}%"),
        (format.state("1-30"), "1–30 days", "1-30"),
        (format.state("1-30", basis="months"), "1 month", "0 months"),
        (format.state("181-270", basis="months"), "7–9 months", "6–9 months"),
        (format.state("1-29", basis="months"), "1 month", "1 months"),
        (format.state("361+", short=True), "361+", "361+ days"),
        (format.state("charged_off"), "Charged off", "charged_off"),
        (format.month(date(2026, 6, 30)), "June 2026", "July 2026"),
        (format.day(date(2026, 6, 3)), "3 June 2026", "03 June 2026"),
        (format.moment(datetime(2026, 6, 3, 9, 5)), "3 June 2026, 09:05", "3 June 2026, 9:5"),
        (format.listing(["a", "b", "c"]), "a, b and c", "a, b, c"),
        (format.listing(["a"]), "a", " and a"),
        (format.listing([]), "", " and "),
    ],
)
def test_numbers_months_and_states_are_written_one_way(
    written: str, expected: str, not_this: str
) -> None:
    assert written == expected
    assert written != not_this


HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "'; DROP TABLE loans; --",
    "**bold** $x$ [a](http://b)",
    ":red[hi] :material/home: :smile: :streamlit:",
    "# head",
    "1. one",
    "`code` ~~s~~ _i_ \\*esc\\*",
    "a -> b <- c -- d <-> e >= f",
    "https://evil.example www.evil.example x@y.com",
    "![i](http://b/i.png) [^1] :red-badge[x]",
    "> quote",
    "line1\nline2",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_plain_escapes_every_character_that_markdown_reads(text: str) -> None:
    made = format.plain(text)
    unescaped = re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", made)
    assert unescaped.replace("\N{WORD JOINER}", "") == " ".join(text.split())
    assert not re.search(r"[!-/:-@\[-`{-~]", re.sub(r"\\.", "", made))


def test_plain_leaves_ordinary_names_alone() -> None:
    assert format.plain("Cards 2026, 信用卡") == "Cards 2026\\, 信用卡"
    assert "\N{WORD JOINER}" not in format.plain("**bold** $x$ [a](http://b)")
