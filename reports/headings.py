"""How a report names its columns and writes its values."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

MISSING = "–"
_HEADINGS = {
    "rate": "Breaches per 1,000 attempts",
    "low": "95 % from",
    "high": "95 % to",
    "near_misses": "Near misses",
    "before": "Before it was in force",
    "attempts": "Attempts judged",
    "all_attempts": "Attempts",
    "complaint_rate": "Per 1,000 attempts",
    "in_time_share": "Within the deadline",
    "low_share": "95 % from",
    "high_share": "95 % to",
    "listed_from_on": "Listed from",
    "listed_to_on": "Listed to",
    "off_list": "Attempts while off the list",
    "sha256": "SHA-256",
    "has_consent": "Consent",
    "is_recorded": "Recorded",
    "is_equal": "Equal",
    "breach_id": "Breach",
    "role": "This contact is",
}


def heading(name: str) -> str:
    return _HEADINGS.get(name) or name.removesuffix("_id").replace("_", " ").capitalize()


def is_share(name: str) -> bool:
    return name.endswith("share")


def exact(value: datetime) -> str:
    """A time to the last digit that was recorded.

    >>> exact(datetime(2026, 6, 3, 21, 59, 59, 999999)), exact(datetime(2026, 6, 3, 22))
    ('2026-06-03 21:59:59.999999', '2026-06-03 22:00:00')
    """
    return value.isoformat(sep=" ")


def printed(name: str, value: Any) -> str:
    """A value on paper.

    >>> printed("attempts", 12345), printed("rate", 1.234), printed("in_time_share", 0.5)
    ('12,345', '1.23', '50.0 %')
    >>> printed("role", None), printed("is_equal", True)
    ('–', 'yes')
    """
    if value is None or value != value:  # missing, or not a number
        return MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value * 100:.1f} %" if is_share(name) else f"{value:,.2f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, datetime):
        return exact(value)
    return value.isoformat() if isinstance(value, date) else str(value)
