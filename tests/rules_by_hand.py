"""Contact rules a row at a time: plain Python on dictionaries, none of the product's code.

Slow and plain on purpose: for every contact, every other contact is looked at.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

Row = dict[str, Any]
NOT_CONNECTED = {"no_answer", "invalid"}
TALKS = {"right_party", "promise", "refusal", "dispute"}
ONE_DAY = dt.timedelta(days=1)


def clock(text: str) -> dt.time:
    return dt.time.fromisoformat(text)


def in_time(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row["contacted_at"], row["contact_id"].encode()))


def about(rule: Row, row: Row) -> bool:
    if row["direction"] != "outbound":
        return False
    if rule.get("channels") and row["channel"] not in rule["channels"]:
        return False
    return row["outcome"] not in rule.get("leave_out", ())


def agreed(rule: Row, row: Row) -> bool:
    return bool(rule.get("unless_consent")) and row.get("has_consent") is True


def kinds(rule: Row, log: list[Row], agencies: dict[str, Row]) -> dict[str, str]:
    """Each contact that breaks the rule, or comes just short of it."""
    judge = {
        "quiet_hours": quiet_hours,
        "daily_cap": daily_cap,
        "rolling_cap": rolling_cap,
        "after_conversation": after_conversation,
        "third_party_after": third_party_after,
        "no_third_party": lambda _, row, __, ___: row["party"] == "third_party" and "breach",
        "listed_agency": listed_agency,
    }[rule["kind"]]
    found = {}
    ordered = in_time(log)
    for place, row in enumerate(ordered):
        if about(rule, row) and not agreed(rule, row):
            kind = judge(rule, row, ordered[:place], agencies)
            if kind:
                found[row["contact_id"]] = kind
    return found


def is_quiet(rule: Row, at: dt.datetime) -> bool:
    start, end, time = clock(rule["from"]), clock(rule["to"]), at.time()
    return start <= time < end if start < end else time >= start or time < end


def quiet_hours(rule: Row, row: Row, before: list[Row], agencies: Any) -> str | None:
    at = row["contacted_at"]
    if rule.get("weekdays") and at.isoweekday() not in rule["weekdays"]:
        return None
    if is_quiet(rule, at):
        return "breach"
    minute = at.replace(second=0, microsecond=0)
    beside = [minute + dt.timedelta(minutes=step) for step in range(-15, 16)]
    return "near_miss" if any(is_quiet(rule, moment) for moment in beside) else None


def daily_cap(rule: Row, row: Row, before: list[Row], agencies: Any) -> str | None:
    key = rule.get("per", "contact_point")
    key = "loan_id" if key == "loan" else key

    def counts(one: Row) -> bool:
        failed = rule.get("counts") != "not_connected" or one["outcome"] in NOT_CONNECTED
        return failed and about(rule, one) and not agreed(rule, one)

    if row.get(key) is None or not counts(row):
        return None
    day = row["contacted_at"].date()
    count = 1
    for one in before:
        same = one.get(key) == row[key] and one["contacted_at"].date() == day
        count += same and counts(one)
    if count > rule["at_most"]:
        return "breach"
    return "near_miss" if count == rule["at_most"] else None


def rolling_cap(rule: Row, row: Row, before: list[Row], agencies: Any) -> str | None:
    day = row["contacted_at"].date()
    count = 1
    for one in before:
        days = (day - one["contacted_at"].date()).days
        if one["loan_id"] == row["loan_id"] and days < rule["days"]:
            count += about(rule, one) and not agreed(rule, one)
    if count > rule["at_most"]:
        return "breach"
    return "near_miss" if count == rule["at_most"] else None


def after_conversation(rule: Row, row: Row, before: list[Row], agencies: Any) -> str | None:
    day = row["contacted_at"].date()
    since = None
    for one in before:
        if one["loan_id"] == row["loan_id"] and one["outcome"] in TALKS and about(rule, one):
            since = one["contacted_at"].date()
    if since is None:
        return None
    number = (day - since).days + 1  # the conversation's day is day 1
    if number <= rule["days"]:
        return "breach"
    return "near_miss" if number == rule["days"] + 1 else None


def third_party_after(rule: Row, row: Row, before: list[Row], agencies: Any) -> str | None:
    if row["party"] != "third_party":
        return None
    earliest = row["contacted_at"].date() - rule["days"] * ONE_DAY
    tried = [
        one["outcome"]
        for one in before
        if one["loan_id"] == row["loan_id"]
        and one["direction"] == "outbound"
        and one["party"] != "third_party"
        and one["channel"] in rule["failed_channels"]
        and one["contacted_at"].date() >= earliest
    ]
    if "invalid" in tried:
        return None
    in_a_row = 0
    for outcome in reversed(tried):
        if outcome not in NOT_CONNECTED:
            break
        in_a_row += 1
    if in_a_row < rule["failures"]:
        return "breach"
    return "near_miss" if in_a_row == rule["failures"] else None


def listed_agency(rule: Row, row: Row, before: list[Row], agencies: dict[str, Row]) -> str | None:
    agency = row.get("agency_id")
    if agency is None:
        return None
    day = row["contacted_at"].date()
    since, until = agencies[agency].get("listed_from_on"), agencies[agency].get("listed_to_on")
    is_listed = since is not None and since <= day and (until is None or day <= until)
    return None if is_listed else "breach"
