"""The answers of the Complaints page, in words: results in, sentences out, safe as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from math import exp, factorial
from typing import Any

import polars as pl

from charts.format import day, listing, month, number, plain
from charts.sentences import plural

Row = Mapping[str, Any]
MEASURED = {"attempts": "attempts", "open_cases": "open cases a month"}
MOST_NAMED = 3
SURE = 0.05  # more signals than chance raises: as many come by chance less often than this
_WHY_NONE = {
    "short_baseline": "A signal needs a year of weeks before those it judges, and there are fewer.",
    "no_complaints": "No complaint came in the year before the weeks to be judged, so there is"
    " nothing to hold them against.",
    "nothing_to_judge": "There are no weeks to be judged.",
}
_WHY_ALONE = {
    "one_owner": "Only one collector has attempts, so there is nobody to compare with.",
    "no_owners": "No attempt names its collector, so complaints cannot be held against them.",
    "no_complaints": "No complaint of this choice names a collector.",
}


def rate(value: float | None) -> str:
    """A rate per 1,000."""
    return number(value, decimals=2)


def rate_sentence(now: Row, before: Row | None, *, measure: str, window: int, as_of: date) -> str:
    """How many complaints for 1,000 attempts, and how many before."""
    noun = MEASURED[measure]
    count = plural(int(now["complaints"]), "complaint")
    span = f"the {plural(window, 'month')} to {month(as_of)}"
    if now["rate"] is None:
        what = noun.removesuffix(" a month")
        return f"{count} came in {span}; there are no {what} to measure them by."
    said = (
        f"{count} came in {span}: {rate(now['rate'])} per 1,000 {noun}"
        f" ({rate(now['low'])} to {rate(now['high'])})"
    )
    if before is None or before["rate"] is None:
        return said + "."
    return said + f", after {rate(before['rate'])} in the {plural(window, 'month')} before."


def signal_sentences(
    whole: Any, parts: pl.DataFrame, *, judged: date | None, by_chance: float
) -> list[str]:
    """Each rise, named and dated: those that go on first, that of all complaints before others.

    `by_chance`: how many of the parts' signals chance alone would raise.
    """
    if whole.reason is not None:
        return [_WHY_NONE[whole.reason]]
    found = [("All together", row) for row in whole.signals.iter_rows(named=True)]
    newest = parts.sort("is_current", "week", descending=True)
    found += [(plain(row["name"]), row) for row in newest.iter_rows(named=True)]
    since = f" since {day(judged)}" if judged else ""
    if not found:
        return [f"No rise{since} is beyond the usual variation between weeks."]
    going_on = [one for one in found if one[1]["is_current"]]
    over = "The only rise is over." if len(found) == 1 else "All rises are over."
    lines = [] if going_on else [over]
    lines += [_rise(name, row) for name, row in (going_on or found)[:MOST_NAMED]]
    rest = len(found) - min(len(going_on or found), MOST_NAMED)
    if rest:
        lines.append(f"{plural(rest, 'more signal')} below.")
    if _chance_of(parts.height, by_chance) >= SURE:
        lines.append(
            f"Chance alone may raise as many signals: on average {number(by_chance, decimals=1)}."
        )
    return lines


def _chance_of(least: int, mean: float) -> float:
    """The probability of at least so many by chance alone; 0 where none is there to doubt."""
    if not least:
        return 0.0
    return 1 - sum(exp(-mean) * mean**count / factorial(count) for count in range(least))


def _rise(name: str, row: Row) -> str:
    """One rise: since when, how many instead of how many, and when it was noticed."""
    count = f"{number(row['complaints'])} instead of {number(row['expected'], decimals=1)}"
    alarm = f"signalled in the week of {day(row['week'])}"
    if row["is_current"]:
        return (
            f"**{name}**: more complaints since the week of {day(row['since'])}, {count} ({alarm})."
        )
    last = row["last_week"]
    span = (
        f"weeks of {day(row['since'])} to {day(last)}"
        if last > row["since"]
        else f"week of {day(last)}"
    )
    return f"**{name}**: more complaints in the {span}, {count} ({alarm})."


def rise_warnings(signal: Any) -> list[tuple[str, str]]:
    """A rise of all complaints that goes on, and the page that explains it."""
    return [
        (
            "conduct/complaints",
            f"More complaints than usual since the week of {day(row['since'])}:"
            f" {number(row['complaints'])} instead of {number(row['expected'], decimals=1)}.",
        )
        for row in signal.signals.iter_rows(named=True)
        if row["is_current"]
    ]


def power_sentence(signal: Any) -> str:
    """How long a doubling would stay unseen at these counts."""
    if signal.reason is not None or signal.expected is None:
        return ""
    said = f"At {number(signal.expected, decimals=1)} complaints a week as usual"
    if signal.weeks_to_find is None:
        return f"{said}, a doubling would stay unseen for more than two years."
    weeks = plural(signal.weeks_to_find, "week")
    return f"{said}, a doubling would be signalled within {weeks} nine times in ten."


def alarms_words(expected: float, found: int, *, judged: int) -> str:
    """What chance alone would raise, beside what was raised; `judged`: of how many series."""
    if not judged:
        return (
            "Nothing could be judged: a signal needs a year of measured weeks with complaints"
            " before those it judges."
        )
    return (
        f"{plural(found, 'signal').capitalize()} in these weeks; chance alone would raise about"
        f" {number(expected, decimals=1)}."
    )


def weeks_title(chart: Any) -> str:
    """The finding of the weekly chart."""
    if chart.reason is not None or chart.points.is_empty():
        return "Complaints week by week"
    high = chart.points.filter(pl.col("is_outside"), pl.col("rate") > pl.col("high")).height
    total = plural(chart.points.height, "week")
    if not high:
        return f"No week of {number(chart.points.height)} is above the limits"
    return f"{number(high)} of {total} {'is' if high == 1 else 'are'} above the limits"


def limits_words(chart: Any) -> str:
    """What the band is, and how much more than chance weeks differ."""
    if chart.reason is not None:
        return "There are too few weeks or complaints to say where weeks usually lie."
    said = "Band: where weeks usually lie. Weeks differ as much as by chance."
    if chart.sigma_z > 1.05:
        said = (
            "Band: where weeks usually lie."
            f" Weeks differ {number(chart.sigma_z, decimals=1)} times as much as by chance, and the"
            " limits allow for it."
        )
    if chart.points["is_few"].any():
        said += " Where fewer than five are expected, the limits are those of a count."
    return said


def whose_title(rates: pl.DataFrame, label: str, whole: float | None) -> str:
    """Who is highest for what they do, of those whose whole interval is above that of all.

    `rates` by falling rate, as they are drawn.
    """
    above = rates.filter(pl.col("low") > whole) if whole else rates.clear()
    if above.is_empty() or rates.height < 2:
        return f"By {label.lower()}"
    row = above.row(0, named=True)
    place = "is highest" if row["rate"] == rates["rate"][0] else "is above the average"
    said = f"{plain(row['name'])} {place}: {rate(row['rate'])}"
    said += f" ({rate(row['low'])} to {rate(row['high'])})"
    return said + (f", of {plural(row['complaints'], 'complaint')}" if row["is_small"] else "")


def nobodys_words(count: int) -> str:
    """Complaints that belong to nobody."""
    if not count:
        return ""
    verb = "belongs" if count == 1 else "belong"
    return (
        f"{plural(count, 'complaint')} {verb} to nobody (no contact, and no case with an owner)"
        f" and {'is' if count == 1 else 'are'} not shown here."
    )


def collector_sentences(found: Any) -> list[str]:
    """Which collectors draw more complaints than the others, and how much they differ at all."""
    shrunk = found.shrunk
    if shrunk.reason is not None:
        lines = [_WHY_ALONE[shrunk.reason]]
    else:
        flagged = shrunk.owners.filter("is_different")
        more = flagged.filter(pl.col("effect") > 0).sort("shrunk", descending=True)
        fewer = flagged.filter(pl.col("effect") < 0)
        compared = shrunk.owners.filter(pl.col("attempts") > 0).height
        lines = [_flagged(more, fewer, compared)]
        beside = (pl.col("low") > shrunk.mean) | (pl.col("high") < shrunk.mean)
        if shrunk.owners.filter(beside, ~pl.col("is_different")).height:
            lines.append(
                f"With {number(compared)} compared at once, an interval that only just leaves the"
                " line out may still be chance."
            )
    return [*lines, unattributed_words(found.unattributed, found.automated)]


def _flagged(more: pl.DataFrame, fewer: pl.DataFrame, compared: int) -> str:
    if not more.height and not fewer.height:
        return f"No collector of {number(compared)} differs from the others beyond chance."
    said = []
    if more.height:
        who = [plain(one) for one in more["collector_id"].head(MOST_NAMED)]
        rest = more.height - len(who)
        said.append(
            f"{listing([*who, *([plural(rest, 'other')] if rest else [])])}"
            f" {'draws' if more.height == 1 else 'draw'} more complaints than the others"
        )
    if fewer.height:
        said.append(f"{plural(fewer.height, 'collector')} fewer")
    return f"{listing(said)}, beyond chance, of {number(compared)}."


def unattributed_words(nobodys: int, automated: int) -> str:
    """What is in nobody's rate."""
    parts = []
    if automated:
        parts.append(f"{plural(automated, 'complaint')} about contacts that no collector made")
    if nobodys:
        parts.append(f"{plural(nobodys, 'complaint')} that cannot be attributed to anybody")
    return f"Left out: {listing(parts)}." if parts else ""
