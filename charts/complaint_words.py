"""What grades, categories, intakes and owners of complaints are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from charts.channel_words import CHANNELS
from charts.format import NOT_RECORDED

NOBODY = "Nobody’s"  # a complaint that belongs to no contact and no owner
IN_HOUSE = "In-house"
GRADES = {
    1: "1 Service",
    2: "2 Process or information",
    3: "3 Harassment, frequency or privacy",
    4: "4 Threat or violence",
}
CATEGORIES = {
    "service": "Service",
    "information": "Information",
    "amount": "Amount",
    "frequency": "Frequency",
    "hours": "Hours",
    "privacy": "Privacy",
    "third_party": "Third party",
    "harassment": "Harassment",
    "threat": "Threat",
    "other": "Other",
}
INTAKES = {
    "hotline": "Hotline",
    "app": "App",
    "branch": "Branch",
    "social": "Social media",
    "regulator": "Regulator",
}
OUTCOMES = {
    "upheld": "Upheld",
    "partly_upheld": "Partly upheld",
    "not_upheld": "Not upheld",
    "withdrawn": "Withdrawn",
}
STEPS = {"acknowledged": "Acknowledged", "responded": "Responded to", "resolved": "Resolved"}
ATTRIBUTED = {
    "contact": "the contact it names",
    "last_contact": "the last attempt on its case before it",
    "case_owner": "the owner of its case",
    "nobody": "nobody",
}
DIMENSIONS = {
    "Team": "team",
    "Channel": "channel",
    "Agency": "agency_id",
    "Region": "region",
    "Product": "product",
    "Grade": "grade",
    "Category": "category",
    "Intake": "intake",
}
_UNKNOWN = {
    "team": "No team (automated)",
    "channel": "No contact known",
    "agency_id": IN_HOUSE,
}
_KNOWN: Mapping[str, Mapping[Any, str]] = {
    "channel": CHANNELS,
    "grade": GRADES,
    "category": CATEGORIES,
    "intake": INTAKES,
}


def labels(
    by: str, values: Sequence[object], agencies: Mapping[str, str] | None = None
) -> dict[object, str]:
    """How the values of a dimension are written, each in its own way; a missing one has a name.

    >>> labels("team", ["Late 1", None])
    {'Late 1': 'Late 1', None: 'No team (automated)'}
    >>> labels("agency_id", ["A1", None], {"A1": "In-house"})["A1"]
    'In-house (A1)'
    """
    known: Mapping[Any, str] = (agencies or {}) if by == "agency_id" else _KNOWN.get(by, {})
    missing = _UNKNOWN.get(by, NOT_RECORDED.capitalize())
    found = {value: missing if value is None else known.get(value, str(value)) for value in values}
    said = list(found.values())
    return {
        value: f"{name} ({value})" if value is not None and said.count(name) > 1 else name
        for value, name in found.items()
    }
