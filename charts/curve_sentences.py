"""Curves of placements and suits in words: what is paid by month, beside like cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from charts.format import number, percent
from charts.strategy_words import STEPS

Row = Mapping[str, Any]
TITLES: Final = {"agency": "What a placed balance pays", "suit": "What a sued balance pays"}
SINCE: Final = {"agency": "since placement", "suit": "since filing"}
LIKE: Final = {"agency": "Like cases in-house", "suit": "Like cases not sued"}
OWN: Final = {"agency": "With an agency", "suit": "Under suit"}
_BEGUN: Final = {"agency": "placements with agencies", "suit": "filings"}
_WHOM: Final = {"agency": "with agencies", "suit": "under suit"}
ASSUMES: Final = (
    "Of all regions and months of the data, whatever is chosen. Like: of the same product, grade"
    " and stage, as long after their opening. It assumes that what is not recorded does not decide"
    " who is placed or sued, and that a balance which pays at so many times the odds is cured at so"
    " many times the odds."
)


def curve_sentences(kind: str, started: int, rows: Sequence[Row], *, in_use: bool) -> list[str]:
    """How many began, in which months they paid more or less than like cases, and what that does.

    `rows`: the steps of a curve; `in_use`: the simulation goes by it.
    """
    known = [row for row in rows if row["theta"] is not None]
    if not started:
        return [f"No estimate: no {_BEGUN[kind]} are seen whole."]
    told = f"{number(started)} {_BEGUN[kind]} are seen."
    if not known:
        return [f"No estimate: {told[:-1]}, too few to be compared by month."]
    beyond = {True: [], False: []}  # type: dict[bool, list[str]]
    for row in known:
        low, high = (row["theta"] + side * 1.96 * row["se"] for side in (-1, 1))
        if low > 0 or high < 0:
            beyond[low > 0].append(_beside(row))
    lines = [f"Estimated. {told}"]
    for is_more, found in beyond.items():
        if found:
            lines.append(f"They paid {'more' if is_more else 'less'} than like cases in the"
                         f" {'; '.join(found)}.")  # fmt: skip
    if not any(beyond.values()):
        lines.append("In no month can what they paid be told from what like cases paid: both are"
                     " uncertain.")  # fmt: skip
    if not in_use:
        lines.append("Your assumption takes its place.")
    return lines


def _beside(row: Row) -> str:
    return f"{STEPS[row['step']]} ({percent(row['rate'])}, like cases {percent(row['like_rate'])})"
