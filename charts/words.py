"""Words on a page: data shown as the characters they are, and codes turned into labels.

A product may be called `**bold** $x$ [a](http://b)`.  Streamlit reads Markdown in text,
metrics, buttons and tabs (not in selectbox, multiselect or dataframe), so whatever comes from
data goes through `plain` there.  Charts never read Markdown or HTML: they take it as it is.
"""

from __future__ import annotations

import re
from datetime import date

MISSING = "–"
NOT_RECORDED = "not recorded"

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_IN_A_BADGE = re.compile(r"([!-/:-@\\^-`{-~])")
_SPACES = re.compile(r"\s+")
# Streamlit turns these into symbols, links and a logo after the escapes are gone; an invisible
# character that joins words (U+2060) keeps them as they are.
_JOINER = "\u2060"
_SYMBOLS = re.compile(r"(?<!\S)(<-|-|>|<|~)(->|-|>|=)(?!\S)")
_LINKS = re.compile(r"(?i)(https?)(?=://\S+\.)|(www)(?=\.)|(?<=[\w.+-])(?=@[\w-]+\.)|(:)(?=streamlit:)")


def plain(text: object, *, badge: bool = False) -> str:
    r"""The text as Markdown that shows exactly its characters, on one line.

    In `st.badge` pass `badge=True`: it escapes brackets by itself.

    >>> print(plain("**bold** $x$"))
    \*\*bold\*\* \$x\$
    """
    line = _SPACES.sub(" ", str(text)).strip()
    line = _SYMBOLS.sub(rf"\1{_JOINER}\2", line)
    line = _LINKS.sub(lambda found: found.group(0) + _JOINER, line)
    return (_IN_A_BADGE if badge else _PUNCTUATION).sub(r"\\\1", line)


_STATES = {
    "current": "Current",
    "charged_off": "Charged off",
    "sold": "Sold",
    "paid_off": "Paid off",
    "unmatched": "Not found again",
    "new": "New",
    "appeared": "Appeared",
}
_BUCKET = re.compile(r"(\d+)(?:-(\d+)|(\+))")


def bucket_label(code: str, *, basis: str = "days", short: bool = False) -> str:
    """A bucket or other state in words; `short` fits the head of a matrix column.

    With `basis="months"` the buckets are counted in missed instalments, 30 days each.

    >>> bucket_label("31-60"), bucket_label("361+"), bucket_label("31-60", basis="months")
    ('31–60 days', '361+ days', '2 months')
    """
    found = _BUCKET.fullmatch(code)
    if not found:
        return _STATES.get(code, code)
    low, high, more = found.groups()
    if basis == "months":
        low, high = _month(int(low), upper=False), high and _month(int(high), upper=True)
    elif basis != "days":
        raise ValueError(f"buckets are counted in days or months, not {basis!r}")
    span = f"{low}+" if more else (str(low) if low == high else f"{low}–{high}")
    if short:
        return span
    unit = basis if span != "1" else basis.removesuffix("s")
    return f"{span} {unit}"


def _month(days: int, *, upper: bool) -> int:
    return round(days / 30) if upper else round((days - 1) / 30) + 1


def dimension_label(value: str | None) -> str:
    """A product, region, grade or industry; null is "not recorded"."""
    return NOT_RECORDED if value is None else value


def month_label(month: date, *, short: bool = False) -> str:
    """A month in words.

    >>> month_label(date(2026, 6, 30)), month_label(date(2026, 6, 30), short=True)
    ('June 2026', 'Jun 26')
    """
    name = _MONTHS[month.month - 1]
    return f"{name[:3]} {month.year % 100:02d}" if short else f"{name} {month.year}"


_MONTHS = (
    "January February March April May June July August September October November December".split()
)


def day_label(day: date) -> str:
    """A day in words: 30 June 2026."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def listing(items: list[str]) -> str:
    """Items as a sentence lists them: `a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)
