"""Is a CSV file UTF-8 or GB18030?  Anything else is refused by name.

GB18030 (what Chinese spreadsheets export) decodes nearly any bytes, so that
decoding alone proves nothing: a Latin-1 `Générale` reads as `G閚閞ale`.  What
tells them apart is which characters come out.  Chinese text is written almost
wholly in the 6,763 characters of GB 2312, and mostly in their commoner half;
text of another encoding misread as GB18030 scatters over the rare ones.  So a
file counts as GB18030 only where, of its characters beyond ASCII, two in three
are in GB 2312 and one in two is punctuation or in its commoner half.  Latin-1,
Big5, Shift JIS and Windows Cyrillic fail that; Korean EUC-KR does not.
"""

from __future__ import annotations

import codecs
from collections import Counter
from pathlib import Path

from warehouse.refusals import Problem, Unreadable

EXPECTED = "UTF-8 (with or without a byte-order mark) or GB18030"
_CHUNK = 1 << 22
_ASCII = bytes(range(0x80))
_COMMON = {0xA1, 0xA3, *range(0xB0, 0xD8)}  # lead bytes: punctuation, the commoner characters
_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def encoding_of(path: Path) -> str:
    """`utf-8` or `gb18030`; raises `Unreadable` for any other encoding."""
    with path.open("rb") as file:
        start = file.read(64)
    for mark, name in _MARKS.items():
        if start.startswith(mark):
            raise _refuse(path, name)
    if b"\x00" in start:
        raise _refuse(path, "NUL bytes, as in UTF-16 without a byte-order mark or a binary file")
    utf8_stops_at = _stops_decoding(path, "utf-8")
    if utf8_stops_at is None:
        return "utf-8"
    stops_at = _stops_decoding(path, "gb18030")
    if stops_at is not None:
        raise _refuse(
            path, f"bytes that are not UTF-8 (line {utf8_stops_at}) nor GB18030 (line {stops_at})"
        )
    if not _reads_as_chinese(path):
        raise _refuse(
            path,
            f"bytes that are not UTF-8 (line {utf8_stops_at}) and make no Chinese text as GB18030"
            " (Latin-1, Windows-1252, Big5?)",
        )
    return "gb18030"


def _refuse(path: Path, found: str) -> Unreadable:
    return Unreadable(Problem("encoding", path.name, EXPECTED, value=found))


def _stops_decoding(path: Path, encoding: str) -> int | None:
    """The line at which the file stops being this encoding, or None."""
    decoder = codecs.getincrementaldecoder(encoding)()
    lines = 1
    with path.open("rb") as file:
        while True:
            chunk = file.read(_CHUNK)
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                return lines + error.object[: error.start].count(b"\n")
            if not chunk:
                return None
            lines += chunk.count(b"\n")


def _reads_as_chinese(path: Path) -> bool:
    """Whether the characters of a GB18030 file are those that Chinese is written in."""
    beyond_ascii = in_gb2312 = common = 0
    with path.open(encoding="gb18030", newline="") as file:
        while text := file.read(_CHUNK):
            beyond_ascii += len(text) - len(text.encode("ascii", "ignore"))
            known = text.encode("gb2312", "ignore").translate(None, _ASCII)
            in_gb2312 += len(known) // 2
            common += sum(count for lead, count in Counter(known[::2]).items() if lead in _COMMON)
    return in_gb2312 * 3 >= beyond_ascii * 2 and common * 2 >= beyond_ascii
