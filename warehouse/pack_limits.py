"""What a contact rule may limit: one frozen value for each kind of rule.

`look_back_days` is how many days before a contact can decide whether it breaks the rule.
"""

from __future__ import annotations

from dataclasses import dataclass

MINUTES_A_DAY = 24 * 60
NEAR_MINUTES = 15  # beside quiet hours: a near miss


@dataclass(frozen=True)
class QuietHours:
    """No contact from one minute of the day to another; past midnight where `start` > `end`.

    The first minute is quiet, the last is not.  `weekdays` (1 Monday to 7 Sunday) are those of
    the contact itself.
    """

    start: int
    end: int
    weekdays: tuple[int, ...] = ()
    look_back_days: int = 0


@dataclass(frozen=True)
class DailyCap:
    """At most so many attempts on one contact point (or loan) in a calendar day."""

    at_most: int
    per: str = "contact_point"  # or `loan`
    counts: str = "all"  # or `not_connected`: no_answer and invalid
    look_back_days: int = 0


@dataclass(frozen=True)
class RollingCap:
    """At most so many attempts on one loan in any so many consecutive days."""

    at_most: int
    days: int

    @property
    def look_back_days(self) -> int:
        return self.days - 1


@dataclass(frozen=True)
class AfterConversation:
    """No attempt in the days after a conversation with the debtor, whose day is the first."""

    days: int

    @property
    def look_back_days(self) -> int:
        return self.days  # one more than forbidden: the near miss


@dataclass(frozen=True)
class ThirdPartyAfter:
    """Third parties only after an invalid number or so many failures in a row.

    Of the attempts in the `days` days before; those by `failed_channels` that were not to a third
    party count, each a failure with `no_answer` or `invalid`.
    """

    failures: int
    days: int
    failed_channels: tuple[str, ...]

    @property
    def look_back_days(self) -> int:
        return self.days


@dataclass(frozen=True)
class NoThirdParty:
    """No contact of third parties at all."""

    look_back_days: int = 0


@dataclass(frozen=True)
class ListedAgency:
    """An agency that makes a contact is on the public list on that day."""

    look_back_days: int = 0


@dataclass(frozen=True)
class Recorded:
    """At least this share of connected calls is recorded."""

    at_least: float
    look_back_days: int = 0


@dataclass(frozen=True)
class KeptYears:
    """Records go back so many years."""

    years: int
    look_back_days: int = 0


@dataclass(frozen=True)
class Principle:
    """A rule without a number: it is shown beside the others, and no contact log can prove it."""

    look_back_days: int = 0


Limit = (
    QuietHours
    | DailyCap
    | RollingCap
    | AfterConversation
    | ThirdPartyAfter
    | NoThirdParty
    | ListedAgency
    | Recorded
    | KeptYears
    | Principle
)
# Kinds whose breaches are contacts; the others are about records, or have no number.
REPLAYED = (
    QuietHours,
    DailyCap,
    RollingCap,
    AfterConversation,
    ThirdPartyAfter,
    NoThirdParty,
    ListedAgency,
)
