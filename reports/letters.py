"""Any text on paper, with the fonts that every reader of PDF has: no font file is needed.

Latin letters are Helvetica's, Chinese and what else its encoding knows STSong's.  A letter that
neither has is written as its number, so that nothing is silently another id.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import groupby
from xml.sax.saxutils import escape

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont

CHINESE = "STSong-Light"
_RUNS = re.compile("[^\x20-\x7e\xa0-\xff]+")


def register() -> None:
    if CHINESE not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(CHINESE))


@lru_cache(maxsize=4096)
def _kind(letter: str) -> str:
    """latin, chinese or none."""
    for kind, encoding in (("latin", "cp1252"), ("chinese", "gbk")):
        try:
            letter.encode(encoding)
        except UnicodeEncodeError:
            continue
        return kind if letter.isprintable() else "none"
    return "none"


def spelled(text: str) -> str:
    """Text in which a letter that no font has is its number.

    >>> spelled("K\\u202e1 🙂 协")
    'K(U+202E)1 (U+1F642) 协'
    """
    return _RUNS.sub(
        lambda run: "".join(
            letter if _kind(letter) != "none" else f"(U+{ord(letter):04X})"
            for letter in run.group()
        ),
        text,
    )


def marked(text: str) -> str:
    """Text as a paragraph's markup: what looks like markup in it is text.

    >>> marked("<b>&</b> 协会")
    '&lt;b&gt;&amp;&lt;/b&gt; <font name="STSong-Light">协会</font>'
    """
    return _RUNS.sub(lambda run: _run(run.group()), escape(spelled(text)))


def _run(letters: str) -> str:
    """Letters outside Latin-1: those of Helvetica's own (a dash) as they are, others in STSong."""
    groups = groupby(letters, key=lambda letter: _kind(letter) == "chinese")
    parts = ((is_chinese, "".join(group)) for is_chinese, group in groups)
    return "".join(
        f'<font name="{CHINESE}">{part}</font>' if is_chinese else part
        for is_chinese, part in parts
    )


def clipped(text: str, most: int) -> str:
    """Text of at most so many Latin letters' width, with three dots where it was longer.

    >>> clipped("abcdef", 4), clipped("abcd", 4)
    ('abc…', 'abcd')
    """
    if len(text) * 2 <= most:
        return text
    width = 0
    for place, letter in enumerate(text):
        width += 1 if ord(letter) < 0x2E80 else 2
        if width > most:
            return text[: max(place - 1, 1)] + "…"
    return text
