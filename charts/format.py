r"""How numbers, months, states and names are written, everywhere: pages, sentences and charts.

A product may be called `**bold** $x$ [a](http://b)`.  Streamlit reads Markdown in text,
metrics, tables and the labels of buttons, tabs and segmented controls (not in selectbox,
multiselect or dataframe), so whatever comes from data goes through `plain` there.  Charts read
neither Markdown nor HTML: they take the text as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextvars import ContextVar
from datetime import date, datetime
from functools import lru_cache
from typing import Literal

MISSING = "–"
NOT_RECORDED = "not recorded"
MINUS = "\N{MINUS SIGN}"
SPACE = "\N{NO-BREAK SPACE}"

Basis = Literal["days", "months"]

# Decimal mark and thousands separator by language; English where the language is not known.
_COMMA_AND_DOT = ("de", "es", "it", "nl", "da", "id", "tr", "pt", "el")
_COMMA_AND_SPACE = ("fr", "ru", "pl", "cs", "sv", "fi", "nb", "no", "uk", "sk", "hu", "bg")
_SCALES = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


_reader: ContextVar[str | None] = ContextVar("reader", default=None)


def write_for(locale: str | None) -> None:
    """From here on numbers are written as this reader does, unless a call says otherwise."""
    _reader.set(locale)


def separators(locale: str | None) -> tuple[str, str]:
    """The decimal mark and the thousands separator of a locale; without one, of the reader's.

    >>> separators("de-DE"), separators("en-GB"), separators(None)
    ((',', '.'), ('.', ','), ('.', ','))
    """
    return _marks(locale or _reader.get() or "en")


@lru_cache(maxsize=256)
def _marks(locale: str) -> tuple[str, str]:
    language = locale.replace("_", "-").split("-")[0].lower()
    if language in _COMMA_AND_DOT:
        return ",", "."
    return (",", "\N{NARROW NO-BREAK SPACE}") if language in _COMMA_AND_SPACE else (".", ",")


def number(value: float | None, *, decimals: int = 0, locale: str | None = None) -> str:
    """A number with separators; a dash where it is missing, never "-0".

    >>> number(1234567), number(None), number(-0.04, decimals=1)
    ('1,234,567', '–', '0.0')
    """
    if value is None or value != value:
        return MISSING
    decimal, thousands = separators(locale)
    text = f"{abs(value):,.{decimals}f}"
    sign = MINUS if value < 0 and text.strip("0.,") else ""
    return sign + text.translate({ord(","): thousands, ord("."): decimal})


def percent(share: float | None, *, decimals: int = 1, locale: str | None = None) -> str:
    """A share between 0 and 1 as a percentage with one decimal.

    >>> percent(0.27449).replace(SPACE, " ")
    '27.4 %'
    """
    text = number(None if share is None else share * 100, decimals=decimals, locale=locale)
    return text if text == MISSING else f"{text}{SPACE}%"


def chance(probability: float | None) -> str:
    """A probability, never surer than it is: 3 %, under 1 %, over 99 %.

    >>> [chance(p).replace(SPACE, " ") for p in (0.004, 0.03, 0.993, None)]
    ['under 1 %', '3 %', 'over 99 %', '–']
    """
    if probability is not None and probability < 0.01:
        return f"under {percent(0.01, decimals=0)}"
    if probability is not None and probability > 0.99:
        return f"over {percent(0.99, decimals=0)}"
    return percent(probability, decimals=0)


def points(difference: float | None, *, decimals: int = 1, locale: str | None = None) -> str:
    """A difference between two shares in percentage points, signed: +3.1.

    >>> points(0.031), points(-0.0004), points(-0.02)
    ('+3.1', '0.0', '−2.0')
    """
    text = number(
        None if difference is None else difference * 100, decimals=decimals, locale=locale
    )
    rises = difference is not None and difference > 0 and bool(text.strip("0.,"))
    return f"+{text}" if rises else text


def money(cents: int | None, *, exact: bool = False, locale: str | None = None) -> str:
    """Whole cents as money: compact (12.4 M), or to the cent for hovering.

    >>> money(1_240_000_000).replace(SPACE, " "), money(1_240_000_050, exact=True)
    ('12.4 M', '12,400,000.50')
    """
    if cents is None:
        return MISSING
    if exact:
        return number(cents / 100, decimals=2, locale=locale)
    return compact(cents / 100, locale=locale)


def compact(value: float | None, *, locale: str | None = None) -> str:
    """A large number in few characters: 950, 12.4 k, 12.4 M, 3.1 B.

    >>> compact(999_960).replace(SPACE, " "), compact(950)
    ('1.0 M', '950')
    """
    if value is None or value != value:
        return MISSING
    for scale, letter in _SCALES:
        if abs(value) >= scale * (0.99995 if letter != "k" else 0.9995):
            return f"{number(value / scale, decimals=1, locale=locale)}{SPACE}{letter}"
    return number(value, locale=locale)


def span(low: float | None, high: float | None, *, locale: str | None = None) -> str:
    """An interval of shares: 26.1–28.7 %."""
    if low is None or high is None:
        return MISSING
    first = number(low * 100, decimals=1, locale=locale)
    return f"{first}–{percent(high, locale=locale)}"


_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def month(day_in_it: date, *, short: bool = False) -> str:
    """A month: June 2026, or Jun 2026."""
    name = _MONTHS[day_in_it.month - 1]
    return f"{name[:3] if short else name} {day_in_it.year}"


def day(on: date) -> str:
    """A day: 30 June 2026."""
    return f"{on.day} {_MONTHS[on.month - 1]} {on.year}"


def moment(at: datetime) -> str:
    """A moment: 30 June 2026, 14:05."""
    return f"{day(at)}, {at:%H:%M}"


_STATES = {
    "current": "Current",
    "charged_off": "Charged off",
    "sold": "Sold",
    "paid_off": "Paid off",
    "unmatched": "Not found again",
    "new": "New",
    "appeared": "Appeared",
    "normal": "Normal",
    "light": "Light",
    "medium": "Medium",
    "heavy": "Heavy",
    "normal_class": "Normal 正常",
    "special_mention": "Special mention 关注",
    "substandard": "Substandard 次级",
    "doubtful": "Doubtful 可疑",
    "loss": "Loss 损失",
}
_BUCKET = re.compile(r"(\d+)(?:-(\d+)|\+)")


def state(code: str, *, basis: Basis = "days", short: bool = False) -> str:
    """A bucket or another state in words; `short` leaves out the unit, for heads of columns.

    On the basis of months a bucket is named by its missed instalments, 30 days each.

    >>> state("31-60"), state("31-60", basis="months"), state("181-270", basis="months")
    ('31–60 days', '2 months', '7–9 months')
    >>> state("361+"), state("361+", basis="months"), state("31-60", short=True)
    ('361+ days', '13+ months', '31–60')
    """
    found = _BUCKET.fullmatch(code)
    if not found:
        return _STATES.get(code, code)
    low, high = int(found[1]), int(found[2]) if found[2] else None
    if basis == "months":
        low, high = round((low - 1) / 30) + 1, None if high is None else round(high / 30)
    ends = f"{low}+" if high is None else (str(low) if low == high else f"{low}–{high}")
    if short:
        return ends
    return f"{ends} {basis if ends != '1' else basis.removesuffix('s')}"


def listing(items: Sequence[str]) -> str:
    """Items as a sentence lists them: `a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(items[:-1]), items[-1]]) if len(items) > 1 else "".join(items)


_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_PUNCTUATION_IN_A_BADGE = re.compile(r"([!-/:-@\\^-`{-~])")
# Streamlit turns these into symbols, links and its logo after the escapes are gone; an invisible
# character that joins words keeps them as they are.
_JOINER = "\N{WORD JOINER}"
_SYMBOLS = re.compile(r"(?<!\S)(<-|-|>|<|~)(->|-|>|=)(?!\S)")
_LINKS = re.compile(r"(?i)https?(?=://\S+\.)|www(?=\.)|(?<=[\w.+-])(?=@[\w-]+\.)|:(?=streamlit:)")


def plain(text: object, *, badge: bool = False) -> str:
    r"""Markdown that shows exactly the characters of the text, on one line.

    In `st.badge` pass `badge=True`: it escapes brackets by itself.

    >>> print(plain("**bold** $x$"))
    \*\*bold\*\* \$x\$
    """
    line = " ".join(str(text).split())
    line = _SYMBOLS.sub(rf"\1{_JOINER}\2", line)
    line = _LINKS.sub(lambda found: found.group(0) + _JOINER, line)
    return (_PUNCTUATION_IN_A_BADGE if badge else _PUNCTUATION).sub(r"\\\1", line)
