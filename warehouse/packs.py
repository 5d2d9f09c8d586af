"""Rule packs: what may be done to a debtor, and how soon a complaint is answered, as data files.

`packs/contact/*.toml` are packs of contact rules and `packs/complaints/*.toml` packs of
deadlines.  A lender keeps their own in a folder with the same two subfolders, named by
RULE_PACKS; they are added to the product's.  A file that is not what it must be is refused by
name, with the rule, the field and what was expected.  Packs are no legal advice.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from warehouse.contract import CHANNELS, complaints, contacts
from warehouse.pack_fields import Fields, PackRefused
from warehouse.pack_limits import (
    REPLAYED,
    AfterConversation,
    DailyCap,
    KeptYears,
    Limit,
    ListedAgency,
    NoThirdParty,
    Principle,
    QuietHours,
    Recorded,
    RollingCap,
    ThirdPartyAfter,
)

__all__ = ["Deadline", "Pack", "PackRefused", "Rule", "parse_pack", "read_packs"]

FOLDER = Path(__file__).resolve().parent.parent / "packs"
CONTACT, COMPLAINTS = "contact", "complaints"
OUTCOMES = tuple(contacts.c.outcome.info["codes"])
CLASSES = tuple(complaints.c.deadline_class.info["codes"])
STEPS = ("acknowledged", "responded", "resolved")


@dataclass(frozen=True)
class Rule:
    """One rule on contacts: its words, what it limits, and since when it is in force.

    It looks at attempts by `channels` (all where empty), without those whose outcome is in
    `leave_out`, and, where `unless_consent`, without those that the debtor agreed to.
    """

    pack: str
    id: str
    kind: str
    sentence: str
    source: str
    valid_from: date
    limit: Limit
    channels: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    unless_consent: bool = False

    @property
    def is_replayed(self) -> bool:
        """Whether a contact can break it; other rules are about records, or have no number."""
        return isinstance(self.limit, REPLAYED)


@dataclass(frozen=True)
class Deadline:
    """How soon a complaint must be acknowledged, responded to or resolved: one number is set."""

    pack: str
    name: str
    sentence: str
    source: str
    step: str
    classes: tuple[str, ...]  # empty: every complaint
    days: int | None = None
    working_days: int | None = None
    weeks: int | None = None


@dataclass(frozen=True)
class Pack:
    """A file of rules or of deadlines, as it was read."""

    subject: str
    id: str
    jurisdiction: str
    title: str
    source: str
    valid_from: date
    text: str
    file: str
    rules: tuple[Rule, ...] = ()
    deadlines: tuple[Deadline, ...] = ()
    default_class: str | None = None  # of a complaint that has none

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def _quiet_hours(fields: Fields) -> Limit:
    start, end = fields.minute("from"), fields.minute("to")
    if start == end:
        raise fields.refuse("to", "equals from; expected a window that begins and ends")
    return QuietHours(start, end, fields.several("weekdays", range(1, 8), default=()))


def _daily_cap(fields: Fields) -> Limit:
    return DailyCap(
        fields.whole("at_most", least=0, most=1000),
        fields.choice("per", ("contact_point", "loan"), default="contact_point"),
        fields.choice("counts", ("all", "not_connected"), default="all"),
    )


def _rolling_cap(fields: Fields) -> Limit:
    at_most = fields.whole("at_most", least=0, most=1000)
    return RollingCap(at_most, fields.whole("days", least=1, most=366))


def _third_party_after(fields: Fields) -> Limit:
    return ThirdPartyAfter(
        fields.whole("failures", least=1, most=100),
        fields.whole("days", least=1, most=366),
        fields.several("failed_channels", CHANNELS, default=("call", "voice_bot", "visit")),
    )


KINDS: dict[str, Callable[[Fields], Limit]] = {
    "quiet_hours": _quiet_hours,
    "daily_cap": _daily_cap,
    "rolling_cap": _rolling_cap,
    "after_conversation": lambda fields: AfterConversation(fields.whole("days", least=1, most=366)),
    "third_party_after": _third_party_after,
    "no_third_party": lambda _: NoThirdParty(),
    "listed_agency": lambda _: ListedAgency(),
    "recorded": lambda fields: Recorded(fields.share("at_least")),
    "kept_years": lambda fields: KeptYears(fields.whole("years", least=1, most=100)),
    "principle": lambda _: Principle(),
}


def _rule(pack: Fields, common: dict[str, Any], values: dict[str, Any]) -> Rule:
    named = values.get("id")
    fields = Fields(pack.file, named if isinstance(named, str) else None, values)
    rule_id = fields.text("id")
    kind = fields.choice("kind", tuple(KINDS))
    rule = Rule(
        pack=common["id"],
        id=rule_id,
        kind=kind,
        sentence=fields.text("sentence"),
        source=fields.text("source", default=common["source"]),
        valid_from=fields.day("valid_from", default=common["valid_from"]),
        limit=KINDS[kind](fields),
        channels=fields.several("channels", CHANNELS, default=()),
        leave_out=fields.several("leave_out", OUTCOMES, default=()),
        unless_consent=fields.flag("unless_consent"),
    )
    fields.done()
    return rule


def _deadline(pack: Fields, common: dict[str, Any], values: dict[str, Any]) -> Deadline:
    named = values.get("name")
    fields = Fields(pack.file, named if isinstance(named, str) else None, values)
    spans = ("days", "working_days", "weeks")
    given = [name for name in spans if name in values]
    if len(given) != 1:
        found = " and ".join(given) or "none"
        raise fields.refuse(given[-1] if given else "days", f"found {found}; expected one of"
                            f" {', '.join(spans)}")  # fmt: skip
    deadline = Deadline(
        pack=common["id"],
        name=fields.text("name"),
        sentence=fields.text("sentence"),
        source=fields.text("source", default=common["source"]),
        step=fields.choice("step", STEPS),
        classes=fields.several("classes", CLASSES, default=()),
        **{name: fields.whole(name, least=1, most=3660) for name in given},
    )
    fields.done()
    return deadline


def parse_pack(subject: str, text: str, file: str) -> Pack:
    """A pack from the text of its file, or `PackRefused`.

    >>> words = 'id="x"\\njurisdiction="J"\\ntitle="T"\\nsource="S"\\nvalid_from=2026-01-01\\n'
    >>> rule = '[[rules]]\\nid="n"\\nkind="quiet_hours"\\nsentence="w"\\nfrom="25:00"\\nto="08:00"'
    >>> parse_pack("contact", words + rule, "x.toml")
    Traceback (most recent call last):
    warehouse.pack_fields.PackRefused: x.toml, rule 'n', field 'from': found '25:00'; \
expected a time from "00:00" to "23:59"
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PackRefused(file, None, None, f"is not TOML: {error}") from error
    fields = Fields(file, None, values)
    common: dict[str, Any] = {
        "id": fields.text("id"),
        "jurisdiction": fields.text("jurisdiction"),
        "title": fields.text("title"),
        "source": fields.text("source"),
        "valid_from": fields.day("valid_from"),
    }
    rules: tuple[Rule, ...] = ()
    deadlines: tuple[Deadline, ...] = ()
    default_class = None
    if subject == CONTACT:
        rules = tuple(_rule(fields, common, one) for one in fields.tables("rules"))
        _refuse_twins(file, [rule.id for rule in rules], "id")
    else:
        deadlines = tuple(_deadline(fields, common, one) for one in fields.tables("deadlines"))
        _refuse_twins(file, [deadline.name for deadline in deadlines], "name")
        default_class = fields.choice("default_class", CLASSES, default=CLASSES[0])
    fields.done()
    return Pack(subject, **common, text=text, file=file, rules=rules, deadlines=deadlines,
                default_class=default_class)  # fmt: skip


def _refuse_twins(file: str, ids: list[str], field: str) -> None:
    for place, name in enumerate(ids):
        if name in ids[:place]:
            raise PackRefused(file, name, field, "is there twice; expected a name of its own")


def read_packs(subject: str, own: Path | None = None) -> dict[str, Pack]:
    """All packs of a subject (`contact` or `complaints`) by id: the product's and the lender's."""
    found: dict[str, Pack] = {}
    if own is not None and not own.is_dir():
        raise PackRefused(str(own), None, None, "is no folder; RULE_PACKS names one")
    for folder in [FOLDER, *([] if own is None else [own])]:
        for path in sorted((folder / subject).glob("*.toml")):
            pack = parse_pack(subject, _text(path), path.name)
            if pack.id in found:
                problem = f"{pack.id!r} is also the id of {found[pack.id].file}"
                raise PackRefused(path.name, None, "id", f"{problem}; expected one of its own")
            found[pack.id] = pack
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PackRefused(path.name, None, None, f"cannot be read as UTF-8: {error}") from error


def chosen_packs(subject: str, ids: Sequence[str], own: Path | None = None) -> tuple[Pack, ...]:
    """The packs in use, in the order in which a setting names them."""
    known = read_packs(subject, own)
    setting = "CONTACT_PACK" if subject == CONTACT else "COMPLAINT_PACK"
    for name in ids:
        if name not in known:
            raise PackRefused(setting, None, None, f"no pack {name!r}; there are"
                              f" {', '.join(known)}")  # fmt: skip
    _refuse_twins(setting, list(ids), "id")
    return tuple(known[name] for name in ids)
