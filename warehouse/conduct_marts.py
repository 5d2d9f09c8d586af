"""The marts of contact rules: breaches, near misses, and what they are measured against.

An attempt is an outbound contact, on its day and hour as recorded.  A near miss was permitted,
but one step from a breach: it used a cap's last place, came on the first day after a
conversation's days, within 15 minutes of quiet hours, or to a third party after just as many
failures as are asked for.

A null dimension means that the warehouse does not record it; a null `collector_id` is an
automated queue, a null `agency_id` in-house.  `weekday` is 1 Monday to 7 Sunday.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, Double, Table, Text

from warehouse.marts import marts


def _texts(*names: str) -> list[Column[str]]:
    return [Column(name, Text) for name in names]


def _counts(*names: str) -> list[Column[int]]:
    return [Column(name, BigInteger) for name in names]


_SEGMENTS = ("product", "region")
_OWNER = ("collector_id", "team", "agency_id")

# What each month of these marts was made from; equal stamps need no work.
conduct_stamps = Table(
    "conduct_stamps", marts, *_texts("part"), Column("month", Date), *_texts("stamp")
)

# The packs that these marts were made with: subject `contact` or `complaints`, and their files.
rule_packs = Table(
    "rule_packs", marts, *_counts("place"), *_texts("subject", "pack", "file", "text", "digest")
)

# What a reader must know: a pack refused at the last refresh, a rule that cannot be judged.
rule_notes = Table("rule_notes", marts, *_texts("pack", "rule", "note"))

# Contacts that break a rule (kind `breach`) or just do not (`near_miss`).  `in_force`: the rule
# was in force on that day; `consent`: yes, no, or null where it is not recorded.
breaches = Table(
    "breaches",
    marts,
    Column("month", Date),
    *_texts("pack", "rule", "kind"),
    Column("in_force", Boolean),
    *_texts("consent", *_OWNER, "channel"),
    *_counts("hour", "weekday"),
    *_texts(*_SEGMENTS),
    *_counts("contacts"),
)

# All attempts, by who made them and by hour (and by channel in `rule_coverage`).  `since`: the
# latest day, not after the attempt's, on which a rule in use came into force (null: before all of
# them): a rule's exposure are the attempts whose `since` is not before its own first day.
rule_attempts = Table(
    "rule_attempts",
    marts,
    Column("month", Date),
    Column("since", Date),
    *_texts(*_OWNER, *_SEGMENTS),
    *_counts("attempts"),
)
rule_hours = Table(
    "rule_hours",
    marts,
    Column("month", Date),
    Column("since", Date),
    *_counts("hour", "weekday"),
    *_texts(*_SEGMENTS),
    *_counts("attempts"),
)

# How completely attempts are recorded.  Connected: calls (`call`, `voice_bot`) with an outcome
# other than `no_answer` and `invalid`.  Complete: contact point, case (where the loan had one open)
# and (of a connected call) duration are there, and someone or an automated channel did it.
rule_coverage = Table(
    "rule_coverage",
    marts,
    Column("month", Date),
    Column("since", Date),
    *_texts("channel", "team", "agency_id", *_SEGMENTS),
    *_counts("attempts", "pointed", "cased", "collected", "complete"),
    *_counts("consented", "refused"),  # has_consent true, false; else not recorded
    *_counts("connected", "timed", "recorded", "unrecorded"),  # of the connected calls
)

# What the rules still allow on the data's last day, by open case.  rule `all` takes the least of
# the pack's caps for each loan.  units: loans, or contact points tried in the last 90 days where
# the cap is on those; uncounted: loans with an open case but without such a point.
rule_capacity = Table(
    "rule_capacity",
    marts,
    Column("day", Date),
    *_texts("pack", "rule", "unit", "stage", *_SEGMENTS),
    *_counts("units", "used", "allowed", "exhausted", "uncounted"),
)

# Loans by the stage of their youngest case open in the month, and the attempts on them.
vulnerable_contacts = Table(
    "vulnerable_contacts",
    marts,
    Column("month", Date),
    *_texts("stage"),
    Column("is_vulnerable", Boolean),
    *_texts(*_SEGMENTS),
    *_counts("loans", "worked_loans", "attempts"),
    Column("attempt_squares", Double),
)
