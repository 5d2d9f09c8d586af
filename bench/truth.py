"""One figure that an estimate must reach on books whose truth is planted."""

from __future__ import annotations

from typing import NamedTuple


class Truth(NamedTuple):
    """What was measured, what was found, what was asked, and whether that was reached."""

    group: str
    what: str
    found: str
    asked: str
    is_reached: bool
