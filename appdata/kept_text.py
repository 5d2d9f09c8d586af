"""What people type, as it may be kept: any characters, but no more than fit."""

from __future__ import annotations

import json
from typing import Any

LONGEST_NAME = 120
LONGEST_WHO = 500


class TextRefused(ValueError):
    """Text that cannot be kept; says what could be, beginning with what the text is for."""


def one_line(text: str | None, what: str, longest: int) -> str:
    """Text on one line without stray spaces; empty where there is none."""
    line = " ".join((text or "").split())
    return writable(line, what, longest)


def writable(text: str, what: str, longest: int) -> str:
    """Text as it is, where it can be written and is no longer than it may be."""
    if len(text) > longest:
        raise TextRefused(f"{what} has at most {longest:,} characters; this one has {len(text):,}.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise TextRefused(f"{what} has a character that is none: half a pair.") from None
    if "\0" in text:
        raise TextRefused(f"{what} cannot hold the character of code 0.")
    return text


def as_json(value: Any) -> str:
    """A value as JSON text; numbers that are none are refused."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def parsed(text: str, what: str) -> Any:
    """What a JSON text holds, or a refusal in one sentence."""

    def no_number(name: str) -> Any:
        raise ValueError(name)

    try:
        return json.loads(text, parse_constant=no_number)
    except (ValueError, RecursionError):
        raise TextRefused(f"{what} is not readable: it is no JSON text.") from None
