"""The answers of the Agencies page in words: do partners earn their fee?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl

from charts.format import MISSING, day, listing, money, month, number, percent, plain, span
from charts.sentences import plural

SURE = 0.9  # from here on a sentence says it without a doubt
STAGES = {
    "early": "up to 30 days late",
    "middle": "31–90 days late",
    "late": "more than 90 days late",
}
REASONS = {
    "all_immature": (
        "No case of an agency is 90 days old yet: nothing can be said of what they bring in."
    ),
    "no_model": (
        "There is no model of case mix for this choice, so agencies cannot be compared like for"
        " like: widen the choice, or run `python -m warehouse refresh`."
    ),
    "one_owner": (
        "Only one party has cases in this choice: there is nobody to compare it with on like cases."
    ),
    "no_owners": "Nothing was collected on these cases: there is nothing to compare.",
}


def agency_names(partners: pl.DataFrame, ids: Sequence[str]) -> dict[str, str]:
    """A name for each agency; its id where it has none, and beside it where two share one."""
    known = dict(partners.select("agency_id", "name").iter_rows())
    every = list(known.values())
    names = {}
    for one in ids:
        name = known.get(one) or one
        names[one] = f"{name} ({one})" if every.count(name) > 1 else name
    return names


def reason_words(reason: str | None) -> str:
    """Why agencies cannot be compared."""
    return REASONS.get(reason or "", REASONS["no_model"])


def agency_sentences(results: pl.DataFrame, names: dict[str, str]) -> list[str]:
    """Does each agency bring in more, its commission paid, than in-house would on like cases?"""
    theirs = results.filter(~pl.col("is_in_house"), pl.col("net").is_not_null())
    unknown = results.filter(
        ~pl.col("is_in_house"), pl.col("net").is_null(), pl.col("rate").is_not_null()
    )
    house = results.filter("is_in_house", pl.col("rate").is_not_null())
    lines: list[str] = []
    if house.height and theirs.height:
        lines += _verdicts(theirs.sort("p_earns", descending=True), names)
        lines.append(
            f"In-house would bring in {in_house_words(house)} of the same, before its own cost."
        )
    elif theirs.height:
        best = theirs.sort("net", descending=True).row(0, named=True)
        lines.append(
            f"No case like these was worked in-house, so no fee can be judged against it;"
            f" {_name(best, names)} brings in most net of commission,"
            f" {percent(best['net'])} ({span(best['net_low'], best['net_high'])})."
        )
    small = theirs.filter("is_small")
    if small.height:
        who = listing([_name(row, names) for row in small.iter_rows(named=True)])
        if small.height > 3:
            who = f"{small.height} of them"
        lines.append(f"{who} had few cases: read it as a hint.")
    if unknown.height:
        who = listing([_name(row, names) for row in unknown.iter_rows(named=True)])
        lines.append(f"The commission of {who} is not recorded, so its net is not known.")
    return lines


def in_house_words(house: pl.DataFrame) -> str:
    """In-house with its interval: 33.1 % (29.0–37.8 %)."""
    row = house.row(0, named=True)
    return f"{percent(row['rate'])} ({span(row['rate_low'], row['rate_high'])})"


def _verdicts(theirs: pl.DataFrame, names: dict[str, str]) -> list[str]:
    if theirs.height > 3:
        return [_many(theirs, names)]
    lines = []
    for row in theirs.iter_rows(named=True):
        lines.append(
            f"{_name(row, names)} {_verdict(row['p_earns'])}: of what agencies are given it would"
            f" bring in {percent(row['net'])} ({span(row['net_low'], row['net_high'])}) net of its"
            f" {percent(row['commission_rate'], decimals=0)} commission."
        )
    return lines


def _verdict(chance: float) -> str:
    for below, words in (
        (0.025, "does not earn its fee"),
        (1 - SURE, "very likely does not earn its fee"),
        (0.35, "probably does not earn its fee"),
        (0.65, "may or may not earn its fee"),
        (SURE, "probably earns its fee"),
        (0.975, "very likely earns its fee"),
    ):
        if chance < below:
            return words
    return "earns its fee"


def _many(theirs: pl.DataFrame, names: dict[str, str]) -> str:
    earn = theirs.filter(pl.col("p_earns") >= SURE)
    lose = theirs.filter(pl.col("p_earns") <= 1 - SURE)
    best = theirs.row(0, named=True)
    rest = theirs.height - earn.height - lose.height
    return (
        f"Of {plural(theirs.height, 'agency').replace('agencys', 'agencies')}, {earn.height} earn"
        f" their fee, {lose.height} do not and {rest} cannot be told from in-house; the surest is"
        f" {_name(best, names)} with {percent(best['net'])} net"
        f" ({span(best['net_low'], best['net_high'])})."
    )


def _name(row: dict[str, Any], names: dict[str, str]) -> str:
    return plain(names.get(row["owner"], row["owner"]))


def like_for_like_words(stages: Sequence[str], volumes: pl.DataFrame) -> str:
    """On which cases agencies and in-house are compared."""
    placed_cents, cases = int(volumes["placed_cents"].sum()), int(volumes["cases"].sum())
    kinds = listing([STAGES.get(stage, stage) for stage in stages])
    return (
        f"Cases opened {kinds}, where agencies hold any: {plural(cases, 'case')} with them that"
        f" are 90 days old, {money(placed_cents)} placed."
    )


def cost_sentence(
    commissions: pl.DataFrame, spending: pl.DataFrame, *, is_split: bool = False
) -> str:
    """What agencies cost: commissions by the rates, and what was really spent.

    `is_split`: the choice is a part of the book, over which spending cannot be divided.
    """
    if commissions.is_empty() and spending.is_empty():
        return "Neither cash on agencies' cases nor spending on agencies is recorded in this time."
    cash = int(commissions["cash_cents"].sum())
    due = int(commissions["commission_cents"].sum())
    line = (
        f"Cash of {money(cash)} came in on agencies' cases; at their rates that is a commission"
        f" of {money(due)}."
    )
    if cash < 0:
        line = f"More was reversed than paid on agencies' cases: {money(cash)} in all."
    if commissions.is_empty():
        line = "No cash came in on agencies' cases."
    if commissions["commission_cents"].null_count():
        line += " Where no rate is recorded, no commission is counted."
    if is_split:
        return line + (
            " What the table of costs has for agencies is not held against it: costs cannot be"
            " split by product, region or grade. Widen the choice to see them."
        )
    if spending.is_empty():
        return line + " The table of costs has no spending on agencies to hold it against."
    spent = int(spending["amount_cents"].sum())
    gap = spent - due
    return line + (
        f" The table of costs has {money(spent)} for agencies:"
        f" {money(abs(gap))} {'more' if gap >= 0 else 'less'} than the rates explain."
    )


def contract_words(first: date | None, last: date | None, as_of: date) -> str:
    """A contract or a listing by its dates, and whether it is over or has not begun."""
    if first is None and last is None:
        return MISSING
    since = f"from {month(first, short=True)}" if first else ""
    until = f"to {month(last, short=True)}" if last else ""
    note = ""
    if last is not None and last < as_of:
        note = " (ended)"
    elif first is not None and first > as_of:
        note = " (not begun)"
    return f"{since} {until}".strip() + note


def duty_rows(
    partners: pl.DataFrame, checks: pl.DataFrame, placed: dict[str, pl.DataFrame],
    names: dict[str, str], as_of: date,
) -> list[dict[str, Any]]:  # fmt: skip
    """One row an agency: contract, listing, vetting, confidentiality, spot checks."""
    rows, every = [], checks.sort("occurred_on").rows(named=True)
    for one in partners.filter(pl.col("agency_id").is_in(list(names))).iter_rows(named=True):
        own = [row for row in every if row["agency_id"] == one["agency_id"]]
        judged = [row["is_passed"] for row in own if row["kind"] == "spot_check"]
        spot, spots = judged.count(True), len(judged) - judged.count(None)
        months = placed.get(one["agency_id"])
        rows.append(
            {
                "Agency": names[one["agency_id"]],
                "Commission": percent(one["commission_rate"]),
                "Contract": contract_words(one["contract_from_on"], one["contract_to_on"], as_of),
                "On the list": contract_words(one["listed_from_on"], one["listed_to_on"], as_of),
                "Vetted": _last(own, "vetting"),
                "Confidentiality signed": _last(own, "confidentiality_signed"),
                "Spot checks passed": f"{spot} of {spots}" if spots else MISSING,
                "Findings of audits": number(sum(row["kind"] == "audit_finding" for row in own)),
                "Cases placed off the list": _outside(months, one),
            }
        )
    return rows


def _last(checks: list[dict[str, Any]], kind: str) -> str:
    found = [row for row in checks if row["kind"] == kind]
    if not found:
        return "not recorded"
    row = found[-1]
    return day(row["occurred_on"]) + (" (failed)" if row["is_passed"] is False else "")


def _outside(months: pl.DataFrame | None, partner: dict[str, Any]) -> str:
    """Cases placed in months that lie wholly outside the contract or the listing."""
    if months is None or months.is_empty():
        return number(0)
    spans = [(partner[f"{kind}_from_on"], partner[f"{kind}_to_on"]) for kind in _SPANS]
    cases = 0
    for end, placed in months.select("placed_month", "cases").iter_rows():
        start = end.replace(day=1)
        before = any(first is not None and end < first for first, _ in spans)
        after = any(last is not None and start > last for _, last in spans)
        cases += placed if before or after else 0
    return number(cases)


_SPANS = ("contract", "listed")


def duty_sentence(rows: list[dict[str, Any]]) -> str:
    """What is missing or over in the oversight of agencies."""
    lines = []
    for head, words in (
        ("Vetted", "vetting"),
        ("Confidentiality signed", "signed confidentiality"),
    ):
        missing = [plain(row["Agency"]) for row in rows if row[head] == "not recorded"]
        if missing:
            lines.append(f"No {words} is recorded for {listing(missing)}.")
    ended = [plain(row["Agency"]) for row in rows if "ended" in row["Contract"]]
    if ended:
        lines.append(f"The contract of {listing(ended)} has ended.")
    off = [plain(row["Agency"]) for row in rows if row["Cases placed off the list"] != number(0)]
    if off:
        lines.append(f"{listing(off)} was given cases outside its contract or listing.")
    return " ".join(lines) or "Contracts, listings, vetting and confidentiality are all in order."
