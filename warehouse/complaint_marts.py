"""The marts of complaints: each complaint with whose it is, and what it is measured against.

Complaints are few, so they stay rows: ids, codes and times, no words of anybody.  What they are
measured against (attempts, open cases) is sums by cell.  A null dimension means that the
warehouse does not record it; a null `collector_id` is nobody or an automated queue, a null
`agency_id` in-house.  `week` is its Monday, `month` a month-end; a contact counts on its day.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Column, Date, DateTime, Table, Text

from warehouse.marts import marts


def _texts(*names: str) -> list[Column[str]]:
    return [Column(name, Text) for name in names]


def _counts(*names: str) -> list[Column[int]]:
    return [Column(name, BigInteger) for name in names]


def _times(*names: str) -> list[Column[datetime]]:
    return [Column(name, DateTime) for name in names]


_SEGMENTS = ("product", "region")
_OWNER = ("team", "agency_id")

# What each month of these marts was made from; equal stamps need no work.
complaint_stamps = Table("complaint_stamps", marts, Column("month", Date), *_texts("stamp"))

# One row a complaint, all that were ever received.  attributed_by: `contact` (it names one),
# `last_contact` (of its case, before it), `case_owner` or `nobody`; collector, team, agency and
# channel are those of that contact, or the case's.  `named_collector_id`: only of the contact it
# names.  `stage`: of its case, at opening; `worked_month`: the month of that contact, else of the
# receipt; `case_attempts`: the attempts on its case in that month.
complaints = Table(
    "complaints",
    marts,
    *_texts("complaint_id"),
    Column("received_on", Date),
    Column("week", Date),
    Column("month", Date),
    *_texts("intake", "category", *_SEGMENTS, "stage"),
    *_counts("grade"),
    *_texts("loan_id", "case_id", "customer_id", "contact_id"),
    *_texts("attributed_by", "collector_id", *_OWNER, "channel", "named_collector_id"),
    Column("worked_month", Date),
    *_counts("case_attempts"),
    *_times("contact_at", "received_at", "acknowledged_at", "responded_at", "resolved_at"),
    *_texts("outcome", "deadline_class"),
    *_times("appealed_at"),
    *_texts("appeal_outcome"),
    *_counts("compensation_cents"),
)

# Attempts (outbound contacts).  A week that lies in two months has rows of both.
complaint_attempts = Table(
    "complaint_attempts",
    marts,
    Column("week", Date),
    Column("month", Date),
    *_texts(*_SEGMENTS, "channel", *_OWNER),
    *_counts("attempts"),
)

# The same by collector, null for what no collector did.
complaint_collectors = Table(
    "complaint_collectors",
    marts,
    Column("month", Date),
    *_texts("collector_id", *_OWNER, *_SEGMENTS),
    *_counts("attempts"),
)

# Cases open at the end of the week's last day (its Sunday).
complaint_cases = Table(
    "complaint_cases",
    marts,
    Column("week", Date),
    *_texts(*_SEGMENTS, *_OWNER),
    *_counts("open_cases"),
)

# Cases by the attempts made on them in a month: 1 to 20, which is 20 or more.
complaint_intensity = Table(
    "complaint_intensity",
    marts,
    Column("month", Date),
    *_texts(*_SEGMENTS, "stage"),
    *_counts("case_attempts", "cases", "attempts"),
)

# What borrowers answered, 1 to 5, by whose case it was.
surveys_months = Table(
    "surveys_months",
    marts,
    Column("month", Date),
    *_texts(*_SEGMENTS, "collector_id", *_OWNER),
    *_counts("satisfaction", "surveys"),
)
